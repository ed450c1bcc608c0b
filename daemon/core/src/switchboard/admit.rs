//! Judging offers: an offer is answered, or refused with a word that is counted. Must not know how a message is spelt
//! or what an SDP says beyond its plan.

use std::collections::BTreeSet;
use std::time::Instant;

use super::call::{Call, Life, Visit, Whose};
use super::early::Mark;
use super::{Farewell, Relay, Switchboard};
use crate::access::{Key, Role};
use crate::adapt::Feed;
use crate::command::{Command, Level};
use crate::config::settings::Access;
use crate::ids::{CallId, CallTag, PeerId, Rendition};
use crate::sdp::choose::{self, AnswerPlan, Direction, Talk};
use crate::sdp::read as sdp;
use crate::wire::limits::{
    ANSWER_DEADLINE, ANSWERING_AT_ONCE, CLOSING_AT_ONCE, KEPT_FOR_OTHERS, REPLACED_LIFE,
};
use crate::wire::{Address, Offer, Reason, Shape};

/// What an offer comes to.
enum Verdict {
    /// A call of its own.
    Admitted {
        plan: Box<AnswerPlan>,
        /// What it was made with, where keys decide.
        key: Option<Key>,
    },
    /// It has come before.
    Repeated(CallId),
}

impl Switchboard {
    /// A viewer calls. `vouched`: the relay vouches for its name.
    pub(super) fn offer(&mut self, offer: Offer, vouched: bool, now: Instant) {
        match self.judge(&offer, vouched, now) {
            Ok(Verdict::Admitted { plan, key }) => self.admit(offer, plan, key, None, now),
            Ok(Verdict::Repeated(id)) => {
                let answer = self.calls.get(&id).and_then(Call::answer).cloned();
                self.commands.extend(answer.map(Command::Send));
            }
            Err(reason) => self.refuse(offer.from, offer.tag, reason, now),
        }
    }

    /// Tells the sender of an offer that it is not taken, where it can be told.
    pub(super) fn refuse(
        &mut self,
        from: Option<PeerId>,
        tag: Option<CallTag>,
        reason: Reason,
        now: Instant,
    ) {
        let address = self.address(from.clone(), tag);
        let message = self.tongue.refused(&address, reason);
        self.commands.extend(message.map(Command::Send));
        self.count_refusal(from, reason, now);
    }

    pub(super) fn address(&self, to: Option<PeerId>, call: Option<CallTag>) -> Address {
        Address { room: self.settings.room.room.clone(), from: self.settings.me.clone(), to, call }
    }

    fn judge(&mut self, offer: &Offer, vouched: bool, now: Instant) -> Result<Verdict, Reason> {
        if self.is_stopping() {
            return Err(Reason::ShuttingDown);
        }
        let key = match self.settings.room.access {
            Access::Keys => match self.judge_key(offer, vouched, now)? {
                (_, Some(call)) => return Ok(Verdict::Repeated(call)),
                (key, None) => Some(key),
            },
            access => {
                if !self.rate.admits(&offer.from, now) {
                    return Err(Reason::TooOften);
                }
                if access == Access::Local && offer.shape != Shape::Porthole {
                    return Err(Reason::NotAllowed);
                }
                if let Some(id) = self.find_repeated(offer, None)? {
                    return Ok(Verdict::Repeated(id));
                }
                None
            }
        };
        let talk = match &key {
            Some(key) if key.role < Role::Talk => Talk::Forbidden,
            _ => Talk::Allowed,
        };
        let plan = self.plan(offer, talk, key.as_ref())?;
        Ok(Verdict::Admitted { plan, key })
    }

    /// What to answer an offer of somebody with who is let in, with `key` where keys decide.
    pub(super) fn plan(
        &self,
        offer: &Offer,
        talk: Talk,
        key: Option<&Key>,
    ) -> Result<Box<AnswerPlan>, Reason> {
        let plan = Box::new(choose::plan_for(&offer.sdp, self.settings.fallback, talk)?);
        let strange = matches!(offer.shape, Shape::Tutorial(_));
        let crowded_out = if strange { self.crowded_out(&offer.from) } else { vec![] };
        let full = self.is_full((offer.from.as_ref(), key.map(|key| &key.id)), &crowded_out)
            || key.is_some_and(|key| self.has_its_share(key, &offer.from));
        if full { Err(Reason::Busy) } else { Ok(plan) }
    }

    /// Whether a key has as many viewers as one may have. A quarter of the places is left to the other keys, so that one
    /// link that got around does not keep the family out; whoever manages the camera may take them all.
    fn has_its_share(&self, key: &Key, from: &Option<PeerId>) -> bool {
        let most = self.settings.room.max_calls;
        let its = |call: &Call| call.key.as_ref().is_some_and(|other| other.id == key.id);
        let others = self.going().filter(|(_, call)| its(call) && call.mark.from != *from);
        let viewers: BTreeSet<_> = others.map(|(_, call)| call.viewer()).collect();
        key.role < Role::Manage && viewers.len() >= most - most / KEPT_FOR_OTHERS
    }

    /// The key that an offer proves, and the call it has made already, if it has. Nothing is counted against a key
    /// before its holder is known to have spoken, and nothing twice for what the holder has said once.
    fn judge_key(
        &mut self,
        offer: &Offer,
        vouched: bool,
        now: Instant,
    ) -> Result<(Key, Option<CallId>), Reason> {
        let key = self.door.prove(offer, vouched, &self.settings, now)?;
        let repeated = self.find_repeated(offer, Some(&key));
        if !self.door.takes(&key.id, offer.proof.as_deref().unwrap_or_default()) {
            return match repeated {
                Ok(Some(call)) if self.door.admits_again(&key.id, now) => Ok((key, Some(call))),
                Ok(Some(_)) => Err(Reason::TooOften),
                // Somebody repeats what the holder of the key once said.
                Ok(None) | Err(_) => Err(Reason::NotAllowed),
            };
        }
        if self.door.admits(&key.id, now) { Ok((key, repeated?)) } else { Err(Reason::TooOften) }
    }

    /// The call this very offer has made already. Any other offer for the same call is an error: webrtcbin cannot
    /// take part in a second negotiation. `key`: what it was made with, where keys decide.
    fn find_repeated(&self, offer: &Offer, key: Option<&Key>) -> Result<Option<CallId>, Reason> {
        let ufrag = sdp::ufrag(&offer.sdp);
        let same_call = |call: &Call| {
            call.mark.from == offer.from
                && match (&call.mark.tag, &offer.tag) {
                    (Some(its), Some(tag)) => its == tag,
                    _ => ufrag.is_some() && call.mark.ufrag.as_deref() == ufrag,
                }
        };
        match self.going().find(|(_, call)| same_call(call)) {
            Some((id, call))
                if call.key.as_ref().map(|key| &key.id) == key.map(|key| &key.id)
                    && sdp::same_offer(&call.offer, &offer.sdp) =>
            {
                Ok(Some(id))
            }
            Some(_) => Err(Reason::CallAgain),
            None => Ok(None),
        }
    }

    /// Through somebody else's relay: the calls that a new one with `from` ends, the oldest first. Pages that are not
    /// ours cannot tell each other's answers apart, so the newest viewer wins.
    pub(super) fn crowded_out(&self, from: &Option<PeerId>) -> Vec<CallId> {
        let Relay::Foreign { calls, .. } = self.settings.relay else { return Vec::new() };
        let others = || {
            self.going()
                .filter(|(_, call)| call.mark.from != *from && matches!(call.shape, Shape::Tutorial(_)))
        };
        let mut viewers: Vec<&Option<PeerId>> = Vec::new();
        for (_, call) in others() {
            if !viewers.contains(&&call.mark.from) {
                viewers.push(&call.mark.from);
            }
        }
        viewers.truncate((viewers.len() + 1).saturating_sub(calls));
        others().filter(|(_, call)| viewers.contains(&&call.mark.from)).map(|(id, _)| id).collect()
    }

    /// Ends what a new call with `from` crowds out.
    pub(super) fn make_way(&mut self, from: &Option<PeerId>, now: Instant) {
        for id in self.crowded_out(from) {
            let viewer = self.calls.get(&id).and_then(|call| call.viewer().cloned());
            self.note(Level::Info, Some(id), viewer, "a newer viewer takes the place of this one".into());
            self.end(id, Reason::Replaced, Farewell::Unsaid, now);
        }
    }

    /// Whether another call would be too many, once those of `ending` are gone. Viewers are counted: a call that
    /// replaces one is not one more.
    pub(super) fn is_full(&self, whose: Whose<'_>, ending: &[CallId]) -> bool {
        let others = || {
            let going = self.going().filter(|(_, call)| !call.is_published());
            let going = going.filter(|(id, call)| call.whose() != whose && !ending.contains(id));
            going.map(|(_, call)| call)
        };
        let viewers: BTreeSet<_> = others().map(Call::whose).collect();
        let closing = self.calls.values().filter(|call| call.is_closing()).count();
        viewers.len() >= self.settings.room.max_calls
            || others().filter(|call| call.is_answering()).count() >= ANSWERING_AT_ONCE
            || closing >= CLOSING_AT_ONCE
    }

    /// Takes a call. `visit`: where a player finds it.
    pub(super) fn admit(
        &mut self,
        offer: Offer,
        plan: Box<AnswerPlan>,
        key: Option<Key>,
        visit: Option<Visit>,
        now: Instant,
    ) {
        if matches!(offer.shape, Shape::Tutorial(_)) {
            self.make_way(&offer.from, now);
        }
        self.replace((offer.from.as_ref(), key.as_ref().map(|key| &key.id)), now);
        let id = self.next_call();
        let mark = Mark { from: offer.from, tag: offer.tag, ufrag: Some(plan.ufrag.clone()) };
        let rendition = plan.rendition;
        let takes = plan.takes;
        let feed = self.begins_with(rendition, takes);
        self.open_for(rendition.and_then(|format| feed.of(format)), now);
        let trickle = offer.shape.trickles();
        let talks = plan.media.iter().any(|media| media.direction == Direction::SendRecv);
        self.commands.push_back(Command::Answer { call: id, plan: plan.clone(), trickle });
        if let Some(small) = rendition.map(Rendition::small).filter(|_| feed == Feed::Small) {
            self.commands.push_back(Command::Feed { call: id, picture: Some(small) });
        }
        let holder = key.as_ref().map_or(String::new(), |key| format!(", for \"{}\"", key.name));
        let mut call = Call {
            address: self.address(mark.from.clone(), mark.tag.clone()),
            key,
            offer: offer.sdp,
            shape: offer.shape,
            path: None,
            rendition,
            feed,
            keeps: None,
            takes,
            since: now,
            life: Life::Answering { plan, until: now + ANSWER_DEADLINE, ours: Vec::new() },
            away_until: None,
            replaced_at: None,
            told: Default::default(),
            talks,
            told_floor: None,
            turn: 0,
            candidates: 0,
            visit,
            mark,
        };
        for candidate in self.early.take(&call.mark) {
            if call.takes_candidate() {
                self.commands.push_back(Command::AddCandidate { call: id, candidate });
            } else {
                self.refusals.count(Reason::TooOften);
            }
        }
        let picture = rendition.map_or("no picture".into(), |rendition| rendition.to_string());
        self.note(Level::Info, Some(id), call.mark.from.clone(), format!("call started: {picture}{holder}"));
        self.calls.insert(id, call);
    }

    /// A number that no call had.
    pub(super) fn next_call(&mut self) -> CallId {
        self.last_call += 1;
        CallId(self.last_call)
    }

    /// Opens what a call needs, where nobody needed it before.
    pub(super) fn open_for(&mut self, rendition: Option<Rendition>, now: Instant) {
        if !self.privacy && self.capture.is_used(now) {
            self.start_capture(now);
        }
        if let Some(rendition) = rendition.filter(|rendition| !self.renditions.contains_key(rendition)) {
            self.renditions.insert(rendition, Default::default());
            let back = self.encoders.entry(rendition).or_default().starts(now);
            let choose = |attempt| Command::ChooseEncoder { rendition, attempt };
            self.commands.extend(back.map(choose));
            self.commands.push_back(Command::StartRendition(rendition));
        }
    }

    /// The viewer calls again, with the same key where there is one: its live call may outlive the new offer for a while, so
    /// that the picture stays until there is a new one; others of its calls end now.
    pub(super) fn replace(&mut self, whose: Whose<'_>, now: Instant) {
        let old = self.find(|call| call.whose() == whose);
        if whose.0.is_none() && !old.is_empty() {
            let text = "a viewer without a name calls; it replaces the other one without a name";
            self.note(Level::Info, None, None, text.into());
        }
        for id in old {
            match self.calls.get_mut(&id) {
                Some(call) if call.is_live() => {
                    call.replaced_at.get_or_insert(now + REPLACED_LIFE);
                }
                _ => self.end(id, Reason::Replaced, Farewell::Unsaid, now),
            }
        }
    }
}
