//! The one dialect that is spoken at this moment: the one chosen, or the one that was heard. Must not know time, calls
//! or sockets.

use serde_json::Value;

use super::choice::{Choice, Known, Wrap};
use super::listen::{Evidence, detect};
use super::read::{self, Reading};
use super::spec::{JOINS, Join, Spec};
use super::write;
use crate::ids::{PeerId, RoomName};
use crate::wire::{Address, Incoming, Outgoing, Reason, Shape, Unreadable};

/// How often what is heard may change the mind about the dialect while the link is up: strangers speak there too.
const CHANGES: u8 = 8;

/// Reads and writes in one dialect, and finds out which where that is not written down.
#[derive(Debug, Clone)]
pub struct Tongue {
    spec: Spec,
    /// Nobody but our own pages is served.
    for_ours: bool,
    /// Who is spoken to, where the dialect was left open.
    ear: Option<Ear>,
    /// The spellings of joining still to be tried, the next one last.
    joins: Vec<Join>,
    /// The last one that was tried.
    asked: Option<Join>,
    /// Something was heard since the link is up.
    echoed: bool,
}

/// What has been heard so far.
#[derive(Debug, Clone)]
struct Ear {
    known: Option<Known>,
    changes: u8,
    /// The spelling after which something was heard.
    join: Option<Join>,
}

/// What a message came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What it says.
    pub message: Result<Incoming, Unreadable>,
    /// Whether its very name means something here: the camera is in a room where this dialect is spoken.
    pub understood: bool,
    /// The dialect that it has given away, if that is news.
    pub news: Option<Known>,
}

impl Tongue {
    /// Speaks as the owner has chosen.
    pub fn new(choice: &Choice) -> Self {
        let (spec, ear) = match choice {
            Choice::Known(known) => (Spec::known(*known), None),
            Choice::Custom(custom) => (Spec::custom(custom), None),
            // Until something is heard, every spelling of the tutorial is understood.
            Choice::Auto => (Spec::known(Known::A), Some(Ear { known: None, changes: 0, join: None })),
        };
        Self { spec, for_ours: false, ear, joins: Vec::new(), asked: None, echoed: false }
    }

    /// The same where nobody but our own pages is served: what they say gets through only where messages are objects, so
    /// no stranger can talk us into a dialect in which they are something else.
    pub fn for_our_pages(self) -> Self {
        Self { for_ours: true, ..self }
    }

    /// The link is up: joining starts from the first spelling, or from the one that was heard last time.
    pub fn start(&mut self) {
        (self.asked, self.echoed) = (None, false);
        let mut joins = self.spec.joins.clone();
        if let Some(ear) = &mut self.ear {
            ear.changes = 0;
            let every = JOINS.iter().map(|(event, shape)| Join { event: (*event).into(), shape: *shape });
            let first = ear.join.iter().cloned();
            let own = if ear.known.is_some() { joins } else { Vec::new() };
            joins = Vec::new();
            for join in first.chain(own).chain(every) {
                if !joins.contains(&join) {
                    joins.push(join);
                }
            }
        }
        joins.reverse();
        self.joins = joins;
    }

    /// The next spelling with which to ask to be let in; `None` when all were tried.
    pub fn next_join(&mut self, room: &RoomName, me: &PeerId, name: &str) -> Option<Outgoing> {
        self.asked = Some(self.joins.pop()?);
        self.join_again(room, me, name)
    }

    /// The last spelling once more.
    pub fn join_again(&self, room: &RoomName, me: &PeerId, name: &str) -> Option<Outgoing> {
        self.asked.as_ref().map(|join| write::join(&self.spec, join, room, me, name))
    }

    /// Reads one Socket.IO event with all its arguments. `sender` is whoever the relay vouches for.
    pub fn read(
        &mut self,
        sender: Option<&PeerId>,
        me: &PeerId,
        room: &RoomName,
        event: &str,
        args: &[Value],
    ) -> Heard {
        let news = self.listen(room, event, args);
        let Reading { result, known, echo } = read::read(&self.spec, sender, me, room, event, args);
        if known && let Some(ear) = &mut self.ear {
            ear.join.clone_from(&self.asked);
        }
        self.echoed |= known;
        // Many servers take whatever they are given for a room, and announce it there: that is no reason not to ask
        // in other words too.
        Heard { message: result, understood: known && !(echo && self.has_more_joins()), news }
    }

    /// Whether somebody has said anything, be it only that we came.
    pub fn is_heard(&self) -> bool {
        self.echoed
    }

    /// Whether some spellings of joining have not been tried.
    pub fn has_more_joins(&self) -> bool {
        !self.joins.is_empty()
    }

    /// What the camera says when it has come into a room in which somebody is.
    pub fn comes_in(&self, room: &RoomName) -> Option<Outgoing> {
        self.spec.comes_in.map(|said| write::said(said, room))
    }

    /// The answer to an offer wrapped in `shape`.
    pub fn answer(&self, address: &Address, shape: Shape, sdp: &str) -> Outgoing {
        match shape {
            Shape::Porthole => Outgoing::answer(address, shape, sdp),
            Shape::Tutorial(_) => write::answer(&self.spec, address, shape, sdp),
        }
    }

    /// An offer of the camera's own.
    pub fn offer(&self, address: &Address, sdp: &str) -> Outgoing {
        write::offer(&self.spec, address, sdp)
    }

    /// The camera ends a call with a page that wraps like `shape`; `None` where it has no word that could be heard.
    pub fn bye(&self, address: &Address, shape: Shape, reason: Reason) -> Option<Outgoing> {
        match shape {
            Shape::Porthole => address.reaches_somebody().then(|| Outgoing::bye(address, reason)),
            Shape::Tutorial(_) => write::bye(&self.spec, address, reason),
        }
    }

    /// The camera does not take a call; `None` where it has no word that could be heard.
    pub fn refused(&self, address: &Address, reason: Reason) -> Option<Outgoing> {
        let heard = self.spec.wrap == Wrap::Object && address.reaches_somebody();
        heard.then(|| Outgoing::refused(address, reason))
    }

    /// Whether objects of our own, which no page of this dialect asks for, do no harm here.
    pub fn takes_objects(&self) -> bool {
        self.spec.takes_objects()
    }

    /// Lets a message change the mind about the dialect, where it was left open.
    fn listen(&mut self, room: &RoomName, event: &str, args: &[Value]) -> Option<Known> {
        let ear = self.ear.as_mut()?;
        let asked = self.asked.as_ref().map_or("", |join| &*join.event);
        let known = match detect(asked, room, event, args)? {
            Evidence::Sure(known) => known,
            Evidence::Likely(known) if ear.known.is_none() => known,
            Evidence::Likely(_) => return None,
        };
        if ear.known == Some(known) || ear.changes >= CHANGES {
            return None;
        }
        let spec = Spec::known(known);
        if self.for_ours && !spec.takes_objects() {
            return None;
        }
        ear.changes += 1;
        ear.known = Some(known);
        self.spec = spec;
        Some(known)
    }
}
