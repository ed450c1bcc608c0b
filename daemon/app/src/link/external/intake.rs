//! What the library's callbacks push, until somebody takes it: bounded in size, in number, and in bytes altogether. Must
//! not know what is said, nor who says it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use porthole_core::wire::dialect::Custom;
use porthole_core::wire::limits;
use rust_socketio::Event;
use serde_json::Value;
use tokio::sync::mpsc;

/// How many arrived events may wait. More are dropped, as whoever floods a room deserves.
const ARRIVALS: usize = 1024;
/// How many bytes may wait in them, as [`weight`] counts.
const BYTES: usize = 8 * limits::MESSAGE_BYTES;
/// Longest name of an event, in bytes: whatever the configuration allows.
const NAME_BYTES: usize = 4 * Custom::LONGEST_NAME;

/// What callbacks push.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrived {
    /// The relay has let us in, or a peer says `open`.
    Open(Vec<Value>),
    /// The relay sends us away, or a peer says `close`.
    Close(Vec<Value>),
    /// The library, the relay or a peer says `error`.
    Error(Vec<Value>),
    /// Any other event.
    Said(Event, Vec<Value>),
    /// Something that is not taken. The word is for counting.
    Refused(&'static str),
}

/// Where callbacks push.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: mpsc::Sender<(Arrived, Option<Load>)>,
    held: Arc<AtomicUsize>,
}

/// Where it is taken.
#[derive(Debug)]
pub struct Arrivals(mpsc::Receiver<(Arrived, Option<Load>)>);

/// Bytes that wait, for as long as this lives.
#[derive(Debug)]
struct Load {
    bytes: usize,
    held: Arc<AtomicUsize>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Both ends.
pub fn intake() -> (Intake, Arrivals) {
    let (queue, arrivals) = mpsc::channel(ARRIVALS);
    (Intake { queue, held: Arc::default() }, Arrivals(arrivals))
}

impl Intake {
    /// Takes what has arrived. Of what is too large or too much only that is kept, and where there is no room even for
    /// that, nothing.
    pub fn push(&self, arrived: Arrived) {
        let (name, args) = match &arrived {
            Arrived::Open(args) | Arrived::Close(args) | Arrived::Error(args) => ("", args.as_slice()),
            Arrived::Said(event, args) => (event.as_str(), args.as_slice()),
            Arrived::Refused(_) => ("", [].as_slice()),
        };
        let weighed = match weight(name, args).map(|bytes| self.hold(bytes)) {
            None => (Arrived::Refused("too-large"), None),
            Some(None) => (Arrived::Refused("too-often"), None),
            Some(load) => (arrived, load),
        };
        let _ = self.queue.try_send(weighed);
    }

    fn hold(&self, bytes: usize) -> Option<Load> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= BYTES);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Load { bytes, held: self.held.clone() })
    }
}

impl Arrivals {
    /// The next one; `None` when nothing can come any more.
    pub async fn next(&mut self) -> Option<Arrived> {
        self.0.recv().await.map(|(arrived, _)| arrived)
    }
}

/// About as many bytes as an event has when it is written as JSON, without writing it; `None` if it is larger than
/// [`limits::MESSAGE_BYTES`] or its name is longer than any.
fn weight(name: &str, args: &[Value]) -> Option<usize> {
    fn take(value: &Value, left: usize) -> Option<usize> {
        let own = match value {
            Value::Null | Value::Bool(_) => 4,
            Value::Number(_) => 8,
            Value::String(text) => text.len() + 2,
            Value::Array(_) | Value::Object(_) => 2,
        };
        let left = left.checked_sub(own)?;
        match value {
            Value::Array(items) => items.iter().try_fold(left, |left, item| take(item, left)),
            Value::Object(members) => members
                .iter()
                .try_fold(left, |left, (key, member)| take(member, left.checked_sub(key.len() + 3)?)),
            _ => Some(left),
        }
    }
    let left = args.iter().try_fold(limits::MESSAGE_BYTES, |left, arg| take(arg, left))?;
    (name.len() <= NAME_BYTES).then_some(limits::MESSAGE_BYTES - left)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_is_too_large_is_counted_and_kept_no_further() {
        let (intake, mut arrivals) = intake();
        let large = "v".repeat(limits::MESSAGE_BYTES);
        for args in
            [json!([{"sdp": large}]), json!([{ large.as_str(): 1 }]), json!(vec![json!([]); large.len()])]
        {
            intake.push(said("offer", args.as_array().unwrap()));
            assert_eq!(arrivals.next().await, Some(Arrived::Refused("too-large")));
        }
        intake.push(said(&"n".repeat(257), &[]));
        assert_eq!(arrivals.next().await, Some(Arrived::Refused("too-large")));
        intake.push(said("offer", &[json!(7)]));
        assert_eq!(arrivals.next().await, Some(said("offer", &[json!(7)])));
    }

    #[tokio::test]
    async fn a_flood_that_nobody_takes_holds_no_more_than_a_few_messages_worth() {
        let (intake, mut arrivals) = intake();
        let message = said("offer", &[json!("v".repeat(limits::MESSAGE_BYTES / 2 - 2))]);
        for _ in 0..2000 {
            intake.push(message.clone());
        }
        assert_eq!(intake.held.load(Ordering::Relaxed), BYTES);
        let mut taken = 0;
        for _ in 0..ARRIVALS {
            match arrivals.next().await.unwrap() {
                Arrived::Refused(word) => assert_eq!(word, "too-often"),
                arrived => {
                    assert_eq!(arrived, message);
                    taken += 1;
                }
            }
        }
        assert_eq!((taken, intake.held.load(Ordering::Relaxed)), (16, 0));
        intake.push(message.clone());
        assert_eq!(arrivals.next().await, Some(message), "a flood that is over is forgiven");
    }

    #[test]
    fn sizes_are_counted_without_writing() {
        let text = |bytes: usize| json!("v".repeat(bytes));
        let fits = |args: &[Value]| weight("", args).is_some();
        assert_eq!(weight("", &[]), Some(0));
        assert!(fits(&[text(limits::MESSAGE_BYTES - 2)]));
        assert!(!fits(&[text(limits::MESSAGE_BYTES - 1)]));
        assert!(!fits(&[text(limits::MESSAGE_BYTES / 2), text(limits::MESSAGE_BYTES / 2)]));
        let mut deep = json!(null);
        for _ in 0..120 {
            deep = json!([deep]);
        }
        assert!(fits(&[deep]));
    }

    fn said(event: &str, args: &[Value]) -> Arrived {
        Arrived::Said(event.into(), args.to_vec())
    }
}
