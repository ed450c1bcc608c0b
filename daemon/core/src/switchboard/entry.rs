//! Whether the camera is in its room, and when it asks again to be let in. Must not know calls.

use std::time::{Duration, Instant};

use crate::event::Loss;
use crate::ids::{PeerId, RoomName};
use crate::status::RoomState;
use crate::wire::dialect::Tongue;
use crate::wire::limits::{
    JOIN_RETRY, JOIN_RETRY_MOST, JOIN_STEP, LINK_STEADY, NEWCOMER, REFUSAL_NOTES_WINDOW,
};
use crate::wire::{Away, Outgoing};

/// Who asks to be let in, and where.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) room: RoomName,
    pub(super) me: PeerId,
    /// As people read it.
    pub(super) name: String,
}

/// The way into the room.
#[derive(Debug)]
pub(super) struct Entry {
    visitor: Visitor,
    /// The relay is in this process: the camera is in the room whenever the link is up.
    own: bool,
    life: Life,
    /// Until when others make the offer.
    newcomer_until: Option<Instant>,
    /// How long to wait next time before asking again.
    patience: Duration,
    /// When the log was last told that the camera is not in.
    told_away: Option<Instant>,
    /// What the log was told about the link being down, until it is told that it is back.
    told_down: Option<Loss>,
    /// Since when the link is up, while it is.
    up_since: Option<Instant>,
    /// The link was up last only for a moment; that it is back is told when it has stayed.
    flaps: bool,
}

/// What the log should be told about the link being down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    /// It was up.
    Lost,
    /// It has not been up, or is down for a reason that a person has to mend.
    NotReached,
    /// It knows.
    Nothing,
}

/// How far the camera is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Out {
        lost: Option<Loss>,
    },
    /// More spellings of joining are to be tried.
    Asking {
        next_at: Instant,
    },
    /// All were tried, and nobody has said anything.
    Asked,
    In,
    Away {
        why: Away,
        again_at: Instant,
    },
}

impl Entry {
    pub(super) fn new(visitor: Visitor, own: bool) -> Self {
        let life = Life::Out { lost: None };
        Self {
            visitor,
            own,
            life,
            newcomer_until: None,
            patience: JOIN_RETRY,
            told_away: None,
            told_down: None,
            up_since: None,
            flaps: false,
        }
    }

    /// Whether the log should be told that the link is back: when it is up, unless it was up before only for a
    /// moment; then when it has stayed.
    pub(super) fn is_back(&mut self, now: Instant) -> bool {
        let Some(steady_at) = self.steady_at() else { return false };
        if self.flaps && now < steady_at {
            return false;
        }
        self.flaps = false;
        self.told_down.take().is_some()
    }

    fn steady_at(&self) -> Option<Instant> {
        self.up_since.map(|since| since + LINK_STEADY)
    }

    /// The link is up: what to say first.
    pub(super) fn up(&mut self, tongue: &mut Tongue, now: Instant) -> Option<Outgoing> {
        tongue.start();
        self.up_since = Some(now);
        (self.newcomer_until, self.patience) = (None, JOIN_RETRY);
        let first = self.ask(tongue, now);
        if self.own {
            self.life = Life::In;
        }
        first
    }

    /// The link is down, or could not be brought up once more.
    pub(super) fn down(&mut self, why: Loss, now: Instant) -> Tell {
        let was_up = self.is_up();
        if let Some(steady_at) = self.steady_at() {
            (self.flaps, self.up_since) = (now < steady_at, None);
        }
        self.life = Life::Out { lost: Some(why) };
        // Others pass by themselves.
        let to_mend = matches!(why, Loss::Tls | Loss::Refused);
        match self.told_down {
            Some(told) if told == why || !to_mend => Tell::Nothing,
            told => {
                self.told_down = Some(why);
                if was_up && told.is_none() { Tell::Lost } else { Tell::NotReached }
            }
        }
    }

    /// Something was heard that only a member of the room hears.
    pub(super) fn is_in(&mut self) {
        if matches!(self.life, Life::Asking { .. } | Life::Asked) {
            self.life = Life::In;
        }
    }

    /// The relay says that the camera has entered. `others`: somebody was there before, and makes the offer.
    pub(super) fn entered(&mut self, others: bool, now: Instant) {
        if !matches!(self.life, Life::Out { .. }) {
            (self.life, self.patience) = (Life::In, JOIN_RETRY);
            self.newcomer_until = others.then(|| now + NEWCOMER);
        }
    }

    /// Whoever comes is to be called, whatever was heard before.
    pub(super) fn is_no_newcomer(&mut self) {
        self.newcomer_until = None;
    }

    /// The relay says that the camera is not in the room. `true`: the log should be told.
    pub(super) fn away(&mut self, why: Away, now: Instant) -> bool {
        if self.own || matches!(self.life, Life::Out { .. }) {
            return false;
        }
        match self.life {
            // Said again, perhaps by somebody who likes to hear us ask: that moves nothing.
            Life::Away { why: told, .. } if told == why => false,
            _ => {
                self.life = Life::Away { why, again_at: now + self.patience };
                let first = self.patience == JOIN_RETRY;
                self.patience = (2 * self.patience).min(JOIN_RETRY_MOST);
                let tells = first && self.told_away.is_none_or(|told| told + REFUSAL_NOTES_WINDOW <= now);
                if tells {
                    self.told_away = Some(now);
                }
                tells
            }
        }
    }

    /// Whether somebody who comes is to be called, or was there before us.
    pub(super) fn is_newcomer(&self, now: Instant) -> bool {
        self.newcomer_until.is_some_and(|until| now < until)
    }

    /// What is to be said now, if anything.
    pub(super) fn handle_timeout(&mut self, tongue: &mut Tongue, now: Instant) -> Option<Outgoing> {
        match self.life {
            Life::Asking { next_at } if next_at <= now => self.ask(tongue, now),
            Life::Away { again_at, .. } if again_at <= now => {
                self.life = Life::Asked;
                tongue.join_again(&self.visitor.room, &self.visitor.me, &self.visitor.name)
            }
            _ => None,
        }
    }

    /// When there is something to be said.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let steady = self.steady_at().filter(|_| self.flaps);
        let next = match self.life {
            Life::Asking { next_at: at } | Life::Away { again_at: at, .. } => Some(at),
            Life::Out { .. } | Life::Asked | Life::In => None,
        };
        steady.into_iter().chain(next).min()
    }

    pub(super) fn is_up(&self) -> bool {
        !matches!(self.life, Life::Out { .. })
    }

    /// Why the link is down, where that is known.
    pub(super) fn lost(&self) -> Option<Loss> {
        if let Life::Out { lost } = self.life { lost } else { None }
    }

    pub(super) fn state(&self) -> RoomState {
        match self.life {
            Life::Out { .. } => RoomState::Out,
            Life::Asking { .. } | Life::Asked => RoomState::Asked,
            Life::In => RoomState::In,
            Life::Away { why: Away::Full, .. } => RoomState::Full,
            Life::Away { why: Away::Kicked, .. } => RoomState::Kicked,
            Life::Away { why: Away::NoSuchRoom, .. } => RoomState::NoSuchRoom,
            Life::Away { why: Away::NotAllowed, .. } => RoomState::NotAllowed,
        }
    }

    fn ask(&mut self, tongue: &mut Tongue, now: Instant) -> Option<Outgoing> {
        let Visitor { room, me, name } = &self.visitor;
        let join = tongue.next_join(room, me, name);
        self.life = match tongue.has_more_joins() {
            true => Life::Asking { next_at: now + JOIN_STEP },
            false if tongue.is_heard() => Life::In,
            false => Life::Asked,
        };
        join
    }
}
