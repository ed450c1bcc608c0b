//! How other people's relays are spoken to: names and shapes as data, read and written by one reader and one writer.
//! Must not know how a message travels, nor what is done about it.

mod choice;

pub use choice::{Choice, Custom, JoinShape, Known, Wrap};
