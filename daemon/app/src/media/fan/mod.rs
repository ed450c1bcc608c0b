//! What is encoded once goes to every call from here, in packets that are made once too. A frame is handed to each call's
//! gate and sent by a few threads for all of them, so that no viewer slows another or what encodes. Must not know who
//! watches.

mod crew;
mod frame;
mod gate;
mod label;
mod payload;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub use crew::Crew;
use frame::Frame;
pub use gate::{Gate, Word};
pub use label::Label;
pub use payload::payload;
#[cfg(test)]
pub use payload::tests as payload_tests;
use waiting::Taken;

/// What one encoding gives. Cheap to clone; clones are equal, and nothing else is.
#[derive(Clone)]
pub struct Fan(Arc<Inner>);

struct Inner {
    number: u64,
    /// It is the camera's own encoding.
    cameras: AtomicBool,
    gates: Mutex<Vec<Weak<gate::Shared>>>,
    /// Somebody wants a key frame.
    hear: Box<dyn Fn() + Send + Sync>,
    /// What its packets come from.
    #[cfg(test)]
    payloader: gst::glib::WeakRef<gst::Element>,
}

impl Fan {
    /// One that nobody draws from yet. `hear` is called, on any thread, when somebody wants a key frame.
    fn new(hear: impl Fn() + Send + Sync + 'static) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner {
            number,
            cameras: AtomicBool::new(false),
            gates: Mutex::default(),
            hear: Box::new(hear),
            #[cfg(test)]
            payloader: gst::glib::WeakRef::new(),
        }))
    }

    /// The pipeline that its packets come from.
    #[cfg(test)]
    pub fn pipeline(&self) -> Option<gst::Bin> {
        use gst::prelude::*;
        self.0.payloader.upgrade()?.parent().and_downcast()
    }

    /// It is the camera's own encoding: whatever is made of that begins with a key frame of the camera's, too.
    pub fn is_from_the_camera(&self) {
        self.0.cameras.store(true, Ordering::Relaxed);
    }

    /// Whether it is the camera's own encoding.
    pub fn is_the_camera_s(&self) -> bool {
        self.0.cameras.load(Ordering::Relaxed)
    }

    /// Hands a frame to everybody. Never waits for any of them.
    fn give(&self, mut frame: Frame) {
        frame.source = self.0.number;
        let frame = Arc::new(frame);
        let mut wishes = false;
        self.gates().retain(|gate| {
            let taken = gate.upgrade().map_or(Taken::NotMine, |gate| gate.take(&frame));
            wishes |= taken == Taken::WantsKey;
            taken != Taken::NotMine
        });
        if wishes {
            self.wish();
        }
    }

    fn number(&self) -> u64 {
        self.0.number
    }

    /// Somebody wants a key frame.
    fn wish(&self) {
        (self.0.hear)();
    }

    fn add(&self, gate: &Arc<gate::Shared>) {
        let mut gates = self.gates();
        if !gates.iter().any(|other| other.as_ptr() == Arc::as_ptr(gate)) {
            gates.push(Arc::downgrade(gate));
        }
        drop(gates);
        // It begins with one.
        self.wish();
    }

    fn remove(&self, gate: &Arc<gate::Shared>) {
        self.gates().retain(|other| other.strong_count() > 0 && other.as_ptr() != Arc::as_ptr(gate));
    }

    fn gates(&self) -> MutexGuard<'_, Vec<Weak<gate::Shared>>> {
        self.0.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Fan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Fan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fan({})", self.0.number)
    }
}

#[cfg(test)]
#[path = "../fan_tests.rs"]
pub mod tests;
