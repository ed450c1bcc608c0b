//! The microphone, and what is heard while it gives nothing.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::Level;
use porthole_core::event::{Event, MediaEvent};
use porthole_core::status::{Shows, SoundState};
use porthole_core::wire::{Shape, What, limits};

#[test]
fn a_lost_microphone_is_silence_and_told_and_tried_until_it_is_back() {
    let mut desk = listening();
    desk.expect(sound_failed(), [PlaySilence, StartSound, noticed(What::SoundLost)]);
    let (level, text) = desk.noted().swap_remove(0);
    assert!(level == Level::Warn && text.contains("plug the microphone in"), "{text}");
    for _ in 0..100 {
        desk.ignores(sound_failed());
        desk.listens(millis(999), []);
        desk.passes(millis(1), [StartSound]);
    }
    assert!(desk.noted().iter().all(|(level, _)| *level == Level::Debug), "the log is not flooded");
    assert_eq!(desk.board.status().sound, SoundState::Lost);
    desk.expect(sound_runs(), [EndSilence, noticed(What::SoundBack)]);
    assert_eq!(desk.board.status().sound, SoundState::Running);
    assert_eq!(desk.noted().len(), 1);
}

#[test]
fn a_microphone_that_is_not_there_at_the_start_is_the_same() {
    let mut desk = Desk::with_a_camera();
    desk.on(offer("anna", "1"));
    desk.expect(sound_failed(), [PlaySilence, noticed(What::SoundLost)]);
    desk.passes(secs(1), [StartSound]);
    desk.expect(sound_runs(), [EndSilence, noticed(What::SoundBack)]);
}

#[test]
fn a_lost_camera_does_not_silence_the_microphone() {
    let mut desk = listening();
    let lost = no_camera(desk.now);
    desk.expect(capture_failed(), [lost, StartCapture, noticed(What::CameraLost)]);
    desk.expect(capture_runs(), [HideSlate, noticed(What::CameraBack)]);
    assert_eq!(desk.board.status().sound, SoundState::Running);
}

#[test]
fn a_microphone_that_gives_only_silence_is_said_once_with_the_fix_and_viewers_are_told() {
    let mut desk = listening();
    desk.on(up());
    assert!(desk.board.status().healthy());
    desk.expect(sound_is_mute(), [noticed(What::SoundLost)]);
    desk.ignores(sound_is_mute());
    let noted = desk.noted();
    let [(Level::Warn, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert!(text.contains("alsamixer"), "{text}");
    let status = desk.board.status();
    assert_eq!(status.sound, SoundState::Mute);
    assert!(!status.healthy() && status.is_alive());
}

#[test]
fn a_microphone_that_is_heard_again_is_said_once_and_its_next_silence_is_noticed_too() {
    let mut desk = listening();
    desk.ignores(sound_is_heard());
    for _ in 0..3 {
        desk.expect(sound_is_mute(), [noticed(What::SoundLost)]);
        desk.listens(secs(30), []);
        desk.noted();
        desk.expect(sound_is_heard(), [noticed(What::SoundBack)]);
        desk.ignores(sound_is_heard());
        let noted = desk.noted();
        let [(Level::Info, text)] = noted.as_slice() else { panic!("{noted:?}") };
        assert!(text.contains("after 30.0 s"), "{text}");
        assert_eq!(desk.board.status().sound, SoundState::Running);
    }
}

#[test]
fn a_mute_microphone_that_is_closed_is_mute_no_more_and_whoever_calls_while_it_is_is_told() {
    let mut desk = listening();
    desk.expect(sound_is_mute(), [noticed(What::SoundLost)]);
    desk.on(offer("bert", "1"));
    let answered = desk.answered(2);
    let said = desk.answer_message(2, &address(Some("bert"), Some("1")), Shape::Porthole);
    desk.expect(answered, [said, noticed_by("bert", "1", What::SoundLost)]);
    desk.expect(
        privacy(true),
        [privacy_slate(), PlaySilence, StopCapture, noticed(What::PrivacyOn), noticed(What::SoundBack)],
    );
    desk.ignores(sound_is_heard());
    assert_eq!(desk.board.status().sound, SoundState::Idle);
}

#[test]
fn a_lost_microphone_is_left_alone_when_nobody_listens_and_the_next_call_tries_it() {
    let mut desk = listening();
    desk.on(sound_failed());
    desk.ignores(sound_failed());
    desk.expect(bye("anna", "1"), [hang_up(1), StopRendition(H264), EndSilence]);
    desk.on(closed(1));
    for _ in 0..9 {
        desk.passes(secs(1), [StartSound]);
        desk.ignores(sound_failed());
    }
    desk.passes(secs(1), [StopCapture]);
    desk.ignores(sound_failed());
    desk.passes(secs(600), []);
    assert_eq!(desk.board.status().sound, SoundState::Lost);
    desk.expect(
        offer("anna", "2"),
        [StartCapture, StartRendition(H264), answer(2, "anna", "2"), PlaySilence],
    );
    desk.expect(sound_runs(), [EndSilence, noticed(What::SoundBack)]);
}

#[test]
fn where_there_is_to_be_no_sound_there_is_no_silence_either() {
    let mut desk = Desk { camera_works: false, ..Desk::with(|settings| settings.sound = false) };
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.expect(privacy(true), [privacy_slate(), StopCapture, noticed(What::PrivacyOn)]);
}

#[test]
fn a_microphone_that_was_not_there_is_opened_when_it_comes_and_nobody_is_told_of_a_loss() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.ignores(sound_is_absent());
    desk.listens(secs(600), []);
    desk.expect(device_came(), [StartSound]);
    // Its rights and names follow one by one.
    for _ in 0..9 {
        desk.ignores(sound_is_absent());
        desk.listens(millis(199), []);
        desk.passes(millis(1), [StartSound]);
    }
    desk.ignores(sound_runs());
    assert_eq!(desk.board.status().sound, SoundState::Running);
    desk.ignores(device_came());
}

#[test]
fn a_microphone_that_comes_during_a_slow_opening_is_opened_after_it() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.ignores(device_came());
    desk.listens(limits::CAPTURE_FRESH + secs(1), []);
    desk.ignores(sound_is_absent());
    desk.passes(limits::CAPTURE_RETRY_FRESH, [StartSound]);
    // Again, and not for ever.
    desk.listens(millis(1), []);
    desk.ignores(device_came());
    desk.listens(limits::CAPTURE_FRESH + secs(1), []);
    desk.ignores(sound_is_absent());
    desk.passes(limits::CAPTURE_RETRY_FRESH, [StartSound]);
    desk.ignores(sound_is_absent());
    desk.listens(secs(600), []);
}

#[test]
fn a_tone_gives_way_to_the_microphone_that_came_before_it_and_to_one_that_comes_within_the_same_call() {
    // Both were asked for, and came when it was decided already that they are not there.
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.ignores(device_came());
    desk.listens(limits::CAPTURE_FRESH, []);
    desk.ignores(tone_stands_in());
    desk.expect(stand_in_runs(), [Seek]);
    desk.ignores(sought(false));
    desk.noted();
    desk.passes(limits::CAPTURE_RETRY_FRESH, [StartSound]);
    desk.ignores(sound_runs());
    let noted = desk.noted();
    let [(Level::Info, text)] = noted.as_slice() else { panic!("{noted:?}") };
    assert!(text.contains("microphone has come"), "{text}");
    assert_eq!((desk.board.status().live, desk.board.status().sound), (1, SoundState::Running));
    desk.ignores(tone_stands_in());
    desk.listens(secs(600), []);

    for shows in [Shows::Test, Shows::StandIn] {
        let mut desk = Desk::with_a_camera();
        desk.live("anna", "1");
        desk.ignores(Event::Media(MediaEvent::CaptureRunning { shows }));
        desk.ignores(tone_stands_in());
        desk.listens(secs(600), []);
        assert_eq!(desk.board.status().sound, SoundState::Running);
        let seeks = (shows == Shows::StandIn).then_some(Seek);
        desk.expect(device_came(), [StartSound].into_iter().chain(seeks));
        desk.on(sound_runs());
        desk.ignores(tone_stands_in());
        assert_eq!(desk.board.status().sound, SoundState::Running);
    }
}

#[test]
fn no_tone_stays_beside_a_camera_whichever_of_them_is_there_first() {
    let camera_last = [tone_stands_in(), capture_runs()];
    let camera_first = [capture_runs(), tone_stands_in()];
    for (events, wait) in [(camera_last, millis(0)), (camera_first, limits::CAPTURE_RETRY_FRESH)] {
        let mut desk = Desk::with_a_camera();
        desk.live("anna", "1");
        let [first, second] = events;
        desk.ignores(first);
        if wait.is_zero() {
            desk.expect(second, [StartSound]);
        } else {
            desk.ignores(second);
            desk.passes(wait, [StartSound]);
        }
        // No microphone either: then nothing is heard, until one comes.
        desk.ignores(sound_is_absent());
        desk.listens(secs(600), []);
        assert_eq!(desk.board.status().sound, SoundState::Idle);
        desk.expect(device_came(), [StartSound]);
        desk.ignores(sound_runs());
    }
}

#[test]
fn a_microphone_that_fails_in_the_place_of_a_tone_is_a_lost_one() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(stand_in_runs());
    desk.on(tone_stands_in());
    desk.expect(sound_failed(), [PlaySilence, noticed(What::SoundLost)]);
    desk.passes(secs(1), [StartSound]);
    desk.expect(sound_runs(), [EndSilence, noticed(What::SoundBack)]);
}

#[test]
fn a_device_that_is_no_microphone_is_not_asked_for_ever() {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.ignores(device_came());
    desk.ignores(sound_is_absent());
    desk.passes(limits::CAPTURE_RETRY_FRESH, [StartSound]);
    desk.sleep(limits::CAPTURE_FRESH);
    desk.ignores(sound_is_absent());
    desk.listens(secs(600), []);
    assert_eq!(desk.board.status().sound, SoundState::Idle);
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.passes(secs(10), [StopCapture]);
    desk.ignores(device_came());
}

#[test]
fn a_closed_microphone_cannot_fail() {
    let mut desk = Desk::with_a_camera();
    for event in
        [sound_failed(), sound_runs(), sound_is_mute(), sound_is_heard(), sound_is_absent(), tone_stands_in()]
    {
        desk.ignores(event);
    }
    assert_eq!(desk.board.status().sound, SoundState::Idle);
}

/// One viewer sees and hears.
fn listening() -> Desk {
    let mut desk = Desk::with_a_camera();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.ignores(sound_runs());
    desk.noted();
    desk
}
