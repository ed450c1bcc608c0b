//! Errands to a server that shows the camera to a crowd (WHIP, RFC 9725): one request after the other, each bounded in
//! time and size. Must not decide when to call, nor know what an SDP says.

use std::collections::HashMap;
use std::time::Duration;

use log::debug;
use porthole_core::config::settings::PublishSettings;
use porthole_core::event::LinkEvent;
use porthole_core::ids::CallId;
use porthole_core::publish::{Errand, Word};
use reqwest::Url;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Events;
use client::Client;

mod client;
mod failure;

/// How long the last errands may take at the end.
const GOODBYE: Duration = Duration::from_millis(800);

/// Makes one connection to the server, without offering anything.
///
/// # Errors
/// Why it is not reached, with what to do.
pub async fn attempt(settings: &PublishSettings) -> Result<(), String> {
    Client::new(settings.clone()).reach().await.map_err(|failure| failure.to_string())
}

/// Runs errands until it is closed.
#[derive(Debug)]
pub struct Publisher {
    errands: mpsc::UnboundedSender<Errand>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Says [`Word::Ready`] at once.
    pub(super) fn start(settings: PublishSettings, events: Events) -> Self {
        let (errands, inbox) = mpsc::unbounded_channel();
        if settings.tells_in_the_clear() {
            log::warn!(
                "[publish] token is sent without encryption, and whoever is on the way can read it: write https:// in \
                 `whip` if the server speaks TLS"
            );
        }
        Self { errands, task: tokio::spawn(live(Client::new(settings), inbox, events)) }
    }

    /// Takes an errand. Never blocks: there is one call at a time.
    pub(super) fn run(&self, errand: Errand) {
        let _ = self.errands.send(errand);
    }

    /// Runs what was asked for before, if that takes no longer than a moment.
    pub(super) async fn close(self) {
        let Self { errands, mut task } = self;
        drop(errands);
        if tokio::time::timeout(GOODBYE, &mut task).await.is_err() {
            debug!("the server of [publish] was not told in time that the camera goes");
            task.abort();
        }
    }
}

async fn live(client: Client, mut errands: mpsc::UnboundedReceiver<Errand>, events: Events) {
    let mut places: HashMap<CallId, Url> = HashMap::new();
    let say = async |word| events.tell(LinkEvent::Published(word)).await;
    say(Word::Ready { chance: fastrand::f64() }).await;
    while let Some(errand) = errands.recv().await {
        match errand {
            Errand::Offer { call, sdp } => {
                let word = match client.offer(sdp).await {
                    Ok((answer, place)) => {
                        places.extend(place.map(|place| (call, place)));
                        Word::Taken { call, sdp: answer }
                    }
                    Err((failure, after)) => {
                        Word::Failed { call, reason: failure.to_string(), after, chance: fastrand::f64() }
                    }
                };
                say(word).await;
            }
            Errand::Forget { call } => {
                if let Some(place) = places.remove(&call) {
                    client.forget(place).await;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
