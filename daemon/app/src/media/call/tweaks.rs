//! What has to be changed on the elements that webrtcbin makes inside itself, as they appear. Must not know calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::again::Again;
use super::reports::Reports;

/// Least time between two reports that something arrived.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// How long a packet is kept for a viewer that has lost it, until it is known how far away it is.
const KEEP: Duration = Duration::from_millis(600);

/// Watches webrtcbin's inner elements: removes the delay that its clocksync adds, bounds what
/// is kept for retransmission, lets `reports` listen, calls `keyed` when both ends have agreed on their keys, and `heard`,
/// at most every half second, when something arrives from the network.
pub fn attach(
    webrtc: &gst::Element,
    again: &Arc<Again>,
    reports: &Arc<Reports>,
    keyed: impl Fn() + Send + Sync + 'static,
    heard: impl Fn() + Send + Sync + 'static,
) {
    let Some(bin) = webrtc.downcast_ref::<gst::Bin>() else { return };
    let (keyed, heard) = (Arc::new(keyed), Arc::new(heard));
    let (again, reports) = (again.clone(), reports.clone());
    bin.connect_deep_element_added(move |_, _, element| {
        let factory = element.factory().map(|f| f.name().to_string()).unwrap_or_default();
        match factory.as_str() {
            // Waits for each frame's time plus the pipeline's latency: 28 ms for nothing, frames are live.
            "clocksync" => element.set_property("sync", false),
            "rtprtxsend" => again.use_element(element, KEEP),
            "rtpsession" => reports.listen(element),
            "nicesrc" => report_arrivals(element, heard.clone()),
            // webrtcbin lets packets through from here on, and says that it is connected later.
            "dtlssrtpenc" => {
                let keyed = keyed.clone();
                element.connect("on-key-set", true, move |_| {
                    keyed();
                    None
                });
            }
            _ => {}
        }
    });
}

fn report_arrivals(source: &gst::Element, heard: Arc<impl Fn() + Send + Sync + 'static>) {
    let Some(pad) = source.static_pad("src") else { return };
    let began = Instant::now();
    // Milliseconds since `began` at which the next report is due.
    let due = AtomicU64::new(0);
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, _| {
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now >= due.load(Ordering::Relaxed) {
            due.store(now + REPORT_EVERY.as_millis() as u64, Ordering::Relaxed);
            heard();
        }
        gst::PadProbeReturn::Ok
    });
}
