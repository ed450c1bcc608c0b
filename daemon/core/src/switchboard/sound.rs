//! Whether the microphone gives sound, and when one that does not is opened again. Opens and closes with the capture.
//! Must not know calls.

use std::time::Instant;

use crate::status::SoundState;
use crate::wire::limits::{CAPTURE_FRESH, CAPTURE_RETRY, CAPTURE_RETRY_FRESH};

/// The life of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nobody listens.
    Closed { lost: Option<Instant> },
    /// Being opened.
    Opening { lost: Option<Instant> },
    /// There is no microphone to be had; one is looked for `at`, where a device has come.
    Absent { at: Option<Instant> },
    /// A tone stands in for it beside the test picture; a microphone is looked for `at`.
    StandsIn { at: Option<Instant> },
    /// Open; since when it gives nothing but silence, where it does.
    Running { mute: Option<Instant> },
    /// To be opened again at `at`.
    Lost { since: Instant, at: Instant },
}

/// What it comes to that sound flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// It was lost since then.
    Again { since: Instant },
    /// A tone had stood in for it.
    InsteadOfTone,
    /// Nothing that would be news.
    NoNews,
}

/// The microphone.
#[derive(Debug)]
pub(super) struct Sound {
    life: Life,
    /// When a device came last that may be it.
    came: Option<Instant>,
    /// When it was last asked to be opened.
    asked: Option<Instant>,
}

impl Sound {
    pub(super) fn new() -> Self {
        Self { life: Life::Closed { lost: None }, came: None, asked: None }
    }

    /// The capture is opened.
    pub(super) fn opens(&mut self, now: Instant) {
        if let Life::Closed { lost } = self.life {
            self.life = Life::Opening { lost };
            self.asked = Some(now);
        }
    }

    /// The capture is closed.
    pub(super) fn closes(&mut self) {
        self.life = Life::Closed { lost: self.lost_since() };
    }

    /// `true`: it was lost or not there, and now is the time to open it.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let (at, lost) = match self.life {
            Life::Lost { since, at } => (at, Some(since)),
            Life::Absent { at: Some(at) } | Life::StandsIn { at: Some(at) } => (at, None),
            Life::Absent { at: None }
            | Life::StandsIn { at: None }
            | Life::Closed { .. }
            | Life::Opening { .. }
            | Life::Running { .. } => return false,
        };
        let due = at <= now;
        if due {
            // The tone goes on meanwhile.
            let tone = matches!(self.life, Life::StandsIn { .. });
            self.life = if tone { Life::StandsIn { at: None } } else { Life::Opening { lost } };
            self.asked = Some(now);
        }
        due
    }

    /// There is none to be had. Where a device has just come, its names and rights may still follow; and one that came
    /// meanwhile may have done so when it was decided already that there is none.
    pub(super) fn is_absent(&mut self, now: Instant) {
        if matches!(self.life, Life::Opening { .. } | Life::StandsIn { .. }) {
            self.life = Life::Absent { at: self.again(now) };
        }
    }

    /// A tone stands in for it: it is the test picture's, and beside a `camera` no longer than until that is known.
    pub(super) fn stands_in(&mut self, camera: bool, now: Instant) {
        if matches!(self.life, Life::Opening { .. } | Life::StandsIn { .. }) {
            let at = if camera { Some(now + CAPTURE_RETRY_FRESH) } else { self.again(now) };
            self.life = Life::StandsIn { at };
        }
    }

    /// There is a camera's picture: no tone goes with that.
    pub(super) fn has_a_camera(&mut self, now: Instant) {
        if let Life::StandsIn { at } = &mut self.life {
            *at = Some(now);
        }
    }

    /// When one that was not there is looked for again, where a device has come.
    fn again(&self, now: Instant) -> Option<Instant> {
        let again = self.came.is_some_and(|came| now < came + CAPTURE_FRESH || Some(came) >= self.asked);
        again.then_some(now + CAPTURE_RETRY_FRESH)
    }

    /// Sound flows.
    pub(super) fn runs(&mut self) -> Runs {
        let runs = match self.life {
            Life::Opening { lost: Some(since) } => Runs::Again { since },
            Life::Opening { lost: None } => Runs::NoNews,
            Life::StandsIn { .. } => Runs::InsteadOfTone,
            Life::Closed { .. } | Life::Absent { .. } | Life::Running { .. } | Life::Lost { .. } => {
                return Runs::NoNews;
            }
        };
        self.life = Life::Running { mute: None };
        runs
    }

    /// It failed, or could not be opened. `true`: it is lost from now on.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        let (since, at, lost) = match self.life {
            Life::Opening { lost } => (lost.unwrap_or(now), now + CAPTURE_RETRY, lost.is_none()),
            Life::StandsIn { .. } => (now, now + CAPTURE_RETRY, true),
            Life::Running { .. } => (now, now, true),
            Life::Closed { .. } | Life::Absent { .. } | Life::Lost { .. } => return false,
        };
        self.life = Life::Lost { since, at };
        lost
    }

    /// What the microphone gives is silence and nothing else. `true`: that is news.
    pub(super) fn is_mute(&mut self, now: Instant) -> bool {
        let news = self.life == Life::Running { mute: None };
        if news {
            self.life = Life::Running { mute: Some(now) };
        }
        news
    }

    /// It gives more than silence. Since when it had not, where it was mute.
    pub(super) fn is_heard(&mut self) -> Option<Instant> {
        let Life::Running { mute } = &mut self.life else { return None };
        mute.take()
    }

    /// A device has come.
    pub(super) fn appeared(&mut self, now: Instant) {
        self.came = Some(now);
        match &mut self.life {
            Life::Lost { at, .. } => *at = now,
            Life::Absent { at } | Life::StandsIn { at } => *at = Some(now),
            Life::Closed { .. } | Life::Opening { .. } | Life::Running { .. } => {}
        }
    }

    pub(super) fn state(&self) -> SoundState {
        match self.life {
            Life::Closed { lost: None } | Life::Opening { lost: None } | Life::Absent { .. } => {
                SoundState::Idle
            }
            Life::Running { mute: None } | Life::StandsIn { .. } => SoundState::Running,
            Life::Running { mute: Some(_) } => SoundState::Mute,
            Life::Closed { .. } | Life::Opening { .. } | Life::Lost { .. } => SoundState::Lost,
        }
    }

    /// Since when there is no sound that there should be.
    pub(super) fn lost_since(&self) -> Option<Instant> {
        match self.life {
            Life::Closed { lost } | Life::Opening { lost } => lost,
            Life::Absent { .. } | Life::StandsIn { .. } | Life::Running { .. } => None,
            Life::Lost { since, .. } => Some(since),
        }
    }

    /// Whether nothing is heard that there should be.
    pub(super) fn is_missed(&self) -> bool {
        self.lost_since().is_some() || self.state() == SoundState::Mute
    }

    /// When it is to be opened again.
    pub(super) fn timeout(&self) -> Option<Instant> {
        match self.life {
            Life::Lost { at, .. } => Some(at),
            Life::Absent { at } | Life::StandsIn { at } => at,
            Life::Closed { .. } | Life::Opening { .. } | Life::Running { .. } => None,
        }
    }
}
