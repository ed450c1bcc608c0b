//! One life of the daemon, or of a relay alone: opens media and link, seats the desk between them, and closes everything in order. Knows
//! everybody; must not decide anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{IsTerminal, stdout};
use std::pin::pin;

use porthole_core::command::Command;
use porthole_core::config::settings::{RelayMode, RoomSettings, Settings};
use porthole_core::ids::PeerId;
use porthole_core::switchboard::{Switchboard, SwitchboardSettings};
use porthole_core::wire::Outgoing;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::announce;
use crate::desk::{self, Inbox, Perform, Post};
use crate::link::{self, Link, embedded, external};
use crate::media::{Events, Media, MediaError};

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    /// No threads, no signals: the machine itself refuses.
    #[error("the machine refuses what the daemon needs to start: {0}")]
    Machine(#[from] std::io::Error),
    /// GStreamer, an element or an encoder is missing.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The port cannot be had.
    #[error(transparent)]
    Link(#[from] embedded::OpenFailed),
}

/// Runs until SIGINT or SIGTERM. Blocks.
pub fn until_stopped(settings: Settings) -> Result<(), CannotRun> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(live(settings));
    // A media thread that hangs must not keep the process.
    runtime.shutdown_background();
    result
}

/// The same as a relay alone, without camera and calls.
pub fn relay_until_stopped(settings: Settings) -> Result<(), CannotRun> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(relay(settings))
}

async fn relay(settings: Settings) -> Result<(), CannotRun> {
    let stop = told_to_stop()?;
    let link = embedded::open_alone(settings.relay.clone(), &settings.room, &settings.ice).await?;
    if let Some(page) = link.page() {
        announce::print_relay(&mut stdout(), &settings.room, &settings.relay, page)?;
    }
    stop.await;
    link.close().await;
    Ok(())
}

/// Resolves with SIGINT or SIGTERM, which from now on no longer end the process by themselves.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log::info!("stopping");
    })
}

async fn live(settings: Settings) -> Result<(), CannotRun> {
    let mut stop = pin!(told_to_stop()?);
    let me = camera_id(&settings.room);
    let switchboard = Switchboard::new(SwitchboardSettings::new(&settings, me.clone()));
    let (status, health) = watch::channel(switchboard.status());
    let (link_events, link_inbox) = mpsc::channel(link::EVENTS);
    let (media_events, media_inbox) = Events::channel();

    // The port first: a second daemon is told at once, and not after it has tried the encoders.
    let relay = &settings.relay;
    let link = match &relay.mode {
        RelayMode::Embedded => {
            embedded::open(relay.clone(), &settings.room, &settings.ice, me, link_events, health).await?
        }
        RelayMode::External(other) => {
            external::open(relay, other, &settings.room, link_events, health).await?
        }
    };
    // Trying encoders takes a while, and far longer where one of them hangs.
    let mut media = tokio::select! {
        opened = Media::open(settings.media.clone(), settings.ice.clone(), media_events) => opened?,
        () = &mut stop => return Ok(()),
    };
    if let Some(page) = link.page() {
        let said =
            announce::print(&mut stdout(), stdout().is_terminal(), &settings.room, &settings.relay, page);
        // Nobody reads the link; it is no reason not to answer who knows it.
        if let Err(error) = said {
            log::warn!("the link could not be printed ({error}); the page is at {page}");
        }
    }
    let inbox = Inbox { link: link_inbox, media: media_inbox };
    desk::run(switchboard, &settings.room.room, &mut media, &link, inbox, &status, stop).await;
    tokio::join!(link.close(), media.close());
    Ok(())
}

impl Perform for Media {
    fn perform(&mut self, command: &Command) {
        Self::perform(self, command);
    }
}

impl Post for Link {
    fn post(&self, message: Outgoing) {
        self.send(message);
    }
}

/// The camera's peer id: the same after a restart, another on every machine and for every camera of it.
fn camera_id(room: &RoomSettings) -> PeerId {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let mut hash = DefaultHasher::new();
    ("porthole camera", machine.trim(), &room.room, &room.camera).hash(&mut hash);
    let text = format!("camera-{:016x}", hash.finish());
    PeerId::new(&text).unwrap_or_else(|_| unreachable!("{text} is made of allowed characters"))
}
