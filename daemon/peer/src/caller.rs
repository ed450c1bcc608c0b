//! Somebody who opens the page and calls: a place in the room and a viewer, with the messages between them. Must not
//! know what the figures are for.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use porthole_core::access::Key;
use tokio::sync::{mpsc, watch};

use crate::room::{Room, RoomError, Said};
use crate::{Facts, Options, PeerError, Stand, Viewer};

/// What was signalled for one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signs {
    /// When the answer came from the relay.
    pub answered: Option<Instant>,
    /// The word the camera refused with.
    pub refused: Option<String>,
    /// The word the camera hung up with.
    pub bye: Option<String>,
    /// Why there is no connection to the relay any more, or why an answer could not be used.
    pub broken: Option<String>,
}

impl Signs {
    /// Whether nothing more will come of this call.
    pub fn over(&self) -> bool {
        self.refused.is_some() || self.bye.is_some() || self.broken.is_some()
    }
}

/// One call through the relay. Dropped, viewer and relay connection are gone without a `bye`.
#[derive(Debug)]
pub struct Caller {
    viewer: Arc<Viewer>,
    offered: Instant,
    signs: watch::Receiver<Signs>,
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    /// Hang up: `bye`, then leave.
    Bye,
}

impl Caller {
    /// Joins `room` of the relay at `address` as `name` (a name nobody else has there) and calls its camera.
    /// Returns as soon as the offer is sent.
    pub async fn place(
        stand: &Stand,
        address: SocketAddr,
        room: &str,
        name: &str,
        options: &Options,
    ) -> Result<Self, PeerError> {
        Self::call(stand, Room::enter(address, room, name).await?, name, options).await
    }

    /// The same with an access key.
    pub async fn place_with(
        stand: &Stand,
        address: SocketAddr,
        room: &str,
        name: &str,
        options: &Options,
        key: &Key,
    ) -> Result<Self, PeerError> {
        Self::call(stand, Room::enter_with(address, room, name, key).await?, name, options).await
    }

    async fn call(stand: &Stand, mut place: Room, name: &str, options: &Options) -> Result<Self, PeerError> {
        let (viewer, offer) = Viewer::offer(stand, options)?;
        let call = format!("{name}-call");
        let offered = Instant::now();
        place.offer(&call, &offer).await?;
        if !options.candidate_in_offer {
            place.candidate(&call, viewer.candidate()).await?;
            place.candidate(&call, "").await?;
        }
        let viewer = Arc::new(viewer);
        let (publish, signs) = watch::channel(Signs::default());
        let (orders, taken) = mpsc::unbounded_channel();
        let line = Line { place, call, viewer: Arc::downgrade(&viewer), signs: publish };
        tokio::spawn(line.run(taken));
        Ok(Self { viewer, offered, signs, orders })
    }

    /// The media end.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// What the media end has seen.
    pub fn facts(&self) -> Facts {
        self.viewer.facts()
    }

    /// When the offer was handed to the relay connection: the moment all figures count from.
    pub fn offered(&self) -> Instant {
        self.offered
    }

    /// What was signalled so far.
    pub fn signs(&self) -> Signs {
        self.signs.borrow().clone()
    }

    /// Waits until what was signalled is as wanted, at most `limit`; what there is then, either way.
    pub async fn wait_signs(&self, limit: Duration, wanted: impl Fn(&Signs) -> bool) -> Signs {
        let mut signs = self.signs.clone();
        // Too late, or the line is gone: the signs say so.
        let _ = tokio::time::timeout(limit, signs.wait_for(|signs| wanted(signs))).await;
        self.signs()
    }

    /// Hangs up the way the page does: `bye` through the relay, then the media end closes.
    pub fn hang_up(self) {
        // A broken line cannot carry a bye; the camera notices by other means.
        let _ = self.orders.send(Order::Bye);
        self.viewer.close();
    }
}

/// The task between room and viewer.
struct Line {
    place: Room,
    call: String,
    viewer: Weak<Viewer>,
    signs: watch::Sender<Signs>,
}

impl Line {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            let said = tokio::select! {
                said = self.place.next() => said,
                order = orders.recv() => {
                    let parting = match order {
                        Some(Order::Bye) => self.place.bye(&self.call).await,
                        None => Ok(()),
                    };
                    return self.note(parting);
                }
            };
            match said.map_err(PeerError::from).and_then(|said| self.hear(said)) {
                Ok(()) => {}
                Err(PeerError::Room(error)) => return self.note(Err(error)),
                Err(error) => self.signs.send_modify(|signs| signs.broken = Some(error.to_string())),
            }
        }
    }

    fn note(&self, outcome: Result<(), RoomError>) {
        if let Err(error) = outcome {
            self.signs.send_modify(|signs| signs.broken = Some(error.to_string()));
        }
    }

    fn hear(&self, said: Said) -> Result<(), PeerError> {
        let Some(viewer) = self.viewer.upgrade() else { return Ok(()) };
        match said {
            Said::Answer { call, sdp, .. } if call == self.call => {
                self.signs.send_modify(|signs| signs.answered = Some(Instant::now()));
                viewer.accept(&sdp)?;
            }
            Said::Candidate { call, candidate } if call == self.call => {
                viewer.add_remote_candidate(&candidate)?
            }
            Said::Refused { call, reason } if call == self.call => {
                self.signs.send_modify(|signs| signs.refused = Some(reason));
            }
            Said::Bye { call, reason } if call == self.call => {
                self.signs.send_modify(|signs| signs.bye = Some(reason));
            }
            _ => {}
        }
        Ok(())
    }
}
