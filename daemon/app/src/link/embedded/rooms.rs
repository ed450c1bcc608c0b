//! Who is in the room, and who hears what. Pure: it never touches a socket. Must not know Socket.IO, nor what an
//! SDP or a candidate is: of a message it reads `room`, `from`, `to`, `role`, `name` and `call`, and nothing else.
//!
//! Calls run between a viewer and a camera. So a viewer is told of cameras only, hears cameras only, and what it says
//! without `to` is for our own camera: even pages that know nothing of `from` and `to` can share a room.

use std::collections::{BTreeMap, HashMap};

use porthole_core::ids::{Name, PeerId, RoomName};
use porthole_core::wire::{Outgoing, Reason};
use serde::Serialize;
use serde_json::{Map, Value, json};

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
    /// Disconnect a socket.
    Cut(SocketKey),
}

/// The room of an embedded relay.
#[derive(Debug)]
pub struct Room {
    room: RoomName,
    camera: Card,
    ice_servers: Value,
    peers: HashMap<SocketKey, Peer>,
    sockets: HashMap<PeerId, SocketKey>,
    /// Wrong guesses of sockets that are not in the room.
    strays: HashMap<SocketKey, u32>,
    refusals: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Peer {
    card: Card,
    /// Whether it chose its id itself; a page that did not knows nothing of ids.
    named: bool,
}

/// Longest name of a peer, in characters.
const NAME_CHARACTERS: usize = 64;
/// Longest event name, in bytes.
const EVENT_BYTES: usize = 64;
/// How often a socket may ask for a room that is not here before it is cut.
const WRONG_ROOMS: u32 = 10;
/// What the ids of peers that sent none start with.
const ANONYMOUS: &str = "anon-";

impl Room {
    /// A room with nobody in it but our own camera. `ice_servers` is an `RTCIceServer[]` (W3C WebRTC section 4.2.4).
    pub fn new(room: RoomName, camera: PeerId, name: String, ice_servers: Value) -> Self {
        Self {
            room,
            camera: Card { from: camera, role: Role::Camera, name },
            ice_servers,
            peers: HashMap::new(),
            sockets: HashMap::new(),
            strays: HashMap::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// How many peers are in the room beside our own camera.
    pub fn count(&self) -> usize {
        self.peers.len()
    }

    /// How many messages were refused, by word.
    pub fn refusals(&self) -> &BTreeMap<&'static str, u64> {
        &self.refusals
    }

    /// Counts a refusal that was made before a message got here.
    pub fn count_refusal(&mut self, word: &'static str) {
        *self.refusals.entry(word).or_default() += 1;
    }

    /// A socket sent an event. `payload` is its first argument, or `Null`.
    pub fn hear(&mut self, socket: SocketKey, event: &str, payload: Value) -> Vec<Delivery> {
        match event {
            "join" | "join-room" | "joinRoom" | "join_room" | "join room" => self.join(socket, &payload),
            "leave" | "leave-room" => self.leave(socket),
            _ => self.pass_on(socket, event, payload),
        }
    }

    /// A socket is gone, or wants to leave the room.
    pub fn leave(&mut self, socket: SocketKey) -> Vec<Delivery> {
        self.strays.remove(&socket);
        let Some(peer) = self.peers.remove(&socket) else { return Vec::new() };
        self.sockets.remove(&peer.card.from);
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

    fn join(&mut self, socket: SocketKey, payload: &Value) -> Vec<Delivery> {
        let asked = payload.as_str().or_else(|| text(payload, "room")).or_else(|| text(payload, "roomId"));
        if asked != Some(self.room.as_str()) {
            let guesses = self.strays.entry(socket).or_default();
            *guesses += 1;
            let enough = *guesses >= WRONG_ROOMS;
            let mut deliveries = self.refuse_join(socket, Reason::NotAllowed);
            if enough {
                deliveries.push(Delivery::Cut(socket));
            }
            return deliveries;
        }
        let named = !matches!(payload.get("from"), None | Some(Value::Null));
        let id = match self.id_of(socket, payload, named) {
            Ok(id) => id,
            Err(reason) => return self.refuse_join(socket, reason),
        };
        self.strays.remove(&socket);
        let mut deliveries = Vec::new();
        if let Some(known) = self.peers.get(&socket) {
            // Asked again, because the first reply was late or lost: told again, and nobody else hears of it.
            self.welcome(socket, known, &mut deliveries);
            return deliveries;
        }
        let role = if text(payload, "role") == Some("camera") { Role::Camera } else { Role::Viewer };
        let name = text(payload, "name").unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(NAME_CHARACTERS).collect();
        let peer = Peer { card: Card { from: id.clone(), role, name }, named };
        if let Some(older) = self.sockets.insert(id, socket) {
            // The same page came back before its old connection was found dead.
            self.peers.remove(&older);
            deliveries.push(Delivery::Cut(older));
        }
        self.welcome(socket, &peer, &mut deliveries);
        let news = self.tell_of("joined", &peer.card);
        self.peers.insert(socket, peer);
        deliveries.extend(news);
        deliveries
    }

    /// The id that a socket joins as, once and for all.
    fn id_of(&self, socket: SocketKey, payload: &Value, named: bool) -> Result<PeerId, Reason> {
        let asked = match payload.get("from") {
            Some(Value::String(from)) => Name::new(from).map_err(|_| Reason::NotAllowed)?,
            _ if named => return Err(Reason::NotAllowed),
            _ => Name::new(format!("{ANONYMOUS}{}", socket.0)).map_err(|_| Reason::Failed)?,
        };
        let fixed = self.peers.get(&socket).is_none_or(|known| known.card.from == asked);
        let reserved = asked == self.camera.from || (named && asked.as_str().starts_with(ANONYMOUS));
        if fixed && !reserved { Ok(asked) } else { Err(Reason::NotAllowed) }
    }

    fn welcome(&self, socket: SocketKey, peer: &Peer, deliveries: &mut Vec<Delivery>) {
        let mut peers = vec![&self.camera];
        let mut others: Vec<_> =
            self.peers.values().map(|other| &other.card).filter(|card| may_meet(card, &peer.card)).collect();
        others.sort_by(|a, b| a.from.cmp(&b.from));
        peers.extend(others.into_iter().filter(|card| card.from != peer.card.from));
        let welcome = json!({
            "room": self.room, "to": peer.card.from, "peers": peers, "iceServers": self.ice_servers,
        });
        deliveries.push(Delivery::Socket { socket, event: "room".into(), payload: welcome.clone() });
        if !peer.named {
            // What a page that knows no `room` waits for before it offers its call button.
            deliveries.push(Delivery::Socket {
                socket,
                event: "joined".into(),
                payload: self.news(&self.camera),
            });
        }
        deliveries.push(Delivery::Reply(welcome));
    }

    fn refuse_join(&mut self, socket: SocketKey, reason: Reason) -> Vec<Delivery> {
        self.count_refusal(reason.word());
        let payload = refused(reason, &Value::Null);
        vec![
            Delivery::Socket { socket, event: "refused".into(), payload: payload.clone() },
            Delivery::Reply(payload),
        ]
    }

    fn pass_on(&mut self, socket: SocketKey, event: &str, mut payload: Value) -> Vec<Delivery> {
        let sound = !event.is_empty() && event.len() <= EVENT_BYTES && !event.contains(char::is_control);
        // The relay's own words in a peer's mouth.
        let ours = matches!(event, "joined" | "left" | "room" | "connect" | "disconnect" | "connect_error");
        if !sound || ours {
            self.count_refusal(Reason::NotAllowed.word());
            return Vec::new();
        }
        let Some(Peer { card, .. }) = self.peers.get(&socket) else {
            return self.refuse(socket, Reason::NotAllowed, &payload);
        };
        let card = card.clone();
        let elsewhere = ["room", "roomId"].iter().any(|key| {
            payload.get(key).is_some_and(|room| !room.is_null() && room.as_str() != Some(self.room.as_str()))
        });
        if elsewhere || !speaks_for_itself(&payload, &card.from) {
            return self.refuse(socket, Reason::NotAllowed, &payload);
        }
        let event = event.to_owned();
        let to = match addressee(&payload) {
            Some(to) if to != self.camera.from.as_str() => to.to_owned(),
            None if card.role == Role::Camera => {
                self.stamp(&mut payload, &card);
                let viewers = self.in_order(|other| other.role == Role::Viewer);
                return viewers
                    .map(|socket| Delivery::Socket { socket, event: event.clone(), payload: payload.clone() })
                    .collect();
            }
            _ => return vec![Delivery::Camera { sender: card.from, event, payload }],
        };
        let found = Name::new(to).ok().and_then(|to| self.sockets.get(&to)).copied();
        let Some((target, other)) = found.and_then(|target| Some((target, &self.peers.get(&target)?.card)))
        else {
            return self.refuse(socket, Reason::CameraLost, &payload);
        };
        if !may_meet(other, &card) {
            return self.refuse(socket, Reason::NotAllowed, &payload);
        }
        self.stamp(&mut payload, &card);
        vec![Delivery::Socket { socket: target, event, payload }]
    }

    fn refuse(&mut self, socket: SocketKey, reason: Reason, payload: &Value) -> Vec<Delivery> {
        self.count_refusal(reason.word());
        let payload = refused(reason, payload);
        vec![Delivery::Socket { socket, event: "refused".into(), payload }]
    }

    /// Writes the sender into a message that goes to another socket.
    fn stamp(&self, payload: &mut Value, card: &Card) {
        if let Value::Object(fields) = payload {
            fields.insert("from".into(), json!(card.from));
        }
    }

    /// Tells our camera, and everybody who may meet the peer.
    fn tell_of(&self, event: &str, card: &Card) -> Vec<Delivery> {
        let news = self.news(card);
        let ours = Delivery::Camera { sender: card.from.clone(), event: event.into(), payload: news.clone() };
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
fn inner(payload: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    payload.as_object().into_iter().flat_map(|fields| fields.values().filter_map(Value::as_object))
}

/// What a refused peer is told. The call it was about is echoed, where it has a sound name.
fn refused(reason: Reason, about: &Value) -> Value {
    let call = text(about, "call").or_else(|| inner(about).find_map(|part| part.get("call")?.as_str()));
    let call = call.and_then(|call| Name::new(call).ok());
    let mut payload = json!({ "reason": reason, "text": reason.sentence() });
    if let (Some(call), Value::Object(fields)) = (call, &mut payload) {
        fields.insert("call".into(), json!(call));
    }
    payload
}

fn text<'a>(payload: &'a Value, key: &str) -> Option<&'a str> {
    payload.get(key)?.as_str()
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;
