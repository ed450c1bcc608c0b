//! Notices that a device comes into the machine, or a clip into its folder, so that a lost camera is not looked for later
//! than it could be found. Must not know whether one is lost.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{Inotify, WatchMask};
use porthole_core::config::settings::VideoSource;
use porthole_core::event::MediaEvent;

use super::Events;
use super::cameras::DEVICES;

/// Bytes of inotify events that are read at once.
const BUFFER: usize = 4096;

/// Says [`MediaEvent::DeviceCame`] whenever something came that may be the camera. Where the system tells of nothing, a
/// lost camera is found a little later.
pub async fn follow(source: VideoSource, events: Events) {
    let (folder, wanted): (PathBuf, Wanted) = match source {
        VideoSource::Test => return,
        VideoSource::File(clip) => match (clip.parent(), clip.file_name()) {
            (Some(folder), Some(name)) => (folder.to_owned(), Wanted::Name(name.to_owned())),
            _ => return,
        },
        // Its own path may be a link that another device gets.
        VideoSource::Auto(_) | VideoSource::Camera(_) => (PathBuf::from(DEVICES), Wanted::Cameras),
    };
    if let Err(error) = listen(&folder, &wanted, &events).await {
        log::debug!("{} cannot be watched: {error}", folder.display());
    }
}

/// What is waited for.
enum Wanted {
    /// Any camera.
    Cameras,
    /// This name.
    Name(OsString),
}

impl Wanted {
    fn is(&self, name: &OsStr) -> bool {
        match self {
            Self::Cameras => ["video", "media"].iter().any(|kind| name.to_string_lossy().starts_with(kind)),
            Self::Name(wanted) => name == wanted,
        }
    }
}

async fn listen(folder: &Path, wanted: &Wanted, events: &Events) -> std::io::Result<()> {
    let inotify = Inotify::init()?;
    // A device is there first and may be opened by us only after udev has seen to it.
    let mask = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::ATTRIB | WatchMask::CLOSE_WRITE;
    let mask = if matches!(wanted, Wanted::Cameras) { mask - WatchMask::CLOSE_WRITE } else { mask };
    inotify.watches().add(folder, mask | WatchMask::ONLYDIR)?;
    let mut changes = inotify.into_event_stream([0; BUFFER])?;
    while let Some(change) = changes.next().await {
        if change?.name.is_some_and(|name| wanted.is(&name)) {
            events.send(MediaEvent::DeviceCame);
        }
    }
    Ok(())
}
