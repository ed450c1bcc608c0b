//! Which way a call takes, asked of webrtcbin's statistics. Must not know what is made of it.

use gst::prelude::*;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::path::{End, Path};

use super::super::Events;

/// Finds out which way this call takes, and reports it where there is one.
pub fn report(webrtc: &gst::Element, call: CallId, events: &Events) {
    let events = events.clone();
    let promise = gst::Promise::with_change_func(move |reply| {
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
