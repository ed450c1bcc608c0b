//! The messages of our own dialect, and the bounds on everything a stranger may send.
//!
//! [`read`] takes what peers and relays send, liberal in spelling and strict in bounds; [`Outgoing`] has a maker for
//! everything the camera says; [`Reason`] is the fixed list of words, [`limits`] are the bounds.
//! Must not know how a message travels, nor what is done about it.

pub mod dialect;
pub mod limits;
mod message;
mod read;
mod reason;
mod write;

pub use message::{Away, Candidate, Incoming, Mirror, Offer, Outgoing, Shape, Unreadable};
pub use read::read;
pub use reason::Reason;
pub use write::{Address, What};
