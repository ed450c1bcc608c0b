//! Under which names this machine is reached, as they stand in a certificate. Must not know who signs it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::Uri;

use crate::addresses;

/// Most names in one certificate: it goes over the wire with every connection.
const MOST: usize = 100;
/// Where Linux says what it is called (proc_sys_kernel(5)).
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// A name in a certificate (`subjectAltName`, RFC 5280 section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A DNS name in lower case, without a last dot.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Subject {
    /// The name or address in a `host` of a URL (an IPv6 address in brackets); `None` if it can be neither.
    pub fn of_host(host: &str) -> Option<Self> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) => Some(Self::Address(address.to_canonical())),
            Err(_) => dns(bare).map(Self::Name),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Every name of this machine now; `link` is what printed links begin with, or empty.
pub fn own(link: &str) -> BTreeSet<Subject> {
    let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
    // Those that are not told today may be tomorrow.
    let addresses = addresses::own().unwrap_or_default();
    of(host.trim(), link, &addresses)
}

/// The host of a link such as `https://cam.example:8080`.
pub fn of_link(link: &str) -> Option<Subject> {
    Subject::of_host(link.parse::<Uri>().ok()?.host()?)
}

/// The names of a machine that is called `host` and has these addresses, the likeliest first.
fn of(host: &str, link: &str, addresses: &[IpAddr]) -> BTreeSet<Subject> {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let host = dns(host);
    let local = host.as_deref().and_then(|host| host.split('.').next()).map(|label| format!("{label}.local"));
    let names = [Some("localhost".to_owned()), host, local].into_iter().flatten().map(Subject::Name);
    names
        .chain(of_link(link))
        .chain(loopback.into_iter().chain(addresses.iter().copied()).map(Subject::Address))
        .take(MOST)
        .collect()
}

/// `text` as a DNS name (RFC 1123 section 2.1), if it can be one. Underscores, which verifiers do not take, cannot.
fn dns(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let sound = text.len() <= 253 && text.split('.').all(label);
    // What ends in a number is an address or nothing (WHATWG URL, "ends in a number").
    let number = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (sound && !number).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_its_addresses_its_name_and_that_of_its_link() {
        let addresses = ["192.168.1.20", "2001:db8::7"].map(|text| text.parse().unwrap());
        let all: BTreeSet<String> = said(of("Doorbell", "https://Cam.example:8443", &addresses));
        let expected = [
            "localhost",
            "doorbell",
            "doorbell.local",
            "cam.example",
            "127.0.0.1",
            "::1",
            "192.168.1.20",
            "2001:db8::7",
        ];
        assert_eq!(all, expected.map(str::to_owned).into());
    }

    #[test]
    fn a_full_host_name_keeps_its_domain_and_has_a_local_one() {
        let all = said(of("cam.home.arpa", "http://[2001:db8::9]:80", &[]));
        let expected = ["localhost", "cam.home.arpa", "cam.local", "2001:db8::9", "127.0.0.1", "::1"];
        assert_eq!(all, expected.map(str::to_owned).into());
    }

    #[test]
    fn what_can_be_no_name_is_left_out() {
        for odd in ["", "my_camera", "(none)", "-a", "a..b", "10.0.0", "Küche"] {
            let all = said(of(odd, "", &[]));
            assert_eq!(all, ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into(), "{odd}");
        }
    }

    #[test]
    fn a_machine_with_endless_addresses_still_has_a_certificate_that_fits() {
        let addresses: Vec<IpAddr> = (0..10_000u32).map(|n| IpAddr::V4(n.into())).collect();
        let all = of("doorbell", "https://cam.example", &addresses);
        assert_eq!(all.len(), MOST);
        assert!(all.contains(&Subject::Name("cam.example".into())));
    }

    #[test]
    fn this_very_machine_has_names() {
        assert!(own("").contains(&Subject::Name("localhost".into())));
    }

    fn said(all: BTreeSet<Subject>) -> BTreeSet<String> {
        all.iter().map(ToString::to_string).collect()
    }
}
