//! What peers send and what the camera says, as values. Must not know how either is spelt: `read` and `write` do.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dialect::Known;
use super::{Reason, Talk};
use crate::access::KeyId;
use crate::ids::{CallTag, PeerId};

/// An ICE candidate as browsers write it (`RTCIceCandidateInit`, W3C WebRTC section 4.8.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// `candidate:…`, at most [`super::limits::CANDIDATE_BYTES`]; empty at the end of candidates of one m-line.
    pub candidate: String,
    /// The m-line it belongs to, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The m-line it belongs to, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// Equal to the `a=ice-ufrag` of the SDP it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl Candidate {
    /// The `a=ice-ufrag` it belongs to: said in a member of its own, else at the end of the line (RFC 8839
    /// section 5.1, extension `ufrag`).
    pub fn ufrag(&self) -> Option<&str> {
        self.username_fragment.as_deref().or_else(|| {
            let mut words = self.candidate.split_ascii_whitespace();
            words.find(|word| *word == "ufrag").and(words.next())
        })
    }
}

/// How a peer wrapped its offer, so that the answer can be wrapped the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Our own dialect: `{room, from, to, call, sdp: {type, sdp}}`.
    Porthole,
    /// A page that knows nothing of `from` and `call`; its answer carries every spelling such pages read.
    Tutorial(Mirror),
    /// No message at all: it came over HTTP, and so does the answer.
    Http,
}

/// What a tutorial's page reads: the answer is spelt as its offer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// One object, with the SDP text under `sdp`.
    Text,
    /// One object, with `{type, sdp}` under `sdp`.
    Object,
    /// The description alone, through a relay of unknown dialect: what takes one object takes the answer, and so does
    /// what wants the room behind it.
    Bare,
    /// In the words of this dialect, through a relay of unknown dialect.
    Dialect(Known),
}

impl Shape {
    /// Whether candidates may follow the answer. A tutorial's page gets them all inside it.
    pub fn trickles(self) -> bool {
        self == Self::Porthole
    }
}

/// A viewer's offer, read but not yet judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Who calls: stamped by the relay, else said by the peer itself, else `None` (a tutorial's page through a
    /// relay that stamps nothing).
    pub from: Option<PeerId>,
    /// The viewer's own id for this attempt, where it has one.
    pub tag: Option<CallTag>,
    /// Whom it is for, where it says so.
    pub to: Option<PeerId>,
    /// The access key it is made with, where it names one that could be.
    pub key: Option<KeyId>,
    /// What is to prove that, at most [`super::limits::PROOF_BYTES`] of whatever.
    pub proof: Option<String>,
    /// The SDP text, exactly as it was sent.
    pub sdp: String,
    /// How it was wrapped.
    pub shape: Shape,
}

/// A viewer's good-bye, read but not yet believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bye {
    /// Who.
    pub from: Option<PeerId>,
    /// Which attempt; `None` is whichever there is.
    pub tag: Option<CallTag>,
    /// Whether it is to this camera by name.
    pub to_us: bool,
    /// The word for why, at most [`super::limits::PROOF_BYTES`] of whatever; empty where none is said.
    pub reason: String,
    /// What is to prove all that, likewise.
    pub proof: Option<String>,
}

/// What the camera understands of what peers and relays send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A viewer calls.
    Offer(Offer),
    /// One of a viewer's candidates.
    Candidate {
        /// Who.
        from: Option<PeerId>,
        /// For which attempt.
        tag: Option<CallTag>,
        /// `None` is the end of candidates.
        candidate: Option<Candidate>,
    },
    /// A viewer hangs up.
    Bye(Bye),
    /// A viewer wants to talk, or no longer.
    Talk(Talk),
    /// A peer came into the room.
    Joined {
        /// Who.
        peer: PeerId,
    },
    /// The answer to an offer of ours.
    Answer {
        /// Who.
        from: Option<PeerId>,
        /// The SDP text.
        sdp: String,
    },
    /// Somebody came who waits for an offer of ours: where this relay is used, the member inside makes it.
    Wanted {
        /// Who, where the relay says so.
        from: Option<PeerId>,
    },
    /// The relay has let the camera in.
    Entered {
        /// Whether somebody was there before, as far as the relay tells.
        others: bool,
    },
    /// The relay has not let the camera in, or has put it out.
    Away(Away),
    /// A newcomer is told who is there.
    Present {
        /// Who, without the newcomer itself; at most [`super::limits::ROOM_PEERS`].
        peers: Vec<PeerId>,
    },
    /// A peer left the room, or its relay connection was lost.
    Left {
        /// Who.
        peer: PeerId,
    },
    /// An offer to another camera, or in another room.
    Misdirected,
    /// Nothing for a camera: its own echo, an answer, another message to somebody else, an event of no concern.
    Nothing,
}

/// Why the camera is not in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// It holds no more members.
    Full,
    /// It was sent out.
    Kicked,
    /// The relay does not know the room.
    NoSuchRoom,
    /// The relay does not let it in.
    NotAllowed,
}

/// Why a message was not understood. Counted, and answered where an offer can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Who sent it, where that much could be read.
    pub from: Option<PeerId>,
    /// The attempt it was about, where that much could be read.
    pub tag: Option<CallTag>,
    /// The word for it.
    pub reason: Reason,
    /// Whether it was an offer, so that its sender waits for a reply.
    pub offer: bool,
}

/// A message from the camera: the event's name and its arguments, ready to be put on the link.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// For whom; `None` is everybody in the room. A relay that routes uses it; others pass everything to everybody.
    pub to: Option<PeerId>,
    /// Socket.IO event name.
    pub event: Cow<'static, str>,
    /// The arguments, in order. Never a request for an acknowledgement: some relays pass that on as an argument.
    pub args: Vec<Value>,
    /// It asks to be let into the room: it goes out before whatever waits, and is worth nothing once the link was
    /// lost.
    pub enters: bool,
}

impl Outgoing {
    /// A message that may wait for the link.
    pub fn new(
        to: Option<PeerId>,
        event: impl Into<Cow<'static, str>>,
        args: impl IntoIterator<Item = Value>,
    ) -> Self {
        Self { to, event: event.into(), args: args.into_iter().collect(), enters: false }
    }

    /// A message that asks to be let into the room.
    pub fn entering(event: impl Into<Cow<'static, str>>, args: impl IntoIterator<Item = Value>) -> Self {
        Self { enters: true, ..Self::new(None, event, args) }
    }

    /// The first argument, which is the only one in our own dialect; `Null` where there is none.
    pub fn payload(&self) -> &Value {
        self.args.first().unwrap_or(&Value::Null)
    }
}
