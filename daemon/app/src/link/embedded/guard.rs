//! What keeps strangers in bounds before anything is read: how often, and from which page.
//! Must not know rooms, nor what a message says.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Uri, header};
use porthole_core::config::settings::Access;

/// The part of an IPv6 address that a host chooses for itself.
const HOST_BITS: u32 = 64;

/// A token bucket: so many at once, and so many a second afterwards.
#[derive(Debug)]
pub struct Bucket {
    /// What one costs.
    cost: Duration,
    /// What a full bucket holds.
    depth: Duration,
    /// The bucket is full again at this time.
    full_at: Instant,
}

impl Bucket {
    /// A full bucket of `burst` that gains `per_second` every second.
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let cost = Duration::from_secs(1) / per_second;
        Self { cost, depth: cost * burst, full_at: now }
    }

    /// Takes one out, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        self.take_many(1, now)
    }

    /// Whether nothing is missing in it.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Takes so many out at once, if there are so many.
    pub fn take_many(&mut self, count: u32, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.cost.saturating_mul(count);
        let there = full_at - now <= self.depth;
        if there {
            self.full_at = full_at;
        }
        there
    }
}

/// What stands for everybody who may be the same as `address`: of IPv6 its network, since whoever has one address there
/// has all 2^64 of it (RFC 4291 section 2.5.4).
pub fn one_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << HOST_BITS)).into()
        }
        address => address,
    }
}

/// Which pages may talk to the relay.
///
/// A websocket is not bound by CORS, so any page a person has open could reach a relay on loopback; and a page whose
/// name is made to point at 127.0.0.1 (DNS rebinding) even counts as the same origin. Hence both headers are looked at.
#[derive(Debug, Clone)]
pub struct Pages {
    access: Access,
    /// Host (and port) of the configured link, and its origin.
    link: Option<(String, String)>,
}

/// Why a request is turned away. For the person who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// `Host` names another machine.
    #[error("this relay only answers to its own name: open it as localhost, or configure its link")]
    Host,
    /// `Origin` is another page.
    #[error("this relay only talks to its own page")]
    Origin,
}

impl Pages {
    /// Whether pages of other origins may ask at all.
    pub fn of_others(&self) -> bool {
        self.access.admits_pages_of_others()
    }

    /// For rooms with this `access`, at this configured `link` (may be empty). Where keys are asked for, any page may
    /// talk to the relay: it gets nowhere without one.
    pub fn new(access: Access, link: &str) -> Self {
        let link = link.parse::<Uri>().ok().and_then(|uri| {
            let scheme = uri.scheme_str()?.to_ascii_lowercase();
            let host = uri.authority()?.as_str().to_ascii_lowercase();
            // Browsers leave out the port that the scheme has anyway.
            let usual = if scheme == "https" { ":443" } else { ":80" };
            let host = host.strip_suffix(usual).unwrap_or(&host).to_owned();
            Some((host.clone(), format!("{scheme}://{host}")))
        });
        Self { access, link }
    }

    /// Whether pages of other origins may read what is public here, `/healthz` among it.
    pub fn any(&self) -> bool {
        self.access == Access::Open
    }

    /// Judges the `Host` and `Origin` of a request.
    pub fn judge(&self, headers: &HeaderMap) -> Result<(), TurnedAway> {
        if self.of_others() {
            return Ok(());
        }
        let text = |name| Some(headers.get(name)?.to_str().ok()?.to_ascii_lowercase());
        let host = text(header::HOST).ok_or(TurnedAway::Host)?;
        if !(is_this_machine(&host) || self.link.as_ref().is_some_and(|(ours, _)| *ours == host)) {
            return Err(TurnedAway::Host);
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = text(header::ORIGIN).ok_or(TurnedAway::Origin)?;
        let same = origin.split_once("://").is_some_and(|(_, from)| from == host);
        if same || self.link.as_ref().is_some_and(|(_, ours)| *ours == origin) {
            Ok(())
        } else {
            Err(TurnedAway::Origin)
        }
    }
}

/// Whether a `Host` header (`host[:port]`, lower case) is a name that can only mean this machine.
pub fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(30, 60, start);
        assert_eq!((0..300).filter(|_| bucket.take(start)).count(), 60);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..300).filter(|_| bucket.take(later)).count(), 30);
    }

    #[test]
    fn a_bucket_gives_many_at_once_or_none() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 20, start);
        assert!(!bucket.take_many(21, start));
        assert!(bucket.take_many(15, start));
        assert!(!bucket.take_many(6, start));
        assert!(bucket.take_many(5, start) && !bucket.take(start));
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(30, 60, start);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!((0..300).filter(|_| bucket.take(much_later)).count(), 60);
    }

    #[test]
    fn a_local_relay_answers_only_to_names_of_this_machine() {
        let pages = Pages::new(Access::Local, "");
        for host in ["localhost", "LocalHost:8080", "127.0.0.1:9000", "127.0.0.2", "[::1]:8080"] {
            assert_eq!(pages.judge(&headers(Some(host), None)), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "192.0.2.1:8080",
            "localhost@evil.example",
            "",
            "[::2]",
        ] {
            assert_eq!(pages.judge(&headers(Some(host), None)), Err(TurnedAway::Host), "{host}");
        }
        assert_eq!(pages.judge(&headers(None, None)), Err(TurnedAway::Host));
    }

    #[test]
    fn a_local_relay_talks_only_to_its_own_page() {
        let pages = Pages::new(Access::Local, "");
        let from = |origin| pages.judge(&headers(Some("localhost:8080"), Some(origin)));
        assert_eq!(from("http://localhost:8080"), Ok(()));
        assert_eq!(from("https://localhost:8080"), Ok(()), "the same port speaks both");
        for origin in [
            "https://evil.example",
            "https://localhost",
            "http://localhost:9090",
            "http://127.0.0.1:8080",
            "null",
            "",
            "localhost:8080",
        ] {
            assert_eq!(from(origin), Err(TurnedAway::Origin), "{origin}");
        }
    }

    #[test]
    fn the_configured_link_counts_as_its_own_name_and_page() {
        let pages = Pages::new(Access::Local, "https://Cam.example");
        assert_eq!(pages.judge(&headers(Some("cam.example"), Some("https://cam.example"))), Ok(()));
        assert_eq!(pages.judge(&headers(Some("localhost:8080"), Some("https://cam.example"))), Ok(()));
        assert_eq!(
            pages.judge(&headers(Some("cam.example"), Some("https://evil.example"))),
            Err(TurnedAway::Origin)
        );
        assert_eq!(pages.judge(&headers(Some("www.cam.example"), None)), Err(TurnedAway::Host));
        assert_eq!(
            pages.judge(&headers(Some("localhost:8080"), Some("http://cam.example"))),
            Err(TurnedAway::Origin),
            "whoever is between could have written that page"
        );
        let written_out = Pages::new(Access::Local, "https://cam.example:443");
        assert_eq!(written_out.judge(&headers(Some("cam.example"), Some("https://cam.example"))), Ok(()));
    }

    #[test]
    fn a_relay_that_is_open_or_asks_for_keys_talks_to_everybody_and_only_the_former_lets_everybody_read() {
        for (access, reads) in [(Access::Open, true), (Access::Keys, false)] {
            let pages = Pages::new(access, "");
            assert_eq!(pages.judge(&headers(Some("doorbell.lan"), Some("https://evil.example"))), Ok(()));
            assert_eq!(pages.any(), reads);
        }
    }

    fn headers(host: Option<&str>, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put =
            |name, value: Option<&str>| value.map(|value| headers.insert(name, value.parse().unwrap()));
        put(header::HOST, host);
        put(header::ORIGIN, origin);
        headers
    }
}
