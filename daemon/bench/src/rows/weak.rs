//! One Chromium behind a weak link, with two good viewers beside it: a link that falls from 4 to 0.5 Mbit/s and comes back,
//! and one that loses packets. `weak.mjs` has the link and the browser. Needs root, and what the Chromium row needs; without
//! them the rows are left out with a note.

use std::process::Stdio;
use std::time::Duration;

use porthole_peer::Facts;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Bench;
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weak.mjs");
/// Viewers beside the one behind the link.
const GOOD: usize = 2;
/// For how long the link is bad in one run, and for how long it is watched afterwards.
const SECONDS: u64 = 30;

/// A line of the script.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Skipped {
        skipped: String,
    },
    Begins {
        #[serde(rename = "phase")]
        _name: String,
    },
    Measured {
        version: String,
        phases: Vec<Phase>,
    },
}

/// What the viewer behind the link has seen in one phase. Times in seconds.
#[derive(Debug, Deserialize)]
struct Phase {
    name: String,
    decoded: f64,
    fps: Option<f64>,
    freezes: f64,
    frozen: f64,
    longest: f64,
    kbit: f64,
    full: Option<f64>,
    calls: f64,
    concealed: f64,
}

/// The same with what the good ones have seen meanwhile.
struct Seen {
    bad: Phase,
    /// Of each good one: freezes, seconds frozen, kbit/s, and frames.
    good: Vec<[f64; 4]>,
}

/// 4 → 0.5 → 4 Mbit/s.
pub async fn weak(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let part = |name, kbit, seconds| json!({"name": name, "kbit": kbit, "seconds": seconds});
    let plan = json!([part("good", 4000, 15), part("weak", 500, SECONDS), part("back", 4000, SECONDS)]);
    let mut runs: Vec<Vec<Seen>> = Vec::new();
    for _ in 0..bench.runs(5, 1) {
        match play(bench, figures, &plan, GOOD).await? {
            Some(phases) => runs.push(phases),
            None => return Ok(()),
        }
    }
    let of = |name: &str, what: &dyn Fn(&Seen) -> f64| -> Vec<f64> {
        runs.iter().flatten().filter(|seen| seen.bad.name == name).map(what).collect()
    };
    let both = |what: &dyn Fn(&Seen) -> f64| -> Vec<f64> {
        runs.iter().map(|run| run.iter().filter(|seen| seen.bad.name != "good").map(what).sum()).collect()
    };
    let worst = |of: usize| move |seen: &Seen| seen.good.iter().map(|good| good[of]).fold(0.0, f64::max);
    let least = |seen: &Seen| seen.good.iter().map(|good| good[2]).fold(f64::INFINITY, f64::min);
    let whole = of("good", &least);
    let kept = of("weak", &least).into_iter().zip(&whole).map(|(weak, good)| 100.0 * weak / good).collect();
    figures.add(
        "weak_frozen",
        "4 → 0.5 → 4 Mbit/s: the bad viewer's picture stands still for",
        "s",
        both(&|s| s.bad.frozen),
    );
    figures.add(
        "weak_fps",
        "  frames a second that it shows at 0.5 Mbit/s, worst second",
        "1/s",
        of("weak", &|s| s.bad.fps.unwrap_or(0.0)),
    );
    figures.add("weak_mean", "  the same on average", "1/s", of("weak", &|s| s.bad.decoded / SECONDS as f64));
    figures.add("weak_kbit", "  what it gets at 0.5 Mbit/s", "kbit/s", of("weak", &|s| s.bad.kbit));
    figures.add(
        "weak_back",
        "  full picture after the link is back",
        "s",
        of("back", &|s| s.bad.full.unwrap_or(f64::INFINITY)),
    );
    figures.add("weak_calls", "  calls it had to make again", "", both(&|s| s.bad.calls));
    figures.add("weak_good_freezes", "  freezes of the two good viewers, more of them", "", both(&worst(0)));
    figures.add("weak_good_kept", "  of the bitrate that they had before they keep", "%", kept);
    if runs.iter().flatten().any(|seen| seen.bad.name == "back" && seen.bad.full.is_none()) {
        figures.note("weak: in some run the full picture did not come back");
    }
    let (mut frozen, mut longest) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs(3, 1) {
        let Some(alone) = play(bench, figures, &plan, 0).await? else { return Ok(()) };
        frozen.push(alone.iter().map(|seen| seen.bad.frozen).sum());
        longest.push(alone.iter().map(|seen| seen.bad.longest).fold(0.0, f64::max));
    }
    figures.add("weak_alone_frozen", "  the same with nobody beside it: stands still for", "s", frozen);
    figures.add("weak_alone_longest", "  longest freeze of these", "s", longest);
    Ok(())
}

/// 1, 5 and 10 % of the packets lost by chance.
pub async fn loss(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let seconds = if bench.quick { 15 } else { 60 };
    let part =
        |loss: u32| json!({"name": loss.to_string(), "kbit": 20_000, "loss": loss, "seconds": seconds});
    let Some(phases) = play(bench, figures, &json!([part(0), part(1), part(5), part(10)]), GOOD).await?
    else {
        return Ok(());
    };
    for Seen { bad, good } in phases {
        let (id, lost) = (&bad.name, format!("{} % lost", bad.name));
        let sent = good.iter().map(|good| good[3]).fold(0.0, f64::max);
        figures.add(
            format!("loss_{id}_decoded"),
            format!("{lost}: frames decoded of those sent"),
            "%",
            vec![100.0 * bad.decoded / sent],
        );
        figures.add(format!("loss_{id}_freezes"), "  freezes", "", vec![bad.freezes]);
        figures.add(format!("loss_{id}_longest"), "  longest freeze", "s", vec![bad.longest]);
        figures.add(
            format!("loss_{id}_sound"),
            "  of the sound that the browser had to make up",
            "%",
            vec![bad.concealed],
        );
    }
    Ok(())
}

/// Plays a plan with so many good viewers beside it. `None`: it cannot be played here.
async fn play(
    bench: &Bench<'_>,
    figures: &mut Figures,
    plan: &serde_json::Value,
    good: usize,
) -> Result<Option<Vec<Seen>>, Fault> {
    let daemon = Daemon::start_as(bench.daemon, Start { open: true, ..Start::default() }).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(good).await?;
    let mut child = Command::new("node")
        .arg(SCRIPT)
        .arg(daemon.address.port().to_string())
        .arg(&daemon.room)
        .arg(plan.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or("no standard output")?;
    let mut lines = BufReader::new(output).lines();
    let mut marks: Vec<Vec<Facts>> = Vec::new();
    let measured = loop {
        let Some(line) = lines.next_line().await? else {
            return Err(
                format!("weak.mjs ended without a result; the daemon's log:\n{}", daemon.log_tail()).into()
            );
        };
        match serde_json::from_str(&line)? {
            Said::Skipped { skipped } => {
                figures.note(format!("weak links: not measured: {skipped}"));
                return Ok(None);
            }
            Said::Begins { .. } => marks.push(crowd.facts()),
            Said::Measured { version, phases } => {
                marks.push(crowd.facts());
                figures.note(format!(
                    "weak link: Chromium {version} in a network namespace, {good} good viewers beside it"
                ));
                break phases;
            }
        }
    };
    child.wait().await?;
    if let Ok(folder) = std::env::var("PORTHOLE_BENCH_KEEP") {
        daemon.keep_log(folder.as_ref())?;
    }
    let mut seen = Vec::new();
    for (bad, mark) in measured.into_iter().zip(marks.windows(2)) {
        let [before, after] = mark else { continue };
        let of = |(before, after): (&Facts, &Facts)| {
            let time = after
                .last_rtp
                .zip(before.last_rtp)
                .map_or(Duration::ZERO, |(to, from)| to.duration_since(from));
            let bits = (after.frame_bytes - before.frame_bytes) as f64 * 8.0;
            let frozen = (after.frozen - before.frozen).as_secs_f64();
            let kbit = bits / 1000.0 / time.as_secs_f64().max(0.001);
            [(after.freezes - before.freezes) as f64, frozen, kbit, (after.frames - before.frames) as f64]
        };
        seen.push(Seen { bad, good: before.iter().zip(after).map(of).collect() });
    }
    daemon.stop().await?;
    Ok(Some(seen))
}
