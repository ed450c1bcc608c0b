//! When the camera is opened and closed, and what happens when it fails.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::Level;
use porthole_core::event::Event;
use porthole_core::order::Order;
use porthole_core::status::CaptureState;
use porthole_core::wire::{Reason, What, limits};

#[test]
fn the_camera_lingers_after_the_last_call_and_is_then_closed() {
    let mut desk = Desk::local();
    let (anna, bert) = (desk.live("anna", "1"), desk.live("bert", "1"));
    desk.on(capture_runs());
    desk.expect(bye("anna", "1"), [hang_up(anna)]);
    desk.expect(bye("bert", "1"), [hang_up(bert), StopRendition(H264)]);
    desk.on(closed(anna));
    desk.on(closed(bert));
    assert_eq!(desk.board.status().capture, CaptureState::Running);
    desk.passes(millis(9_999), []);
    desk.passes(millis(1), [StopCapture]);
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
    desk.passes(secs(600), []);
}

#[test]
fn a_call_while_the_camera_lingers_finds_it_open_and_starts_the_linger_anew() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.passes(secs(9), []);
    desk.expect(offer("anna", "2"), [StartRendition(H264), answer(2, "anna", "2")]);
    desk.passes(secs(5), []);
    desk.on(bye("anna", "2"));
    desk.on(closed(2));
    desk.passes(secs(9), []);
    desk.passes(secs(1), [StopCapture]);
}

#[test]
fn a_camera_that_need_not_linger_is_closed_with_the_last_call() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(0));
    let id = desk.live("anna", "1");
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264), StopCapture]);
    desk.expect(offer("anna", "2"), [StartCapture, StartRendition(H264), answer(2, "anna", "2")]);
}

#[test]
fn a_camera_that_is_slow_to_start_keeps_nobody_from_being_answered() {
    let mut desk = Desk::local();
    desk.ringing("anna", "1");
    assert_eq!(desk.board.status().capture, CaptureState::Starting);
    desk.expect(offer("bert", "1"), [answer(2, "bert", "1")]);
    desk.ignores(capture_runs());
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().capture, CaptureState::Running);
}

#[test]
fn a_lost_camera_ends_every_call_and_tells_everybody() {
    let mut desk = Desk::local();
    desk.on(up());
    let (live, ringing) = (desk.live("anna", "1"), desk.ringing("bert", "1"));
    desk.noted();
    desk.expect(
        capture_failed(),
        [
            said_bye("anna", "1", Reason::CameraLost),
            hang_up(live),
            refused("bert", "1", Reason::CameraLost),
            hang_up(ringing),
            noticed(What::CameraLost),
            StopRendition(H264),
        ],
    );
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
    assert!(!desk.board.status().healthy());
    let (level, text) = desk.noted().swap_remove(0);
    assert_eq!(level, Level::Warn);
    assert!(text.contains("close the other program"), "the fix is in the log: {text}");
    desk.ignores(capture_failed());
    desk.passes(secs(60), []);
}

#[test]
fn the_next_call_tries_the_lost_camera_again_and_its_return_is_told() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.passes(millis(2000), []);
    desk.on(capture_failed());
    desk.expect(offer("anna", "2"), [StartCapture, StartRendition(H264), answer(2, "anna", "2")]);
    desk.expect(capture_runs(), [noticed(What::CameraBack)]);
    assert_eq!(desk.board.status().capture, CaptureState::Running);
}

#[test]
fn a_camera_that_fails_at_once_is_tried_again_every_two_seconds_at_most() {
    let mut desk = Desk::local();
    desk.ringing("anna", "1");
    desk.on(capture_failed());
    desk.on(closed(1));
    desk.expect(offer("anna", "2"), [refused("anna", "2", Reason::CameraLost)]);
    desk.passes(millis(1999), []);
    desk.expect(offer("anna", "3"), [refused("anna", "3", Reason::CameraLost)]);
    desk.passes(millis(1), []);
    desk.expect(offer("anna", "4"), [StartCapture, StartRendition(H264), answer(2, "anna", "4")]);
    desk.on(capture_failed());
    desk.expect(offer("anna", "5"), [refused("anna", "5", Reason::CameraLost)]);
    // Three offers were refused outright, and two that were on their way.
    assert_eq!(desk.refusals(Reason::CameraLost), 5);
}

#[test]
fn a_camera_that_stays_lost_is_a_warning_once() {
    let mut desk = Desk::local();
    let warnings = |desk: &mut Desk| desk.noted().iter().filter(|(level, _)| *level == Level::Warn).count();
    for (number, warned) in [("1", 1), ("2", 0), ("3", 0)] {
        desk.on(offer("anna", number));
        desk.on(capture_failed());
        assert_eq!(warnings(&mut desk), warned, "failure {number}");
        desk.on(closed(number.parse().unwrap()));
        desk.passes(secs(5), []);
    }
    desk.on(offer("anna", "4"));
    desk.on(capture_runs());
    desk.on(capture_failed());
    assert_eq!(warnings(&mut desk), 1, "it was there in between");
}

#[test]
fn a_camera_that_fails_while_it_lingers_is_told_in_the_log_and_not_closed_again() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.noted();
    desk.expect(capture_failed(), [noticed(What::CameraLost)]);
    assert_eq!(desk.noted().len(), 1);
    desk.passes(secs(60), []);
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
}

#[test]
fn a_closed_camera_cannot_fail() {
    let mut desk = Desk::local();
    desk.ignores(capture_failed());
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
    assert_eq!(desk.noted(), []);
}

#[test]
fn retrying_the_camera_is_bounded_by_limits_that_fit_together() {
    assert!(limits::CAPTURE_RETRY < limits::ANSWER_DEADLINE);
    assert!(limits::LEFT_GRACE > limits::SILENCE);
    assert!(limits::JOIN_KEY_FRAME_GAP < limits::KEY_FRAME_GAP);
    assert!(limits::SHUTDOWN_DEADLINE < limits::CLOSE_DEADLINE);
}

#[test]
fn whoever_only_looks_finds_the_camera_open_and_it_lingers_afterwards() {
    let mut desk = Desk::local();
    desk.expect(look(), [StartCapture]);
    assert_eq!(desk.board.status().capture, CaptureState::Starting);
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().capture, CaptureState::Running);
    desk.passes(limits::LOOK + millis(9_999), []);
    desk.passes(millis(1), [StopCapture]);
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
}

#[test]
fn a_camera_that_need_not_linger_stays_open_while_somebody_looks() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(0));
    desk.expect(look(), [StartCapture]);
    desk.passes(secs(6), []);
    desk.ignores(look());
    desk.passes(limits::LOOK - millis(1), []);
    desk.passes(millis(1), [StopCapture]);
}

#[test]
fn who_looks_while_others_watch_changes_nothing_for_them() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(0));
    let id = desk.live("anna", "1");
    desk.ignores(look());
    desk.passes(secs(3), []);
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264)]);
    desk.on(closed(id));
    desk.expect(offer("anna", "2"), [StartRendition(H264), answer(2, "anna", "2")]);
    let after = desk.sleep(limits::ANSWER_DEADLINE);
    assert_eq!(after[after.len() - 3..], [hang_up(2), StopRendition(H264), StopCapture]);
}

#[test]
fn a_camera_that_has_just_failed_is_not_opened_for_a_look_and_nobody_looks_at_one_that_stops() {
    let mut desk = Desk::local();
    desk.expect(look(), [StartCapture]);
    desk.on(capture_failed());
    desk.ignores(look());
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
    desk.passes(limits::CAPTURE_RETRY, []);
    desk.expect(look(), [StartCapture]);
    desk.expect(Event::Shutdown, [StopCapture, Finished]);
    desk.ignores(look());
}

fn look() -> Event {
    Event::Order(Order::Look {})
}
