//! What the camera offers where the member inside the room makes the offer. Must not know GStreamer.

use super::choose::{Codec, Direction, MediaPlan};
use crate::ids::Rendition;

/// `a=extmap` of the playout-delay extension.
pub const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// `a=extmap` of the m-line's name (RFC 9143, section 15).
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// `a=extmap` of the time at which a packet was sent.
const SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// The m-lines of an offer of ours, in order: the picture, sent only; then, if wanted, sound both ways. Payload types
/// are of the dynamic range (RFC 3551, section 6).
pub fn media(rendition: Rendition, sound: bool) -> Vec<MediaPlan> {
    let picture = MediaPlan {
        mid: "video0".to_owned(),
        codec: Codec::Video(rendition),
        payload_type: 96,
        rtx_payload_type: Some(97),
        clock_rate: 90_000,
        direction: Direction::SendOnly,
        extensions: vec![(1, MID.to_owned()), (2, PLAYOUT_DELAY.to_owned()), (3, SEND_TIME.to_owned())],
        feedback: ["nack", "nack pli", "ccm fir", "goog-remb"].map(str::to_owned).to_vec(),
    };
    let opus = MediaPlan {
        mid: "audio1".to_owned(),
        codec: Codec::Opus,
        payload_type: 111,
        rtx_payload_type: None,
        clock_rate: 48_000,
        direction: Direction::SendRecv,
        extensions: vec![(1, MID.to_owned())],
        feedback: Vec::new(),
    };
    [Some(picture), sound.then_some(opus)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_alone_is_offered_where_there_is_no_sound() {
        assert_eq!(media(Rendition::Vp8, false).len(), 1);
        assert_eq!(media(Rendition::H264, true).len(), 2);
    }

    #[test]
    fn no_payload_type_is_given_twice() {
        let plans = media(Rendition::H264, true);
        let mut types: Vec<_> = plans
            .iter()
            .flat_map(|plan| [Some(plan.payload_type), plan.rtx_payload_type])
            .flatten()
            .collect();
        let all = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), all);
    }
}
