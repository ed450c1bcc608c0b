//! How often each peer, or each key, has called of late. Must not know what its offers said.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::wire::limits::{COUNTED_PEERS, OFFER_WINDOW, OFFERS_PER_WINDOW};

/// The moments of the last offers, by whoever made them.
#[derive(Debug)]
pub(super) struct OfferRate<Who> {
    callers: BTreeMap<Who, VecDeque<Instant>>,
    most: usize,
}

impl<Who> Default for OfferRate<Who> {
    fn default() -> Self {
        Self::at_most(OFFERS_PER_WINDOW)
    }
}

impl<Who> OfferRate<Who> {
    /// So many within [`OFFER_WINDOW`].
    pub(super) fn at_most(most: usize) -> Self {
        Self { callers: BTreeMap::new(), most }
    }
}

impl<Who: Ord + Clone> OfferRate<Who> {
    /// Counts an offer. `false`: one too many; it is not counted, so that whoever slows down is heard again.
    pub(super) fn admits(&mut self, who: &Who, now: Instant) -> bool {
        if !self.callers.contains_key(who) && self.callers.len() >= COUNTED_PEERS {
            self.forget_one();
        }
        let moments = self.callers.entry(who.clone()).or_default();
        while moments.front().is_some_and(|first| *first + OFFER_WINDOW <= now) {
            moments.pop_front();
        }
        let admits = moments.len() < self.most;
        if admits {
            moments.push_back(now);
        }
        admits
    }

    /// How many are counted; never more than [`COUNTED_PEERS`].
    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    /// Forgets the one heard of longest ago.
    fn forget_one(&mut self) {
        let oldest =
            self.callers.iter().min_by_key(|(_, moments)| moments.back()).map(|(who, _)| who.clone());
        if let Some(oldest) = oldest {
            self.callers.remove(&oldest);
        }
    }
}
