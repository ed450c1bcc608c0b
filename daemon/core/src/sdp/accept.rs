//! Whether a viewer's answer can be given to the webrtcbin that made the offer, and what it accepts.
//!
//! Nothing of the answer reaches webrtcbin as it came: it is written anew with what both sides have said. Must not know
//! who answered, nor what is done with an answer that is not taken.

use std::fmt::{self, Write};

use super::choose::{Codec, Direction, MediaPlan, PROTOCOLS};
use super::formats::{self, OPUS_CLOCK, VIDEO_CLOCK, encoding};
use super::read::{self, Media, Offer, Way};
use super::{narrow, transport};
use crate::config::settings::Fallback;
use crate::ids::Rendition;
use crate::wire::{Candidate, Reason};

/// What an answer accepts of our offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The answer as webrtcbin gets it: an m-line for each of the offer, with only what was accepted on it. Never the
    /// text that came.
    pub answer: String,
    /// The m-lines of the offer, in its order; `None` is one that was not accepted.
    pub media: Vec<Option<MediaPlan>>,
    /// `a=ice-ufrag` of the bundle.
    pub ufrag: String,
}

impl Accepted {
    /// The m-line that a viewer's candidate goes to, counted from 0; `None` if it belongs to another answer.
    pub fn line_of(&self, candidate: &Candidate) -> Option<usize> {
        if candidate.username_fragment.as_ref().is_some_and(|ufrag| *ufrag != self.ufrag) {
            return None;
        }
        // A bundle has one transport, and a viewer may name it by an m-line that is not accepted.
        let carrier = || self.media.iter().position(Option::is_some);
        let named =
            |mid: &str| self.media.iter().position(|plan| plan.as_ref().is_some_and(|p| p.mid == mid));
        match (&candidate.sdp_mid, candidate.sdp_m_line_index) {
            (Some(mid), _) => named(mid).or_else(carrier),
            (None, Some(index)) => {
                let plan = self.media.get(usize::from(index))?;
                if plan.is_some() { Some(usize::from(index)) } else { carrier() }
            }
            (None, None) => None,
        }
    }
}

/// Judges a viewer's answer to `our_offer`, which is webrtcbin's own and offers a picture of one rendition, sound or
/// both.
///
/// # Errors
/// [`Reason::TooLarge`] from [`read::read`]; [`Reason::BadAnswer`] if it cannot be read, does not have the m-lines of
/// the offer or no identity that fits (ICE user name and password, SHA-256 fingerprint, DTLS role);
/// [`Reason::NoBundle`] if what it accepts is not within one BUNDLE group; [`Reason::NoCodec`] if it does not take the
/// picture that was offered, or nothing at all; [`Reason::Failed`] if our own offer cannot be read.
pub fn judge(our_offer: &str, answer: &str) -> Result<Accepted, Reason> {
    let ours = read::read(our_offer).map_err(|_| Reason::Failed)?;
    let theirs = read::read(answer).map_err(as_answer)?;
    let same = ours.media.len() == theirs.media.len()
        && ours.media.iter().zip(&theirs.media).all(|(our, their)| is_answer_to(our, their));
    if !same {
        return Err(Reason::BadAnswer);
    }
    let mut media: Vec<Option<MediaPlan>> = Vec::new();
    for (our, their) in ours.media.iter().zip(&theirs.media) {
        let plan = accept(our, their)?;
        if plan.is_none() && our.kind == "video" {
            return Err(Reason::NoCodec);
        }
        media.push(plan);
    }
    let accepted = || media.iter().flatten();
    if accepted().next().is_none() {
        return Err(Reason::NoCodec);
    }
    let group = theirs.bundles.iter().find(|group| accepted().all(|plan| group.contains(&plan.mid.as_str())));
    let mut bundle: Vec<&str> = Vec::new();
    for mid in group.ok_or(Reason::NoBundle)? {
        if !bundle.contains(mid) && accepted().any(|plan| plan.mid == *mid) {
            bundle.push(mid);
        }
    }
    let carrier = bundle.first().and_then(|mid| theirs.media.iter().find(|their| their.mid == Some(mid)));
    let identity = transport::identify(&theirs, carrier.ok_or(Reason::NoBundle)?, None).map_err(as_answer)?;
    if !["active", "passive"].contains(&identity.setup) {
        return Err(Reason::BadAnswer);
    }
    let answer = write(&ours, &theirs, &identity, &bundle, &media);
    let ufrag = identity.ufrag.to_owned();
    Ok(Accepted { answer, media, ufrag })
}

/// The words of reading are those for offers.
fn as_answer(reason: Reason) -> Reason {
    if reason == Reason::BadOffer { Reason::BadAnswer } else { reason }
}

/// Whether an m-line stands where it must: same kind, and the same mid where it has one (a rejected one need not).
fn is_answer_to(our: &Media<'_>, their: &Media<'_>) -> bool {
    their.kind == our.kind && (their.mid == our.mid || (their.mid.is_none() && their.port == 0))
}

/// What is accepted on one m-line, `None` if nothing is.
fn accept(our: &Media<'_>, their: &Media<'_>) -> Result<Option<MediaPlan>, Reason> {
    if their.port == 0 || matches!(their.way, Way::SendOnly | Way::Inactive) {
        return Ok(None);
    }
    let (Some(mid), true) =
        (our.mid, their.rtcp_mux && !their.contradicts && PROTOCOLS.contains(&their.protocol))
    else {
        return Err(Reason::BadAnswer);
    };
    let offered = |number: u8, name: &str| {
        our.formats.iter().any(|format| format.parse() == Ok(number))
            && our.rtpmaps.iter().any(|(own, map)| *own == number && map.eq_ignore_ascii_case(name))
    };
    let both = |plan: MediaPlan| MediaPlan {
        extensions: plan
            .extensions
            .into_iter()
            .filter(|(id, uri)| our.extensions.iter().any(|own| own.id == *id && own.uri == uri))
            .collect(),
        feedback: {
            let own = formats::feedback(our, plan.payload_type);
            plan.feedback.into_iter().filter(|value| own.contains(value)).collect()
        },
        ..plan
    };
    Ok(match our.kind {
        "video" => formats::picture(their, Fallback::Vp8)
            .filter(|(rendition, format)| offered(format.payload_type, encoding(*rendition)))
            .map(|(rendition, format)| MediaPlan {
                mid: mid.to_owned(),
                codec: Codec::Video(rendition),
                payload_type: format.payload_type,
                rtx_payload_type: format.rtx.filter(|rtx| offered(*rtx, "rtx/90000")),
                clock_rate: VIDEO_CLOCK,
                direction: Direction::SendOnly,
                extensions: formats::extensions(their, &[]),
                feedback: formats::feedback(their, format.payload_type),
            }),
        "audio" => formats::opus(their, &[])
            .filter(|format| offered(format.payload_type, "opus/48000/2"))
            .map(|format| MediaPlan {
                mid: mid.to_owned(),
                codec: Codec::Opus,
                payload_type: format.payload_type,
                rtx_payload_type: None,
                clock_rate: OPUS_CLOCK,
                direction: if their.way == Way::SendRecv && our.way == Way::SendRecv {
                    Direction::SendRecv
                } else {
                    Direction::SendOnly
                },
                extensions: formats::extensions(their, &[]),
                feedback: Vec::new(),
            }),
        _ => None,
    }
    .map(both))
}

/// Writes the answer anew.
fn write(
    ours: &Offer<'_>,
    theirs: &Offer<'_>,
    identity: &transport::Identity<'_>,
    bundle: &[&str],
    media: &[Option<MediaPlan>],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = narrow::write_session(&mut text, theirs, identity, bundle);
    for ((our, their), plan) in ours.media.iter().zip(&theirs.media).zip(media) {
        let _ = match plan {
            Some(plan) => narrow::write_line(&mut text, theirs, identity, bundle, (their, plan)),
            None => write_rejected(&mut text, our, identity),
        };
    }
    text
}

/// An m-line that is not accepted. webrtcbin takes no answer in which one lacks a mid or an identity.
fn write_rejected(text: &mut String, our: &Media<'_>, identity: &transport::Identity<'_>) -> fmt::Result {
    let format = our.formats.first().copied().unwrap_or_default();
    write!(text, "m={} 0 {} {format}\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", our.kind, our.protocol)?;
    if let Some(mid) = our.mid {
        write!(text, "a=mid:{mid}\r\n")?;
    }
    narrow::write_identity(text, identity)
}

impl Accepted {
    /// The rendition that is accepted, where a picture was offered.
    pub fn rendition(&self) -> Option<Rendition> {
        self.media.iter().flatten().find_map(|plan| match plan.codec {
            Codec::Video(rendition) => Some(rendition),
            Codec::Opus => None,
        })
    }
}
