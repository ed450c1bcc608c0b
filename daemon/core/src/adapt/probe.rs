//! Finding out whether a way carries more than the small picture needs: more is sent, in steps, up to what the full one would
//! take. Must not know how it is found that a step was too much.

use std::time::{Duration, Instant};

use super::limits::part;

/// Time between two steps, and how much of what is sent each adds, in percent: little enough that what is too much is noticed
/// before the queue in front of a narrow place is full. Well beyond what was too much last, it is another way by now.
const STEP: Duration = Duration::from_millis(700);
const MORE: u32 = 30;
const MORE_BEYOND: u32 = 60;
/// So much of what was too much last is well beyond it, in percent.
const BEYOND: u32 = 150;
/// How long nothing is added after it was too much, at first and at most.
const REST: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(8)];

/// For how long a step is new.
const CLIMBS: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Probe {
    /// What all that is sent is made up to, in kbit/s, and since when; 0: nothing is added.
    padded: u32,
    at: Instant,
    /// What there was before the last step, and what of all of it was too much last.
    before: u32,
    failed: Option<u32>,
    /// When that was.
    pub(super) ended: Option<Instant>,
    /// How long nothing is added after that.
    rest: Duration,
}

impl Probe {
    pub(super) fn new(now: Instant) -> Self {
        Self { padded: 0, at: now, before: 0, failed: None, ended: None, rest: REST[0] }
    }

    /// Whether anything is added.
    pub(super) fn runs(&self) -> bool {
        self.padded > 0
    }

    /// Whether more was added a moment ago. What only stays as it is leaves room for the picture: it is made up to the same.
    pub(super) fn climbs(&self, now: Instant) -> bool {
        self.runs() && now < self.at + CLIMBS
    }

    /// Whether another step may be made.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let rests = self.ended.is_some_and(|then| now < then + self.rest);
        !rests && now >= self.at + STEP
    }

    /// What all of it is made up to from now on, where so many kbit/s are `sent` and do not wait, until it is `enough`.
    pub(super) fn step(&mut self, sent: u32, enough: u32, now: Instant) -> Option<u32> {
        let reached = self.padded.max(sent);
        if reached >= enough {
            return None;
        }
        self.before = reached;
        let is_beyond = self.failed.is_some_and(|failed| reached >= part(failed, BEYOND));
        let more = part(reached, if is_beyond { MORE_BEYOND } else { MORE }) + 10;
        (self.padded, self.at) = ((reached + more).min(enough), now);
        Some(self.padded)
    }

    /// Nothing is added any more, because something else is sent now. `found`: that is what it was for.
    pub(super) fn stop(&mut self, found: bool) {
        self.padded = 0;
        if found {
            (self.failed, self.ended, self.rest) = (None, None, REST[0]);
        }
    }

    /// The same because it was too much, where it ran. What came through before that, in kbit/s.
    pub(super) fn give_up(&mut self, now: Instant) -> Option<u32> {
        if !self.runs() {
            return None;
        }
        self.failed = Some(std::mem::take(&mut self.padded));
        let [first, most] = REST;
        let again = self.ended.is_some_and(|then| now < then + 2 * most);
        self.rest = if again { (self.rest * 2).min(most) } else { first };
        self.ended = Some(now);
        Some(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_through_before_the_step_that_was_too_much_is_gone_back_to_and_not_what_a_still_scene_needed()
    {
        let began = Instant::now();
        let mut probe = Probe::new(began);
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(probe.give_up(began), None, "nothing ran");
        assert_eq!(probe.step(100, 1900, at(1)), Some(140));
        assert_eq!(probe.step(100, 1900, at(2)), Some(192));
        assert_eq!(probe.step(100, 1900, at(3)), Some(259));
        assert_eq!(probe.give_up(at(4)), Some(192));
        assert!(!probe.runs() && !probe.is_due(at(6)) && probe.is_due(at(7)));
        // Half as much again as was too much.
        assert_eq!(probe.step(389, 1900, at(8)), Some(632));
        assert_eq!(probe.give_up(at(9)), Some(389));
        assert!(!probe.is_due(at(14)) && probe.is_due(at(15)), "twice as long");
        probe.stop(true);
        assert_eq!(probe.step(389, 1900, at(16)), Some(515), "what was too much once is forgotten");
    }

    #[test]
    fn what_only_stays_as_it_is_does_not_climb() {
        let began = Instant::now();
        let mut probe = Probe::new(began);
        assert!(!probe.climbs(began));
        assert_eq!(probe.step(1800, 1900, began), Some(1900));
        assert!(probe.climbs(began + Duration::from_millis(2900)));
        assert_eq!(probe.step(1900, 1900, began + Duration::from_secs(3)), None);
        assert!(probe.runs() && !probe.climbs(began + Duration::from_secs(3)));
    }
}
