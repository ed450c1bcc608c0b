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

    /// Opens them. Answers whether they were shut.
    pub fn open(&self) -> bool {
        let shut = !self.open.swap(true, Ordering::Relaxed);
        if shut {
            self.all.get().into_iter().flatten().for_each(Gate::open);
        }
        shut
    }
}
