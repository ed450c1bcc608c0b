//! From the start of the process until it says that it is ready, as a service manager hears it, and until it is in its room.

use std::time::Instant;

use tokio::net::UnixDatagram;

use super::Bench;
use crate::Fault;
use crate::daemon::{Daemon, START_LIMIT, Start};
use crate::figure::Figures;

/// What the unit waits before it starts one again that has died, in seconds.
const UNIT: &str = include_str!("../../../../systemd/porthole.service");

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    // The first one may have to find out which plugins there are.
    once(bench).await?;
    let (mut ready, mut room) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs(10, 3) {
        let (to_ready, to_room) = once(bench).await?;
        ready.push(to_ready);
        room.push(to_room);
    }
    let pause: f64 = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("RestartSec="))
        .ok_or("the unit has no RestartSec")?
        .parse()?;
    let again = room.iter().map(|seconds| seconds + pause).collect();
    figures.add("start_ready", "started → ready", "s", ready);
    figures.add("start_room", "started → in its room", "s", room);
    figures.add("start_again", "the same after the unit's RestartSec", "s", again);
    Ok(())
}

/// Seconds until it was ready, and until it was in its room.
async fn once(bench: &Bench<'_>) -> Result<(f64, f64), Fault> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path)?;
    let environment = [("NOTIFY_SOCKET", path.to_str().ok_or("a folder whose name is no text")?)];
    let start = Start { environment: &environment, ..Start::default() };
    let started = Instant::now();
    let says_ready = async {
        let mut said = [0; 4096];
        loop {
            let length = socket.recv(&mut said).await?;
            if said[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
                return Ok::<_, Fault>(started.elapsed().as_secs_f64());
            }
        }
    };
    let is_there = async {
        let daemon = Daemon::start_as(bench.daemon, start).await?;
        daemon.wait(START_LIMIT, |status| status.room == "in").await?;
        Ok::<_, Fault>((daemon, started.elapsed().as_secs_f64()))
    };
    let (ready, (daemon, room)) = tokio::try_join!(says_ready, is_there)?;
    daemon.stop().await?;
    Ok((ready, room))
}
