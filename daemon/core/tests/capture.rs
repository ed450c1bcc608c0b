//! When the camera is opened and closed, and what happens when it fails.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::Level;
use porthole_core::event::{Event, MediaEvent};
use porthole_core::order::Order;
use porthole_core::status::{CaptureState, Shows};
use porthole_core::wire::{Shape, What, limits};

#[test]
fn the_camera_lingers_after_the_last_call_and_is_then_closed() {
    let mut desk = Desk::with_a_camera();
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
fn what_is_shown_is_known_from_the_moment_on_in_which_it_runs() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    for shows in [Shows::Test, Shows::StandIn, Shows::Camera] {
        assert!(desk.on(capture_failed()).contains(&StartCapture), "one that ran is opened again at once");
        desk.on(Event::Media(MediaEvent::CaptureRunning { shows }));
        assert_eq!(desk.board.status().shows, shows);
    }
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
    let mut desk = Desk { camera_works: false, ..Desk::with(|settings| settings.room.idle_after = secs(0)) };
    let id = desk.live("anna", "1");
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264), StopCapture]);
    desk.expect(offer("anna", "2"), [StartCapture, StartRendition(H264), answer(2, "anna", "2")]);
}

#[test]
fn a_camera_that_is_slow_to_start_keeps_nobody_from_being_answered() {
    let mut desk = Desk::with_a_camera();
    desk.ringing("anna", "1");
    assert_eq!(desk.board.status().capture, CaptureState::Starting);
    desk.expect(offer("bert", "1"), [answer(2, "bert", "1")]);
    desk.ignores(capture_runs());
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().capture, CaptureState::Running);
}

#[test]
fn a_lost_camera_keeps_every_call_and_everybody_is_told_and_shown_since_when() {
    let mut desk = Desk::with_a_camera();
    desk.on(up());
    desk.live("anna", "1");
    desk.ringing("bert", "1");
    desk.on(capture_runs());
    desk.noted();
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, StartCapture, noticed(What::CameraLost)]);
    let status = desk.board.status();
    assert_eq!((status.capture, status.calls, status.live), (CaptureState::Lost, 2, 1));
    assert!(!status.healthy() && status.is_alive());
    let noted = desk.noted();
    let [(level, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert_eq!(*level, Level::Warn);
    assert!(text.contains("close the other program"), "the fix is in the log: {text}");
}

#[test]
fn a_lost_camera_is_tried_every_second_until_it_is_back_which_is_told_once() {
    let mut desk = Desk::lost();
    desk.noted();
    for _ in 0..100 {
        desk.ignores(capture_failed());
        desk.listens(millis(999), []);
        desk.passes(millis(1), [StartCapture]);
    }
    assert!(desk.noted().iter().all(|(level, _)| *level == Level::Debug), "the log is not flooded");
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
    let noted = desk.noted();
    let [(Level::Info, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert!(text.contains("back after 100.0 s"), "{text}");
    assert_eq!(desk.board.status().capture, CaptureState::Running);
    desk.listens(secs(60), []);
}

#[test]
fn a_device_that_comes_is_tried_at_once() {
    let mut desk = Desk::lost();
    desk.ignores(device_came());
    desk.ignores(capture_failed());
    desk.expect(device_came(), [StartCapture]);
    desk.ignores(device_came());
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
    desk.ignores(device_came());
}

#[test]
fn a_device_that_comes_is_tried_again_and_again_until_it_has_its_name_and_rights() {
    let mut desk = Desk::lost();
    // There, and may be opened, and has its lasting name: each is told when the one before is being tried.
    desk.ignores(device_came());
    for _ in 0..9 {
        desk.ignores(capture_failed());
        desk.listens(millis(199), []);
        desk.passes(millis(1), [StartCapture]);
    }
    // It was another device.
    desk.ignores(capture_failed());
    desk.passes(millis(200), [StartCapture]);
    desk.ignores(capture_failed());
    desk.listens(millis(999), []);
    desk.passes(millis(1), [StartCapture]);
    desk.ignores(device_came());
    desk.ignores(capture_failed());
    desk.passes(millis(200), [StartCapture]);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn a_camera_that_comes_takes_the_place_of_the_test_picture_within_the_same_calls() {
    let mut desk = standing_in();
    desk.noted();
    desk.expect(device_came(), [Seek]);
    // There is a node, and nothing that could be opened yet.
    desk.ignores(sought(false));
    desk.listens(millis(199), []);
    desk.passes(millis(1), [Seek]);
    desk.expect(sought(true), [StopCapture, StartCapture]);
    // Its other nodes.
    desk.ignores(device_came());
    assert_eq!(desk.board.status().capture, CaptureState::Starting);
    desk.ignores(capture_runs());
    let status = desk.board.status();
    assert_eq!((status.capture, status.shows, status.live), (CaptureState::Running, Shows::Camera, 1));
    let noted = desk.noted();
    let [(Level::Info, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert!(text.contains("takes the place of the test picture"), "{text}");
    desk.ignores(device_came());
    desk.listens(secs(600), []);
}

#[test]
fn what_comes_while_it_is_looked_for_or_the_test_picture_is_opened_is_looked_at_afterwards() {
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.listens(secs(4), []);
    desk.ignores(device_came());
    desk.listens(secs(4), []);
    desk.expect(sought(false), [Seek]);
    desk.ignores(sought(false));
    desk.listens(secs(600), []);

    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.ignores(device_came());
    desk.listens(millis(2_500), []);
    desk.expect(stand_in_runs(), [Seek]);
    desk.expect(sought(true), [StopCapture, StartCapture]);
    desk.ignores(capture_runs());
}

#[test]
fn a_look_for_a_camera_that_never_ends_does_not_keep_the_next_from_being_looked_for() {
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.listens(limits::SEEK_PATIENCE, []);
    desk.listens(secs(600), []);
    desk.expect(device_came(), [Seek]);
    // What comes meanwhile waits for that, and no longer.
    desk.listens(secs(4), []);
    desk.ignores(device_came());
    desk.listens(limits::SEEK_PATIENCE - secs(4) - millis(1), []);
    desk.passes(millis(1), [Seek]);
    desk.listens(limits::SEEK_PATIENCE, []);
    desk.ignores(sought(false));
    // It ends after all.
    desk.expect(sought(true), [StopCapture, StartCapture]);
    desk.ignores(sought(true));
}

#[test]
fn a_test_picture_in_the_place_of_a_lost_camera_is_not_called_the_camera() {
    let mut desk = Desk::lost();
    desk.ignores(capture_failed());
    desk.passes(secs(1), [StartCapture]);
    desk.noted();
    desk.on(stand_in_runs());
    let noted = desk.noted();
    let [(Level::Info, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert!(text.contains("test picture is shown") && !text.contains("is back"), "{text}");
}

#[test]
fn a_camera_that_came_before_the_test_picture_was_asked_for_is_not_looked_for() {
    let mut desk = Desk::with_a_camera();
    desk.ignores(device_came());
    desk.passes(limits::CAPTURE_FRESH, []);
    desk.live("anna", "1");
    desk.ignores(stand_in_runs());
    desk.listens(secs(600), []);
}

#[test]
fn a_test_picture_that_was_asked_for_stays_whatever_comes() {
    for shows in [Shows::Test, Shows::File] {
        let mut desk = Desk::with_a_camera();
        desk.live("anna", "1");
        desk.ignores(device_came());
        desk.ignores(Event::Media(MediaEvent::CaptureRunning { shows }));
        desk.ignores(device_came());
        desk.ignores(sought(true));
        desk.listens(secs(60), []);
        assert_eq!(desk.board.status().shows, shows);
    }
}

#[test]
fn what_is_found_too_late_opens_nothing() {
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.expect(privacy(true), [privacy_slate(), PlaySilence, StopCapture, noticed(What::PrivacyOn)]);
    desk.ignores(sought(true));
    desk.ignores(device_came());
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
}

#[test]
fn a_camera_that_comes_and_cannot_be_opened_is_a_lost_one() {
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.expect(sought(true), [StopCapture, StartCapture]);
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, noticed(What::CameraLost)]);
    desk.passes(millis(200), [StartCapture]);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn a_hundred_losses_in_one_call_leave_it_as_it_was() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    for _ in 0..100 {
        let lost = no_camera(desk.now);
        desk.expect(capture_failed(), [lost, StartCapture, noticed(What::CameraLost)]);
        desk.listens(millis(700), []);
        desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
        desk.listens(secs(3), []);
    }
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn whoever_calls_while_the_camera_is_lost_is_let_in_sees_the_slate_and_is_told() {
    let mut desk = Desk::with_a_camera();
    desk.on(offer("anna", "1"));
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, noticed(What::CameraLost)]);
    desk.expect(offer("bert", "1"), [answer(2, "bert", "1")]);
    let answered = desk.answered(2);
    let said = desk.answer_message(2, &address(Some("bert"), Some("1")), Shape::Porthole);
    desk.expect(answered, [said, noticed_by("bert", "1", What::CameraLost)]);
    // Who was there when it was said to everybody is not told twice.
    let answered = desk.answered(1);
    let said = desk.answer_message(1, &address(Some("anna"), Some("1")), Shape::Porthole);
    desk.expect(answered, [said]);
}

#[test]
fn whoever_was_away_from_the_relay_is_told_on_return_how_it_is() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.ignores(left("anna"));
    desk.on(capture_failed());
    desk.expect(joined("anna"), [noticed_by("anna", "1", What::CameraLost)]);
    desk.ignores(left("anna"));
    desk.on(capture_runs());
    // A page that comes back has forgotten what was said before.
    desk.ignores(joined("anna"));
    desk.ignores(joined("bert"));
}

#[test]
fn without_a_camera_at_the_start_it_is_the_same() {
    let mut desk = Desk::with_a_camera();
    desk.on(offer("anna", "1"));
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, noticed(What::CameraLost)]);
    desk.passes(secs(1), [StartCapture]);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn a_camera_that_hangs_while_it_is_opened_counts_as_lost_meanwhile() {
    let mut desk = Desk::with_a_camera();
    desk.on(offer("anna", "1"));
    desk.noted();
    desk.passes(millis(2_999), []);
    let lost = no_camera(desk.now + millis(1));
    desk.passes(millis(1), [lost, noticed(What::CameraLost)]);
    let (level, text) = desk.noted().swap_remove(0);
    assert!(level == Level::Warn && text.contains("plug it in again"), "{text}");
    desk.passes(secs(5), []);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn a_lost_camera_is_left_alone_when_nobody_watches_and_the_next_call_tries_it() {
    let mut desk = Desk::lost();
    desk.ignores(capture_failed());
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264), HideSlate, StopCapture]);
    desk.on(closed(1));
    desk.passes(secs(600), []);
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
    let since = desk.lost_at;
    desk.expect(
        offer("anna", "2"),
        [StartCapture, StartRendition(H264), answer(2, "anna", "2"), no_camera(since)],
    );
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
}

#[test]
fn each_new_reason_of_a_loss_is_told_once_and_not_for_ever() {
    let mut desk = Desk::lost();
    let fails = |desk: &mut Desk, reason: &str| {
        desk.noted();
        desk.on(Event::Media(MediaEvent::CaptureFailed { reason: reason.to_owned() }));
        let told = desk.noted().iter().any(|(level, text)| *level == Level::Warn && text.contains(reason));
        desk.listens(millis(999), []);
        desk.passes(millis(1), [StartCapture]);
        told
    };
    let told = ["it is gone", "it is gone", "it is busy", "it is gone", "it is busy"]
        .map(|why| fails(&mut desk, why));
    assert_eq!(told, [true, false, true, false, false]);
    let many = (0..50).filter(|number| fails(&mut desk, &format!("error {number}"))).count();
    assert!((1..20).contains(&many), "{many}");
}

#[test]
fn a_camera_that_stays_lost_is_a_warning_once() {
    let mut desk = Desk::with_a_camera();
    let warnings = |desk: &mut Desk| desk.noted().iter().filter(|(level, _)| *level == Level::Warn).count();
    for (number, warned) in [("1", 1), ("2", 0), ("3", 0)] {
        desk.on(offer("anna", number));
        desk.on(capture_failed());
        assert_eq!(warnings(&mut desk), warned, "failure {number}");
        desk.on(bye("anna", number));
        desk.on(closed(number.parse().unwrap()));
        desk.passes(secs(5), []);
    }
    desk.on(offer("anna", "4"));
    desk.on(capture_runs());
    desk.on(capture_failed());
    assert_eq!(warnings(&mut desk), 1, "it was there in between");
}

#[test]
fn a_camera_that_fails_while_it_lingers_is_told_and_closed() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.noted();
    desk.expect(capture_failed(), [StopCapture, noticed(What::CameraLost)]);
    assert_eq!(desk.noted().len(), 1);
    desk.passes(secs(60), []);
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
}

#[test]
fn a_camera_that_comes_while_the_test_picture_lingers_is_opened_for_nobody_and_for_the_next_call() {
    let mut desk = standing_in();
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264)]);
    desk.on(closed(1));
    desk.passes(secs(1), []);
    desk.expect(device_came(), [StopCapture]);
    desk.ignores(sought(true));
    desk.ignores(device_came());
    desk.listens(secs(600), []);
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
    desk.expect(offer("bert", "1"), [StartCapture, StartRendition(H264), answer(2, "bert", "1")]);
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().shows, Shows::Camera);

    // It came before they left, and is found after that.
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264), StopCapture]);
    desk.on(closed(1));
    desk.ignores(sought(true));
    desk.listens(secs(600), []);

    // Nobody waited for that look any more.
    let mut desk = standing_in();
    desk.expect(device_came(), [Seek]);
    desk.listens(limits::SEEK_PATIENCE, []);
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264)]);
    desk.on(closed(1));
    desk.expect(sought(true), [StopCapture]);
    desk.listens(secs(600), []);
}

#[test]
fn a_camera_that_is_kept_warm_is_open_before_the_first_call_and_after_the_last() {
    let mut desk = Desk { camera_works: false, ..Desk::with(|settings| settings.keep_warm = true) };
    assert!(desk.on(up()).contains(&StartCapture));
    desk.on(capture_runs());
    desk.expect(offer("anna", "1"), [StartRendition(H264), answer(1, "anna", "1")]);
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264)]);
    desk.on(closed(1));
    desk.passes(secs(600), []);
    assert_eq!(desk.board.status().capture, CaptureState::Running);
    // Nobody watches: there is nobody to be shown a slate, but it is tried all the same.
    desk.expect(capture_failed(), [StartCapture, noticed(What::CameraLost)]);
    desk.ignores(capture_failed());
    desk.passes(secs(1), [StartCapture]);
    desk.expect(capture_runs(), [noticed(What::CameraBack)]);
    desk.expect(shutdown(), [StopCapture, Finished]);
}

#[test]
fn a_closed_camera_cannot_fail() {
    let mut desk = Desk::with_a_camera();
    desk.ignores(capture_failed());
    desk.ignores(capture_runs());
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
    assert_eq!(desk.noted(), []);
}

#[test]
fn retrying_the_camera_is_bounded_by_limits_that_fit_together() {
    assert!(limits::CAPTURE_RETRY < limits::CAPTURE_PATIENCE);
    assert!(limits::CAPTURE_PATIENCE < limits::FRAMES_STILL);
    assert!(limits::ENCODER_WARNINGS < limits::ENCODER_FAVOUR);
    assert!(limits::LEFT_GRACE > limits::SILENCE);
    assert!(limits::JOIN_KEY_FRAME_GAP < limits::KEY_FRAME_GAP);
    assert!(limits::SHUTDOWN_DEADLINE < limits::CLOSE_DEADLINE);
}

#[test]
fn whoever_only_looks_finds_the_camera_open_and_it_lingers_afterwards() {
    let mut desk = Desk::with_a_camera();
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
fn a_camera_that_fails_is_tried_again_while_somebody_looks_and_nobody_looks_at_one_that_stops() {
    let mut desk = Desk::with_a_camera();
    desk.expect(look(), [StartCapture]);
    desk.expect(capture_failed(), [noticed(What::CameraLost)]);
    desk.ignores(look());
    assert_eq!(desk.board.status().capture, CaptureState::Lost);
    desk.passes(limits::CAPTURE_RETRY, [StartCapture]);
    desk.expect(Event::Shutdown, [StopCapture, Finished]);
    desk.ignores(look());
}

#[test]
fn nobody_looks_in_spite_of_privacy() {
    let mut desk = Desk::with(|settings| settings.room.privacy = true);
    desk.ignores(look());
    desk.expect(privacy(false), [noticed(What::PrivacyOff)]);
    desk.expect(look(), [StartCapture]);
    desk.expect(privacy(true), [StopCapture, noticed(What::PrivacyOn)]);
}

/// One viewer watches the test picture, because there is no camera.
fn standing_in() -> Desk {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.ignores(stand_in_runs());
    desk
}

fn look() -> Event {
    Event::Order(Order::Look {})
}
