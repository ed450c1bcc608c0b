//! The one dialect that is spoken at this moment: the one chosen, or the one that was heard. Must not know time, calls
//! or sockets.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::choice::{Choice, Known, Wrap};
use super::listen::{Asked, Evidence, detect, is_bare};
use super::read::{self, Reading};
use super::spec::{JOINS, Join, Means, Spec};
use super::write;
use crate::ids::{PeerId, RoomName};
use crate::wire::{Address, Incoming, Mirror, Outgoing, Reason, Shape, Unreadable};

/// How often a dialect is news while the link is up: strangers speak there too.
const NEWS: u8 = 8;

/// Reads and writes in one dialect, and finds out which where that is not written down.
#[derive(Debug, Clone)]
pub struct Tongue {
    /// The dialect that was chosen, or that is believed.
    spec: Spec,
    /// Nobody but our own pages is served.
    for_ours: bool,
    /// What has been heard, where the dialect was left open.
    ear: Option<Ear>,
    /// The spellings of joining still to be tried, the next one last.
    joins: Vec<Join>,
    /// The last one that was tried.
    asked: Option<Join>,
    /// Something was heard since the link is up.
    echoed: bool,
}

/// What has been heard so far.
#[derive(Debug, Clone, Default)]
struct Ear {
    /// What the relay is taken to speak since the link is up.
    believed: Option<Known>,
    /// A call that was made so is or was live: no other family is believed any more.
    proven: bool,
    /// What was news last.
    told: Option<Known>,
    /// How much was news since the link is up.
    news: u8,
    /// The spellings of joining after which something was heard.
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
            Choice::Auto => (Spec::known(Known::A), Some(Ear::default())),
        };
        Self { spec, for_ours: false, ear, joins: Vec::new(), asked: None, echoed: false }
    }

    /// The same where nobody but our own pages is served: what they say gets through only where messages are objects, so
    /// no stranger can talk us into a dialect in which they are something else.
    pub fn for_our_pages(self) -> Self {
        Self { for_ours: true, ..self }
    }

    /// The link is up: joining starts from the first spelling, or from the one that was heard last time. Whatever else
    /// was found out by listening is forgotten.
    pub fn start(&mut self) {
        if let Some(ear) = &mut self.ear {
            *ear = Ear { told: ear.told, join: ear.join.take(), ..Ear::default() };
            self.spec = Spec::known(Known::A);
        }
        self.start_joining();
    }

    /// The camera is not in the room, or not any more: joining starts anew.
    pub fn start_joining(&mut self) {
        (self.asked, self.echoed) = (None, false);
        if let Some(ear) = &self.ear {
            let every = JOINS.iter().map(|(event, shape)| Join { event: (*event).into(), shape: *shape });
            let mut joins: Vec<Join> = ear.join.iter().cloned().collect();
            joins.extend(every.filter(|join| Some(join) != ear.join.as_ref()));
            self.joins = joins;
        } else {
            self.joins.clone_from(&self.spec.joins);
        }
        self.joins.reverse();
    }

    /// A call that was made like this is live: whoever says something else from now on is not believed.
    pub fn works(&mut self, shape: Shape) {
        let Some(ear) = &mut self.ear else { return };
        let Some(known) = family(shape).filter(|_| !ear.proven) else { return };
        if !ear.believed.is_some_and(|believed| believed.is_like(known)) {
            ear.believed = Some(known);
            self.spec = Spec::known(known);
        }
        ear.proven = true;
    }

    /// The next spelling with which to ask to be let in; `None` when all were tried.
    pub fn next_join(&mut self, room: &RoomName, me: &PeerId, name: &str) -> Option<Outgoing> {
        let join = self.joins.pop()?;
        let asked = write::join(&self.spec, &join, room, me, name);
        self.asked = Some(join);
        Some(asked)
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
        let Listened { told, news } = self.listen(room, event, args);
        let spec = self.reading(told, event);
        let Reading { mut result, known, echo } = read::read(&spec, sender, me, room, event, args);
        if let (Some(ear), Ok(Incoming::Offer(offer))) = (&self.ear, &mut result)
            && let Shape::Tutorial(mirror) = &mut offer.shape
        {
            *mirror = match told.or(ear.believed) {
                _ if event == "offer" && is_bare(args) => Mirror::Bare,
                Some(dialect) if spec.wrap != Wrap::Object => Mirror::Dialect(dialect),
                _ => *mirror,
            };
        }
        // What comes first tells best which spelling was heard; to be sent out tells nothing.
        if known
            && !self.echoed
            && !matches!(result, Ok(Incoming::Away(_)))
            && let Some(ear) = &mut self.ear
        {
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

    /// Whether a relay of this dialect says to whoever has joined that it is in. Where the dialect is not written down
    /// nobody knows.
    pub fn is_confirmed(&self) -> bool {
        let says_so = |means| matches!(means, Means::Entered { .. } | Means::Present);
        self.ear.is_none() && self.spec.hears.iter().any(|(_, means)| says_so(*means))
    }

    /// What the camera says when it has come into a room in which somebody is.
    pub fn comes_in(&self, room: &RoomName) -> Option<Outgoing> {
        self.spec.comes_in.map(|said| write::said(said, room))
    }

    /// The answer to an offer wrapped in `shape`.
    pub fn answer(&self, address: &Address, shape: Shape, sdp: &str) -> Outgoing {
        if shape == Shape::Porthole {
            return Outgoing::answer(address, shape, sdp);
        }
        let mut answer = write::answer(&self.speaking(shape), address, shape, sdp);
        if shape == Shape::Tutorial(Mirror::Bare) {
            answer.args.push(json!(address.room));
        }
        answer
    }

    /// How an offer of the camera's own is wrapped now.
    pub fn own_shape(&self) -> Shape {
        let believed = self.ear.as_ref().and_then(|ear| ear.believed);
        Shape::Tutorial(believed.map_or(Mirror::Text, Mirror::Dialect))
    }

    /// Whether whoever calls like `shape` would be disturbed by an offer of the camera's own: it is heard by everybody.
    pub fn disturbs(&self, shape: Shape) -> bool {
        let believed = self.ear.as_ref().and_then(|ear| ear.believed);
        matches!((believed, family(shape)), (Some(believed), Some(known)) if !believed.is_like(known))
    }

    /// An offer of the camera's own, wrapped in `shape`.
    pub fn offer(&self, address: &Address, shape: Shape, sdp: &str) -> Outgoing {
        write::offer(&self.speaking(shape), address, sdp)
    }

    /// The camera ends a call with a page that wraps like `shape`; `None` where it has no word that could be heard.
    pub fn bye(&self, address: &Address, shape: Shape, reason: Reason) -> Option<Outgoing> {
        match shape {
            Shape::Porthole => address.reaches_somebody().then(|| Outgoing::bye(address, reason)),
            Shape::Tutorial(_) => write::bye(&self.speaking(shape), address, reason),
            Shape::Http => None,
        }
    }

    /// The camera does not take a call; `None` where it has no word that could be heard.
    pub fn refused(&self, address: &Address, reason: Reason) -> Option<Outgoing> {
        // Where nothing is written down, whoever has a name was read in an object.
        let heard = self.ear.is_some() || self.spec.wrap == Wrap::Object;
        (heard && address.reaches_somebody()).then(|| Outgoing::refused(address, reason))
    }

    /// Whether objects of our own, which no page of this dialect asks for, do no harm here.
    pub fn takes_objects(&self) -> bool {
        self.spec.takes_objects()
    }

    /// Lets a message change what is believed, where the dialect was left open.
    fn listen(&mut self, room: &RoomName, event: &str, args: &[Value]) -> Listened {
        let Some(ear) = &mut self.ear else { return Listened::default() };
        let last = self.asked.as_ref().map_or("", |join| &*join.event);
        let as_c = !last.is_empty() && !self.joins.iter().any(|join| join.event == "join_room");
        let (known, sure) = match detect(Asked { last, as_c }, room, event, args) {
            None => return Listened::default(),
            Some(Evidence::Likely(_)) if ear.believed.is_some() => return Listened::default(),
            Some(Evidence::Likely(known)) => (known, false),
            Some(Evidence::Sure(known)) => (known, true),
        };
        if self.for_ours && !Spec::known(known).takes_objects() {
            return Listened::default();
        }
        let told = sure.then_some(known);
        if ear.believed.is_some_and(|believed| believed.is_like(known)) {
            return Listened { told, news: None };
        }
        if ear.proven {
            // Whoever calls is answered; a word that would have us call is not heard.
            return Listened { told: told.filter(|_| Spec::known(known).is_offer(event, args)), news: None };
        }
        ear.believed = Some(known);
        self.spec = Spec::known(known);
        if ear.told == Some(known) || ear.news >= NEWS {
            return Listened { told, news: None };
        }
        (ear.told, ear.news) = (Some(known), ear.news + 1);
        Listened { told, news: Some(known) }
    }

    /// The dialect in which to read an event: its own where it tells that, else the one that is believed. What that one
    /// has no word for, and pages of the tutorial say when they call, is theirs.
    fn reading(&self, told: Option<Known>, event: &str) -> Cow<'_, Spec> {
        let spec = match told {
            Some(told) if self.ear.as_ref().is_some_and(|ear| ear.believed != Some(told)) => {
                Cow::Owned(Spec::known(told))
            }
            _ => Cow::Borrowed(&self.spec),
        };
        if self.ear.is_none() || spec.means(event).is_some() {
            return spec;
        }
        let tutorial = Spec::known(Known::A);
        match tutorial.means(event) {
            Some(Means::Offer | Means::Candidate | Means::Bye) => Cow::Owned(tutorial),
            _ => spec,
        }
    }

    /// The dialect in which to speak about a call that was made like `shape`.
    fn speaking(&self, shape: Shape) -> Cow<'_, Spec> {
        match (&self.ear, shape) {
            (Some(_), Shape::Tutorial(Mirror::Dialect(known))) => Cow::Owned(Spec::known(known)),
            (Some(_), Shape::Tutorial(_)) => Cow::Owned(Spec::known(Known::A)),
            _ => Cow::Borrowed(&self.spec),
        }
    }
}

/// What a message gave away: the dialect in which it has to be read, and which is news.
#[derive(Default)]
struct Listened {
    told: Option<Known>,
    news: Option<Known>,
}

/// Whose pages call like this, as far as that tells.
fn family(shape: Shape) -> Option<Known> {
    match shape {
        Shape::Tutorial(Mirror::Text | Mirror::Object) => Some(Known::A),
        Shape::Tutorial(Mirror::Dialect(known)) => Some(known),
        // Ours speaks alike everywhere, and a description alone is brought by relays of several kinds.
        Shape::Tutorial(Mirror::Bare) | Shape::Porthole | Shape::Http => None,
    }
}
