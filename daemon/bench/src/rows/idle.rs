//! Sockets that are connected and say nothing, as pages are that wait for their camera: what a thousand of them need at the
//! daemon's relay without a camera, and at a Node.js Socket.IO server, each in a process of its own.

use std::net::SocketAddr;
use std::time::Duration;

use porthole_peer::room::{Room, RoomError};
use tokio::task::JoinSet;

use super::{Bench, SETTLE};
use crate::Fault;
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;
use crate::node::Node;
use crate::process::Process;

/// Between two attempts of whoever came with too many others at once.
const PAUSE: Duration = Duration::from_millis(100);

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let (rounds, sockets) = (bench.runs(3, 1), bench.runs(1_000, 300));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let relay = Daemon::start_as(bench.daemon, Start { alone: true, ..Start::default() }).await?;
        ours.push(sit(relay.process, relay.address, sockets).await?);
        relay.stop().await?;
        match Node::start().await {
            Ok(node) => theirs.push(sit(node.process, node.address, sockets).await?),
            Err(fault) => figures.note(format!("idle sockets at Node.js: not measured: {fault}")),
        }
    }
    for (id, title, sat) in [("idle", "our relay alone", &ours), ("idle_node", "Node.js", &theirs)] {
        let mut add = |part: &str, what: String, unit: &'static str, of: fn(&Sat) -> f64| {
            let runs: Vec<f64> = sat.iter().map(of).collect();
            if !runs.is_empty() {
                figures.add(format!("{id}{part}"), format!("{title}: {what}"), unit, runs);
            }
        };
        add("_before", "RSS before anybody connects".into(), "MiB", |sat| sat.before / 1024.0);
        add("_rss", format!("RSS with {sockets} idle sockets"), "MiB", |sat| sat.with / 1024.0);
        add("_each", "RSS for each of them".into(), "KiB", |sat| (sat.with - sat.before) / sat.sockets);
    }
    Ok(())
}

/// Resident sizes in KiB.
struct Sat {
    before: f64,
    with: f64,
    sockets: f64,
}

async fn sit(process: Process, address: SocketAddr, sockets: usize) -> Result<Sat, Fault> {
    tokio::time::sleep(SETTLE).await;
    let before = process.usage()?.rss;
    let mut sitting = JoinSet::new();
    for _ in 0..sockets {
        sitting.spawn(idle(come(address).await?));
    }
    tokio::time::sleep(SETTLE).await;
    if let Some(gone) = sitting.try_join_next() {
        return Err(format!("an idle socket did not stay: {}", gone?).into());
    }
    Ok(Sat { before, with: process.usage()?.rss, sockets: sockets as f64 })
}

async fn come(address: SocketAddr) -> Result<Room, Fault> {
    loop {
        match Room::stay_outside(address).await {
            Err(RoomError::TooMany) => tokio::time::sleep(PAUSE).await,
            came => return Ok(came?),
        }
    }
}

/// Answers when it is asked whether it is there; tells why it is not any more.
async fn idle(mut socket: Room) -> String {
    loop {
        if let Err(error) = socket.next().await {
            return error.to_string();
        }
    }
}
