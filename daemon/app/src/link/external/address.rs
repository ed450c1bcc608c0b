//! Where somebody else's relay is, and what it is told in the handshake. Must not know how it is reached.

use std::fmt;

use porthole_core::config::settings::Auth;
use serde_json::{Map, Value};
use url::{Host, Url};

/// Where a relay is.
#[derive(Clone)]
pub struct Address {
    url: Url,
    auth: Auth,
}

/// The address cannot be used; the configuration should have found that out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`url` in [relay]: it must be http:// or https://, with a host, perhaps a port, and no path")]
pub struct BadAddress;

impl Address {
    /// The relay at `url` (`http://host:port` or `https://…`), with Socket.IO at `path`, and what its handshake is
    /// to carry.
    ///
    /// # Errors
    /// [`BadAddress`] if that is no address.
    pub fn new(url: &str, path: &str, auth: Auth) -> Result<Self, BadAddress> {
        let mut url = Url::parse(url).map_err(|_| BadAddress)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BadAddress);
        }
        // Without the last slash many servers answer with a redirection, which the library does not follow.
        url.set_path(&format!("/{}/", path.trim_matches('/')));
        if url.path() == "//" {
            url.set_path("/");
        }
        Ok(Self { url, auth })
    }

    /// As the library wants it.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// For the page: scheme, host, port and path, and nothing that could be a secret.
    pub fn public(&self) -> String {
        format!("{self}{}", self.url.path())
    }

    /// Name or address of the machine; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, also where it is not written.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// Host and port, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port())
    }

    /// Whether TLS is spoken.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether somebody on the way could read what the handshake carries. Nobody is on the way to this machine itself.
    pub fn tells_in_the_clear(&self) -> bool {
        let near = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        !self.is_secure() && !near && !self.auth.0.is_empty()
    }

    /// What the handshake is to carry.
    pub fn auth(&self) -> &Map<String, Value> {
        &self.auth.0
    }
}

/// For people: nothing that could be a secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, path: &str) -> Address {
        Address::new(url, path, Auth::default()).unwrap()
    }

    #[test]
    fn a_path_begins_and_ends_with_a_slash() {
        for path in ["/cam/socket.io/", "cam/socket.io", "//cam/socket.io//"] {
            assert_eq!(address("http://relay.example", path).url(), "http://relay.example/cam/socket.io/");
        }
        assert_eq!(address("https://relay.example:3000", "/").url(), "https://relay.example:3000/");
    }

    #[test]
    fn host_and_port_are_there_also_where_they_are_not_written() {
        let plain = address("http://relay.example", "/socket.io/");
        assert_eq!((plain.host(), plain.port(), plain.is_secure()), ("relay.example", 80, false));
        let six = address("https://[2001:db8::7]", "/socket.io/");
        assert_eq!((six.host(), six.port(), six.is_secure()), ("2001:db8::7", 443, true));
        assert_eq!(six.place(), "[2001:db8::7]:443");
    }

    #[test]
    fn nothing_that_could_be_a_secret_is_shown() {
        let shown = address("https://user:password@relay.example:3000/?token=1", "/x/").to_string();
        assert_eq!(shown, "https://relay.example:3000");
        let public = address("https://user:password@relay.example/?token=1", "/x/").public();
        assert_eq!(public, "https://relay.example:443/x/");
    }

    #[test]
    fn a_token_that_anybody_on_the_way_can_read_is_known_as_such() {
        let token = || Auth(Map::from_iter([("token".to_owned(), Value::from("wonder"))]));
        let told = |url: &str, auth| Address::new(url, "/", auth).unwrap().tells_in_the_clear();
        assert!(told("http://relay.example", token()) && told("http://192.0.2.7:3000", token()));
        assert!(!told("http://relay.example", Auth::default()));
        for near in ["https://relay.example", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"]
        {
            assert!(!told(near, token()), "{near}");
        }
    }

    #[test]
    fn other_schemes_are_no_address() {
        for url in ["wss://relay.example", "ftp://relay.example", "relay.example", "", "http://"] {
            assert_eq!(Address::new(url, "/", Auth::default()).map(|_| ()), Err(BadAddress), "{url}");
        }
    }
}
