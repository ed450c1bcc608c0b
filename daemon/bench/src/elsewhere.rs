//! What other servers need for the same work, measured elsewhere on the same kind of machine: two shared x86-64
//! cores, Debian 12, 1280x720 at 30 frames a second, 2 Mbit/s, Opus passed through. They were fed an encoded picture,
//! so their figures hold no encoder. Must not know how ours are measured.

/// Whom the columns belong to.
pub const NAMES: [&str; 4] = ["mediamtx 1.20", "go2rtc 1.9.14", "Janus 1.1 streaming", "whepserversink 0.15"];

/// One row: its title, what of ours stands beside it (`{id}` is the median of that figure, `{id:max}` its largest),
/// and theirs.
pub struct Beside {
    pub title: &'static str,
    pub ours: &'static str,
    pub theirs: [&'static str; 4],
}

/// Every row.
pub const ROWS: &[Beside] = &[
    Beside {
        title: "CPU %, N = 0 / 1 / 10 / 20 / 50",
        ours: "{cpu_closed} / {cpu_1} / {cpu_10} / {cpu_20} / {cpu_50}",
        theirs: [
            "1.3 / 3.4 / 12 / 20 / 37",
            "0.9 / 2.8 / 11 / 18 / 40",
            "1.0 / 3.9 / 17 / 30 / 64",
            "2.8 / 10 / 45 / 97 / –",
        ],
    },
    Beside {
        title: "CPU % per added viewer, 1→10 / 10→20",
        ours: "{cpu_per_viewer_1_10} / {cpu_per_viewer_10_20}",
        theirs: ["0.64–0.72", "0.68–0.87", "1.23–1.43", "4.5"],
    },
    Beside {
        title: "PSS MiB, N = 0 / 1 / 20",
        ours: "{pss_closed} / {pss_1} / {pss_20}",
        theirs: ["43 / 48 / 128", "22–29 / 32 / 124", "10 / 13 / 30", "15 / 33 / 105"],
    },
    Beside {
        title: "PSS MiB per viewer",
        ours: "{pss_per_viewer}",
        theirs: ["4.2–4.5", "5.4–5.6", "0.9–1.0", "4.1"],
    },
    Beside {
        title: "threads / fds per viewer",
        ours: "{threads_per_viewer} / {fds_per_viewer}",
        theirs: ["0 / 0", "0 / 3", "1 / 4", "10 / 24"],
    },
    Beside {
        title: "offer → first key frame, med / max ms",
        ours: "{key_frame_watched} / {key_frame_watched:max}",
        theirs: ["1134 / 1942", "1087 / 1896", "36 / 61", "1500 / 2456"],
    },
    Beside {
        title: "Chromium first picture, med ms",
        ours: "{chromium_picture}",
        theirs: ["1189", "1086", "271", "–"],
    },
    Beside {
        title: "glass to glass in Chromium, med ms (theirs med / p95)",
        ours: "{glass}",
        theirs: ["30 / 46", "21 / 39", "57 / 85", "–"],
    },
    Beside {
        title: "vanished viewer dropped after, s",
        ours: "{vanished}",
        theirs: ["31", "4.8", "at once", "–"],
    },
    Beside {
        title: "CPU per call / left behind",
        ours: "{churn_cpu} ms / {churn_rss} KiB",
        theirs: ["15 ms / nothing", "12 ms / nothing", "13 ms / nothing", "–"],
    },
];
