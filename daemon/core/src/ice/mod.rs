//! How a way through networks is found: which servers help, with which credentials, which addresses and ports are our
//! own, and under which others we are reached. Data in, data out. Must not know sockets, interfaces or an ICE agent.

mod announce;
mod credentials;
mod filter;
mod place;
pub mod stun;

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

pub use announce::{announced, announced_in};
pub use credentials::Credentials;
pub use filter::{Filter, InterfaceName, Rule};
pub use place::{Over, Place};

use crate::access::Stamp;

/// Servers for both ends of ICE, and what the camera's own end uses.
#[derive(Debug, Clone, PartialEq)]
pub struct IceSettings {
    /// `stun:host:port` or `stuns:…` (RFC 7064).
    pub stun: Vec<String>,
    /// Relays.
    pub turn: Vec<TurnServer>,
    /// How long credentials hold that are made from a secret.
    pub turn_lifetime: Duration,
    /// A PEM file with the certificates that the camera trusts beside those of the system, where a `turns:` server shows
    /// one.
    pub ca: Option<PathBuf>,
    /// Which ways the camera takes.
    pub policy: IcePolicy,
    /// The camera's own ports; `None`: whichever the system gives.
    pub ports: Option<RangeInclusive<u16>>,
    /// Whether the camera also takes TCP connections of viewers (RFC 6544).
    pub tcp: bool,
    /// Which of its addresses the camera uses.
    pub filter: Filter,
    /// Addresses under which the camera is reached from elsewhere, ports being the same there.
    pub announce: Vec<IpAddr>,
}

/// Which ways the camera takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcePolicy {
    /// The best there is.
    All,
    /// Through TURN servers only.
    Relay,
}

/// A TURN server (RFC 8656).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnServer {
    /// `turn:host:port?transport=udp|tcp` or `turns:…` (RFC 7065).
    pub url: String,
    /// What it wants to see.
    pub login: TurnLogin,
}

/// How one is let in at a TURN server. Its `Debug` form hides password and secret.
#[derive(Clone, PartialEq, Eq)]
pub enum TurnLogin {
    /// With a name and a password for everybody.
    Password(Credentials),
    /// With what is made from a secret that the server knows too, for a while.
    Secret(String),
}

/// Whom credentials are made for, as the TURN server's log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The camera itself.
    Camera,
    /// A viewer's browser.
    Viewer,
}

/// A server as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer<'a> {
    /// Where it is.
    pub url: &'a str,
    /// What a TURN server wants to see.
    pub credentials: Option<Credentials>,
}

impl IceSettings {
    /// Every server, with credentials that hold from `now` on.
    pub fn servers(&self, holder: Holder, now: Stamp) -> Vec<IceServer<'_>> {
        let stun = self.stun.iter().map(|url| IceServer { url, credentials: None });
        let turn = self.turn.iter().map(|server| IceServer {
            url: &server.url,
            credentials: Some(match &server.login {
                TurnLogin::Password(credentials) => credentials.clone(),
                TurnLogin::Secret(secret) => {
                    Credentials::made(secret, holder.word(), now, self.turn_lifetime)
                }
            }),
        });
        stun.chain(turn).collect()
    }

    /// How long what is handed out holds; `None`: for ever.
    pub fn lifetime(&self) -> Option<Duration> {
        let made = self.turn.iter().any(|server| matches!(server.login, TurnLogin::Secret(_)));
        made.then_some(self.turn_lifetime)
    }
}

impl Holder {
    fn word(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Viewer => "viewer",
        }
    }
}

impl Default for IceSettings {
    fn default() -> Self {
        Self {
            stun: Vec::new(),
            turn: Vec::new(),
            turn_lifetime: Duration::from_secs(12 * 60 * 60),
            ca: None,
            policy: IcePolicy::All,
            ports: None,
            tcp: false,
            filter: Filter::default(),
            announce: Vec::new(),
        }
    }
}

impl fmt::Debug for TurnLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(credentials) => credentials.fmt(f),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}
