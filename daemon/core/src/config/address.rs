//! The few addresses that stand in a configuration: ICE servers and the link's beginning. Must not look any up.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is a STUN server: `stun:` or `stuns:`, host, perhaps a port (RFC 7064).
pub(super) fn is_stun(text: &str) -> bool {
    let Some(("stun" | "stuns", authority)) = text.split_once(':') else { return false };
    is_authority(authority)
}

/// Whether `text` is a TURN server: `turn:` or `turns:`, host, perhaps a port and a transport (RFC 7065). TLS runs over TCP:
/// no browser speaks DTLS to a TURN server, and neither do we.
pub(super) fn is_turn(text: &str) -> bool {
    let Some((scheme @ ("turn" | "turns"), rest)) = text.split_once(':') else { return false };
    match rest.split_once('?') {
        None => is_authority(rest),
        Some((authority, "transport=tcp")) => is_authority(authority),
        Some((authority, "transport=udp")) => is_authority(authority) && scheme == "turn",
        Some(_) => false,
    }
}

/// The beginning of a link without its last slash: `http://` or `https://`, host, perhaps a port. `None` if it
/// is anything else: the page and its Socket.IO path lie at the root.
pub(super) fn origin(text: &str) -> Option<&str> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    is_authority(authority).then_some(text)
}

/// `host`, `host:port`, `[v6]` or `[v6]:port` (RFC 3986 section 3.2, without user information).
fn is_authority(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, port)) = rest.split_once(']') else { return false };
        return host.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    match text.split_once(':') {
        None => is_host(text),
        Some((host, port)) => is_host(host) && is_port(port),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

/// An IPv4 address or a name of letters, digits, hyphens and dots (RFC 1123 section 2.1), underscores tolerated.
fn is_host(text: &str) -> bool {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if numeric {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stun_servers_are_told_from_everything_else() {
        for good in
            ["stun:stun.example", "stun:stun.example:3478", "stuns:10.0.0.1", "stun:[2001:db8::1]:3478"]
        {
            assert!(is_stun(good), "{good}");
        }
        for bad in [
            "",
            "stun",
            "stun:",
            "stun://stun.example",
            "stun:a b",
            "stun:host:0",
            "stun:host:65536",
            "stun:host:+1",
            "stun:host:1:2",
            "stun:[::1",
            "stun:[::1]3478",
            "stun:1.2.3",
            "stun:-a",
            "stun:a..b",
            "turn:host",
            "stun:host?transport=udp",
            "http://host",
        ] {
            assert!(!is_stun(bad), "{bad}");
        }
    }

    #[test]
    fn turn_servers_may_name_udp_or_tcp_and_nothing_else() {
        for good in
            ["turn:turn.example", "turns:turn.example:5349?transport=tcp", "turn:[::1]:3478?transport=udp"]
        {
            assert!(is_turn(good), "{good}");
        }
        for bad in [
            "turn:",
            "turn://h",
            "turn:h?transport=sctp",
            "turns:h?transport=udp",
            "turn:h?",
            "turn:u:p@h",
            "stun:h",
            "turn:h#x",
        ] {
            assert!(!is_turn(bad), "{bad}");
        }
    }

    #[test]
    fn a_link_begins_with_scheme_and_host_and_has_no_path() {
        assert_eq!(origin("https://cam.example/"), Some("https://cam.example"));
        assert_eq!(origin("http://[fe80::1]:8080"), Some("http://[fe80::1]:8080"));
        for bad in [
            "",
            "/",
            "cam.example",
            "ftp://cam.example",
            "https://",
            "https://cam.example/path",
            "http://a#b",
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
