//! What a service manager is told of the daemon: when it is ready, how it is in words, and whether it is alive. Must not
//! know how that is said, nor ask for the time.

use std::time::{Duration, Instant};

use crate::ids::RoomName;
use crate::status::{CaptureState, FrameState, RoomState, Status};

/// How long the daemon may keep others waiting that start after it. A relay of somebody else, or a camera that hangs, is
/// then still to come, and the words say so.
pub const READY_AT_LATEST: Duration = Duration::from_secs(20);
/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Callers are answered from now on. Once.
    Ready,
    /// How it is, whenever that is something else.
    Words(String),
    /// It is alive.
    Alive,
}

/// What the service manager knows of the daemon.
#[derive(Debug)]
pub struct Service {
    room: RoomName,
    began: Instant,
    /// The camera is being tried for the first time, before anybody calls.
    looks: bool,
    ready: bool,
    words: String,
}

impl Service {
    /// Nothing was told yet. `looks` is whether there may be a camera, which then has to be opened for a look.
    pub fn new(room: RoomName, looks: bool, now: Instant) -> Self {
        Self { room, began: now, looks, ready: false, words: String::new() }
    }

    /// The daemon is like this at `now`. What there is to tell of it, in order.
    pub fn is(&mut self, status: &Status, now: Instant) -> Vec<Told> {
        // Whether it gives a picture is known as soon as it was open or could not be opened. Nobody is to look in private.
        let seen = matches!(status.capture, CaptureState::Running | CaptureState::Lost) || status.privacy;
        self.looks &= !seen;
        let mut told = Vec::new();
        let words = self.words_for(status);
        if words != self.words {
            self.words.clone_from(&words);
            told.push(Told::Words(words));
        }
        let there = status.link && matches!(status.room, RoomState::In | RoomState::Asked);
        if !self.ready && (there && !self.looks || self.is_late(now)) {
            self.ready = true;
            told.push(Told::Ready);
        }
        told
    }

    /// The desk was asked, and answered that the daemon is like this. What there is to tell of it, in order.
    pub fn answered(&mut self, status: &Status, now: Instant) -> Vec<Told> {
        let mut told = self.is(status, now);
        told.extend(status.is_alive().then_some(Told::Alive));
        told
    }

    /// When [`Self::is`] wants to be called even where nothing happens before.
    pub fn timeout(&self) -> Option<Instant> {
        (!self.ready).then(|| self.began + READY_AT_LATEST)
    }

    fn is_late(&self, now: Instant) -> bool {
        now >= self.began + READY_AT_LATEST
    }

    /// One line for a person: where it waits, who watches, and what is wrong.
    fn words_for(&self, status: &Status) -> String {
        let room = &self.room;
        let place = match status.room {
            RoomState::Out => "the relay is not reached, which is tried again".to_owned(),
            RoomState::In | RoomState::Asked => format!("waits in room {room}"),
            RoomState::Unconfirmed => format!("nobody has said that it is in room {room}"),
            RoomState::Full => format!("room {room} is full, it asks again"),
            RoomState::Kicked => format!("sent out of room {room}, it asks again"),
            RoomState::NoSuchRoom => format!("the relay knows no room {room}, it asks again"),
            RoomState::NotAllowed => format!("not let into room {room}, it asks again"),
        };
        let watched = match status.live {
            0 => "nobody watches".to_owned(),
            1 => "1 viewer watches".to_owned(),
            many => format!("{many} viewers watch"),
        };
        let camera = match status {
            Status { privacy: true, .. } => "; privacy is on",
            Status { frames: FrameState::Still, .. } => "; the picture stands still",
            Status { capture: CaptureState::Lost, .. } => "; the camera gives no picture, see the log",
            Status { capture: CaptureState::Starting, .. } => "; the camera is being opened",
            _ => "",
        };
        format!("{place}; {watched}{camera}")
    }
}
