//! The messages of our own dialect, and the bounds on everything a stranger may send.
//!
//! A [`dialect::Tongue`] takes what peers and relays send, liberal in spelling and strict in bounds; [`Outgoing`] has a
//! maker for everything the camera says in our own dialect; [`Reason`] is the fixed list of words, [`limits`] are the bounds.
//! Must not know how a message travels, nor what is done about it.

pub mod dialect;
mod floor;
pub mod limits;
mod message;
mod read;
mod reason;
mod write;

pub use floor::{Floor, May, Talk, Want};
pub use message::{Away, Bye, Candidate, Incoming, Mirror, Offer, Outgoing, Shape, Unreadable};
pub use reason::Reason;
pub use write::{Address, Watcher, What};
