//! Reading what peers and relays send: liberal in spelling, strict in bounds, and never deeper than two objects.
//! Must not know what is done about a message, nor what its SDP says.

use serde_json::{Map, Value};

use super::{Candidate, Incoming, Mirror, Offer, Reason, Shape, Unreadable, limits};
use crate::ids::{CallTag, Name, PeerId, RoomName};

/// Reads one Socket.IO event that reached the camera `me` in `room`.
///
/// `sender` is whoever the relay vouches for; it wins over what the message says of itself. A message to somebody
/// else, about another room, our own echo and an event of no concern are [`Incoming::Nothing`].
pub fn read(
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    event: &str,
    payload: &Value,
) -> Result<Incoming, Unreadable> {
    let about = match event {
        "offer" => About::Offer,
        "candidate" | "ice-candidate" => About::Candidate,
        "bye" => About::Bye,
        "join" | "joined" | "user-joined" => About::Joined,
        "left" | "user-left" => About::Left,
        "room" => return Ok(present(me, room, payload)),
        _ => return Ok(Incoming::Nothing),
    };
    let envelope = Envelope::open(sender, about, payload);
    if envelope.is_for_others(me, room) {
        return Ok(Incoming::Nothing);
    }
    match about {
        About::Offer => envelope.offer(payload),
        About::Candidate => envelope.candidate(payload),
        About::Bye => envelope.bye(payload),
        About::Joined => envelope.peer(|peer| Incoming::Joined { peer }),
        About::Left => envelope.peer(|peer| Incoming::Left { peer }),
    }
}

/// What an event is about, whatever its relay calls it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Offer,
    Candidate,
    Bye,
    Joined,
    Left,
}

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
    outer: Option<&'a Map<String, Value>>,
    inner: Option<&'a Map<String, Value>>,
}

impl<'a> Envelope<'a> {
    fn open(sender: Option<&'a PeerId>, about: About, payload: &'a Value) -> Self {
        let outer = payload.as_object();
        let inner = match about {
            About::Offer => {
                outer.and_then(|o| o.get("sdp").or_else(|| o.get("offer"))).and_then(Value::as_object)
            }
            _ => None,
        };
        Self { sender, about, outer, inner }
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
        match self.sender {
            Some(sender) => Member::Present(sender.clone()),
            None => self.name("from"),
        }
    }

    fn is_for_others(&self, me: &PeerId, room: &RoomName) -> bool {
        let names_another =
            |key, mine: &Name| matches!(self.member(key), Some(Value::String(text)) if text != mine.as_str());
        names_another("to", me)
            || names_another("room", room)
            || names_another("roomId", room)
            || self.from().ok().as_ref() == Some(me)
    }

    /// Who sent it and for which attempt.
    fn ids(&self) -> Result<(Option<PeerId>, Option<CallTag>), Unreadable> {
        let (from, tag) = (self.from(), self.name("call"));
        let wrong_to = self.member("to").is_some_and(|to| !to.is_string());
        if wrong_to || matches!(from, Member::Wrong) || matches!(tag, Member::Wrong) {
            return Err(self.unreadable(self.bad()));
        }
        Ok((from.ok(), tag.ok()))
    }

    fn offer(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let bad = || self.unreadable(Reason::BadOffer);
        let (from, tag) = self.ids()?;
        let given = |key| self.outer?.get(key).filter(|value| !value.is_null());
        let (description, under_sdp) = match (given("sdp"), given("offer")) {
            (Some(sdp), _) => (sdp, true),
            (None, Some(offer)) => (offer, false),
            (None, None) => (payload, false),
        };
        let (kind, text, mirror) = match description {
            Value::String(text) if under_sdp => (given("type"), Some(text), Mirror::Text),
            Value::String(text) => (None, Some(text), Mirror::Text),
            Value::Object(inner) => {
                (inner.get("type"), text_of(inner), if under_sdp { Mirror::Object } else { Mirror::Text })
            }
            _ => return Err(bad()),
        };
        let text = text.ok_or_else(bad)?;
        if kind.is_some_and(|kind| kind != "offer") || text.is_empty() || text.contains('\0') {
            return Err(bad());
        }
        if text.len() > limits::SDP_BYTES {
            return Err(self.unreadable(Reason::TooLarge));
        }
        let shape = if from.is_some() && tag.is_some() { Shape::Porthole } else { Shape::Tutorial(mirror) };
        Ok(Incoming::Offer(Offer { from, tag, sdp: text.clone(), shape }))
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
        let index = match init.get("sdpMLineIndex") {
            None | Some(Value::Null) => None,
            Some(index) => Some(index.as_u64().and_then(|index| u16::try_from(index).ok()).ok_or_else(bad)?),
        };
        Ok(Candidate {
            candidate: line.to_owned(),
            sdp_mid: text("sdpMid", limits::MID_BYTES)?,
            sdp_m_line_index: index,
            username_fragment: text("usernameFragment", limits::UFRAG_BYTES)?,
        })
    }

    fn bye(&self, payload: &Value) -> Result<Incoming, Unreadable> {
        let (from, tag) = self.ids()?;
        match payload {
            Value::Null | Value::String(_) | Value::Object(_) => Ok(Incoming::Bye { from, tag }),
            _ => Err(self.unreadable(Reason::BadMessage)),
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
        if self.about == About::Offer { Reason::BadOffer } else { Reason::BadMessage }
    }

    fn unreadable(&self, reason: Reason) -> Unreadable {
        let (from, tag) = (self.from().ok(), self.name("call").ok());
        Unreadable { from, tag, reason, offer: self.about == About::Offer }
    }
}

fn text_of(description: &Map<String, Value>) -> Option<&String> {
    if let Some(Value::String(text)) = description.get("sdp") { Some(text) } else { None }
}

/// Who our relay says is there. Whatever cannot be read in it names nobody.
fn present(me: &PeerId, room: &RoomName, payload: &Value) -> Incoming {
    let Value::Object(outer) = payload else { return Incoming::Nothing };
    if matches!(outer.get("room"), Some(Value::String(text)) if text != room.as_str()) {
        return Incoming::Nothing;
    }
    let Some(Value::Array(peers)) = outer.get("peers") else { return Incoming::Nothing };
    let names =
        peers.iter().take(limits::ROOM_PEERS).filter_map(|peer| Name::new(peer.get("from")?.as_str()?).ok());
    Incoming::Present { peers: names.filter(|peer| peer != me).collect() }
}
