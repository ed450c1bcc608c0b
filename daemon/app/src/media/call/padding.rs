//! More traffic than the picture needs, for a while, to find out whether a way carries more. Must not know why.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::again::Again;

/// How often something is added.
const EVERY: Duration = Duration::from_millis(40);
/// What was sent beyond what is due in so long is forgotten.
const FORGIVEN: Duration = Duration::from_millis(500);

pub struct Padding {
    again: Option<Arc<Again>>,
    /// What all of it is to come to, in kbit/s.
    kbit: u32,
    ticks: Interval,
    last: Instant,
    bytes: u64,
    owed: Owed,
}

/// What is still to be sent, in bytes; less than nothing after a large frame, so that the next moments make up for it.
#[derive(Debug, Default)]
struct Owed(i64);

impl Owed {
    /// How much is to be added after a moment in which so much was sent in all.
    fn after(&mut self, kbit: u32, time: Duration, sent: u64) -> u64 {
        let of = |time: Duration| i64::from(kbit) * i64::try_from(time.as_millis()).unwrap_or(i64::MAX) / 8;
        let sent = i64::try_from(sent).unwrap_or(i64::MAX);
        // No more than is due in two moments is made up for at once, and what was sent long ago is no reason to wait.
        self.0 = self.0.saturating_add(of(time)).saturating_sub(sent).clamp(-of(FORGIVEN), of(2 * EVERY));
        u64::try_from(self.0).unwrap_or_default()
    }
}

impl Padding {
    /// None yet. Without `again` there never is any.
    pub fn new(again: Option<Arc<Again>>) -> Self {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { again, kbit: 0, ticks, last: Instant::now(), bytes: 0, owed: Owed::default() }
    }

    /// What all of it is to come to from now on, in kbit/s; 0: nothing is added.
    pub fn set(&mut self, kbit: u32) {
        if self.kbit == 0 {
            self.bytes = self.sent();
            self.last = Instant::now();
            self.owed = Owed::default();
            self.ticks.reset();
        }
        self.kbit = kbit;
    }

    /// Adds what is due, and is ready for more after a moment; for ever where nothing is to be added.
    pub async fn tick(&mut self) {
        let Some(again) = self.again.as_ref().filter(|_| self.kbit > 0) else {
            return std::future::pending().await;
        };
        let now = self.ticks.tick().await;
        // What was added the last time is among it.
        let sent = self.sent();
        let owed = self.owed.after(self.kbit, now - self.last, sent.saturating_sub(self.bytes));
        (self.last, self.bytes) = (now, sent);
        again.pad(owed);
    }

    fn sent(&self) -> u64 {
        let Some(again) = &self.again else { return 0 };
        let picture = again.picture().map_or(0, |(_, sent)| sent.bytes.load(Ordering::Relaxed));
        picture + again.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_frame_is_made_up_for_so_that_all_of_it_comes_to_what_it_should() {
        let mut owed = Owed::default();
        let (mut all, mut added) = (0, 0);
        // Every second moment a frame of 300 kbit/s; each is 40 ms long.
        for moment in 0..250 {
            let frame = if moment % 2 == 0 { 3000 } else { 0 };
            all += frame + added;
            added = owed.after(400, EVERY, frame + added);
        }
        // 400 kbit/s for ten seconds.
        assert!((495_000..=505_000).contains(&all), "{all} bytes");
    }

    #[test]
    fn what_was_sent_long_ago_is_no_reason_to_wait_and_nothing_is_made_up_for_in_one_heap() {
        let mut owed = Owed::default();
        assert_eq!(owed.after(400, EVERY, 1_000_000), 0);
        let waits = (1..100).take_while(|_| owed.after(400, EVERY, 0) == 0).count();
        assert_eq!(waits, 12, "half a second");
        assert_eq!(owed.after(400, Duration::from_secs(60), 0), 4000);
    }
}
