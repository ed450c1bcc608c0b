//! What one viewer costs that asks for a key frame a hundred times a second: key frames that all others get, too.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Bench;
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

/// Between two wishes.
const EVERY: Duration = Duration::from_millis(10);

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(1).await?;
    let storm = crowd.call().await?;
    crowd.see(&storm).await?;
    tokio::time::sleep(super::SETTLE).await;
    let (mut calm, mut stormy, mut cost) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..bench.runs(5, 2) {
        for (wishes, rates) in [(false, &mut calm), (true, &mut stormy)] {
            let seconds = bench.interval().as_secs_f64();
            let (before, cpu) = (crowd.facts()[0].clone(), daemon.process.cpu_seconds()?);
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let end = tokio::time::Instant::now() + bench.interval();
            while tokio::time::Instant::now() < end {
                ticks.tick().await;
                if wishes {
                    storm.viewer().request_key_frame()?;
                }
            }
            let after = crowd.facts()[0].clone();
            rates.push((after.key_frames - before.key_frames) as f64 / seconds);
            cost[usize::from(wishes)].push((daemon.process.cpu_seconds()? - cpu) * 100.0 / seconds);
        }
    }
    daemon.stop().await?;
    figures.add("storm_calm", "key frames a second, nobody asks", "1/s", calm);
    figures.add("storm_keys", "  one viewer asks 100 times a second", "1/s", stormy);
    let [calm, stormy] = cost;
    figures.add("storm_calm_cpu", "  CPU of the daemon before", "%", calm);
    figures.add("storm_cpu", "  and meanwhile", "%", stormy);
    Ok(())
}
