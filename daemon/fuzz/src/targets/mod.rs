//! The targets, and how their inputs are written. Must not know who runs them.

pub mod access;
pub mod config;
#[cfg(feature = "port")]
pub mod connection;
pub mod dialects;
#[cfg(feature = "port")]
pub mod http;
pub mod players;
#[cfg(feature = "port")]
mod port;
pub mod rtcp;
pub mod sdp;
pub mod switchboard;
pub mod wire;

use std::hash::{DefaultHasher, Hash, Hasher};

use porthole_core::ids::{Name, PeerId};
use serde_json::Value;

/// Most arguments of one message.
const ARGUMENTS: usize = 8;

/// A Socket.IO event as an input has it: the event's name, who is vouched for (`-` for nobody), and one argument a line,
/// JSON or else a text.
struct Message {
    event: String,
    sender: Option<PeerId>,
    args: Vec<Value>,
}

impl Message {
    fn read(text: &str) -> Self {
        let mut lines = text.split('\n');
        let event = lines.next().unwrap_or_default().to_owned();
        let sender = Name::new(lines.next().unwrap_or_default()).ok().filter(|name| name.as_str() != "-");
        let args = lines.take(ARGUMENTS).map(argument).collect();
        Self { event, sender, args }
    }
}

fn argument(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| Value::from(line))
}

/// Tells one outcome from another.
#[derive(Default)]
struct Outcome(DefaultHasher);

impl Outcome {
    fn note(&mut self, what: impl Hash) {
        what.hash(&mut self.0);
    }

    fn number(self) -> u64 {
        self.0.finish()
    }
}
