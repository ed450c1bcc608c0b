//! CPU, memory, threads and file descriptors with 0, 1, 10, 20 (and 50) viewers; a fresh daemon for every round.

use std::time::Instant;

use porthole_peer::Facts;

use super::{Bench, SETTLE};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;
use crate::process::Usage;

/// What was read at one size of the crowd.
struct Level {
    viewers: usize,
    cpu: f64,
    usage: Usage,
    received: Received,
}

/// What each viewer got in the same time, on average.
struct Received {
    frames_per_second: f64,
    picture_kbit: f64,
    packets_per_second: f64,
}

/// One round with one daemon.
struct Round {
    /// Nobody has called yet: the camera is closed.
    closed: Level,
    /// With viewers, in rising order.
    levels: Vec<Level>,
    /// All have left, the camera is still open.
    warm: Level,
    renditions: usize,
    lost: u64,
    packets: u64,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let mut sizes = vec![1, 10, 20];
    sizes.extend(bench.fifty.then_some(50));
    let mut rounds = Vec::new();
    for _ in 0..bench.runs(3, 1) {
        rounds.push(round(bench, &sizes).await?);
    }
    let cpu = "% of a core";
    add(figures, &rounds, "cpu_closed", "CPU, nobody has called, camera closed", cpu, |round| {
        round.closed.cpu
    });
    add(figures, &rounds, "cpu_warm", "CPU, all have left, camera still open", cpu, |round| round.warm.cpu);
    for (index, size) in sizes.iter().enumerate() {
        let title = format!("CPU with {size} viewers, the encoder included");
        add(figures, &rounds, &format!("cpu_{size}"), &title, cpu, |round| round.levels[index].cpu);
    }
    add(figures, &rounds, "cpu_per_viewer_1_10", "CPU per added viewer, 1 to 10", cpu, |r| {
        slope(r, 0, 1, |l| l.cpu)
    });
    add(figures, &rounds, "cpu_per_viewer_10_20", "CPU per added viewer, 10 to 20", cpu, |r| {
        slope(r, 1, 2, |l| l.cpu)
    });

    for (name, title, of) in [("rss", "RSS", rss as fn(&Level) -> f64), ("pss", "PSS", pss)] {
        add(
            figures,
            &rounds,
            &format!("{name}_closed"),
            &format!("{title}, nobody has called"),
            "MiB",
            |r| of(&r.closed),
        );
        for (index, size) in sizes.iter().enumerate() {
            let title = format!("{title} with {size} viewers");
            add(figures, &rounds, &format!("{name}_{size}"), &title, "MiB", |round| of(&round.levels[index]));
        }
        add(figures, &rounds, &format!("{name}_warm"), &format!("{title} after all have left"), "MiB", |r| {
            of(&r.warm)
        });
        let title = format!("{title} per added viewer, 1 to 20");
        add(figures, &rounds, &format!("{name}_per_viewer"), &title, "MiB", |round| slope(round, 0, 2, of));
    }
    add(figures, &rounds, "threads_per_viewer", "threads per viewer, 1 to 20", "", |r| {
        slope(r, 0, 2, |l| l.usage.threads)
    });
    add(
        figures,
        &rounds,
        "fds_per_viewer",
        "file descriptors per viewer (one is the page's), 1 to 20",
        "",
        |r| slope(r, 0, 2, |level| level.usage.descriptors),
    );
    add(figures, &rounds, "renditions", "encoder instances with the most viewers", "", |r| {
        r.renditions as f64
    });
    for (name, title, unit, of) in [
        ("frames", "frames", "1/s", (|received| received.frames_per_second) as fn(&Received) -> f64),
        ("kbit", "picture", "kbit/s", |received| received.picture_kbit),
        ("packets", "RTP packets", "1/s", |received| received.packets_per_second),
    ] {
        for (index, size) in sizes.iter().enumerate() {
            let title = format!("{title} that each of {size} viewers got");
            add(figures, &rounds, &format!("{name}_{size}"), &title, unit, |round| {
                of(&round.levels[index].received)
            });
        }
    }
    add(figures, &rounds, "lost", "packets lost on the way to the viewers", "%", |round| {
        round.lost as f64 * 100.0 / round.packets.max(1) as f64
    });
    Ok(())
}

async fn round(bench: &Bench<'_>, sizes: &[usize]) -> Result<Round, Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    let closed = level(bench, &daemon, &crowd).await?;
    let mut levels = Vec::new();
    for size in sizes {
        crowd.resize(*size).await?;
        levels.push(level(bench, &daemon, &crowd).await?);
    }
    let renditions = daemon.status().await?.renditions.len();
    let facts = crowd.facts();
    crowd.resize(0).await?;
    let warm = level(bench, &daemon, &crowd).await?;
    daemon.stop().await?;
    let lost = facts.iter().map(|facts| facts.lost).sum();
    let packets = facts.iter().map(|facts| facts.packets).sum();
    Ok(Round { closed, levels, warm, renditions, lost, packets })
}

async fn level(bench: &Bench<'_>, daemon: &Daemon, crowd: &Crowd<'_>) -> Result<Level, Fault> {
    tokio::time::sleep(SETTLE).await;
    let (before, started) = (crowd.facts(), Instant::now());
    let cpu = daemon.process.cpu_percent(bench.interval()).await?;
    let (after, seconds) = (crowd.facts(), started.elapsed().as_secs_f64());
    let viewers = after.len();
    let rate = |of: fn(&Facts) -> u64| {
        let sum = |facts: &[Facts]| facts.iter().map(of).sum::<u64>() as f64;
        (sum(&after) - sum(&before)) / seconds / viewers.max(1) as f64
    };
    let received = Received {
        frames_per_second: rate(|facts| facts.frames),
        picture_kbit: rate(|facts| facts.frame_bytes) * 8.0 / 1000.0,
        packets_per_second: rate(|facts| facts.packets),
    };
    Ok(Level { viewers, cpu, usage: daemon.process.usage()?, received })
}

fn add(
    figures: &mut Figures,
    rounds: &[Round],
    id: &str,
    title: &str,
    unit: &'static str,
    of: impl Fn(&Round) -> f64,
) {
    figures.add(id, title, unit, rounds.iter().map(of).collect());
}

fn slope(round: &Round, from: usize, to: usize, of: impl Fn(&Level) -> f64) -> f64 {
    let (from, to) = (&round.levels[from], &round.levels[to]);
    (of(to) - of(from)) / (to.viewers - from.viewers) as f64
}

fn rss(level: &Level) -> f64 {
    level.usage.rss / 1024.0
}

fn pss(level: &Level) -> f64 {
    level.usage.pss / 1024.0
}
