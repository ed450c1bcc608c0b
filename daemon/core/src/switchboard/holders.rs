//! The calls of people who hold keys: they end when the key does, and each is told who else watches. Must not know how
//! a key is proved.

use std::time::Instant;

use super::call::Call;
use super::{Farewell, Relay, Switchboard};
use crate::access::{Key, Stamp};
use crate::config::settings::Access;
use crate::event::AccessEvent;
use crate::ids::CallId;
use crate::status::{Holder, Viewer};
use crate::wire::limits::WATCHERS;
use crate::wire::{Outgoing, Reason, Watcher};

/// By how many seconds a date may move before it is told again: a clock that is kept right moves by less.
const CLOCK_MOVES_S: u64 = 5;

/// One live call, as it was last told to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    call: CallId,
    since: Stamp,
}

impl Switchboard {
    pub(super) fn handle_access(&mut self, event: AccessEvent, now: Instant) {
        if self.settings.room.access != Access::Keys {
            return;
        }
        match event {
            AccessEvent::Keys(ring) => self.door.hang(ring),
            AccessEvent::Date(date) => self.door.date(date, now),
        }
        for id in self.find(|call| call.key.is_some()) {
            let key = self.calls.get(&id).and_then(|call| call.key.as_ref());
            match key.map(|key| self.door.recheck(key, now)) {
                Some(Err(reason)) => self.end(id, reason, Farewell::Said, now),
                Some(Ok(key)) => {
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.key = Some(key);
                    }
                }
                None => {}
            }
        }
    }

    /// Ends the calls whose key's end date has passed.
    pub(super) fn end_expired(&mut self, now: Instant) {
        for id in self.find(|call| self.expiry(call).is_some_and(|due| due <= now)) {
            self.end(id, Reason::ExpiredKey, Farewell::Said, now);
        }
    }

    /// When the key of this call expires.
    pub(super) fn expiry(&self, call: &Call) -> Option<Instant> {
        self.door.expires(call.key.as_ref().filter(|_| !call.is_closing())?)
    }

    /// Who calls, the oldest call first.
    pub(super) fn viewers(&self) -> Vec<Viewer> {
        let viewer = |(id, call): (CallId, &Call)| Viewer {
            call: id,
            peer: call.viewer().cloned(),
            holder: call.key.clone().map(|Key { id, name, role, .. }| Holder { name, role, key: id }),
            rendition: call.watched(),
            carries: self.policy.estimate(id),
            path: call.path,
            began: call.live_since().unwrap_or(call.since),
            live: call.is_live(),
        };
        self.going().map(viewer).collect()
    }

    /// Tells everybody who watches with a key who else does, where that has changed.
    pub(super) fn tell_watchers(&mut self) {
        let since = |call: &Call| self.door.date_at(call.key.as_ref().and(call.live_since())?);
        let live: Vec<_> =
            self.going().filter_map(|(call, its)| Some(Told { call, since: since(its)? })).collect();
        let same = |(one, other): (&Told, &Told)| {
            one.call == other.call && one.since.0.abs_diff(other.since.0) <= CLOCK_MOVES_S
        };
        if self.is_stopping() || (live.len() == self.told.len() && live.iter().zip(&self.told).all(same)) {
            return;
        }
        if self.tongue.takes_objects() {
            let messages: Vec<_> = live.iter().filter_map(|told| self.watching(told.call, &live)).collect();
            messages.into_iter().for_each(|message| self.send(message));
        }
        self.told = live;
    }

    /// Who of `live` watches beside this call; `None` where nobody does, or did when it was last told.
    fn watching(&self, id: CallId, live: &[Told]) -> Option<Outgoing> {
        let me = self.calls.get(&id).filter(|call| call.visit.is_none())?.viewer();
        let named = self.settings.relay == Relay::Own;
        let others = live.iter().filter_map(|told| {
            let call = self.calls.get(&told.call).filter(|call| call.viewer() != me)?;
            let name = call.key.as_ref().filter(|_| named).map(|key| key.name.clone());
            Some(Watcher { name, since: told.since })
        });
        let others: Vec<_> = others.take(WATCHERS).collect();
        let told_of_others = self.told.iter().any(|told| told.call == id) && self.told.len() > 1;
        let address = self.address(me.cloned(), None);
        (told_of_others || !others.is_empty()).then(|| Outgoing::watching(&address, &others))
    }
}
