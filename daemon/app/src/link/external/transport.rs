//! What the link wants of a way to somebody else's relay. Must not know which library is behind it, nor what is said.
//!
//! What a [`Transport`] makes is an [`Epoch`]: one connection, from the moment the relay has let us in to the moment it
//! is lost. It never connects again by itself; that is for its owner to decide.

use std::future::Future;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;

/// Whatever connects us to a relay.
pub trait Transport: Send + 'static {
    /// Makes one attempt. Bounded in time, and abandoned when the future is dropped. Succeeds when the relay has let
    /// us in, not before. There may be several at a time.
    ///
    /// # Errors
    /// Why not, in words with their fix.
    fn connect(&self) -> impl Future<Output = Result<Epoch, Failure>> + Send + 'static;
}

/// One connection. Dropped, it is ended in the background.
#[derive(Debug)]
pub struct Epoch {
    /// What is to be said, in order.
    pub emits: mpsc::Sender<Emit>,
    /// What is heard. After [`Heard::Ended`], or when it is closed, nothing more comes.
    pub heard: mpsc::Receiver<Heard>,
}

/// One event to be sent.
#[derive(Debug)]
pub struct Emit {
    /// Its name.
    pub event: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Told when it is handed to the connection, or cannot be. Never told later than some seconds.
    pub done: oneshot::Sender<Result<(), Failure>>,
}

/// What an [`Epoch`] brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// An event arrived. It is within [`porthole_core::wire::limits::MESSAGE_BYTES`], and not looked at.
    Said {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Vec<Value>,
    },
    /// Something arrived that is too large, too much, or no event of JSON arguments. The word is for counting.
    Refused(&'static str),
    /// The connection is over.
    Ended(Failure),
}

impl Epoch {
    /// Sends one event and waits until the connection has taken it.
    ///
    /// # Errors
    /// Why it could not; the epoch is over then.
    pub async fn emit(&self, event: &str, args: &[Value]) -> Result<(), Failure> {
        let (done, sent) = oneshot::channel();
        let emit = Emit { event: event.to_owned(), args: args.to_vec(), done };
        self.emits.send(emit).await.map_err(|_| Failure::Broken)?;
        sent.await.map_err(|_| Failure::Broken)?
    }

    /// Takes leave, and returns when the connection is gone.
    pub async fn close(self) {
        let Self { emits, mut heard } = self;
        drop(emits);
        while heard.recv().await.is_some() {}
    }
}
