//! Where a STUN or TURN server is and how it is spoken to, read out of its URL. Must not look anything up.

use std::net::IpAddr;

/// Where a server listens (RFC 7064, RFC 7065).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Name or address, without brackets.
    pub host: String,
    /// Port; the scheme's own where none is written.
    pub port: u16,
    /// How it is spoken to.
    pub over: Over,
}

/// What a server is spoken to over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Over {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream.
    Tls,
}

impl Place {
    /// The place in a URL that the configuration allows; `None` for anything else.
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (over, default) = match (scheme, query) {
            ("stun" | "turn", "" | "transport=udp") => (Over::Udp, 3478),
            ("turn", "transport=tcp") => (Over::Tcp, 3478),
            ("stuns" | "turns", "" | "transport=tcp") => (Over::Tls, 5349),
            _ => return None,
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':')))?,
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port, over })
    }

    /// Its address, where that is written and not a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}
