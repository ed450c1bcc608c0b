//! The embedded relay over plain HTTP: what it serves, what it reports to the desk, and how it ends. Socket.IO is
//! spoken here by hand, over long polling (Engine.IO protocol 4); the official JavaScript one is in `web-viewer/e2e`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use porthole::keys;
use porthole::link::embedded::{self, Camera, Gate, OpenFailed};
use porthole::link::{EVENTS, Link};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Stamp, proof};
use porthole_core::config::settings::{
    Access, IceSettings, Metrics, RelayMode, RelaySettings, RoomSettings, TlsSettings, TlsSource,
};
use porthole_core::event::LinkEvent;
use porthole_core::ids::{CallId, Name};
use porthole_core::status::{CaptureState, Holder, RoomState, Status, Viewer};
use porthole_core::wire::Outgoing;
use porthole_peer::room::{Room, RoomError, Said};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

#[tokio::test]
async fn the_camera_is_in_the_room_as_soon_as_the_port_is_bound() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    assert!(relay.events.try_recv().is_err());
    relay.close().await;
}

#[tokio::test]
async fn a_message_reaches_the_desk_with_its_sender_and_the_reply_its_socket() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    let caller = relay.enter("ann").await;
    assert_eq!(relay.message().await, ("ann".into(), "joined".into()));

    caller.post(r#"42["offer",{"room":"porthole","call":"c1"},"more"]"#).await;
    let LinkEvent::Message { sender, name, args } = relay.event().await else { panic!("not a message") };
    assert_eq!((sender, name.as_str()), (Some(Name::new("ann").unwrap()), "offer"));
    assert_eq!(args, [json!({"room": "porthole", "call": "c1"})], "our own dialect has one argument");

    relay.link.send(Outgoing::new(Name::new("ann").ok(), "answer", [json!({"call": "c1"})]));
    assert_eq!(caller.until("answer").await, json!(["answer", {"call": "c1"}]));
    relay.close().await;
}

#[tokio::test]
async fn rubbish_ends_at_the_relay_and_costs_nobody_else_anything() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    let ann = relay.enter("ann").await;
    assert_eq!(relay.message().await, ("ann".into(), "joined".into()));

    let deep = format!(r#"42["offer",{}{}]"#, "[".repeat(5000), "]".repeat(5000));
    let attachment = "451-[\"offer\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAAEC";
    let rubbish = [
        &deep,
        attachment,
        r#"42["offer",{]"#,
        r#"42{"offer":1}"#,
        "42[7]",
        "42[]",
        "42",
        "4",
        "9",
        "b!",
        "",
    ];
    for (number, packet) in rubbish.iter().enumerate() {
        relay.enter(&format!("eve-{number}")).await.send(packet).await;
        ann.post(r#"42["ready"]"#).await;
        loop {
            match relay.message().await {
                (sender, name) if sender == "ann" => {
                    assert_eq!(name, "ready");
                    break;
                }
                (_, name) => assert!(name == "joined" || name == "left", "{name} after {packet:?}"),
            }
        }
    }
    let refusals = relay.get("/healthz").await.json()["relay"]["refusals"].clone();
    assert_eq!(refusals, json!({"unreadable": 1, "binary": 1}), "the others end their connection");
    relay.close().await;
}

#[tokio::test]
async fn an_event_without_arguments_has_a_null_payload() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    let caller = relay.enter("ann").await;
    assert_eq!(relay.message().await, ("ann".into(), "joined".into()));
    caller.post(r#"42["ready"]"#).await;
    let LinkEvent::Message { name, args, .. } = relay.event().await else { panic!("not a message") };
    assert_eq!((name.as_str(), args), ("ready", vec![Value::Null]));
    relay.close().await;
}

#[tokio::test]
async fn what_was_sent_before_the_end_still_arrives() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    let mut caller = relay.enter_by_websocket("ann").await;
    for number in 0..20 {
        relay.link.send(Outgoing::new(Name::new("ann").ok(), "bye", [json!({ "number": number })]));
    }
    relay.close().await;
    let mut rest = Vec::new();
    within(caller.read_to_end(&mut rest)).await.expect("a clean end");
    let rest = String::from_utf8_lossy(&rest);
    for number in 0..20 {
        assert!(rest.contains(&format!(r#"42["bye",{{"number":{number}}}]"#)), "{rest}");
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_connection_that_says_nothing() {
    let relay = open(Access::Local).await;
    let address = relay.address;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: localh").await.unwrap();
    relay.close().await;
    let mut rest = Vec::new();
    within(half.read_to_end(&mut rest)).await.ok();
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    assert!(TcpStream::connect(address).await.is_err(), "the port is let go of");
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_gone_and_does_not_hold_up_the_end() {
    let mut relay = open(Access::Local).await;
    assert_eq!(relay.event().await, LinkEvent::Up);
    let _idle = relay.enter("idle").await;
    assert_eq!(relay.message().await, ("idle".into(), "joined".into()));
    let _stuck = relay.enter_by_websocket("stuck").await;
    assert_eq!(relay.message().await, ("stuck".into(), "joined".into()));

    let large = json!({ "text": "x".repeat(60_000) });
    let flood = async {
        // As fast as the link takes it, and no faster.
        loop {
            relay.link.send(Outgoing::new(None, "notice", [large.clone()]));
            tokio::task::yield_now().await;
        }
    };
    let mut gone = Vec::new();
    let left = async {
        while gone.len() < 2 {
            match relay.events.recv().await {
                Some(LinkEvent::Message { sender: Some(sender), name, .. }) if name == "left" => {
                    gone.push(sender)
                }
                other => panic!("{other:?}"),
            }
        }
    };
    within(async {
        tokio::select! { () = flood => (), () = left => () }
    })
    .await;
    gone.sort();
    assert_eq!(gone.iter().map(|peer| peer.as_str()).collect::<Vec<_>>(), ["idle", "stuck"]);
    let address = relay.address;
    relay.close().await;
    assert!(TcpStream::connect(address).await.is_err(), "the port is let go of");
}

#[tokio::test]
async fn what_peers_send_to_one_that_does_not_read_is_bounded() {
    let relay = open(Access::Local).await;
    let deaf = relay.enter("deaf").await;
    let loud = relay.enter_as("loud", "camera").await;
    for bytes in [200_000, 31_000].into_iter().chain([31_000; 20]) {
        loud.post(&format!(r#"42["chat",{{"text":"{}"}}]"#, "x".repeat(bytes))).await;
    }
    let mut passed_on = 0;
    while passed_on < 8 {
        passed_on += deaf.poll().await.iter().filter(|packet| packet.starts_with("42[\"chat\"")).count();
    }
    let refusals = async || relay.get("/healthz").await.json()["relay"]["refusals"].clone();
    within(async { while refusals().await["too-often"].is_null() {} }).await;
    assert_eq!(refusals().await["too-large"], 1);
    relay.close().await;
}

#[tokio::test]
async fn a_message_that_never_ends_gives_its_connection_back() {
    let relay = open(Access::Local).await;
    let slow = relay.enter("slow").await;
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let head = format!("POST {}\r\nContent-Length: 60000\r\n\r\n42", slow.target());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.expect("an end");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    relay.close().await;
}

#[tokio::test]
async fn a_port_in_use_is_said_with_what_to_do() {
    let relay = open(Access::Local).await;
    let failed = try_open(Access::Local, relay.address).await.map(|_| ()).unwrap_err();
    assert!(matches!(failed, OpenFailed::InUse(address) if address == relay.address));
    assert!(failed.to_string().contains("`listen`"), "{failed}");
    relay.close().await;
}

#[tokio::test]
async fn a_local_room_is_not_opened_to_other_machines() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let failed = try_open(Access::Local, everywhere).await.map(|_| ()).unwrap_err();
    assert!(matches!(failed, OpenFailed::Exposed(_)), "{failed}");
    let elsewhere = "192.0.2.1:0".parse().unwrap();
    let failed = try_open(Access::Open, elsewhere).await.map(|_| ()).unwrap_err();
    assert!(matches!(failed, OpenFailed::NoSuchAddress(_)), "{failed}");
}

#[tokio::test]
async fn the_page_is_served_with_its_fences() {
    let relay = open(Access::Local).await;
    for path in ["/", "/index.html"] {
        let page = relay.get(path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"));
        assert!(page.body.to_lowercase().contains("<!doctype html>"));
    }
    let tag = relay.get("/").await.header("etag").unwrap().to_owned();
    let again = relay.request(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}")).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let head = relay.request("HEAD / HTTP/1.1\r\nHost: localhost").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    relay.close().await;
}

#[tokio::test]
async fn what_is_not_there_and_what_cannot_be_done_is_said_in_words() {
    let relay = open(Access::Local).await;
    for path in ["/nothing", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "//", "/index.html/"] {
        let missing = relay.get(path).await;
        assert_eq!(missing.status, 404, "{path}");
        assert!(missing.body.contains("no such page"), "{path}");
    }
    for path in ["/", "/healthz", "/nothing"] {
        let post =
            relay.request(&format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0")).await;
        assert_eq!(post.status, 405, "{path}");
        assert!(post.header("allow").unwrap().contains("GET"));
        assert!(post.body.contains("only be read"), "{path}");
    }
    relay.close().await;
}

#[tokio::test]
async fn health_is_the_status_and_turns_to_503_when_somebody_should_act() {
    let relay = open(Access::Local).await;
    let well = relay.get("/healthz").await;
    assert_eq!((well.status, well.json()["capture"].clone()), (200, json!("idle")));
    relay.status.send_modify(|status| status.capture = CaptureState::Lost);
    let ill = relay.get("/healthz").await;
    assert_eq!((ill.status, ill.json()["healthy"].clone()), (503, json!(false)));
    let Relay { link, address, status, .. } = relay;
    drop(status);
    let deserted = request(address, "GET /healthz HTTP/1.1\r\nHost: localhost").await;
    assert_eq!(deserted.status, 503);
    link.close().await;
}

#[tokio::test]
async fn other_pages_and_borrowed_names_are_turned_away_where_nothing_else_keeps_them_out() {
    let asks = [
        ("Host: evil.example", ""),
        ("Host: localhost", "Origin: https://evil.example"),
        ("Host: localhost", "Origin: null"),
    ];
    for (access, expected) in [(Access::Local, 403), (Access::Keys, 200), (Access::Open, 200)] {
        let relay = open(access).await;
        for path in ["/", "/healthz", "/socket.io/?EIO=4&transport=polling"] {
            for (host, origin) in asks {
                let separator = if origin.is_empty() { "" } else { "\r\n" };
                let answer =
                    relay.request(&format!("GET {path} HTTP/1.1\r\n{host}{separator}{origin}")).await;
                assert_eq!(answer.status, expected, "{path} {host} {origin}");
            }
        }
        relay.close().await;
    }
}

#[tokio::test]
async fn a_room_with_keys_lets_nobody_in_who_proves_none() {
    let (_ring, gate) = ring_of([]);
    let relay = open_with(Access::Keys, "127.0.0.1:0".parse().unwrap(), Some(gate), &[]).await.unwrap();
    for auth in ["", "{}", "[]", "7", r#"{"room":"porthole","key":"k1","admission":"x"}"#] {
        let (caller, answer) = relay.knock(auth).await;
        assert_eq!(answer, r#"44{"message":"not-allowed"}"#, "{auth}");
        caller.send(r#"42["join",{"room":"porthole","from":"ann"}]"#).await;
    }
    let health = relay.get("/healthz").await.json();
    assert_eq!(health["relay"]["refusals"], json!({"not-allowed": 5}));
    assert_eq!((&health["relay"]["peers"], &health["relay"]["cameras"]), (&json!(0), &json!(0)));
    let Relay { mut events, link, .. } = relay;
    assert_eq!(events.try_recv(), Ok(LinkEvent::Up));
    assert!(events.try_recv().is_err(), "the camera hears of none of them");
    within(link.close()).await;
}

#[tokio::test]
async fn a_connection_that_was_turned_away_often_is_not_heard_any_more() {
    let (_ring, gate) = ring_of([]);
    let relay = open_with(Access::Keys, "127.0.0.1:0".parse().unwrap(), Some(gate), &[]).await.unwrap();
    let (caller, answer) = relay.knock("").await;
    assert_eq!(answer, r#"44{"message":"not-allowed"}"#);
    for expected in ["not-allowed", "not-allowed", "not-allowed", "not-allowed", "too-often"] {
        caller.post("40").await;
        assert_eq!(caller.connected().await, format!(r#"44{{"message":"{expected}"}}"#));
    }
    assert_eq!(relay.get("/healthz").await.json()["relay"]["refusals"], json!({"not-allowed": 5}));
    assert_eq!(relay.knock("").await.1, answer, "another one is");
    within(relay.link.close()).await;
}

#[tokio::test]
async fn a_key_opens_the_room_until_it_is_taken_back() {
    let (ann, bob) = (key("ann"), key("bob"));
    let (ring, gate) = ring_of([&ann, &bob]);
    let mut relay = open_with(Access::Keys, "127.0.0.1:0".parse().unwrap(), Some(gate), &[]).await.unwrap();
    assert_eq!(relay.event().await, LinkEvent::Up);
    let mut first = Room::enter_with(relay.address, "porthole", "ann", &ann).await.expect("let in");
    let second = relay.enter_with("bob", &bob).await;
    assert_eq!(relay.message().await, ("ann".into(), "joined".into()));
    assert_eq!(relay.message().await, ("bob".into(), "joined".into()));

    // What is on its way when the key is taken back still arrives.
    relay.link.send(Outgoing::new(Name::new("ann").ok(), "bye", [json!({"reason": "revoked-key"})]));
    ring.send_modify(|ring| {
        ring.revoke(&ann.id, Stamp(2));
    });
    let (call, reason) = (String::new(), "revoked-key".to_owned());
    let bye = Said::Bye { call: call.clone(), reason: reason.clone() };
    assert_eq!(within(first.next()).await.expect("a good-bye"), bye);
    assert_eq!(within(first.next()).await.expect("the reason"), Said::Refused { call, reason });
    assert!(matches!(within(first.next()).await, Err(RoomError::Closed)));
    assert_eq!(relay.message().await, ("ann".into(), "left".into()));
    let (_, answer) = relay.knock(&auth(&ann)).await;
    assert_eq!(answer, r#"44{"message":"revoked-key"}"#);

    second.post(r#"42["ready"]"#).await;
    assert_eq!(relay.message().await, ("bob".into(), "ready".into()), "nobody else is disturbed");
    relay.close().await;
}

#[tokio::test]
async fn whoever_connected_with_a_key_that_is_taken_back_before_it_joins_stays_outside() {
    let ann = key("ann");
    let (ring, gate) = ring_of([&ann]);
    let mut relay = open_with(Access::Keys, "127.0.0.1:0".parse().unwrap(), Some(gate), &[]).await.unwrap();
    assert_eq!(relay.event().await, LinkEvent::Up);
    let (caller, answer) = relay.knock(&auth(&ann)).await;
    assert!(answer.starts_with("40"), "{answer}");
    ring.send_modify(|ring| {
        ring.revoke(&ann.id, Stamp(2));
    });
    caller.post(r#"42["join",{"room":"porthole","from":"ann"}]"#).await;
    assert_eq!(caller.until("refused").await[1]["reason"], "revoked-key");
    assert!(relay.events.try_recv().is_err(), "the camera hears nothing of it");
    relay.close().await;
}

#[tokio::test]
async fn beside_a_room_with_keys_other_rooms_are_open() {
    let (_ring, gate) = ring_of([]);
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut relay = open_with(Access::Keys, listen, Some(gate), &["yard"]).await.unwrap();
    assert_eq!(relay.event().await, LinkEvent::Up);
    let (caller, answer) = relay.knock("").await;
    assert!(answer.starts_with("40"), "{answer}");
    caller.post(r#"42["join",{"room":"porthole","from":"ann"}]"#).await;
    let refused = caller.until("refused").await;
    assert_eq!((&refused[1]["reason"], &refused[1]["room"]), (&json!("not-allowed"), &json!("porthole")));
    caller.post(r#"42["join",{"room":"yard","from":"ann"}]"#).await;
    assert_eq!(caller.until("room").await[1]["peers"], json!([]));
    assert!(relay.events.try_recv().is_err(), "the camera hears of nobody in the yard");
    relay.close().await;
}

#[tokio::test]
async fn the_figures_are_there_for_this_machine_and_never_say_who_watches() {
    let relay = open(Access::Local).await;
    relay.status.send_modify(|status| status.viewers.push(viewer()));
    let figures = relay.get("/metrics").await;
    assert_eq!(figures.status, 200);
    assert!(figures.body.contains("\nporthole_relay_peers 0.0\n"), "{}", figures.body);
    assert!(!figures.body.contains("grandma") && !figures.body.contains("k1"), "{}", figures.body);
    relay.close().await;
}

#[tokio::test]
async fn health_never_says_who_watches() {
    let relay = open(Access::Local).await;
    relay.status.send_modify(|status| status.viewers.push(viewer()));
    let health = relay.get("/healthz").await.body;
    assert!(health.contains("\"live\"") && !health.contains("grandma") && !health.contains("k1"), "{health}");
    relay.close().await;
}

fn viewer() -> Viewer {
    Viewer {
        call: CallId(7),
        peer: Name::new("ann").ok(),
        holder: Some(Holder {
            name: Label::new("grandma's phone").unwrap(),
            role: Role::Watch,
            key: KeyId::new("k1").unwrap(),
        }),
        rendition: None,
        path: None,
        carries: None,
        began: Instant::now(),
        live: true,
    }
}

struct Relay {
    link: Link,
    address: SocketAddr,
    events: mpsc::Receiver<LinkEvent>,
    status: watch::Sender<Status>,
}

impl Relay {
    async fn event(&mut self) -> LinkEvent {
        within(self.events.recv()).await.expect("an event")
    }

    async fn message(&mut self) -> (String, String) {
        match self.event().await {
            LinkEvent::Message { sender: Some(sender), name, .. } => (sender.to_string(), name),
            other => panic!("not a message of somebody: {other:?}"),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost")).await
    }

    async fn request(&self, head: &str) -> Answer {
        request(self.address, head).await
    }

    /// A caller that has connected and joined.
    async fn enter(&self, from: &str) -> Caller {
        self.enter_as(from, "viewer").await
    }

    async fn enter_as(&self, from: &str, role: &str) -> Caller {
        self.enter_showing("", from, role).await
    }

    async fn enter_with(&self, from: &str, key: &Key) -> Caller {
        self.enter_showing(&auth(key), from, "viewer").await
    }

    async fn enter_showing(&self, auth: &str, from: &str, role: &str) -> Caller {
        let (caller, answer) = self.knock(auth).await;
        assert!(answer.starts_with("40"), "{answer}");
        caller.post(&format!(r#"42["join",{{"room":"porthole","from":"{from}","role":"{role}"}}]"#)).await;
        assert_eq!(caller.until("room").await[1]["peers"][0]["role"], "camera");
        caller
    }

    /// A caller that has shown this `auth`, and what it was told.
    async fn knock(&self, auth: &str) -> (Caller, String) {
        let open = self.get("/socket.io/?EIO=4&transport=polling").await;
        let open: Value = serde_json::from_str(open.body.trim_start_matches('0')).expect("an open packet");
        let caller = Caller { address: self.address, sid: open["sid"].as_str().expect("a sid").to_owned() };
        caller.post(&format!("40{auth}")).await;
        let answer = caller.connected().await;
        (caller, answer)
    }

    /// A caller that has connected and joined, and reads nothing by itself.
    async fn enter_by_websocket(&self, from: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("written");
        read_past(&mut stream, "pingInterval").await;
        stream.write_all(&frame("40")).await.expect("written");
        read_past(&mut stream, "40{").await;
        let join = format!(r#"42["join",{{"room":"porthole","from":"{from}"}}]"#);
        stream.write_all(&frame(&join)).await.expect("written");
        read_past(&mut stream, "iceServers").await;
        stream
    }

    async fn close(self) {
        within(self.link.close()).await;
    }
}

/// A Socket.IO client over long polling.
struct Caller {
    address: SocketAddr,
    sid: String,
}

impl Caller {
    fn target(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: localhost", self.sid)
    }

    async fn post(&self, packet: &str) {
        let answer = self.send(packet).await;
        assert_eq!(answer.body, "ok", "{answer:?}");
    }

    /// Whatever comes of it.
    async fn send(&self, packet: &str) -> Answer {
        let head =
            format!("POST {}\r\nContent-Type: text/plain\r\nContent-Length: {}", self.target(), packet.len());
        exchange(self.address, &format!("{head}\r\nConnection: close\r\n\r\n{packet}")).await
    }

    /// Says nothing before the relay has let it in, or has said why not.
    async fn connected(&self) -> String {
        loop {
            let packets = self.poll().await;
            let said = |packet: &&String| packet.starts_with("40") || packet.starts_with("44");
            if let Some(answer) = packets.iter().find(said) {
                return answer.clone();
            }
        }
    }

    /// The next event of that name; others on the way are passed over.
    async fn until(&self, event: &str) -> Value {
        loop {
            let packets = self.poll().await;
            let events = packets.iter().filter_map(|packet| packet.strip_prefix("42"));
            let mut events = events.map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
            if let Some(found) = events.find(|found| found[0] == event) {
                return found;
            }
        }
    }

    async fn poll(&self) -> Vec<String> {
        let answer = request(self.address, &format!("GET {}", self.target())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.split('\u{1e}').map(str::to_owned).collect()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

fn key(name: &str) -> Key {
    keys::key(Label::new(name).unwrap(), Role::Watch, Stamp(1), None).unwrap()
}

/// The handshake of whoever has the key.
fn auth(key: &Key) -> String {
    let admission = proof::of_admission(&key.secret, "porthole");
    json!({"room": "porthole", "key": key.id, "admission": admission}).to_string()
}

/// The gate of the room, and what changes the keys that open it.
fn ring_of<const N: usize>(all: [&Key; N]) -> (watch::Sender<KeyRing>, Gate) {
    let mut ring = KeyRing::default();
    for key in all {
        ring.add(key.clone()).unwrap();
    }
    let (ring, known) = watch::channel(ring);
    (ring, Gate::new(Name::new("porthole").unwrap(), known))
}

async fn open(access: Access) -> Relay {
    try_open(access, "127.0.0.1:0".parse().unwrap()).await.expect("a relay")
}

async fn try_open(access: Access, listen: SocketAddr) -> Result<Relay, OpenFailed> {
    open_with(access, listen, None, &[]).await
}

async fn open_with(
    access: Access,
    listen: SocketAddr,
    gate: Option<Gate>,
    rooms: &[&str],
) -> Result<Relay, OpenFailed> {
    let (desk, events) = mpsc::channel(EVENTS);
    let (status, health) = watch::channel(Status { link: true, room: RoomState::In, ..Status::default() });
    let relay = RelaySettings {
        listen,
        link: String::new(),
        tls: TlsSettings { source: TlsSource::Off, redirect: false },
        metrics: Metrics::Local,
        max_sockets: 32,
        rooms: rooms.iter().map(|room| Name::new(*room).unwrap()).collect(),
        mode: RelayMode::Embedded,
    };
    let room = RoomSettings {
        room: Name::new("porthole").unwrap(),
        camera: "Camera".into(),
        access,
        keys: None,
        max_calls: 4,
        idle_after: Duration::ZERO,
        privacy: false,
    };
    let camera = Camera { id: Name::new("cam").unwrap(), events: desk, health, gate };
    let link = embedded::open(relay, &room, &IceSettings::default(), camera).await?;
    let address = link.page().expect("an embedded relay serves a page");
    Ok(Relay { link, address, events, status })
}

async fn request(address: SocketAddr, head: &str) -> Answer {
    exchange(address, &format!("{head}\r\nConnection: close\r\n\r\n")).await
}

async fn exchange(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A text frame of at most 125 bytes, masked with zeros (RFC 6455 section 5.2).
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).expect("a short text");
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

async fn read_past(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        assert_ne!(within(stream.read_buf(&mut read)).await.expect("more"), 0, "ended before {text}");
    }
}

/// Only bounds a hang.
async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("no hang")
}
