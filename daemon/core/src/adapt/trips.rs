//! How long what is sent waits in front of a narrow place: by so much a round trip takes longer than the shortest of
//! late. Must not know what follows from it.

use std::time::{Duration, Instant};

/// A wait as long as this is long.
const LONG: Duration = Duration::from_millis(150);
/// What was the shortest for longer than this is forgotten: the way may be another one by now.
const LATE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Trips {
    last: Option<Duration>,
    least: Option<Duration>,
    /// The shortest since then.
    since: Option<(Instant, Duration)>,
    /// Since when all waits are long.
    long: Option<Instant>,
}

impl Trips {
    pub(super) fn hear(&mut self, trip: Duration, now: Instant) {
        let (then, least) = self.since.unwrap_or((now, trip));
        let least = least.min(trip);
        let old = now >= then + LATE;
        self.since = Some(if old { (now, trip) } else { (then, least) });
        self.least = Some(if old { least } else { self.least.map_or(trip, |shortest| shortest.min(trip)) });
        self.last = Some(trip);
        let long = self.waits().is_some_and(|waits| waits >= LONG);
        self.long = long.then(|| self.long.unwrap_or(now));
    }

    /// Whether waits have been long for that time; one trip alone may be long because somebody was busy.
    pub(super) fn are_long_for(&self, time: Duration, now: Instant) -> bool {
        self.long.is_some_and(|then| now >= then + time)
    }

    /// `None`: no trip was heard of.
    pub(super) fn waits(&self) -> Option<Duration> {
        Some(self.last?.saturating_sub(self.least?))
    }
}
