//! The one place that knows the Socket.IO client library, and the fence around it. Must not know what is said, nor
//! when to connect again.
//!
//! The library (`rust_socketio` 0.6.0) is good at speaking and bad at failing: it connects again in a loop of its own
//! that one day spins without a pause, has no time limit anywhere, does not tell when a connection ends in good order,
//! takes an event that a peer calls `error` or `close` for its own, and its reading task can panic. Hence:
//!
//! - its own reconnecting is off, and every connection is a client of its own;
//! - a client lives on a thread and a runtime of its own, and everything it has started ends with them, panic or not;
//! - every wait has a bound;
//! - callbacks only push into a channel; none is ever awaited in;
//! - whether its reading task still lives is asked of the runtime, and whether it can still send is tried regularly;
//! - only websocket is spoken, and no acknowledgement is ever asked for.
//!
//! A message is parsed before its size can be looked at (the library has no such bound but the websocket's, 64 MB), and
//! costs many times its size until it has been weighed: how large it may be is for the relay to say
//! (`maxHttpBufferSize`). What the library cannot parse (JSON deeper than 128, a packet without a body, another
//! namespace) it drops without a word, so that it is counted nowhere; of an empty list it tells, and that is counted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use native_tls::TlsConnector;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::address::Address;
use super::failure::{Failure, quote};
use super::intake::{Arrivals, Arrived, Intake, intake};
use super::tls::Trust;
use super::transport::{Emit, Epoch, Heard, Transport};

#[cfg(not(panic = "unwind"))]
compile_error!("a panic inside the Socket.IO library must not end the process");

/// How long TCP, TLS and the websocket may take together, and then again Socket.IO.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long a relay that did not answer in time may take to answer a bare TCP connection.
const DIAGNOSIS_DEADLINE: Duration = Duration::from_secs(1);
/// How long the connection may take to take a message.
const EMIT_DEADLINE: Duration = Duration::from_secs(5);
/// How often something is sent, to find out whether that is still possible.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// What is sent then. No relay knows it, so none passes it on.
const HEARTBEAT_EVENT: &str = "heartbeat";
/// Something that is not JSON.
const BINARY: Arrived = Arrived::Refused("binary");
/// How often the library's reading task is looked at.
const WATCH: Duration = Duration::from_millis(250);
/// How long taking leave may last.
const GOODBYE_DEADLINE: Duration = Duration::from_secs(2);
/// How many messages may wait to be sent.
const EMITS: usize = 16;
/// How many events may wait to be heard; the others wait in the intake.
const HEARD: usize = 4;
/// What the library says of a packet that it cannot make anything of.
const UNREADABLE: &str = "Error while parsing an incomplete packet";

/// Connects with the library.
pub struct SocketIo {
    address: Address,
    trust: Arc<Trust>,
}

impl SocketIo {
    /// A way to the relay at `address`.
    pub fn new(address: Address, trust: Trust) -> Self {
        Self { address, trust: Arc::new(trust) }
    }
}

impl Transport for SocketIo {
    fn connect(&self) -> impl Future<Output = Result<Epoch, Failure>> + Send + 'static {
        connect(self.address.clone(), self.trust.clone())
    }
}

async fn connect(address: Address, trust: Arc<Trust>) -> Result<Epoch, Failure> {
    let tls = match address.is_secure() {
        true => Some(trust.connector(address.host(), address.port()).await?),
        false => None,
    };
    let (opened, open) = oneshot::channel();
    std::thread::Builder::new()
        .name("relay".into())
        .spawn(move || live(address, tls, opened))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    // The thread ends without a word only by a panic.
    open.await.unwrap_or(Err(Failure::Broken)).map_err(|failure| match failure {
        Failure::Tls(_) => trust.doubt(failure),
        failure => failure,
    })
}

type Opened = oneshot::Sender<Result<Epoch, Failure>>;

/// One client from the first packet to the last, with everything it starts.
fn live(address: Address, tls: Option<TlsConnector>, opened: Opened) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits any more, or is told.
            let _ = opened.send(Err(Failure::Machine(error.to_string())));
            return;
        }
    };
    runtime.block_on(attend(address, tls, opened));
    // A name server that does not answer keeps a thread; it is not waited for.
    runtime.shutdown_background();
}

async fn attend(address: Address, tls: Option<TlsConnector>, mut opened: Opened) {
    let (callback, mut arrived) = intake();
    let entered = tokio::select! {
        entered = enter(&address, tls, callback, &mut arrived) => entered,
        () = opened.closed() => return,
    };
    let client = match entered {
        Ok(client) => client,
        Err(failure) => {
            let _ = opened.send(Err(failure));
            return;
        }
    };
    let (emits, to_send) = mpsc::channel(EMITS);
    let (told, heard) = mpsc::channel(HEARD);
    if opened.send(Ok(Epoch { emits, heard })).is_ok()
        && let Err(failure) = stay(&client, arrived, to_send, &told).await
    {
        // Nobody listens any more, or is told by the closed channel.
        let _ = told.try_send(Heard::Ended(failure));
    }
    // Late or in vain, the runtime takes everything along.
    let _ = timeout(GOODBYE_DEADLINE, client.disconnect()).await;
}

/// Connects, and waits until the relay has let us in: before that it may close on whoever speaks.
async fn enter(
    address: &Address,
    tls: Option<TlsConnector>,
    callback: Intake,
    arrived: &mut Arrivals,
) -> Result<Client, Failure> {
    let place = address.place();
    let client = match timeout(CONNECT_DEADLINE, builder(address, tls, callback).connect()).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Err(Failure::of(&error, &place)),
        Err(_) => return Err(diagnose(address.host(), address.port(), place).await),
    };
    let let_in = async {
        let mut watch = interval(WATCH);
        loop {
            tokio::select! {
                biased;
                first = arrived.next() => match first {
                    Some(Arrived::Open(_)) => return Ok(()),
                    Some(Arrived::Error(said)) => return Err(refusal(&said, &place)),
                    Some(Arrived::Close(_)) | None => return Err(Failure::SentAway),
                    Some(Arrived::Said(..) | Arrived::Refused(_)) => {}
                },
                _ = watch.tick() => if !reader_lives() { return Err(Failure::Closed) },
            }
        }
    };
    timeout(CONNECT_DEADLINE, let_in).await.unwrap_or(Err(Failure::Silent(place.clone())))?;
    Ok(client)
}

fn builder(address: &Address, tls: Option<TlsConnector>, callback: Intake) -> ClientBuilder {
    let push = |make: fn(Vec<Value>) -> Arrived| {
        let callback = callback.clone();
        move |payload: Payload, _: Client| pushed(&callback, arguments(payload).map_or(BINARY, make))
    };
    let said = callback.clone();
    let mut builder = ClientBuilder::new(address.url())
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .reconnect_on_disconnect(false)
        .on(Event::Connect, push(Arrived::Open))
        .on(Event::Close, push(Arrived::Close))
        .on(Event::Error, push(Arrived::Error))
        .on_any(move |event, payload, _| {
            pushed(&said, arguments(payload).map_or(BINARY, |args| Arrived::Said(event, args)))
        });
    if !address.auth().is_empty() {
        builder = builder.auth(Value::Object(address.auth().clone()));
    }
    match tls {
        Some(tls) => builder.tls_config(tls),
        None => builder,
    }
}

/// Callbacks are never waited for.
fn pushed(intake: &Intake, arrived: Arrived) -> BoxFuture<'static, ()> {
    intake.push(arrived);
    std::future::ready(()).boxed()
}

fn arguments(payload: Payload) -> Option<Vec<Value>> {
    match payload {
        Payload::Text(args) => Some(args),
        _ => None,
    }
}

/// Whether the library still reads: of its tasks there is no other.
fn reader_lives() -> bool {
    Handle::current().metrics().num_alive_tasks() > 0
}

/// Nothing came in time. Is anybody there at all?
async fn diagnose(host: &str, port: u16, place: String) -> Failure {
    match timeout(DIAGNOSIS_DEADLINE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Failure::Silent(place),
        Ok(Err(error)) => Failure::of_io(&error, &place),
        Err(_) => Failure::NoAnswer(place),
    }
}

/// `Received an ConnectError frame: {"message":"…"}` is the relay's refusal; anything else is not Socket.IO.
fn refusal(said: &[Value], place: &str) -> Failure {
    let Some(Value::String(text)) = said.first() else { return Failure::NotSocketIo(place.into()) };
    let Some((_, frame)) = text.split_once("ConnectError frame: ") else { return Failure::Closed };
    let message = match serde_json::from_str::<Value>(frame) {
        Ok(Value::Object(mut frame)) => frame.remove("message"),
        Ok(message) => Some(message),
        Err(_) => None,
    };
    match message {
        Some(Value::String(message)) => Failure::NotLetIn(format!("\"{}\"", quote(&message))),
        _ => Failure::NotLetIn("no reason".into()),
    }
}

/// Passes on what is said until the connection is over; `Ok` when nobody wants it any more.
async fn stay(
    client: &Client,
    mut arrived: Arrivals,
    mut to_send: mpsc::Receiver<Emit>,
    told: &mpsc::Sender<Heard>,
) -> Result<(), Failure> {
    let mut watch = interval(WATCH);
    let mut heartbeat = interval(HEARTBEAT);
    for ticks in [&mut watch, &mut heartbeat] {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
    }
    let mut troubled = false;
    let mut next = None;
    loop {
        tokio::select! {
            emit = to_send.recv() => {
                let Some(Emit { event, args, done }) = emit else { return Ok(()) };
                let sent = send(client, &event, args).await;
                // Whoever asked may not wait for it.
                let _ = done.send(sent.clone());
                sent?;
            }
            room = told.reserve(), if next.is_some() => {
                // Nobody listens any more.
                let (Ok(room), Some(heard)) = (room, next.take()) else { return Ok(()) };
                room.send(heard);
            }
            Some(arrived) = arrived.next(), if next.is_none() => {
                match &arrived {
                    // The library cannot send any more if it was the relay's own word.
                    Arrived::Close(_) => beat(client).await.map_err(|_| Failure::SentAway)?,
                    Arrived::Error(_) => troubled = true,
                    _ => {}
                }
                next = Some(heard(arrived));
            }
            _ = watch.tick() => if !reader_lives() {
                return Err(if troubled { Failure::Broken } else { Failure::Closed });
            },
            _ = heartbeat.tick() => beat(client).await?,
        }
    }
}

async fn beat(client: &Client) -> Result<(), Failure> {
    send(client, HEARTBEAT_EVENT, Vec::new()).await
}

async fn send(client: &Client, event: &str, args: Vec<Value>) -> Result<(), Failure> {
    match timeout(EMIT_DEADLINE, client.emit(event, Payload::Text(args))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Failure::Broken),
    }
}

/// Undoes what the library does to names: it keeps four for itself, and takes an event without arguments for a
/// `message` that says the name.
fn heard(arrived: Arrived) -> Heard {
    let (name, args) = match arrived {
        Arrived::Open(args) => ("open".into(), args),
        Arrived::Close(args) => ("close".into(), args),
        Arrived::Error(args) if args == [UNREADABLE] => return Heard::Refused("bad-message"),
        Arrived::Error(args) => ("error".into(), args),
        Arrived::Said(Event::Message, mut args) => match args.as_mut_slice() {
            [Value::String(name)] => (std::mem::take(name), Vec::new()),
            _ => ("message".into(), args),
        },
        Arrived::Said(event, args) => (String::from(event), args),
        Arrived::Refused(word) => return Heard::Refused(word),
    };
    Heard::Said { name, args }
}
