//! Listens on the socket and answers. Must not know how things are, nor how an order is obeyed.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use porthole_core::order::Order;
use porthole_core::status::Status;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::place::Place;
use super::report::{Board, Facts, Moment, Process, Report};
use super::talk::{self, REQUEST_BYTES, Refused, Request};
use super::words::words;
use crate::desk::Ordered;
use crate::hold::hold;
use crate::{keys, machine, memory, privacy, reload};

/// Most programs that ask at once.
const AT_ONCE: usize = 8;
/// Connections that wait to be taken in.
const BACKLOG: i32 = 8;
/// How long a program may take to ask, and to take what it is told.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long keeping a choice may take before nobody waits for it.
const KEEP: Duration = Duration::from_secs(5);
/// How long to wait when the machine has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why nobody can ask this daemon anything.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// Another daemon with the same port or configuration has it.
    #[error("another daemon listens on {}", .0.display())]
    InUse(PathBuf),
    /// Something is there that is not ours to remove.
    #[error("{} is no socket, so it is left alone: move it away", .0.display())]
    NoSocket(PathBuf),
    /// The system does not let us.
    #[error("{}: {error}", at.display())]
    Denied {
        /// Where.
        at: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

/// What is known about the daemon.
pub struct Known {
    /// What it was started with.
    pub facts: Facts,
    /// What its switchboard says.
    pub status: watch::Receiver<Status>,
    /// Why the choice of privacy is not kept.
    pub unkept: watch::Receiver<Option<String>>,
    /// Where whoever has chosen waits until that is kept.
    pub keeps: mpsc::Sender<privacy::Waits>,
    /// What its relay refuses by itself.
    pub refused: Option<Box<dyn Fn() -> BTreeMap<&'static str, u64> + Send + Sync>>,
    /// Where the configuration is read again, once the daemon has started.
    pub reloads: Arc<OnceLock<mpsc::Sender<reload::Waits>>>,
    /// Where orders go.
    pub orders: mpsc::Sender<Ordered>,
}

/// A socket that is listened on, until this is dropped.
#[derive(Debug)]
pub struct Control {
    socket: PathBuf,
    lock: PathBuf,
    accepting: JoinHandle<()>,
    /// Its lock says that we live.
    _held: File,
}

/// Takes the place, of a daemon that is dead if need be, and answers there.
///
/// # Errors
/// [`NotOpened`]. Nothing of another daemon that lives is touched.
pub fn open(place: &Place, known: Known) -> Result<Control, NotOpened> {
    let (socket, lock) = (place.socket(), place.lock());
    let denied = |error| NotOpened::Denied { at: socket.clone(), error };
    DirBuilder::new().recursive(true).mode(place.folder_mode()).create(place.folder()).map_err(denied)?;
    let held = hold(&lock).map_err(denied)?.ok_or_else(|| NotOpened::InUse(socket.clone()))?;
    match fs::symlink_metadata(&socket) {
        // Whoever made it does not hold the lock any more.
        Ok(found) if found.file_type().is_socket() => fs::remove_file(&socket).map_err(denied)?,
        Ok(_) => return Err(NotOpened::NoSocket(socket)),
        Err(_) => {}
    }
    let listener = bind(&socket, place.mode()).map_err(denied)?;
    let accepting = tokio::spawn(accept(listener, Arc::new(known)));
    Ok(Control { socket, lock, accepting, _held: held })
}

impl Control {
    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.accepting.abort();
        // What cannot be removed is taken by the next.
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_file(&self.lock);
    }
}

/// Nobody can connect before the mode is right, as nobody is listened to before.
fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(std::os::fd::OwnedFd::from(socket).into())
}

async fn accept(listener: UnixListener, known: Arc<Known>) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (known, seat) = (known.clone(), seats.clone().try_acquire_owned());
                tokio::spawn(async move {
                    match seat {
                        // Somebody who goes away is owed nothing.
                        Ok(_seat) => drop(answer(stream, &known).await),
                        Err(_) => drop(say(&mut { stream }, &Refused::Busy.line()).await),
                    }
                });
            }
            Err(error) => {
                log::debug!("nobody can ask for now: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers one program's requests until it goes, asks nothing any more, or says what nobody reads.
async fn answer(mut stream: UnixStream, known: &Known) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut reading).take(REQUEST_BYTES);
        let read = timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await??;
        if read == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            // Cut short, by its sender or by us: what follows would be read as something else.
            let why = if line.len() as u64 >= REQUEST_BYTES { Refused::TooLong } else { Refused::Unreadable };
            return say(&mut writing, &why.line()).await;
        }
        let reply = match Request::read(&line) {
            Ok(request) => perform(request, known).await,
            Err(refused) => Err(refused),
        };
        say(&mut writing, &reply.unwrap_or_else(|refused| refused.line())).await?;
    }
}

async fn say(to: &mut (impl AsyncWriteExt + Unpin), line: &str) -> io::Result<()> {
    timeout(PATIENCE, to.write_all(format!("{line}\n").as_bytes())).await?
}

async fn perform(request: Request, known: &Known) -> Result<String, Refused> {
    let mut unkept = known.unkept.borrow().clone();
    if request == Request::Reload {
        let (waits, told) = oneshot::channel();
        let reloads = known.reloads.get().ok_or(Refused::Starting)?;
        reloads.send(waits).await.map_err(|_| Refused::Ending)?;
        let changes = told.await.map_err(|_| Refused::Ending)?.map_err(Refused::NotAllowed)?;
        let keys = |live| changes.iter().filter(|c| c.live == live).map(|c| c.key).collect::<Vec<_>>();
        return Ok(talk::reloaded(&keys(true), &keys(false)));
    }
    if let Request::Order(order) = request {
        let (obeyed, done) = oneshot::channel();
        let chosen = matches!(order, Order::Privacy { .. });
        known.orders.send(Ordered { order, obeyed }).await.map_err(|_| Refused::Ending)?;
        done.await.map_err(|_| Refused::Ending)?;
        if chosen {
            let (waits, told) = oneshot::channel();
            known.keeps.send(waits).await.map_err(|_| Refused::Ending)?;
            unkept = match timeout(KEEP, told).await {
                Ok(Ok(unkept)) => unkept,
                Ok(Err(_)) => return Err(Refused::Ending),
                Err(_) => Some(format!("it could not be written within {KEEP:?}; look at the disk")),
            };
        }
    }
    let process = Process { pid: std::process::id(), heap: memory::in_use(), resident: memory::resident() };
    let moment = Moment { now: Instant::now(), date: keys::now() };
    let status = known.status.borrow().clone();
    let board = Board { temperatures: machine::temperatures(), throttled: machine::throttled() };
    let door = known.refused.as_ref().map(|refused| refused()).unwrap_or_default();
    let report = Report { unkept, ..Report::new(&known.facts, status, door, process, &board, moment) };
    let words = words(&report);
    let status = serde_json::to_value(&report).map_err(|error| Refused::Unknown(error.to_string()))?;
    Ok(talk::status(status, &words))
}
