//! Hours of calls that come and go ten times as often as in a busy house, beside one viewer that stays: what that one sees, and
//! what the daemon holds, as lines of a Markdown table for `docs/soak.md`. Must not judge them.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};

use super::churn::{self, Outcome, allocated, end_of, settled};
use super::{Bench, SETTLE};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::{Daemon, Start};
use crate::machine::Machine;
use crate::spread::Spread;

/// A busy house calls once a minute.
const EVERY: Duration = Duration::from_secs(6);
/// How long those stay that are not hung up at once; so two or three are there at a time.
const STAY: Duration = Duration::from_secs(20);
/// Lines of the table, besides the first.
const LINES: u32 = 12;
const COLUMNS: [&str; 13] = [
    "minutes",
    "calls",
    "refused or failed",
    "key frame after ms, median",
    "slowest",
    "frames",
    "gaps",
    "freezes",
    "CPU %",
    "RSS MiB",
    "heap MiB",
    "threads",
    "fds",
];

/// Goes on for that long, and prints a line every twelfth of it. Frames, gaps and freezes are those of the viewer that stays.
///
/// # Errors
/// The daemon ends, which it does at the first thing that GLib or GStreamer call critical, or the viewer that stays has no picture.
pub async fn run(bench: &Bench<'_>, machine: &Machine, lasts: Duration) -> Result<(), Fault> {
    // What GLib calls critical would else pass unseen.
    let start = Start { environment: &[("G_DEBUG", "fatal-criticals")], ..Start::default() };
    let daemon = Daemon::start_as(bench.daemon, start).await?;
    let (mut watcher, crowd) = (Crowd::new(&daemon)?, Crowd::new(&daemon)?);
    watcher.resize(1).await?;
    tokio::time::sleep(SETTLE).await;
    let (cpu, cores, gstreamer) = (&machine.cpu, machine.cores, &machine.gstreamer);
    println!("{cpu}, {cores} cores, GStreamer {gstreamer}: a call every {EVERY:?} for {lasts:?}\n");
    println!("| {} |\n|{}", COLUMNS.join(" | "), "--:|".repeat(COLUMNS.len()));
    let (mut calls, mut sum, begun) = (0, Outcome::default(), Instant::now());
    let mut bell = interval(EVERY);
    bell.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for line in 0..=LINES {
        let (used, since, until) =
            (daemon.process.cpu_seconds()?, Instant::now(), begun + lasts * line / LINES);
        let mut going = FuturesUnordered::new();
        while Instant::now() < until {
            tokio::select! {
                _ = bell.tick() => {
                    going.push(one(&crowd, calls));
                    calls += 1;
                }
                Some(ended) = going.next() => add(&mut sum, ended),
            }
        }
        while let Some(ended) = going.next().await {
            add(&mut sum, ended);
        }
        let used = daemon.process.cpu_seconds()? - used;
        let cpu = 100.0 * used / since.elapsed().as_secs_f64().max(1.0);
        // Those who hung up are still being let go.
        let usage = settled(&daemon, 1).await?;
        let heap = allocated(&daemon).await?;
        let seen = watcher.facts().pop().unwrap_or_default();
        let first = Spread::of(&std::mem::take(&mut sum.key_frames));
        let first =
            |of: fn(Spread) -> f64| first.map_or("–".to_owned(), |first| format!("{:.0}", of(first)));
        println!(
            "| {:.0} | {calls} | {} | {} | {} | {} | {} | {} | {cpu:.1} | {:.1} | {:.2} | {} | {} |",
            begun.elapsed().as_secs_f64() / 60.0,
            sum.refused,
            first(|spread| spread.median),
            first(|spread| spread.max),
            seen.frames,
            seen.gaps,
            seen.freezes,
            usage.rss / 1024.0,
            heap / 1024.0,
            usage.threads,
            usage.descriptors,
        );
    }
    daemon.stop().await
}

fn add(sum: &mut Outcome, ended: Result<Outcome, Fault>) {
    match ended {
        Ok(outcome) => sum.add(outcome),
        Err(fault) => {
            sum.refused += 1;
            eprintln!("a call failed: {fault}");
        }
    }
}

async fn one(crowd: &Crowd<'_>, number: usize) -> Result<Outcome, Fault> {
    let mut outcome = Outcome::default();
    churn::call(crowd, end_of(number), STAY, &mut outcome).await?;
    Ok(outcome)
}
