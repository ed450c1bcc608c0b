//! Obeys. Must not know who gives orders: whoever can has been let in.

use std::time::Instant;

use super::Switchboard;
use crate::command::Command;
use crate::order::Order;
use crate::wire::limits::LOOK;

impl Switchboard {
    pub(super) fn obey(&mut self, order: Order, now: Instant) {
        if self.is_stopping() {
            return;
        }
        match order {
            Order::Look {} => self.look(now),
        }
    }

    /// Somebody looks without calling: the camera is opened for it, unless it has just failed.
    fn look(&mut self, now: Instant) {
        if self.capture.may_be_used(now) && self.capture.is_wanted(now + LOOK, now) {
            self.commands.push_back(Command::StartCapture);
        }
    }
}
