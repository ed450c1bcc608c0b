//! Bounds how much one place in the program logs, and says how much was left out: a fault that repeats itself must not fill
//! the disk of a board, nor hide what else happens. Must not know where lines go.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{Level, Log, Metadata, Record};

/// Lines that one place may log at once.
const AT_ONCE: u32 = 100;
/// And then each second.
const EACH_SECOND: u32 = 5;
/// How often it is looked for places that have fallen silent with lines left out.
const ROUND: Duration = Duration::from_secs(5);

/// A place in the program: module, line and level. There are only so many.
type Site = (Option<&'static str>, Option<u32>, Level);

/// Passes lines on, within bounds for each place.
pub struct Bounded<L> {
    inner: L,
    tallies: Mutex<Tallies>,
}

#[derive(Default)]
struct Tallies {
    sites: HashMap<Site, Tally>,
    /// When it was last looked for what was left out.
    round: Option<Instant>,
}

struct Tally {
    /// Lines that may still be logged, in as much time as they take to come back.
    credit: Duration,
    seen: Instant,
    left_out: u64,
    since: Instant,
}

/// How much was left out of a place.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    site: Site,
    lines: u64,
    within: Duration,
}

impl<L: Log> Bounded<L> {
    /// Passes on to `inner`.
    pub fn new(inner: L) -> Self {
        Self { inner, tallies: Mutex::default() }
    }

    fn log_at(&self, record: &Record<'_>, now: Instant) {
        let site = (record.module_path_static(), record.line(), record.level());
        let (passes, left_out) = {
            let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
            let passes = tallies.passes(site, now);
            (passes, tallies.round(passes.then_some(site), now))
        };
        for left_out in left_out {
            self.say(&left_out);
        }
        if passes {
            self.inner.log(record);
        }
    }

    fn say(&self, left_out: &LeftOut) {
        let (module, line, level) = left_out.site;
        let (lines, seconds) = (left_out.lines, left_out.within.as_secs().max(1));
        // The place is found again by what was logged from it last.
        self.inner.log(
            &Record::builder()
                .level(level)
                .target(env!("CARGO_PKG_NAME"))
                .module_path_static(module)
                .line(line)
                .args(format_args!(
                    "{lines} more lines like those of {} were left out within {seconds} s",
                    module.unwrap_or("calls and relay")
                ))
                .build(),
        );
    }
}

impl<L: Log> Log for Bounded<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.log_at(record, Instant::now());
    }

    fn flush(&self) {
        let left_out = self.tallies.lock().unwrap_or_else(PoisonError::into_inner).all(Instant::now());
        for left_out in left_out {
            self.say(&left_out);
        }
        self.inner.flush();
    }
}

impl Tallies {
    /// Whether a line of this place may be logged.
    fn passes(&mut self, site: Site, now: Instant) -> bool {
        let price = Duration::from_secs(1) / EACH_SECOND;
        let full = price * AT_ONCE;
        let tally =
            self.sites.entry(site).or_insert(Tally { credit: full, seen: now, left_out: 0, since: now });
        tally.credit = (tally.credit + now.saturating_duration_since(tally.seen)).min(full);
        tally.seen = now;
        if let Some(rest) = tally.credit.checked_sub(price) {
            tally.credit = rest;
            return true;
        }
        if tally.left_out == 0 {
            tally.since = now;
        }
        tally.left_out += 1;
        false
    }

    /// What was left out of the place that may log again, and now and then of all others.
    fn round(&mut self, site: Option<Site>, now: Instant) -> Vec<LeftOut> {
        if self.round.is_none_or(|last| now.saturating_duration_since(last) >= ROUND) {
            self.round = Some(now);
            return self.all(now);
        }
        site.and_then(|site| self.take(site, now)).into_iter().collect()
    }

    fn all(&mut self, now: Instant) -> Vec<LeftOut> {
        let mut sites: Vec<_> = self.sites.keys().copied().collect();
        sites.sort_unstable();
        sites.into_iter().filter_map(|site| self.take(site, now)).collect()
    }

    fn take(&mut self, site: Site, now: Instant) -> Option<LeftOut> {
        let tally = self.sites.get_mut(&site)?;
        let lines = std::mem::take(&mut tally.left_out);
        let within = now.saturating_duration_since(tally.since);
        (lines > 0).then_some(LeftOut { site, lines, within })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_logs_now_and_then_is_never_bounded() {
        let log = Bounded::new(Paper::default());
        let start = Instant::now();
        for second in 0..1000 {
            log.say_from(7, start + Duration::from_secs(second));
        }
        assert_eq!(log.lines(), vec!["line 7"; 1000]);
    }

    #[test]
    fn a_flood_from_one_place_is_cut_and_counted_and_hides_nobody_else() {
        let log = Bounded::new(Paper::default());
        let start = Instant::now();
        for _ in 0..10_000 {
            log.say_from(7, start);
        }
        log.say_from(8, start);
        let mut expected = vec!["line 7"; AT_ONCE as usize];
        expected.push("line 8");
        assert_eq!(log.lines(), expected);
        log.say_from(7, start + Duration::from_secs(1));
        assert_eq!(
            log.lines()[expected.len()..],
            ["9900 more lines like those of place were left out within 1 s", "line 7"]
        );
    }

    #[test]
    fn a_flood_that_goes_on_is_as_much_as_is_allowed() {
        let log = Bounded::new(Paper::default());
        let start = Instant::now();
        for millisecond in 0..60_000 {
            log.say_from(7, start + Duration::from_millis(millisecond));
        }
        let lines = log.lines();
        let passed = lines.iter().filter(|line| *line == "line 7").count();
        assert!((395..=405).contains(&passed), "100 at once and 5 each second: {passed}");
        let said = lines.len() - passed;
        assert!(said <= passed, "{said} words about what was left out");
    }

    #[test]
    fn a_flood_that_ended_is_told_by_whoever_logs_next_or_at_the_end() {
        let log = Bounded::new(Paper::default());
        let start = Instant::now();
        for _ in 0..=AT_ONCE {
            log.say_from(7, start);
        }
        log.say_from(8, start + ROUND);
        let told = "1 more lines like those of place were left out within 5 s";
        assert_eq!(log.lines()[AT_ONCE as usize..], [told, "line 8"]);
        for _ in 0..=AT_ONCE {
            log.say_from(9, start + ROUND);
        }
        log.flush();
        assert!(log.lines().last().unwrap().starts_with("1 more lines"), "{:?}", log.lines().last());
        let before = log.lines().len();
        log.flush();
        assert_eq!(log.lines().len(), before, "told once");
    }

    impl Bounded<Paper> {
        fn say_from(&self, line: u32, now: Instant) {
            self.log_at(
                &Record::builder()
                    .level(Level::Info)
                    .module_path_static(Some("place"))
                    .line(Some(line))
                    .args(format_args!("line {line}"))
                    .build(),
                now,
            );
        }

        fn lines(&self) -> Vec<String> {
            self.inner.0.lock().unwrap().clone()
        }
    }

    #[derive(Default)]
    struct Paper(Mutex<Vec<String>>);

    impl Log for Paper {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            self.0.lock().unwrap().push(record.args().to_string());
        }

        fn flush(&self) {}
    }
}
