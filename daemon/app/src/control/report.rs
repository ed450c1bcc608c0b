//! How things are, put together from what the daemon was started with, what its switchboard says and what the clock shows.
//! Must not ask any of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use porthole_core::access::{KeyId, Label, Role, Stamp};
use porthole_core::doctor::Finding;
use porthole_core::doctor::machine::{self, Throttled};
use porthole_core::ids::RoomName;
use porthole_core::path::Path;
use porthole_core::speaker::Played;
use porthole_core::status::{Encoding, Status};
use serde::Serialize;

/// What does not change while the daemon lives.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The room.
    pub room: RoomName,
    /// What people call the camera.
    pub camera: String,
    /// Where its page is.
    pub page: String,
    /// Somebody else's relay; `None`: our own.
    pub relay: Option<String>,
    /// The configuration's file.
    pub config: Option<PathBuf>,
    /// When it was started.
    pub started: Instant,
}

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By the one that never jumps.
    pub now: Instant,
    /// By the wall.
    pub date: Stamp,
}

/// What the machine says of the process.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Bytes that are allocated, where the C library counts them.
    pub heap: Option<u64>,
    /// Bytes of memory it takes up.
    pub resident: Option<u64>,
}

/// What the machine says of itself.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Degrees Celsius, by place.
    pub temperatures: Vec<(String, f64)>,
    /// Power and heat of a Raspberry Pi.
    pub throttled: Option<Throttled>,
}

/// How things are. Field names are what `porthole status --json` prints.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    #[serde(flatten)]
    pub process: Process,
    pub config: Option<PathBuf>,
    /// Seconds.
    pub uptime: u64,
    pub name: RoomName,
    pub camera: String,
    pub page: String,
    pub relay: Option<String>,
    pub healthy: bool,
    /// Degrees Celsius of its hottest place.
    pub temperature: Option<f64>,
    /// What is to be said of its heat and power.
    pub board: Vec<Finding>,
    #[serde(flatten)]
    pub status: Status,
    /// What the picture is encoded as.
    pub encodings: Vec<Encoding>,
    /// The last file that was to be played.
    pub played: Option<Played>,
    pub viewers: Vec<Watches>,
    /// Why a restart would forget how privacy was switched, where it would.
    pub unkept: Option<String>,
    /// What its relay has refused by itself, by word.
    pub door: BTreeMap<&'static str, u64>,
}

/// Somebody who watches, or is about to.
#[derive(Debug, Serialize)]
pub struct Watches {
    pub call: u64,
    pub peer: Option<String>,
    /// Whose key it is, where keys decide.
    pub name: Option<Label>,
    pub role: Option<Role>,
    pub key: Option<KeyId>,
    /// The rendition; `None` where only sound was asked for.
    pub picture: Option<String>,
    /// Which way it is reached, once that is known.
    pub path: Option<Path>,
    /// What the way to it carries of late, in kbit/s, as far as its browser tells.
    pub carries: Option<u32>,
    pub live: bool,
    /// Since when, seconds since 1970.
    pub since: Stamp,
    /// For how long, seconds.
    pub seconds: u64,
}

impl Report {
    /// Of a daemon whose switchboard says this at that moment.
    pub fn new(
        facts: &Facts,
        status: Status,
        door: BTreeMap<&'static str, u64>,
        process: Process,
        board: &Board,
        moment: Moment,
    ) -> Self {
        let viewers = status.viewers.iter().map(|viewer| {
            let seconds = moment.now.saturating_duration_since(viewer.began).as_secs();
            let holder = viewer.holder.as_ref();
            Watches {
                call: viewer.call.0,
                peer: viewer.peer.as_ref().map(ToString::to_string),
                name: holder.map(|holder| holder.name.clone()),
                role: holder.map(|holder| holder.role),
                key: holder.map(|holder| holder.key.clone()),
                picture: viewer.rendition.map(|rendition| rendition.to_string()),
                path: viewer.path,
                carries: viewer.carries,
                live: viewer.live,
                since: Stamp(moment.date.0.saturating_sub(seconds)),
                seconds,
            }
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            process,
            config: facts.config.clone(),
            uptime: moment.now.saturating_duration_since(facts.started).as_secs(),
            name: facts.room.clone(),
            camera: facts.camera.clone(),
            page: facts.page.clone(),
            relay: facts.relay.clone(),
            healthy: status.healthy(),
            encodings: status.encodings.clone(),
            played: status.played.clone(),
            temperature: board.temperatures.iter().map(|zone| zone.1).max_by(f64::total_cmp),
            board: [machine::temperature(&board.temperatures), machine::power(board.throttled)]
                .into_iter()
                .flatten()
                .collect(),
            viewers: viewers.collect(),
            door,
            unkept: None,
            status,
        }
    }
}
