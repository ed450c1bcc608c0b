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
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look {} => "open the camera for a look",
            Self::Privacy { on: true } => "privacy on",
            Self::Privacy { on: false } => "privacy off",
        })
    }
}
