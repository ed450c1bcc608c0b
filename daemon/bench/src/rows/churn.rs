//! Many calls opened and closed, a third of them hung up in the middle of negotiation: what each costs, and what all
//! of them leave behind.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use porthole_peer::{Caller, Signs};

use super::Bench;
use crate::Fault;
use crate::crowd::{CALL_LIMIT, Crowd};
use crate::daemon::Daemon;
use crate::figure::Figures;
use crate::process::Usage;
use crate::spread::Spread;

/// Calls under way at once.
const WORKERS: usize = 4;
/// Calls between two looks at what they leave behind: a leak grows with each, what is kept for reuse does not.
const BATCH: usize = 100;
/// Calls before the first look: whatever is made once, or once per thread, has been made by then.
const BEFORE: usize = 20;
/// A tab that was killed is only noticed by its silence.
const SETTLE_LIMIT: Duration = Duration::from_secs(90);
/// How long threads may live on with nothing to do: GLib keeps one for 15 s.
const ENDS: Duration = Duration::from_secs(25);

/// How often, and how far apart, what is allocated is looked at.
const LOOKS: usize = 41;
const BETWEEN_LOOKS: Duration = Duration::from_millis(47);

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Hung up after the first key frame.
    Watched,
    /// Hung up right behind the offer.
    AfterOffer,
    /// Hung up when the answer comes.
    AfterAnswer,
    /// The tab is killed right behind the offer: no word, sockets closed.
    Killed,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let batches = bench.runs(5, 2);
    let daemon = Daemon::start(bench.daemon).await?;
    let mut watcher = Crowd::new(&daemon)?;
    let crowd = Crowd::new(&daemon)?;
    watcher.resize(1).await?;
    churn(&crowd, BEFORE).await?;
    watcher.resize(0).await?;
    let idle_before = settled(&daemon, 0).await?;

    // Somebody watches meanwhile, so that the encoder is not started anew with every call, and so that its own cost
    // is known and can be taken off.
    watcher.resize(1).await?;
    let mut usages = vec![settled(&daemon, 1).await?];
    let mut heaps = vec![allocated(&daemon).await?];
    let (mut outcome, mut cpu) = (Outcome::default(), Vec::new());
    for _ in 0..batches {
        let watching = daemon.process.cpu_percent(bench.interval()).await? / 100.0;
        let (used, started) = (daemon.process.cpu_seconds()?, Instant::now());
        outcome.add(churn(&crowd, BATCH).await?);
        daemon.wait(SETTLE_LIMIT, |status| status.calls == 1).await?;
        let used = daemon.process.cpu_seconds()? - used - watching * started.elapsed().as_secs_f64();
        cpu.push(used * 1000.0 / BATCH as f64);
        usages.push(settled(&daemon, 1).await?);
        heaps.push(allocated(&daemon).await?);
    }
    watcher.resize(0).await?;
    let idle_after = settled(&daemon, 0).await?;
    daemon.stop().await?;

    let calls = (batches * BATCH) as f64;
    let left =
        |of: fn(&Usage) -> f64| usages.last().zip(usages.first()).map(|(last, first)| of(last) - of(first));
    let all = |of: fn(&Usage) -> f64| left(of).into_iter().collect();
    let each = |of: fn(&Usage) -> f64| left(of).into_iter().map(|left| left / calls).collect();
    let by_batch = |of: fn(&Usage) -> f64| -> Vec<f64> {
        usages.windows(2).map(|pair| (of(&pair[1]) - of(&pair[0])) / BATCH as f64).collect()
    };
    figures.add(
        "churn_calls",
        "calls opened and closed, a third of them during negotiation",
        "",
        vec![calls],
    );
    figures.add("churn_refused", "of these refused", "", vec![outcome.refused as f64]);
    figures.add("churn_key_frame", "offer → first key frame, four at a time", "ms", outcome.key_frames);
    figures.add("churn_cpu", "CPU per call, the encoder's taken off; by 100 calls", "ms", cpu);
    figures.add("churn_threads", "threads left behind by all", "", all(|usage| usage.threads));
    figures.add("churn_fds", "file descriptors left behind by all", "", all(|usage| usage.descriptors));
    let heap = heaps.last().zip(heaps.first()).map(|(last, first)| (last - first) / calls);
    figures.add("churn_heap", "allocated and not freed per call", "KiB", heap.into_iter().collect());
    let title = "allocated and not freed per call; by 100 calls";
    let by_heap = heaps.windows(2).map(|pair| (pair[1] - pair[0]) / BATCH as f64).collect();
    figures.add("churn_heap_batches", title, "KiB", by_heap);
    figures.add("churn_rss", "RSS left behind per call", "KiB", each(|usage| usage.rss));
    let title = "heap and stacks left behind per call; by 100 calls";
    figures.add("churn_anonymous", title, "KiB", by_batch(|usage| usage.anonymous));
    let idle = |of: fn(&Usage) -> f64| vec![of(&idle_after) - of(&idle_before)];
    figures.add(
        "churn_idle_threads",
        "threads left behind by all, once nobody watches",
        "",
        idle(|usage| usage.threads),
    );
    figures.add(
        "churn_idle_fds",
        "file descriptors left, once nobody watches",
        "",
        idle(|usage| usage.descriptors),
    );
    let title = "RSS left behind by all, once nobody watches";
    figures.add("churn_idle_rss", title, "MiB", idle(|usage| usage.rss / 1024.0));
    Ok(())
}

/// What became of calls.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) refused: usize,
    /// Offer to first key frame, in ms.
    pub(super) key_frames: Vec<f64>,
}

impl Outcome {
    pub(super) fn add(&mut self, other: Self) {
        self.refused += other.refused;
        self.key_frames.extend(other.key_frames);
    }
}

async fn churn(crowd: &Crowd<'_>, calls: usize) -> Result<Outcome, Fault> {
    let workers = (0..WORKERS).map(|worker| async move {
        let mut outcome = Outcome::default();
        for number in (worker..calls).step_by(WORKERS) {
            call(crowd, end_of(number), Duration::ZERO, &mut outcome).await?;
        }
        Ok::<_, Fault>(outcome)
    });
    let mut all = Outcome::default();
    for outcome in try_join_all(workers).await? {
        all.add(outcome);
    }
    Ok(all)
}

pub(super) fn end_of(number: usize) -> End {
    match (number % 3, number / 3 % 3) {
        (2, 0) => End::AfterOffer,
        (2, 1) => End::AfterAnswer,
        (2, _) => End::Killed,
        _ => End::Watched,
    }
}

/// A call that ends like that; one that is watched after `stay` more.
pub(super) async fn call(
    crowd: &Crowd<'_>,
    end: End,
    stay: Duration,
    outcome: &mut Outcome,
) -> Result<(), Fault> {
    let caller = crowd.call().await?;
    match end {
        End::Watched => {
            watch(crowd, &caller, outcome).await?;
            tokio::time::sleep(stay).await;
        }
        End::AfterOffer => {}
        End::AfterAnswer => {
            let signs = caller.wait_signs(CALL_LIMIT, |signs| signs.answered.is_some() || signs.over()).await;
            outcome.refused += usize::from(signs.refused.is_some());
        }
        End::Killed => {
            drop(caller);
            return Ok(());
        }
    }
    caller.hang_up();
    Ok(())
}

async fn watch(crowd: &Crowd<'_>, caller: &Caller, outcome: &mut Outcome) -> Result<(), Fault> {
    tokio::select! {
        facts = crowd.see(caller) => {
            let seen = facts?.first_key_frame.map(|at| at.duration_since(caller.offered()));
            outcome.key_frames.extend(seen.map(|time| time.as_secs_f64() * 1000.0));
        }
        signs = caller.wait_signs(CALL_LIMIT, Signs::over) => match signs.refused {
            Some(_) => outcome.refused += 1,
            None => return Err(format!("a call ended by itself: {signs:?}").into()),
        },
    }
    Ok(())
}

/// Waits until only `calls` are left and what ends by itself has ended. Threads and descriptors are the fewest of that time:
/// some come and go all the time, as one that looks at a file.
pub(super) async fn settled(daemon: &Daemon, calls: usize) -> Result<Usage, Fault> {
    daemon.wait(SETTLE_LIMIT, |status| status.calls == calls).await?;
    let started = Instant::now();
    let mut usage = daemon.process.usage()?;
    while started.elapsed() < ENDS {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = daemon.process.usage()?;
        let (threads, descriptors) = (now.threads.min(usage.threads), now.descriptors.min(usage.descriptors));
        usage = Usage { threads, descriptors, ..now };
    }
    Ok(usage)
}

/// What is allocated, in KiB. Pictures on their way come and go, a mebibyte each: the median of many looks does not see
/// them.
pub(super) async fn allocated(daemon: &Daemon) -> Result<f64, Fault> {
    let mut looks = Vec::new();
    for _ in 0..LOOKS {
        looks.push(daemon.status().await?.heap as f64 / 1024.0);
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(Spread::of(&looks).map_or(0.0, |spread| spread.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_calls_ends_during_negotiation_and_in_every_way() {
        let ends: Vec<End> = (0..500).map(end_of).collect();
        let count = |wanted: End| ends.iter().filter(|end| **end == wanted).count();
        assert_eq!(count(End::Watched), 334);
        assert!([End::AfterOffer, End::AfterAnswer, End::Killed].into_iter().all(|end| count(end) >= 55));
    }
}
