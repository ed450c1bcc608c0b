//! Which way a call takes through the networks, read out of the two candidates that its agent has chosen. The page says
//! the same in its own words, from the browser's statistics. Must not know where the candidates come from.

use std::net::IpAddr;

use serde::Serialize;

/// Which way a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Nobody translates addresses: within one network, or from one to another.
    Direct,
    /// Through a router that translates addresses.
    Nat,
    /// Through a TURN server.
    Relayed,
}

/// One end of the chosen pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End<'a> {
    /// `host`, `srflx`, `prflx` or `relay` (RFC 8445, section 5.1.1).
    pub kind: &'a str,
    /// Its address; none, where it is not known.
    pub address: Option<IpAddr>,
}

impl Path {
    /// The way between these two, of whom the first is ours.
    pub fn between(ours: End<'_>, theirs: End<'_>) -> Self {
        if ours.kind == "relay" || theirs.kind == "relay" {
            return Self::Relayed;
        }
        // A browser that hides its address behind a name is only heard from, and its address is its own all the same where
        // nobody translates it.
        let own = |end: End<'_>| {
            end.kind == "host" || (end.kind == "prflx" && end.address.is_some_and(is_untranslated))
        };
        let at_one_place = ours.address.is_some() && ours.address == theirs.address;
        if at_one_place || (own(ours) && own(theirs)) { Self::Direct } else { Self::Nat }
    }

    /// What a person should read.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Direct => "directly",
            Self::Nat => "through a router (NAT)",
            Self::Relayed => "through a relay server (TURN)",
        }
    }
}

/// IPv6, the addresses of IPv4 that nobody has on the internet (RFC 1918, RFC 3927), and loopback.
fn is_untranslated(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(_) => true,
    }
}
