//! What the relay has to say about itself, for `/healthz`, `/metrics` and `porthole status`. Must not know who is counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::metrics;

/// What the relay has to say about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Peers in the rooms, our own camera not counted.
    pub peers: usize,
    /// Those of them that are cameras.
    pub cameras: usize,
    /// Refused messages of strangers so far, by word.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Events that found the desk too far behind, so far.
    pub lost: u64,
}

impl metrics::Figures for Figures {
    fn write(&self, page: &mut metrics::Page) {
        page.gauge("relay_peers", "Peers in the rooms, our own camera not counted", None, self.peers as f64);
        page.gauge("relay_cameras", "Cameras among them", None, self.cameras as f64);
        let help = "Messages that the relay has refused, by the word of why";
        page.counters("relay_refusals", help, "reason", &metrics::from_the_start(&self.refusals));
        page.counter("relay_lost", "Events that found the daemon too far behind", None, self.lost as f64);
    }
}
