//! What the link reports and peers say, apart from judging offers. Must not know how a message is spelt.

use std::time::Instant;

use super::early::Mark;
use super::{Farewell, Switchboard};
use crate::command::Command;
use crate::event::LinkEvent;
use crate::ids::{CallTag, PeerId};
use crate::wire::limits::LEFT_GRACE;
use crate::wire::{Candidate, Incoming, Outgoing, Reason, Unreadable, read};

impl Switchboard {
    pub(super) fn handle_link(&mut self, event: LinkEvent, now: Instant) {
        match event {
            LinkEvent::Up => {
                (self.link_up, self.lost) = (true, None);
                if !self.is_stopping() {
                    let room = &self.settings.room;
                    self.send(Outgoing::join(&room.room, &self.settings.me, &room.camera));
                }
            }
            LinkEvent::Down { why, .. } => {
                // Calls go on, and the link itself says in the log what has happened.
                (self.link_up, self.lost) = (false, Some(why));
            }
            LinkEvent::Message { sender, name, args } => {
                let payload = args.first().unwrap_or(&serde_json::Value::Null);
                match read(sender.as_ref(), &self.settings.me, &self.settings.room.room, &name, payload) {
                    Ok(message) => self.hear(message, now),
                    Err(unreadable) => self.refuse_unreadable(unreadable, now),
                }
            }
        }
    }

    fn hear(&mut self, message: Incoming, now: Instant) {
        match message {
            Incoming::Offer(offer) => self.offer(offer, now),
            Incoming::Candidate { from, tag, candidate } => self.candidate(from, tag, candidate, now),
            Incoming::Bye { from, tag } => self.bye(&from, &tag, now),
            Incoming::Joined { peer } => self.is_there(&peer),
            Incoming::Present { peers } => peers.iter().for_each(|peer| self.is_there(peer)),
            Incoming::Left { peer } => self.left(&peer, now),
            Incoming::Answer { .. }
            | Incoming::Wanted { .. }
            | Incoming::Entered { .. }
            | Incoming::Away(_) => {}
            Incoming::Nothing => {}
        }
    }

    fn refuse_unreadable(&mut self, unreadable: Unreadable, now: Instant) {
        let Unreadable { from, tag, reason, offer } = unreadable;
        if offer {
            self.refuse(from, tag, reason, now);
        } else {
            self.count_refusal(from, reason, now);
        }
    }

    /// A viewer's candidate goes to its call, or waits for the offer it has overtaken.
    fn candidate(
        &mut self,
        from: Option<PeerId>,
        tag: Option<CallTag>,
        candidate: Option<Candidate>,
        now: Instant,
    ) {
        let ufrag = candidate.as_ref().and_then(Candidate::ufrag).map(ToOwned::to_owned);
        let mark = Mark { from, tag, ufrag };
        let stopping = self.is_stopping();
        // The newest first: where nothing else tells a viewer's calls apart, it speaks of the last one it made.
        let found = self.calls.iter_mut().rev().find(|(_, call)| call.mark.fits(&mark));
        let taken = match found {
            Some((_, call)) if call.is_closing() => true,
            Some((id, call)) => {
                let taken = call.takes_candidate();
                if taken {
                    self.commands.push_back(Command::AddCandidate { call: *id, candidate });
                }
                taken
            }
            None => stopping || self.early.keep(mark, candidate, now),
        };
        if !taken {
            self.refusals.count(Reason::TooOften);
        }
    }

    /// A viewer hangs up: the call it names, else all it has.
    fn bye(&mut self, from: &Option<PeerId>, tag: &Option<CallTag>, now: Instant) {
        for id in self.find(|call| call.mark.from == *from && (tag.is_none() || call.mark.tag == *tag)) {
            self.end(id, Reason::HangUp, Farewell::Unsaid, now);
        }
    }

    fn is_there(&mut self, peer: &PeerId) {
        for call in self.calls.values_mut().filter(|call| call.viewer() == Some(peer)) {
            call.away_until = None;
        }
    }

    fn left(&mut self, peer: &PeerId, now: Instant) {
        for call in self.calls.values_mut().filter(|call| call.viewer() == Some(peer) && !call.is_closing()) {
            call.away_until.get_or_insert(now + LEFT_GRACE);
        }
    }
}
