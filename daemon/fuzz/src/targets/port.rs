//! The port that strangers find: the daemon's relay with page, `/healthz`, Socket.IO and https, opened again and again, so
//! that what one input has used up does not shield the next. Must not know what is asked of it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use porthole::link::embedded::{self, Camera, Counter, Gate};
use porthole::link::{EVENTS, Link};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Secret, Stamp, proof};
use porthole_core::config::settings::{
    Access, IceSettings, Metrics, RelayMode, RelaySettings, RoomSettings, TlsSettings, TlsSource,
};
use porthole_core::event::LinkEvent;
use porthole_core::ids::Name;
use porthole_core::status::{RoomState, Status};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::corpus::{ME, ROOM};

/// So many inputs use one port.
const INPUTS: usize = 64;
/// How often an answer is asked for that does not come: until then everybody else has had a turn.
const ROUNDS: usize = 48;

/// A port, with all that lives behind it.
pub struct Port {
    /// What everything lives on.
    pub runtime: Runtime,
    /// Its requests, without a connection.
    pub counter: Counter,
    /// Where it listens.
    pub address: SocketAddr,
    _link: Link,
    events: mpsc::Receiver<LinkEvent>,
    _status: watch::Sender<Status>,
    _ring: watch::Sender<KeyRing>,
    left: usize,
}

thread_local! {
    /// The one in use of each kind.
    static PORTS: RefCell<Vec<(Access, Port)>> = const { RefCell::new(Vec::new()) };
    /// Where its authority is kept, so that it is made once.
    static FOLDER: tempfile::TempDir =
        tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for temporary files: {error}"));
}

/// Does something with a port of this kind.
pub fn with<T>(access: Access, act: impl FnOnce(&Port) -> T) -> T {
    PORTS.with_borrow_mut(|ports| {
        let used = ports.extract_if(.., |(kind, port)| *kind == access && port.left == 0);
        used.for_each(|(_, port)| port.runtime.shutdown_background());
        if !ports.iter().any(|(kind, _)| *kind == access) {
            ports.push((access, Port::open(access)));
        }
        let Some((_, port)) = ports.iter_mut().find(|(kind, _)| *kind == access) else {
            unreachable!("it is there")
        };
        port.left -= 1;
        let came = act(port);
        // Nobody is behind it, and what has been said must not shield the next input.
        while port.events.try_recv().is_ok() {}
        came
    })
}

/// The answer, unless it waits for something that does not come.
pub async fn patiently<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..ROUNDS {
        if let Poll::Ready(came) = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            return Some(came);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// The key that opens the room where keys decide.
pub fn key() -> Key {
    let (Ok(id), Ok(name)) = (KeyId::new("k1"), Label::new("grandma")) else {
        unreachable!("both are sound")
    };
    Key {
        id,
        name,
        role: Role::Watch,
        made: Stamp(1),
        until: None,
        secret: Secret::new(*b"thirty-two bytes that are secret"),
    }
}

/// What is shown at the door with it.
pub fn admission() -> String {
    format!(r#"{{"key":"k1","room":"{ROOM}","admission":"{}"}}"#, proof::of_admission(&key().secret, ROOM))
}

impl Port {
    fn open(access: Access) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
        let (desk, events) = mpsc::channel(EVENTS);
        let (status, health) = watch::channel(well());
        let mut keys = KeyRing::default();
        let _ = keys.add(key());
        let (ring, known) = watch::channel(keys);
        let gate = (access == Access::Keys).then(|| Gate::new(name(ROOM), known));
        let room = RoomSettings {
            room: name(ROOM),
            camera: "Nursery".into(),
            access,
            keys: None,
            max_calls: 5,
            idle_after: Duration::ZERO,
            privacy: false,
        };
        let camera = Camera { id: name(ME), events: desk, health, gate };
        let ice = IceSettings { stun: vec!["stun:stun.example".into()], ..IceSettings::default() };
        let opened = runtime.block_on(embedded::open_with_counter(settings(), &room, &ice, camera));
        let (link, counter) = opened.unwrap_or_else(|error| panic!("{error}"));
        let Some(address) = link.page() else { unreachable!("our own relay has a page") };
        Self { runtime, counter, address, _link: link, events, _status: status, _ring: ring, left: INPUTS }
    }
}

fn settings() -> RelaySettings {
    let authority: PathBuf = FOLDER.with(|folder| folder.path().join("authority.pem"));
    RelaySettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        link: String::new(),
        tls: TlsSettings { source: TlsSource::Own { authority: Some(authority) }, redirect: true },
        metrics: Metrics::All,
        max_sockets: 64,
        rooms: vec![name("yard")],
        mode: RelayMode::Embedded,
    }
}

fn well() -> Status {
    Status { link: true, room: RoomState::In, ..Status::default() }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|bad| panic!("{text}: {bad}"))
}
