//! Which encoder a rendition is made with: the preferred one, until it fails; then the next, for a while. Must not know
//! which encoders there are.

use std::time::{Duration, Instant};

use crate::wire::limits::{ENCODER_FAVOUR, ENCODER_RETRY, ENCODER_TRIES, ENCODER_WARNINGS};

/// The choice of one rendition. Outlives it: an encoder that hung is not the first to be tried a minute later.
#[derive(Debug, Default)]
pub(super) struct Encoders {
    /// How many places down the order of preference.
    attempt: u32,
    /// Failures since the last frame.
    in_a_row: u32,
    /// When the next is tried.
    due: Option<Instant>,
    /// Until when those that failed are out of favour.
    until: Option<Instant>,
    /// When a failure was last told as a warning.
    told: Option<Instant>,
    /// Frames since the start of the daemon.
    frames: u64,
    /// Frames a second of late.
    rate: u32,
}

/// What is done about an encoder that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The next one takes its place, now or when it is due.
    Next,
    /// None works.
    GiveUp,
}

impl Encoders {
    /// The rendition is started. Which encoder to go back to, where that has changed: the preferred one has its chance
    /// again after a while.
    pub(super) fn starts(&mut self, now: Instant) -> Option<u32> {
        (self.in_a_row, self.rate) = (0, 0);
        let pardoned = self.until.take_if(|until| *until <= now).is_some();
        (pardoned && std::mem::take(&mut self.attempt) > 0).then_some(0)
    }

    /// The rendition is stopped.
    pub(super) fn stops(&mut self) {
        (self.due, self.rate) = (None, 0);
    }

    /// Encoded frames flow.
    pub(super) fn runs(&mut self) {
        self.in_a_row = 0;
    }

    /// So many frames were made in this time.
    pub(super) fn made(&mut self, frames: u64, over: Duration) {
        self.frames = self.frames.saturating_add(frames);
        // No encoder comes near the end of that; a float's way to an integer ends there.
        self.rate = (frames as f64 / over.as_secs_f64().max(0.001)).round() as u32;
    }

    /// How many frames were made since the start, and how many a second of late.
    pub(super) fn frames(&self) -> (u64, u32) {
        (self.frames, self.rate)
    }

    /// It failed.
    pub(super) fn failed(&mut self, now: Instant) -> Remedy {
        (self.in_a_row, self.rate) = (self.in_a_row + 1, 0);
        if self.in_a_row > ENCODER_TRIES {
            self.in_a_row = 0;
            return Remedy::GiveUp;
        }
        self.attempt = self.attempt.wrapping_add(1);
        self.until = Some(now + ENCODER_FAVOUR);
        self.due = Some(if self.in_a_row == 1 { now } else { now + ENCODER_RETRY });
        Remedy::Next
    }

    /// Whether the log has not been told of a failure lately; it is told now.
    pub(super) fn is_news(&mut self, now: Instant) -> bool {
        let news = self.told.is_none_or(|told| told + ENCODER_WARNINGS <= now);
        if news {
            self.told = Some(now);
        }
        news
    }

    /// The attempt to be made now.
    pub(super) fn is_due(&mut self, now: Instant) -> Option<u32> {
        self.due.take_if(|due| *due <= now).map(|_| self.attempt)
    }

    /// When the next attempt is due.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due
    }
}
