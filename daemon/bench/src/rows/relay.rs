//! What a relay of somebody else's adds to the camera's answer: the same call through the relay inside the daemon and
//! through a Node.js server on loopback, one after the other, with the camera open. Through a server that is not ours
//! the answer waits until all candidates are gathered, so the time until it is ready is a figure of its own.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Bench;
use crate::Fault;
use crate::crowd::{CALL_LIMIT, Crowd};
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;
use crate::node::Node;

/// Between two calls; no multiple of the frame interval.
const PAUSE: Duration = Duration::from_millis(117);

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let node = match Node::start().await {
        Ok(node) => node,
        Err(fault) => {
            figures.note(format!("Node.js relay: not measured: {fault}"));
            return Ok(());
        }
    };
    let (told, mut ready) = unbounded_channel();
    let inside = Daemon::start_as(bench.daemon, Start { ready: Some(told), ..Start::default() }).await?;
    let (told, mut ready_elsewhere) = unbounded_channel();
    let start = Start { relay: Some(node.address), ready: Some(told), ..Start::default() };
    let elsewhere = Daemon::start_as(bench.daemon, start).await?;
    elsewhere.wait(CALL_LIMIT, |status| matches!(status.room.as_str(), "in" | "asked")).await?;
    let (crowd, crowd_elsewhere) = (Crowd::new(&inside)?, Crowd::new(&elsewhere)?);

    let (mut embedded, mut foreign) = (Vec::new(), Vec::new());
    // The first of each opens the camera, and does not count.
    for _ in 0..=bench.runs(30, 6) {
        embedded.push(answer(&inside, &crowd, &mut ready).await?);
        foreign.push(answer(&elsewhere, &crowd_elsewhere, &mut ready_elsewhere).await?);
    }
    let (embedded, foreign) = (&embedded[1..], &foreign[1..]);
    for (id, title, answers) in [("embedded", "embedded relay", embedded), ("node", "Node.js relay", foreign)]
    {
        let mut add = |part: &str, what: &str, of: fn(&Answer) -> f64| {
            let runs = answers.iter().map(of).collect();
            figures.add(format!("relay_{part}_{id}"), format!("{title}: {what}"), "ms", runs);
        };
        add("ready", "offer → answer ready", |answer| answer.ready);
        add("carried", "answer ready → answer at the caller", |answer| answer.carried);
    }
    let added = embedded.iter().zip(foreign).map(|(embedded, foreign)| foreign.carried - embedded.carried);
    figures.add("relay_added", "the Node.js relay carries the answer slower by", "ms", added.collect());
    inside.stop().await?;
    elsewhere.stop().await
}

/// Milliseconds of one call.
struct Answer {
    /// From the offer at the caller until webrtcbin's answer is there.
    ready: f64,
    /// From then on until the caller has it.
    carried: f64,
}

async fn answer(
    daemon: &Daemon,
    crowd: &Crowd<'_>,
    ready: &mut UnboundedReceiver<Instant>,
) -> Result<Answer, Fault> {
    let caller = crowd.call().await?;
    crowd.see(&caller).await?;
    let answered = caller.signs().answered.ok_or("a picture without an answer")?;
    let offered = caller.offered();
    // The daemon rehearses a call when it starts, and logs that too.
    let ready = loop {
        let ready = ready.recv().await.ok_or_else(|| format!("no log:\n{}", daemon.log_tail()))?;
        if ready > offered {
            break ready;
        }
    };
    caller.hang_up();
    daemon.wait(CALL_LIMIT, |status| status.calls == 0).await?;
    tokio::time::sleep(PAUSE).await;
    let milliseconds = |span: Duration| span.as_secs_f64() * 1000.0;
    Ok(Answer {
        ready: milliseconds(ready.duration_since(offered)),
        carried: milliseconds(answered.duration_since(ready)),
    })
}
