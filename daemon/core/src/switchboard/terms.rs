//! What may change under running calls, because it is only looked at when somebody calls or has left. Must not end a call.

use std::time::Duration;

use super::{Relay, Switchboard};
use crate::config::settings::{Fallback, RelayMode, Settings};

/// The part of the configuration that a running switchboard takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Most calls at once. Those that are more stay.
    pub max_calls: usize,
    /// Most calls at once with pages that are not our own, in somebody else's relay.
    pub foreign_calls: Option<usize>,
    /// How long the camera stays open after the last call. One that waits already waits as long as it was to.
    pub idle_after: Duration,
    /// What a browser without usable H.264 gets from its next call on.
    pub fallback: Fallback,
}

impl Terms {
    /// Those of a configuration.
    pub fn new(settings: &Settings) -> Self {
        let foreign_calls = match &settings.relay.mode {
            RelayMode::Embedded => None,
            RelayMode::External(external) => Some(external.calls),
        };
        Self {
            max_calls: settings.room.max_calls,
            foreign_calls,
            idle_after: settings.room.idle_after,
            fallback: settings.media.video.fallback,
        }
    }
}

impl Switchboard {
    pub(super) fn take_over(&mut self, terms: Terms) {
        let Terms { max_calls, foreign_calls, idle_after, fallback } = terms;
        self.settings.room.max_calls = max_calls;
        self.settings.room.idle_after = idle_after;
        self.settings.fallback = fallback;
        if let (Relay::Foreign { calls, .. }, Some(wanted)) = (&mut self.settings.relay, foreign_calls) {
            *calls = wanted;
        }
    }
}
