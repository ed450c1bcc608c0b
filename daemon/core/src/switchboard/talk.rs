//! What the link reports and peers say, apart from judging offers. Must not know how a message is spelt.

use std::time::Instant;

use super::call::Call;
use super::early::Mark;
use super::entry::News;
use super::{Farewell, Switchboard};
use crate::command::{Command, Level};
use crate::config::settings::Access;
use crate::event::LinkEvent;
use crate::ids::{CallTag, PeerId};
use crate::wire::limits::LEFT_GRACE;
use crate::wire::{Away, Bye, Candidate, Incoming, Reason, Unreadable};

impl Switchboard {
    pub(super) fn handle_link(&mut self, event: LinkEvent, now: Instant) {
        match event {
            LinkEvent::Up => {
                if !self.is_stopping() {
                    let join = self.entry.up(&mut self.tongue, now);
                    self.commands.extend(join.map(Command::Send));
                    let live = self.calls.values().filter(|call| call.is_live());
                    live.for_each(|call| self.tongue.works(call.shape));
                }
                self.tell_news(now);
            }
            // Said once, however often the link fails to come back.
            LinkEvent::Down { why, reason } => {
                let news = self.entry.down(why, reason, now);
                news.into_iter().for_each(|news| self.tell(news));
            }
            LinkEvent::Published(word) => self.hear_of_errand(word, now),
            LinkEvent::Request(request) => self.player(request, now),
            LinkEvent::Message { sender, name, args } => {
                let (me, room) = (&self.settings.me, &self.settings.room.room);
                let heard = self.tongue.read(sender.as_ref(), me, room, &name, &args);
                if let Some(dialect) = heard.news {
                    // What was heard of others in the room meant something else.
                    self.entry.is_no_newcomer();
                    let text = format!("the relay speaks dialect \"{dialect}\"");
                    self.note(Level::Info, None, None, text);
                }
                if heard.understood {
                    self.entry.is_in(now);
                }
                match heard.message {
                    Ok(message) => self.hear(message, sender.is_some(), now),
                    Err(unreadable) => self.refuse_unreadable(unreadable, now),
                }
            }
        }
    }

    /// Tells the log what has become of the way into the room.
    pub(super) fn tell_news(&mut self, now: Instant) {
        while let Some(news) = self.entry.news(&self.tongue, now) {
            self.tell(news);
        }
    }

    fn tell(&mut self, news: News) {
        let room = &self.settings.room.room;
        let (level, text) = match news {
            News::Lost(reason) => (Level::Warn, format!("the relay is lost, calls go on: {reason}")),
            News::NotReached(reason) => (Level::Warn, format!("the relay is not reached: {reason}")),
            News::Reached => (Level::Info, "the relay is reached".into()),
            News::InAgain => (Level::Info, format!("in room {room} again")),
            News::Unconfirmed => (
                Level::Warn,
                format!(
                    "the relay is reached, but has not said that the camera is in room {room}: check [room] name, and \
                     whether [relay] dialect is what that relay speaks"
                ),
            ),
            News::Unheard => (
                Level::Info,
                format!(
                    "room {room} is asked for, and nobody has said anything there yet; many relays do not before the \
                     first call. If no call gets through, check [room] name and [relay] dialect"
                ),
            ),
        };
        self.note(level, None, None, text);
    }

    /// `vouched`: the relay vouches for its sender.
    fn hear(&mut self, message: Incoming, vouched: bool, now: Instant) {
        match message {
            Incoming::Offer(offer) => self.offer(offer, vouched, now),
            Incoming::Candidate { from, tag, candidate } => self.candidate(from, tag, candidate, now),
            Incoming::Bye(bye) => self.bye(&bye, now),
            Incoming::Talk(talk) => self.talk(talk, now),
            Incoming::Joined { peer } => self.is_there(&peer),
            Incoming::Present { peers } => peers.iter().for_each(|peer| self.is_there(peer)),
            Incoming::Left { peer } => self.left(&peer, now),
            Incoming::Answer { from, sdp } => self.answer_came(&from, &sdp, now),
            Incoming::Wanted { from } => self.wanted(from, now),
            Incoming::Entered { others } => self.entered(others, now),
            Incoming::Away(why) => self.is_away(why, now),
            // An offer that was made to another camera, or in another room, and is shown to this one. Where several
            // cameras share a relay that passes everything to everybody, that happens all day: nobody is told.
            Incoming::Misdirected => {
                if self.settings.room.access == Access::Keys {
                    self.refusals.count(Reason::NotAllowed);
                }
            }
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
        // But a call whose viewer's ufrag is not known yet leaves those that name another call's to that one.
        let named = |call: &Call| mark.ufrag.is_some() && call.mark.ufrag == mark.ufrag;
        let mut fitting = self.calls.iter().rev().filter(|(_, call)| call.mark.fits(&mark));
        let found =
            fitting.clone().find(|(_, call)| named(call)).or_else(|| fitting.next()).map(|(id, _)| *id);
        let taken = match found.and_then(|id| Some((id, self.calls.get_mut(&id)?))) {
            Some((_, call)) if call.is_closing() => true,
            Some((id, call)) => {
                let taken = call.takes_candidate();
                if taken && let Some(candidate) = call.held_back(candidate) {
                    self.commands.push_back(Command::AddCandidate { call: id, candidate });
                }
                taken
            }
            None => stopping || self.early.keep(mark, candidate, now),
        };
        if !taken {
            self.refusals.count(Reason::TooOften);
        }
    }

    /// A viewer hangs up: the call it names, else all it has. A call that was made with a key ends only for whoever proves
    /// the same key, whoever vouches for it.
    fn bye(&mut self, bye: &Bye, now: Instant) {
        let Bye { from, tag, .. } = bye;
        for id in self.find(|call| call.mark.from == *from && (tag.is_none() || call.mark.tag == *tag)) {
            if self.calls.get(&id).is_some_and(|call| call.believes(bye)) {
                self.end(id, Reason::HangUp, Farewell::Unsaid, now);
            } else {
                self.count_refusal(from.clone(), Reason::NotAllowed, now);
            }
        }
    }

    /// The relay has let the camera in. Where members make offers, somebody who is there is asked for one.
    fn entered(&mut self, others: bool, now: Instant) {
        self.entry.entered(others, now);
        if others && !self.is_stopping() {
            let coming = self.tongue.comes_in(&self.settings.room.room);
            self.commands.extend(coming.map(Command::Send));
        }
    }

    /// The relay has not let the camera in, or has put it out; it asks again by itself.
    fn is_away(&mut self, why: Away, now: Instant) {
        if !self.entry.away(why, now) {
            return;
        }
        let room = &self.settings.room.room;
        let text = match why {
            Away::Full => format!(
                "room {room} is full, asking again: let somebody leave it, or give the camera a room of its own \
                 with [room] name"
            ),
            Away::Kicked => format!(
                "sent out of room {room}, asking again: see on the relay who did that, and whether two cameras \
                 have the same room and name"
            ),
            Away::NoSuchRoom => format!(
                "the relay knows no room {room}, asking again: create it there, or correct [room] name"
            ),
            Away::NotAllowed => format!(
                "the relay does not let the camera into room {room}, asking again: correct [room] name, or what \
                 [relay.auth] sends"
            ),
        };
        self.note(Level::Warn, None, None, text);
    }

    fn is_there(&mut self, peer: &PeerId) {
        for call in self.calls.values_mut().filter(|call| call.viewer() == Some(peer)) {
            call.away_until = None;
        }
        // Whoever loses the relay forgets what was said: it may have missed the end of it.
        for id in self.find(|call| call.viewer() == Some(peer) && call.answer().is_some()) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.told = Default::default();
                call.told_floor = None;
            }
            self.catch_up(id);
        }
    }

    fn left(&mut self, peer: &PeerId, now: Instant) {
        for call in self.calls.values_mut().filter(|call| call.viewer() == Some(peer) && !call.is_closing()) {
            call.away_until.get_or_insert(now + LEFT_GRACE);
        }
    }
}
