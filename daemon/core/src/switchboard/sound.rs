//! Whether the microphone gives sound, and when one that does not is opened again. Opens and closes with the capture.
//! Must not know calls.

use std::time::Instant;

use crate::status::SoundState;
use crate::wire::limits::CAPTURE_RETRY;

/// The life of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nobody listens.
    Closed {
        lost: Option<Instant>,
    },
    /// Being opened; where there is no microphone to be had it stays so.
    Opening {
        lost: Option<Instant>,
    },
    Running {
        mute: bool,
    },
    /// To be opened again at `at`.
    Lost {
        since: Instant,
        at: Instant,
    },
}

/// The microphone.
#[derive(Debug)]
pub(super) struct Sound {
    life: Life,
}

impl Sound {
    pub(super) fn new() -> Self {
        Self { life: Life::Closed { lost: None } }
    }

    /// The capture is opened.
    pub(super) fn opens(&mut self) {
        if let Life::Closed { lost } = self.life {
            self.life = Life::Opening { lost };
        }
    }

    /// The capture is closed.
    pub(super) fn closes(&mut self) {
        self.life = Life::Closed { lost: self.lost_since() };
    }

    /// `true`: it was lost, and now is the time to open it again.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let Life::Lost { since, at } = self.life else { return false };
        let due = at <= now;
        if due {
            self.life = Life::Opening { lost: Some(since) };
        }
        due
    }

    /// Sound flows. Since when it had not, where it was lost.
    pub(super) fn runs(&mut self) -> Option<Instant> {
        let Life::Opening { lost } = self.life else { return None };
        self.life = Life::Running { mute: false };
        lost
    }

    /// It failed, or could not be opened. `true`: it is lost from now on.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        let (since, at, lost) = match self.life {
            Life::Opening { lost } => (lost.unwrap_or(now), now + CAPTURE_RETRY, lost.is_none()),
            Life::Running { .. } => (now, now, true),
            Life::Closed { .. } | Life::Lost { .. } => return false,
        };
        self.life = Life::Lost { since, at };
        lost
    }

    /// What the microphone gives is silence and nothing else. `true`: for the first time since it was opened.
    pub(super) fn is_mute(&mut self) -> bool {
        let first = self.life == Life::Running { mute: false };
        if first {
            self.life = Life::Running { mute: true };
        }
        first
    }

    /// A device has come.
    pub(super) fn appeared(&mut self, now: Instant) {
        if let Life::Lost { at, .. } = &mut self.life {
            *at = now;
        }
    }

    pub(super) fn state(&self) -> SoundState {
        match self.life {
            Life::Closed { lost: None } | Life::Opening { lost: None } => SoundState::Idle,
            Life::Running { mute: false } => SoundState::Running,
            Life::Running { mute: true } => SoundState::Mute,
            Life::Closed { .. } | Life::Opening { .. } | Life::Lost { .. } => SoundState::Lost,
        }
    }

    /// Since when there is no sound that there should be.
    pub(super) fn lost_since(&self) -> Option<Instant> {
        match self.life {
            Life::Closed { lost } | Life::Opening { lost } => lost,
            Life::Running { .. } => None,
            Life::Lost { since, .. } => Some(since),
        }
    }

    /// When it is to be opened again.
    pub(super) fn timeout(&self) -> Option<Instant> {
        if let Life::Lost { at, .. } = self.life { Some(at) } else { None }
    }
}
