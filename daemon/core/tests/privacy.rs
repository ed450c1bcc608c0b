//! Nobody is to see or hear anything, until somebody says otherwise.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::status::CaptureState;
use porthole_core::wire::{Shape, What};

#[test]
fn privacy_closes_the_camera_and_keeps_the_calls_with_black_and_silence() {
    let mut desk = watching();
    desk.expect(privacy(true), [privacy_slate(), PlaySilence, StopCapture, noticed(What::PrivacyOn)]);
    desk.ignores(privacy(true));
    let status = desk.board.status();
    assert_eq!((status.live, status.capture, status.privacy), (1, CaptureState::Idle, true));
    assert!(desk.noted().iter().any(|(_, text)| text.contains("privacy is on")));
    desk.listens(secs(600), []);
    // What the closed devices said last.
    for late in [capture_runs(), capture_failed(), sound_failed(), device_came()] {
        desk.ignores(late);
    }
}

#[test]
fn what_stands_in_stays_until_the_camera_is_open_again() {
    let mut desk = watching();
    desk.on(privacy(true));
    desk.expect(privacy(false), [EndSilence, StartCapture, noticed(What::PrivacyOff)]);
    desk.expect(capture_runs(), [HideSlate]);
    assert!(!desk.board.status().privacy);
}

#[test]
fn a_camera_that_is_not_there_after_privacy_is_a_lost_one() {
    let mut desk = watching();
    desk.on(privacy(true));
    desk.on(privacy(false));
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, noticed(What::CameraLost)]);
}

#[test]
fn privacy_comes_before_a_lost_camera_which_is_not_tried_meanwhile() {
    let mut desk = Desk::lost();
    desk.ignores(capture_failed());
    desk.expect(privacy(true), [privacy_slate(), PlaySilence, StopCapture, noticed(What::PrivacyOn)]);
    desk.listens(secs(60), []);
    let lost = no_camera(desk.lost_at);
    desk.expect(privacy(false), [lost, EndSilence, StartCapture, noticed(What::PrivacyOff)]);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn whoever_calls_meanwhile_is_let_in_and_told() {
    let mut desk = Desk { camera_works: false, ..Desk::with(|settings| settings.room.privacy = true) };
    desk.on(up());
    desk.expect(
        offer("anna", "1"),
        [StartRendition(H264), answer(1, "anna", "1"), privacy_slate(), PlaySilence],
    );
    let answered = desk.answered(1);
    let said = desk.answer_message(1, &address(Some("anna"), Some("1")), Shape::Porthole);
    desk.expect(answered, [said, noticed_by("anna", "1", What::PrivacyOn)]);
    desk.expect(privacy(false), [EndSilence, StartCapture, noticed(What::PrivacyOff)]);
}

#[test]
fn a_camera_that_is_kept_warm_is_closed_by_privacy_all_the_same() {
    let mut desk = Desk { camera_works: false, ..Desk::with(|settings| settings.keep_warm = true) };
    assert!(desk.on(up()).contains(&StartCapture));
    desk.on(capture_runs());
    desk.expect(privacy(true), [StopCapture, noticed(What::PrivacyOn)]);
    desk.passes(secs(600), []);
    desk.expect(privacy(false), [StartCapture, noticed(What::PrivacyOff)]);
}

/// One viewer sees and hears.
fn watching() -> Desk {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.on(sound_runs());
    desk.noted();
    desk
}
