//! What to answer an offer with, or why nothing fits.
//!
//! Decides from [`super::read`] alone. Must not know how an SDP is written: `narrow` and `answer` do that.

use super::formats::{self, OPUS_CLOCK, VIDEO_CLOCK};
use super::read::{self, Media, Offer, Way};
use super::{answer, narrow, transport};
use crate::config::settings::Fallback;
use crate::ids::Rendition;
use crate::wire::{Candidate, Reason};

/// How RTP over DTLS-SRTP is written; the short forms are what older browsers said (RFC 9429 section 5.1.2).
pub(super) const PROTOCOLS: [&str; 5] =
    ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP"];

/// A codec an m-line was accepted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Picture.
    Video(Rendition),
    /// Sound: Opus, 48 kHz, as RFC 7587 has it.
    Opus,
}

/// Which way an accepted m-line goes, seen from the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The camera only sends.
    SendOnly,
    /// The viewer may send too (talk).
    SendRecv,
}

/// Whether a viewer may be heard where it offers to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// It may.
    Allowed,
    /// It may only listen: what it would send is not taken.
    Forbidden,
}

/// One accepted m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlan {
    /// `a=mid`.
    pub mid: String,
    /// What is sent on it.
    pub codec: Codec,
    /// The payload type the offer gives this codec.
    pub payload_type: u8,
    /// The payload type of its retransmissions (RFC 4588), where the offer has one.
    pub rtx_payload_type: Option<u8>,
    /// RTP clock in Hz.
    pub clock_rate: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// Header extensions to be used: number and URI, as offered.
    pub extensions: Vec<(u8, String)>,
    /// `a=rtcp-fb` values offered for the payload type and of use: `nack`, `nack pli`, `ccm fir`. None for sound.
    pub feedback: Vec<String>,
}

/// An m-line of the offer that webrtcbin never sees, put back into the answer as rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its index among the m-lines of the offer.
    pub index: usize,
    /// `a=mid`, where it has one.
    pub mid: Option<String>,
    /// The m-line as the answer says it: `m=… 0 …`.
    pub line: String,
}

/// What to hand to webrtcbin, and what to send on each m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerPlan {
    /// The offer as webrtcbin gets it: written anew, with the accepted m-lines only, and on each of them only what
    /// was chosen, so that it has one answer. Never the text that came.
    pub offer: String,
    /// The accepted m-lines, in the order of `offer`.
    pub media: Vec<MediaPlan>,
    /// The m-lines that were cut out.
    pub rejected: Vec<Rejected>,
    /// The rendition to send, where a picture was asked for.
    pub rendition: Option<Rendition>,
    /// The most that the viewer wants of the picture, in kbit/s, where it says so.
    pub takes: Option<u32>,
    /// `a=ice-ufrag` of the bundle.
    pub ufrag: String,
}

/// Plans the answer to an offer.
///
/// The first m-line that asks for a picture we can send and the first for sound are accepted; every other one
/// (data channel, text, a second picture, one that only sends, one that is broken) is cut out, to be rejected in
/// the answer. An offer without a picture m-line is one for sound alone.
///
/// Where the first m-line of the bundle is cut out, the next accepted one carries it (RFC 9143 section 7.3.1).
/// Browsers follow, except Chromium with `bundlePolicy: "max-bundle"`, which then refuses any answer that rejects it;
/// its offer does not tell the policy. It takes a page that puts a data channel, or a picture of its own that it
/// only sends, before the one it asks for.
///
/// # Errors
/// [`Reason::TooLarge`] and [`Reason::BadOffer`] from [`read::read`]; [`Reason::BadOffer`] also for an identity
/// that cannot be answered (ICE user name and password, SHA-256 fingerprint, DTLS role); [`Reason::NoCodec`] if a
/// picture is asked for that we cannot send, or nothing can be; [`Reason::NoBundle`] if what is accepted is not
/// within one BUNDLE group.
pub fn plan(offer_sdp: &str, fallback: Fallback) -> Result<AnswerPlan, Reason> {
    plan_for(offer_sdp, fallback, Talk::Allowed)
}

/// The same for a viewer that may or may not be heard.
///
/// # Errors
/// As those of [`plan`].
pub fn plan_for(offer_sdp: &str, fallback: Fallback, talk: Talk) -> Result<AnswerPlan, Reason> {
    let offer = read::read(offer_sdp)?;
    let picture = first_accepted(&offer, |media| judge_picture(&offer, media, fallback))?;
    let taken = picture.as_ref().map(|(_, picture)| picture);
    let sound = match first_accepted(&offer, |media| judge_sound(&offer, media, taken, talk)) {
        Err(_) if picture.is_some() => None,
        sound => sound?,
    };
    let mut accepted: Vec<(usize, MediaPlan)> = [picture, sound].into_iter().flatten().collect();
    accepted.sort_by_key(|(index, _)| *index);
    if accepted.is_empty() {
        return Err(if offer.media.is_empty() { Reason::BadOffer } else { Reason::NoCodec });
    }

    let bundle = bundle_over(&offer, &accepted).ok_or(Reason::NoBundle)?;
    let by_mid = |mid: &str| offer.media.iter().find(|media| media.mid == Some(mid));
    let carrier = bundle.first().and_then(|mid| by_mid(mid)).ok_or(Reason::NoBundle)?;
    let tagged = offer
        .bundles
        .iter()
        .find(|group| group.contains(bundle.first().unwrap_or(&"")))
        .and_then(|group| by_mid(group.first()?));
    let identity = transport::identify(&offer, carrier, tagged)?;

    let rejected = offer.media.iter().filter(|media| accepted.iter().all(|(index, _)| *index != media.index));
    let rejected: Vec<_> = rejected.map(reject).collect();
    let lines = accepted.iter().filter_map(|(index, plan)| Some((offer.media.get(*index)?, plan)));
    let text = narrow::write(&offer, &identity, &bundle, &lines.collect::<Vec<_>>());
    let ufrag = identity.ufrag.to_owned();
    let picture = accepted.iter().find(|(_, plan)| plan.codec != Codec::Opus);
    let takes = picture.and_then(|(index, _)| offer.media.get(*index)?.takes);
    let media: Vec<_> = accepted.into_iter().map(|(_, plan)| plan).collect();
    let rendition = media.iter().find_map(|plan| match plan.codec {
        Codec::Video(rendition) => Some(rendition),
        Codec::Opus => None,
    });
    Ok(AnswerPlan { offer: text, media, rejected, rendition, takes, ufrag })
}

impl AnswerPlan {
    /// Turns webrtcbin's answer to [`AnswerPlan::offer`] into the answer to the offer that came: the m-lines that
    /// were cut out are put back as rejected, in their places.
    ///
    /// # Errors
    /// [`Reason::Failed`] if `answer` does not answer exactly what was planned.
    pub fn finish(&self, answer: &str) -> Result<String, Reason> {
        answer::finish(self, answer).ok_or(Reason::Failed)
    }

    /// The m-line of [`AnswerPlan::offer`] that a viewer's candidate goes to, counted from 0; `None` if it belongs
    /// to another offer.
    ///
    /// A bundle has one transport, and a viewer may name it by an m-line that was cut out.
    pub fn line_of(&self, candidate: &Candidate) -> Option<usize> {
        if candidate.username_fragment.as_ref().is_some_and(|ufrag| *ufrag != self.ufrag) {
            return None;
        }
        if let Some(mid) = &candidate.sdp_mid {
            let cut = || self.rejected.iter().any(|line| line.mid.as_ref() == Some(mid)).then_some(0);
            return self.media.iter().position(|plan| plan.mid == *mid).or_else(cut);
        }
        let index = usize::from(candidate.sdp_m_line_index?);
        let before = self.rejected.iter().filter(|line| line.index < index).count();
        let cut = self.rejected.iter().any(|line| line.index == index);
        let known = index < self.media.len() + self.rejected.len();
        known.then(|| if cut { 0 } else { index - before })
    }
}

/// Why an m-line is cut out, if that decides about the whole offer.
enum Cut {
    /// It asks for nothing of ours.
    Unwanted,
    /// It asks, but in a way that cannot be answered.
    Refused(Reason),
}

/// The first m-line that is accepted. If none is: why the first that asked was not, or `None` if none asked.
fn first_accepted<'o>(
    offer: &'o Offer<'_>,
    judge: impl Fn(&'o Media<'_>) -> Result<MediaPlan, Cut>,
) -> Result<Option<(usize, MediaPlan)>, Reason> {
    let mut first = None;
    for media in &offer.media {
        match judge(media) {
            Ok(plan) => return Ok(Some((media.index, plan))),
            Err(Cut::Unwanted) => {}
            Err(Cut::Refused(reason)) => first = first.or(Some(reason)),
        }
    }
    first.map_or(Ok(None), Err)
}

fn judge_picture(offer: &Offer<'_>, media: &Media<'_>, fallback: Fallback) -> Result<MediaPlan, Cut> {
    asks(offer, media, "video")?;
    let (rendition, format) = formats::picture(media, fallback).ok_or(Cut::Refused(Reason::NoCodec))?;
    Ok(MediaPlan {
        mid: media.mid.unwrap_or_default().to_owned(),
        codec: Codec::Video(rendition),
        payload_type: format.payload_type,
        rtx_payload_type: format.rtx,
        clock_rate: VIDEO_CLOCK,
        direction: Direction::SendOnly,
        extensions: formats::extensions(media, &[]),
        feedback: formats::feedback(media, format.payload_type),
    })
}

fn judge_sound(
    offer: &Offer<'_>,
    media: &Media<'_>,
    picture: Option<&MediaPlan>,
    talk: Talk,
) -> Result<MediaPlan, Cut> {
    asks(offer, media, "audio")?;
    let taken = picture.map(|plan| [Some(plan.payload_type), plan.rtx_payload_type]);
    let taken: Vec<u8> = taken.into_iter().flatten().flatten().collect();
    let format = formats::opus(media, &taken).ok_or(Cut::Refused(Reason::NoCodec))?;
    Ok(MediaPlan {
        mid: media.mid.unwrap_or_default().to_owned(),
        codec: Codec::Opus,
        payload_type: format.payload_type,
        rtx_payload_type: None,
        clock_rate: OPUS_CLOCK,
        direction: match (media.way, talk) {
            (Way::SendRecv, Talk::Allowed) => Direction::SendRecv,
            _ => Direction::SendOnly,
        },
        extensions: formats::extensions(media, picture.map_or(&[], |plan| &plan.extensions)),
        feedback: Vec::new(),
    })
}

/// Whether an m-line of this kind asks us to send, in a form that can be answered.
fn asks(offer: &Offer<'_>, media: &Media<'_>, kind: &str) -> Result<(), Cut> {
    // Port 0 says rejected, unless the m-line has its port from the bundle (RFC 9143 section 6).
    let open = media.port != 0 || media.bundle_only;
    if media.kind != kind || !open || matches!(media.way, Way::SendOnly | Way::Inactive) {
        return Err(Cut::Unwanted);
    }
    let namesakes = offer.media.iter().filter(|other| other.mid == media.mid).count();
    let sound = media.mid.is_some_and(read::is_token)
        && namesakes == 1
        && !media.contradicts
        && media.rtcp_mux
        && PROTOCOLS.contains(&media.protocol);
    if sound { Ok(()) } else { Err(Cut::Refused(Reason::BadOffer)) }
}

/// The accepted mids in the order of the BUNDLE group that has them all; the first is the carrier
/// (RFC 9143 section 7.3.1: the first of the group that is not rejected).
fn bundle_over<'a>(offer: &Offer<'a>, accepted: &[(usize, MediaPlan)]) -> Option<Vec<&'a str>> {
    let group = offer
        .bundles
        .iter()
        .find(|group| accepted.iter().all(|(_, plan)| group.contains(&plan.mid.as_str())))?;
    let mut mids: Vec<&'a str> = Vec::new();
    for mid in group {
        if !mids.contains(mid) && accepted.iter().any(|(_, plan)| plan.mid == *mid) {
            mids.push(mid);
        }
    }
    Some(mids)
}

fn reject(media: &Media<'_>) -> Rejected {
    Rejected {
        index: media.index,
        mid: media.mid.filter(|mid| read::is_token(mid)).map(str::to_owned),
        line: format!("m={} 0 {} {}", media.kind, media.protocol, media.formats.join(" ")),
    }
}
