//! The only place that knows Socket.IO and HTTP. Must not know GStreamer, nor what a message means.
//!
//! [`Link`] is all that the desk sees: messages go out through [`Link::send`], and what happens comes in as
//! [`LinkEvent`]s on the channel that was handed over when the link was opened. Which kind of relay is behind it
//! (the [`embedded`] one, or [`external`]: somebody else's) makes no difference to its owner.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, warn};
use porthole_core::config::settings::PublishSettings;
use porthole_core::event::LinkEvent;
use porthole_core::publish::Errand;
use porthole_core::whep::{RequestId, Response};
use porthole_core::wire::Outgoing;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use embedded::whep::Window;
use publish::Publisher;

pub mod embedded;
pub mod external;
pub mod publish;

/// How many [`LinkEvent`]s may wait for the desk. What does not fit is dropped and counted.
pub const EVENTS: usize = 1024;

/// How many messages of the camera may wait to be put on the link.
const OUTBOX: usize = 1024;

/// How long a link may take to say good-bye before it is cut.
const CLOSE_DEADLINE: Duration = Duration::from_millis(800);

/// An open link to a relay. Dropping it cuts the link; [`Link::close`] also delivers what was sent before.
#[derive(Debug)]
pub struct Link {
    /// Messages on their way to the relay.
    outbox: mpsc::Sender<Outgoing>,
    /// Asks the task to finish.
    stop: oneshot::Sender<()>,
    /// The task that lives as long as the link.
    task: JoinHandle<()>,
    /// Where our own page is served, if this link serves one.
    page: Option<SocketAddr>,
    /// Whom browsers have to trust to open that page over https.
    authority: Option<String>,
    /// Where players ask, beside that page.
    window: Option<Window>,
    /// Who runs errands to the server of a crowd.
    publisher: Option<Publisher>,
    /// What was refused before it reached the camera.
    refused: Option<Refused>,
}

/// How often something was refused so far before it reached the camera, by word.
#[derive(Clone)]
pub struct Refused(Arc<dyn Fn() -> BTreeMap<&'static str, u64> + Send + Sync>);

impl Refused {
    /// As it is now.
    pub fn now(&self) -> BTreeMap<&'static str, u64> {
        (self.0)()
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.now().fmt(f)
    }
}

/// The far ends of a [`Link`], for the task behind it.
#[derive(Debug)]
struct Ends {
    /// What the camera wants to say, in order.
    outbox: mpsc::Receiver<Outgoing>,
    /// Fires (or is dropped) when the link is to end.
    stop: oneshot::Receiver<()>,
}

impl Link {
    /// Starts the task that `life` makes of the far ends.
    fn start<F>(page: Option<SocketAddr>, life: impl FnOnce(Ends) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (outbox, outgoing) = mpsc::channel(OUTBOX);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(life(Ends { outbox: outgoing, stop: stopped }));
        Self { outbox, stop, task, page, authority: None, window: None, publisher: None, refused: None }
    }

    /// Over https, the page is vouched for by an authority of our own with this fingerprint.
    fn with_authority(mut self, fingerprint: Option<String>) -> Self {
        self.authority = fingerprint;
        self
    }

    /// Players are answered through this window.
    fn with_window(mut self, window: Option<Window>) -> Self {
        self.window = window;
        self
    }

    /// What its relay refuses is counted there.
    fn counting(mut self, refused: impl Fn() -> BTreeMap<&'static str, u64> + Send + Sync + 'static) -> Self {
        self.refused = Some(Refused(Arc::new(refused)));
        self
    }

    /// What was refused before it reached the camera, where anything counts it.
    pub fn refused(&self) -> Option<Refused> {
        self.refused.clone()
    }

    /// Beside the relay, the camera is shown by a server of a crowd, if it is written where that is; what that one says comes
    /// in on `events`.
    pub fn publishing(mut self, settings: Option<PublishSettings>, events: mpsc::Sender<LinkEvent>) -> Self {
        self.publisher = settings.map(|settings| Publisher::start(settings, Events { desk: events }));
        self
    }

    /// Asks something of that server. Never blocks.
    pub fn run(&self, errand: Errand) {
        if let Some(publisher) = &self.publisher {
            publisher.run(errand);
        }
    }

    /// Tells a player what its request came to. Never blocks; nothing happens where it does not wait any more.
    pub fn respond(&self, request: RequestId, response: Response) {
        if let Some(window) = &self.window {
            window.respond(request, response);
        }
    }

    /// Puts a message on the link. Never blocks; a message that finds its queue full is dropped with a warning.
    pub fn send(&self, message: Outgoing) {
        if let Err(refused) = self.outbox.try_send(message) {
            let message = match &refused {
                mpsc::error::TrySendError::Full(message) | mpsc::error::TrySendError::Closed(message) => {
                    message
                }
            };
            warn!("the link takes no more messages: `{}` is lost", message.event);
        }
    }

    /// Address and port of our own page, with the port that was really bound; `None` on other people's relays.
    pub fn page(&self) -> Option<SocketAddr> {
        self.page
    }

    /// SHA-256 of the authority that browsers have to trust to open our own page over https without being asked:
    /// `AB:CD:…`. `None` where that is not ours, or there is no https.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Delivers what was sent before, tells the peers that the relay goes, and lets go of the port. Takes less
    /// than a second whatever the peers do.
    pub async fn close(self) {
        let Self { stop, mut task, publisher, .. } = self;
        let publisher = async {
            if let Some(publisher) = publisher {
                publisher.close().await;
            }
        };
        // The task may have ended before; then there is nobody to be told.
        let _ = stop.send(());
        let (closed, ()) = tokio::join!(tokio::time::timeout(CLOSE_DEADLINE, &mut task), publisher);
        if closed.is_err() {
            debug!("the link did not close in time and is cut");
            task.abort();
        }
    }
}

/// Where the events of a link go: bounded, never waiting.
#[derive(Debug, Clone)]
struct Events {
    desk: mpsc::Sender<LinkEvent>,
}

impl Events {
    /// Reports `event`; `false` when the desk is too far behind (or gone) and the event is lost.
    fn report(&self, event: LinkEvent) -> bool {
        self.desk.try_send(event).is_ok()
    }

    /// Reports what must not be lost, waiting for the desk if need be; `false` when the desk is gone.
    async fn tell(&self, event: LinkEvent) -> bool {
        self.desk.send(event).await.is_ok()
    }
}
