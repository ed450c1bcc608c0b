//! Connections that never speak, speak rubbish, or stop in the middle of a handshake, more than there are seats: what
//! those who watch notice of it, and what is left behind.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use porthole_peer::Facts;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Bench, SETTLE};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;

/// Who watches meanwhile.
const VIEWERS: usize = 5;
/// Strangers that come at once.
const AT_ONCE: usize = 100;
/// Strangers that stay connected: more than there are seats.
const STAY: usize = 600;
/// By then there is a seat again.
const SEAT_LIMIT: Duration = Duration::from_secs(60);
/// What they say.
const RUBBISH: [&[u8]; 5] =
    [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00\xff\x00\xff", b"GET / HT"];

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let (rounds, strangers) = (bench.runs(3, 2), bench.runs(10_000, 2_000));
    let daemon = Daemon::start_as(bench.daemon, Start { usual_seats: true, ..Start::default() }).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(VIEWERS).await?;
    // What is made once for the most connections at once has been made then.
    drop(come(&daemon, strangers).await?);
    answered(&daemon).await?;
    let (mut lost, mut during, mut left, mut cpu) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        tokio::time::sleep(SETTLE).await;
        let watching = daemon.process.cpu_percent(bench.interval()).await? / 100.0;
        let (usage, seen, used) = (daemon.process.usage()?, crowd.facts(), daemon.process.cpu_seconds()?);
        let started = Instant::now();
        let staying = come(&daemon, strangers).await?;
        during.push((daemon.process.usage()?.anonymous - usage.anonymous) / 1024.0);
        let used = daemon.process.cpu_seconds()? - used - watching * started.elapsed().as_secs_f64();
        cpu.push(used * 1000.0 / strangers as f64);
        drop(staying);
        answered(&daemon).await?;
        lost.push(missing(&seen, &crowd.facts()));
        left.push((daemon.process.usage()?.anonymous - usage.anonymous) / 1024.0);
    }
    daemon.stop().await?;
    figures.add(
        "strangers",
        "connections of strangers, more than there are seats",
        "",
        vec![strangers as f64],
    );
    figures.add("strangers_lost", "frames and packets that viewers missed meanwhile", "", lost);
    figures.add("strangers_cpu", "CPU per stranger", "ms", cpu);
    figures.add("strangers_during", "heap and stacks more while they are there", "MiB", during);
    figures.add("strangers_left", "heap and stacks left behind by all", "MiB", left);
    Ok(())
}

/// Brings so many strangers, and returns those who stay.
async fn come(daemon: &Daemon, strangers: usize) -> Result<Vec<TcpStream>, Fault> {
    let mut staying = Vec::new();
    for first in (0..strangers).step_by(AT_ONCE) {
        // The oldest go before the next come, who take their seats.
        let past = (staying.len() + AT_ONCE).saturating_sub(STAY);
        staying.drain(..past);
        let batch = (first..(first + AT_ONCE).min(strangers)).map(|number| async move {
            let mut stranger = TcpStream::connect(daemon.address).await?;
            // Fails for those who are turned away at once.
            let _ = stranger.write_all(RUBBISH[number % RUBBISH.len()]).await;
            Ok::<_, std::io::Error>(stranger)
        });
        for stranger in join_all(batch).await {
            staying.push(stranger?);
        }
    }
    Ok(staying)
}

/// Waits until there is a seat for somebody who asks for a page.
async fn answered(daemon: &Daemon) -> Result<(), Fault> {
    let started = Instant::now();
    while daemon.status().await.is_err() {
        if started.elapsed() > SEAT_LIMIT {
            return Err("strangers hold every seat".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn missing(before: &[Facts], after: &[Facts]) -> f64 {
    let sum = |facts: &[Facts]| facts.iter().map(|facts| facts.gaps + facts.lost).sum::<u64>();
    (sum(after) - sum(before)) as f64
}
