//! A wire between two TCP ends that can be cut, frozen or left hanging: what networks do, without touching this
//! machine's. Must not know what goes over it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A wire to one server.
pub struct Wire {
    /// Where its near end listens.
    pub address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    target: Arc<Mutex<SocketAddr>>,
}

/// What the wire does to what is on it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    /// Nothing passes, in any connection; nobody is told.
    frozen: bool,
    /// Connections before this number are dead: nothing passes any more, and nobody is told.
    dead_before: u64,
    /// Connections before this number are cut, and both ends are told.
    cut_before: u64,
    /// The next connection's number.
    next: u64,
}

impl Wire {
    /// A wire to `target`, on a free port of loopback.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(watch::Sender::new(State { frozen: false, dead_before: 0, cut_before: 0, next: 0 }));
        let target = Arc::new(Mutex::new(target));
        tokio::spawn(accept(listener, state.clone(), target.clone()));
        Self { address, state, target }
    }

    /// New connections lead elsewhere.
    #[allow(dead_code, reason = "not every test moves the server")]
    pub fn leads_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = target;
    }

    /// From now on nothing passes (`true`), or all goes on where it stopped (`false`).
    #[allow(dead_code, reason = "not every test needs every fault")]
    pub fn freeze(&self, frozen: bool) {
        self.state.send_modify(|state| state.frozen = frozen);
    }

    /// Leaves every connection there is hanging: half-open, as after a power cut at the other end.
    #[allow(dead_code, reason = "not every test needs every fault")]
    pub fn leave_hanging(&self) {
        self.state.send_modify(|state| state.dead_before = state.next);
    }

    /// Ends the connections that were left hanging.
    #[allow(dead_code, reason = "not every test needs every fault")]
    pub fn bury(&self) {
        self.state.send_modify(|state| state.cut_before = state.cut_before.max(state.dead_before));
    }

    /// Ends every connection there is, and tells both ends.
    #[allow(dead_code, reason = "not every test needs every fault")]
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cut_before = state.next);
    }

    /// How many connections there were.
    #[allow(dead_code, reason = "not every test counts")]
    pub fn connections(&self) -> u64 {
        self.state.borrow().next
    }
}

async fn accept(listener: TcpListener, state: Arc<watch::Sender<State>>, target: Arc<Mutex<SocketAddr>>) {
    while let Ok((near, _)) = listener.accept().await {
        let mut number = 0;
        state.send_modify(|state| {
            number = state.next;
            state.next += 1;
        });
        let target = *target.lock().unwrap();
        tokio::spawn(connect(near, target, number, state.subscribe()));
    }
}

async fn connect(near: TcpStream, target: SocketAddr, number: u64, mut state: watch::Receiver<State>) {
    let _ = state.wait_for(|state| !state.frozen).await;
    let Ok(far) = TcpStream::connect(target).await else { return };
    for end in [&near, &far] {
        end.set_nodelay(true).unwrap();
    }
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    let mut ways = JoinSet::new();
    ways.spawn(pass(from_near, to_far, number, state.clone()));
    ways.spawn(pass(from_far, to_near, number, state.clone()));
    let cut = state.wait_for(|state| state.cut_before > number);
    tokio::select! {
        // Both ways end with the first, unless the connection was left hanging: then nobody hears of it.
        _ = ways.join_next() => {}
        _ = cut => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u64,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await;
        let hanging =
            state.wait_for(|state| !state.frozen).await.is_ok_and(|state| state.dead_before > number);
        if hanging {
            // Until it is cut, or the test is over.
            return std::future::pending().await;
        }
        match read {
            Ok(length @ 1..) if to.write_all(&buffer[..length]).await.is_ok() => {}
            _ => return,
        }
    }
}
