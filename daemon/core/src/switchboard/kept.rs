//! How much the switchboard keeps. Must not know why.

use super::Switchboard;

/// How much is kept, for tests that check that strangers cannot make it grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Calls that are hung up and not yet closed.
    pub closing: usize,
    /// Candidates without an offer.
    pub early_candidates: usize,
    /// Peers whose offers are counted.
    pub counted_peers: usize,
    /// Peers that gave wrong proofs of late.
    pub doubted_peers: usize,
    /// Proofs that were taken.
    pub taken_proofs: usize,
}

impl Switchboard {
    /// How much is kept.
    pub fn kept(&self) -> Kept {
        Kept {
            closing: self.calls.values().filter(|call| call.is_closing()).count(),
            early_candidates: self.early.len(),
            counted_peers: self.rate.len() + self.player_rate.len() + self.snapshots.counted(),
            doubted_peers: self.door.doubted(),
            taken_proofs: self.door.taken(),
        }
    }
}
