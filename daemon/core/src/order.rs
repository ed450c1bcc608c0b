//! What people who may order the daemon about can order. Must not know by which way an order comes, nor who gave it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is ordered. The switchboard obeys at once; what came of it is in its status.
///
/// As JSON: `{"order": "look"}`; what an order needs stands beside it, as in `{"order": "privacy", "on": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Open the camera for a moment ([`LOOK`](crate::wire::limits::LOOK)), as if somebody watched. Whether it opens is
    /// in the status.
    Look {},
    /// Close camera and microphone, so that nobody sees or hears anything, until it is ordered otherwise.
    Privacy {
        /// Whether it is to be so.
        on: bool,
    },
    /// Play a file on the speaker, in place of the one that is played.
    Play {
        /// Its full path; the daemon reads it as the user that it runs as.
        file: String,
        /// How loud, in percent of the speaker's own volume: 1 to [`Order::LOUDEST`]. As it is where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        volume: Option<u32>,
    },
    /// Play that no longer.
    StopPlaying {},
}

impl Order {
    /// The loudest that a file can be played, in percent.
    pub const LOUDEST: u32 = 400;
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Look {} => f.write_str("open the camera for a look"),
            Self::Privacy { on: true } => f.write_str("privacy on"),
            Self::Privacy { on: false } => f.write_str("privacy off"),
            Self::Play { file, .. } => write!(f, "play {file:?}"),
            Self::StopPlaying {} => f.write_str("play nothing more"),
        }
    }
}
