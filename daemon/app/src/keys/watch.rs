//! Notices that somebody changed the ring's file, and what time it is. Must not know who wants to know.

use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventMask, EventStream, Inotify, WatchMask};
use log::{info, warn};
use porthole_core::access::KeyRing;
use porthole_core::event::AccessEvent;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{KeyFile, now};

/// How much news may wait.
pub const NEWS: usize = 8;
/// How often the clock is read, and the file where the system tells of no changes.
const TICK: Duration = Duration::from_secs(30);
/// Whatever may have changed what a file says, or whether it may be read.
const CHANGES: [WatchMask; 6] = [
    WatchMask::CLOSE_WRITE,
    WatchMask::MOVED_TO,
    WatchMask::MOVED_FROM,
    WatchMask::DELETE,
    WatchMask::ATTRIB,
    WatchMask::MOVE_SELF,
];
/// Bytes of inotify events that are read at once.
const BUFFER: usize = 4096;

/// Tells `news` the ring that was read from `file`, and from then on whenever the file holds another, until nobody
/// listens. The clock comes before every ring and every half minute.
pub async fn follow(file: KeyFile, known: KeyRing, news: mpsc::Sender<AccessEvent>) {
    if !tell(&news, known.clone()).await {
        return;
    }
    let mut watch = Watch { file, known, complaint: None };
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = None;
    loop {
        if changes.is_none() {
            changes = watch.listen();
        }
        // What happened before we listened.
        if !watch.look(&news).await {
            return;
        }
        tokio::select! {
            () = changed(&watch.file, &mut changes) => {}
            _ = ticks.tick() => {
                if news.send(AccessEvent::Date(now())).await.is_err() {
                    return;
                }
            }
            () = news.closed() => return,
        }
    }
}

struct Watch {
    file: KeyFile,
    known: KeyRing,
    /// What was said last about a file that is of no use. Said once.
    complaint: Option<String>,
}

impl Watch {
    /// Starts to listen; `None`: not now, and it is tried again.
    fn listen(&mut self) -> Option<EventStream<[u8; BUFFER]>> {
        let listening = || {
            let inotify = Inotify::init()?;
            let mask = CHANGES.into_iter().fold(WatchMask::ONLYDIR, |all, one| all | one);
            inotify.watches().add(self.file.folder(), mask)?;
            inotify.into_event_stream([0; BUFFER])
        };
        listening()
            .inspect_err(|error| {
                let folder = self.file.folder().display();
                log::debug!(
                    "{folder} cannot be watched ({error}); it is looked at every {} s",
                    TICK.as_secs()
                );
            })
            .ok()
    }

    /// Reads the file and tells what is new; `false` when nobody listens any more.
    async fn look(&mut self, news: &mpsc::Sender<AccessEvent>) -> bool {
        let ring = match self.file.read() {
            Ok(Some(ring)) => {
                self.complain(None);
                ring
            }
            Ok(None) => {
                let file = self.file.path().display();
                self.complain(Some(format!("{file} is gone, and all keys with it: nobody is let in")));
                KeyRing::default()
            }
            Err(kept) => {
                self.complain(Some(format!("{kept}. The keys from before go on to be taken")));
                return true;
            }
        };
        if ring == self.known {
            return true;
        }
        info!("the keys have changed: {} now, {} before", ring.keys().len(), self.known.keys().len());
        self.file.warn_if_exposed();
        self.known = ring.clone();
        tell(news, ring).await
    }

    fn complain(&mut self, complaint: Option<String>) {
        if self.complaint != complaint {
            if let Some(complaint) = &complaint {
                warn!("{complaint}");
            }
            self.complaint = complaint;
        }
    }
}

/// Whether anybody listens.
async fn tell(news: &mpsc::Sender<AccessEvent>, ring: KeyRing) -> bool {
    news.send(AccessEvent::Date(now())).await.is_ok() && news.send(AccessEvent::Keys(ring)).await.is_ok()
}

/// Resolves when something has happened to the file, or when no more is heard of it.
async fn changed(file: &KeyFile, changes: &mut Option<EventStream<[u8; BUFFER]>>) {
    let Some(stream) = changes else { return std::future::pending().await };
    loop {
        match stream.next().await {
            // The folder is no longer where it was.
            Some(Ok(event)) if event.mask.intersects(EventMask::IGNORED | EventMask::MOVE_SELF) => break,
            Some(Ok(event)) if event.mask.contains(EventMask::Q_OVERFLOW) => return,
            Some(Ok(event)) if event.name.is_some() && event.name.as_deref() == file.path().file_name() => {
                return;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    *changes = None;
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
