//! Key frames of one rendition, shared by everybody who watches it: wishes that come close together are granted
//! together. Must not know who wished.

use std::time::{Duration, Instant};

/// When the encoder was last asked, and when it is to be asked next.
#[derive(Debug, Default)]
pub(super) struct KeyFrames {
    last: Option<Instant>,
    due: Option<Instant>,
}

impl KeyFrames {
    /// Somebody wishes for a key frame, at least `gap` after the last. `true`: now. Otherwise the wish is granted,
    /// once, when the gap ends.
    pub(super) fn wish(&mut self, gap: Duration, now: Instant) -> bool {
        match self.last.map(|last| last + gap) {
            Some(earliest) if now < earliest => {
                self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
                false
            }
            _ => self.grant(now),
        }
    }

    /// `true`: a wish that had to wait is granted now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now) && self.grant(now)
    }

    /// When the next waiting wish is to be granted.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due
    }

    fn grant(&mut self, now: Instant) -> bool {
        (self.last, self.due) = (Some(now), None);
        true
    }
}
