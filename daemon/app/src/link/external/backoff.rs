//! How long to wait between attempts: soon at first, then at a steady pace for as long as it takes. Must not know
//! clocks, nor what is attempted.

use std::time::Duration;

/// The first wait, at least.
const FIRST: Duration = Duration::from_millis(500);
/// The waits grow to this, so that a call works within five seconds of the relay's return.
const LONGEST: Duration = Duration::from_millis(3200);
/// A wait is up to this part longer, so that the cameras of a house do not knock all at once.
const JITTER: f64 = 0.25;

/// Counts attempts. There is no last one.
#[derive(Debug, Default)]
pub struct Backoff {
    failed: u32,
}

impl Backoff {
    /// The wait before the next attempt; `random` is from 0 up to 1.
    pub fn next(&mut self, random: f64) -> Duration {
        let growth = 2_u32.saturating_pow(self.failed);
        self.failed = self.failed.saturating_add(1);
        let wait = FIRST.saturating_mul(growth).min(LONGEST);
        wait.mul_f64(1.0 + JITTER * random.clamp(0.0, 1.0))
    }

    /// The relay has kept us for a while: the next wait is a first one again.
    pub fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(backoff: &mut Backoff, random: f64) -> u128 {
        backoff.next(random).as_millis()
    }

    #[test]
    fn waits_grow_to_the_longest_and_stay_there_for_ever() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..6).map(|_| millis(&mut backoff, 0.0)).collect();
        assert_eq!(waits, [500, 1000, 2000, 3200, 3200, 3200]);
        for _ in 0..100_000 {
            assert_eq!(millis(&mut backoff, 0.0), 3200);
        }
        backoff.failed = u32::MAX;
        assert_eq!(millis(&mut backoff, 0.0), 3200);
    }

    #[test]
    fn chance_makes_a_wait_longer_and_never_shorter_nor_longer_than_four_seconds() {
        let mut backoff = Backoff::default();
        assert_eq!(millis(&mut backoff, 0.5), 562);
        assert_eq!(millis(&mut Backoff { failed: 99 }, 1.0), 4000);
        assert_eq!(millis(&mut Backoff { failed: 99 }, f64::INFINITY), 4000);
        assert_eq!(millis(&mut Backoff { failed: 99 }, -7.0), 3200);
    }

    #[test]
    fn after_a_good_while_the_waits_start_anew() {
        let mut backoff = Backoff { failed: 7 };
        backoff.reset();
        assert_eq!(millis(&mut backoff, 0.0), 500);
    }
}
