//! What to answer an offer with, or why nothing fits.

use crate::ids::Rendition;

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
    /// `a=rtcp-fb` values offered for the payload type, such as `nack`, `nack pli`, `ccm fir`.
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
    /// The offer with refused m-lines (and their BUNDLE names) cut out.
    pub offer: String,
    /// The accepted m-lines, in the order of `offer`.
    pub media: Vec<MediaPlan>,
    /// The m-lines that were cut out.
    pub rejected: Vec<Rejected>,
    /// The rendition to send, where a picture was asked for.
    pub rendition: Option<Rendition>,
    /// `a=ice-ufrag` of the bundle.
    pub ufrag: String,
}
