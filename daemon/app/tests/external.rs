//! The link to somebody else's relay, against a real Node Socket.IO server: joining and being called there, every way
//! of losing it and coming back, what it says when it cannot get in, and what strangers may send through it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod node;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use porthole::link::external;
use porthole::link::{EVENTS, Link};
use porthole_core::config::settings::{
    Access, Auth, ExternalRelay, IceSettings, RelayMode, RelaySettings, RoomSettings, TlsSettings, TlsSource,
};
use porthole_core::event::{LinkEvent, Loss};
use porthole_core::status::{RoomState, Status};
use porthole_core::wire::Outgoing;
use porthole_peer::room::{Room, Said};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use node::{HANG, Node};
use wire::Wire;

#[tokio::test]
async fn an_offer_from_the_room_reaches_the_desk_and_its_answer_the_caller() {
    let mut node = Node::start().await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    let mut ann = Room::enter(node.address, "nursery", "ann").await.unwrap();
    assert_eq!(camera.message().await.0, "joined");

    ann.offer("c1", "v=0").await.unwrap();
    let (name, args) = camera.message().await;
    assert_eq!((name.as_str(), args.len()), ("offer", 1));
    assert_eq!(args[0]["sdp"]["sdp"], "v=0");
    let sdp = json!({"type": "answer", "sdp": "v=1"});
    camera.says("answer", [json!({"room": "nursery", "from": "cam", "to": "ann", "call": "c1", "sdp": sdp})]);
    let answer = Said::Answer { call: "c1".into(), from: "cam".into(), sdp: "v=1".into() };
    assert_eq!(heard(&mut ann).await, answer);
    camera.close().await;
    assert_eq!(node.tells("disconnected").await[2], "client namespace disconnect");
}

#[tokio::test]
async fn the_page_is_told_where_the_relay_is_and_nothing_of_its_token() {
    let camera = Camera::open(|relay| {
        relay.url = "https://relay.example:3000".into();
        relay.path = "/cam/socket.io/".into();
        relay.auth = token("our-own-secret");
    })
    .await;
    let (code, page) = camera.get("/").await;
    assert_eq!(code, 200);
    let told = r#"<meta name="porthole-relay" content="https://relay.example:3000/cam/socket.io/">"#;
    assert!(page.contains(told) && !page.contains("our-own-secret"), "{page}");
    camera.close().await;
}

#[tokio::test]
async fn several_arguments_none_and_all_of_unicode_arrive_as_they_were_said() {
    let mut node = Node::start().await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    for said in [
        json!(["offer", {"type": "offer", "sdp": "v=0"}, "room 7"]),
        json!(["ready"]),
        json!(["got user media"]),
        json!(["ice", null, 1.5, [], {}, "🚪 \u{1} \"quoted\""]),
        json!(["message", {"type": "offer"}]),
        json!(["message", "nursery", {"type": "offer"}]),
    ] {
        let mut order = said.clone();
        order.as_array_mut().unwrap().insert(0, json!("emit"));
        node.order(order);
        let (name, mut args) = camera.message().await;
        args.insert(0, json!(name));
        assert_eq!(Value::Array(args), said);
    }
    for said in [json!(["join", "nursery"]), json!(["ready"]), json!(["a", 1, null, "🚪", {"b": []}])] {
        let args = said.as_array().unwrap();
        camera.says(args[0].as_str().unwrap(), args[1..].iter().cloned());
        assert_eq!(node.hears().await, said);
    }
    camera.close().await;
}

#[tokio::test]
async fn a_word_alone_as_message_cannot_be_told_from_an_event_of_that_name() {
    let mut node = Node::start().await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    node.order(json!(["emit", "message", "bye"]));
    assert_eq!(camera.message().await, ("bye".into(), vec![]));
    camera.close().await;
}

#[tokio::test]
async fn killed_and_started_again_the_room_is_entered_first_and_what_waited_goes_out() {
    let mut node = Node::start().await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    let address = node.kill();
    camera.goes_down().await;
    camera.says("answer", [json!({"room": "nursery", "call": "c1"})]);
    camera.says("bye", [json!({"room": "nursery", "call": "c0"})]);
    camera.fails_times(2).await;

    let mut node = again(address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    assert_eq!(node.hears().await[0], "answer");
    assert_eq!(node.hears().await[0], "bye");
    camera.close().await;
}

#[tokio::test]
async fn a_relay_that_stands_still_is_noticed_and_found_again_when_it_goes_on() {
    let mut node = Node::start().await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    node.signal("STOP");
    assert_eq!(camera.goes_down().await, Loss::Failed);
    node.signal("CONT");
    camera.comes_up().await;
    camera.joins(&mut node).await;
    camera.close().await;
}

#[tokio::test]
async fn a_connection_that_hangs_is_noticed_and_replaced() {
    let mut node = Node::start().await;
    let wire = Wire::to(node.address).await;
    let mut camera = Camera::at(wire.address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    wire.leave_hanging();
    assert_eq!(camera.goes_down().await, Loss::Failed);
    camera.comes_up().await;
    camera.joins(&mut node).await;
    wire.freeze(true);
    assert_eq!(camera.goes_down().await, Loss::Failed);
    wire.freeze(false);
    camera.comes_up().await;
    camera.joins(&mut node).await;
    wire.cut();
    camera.goes_down().await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    camera.close().await;
}

#[tokio::test]
async fn a_clean_close_of_the_whole_connection_is_noticed() {
    let mut node = Node::with(json!({})).await;
    let mut camera = Camera::at(node.address).await;
    for order in ["drop", "close", "cut"] {
        camera.comes_up().await;
        camera.joins(&mut node).await;
        node.order(json!([order]));
        camera.goes_down().await;
    }
    camera.comes_up().await;
    camera.close().await;
}

#[tokio::test]
async fn sent_out_of_the_namespace_the_link_is_not_deaf_but_comes_back() {
    let mut node = Node::with(json!({})).await;
    let mut camera = Camera::at(node.address).await;
    for _ in 0..2 {
        camera.comes_up().await;
        camera.joins(&mut node).await;
        node.order(json!(["kick"]));
        assert_eq!(camera.goes_down().await, Loss::SentAway);
    }
    camera.comes_up().await;
    camera.joins(&mut node).await;
    camera.close().await;
}

#[tokio::test]
async fn a_wrong_token_is_named_and_the_right_one_lets_us_in() {
    let node = Node::with(json!({"token": "right"})).await;
    let mut camera = Camera::open(|relay| {
        relay.url = format!("http://{}", node.address);
        relay.auth = token("wrong");
    })
    .await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::Refused);
    assert!(reason.contains("\"bad token\"") && reason.contains("`auth`"), "{reason}");
    assert!(!reason.contains("wrong"), "{reason}");
    camera.fails_times(2).await;
    camera.close().await;

    let mut camera = Camera::open(|relay| {
        relay.url = format!("http://{}", node.address);
        relay.auth = token("right");
    })
    .await;
    camera.comes_up().await;
    camera.close().await;
}

#[tokio::test]
async fn a_relay_that_is_not_there_yet_ends_nothing_and_is_found_when_it_is() {
    let address = free_address().await;
    let mut camera = Camera::at(address).await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::NobodyListens);
    assert!(reason.contains(&address.to_string()) && reason.contains("`url`"), "{reason}");
    camera.fails_times(2).await;
    let health = camera.health().await;
    assert_eq!(
        (&health["relay"]["state"], &health["relay"]["why"]),
        (&json!("down"), &json!("nobody-listens"))
    );
    assert_eq!(health["relay"]["url"], format!("http://{address}"));
    assert_eq!(camera.get("/").await.0, 200, "the page is served meanwhile");

    let mut node = again(address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    let health = camera.health().await;
    assert_eq!((&health["relay"]["state"], &health["relay"]["connections"]), (&json!("up"), &json!(1)));
    camera.close().await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_as_such() {
    let mut camera = Camera::open(|relay| relay.url = "http://relay.invalid:3000".into()).await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::NoName, "{reason}");
    assert!(reason.contains("relay.invalid"), "{reason}");
    camera.close().await;
}

#[tokio::test]
async fn the_wrong_path_and_other_servers_are_told_apart() {
    let node = Node::with(json!({"path": "/cam/socket.io/"})).await;
    let url = format!("http://{}", node.address);
    let mut camera = Camera::open(|relay| relay.url = url.clone()).await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::NotSocketIo);
    assert!(reason.contains("`path`"), "{reason}");
    camera.close().await;
    for path in ["/cam/socket.io/", "/cam/socket.io", "cam/socket.io"] {
        let mut camera = Camera::open(|relay| (relay.url, relay.path) = (url.clone(), path.into())).await;
        camera.comes_up().await;
        camera.close().await;
    }

    for (answer, hint) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "without Socket.IO"),
        (
            "HTTP/1.1 301 Moved Permanently\r\nlocation: https://a.example/\r\ncontent-length: 0\r\n\r\n",
            "elsewhere",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "proxy"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "does not speak Socket.IO"),
    ] {
        let mut camera = Camera::at(answering(answer).await).await;
        let (why, reason) = camera.is_down().await;
        assert_eq!(why, Loss::NotSocketIo, "{reason}");
        assert!(reason.contains(hint), "{reason}");
        camera.close().await;
    }
}

#[tokio::test]
async fn a_proxy_without_its_relay_hangs_up_at_once() {
    let mut camera = Camera::at(answering("").await).await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::NotSocketIo, "{reason}");
    assert!(reason.contains("hangs up without a word"), "{reason}");
    camera.close().await;
}

#[tokio::test]
async fn a_server_that_takes_the_connection_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut camera = Camera::at(silent.local_addr().unwrap()).await;
    let (why, reason) = camera.is_down().await;
    assert_eq!(why, Loss::Silent);
    assert!(reason.contains("says nothing"), "{reason}");
    camera.close().await;
}

#[tokio::test]
async fn hostile_messages_cost_nothing_but_themselves() {
    let mut node = Node::with(json!({})).await;
    let mut camera = Camera::at(node.address).await;
    camera.comes_up().await;
    camera.joins(&mut node).await;
    let mut deep = json!(0);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let hostile = [
        json!(["emit", "offer"]),
        json!(["emit", "offer", 7, null, [], "x"]),
        json!(["emit", "offer", deep]),
        json!(["emit", "offer", {"sdp": "v".repeat(900_000)}]),
        json!(["emit", "n".repeat(300), 1]),
        json!(["emit", "error", "EngineIO Error"]),
        json!(["emit", "error", {"message": "room full"}]),
        json!(["emit", "Close", ""]),
        json!(["emit", "close"]),
        json!(["emit", "open", ""]),
        json!(["raw", "2[\"connect_error\",\"x\"]"]),
        json!(["emit", "message", "x", 1]),
        json!(["emit", "", ""]),
        json!(["binary", 1, 2, 3]),
        json!(["raw", "2[]"]),
        json!(["raw", "2[7,8]"]),
        json!(["raw", "2{}"]),
        json!(["raw", "2/elsewhere,[\"offer\",1]"]),
        json!(["raw", "2999[\"offer\",{\"ack\":true}]"]),
        json!(["raw", "37[1]"]),
    ];
    for (number, order) in hostile.into_iter().enumerate() {
        node.order(order);
        node.order(json!(["emit", "after", number]));
    }
    let mut after = 0;
    while after < 20 {
        let (name, args) = camera.message().await;
        if name == "after" {
            assert_eq!(args, [json!(after)]);
            after += 1;
        }
        assert!(name.len() <= 256 && !args.iter().any(|arg| arg.to_string().len() > 256 * 1024));
    }
    let relay = camera.health().await["relay"].clone();
    assert_eq!((&relay["state"], &relay["connections"]), (&json!("up"), &json!(1)), "the link has not moved");
    assert_eq!(relay["refusals"], json!({"bad-message": 1, "binary": 1, "too-large": 2}));
    camera.close().await;
}

#[tokio::test]
async fn what_kills_the_library_does_not_kill_the_link() {
    let mut node = Node::with(json!({})).await;
    let mut camera = Camera::at(node.address).await;
    for order in [
        // Bytes that the library takes for the end of a packet.
        json!(["binary", 1, 0x1e, 3]),
        json!(["raw", "9"]),
        json!(["raw", ""]),
        json!(["raw", "2999999999999999999999[]"]),
        // The attachment that is announced never comes: the library's task panics.
        json!(["raw", "51-[\"picture\",{\"_placeholder\":true,\"num\":0}]"]),
    ] {
        camera.comes_up().await;
        camera.joins(&mut node).await;
        let waits = order[1].as_str().is_some_and(|packet| packet.starts_with("51-"));
        node.order(order);
        if waits {
            node.order(json!(["close"]));
        }
        camera.goes_down().await;
    }
    camera.comes_up().await;
    camera.joins(&mut node).await;
    camera.close().await;
}

#[tokio::test]
async fn the_relays_certificate_is_trusted_by_its_authority_or_its_fingerprint_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("sh")
        .current_dir(&folder)
        .arg("-ec")
        .arg(
            "q='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
             openssl req -x509 $q -keyout ca.key -out ca.pem -subj /CN=House
             openssl req $q -keyout signed.key -out signed.csr -subj /CN=relay
             printf 'subjectAltName=IP:127.0.0.1\n' >names
             openssl x509 -req -in signed.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out signed.pem
             openssl req -x509 $q -keyout self.key -out self.pem -subj /CN=elsewhere
             openssl x509 -in self.pem -outform DER -out self.der
             openssl x509 -in signed.pem -outform DER -out signed.der",
        )
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pin = |name: &str| -> Option<[u8; 32]> {
        use sha2::Digest;
        Some(sha2::Sha256::digest(std::fs::read(path(name)).unwrap()).into())
    };
    let start = async |name: &str| {
        Node::with(json!({"cert": path(&format!("{name}.pem")), "key": path(&format!("{name}.key"))})).await
    };
    let (signed, selfmade, plain) = (start("signed").await, start("self").await, Node::start().await);

    type Case<'a> = (&'a Node, Option<&'a str>, Option<[u8; 32]>, Result<(), &'a str>);
    let cases: [Case<'_>; 9] = [
        (&signed, None, None, Err("`ca`")),
        (&signed, Some("ca.pem"), None, Ok(())),
        (&signed, Some("self.pem"), None, Err("`ca`")),
        (&signed, Some("missing.pem"), None, Err("missing.pem")),
        (&signed, None, pin("signed.der"), Err("only works with self-signed")),
        (&selfmade, None, pin("self.der"), Ok(())),
        (&selfmade, None, pin("signed.der"), Err("another certificate")),
        (&selfmade, Some("self.pem"), None, Err("another name")),
        (&plain, None, None, Err("no TLS is spoken")),
    ];
    for (number, (node, ca, pin, expected)) in cases.into_iter().enumerate() {
        let mut camera = Camera::open(|relay| {
            relay.url = format!("https://{}", node.address);
            relay.ca = ca.map(path);
            relay.pin = pin;
        })
        .await;
        match expected {
            Ok(()) => camera.comes_up().await,
            Err(words) => {
                let (why, reason) = camera.is_down().await;
                assert_eq!(why, Loss::Tls, "case {number}: {reason}");
                assert!(reason.contains(words), "case {number}: {reason}");
            }
        }
        camera.close().await;
    }
}

/// The link as the desk has it.
struct Camera {
    link: Link,
    events: mpsc::Receiver<LinkEvent>,
    _status: watch::Sender<Status>,
}

impl Camera {
    async fn at(address: SocketAddr) -> Self {
        Self::open(|relay| relay.url = format!("http://{address}")).await
    }

    async fn open(how: impl FnOnce(&mut ExternalRelay)) -> Self {
        let mut relay = ExternalRelay {
            url: String::new(),
            path: "/socket.io/".into(),
            dialect: porthole_core::wire::dialect::Choice::Auto,
            calls: 1,
            auth: Auth(Map::new()),
            ca: None,
            pin: None,
        };
        how(&mut relay);
        let settings = RelaySettings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: TlsSettings { source: TlsSource::Off, redirect: false },
            mode: RelayMode::External(Box::new(relay.clone())),
            ..RelaySettings::default()
        };
        let room = RoomSettings { access: Access::Open, ..RoomSettings::default() };
        let (desk, events) = mpsc::channel(EVENTS);
        let (status, health) =
            watch::channel(Status { link: true, room: RoomState::In, ..Status::default() });
        let link =
            external::open(&settings, &relay, &room, &IceSettings::default(), desk, health).await.unwrap();
        Self { link, events, _status: status }
    }

    fn says(&self, event: &str, args: impl IntoIterator<Item = Value>) {
        self.link.send(Outgoing::new(None, event.to_owned(), args));
    }

    /// Asks for entry, as the desk does after each Up, and waits until the server has heard it.
    async fn joins(&mut self, node: &mut Node) {
        let join = json!({"room": "nursery", "from": "cam", "role": "camera"});
        self.link.send(Outgoing::entering("join", [join.clone()]));
        assert_eq!(node.hears().await, json!(["join", join]));
    }

    async fn event(&mut self) -> LinkEvent {
        tokio::time::timeout(HANG, self.events.recv()).await.expect("an event").expect("a link")
    }

    async fn comes_up(&mut self) {
        loop {
            match self.event().await {
                LinkEvent::Up => return,
                LinkEvent::Down { .. } => {}
                message => panic!("{message:?} while not up"),
            }
        }
    }

    /// Why it went down. What was said before that is passed over.
    async fn goes_down(&mut self) -> Loss {
        loop {
            match self.event().await {
                LinkEvent::Down { why, .. } => return why,
                LinkEvent::Up => panic!("up twice"),
                LinkEvent::Message { .. } | LinkEvent::Request(_) | LinkEvent::Published(_) => {}
            }
        }
    }

    /// The next event, which is that it is down.
    async fn is_down(&mut self) -> (Loss, String) {
        match self.event().await {
            LinkEvent::Down { why, reason } => (why, reason),
            other => panic!("{other:?}"),
        }
    }

    async fn message(&mut self) -> (String, Vec<Value>) {
        match self.event().await {
            LinkEvent::Message { sender: None, name, args } => (name, args),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until so many attempts have failed.
    async fn fails_times(&self, times: u64) {
        while self.health().await["relay"]["failed_attempts"].as_u64().unwrap() < times {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn health(&self) -> Value {
        serde_json::from_str(&self.get("/healthz").await.1).unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let address = self.link.page().unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn close(self) {
        tokio::time::timeout(HANG, self.link.close()).await.expect("closed");
    }
}

/// The server again, on the same port.
async fn again(address: SocketAddr) -> Node {
    Node::with(json!({"port": address.port(), "pingInterval": 300, "pingTimeout": 300})).await
}

async fn heard(room: &mut Room) -> Said {
    tokio::time::timeout(HANG, room.next()).await.expect("something said").unwrap()
}

fn token(token: &str) -> Auth {
    Auth(Map::from_iter([("token".to_owned(), json!(token))]))
}

/// An address where nobody listens.
async fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}

/// A server that says the same to everybody.
async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}
