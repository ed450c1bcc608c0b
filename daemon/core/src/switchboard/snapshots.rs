//! Pictures of now, for who may watch: whoever asks while one is being made gets that one, and for a moment afterwards
//! too. Must not know HTTP, nor how a picture is made.

use std::time::Instant;

use super::Switchboard;
use super::players::refused;
use super::rate::OfferRate;
use crate::access::{Key, KeyId};
use crate::command::{Command, Level};
use crate::ids::Name;
use crate::whep::{Jpeg, Refusal, RequestId, Response};
use crate::wire::Reason;
use crate::wire::limits::{LOOK, SNAPSHOT_DEADLINE, SNAPSHOT_LIFE, SNAPSHOTS_PER_WINDOW, SNAPSHOTS_WAITING};

/// Who waits for a picture, and the last one there was.
#[derive(Debug)]
pub(super) struct Snapshots {
    waiting: Vec<(RequestId, Instant)>,
    /// One is being made.
    making: bool,
    /// The last one, and until when it is one of now.
    last: Option<(Jpeg, Instant)>,
    by_key: OfferRate<KeyId>,
    by_address: OfferRate<Name>,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            making: false,
            last: None,
            by_key: OfferRate::at_most(SNAPSHOTS_PER_WINDOW),
            by_address: OfferRate::at_most(SNAPSHOTS_PER_WINDOW),
        }
    }
}

impl Snapshots {
    /// When somebody has waited long enough, or the last picture is no longer one of now.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().map(|(_, until)| *until);
        waiting.chain(self.last.as_ref().map(|(_, until)| *until)).min()
    }

    /// How many keys and addresses are counted.
    pub(super) fn counted(&self) -> usize {
        self.by_key.len() + self.by_address.len()
    }
}

impl Switchboard {
    /// Somebody who may watch asks for a picture. `None`: it is not made yet.
    pub(super) fn snapshot(
        &mut self,
        request: RequestId,
        from: &Name,
        key: Option<&Key>,
        now: Instant,
    ) -> Result<Option<Response>, Refusal> {
        if self.is_stopping() {
            return Err(Refusal::Call(Reason::ShuttingDown));
        }
        let Snapshots { by_key, by_address, .. } = &mut self.snapshots;
        if !(by_address.admits(from, now) && key.is_none_or(|key| by_key.admits(&key.id, now))) {
            return Err(Refusal::Call(Reason::TooOften));
        }
        if self.privacy {
            return Err(Refusal::Private);
        }
        if let Some((picture, _)) = self.snapshots.last.as_ref().filter(|(_, until)| now < *until) {
            return Ok(Some(Response::Picture(picture.clone())));
        }
        if self.snapshots.waiting.len() >= SNAPSHOTS_WAITING {
            return Err(Refusal::Call(Reason::Busy));
        }
        if self.capture.is_wanted(now + LOOK, now) {
            self.start_capture(now);
        }
        self.snapshots.waiting.push((request, now + SNAPSHOT_DEADLINE));
        Ok(None)
    }

    /// The media side has made one, or could not.
    pub(super) fn snapshot_made(&mut self, made: Result<Jpeg, String>, now: Instant) {
        self.snapshots.making = false;
        match made {
            // It was made before somebody wanted that there are none.
            Ok(_) if self.privacy || self.is_stopping() => {}
            Ok(picture) => {
                for (request, _) in std::mem::take(&mut self.snapshots.waiting) {
                    let response = Response::Picture(picture.clone());
                    self.commands.push_back(Command::Respond { request, response });
                }
                self.snapshots.last = Some((picture, now + SNAPSHOT_LIFE));
            }
            Err(reason) => {
                let level = if self.snapshots.waiting.is_empty() { Level::Debug } else { Level::Warn };
                self.note(level, None, None, format!("no snapshot could be made: {reason}"));
                // A camera that was lost meanwhile is told of as such.
                if self.capture.is_running() {
                    self.turn_askers_away(Refusal::Call(Reason::Failed));
                }
            }
        }
    }

    /// Has a picture made as soon as there is one to be had, and tells those who wait where there will be none.
    pub(super) fn settle_snapshots(&mut self, now: Instant) {
        if self.snapshots.last.as_ref().is_some_and(|(_, until)| *until <= now || self.privacy) {
            self.snapshots.last = None;
        }
        if self.is_stopping() {
            self.turn_askers_away(Refusal::Call(Reason::ShuttingDown));
        } else if self.privacy {
            self.turn_askers_away(Refusal::Private);
        } else if !self.capture.is_running() && !self.capture.is_being_opened() {
            self.turn_askers_away(Refusal::Call(Reason::CameraLost));
        }
        let (late, waiting) = self.snapshots.waiting.iter().partition(|(_, until)| *until <= now);
        self.snapshots.waiting = waiting;
        let late: Vec<(RequestId, Instant)> = late;
        let why = if self.capture.is_running() { Reason::Failed } else { Reason::CameraLost };
        self.commands.extend(late.into_iter().map(|(request, _)| refused(request, Refusal::Call(why))));
        let due = !self.snapshots.waiting.is_empty() && self.capture.is_running();
        if due && !std::mem::replace(&mut self.snapshots.making, true) {
            self.commands.push_back(Command::TakeSnapshot);
        }
    }

    fn turn_askers_away(&mut self, refusal: Refusal) {
        let waiting = std::mem::take(&mut self.snapshots.waiting);
        self.commands.extend(waiting.into_iter().map(|(request, _)| refused(request, refusal)));
    }
}
