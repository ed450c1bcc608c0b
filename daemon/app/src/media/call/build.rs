//! Builds the pipeline of one call from its plan: for each accepted m-line a gate that leads to a pad of
//! webrtcbin. Must not know what happens afterwards.

use std::time::Duration;

use gst::prelude::*;
use gst_webrtc::{WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection};
use porthole_core::ice::IceSettings;
use porthole_core::ids::Rendition;
use porthole_core::sdp::choose::{Codec, Direction, MediaPlan};

use super::super::element::{MediaError, failed, make};
use super::super::fan::{Crew, Gate, Label, Word};
use super::super::servers::Ways;
use super::super::stamps::Stamps;
use super::again::Again;
use super::agent;

/// Constrained baseline, level 3.1 (RFC 6184, section 8.1): what every browser with H.264 takes.
const H264_PROFILE_LEVEL: &str = "42e01f";

/// Which end of the negotiation we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The viewer made the offer.
    Answers,
    /// We make it.
    Offers,
}

/// Where the frames of one m-line enter.
pub struct Entry {
    /// Takes them.
    pub gate: Gate,
    /// What they have to be.
    pub codec: Codec,
    transceiver: WebRTCRTPTransceiver,
    plain: gst::Caps,
}

impl Entry {
    /// Lets frames of any profile and level through, once an offer of ours is out: webrtcbin holds what flows to the
    /// words of the offer, and the encoder's level follows from the size of the picture.
    pub fn loosen(&self) {
        self.transceiver.set_codec_preferences(Some(&self.plain));
    }
}

/// Makes webrtcbin with our settings of its ICE agent and adds it to `pipeline`.
pub fn webrtcbin(
    pipeline: &gst::Pipeline,
    ice: &IceSettings,
    ways: &Ways,
) -> Result<gst::Element, MediaError> {
    let webrtc = make("webrtcbin")?;
    webrtc.set_property_from_str("bundle-policy", "max-bundle");
    webrtc.set_property("latency", 0_u32);
    agent::set(&webrtc, ice, ways, crate::keys::now())?;
    pipeline.add(&webrtc).map_err(|e| failed(&e))?;
    Ok(webrtc)
}

/// What all m-lines of a call have in common.
pub struct Common<'a> {
    /// Which end of the negotiation we are.
    pub end: End,
    /// What sends the picture again.
    pub again: &'a Again,
    /// For how long viewers are to hold it back.
    pub delay: Duration,
    /// Who sends.
    pub crew: &'a Crew,
}

/// Adds what each accepted m-line needs, in the offer's order. What gates say goes to `hear`.
pub fn entries(
    webrtc: &gst::Element,
    media: &[MediaPlan],
    common: &Common<'_>,
    hear: impl Fn(Word) + Send + Sync + Clone + 'static,
) -> Result<Vec<Entry>, MediaError> {
    media.iter().map(|media| entry(webrtc, media, common, hear.clone())).collect()
}

fn entry(
    webrtc: &gst::Element,
    media: &MediaPlan,
    common: &Common<'_>,
    hear: impl Fn(Word) + Send + Sync + 'static,
) -> Result<Entry, MediaError> {
    // Our own, so that the answer can name it and the browser knows the track before its first packet.
    let ssrc = fresh_ssrc();
    let stamps = match media.codec {
        Codec::Video(_) => Some(Stamps::new(&media.extensions, common.delay)),
        Codec::Opus => None,
    };
    if let Some(stamps) = &stamps {
        common.again.of_picture(ssrc, stamps.sent());
    }
    let plain = preferences(media, ssrc, End::Answers);
    let label = Label::new(media.payload_type, ssrc, stamps);
    let gate = Gate::new(label, &plain, common.crew, hear)?;

    let pad = webrtc.request_pad_simple("sink_%u").ok_or_else(|| failed(&"webrtcbin gave no pad"))?;
    let transceiver = pad.property::<WebRTCRTPTransceiver>("transceiver");
    transceiver.set_direction(match media.direction {
        Direction::SendOnly => WebRTCRTPTransceiverDirection::Sendonly,
        Direction::SendRecv => WebRTCRTPTransceiverDirection::Sendrecv,
    });
    transceiver.set_codec_preferences(Some(&preferences(media, ssrc, common.end)));
    transceiver.set_property("do-nack", matches!(media.codec, Codec::Video(_)));
    gate.link(&pad)?;
    Ok(Entry { gate, codec: media.codec, transceiver, plain })
}

/// The caps that hold webrtcbin to the codec, payload type and header extensions of the plan.
fn preferences(media: &MediaPlan, ssrc: u32, end: End) -> gst::Caps {
    let (kind, encoding) = match media.codec {
        Codec::Video(Rendition::H264 | Rendition::SmallH264) => ("video", "H264"),
        Codec::Video(Rendition::Vp8 | Rendition::SmallVp8) => ("video", "VP8"),
        Codec::Opus => ("audio", "OPUS"),
    };
    let mut caps = gst::Caps::builder("application/x-rtp")
        .field("media", kind)
        .field("encoding-name", encoding)
        .field("payload", i32::from(media.payload_type))
        .field("clock-rate", i32::try_from(media.clock_rate).unwrap_or(90_000))
        .field("ssrc", ssrc);
    if media.codec == Codec::Opus {
        caps = caps.field("encoding-params", "2");
    }
    // An answer says of these what the offer said; an offer of ours says what is written here (RFC 6184, section 8).
    if end == End::Offers {
        if media.codec == Codec::Video(Rendition::H264) {
            caps = caps
                .field("profile-level-id", H264_PROFILE_LEVEL)
                .field("packetization-mode", "1")
                .field("level-asymmetry-allowed", "1");
        }
        for feedback in media.feedback.iter().filter(|f| *f != "nack") {
            caps = caps.field(format!("rtcp-fb-{}", feedback.replace(' ', "-")), true);
        }
    }
    for (number, uri) in &media.extensions {
        caps = caps.field(format!("extmap-{number}"), uri.as_str());
    }
    caps.build()
}

/// A synchronisation source identifier nobody else in the bundle has (RFC 3550, section 8).
fn fresh_ssrc() -> u32 {
    static LAST: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    // An odd step visits every value before one comes again.
    LAST.fetch_add(0x9e37_79b1, std::sync::atomic::Ordering::Relaxed).max(1)
}
