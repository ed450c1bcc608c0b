//! The task that owns the rooms and their sockets: everything that anybody says passes through here, one at a time.
//! Must not decide who hears what: [`Hall`] does.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use log::{debug, info, warn};
use porthole_core::event::LinkEvent;
use porthole_core::ids::PeerId;
use porthole_core::wire::{Outgoing, Reason};
use serde_json::Value;
use socketioxide::extract::{AckSender, SocketRef};
use tokio::sync::{mpsc, watch};
use tokio::time::{self, sleep_until};

use super::figures::Figures;
use super::gate::{Gate, Shown, Standing};
use super::guard::Bucket;
use super::hall::Hall;
use super::handout::Ice;
use super::rooms::{Delivery, SocketKey};
use super::server::Server;
use crate::link::{Ends, Events};

/// How many messages of strangers may wait. Each socket has a bucket of its own before this.
const INBOX: usize = 1024;
/// Largest message that peers may send each other. One for our own camera may be larger, because it is not kept.
const PASSED_ON_BYTES: usize = 32 * 1024;
/// KiB a second that others may send to one peer, and how many at once. Whoever does not read what is sent makes us
/// keep it.
const PASSED_ON: (u32, u32) = (16, 256);

/// How often it is looked at least whether somebody's key has ended: the wall's clock may have been set meanwhile.
const ROUND: Duration = Duration::from_secs(30);
/// So long after its key's end somebody may be here, to hear what the camera says of it.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a socket did.
pub enum Heard {
    /// It sent an event.
    Said {
        /// Which one.
        key: SocketKey,
        /// Whether it may be spoken to.
        life: Arc<Life>,
        /// What it proved at the entrance, where that is asked for.
        standing: Option<Standing>,
        /// The way back to it.
        socket: SocketRef,
        /// How long the message is.
        bytes: usize,
        /// Event name.
        event: String,
        /// First argument, or `Null`.
        payload: Value,
        /// The call-back it may have asked for.
        reply: AckSender,
    },
    /// It may be spoken to from now on.
    Entered(SocketKey),
    /// Something it sent was refused before it was read. The word is counted.
    Refused(&'static str),
    /// It is gone.
    Gone(SocketKey),
}

/// How far a socket is. A quick peer is heard before it may be spoken to, and the last of what a lost one said may
/// arrive after the news of its loss.
#[derive(Debug, Default)]
pub struct Life(AtomicU8);

impl Life {
    const ENTERED: u8 = 1;
    const GONE: u8 = 2;

    /// It may be spoken to. To be said before [`Heard::Entered`] is.
    pub fn enter(&self) {
        self.0.fetch_or(Self::ENTERED, Ordering::AcqRel);
    }

    /// It is gone. To be said before [`Heard::Gone`] is.
    pub fn end(&self) {
        self.0.fetch_or(Self::GONE, Ordering::AcqRel);
    }

    fn has(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) & state != 0
    }
}

/// Comings and goings told in the log: so many a second, and how many at once.
const NEWS: (u32, u32) = (1, 60);

/// A socket, and how much others may still send to it.
struct Ear {
    socket: SocketRef,
    standing: Option<Standing>,
    room_for: Bucket,
}

/// A message while it is handled: whose, how long, and the call-back it may have asked for.
struct Spoken {
    by: SocketKey,
    bytes: usize,
    reply: Option<AckSender>,
}

/// Rooms and sockets.
pub struct Relay {
    hall: Hall,
    sockets: HashMap<SocketKey, Ear>,
    /// What was said by those who may not be spoken to yet.
    early: HashMap<SocketKey, Vec<Heard>>,
    inbox: mpsc::Receiver<Heard>,
    /// Whom our own camera's messages are for, where there is one.
    desk: Option<Events>,
    lost: u64,
    news: News,
    figures: watch::Sender<Figures>,
    /// Who may be in our own camera's room; `None`: everybody.
    gate: Option<Gate>,
    /// What newcomers get.
    ice: Ice,
}

/// How much of the comings and goings the log is told.
struct News {
    may: Bucket,
    untold: u64,
}

impl Relay {
    /// A relay with nobody connected, and the inbox through which it hears of sockets.
    pub fn new(
        hall: Hall,
        desk: Option<Events>,
        gate: Option<Gate>,
        ice: Ice,
    ) -> (Self, mpsc::Sender<Heard>) {
        let (heard, inbox) = mpsc::channel(INBOX);
        let (sockets, early, figures) = (HashMap::new(), HashMap::new(), watch::Sender::default());
        let news = News { may: Bucket::new(NEWS.0, NEWS.1, Instant::now()), untold: 0 };
        (Self { hall, sockets, early, inbox, desk, lost: 0, news, figures, gate, ice }, heard)
    }

    /// How things are, kept up to date.
    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.subscribe()
    }

    /// Lives until the link is closed.
    pub async fn run(mut self, mut ends: Ends, server: Server) {
        let mut server = server.start();
        let mut look_again = self.next_end();
        self.report(LinkEvent::Up);
        loop {
            // What the camera says goes first: strangers cannot delay it, and who is turned out has heard its good-bye.
            tokio::select! {
                biased;
                Some(message) = ends.outbox.recv() => self.camera_says(message),
                _ = &mut ends.stop => break,
                () = changed(&mut self.gate) => look_again = self.clear_out(),
                () = sleep_until(look_again) => look_again = self.clear_out(),
                Some(heard) = self.inbox.recv() => self.hear(heard),
            }
            self.publish();
        }
        while let Ok(message) = ends.outbox.try_recv() {
            self.camera_says(message);
        }
        self.sockets.clear();
        server.stop().await;
    }

    fn camera_says(&mut self, message: Outgoing) {
        let deliveries = self.hall.camera_says(message);
        self.deliver(deliveries, None);
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Said { life, .. } if life.has(Life::GONE) => {}
            // Also what comes between the leave to speak and the news of it, while something said before still waits.
            Heard::Said { key, ref life, .. }
                if !life.has(Life::ENTERED) || self.early.contains_key(&key) =>
            {
                self.early.entry(key).or_default().push(heard);
            }
            Heard::Said { key, standing, socket, bytes, event, payload, reply, .. } => {
                let may_enter = self.may_enter(standing.as_ref());
                self.sockets.entry(key).or_insert_with(|| Ear {
                    socket,
                    standing,
                    room_for: Bucket::new(PASSED_ON.0, PASSED_ON.1, Instant::now()),
                });
                let deliveries = self.hall.hear(key, &event, payload, may_enter, || self.ice.now());
                self.deliver(deliveries, Some(Spoken { by: key, bytes, reply: Some(reply) }));
            }
            Heard::Entered(key) => {
                for heard in self.early.remove(&key).into_iter().flatten() {
                    self.hear(heard);
                }
            }
            Heard::Refused(word) => self.hall.count_refusal(word),
            Heard::Gone(key) => {
                self.early.remove(&key);
                self.forget(key);
            }
        }
    }

    fn may_enter(&self, standing: Option<&Standing>) -> Result<Option<Shown>, Reason> {
        match (&self.gate, standing) {
            (Some(gate), Some(standing)) => gate.opens(standing).map(Some),
            (Some(_), None) => Err(Reason::NotAllowed),
            (None, _) => Ok(None),
        }
    }

    /// When the next key ends, or it is to be looked all the same.
    fn next_end(&self) -> time::Instant {
        let ends = self.gate.as_ref().and_then(Gate::until_next_end).map(|left| left + GOODBYE);
        time::Instant::now() + ends.unwrap_or(ROUND).min(ROUND)
    }

    /// Turns everybody out whose key is worth nothing any more; with the time at which to look again.
    fn clear_out(&mut self) -> time::Instant {
        let judged = self.sockets.iter().map(|(key, ear)| (*key, self.may_enter(ear.standing.as_ref())));
        let out: Vec<_> = judged.filter_map(|(key, may)| may.err().map(|reason| (key, reason))).collect();
        for (key, reason) in out {
            let deliveries = self.hall.turn_out(key, reason);
            self.deliver(deliveries, None);
        }
        self.next_end()
    }

    /// Performs in order. Whoever does not take what is sent is gone.
    fn deliver(&mut self, deliveries: Vec<Delivery>, mut spoken: Option<Spoken>) {
        let mut deaf = Vec::new();
        for delivery in deliveries {
            match delivery {
                Delivery::Socket { socket, event, payload } => {
                    let Some(to) = self.sockets.get_mut(&socket) else { continue };
                    let strange = spoken.as_ref().filter(|spoken| spoken.by != socket);
                    if let Some(reason) = strange.and_then(|spoken| to.has_no_room_for(&event, spoken.bytes))
                    {
                        self.hall.count_refusal(reason.word());
                        continue;
                    }
                    if let Err(error) = to.socket.emit(event, &payload) {
                        debug!("socket {} does not take what it is sent: {error}", socket.0);
                        deaf.push(socket);
                    }
                }
                Delivery::Reply(payload) => {
                    // Not heard by a peer that is gone; that is found out by the next message to it.
                    let reply = spoken.as_mut().and_then(|spoken| spoken.reply.take());
                    let _ = reply.map(|reply| reply.send(&payload));
                }
                Delivery::Camera { sender, event, payload } => {
                    self.news.note(&sender, &event, Instant::now());
                    let args = vec![payload];
                    self.report(LinkEvent::Message { sender: Some(sender), name: event, args });
                }
                Delivery::Note { room, peer, event } => match event {
                    "joined" => {
                        info!(peer = peer.as_str(), room = room.as_str(); "came into the room");
                    }
                    _ => info!(peer = peer.as_str(), room = room.as_str(); "left the room"),
                },
                Delivery::Cut(socket) => {
                    self.cut(socket);
                }
            }
        }
        for socket in deaf {
            self.forget(socket);
        }
    }

    fn forget(&mut self, key: SocketKey) {
        self.cut(key);
        let deliveries = self.hall.leave(key);
        self.deliver(deliveries, None);
    }

    /// A socket whose queue is full cannot even be told; it dies of its silence instead.
    fn cut(&mut self, key: SocketKey) {
        if let Some(ear) = self.sockets.remove(&key) {
            let _ = ear.socket.disconnect();
        }
    }

    fn report(&mut self, event: LinkEvent) {
        if self.desk.as_ref().is_some_and(|desk| !desk.report(event)) {
            self.lost += 1;
            if self.lost.is_power_of_two() {
                warn!("the desk is too far behind: {} messages of viewers lost so far", self.lost);
            }
        }
    }

    fn publish(&self) {
        self.figures.send_if_modified(|figures| {
            let now = Figures {
                peers: self.hall.count(),
                cameras: self.hall.cameras(),
                refusals: self.hall.refusals().clone(),
                lost: self.lost,
            };
            let changed = *figures != now;
            *figures = now;
            changed
        });
    }
}

/// Resolves when other keys open the gate.
async fn changed(gate: &mut Option<Gate>) {
    match gate {
        Some(gate) => gate.changed().await,
        None => std::future::pending().await,
    }
}

impl Ear {
    /// Why what another peer says is not passed on; `None`: it is, and counts.
    fn has_no_room_for(&mut self, event: &str, bytes: usize) -> Option<Reason> {
        // The relay's own words, which no peer can say: short, however long the message was that caused them.
        if matches!(event, "joined" | "left") {
            return None;
        }
        if bytes > PASSED_ON_BYTES {
            return Some(Reason::TooLarge);
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        (!self.room_for.take_many(kib, Instant::now())).then_some(Reason::TooOften)
    }
}

impl News {
    /// A peer that comes and goes all the time is told of in the log once a second, with a sum.
    fn note(&mut self, peer: &PeerId, event: &str, now: Instant) {
        let told = match event {
            "joined" => "came into the room",
            "left" => "left the room",
            _ => {
                debug!(peer = peer.as_str(); "says `{event}`");
                return;
            }
        };
        if !self.may.take(now) {
            self.untold += 1;
            return;
        }
        match std::mem::take(&mut self.untold) {
            0 => info!(peer = peer.as_str(); "{told}"),
            untold => info!(peer = peer.as_str(); "{told}, after {untold} more comings and goings"),
        }
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
