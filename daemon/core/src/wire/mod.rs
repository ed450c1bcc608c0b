//! The messages of our own dialect, and the bounds on everything a stranger may send.
//!
//! [`message`] reads and writes them, [`reason`] is the fixed list of words, [`limits`] are the bounds.
//! Must not know how a message travels, nor what is done about it.

pub mod limits;
mod message;
mod reason;

pub use message::{Candidate, Incoming, Offer, Outgoing, Shape, Unreadable};
pub use reason::Reason;
