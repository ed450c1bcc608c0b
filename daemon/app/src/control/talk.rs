//! What is said on the socket: requests and replies as lines of JSON. Must not know sockets, nor how things are.

use porthole_core::order::Order;
use serde_json::{Map, Value, json};

/// The version of what is said here.
pub const VERSION: u64 = 1;
/// Most bytes of a request, its line end included.
pub const REQUEST_BYTES: u64 = 8 * 1024;
/// Most bytes of a reply.
pub const REPLY_BYTES: u64 = 1024 * 1024;
/// The word for a configuration that is refused.
pub const NOT_ALLOWED: &str = "not-allowed";
/// What carries the version.
const SPOKEN: &str = "porthole";

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// How things are.
    Status,
    /// To read the configuration again, and what came of that.
    Reload,
    /// To do something, and how things are then.
    Order(Order),
}

/// Why a request is not answered. A word for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no JSON object, or none of ours.
    #[error("a request is one line with a JSON object such as {{\"porthole\": 1, \"ask\": \"status\"}}")]
    Unreadable,
    /// It is longer than any.
    #[error("a request has at most {REQUEST_BYTES} bytes")]
    TooLong,
    /// It is of another time.
    #[error("this daemon speaks version {VERSION} here; use the porthole program that it was started from")]
    Version,
    /// There is no such question or order.
    #[error("this daemon does not know that: {0}")]
    Unknown(String),
    /// Too many ask at once.
    #[error("too many programs ask at once")]
    Busy,
    /// Nobody is left who could obey.
    #[error("the daemon is ending")]
    Ending,
    /// What is asked for it does not do yet.
    #[error("the daemon is still starting; try again in a moment")]
    Starting,
    /// Its configuration is not taken over; a line for each reason.
    #[error("{0}")]
    NotAllowed(String),
}

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(line: &[u8]) -> Result<Self, Refused> {
        let Ok(Value::Object(mut said)) = serde_json::from_slice(line) else {
            return Err(Refused::Unreadable);
        };
        match said.remove(SPOKEN) {
            None => return Err(Refused::Unreadable),
            Some(version) if version != VERSION => return Err(Refused::Version),
            Some(_) => {}
        }
        match said.get("ask").and_then(Value::as_str) {
            Some("status") => Ok(Self::Status),
            Some("reload") => Ok(Self::Reload),
            Some(other) => Err(Refused::Unknown(format!("ask \"{}\"", other.escape_debug()))),
            None if said.contains_key("order") => serde_json::from_value(Value::Object(said))
                .map(Self::Order)
                .map_err(|error| Refused::Unknown(error.to_string())),
            None => Err(Refused::Unreadable),
        }
    }

    /// The line of it, without its end.
    pub fn line(&self) -> String {
        let said = match self {
            Self::Status => json!({ "ask": "status" }),
            Self::Reload => json!({ "ask": "reload" }),
            Self::Order(order) => json!(order),
        };
        spoken(said)
    }
}

impl Refused {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLong => "too-long",
            Self::Version => "version",
            Self::Unknown(_) => "unknown",
            Self::Busy => "busy",
            Self::Ending => "ending",
            Self::Starting => "starting",
            Self::NotAllowed(_) => NOT_ALLOWED,
        }
    }

    /// The line of it, without its end.
    pub fn line(&self) -> String {
        spoken(json!({ "error": self.word(), "sentence": self.to_string() }))
    }
}

/// The reply that says which keys of the configuration were taken over, and which wait for a restart, without its end.
pub fn reloaded(taken: &[&str], waits: &[&str]) -> String {
    spoken(json!({ "taken": taken, "waits": waits }))
}

/// The reply that says how things are, without its end.
pub fn status(status: Value, words: &[String]) -> String {
    spoken(json!({ "status": status, "words": words }))
}

fn spoken(said: Value) -> String {
    let mut line = Map::new();
    line.insert(SPOKEN.to_owned(), VERSION.into());
    if let Value::Object(said) = said {
        line.extend(said);
    }
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_read_as_it_was_written() {
        for request in [Request::Status, Request::Order(Order::Look {})] {
            assert_eq!(Request::read(request.line().as_bytes()), Ok(request));
        }
        assert_eq!(Request::read(br#"{"porthole": 1, "ask": "status"}"#), Ok(Request::Status));
        assert_eq!(Request::Order(Order::Look {}).line(), r#"{"order":"look","porthole":1}"#);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_word_and_a_sentence() {
        let word = |line: &str| Request::read(line.as_bytes()).unwrap_err().word();
        for line in ["", "status", "[]", "{}", r#"{"ask":"status"}"#, r#"{"porthole":1}"#, "\u{0}", "{"] {
            assert_eq!(word(line), "unreadable", "{line}");
        }
        for line in [r#"{"porthole":2,"ask":"status"}"#, r#"{"porthole":"1","ask":"status"}"#] {
            assert_eq!(word(line), "version", "{line}");
        }
        for line in [
            r#"{"porthole":1,"ask":"weather"}"#,
            r#"{"porthole":1,"order":"dance"}"#,
            r#"{"porthole":1,"order":7}"#,
            r#"{"porthole":1,"order":"look","at":"me"}"#,
        ] {
            assert_eq!(word(line), "unknown", "{line}");
        }
        let said = Request::read(br#"{"porthole":1,"order":"dance"}"#).unwrap_err().line();
        assert!(said.contains("unknown variant `dance`") && said.contains("look"), "{said}");
    }
}
