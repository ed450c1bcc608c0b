//! The gates of one call, which open together once it is connected. Must not know what goes through them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::fan::Gate;

/// All gates of a call.
#[derive(Default)]
pub struct Gates {
    open: AtomicBool,
    all: OnceLock<Vec<Gate>>,
}

impl Gates {
    /// These are they.
    pub fn set(&self, all: Vec<Gate>) {
        // A call is built once.
        let _ = self.all.set(all);
    }

    /// Whether the call is connected.
    pub fn are_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Opens them. Answers, where they were shut, whether one has to wait for a key frame.
    pub fn open(&self) -> Option<bool> {
        let shut = !self.open.swap(true, Ordering::Relaxed);
        shut.then(|| self.all.get().into_iter().flatten().fold(false, |waits, gate| waits | gate.open()))
    }
}
