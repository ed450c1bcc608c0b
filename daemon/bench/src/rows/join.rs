//! From the offer to the answer, the connection, the first key frame: cold, with the camera open but nobody watching,
//! and while somebody watches.

use std::time::{Duration, Instant};

use porthole_peer::Caller;

use super::Bench;
use crate::Fault;
use crate::crowd::{CALL_LIMIT, Crowd};
use crate::daemon::Daemon;
use crate::figure::Figures;

/// Between two calls; no multiple of the frame interval, so that calls fall anywhere between two key frames.
const PAUSE: Duration = Duration::from_millis(317);

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let mut cold = Vec::new();
    for _ in 0..bench.runs(3, 1) {
        let daemon = Daemon::start(bench.daemon).await?;
        cold.push(join(&Crowd::new(&daemon)?).await?);
        daemon.stop().await?;
    }
    add(figures, "cold", "the very first call of a daemon", &cold);

    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(1).await?;
    let watched = joins(bench, &daemon, &crowd, 1).await?;
    add(figures, "watched", "while one watches", &watched);
    crowd.resize(0).await?;
    let idle = joins(bench, &daemon, &crowd, 0).await?;
    add(figures, "idle", "camera open, nobody watches", &idle);
    daemon.stop().await?;
    Ok(())
}

async fn joins(
    bench: &Bench<'_>,
    daemon: &Daemon,
    crowd: &Crowd<'_>,
    others: usize,
) -> Result<Vec<Join>, Fault> {
    let mut joins = Vec::new();
    for _ in 0..bench.runs(20, 6) {
        joins.push(join(crowd).await?);
        daemon.wait(CALL_LIMIT, |status| status.calls == others).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(joins)
}

/// Milliseconds since the offer.
struct Join {
    answer: f64,
    connected: f64,
    rtp: f64,
    key_frame: f64,
    sound: f64,
}

async fn join(crowd: &Crowd<'_>) -> Result<Join, Fault> {
    let caller = crowd.call().await?;
    let facts = crowd.see(&caller).await?;
    let since = |at: Option<Instant>| since(&caller, at);
    let join = Join {
        answer: since(caller.signs().answered),
        connected: since(facts.connected),
        rtp: since(facts.first_rtp),
        key_frame: since(facts.first_key_frame),
        sound: since(facts.first_sound),
    };
    caller.hang_up();
    Ok(join)
}

fn since(caller: &Caller, at: Option<Instant>) -> f64 {
    at.map_or(f64::NAN, |at| at.duration_since(caller.offered()).as_secs_f64() * 1000.0)
}

fn add(figures: &mut Figures, id: &str, when: &str, joins: &[Join]) {
    let mut add = |part: &str, title: &str, of: fn(&Join) -> f64| {
        figures.add(
            format!("{part}_{id}"),
            format!("offer → {title}, {when}"),
            "ms",
            joins.iter().map(of).collect(),
        );
    };
    add("answer", "answer", |join| join.answer);
    add("connected", "connected", |join| join.connected);
    add("rtp", "first RTP packet", |join| join.rtp);
    add("key_frame", "first key frame", |join| join.key_frame);
    add("sound", "first sound", |join| join.sound);
}
