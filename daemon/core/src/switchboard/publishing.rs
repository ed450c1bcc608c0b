//! The call that the camera itself makes to a server that shows it to a crowd (WHIP): made as soon as it can be, and again
//! whenever it has ended. Must not know HTTP.

use std::time::{Duration, Instant};

use super::call::Call;
use super::{Farewell, Switchboard};
use crate::command::{Command, Level};
use crate::ids::{CallId, Rendition};
use crate::publish::{Errand, Word};
use crate::sdp::accept;
use crate::wire::limits::{PUBLISH_JITTER, PUBLISH_RETRY, PUBLISH_RETRY_MOST};
use crate::wire::{Reason, Shape};

/// How many reasons are remembered: a server that words each one anew is not listed for ever.
const REASONS_TOLD: usize = 16;

/// When the server is called next, and what was said of it last.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    /// When; `None` while it is called, or nobody can run errands.
    due: Option<Instant>,
    failed: u32,
    chance: f64,
    after: Option<Duration>,
    /// What the log was told since it last worked, or that it works: reasons that take turns are told once.
    told: Vec<Result<(), String>>,
    /// Why the call ends is known better than by its word.
    explained: bool,
}

impl Publisher {
    /// The call has ended, or none could be made: when the next one is.
    fn retry(&mut self, now: Instant) {
        let growth = 2_u32.saturating_pow(self.failed);
        self.failed = self.failed.saturating_add(1);
        let wait = PUBLISH_RETRY.saturating_mul(growth).min(PUBLISH_RETRY_MOST);
        let wait = wait.mul_f64(1.0 + PUBLISH_JITTER * self.chance.clamp(0.0, 1.0));
        self.due = Some(now + wait.max(self.after.take().unwrap_or_default().min(PUBLISH_RETRY_MOST)));
    }

    /// Whether that is news for the log.
    fn is_news(&mut self, what: Result<(), String>) -> bool {
        let news = !self.told.contains(&what);
        if what.is_ok() || self.told.contains(&Ok(())) || self.told.len() >= REASONS_TOLD {
            self.told.clear();
        }
        if news || self.told.is_empty() {
            self.told.push(what);
        }
        news
    }
}

impl Switchboard {
    /// The server, or the way to it, has something to say.
    pub(super) fn hear_of_errand(&mut self, word: Word, now: Instant) {
        match word {
            Word::Ready { chance } => {
                self.publisher.chance = chance;
                self.publisher.due = Some(now);
                self.publish_when_due(now);
            }
            Word::Taken { call: id, sdp } => {
                let Some(call) = self.calls.get(&id).filter(|call| call.is_published() && call.is_offered())
                else {
                    return;
                };
                match accept::judge(&call.offer, &sdp) {
                    Ok(accepted) => self.take_answer(id, accepted, now),
                    Err(reason) => {
                        self.publish_failed(format!("its answer cannot be taken: {}", reason.sentence()));
                        self.end(id, reason, Farewell::Unsaid, now);
                    }
                }
            }
            Word::Failed { call: id, reason, after, chance } => {
                if !self.calls.get(&id).is_some_and(|call| call.is_published() && !call.is_closing()) {
                    return;
                }
                (self.publisher.chance, self.publisher.after) = (chance, after);
                self.publish_failed(reason);
                self.end(id, Reason::Failed, Farewell::Unsaid, now);
            }
        }
    }

    /// When the server is to be called.
    pub(super) fn publish_due(&self) -> Option<Instant> {
        self.publisher.due.filter(|_| !self.is_stopping())
    }

    /// Calls the server, if it is time to.
    pub(super) fn publish_when_due(&mut self, now: Instant) {
        if self.is_stopping() || self.publisher.due.is_none_or(|due| due > now) {
            return;
        }
        self.publisher.due = None;
        if self.calls.values().any(Call::is_published) {
            self.publisher.retry(now);
            return;
        }
        // Nobody else is called like the camera.
        self.begin_offer(Some(self.settings.me.clone()), Shape::Http, Rendition::H264, now);
    }

    /// The camera's call to the server has an offer.
    pub(super) fn publish_offer(&mut self, id: CallId) {
        if let Some(call) = self.calls.get(&id) {
            let sdp = call.offer.clone();
            self.commands.push_back(Command::Run(Errand::Offer { call: id, sdp }));
        }
    }

    /// It has picture and sound.
    pub(super) fn publish_works(&mut self, id: CallId) {
        self.publisher.failed = 0;
        if self.publisher.is_news(Ok(())) {
            self.note(
                Level::Info,
                Some(id),
                None,
                "published: the server of [publish] has the camera".into(),
            );
        }
    }

    /// It has ended, for whatever reason; the next one is made after a while. `why` is told where nothing better is known.
    /// How loud that end is: a server that is away is called all night.
    pub(super) fn publish_ended(&mut self, id: CallId, why: Reason, now: Instant) -> Level {
        self.commands.push_back(Command::Run(Errand::Forget { call: id }));
        if self.is_stopping() {
            return Level::Info;
        }
        if !std::mem::take(&mut self.publisher.explained) {
            self.publish_failed(why.sentence().into());
            self.publisher.explained = false;
        }
        self.publisher.retry(now);
        Level::Debug
    }

    fn publish_failed(&mut self, why: String) {
        self.publisher.explained = true;
        if self.publisher.is_news(Err(why.clone())) {
            let text = format!("the server of [publish] does not have the camera, it is tried again: {why}");
            self.note(Level::Warn, None, None, text);
        }
    }
}
