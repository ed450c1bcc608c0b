//! What the product set out to reach, and whether these figures do. Must not know how they were measured.

use serde::Serialize;

use crate::figure::Figures;
use crate::spread::Spread;

/// How far apart two CPU figures of one viewer may be by chance, in % of a core.
const CPU_RESOLUTION: f64 = 0.3;

/// One target and what became of it.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub target: &'static str,
    /// As compared; `None` was not measured.
    pub measured: Option<f64>,
    pub reached: Option<bool>,
}

/// All targets.
pub fn verdicts(figures: &Figures) -> Vec<Verdict> {
    let median = |id| figures.find(id).map(|spread| spread.median);
    let tail = |id| figures.find(id).map(|spread| spread.p95);
    let largest = |id| figures.find(id).map(|spread: Spread| spread.max);
    let at_most = |target, measured: Option<f64>, limit: f64| Verdict {
        target,
        measured,
        reached: measured.map(|measured| measured <= limit),
    };
    let smallest = |id| figures.find(id).map(|spread: Spread| spread.min);
    let at_least = |target, measured: Option<f64>, limit: f64| Verdict {
        target,
        measured,
        reached: measured.map(|measured| measured >= limit),
    };
    let second_to_twentieth =
        median("cpu_second").zip(median("cpu_twentieth")).map(|(second, twentieth)| twentieth - second);
    let idle = median("idle_rss").zip(median("idle_node_rss")).map(|(ours, node)| ours - node);
    vec![
        at_most("Chromium: offer → first picture ≤ 200 ms, median", median("chromium_picture"), 200.0),
        at_most(
            "offer → first key frame ≤ 100 ms, median, while one watches",
            median("key_frame_watched"),
            100.0,
        ),
        at_most("offer → first key frame ≤ 100 ms, median, nobody watches", median("key_frame_idle"), 100.0),
        at_most("glass to glass in Chromium ≤ 25 ms, median", median("glass"), 25.0),
        at_most("glass to glass in Chromium ≤ 45 ms, p95", tail("glass"), 45.0),
        at_most("CPU per added viewer ≤ 1.7 % of a core, 1 to 10", median("cpu_per_viewer_1_10"), 1.7),
        at_most("RSS per viewer ≤ 1.1 MiB", median("rss_per_viewer"), 1.1),
        at_most("PSS ≤ 20 MiB, nobody has called", median("pss_closed"), 20.0),
        at_most("PSS ≤ 45 MiB with one viewer", median("pss_1"), 45.0),
        at_most("started → ready ≤ 1 s", median("start_ready"), 1.0),
        at_most("killed → in its room again ≤ 3 s", largest("start_again"), 3.0),
        at_most("20 viewers on one encoder", largest("renditions"), 1.0),
        at_most("the 20th viewer costs no more than the 2nd (± 0.3 %)", second_to_twentieth, CPU_RESOLUTION),
        at_most("500 calls leave no thread (one watches meanwhile)", largest("churn_threads"), 0.0),
        at_most("500 calls leave no file descriptor", largest("churn_fds"), 0.0),
        at_most("500 calls leave less than 10 KiB each, allocated", median("churn_heap"), 10.0),
        at_most("a vanished viewer is dropped in ≤ 5 s", largest("vanished"), 5.0),
        at_most("a returned camera is seen in ≤ 2 s, slowest", largest("replug_picture"), 2000.0),
        at_most("100 losses leave no thread", largest("replug_threads"), 0.0),
        at_most("100 losses leave less than 10 KiB each, allocated", median("replug_heap"), 10.0),
        at_most("10,000 strangers: no frame of a running call is lost", largest("strangers_lost"), 0.0),
        at_most("10,000 strangers leave less than 1 MiB behind, median", median("strangers_left"), 1.0),
        at_most(
            "4 → 0.5 → 4 Mbit/s: the bad viewer freezes ≤ 1 s in all, median",
            median("weak_frozen"),
            1.0,
        ),
        at_least("  it shows ≥ 5 frames a second on average, worst run", smallest("weak_mean"), 5.0),
        at_most("  full picture ≤ 15 s after the link is back, slowest", largest("weak_back"), 15.0),
        at_most("  the good viewers never freeze", largest("weak_good_freezes"), 0.0),
        at_least("  and keep at least 75 % of their bitrate, worst run", smallest("weak_good_kept"), 75.0),
        at_least("5 % loss: ≥ 98 % of frames decoded", smallest("loss_5_decoded"), 98.0),
        at_most("  no freeze over 0.5 s", largest("loss_5_longest"), 0.5),
        at_most("100 wishes a second cost ≤ 3 key frames a second", largest("storm_keys"), 3.0),
        at_most(
            "connected through coturn, symmetric NAT on both sides ≤ 1500 ms, slowest",
            largest("path_symmetric"),
            1500.0,
        ),
        at_most("1,000 idle sockets need no more memory than at a Node.js server, median", idle, 0.0),
        at_most("button → first sound at the speaker ≤ 300 ms, median", median("talk_closed"), 300.0),
        at_most("encoder → socket ≤ 5 ms, median, whole frame", median("send_whole"), 5.0),
        at_most(
            "answer ready → at the caller through a Node.js relay ≤ 10 ms, median",
            median("relay_carried_node"),
            10.0,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(figures: &Figures, start: &str) -> Verdict {
        verdicts(figures).into_iter().find(|verdict| verdict.target.starts_with(start)).unwrap()
    }

    #[test]
    fn what_was_not_measured_is_neither_reached_nor_missed() {
        assert!(verdicts(&Figures::default()).iter().all(|verdict| verdict.reached.is_none()));
    }

    #[test]
    fn the_median_decides_for_times_and_the_worst_run_for_what_must_never_happen() {
        let mut figures = Figures::default();
        figures.add("key_frame_watched", "", "ms", vec![40.0, 90.0, 700.0]);
        figures.add("vanished", "", "s", vec![4.1, 4.2, 5.2]);
        assert_eq!(verdict(&figures, "offer → first key frame").reached, Some(true));
        assert_eq!(verdict(&figures, "a vanished viewer").reached, Some(false));
    }

    #[test]
    fn the_twentieth_viewer_is_compared_with_the_second() {
        let mut figures = Figures::default();
        figures.add("cpu_second", "", "%", vec![2.0]);
        figures.add("cpu_twentieth", "", "%", vec![2.5]);
        assert_eq!(verdict(&figures, "the 20th").reached, Some(false));
    }
}
