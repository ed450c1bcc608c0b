//! Every dialect as data: what its events are called, what they mean and how they are wrapped. Must not know how a
//! message is read or written: `read` and `write` do, and one of each is enough for all.

use std::borrow::Cow;

use serde_json::Value;

use super::choice::{Custom, JoinShape, Known, Wrap};
use crate::wire::Away;
use crate::wire::read::Ids;

/// A dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// What the camera says to enter the room, one after the other until something is heard.
    pub(super) joins: Vec<Join>,
    /// What the camera says right after it has entered a room in which somebody is, so that they make the offer.
    pub(super) comes_in: Option<Said>,
    /// What an offer of the camera is called.
    pub(super) offer: Cow<'static, str>,
    /// What its answer is called.
    pub(super) answer: Cow<'static, str>,
    /// How it says that it hangs up, where pages would understand.
    pub(super) bye: Bye,
    /// How descriptions are wrapped.
    pub(super) wrap: Wrap,
    /// Whose ids stand in messages.
    pub(super) ids: Ids,
    /// What the events mean that are heard.
    pub(super) hears: Vec<(Cow<'static, str>, Means)>,
}

/// A message that asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Join {
    pub(super) event: Cow<'static, str>,
    pub(super) shape: JoinShape,
}

/// A message that has the room in it, or a fixed text and the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// `event(room)`.
    Room(&'static str),
    /// `event(text, room)`.
    Text(&'static str, &'static str),
}

/// How the camera says that it hangs up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bye {
    /// An object with everything in it.
    Object(Cow<'static, str>),
    /// As it is.
    Said(Said),
    /// There is no word for it.
    Unsaid,
}

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
    /// A candidate.
    Candidate,
    /// Somebody hangs up.
    Bye,
    /// Somebody wants to talk, or no longer.
    Talk,
    /// Somebody came, and calls.
    Joined,
    /// Somebody came, and is to be called.
    Wanted,
    /// Somebody left.
    Left,
    /// The camera is in the room; whether somebody was there before.
    Entered { others: bool },
    /// It is not.
    Away(Away),
    /// Who is there, as our own relay says it.
    Present,
    /// Our own relay, or one that wants to be asked differently, refuses.
    Refused,
    /// Whatever its argument says.
    Message,
}

type Heard = (&'static str, Means);

/// Our own words, and those of every page that puts all into one object.
const OBJECT: &[Heard] = &[
    ("offer", Means::Offer),
    ("candidate", Means::Candidate),
    ("ice-candidate", Means::Candidate),
    ("bye", Means::Bye),
    ("talk", Means::Talk),
    ("join", Means::Joined),
    ("joined", Means::Joined),
    ("user-joined", Means::Joined),
    ("left", Means::Left),
    ("user-left", Means::Left),
];
const PORTHOLE: &[Heard] = &[("room", Means::Present), ("refused", Means::Refused)];
/// More spellings of A, B and E.
const TUTORIAL: &[Heard] = &[
    ("iceCandidate", Means::Candidate),
    ("icecandidate", Means::Candidate),
    ("ice", Means::Candidate),
    ("hangup", Means::Bye),
    ("hang-up", Means::Bye),
    ("end-call", Means::Bye),
    ("call-ended", Means::Bye),
    ("user-connected", Means::Joined),
    ("user joined", Means::Joined),
    ("other user", Means::Joined),
    ("ready", Means::Joined),
    ("user-disconnected", Means::Left),
    ("user left", Means::Left),
    ("peer-disconnected", Means::Left),
    ("leave", Means::Left),
];
const C: &[Heard] = &[
    ("welcome", Means::Wanted),
    ("offer", Means::Offer),
    ("answer", Means::Answer),
    ("ice", Means::Candidate),
    ("candidate", Means::Candidate),
    ("bye", Means::Bye),
    ("leave", Means::Bye),
];
const C2: &[Heard] = &[
    ("created", Means::Entered { others: false }),
    ("joined", Means::Entered { others: true }),
    ("ready", Means::Wanted),
    ("offer", Means::Offer),
    ("answer", Means::Answer),
    ("candidate", Means::Candidate),
    ("bye", Means::Bye),
    ("leave", Means::Bye),
];
const D: &[Heard] = &[
    ("created", Means::Entered { others: false }),
    ("joined", Means::Entered { others: true }),
    ("message", Means::Message),
    // The library cannot tell a word that is the only argument of a message from an event of that name.
    ("got user media", Means::Wanted),
    ("bye", Means::Bye),
];
const F: &[Heard] = &[
    ("room_created", Means::Entered { others: false }),
    ("room_joined", Means::Entered { others: true }),
    ("start_call", Means::Wanted),
    ("webrtc_offer", Means::Offer),
    ("webrtc_answer", Means::Answer),
    ("webrtc_ice_candidate", Means::Candidate),
    ("bye", Means::Bye),
];
const G: &[Heard] = &[
    ("joined", Means::Entered { others: false }),
    ("otherjoin", Means::Wanted),
    ("message", Means::Message),
    ("bye", Means::Bye),
];
/// How servers say that they do not let the camera in, whatever else they say.
const AWAY: &[Heard] = &[
    ("full", Means::Away(Away::Full)),
    ("full_room", Means::Away(Away::Full)),
    ("room_full", Means::Away(Away::Full)),
    ("room-full", Means::Away(Away::Full)),
    ("roomFull", Means::Away(Away::Full)),
    ("room full", Means::Away(Away::Full)),
    ("kicked", Means::Away(Away::Kicked)),
    ("kick", Means::Away(Away::Kicked)),
    ("removed", Means::Away(Away::Kicked)),
    ("banned", Means::Away(Away::Kicked)),
    ("room-not-found", Means::Away(Away::NoSuchRoom)),
    ("room_not_found", Means::Away(Away::NoSuchRoom)),
    ("roomNotFound", Means::Away(Away::NoSuchRoom)),
    ("invalid-room", Means::Away(Away::NoSuchRoom)),
    ("invalid_room", Means::Away(Away::NoSuchRoom)),
    ("unauthorized", Means::Away(Away::NotAllowed)),
    ("forbidden", Means::Away(Away::NotAllowed)),
    ("not-allowed", Means::Away(Away::NotAllowed)),
];

/// Spellings of joining, in the order in which a relay of unknown dialect is asked. The object comes first, because our
/// own relay would take the room's name alone for a viewer's.
pub(super) const JOINS: [(&str, JoinShape); 9] = [
    ("join", JoinShape::Object),
    ("join", JoinShape::Room),
    ("join-room", JoinShape::Room),
    ("join-room", JoinShape::Object),
    ("joinRoom", JoinShape::Room),
    ("joinRoom", JoinShape::Object),
    ("join_room", JoinShape::Room),
    ("join room", JoinShape::Room),
    ("create or join", JoinShape::Room),
];

impl Spec {
    /// One that is known.
    pub(super) fn known(known: Known) -> Self {
        let join = |events: &[&str], shapes: &[JoinShape]| {
            let asks = JOINS.iter().filter(|(event, shape)| events.contains(event) && shapes.contains(shape));
            asks.map(|(event, shape)| Join { event: Cow::Borrowed(event), shape: *shape }).collect::<Vec<_>>()
        };
        // Pages of A, B and E are answered alike, so what tells one from another is often something else than how
        // their relay wants to be joined: all of them are asked in each other's words too, in their own first.
        let join_and_others = |events: &[&str], shapes: &[JoinShape]| {
            let own = join(events, shapes);
            let others =
                join(&["join", "join-room", "joinRoom", "join room"], &[JoinShape::Object, JoinShape::Room]);
            let others: Vec<_> = others.into_iter().filter(|join| !own.contains(join)).collect();
            own.into_iter().chain(others).collect()
        };
        let (object, room) = (JoinShape::Object, JoinShape::Room);
        let object_wrapped = |joins, hears: &[&[Heard]]| Self {
            joins,
            comes_in: None,
            offer: Cow::Borrowed("offer"),
            answer: Cow::Borrowed("answer"),
            bye: Bye::Object(Cow::Borrowed("bye")),
            wrap: Wrap::Object,
            ids: Ids::Theirs,
            hears: meanings(hears),
        };
        let two_members = |event, hears: &[Heard]| Self {
            joins: join(&[event], &[room]),
            comes_in: None,
            offer: Cow::Borrowed("offer"),
            answer: Cow::Borrowed("answer"),
            bye: Bye::Unsaid,
            wrap: Wrap::Args,
            ids: Ids::None,
            hears: meanings(&[hears, AWAY]),
        };
        let message = Cow::Borrowed("message");
        match known {
            Known::Porthole => {
                Self { ids: Ids::Ours, ..object_wrapped(join(&["join"], &[object]), &[OBJECT, PORTHOLE]) }
            }
            Known::A | Known::A0 => {
                object_wrapped(join_and_others(&["join"], &[object, room]), &[OBJECT, TUTORIAL, AWAY])
            }
            Known::B => object_wrapped(
                join_and_others(&["join-room", "joinRoom"], &[object, room]),
                &[OBJECT, TUTORIAL, AWAY],
            ),
            Known::E => object_wrapped(join_and_others(&["join room"], &[room]), &[OBJECT, TUTORIAL, AWAY]),
            Known::C => two_members("join_room", C),
            Known::C2 => Self { comes_in: Some(Said::Room("ready")), ..two_members("join", C2) },
            Known::D => Self {
                comes_in: Some(Said::Text("message", "got user media")),
                offer: message.clone(),
                answer: message,
                bye: Bye::Said(Said::Text("message", "bye")),
                ..two_members("create or join", D)
            },
            Known::F => Self {
                comes_in: Some(Said::Room("start_call")),
                offer: Cow::Borrowed("webrtc_offer"),
                answer: Cow::Borrowed("webrtc_answer"),
                wrap: Wrap::Sdp,
                ..two_members("join", F)
            },
            Known::G => Self {
                offer: message.clone(),
                answer: message,
                wrap: Wrap::RoomFirst,
                ..two_members("join", G)
            },
        }
    }

    /// One written by hand.
    pub(super) fn custom(custom: &Custom) -> Self {
        let name = |text: &str| Cow::<'static, str>::Owned(text.to_owned());
        let joined = if custom.offers { Means::Wanted } else { Means::Joined };
        // One event for several says itself what it means.
        let means = |event: &str, means| match custom.one_event() && event == custom.offer {
            true => Means::Message,
            false => means,
        };
        let heard = [
            (&custom.offer, means(&custom.offer, Means::Offer)),
            (&custom.answer, means(&custom.answer, Means::Answer)),
            (&custom.candidate, means(&custom.candidate, Means::Candidate)),
            (&custom.bye, means(&custom.bye, Means::Bye)),
            (&custom.joined, joined),
            (&custom.left, Means::Left),
            (&custom.full, Means::Away(Away::Full)),
        ];
        let hears = heard.into_iter().filter(|(event, _)| !event.is_empty());
        let join =
            (!custom.join.is_empty()).then(|| Join { event: name(&custom.join), shape: custom.join_shape });
        Self {
            joins: join.into_iter().collect(),
            comes_in: None,
            offer: name(&custom.offer),
            answer: name(&custom.answer),
            bye: match custom.bye.as_str() {
                "" => Bye::Unsaid,
                event => Bye::Object(name(event)),
            },
            wrap: custom.shape,
            ids: if custom.shape == Wrap::Object { Ids::Theirs } else { Ids::None },
            hears: hears.map(|(event, means)| (name(event), means)).chain(meanings(&[AWAY])).collect(),
        }
    }

    /// What an event means here.
    pub(super) fn means(&self, event: &str) -> Option<Means> {
        self.hears.iter().find(|(name, _)| name == event).map(|(_, means)| *means)
    }

    /// Whether this is an offer here.
    pub(super) fn is_offer(&self, event: &str, args: &[Value]) -> bool {
        match self.means(event) {
            Some(Means::Offer) => true,
            Some(Means::Message) => {
                args.iter().any(|arg| arg.get("type").is_some_and(|kind| kind == "offer"))
            }
            _ => false,
        }
    }

    /// Whether everything of a message stands in one object, which may hold more than this relay's own words.
    pub(super) fn takes_objects(&self) -> bool {
        self.wrap == Wrap::Object
    }
}

fn meanings(hears: &[&[Heard]]) -> Vec<(Cow<'static, str>, Means)> {
    hears.iter().flat_map(|part| part.iter()).map(|(event, means)| (Cow::Borrowed(*event), *means)).collect()
}
