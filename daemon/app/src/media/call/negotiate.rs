//! The three steps that turn an offer into webrtcbin's answer, each awaited with a deadline and looked at for the
//! error that webrtcbin hides inside its reply. Must not know pipelines.

use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_webrtc::{WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription};

use super::super::element::{MediaError, failed};

/// How long each step may take.
const STEP: Duration = Duration::from_secs(10);
/// How long the first step may take: where no key is kept for the certificate it makes one, and the search for its primes took
/// more than ten seconds on a slow board. Whoever calls is told sooner (the switchboard has its own deadline).
const FIRST_STEP: Duration = Duration::from_secs(50);
/// How long gathering may take before an answer goes out with the candidates there are.
const GATHERING: Duration = Duration::from_secs(2);

/// Gives webrtcbin the offer and gets its answer. Blocks. While this runs the pipeline must not be closed.
pub fn answer(webrtc: &gst::Element, offer: &str) -> Result<String, MediaError> {
    let offer = describe(WebRTCSDPType::Offer, offer)?;
    step("set-remote-description", FIRST_STEP, |promise| {
        webrtc.emit_by_name::<()>("set-remote-description", &[&offer, promise]);
    })?;
    let reply = step("create-answer", STEP, |promise| {
        webrtc.emit_by_name::<()>("create-answer", &[&None::<gst::Structure>, promise]);
    })?;
    let answer = reply
        .and_then(|reply| reply.get::<WebRTCSessionDescription>("answer").ok())
        .ok_or_else(|| failed(&"webrtcbin created no answer"))?;
    step("set-local-description", STEP, |promise| {
        webrtc.emit_by_name::<()>("set-local-description", &[&answer, promise]);
    })?;
    answer.sdp().as_text().map_err(|e| failed(&e))
}

/// Makes webrtcbin offer what its transceivers say. Blocks.
pub fn offer(webrtc: &gst::Element) -> Result<(), MediaError> {
    let reply = step("create-offer", STEP, |promise| {
        webrtc.emit_by_name::<()>("create-offer", &[&None::<gst::Structure>, promise]);
    })?;
    let offer = reply
        .and_then(|reply| reply.get::<WebRTCSessionDescription>("offer").ok())
        .ok_or_else(|| failed(&"webrtcbin created no offer"))?;
    step("set-local-description", STEP, |promise| {
        webrtc.emit_by_name::<()>("set-local-description", &[&offer, promise]);
    })?;
    Ok(())
}

/// Gives webrtcbin the answer to its offer. Blocks. While this runs the pipeline must not be closed.
pub fn take_answer(webrtc: &gst::Element, answer: &str) -> Result<(), MediaError> {
    let answer = describe(WebRTCSDPType::Answer, answer)?;
    step("set-remote-description", STEP, |promise| {
        webrtc.emit_by_name::<()>("set-remote-description", &[&answer, promise]);
    })?;
    Ok(())
}

/// The local description with every candidate in it. Blocks until gathering is complete, bounded.
pub fn gathered(webrtc: &gst::Element) -> Result<String, MediaError> {
    let (done, wait) = std::sync::mpsc::sync_channel(1);
    let signal = webrtc.connect_notify(Some("ice-gathering-state"), move |webrtc, _| {
        if gathering_complete(webrtc) {
            let _ = done.try_send(());
        }
    });
    let deadline = Instant::now() + GATHERING;
    if !gathering_complete(webrtc) {
        let _ = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    webrtc.disconnect(signal);
    webrtc
        .property::<Option<WebRTCSessionDescription>>("local-description")
        .ok_or_else(|| failed(&"webrtcbin has no local description"))?
        .sdp()
        .as_text()
        .map_err(|e| failed(&e))
}

fn gathering_complete(webrtc: &gst::Element) -> bool {
    webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state") == WebRTCICEGatheringState::Complete
}

fn describe(kind: WebRTCSDPType, text: &str) -> Result<WebRTCSessionDescription, MediaError> {
    let message = gst_sdp::SDPMessage::parse_buffer(text.as_bytes()).map_err(|e| failed(&e))?;
    Ok(WebRTCSessionDescription::new(kind, message))
}

/// Runs one step to its reply.
fn step(
    what: &'static str,
    limit: Duration,
    ask: impl FnOnce(&gst::Promise),
) -> Result<Option<gst::Structure>, MediaError> {
    let (reply, replies) = std::sync::mpsc::sync_channel(1);
    let promise = gst::Promise::with_change_func(move |outcome| {
        let _ = reply.try_send(match outcome {
            Ok(structure) => Ok(structure.map(|s| s.to_owned())),
            Err(error) => Err(format!("{error:?}")),
        });
    });
    ask(&promise);
    match replies.recv_timeout(limit) {
        Ok(Ok(reply)) => match reply.as_ref().and_then(|r| r.get::<gst::glib::Error>("error").ok()) {
            Some(error) => Err(MediaError::Failed(format!("{what}: {error}"))),
            None => Ok(reply),
        },
        Ok(Err(error)) => Err(MediaError::Failed(format!("{what}: {error}"))),
        Err(_) => Err(MediaError::TooLate { what, limit }),
    }
}
