//! Whatever a stranger sends, the result is a command or a counted refusal.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::{Command, Level};
use porthole_core::wire::{Outgoing, Reason, limits};
use serde_json::{Value, json};

// ---- who is let in ---------------------------------------------------------------------------------------------

#[test]
fn where_access_is_local_a_page_without_ids_is_refused() {
    let mut desk = Desk::local();
    let refusal = Command::Send(Outgoing::refused(&address(Some("anon-1"), None), Reason::NotAllowed));
    desk.expect(tutorial_offer(Some("anon-1"), &chromium("tuto")), [refusal]);
    desk.ignores(tutorial_offer(None, &chromium("tuto")));
    assert_eq!(desk.refusals(Reason::NotAllowed), 2);
}

#[test]
fn where_access_is_open_a_tutorials_page_is_answered_once_with_all_candidates_inside() {
    let mut desk = Desk::open();
    let sdp = chromium("tuto");
    desk.expect(
        tutorial_offer(Some("anon-1"), &sdp),
        [StartCapture, StartRendition(H264), answer_to(1, &sdp, false)],
    );
    desk.ignores(found(1, 1));
    let message = desk.answer_message(1, &address(Some("anon-1"), None), text_shape());
    let answered = desk.answered(1);
    desk.expect(answered, [message.clone()]);
    desk.ignores(found(1, 2));
    desk.ignores(found_all(1));
    desk.expect(tutorial_offer(Some("anon-1"), &sdp), [message]);
}

#[test]
fn a_tutorial_pages_candidates_find_its_call_by_their_ufrag() {
    let mut desk = Desk::open();
    desk.on(tutorial_offer(Some("anon-1"), &chromium("first")));
    desk.on(tutorial_offer(Some("anon-2"), &chromium("second")));
    let bare = |ufrag: &str| {
        let mut line = line(1);
        line.username_fragment = Some(ufrag.into());
        (says(None, "candidate", json!(line)), line)
    };
    for (ufrag, id) in [("first", 1), ("second", 2)] {
        let (event, line) = bare(ufrag);
        let call = porthole_core::ids::CallId(id);
        desk.expect(event, [Command::AddCandidate { call, candidate: Some(line) }]);
    }
    desk.ignores(bare("third").0);
    desk.expect(says(Some("anon-2"), "candidate", Value::Null), [add_end(2)]);
}

#[test]
fn a_tutorial_page_that_calls_again_replaces_its_own_call_only() {
    let mut desk = Desk::open();
    desk.on(tutorial_offer(Some("anon-1"), &chromium("one1")));
    desk.on(tutorial_offer(Some("anon-2"), &chromium("two2")));
    let again = chromium("one3");
    desk.expect(tutorial_offer(Some("anon-1"), &again), [hang_up(1), answer_to(3, &again, false)]);
}

#[test]
fn behind_a_relay_that_names_nobody_the_second_viewer_replaces_the_first_and_the_log_says_so() {
    let mut desk = Desk::open();
    desk.on(tutorial_offer(None, &chromium("one1")));
    desk.noted();
    let second = chromium("two2");
    desk.expect(tutorial_offer(None, &second), [hang_up(1), answer_to(2, &second, false)]);
    assert!(desk.noted()[0].1.contains("replaces"));
    let answer = desk.answer_message(2, &address(None, None), text_shape());
    let answered = desk.answered(2);
    desk.expect(answered, [answer]);
    // Nobody could know that a bye without any name is meant for them.
    desk.expect(call_failed(2), [hang_up(2), StopRendition(H264)]);
}

#[test]
fn nobody_can_speak_for_somebody_whom_the_relay_vouches_for() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    let forged = json!({ "from": "anna", "call": "1" });
    desk.ignores(says(Some("mallory"), "bye", forged.clone()));
    desk.ignores(says(Some("mallory"), "left", forged));
    desk.ignores(says(
        Some("mallory"),
        "candidate",
        json!({ "from": "anna", "call": "1", "candidate": line(1) }),
    ));
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264)]);
}

// ---- rubbish ---------------------------------------------------------------------------------------------------

#[test]
fn rubbish_offers_are_refused_with_a_word_and_running_calls_do_not_notice() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    let refuses = |reason| [refused("mallory", "1", reason)];
    let unbundled = chromium("mall").replace("a=group:BUNDLE 0 1\r\n", "");
    let many_lines = "v=0\r\n".to_owned() + &"a=x\r\n".repeat(limits::SDP_LINES);
    for (sdp, reason) in [
        ("\u{1}\u{2}rubbish", Reason::BadOffer),
        ("", Reason::BadOffer),
        (unbundled.as_str(), Reason::NoBundle),
        (many_lines.as_str(), Reason::TooLarge),
        ("x".repeat(limits::SDP_BYTES + 1).as_str(), Reason::TooLarge),
    ] {
        desk.expect(offer_of("mallory", "1", sdp), refuses(reason));
    }
    desk.ignores(says(Some("mallory"), "candidate", json!({ "candidate": 7 })));
    assert_eq!(desk.refusals(Reason::BadMessage), 1);
    assert_eq!((desk.board.status().calls, desk.board.status().live), (1, 1));
    desk.expect(wanted(Vp8), []);
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264)]);
}

#[test]
fn a_refusal_that_nobody_could_recognise_is_only_counted() {
    let mut desk = Desk::open();
    desk.ignores(says(None, "offer", json!(42)));
    desk.expect(
        says(Some("anon-1"), "offer", json!(42)),
        [Command::Send(Outgoing::refused(&address(Some("anon-1"), None), Reason::BadOffer))],
    );
    assert_eq!(desk.refusals(Reason::BadOffer), 2);
}

// ---- too much --------------------------------------------------------------------------------------------------

#[test]
fn a_peer_that_calls_too_often_is_refused_until_a_minute_has_passed() {
    let mut desk = Desk::local();
    for _ in 0..limits::OFFERS_PER_WINDOW {
        desk.on(offer_of("mallory", "1", "rubbish"));
    }
    desk.expect(offer("mallory", "2"), [refused("mallory", "2", Reason::TooOften)]);
    desk.expect(offer("anna", "1"), [StartCapture, StartRendition(H264), answer(1, "anna", "1")]);
    desk.sleep(limits::OFFER_WINDOW);
    desk.expect(offer("mallory", "3"), [StartCapture, StartRendition(H264), answer(2, "mallory", "3")]);
}

#[test]
fn however_many_peers_call_the_count_of_them_is_bounded() {
    let mut desk = Desk::local();
    for n in 0..3 * limits::COUNTED_PEERS {
        desk.on(offer_of(&format!("peer-{n}"), "1", "rubbish"));
        assert!(desk.board.kept().counted_peers <= limits::COUNTED_PEERS);
    }
    assert_eq!(desk.refusals(Reason::BadOffer), 3 * limits::COUNTED_PEERS as u64);
}

#[test]
fn one_call_too_many_is_refused_busy() {
    let mut desk = Desk::with(|settings| settings.room.max_calls = 2);
    desk.live("anna", "1");
    desk.live("bert", "1");
    desk.expect(offer("carl", "1"), [refused("carl", "1", Reason::Busy)]);
    desk.expect(offer("anna", "2"), [answer(3, "anna", "2")]);
    desk.on(bye("bert", "1"));
    desk.expect(offer("carl", "2"), [answer(4, "carl", "2")]);
}

#[test]
fn calls_that_wait_for_their_answer_are_bounded() {
    let mut desk = Desk::local();
    for n in 0..limits::ANSWERING_AT_ONCE {
        desk.ringing(&format!("viewer-{n}"), "1");
    }
    desk.expect(offer("anna", "1"), [refused("anna", "1", Reason::Busy)]);
    let answered = desk.answered(1);
    desk.on(answered);
    desk.ringing("anna", "2");
}

#[test]
fn calls_that_wait_to_be_closed_are_bounded() {
    let mut desk = Desk::local();
    for n in 0..limits::CLOSING_AT_ONCE {
        let who = format!("viewer-{n}");
        desk.ringing(&who, "1");
        desk.on(bye(&who, "1"));
    }
    desk.expect(offer("anna", "1"), [refused("anna", "1", Reason::Busy)]);
    desk.on(closed(1));
    desk.ringing("anna", "2");
}

#[test]
fn candidates_of_a_call_past_the_limit_are_counted_and_dropped() {
    let mut desk = Desk::local();
    let id = desk.ringing("anna", "1");
    for n in 0..limits::CANDIDATES_PER_CALL {
        desk.expect(candidate("anna", "1", n), [add(id, n)]);
    }
    desk.noted();
    desk.ignores(candidate("anna", "1", 99));
    assert_eq!((desk.refusals(Reason::TooOften), desk.noted()), (1, vec![]));
}

#[test]
fn candidates_without_an_offer_are_bounded() {
    let mut desk = Desk::local();
    for n in 0..3 * limits::EARLY_CANDIDATES {
        desk.ignores(candidate("mallory", &format!("tag-{n}"), n));
    }
    assert_eq!(desk.board.kept().early_candidates, limits::EARLY_CANDIDATES);
    assert_eq!(desk.refusals(Reason::TooOften), 2 * limits::EARLY_CANDIDATES as u64);
    desk.passes(limits::EARLY_CANDIDATE_LIFE, []);
    assert_eq!(desk.board.kept().early_candidates, 0);
}

#[test]
fn a_stranger_cannot_flood_the_log() {
    let mut desk = Desk::local();
    for n in 0..1000 {
        desk.on(offer_of(&format!("peer-{}", n % 100), "1", "rubbish"));
    }
    let refusals = vec![(Level::Info, "refused: bad-offer".to_owned()); limits::REFUSAL_NOTES];
    assert_eq!(desk.noted(), refusals);
    desk.passes(limits::REFUSAL_NOTES_WINDOW, []);
    assert_eq!(desk.noted(), [(Level::Info, "990 more refusals".to_owned())]);
    desk.passes(secs(600), []);
    desk.on(offer_of("peer", "1", "rubbish"));
    assert_eq!(desk.noted().len(), 1);
}
