//! How other people's relays are spoken to.
//!
//! `spec` holds every dialect as data, `read` and `write` are the one reader and the one writer for all of them,
//! `listen` tells a dialect by what it says, and a [`Tongue`] is the one spoken at this moment. Must not know how a
//! message travels, nor what is done about it.

mod choice;
mod listen;
mod read;
mod spec;
mod tongue;
mod write;

pub use choice::{Choice, Custom, JoinShape, Known, Wrap};
pub use tongue::{Heard, Tongue};
