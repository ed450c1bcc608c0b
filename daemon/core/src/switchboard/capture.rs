//! Whether the camera is open, and when it may be opened or is to be closed. Must not know calls, only whether
//! there are any.

use std::time::{Duration, Instant};

use crate::status::{CaptureState, Shows};
use crate::wire::limits::{
    CAPTURE_FRESH, CAPTURE_PATIENCE, CAPTURE_RETRY, CAPTURE_RETRY_FRESH, SEEK_PATIENCE,
};

/// The life of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Idle,
    /// Being opened; one that takes longer than until then counts as lost meanwhile.
    Starting {
        until: Instant,
    },
    Running {
        seek: Seek,
    },
    Lost {
        since: Instant,
        again: Again,
    },
}

/// When a lost camera is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It is being opened.
    Opening,
    /// Then.
    At(Instant),
    /// As soon as somebody wants it.
    Unasked,
}

/// Whether it is looked for what the running test picture stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seek {
    /// Nothing has come.
    No,
    /// Then.
    At(Instant),
    /// It is being looked for, and no longer waited for after `until`; `again`: something has come since that was asked.
    Asked { until: Instant, again: bool },
}

/// What a failure comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody wanted it open.
    Unasked,
    /// It is lost from now on.
    Lost,
    /// It is still lost; `news`: for a reason that was not told yet.
    StillLost { news: bool },
}

/// Most reasons of one loss that are told one by one.
const REASONS: usize = 8;

/// The camera, and how long it is still wanted.
#[derive(Debug)]
pub(super) struct Capture {
    life: Life,
    /// What it showed last.
    shows: Shows,
    /// Why it is lost, as far as that was told.
    told: Vec<String>,
    /// When a device came last that may be it.
    came: Option<Instant>,
    /// When it was last asked to be opened.
    asked: Option<Instant>,
    /// Until when somebody looks who does not call.
    looked_at_until: Option<Instant>,
    lingers_until: Option<Instant>,
}

impl Capture {
    pub(super) fn new() -> Self {
        Self {
            life: Life::Idle,
            shows: Shows::Camera,
            told: Vec::new(),
            came: None,
            asked: None,
            looked_at_until: None,
            lingers_until: None,
        }
    }

    /// Somebody uses it. `true`: it has to be opened, perhaps again.
    pub(super) fn is_used(&mut self, now: Instant) -> bool {
        self.lingers_until = None;
        self.life = match self.life {
            Life::Idle => Life::Starting { until: now + CAPTURE_PATIENCE },
            Life::Lost { since, again: Again::Unasked } => Life::Lost { since, again: Again::Opening },
            Life::Lost { since, again: Again::At(at) } if at <= now => {
                Life::Lost { since, again: Again::Opening }
            }
            Life::Starting { .. } | Life::Running { .. } | Life::Lost { .. } => return false,
        };
        self.asked = Some(now);
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
        // There is nothing to linger with.
        if matches!(self.life, Life::Lost { again: Again::At(_), .. }) {
            return self.close();
        }
        // Nobody needs the camera that may have come, and whoever calls next is to see that, not the test picture.
        if matches!(self.life, Life::Running { seek: Seek::At(_) | Seek::Asked { .. } }) {
            return self.close();
        }
        let until = *self.lingers_until.get_or_insert(now + idle_after);
        until <= now && self.close()
    }

    /// `true`: it was open, or tried, and has to be closed. That it is lost stays known.
    pub(super) fn close(&mut self) -> bool {
        let open = self.is_open();
        self.life = match self.life {
            Life::Lost { since, .. } => Life::Lost { since, again: Again::Unasked },
            Life::Idle | Life::Starting { .. } | Life::Running { .. } => Life::Idle,
        };
        self.lingers_until = None;
        open
    }

    /// Frames flow. Since when they had not, where it was lost.
    pub(super) fn runs(&mut self, shows: Shows, now: Instant) -> Option<Instant> {
        let lost = match self.life {
            Life::Starting { .. } => None,
            Life::Lost { since, again: Again::Opening } => Some(since),
            Life::Idle | Life::Running { .. } | Life::Lost { .. } => return None,
        };
        // It may have come when it was decided already that there is none.
        let came = self.is_fresh(now) || (self.came.is_some() && self.came >= self.asked);
        let seek = if shows == Shows::StandIn && came { Seek::At(now) } else { Seek::No };
        (self.life, self.shows) = (Life::Running { seek }, shows);
        self.told.clear();
        lost
    }

    /// It failed, or could not be opened. One that has just run is tried again at once.
    pub(super) fn failed(&mut self, reason: &str, now: Instant) -> Failure {
        let later = now + if self.is_fresh(now) { CAPTURE_RETRY_FRESH } else { CAPTURE_RETRY };
        let news = self.told.len() < REASONS && !self.told.iter().any(|told| told == reason);
        let (since, at, failure) = match self.life {
            Life::Starting { .. } => (now, later, Failure::Lost),
            Life::Running { .. } => (now, now, Failure::Lost),
            Life::Lost { since, again: Again::Opening } => (since, later, Failure::StillLost { news }),
            Life::Idle | Life::Lost { .. } => return Failure::Unasked,
        };
        if news {
            self.told.push(reason.to_owned());
        }
        self.life = Life::Lost { since, again: Again::At(at) };
        failure
    }

    /// A device has come: a lost camera need not wait for its next try, nor as long as usual for those after it; and where
    /// the test picture stands in for a camera, one is looked for.
    pub(super) fn appeared(&mut self, now: Instant) {
        self.came = Some(now);
        match &mut self.life {
            Life::Lost { again: again @ Again::At(_), .. } => *again = Again::At(now),
            Life::Running { seek } if self.shows == Shows::StandIn => {
                *seek = match seek {
                    Seek::Asked { until, .. } => Seek::Asked { until: *until, again: true },
                    Seek::No | Seek::At(_) => Seek::At(now),
                };
            }
            Life::Idle | Life::Starting { .. } | Life::Running { .. } | Life::Lost { .. } => {}
        }
    }

    /// `true`: what the test picture stands in for has to be looked for now.
    pub(super) fn has_to_seek(&mut self, now: Instant) -> bool {
        let due = matches!(self.life, Life::Running { seek: Seek::At(at) } if at <= now);
        if due {
            self.life = Life::Running { seek: Seek::Asked { until: now + SEEK_PATIENCE, again: false } };
        }
        due
    }

    /// It was looked for. `true`: it is there, and has to be opened in the place of the test picture, also where that was
    /// no longer waited for.
    pub(super) fn sought(&mut self, found: bool, now: Instant) -> bool {
        let Life::Running { seek } = self.life else { return false };
        if found && self.shows == Shows::StandIn {
            if self.lingers_until.is_some() {
                self.life = Life::Running { seek: Seek::At(now) };
                return false;
            }
            self.asked = Some(now);
            self.life = Life::Starting { until: now + CAPTURE_PATIENCE };
            return true;
        }
        if let Seek::Asked { again, .. } = seek {
            self.is_not_found(again, now);
        }
        false
    }

    fn is_not_found(&mut self, again: bool, now: Instant) {
        let seek = if again {
            Seek::At(now)
        } else if self.is_fresh(now) {
            Seek::At(now + CAPTURE_RETRY_FRESH)
        } else {
            Seek::No
        };
        self.life = Life::Running { seek };
    }

    /// Whether a device has just come: its names and rights follow one by one.
    fn is_fresh(&self, now: Instant) -> bool {
        self.came.is_some_and(|came| now < came + CAPTURE_FRESH)
    }

    /// `true`: it takes too long to its first frame, and counts as lost from now on.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        // Whoever looked for it may hang for ever: what comes later is looked for all the same.
        if let Life::Running { seek: Seek::Asked { until, again } } = self.life
            && until <= now
        {
            self.is_not_found(again, now);
        }
        let late = matches!(self.life, Life::Starting { until } if until <= now);
        if late {
            self.life = Life::Lost { since: now, again: Again::Opening };
        }
        late
    }

    /// What it shows, or showed last.
    pub(super) fn shows(&self) -> Shows {
        self.shows
    }

    pub(super) fn state(&self) -> CaptureState {
        match self.life {
            Life::Idle => CaptureState::Idle,
            Life::Starting { .. } => CaptureState::Starting,
            Life::Running { .. } => CaptureState::Running,
            Life::Lost { .. } => CaptureState::Lost,
        }
    }

    /// Since when there is no picture that there should be.
    pub(super) fn lost_since(&self) -> Option<Instant> {
        if let Life::Lost { since, .. } = self.life { Some(since) } else { None }
    }

    /// Whether frames flow.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.life, Life::Running { .. })
    }

    /// Whether it may run in a moment.
    pub(super) fn is_being_opened(&self) -> bool {
        matches!(self.life, Life::Starting { .. } | Life::Lost { again: Again::Opening, .. })
    }

    /// Open, being opened, or tried again and again.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.life, Life::Idle | Life::Lost { again: Again::Unasked, .. })
    }

    /// When something is due.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let own = match self.life {
            Life::Starting { until } | Life::Running { seek: Seek::Asked { until, .. } } => Some(until),
            Life::Lost { again: Again::At(at), .. } | Life::Running { seek: Seek::At(at) } => Some(at),
            Life::Idle | Life::Running { .. } | Life::Lost { .. } => None,
        };
        own.into_iter().chain(self.looked_at_until).chain(self.lingers_until).min()
    }
}
