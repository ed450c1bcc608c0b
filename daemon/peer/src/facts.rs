//! What a viewer has seen so far. Must not know how it was received.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A picture format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264, packetization-mode 1 and 0, as browsers offer it.
    H264,
    /// VP8.
    Vp8,
}

/// Everything one viewer has seen since it was made. Times are of arrival at its socket.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// When the answer was applied.
    pub answered: Option<Instant>,
    /// When ICE and DTLS were up.
    pub connected: Option<Instant>,
    /// When the first RTP packet came.
    pub first_rtp: Option<Instant>,
    /// When the first complete key frame had come, with what a decoder needs to start (H.264: SPS and PPS).
    pub first_key_frame: Option<Instant>,
    /// When the first packet of sound came.
    pub first_sound: Option<Instant>,
    /// When the last RTP packet came.
    pub last_rtp: Option<Instant>,
    /// Picture format of what came.
    pub codec: Option<Codec>,
    /// Complete frames.
    pub frames: u64,
    /// Of these, key frames.
    pub key_frames: u64,
    /// Frames that did not follow the one before: something was lost for good between them.
    pub gaps: u64,
    /// Frames that a decoder could show: not those behind a gap, up to the next key frame.
    pub shown: u64,
    /// How often the picture stood still, as browsers count it (W3C WebRTC statistics, `freezeCount`).
    pub freezes: u64,
    /// For how long in all.
    pub frozen: Duration,
    /// Size of the last key frame in bytes.
    pub key_frame_bytes: usize,
    /// Bytes of all frames.
    pub frame_bytes: u64,
    /// Packets of sound.
    pub sounds: u64,
    /// RTP packets of any kind.
    pub packets: u64,
    /// Header extensions of the last packet of each payload type: a bit for each number.
    pub extensions: BTreeMap<u8, u16>,
    /// Holes in the RTP sequence numbers, before any repair.
    pub lost: u64,
    /// Why the call has ended, if it has.
    pub ended: Option<String>,
}
