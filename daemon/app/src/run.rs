//! One life of the daemon, or of a relay alone: opens media and link, seats the desk between them, and closes everything in order. Knows
//! everybody; must not decide anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use porthole_core::access::KeyRing;
use porthole_core::command::Command;
use porthole_core::config::settings::{Access, RelayMode, RoomSettings, Settings, VideoSource};
use porthole_core::event::{AccessEvent, Event};
use porthole_core::ids::PeerId;
use porthole_core::order::Order;
use porthole_core::publish::Errand;
use porthole_core::service::Service;
use porthole_core::switchboard::{Switchboard, SwitchboardSettings};
use porthole_core::whep::{RequestId, Response};
use porthole_core::wire::Outgoing;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use crate::announce::{self, Opens};
use crate::control::{self, Control, Facts, Known, Place};
use crate::desk::{self, Board, Inbox, Ordered, Perform, Post};
use crate::exit::Exit;
use crate::keys::{self, KeyFile};
use crate::link::embedded::Gate;
use crate::link::{self, Link, embedded, external};
use crate::links::Page;
use crate::media::{Events, Media, MediaError};
use crate::{media, privacy, reload, state, systemd};

/// How many orders may wait for the desk.
const ORDERS: usize = 16;

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
    /// The access keys are nowhere, broken, or not to be read.
    #[error(transparent)]
    Keys(#[from] keys::NoRing),
    /// No random numbers.
    #[error(transparent)]
    NotRandom(#[from] keys::NoRandomness),
}

impl CannotRun {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Keys(keys::NoRing::Unkept(kept)) => kept.exit(),
            Self::Media(MediaError::NotAllowed(_)) => Exit::Config,
            _ => Exit::Unavailable,
        }
    }
}

/// Runs until SIGINT or SIGTERM. Blocks. `config` is the file that the settings are from, for whoever has to type it.
pub fn until_stopped(settings: Settings, config: Option<&Path>) -> Result<(), CannotRun> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(live(settings, config));
    // A media thread that hangs must not keep the process.
    runtime.shutdown_background();
    result
}

/// The same as a relay alone, without camera and calls.
pub fn relay_until_stopped(settings: Settings, _: Option<&Path>) -> Result<(), CannotRun> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(relay(settings))
}

async fn relay(settings: Settings) -> Result<(), CannotRun> {
    let stop = told_to_stop()?;
    let link = embedded::open_alone(settings.relay.clone(), &settings.room, &settings.ice).await?;
    if let Some(page) = link.page() {
        let place = (&settings.room, &settings.relay);
        announce::print_relay(&mut stdout(), stdout().is_terminal(), place, (page, link.authority()))?;
        systemd::relay_is_ready(&format!("a relay without a camera listens on {page}"));
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
        systemd::stopping();
    })
}

async fn live(settings: Settings, config: Option<&Path>) -> Result<(), CannotRun> {
    let started = Instant::now();
    let mut stop = pin!(told_to_stop()?);
    let asked_to_reload = reload::listen()?;
    let keyed = Keyed::open(&settings.room)?;
    let me = camera_id(&settings.room)?;
    let mut board = SwitchboardSettings::new(&settings, me.clone());
    let mut remembered = privacy::Memory::of(&settings.room.room);
    board.room.privacy = remembered.begin(settings.room.privacy);
    if board.room.privacy {
        log::info!("privacy is on: camera and microphone stay closed until: porthole privacy off");
    }
    let mut switchboard = Switchboard::new(board);
    // Before the first call: pages are let into the room while encoders are still tried, and offer at once.
    for known in keyed.iter().flat_map(Keyed::known) {
        switchboard.handle(Event::Access(known), Instant::now());
    }
    let (status, health) = watch::channel(switchboard.status());
    let (ring, known) = watch::channel(keyed.as_ref().map(|keyed| keyed.ring.clone()).unwrap_or_default());
    let (questions, questions_inbox) = mpsc::channel(1);
    let (ice, ice_now) = watch::channel(settings.ice.clone());
    let (terms, terms_inbox) = mpsc::channel(1);
    let (access_events, access_inbox) = mpsc::channel(keys::NEWS);
    let (link_events, link_inbox) = mpsc::channel(link::EVENTS);
    let published = link_events.clone();
    let (media_events, media_inbox) = Events::channel();
    let (orders, orders_inbox) = mpsc::channel(ORDERS);
    let first_order = orders.clone();
    let asked = health.clone();
    let reloads = Arc::new(OnceLock::new());
    let reloads_later = reloads.clone();
    let (keeps, waiting) = mpsc::channel(ORDERS);
    let (unkept_says, unkept) = watch::channel(None);
    let remembering = tokio::spawn(remembered.follow(health.clone(), waiting, unkept_says));

    // The port first: a second daemon is told at once, and not after it has tried the encoders.
    let relay = &settings.relay;
    let link = match &relay.mode {
        RelayMode::Embedded => {
            let gate = keyed.as_ref().map(|_| Gate::new(settings.room.room.clone(), known));
            let camera = embedded::Camera { id: me, events: link_events, health, gate };
            embedded::open(relay.clone(), &settings.room, ice_now.clone(), camera).await?
        }
        RelayMode::External(other) => {
            external::open(relay, other, &settings.room, ice_now.clone(), link_events, health).await?
        }
    };
    let link = link.publishing(settings.publish.clone(), published);
    let facts = facts(&settings, &link, config, started);
    let refused = link.refused().map(|refused| Box::new(move || refused.now()) as _);
    let _control =
        control(&settings, config, Known { facts, status: asked, unkept, keeps, refused, reloads, orders });
    // Each takes a while, and far longer on a busy board or where an encoder hangs.
    let opening = async {
        systemd::prepares("GStreamer is being loaded, which takes longest the first time");
        media::load().await?;
        if let Some(folder) = state::directory() {
            media::keep_key_in(&folder);
        }
        systemd::prepares("the encoders of this board are being tried");
        let myself = std::env::current_exe().ok();
        Media::open_with(myself, settings.media.clone(), ice_now, media_events).await
    };
    let mut media = tokio::select! {
        opened = opening => opened?,
        () = &mut stop => return Ok(()),
    };
    if let Some(page) = link.page() {
        let opens = keyed.as_ref().map_or(Opens::Link, Keyed::opens);
        let place = (&settings.room, &settings.relay);
        let served = (page, link.authority());
        let said = announce::print(&mut stdout(), stdout().is_terminal(), place, served, opens, config);
        // Nobody reads the link; it is no reason not to answer who knows it.
        if let Err(error) = said {
            log::warn!("the link could not be printed ({error}); the page is at {page}");
        }
    }
    if settings.room.access == Access::Open {
        log::warn!(
            "everybody who can reach the room may watch and listen (access = \"open\"); with access = \"keys\" they \
             need a key"
        );
    }
    let reporting = systemd::listens().then(|| {
        let looks = matches!(settings.media.video.source, VideoSource::Auto(_) | VideoSource::Camera(_));
        if looks {
            // The desk has room for orders, and may have privacy: then it does not look.
            let _ = first_order.try_send(Ordered { order: Order::Look {}, obeyed: oneshot::channel().0 });
        }
        let service = Service::new(settings.room.room.clone(), looks, started);
        tokio::spawn(systemd::report(service, status.subscribe(), questions))
    });
    let (asks, asked) = mpsc::channel(ORDERS);
    reloads_later.get_or_init(|| asks);
    let reload_asked = (asked_to_reload, asked);
    let reloading = tokio::spawn(reload::follow(
        reload_asked,
        config.map(Path::to_owned),
        settings.clone(),
        (terms, ice),
    ));
    let inbox = Inbox {
        link: link_inbox,
        media: media_inbox,
        access: access_inbox,
        terms: terms_inbox,
        orders: orders_inbox,
        questions: questions_inbox,
    };
    let board = Board { status, ring };
    let following =
        keyed.map(|Keyed { file, ring, .. }| tokio::spawn(keys::follow(file, ring, access_events)));
    desk::run(switchboard, &settings.room.room, &mut media, &link, inbox, &board, stop).await;
    following.inspect(|following| following.abort());
    reloading.abort();
    reporting.inspect(|reporting| reporting.abort());
    tokio::join!(link.close(), media.close());
    remembering.abort();
    Ok(())
}

/// What the daemon is, for whoever asks at this machine.
fn facts(settings: &Settings, link: &Link, config: Option<&Path>, started: Instant) -> Facts {
    let relay = match &settings.relay.mode {
        RelayMode::Embedded => None,
        RelayMode::External(other) => Some(other.url.clone()),
    };
    Facts {
        room: settings.room.room.clone(),
        camera: settings.room.camera.clone(),
        page: link.page().map(|page| Page::of(&settings.relay, page).origin().to_owned()).unwrap_or_default(),
        relay,
        config: config.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned())),
        started,
    }
}

/// The local socket. A daemon without one does everything else, so it lives on.
fn control(settings: &Settings, config: Option<&Path>, known: Known) -> Option<Control> {
    let Some(place) = Place::of(settings.relay.listen, config) else {
        log::warn!(
            "nobody can ask this daemon for its status: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR nor HOME is set"
        );
        return None;
    };
    let opened = control::open(&place, known);
    opened.inspect_err(|error| log::warn!("nobody can ask this daemon for its status: {error}")).ok()
}

/// The keys that open the room.
struct Keyed {
    file: KeyFile,
    ring: KeyRing,
    /// Whether this is the first start with them.
    first: bool,
}

impl Keyed {
    /// Reads them, or begins them at the first start; `None` where nobody is asked for a key.
    fn open(room: &RoomSettings) -> Result<Option<Self>, keys::NoRing> {
        if room.access != Access::Keys {
            return Ok(None);
        }
        let file = KeyFile::new(keys::key_file(room.keys.as_deref())?);
        let (ring, first) = keys::begin(&file)?;
        file.warn_if_exposed();
        Ok(Some(Self { file, ring, first }))
    }

    /// What the switchboard has to know of them before anybody calls.
    fn known(&self) -> [AccessEvent; 2] {
        [AccessEvent::Date(keys::now()), AccessEvent::Keys(self.ring.clone())]
    }

    /// What is said of them. Keys are not for the journal, which many may read and which keeps what it has read.
    fn opens(&self) -> Opens<'_> {
        let owner = keys::owner(&self.ring);
        let journal = std::env::var_os("JOURNAL_STREAM").is_some();
        match owner {
            Some(key) if self.first && !journal => Opens::FirstKey(key),
            _ => Opens::Key { owner: owner.is_some() },
        }
    }
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

    fn run(&self, errand: Errand) {
        Self::run(self, errand);
    }

    fn respond(&self, request: RequestId, response: Response) {
        Self::respond(self, request, response);
    }
}

/// The camera's peer id: another on every machine and for every camera of it. It is the same after a restart, but where
/// keys are asked for: then what was proved to the camera before is worth nothing to it afterwards.
fn camera_id(room: &RoomSettings) -> Result<PeerId, keys::NoRandomness> {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let mut hash = DefaultHasher::new();
    ("porthole camera", machine.trim(), &room.room, &room.camera).hash(&mut hash);
    let mut text = format!("camera-{:016x}", hash.finish());
    if room.access == Access::Keys {
        text = format!("{text}-{}", keys::unguessable()?);
    }
    Ok(PeerId::new(&text).unwrap_or_else(|_| unreachable!("{text} is made of allowed characters")))
}
