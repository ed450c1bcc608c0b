//! Candidates whose address is a `.local` name, as browsers write them to hide the machine's address
//! (draft-ietf-mmusic-mdns-ice-candidates). The name is looked up here and never by the ICE agent: GStreamer 1.22
//! keeps the whole agent for ever when a look-up fails. Most calls do without, because the browser reaches the camera
//! first and is seen by its packets. Must not know calls.

use std::net::IpAddr;
use std::time::Duration;

use porthole_core::wire::Candidate;
use tokio::sync::Semaphore;

/// How long a look-up may take.
const LIMIT: Duration = Duration::from_secs(3);
/// Look-ups at once; what comes beyond is left to the browser's own packets.
static PLACES: Semaphore = Semaphore::const_new(4);
/// Where the address stands in a candidate line (RFC 8839, section 5.1), counted from 0.
const ADDRESS: usize = 4;

/// Whether a candidate has a name in place of its address.
pub fn is_name(candidate: &Candidate) -> bool {
    address(candidate).is_some_and(|address| address.parse::<IpAddr>().is_err())
}

/// The candidate with the address that its name stands for; `None` where nobody knows it, and for any name but those
/// of this network (`.local`): a stranger does not choose what this machine looks up.
pub async fn resolve(candidate: Candidate) -> Option<Candidate> {
    let name = address(&candidate)?.to_owned();
    if !name.to_ascii_lowercase().ends_with(".local") {
        return None;
    }
    let _place = PLACES.try_acquire().ok()?;
    let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), 0))).await.ok()?.ok()?;
    let ip = found.map(|socket| socket.ip()).find(|ip| !ip.is_loopback())?;
    Some(with_address(&candidate, ip))
}

fn address(candidate: &Candidate) -> Option<&str> {
    candidate.candidate.split(' ').nth(ADDRESS)
}

fn with_address(candidate: &Candidate, ip: IpAddr) -> Candidate {
    let ip = ip.to_string();
    let words = candidate.candidate.split(' ').enumerate();
    let line: Vec<_> = words.map(|(place, word)| if place == ADDRESS { ip.as_str() } else { word }).collect();
    Candidate { candidate: line.join(" "), ..candidate.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: &str =
        "candidate:1 1 udp 2113937151 0d3f2c1e-6b8a-4c1d-9e2f-000000000000.local 51000 typ host";

    fn candidate(line: &str) -> Candidate {
        Candidate {
            candidate: line.to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_m_line_index: None,
            username_fragment: None,
        }
    }

    #[test]
    fn a_hidden_address_is_a_name_and_a_plain_one_is_not() {
        assert!(is_name(&candidate(HIDDEN)));
        assert!(!is_name(&candidate("candidate:1 1 udp 2113937151 192.0.2.7 51000 typ host")));
        assert!(!is_name(&candidate("")));
    }

    #[test]
    fn only_the_address_is_replaced() {
        let plain = with_address(&candidate(HIDDEN), "192.0.2.7".parse().unwrap());
        assert_eq!(plain.candidate, "candidate:1 1 udp 2113937151 192.0.2.7 51000 typ host");
        assert_eq!(plain.sdp_mid.as_deref(), Some("0"));
    }

    #[tokio::test]
    async fn a_name_of_the_internet_is_not_looked_up() {
        let told = candidate("candidate:1 1 udp 2113937151 localhost 51000 typ host");
        assert!(is_name(&told));
        assert_eq!(resolve(told).await, None);
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_is_no_candidate() {
        assert_eq!(resolve(candidate(HIDDEN)).await, None);
    }
}
