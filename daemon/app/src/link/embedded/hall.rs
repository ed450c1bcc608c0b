//! Every room of the relay, and who is in which. Pure, like the rooms. Must not know Socket.IO, nor who hears what
//! within a room.

use std::collections::{BTreeMap, HashMap};

use porthole_core::ids::{Name, RoomName};
use porthole_core::wire::{Outgoing, Reason};
use serde_json::{Value, json};

use super::gate::Shown;
use super::handout::Handout;
use super::rooms::{Delivery, Room, SocketKey, inner, text};

/// Longest event name, in bytes.
const EVENT_BYTES: usize = 64;
/// How often a socket may ask for a room that is not here before it is cut.
const WRONG_ROOMS: u32 = 10;

/// The rooms of a relay: as many as were made with it, never more. A socket is in one of them or in none.
#[derive(Debug)]
pub struct Hall {
    rooms: BTreeMap<RoomName, Room>,
    /// Where our own camera waits.
    own: Option<RoomName>,
    inside: HashMap<SocketKey, RoomName>,
    /// Wrong guesses of sockets that are in no room.
    strays: HashMap<SocketKey, u32>,
    refusals: BTreeMap<&'static str, u64>,
}

impl Hall {
    /// With these rooms, each under its own name. `own` is that in which our own camera waits.
    pub fn new(rooms: impl IntoIterator<Item = Room>, own: Option<RoomName>) -> Self {
        Self {
            rooms: rooms.into_iter().map(|room| (room.name().clone(), room)).collect(),
            own,
            inside: HashMap::new(),
            strays: HashMap::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// How many peers are in the rooms beside our own camera.
    pub fn count(&self) -> usize {
        self.inside.len()
    }

    /// How many of them are cameras.
    pub fn cameras(&self) -> usize {
        self.rooms.values().map(Room::cameras).sum()
    }

    /// How many messages were refused, by word.
    pub fn refusals(&self) -> &BTreeMap<&'static str, u64> {
        &self.refusals
    }

    /// Counts a refusal that was made before a message got here.
    pub fn count_refusal(&mut self, word: &'static str) {
        *self.refusals.entry(word).or_default() += 1;
    }

    /// A socket sent an event. `payload` is its first argument, or `Null`; `may_enter` is whether it may enter our own
    /// camera's room, and with which key where keys decide, or why not; `ice` is asked what a newcomer gets.
    pub fn hear(
        &mut self,
        socket: SocketKey,
        event: &str,
        payload: Value,
        may_enter: Result<Option<Shown>, Reason>,
        ice: impl FnOnce() -> Handout,
    ) -> Vec<Delivery> {
        match event {
            "join" | "join-room" | "joinRoom" | "join_room" | "join room" => {
                self.join(socket, &payload, may_enter, ice)
            }
            "leave" | "leave-room" => self.leave(socket),
            _ => self.pass_on(socket, event, payload),
        }
    }

    /// A socket is gone, or wants to leave its room.
    pub fn leave(&mut self, socket: SocketKey) -> Vec<Delivery> {
        self.strays.remove(&socket);
        let room = self.inside.remove(&socket).and_then(|room| self.rooms.get_mut(&room));
        room.map(|room| room.leave(socket)).unwrap_or_default()
    }

    /// Our own camera says something: to a peer, or to everybody in its room.
    pub fn camera_says(&self, message: Outgoing) -> Vec<Delivery> {
        let room = self.own.as_ref().and_then(|own| self.rooms.get(own));
        room.map(|room| room.camera_says(message)).unwrap_or_default()
    }

    /// A socket may no longer be where it is, if that is our own camera's room: it is told why, and cut.
    pub fn turn_out(&mut self, socket: SocketKey, reason: Reason) -> Vec<Delivery> {
        match self.inside.get(&socket) {
            Some(room) if self.own.as_ref() == Some(room) => {
                let told = self.refuse_join(socket, reason, Some(&room.clone()));
                told.into_iter().chain([Delivery::Cut(socket)]).chain(self.leave(socket)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn join(
        &mut self,
        socket: SocketKey,
        payload: &Value,
        may_enter: Result<Option<Shown>, Reason>,
        ice: impl FnOnce() -> Handout,
    ) -> Vec<Delivery> {
        let asked = payload.as_str().or_else(|| text(payload, "room")).or_else(|| text(payload, "roomId"));
        let asked = asked.and_then(|asked| Name::new(asked).ok());
        let elsewhere = self.inside.get(&socket).is_some_and(|room| asked.as_ref() != Some(room));
        let Some(room) = asked.filter(|_| !elsewhere).and_then(|asked| self.rooms.get_mut(&asked)) else {
            return self.stray(socket);
        };
        let (shown, handout) = match may_enter {
            Ok(shown) => (shown, ice()),
            Err(reason) if self.own.as_ref() == Some(room.name()) => {
                let room = room.name().clone();
                return self.refuse_join(socket, reason, Some(&room));
            }
            // Where keys decide, what the owner pays for is not for whoever shows none.
            Err(_) => (None, ice().without_secrets()),
        };
        match room.join(socket, payload, shown.as_ref(), &handout) {
            Err(reason) => self.refuse_join(socket, reason, None),
            Ok(deliveries) => {
                self.strays.remove(&socket);
                self.inside.insert(socket, room.name().clone());
                for delivery in &deliveries {
                    if let Delivery::Cut(older) = delivery {
                        self.inside.remove(older);
                    }
                }
                deliveries
            }
        }
    }

    /// It asked for a room that is not here, or not for it.
    fn stray(&mut self, socket: SocketKey) -> Vec<Delivery> {
        let guesses = self.strays.entry(socket).or_default();
        *guesses += 1;
        let enough = *guesses >= WRONG_ROOMS;
        let mut deliveries = self.refuse_join(socket, Reason::NotAllowed, None);
        if enough {
            deliveries.push(Delivery::Cut(socket));
        }
        deliveries
    }

    fn pass_on(&mut self, socket: SocketKey, event: &str, mut payload: Value) -> Vec<Delivery> {
        let sound = !event.is_empty() && event.len() <= EVENT_BYTES && !event.contains(char::is_control);
        // The relay's own words in a peer's mouth.
        let ours = matches!(event, "joined" | "left" | "room" | "connect" | "disconnect" | "connect_error");
        if !sound || ours {
            self.count_refusal(Reason::NotAllowed.word());
            return Vec::new();
        }
        let room = self.inside.get(&socket).and_then(|room| self.rooms.get(room));
        let passed =
            room.ok_or(Reason::NotAllowed).and_then(|room| room.pass_on(socket, event, &mut payload));
        passed.unwrap_or_else(|reason| {
            self.count_refusal(reason.word());
            let payload = refused(reason, &payload);
            vec![Delivery::Socket { socket, event: "refused".into(), payload }]
        })
    }

    /// `room` is named where it is there and keeps the socket out.
    fn refuse_join(&mut self, socket: SocketKey, reason: Reason, room: Option<&RoomName>) -> Vec<Delivery> {
        self.count_refusal(reason.word());
        let mut payload = refused(reason, &Value::Null);
        if let (Some(room), Value::Object(fields)) = (room, &mut payload) {
            fields.insert("room".into(), json!(room));
        }
        vec![
            Delivery::Socket { socket, event: "refused".into(), payload: payload.clone() },
            Delivery::Reply(payload),
        ]
    }
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

#[cfg(test)]
#[path = "hall_tests.rs"]
mod tests;
