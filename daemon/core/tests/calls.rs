//! The life of a call, from the offer to the moment its media is released.

#![allow(clippy::unwrap_used)]

mod desk;

use std::time::Duration;

use desk::*;
use porthole_core::command::{Command, Level};
use porthole_core::ids::Rendition;
use porthole_core::status::CaptureState;
use porthole_core::wire::{Outgoing, Reason, Shape, limits};
use serde_json::json;

// ---- from the offer to the picture -----------------------------------------------------------------------------

#[test]
fn the_first_offer_opens_the_camera_starts_the_encoder_and_is_answered() {
    let mut desk = Desk::local();
    desk.expect(offer("anna", "1"), [StartCapture, StartRendition(H264), answer(1, "anna", "1")]);
}

#[test]
fn the_second_viewer_shares_camera_and_encoder() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.expect(offer("bert", "1"), [answer(2, "bert", "1")]);
    desk.expect(
        offer_of("carl", "1", &firefox("carl1")),
        [StartRendition(Vp8), answer_to(3, &firefox("carl1"), true)],
    );
}

#[test]
fn who_only_wants_to_hear_needs_no_encoder() {
    let mut desk = Desk::local();
    let sdp = chromium_audio_only();
    desk.expect(offer_of("anna", "1", sdp), [StartCapture, answer_to(1, sdp, true)]);
}

#[test]
fn the_answer_is_sent_once_and_the_picture_starts_with_a_key_frame() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    let message = desk.answer_message(id, &address(Some("anna"), Some("1")), Shape::Porthole);
    let answered = desk.answered(id);
    desk.expect(answered.clone(), [message]);
    desk.ignores(answered);
    desk.expect(connected(id), [ForceKeyFrame(H264)]);
    desk.ignores(connected(id));
    assert_eq!((desk.board.status().calls, desk.board.status().live), (1, 1));
}

#[test]
fn an_answer_that_is_not_as_planned_ends_the_call() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.expect(
        answered_with(id, "v=0"),
        [refused("anna", "1", Reason::Failed), hang_up(id), StopRendition(H264)],
    );
}

#[test]
fn our_candidates_follow_the_answer_even_when_they_are_found_before_it() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.ignores(found(id, 1));
    let message = desk.answer_message(id, &address(Some("anna"), Some("1")), Shape::Porthole);
    let answered = desk.answered(id);
    desk.expect(answered, [message, sent_candidate("anna", "1", Some(1))]);
    desk.expect(found(id, 2), [sent_candidate("anna", "1", Some(2))]);
    desk.expect(found_all(id), [sent_candidate("anna", "1", None)]);
}

#[test]
fn a_viewers_candidates_go_to_its_call_in_every_state_but_closing() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.expect(candidate("anna", "1", 1), [add(id, 1)]);
    let answered = desk.answered(id);
    desk.on(answered);
    desk.expect(candidate("anna", "1", 2), [add(id, 2)]);
    desk.on(connected(id));
    desk.expect(candidates_end("anna", "1"), [add_end(id)]);
    desk.on(bye("anna", "1"));
    desk.ignores(candidate("anna", "1", 3));
    assert_eq!(desk.board.kept().early_candidates, 0);
}

#[test]
fn candidates_that_overtake_their_offer_are_given_after_it_in_order() {
    let mut desk = Desk::local();
    desk.ignores(candidate("anna", "1", 1));
    desk.ignores(candidate("bert", "1", 2));
    desk.ignores(candidate("anna", "1", 3));
    desk.expect(
        offer("anna", "1"),
        [StartCapture, StartRendition(H264), answer(1, "anna", "1"), add(1, 1), add(1, 3)],
    );
    assert_eq!(desk.board.kept().early_candidates, 1);
}

#[test]
fn a_candidate_waits_ten_seconds_for_its_offer() {
    let mut desk = Desk::local();
    desk.ignores(candidate("anna", "1", 1));
    desk.passes(limits::EARLY_CANDIDATE_LIFE, []);
    desk.expect(offer("anna", "1"), [StartCapture, StartRendition(H264), answer(1, "anna", "1")]);
}

// ---- the same offer, another offer, another call ---------------------------------------------------------------

#[test]
fn the_same_offer_again_gets_the_same_answer_again() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.ignores(offer("anna", "1"));
    let message = desk.answer_message(id, &address(Some("anna"), Some("1")), Shape::Porthole);
    let answered = desk.answered(id);
    desk.on(answered);
    desk.expect(offer("anna", "1"), [message.clone()]);
    desk.on(connected(id));
    desk.expect(offer("anna", "1"), [message]);
    assert_eq!(desk.board.status().calls, 1);
}

#[test]
fn another_offer_under_the_same_tag_is_refused_and_the_call_does_not_notice() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    let other_ice = chromium("other");
    let swapped = chromium(&ufrag("anna", "1")).replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 1 0");
    let swapped =
        swapped.replace("a=mid:0", "a=mid:x").replace("a=mid:1", "a=mid:0").replace("a=mid:x", "a=mid:1");
    for sdp in [other_ice.as_str(), swapped.as_str(), "rubbish"] {
        desk.expect(offer_of("anna", "1", sdp), [refused("anna", "1", Reason::CallAgain)]);
    }
    desk.expect(found(id, 1), [sent_candidate("anna", "1", Some(1))]);
    assert_eq!((desk.board.status().live, desk.refusals(Reason::CallAgain)), (1, 3));
}

#[test]
fn a_new_call_of_a_viewer_ends_the_old_one_when_it_is_live() {
    let mut desk = Desk::local();
    let old = desk.live("anna", "1");
    let new = desk.connecting("anna", "2");
    desk.ignores(heard(old));
    desk.passes(millis(200), []);
    desk.expect(connected(new), [ForceKeyFrame(H264), hang_up(old)]);
    desk.passes(millis(200), []);
    desk.ignores(heard(old));
    desk.ignores(call_failed(old));
    desk.ignores(closed(old));
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn a_replaced_call_ends_in_any_case_and_only_once() {
    let mut desk = Desk::local();
    let old = desk.live("anna", "1");
    desk.connecting("anna", "2");
    for _ in 0..9 {
        desk.passes(millis(500), []);
        desk.on(heard(old));
    }
    desk.passes(millis(500), [hang_up(old)]);
    desk.passes(secs(4), []);
}

#[test]
fn calling_again_and_again_does_not_keep_the_old_call() {
    let mut desk = Desk::local();
    let first = desk.live("anna", "1");
    let second = desk.connecting("anna", "2");
    desk.passes(secs(3), []);
    desk.on(heard(first));
    desk.expect(offer("anna", "3"), [hang_up(second), answer(3, "anna", "3")]);
    desk.passes(secs(2), [hang_up(first)]);
    assert_eq!(desk.board.status().calls, 1);
}

#[test]
fn a_page_reload_is_not_touched_by_late_events_of_the_call_before() {
    let mut desk = Desk::local();
    let old = desk.connecting("anna", "1");
    desk.expect(bye("anna", "1"), [hang_up(old), StopRendition(H264)]);
    desk.expect(offer("anna", "2"), [StartRendition(H264), answer(2, "anna", "2")]);
    let late = desk.answered(old);
    for event in
        [late, found(old, 1), connected(old), heard(old), overflowed(old), call_failed(old), closed(old)]
    {
        desk.ignores(event);
    }
    desk.ignores(bye("anna", "1"));
    assert_eq!(desk.board.status().calls, 1);
}

#[test]
fn the_tag_of_a_call_that_has_ended_makes_a_new_call_with_a_new_number() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(bye("anna", "1"));
    assert_eq!(desk.ringing("anna", "1"), 2);
    desk.on(closed(1));
    desk.on(bye("anna", "1"));
    desk.on(closed(2));
    assert_eq!(desk.ringing("anna", "1"), 3);
}

// ---- how a call ends -------------------------------------------------------------------------------------------

#[test]
fn a_bye_ends_the_call_at_once_and_is_not_answered() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.ignores(bye("anna", "2"));
    desk.ignores(bye("bert", "1"));
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264)]);
    desk.ignores(bye("anna", "1"));
}

#[test]
fn a_bye_without_a_tag_ends_all_calls_of_its_sender() {
    let mut desk = Desk::local();
    let old = desk.live("anna", "1");
    let new = desk.ringing("anna", "2");
    desk.live("bert", "1");
    desk.expect(says(Some("anna"), "bye", json!({ "room": ROOM })), [hang_up(old), hang_up(new)]);
}

#[test]
fn a_live_viewer_that_falls_silent_is_hung_up_after_four_seconds() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    for _ in 0..5 {
        desk.passes(secs(3), []);
        desk.ignores(heard(id));
    }
    desk.passes(millis(3999), []);
    desk.passes(millis(1), [said_bye("anna", "1", Reason::Silent), hang_up(id), StopRendition(H264)]);
}

#[test]
fn an_offer_that_webrtcbin_does_not_answer_is_refused() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.passes(
        limits::ANSWER_DEADLINE,
        [refused("anna", "1", Reason::Failed), hang_up(id), StopRendition(H264)],
    );
    assert_eq!(desk.refusals(Reason::Failed), 1);
}

#[test]
fn a_call_that_does_not_connect_in_time_is_hung_up() {
    let mut desk = Desk::local();
    let id = desk.connecting("anna", "1");
    let end = [said_bye("anna", "1", Reason::NoConnection), hang_up(id), StopRendition(H264)];
    desk.passes(limits::CONNECT_DEADLINE, end);
}

#[test]
fn a_failure_is_named_by_how_far_the_call_had_come() {
    let mut desk = Desk::local();
    desk.live("other", "1");
    let id = desk.ringing("anna", "1");
    desk.expect(call_failed(id), [refused("anna", "1", Reason::Failed), hang_up(id)]);
    let id = desk.connecting("anna", "2");
    desk.expect(call_failed(id), [said_bye("anna", "2", Reason::NoConnection), hang_up(id)]);
    let id = desk.live("anna", "3");
    desk.expect(call_failed(id), [said_bye("anna", "3", Reason::Failed), hang_up(id)]);
    desk.ignores(call_failed(id));
}

#[test]
fn a_viewer_that_overflows_again_and_again_is_hung_up_and_the_others_are_not() {
    let mut desk = Desk::local();
    let slow = desk.live("anna", "1");
    let well = desk.live("bert", "1");
    desk.passes(limits::OVERFLOW_GRACE, [Command::ForceKeyFrame(Rendition::H264)]);
    for _ in 1..limits::OVERFLOWS {
        desk.ignores(overflowed(slow));
        desk.passes(limits::OVERFLOW_GAP, []);
        desk.ignores(heard(slow));
        desk.ignores(heard(well));
    }
    desk.expect(overflowed(slow), [said_bye("anna", "1", Reason::TooSlow), hang_up(slow)]);
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn one_stall_counts_once_however_many_packets_of_it_find_no_room() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.passes(limits::OVERFLOW_GRACE, []);
    for _ in 0..100 {
        desk.ignores(overflowed(id));
        desk.passes(Duration::from_millis(9), []);
    }
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn what_piled_up_before_the_call_was_live_is_not_counted() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    for _ in 0..limits::OVERFLOWS {
        desk.ignores(overflowed(id));
        desk.passes(Duration::from_millis(300), []);
    }
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn a_viewer_that_overflows_now_and_then_stays() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    for _ in 0..20 {
        desk.ignores(overflowed(id));
        desk.passes(secs(3), []);
        desk.ignores(heard(id));
        desk.passes(secs(3), []);
        desk.ignores(heard(id));
    }
}

#[test]
fn a_call_that_does_not_close_is_given_up() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.passes(secs(1), []);
    desk.live("bert", "1");
    desk.on(bye("anna", "1"));
    assert_eq!(desk.board.kept().closing, 1);
    desk.noted();
    for _ in 0..4 {
        desk.on(heard(2));
        desk.on(frames_flow());
        desk.passes(millis(2500), []);
    }
    assert_eq!(desk.board.kept().closing, 0);
    assert_eq!(desk.noted(), [(Level::Warn, "the call did not close; giving it up".into())]);
    desk.ignores(closed(id));
}

#[test]
fn every_call_that_is_not_live_has_a_deadline() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(600));
    desk.ringing("anna", "1");
    assert_eq!(desk.board.poll_timeout(), Some(desk.now + limits::ANSWER_DEADLINE));
    let answered = desk.answered(1);
    desk.on(answered);
    assert_eq!(desk.board.poll_timeout(), Some(desk.now + limits::CONNECT_DEADLINE));
    desk.on(connected(1));
    assert_eq!(desk.board.poll_timeout(), Some(desk.now + limits::SILENCE));
    desk.on(bye("anna", "1"));
    assert_eq!(desk.board.poll_timeout(), Some(desk.now + limits::CLOSE_DEADLINE));
}

#[test]
fn who_only_hears_may_be_silent_for_longer() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(600));
    let sdp = chromium_audio_only();
    desk.on(offer_of("anna", "1", sdp));
    let answered = desk.answered(1);
    desk.on(answered);
    desk.on(connected(1));
    for _ in 0..3 {
        desk.passes(secs(15), []);
        desk.ignores(heard(1));
    }
    desk.passes(limits::SOUND_SILENCE, [said_bye("anna", "1", Reason::Silent), hang_up(1)]);
    assert!(limits::SOUND_SILENCE < limits::LEFT_GRACE);
}

// ---- the relay comes and goes ----------------------------------------------------------------------------------

#[test]
fn whenever_the_relay_is_reached_the_camera_joins_its_room() {
    let mut desk = Desk::local();
    let join = Command::Send(Outgoing::join(&name(ROOM), &name(ME), "Nursery"));
    desk.expect(up(), [join.clone()]);
    assert!(desk.board.status().healthy());
    desk.ignores(down());
    assert!(!desk.board.status().healthy());
    desk.expect(up(), [join]);
}

#[test]
fn losing_the_relay_ends_no_call() {
    let mut desk = Desk::local();
    desk.on(up());
    let id = desk.live("anna", "1");
    let ringing = desk.ringing("bert", "1");
    desk.ignores(down());
    for _ in 0..3 {
        desk.passes(secs(3), []);
        desk.ignores(heard(id));
    }
    let message = desk.answer_message(ringing, &address(Some("bert"), Some("1")), Shape::Porthole);
    let answered = desk.answered(ringing);
    desk.expect(answered, [message]);
}

#[test]
fn a_viewer_that_left_the_relay_and_is_still_heard_keeps_its_call() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.ignores(left("anna"));
    for _ in 0..20 {
        desk.passes(secs(3), []);
        desk.ignores(heard(id));
    }
}

#[test]
fn a_viewer_that_left_while_it_was_connecting_is_given_up_after_thirty_seconds() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    desk.ignores(left("anna"));
    desk.passes(millis(19_500), []);
    let answered = desk.answered(id);
    desk.on(answered);
    desk.passes(millis(10_499), []);
    desk.passes(millis(1), [said_bye("anna", "1", Reason::Silent), hang_up(id), StopRendition(H264)]);
}

#[test]
fn a_viewer_that_comes_back_to_the_relay_in_time_keeps_its_call() {
    let back = [joined("anna"), says(None, "room", json!({ "room": ROOM, "peers": [{ "from": "anna" }] }))];
    for back in back {
        let mut desk = Desk::local();
        let id = desk.ringing("anna", "1");
        desk.ignores(left("anna"));
        desk.passes(millis(19_500), []);
        let answered = desk.answered(id);
        desk.on(answered);
        desk.ignores(back);
        desk.passes(millis(14_999), []);
        desk.passes(
            millis(1),
            [said_bye("anna", "1", Reason::NoConnection), hang_up(id), StopRendition(H264)],
        );
    }
}

// ---- shutdown --------------------------------------------------------------------------------------------------

#[test]
fn shutdown_says_bye_hangs_up_releases_everything_and_finishes_when_all_is_closed() {
    let mut desk = Desk::local();
    let live = desk.live("anna", "1");
    let ringing = desk.ringing("bert", "1");
    desk.expect(
        shutdown(),
        [
            said_bye("anna", "1", Reason::ShuttingDown),
            hang_up(live),
            refused("bert", "1", Reason::ShuttingDown),
            hang_up(ringing),
            StopRendition(H264),
            StopCapture,
        ],
    );
    desk.expect(offer("carl", "1"), [refused("carl", "1", Reason::ShuttingDown)]);
    desk.ignores(candidate("carl", "1", 1));
    desk.ignores(up());
    desk.ignores(shutdown());
    desk.ignores(closed(live));
    desk.expect(closed(ringing), [Finished]);
    for event in [offer("dora", "1"), up(), shutdown(), closed(ringing), capture_failed()] {
        desk.ignores(event);
    }
    assert_eq!(desk.board.poll_timeout(), None);
}

#[test]
fn shutdown_does_not_wait_for_ever() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(shutdown());
    desk.passes(limits::SHUTDOWN_DEADLINE, [Finished]);
    desk.passes(secs(60), []);
}

#[test]
fn shutdown_of_an_idle_camera_finishes_at_once() {
    let mut desk = Desk::local();
    desk.expect(shutdown(), [Finished]);
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.expect(shutdown(), [StopCapture, Finished]);
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
}

// ---- the log ---------------------------------------------------------------------------------------------------

#[test]
fn the_log_tells_the_life_of_a_call() {
    let mut desk = Desk::local();
    let id = desk.connecting("anna", "1");
    desk.passes(millis(134), []);
    desk.on(connected(id));
    desk.passes(millis(2000), []);
    desk.on(bye("anna", "1"));
    assert!(desk.notes.iter().all(|note| note.call.is_some() && note.peer == Some(name("anna"))));
    let expected =
        ["call started: H.264", "live after 134 ms", "call ended after 2.1 s: the other side hung up"];
    assert_eq!(desk.noted(), expected.map(|text| (Level::Info, text.to_owned())));
}
