//! Who has the floor, which is to be heard on the speaker: one at a time, or several. And how the speaker itself is. Must
//! not know who may ask, nor how anybody is told.

use std::time::Instant;

use crate::config::settings::Talkers;
use crate::ids::CallId;
use crate::speaker::SpeakerState;
use crate::wire::limits::{FLOOR_SILENCE, SPEAKER_PATIENCE, TALKERS};

/// Somebody who is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Talker {
    pub(super) call: CallId,
    pub(super) since: Instant,
    silent_at: Instant,
}

/// What asking for the floor comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant {
    /// Whoever asks has it from now on, in place of these.
    Given(Vec<Talker>),
    /// They have it already.
    Had,
    /// Somebody else has it.
    Taken,
}

/// The floor.
#[derive(Debug, Default)]
pub(super) struct Floor {
    /// Whoever began first comes first.
    talkers: Vec<Talker>,
}

impl Floor {
    /// Somebody asks; `take`: whoever has it.
    pub(super) fn ask(&mut self, call: CallId, take: bool, rule: Talkers, now: Instant) -> Grant {
        if self.has(call) {
            return Grant::Had;
        }
        let room = match rule {
            Talkers::One => 1,
            Talkers::Mix => TALKERS,
        };
        let full = self.talkers.len() >= room;
        if full && !take {
            return Grant::Taken;
        }
        let gone = if full { std::mem::take(&mut self.talkers) } else { Vec::new() };
        self.talkers.push(Talker { call, since: now, silent_at: now + FLOOR_SILENCE });
        Grant::Given(gone)
    }

    /// Somebody gives it back; where they had it, since when.
    pub(super) fn give(&mut self, call: CallId) -> Option<Talker> {
        let at = self.talkers.iter().position(|talker| talker.call == call)?;
        Some(self.talkers.remove(at))
    }

    /// Nobody has it any more. Who had.
    pub(super) fn clear(&mut self) -> Vec<Talker> {
        std::mem::take(&mut self.talkers)
    }

    /// Something was heard of somebody.
    pub(super) fn spoke(&mut self, call: CallId, now: Instant) {
        if let Some(talker) = self.talkers.iter_mut().find(|talker| talker.call == call) {
            talker.silent_at = now + FLOOR_SILENCE;
        }
    }

    /// Takes it back from whoever has sent nothing for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<Talker> {
        self.talkers.extract_if(.., |talker| talker.silent_at <= now).collect()
    }

    pub(super) fn has(&self, call: CallId) -> bool {
        self.talkers.iter().any(|talker| talker.call == call)
    }

    pub(super) fn talkers(&self) -> &[Talker] {
        &self.talkers
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.talkers.iter().map(|talker| talker.silent_at).min()
    }
}

/// The life of the speaker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Life {
    /// Nobody has looked for one yet.
    #[default]
    Unknown,
    /// There is none.
    Missing,
    Idle,
    Opening {
        until: Instant,
    },
    Running,
    /// It could not be opened, or has failed.
    Lost,
}

/// The speaker.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    life: Life,
    level: Option<i32>,
}

impl Speaker {
    /// Whether there is one. `true`: there is none any more.
    pub(super) fn found(&mut self, there: bool) -> bool {
        match (self.life, there) {
            (Life::Unknown | Life::Missing, true) => self.life = Life::Idle,
            (_, true) => {}
            (_, false) => (self.life, self.level) = (Life::Missing, None),
        }
        !there
    }

    /// Somebody needs it.
    pub(super) fn is_needed(&mut self, now: Instant) {
        if matches!(self.life, Life::Idle | Life::Lost) {
            self.life = Life::Opening { until: now + SPEAKER_PATIENCE };
        }
    }

    pub(super) fn runs(&mut self) {
        self.life = Life::Running;
    }

    pub(super) fn released(&mut self) {
        if self.life != Life::Missing {
            (self.life, self.level) = (Life::Idle, None);
        }
    }

    /// `true`: for the first time since it worked.
    pub(super) fn failed(&mut self) -> bool {
        let news = self.life != Life::Lost;
        (self.life, self.level) = (Life::Lost, None);
        news
    }

    pub(super) fn is_as_loud_as(&mut self, level: i32) {
        if self.life == Life::Running {
            self.level = Some(level);
        }
    }

    /// `true`: it takes too long to open.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        matches!(self.life, Life::Opening { until } if until <= now)
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        if let Life::Opening { until } = self.life { Some(until) } else { None }
    }

    /// Whether anybody has looked for one.
    pub(super) fn is_known(&self) -> bool {
        self.life != Life::Unknown
    }

    pub(super) fn level(&self) -> Option<i32> {
        self.level
    }

    pub(super) fn state(&self) -> SpeakerState {
        match self.life {
            Life::Unknown | Life::Missing => SpeakerState::None,
            Life::Idle => SpeakerState::Idle,
            Life::Opening { .. } => SpeakerState::Starting,
            Life::Running => SpeakerState::Running,
            Life::Lost => SpeakerState::Lost,
        }
    }
}
