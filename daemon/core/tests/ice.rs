//! Ways through networks: credentials for TURN servers, which addresses are used, and those that are announced.
#![allow(clippy::unwrap_used, reason = "a test whose own addresses are none has failed")]

use std::net::IpAddr;
use std::time::Duration;

use porthole_core::access::Stamp;
use porthole_core::config::settings::IceSettings;
use porthole_core::ice::{
    Credentials, Filter, Holder, Over, Place, TurnLogin, TurnServer, announced, announced_in,
};

const HOST: &str = "candidate:1 1 UDP 2015363327 192.168.1.10 50003 typ host";

#[test]
fn credentials_from_a_secret_are_those_that_others_compute() {
    // Each with `printf '%s' USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64`, and once more in Python.
    for (secret, name, now, lifetime, username, password) in [
        ("north", "camera", 1_893_452_400, 3600, "1893456000:camera", "300i4EqbbE4piq9sWKmad9KJ3v8="),
        ("north", "viewer", 1_893_456_000, 43_200, "1893499200:viewer", "v849qxJoGcQpdF1p6EWQgZK6ol4="),
        ("ü geheim/+=", "camera", 0, 86_400, "86400:camera", "vHNSMEaUxaloML41bv6KtLaRxCM="),
        (&"x".repeat(100), "viewer", 4_102_444_500, 300, "4102444800:viewer", "KmWD1/3Ov229fhAeBNZTYwbfqi4="),
    ] {
        let made = Credentials::made(secret, name, Stamp(now), Duration::from_secs(lifetime));
        assert_eq!((made.username.as_str(), made.password.as_str()), (username, password));
    }
}

#[test]
fn a_clock_at_the_end_of_time_makes_credentials_that_hold_until_then() {
    let made = Credentials::made("north", "camera", Stamp(u64::MAX), Duration::from_secs(300));
    assert_eq!(made.username, format!("{}:camera", u64::MAX));
}

#[test]
fn whoever_is_handed_servers_gets_each_with_what_it_wants_to_see_and_no_secret() {
    let fixed = Credentials { username: "me".into(), password: "wonder".into() };
    let ice = IceSettings {
        stun: vec!["stun:s.example".into()],
        turn: vec![
            TurnServer { url: "turn:a.example".into(), login: TurnLogin::Password(fixed.clone()) },
            TurnServer { url: "turn:b.example".into(), login: TurnLogin::Secret("north".into()) },
        ],
        turn_lifetime: Duration::from_secs(3600),
        ..IceSettings::default()
    };
    assert_eq!(ice.lifetime(), Some(Duration::from_secs(3600)));
    let handed = |holder, now| {
        let servers = ice.servers(holder, Stamp(now));
        assert!(servers.iter().all(|server| !format!("{server:?}").contains("north")));
        servers.into_iter().map(|server| (server.url.to_owned(), server.credentials)).collect::<Vec<_>>()
    };
    let made = |username: &str, password: &str| {
        Some(Credentials { username: username.into(), password: password.into() })
    };
    assert_eq!(
        handed(Holder::Camera, 1_893_452_400),
        [
            ("stun:s.example".to_owned(), None),
            ("turn:a.example".to_owned(), Some(fixed)),
            ("turn:b.example".to_owned(), made("1893456000:camera", "300i4EqbbE4piq9sWKmad9KJ3v8=")),
        ]
    );
    // Anew each time, and for each end in its own name.
    assert_eq!(
        handed(Holder::Viewer, 1_893_495_600).pop().unwrap().1,
        made("1893499200:viewer", "v849qxJoGcQpdF1p6EWQgZK6ol4=")
    );
}

#[test]
fn passwords_for_everybody_hold_for_ever() {
    let login = TurnLogin::Password(Credentials { username: "me".into(), password: "wonder".into() });
    let turn = vec![TurnServer { url: "turn:a".into(), login }];
    assert_eq!(IceSettings { turn, ..IceSettings::default() }.lifetime(), None);
    assert_eq!(IceSettings::default().lifetime(), None);
}

#[test]
fn where_a_server_is_stands_in_its_url() {
    let place = |url: &str| Place::of(url).map(|place| (place.host, place.port, place.over));
    for (url, host, port, over) in [
        ("stun:s.example", "s.example", 3478, Over::Udp),
        ("stun:192.0.2.1:19302", "192.0.2.1", 19302, Over::Udp),
        ("stuns:s.example", "s.example", 5349, Over::Tls),
        ("turn:t.example", "t.example", 3478, Over::Udp),
        ("turn:t.example?transport=udp", "t.example", 3478, Over::Udp),
        ("turn:[2001:db8::1]:80?transport=tcp", "2001:db8::1", 80, Over::Tcp),
        ("turns:[2001:db8::1]", "2001:db8::1", 5349, Over::Tls),
        ("turns:t.example:443?transport=tcp", "t.example", 443, Over::Tls),
    ] {
        assert_eq!(place(url), Some((host.to_owned(), port, over)), "{url}");
    }
    for none in [
        "",
        "turn:",
        "turn:a:b",
        "turn:a:70000",
        "turn:[::1",
        "http:a",
        "turns:a?transport=udp",
        "stun:a?transport=tcp",
    ] {
        assert_eq!(place(none), None, "{none}");
    }
    assert_eq!(Place::of("turn:[2001:db8::1]").unwrap().address(), Some(ip("2001:db8::1")));
    assert_eq!(Place::of("turn:t.example").unwrap().address(), None);
}

#[test]
fn without_rules_every_address_is_used() {
    let filter = Filter::default();
    assert!(filter.is_open());
    assert!(filter.lets("eth0", ip("192.168.1.10")) && filter.lets("docker0", ip("fe80::1")));
}

#[test]
fn what_is_named_is_used_and_nothing_else() {
    let filter = filter(&["eth0", "wlan*"], &[]);
    assert!(!filter.is_open());
    let used =
        ["eth0", "eth01", "eth1", "wlan0", "wlan", "wlx0"].map(|name| filter.lets(name, ip("10.0.0.1")));
    assert_eq!(used, [true, false, false, true, true, false]);
}

#[test]
fn what_is_forbidden_is_not_used_even_where_something_else_allows_it() {
    let filter = filter(&["!docker*", "!tun0"], &["192.168.0.0/16", "2001:db8::/32", "!192.168.7.7"]);
    for (interface, address, used) in [
        ("eth0", "192.168.1.10", true),
        ("eth0", "192.168.7.7", false),
        ("docker0", "192.168.1.10", false),
        ("tun0", "192.168.1.10", false),
        ("tun1", "192.168.1.10", true),
        ("eth0", "10.0.0.1", false),
        ("eth0", "2001:db8:1::5", true),
        ("eth0", "fe80::1", false),
    ] {
        assert_eq!(filter.lets(interface, ip(address)), used, "{interface} {address}");
    }
}

#[test]
fn a_family_is_left_out_with_one_rule() {
    let no_ipv6 = filter(&[], &["!::/0"]);
    assert!(no_ipv6.lets("eth0", ip("192.168.1.10")) && !no_ipv6.lets("eth0", ip("2001:db8::1")));
    let no_ipv4 = filter(&[], &["::/0"]);
    assert!(!no_ipv4.lets("eth0", ip("192.168.1.10")) && no_ipv4.lets("eth0", ip("2001:db8::1")));
}

#[test]
fn an_announced_address_is_one_more_candidate_with_the_same_port() {
    assert_eq!(
        announced(HOST, &[ip("203.0.113.7"), ip("198.51.100.4")]),
        [
            "candidate:1x0 1 UDP 1679819007 203.0.113.7 50003 typ srflx raddr 192.168.1.10 rport 50003",
            "candidate:1x1 1 UDP 1679819007 198.51.100.4 50003 typ srflx raddr 192.168.1.10 rport 50003",
        ]
    );
    // Below every host candidate: 100 as its type preference, and the rest as it was (RFC 8445, section 5.1.2).
    assert_eq!(1_679_819_007, (100 << 24) | (2_015_363_327 & 0x00ff_ffff));
}

#[test]
fn what_stands_behind_the_kind_stays_there() {
    let passive = "candidate:3 1 TCP 1015021823 192.168.1.10 50003 typ host tcptype passive generation 0";
    assert_eq!(
        announced(passive, &[ip("203.0.113.7")]),
        [
            "candidate:3x0 1 TCP 998244607 203.0.113.7 50003 typ srflx raddr 192.168.1.10 rport 50003 tcptype passive \
          generation 0"
        ]
    );
}

#[test]
fn only_what_others_can_connect_to_is_announced_and_only_in_its_own_family() {
    let v6 = "candidate:2 1 UDP 2015363583 2001:db8:1::10 50004 typ host";
    assert_eq!(announced(v6, &[ip("203.0.113.7"), ip("2001:db8:2::7")]).len(), 1);
    assert_eq!(announced(HOST, &[ip("2001:db8:2::7")]), [""; 0]);
    for silent in [
        "candidate:1 1 TCP 1015021823 192.168.1.10 9 typ host tcptype active",
        "candidate:1 1 UDP 1677722111 203.0.113.9 50003 typ srflx raddr 192.168.1.10 rport 50003",
        "candidate:1 1 UDP 2015363327 203.0.113.7 50003 typ host",
        "candidate:1 1 UDP 2015363327 127.0.0.1 50003 typ host",
        "candidate:1 1 UDP 2015363327 169.254.1.1 50003 typ host",
        "candidate:1 1 UDP 2015363327 4c1d.local 50003 typ host",
        "candidate:1 1 UDP many 192.168.1.10 50003 typ host",
        "candidate:1 1 UDP 2015363327 192.168.1.10",
        "",
    ] {
        assert_eq!(announced(silent, &[ip("203.0.113.7")]), [""; 0], "{silent}");
    }
    assert_eq!(announced(HOST, &[]), [""; 0]);
}

#[test]
fn a_foundation_stays_as_short_as_it_has_to_be() {
    let long = format!("candidate:{} 1 UDP 2015363327 192.168.1.10 50003 typ host", "f".repeat(32));
    let line = announced(&long, &[ip("203.0.113.7")]).remove(0);
    let foundation = line.split(' ').next().unwrap().strip_prefix("candidate:").unwrap();
    assert_eq!((foundation.len(), &foundation[30..]), (32, "x0"));
}

#[test]
fn in_an_sdp_they_stand_behind_the_candidates_that_they_are_made_from() {
    let sdp = format!("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na={HOST}\r\na=end-of-candidates\r\n");
    assert_eq!(
        announced_in(&sdp, &[ip("203.0.113.7")]),
        format!(
            "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na={HOST}\r\na=candidate:1x0 1 UDP 1679819007 203.0.113.7 50003 typ \
             srflx raddr 192.168.1.10 rport 50003\r\na=end-of-candidates\r\n"
        )
    );
    assert_eq!(announced_in(&sdp, &[]), sdp);
    let cut = format!("v=0\na={HOST}");
    let told = announced_in(&cut, &[ip("203.0.113.7")]);
    assert!(told.starts_with(&cut) && told.matches("candidate:").count() == 2, "{told}");
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn filter(interfaces: &[&str], addresses: &[&str]) -> Filter {
    Filter {
        interfaces: interfaces.iter().map(|rule| rule.parse().unwrap()).collect(),
        addresses: addresses.iter().map(|rule| rule.parse().unwrap()).collect(),
    }
}
