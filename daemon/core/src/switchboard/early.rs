//! Candidates that overtook their offer. Must not know calls: only what tells whose a candidate is.

use std::time::Instant;

use crate::ids::{CallTag, PeerId};
use crate::wire::Candidate;
use crate::wire::limits::{EARLY_CANDIDATE_LIFE, EARLY_CANDIDATES};

/// What tells one attempt from another: names where there are any, else the ufrag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The viewer, where it has a name.
    pub(super) from: Option<PeerId>,
    /// Its own id for the attempt, where it has one.
    pub(super) tag: Option<CallTag>,
    /// `a=ice-ufrag`, where it is known.
    pub(super) ufrag: Option<String>,
}

impl Mark {
    /// Whether both mark the same attempt. A side that names no peer leaves that to the rest.
    pub(super) fn fits(&self, other: &Self) -> bool {
        if self.from.is_some() && other.from.is_some() && self.from != other.from {
            return false;
        }
        if let (Some(mine), Some(other)) = (&self.tag, &other.tag) {
            return mine == other;
        }
        match (&self.ufrag, &other.ufrag) {
            (Some(mine), Some(other)) => mine == other,
            _ => self.from == other.from,
        }
    }
}

/// A bounded number of them, each for a bounded time.
#[derive(Debug, Default)]
pub(super) struct EarlyCandidates {
    waiting: Vec<(Instant, Mark, Option<Candidate>)>,
}

impl EarlyCandidates {
    /// Keeps one. `false`: there are too many already.
    pub(super) fn keep(&mut self, mark: Mark, candidate: Option<Candidate>, now: Instant) -> bool {
        let room = self.waiting.len() < EARLY_CANDIDATES;
        if room {
            self.waiting.push((now + EARLY_CANDIDATE_LIFE, mark, candidate));
        }
        room
    }

    /// Takes those of one attempt out, in the order in which they came.
    pub(super) fn take(&mut self, mark: &Mark) -> Vec<Option<Candidate>> {
        self.waiting.extract_if(.., |(_, its, _)| its.fits(mark)).map(|(_, _, candidate)| candidate).collect()
    }

    /// Drops those whose offer did not come.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.waiting.retain(|(until, _, _)| now < *until);
    }

    /// When the next one is dropped.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.waiting.first().map(|(until, _, _)| *until)
    }

    /// How many wait; never more than [`EARLY_CANDIDATES`].
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
