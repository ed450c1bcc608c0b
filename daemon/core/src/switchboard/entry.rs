//! Whether the camera is in its room, and when it asks again to be let in. Must not know calls.

use std::time::{Duration, Instant};

use crate::event::Loss;
use crate::ids::{PeerId, RoomName};
use crate::status::RoomState;
use crate::wire::dialect::Tongue;
use crate::wire::limits::{
    JOIN_RETRY, JOIN_RETRY_MOST, JOIN_SILENCE, JOIN_STEP, LINK_STEADY, LOSS_STAYS, NEWCOMER,
    REFUSAL_NOTES_WINDOW, ROOM_STEADY,
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
    /// It was told, and not yet that the camera is in again.
    owes_return: bool,
    /// The log was told that nobody has said that the camera is in, and it has not been in since.
    told_unheard: bool,
    /// It was in once.
    was_in: bool,
    /// What the log was told about the link being down, until it is told that it is back.
    outage: Option<Outage>,
    /// The log was told that the link is up.
    told_up: bool,
    /// Why the link was lost last.
    lost: Option<Loss>,
    /// Since when the link is up, while it is.
    up_since: Option<Instant>,
    /// The link was up last only for a moment; that it is back is told when it has stayed.
    flaps: bool,
}

/// A time without the link, as far as the log knows it.
#[derive(Debug, Default)]
struct Outage {
    /// The reasons it was told.
    told: Vec<Loss>,
    /// Another one, which it is told if it stays.
    other: Option<Other>,
}

#[derive(Debug)]
struct Other {
    why: Loss,
    reason: String,
    due_at: Instant,
}

/// What the log should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// The relay was reached, and is no more.
    Lost(String),
    /// It has not been reached, or there is something else by now that a person has to mend.
    NotReached(String),
    /// It is reached (again).
    Reached,
    /// The camera is in the room again.
    InAgain,
    /// The relay should have said that the camera is in, and has not.
    Unconfirmed,
    /// The relay is one that says no such thing, and nobody else has said anything.
    Unheard,
}

/// How far the camera is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Out,
    /// More spellings of joining are to be tried.
    Asking {
        next_at: Instant,
    },
    /// All were tried, and nobody has said anything. `unconfirmed`: for too long, where the relay should have.
    Asked {
        since: Instant,
        judged: bool,
        unconfirmed: bool,
    },
    In {
        since: Instant,
    },
    Away {
        why: Away,
        again_at: Instant,
    },
}

impl Entry {
    pub(super) fn new(visitor: Visitor, own: bool) -> Self {
        Self {
            visitor,
            own,
            life: Life::Out,
            newcomer_until: None,
            patience: JOIN_RETRY,
            told_away: None,
            owes_return: false,
            told_unheard: false,
            was_in: false,
            outage: None,
            // That our own relay is there is no news.
            told_up: own,
            lost: None,
            up_since: None,
            flaps: false,
        }
    }

    /// What the log should be told by now, one after the other.
    pub(super) fn news(&mut self, tongue: &Tongue, now: Instant) -> Option<News> {
        if let Some(steady_at) = self.steady_at()
            && (!self.flaps || steady_at <= now)
        {
            self.flaps = false;
            if self.outage.take().is_some() || !self.told_up {
                self.told_up = true;
                return Some(News::Reached);
            }
        }
        if let Some(outage) = &mut self.outage
            && let Some(other) = outage.other.take_if(|other| other.due_at <= now)
        {
            outage.told.push(other.why);
            return Some(News::NotReached(other.reason));
        }
        match &mut self.life {
            Life::In { since } if *since + ROOM_STEADY <= now => {
                self.patience = JOIN_RETRY;
                std::mem::take(&mut self.owes_return).then_some(News::InAgain)
            }
            Life::Asked { since, judged: judged @ false, unconfirmed } if *since + JOIN_SILENCE <= now => {
                (*judged, *unconfirmed) = (true, tongue.is_confirmed());
                let news = if *unconfirmed { News::Unconfirmed } else { News::Unheard };
                let told = self.told_unheard || (news == News::Unheard && self.was_in);
                self.told_unheard = true;
                (!told).then_some(news)
            }
            _ => None,
        }
    }

    fn steady_at(&self) -> Option<Instant> {
        self.up_since.map(|since| since + LINK_STEADY)
    }

    /// The link is up: what to say first.
    pub(super) fn up(&mut self, tongue: &mut Tongue, now: Instant) -> Option<Outgoing> {
        tongue.start();
        self.up_since = Some(now);
        (self.newcomer_until, self.patience) = (None, JOIN_RETRY);
        if let Some(outage) = &mut self.outage {
            outage.other = None;
        }
        let first = self.ask(tongue, now);
        if self.own {
            self.comes_in(now);
        }
        first
    }

    /// The link is down, or could not be brought up once more.
    pub(super) fn down(&mut self, why: Loss, reason: String, now: Instant) -> Option<News> {
        let was_up = self.is_up();
        if let Some(steady_at) = self.steady_at() {
            (self.flaps, self.up_since) = (now < steady_at, None);
        }
        (self.life, self.lost) = (Life::Out, Some(why));
        let Some(outage) = &mut self.outage else {
            self.outage = Some(Outage { told: vec![why], other: None });
            return Some(if was_up { News::Lost(reason) } else { News::NotReached(reason) });
        };
        if outage.told.contains(&why) {
            outage.other = None;
            return None;
        }
        match why {
            // Nothing of this passes by itself.
            Loss::Tls | Loss::Refused => {
                (outage.told, outage.other) = ([&outage.told[..], &[why]].concat(), None);
                return Some(News::NotReached(reason));
            }
            // Nor this, if it stays: a relay that is being restarted may look so for a moment.
            Loss::NotSocketIo | Loss::NoName | Loss::Silent => {
                let due_at = match &outage.other {
                    Some(other) if other.why == why => other.due_at,
                    _ => now + LOSS_STAYS,
                };
                outage.other = Some(Other { why, reason, due_at });
            }
            _ => outage.other = None,
        }
        None
    }

    /// Something was heard that only a member of the room hears.
    pub(super) fn is_in(&mut self, now: Instant) {
        if matches!(self.life, Life::Asking { .. } | Life::Asked { .. }) {
            self.comes_in(now);
        }
    }

    fn comes_in(&mut self, now: Instant) {
        if !matches!(self.life, Life::In { .. }) {
            self.life = Life::In { since: now };
        }
        (self.was_in, self.told_unheard) = (true, false);
    }

    /// The relay says that the camera has entered. `others`: somebody was there before, and makes the offer.
    pub(super) fn entered(&mut self, others: bool, now: Instant) {
        if self.is_up() {
            self.comes_in(now);
            self.newcomer_until = others.then(|| now + NEWCOMER);
        }
    }

    /// Whoever comes is to be called, whatever was heard before.
    pub(super) fn is_no_newcomer(&mut self) {
        self.newcomer_until = None;
    }

    /// The relay says that the camera is not in the room. `true`: the log should be told.
    pub(super) fn away(&mut self, why: Away, now: Instant) -> bool {
        if self.own || !self.is_up() {
            return false;
        }
        match self.life {
            // Said again, perhaps by somebody who likes to hear us ask: that moves nothing.
            Life::Away { why: told, .. } if told == why => return false,
            Life::In { since } if since + ROOM_STEADY <= now => self.patience = JOIN_RETRY,
            _ => {}
        }
        self.life = Life::Away { why, again_at: now + self.patience };
        let first = self.patience == JOIN_RETRY;
        self.patience = (2 * self.patience).min(JOIN_RETRY_MOST);
        let tells = first && self.told_away.is_none_or(|told| told + REFUSAL_NOTES_WINDOW <= now);
        if tells {
            (self.told_away, self.owes_return) = (Some(now), true);
        }
        tells
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
                tongue.start_joining();
                self.ask(tongue, now)
            }
            _ => None,
        }
    }

    /// When there is something to be said, or to be told.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let steady = self.steady_at().filter(|_| self.flaps);
        let other = self.outage.as_ref().and_then(|outage| outage.other.as_ref()).map(|other| other.due_at);
        let next = match self.life {
            Life::Asking { next_at: at } | Life::Away { again_at: at, .. } => Some(at),
            Life::Asked { since, judged: false, .. } => Some(since + JOIN_SILENCE),
            Life::In { since } if self.owes_return => Some(since + ROOM_STEADY),
            Life::Out | Life::Asked { .. } | Life::In { .. } => None,
        };
        steady.into_iter().chain(other).chain(next).min()
    }

    pub(super) fn is_up(&self) -> bool {
        self.life != Life::Out
    }

    /// Up, and not only for one moment after another.
    pub(super) fn is_steady(&self) -> bool {
        self.is_up() && !self.flaps
    }

    /// Why the link is down or does not stay, where that is known.
    pub(super) fn lost(&self) -> Option<Loss> {
        self.lost.filter(|_| !self.is_steady())
    }

    pub(super) fn state(&self) -> RoomState {
        match self.life {
            Life::Out => RoomState::Out,
            Life::Asked { unconfirmed: true, .. } => RoomState::Unconfirmed,
            Life::Asking { .. } | Life::Asked { .. } => RoomState::Asked,
            Life::In { .. } => RoomState::In,
            Life::Away { why: Away::Full, .. } => RoomState::Full,
            Life::Away { why: Away::Kicked, .. } => RoomState::Kicked,
            Life::Away { why: Away::NoSuchRoom, .. } => RoomState::NoSuchRoom,
            Life::Away { why: Away::NotAllowed, .. } => RoomState::NotAllowed,
        }
    }

    fn ask(&mut self, tongue: &mut Tongue, now: Instant) -> Option<Outgoing> {
        let Visitor { room, me, name } = &self.visitor;
        let join = tongue.next_join(room, me, name);
        match tongue.has_more_joins() {
            true => self.life = Life::Asking { next_at: now + JOIN_STEP },
            false => {
                self.life = asked(now);
                if tongue.is_heard() {
                    self.comes_in(now);
                }
            }
        }
        join
    }
}

/// Everything was said, and from now on somebody may answer.
fn asked(now: Instant) -> Life {
    Life::Asked { since: now, judged: false, unconfirmed: false }
}
