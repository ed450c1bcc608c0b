//! How other people's relays are spoken to.
//!
//! `spec` holds every dialect as data, `read` and `write` are the one reader and the one writer for all of them,
//! `listen` tells a dialect by what it says, and a [`Tongue`] is the one spoken at this moment. Must not know how a
//! message travels, nor what is done about it.
//!
//! Where the dialect is not written down, whatever is heard may be a stranger's: a relay that passes on what members
//! say passes on anything. So nothing that is only heard may stand between the camera and a call:
//!
//! - a message that tells its dialect is read in that dialect, whatever was believed before;
//! - an offer is answered, and its call ended, in the shape of that very offer;
//! - what is believed is for the rest: for words that mean one thing here and another there, and for who calls whom.
//!   It follows what is heard, until a call has gone live that was made in one family of dialects. From then on no
//!   other family is believed, and nobody is called in its words;
//! - when the link comes up anew nothing is believed but what calls that are live still prove.

mod choice;
mod listen;
mod read;
mod spec;
mod tongue;
mod write;

pub use choice::{Choice, Custom, JoinShape, Known, Wrap};
pub use tongue::{Heard, Tongue};
