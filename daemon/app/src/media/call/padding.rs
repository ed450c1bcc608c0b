//! More traffic than the picture needs, for a while, to find out whether a way carries more. Must not know why.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::again::Again;

/// How often something is added.
const EVERY: Duration = Duration::from_millis(40);

pub struct Padding {
    again: Option<Arc<Again>>,
    /// What all of it is to come to, in kbit/s.
    kbit: u32,
    ticks: Interval,
    last: Instant,
    bytes: u64,
}

impl Padding {
    /// None yet. Without `again` there never is any.
    pub fn new(again: Option<Arc<Again>>) -> Self {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { again, kbit: 0, ticks, last: Instant::now(), bytes: 0 }
    }

    /// What all of it is to come to from now on, in kbit/s; 0: nothing is added.
    pub fn set(&mut self, kbit: u32) {
        if self.kbit == 0 {
            self.bytes = self.sent();
            self.last = Instant::now();
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
        let due = u64::from(self.kbit) * u64::try_from((now - self.last).as_millis()).unwrap_or_default() / 8;
        let sent = self.sent().saturating_sub(self.bytes);
        again.pad(due.saturating_sub(sent));
        (self.last, self.bytes) = (now, self.sent());
    }

    fn sent(&self) -> u64 {
        let Some(again) = &self.again else { return 0 };
        let picture = again.picture().map_or(0, |(_, sent)| sent.bytes.load(Ordering::Relaxed));
        picture + again.bytes()
    }
}
