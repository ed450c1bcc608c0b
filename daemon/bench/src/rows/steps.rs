//! What the 2nd viewer costs and what the 20th: one viewer comes and goes, before and after, several times.

use super::{Bench, SETTLE};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    let (mut second, mut twentieth) = (Vec::new(), Vec::new());
    // One after the other within each run, so that whatever else this machine does falls on both alike.
    for _ in 0..bench.runs(5, 2) {
        second.push(step(bench, &daemon, &mut crowd, 1).await?);
        twentieth.push(step(bench, &daemon, &mut crowd, 19).await?);
    }
    daemon.stop().await?;
    figures.add("cpu_second", "CPU of the 2nd viewer", "% of a core", second);
    figures.add("cpu_twentieth", "CPU of the 20th viewer", "% of a core", twentieth);
    Ok(())
}

async fn step(
    bench: &Bench<'_>,
    daemon: &Daemon,
    crowd: &mut Crowd<'_>,
    before: usize,
) -> Result<f64, Fault> {
    let mut cpu = [0.0; 2];
    for (added, cpu) in cpu.iter_mut().enumerate() {
        crowd.resize(before + added).await?;
        tokio::time::sleep(SETTLE).await;
        *cpu = daemon.process.cpu_percent(bench.interval()).await?;
    }
    Ok(cpu[1] - cpu[0])
}
