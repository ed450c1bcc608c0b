//! Offers of the camera's own: where the member inside calls whoever comes. Must not know how a message is spelt.

use std::time::Instant;

use super::call::{Call, Life};
use super::early::Mark;
use super::{Farewell, Switchboard};
use crate::adapt::Feed;
use crate::command::{Command, Level};
use crate::config::settings::{Access, Fallback};
use crate::ids::{CallId, PeerId, Rendition};
use crate::sdp::accept::{self, Accepted};
use crate::sdp::read as sdp;
use crate::wire::limits::{ANSWER_DEADLINE, ANSWERING_AT_ONCE, CLOSING_AT_ONCE};
use crate::wire::{Reason, Shape};

impl Switchboard {
    /// Somebody has come who waits to be called.
    pub(super) fn wanted(&mut self, from: Option<PeerId>, now: Instant) {
        // Whoever was there before us calls us, and two offers that meet would break each other.
        if self.entry.is_newcomer(now) {
            return;
        }
        // Who calls here does so otherwise, as far as anybody does: whoever asks for an offer may only want to break that.
        if self.going().any(|(_, call)| self.tongue.disturbs(call.shape)) {
            return;
        }
        match self.may_offer(&from, now) {
            Ok(()) => self.start_offer(from, Rendition::H264, now),
            Err(reason) => self.count_refusal(from, reason, now),
        }
    }

    fn may_offer(&mut self, from: &Option<PeerId>, now: Instant) -> Result<(), Reason> {
        if self.is_stopping() {
            return Err(Reason::ShuttingDown);
        }
        if !self.rate.admits(from, now) {
            return Err(Reason::TooOften);
        }
        if self.settings.room.access != Access::Open {
            return Err(Reason::NotAllowed);
        }
        let crowded_out = self.crowded_out(from);
        if self.is_full((from.as_ref(), None), &crowded_out) { Err(Reason::Busy) } else { Ok(()) }
    }

    fn start_offer(&mut self, from: Option<PeerId>, rendition: Rendition, now: Instant) {
        self.make_way(&from, now);
        self.replace((from.as_ref(), None), now);
        let id = self.begin_offer(from.clone(), self.tongue.own_shape(), rendition, now);
        self.note(Level::Info, Some(id), from, format!("call offered: {rendition}"));
    }

    /// A call with `to` that webrtcbin is to make the offer of.
    pub(super) fn begin_offer(
        &mut self,
        to: Option<PeerId>,
        shape: Shape,
        rendition: Rendition,
        now: Instant,
    ) -> CallId {
        self.open_for(Some(rendition), now);
        let id = self.next_call();
        self.commands.push_back(Command::Offer { call: id, rendition, sound: self.settings.sound });
        let call = Call {
            address: self.address(to.clone(), None),
            key: None,
            offer: String::new(),
            shape,
            path: None,
            rendition: Some(rendition),
            feed: Feed::Full,
            keeps: None,
            takes: None,
            since: now,
            life: Life::Offering { until: now + ANSWER_DEADLINE },
            away_until: None,
            replaced_at: None,
            told: Default::default(),
            talks: false,
            told_floor: None,
            turn: 0,
            candidates: 0,
            visit: None,
            mark: Mark { from: to, tag: None, ufrag: None },
        };
        self.calls.insert(id, call);
        id
    }

    /// webrtcbin has made the offer.
    pub(super) fn offered(&mut self, id: CallId, sdp: String, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let sound = sdp::read(&sdp).is_ok_and(|offer| !offer.media.is_empty());
        if !call.offered(sdp, now) {
            return;
        }
        if sound && call.is_published() {
            self.publish_offer(id);
        } else if sound {
            let message = self.tongue.offer(&call.address, call.shape, &call.offer);
            self.send(message);
        } else {
            self.end(id, Reason::Failed, Farewell::Said, now);
        }
    }

    /// A viewer answers: the newest offer that it can be meant for.
    pub(super) fn answer_came(&mut self, from: &Option<PeerId>, answer: &str, now: Instant) {
        let meant = |call: &Call| {
            call.is_offered()
                && !call.is_published()
                && (from.is_none() || call.mark.from.is_none() || call.mark.from == *from)
        };
        let Some(id) = self.find(meant).pop() else {
            // Of a call that has ended, or meant for somebody else in the room.
            self.refusals.count(Reason::BadAnswer);
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        match accept::judge(&call.offer, answer) {
            Ok(accepted) => self.take_answer(id, accepted, now),
            Err(Reason::NoCodec) if self.has_another(id) => {
                let viewer = self.calls.get(&id).and_then(|call| call.mark.from.clone());
                let text = "the viewer takes no H.264; it is called again with VP8".to_owned();
                self.note(Level::Info, Some(id), viewer.clone(), text);
                self.end(id, Reason::NoCodec, Farewell::Unsaid, now);
                self.start_offer(viewer, Rendition::Vp8, now);
            }
            Err(reason) => self.end(id, reason, Farewell::Said, now),
        }
    }

    /// Hands out an answer to an offer of ours, and what waited for it.
    pub(super) fn take_answer(&mut self, id: CallId, accepted: Accepted, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waiting = call.accepted(&accepted.ufrag, now);
        self.commands.push_back(Command::TakeAnswer { call: id, answer: Box::new(accepted) });
        let waiting = waiting.into_iter();
        self.commands.extend(waiting.map(|candidate| Command::AddCandidate { call: id, candidate }));
    }

    /// Whether a viewer that does not take what it was offered can be offered something else.
    fn has_another(&self, id: CallId) -> bool {
        let closing = self.calls.values().filter(|call| call.is_closing()).count();
        let answering = self.going().filter(|(other, call)| *other != id && call.is_answering()).count();
        self.settings.fallback == Fallback::Vp8
            && self.calls.get(&id).is_some_and(|call| call.rendition == Some(Rendition::H264))
            && !self.is_stopping()
            && answering < ANSWERING_AT_ONCE
            && closing < CLOSING_AT_ONCE
    }
}
