//! How often each peer has called of late. Must not know what its offers said.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::ids::PeerId;
use crate::wire::limits::{COUNTED_PEERS, OFFER_WINDOW, OFFERS_PER_WINDOW};

/// The moments of the last offers, by peer. Peers without a name share one count.
#[derive(Debug, Default)]
pub(super) struct OfferRate {
    peers: BTreeMap<Option<PeerId>, VecDeque<Instant>>,
}

impl OfferRate {
    /// Counts an offer. `false`: one too many; it is not counted, so that a peer which slows down is heard again.
    pub(super) fn admits(&mut self, from: &Option<PeerId>, now: Instant) -> bool {
        if !self.peers.contains_key(from) && self.peers.len() >= COUNTED_PEERS {
            self.forget_one();
        }
        let moments = self.peers.entry(from.clone()).or_default();
        while moments.front().is_some_and(|first| *first + OFFER_WINDOW <= now) {
            moments.pop_front();
        }
        let admits = moments.len() < OFFERS_PER_WINDOW;
        if admits {
            moments.push_back(now);
        }
        admits
    }

    /// How many peers are counted; never more than [`COUNTED_PEERS`].
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Forgets the peer heard of longest ago.
    fn forget_one(&mut self) {
        let oldest =
            self.peers.iter().min_by_key(|(_, moments)| moments.back()).map(|(from, _)| from.clone());
        if let Some(oldest) = oldest {
            self.peers.remove(&oldest);
        }
    }
}
