//! The room as a viewer sees it: as much Socket.IO (protocol 5 over Engine.IO 4, websocket only) as Porthole's own
//! relay needs, for tests and measurements. Not a general client: no polling, no TLS, no acknowledgements, no
//! binary events, no reconnection.
//!
//! Must not know WebRTC: SDP and candidates are text here.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use porthole_core::access::Key;
use porthole_core::access::proof::{self, Around};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{self, Message};

/// Engine.IO packet types (protocol 4) and, behind `MESSAGE`, Socket.IO packet types (protocol 5).
const OPEN: char = '0';
const CLOSE: char = '1';
const PING: char = '2';
const PONG: &str = "3";
const MESSAGE: char = '4';
const CONNECT: char = '0';
const DISCONNECT: char = '1';
const EVENT: char = '2';
const CONNECT_ERROR: char = '4';

/// What can go wrong on the way to the relay.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The connection could not be made or broke.
    #[error("{0}")]
    Connection(#[from] Box<tungstenite::Error>),
    /// Too many connections in too short a time (429): to be tried again a little later.
    #[error("turned away: too many connections at once")]
    TooMany,
    /// The relay closed it.
    #[error("the relay closed the connection")]
    Closed,
    /// The relay does not speak what is expected.
    #[error("not understood: {0}")]
    NotUnderstood(String),
    /// The relay does not let us in (Socket.IO CONNECT_ERROR, or `refused` instead of a welcome).
    #[error("not let in: {0}")]
    NotLetIn(String),
    /// The camera's answer is not by whoever knows the key.
    #[error("an answer without a proof, or with a wrong one")]
    NotProved,
}

impl From<tungstenite::Error> for RoomError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(reply) if reply.status() == StatusCode::TOO_MANY_REQUESTS => {
                Self::TooMany
            }
            error => Self::Connection(Box::new(error)),
        }
    }
}

/// What was said in the room.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// The camera's answer to a call.
    Answer {
        /// Which call.
        call: String,
        /// Who answers.
        from: String,
        /// Its SDP.
        sdp: String,
    },
    /// One of the camera's candidates; empty at their end.
    Candidate {
        /// Of which call.
        call: String,
        /// `candidate:…`
        candidate: String,
    },
    /// The camera does not take the call.
    Refused {
        /// Which call.
        call: String,
        /// A word of the fixed list.
        reason: String,
    },
    /// The camera hangs up.
    Bye {
        /// Which call.
        call: String,
        /// A word of the fixed list.
        reason: String,
    },
    /// Any other event, such as `room`, `joined`, `left`, `notice`.
    Other {
        /// Name of the event.
        event: String,
        /// Its first argument, or null.
        payload: Value,
    },
}

/// A place in a room of a relay.
#[derive(Debug)]
pub struct Room {
    socket: WebSocketStream<TcpStream>,
    room: String,
    from: String,
    keyed: Option<Keyed>,
}

/// What a viewer with an access key knows.
#[derive(Debug)]
struct Keyed {
    key: Key,
    /// The camera's peer id.
    camera: String,
    /// Call and SDP of the last offer.
    offered: (String, String),
}

impl Room {
    /// Connects to the relay at `address` (plain http) and joins `room` as the viewer `from`. What the relay says
    /// to the newcomer comes out of [`Room::next`].
    pub async fn enter(address: SocketAddr, room: &str, from: &str) -> Result<Self, RoomError> {
        let mut place = Self::connect(address, room, from, "").await?;
        place.join().await?;
        Ok(place)
    }

    /// Connects to the relay at `address` (plain http) and enters no room.
    pub async fn stay_outside(address: SocketAddr) -> Result<Self, RoomError> {
        Self::connect(address, "", "", "").await
    }

    /// The same as [`Room::enter`] with an access key: proves it to the relay, and waits until the room's camera is known. From then on
    /// offers are proved, and an answer that is not is [`RoomError::NotProved`].
    pub async fn enter_with(
        address: SocketAddr,
        room: &str,
        from: &str,
        key: &Key,
    ) -> Result<Self, RoomError> {
        let admission = proof::of_admission(&key.secret, room);
        let auth = json!({"room": room, "key": key.id, "admission": admission});
        let mut place = Self::connect(address, room, from, &auth.to_string()).await?;
        place.join().await?;
        loop {
            match place.next().await? {
                Said::Other { event, payload } if event == "room" => {
                    let camera = payload["peers"][0]["from"].as_str().unwrap_or_default().to_owned();
                    place.keyed = Some(Keyed { key: key.clone(), camera, offered: Default::default() });
                    return Ok(place);
                }
                Said::Refused { reason, .. } => return Err(RoomError::NotLetIn(reason)),
                _ => {}
            }
        }
    }

    async fn connect(address: SocketAddr, room: &str, from: &str, auth: &str) -> Result<Self, RoomError> {
        let tcp = TcpStream::connect(address).await.map_err(tungstenite::Error::Io)?;
        tcp.set_nodelay(true).map_err(tungstenite::Error::Io)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tokio_tungstenite::client_async(url, tcp).await?;
        let mut place = Self { socket, room: room.into(), from: from.into(), keyed: None };
        let hello = place.packet().await?;
        if !hello.starts_with(OPEN) {
            return Err(RoomError::NotUnderstood(hello));
        }
        place.send(format!("{MESSAGE}{CONNECT}{auth}")).await?;
        let reply = place.packet().await?;
        match reply.strip_prefix(MESSAGE).map(|reply| (reply.chars().next(), reply)) {
            Some((Some(CONNECT), _)) => Ok(place),
            Some((Some(CONNECT_ERROR), reply)) => Err(RoomError::NotLetIn(reply[1..].into())),
            _ => Err(RoomError::NotUnderstood(reply)),
        }
    }

    async fn join(&mut self) -> Result<(), RoomError> {
        let join = json!({"room": self.room, "from": self.from, "role": "viewer", "name": self.from});
        self.emit("join", &join).await
    }

    /// The camera's peer id, where we came with a key.
    pub fn camera(&self) -> Option<&str> {
        self.keyed.as_ref().map(|keyed| keyed.camera.as_str())
    }

    /// Calls the camera of the room.
    pub async fn offer(&mut self, call: &str, sdp: &str) -> Result<(), RoomError> {
        let mut offer = self.about(call);
        if let Some(Keyed { key, camera, offered }) = &mut self.keyed {
            let around = Around { room: &self.room, from: &self.from, to: camera, call };
            offer["key"] = json!(key.id);
            offer["proof"] = json!(proof::of_offer(&key.secret, around, sdp));
            *offered = (call.to_owned(), sdp.to_owned());
        }
        offer["sdp"] = json!({"type": "offer", "sdp": sdp, "from": self.from, "call": call});
        self.emit("offer", &offer).await
    }

    /// Sends one of our own candidates; empty is the end of them.
    pub async fn candidate(&mut self, call: &str, candidate: &str) -> Result<(), RoomError> {
        let mut message = self.about(call);
        message["candidate"] = if candidate.is_empty() {
            Value::Null
        } else {
            json!({"candidate": candidate, "sdpMLineIndex": 0})
        };
        self.emit("candidate", &message).await
    }

    /// Hangs up.
    pub async fn bye(&mut self, call: &str) -> Result<(), RoomError> {
        let mut bye = self.about(call);
        bye["reason"] = json!("hang-up");
        self.emit("bye", &bye).await
    }

    /// Sends any event with any payload: what a stranger may do.
    pub async fn emit(&mut self, event: &str, payload: &Value) -> Result<(), RoomError> {
        self.send(format!("{MESSAGE}{EVENT}{}", json!([event, payload]))).await
    }

    /// The next thing said, whenever that is. Answers the relay's pings, so keep calling it. Nothing is lost when
    /// the future is dropped.
    pub async fn next(&mut self) -> Result<Said, RoomError> {
        let packet = self.packet().await?;
        match packet.strip_prefix(MESSAGE).map(|message| (message.chars().next(), message)) {
            Some((Some(EVENT), message)) => {
                let (said, proof) = read(&message[1..])?;
                if self.is_proved(&said, &proof) { Ok(said) } else { Err(RoomError::NotProved) }
            }
            Some((Some(DISCONNECT), _)) => Err(RoomError::Closed),
            _ => Err(RoomError::NotUnderstood(packet)),
        }
    }

    /// Leaves the room.
    pub async fn leave(mut self) -> Result<(), RoomError> {
        Ok(self.socket.close(None).await?)
    }

    /// The next Engine.IO packet that is not a ping.
    async fn packet(&mut self) -> Result<String, RoomError> {
        loop {
            match self.socket.next().await.ok_or(RoomError::Closed)?? {
                Message::Text(text) if text.starts_with(PING) => self.send(PONG.into()).await?,
                Message::Text(text) if text.starts_with(CLOSE) => return Err(RoomError::Closed),
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(_) => return Err(RoomError::Closed),
                // Websocket's own pings are answered by the library.
                _ => {}
            }
        }
    }

    async fn send(&mut self, packet: String) -> Result<(), RoomError> {
        Ok(self.socket.send(Message::text(packet)).await?)
    }

    fn about(&self, call: &str) -> Value {
        let mut about = json!({"room": self.room, "from": self.from, "call": call});
        if let Some(keyed) = &self.keyed {
            about["to"] = json!(keyed.camera);
        }
        about
    }

    /// Whether an answer is by the camera that was called, where that can be told.
    fn is_proved(&self, said: &Said, proof: &str) -> bool {
        let (Some(keyed), Said::Answer { call, from, sdp }) = (&self.keyed, said) else { return true };
        let (asked, offer) = &keyed.offered;
        let around = Around { room: &self.room, from, to: &self.from, call };
        (call, from) == (asked, &keyed.camera)
            && proof == proof::of_answer(&keyed.key.secret, around, offer, sdp)
    }
}

/// What an event says, and its proof where it has one.
fn read(event: &str) -> Result<(Said, String), RoomError> {
    // `namespace,` and acknowledgement numbers do not occur: we use the root namespace and ask for none.
    let (name, payload) =
        match serde_json::from_str::<Vec<Value>>(event).map(|arguments| arguments.into_iter()) {
            Ok(mut arguments) => (arguments.next(), arguments.next().unwrap_or(Value::Null)),
            Err(_) => (None, Value::Null),
        };
    let Some(Value::String(name)) = name else { return Err(RoomError::NotUnderstood(event.into())) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let call = text(&payload["call"]);
    let (reason, proof) = (text(&payload["reason"]), text(&payload["proof"]));
    let said = match name.as_str() {
        "answer" => Said::Answer { call, from: text(&payload["from"]), sdp: text(&payload["sdp"]["sdp"]) },
        "candidate" => Said::Candidate { call, candidate: text(&payload["candidate"]["candidate"]) },
        "refused" => Said::Refused { call, reason },
        "bye" => Said::Bye { call, reason },
        _ => Said::Other { event: name, payload },
    };
    Ok((said, proof))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_call() {
        let event = r#"["answer",{"room":"r","from":"cam","to":"v","call":"c1","sdp":{"type":"answer","sdp":"v=0"}}]"#;
        let expected = Said::Answer { call: "c1".into(), from: "cam".into(), sdp: "v=0".into() };
        assert_eq!(read(event).unwrap().0, expected);
    }

    #[test]
    fn the_end_of_candidates_is_an_empty_one() {
        let event = r#"["candidate",{"call":"c1","candidate":null}]"#;
        assert_eq!(read(event).unwrap().0, Said::Candidate { call: "c1".into(), candidate: String::new() });
    }

    #[test]
    fn events_of_no_concern_are_passed_on_whole() {
        let said = read(r#"["notice",{"what":"camera-lost"}]"#).unwrap().0;
        assert_eq!(said, Said::Other { event: "notice".into(), payload: json!({"what": "camera-lost"}) });
        assert_eq!(
            read(r#"["hello"]"#).unwrap().0,
            Said::Other { event: "hello".into(), payload: Value::Null }
        );
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        assert!(matches!(read("17"), Err(RoomError::NotUnderstood(_))));
        assert!(matches!(read("[]"), Err(RoomError::NotUnderstood(_))));
        assert!(matches!(read("[1,{}]"), Err(RoomError::NotUnderstood(_))));
    }
}
