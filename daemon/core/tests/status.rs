//! What `/healthz` says.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::wire::Reason;
use serde_json::json;

#[test]
fn the_status_tells_link_camera_calls_renditions_and_refusals_by_word() {
    let mut desk = Desk::with_a_camera();
    desk.on(up());
    desk.live("anna", "1");
    desk.ringing("bert", "1");
    desk.on(capture_runs());
    desk.on(sound_runs());
    desk.on(offer_of("mallory", "1", "rubbish"));
    desk.on(bye("bert", "1"));
    let expected = json!({
        "link": true,
        "lost": null,
        "room": "in",
        "capture": "running",
        "sound": "running",
        "speaker": { "state": "none", "talkers": 0, "playing": false, "level": null },
        "frames": "flowing",
        "privacy": false,
        "calls": 1,
        "live": 1,
        "renditions": ["H.264"],
        "refusals": { "bad-offer": 1 },
    });
    assert_eq!(serde_json::to_value(desk.board.status()).unwrap(), expected);
}

#[test]
fn only_a_reached_relay_and_a_camera_that_can_be_opened_are_healthy() {
    let mut desk = Desk::with_a_camera();
    assert!(!desk.board.status().healthy(), "the relay is not reached yet");
    desk.on(up());
    assert!(desk.board.status().healthy());
    desk.live("anna", "1");
    desk.on(capture_failed());
    assert!(!desk.board.status().healthy(), "the camera is lost");
    desk.passes(secs(1), [StartCapture]);
    desk.on(capture_runs());
    assert!(desk.board.status().healthy(), "it is back");
    desk.on(sound_failed());
    assert!(!desk.board.status().healthy(), "the microphone is lost");
    desk.on(privacy(true));
    desk.on(privacy(false));
    assert_eq!(desk.refusals(Reason::CameraLost), 0);
}
