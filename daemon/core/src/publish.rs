//! The camera sent to a server that shows it to a crowd (WHIP, RFC 9725): what is asked of that server, and what it says.
//! Must not know HTTP.

use std::fmt;
use std::time::Duration;

use crate::ids::CallId;

/// What is asked of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Take this offer. Answered by [`Word::Taken`] or [`Word::Failed`].
    Offer {
        /// Whose.
        call: CallId,
        /// Every candidate inside.
        sdp: String,
    },
    /// Forget the call, if it has been taken. Nothing is said of it.
    Forget {
        /// Which.
        call: CallId,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// Errands can be run from now on.
    Ready {
        /// From 0 up to 1: so much of the longest jitter the next wait has.
        chance: f64,
    },
    /// The server takes the call.
    Taken {
        /// Which.
        call: CallId,
        /// Its answer.
        sdp: String,
    },
    /// It does not, or is not reached.
    Failed {
        /// Which.
        call: CallId,
        /// For a person, with the fix.
        reason: String,
        /// Not before so long from now, where the server says so.
        after: Option<Duration>,
        /// As in [`Word::Ready`].
        chance: f64,
    },
}

/// A server that takes the camera by WHIP (RFC 9725). Its `Debug` form hides the address, a part of which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishSettings {
    /// Where it takes cameras: `http://` or `https://`, host, perhaps a port, perhaps a path and a query.
    pub whip: String,
    /// What it wants to see.
    pub token: Option<Token>,
}

/// What stands behind `Authorization: Bearer`. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl PublishSettings {
    /// Scheme, host and perhaps a port: what of the address may be shown.
    pub fn origin(&self) -> &str {
        let host = self.whip.find("://").map_or(0, |scheme| scheme + 3);
        let end = self.whip.get(host..).and_then(|rest| rest.find(['/', '?']));
        end.and_then(|end| self.whip.get(..host + end)).unwrap_or(&self.whip)
    }

    /// Whether whoever is on the way could read the token.
    pub fn tells_in_the_clear(&self) -> bool {
        self.token.is_some() && !self.whip.starts_with("https://")
    }
}

impl fmt::Debug for PublishSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishSettings").field("origin", &self.origin()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
