//! What an offer says, and what to answer it with. Must not know GStreamer: it works on text.

pub mod choose;
pub mod read;
