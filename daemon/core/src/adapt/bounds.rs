//! How much an encoding may take for those who get it, and its way up and down within that. Must not know why it goes.

use std::time::Instant;

use super::limits::{FAIR, part};
use super::rate::Rate;
use super::{Change, Policy, STRIDES, Way};
use crate::ids::{CallId, Rendition};

impl Policy {
    /// The bitrate of an encoding, in kbit/s.
    pub fn bitrate(&self, rendition: Rendition) -> u32 {
        self.rates.get(&rendition).map_or_else(|| self.usual(rendition), |rate| rate.kbit)
    }

    pub(super) fn usual(&self, rendition: Rendition) -> u32 {
        if rendition.is_small() { self.limits.begin } else { self.limits.most }
    }

    /// The most that it may take. Whoever takes little presses the small picture, which is there for that; the full one, which
    /// it gets where no small one can be made, no further than is fair to those who take more.
    pub(super) fn bound(&self, rendition: Rendition) -> u32 {
        let takes = || self.ways_of(rendition).map(|way| way.takes);
        let least = takes().min().unwrap_or(u32::MAX);
        if rendition.is_small() {
            return self.limits.small[1].min(least);
        }
        let fair = part(self.limits.most, FAIR).min(takes().max().unwrap_or(u32::MAX));
        self.limits.most.min(least.max(fair))
    }

    /// A viewer takes less than is made of what it gets.
    pub(super) fn bind(&mut self, call: CallId, now: Instant) -> Option<Change> {
        let rendition = self.rendition(call)?;
        let bound = self.bound(rendition);
        if self.bitrate(rendition) > bound { self.set(rendition, bound, now) } else { None }
    }

    /// What the small picture is raised to: quickly up to what browsers think that is enough, and by little beyond that.
    pub(super) fn stride(&self, small: Rendition, current: u32) -> u32 {
        let believed = self.ways_of(small).filter_map(|way| way.estimate).min();
        let [quick, slow] = STRIDES.map(|percent| current + part(current, percent).max(1));
        believed.map_or(quick, |kbit| kbit.clamp(slow, quick))
    }

    pub(super) fn raise(&mut self, rendition: Rendition, kbit: u32, now: Instant) -> Option<Change> {
        let before = self.bitrate(rendition);
        let rate = self.rates.entry(rendition).or_insert_with(|| Rate::new(before, now));
        rate.raise(kbit, now).then_some(Change::Bitrate(rendition, kbit))
    }

    pub(super) fn set(&mut self, rendition: Rendition, kbit: u32, now: Instant) -> Option<Change> {
        if self.fixed.contains(&rendition) {
            return None;
        }
        let before = self.bitrate(rendition);
        let rate = self.rates.entry(rendition).or_insert_with(|| Rate::new(before, now));
        rate.lower(kbit, now);
        (kbit != before).then_some(Change::Bitrate(rendition, kbit))
    }

    /// The ways to those who get an encoding.
    pub(super) fn ways_of(&self, rendition: Rendition) -> impl Iterator<Item = &Way> {
        self.ways.values().filter(move |way| way.rendition() == Some(rendition))
    }
}
