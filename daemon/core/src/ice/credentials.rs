//! What a TURN server wants to see. From a secret that the server knows too, credentials are made that hold for a while
//! ("A REST API For Access To TURN Services", draft-uberti-behave-turn-rest-00, section 2.2): the user name is the second
//! since 1970 at which they end, a colon and a name; the password is the HMAC-SHA1 of that under the secret, in base64.
//! Must not know who is given them.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::access::Stamp;

/// A user name and a password. Its `Debug` form hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl Credentials {
    /// Those for `name`, made from `secret` and good for `lifetime` from `now` on.
    pub fn made(secret: &str, name: &str, now: Stamp, lifetime: Duration) -> Self {
        let username = format!("{}:{name}", now.0.saturating_add(lifetime.as_secs()));
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key will do");
        mac.update(username.as_bytes());
        let password = STANDARD.encode(mac.finalize().into_bytes());
        Self { username, password }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}
