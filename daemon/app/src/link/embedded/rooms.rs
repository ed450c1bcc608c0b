//! Who is in a room, and who hears what. Pure: it never touches a socket. Must not know Socket.IO, nor what an
//! SDP or a candidate is: of a message it reads `room`, `from`, `to`, `role` and `name`, and nothing else.
//!
//! Calls run between a viewer and a camera. So a viewer is told of cameras only, hears cameras only, and what it says
//! without `to` is for our own camera: even pages that know nothing of `from` and `to` can share a room. A room without
//! a camera of our own has its first one by peer id in that place.

use std::collections::{BTreeSet, HashMap};

use porthole_core::access::{self, KeyId};
use porthole_core::ids::{Name, PeerId, RoomName};
use porthole_core::shown::only_shown;
use porthole_core::wire::{Outgoing, Reason};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::gate::Shown;
use super::handout::Handout;

/// One Socket.IO socket, numbered by us and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketKey(pub u64);

/// What a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It answers.
    Camera,
    /// It calls.
    Viewer,
}

/// How a peer is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its id.
    pub from: PeerId,
    /// What it is.
    pub role: Role,
    /// What people call it; may be empty.
    pub name: String,
}

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// Emit to a socket.
    Socket {
        /// Which one.
        socket: SocketKey,
        /// Event name.
        event: String,
        /// The one argument.
        payload: Value,
    },
    /// Answer the call-back of the message that is being handled, where it has one.
    Reply(Value),
    /// Hand to our own camera.
    Camera {
        /// The peer, vouched for.
        sender: PeerId,
        /// Event name.
        event: String,
        /// The one argument.
        payload: Value,
    },
    /// Write down who came or went, in a room without a camera of our own that would.
    Note {
        /// Where.
        room: RoomName,
        /// Who.
        peer: PeerId,
        /// `joined` or `left`.
        event: &'static str,
    },
    /// Disconnect a socket.
    Cut(SocketKey),
}

/// One room.
#[derive(Debug)]
pub struct Room {
    room: RoomName,
    /// Our own camera, if it waits here.
    own: Option<Card>,
    peers: HashMap<SocketKey, Peer>,
    sockets: HashMap<PeerId, SocketKey>,
    /// Those of the peers that are cameras.
    cameras: BTreeSet<PeerId>,
}

#[derive(Debug)]
struct Peer {
    card: Card,
    /// Whether it chose its id itself; a page that did not knows nothing of ids.
    named: bool,
    /// The key that it has entered with, where keys decide.
    key: Option<KeyId>,
}

/// Longest name of a peer, in characters.
const NAME_CHARACTERS: usize = 64;
/// What the ids of peers that sent none start with.
const ANONYMOUS: &str = "anon-";

impl Room {
    /// A room with nobody in it but perhaps our `own` camera.
    pub fn new(room: RoomName, own: Option<Card>) -> Self {
        Self { room, own, peers: HashMap::new(), sockets: HashMap::new(), cameras: BTreeSet::new() }
    }

    /// Its name.
    pub fn name(&self) -> &RoomName {
        &self.room
    }

    /// How many cameras are in it beside our own.
    pub fn cameras(&self) -> usize {
        self.cameras.len()
    }

    /// A socket is gone, or wants to leave the room.
    pub fn leave(&mut self, socket: SocketKey) -> Vec<Delivery> {
        let Some(peer) = self.peers.remove(&socket) else { return Vec::new() };
        self.sockets.remove(&peer.card.from);
        self.cameras.remove(&peer.card.from);
        self.tell_of("left", &peer.card)
    }

    /// Our own camera says something: to a peer, or to everybody.
    pub fn camera_says(&self, message: Outgoing) -> Vec<Delivery> {
        // It is here already, and for as long as the relay is.
        if message.enters {
            return Vec::new();
        }
        let Outgoing { to, event, args, .. } = message;
        let event = event.into_owned();
        let payload = args.into_iter().next().unwrap_or_default();
        let emit = |socket, payload| Delivery::Socket { socket, event: event.clone(), payload };
        match to {
            Some(to) => self.sockets.get(&to).map(|socket| emit(*socket, payload)).into_iter().collect(),
            None => self.in_order(|_| true).map(|socket| emit(socket, payload.clone())).collect(),
        }
    }

    /// A socket asks to be let in, or asks again, and is told what there is in `handout`. `shown` is the key that it has
    /// entered with, where keys decide. `Err` is why not.
    pub fn join(
        &mut self,
        socket: SocketKey,
        payload: &Value,
        shown: Option<&Shown>,
        handout: &Handout,
    ) -> Result<Vec<Delivery>, Reason> {
        let named = !matches!(payload.get("from"), None | Some(Value::Null));
        let id = self.id_of(socket, payload, named)?;
        let mut deliveries = Vec::new();
        if let Some(known) = self.peers.get(&socket) {
            // Asked again, because the first reply was late or lost: told again, and nobody else hears of it.
            self.welcome(socket, known, handout, &mut deliveries);
            return Ok(deliveries);
        }
        let role = if text(payload, "role") == Some("camera") { Role::Camera } else { Role::Viewer };
        if self.sockets.contains_key(&id) && self.cameras.contains(&id) != (role == Role::Camera) {
            // Viewers know the ids of cameras, and must not put one out of its place.
            return Err(Reason::NotAllowed);
        }
        if role == Role::Camera && shown.is_some_and(|shown| shown.role != access::Role::Manage) {
            // Viewers call every camera there is, and miss it when it goes.
            return Err(Reason::NotAllowed);
        }
        let key = shown.map(|shown| shown.key.clone());
        let other = |older: &SocketKey| self.peers.get(older).is_some_and(|older| older.key != key);
        if self.sockets.get(&id).is_some_and(other) {
            // Whoever has heard an id must not put its owner out.
            return Err(Reason::NotAllowed);
        }
        let name = text(payload, "name").unwrap_or_default();
        let name = only_shown(name).chars().take(NAME_CHARACTERS).collect();
        let peer = Peer { card: Card { from: id.clone(), role, name }, named, key };
        if role == Role::Camera {
            self.cameras.insert(id.clone());
        }
        if let Some(older) = self.sockets.insert(id, socket) {
            // The same page came back before its old connection was found dead.
            self.peers.remove(&older);
            deliveries.push(Delivery::Cut(older));
        }
        self.welcome(socket, &peer, handout, &mut deliveries);
        let news = self.tell_of("joined", &peer.card);
        self.peers.insert(socket, peer);
        deliveries.extend(news);
        Ok(deliveries)
    }

    /// A socket in the room says something that is not the relay's business. `Err` is why it goes nowhere; `payload` is
    /// as it was then.
    pub fn pass_on(
        &self,
        socket: SocketKey,
        event: &str,
        payload: &mut Value,
    ) -> Result<Vec<Delivery>, Reason> {
        let card = &self.peers.get(&socket).ok_or(Reason::NotAllowed)?.card;
        let elsewhere = ["room", "roomId"].iter().any(|key| {
            payload.get(key).is_some_and(|room| !room.is_null() && room.as_str() != Some(self.room.as_str()))
        });
        if elsewhere || !speaks_for_itself(payload, &card.from) {
            return Err(Reason::NotAllowed);
        }
        let emit = |socket, payload| Delivery::Socket { socket, event: event.to_owned(), payload };
        let to = match (addressee(payload), &self.own) {
            (None, _) if card.role == Role::Camera => {
                let payload = stamped(payload, card);
                let viewers = self.in_order(|other| other.role == Role::Viewer);
                return Ok(viewers.map(|socket| emit(socket, payload.clone())).collect());
            }
            (to, Some(own)) if to.is_none_or(|to| to == own.from.as_str()) => {
                let (sender, event) = (card.from.clone(), event.to_owned());
                return Ok(vec![Delivery::Camera { sender, event, payload: std::mem::take(payload) }]);
            }
            (Some(to), _) => Name::new(to).ok(),
            (None, _) => self.cameras.first().cloned(),
        };
        let target = to.and_then(|to| self.sockets.get(&to)).copied().ok_or(Reason::NotHere)?;
        let other = self.peers.get(&target).ok_or(Reason::NotHere)?;
        if !may_meet(&other.card, card) {
            return Err(Reason::NotAllowed);
        }
        Ok(vec![emit(target, stamped(payload, card))])
    }

    /// The id that a socket joins as, once and for all.
    fn id_of(&self, socket: SocketKey, payload: &Value, named: bool) -> Result<PeerId, Reason> {
        let asked = match payload.get("from") {
            Some(Value::String(from)) => Name::new(from).map_err(|_| Reason::NotAllowed)?,
            _ if named => return Err(Reason::NotAllowed),
            _ => Name::new(format!("{ANONYMOUS}{}", socket.0)).map_err(|_| Reason::Failed)?,
        };
        let fixed = self.peers.get(&socket).is_none_or(|known| known.card.from == asked);
        let ours = self.own.as_ref().is_some_and(|own| own.from == asked);
        let reserved = ours || (named && asked.as_str().starts_with(ANONYMOUS));
        if fixed && !reserved { Ok(asked) } else { Err(Reason::NotAllowed) }
    }

    fn welcome(&self, socket: SocketKey, peer: &Peer, handout: &Handout, deliveries: &mut Vec<Delivery>) {
        let mut peers: Vec<_> = self.own.iter().collect();
        let mut others: Vec<_> =
            self.peers.values().map(|other| &other.card).filter(|card| may_meet(card, &peer.card)).collect();
        others.sort_by(|a, b| a.from.cmp(&b.from));
        peers.extend(others.into_iter().filter(|card| card.from != peer.card.from));
        let mut welcome = json!({
            "room": self.room, "to": peer.card.from, "peers": peers, "iceServers": handout.servers,
        });
        if let (Some(lifetime), Value::Object(fields)) = (handout.lifetime, &mut welcome) {
            fields.insert("iceLifetime".into(), json!(lifetime.as_secs()));
        }
        deliveries.push(Delivery::Socket { socket, event: "room".into(), payload: welcome.clone() });
        let camera = peers.iter().find(|card| card.role == Role::Camera);
        if let (false, Some(camera)) = (peer.named, camera) {
            // What a page that knows no `room` waits for before it offers its call button.
            let payload = self.news(camera);
            deliveries.push(Delivery::Socket { socket, event: "joined".into(), payload });
        }
        deliveries.push(Delivery::Reply(welcome));
    }

    /// Tells our camera, and everybody who may meet the peer.
    fn tell_of(&self, event: &'static str, card: &Card) -> Vec<Delivery> {
        let (news, peer) = (self.news(card), card.from.clone());
        let ours = match &self.own {
            Some(_) => Delivery::Camera { sender: peer, event: event.into(), payload: news.clone() },
            None => Delivery::Note { room: self.room.clone(), peer, event },
        };
        let others = self.in_order(|other| may_meet(other, card) && other.from != card.from);
        let others =
            others.map(|socket| Delivery::Socket { socket, event: event.into(), payload: news.clone() });
        std::iter::once(ours).chain(others).collect()
    }

    fn news(&self, card: &Card) -> Value {
        json!({ "room": self.room, "from": card.from, "role": card.role, "name": card.name })
    }

    /// The sockets of those who are `wanted`, the oldest first.
    fn in_order(&self, wanted: impl Fn(&Card) -> bool) -> impl Iterator<Item = SocketKey> {
        let mut sockets: Vec<_> =
            self.peers.iter().filter(|(_, peer)| wanted(&peer.card)).map(|(socket, _)| *socket).collect();
        sockets.sort();
        sockets.into_iter()
    }
}

/// A message with its sender written into it, for another socket.
fn stamped(payload: &mut Value, card: &Card) -> Value {
    let mut payload = std::mem::take(payload);
    if let Value::Object(fields) = &mut payload {
        fields.insert("from".into(), json!(card.from));
    }
    payload
}

/// Whether two peers may know of each other: everybody but viewers among themselves.
fn may_meet(one: &Card, other: &Card) -> bool {
    one.role == Role::Camera || other.role == Role::Camera
}

/// The addressee of a message: in the message itself, or in the description or candidate inside it.
fn addressee(payload: &Value) -> Option<&str> {
    text(payload, "to").or_else(|| inner(payload).find_map(|part| part.get("to")?.as_str()))
}

/// Whether each `from` in a message is its sender's.
fn speaks_for_itself(payload: &Value, sender: &PeerId) -> bool {
    let honest = |part: &Map<String, Value>| match part.get("from") {
        None | Some(Value::Null) => true,
        Some(from) => from.as_str() == Some(sender.as_str()),
    };
    payload.as_object().is_none_or(honest) && inner(payload).all(honest)
}

/// The objects right inside a message.
pub(super) fn inner(payload: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    payload.as_object().into_iter().flat_map(|fields| fields.values().filter_map(Value::as_object))
}

/// The text under `key`.
pub(super) fn text<'a>(payload: &'a Value, key: &str) -> Option<&'a str> {
    payload.get(key)?.as_str()
}
