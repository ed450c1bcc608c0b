//! Which payload type of an m-line to send with. Must not know what becomes of the other m-lines.

use super::read::{Media, Way};
use crate::config::settings::Fallback;
use crate::ids::Rendition;

/// RTP clock of video, in Hz (RFC 6184, RFC 7741).
pub(super) const VIDEO_CLOCK: u32 = 90_000;
/// RTP clock of Opus, in Hz (RFC 7587).
pub(super) const OPUS_CLOCK: u32 = 48_000;
/// Tells the viewer how long to hold frames back.
pub(super) const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// Says which m-line a packet belongs to (RFC 9143 section 15).
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// What is understood of a viewer's reports: what was lost, that a whole picture is needed, and what the way carries.
const FEEDBACK: [&str; 4] = ["nack", "nack pli", "ccm fir", ESTIMATE];
/// The viewer's end says what it believes that the way carries (draft-alvestrand-rmcat-remb).
pub(super) const ESTIMATE: &str = "goog-remb";
/// Says when a packet was sent, which that takes.
const SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// The format parameters that are understood: of H.264 (RFC 6184), VP8 (RFC 7741) and Opus (RFC 7587). Others stay
/// out: GStreamer makes caps fields of them, where a name such as `media` or `payload` already means something.
const PARAMETERS: [&str; 14] = [
    "level-asymmetry-allowed",
    "packetization-mode",
    "profile-level-id",
    "max-fr",
    "max-fs",
    "cbr",
    "maxaveragebitrate",
    "maxplaybackrate",
    "minptime",
    "sprop-maxcapturerate",
    "sprop-stereo",
    "stereo",
    "usedtx",
    "useinbandfec",
];

/// A payload type that can be sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    pub(super) rtx: Option<u8>,
}

/// How `a=rtpmap` names what a rendition is encoded with.
pub(super) fn encoding(rendition: Rendition) -> &'static str {
    match rendition {
        Rendition::H264 | Rendition::SmallH264 => "H264/90000",
        Rendition::Vp8 | Rendition::SmallVp8 => "VP8/90000",
    }
}

/// The picture format to send on `media`: H.264 that our encoder's constrained baseline is valid for, in
/// packetization mode 1 as the payloader writes it; else VP8 where that is allowed.
pub(super) fn picture(media: &Media<'_>, fallback: Fallback) -> Option<(Rendition, Format)> {
    let h264 = payload_types(media, encoding(Rendition::H264))
        .filter_map(|number| Some((h264_rank(media, number)?, number)));
    let h264 = h264.min_by_key(|(rank, _)| *rank).map(|(_, number)| (Rendition::H264, number));
    let vp8 = || payload_types(media, encoding(Rendition::Vp8)).next().map(|number| (Rendition::Vp8, number));
    let (rendition, number) = match fallback {
        Fallback::Vp8 => h264.or_else(vp8),
        Fallback::None => h264,
    }?;
    Some((rendition, Format { payload_type: number, rtx: retransmission(media, number) }))
}

/// The Opus payload type of `media`, none of those in `taken`: in a bundle a number has one meaning.
pub(super) fn opus(media: &Media<'_>, taken: &[u8]) -> Option<Format> {
    let number = payload_types(media, "opus/48000/2").find(|number| !taken.contains(number))?;
    Some(Format { payload_type: number, rtx: None })
}

/// The header extensions of `media` that are used: number and URI. Numbers of `taken` mean something else already.
pub(super) fn extensions(media: &Media<'_>, taken: &[(u8, String)]) -> Vec<(u8, String)> {
    let mut wanted: Vec<(u8, String)> = Vec::new();
    for extension in &media.extensions {
        let towards_viewer = matches!(extension.way, None | Some(Way::SendRecv | Way::RecvOnly));
        // 15 and above need the two-byte form of RFC 8285.
        let sound = (1..=14).contains(&extension.id)
            && media.extensions.iter().all(|other| other.id != extension.id || other.uri == extension.uri);
        let clashes = |(id, uri): &(u8, String)| (*id == extension.id) != (uri == extension.uri);
        if towards_viewer
            && sound
            && ([MID, PLAYOUT_DELAY].contains(&extension.uri)
                || media.kind == "video" && extension.uri == SEND_TIME)
            && !taken.iter().any(clashes)
            && !wanted.iter().any(|(_, uri)| uri == extension.uri)
        {
            wanted.push((extension.id, extension.uri.to_owned()));
        }
    }
    wanted
}

/// The `a=rtcp-fb` values offered for `payload_type` that are understood.
pub(super) fn feedback(media: &Media<'_>, payload_type: u8) -> Vec<String> {
    let number = payload_type.to_string();
    let offered = |value: &str| {
        media.feedback.iter().any(|(whose, offered)| (*whose == number || *whose == "*") && *offered == value)
    };
    FEEDBACK.into_iter().filter(|value| offered(value)).map(str::to_owned).collect()
}

/// The parameters of `payload_type` that can be repeated: those of [`PARAMETERS`], once each, in plain characters.
pub(super) fn parameters<'a>(media: &Media<'a>, payload_type: u8) -> Vec<(&'static str, &'a str)> {
    let plain = |value: &str| {
        (1..=64).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let found = PARAMETERS.into_iter().filter_map(|name| Some((name, parameter(media, payload_type, name)?)));
    found.filter(|(_, value)| plain(value)).collect()
}

/// The value of one parameter of `payload_type`, whatever it is.
pub(super) fn parameter<'a>(media: &Media<'a>, payload_type: u8, name: &str) -> Option<&'a str> {
    written(media, payload_type).find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn written<'a>(media: &Media<'a>, payload_type: u8) -> impl Iterator<Item = (&'a str, &'a str)> {
    let line = media.fmtps.iter().find(|(number, _)| *number == payload_type).map_or("", |(_, line)| line);
    line.split(';').filter_map(|parameter| parameter.trim().split_once('='))
}

/// The payload types mapped to `encoding`, in the order in which the viewer prefers them.
///
/// Only dynamic ones that RTCP cannot be mistaken for (RFC 5761 section 4), and none that is described twice.
fn payload_types<'m>(media: &'m Media<'_>, encoding: &'m str) -> impl Iterator<Item = u8> + 'm {
    let numbers = media.formats.iter().filter_map(|format| format.parse::<u8>().ok());
    numbers.filter(move |number| {
        let mut maps = media.rtpmaps.iter().filter(|(mapped, _)| mapped == number);
        let mut fmtps = media.fmtps.iter().filter(|(described, _)| described == number);
        let first = fmtps.next();
        matches!(number, 35..=63 | 96..=127)
            && maps.clone().next().is_some()
            && maps.all(|(_, mapped)| mapped.eq_ignore_ascii_case(encoding))
            && fmtps.all(|other| Some(other) == first)
    })
}

/// How well an H.264 payload type suits us, least first; `None` if it does not.
///
/// The profile comes first, then a viewer whose level binds only its own sending (`level-asymmetry-allowed`).
fn h264_rank(media: &Media<'_>, payload_type: u8) -> Option<(u8, u8)> {
    let of = |name| parameter(media, payload_type, name);
    if of("packetization-mode") != Some("1") {
        return None;
    }
    // Without profile-level-id it is baseline at level 1 (RFC 6184 section 8.1).
    let id = of("profile-level-id").unwrap_or("42000a");
    let hexadecimal = id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(id, 16).ok().filter(|_| hexadecimal)?;
    let [_, profile, constraints, _] = number.to_be_bytes();
    let rank = match (profile, constraints) {
        (0x42, 0xe0) => 0,
        // constraint_set1_flag: constrained baseline.
        (0x42, flags) if flags & 0x40 != 0 => 1,
        (0x42, _) => 2,
        (0x4d, _) => 3,
        (0x64, _) => 4,
        _ => return None,
    };
    Some((rank, u8::from(of("level-asymmetry-allowed") != Some("1"))))
}

/// The payload type that carries retransmissions of `payload_type` (RFC 4588 section 8.1).
fn retransmission(media: &Media<'_>, payload_type: u8) -> Option<u8> {
    let of = payload_type.to_string();
    payload_types(media, "rtx/90000")
        .find(|number| *number != payload_type && parameter(media, *number, "apt") == Some(of.as_str()))
}
