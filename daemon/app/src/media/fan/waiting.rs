//! What waits in front of a gate: a bounded line of frames, and which of them are wanted. Must not know who sends them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::frame::Frame;

/// How much of the past may wait for a viewer. More is of no use to anybody who watches live.
const WAITS: gst::ClockTime = gst::ClockTime::from_mseconds(500);
/// The same as frames and bytes, whatever their times say.
const FRAMES: usize = 250;
const BYTES: usize = 8 * 1024 * 1024;
/// How long nobody wishes for a key frame again who has wished for one.
const PATIENCE: Duration = Duration::from_secs(1);

/// What becomes of a frame that is handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is sent, or of no use.
    Fine,
    /// It takes a key frame to go on.
    WantsKey,
    /// Nothing more is wanted of whoever gave it.
    NotMine,
}

/// What waits.
pub(super) struct Line {
    pub(super) phase: Phase,
    pub(super) frames: VecDeque<Arc<Frame>>,
    pub(super) bytes: usize,
    /// The number of the fan whose frames are sent, and of the one that takes its place with a key frame.
    pub(super) source: Option<u64>,
    pub(super) next: Option<u64>,
    /// Nothing of what it was told to send last has come.
    pub(super) fresh: bool,
    /// Nothing is of use before the next key frame.
    pub(super) needs_key: bool,
    /// When it was wished for.
    pub(super) wished: Option<Instant>,
    /// A frame is being sent, or is about to be.
    pub(super) sends: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// webrtcbin would keep whoever sends until it is connected.
    Shut,
    Open,
    Closed,
}

impl Line {
    /// Nothing waits, and nothing is wanted yet. `picture`: whether some frames need others.
    pub(super) fn new(picture: bool) -> Self {
        Self {
            phase: Phase::Shut,
            frames: VecDeque::new(),
            bytes: 0,
            source: None,
            next: None,
            fresh: false,
            needs_key: picture,
            wished: None,
            sends: false,
        }
    }

    pub(super) fn next(&mut self) -> Option<Arc<Frame>> {
        let frame = self.frames.pop_front()?;
        self.bytes = self.bytes.saturating_sub(frame.size());
        Some(frame)
    }

    /// Whether too much waits for this frame to wait, too.
    pub(super) fn is_full(&self, frame: &Frame) -> bool {
        let oldest = self.frames.front().and_then(|oldest| oldest.at);
        let span = oldest.zip(frame.at).map(|(oldest, at)| at.saturating_sub(oldest));
        span.is_some_and(|span| span > WAITS) || self.frames.len() >= FRAMES || self.bytes > BYTES
    }

    /// Whether a key frame is to be made for it now.
    pub(super) fn wishes(&mut self) -> Taken {
        if self.phase == Phase::Open && self.wished.is_none_or(|then| then.elapsed() >= PATIENCE) {
            self.wished = Some(Instant::now());
            return Taken::WantsKey;
        }
        Taken::Fine
    }

    pub(super) fn drop_all(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }

    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.drop_all();
    }
}
