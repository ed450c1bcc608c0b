//! Whether the camera is open, and when it may be opened or is to be closed. Must not know calls, only whether
//! there are any.

use std::time::{Duration, Instant};

use crate::status::CaptureState;
use crate::wire::limits::CAPTURE_RETRY;

/// The life of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Idle,
    Starting { began: Instant, after_loss: bool },
    Running { began: Instant },
    Lost { retry_at: Instant },
}

/// Camera, microphone and how long they are still wanted.
#[derive(Debug)]
pub(super) struct Capture {
    life: Life,
    /// Until when somebody looks who does not call.
    looked_at_until: Option<Instant>,
    lingers_until: Option<Instant>,
}

impl Capture {
    pub(super) fn new() -> Self {
        Self { life: Life::Idle, looked_at_until: None, lingers_until: None }
    }

    /// Whether a call may count on it: open already, or allowed to be opened now.
    pub(super) fn may_be_used(&self, now: Instant) -> bool {
        !matches!(self.life, Life::Lost { retry_at } if now < retry_at)
    }

    /// A call uses it. `true`: it has to be opened.
    pub(super) fn is_used(&mut self, now: Instant) -> bool {
        self.lingers_until = None;
        if self.is_open() {
            return false;
        }
        self.life = Life::Starting { began: now, after_loss: matches!(self.life, Life::Lost { .. }) };
        true
    }

    /// Somebody looks who does not call. `true`: it has to be opened.
    pub(super) fn is_wanted(&mut self, until: Instant, now: Instant) -> bool {
        self.looked_at_until = self.looked_at_until.max(Some(until));
        self.is_used(now)
    }

    /// Whether somebody looks who does not call.
    pub(super) fn is_looked_at(&mut self, now: Instant) -> bool {
        self.looked_at_until = self.looked_at_until.filter(|until| now < *until && self.is_open());
        self.looked_at_until.is_some()
    }

    /// Nobody uses it. `true`: it has lingered long enough and has to be closed.
    pub(super) fn is_unused(&mut self, idle_after: Duration, now: Instant) -> bool {
        if !self.is_open() {
            return false;
        }
        let until = *self.lingers_until.get_or_insert(now + idle_after);
        until <= now && self.close()
    }

    /// `true`: it was open and has to be closed.
    pub(super) fn close(&mut self) -> bool {
        let open = self.is_open();
        if open {
            self.life = Life::Idle;
            self.lingers_until = None;
        }
        open
    }

    /// Frames flow. `true`: for the first time after a loss.
    pub(super) fn runs(&mut self) -> bool {
        let Life::Starting { began, after_loss } = self.life else { return false };
        self.life = Life::Running { began };
        after_loss
    }

    /// It failed. `None`: nobody wanted it open. Otherwise whether it had failed before and not run since.
    pub(super) fn failed(&mut self) -> Option<bool> {
        let (began, again) = match self.life {
            Life::Starting { began, after_loss } => (began, after_loss),
            Life::Running { began } => (began, false),
            Life::Idle | Life::Lost { .. } => return None,
        };
        self.life = Life::Lost { retry_at: began + CAPTURE_RETRY };
        self.lingers_until = None;
        Some(again)
    }

    pub(super) fn state(&self) -> CaptureState {
        match self.life {
            Life::Idle => CaptureState::Idle,
            Life::Starting { .. } => CaptureState::Starting,
            Life::Running { .. } => CaptureState::Running,
            Life::Lost { .. } => CaptureState::Lost,
        }
    }

    /// When it has to be looked at again, where nobody comes back before.
    pub(super) fn timeout(&self) -> Option<Instant> {
        [self.looked_at_until, self.lingers_until].into_iter().flatten().min()
    }

    fn is_open(&self) -> bool {
        matches!(self.life, Life::Starting { .. } | Life::Running { .. })
    }
}
