//! Writes the offer that webrtcbin gets: only what was accepted, in words of our own.
//! Must not decide anything.

use std::fmt::{self, Write};

use super::choose::{Codec, Direction, MediaPlan};
use super::formats::{encoding, parameters};
use super::read::{Media, Offer, Way};
use super::transport::{Identity, candidates};

/// Writes `lines` as an offer. `bundle` holds their mids, the carrier first.
pub(super) fn write(
    offer: &Offer<'_>,
    identity: &Identity<'_>,
    bundle: &[&str],
    lines: &[(&Media<'_>, &MediaPlan)],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut text, offer, identity, bundle, lines);
    text
}

fn write_all(
    text: &mut String,
    offer: &Offer<'_>,
    identity: &Identity<'_>,
    bundle: &[&str],
    lines: &[(&Media<'_>, &MediaPlan)],
) -> fmt::Result {
    write_session(text, offer, identity, bundle)?;
    lines.iter().try_for_each(|line| write_line(text, offer, identity, bundle, *line))
}

/// What stands before the first m-line.
pub(super) fn write_session(
    text: &mut String,
    offer: &Offer<'_>,
    identity: &Identity<'_>,
    bundle: &[&str],
) -> fmt::Result {
    let (id, version) = offer.origin;
    write!(text, "v=0\r\no=- {id} {version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")?;
    if offer.ice_lite {
        text.write_str("a=ice-lite\r\n")?;
    }
    write!(text, "a=group:BUNDLE {}\r\n", bundle.join(" "))?;
    if identity.trickle {
        text.write_str("a=ice-options:trickle\r\n")?;
    }
    Ok(())
}

/// One accepted m-line with all that belongs to it.
pub(super) fn write_line(
    text: &mut String,
    offer: &Offer<'_>,
    identity: &Identity<'_>,
    bundle: &[&str],
    (media, plan): (&Media<'_>, &MediaPlan),
) -> fmt::Result {
    write_media(text, media, plan)?;
    write_identity(text, identity)?;
    if bundle.first() == Some(&plan.mid.as_str()) {
        for candidate in candidates(offer, identity.ufrag) {
            write!(text, "a=candidate:{candidate}\r\n")?;
        }
    }
    Ok(())
}

/// The ICE and DTLS lines of an m-line.
pub(super) fn write_identity(text: &mut String, identity: &Identity<'_>) -> fmt::Result {
    write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", identity.ufrag, identity.pwd)?;
    write!(text, "a=fingerprint:sha-256 {}\r\n", identity.sha256)?;
    write!(text, "a=setup:{}\r\n", identity.setup)
}

fn write_media(text: &mut String, media: &Media<'_>, plan: &MediaPlan) -> fmt::Result {
    let number = plan.payload_type;
    let (encoding, way) = match plan.codec {
        // A viewer's own picture is not wanted: to webrtcbin it has none.
        Codec::Video(rendition) => (encoding(rendition), Way::RecvOnly),
        Codec::Opus if plan.direction == Direction::SendOnly => ("opus/48000/2", Way::RecvOnly),
        Codec::Opus => ("opus/48000/2", media.way),
    };
    write!(text, "m={} 9 {} {number}", media.kind, media.protocol)?;
    if let Some(rtx) = plan.rtx_payload_type {
        write!(text, " {rtx}")?;
    }
    write!(text, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na={}\r\na=rtcp-mux\r\n", plan.mid, way.attribute())?;
    if media.rtcp_rsize {
        text.write_str("a=rtcp-rsize\r\n")?;
    }
    for (id, uri) in &plan.extensions {
        write!(text, "a=extmap:{id} {uri}\r\n")?;
    }
    write!(text, "a=rtpmap:{number} {encoding}\r\n")?;
    for value in &plan.feedback {
        write!(text, "a=rtcp-fb:{number} {value}\r\n")?;
    }
    let parameters: Vec<_> =
        parameters(media, number).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !parameters.is_empty() {
        write!(text, "a=fmtp:{number} {}\r\n", parameters.join(";"))?;
    }
    if let Some(rtx) = plan.rtx_payload_type {
        write!(text, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={number}\r\n")?;
    }
    // What the viewer sends is told apart by its SSRC, so one that may talk keeps its line.
    if let (Codec::Opus, Way::SendRecv, Some(ssrc)) = (plan.codec, way, cname(media)) {
        write!(text, "a=ssrc:{ssrc}\r\n")?;
    }
    Ok(())
}

/// The first `a=ssrc` with a name that is plain text; webrtcbin has an assertion against number 0.
fn cname(media: &Media<'_>) -> Option<String> {
    media.ssrcs.iter().find_map(|(ssrc, attribute)| {
        let name = attribute.strip_prefix("cname:")?;
        let plain = (1..=256).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        (plain && *ssrc != 0).then(|| format!("{ssrc} cname:{name}"))
    })
}
