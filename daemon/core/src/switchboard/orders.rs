//! Obeys. Must not know who gives orders: whoever can has been let in.

use std::time::Instant;

use super::Switchboard;
use crate::order::Order;
use crate::wire::limits::LOOK;

impl Switchboard {
    pub(super) fn obey(&mut self, order: Order, now: Instant) {
        if self.is_stopping() {
            return;
        }
        match order {
            Order::Look {} => self.look(now),
            Order::Privacy { on } => self.switch_privacy(on),
            Order::Play { file, volume } => self.play(file, volume, now),
            Order::StopPlaying {} => self.stop_playing(),
        }
    }

    /// Somebody looks without calling: the camera is opened for it.
    fn look(&mut self, now: Instant) {
        if !self.privacy && self.capture.is_wanted(now + LOOK, now) {
            self.start_capture(now);
        }
    }
}
