//! Reading what peers and relays send: liberal in spelling, strict in bounds, and never deeper than two objects.
//! Must not know what an event is called in which dialect, what is done about a message, nor what its SDP says.

use serde_json::{Map, Value};

use super::{Bye, Candidate, Incoming, Mirror, Offer, Reason, Shape, Talk, Unreadable, Want, limits};
use crate::access::KeyId;
use crate::ids::{CallTag, Name, PeerId, RoomName};

/// Reads one message that reached the camera `me` in `room`, and whose name says what it is about.
///
/// `sender` is whoever the relay vouches for; it wins over what the message says of itself. Our own echo, a message to
/// somebody else and one about another room are [`Incoming::Nothing`]; an offer of the latter kinds is
/// [`Incoming::Misdirected`].
pub(super) fn understand(
    about: About,
    ids: Ids,
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    payload: &Value,
) -> Result<Incoming, Unreadable> {
    let envelope = Envelope::open(sender, about, ids, payload);
    if envelope.is_echo(me) {
        return Ok(Incoming::Nothing);
    }
    if envelope.is_for_others(me, room) {
        return Ok(if about == About::Offer { Incoming::Misdirected } else { Incoming::Nothing });
    }
    match about {
        About::Offer => envelope.offer(payload),
        About::Answer => envelope.answer(payload),
        About::Candidate => envelope.candidate(payload),
        About::Bye => envelope.bye(payload),
        About::Talk => envelope.talk(),
        About::Joined => envelope.peer(|peer| Incoming::Joined { peer }),
        About::Left => envelope.peer(|peer| Incoming::Left { peer }),
    }
}

/// What an event is about, whatever its relay calls it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Offer,
    Answer,
    Candidate,
    Bye,
    Talk,
    Joined,
    Left,
}

/// Whose ids stand in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// Ours: `from`, `to` and `call` are names, and anything else is a mistake.
    Ours,
    /// Somebody else's: what is no name says nothing, and an addressee may be a socket that we do not know as ours.
    Theirs,
    /// None: whatever stands there names nobody.
    None,
}

/// What other people call the sender of a message.
const SENDERS: [&str; 5] = ["from", "sender", "senderId", "caller", "callerId"];
/// And the peer that came or left.
const PEERS: [&str; 5] = ["id", "peerId", "userId", "user", "socketId"];
/// Where a description may stand.
const DESCRIPTIONS: [&str; 4] = ["sdp", "offer", "answer", "description"];

/// A member of a message: not there (or null), there, or something it must not be.
enum Member<T> {
    Absent,
    Present(T),
    Wrong,
}

impl<T> Member<T> {
    fn ok(self) -> Option<T> {
        if let Self::Present(value) = self { Some(value) } else { None }
    }
}

/// The ids around a message: looked up in the outer object first, then inside the SDP object.
struct Envelope<'a> {
    sender: Option<&'a PeerId>,
    about: About,
    ids: Ids,
    outer: Option<&'a Map<String, Value>>,
    inner: Option<&'a Map<String, Value>>,
}

impl<'a> Envelope<'a> {
    fn open(sender: Option<&'a PeerId>, about: About, ids: Ids, payload: &'a Value) -> Self {
        let outer = payload.as_object();
        let given = |key: &&str| outer?.get(*key).filter(|value| !value.is_null());
        let inner = match about {
            About::Offer | About::Answer => DESCRIPTIONS.iter().find_map(given).and_then(Value::as_object),
            _ => None,
        };
        Self { sender, about, ids, outer, inner }
    }

    fn member(&self, key: &str) -> Option<&'a Value> {
        let look = |object: Option<&'a Map<String, Value>>| object?.get(key).filter(|value| !value.is_null());
        look(self.outer).or_else(|| look(self.inner))
    }

    fn name(&self, key: &str) -> Member<Name> {
        match self.member(key) {
            None => Member::Absent,
            Some(Value::String(text)) => Name::new(text).map_or(Member::Wrong, Member::Present),
            Some(_) => Member::Wrong,
        }
    }

    /// Who sent it: vouched for, else said; `Wrong` where only nonsense was said.
    fn from(&self) -> Member<PeerId> {
        let first = |keys: &[&str]| {
            let name = keys.iter().find_map(|key| self.name(key).ok());
            name.map_or(Member::Absent, Member::Present)
        };
        match (self.sender, self.ids) {
            (Some(sender), _) => Member::Present(sender.clone()),
            (None, Ids::Ours) => self.name("from"),
            (None, Ids::Theirs) if matches!(self.about, About::Joined | About::Left) => {
                first(&[&SENDERS[..], &PEERS[..]].concat())
            }
            (None, Ids::Theirs) => first(&SENDERS),
            (None, Ids::None) => Member::Absent,
        }
    }

    /// The viewer's own id for the attempt, where it has one.
    fn tag(&self) -> Member<CallTag> {
        match (self.ids, self.name("call")) {
            (Ids::None, _) | (Ids::Theirs, Member::Wrong) => Member::Absent,
            (_, tag) => tag,
        }
    }

    fn is_for_others(&self, me: &PeerId, room: &RoomName) -> bool {
        let names_another =
            |key, mine: &Name| matches!(self.member(key), Some(Value::String(text)) if text != mine.as_str());
        // Only pages of ours know us by our own id; others name a socket, and their relay takes it there.
        let knows_us = self.ids == Ids::Ours || matches!(self.tag(), Member::Present(_));
        (knows_us && names_another("to", me)) || names_another("room", room) || names_another("roomId", room)
    }

    /// Whether it is our own, under whatever name it is passed back to us: a relay may have renamed its sender, or have
    /// written a socket's id beside.
    fn is_echo(&self, me: &PeerId) -> bool {
        let comes_or_goes = matches!(self.about, About::Joined | About::Left);
        let is_us =
            |object: &Map<String, Value>| PEERS.iter().any(|key| says(object, key) == Some(me.as_str()));
        self.sender == Some(me)
            || [self.outer, self.inner].into_iter().flatten().any(|object| is_said_by(me, object))
            || (comes_or_goes && self.outer.is_some_and(is_us))
    }

    /// Who sent it and for which attempt.
    fn ids(&self) -> Result<(Option<PeerId>, Option<CallTag>), Unreadable> {
        let (from, tag) = (self.from(), self.tag());
        if self.ids != Ids::Ours {
            return Ok((from.ok(), tag.ok()));
        }
        let wrong_to = self.member("to").is_some_and(|to| !to.is_string());
        if wrong_to || matches!(from, Member::Wrong) || matches!(tag, Member::Wrong) {
            return Err(self.unreadable(self.bad()));
        }
        Ok((from.ok(), tag.ok()))
    }

    fn offer(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let (from, tag) = self.ids()?;
        let (sdp, mirror) = self.description(payload, &["offer", "webrtc_offer"])?;
        let shape = if from.is_some() && tag.is_some() { Shape::Porthole } else { Shape::Tutorial(mirror) };
        let text = |key| self.member(key).and_then(Value::as_str);
        let proof = text("proof").filter(|proof| proof.len() <= limits::PROOF_BYTES);
        Ok(Incoming::Offer(Offer {
            from,
            tag,
            to: text("to").and_then(|to| Name::new(to).ok()),
            key: text("key").and_then(|key| KeyId::new(key).ok()),
            proof: proof.map(str::to_owned),
            sdp,
            shape,
        }))
    }

    fn answer(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let (from, _) = self.ids()?;
        let (sdp, _) = self.description(payload, &["answer", "webrtc_answer"])?;
        Ok(Incoming::Answer { from, sdp })
    }

    /// The SDP text, of one of these `types` where a type is said, and how it was wrapped.
    fn description(&self, payload: &Value, types: &[&str]) -> Result<(String, Mirror), Unreadable> {
        let bad = || self.unreadable(self.bad());
        let given = |key| self.outer?.get(key).filter(|value| !value.is_null());
        let found = DESCRIPTIONS.iter().find_map(|key| Some((given(*key)?, *key == "sdp")));
        let (description, under_sdp) = found.unwrap_or((payload, false));
        let (kind, text, mirror) = match description {
            Value::String(text) if under_sdp => (given("type"), Some(text), Mirror::Text),
            Value::String(text) => (None, Some(text), Mirror::Text),
            Value::Object(inner) => {
                (inner.get("type"), text_of(inner), if under_sdp { Mirror::Object } else { Mirror::Text })
            }
            _ => return Err(bad()),
        };
        let text = text.ok_or_else(bad)?;
        let right = kind.and_then(Value::as_str).is_some_and(|kind| types.contains(&kind));
        if !(kind.is_none() || right) || text.is_empty() || text.contains('\0') {
            return Err(bad());
        }
        if text.len() > limits::SDP_BYTES {
            return Err(self.unreadable(Reason::TooLarge));
        }
        Ok((text.clone(), mirror))
    }

    fn candidate(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let (from, tag) = self.ids()?;
        let candidate = match (payload, self.outer) {
            (Value::Null, _) => None,
            (_, Some(outer)) => match outer.get("candidate") {
                Some(Value::Null) => None,
                Some(Value::Object(init)) => Some(self.init(init)?),
                Some(Value::String(_)) => Some(self.init(outer)?),
                _ => return Err(self.unreadable(Reason::BadMessage)),
            },
            _ => return Err(self.unreadable(Reason::BadMessage)),
        };
        Ok(Incoming::Candidate { from, tag, candidate })
    }

    /// An `RTCIceCandidateInit`.
    fn init(&self, init: &Map<String, Value>) -> Result<Candidate, Unreadable> {
        let bad = || self.unreadable(Reason::BadMessage);
        let text = |key: &str, longest: usize| match init.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() > longest => Err(self.unreadable(Reason::TooLarge)),
            Some(Value::String(text)) if text.chars().any(char::is_control) => Err(bad()),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(bad()),
        };
        let line = text("candidate", limits::CANDIDATE_BYTES)?.ok_or_else(bad)?;
        let line = line.strip_prefix("a=").unwrap_or(&line);
        if !line.is_empty() && !line.starts_with("candidate:") {
            return Err(bad());
        }
        // Some relays of other people speak of `label` and `id`.
        let said = |key| init.get(key).filter(|value: &&Value| !value.is_null());
        let index = match said("sdpMLineIndex").or_else(|| said("label")) {
            None => None,
            Some(index) => Some(index.as_u64().and_then(|index| u16::try_from(index).ok()).ok_or_else(bad)?),
        };
        Ok(Candidate {
            candidate: line.to_owned(),
            sdp_mid: match text("sdpMid", limits::MID_BYTES)? {
                None if init.contains_key("label") => text("id", limits::MID_BYTES)?,
                mid => mid,
            },
            sdp_m_line_index: index,
            username_fragment: text("usernameFragment", limits::UFRAG_BYTES)?,
        })
    }

    fn bye(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let (from, tag) = self.ids()?;
        match payload {
            Value::Null | Value::String(_) | Value::Object(_) => {}
            _ => return Err(self.unreadable(Reason::BadMessage)),
        }
        let short = |key| self.member(key)?.as_str().filter(|text| text.len() <= limits::PROOF_BYTES);
        Ok(Incoming::Bye(Bye {
            from,
            tag,
            // To anybody else it was not read.
            to_us: self.member("to").is_some(),
            reason: short("reason").unwrap_or_default().to_owned(),
            proof: short("proof").map(str::to_owned),
        }))
    }

    /// What a viewer wants of the floor. Only pages of ours say so; the same word of anybody else's means nothing here.
    fn talk(&self) -> Result<Incoming, Unreadable> {
        let says = |key| self.member(key)?.as_str();
        let want = Want::ALL.into_iter().find(|want| says("want") == Some(want.word()));
        let turn = self.member("turn").and_then(Value::as_u64);
        match (self.ids()?, want, turn) {
            ((Some(from), Some(tag)), Some(want), Some(turn)) => Ok(Incoming::Talk(Talk {
                from,
                tag,
                to_us: self.member("to").is_some(),
                want,
                turn,
                proof: says("proof").filter(|text| text.len() <= limits::PROOF_BYTES).map(str::to_owned),
            })),
            _ if self.ids == Ids::Ours => Err(self.unreadable(Reason::BadMessage)),
            _ => Ok(Incoming::Nothing),
        }
    }

    /// A coming or going. Relays that announce it with a bare socket id name nobody we know: nothing.
    fn peer(&self, say: impl Fn(PeerId) -> Incoming) -> Result<Incoming, Unreadable> {
        match self.from() {
            Member::Present(peer) => Ok(say(peer)),
            Member::Absent => Ok(Incoming::Nothing),
            Member::Wrong => Err(self.unreadable(Reason::BadMessage)),
        }
    }

    fn bad(&self) -> Reason {
        match self.about {
            About::Offer => Reason::BadOffer,
            About::Answer => Reason::BadAnswer,
            _ => Reason::BadMessage,
        }
    }

    fn unreadable(&self, reason: Reason) -> Unreadable {
        let (from, tag) = (self.from().ok(), self.tag().ok());
        Unreadable { from, tag, reason, offer: self.about == About::Offer }
    }
}

/// Whether an object says, in any spelling, that `me` has sent it.
pub(super) fn is_said_by(me: &PeerId, object: &Map<String, Value>) -> bool {
    SENDERS.iter().any(|key| says(object, key) == Some(me.as_str()))
}

fn says<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn text_of(description: &Map<String, Value>) -> Option<&String> {
    if let Some(Value::String(text)) = description.get("sdp") { Some(text) } else { None }
}

/// Who our relay says is there. Whatever cannot be read in it names nobody.
pub(super) fn present(me: &PeerId, room: &RoomName, payload: &Value) -> Incoming {
    let Value::Object(outer) = payload else { return Incoming::Nothing };
    if matches!(outer.get("room"), Some(Value::String(text)) if text != room.as_str()) {
        return Incoming::Nothing;
    }
    let Some(Value::Array(peers)) = outer.get("peers") else { return Incoming::Nothing };
    let names =
        peers.iter().take(limits::ROOM_PEERS).filter_map(|peer| Name::new(peer.get("from")?.as_str()?).ok());
    Incoming::Present { peers: names.filter(|peer| peer != me).collect() }
}
