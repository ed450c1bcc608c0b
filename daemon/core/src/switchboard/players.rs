//! Players that watch over HTTP (WHEP): each request is judged, and gets one response. Must not know HTTP, nor how a
//! message to a peer is spelt.

use std::time::Instant;

use super::Switchboard;
use super::call::{Call, Visit};
use crate::access::Key;
use crate::command::Command;
use crate::config::settings::Access;
use crate::ids::{CallId, Name};
use crate::sdp::choose::Talk;
use crate::whep::{
    Ask, Credentials, Fragment, Matches, Place, Refusal, Request, RequestId, Response, one_stream,
};
use crate::wire::{Offer, Reason, Shape};

impl Switchboard {
    /// A player asks for something.
    pub(super) fn player(&mut self, request: Request, now: Instant) {
        let Request { id, from, private, credentials, ask } = request;
        let holder = self.holder(&from, private, &credentials, ask == Ask::Snapshot, now);
        let done = holder.and_then(|key| match ask {
            Ask::Watch { place, offer } => {
                self.watch(id, &from, key, place, offer, now).map_err(Refusal::Call).map(|()| None)
            }
            Ask::Snapshot => self.snapshot(id, &from, key.as_ref(), now),
            Ask::Trickle { place, matches, fragment } => {
                let call = self.visited(&place, key.as_ref())?;
                self.trickle(call, &matches, &fragment).map(|()| Some(Response::Taken))
            }
            Ask::HangUp { place } => {
                let call = self.visited(&place, key.as_ref())?;
                self.end(call, Reason::HangUp, super::Farewell::Unsaid, now);
                Ok(Some(Response::Ended))
            }
        });
        match done {
            // Its call has to be answered first, or its picture made.
            Ok(None) => {}
            Ok(Some(response)) => self.commands.push_back(Command::Respond { request: id, response }),
            Err(refusal) => self.turn_away(id, from, refusal, now),
        }
    }

    /// webrtcbin has answered a player's offer.
    pub(super) fn answer_player(&mut self, id: CallId, sdp: &str, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.answered_over_http(sdp, now) {
            Ok(Some((request, answer))) => {
                let Some(visit) = &call.visit else { return };
                let (place, answer) = (visit.place.clone(), one_stream(&answer));
                let response = Response::Watching { place, tag: tag(id), answer };
                self.commands.push_back(Command::Respond { request, response });
            }
            Ok(None) => {}
            Err(reason) => self.end(id, reason, super::Farewell::Said, now),
        }
    }

    /// Whoever asks; `None` where nobody is asked for a key.
    fn holder(
        &mut self,
        from: &Name,
        private: bool,
        credentials: &Credentials,
        snapshot: bool,
        now: Instant,
    ) -> Result<Option<Key>, Refusal> {
        if self.settings.room.access != Access::Keys {
            return Ok(None);
        }
        match credentials {
            // What was said in the clear is not even looked at: whoever is on the way has it, right or wrong.
            credentials if !private => Err(Refusal::NotPrivate { shown: *credentials != Credentials::None }),
            Credentials::None => Err(Refusal::NoKey),
            Credentials::Signed(signed) if snapshot => {
                self.door.signed(signed, &self.settings.room.room, from, now).map(Some)
            }
            // Nothing else is to be had for a signature.
            Credentials::Signed(_) | Credentials::Wrong => Err(Refusal::Call(self.door.doubt(from, now))),
            Credentials::Bearer(shown) => self.door.shown(shown, from, now).map(Some).map_err(Refusal::Call),
        }
    }

    fn watch(
        &mut self,
        request: RequestId,
        from: &Name,
        key: Option<Key>,
        place: Place,
        sdp: String,
        now: Instant,
    ) -> Result<(), Reason> {
        if self.is_stopping() {
            return Err(Reason::ShuttingDown);
        }
        let admits = match &key {
            Some(key) => self.door.admits(&key.id, now),
            None => self.player_rate.admits(from, now),
        };
        if !admits {
            return Err(Reason::TooOften);
        }
        // Nobody else can have this name: it is made of what nobody guesses.
        let viewer = Some(place.peer());
        let offer =
            Offer { from: viewer, tag: None, to: None, key: None, proof: None, sdp, shape: Shape::Http };
        // Media goes one way here, whatever the key allows.
        let plan = self.plan(&offer, Talk::Forbidden, key.as_ref())?;
        let visit = Visit { place, waiting: Some(request) };
        self.admit(offer, plan, key, Some(visit), now);
        Ok(())
    }

    /// The call at `place`, for whoever it is with.
    fn visited(&self, place: &Place, key: Option<&Key>) -> Result<CallId, Refusal> {
        let there = |call: &Call| call.visit.as_ref().is_some_and(|visit| visit.place == *place);
        let theirs = |call: &Call| call.key.as_ref().map(|key| &key.id) == key.map(|key| &key.id);
        let found = self.going().find(|(_, call)| there(call) && theirs(call));
        found.map(|(id, _)| id).ok_or(Refusal::NoCall)
    }

    fn trickle(&mut self, id: CallId, matches: &Matches, fragment: &str) -> Result<(), Refusal> {
        let Some(call) = self.calls.get_mut(&id) else { return Err(Refusal::NoCall) };
        match matches.means(&tag(id)) {
            None => return Err(Refusal::NoMatch),
            Some(false) => return Err(Refusal::OtherMatch),
            Some(true) => {}
        }
        let fragment = Fragment::read(fragment).map_err(|_| Refusal::Unreadable)?;
        let other = |ufrag: &String| call.mark.ufrag.as_ref() != Some(ufrag);
        if fragment.ufrags.iter().any(other) {
            return Err(Refusal::Restart);
        }
        let end = fragment.complete.then_some(None);
        for candidate in fragment.candidates.into_iter().map(Some).chain(end) {
            if !call.takes_candidate() {
                return Err(Refusal::Call(Reason::TooOften));
            }
            self.commands.push_back(Command::AddCandidate { call: id, candidate });
        }
        Ok(())
    }

    /// Says that a request gets nothing, and counts it where that is somebody's fault.
    fn turn_away(&mut self, request: RequestId, from: Name, refusal: Refusal, now: Instant) {
        let counted = match refusal {
            Refusal::Call(reason) => Some(reason),
            Refusal::NoKey | Refusal::NotPrivate { .. } | Refusal::Stale => Some(Reason::NotAllowed),
            Refusal::Unreadable => Some(Reason::BadMessage),
            Refusal::Restart => Some(Reason::CallAgain),
            Refusal::Private | Refusal::NoCall | Refusal::NoMatch | Refusal::OtherMatch => None,
        };
        self.commands.push_back(refused(request, refusal));
        if let Some(reason) = counted {
            self.count_refusal(Some(from), reason, now);
        }
    }
}

/// What a request is told that gets nothing.
pub(super) fn refused(request: RequestId, refusal: Refusal) -> Command {
    Command::Respond { request, response: Response::Refused(refusal) }
}

/// The entity-tag of a call's ICE negotiation; there is only one, since none can be begun anew.
fn tag(id: CallId) -> String {
    format!("ice-{id}")
}
