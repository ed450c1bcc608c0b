//! What `/healthz` says.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::wire::Reason;
use serde_json::json;

#[test]
fn the_status_tells_link_camera_calls_renditions_and_refusals_by_word() {
    let mut desk = Desk::local();
    desk.on(up());
    desk.live("anna", "1");
    desk.ringing("bert", "1");
    desk.on(capture_runs());
    desk.on(offer_of("mallory", "1", "rubbish"));
    desk.on(bye("bert", "1"));
    let expected = json!({
        "link": true,
        "lost": null,
        "room": "in",
        "capture": "running",
        "calls": 1,
        "live": 1,
        "renditions": ["H.264"],
        "refusals": { "bad-offer": 1 },
    });
    assert_eq!(serde_json::to_value(desk.board.status()).unwrap(), expected);
}

#[test]
fn only_a_reached_relay_and_a_camera_that_can_be_opened_are_healthy() {
    let mut desk = Desk::local();
    assert!(!desk.board.status().healthy(), "the relay is not reached yet");
    desk.on(up());
    assert!(desk.board.status().healthy());
    desk.live("anna", "1");
    desk.on(capture_failed());
    assert!(!desk.board.status().healthy(), "the camera is lost");
    desk.passes(secs(2), []);
    desk.on(offer("anna", "2"));
    assert!(desk.board.status().healthy(), "it is being tried again");
    assert_eq!(desk.refusals(Reason::CameraLost), 0);
}
