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

#[derive(Debug)]
pub(super) struct Probe {
    /// What all that is sent is made up to, in kbit/s, and since when; 0: nothing is added.
    padded: u32,
    at: Instant,
    /// What was sent before anything was added, and what of all of it was too much last.
    bare: u32,
    failed: Option<u32>,
    /// When that was.
    pub(super) ended: Option<Instant>,
    /// How long nothing is added after that.
    rest: Duration,
}

impl Probe {
    pub(super) fn new(now: Instant) -> Self {
        Self { padded: 0, at: now, bare: 0, failed: None, ended: None, rest: REST[0] }
    }

    /// Whether anything is added.
    pub(super) fn runs(&self) -> bool {
        self.padded > 0
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
        if !self.runs() {
            self.bare = sent;
        }
        let is_beyond = self.failed.is_some_and(|failed| reached >= part(failed, BEYOND));
        let more = part(reached, if is_beyond { MORE_BEYOND } else { MORE }) + 10;
        (self.padded, self.at) = ((reached + more).min(enough), now);
        Some(self.padded)
    }

    /// Nothing is added any more, because something else is sent now.
    pub(super) fn stop(&mut self) {
        self.padded = 0;
    }

    /// The same because it was too much, where it ran. What was sent before, in kbit/s.
    pub(super) fn give_up(&mut self, now: Instant) -> Option<u32> {
        if !self.runs() {
            return None;
        }
        self.failed = Some(std::mem::take(&mut self.padded));
        let [first, most] = REST;
        let again = self.ended.is_some_and(|then| now < then + 2 * most);
        self.rest = if again { (self.rest * 2).min(most) } else { first };
        self.ended = Some(now);
        Some(self.bare)
    }
}
