//! Which dialect the owner has chosen, and one of their own making. Must not know how any of them is spoken.

use std::fmt;

/// What the configuration says about the relay's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Found out by listening.
    Auto,
    /// One that is known.
    Known(Known),
    /// Names and shapes written by hand, for a server nobody has seen.
    Custom(Box<Custom>),
}

/// The dialects that are known, by the letters the reference of keys explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Known {
    /// Our own.
    Porthole,
    /// `join`, `offer {room, offer}`: the classic tutorial's.
    A,
    /// The same, without a room in what is passed on.
    A0,
    /// `join-room`, `offer {roomId, offer}`.
    B,
    /// `join_room`, `welcome`, `offer(offer, room)`: the camera offers.
    C,
    /// `join`, `created`, `ready(room)`: the camera offers.
    C2,
    /// `create or join`, all else as `message`: the camera offers.
    D,
    /// `join room`, `offer {target, caller, sdp}`.
    E,
    /// `join`, `room_created`, `start_call`, `webrtc_offer`: the camera offers.
    F,
    /// `join`, `otherjoin`, all else as `message(room, …)`: the camera offers.
    G,
}

impl Known {
    /// Every one there is.
    pub const ALL: [Self; 10] =
        [Self::Porthole, Self::A, Self::A0, Self::B, Self::C, Self::C2, Self::D, Self::E, Self::F, Self::G];

    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Porthole => "porthole",
            Self::A => "a",
            Self::A0 => "a0",
            Self::B => "b",
            Self::C => "c",
            Self::C2 => "c2",
            Self::D => "d",
            Self::E => "e",
            Self::F => "f",
            Self::G => "g",
        }
    }
}

impl Known {
    /// Whether pages of `other` would understand what is said in this one: those who put everything into one object,
    /// and those who put the room behind.
    pub(super) fn is_like(self, other: Self) -> bool {
        let family = |known| match known {
            Self::Porthole | Self::A | Self::A0 | Self::B | Self::E => Self::A,
            Self::C | Self::C2 => Self::C,
            other => other,
        };
        family(self) == family(other)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A dialect written by hand. Event names are 1 to [`Custom::LONGEST_NAME`] printable characters; an empty one is an
/// event this relay does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// What the camera says to enter the room; empty: nothing.
    pub join: String,
    /// What stands in it.
    pub join_shape: JoinShape,
    /// An offer.
    pub offer: String,
    /// An answer.
    pub answer: String,
    /// A candidate.
    pub candidate: String,
    /// Somebody hangs up.
    pub bye: String,
    /// Somebody has come into the room.
    pub joined: String,
    /// Somebody has left it.
    pub left: String,
    /// The room holds no more members.
    pub full: String,
    /// How offers, answers and candidates are wrapped.
    pub shape: Wrap,
    /// Whether the camera makes the offer when somebody comes (`joined`).
    pub offers: bool,
}

impl Custom {
    /// Longest event name, in characters.
    pub const LONGEST_NAME: usize = 64;

    /// Whether offers and answers are one event, and what is in it says which.
    pub fn one_event(&self) -> bool {
        self.offer == self.answer
    }
}

impl Default for Custom {
    fn default() -> Self {
        Self {
            join: "join".to_owned(),
            join_shape: JoinShape::Object,
            offer: "offer".to_owned(),
            answer: "answer".to_owned(),
            candidate: "candidate".to_owned(),
            bye: "bye".to_owned(),
            joined: "joined".to_owned(),
            left: "left".to_owned(),
            full: "full".to_owned(),
            shape: Wrap::Object,
            offers: false,
        }
    }
}

/// What stands in the message that asks to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinShape {
    /// `{room, roomId, from, role, name}`.
    Object,
    /// The room's name.
    Room,
    /// Two arguments: the room's name, and the camera's peer id.
    RoomAndId,
}

/// How an offer, an answer or a candidate is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// One object with everything in it, in every spelling pages read.
    Object,
    /// Two arguments: the description or candidate, and the room.
    Args,
    /// Two arguments: the room, and the description or candidate.
    RoomFirst,
    /// The description or candidate alone.
    Bare,
    /// `{type, sdp: description, roomId}`.
    Sdp,
}
