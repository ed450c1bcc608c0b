//! Whether encoded frames really flow while somebody watches. Must not know where they come from.

use std::time::Instant;

use crate::status::FrameState;
use crate::wire::limits::FRAMES_STILL;

/// The life of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nobody watches.
    Unwanted,
    /// They flow, or have just been asked for; they are to be heard of again before `until`.
    Flowing { until: Instant },
    /// They do not.
    Still,
}

impl Flow {
    /// Whether anybody watches.
    pub(super) fn is_wanted(&mut self, wanted: bool, now: Instant) {
        match (wanted, *self) {
            (false, _) => *self = Self::Unwanted,
            (true, Self::Unwanted) => *self = Self::Flowing { until: now + FRAMES_STILL },
            (true, Self::Flowing { .. } | Self::Still) => {}
        }
    }

    /// Frames were seen.
    pub(super) fn are_seen(&mut self, now: Instant) {
        if *self != Self::Unwanted {
            *self = Self::Flowing { until: now + FRAMES_STILL };
        }
    }

    /// `true`: they stand still from now on.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let still = matches!(*self, Self::Flowing { until } if until <= now);
        if still {
            *self = Self::Still;
        }
        still
    }

    pub(super) fn state(self) -> FrameState {
        match self {
            Self::Unwanted => FrameState::Unwanted,
            Self::Flowing { .. } => FrameState::Flowing,
            Self::Still => FrameState::Still,
        }
    }

    /// When they would stand still.
    pub(super) fn timeout(self) -> Option<Instant> {
        if let Self::Flowing { until } = self { Some(until) } else { None }
    }
}
