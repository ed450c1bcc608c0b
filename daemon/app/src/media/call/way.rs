//! Which way a call takes, asked of webrtcbin's statistics. Must not know what is made of it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::path::{End, Path};

use super::super::Events;

/// What webrtcbin has been asked of one call and has not answered yet.
///
/// GStreamer 1.22.0 empties an RTP session's table of sources, when it stops, without the lock that the statistics are made
/// under (mended by its merge request 4528): whoever stops a call waits for them, and nobody asks after that.
#[derive(Default)]
pub struct Inquiries {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    open: usize,
    closed: bool,
}

/// One of them; over when this is dropped.
struct Inquiry(Arc<Inquiries>);

impl Inquiries {
    fn begin(self: &Arc<Self>) -> Option<Inquiry> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.open += 1;
        Some(Inquiry(self.clone()))
    }

    /// Lets nobody ask any more, and waits for what is not answered yet. Answers whether all of it was in time.
    pub fn close(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        state.closed = true;
        let waited = self.answered.wait_timeout_while(state, limit, |state| state.open > 0);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inquiry {
    fn drop(&mut self) {
        self.0.lock().open -= 1;
        self.0.answered.notify_all();
    }
}

/// Finds out which way this call takes, and reports it where there is one.
pub fn report(webrtc: &gst::Element, call: CallId, events: &Events, inquiries: &Arc<Inquiries>) {
    let Some(inquiry) = inquiries.begin() else { return };
    let events = events.clone();
    let promise = gst::Promise::with_change_func(move |reply| {
        drop(inquiry);
        if let Ok(Some(stats)) = reply
            && let Some(path) = path(stats)
        {
            log::debug!(call = call.0; "reached {}", path.sentence());
            events.send(MediaEvent::Reached { call, path });
        }
    });
    webrtc.emit_by_name::<()>("get-stats", &[&None::<gst::Pad>, &promise]);
}

/// The way of the pair that is used.
fn path(stats: &gst::StructureRef) -> Option<Path> {
    let entry = |name: &str| stats.get::<gst::Structure>(name).ok();
    let pair = stats.fields().find_map(|field| {
        let pair = entry(field)?;
        pair.has_field("local-candidate-id").then_some(pair)
    })?;
    let candidate = |of: &str| entry(pair.get::<&str>(of).ok()?);
    let (ours, theirs) = (candidate("local-candidate-id")?, candidate("remote-candidate-id")?);
    Some(Path::between(end(&ours)?, end(&theirs)?))
}

fn end(candidate: &gst::StructureRef) -> Option<End<'_>> {
    let kind = candidate.get::<&str>("candidate-type").ok()?;
    Some(End {
        kind,
        address: candidate.get::<&str>("address").ok().and_then(|address| address.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stops_a_call_waits_for_what_was_asked_and_nobody_asks_after_that() {
        let inquiries = Arc::<Inquiries>::default();
        let first = inquiries.begin().unwrap();
        assert!(!inquiries.close(Duration::ZERO), "one is not answered");
        assert!(inquiries.begin().is_none());
        let closing = std::thread::spawn({
            let inquiries = inquiries.clone();
            move || inquiries.close(Duration::from_secs(600))
        });
        drop(first);
        assert!(closing.join().unwrap());
    }
}
