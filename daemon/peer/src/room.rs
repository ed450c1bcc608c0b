//! The room as a viewer sees it: as much Socket.IO (protocol 5 over Engine.IO 4, websocket only) as Porthole's own
//! relay needs, for tests and measurements. Not a general client: no polling, no TLS, no acknowledgements, no
//! binary events, no reconnection.
//!
//! Must not know WebRTC: SDP and candidates are text here.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
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
    /// The relay does not let us in (Socket.IO CONNECT_ERROR).
    #[error("not let in: {0}")]
    NotLetIn(String),
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
}

impl Room {
    /// Connects to the relay at `address` (plain http) and joins `room` as the viewer `from`. What the relay says
    /// to the newcomer comes out of [`Room::next`].
    pub async fn enter(address: SocketAddr, room: &str, from: &str) -> Result<Self, RoomError> {
        let tcp = TcpStream::connect(address).await.map_err(tungstenite::Error::Io)?;
        tcp.set_nodelay(true).map_err(tungstenite::Error::Io)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tokio_tungstenite::client_async(url, tcp).await?;
        let mut place = Self { socket, room: room.into(), from: from.into() };
        place.connect().await?;
        let join = json!({"room": room, "from": from, "role": "viewer", "name": from});
        place.emit("join", &join).await?;
        Ok(place)
    }

    async fn connect(&mut self) -> Result<(), RoomError> {
        let hello = self.packet().await?;
        if !hello.starts_with(OPEN) {
            return Err(RoomError::NotUnderstood(hello));
        }
        self.send(format!("{MESSAGE}{CONNECT}")).await?;
        let reply = self.packet().await?;
        match reply.strip_prefix(MESSAGE).map(|reply| (reply.chars().next(), reply)) {
            Some((Some(CONNECT), _)) => Ok(()),
            Some((Some(CONNECT_ERROR), reply)) => Err(RoomError::NotLetIn(reply[1..].into())),
            _ => Err(RoomError::NotUnderstood(reply)),
        }
    }

    /// Calls the camera of the room.
    pub async fn offer(&mut self, call: &str, sdp: &str) -> Result<(), RoomError> {
        let mut offer = self.about(call);
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
            Some((Some(EVENT), message)) => read(&message[1..]),
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
        json!({"room": self.room, "from": self.from, "call": call})
    }
}

fn read(event: &str) -> Result<Said, RoomError> {
    // `namespace,` and acknowledgement numbers do not occur: we use the root namespace and ask for none.
    let (name, payload) =
        match serde_json::from_str::<Vec<Value>>(event).map(|arguments| arguments.into_iter()) {
            Ok(mut arguments) => (arguments.next(), arguments.next().unwrap_or(Value::Null)),
            Err(_) => (None, Value::Null),
        };
    let Some(Value::String(name)) = name else { return Err(RoomError::NotUnderstood(event.into())) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let call = text(&payload["call"]);
    let reason = text(&payload["reason"]);
    Ok(match name.as_str() {
        "answer" => Said::Answer { call, from: text(&payload["from"]), sdp: text(&payload["sdp"]["sdp"]) },
        "candidate" => Said::Candidate { call, candidate: text(&payload["candidate"]["candidate"]) },
        "refused" => Said::Refused { call, reason },
        "bye" => Said::Bye { call, reason },
        _ => Said::Other { event: name, payload },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_call() {
        let event = r#"["answer",{"room":"r","from":"cam","to":"v","call":"c1","sdp":{"type":"answer","sdp":"v=0"}}]"#;
        let expected = Said::Answer { call: "c1".into(), from: "cam".into(), sdp: "v=0".into() };
        assert_eq!(read(event).unwrap(), expected);
    }

    #[test]
    fn the_end_of_candidates_is_an_empty_one() {
        let event = r#"["candidate",{"call":"c1","candidate":null}]"#;
        assert_eq!(read(event).unwrap(), Said::Candidate { call: "c1".into(), candidate: String::new() });
    }

    #[test]
    fn events_of_no_concern_are_passed_on_whole() {
        let said = read(r#"["notice",{"what":"camera-lost"}]"#).unwrap();
        assert_eq!(said, Said::Other { event: "notice".into(), payload: json!({"what": "camera-lost"}) });
        assert_eq!(
            read(r#"["hello"]"#).unwrap(),
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
