//! Where a socket enters: Socket.IO's settings, and what is done with each message before the relay's task hears it.
//! Must not know the room.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{debug, info};
use porthole_core::wire::{Reason, limits};
use serde_json::{Value, json};
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::{ConnectHandler, FromMessageParts, Value as Packet};
use socketioxide::layer::SocketIoLayer;
use socketioxide::socket::Socket;
use socketioxide::{ParserConfig, SocketIo};
use tokio::sync::mpsc;

use super::door::{Door, Place, Seat};
use super::gate::{Gate, Standing};
use super::guard::Bucket;
use super::relay::{Heard, Life};
use super::rooms::SocketKey;
use super::server::PER_ADDRESS;

/// How often a silent peer is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long it may take to answer that.
const PING_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a connection may take to enter the Socket.IO namespace, or to finish a binary message.
const ENTER_DEADLINE: Duration = Duration::from_secs(5);
/// How many packets may wait for one peer. An emit past it means that the peer is gone.
const PACKETS_WAITING: usize = 256;
/// Where some prove a key and others need none, one place of so many is kept for the former.
const RESERVED: usize = 4;
/// Messages a second from one socket, and how many at once.
const MESSAGES: (u32, u32) = (30, 60);
/// How often a connection may be turned away before it has to make a new one to be heard.
const KNOCKS: u64 = 5;
/// How many messages past its bucket a socket may send before it is cut.
const FLOOD: u32 = 1000;

/// Who is at the other end of a connection; travels in the request.
#[derive(Debug, Clone, Copy)]
pub struct RemoteAddress(pub IpAddr);

/// How often one connection of Engine.IO was turned away; travels in the request that opened it.
#[derive(Debug, Clone, Default)]
pub struct Knocks(Arc<AtomicU64>);

/// Lets sockets in, and brings the relay what they say.
#[derive(Clone)]
pub struct Entrance {
    inbox: mpsc::Sender<Heard>,
    sockets: Door,
    strangers: Door,
    next: Arc<AtomicU64>,
    lets_in: LetsIn,
}

/// Whom it lets in.
#[derive(Debug, Clone)]
pub struct LetsIn {
    /// Judges who may enter our own camera's room; `None`: everybody may.
    pub gate: Option<Gate>,
    /// Whether those who may not are let in nevertheless, for other rooms.
    pub strangers: bool,
}

/// What we keep with a socket.
#[derive(Debug)]
struct Attendance {
    key: SocketKey,
    life: Arc<Life>,
    standing: Option<Standing>,
    pace: Mutex<Pace>,
    inbox: mpsc::Sender<Heard>,
    _seats: Vec<Seat>,
}

#[derive(Debug)]
struct Pace {
    bucket: Bucket,
    /// Messages past the bucket, less those within.
    excess: u32,
}

/// Socket.IO with every bound set, and `entrance` as the only way in.
pub fn socket_io(entrance: Entrance) -> (SocketIoLayer, SocketIo) {
    let parser = ParserConfig::common()
        .max_incoming_binary_buf_size(limits::MESSAGE_BYTES)
        .max_incoming_binaries(4)
        .packet_completion_timeout(ENTER_DEADLINE);
    let (layer, io) = SocketIo::builder()
        .with_parser(parser)
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .connect_timeout(ENTER_DEADLINE)
        .upgrade_timeout(ENTER_DEADLINE)
        .max_payload(limits::MESSAGE_BYTES as u64)
        .ws_max_message_size(limits::MESSAGE_BYTES)
        .ws_max_frame_size(limits::MESSAGE_BYTES)
        .max_buffer_size(PACKETS_WAITING)
        .build_layer();
    // Everything is registered before the peer is told that it is connected, or what a quick peer says first would
    // be lost. But the library lets us speak to it only some time after that.
    let before = move |socket: SocketRef, TryData(auth): TryData<Value>| {
        std::future::ready(entrance.admit(&socket, &auth.unwrap_or_default()))
    };
    let after = async |socket: SocketRef| {
        if let Some(attendance) = socket.extensions.get::<Arc<Attendance>>() {
            attendance.life.enter();
            // Fails only when the relay itself is gone.
            let _ = attendance.inbox.send(Heard::Entered(attendance.key)).await;
        }
    };
    io.ns("/", after.with(before));
    (layer, io)
}

impl Entrance {
    /// An entrance for at most `max_sockets`.
    pub fn new(inbox: mpsc::Sender<Heard>, max_sockets: usize, lets_in: LetsIn) -> Self {
        let (sockets, strangers) = (
            Door::new(max_sockets, PER_ADDRESS),
            Door::new(max_sockets - max_sockets / RESERVED, PER_ADDRESS),
        );
        Self { inbox, sockets, strangers, next: Arc::default(), lets_in }
    }

    /// Its own among all, and where it has proved nothing while others do, one among those as well.
    fn seats(&self, address: IpAddr, stranger: bool) -> Option<Vec<Seat>> {
        let doors = stranger.then_some(&self.strangers).into_iter().chain([&self.sockets]);
        let seats: Vec<_> = doors.map(|door| door.enter(address)).collect::<Option<_>>()?;
        seats.iter().for_each(|seat| seat.place().settle());
        Some(seats)
    }

    fn admit(&self, socket: &SocketRef, auth: &Value) -> Result<(), &'static str> {
        // Another try takes another handshake, which are counted by address.
        let knocks = socket.req_parts().extensions.get::<Knocks>().cloned().unwrap_or_default().0;
        if knocks.fetch_add(1, Ordering::Relaxed) >= KNOCKS {
            return Err(Reason::TooOften.word());
        }
        let standing = self.lets_in.gate.as_ref().map(|gate| gate.judge(auth));
        let address = socket.req_parts().extensions.get::<RemoteAddress>().ok_or("no address")?.0;
        if let (Some(Err(reason)), false) = (&standing, self.lets_in.strangers) {
            info!("somebody at {address} was turned away at the door: {}", reason.sentence());
            count(&self.inbox, reason.word());
            return Err(reason.word());
        }
        let seats = self.seats(address, matches!(standing, Some(Err(_)))).ok_or("too many connections")?;
        if let Some(place) = socket.req_parts().extensions.get::<Arc<Place>>() {
            place.settle();
        }
        knocks.store(0, Ordering::Relaxed);
        let key = SocketKey(self.next.fetch_add(1, Ordering::Relaxed));
        let pace = Pace { bucket: Bucket::new(MESSAGES.0, MESSAGES.1, Instant::now()), excess: 0 };
        let inbox = self.inbox.clone();
        let life = Arc::<Life>::default();
        let kept =
            Attendance { key, life: life.clone(), standing, pace: Mutex::new(pace), inbox, _seats: seats };
        socket.extensions.insert(Arc::new(kept));

        let inbox = self.inbox.clone();
        // All is done before the future is made, so a peer's messages stay in their order.
        socket.on_fallback(move |socket: SocketRef, said: Said, reply: AckSender| {
            let Said { key, life, standing, bytes, event, payload } = said;
            let said = Heard::Said { key, life, standing, socket, bytes, event, payload, reply };
            if inbox.try_send(said).is_err() {
                debug!("the relay is too far behind: a message of socket {} is lost", key.0);
            }
            std::future::ready(())
        });
        let inbox = self.inbox.clone();
        socket.on_disconnect(async move || {
            life.end();
            // Fails only when the relay itself is gone.
            let _ = inbox.send(Heard::Gone(key)).await;
        });
        Ok(())
    }
}

/// A message that was within its socket's bucket, and could be read.
struct Said {
    key: SocketKey,
    life: Arc<Life>,
    standing: Option<Standing>,
    bytes: usize,
    event: String,
    payload: Value,
}

/// Why a message goes no further.
#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error("this socket never entered")]
    Stranger,
    #[error("too many messages")]
    TooOften,
    #[error("not an event with readable JSON")]
    Unreadable,
}

impl FromMessageParts<LocalAdapter> for Said {
    type Error = Unheard;

    fn from_message_parts(
        socket: &Arc<Socket>,
        message: &mut Packet,
        _: &Option<i64>,
    ) -> Result<Self, Unheard> {
        let attendance = socket.extensions.get::<Arc<Attendance>>().ok_or(Unheard::Stranger)?;
        attendance.pay(socket)?;
        let (read, bytes) = match message {
            Packet::Str(text, None) => (serde_json::from_str::<Vec<Value>>(text.as_str()), text.len()),
            // Nothing that peers say to each other is binary.
            _ => {
                count(&attendance.inbox, "binary");
                return Err(Unheard::Unreadable);
            }
        };
        let mut arguments = read.unwrap_or_default().into_iter();
        match arguments.next() {
            Some(Value::String(event)) => {
                let payload = arguments.next().unwrap_or_default();
                let (life, standing) = (attendance.life.clone(), attendance.standing.clone());
                Ok(Self { key: attendance.key, life, standing, bytes, event, payload })
            }
            _ => {
                count(&attendance.inbox, "unreadable");
                Err(Unheard::Unreadable)
            }
        }
    }
}

impl Attendance {
    /// Takes one message out of the bucket. The first one past it is answered, and a flood ends the socket.
    fn pay(&self, socket: &Arc<Socket>) -> Result<(), Unheard> {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.bucket.take(Instant::now()) {
            pace.excess = pace.excess.saturating_sub(1);
            return Ok(());
        }
        pace.excess += 1;
        let (first, flood) = (pace.excess == 1, pace.excess > FLOOD);
        drop(pace);
        let reason = Reason::TooOften;
        count(&self.inbox, reason.word());
        if first {
            let _ = socket.emit("refused", &json!({ "reason": reason, "text": reason.sentence() }));
        }
        if flood {
            let _ = socket.clone().disconnect();
        }
        Err(Unheard::TooOften)
    }
}

/// Counts something refused. Only a figure: where much waits already, it takes nobody's place.
fn count(inbox: &mpsc::Sender<Heard>, word: &'static str) {
    if inbox.capacity() > inbox.max_capacity() / 2 {
        let _ = inbox.try_send(Heard::Refused(word));
    }
}
