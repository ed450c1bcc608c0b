//! The port, https, somebody else's relay, and the way through networks. Must not open a socket.

use std::net::{IpAddr, SocketAddr};

use super::Finding;

/// What became of the port to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// It could be had.
    Free,
    /// The daemon with this configuration has it.
    Ours,
    /// It cannot be had; in words with the fix.
    Taken(String),
}

/// What became of asking one STUN or TURN server under which address it sees us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// As the configuration has it.
    pub url: String,
    /// Whether over UDP, and so from the same socket as the others.
    pub udp: bool,
    /// The address it sees, or why there is no answer.
    pub seen: Result<SocketAddr, String>,
}

/// What to make of the port.
pub fn port(listen: SocketAddr, port: &Port) -> Finding {
    let about = "port";
    match port {
        Port::Free => Finding::ok(about, format!("{listen} is free")),
        Port::Ours => Finding::ok(about, format!("the daemon that runs listens on {listen}")),
        Port::Taken(why) => {
            let (says, fix) = why.split_once(": ").unwrap_or((why, "choose another `listen` below [relay]"));
            Finding::failed(about, says, fix)
        }
    }
}

/// What to make of a certificate of somebody else's.
pub fn certificate(concerns: &[String]) -> Vec<Finding> {
    let fix = "check `certificate` and `key` below [relay], and who renews them";
    concerns.iter().map(|why| Finding::failed("certificate", why, fix)).collect()
}

/// What to make of somebody else's relay, which was tried.
pub fn relay(url: &str, reached: &Result<(), String>) -> Finding {
    match reached {
        Ok(()) => Finding::ok("relay", format!("{url} lets us in")),
        Err(why) => {
            let (says, fix) = why.split_once(": ").unwrap_or((why, "check `url` below [relay]"));
            Finding::failed("relay", says, fix)
        }
    }
}

/// What to make of the server at `origin` that shows the camera to a crowd, which was asked for nothing.
pub fn publish(origin: &str, reached: &Result<(), String>) -> Finding {
    let about = "publish";
    match reached {
        Ok(()) => Finding::ok(about, format!("{origin} answers")),
        Err(why) => {
            let (says, fix) = why.split_once(": ").unwrap_or((why, "check `whip` below [publish]"));
            Finding::failed(about, format!("no camera comes to {origin}: {says}"), fix)
        }
    }
}

/// What to make of the servers that were asked, all from one socket, on a machine with these addresses.
pub fn ways(asked: &[Asked], turn: bool, own: &[IpAddr]) -> Vec<Finding> {
    if asked.is_empty() {
        let says = "no STUN or TURN server is configured: calls work in the same network";
        return vec![Finding::ok("ways", says)];
    }
    let silent = |asked: &Asked| asked.seen.as_ref().err().map(|why| (asked.url.clone(), why.clone()));
    let mut found: Vec<Finding> = asked
        .iter()
        .filter_map(silent)
        .map(|(url, why)| {
            let fix = "is its address right, does it run, and does a firewall let UDP through?";
            Finding::failed("ways", format!("{url} does not answer: {why}"), fix)
        })
        .collect();
    let over_tcp = asked.iter().filter(|asked| !asked.udp && asked.seen.is_ok());
    found.extend(over_tcp.map(|asked| Finding::ok("ways", format!("{} answers", asked.url))));
    let over_udp = asked.iter().filter(|asked| asked.udp);
    let seen: Vec<SocketAddr> = over_udp.filter_map(|asked| asked.seen.clone().ok()).collect();
    if let Some(first) = seen.first() {
        found.push(kind(first, &seen, turn, own));
    }
    found
}

/// The kind of NAT (RFC 5780 section 4.3), as far as more than one server tells.
fn kind(first: &SocketAddr, seen: &[SocketAddr], turn: bool, own: &[IpAddr]) -> Finding {
    let about = "ways";
    let there = format!("seen from outside as {}", first.ip());
    if own.contains(&first.ip()) {
        return Finding::ok(about, format!("{there}, which is this machine itself: there is no NAT"));
    }
    // Addresses of different families are different mappings whatever the router does.
    let alike: Vec<_> = seen.iter().filter(|other| other.is_ipv4() == first.is_ipv4()).collect();
    if alike.iter().any(|other| *other != first) {
        let says = format!(
            "{there}, by another port for each server: a symmetric NAT, which most calls from outside do not get through"
        );
        return match turn {
            true => Finding::ok(about, format!("{says} without the TURN server that is configured")),
            false => Finding::warning(about, says, "configure a TURN server: `turn` below [ice]"),
        };
    }
    match alike.len() {
        1 => Finding::ok(about, format!("{there}; a second STUN server would tell the kind of NAT")),
        _ => Finding::ok(
            about,
            format!("{there}, by the same port for each server: calls get through this NAT"),
        ),
    }
}
