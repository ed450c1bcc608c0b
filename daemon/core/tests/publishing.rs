//! The camera sent to a server for a crowd: when it is called, and what becomes of it.

#![allow(clippy::unwrap_used)]

mod desk;

use std::time::Duration;

use desk::*;
use porthole_core::command::{Command, Level};
use porthole_core::config::settings::Access;
use porthole_core::event::{Event, LinkEvent};
use porthole_core::ids::CallId;
use porthole_core::publish::{Errand, Word};
use porthole_core::status::CaptureState;
use porthole_core::wire::{Reason, limits};

#[test]
fn the_server_is_called_as_soon_as_it_can_be_and_has_the_camera_until_the_end() {
    let mut desk = Desk::local();
    desk.expect(ready(), [StartCapture, StartRendition(H264), offer_out(1)]);
    desk.expect(offered(1, H264), [run(Errand::Offer { call: CallId(1), sdp: our_offer(H264) })]);
    let commands = desk.on(taken(1, &their_answer(H264)));
    assert!(matches!(commands[..], [Command::TakeAnswer { call: CallId(1), .. }]), "{commands:?}");
    assert_eq!(desk.on(connected(1)), [ForceKeyFrame(H264)]);
    assert_eq!(desk.noted().pop().map(|(level, _)| level), Some(Level::Info));
    for _ in 0..100 {
        desk.passes(limits::SILENCE / 2, []);
        desk.ignores(heard(1));
    }
    assert_eq!((desk.board.status().live, desk.board.status().capture), (1, CaptureState::Running));
    desk.expect(shutdown(), [forget(1), hang_up(1), StopRendition(H264), StopCapture]);
    desk.expect(closed(1), [Finished]);
}

#[test]
fn a_server_that_does_not_take_it_is_asked_again_for_ever_ever_more_rarely_and_said_once() {
    let mut desk = Desk::local();
    desk.on(ready());
    let mut waits = Vec::new();
    for call in 1..=12 {
        desk.on(offered(call, H264));
        let commands = desk.on(failed(call, "it says 503", None, 0.0));
        assert!(commands.contains(&forget(call)) && commands.contains(&hang_up(call)), "{commands:?}");
        desk.ignores(closed(call));
        let began = desk.now;
        while !desk.sleep(millis(250)).contains(&offer_out(call + 1)) {
            assert!(desk.now < began + secs(100), "never again");
        }
        waits.push((desk.now - began).as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
    let warnings: Vec<_> = desk.noted().into_iter().filter(|(_, text)| text.contains("[publish]")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].1.contains("it says 503"), "{warnings:?}");
}

#[test]
fn reasons_that_take_turns_are_said_once_each_until_it_works_again() {
    let mut desk = Desk::local();
    desk.on(ready());
    let fail = |desk: &mut Desk, call, why| {
        desk.on(offered(call, H264));
        desk.on(failed(call, why, None, 0.0));
        desk.on(closed(call));
        while !desk.sleep(millis(250)).contains(&offer_out(call + 1)) {}
    };
    for call in 1..=6 {
        fail(&mut desk, call, if call % 2 == 0 { "it says 503" } else { "it is not there" });
    }
    let warnings = |desk: &mut Desk| {
        let noted = desk.noted();
        noted.iter().filter(|(level, text)| *level == Level::Warn && text.contains("[publish]")).count()
    };
    assert_eq!(warnings(&mut desk), 2);
    desk.on(offered(7, H264));
    desk.on(taken(7, &their_answer(H264)));
    desk.on(connected(7));
    assert!(desk.noted().iter().any(|(_, text)| text.starts_with("published")));
    desk.on(failed(7, "it is not there", None, 0.0));
    assert_eq!(warnings(&mut desk), 1);
}

#[test]
fn what_the_server_says_of_when_to_ask_again_is_heeded_and_chance_makes_it_later() {
    for (after, chance, wait) in
        [(Some(7), 0.0, 7_000), (None, 1.0, 1_250), (Some(100_000), 0.0, 60_000), (Some(0), 0.0, 1_000)]
    {
        let mut desk = Desk::local();
        desk.on(ready());
        desk.on(offered(1, H264));
        desk.on(failed(1, "busy", after, chance));
        desk.on(closed(1));
        let early = desk.sleep(millis(wait - 1));
        assert!(!early.contains(&offer_out(2)), "{early:?}");
        assert!(desk.sleep(millis(1)).contains(&offer_out(2)), "{after:?} {chance}");
    }
}

#[test]
fn a_server_that_falls_silent_is_called_anew_and_both_are_news() {
    let mut desk = Desk::local();
    published(&mut desk, 1);
    desk.noted();
    let commands = desk.sleep(limits::SILENCE);
    assert_eq!(commands, [forget(1), hang_up(1), StopRendition(H264)]);
    desk.on(closed(1));
    assert!(desk.noted().iter().any(|(level, _)| *level == Level::Warn));
    assert_eq!(desk.sleep(secs(1)), [StartRendition(H264), offer_out(2)]);
    desk.on(offered(2, H264));
    desk.on(taken(2, &their_answer(H264)));
    desk.on(connected(2));
    assert!(desk.noted().iter().any(|(_, text)| text.starts_with("published")));
}

#[test]
fn an_answer_that_does_not_fit_is_not_taken() {
    let mut desk = Desk::local();
    desk.on(ready());
    desk.on(offered(1, H264));
    let commands = desk.on(taken(1, "v=0"));
    assert_eq!(commands, [forget(1), hang_up(1), StopRendition(H264)]);
    let warned = desk.noted().into_iter().filter(|(level, _)| *level == Level::Warn).collect::<Vec<_>>();
    assert!(warned.len() == 1 && warned[0].1.contains(Reason::BadAnswer.sentence()), "{warned:?}");
}

#[test]
fn whoever_watches_shares_the_rendition_and_finds_no_seat_taken() {
    let mut desk = Desk::with(|settings| settings.room.max_calls = 1);
    published(&mut desk, 1);
    desk.expect(offer("anna", "1"), [answer(2, "anna", "1")]);
    desk.expect(offer("bert", "1"), [refused("bert", "1", Reason::Busy)]);
}

#[test]
fn nobody_in_the_room_can_answer_for_the_server_or_end_its_call() {
    let mut desk = Desk::with(|settings| settings.room.access = Access::Open);
    desk.on(ready());
    desk.on(offered(1, H264));
    let answer = serde_json::json!({ "type": "answer", "sdp": their_answer(H264) });
    for sender in [None, Some("anna"), Some(ME)] {
        let commands = desk.on(says(sender, "answer", serde_json::json!({ "answer": answer })));
        assert_eq!(commands, [], "{sender:?}");
    }
    desk.ignores(bye(ME, "1"));
    desk.ignores(says(None, "bye", serde_json::json!({})));
    assert!(matches!(desk.on(taken(1, &their_answer(H264)))[..], [Command::TakeAnswer { .. }]));
}

#[test]
fn a_camera_that_is_lost_stays_published() {
    let mut desk = Desk::local();
    published(&mut desk, 1);
    let commands = desk.on(capture_failed());
    let ends = |command: &Command| matches!(command, Command::Run(_) | Command::HangUp { .. });
    assert!(!commands.iter().any(ends), "{commands:?}");
}

#[test]
fn what_is_said_of_a_call_that_has_ended_changes_nothing() {
    let mut desk = Desk::local();
    desk.on(ready());
    desk.on(offered(1, H264));
    desk.on(call_failed(1));
    desk.ignores(taken(1, &their_answer(H264)));
    desk.ignores(failed(1, "late", None, 0.0));
    desk.ignores(failed(9, "never made", None, 0.0));
}

// ---- parts -----------------------------------------------------------------------------------------------------

fn published(desk: &mut Desk, call: u64) {
    desk.on(ready());
    desk.on(offered(call, H264));
    desk.on(taken(call, &their_answer(H264)));
    desk.on(connected(call));
}

fn word(word: Word) -> Event {
    Event::Link(LinkEvent::Published(word))
}

fn ready() -> Event {
    word(Word::Ready { chance: 0.0 })
}

fn taken(call: u64, sdp: &str) -> Event {
    word(Word::Taken { call: CallId(call), sdp: sdp.into() })
}

fn failed(call: u64, reason: &str, after: Option<u64>, chance: f64) -> Event {
    let after = after.map(Duration::from_secs);
    word(Word::Failed { call: CallId(call), reason: reason.into(), after, chance })
}

fn run(errand: Errand) -> Command {
    Command::Run(errand)
}

fn forget(call: u64) -> Command {
    run(Errand::Forget { call: CallId(call) })
}

fn offer_out(call: u64) -> Command {
    Command::Offer { call: CallId(call), rendition: H264, sound: true }
}
