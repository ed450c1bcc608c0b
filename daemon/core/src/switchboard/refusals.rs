//! Refusals, counted by word, and how many of them the log may tell one by one. Must not know why anything was
//! refused.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Switchboard;
use crate::command::{Command, Level, Note};
use crate::ids::PeerId;
use crate::wire::Reason;
use crate::wire::limits::{REFUSAL_NOTES, REFUSAL_NOTES_WINDOW};

/// The counts, and the window of the log.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: BTreeMap<&'static str, u64>,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    told: usize,
    untold: u64,
}

impl Refusals {
    /// Counts a refusal that nobody is told of.
    pub(super) fn count(&mut self, reason: Reason) {
        let count = self.counts.entry(reason.word()).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether the log may tell the refusal that has just been counted. [`Self::handle_timeout`] comes first where
    /// a window has ended.
    pub(super) fn may_be_told(&mut self, now: Instant) -> bool {
        let window =
            self.window.get_or_insert(Window { ends: now + REFUSAL_NOTES_WINDOW, told: 0, untold: 0 });
        let may = window.told < REFUSAL_NOTES;
        if may {
            window.told += 1
        } else {
            window.untold += 1
        }
        may
    }

    /// How many refusals of a window that has just ended were not told.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<u64> {
        let ended = self.window.take_if(|window| window.ends <= now)?;
        (ended.untold > 0).then_some(ended.untold)
    }

    /// When there is a sum to be told.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.window.as_ref().filter(|window| window.untold > 0).map(|window| window.ends)
    }

    /// The counts, by word.
    pub(super) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }
}

impl Switchboard {
    /// Counts a refusal and tells the log, unless the log has been told of many lately.
    pub(super) fn count_refusal(&mut self, peer: Option<PeerId>, reason: Reason, now: Instant) {
        self.tell_untold_refusals(now);
        self.refusals.count(reason);
        if self.refusals.may_be_told(now) {
            self.commands.push_back(Command::Note(Note::refusal(peer, reason)));
        }
    }

    pub(super) fn tell_untold_refusals(&mut self, now: Instant) {
        if let Some(untold) = self.refusals.handle_timeout(now) {
            self.note(Level::Info, None, None, format!("{untold} more refusals"));
        }
    }
}
