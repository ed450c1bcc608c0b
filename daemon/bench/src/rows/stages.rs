//! What each stage takes of the processor, with one viewer and with twenty: by the names that the daemon's threads have, as
//! `top -H` shows them.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Bench, SETTLE};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

const CROWDS: [usize; 2] = [1, 20];

/// A stage of the way from the camera to the sockets. Id, title, how the names of its threads begin.
type Stage = (&'static str, &'static str, &'static [&'static str]);

const STAGES: [Stage; 5] = [
    ("camera", "the test picture, with its clock and its strip", &["videotestsrc"]),
    ("encoder", "encoder, and cutting its frames into packets", &["h264", "vp8", "small-"]),
    ("sound", "sound: the tone, Opus, and cutting it into packets", &["audiotestsrc"]),
    ("sending", "sending: headers, SRTP and sockets of all calls", &["crew"]),
    (
        "calls",
        "what arrives, and timers: ICE, DTLS and RTCP of all calls",
        &["webrtcbin", "nice", "dtls", "rtp", "queue", "srtp", "funnel", "pool-"],
    ),
];
/// Whatever has another name: the desk, signalling, the page.
const REST: (&str, &str) = ("rest", "everything else: desk, signalling, page");
/// Threads that end meanwhile are counted in the process alone.
const ENDED: (&str, &str) = ("ended", "threads that ended meanwhile, and rounding");

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let mut runs: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for _ in 0..bench.runs(3, 1) {
        let daemon = Daemon::start(bench.daemon).await?;
        let mut crowd = Crowd::new(&daemon)?;
        for viewers in CROWDS {
            crowd.resize(viewers).await?;
            tokio::time::sleep(SETTLE).await;
            for (stage, percent) in split(bench, &daemon).await? {
                runs.entry((viewers, stage)).or_default().push(percent);
            }
        }
        daemon.stop().await?;
    }
    let titles = STAGES.iter().map(|(id, title, _)| (*id, *title)).chain([REST, ENDED]);
    for (id, title) in titles {
        for viewers in CROWDS {
            let title = format!("{title}; {viewers} watching");
            let percents = runs.remove(&(viewers, id)).unwrap_or_default();
            figures.add(format!("stage_{id}_{viewers}"), title, "% of a core", percents);
        }
    }
    Ok(())
}

/// The share of each stage over one interval, in percent of a core.
async fn split(bench: &Bench<'_>, daemon: &Daemon) -> Result<BTreeMap<&'static str, f64>, Fault> {
    let process = daemon.process;
    let (before, whole, started) = (process.threads()?, process.cpu_seconds()?, Instant::now());
    tokio::time::sleep(bench.interval()).await;
    let (after, whole) = (process.threads()?, process.cpu_seconds()? - whole);
    let percent = 100.0 / started.elapsed().as_secs_f64();
    let names = STAGES.iter().map(|(id, ..)| *id).chain([REST.0, ENDED.0]);
    let mut found: BTreeMap<_, _> = names.map(|id| (id, 0.0)).collect();
    let mut seen = 0.0;
    for (id, (name, seconds)) in &after {
        let used = seconds - before.get(id).map_or(0.0, |(_, seconds)| *seconds);
        *found.entry(stage_of(name)).or_default() += used * percent;
        seen += used;
    }
    found.insert(ENDED.0, (whole - seen) * percent);
    Ok(found)
}

/// Which stage a thread of this name belongs to.
fn stage_of(thread: &str) -> &'static str {
    let of = STAGES.iter().find(|(_, _, starts)| starts.iter().any(|start| thread.starts_with(start)));
    of.map_or(REST.0, |(id, ..)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_belongs_to_the_stage_that_its_name_begins_with() {
        let names =
            ["videotestsrc0:s", "small-h264:src", "crew", "webrtcbin12:ice", "tokio-rt-worker", "h264:src"];
        let stages = names.map(stage_of);
        assert_eq!(stages, ["camera", "encoder", "sending", "calls", "rest", "encoder"]);
    }
}
