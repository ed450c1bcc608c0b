//! Which way a call takes, from the pair of candidates that was chosen.

use porthole_core::path::{End, Path};

fn end<'a>(kind: &'a str, address: &str) -> End<'a> {
    End { kind, address: address.parse().ok() }
}

#[test]
fn a_relay_at_either_end_is_a_way_through_a_relay() {
    let camera = end("host", "192.168.1.4");
    assert_eq!(Path::between(end("relay", "203.0.113.5"), end("srflx", "198.51.100.7")), Path::Relayed);
    assert_eq!(Path::between(camera, end("relay", "203.0.113.5")), Path::Relayed);
}

#[test]
fn two_ends_at_their_own_addresses_meet_directly_also_where_a_browser_hides_its_own() {
    let camera = end("host", "192.168.1.4");
    assert_eq!(Path::between(camera, end("host", "192.168.1.9")), Path::Direct);
    assert_eq!(Path::between(camera, end("prflx", "192.168.1.9")), Path::Direct);
    assert_eq!(Path::between(camera, end("prflx", "127.0.0.1")), Path::Direct);
    assert_eq!(Path::between(end("host", "100.64.0.7"), end("prflx", "100.64.0.7")), Path::Direct);
    assert_eq!(Path::between(end("host", "2001:db8::1"), end("prflx", "2001:db8:1::1")), Path::Direct);
    assert_eq!(Path::between(end("host", "2001:db8::1"), end("host", "2001:db8:1::1")), Path::Direct);
}

#[test]
fn an_address_that_a_router_gave_is_a_way_through_it() {
    let camera = end("host", "192.168.1.4");
    assert_eq!(Path::between(camera, end("srflx", "198.51.100.7")), Path::Nat);
    assert_eq!(Path::between(camera, end("prflx", "198.51.100.7")), Path::Nat);
    assert_eq!(Path::between(end("srflx", "203.0.113.5"), end("host", "198.51.100.7")), Path::Nat);
    assert_eq!(Path::between(camera, end("prflx", "unknown")), Path::Nat);
}
