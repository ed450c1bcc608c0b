//! How soon a viewer is dropped that stops reading and sending without a word, its page's socket still open.

use std::time::Duration;

use super::Bench;
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

/// How long the viewer watches before it vanishes: long enough for a few receiver reports.
const WATCH: Duration = Duration::from_secs(3);
/// Longest that any of the others was seen to take, and more.
const LIMIT: Duration = Duration::from_secs(60);

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let crowd = Crowd::new(&daemon)?;
    let mut dropped = Vec::new();
    for _ in 0..bench.runs(5, 2) {
        let caller = crowd.call().await?;
        crowd.see(&caller).await?;
        tokio::time::sleep(WATCH).await;
        caller.viewer().vanish()?;
        dropped.push(daemon.wait(LIMIT, |status| status.calls == 0).await?.as_secs_f64());
    }
    daemon.stop().await?;
    figures.add("vanished", "a vanished viewer is dropped after", "s", dropped);
    Ok(())
}
