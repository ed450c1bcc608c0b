//! The bitrate of one encoding, and when it was last changed. Must not know who gets it.

use std::time::{Duration, Instant};

/// Least time between two steps up.
const STEP: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Rate {
    /// kbit/s.
    pub(super) kbit: u32,
    /// When it was last lowered.
    pub(super) lowered: Option<Instant>,
    changed: Instant,
}

impl Rate {
    pub(super) fn new(kbit: u32, now: Instant) -> Self {
        Self { kbit, lowered: None, changed: now }
    }

    pub(super) fn lower(&mut self, kbit: u32, now: Instant) {
        (self.kbit, self.lowered, self.changed) = (kbit, Some(now), now);
    }

    /// Whether it was not changed a moment ago.
    pub(super) fn holds(&self, now: Instant) -> bool {
        now >= self.changed + STEP
    }

    /// `true`: it is raised; `false`: it was changed a moment ago.
    pub(super) fn raise(&mut self, kbit: u32, now: Instant) -> bool {
        let due = self.holds(now);
        if due {
            (self.kbit, self.changed) = (kbit, now);
        }
        due
    }
}
