//! One call: who it is with, how far it has come, and when it has waited long enough. Must not know other calls.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::door::around;
use super::early::Mark;
use super::troubles::Troubles;
use crate::access::proof::Around;
use crate::access::{Key, KeyId, proof};
use crate::adapt::Feed;
use crate::ids::{PeerId, Rendition};
use crate::path::Path;
use crate::sdp::choose::AnswerPlan;
use crate::whep::{Place, RequestId};
use crate::wire::dialect::Tongue;
use crate::wire::limits::{
    CANDIDATES_PER_CALL, CLOSE_DEADLINE, CONNECT_DEADLINE, OVERFLOW_GAP, OVERFLOW_GRACE, OVERFLOW_WINDOW,
    OVERFLOWS, SILENCE, SOUND_SILENCE, VIEWER_DEADLINE,
};
use crate::wire::{Address, Bye, Candidate, Floor, Outgoing, Reason, Shape, Talk};

/// A viewer's name, and the key that it calls with.
pub(super) type Whose<'a> = (Option<&'a PeerId>, Option<&'a KeyId>);

/// One attempt with one viewer.
#[derive(Debug)]
pub(super) struct Call {
    /// What tells it from other attempts.
    pub(super) mark: Mark,
    /// What stands around everything that is said about it.
    pub(super) address: Address,
    /// The key it is made with, where keys decide.
    pub(super) key: Option<Key>,
    /// The offer as it came, to be known again and proved to be answered; or our own, once it is made.
    pub(super) offer: String,
    /// How its offer was wrapped.
    pub(super) shape: Shape,
    /// The format of what it watches, where a picture was asked for.
    pub(super) rendition: Option<Rendition>,
    /// Which way it takes, once that is known.
    pub(super) path: Option<Path>,
    /// How much of it, as far as the way to it carries that.
    pub(super) feed: Feed,
    /// What it had, and goes on to get until a key frame of what it is to get is there; and since when.
    pub(super) keeps: Option<(Rendition, Instant)>,
    /// The most that the viewer wants of it, in kbit/s, where it says so.
    pub(super) takes: Option<u32>,
    /// When its offer came.
    pub(super) since: Instant,
    /// How far it has come.
    pub(super) life: Life,
    /// Until when its viewer may stay away from the relay unheard.
    pub(super) away_until: Option<Instant>,
    /// Until when it may outlive the call that replaces it.
    pub(super) replaced_at: Option<Instant>,
    /// What its viewer was told last of camera and microphone.
    pub(super) told: Troubles,
    /// What its viewer may say would arrive.
    pub(super) talks: bool,
    /// What its viewer was told last of who talks.
    pub(super) told_floor: Option<Floor>,
    /// The largest turn of a wish to talk that was believed.
    pub(super) turn: u64,
    /// How many candidates the viewer has sent.
    pub(super) candidates: usize,
    /// Where it is found, if its viewer has come over HTTP.
    pub(super) visit: Option<Visit>,
}

/// A call of a player.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) place: Place,
    /// The request that waits for the answer.
    pub(super) waiting: Option<RequestId>,
}

/// How far a call has come.
#[derive(Debug)]
pub(super) enum Life {
    /// webrtcbin makes an offer of ours.
    Offering { until: Instant },
    /// It is out; the viewer has to answer.
    Offered {
        until: Instant,
        /// The viewer's candidates that came before its answer.
        theirs: Vec<Option<Candidate>>,
    },
    /// webrtcbin works on the offer.
    Answering {
        plan: Box<AnswerPlan>,
        until: Instant,
        /// Our candidates that came before the answer.
        ours: Vec<Option<Candidate>>,
    },
    /// The answer is out (or the viewer's is in); ICE and DTLS are at work.
    Connecting { answer: Option<Outgoing>, until: Instant },
    /// Frames flow.
    Live { answer: Option<Outgoing>, since: Instant, silent_at: Instant, overflows: VecDeque<Instant> },
    /// Hung up; the media side is releasing it.
    Closing { until: Instant },
}

/// What one of our own candidates needs.
pub(super) enum Ours {
    /// To be sent now.
    Send(Outgoing),
    /// Nothing: kept until the answer is out, inside the answer already, or too late.
    Nothing,
}

impl Call {
    /// The peer, where it has a name.
    pub(super) fn viewer(&self) -> Option<&PeerId> {
        self.mark.from.as_ref()
    }

    /// Whose it is: a name is heard by others, a key is not.
    pub(super) fn whose(&self) -> Whose<'_> {
        (self.viewer(), self.key.as_ref().map(|key| &key.id))
    }

    /// The encoding it gets.
    pub(super) fn watched(&self) -> Option<Rendition> {
        self.feed.of(self.rendition?)
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.life, Life::Closing { .. })
    }

    /// It is the camera's own, to the server of `[publish]`.
    pub(super) fn is_published(&self) -> bool {
        self.shape == Shape::Http && self.visit.is_none()
    }

    /// There is no answer yet, neither ours nor the viewer's.
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.life, Life::Answering { .. } | Life::Offering { .. } | Life::Offered { .. })
    }

    /// The viewer has to answer.
    pub(super) fn is_offered(&self) -> bool {
        matches!(self.life, Life::Offered { .. })
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.life, Life::Live { .. })
    }

    /// Since when frames flow, while they do.
    pub(super) fn live_since(&self) -> Option<Instant> {
        if let Life::Live { since, .. } = &self.life { Some(*since) } else { None }
    }

    /// The answer that has been sent, if it has.
    pub(super) fn answer(&self) -> Option<&Outgoing> {
        match &self.life {
            Life::Connecting { answer, .. } | Life::Live { answer, .. } => answer.as_ref(),
            _ => None,
        }
    }

    /// Whether a good-bye is its viewer's: there is no key, or it is proved.
    pub(super) fn believes(&self, bye: &Bye) -> bool {
        let Some(key) = &self.key else { return true };
        let (Some(from), Some(tag), Some(proof)) = (&self.mark.from, &self.mark.tag, &bye.proof) else {
            return false;
        };
        let me = &self.address.from;
        // As with offers: where nobody says who is there, it may be to nobody in particular.
        let to = if bye.to_us { me.as_str() } else { "" };
        let around = Around { to, ..around(&self.address.room, from, me, tag) };
        proof::is_of_bye(proof, &key.secret, around, &bye.reason)
    }

    /// Whether a wish to talk is its viewer's: there is no key, or it is proved, and for the first time.
    pub(super) fn believes_talk(&mut self, talk: &Talk) -> bool {
        let Some(key) = &self.key else {
            self.turn = self.turn.max(talk.turn);
            return true;
        };
        let Some(proof) = talk.proof.as_ref().filter(|_| talk.turn > self.turn) else { return false };
        let me = &self.address.from;
        let to = if talk.to_us { me.as_str() } else { "" };
        let around = Around { to, ..around(&self.address.room, &talk.from, me, &talk.tag) };
        let holds = proof::is_of_talk(proof, &key.secret, around, talk.want.word(), talk.turn);
        if holds {
            self.turn = talk.turn;
        }
        holds
    }

    /// What is said to its viewer at the end, which proves the key that it was made with.
    pub(super) fn bye(&self, tongue: &Tongue, reason: Reason) -> Option<Outgoing> {
        match (&self.key, &self.address.to, &self.address.call) {
            (Some(key), Some(to), Some(call)) => {
                let around = around(&self.address.room, &self.address.from, to, call);
                let proof = proof::of_bye(&key.secret, around, reason.word());
                Some(Outgoing::proved_bye(&self.address, reason, &proof))
            }
            _ => tongue.bye(&self.address, self.shape, reason),
        }
    }

    /// Counts one of the viewer's candidates. `false`: one too many.
    pub(super) fn takes_candidate(&mut self) -> bool {
        let takes = self.candidates < CANDIDATES_PER_CALL;
        if takes {
            self.candidates += 1;
        }
        takes
    }

    /// What of a viewer's candidate is for the media side now: nothing while its answer has not come.
    pub(super) fn held_back(&mut self, candidate: Option<Candidate>) -> Option<Option<Candidate>> {
        match &mut self.life {
            Life::Offering { .. } => None,
            Life::Offered { theirs, .. } => {
                theirs.push(candidate);
                None
            }
            _ => Some(candidate),
        }
    }

    /// webrtcbin has made our offer. `true`: it was awaited, and is out from now on.
    pub(super) fn offered(&mut self, sdp: String, now: Instant) -> bool {
        let awaited = matches!(self.life, Life::Offering { .. });
        if awaited {
            self.offer = sdp;
            self.life = Life::Offered { until: now + VIEWER_DEADLINE, theirs: Vec::new() };
        }
        awaited
    }

    /// The viewer's answer is taken; its `ufrag` is known from now on. Hands out the candidates that waited for it.
    pub(super) fn accepted(&mut self, ufrag: &str, now: Instant) -> Vec<Option<Candidate>> {
        let Life::Offered { theirs, .. } = &mut self.life else { return Vec::new() };
        let theirs = std::mem::take(theirs);
        self.life = Life::Connecting { answer: None, until: now + CONNECT_DEADLINE };
        self.mark.ufrag = Some(ufrag.to_owned());
        let fits = |candidate: &Candidate| candidate.ufrag().is_none_or(|own| own == ufrag);
        theirs.into_iter().filter(|candidate| candidate.as_ref().is_none_or(fits)).collect()
    }

    /// webrtcbin has answered: what to send, in order; empty where no answer was awaited. `name`: what our own page is
    /// told that the camera is called. An error ends the call.
    pub(super) fn answered(
        &mut self,
        sdp: &str,
        tongue: &Tongue,
        name: Option<&str>,
        now: Instant,
    ) -> Result<Vec<Outgoing>, Reason> {
        let Life::Answering { plan, ours, .. } = &mut self.life else { return Ok(Vec::new()) };
        let (sdp, address) = (plan.finish(sdp)?, &self.address);
        let mut answer = match (&self.key, &address.to, &address.call) {
            (Some(key), Some(to), Some(call)) => {
                let around = around(&address.room, &address.from, to, call);
                let proof = proof::of_answer(&key.secret, around, &self.offer, &sdp);
                Outgoing::proved_answer(address, &sdp, &proof)
            }
            _ => tongue.answer(address, self.shape, &sdp),
        };
        if let Some(name) = name.filter(|_| self.shape == Shape::Porthole) {
            answer.introduce(name);
        }
        let ours = std::mem::take(ours);
        let follow = ours.iter().map(|candidate| Outgoing::candidate(&self.address, candidate.as_ref()));
        let messages = std::iter::once(answer.clone()).chain(follow).collect();
        self.life = Life::Connecting { answer: Some(answer), until: now + CONNECT_DEADLINE };
        Ok(messages)
    }

    /// webrtcbin has answered a player: the answer, if one was awaited, and the request that waits for it. An error
    /// ends the call.
    pub(super) fn answered_over_http(
        &mut self,
        sdp: &str,
        now: Instant,
    ) -> Result<Option<(RequestId, String)>, Reason> {
        let Life::Answering { plan, .. } = &self.life else { return Ok(None) };
        let answer = plan.finish(sdp)?;
        let waiting = self.visit.as_mut().and_then(|visit| visit.waiting.take());
        self.life = Life::Connecting { answer: None, until: now + CONNECT_DEADLINE };
        Ok(waiting.map(|request| (request, answer)))
    }

    /// One of our own candidates was found.
    pub(super) fn found(&mut self, candidate: Option<Candidate>) -> Ours {
        if !self.shape.trickles() {
            return Ours::Nothing;
        }
        match &mut self.life {
            Life::Answering { ours, .. } => {
                if ours.len() < CANDIDATES_PER_CALL {
                    ours.push(candidate);
                }
                Ours::Nothing
            }
            Life::Connecting { .. } | Life::Live { .. } => {
                Ours::Send(Outgoing::candidate(&self.address, candidate.as_ref()))
            }
            _ => Ours::Nothing,
        }
    }

    /// ICE and DTLS are up. `true`: for the first time, after the answer.
    pub(super) fn connected(&mut self, now: Instant) -> bool {
        let Life::Connecting { answer, .. } = &self.life else { return false };
        let (answer, overflows) = (answer.clone(), VecDeque::new());
        self.life = Life::Live { answer, since: now, silent_at: now + self.silence(), overflows };
        self.away_until = None;
        true
    }

    /// Something arrived from the viewer: it is there, whatever the relay says.
    pub(super) fn heard(&mut self, now: Instant) {
        let until = now + self.silence();
        if let Life::Live { silent_at, .. } = &mut self.life {
            *silent_at = until;
            self.away_until = None;
        }
    }

    /// How long it may be silent.
    fn silence(&self) -> Duration {
        if self.rendition.is_some() { SILENCE } else { SOUND_SILENCE }
    }

    /// The viewer's queue overflowed. `true`: too often.
    pub(super) fn overflowed(&mut self, now: Instant) -> bool {
        let Life::Live { overflows, since, .. } = &mut self.life else { return false };
        // What piled up while the ways were being found is no fault of the viewer's.
        if now < *since + OVERFLOW_GRACE {
            return false;
        }
        // One stall is told of once for every packet of sound that found no room.
        if overflows.back().is_some_and(|last| now < *last + OVERFLOW_GAP) {
            return false;
        }
        overflows.retain(|then| now < *then + OVERFLOW_WINDOW);
        overflows.push_back(now);
        overflows.len() >= OVERFLOWS
    }

    /// It is hung up; from now on it only waits to be closed.
    pub(super) fn close(&mut self, now: Instant) {
        self.life = Life::Closing { until: now + CLOSE_DEADLINE };
        (self.away_until, self.replaced_at) = (None, None);
        self.offer = String::new();
    }

    /// When it has waited long enough for whatever comes next, and the word for that.
    pub(super) fn deadline(&self) -> (Instant, Reason) {
        let (until, reason) = match &self.life {
            Life::Offering { until } | Life::Answering { until, .. } | Life::Closing { until } => {
                (*until, Reason::Failed)
            }
            Life::Offered { until, .. } => (*until, Reason::NoAnswer),
            Life::Connecting { until, .. } => (*until, Reason::NoConnection),
            Life::Live { silent_at, .. } => (*silent_at, Reason::Silent),
        };
        let away = self.away_until.map(|until| (until, Reason::Silent));
        let replaced = self.replaced_at.map(|until| (until, Reason::Replaced));
        [away, replaced].into_iter().flatten().fold((until, reason), |a, b| if b.0 < a.0 { b } else { a })
    }

    /// How long ago its offer came.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}
