//! Further candidates for addresses under which the camera is reached from elsewhere: a router passes the same ports on to
//! it, or its provider the whole address. Works on text. Must not know whether that is so.

use std::net::IpAddr;

/// Where things stand in a candidate line (RFC 8839, section 5.1), counted from 0.
const FOUNDATION: usize = 0;
const PRIORITY: usize = 3;
const ADDRESS: usize = 4;
const PORT: usize = 5;
const KIND: usize = 7;
/// What an active end of TCP writes as its port (RFC 6544, section 4.5): nobody can connect to it.
const DISCARD_PORT: &str = "9";
/// Longest foundation (RFC 8839, section 5.1), in characters.
const LONGEST_FOUNDATION: usize = 32;
/// Type preference of an address that others see (RFC 8445, section 5.1.2.2).
const REFLEXIVE: u32 = 100;

/// What `candidate` (`candidate:…`) is called at each of the addresses `announce`: nothing, unless it is a host candidate
/// of the same family that others can connect to. As a server-reflexive one, for that is what it is to whoever looks from
/// outside, with the local address beside it.
pub fn announced(candidate: &str, announce: &[IpAddr]) -> Vec<String> {
    let words: Vec<&str> = candidate.split(' ').collect();
    let (Some(&foundation), Some(&port)) = (words.get(FOUNDATION), words.get(PORT)) else {
        return Vec::new();
    };
    let address = words.get(ADDRESS).and_then(|word| word.parse::<IpAddr>().ok());
    let priority = words.get(PRIORITY).and_then(|word| word.parse::<u32>().ok());
    let (Some(address), Some(priority)) = (address, priority) else { return Vec::new() };
    let host = words.get(KIND - 1..=KIND) == Some(&["typ", "host"]);
    if !host || port == DISCARD_PORT || !leaves_the_link(address) {
        return Vec::new();
    }
    let fits = |other: &&IpAddr| other.is_ipv4() == address.is_ipv4() && **other != address;
    let named = announce.iter().enumerate().filter(|(_, other)| fits(other));
    named
        .map(|(index, other)| {
            let mut line: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let end = format!("x{index}");
            let room = LONGEST_FOUNDATION + "candidate:".len() - end.len();
            line[FOUNDATION] = foundation.chars().take(room).collect::<String>() + &end;
            line[PRIORITY] = reflexive(priority).to_string();
            line[ADDRESS] = other.to_string();
            line[KIND] = "srflx".to_owned();
            let beside = ["raddr".to_owned(), address.to_string(), "rport".to_owned(), port.to_owned()];
            line.splice(KIND + 1..KIND + 1, beside);
            line.join(" ")
        })
        .collect()
}

/// The SDP `sdp` with those candidates behind the ones they are made from.
pub fn announced_in(sdp: &str, announce: &[IpAddr]) -> String {
    if announce.is_empty() {
        return sdp.to_owned();
    }
    let mut whole = String::with_capacity(sdp.len());
    for line in sdp.split_inclusive('\n') {
        whole.push_str(line);
        let text = line.trim_end_matches(['\r', '\n']);
        let Some(candidate) = text.strip_prefix("a=").filter(|value| value.starts_with("candidate:")) else {
            continue;
        };
        let end = line.get(text.len()..).filter(|end| !end.is_empty()).unwrap_or("\r\n");
        for more in announced(candidate, announce) {
            whole.push_str("a=");
            whole.push_str(&more);
            whole.push_str(end);
        }
    }
    whole
}

/// The priority of a host candidate as a server-reflexive one: below it, in the same order among its like.
fn reflexive(priority: u32) -> u32 {
    let kind = (priority >> 24).min(REFLEXIVE + 1).saturating_sub(1);
    (kind << 24) | (priority & 0x00ff_ffff)
}

/// Whether packets of this address leave machine and link at all.
fn leaves_the_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}
