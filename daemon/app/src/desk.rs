//! The desk: the one task that owns the switchboard. It feeds it what happens, performs what it asks for and sleeps
//! in between. Knows core; knows media and link only as something that performs and something that posts.

use std::future::Future;
use std::time::Instant;

use porthole_core::access::KeyRing;
use porthole_core::command::Command;
use porthole_core::event::{AccessEvent, Event, LinkEvent, MediaEvent};
use porthole_core::ids::RoomName;
use porthole_core::order::Order;
use porthole_core::publish::Errand;
use porthole_core::status::Status;
use porthole_core::switchboard::{Switchboard, Terms};
use porthole_core::whep::{RequestId, Response};
use porthole_core::wire::Outgoing;
use tokio::sync::{mpsc, oneshot, watch};

use crate::logging;

/// Whoever performs the commands that are about media. Must not block.
pub trait Perform {
    /// Does it, or starts doing it; what comes of it is an event.
    fn perform(&mut self, command: &Command);
}

/// Whoever puts messages on the link. Must not block.
pub trait Post {
    /// Sends it now, or keeps it (bounded) until the link is up.
    fn post(&self, message: Outgoing);

    /// Asks something of the server of a crowd.
    fn run(&self, errand: Errand);

    /// Tells a player over HTTP what its request came to.
    fn respond(&self, request: RequestId, response: Response);
}

/// An order, and who waits until it has been obeyed and the status tells of it.
#[derive(Debug)]
pub struct Ordered {
    /// What is ordered.
    pub order: Order,
    /// Told, or dropped when the desk ends before.
    pub obeyed: oneshot::Sender<()>,
}

/// Whoever asks the desk how it is gets the answer here. A desk that does not turn gives none.
pub type Question = oneshot::Sender<Status>;

/// What the desk listens to.
pub struct Inbox {
    /// From the link; bounded, because strangers speak there.
    pub link: mpsc::Receiver<LinkEvent>,
    /// From the media side.
    pub media: mpsc::UnboundedReceiver<MediaEvent>,
    /// From the keys.
    pub access: mpsc::Receiver<AccessEvent>,
    /// From whoever may order.
    pub orders: mpsc::Receiver<Ordered>,
    /// Of a configuration that has changed.
    pub terms: mpsc::Receiver<Terms>,
    /// From whoever wants to know whether it turns.
    pub questions: mpsc::Receiver<Question>,
}

/// Where others read what the desk knows.
pub struct Board {
    /// What the daemon is doing.
    pub status: watch::Sender<Status>,
    /// The ring by which calls are judged. One from which keys were taken is put here when their viewers have been told.
    pub ring: watch::Sender<KeyRing>,
}

/// Runs the switchboard until it has finished, which it does some time after `stop` resolves.
pub async fn run(
    mut switchboard: Switchboard,
    room: &RoomName,
    media: &mut impl Perform,
    link: &impl Post,
    mut inbox: Inbox,
    board: &Board,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    let mut stopping = false;
    let mut ring = None;
    let mut obeyed: Option<oneshot::Sender<()>> = None;
    loop {
        let mut finished = false;
        while let Some(command) = switchboard.poll_command() {
            match command {
                Command::Send(message) => link.post(message),
                Command::Run(errand) => link.run(errand),
                Command::Respond { request, response } => link.respond(request, response),
                Command::Note(note) => logging::say(&note, room),
                Command::Finished => finished = true,
                command => media.perform(&command),
            }
        }
        let now = switchboard.status();
        board.status.send_if_modified(|last| {
            let changed = *last != now;
            *last = now;
            changed
        });
        if let Some(ring) = ring.take() {
            board.ring.send_replace(ring);
        }
        if let Some(obeyed) = obeyed.take() {
            // Who ordered may not have waited.
            let _ = obeyed.send(());
        }
        if finished {
            return;
        }
        let wake = switchboard.poll_timeout().map(tokio::time::Instant::from_std);
        tokio::select! {
            () = &mut stop, if !stopping => {
                stopping = true;
                switchboard.handle(Event::Shutdown, Instant::now());
            }
            Some(event) = inbox.media.recv() => switchboard.handle(Event::Media(event), Instant::now()),
            Some(event) = inbox.access.recv() => {
                if let AccessEvent::Keys(keys) = &event {
                    ring = Some(keys.clone());
                }
                switchboard.handle(Event::Access(event), Instant::now());
            }
            Some(ordered) = inbox.orders.recv() => {
                log::info!("ordered: {}", ordered.order);
                obeyed = Some(ordered.obeyed);
                switchboard.handle(Event::Order(ordered.order), Instant::now());
            }
            Some(event) = inbox.link.recv() => switchboard.handle(Event::Link(event), Instant::now()),
            Some(terms) = inbox.terms.recv() => switchboard.handle(Event::Terms(terms), Instant::now()),
            Some(question) = inbox.questions.recv() => {
                // Whoever asked may have gone.
                let _ = question.send(switchboard.status());
            }
            () = sleep_until(wake) => switchboard.handle_timeout(Instant::now()),
        }
    }
}

/// For ever where there is nothing to wake for.
pub async fn sleep_until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
