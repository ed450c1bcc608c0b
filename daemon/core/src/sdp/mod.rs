//! What an offer says, and what to answer it with. Must not know GStreamer: it works on text.
//!
//! An offer comes from a stranger and webrtcbin is easily upset, so nothing of the offer reaches it as it came:
//! [`read`] takes the few lines that matter, [`choose`] decides, `narrow` writes a new offer that leaves only one
//! answer, and `answer` turns that answer into one for the offer as it was.

pub mod accept;
mod answer;
pub mod choose;
mod formats;
mod narrow;
pub mod propose;
pub mod read;
mod transport;

pub use read::same_offer;
