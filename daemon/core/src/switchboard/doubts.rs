//! Peers that have given wrong proofs, and for how long each is not listened to. Must not know what a proof is, and is
//! only told of peers for whom the relay vouches: anybody can pretend to be any other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ids::PeerId;
use crate::wire::limits::{COUNTED_PEERS, DOUBT, DOUBT_MOST};

/// A bounded number of them.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    peers: BTreeMap<PeerId, Doubt>,
}

#[derive(Debug)]
struct Doubt {
    until: Instant,
    /// For how long the next one is.
    next: Duration,
}

impl Doubts {
    /// Whether this peer is not listened to.
    pub(super) fn about(&self, peer: &PeerId, now: Instant) -> bool {
        self.peers.get(peer).is_some_and(|doubt| now < doubt.until)
    }

    /// It was wrong.
    pub(super) fn cast(&mut self, peer: &PeerId, now: Instant) {
        self.peers.retain(|_, doubt| now < doubt.until + DOUBT_MOST);
        if !self.peers.contains_key(peer) && self.peers.len() >= COUNTED_PEERS {
            let first = self.peers.iter().min_by_key(|(_, doubt)| doubt.until).map(|(peer, _)| peer.clone());
            first.and_then(|peer| self.peers.remove(&peer));
        }
        let doubt = self.peers.entry(peer.clone()).or_insert(Doubt { until: now, next: DOUBT });
        doubt.until = now + doubt.next;
        doubt.next = (2 * doubt.next).min(DOUBT_MOST);
    }

    /// It was right.
    pub(super) fn dispel(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// How many there are; never more than [`COUNTED_PEERS`].
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }
}
