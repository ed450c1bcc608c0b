//! The life of the link to somebody else's relay: connects, passes on, waits, and connects again for as long as it
//! takes. Must not know how a connection is made, nor what a message means.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use log::{debug, warn};
use porthole_core::event::{LinkEvent, Loss};
use porthole_core::wire::{Outgoing, limits};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::failure::Failure;
use super::transport::{Epoch, Heard, Transport};
use super::waiting::Waiting;
use crate::link::embedded::guard::Bucket;
use crate::link::embedded::metrics;
use crate::link::{Ends, Events};

/// How long an attempt may hang before another one is made beside it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most attempts at a time.
const AT_ONCE: usize = 8;
/// How long the desk may take to ask for entry to the room before what waits goes out anyway.
const ENTRY_DEADLINE: Duration = Duration::from_secs(2);
/// Messages a second from the whole room, and how many at once.
const MESSAGES: (u32, u32) = (100, 600);

/// What the link has to say about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Where the relay is.
    pub url: String,
    /// How things stand.
    #[serde(flatten)]
    pub state: State,
    /// Connections so far.
    pub connections: u64,
    /// Attempts that failed since the last connection.
    pub failed_attempts: u64,
    /// Messages that wait for the relay.
    pub waiting: usize,
    /// Messages that waited in vain, and events that found the desk too far behind, so far.
    pub lost: u64,
    /// Refused messages so far, by word.
    pub refusals: BTreeMap<&'static str, u64>,
}

impl metrics::Figures for Figures {
    fn write(&self, page: &mut metrics::Page) {
        page.counter("relay_connections", "Connections to the relay so far", None, self.connections as f64);
        let failed = self.failed_attempts as f64;
        page.gauge("relay_failed_attempts", "Attempts that failed since the last connection", None, failed);
        page.gauge("relay_waiting", "Messages that wait for the relay", None, self.waiting as f64);
        let help = "Messages that the link has refused, by the word of why";
        page.counters("relay_refusals", help, "reason", &self.refusals);
        let help = "Messages that waited in vain, and events that found the daemon too far behind";
        page.counter("relay_lost", help, None, self.lost as f64);
    }
}

/// How the link stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// The first attempt is under way.
    Connecting,
    /// The relay has let us in.
    Up,
    /// It has let us in again, and lost us the last time after a moment: until it has kept us for longer.
    Unsteady {
        /// Of which kind that loss was.
        why: Loss,
        /// Its sentence, with the fix.
        reason: String,
    },
    /// It is not reached.
    Down {
        /// Of which kind the latest failure is.
        why: Loss,
        /// Its sentence, with the fix.
        reason: String,
    },
}

/// The link's task.
pub struct Life<T> {
    transport: T,
    url: String,
    events: Events,
    waiting: Waiting,
    backoff: Backoff,
    /// Attempts that failed since the last connection.
    failed: u64,
    state: State,
    /// The last connection was over after a moment.
    unsteady: bool,
    connections: u64,
    bucket: Bucket,
    refusals: BTreeMap<&'static str, u64>,
    lost: u64,
    figures: watch::Sender<Figures>,
}

/// Why an epoch is over.
enum Over {
    /// It was lost.
    Lost(Failure),
    /// The link is to end.
    Stopped,
}

impl<T: Transport> Life<T> {
    /// A link through `transport` to the relay that people know as `url`.
    pub fn new(transport: T, url: String, events: Events) -> Self {
        let figures = watch::Sender::new(Figures {
            url: url.clone(),
            state: State::Connecting,
            connections: 0,
            failed_attempts: 0,
            waiting: 0,
            lost: 0,
            refusals: BTreeMap::new(),
        });
        Self {
            transport,
            url,
            events,
            waiting: Waiting::default(),
            backoff: Backoff::default(),
            failed: 0,
            state: State::Connecting,
            unsteady: false,
            connections: 0,
            bucket: Bucket::new(MESSAGES.0, MESSAGES.1, now()),
            refusals: BTreeMap::new(),
            lost: 0,
            figures,
        }
    }

    /// How things are, kept up to date.
    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.subscribe()
    }

    /// Lives until the link is closed.
    pub async fn run(mut self, mut ends: Ends) {
        // An attempt that hangs (in a relay that stands still, or a network that has swallowed it) does not keep the
        // next one from being made.
        let mut attempts = JoinSet::new();
        let mut next = pin!(tokio::time::sleep(Duration::ZERO));
        let mut latest = Instant::now();
        loop {
            let outcome = tokio::select! {
                biased;
                _ = &mut ends.stop => return,
                Some(message) = ends.outbox.recv() => {
                    keep(&mut self.waiting, message);
                    self.publish();
                    continue;
                }
                Some(outcome) = attempts.join_next() => outcome.unwrap_or(Err(Failure::Broken)),
                () = &mut next, if attempts.len() < AT_ONCE => {
                    if !attempts.is_empty() && latest.elapsed() < PATIENCE {
                        next.as_mut().reset(latest + PATIENCE);
                    } else {
                        latest = Instant::now();
                        attempts.spawn(self.transport.connect());
                        next.as_mut().reset(latest + self.backoff.next(fastrand::f64()));
                    }
                    continue;
                }
            };
            let failure = match outcome {
                Err(failure) => failure,
                Ok(epoch) => {
                    attempts = JoinSet::new();
                    let over = self.attend(epoch, &mut ends).await;
                    next.as_mut().reset(Instant::now() + self.backoff.next(fastrand::f64()));
                    match over {
                        Over::Stopped => return,
                        Over::Lost(failure) => failure,
                    }
                }
            };
            self.lose(failure).await;
        }
    }

    /// The relay has let us in: from here on until it is lost.
    async fn attend(&mut self, mut epoch: Epoch, ends: &mut Ends) -> Over {
        self.state = match &self.state {
            State::Down { why, reason } if self.unsteady => {
                State::Unsteady { why: *why, reason: reason.clone() }
            }
            _ => State::Up,
        };
        self.unsteady = true;
        self.connections += 1;
        self.failed = 0;
        debug!("connected to the relay at {}", self.url);
        // What was said before goes after the entry to the room, which the desk asks for as soon as it hears of this.
        while let Ok(message) = ends.outbox.try_recv() {
            keep(&mut self.waiting, message);
        }
        self.publish();
        if !self.events.tell(LinkEvent::Up).await {
            return Over::Stopped;
        }
        let started = Instant::now();
        let mut entered = false;
        let mut settled = false;
        loop {
            let step = tokio::select! {
                biased;
                _ = &mut ends.stop => {
                    self.say_the_rest(&epoch, ends).await;
                    epoch.close().await;
                    return Over::Stopped;
                }
                Some(message) = ends.outbox.recv() => {
                    let said = if message.enters {
                        entered = true;
                        epoch.emit(&message.event, &message.args).await
                    } else {
                        keep(&mut self.waiting, message);
                        Ok(())
                    };
                    match said {
                        Ok(()) if entered => self.say_what_waits(&epoch).await,
                        said => said,
                    }
                }
                heard = epoch.heard.recv() => self.hear(heard.unwrap_or(Heard::Ended(Failure::Broken))),
                () = tokio::time::sleep_until(started + ENTRY_DEADLINE), if !entered => {
                    entered = true;
                    self.say_what_waits(&epoch).await
                }
                () = tokio::time::sleep_until(started + limits::LINK_STEADY), if !settled => {
                    settled = true;
                    (self.state, self.unsteady) = (State::Up, false);
                    self.backoff.reset();
                    Ok(())
                }
            };
            self.publish();
            if let Err(failure) = step {
                return Over::Lost(failure);
            }
        }
    }

    async fn say_what_waits(&mut self, epoch: &Epoch) -> Result<(), Failure> {
        while let Some((message, said)) = self.waiting.next(now()) {
            if let Err(failure) = epoch.emit(&message.event, &message.args).await {
                self.waiting.put_back(message, said);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// The last words. Whatever cannot be said now never will be.
    async fn say_the_rest(&mut self, epoch: &Epoch, ends: &mut Ends) {
        while let Ok(message) = ends.outbox.try_recv() {
            keep(&mut self.waiting, message);
        }
        if let Err(failure) = self.say_what_waits(epoch).await {
            debug!("the last words are lost: {failure}");
        }
    }

    fn hear(&mut self, heard: Heard) -> Result<(), Failure> {
        let (name, args) = match heard {
            Heard::Said { name, args } => (name, args),
            Heard::Refused(word) => {
                self.refuse(word);
                return Ok(());
            }
            Heard::Ended(failure) => return Err(failure),
        };
        if !self.bucket.take(now()) {
            self.refuse("too-often");
        } else if !self.events.report(LinkEvent::Message { sender: None, name, args }) {
            self.lost += 1;
            if self.lost.is_power_of_two() {
                warn!("the desk is too far behind: {} messages of viewers lost so far", self.lost);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, word: &'static str) {
        *self.refusals.entry(word).or_default() += 1;
    }

    async fn lose(&mut self, failure: Failure) {
        let why = failure.loss();
        let reason = failure.to_string();
        debug!("no connection to the relay at {}: {reason}", self.url);
        let was_up = matches!(self.state, State::Up | State::Unsteady { .. });
        self.failed = if was_up { 0 } else { self.failed + 1 };
        let known = matches!(&self.state, State::Down { why: last, .. } if *last == why);
        self.state = State::Down { why, reason: reason.clone() };
        self.publish();
        if !known {
            // Nobody to be told is found out by the next thing that happens.
            self.events.tell(LinkEvent::Down { why, reason }).await;
        }
    }

    fn publish(&mut self) {
        let now = Figures {
            url: self.url.clone(),
            state: self.state.clone(),
            connections: self.connections,
            failed_attempts: self.failed,
            waiting: self.waiting.count(now()),
            lost: self.lost + self.waiting.lost(),
            refusals: self.refusals.clone(),
        };
        self.figures.send_if_modified(|figures| {
            let changed = *figures != now;
            *figures = now;
            changed
        });
    }
}

/// Keeps a message for later; asking for entry is of no use later.
fn keep(waiting: &mut Waiting, message: Outgoing) {
    if !message.enters {
        waiting.keep(message, now());
    }
}

/// The time, as those want it who know no clock.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
