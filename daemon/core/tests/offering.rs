//! Rooms of other people's relays: getting in, being called, and calling whoever comes where that is the habit.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::{Command, Level};
use porthole_core::config::settings::{Access, Fallback};
use porthole_core::event::{Event, LinkEvent, Loss, MediaEvent};
use porthole_core::ids::{CallId, Rendition};
use porthole_core::sdp::accept;
use porthole_core::status::RoomState;
use porthole_core::switchboard::Relay;
use porthole_core::wire::dialect::{Choice, Known, Tongue};
use porthole_core::wire::{Outgoing, Reason, limits};
use serde_json::{Value, json};

// ---- getting in ------------------------------------------------------------------------------------------------

#[test]
fn a_relay_of_unknown_dialect_is_asked_again_and_again_until_it_speaks() {
    let mut desk = in_room(Choice::Auto);
    let first = desk.on(up());
    assert_eq!(events(&first), ["join"]);
    assert_eq!(desk.board.status().room, RoomState::Asked);
    assert_eq!(events(&desk.sleep(limits::JOIN_STEP)), ["join"]);
    assert_eq!(events(&desk.sleep(3 * limits::JOIN_STEP)), ["join-room", "join-room", "joinRoom"]);
    // That may be the echo of our own coming, into some other room.
    desk.on(says_all("user-joined", vec![json!("socket-1")]));
    let rest = desk.sleep(secs(3600));
    assert_eq!(events(&rest), ["joinRoom", "join_room", "join room", "create or join"]);
    assert_eq!(desk.board.status().room, RoomState::In);
    assert_eq!(
        desk.noted(),
        [(Level::Info, "the relay is reached".to_owned())],
        "which dialect is still to be heard"
    );
}

#[test]
fn a_relay_that_says_nothing_has_been_asked_in_every_way_and_is_then_left_in_peace() {
    let mut desk = in_room(Choice::Auto);
    let mut asked = events(&desk.on(up()));
    asked.extend(events(&desk.sleep(secs(60))));
    assert_eq!(asked.len(), 9);
    assert_eq!(desk.board.poll_timeout(), None);
    assert!(desk.board.status().healthy(), "many relays say nothing until somebody calls");
}

#[test]
fn after_a_loss_the_way_that_was_heard_comes_first() {
    let mut desk = in_room(Choice::Auto);
    desk.on(up());
    desk.sleep(5 * limits::JOIN_STEP);
    desk.on(says_all("user-joined", vec![json!("socket-1")]));
    desk.ignores(down());
    desk.sleep(secs(600));
    assert_eq!(events(&desk.on(up())), ["joinRoom"]);
    desk.on(offer_in(Known::B, &chromium("ann1")));
    desk.passes(secs(2), []);
}

#[test]
fn a_relay_that_should_have_said_that_the_camera_is_in_and_has_not_is_told_once_and_makes_it_unhealthy() {
    for dialect in [Known::Porthole, Known::C2, Known::D, Known::F, Known::G] {
        let mut desk = in_room(known(dialect));
        desk.on(up());
        desk.noted();
        desk.sleep(limits::JOIN_SILENCE - millis(1));
        assert!(desk.board.status().healthy() && desk.noted().is_empty(), "{dialect}");
        desk.sleep(millis(1));
        assert_eq!(desk.board.status().room, RoomState::Unconfirmed, "{dialect}");
        assert!(!desk.board.status().healthy(), "{dialect}");
        let notes = desk.noted();
        assert!(
            notes.len() == 1 && notes[0].0 == Level::Warn && notes[0].1.contains("[relay] dialect"),
            "{notes:?}"
        );
        for _ in 0..10 {
            desk.ignores(down());
            desk.on(up());
            desk.sleep(secs(60));
        }
        assert!(!desk.noted().iter().any(|(_, text)| text.contains("dialect")), "{dialect}: told once");
        assert_eq!(desk.board.status().room, RoomState::Unconfirmed, "{dialect}");
        let sdp = chromium("late");
        desk.on(offer_in(dialect, &sdp));
        assert!(desk.board.status().healthy(), "{dialect}: whoever calls has found us");
    }
}

#[test]
fn a_relay_that_never_says_such_a_thing_is_told_without_alarm_and_stays_healthy() {
    for dialect in
        [Choice::Auto, known(Known::A), known(Known::E), known(Known::C), Choice::Custom(Box::default())]
    {
        let mut desk = in_room(dialect.clone());
        desk.on(up());
        desk.sleep(secs(60));
        assert_eq!(desk.board.status().room, RoomState::Asked);
        assert!(desk.board.status().healthy());
        let notes = desk.noted();
        assert!(notes.len() == 2 && notes.iter().all(|(level, _)| *level == Level::Info), "{notes:?}");
        assert!(notes[1].1.contains("nobody has said anything"), "{dialect:?}: {notes:?}");
        for _ in 0..10 {
            desk.ignores(down());
            desk.on(up());
            desk.sleep(secs(60));
        }
        assert!(!desk.noted().iter().any(|(_, text)| text.contains("nobody")), "{dialect:?}: told once");
    }
}

#[test]
fn a_relay_that_throws_the_camera_out_again_and_again_is_not_healthy() {
    let mut desk = in_room(known(Known::A));
    let thrown_out = || Event::Link(LinkEvent::Down { why: Loss::SentAway, reason: "sent away".into() });
    for round in 0..10 {
        desk.on(up());
        let status = desk.board.status();
        assert_eq!(
            (status.healthy(), status.lost),
            (round == 0, (round > 0).then_some(Loss::SentAway)),
            "{round}"
        );
        desk.sleep(millis(1500));
        desk.ignores(thrown_out());
        assert!(!desk.board.status().healthy());
        desk.sleep(secs(4));
    }
    desk.on(up());
    desk.sleep(limits::LINK_STEADY);
    let status = desk.board.status();
    assert!(status.healthy() && status.link && status.lost.is_none(), "{status:?}");
}

#[test]
fn a_join_that_waits_for_its_turn_is_not_sent_while_the_link_is_down() {
    let mut desk = in_room(Choice::Auto);
    desk.on(up());
    desk.ignores(down());
    desk.passes(secs(60), []);
}

#[test]
fn a_full_room_is_asked_again_ever_more_patiently_and_the_log_is_told_once() {
    let mut desk = in_room(known(Known::C2));
    desk.on(up());
    desk.ignores(says_all("full", vec![json!(ROOM)]));
    assert_eq!(desk.board.status().room, RoomState::Full);
    assert!(!desk.board.status().healthy());
    let notes = desk.noted();
    assert_eq!(notes.len(), 2);
    assert!(notes[1].0 == Level::Warn && notes[1].1.contains("[room] name"), "{notes:?}");
    let mut wait = limits::JOIN_RETRY;
    for _ in 0..8 {
        desk.passes(wait - millis(1), []);
        assert_eq!(events(&desk.sleep(millis(1))), ["join"]);
        desk.ignores(says_all("full", vec![json!(ROOM)]));
        wait = (2 * wait).min(limits::JOIN_RETRY_MOST);
    }
    assert_eq!(desk.noted(), []);
    desk.sleep(wait);
    desk.ignores(says_all("created", vec![json!(ROOM)]));
    assert_eq!(desk.board.status().room, RoomState::In);
    desk.sleep(limits::ROOM_STEADY);
    assert_eq!(desk.noted(), [(Level::Info, format!("in room {ROOM} again"))]);
    desk.ignores(says_all("full", vec![json!(ROOM)]));
    desk.passes(limits::JOIN_RETRY - millis(1), []);
    assert_eq!(events(&desk.sleep(millis(1))), ["join"], "who was in for a while is patient from the start");
    assert_eq!(desk.noted().len(), 1, "and the log is told again");
}

#[test]
fn a_camera_that_was_sent_out_asks_again_in_every_way_it_knows() {
    for (choice, ways) in [(known(Known::A), 7), (known(Known::C2), 1), (Choice::Auto, 9)] {
        let mut desk = in_room(choice.clone());
        assert_eq!(events(&desk.on(up())), ["join"], "{choice:?}");
        desk.sleep(secs(60));
        desk.ignores(says_all("kicked", vec![]));
        desk.passes(limits::JOIN_RETRY - millis(1), []);
        let asked = events(&desk.sleep(secs(60)));
        assert_eq!((asked[0].as_str(), asked.len()), ("join", ways), "{choice:?}");
        assert_ne!(desk.board.status().room, RoomState::In, "{choice:?}: nobody has said so");
        desk.on(says_all("joined", vec![json!(ROOM)]));
        assert_eq!(desk.board.status().room, RoomState::In, "{choice:?}");
    }
}

#[test]
fn a_relay_that_lets_in_and_throws_out_at_once_is_asked_ever_more_patiently() {
    let mut desk = in_room(known(Known::C2));
    desk.on(up());
    let mut wait = limits::JOIN_RETRY;
    for _ in 0..8 {
        desk.ignores(says_all("created", vec![json!(ROOM)]));
        desk.ignores(says_all("kicked", vec![]));
        desk.passes(wait - millis(1), []);
        assert_eq!(events(&desk.sleep(millis(1))), ["join"]);
        wait = (2 * wait).min(limits::JOIN_RETRY_MOST);
    }
    assert_eq!(desk.noted().len(), 2, "reached, and sent out");
}

#[test]
fn a_stranger_who_says_full_all_the_time_moves_nothing() {
    let mut desk = in_room(known(Known::C2));
    desk.on(up());
    let due = {
        desk.ignores(says_all("full", vec![json!(ROOM)]));
        desk.board.poll_timeout()
    };
    for _ in 0..1000 {
        desk.ignores(says_all("full", vec![json!(ROOM)]));
        desk.ignores(says_all("kicked", vec![]));
    }
    assert!(desk.board.poll_timeout() <= due.map(|due| due + limits::JOIN_RETRY_MOST));
    assert!(desk.noted().len() <= 2);
}

#[test]
fn our_own_relay_never_puts_the_camera_out() {
    let mut desk = Desk::open();
    desk.on(up());
    desk.ignores(says(Some("mallory"), "refused", json!({ "reason": "not-allowed" })));
    desk.passes(secs(60), []);
    assert_eq!(desk.board.status().room, RoomState::In);
}

#[test]
fn ten_minutes_without_a_relay_are_two_lines_in_the_log() {
    let mut desk = in_room(known(Known::A));
    desk.on(up());
    desk.sleep(secs(60));
    desk.noted();
    for minute in 0..10 {
        let why = if minute == 0 { Loss::Closed } else { Loss::NobodyListens };
        desk.ignores(Event::Link(LinkEvent::Down { why, reason: "no answer at relay.example:443".into() }));
        assert_eq!(desk.board.status().lost, Some(why));
        desk.sleep(secs(60));
    }
    desk.on(up());
    assert_eq!(desk.board.status().lost, None);
    assert_eq!(
        desk.noted(),
        [
            (Level::Warn, "the relay is lost, calls go on: no answer at relay.example:443".to_owned()),
            (Level::Info, "the relay is reached".to_owned()),
        ]
    );
}

#[test]
fn a_relay_that_was_never_reached_is_told_once_and_again_if_a_person_has_to_mend_something() {
    let mut desk = in_room(known(Known::A));
    let failed = |why| Event::Link(LinkEvent::Down { why, reason: format!("{why:?}") });
    for why in [Loss::NoName, Loss::NoName, Loss::Unreachable, Loss::Refused, Loss::Refused] {
        desk.ignores(failed(why));
    }
    let told = ["the relay is not reached: NoName", "the relay is not reached: Refused"];
    assert_eq!(desk.noted(), told.map(|text| (Level::Warn, text.to_owned())));
}

#[test]
fn another_reason_that_stays_is_told_too_and_one_that_passes_is_not() {
    let mut desk = in_room(known(Known::A));
    let failed = |why| Event::Link(LinkEvent::Down { why, reason: format!("{why:?}") });
    let told = |desk: &mut Desk| desk.noted().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    desk.ignores(failed(Loss::NobodyListens));
    assert_eq!(told(&mut desk), ["the relay is not reached: NobodyListens"]);
    for why in [Loss::NotSocketIo, Loss::NoName, Loss::Silent] {
        desk.ignores(failed(why));
        desk.sleep(limits::LOSS_STAYS - millis(1));
        assert_eq!(told(&mut desk), [""; 0]);
        desk.ignores(failed(Loss::NobodyListens));
        desk.sleep(secs(60));
        assert_eq!(told(&mut desk), [""; 0], "{why:?} has passed");
        desk.ignores(failed(why));
        desk.sleep(secs(60));
        assert_eq!(told(&mut desk), [format!("the relay is not reached: {why:?}")]);
        assert_eq!(desk.board.status().lost, Some(why));
    }
    for why in [Loss::Silent, Loss::NoName, Loss::NotSocketIo, Loss::NobodyListens, Loss::Unreachable] {
        desk.ignores(failed(why));
        desk.sleep(secs(60));
    }
    assert_eq!(told(&mut desk), [""; 0], "each once");
    desk.on(up());
    desk.sleep(secs(60));
    desk.noted();
    desk.ignores(failed(Loss::Closed));
    desk.ignores(failed(Loss::NotSocketIo));
    desk.on(up());
    desk.sleep(secs(60));
    assert_eq!(told(&mut desk), ["the relay is lost, calls go on: Closed", "the relay is reached"]);
}

// ---- being called ----------------------------------------------------------------------------------------------

#[test]
fn the_newest_viewer_wins_where_pages_cannot_tell_answers_apart() {
    let mut desk = in_room(known(Known::E));
    let call = |who: &str| {
        says_all(
            "offer",
            vec![json!({ "target": "x", "caller": who, "sdp": { "type": "offer", "sdp": chromium(who) } })],
        )
    };
    desk.expect(call("anna"), [StartCapture, StartRendition(H264), answer_to(1, &chromium("anna"), false)]);
    desk.expect(call("bert"), [hang_up(1), answer_to(2, &chromium("bert"), false)]);
    assert!(desk.noted().iter().any(|(_, text)| text.contains("takes the place")));
    let answered = desk.answered(2);
    let commands = desk.on(answered);
    let Command::Send(message) = &commands[0] else { panic!("{commands:?}") };
    assert_eq!(
        (message.payload()["target"].as_str(), message.payload()["caller"].as_str()),
        (Some("bert"), Some(ME))
    );
}

#[test]
fn as_many_viewers_are_served_as_the_owner_has_written() {
    let mut desk = in_room_with(known(Known::E), 2, |_| {});
    let call = |who: &str| {
        says_all("offer", vec![json!({ "caller": who, "sdp": { "type": "offer", "sdp": chromium(who) } })])
    };
    desk.on(call("anna"));
    desk.expect(call("bert"), [answer_to(2, &chromium("bert"), false)]);
    desk.expect(call("carl"), [hang_up(1), answer_to(3, &chromium("carl"), false)]);
}

#[test]
fn our_own_page_is_answered_in_our_own_dialect_through_somebody_elses_relay() {
    let mut desk = in_room(known(Known::A));
    let sdp = chromium("anna10000");
    let payload = json!({ "room": ROOM, "from": "anna", "to": ME, "call": "1", "sdp": { "type": "offer", "sdp": sdp } });
    desk.expect(says(None, "offer", payload), [StartCapture, StartRendition(H264), answer_to(1, &sdp, true)]);
    let Command::Send(mut message) =
        desk.answer_message(1, &address(Some("anna"), Some("1")), porthole_core::wire::Shape::Porthole)
    else {
        panic!("no message")
    };
    message.introduce("Nursery");
    assert_eq!(message.payload()["name"], "Nursery", "which nobody else tells it there");
    let message = Command::Send(message);
    let answered = desk.answered(1);
    desk.expect(answered, [message]);
    desk.expect(found(1, 1), [sent_candidate("anna", "1", Some(1))]);
}

#[test]
fn a_stray_word_of_another_dialect_breaks_no_call_and_none_that_comes_later() {
    for live in [false, true] {
        let mut desk = in_room(Choice::Auto);
        desk.on(up());
        desk.sleep(secs(60));
        let call = |ufrag: &str| {
            let sdp = chromium(ufrag);
            says_all("offer", vec![json!({ "room": ROOM, "offer": { "type": "offer", "sdp": sdp } })])
        };
        desk.on(call("anna"));
        let answered = desk.answered(1);
        let is_answer = |commands: &[Command]| match commands {
            [Command::Send(message)] => {
                message.event == "answer" && message.payload()["answer"]["sdp"].is_string()
            }
            _ => false,
        };
        assert!(is_answer(&desk.on(answered)));
        if live {
            desk.on(connected(1));
        }
        for (event, args) in [
            ("ice", json!([{ "room": ROOM }])),
            ("welcome", json!([])),
            ("start_call", json!([ROOM])),
            ("otherjoin", json!([ROOM, "socket-1"])),
            ("message", json!(["got user media"])),
        ] {
            desk.ignores(says_all(event, args.as_array().unwrap().clone()));
        }
        // For all that is known this page calls its candidates so, and has no more.
        desk.on(says_all("ice", vec![]));
        assert_eq!(desk.board.status().calls, 1);
        if live {
            desk.ignores(says_all("message", vec![json!("bye")]));
            desk.ignores(down());
            desk.on(up());
            desk.sleep(secs(3));
            desk.ignores(says_all("welcome", vec![]));
        }
        desk.on(call("bert"));
        let answered = desk.answered(2);
        assert!(is_answer(&desk.on(answered)), "live: {live}");
    }
}

#[test]
fn a_relay_that_confirms_the_join_like_another_dialect_is_answered_as_it_calls() {
    let mut desk = in_room(Choice::Auto);
    desk.on(up());
    desk.on(says_all("joined", vec![json!(ROOM)]));
    desk.sleep(secs(10));
    let sdp = chromium("anna");
    desk.on(says_all("offer", vec![json!({ "room": ROOM, "offer": { "type": "offer", "sdp": sdp } })]));
    let answered = desk.answered(1);
    let commands = desk.on(answered);
    let [Command::Send(message)] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((message.args.len(), &message.payload()["answer"]["type"]), (1, &json!("answer")));
}

#[test]
fn losing_the_relay_is_not_losing_the_call() {
    let mut desk = in_room(known(Known::C));
    let id = desk.offered_and_live("welcome", vec![]);
    desk.ignores(down());
    for _ in 0..600 {
        desk.ignores(heard(id));
        desk.sleep(secs(1));
    }
    assert_eq!(desk.board.status().live, 1);
    assert_eq!(events(&desk.on(up())), ["join_room"]);
    assert_eq!(desk.board.status().live, 1);
}

// ---- calling ---------------------------------------------------------------------------------------------------

#[test]
fn whoever_comes_is_called_and_seen_through_to_live() {
    for (dialect, event, args) in ARRIVALS {
        let args = || serde_json::from_str::<Vec<Value>>(args).unwrap();
        let mut desk = in_room(known(dialect));
        desk.expect(says_all(event, args()), [StartCapture, StartRendition(H264), offers(1, H264)]);
        desk.ignores(found(1, 1));
        let commands = desk.on(offered(1, H264));
        let tongue = Tongue::new(&known(dialect));
        let message = tongue.offer(&address(None, None), tongue.own_shape(), &our_offer(H264));
        assert_eq!(commands, [Command::Send(message)], "{dialect}");
        desk.expect(answer_in(dialect, &their_answer(H264)), [takes(1, H264)]);
        desk.ignores(connected(2));
        desk.expect(connected(1), [ForceKeyFrame(H264)]);
        assert_eq!((desk.board.status().calls, desk.board.status().live), (1, 1), "{dialect}");
    }
}

#[test]
fn a_camera_that_comes_second_lets_the_other_one_call() {
    for (dialect, event, said) in [
        (Known::C2, "joined", Some(("ready", json!([ROOM])))),
        (Known::D, "joined", Some(("message", json!(["got user media", ROOM])))),
        (Known::F, "room_joined", Some(("start_call", json!([ROOM])))),
        (Known::G, "joined", None),
    ] {
        let mut desk = in_room(known(dialect));
        desk.on(up());
        let commands = desk.on(says_all(event, vec![json!(ROOM)]));
        let said = said
            .map(|(event, args)| Command::Send(Outgoing::new(None, event, args.as_array().unwrap().clone())));
        assert_eq!(commands, said.into_iter().collect::<Vec<_>>(), "{dialect}");
        let sdp = chromium("first");
        desk.expect(offer_in(dialect, &sdp), [StartCapture, StartRendition(H264), answer_to(1, &sdp, false)]);
    }
}

#[test]
fn whoever_comes_is_called_at_once_though_the_relay_was_first_taken_for_another() {
    let mut desk = in_room(Choice::Auto);
    desk.on(up());
    // In C2 this is to say that somebody is there already, and makes the offer.
    desk.on(says_all("joined", vec![json!(ROOM), json!("socket-1")]));
    let commands = desk.on(says_all("otherjoin", vec![json!(ROOM), json!("socket-2")]));
    assert!(commands.contains(&offers(1, Rendition::H264)), "{commands:?}");
}

#[test]
fn the_echo_of_our_own_coming_makes_no_offer() {
    let mut desk = in_room(known(Known::C2));
    desk.on(up());
    desk.on(says_all("joined", vec![json!(ROOM)]));
    desk.ignores(says_all("ready", vec![json!(ROOM)]));
    desk.sleep(limits::NEWCOMER);
    desk.expect(says_all("ready", vec![]), [StartCapture, StartRendition(H264), offers(1, H264)]);
}

#[test]
fn a_browser_without_h264_is_called_again_with_vp8_and_only_once() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    desk.expect(
        answer_in(Known::C, &refusing_picture(&their_answer(H264))),
        [hang_up(1), StartRendition(Vp8), offers(2, Vp8), StopRendition(H264)],
    );
    desk.on(offered(2, Vp8));
    desk.expect(answer_in(Known::C, &refusing_picture(&their_answer(Vp8))), [hang_up(2), StopRendition(Vp8)]);
    assert_eq!(desk.refusals(Reason::NoCodec), 1);
}

#[test]
fn where_there_is_no_fallback_a_browser_without_h264_is_not_called_again() {
    let mut desk = in_room_with(known(Known::C), 1, |settings| settings.fallback = Fallback::None);
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    desk.expect(
        answer_in(Known::C, &refusing_picture(&their_answer(H264))),
        [hang_up(1), StopRendition(H264)],
    );
}

#[test]
fn candidates_wait_for_the_answer_and_those_of_another_call_are_dropped() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    let ice = |number, ufrag: &str| {
        let mut line = line(number);
        line.username_fragment = Some(ufrag.into());
        (says_all("ice", vec![json!(line)]), line)
    };
    let (early, first) = ice(1, "Zq3v");
    desk.ignores(early);
    desk.ignores(ice(2, "other").0);
    let add = |line| Command::AddCandidate { call: CallId(1), candidate: Some(line) };
    desk.expect(answer_in(Known::C, &their_answer(H264)), [takes(1, H264), add(first)]);
    let (late, third) = ice(3, "Zq3v");
    desk.expect(late, [add(third)]);
}

#[test]
fn a_viewer_that_does_not_answer_is_given_up() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    desk.passes(limits::VIEWER_DEADLINE, [hang_up(1), StopRendition(H264)]);
    assert_eq!(desk.refusals(Reason::NoAnswer), 1);
    desk.ignores(answer_in(Known::C, &their_answer(H264)));
    assert_eq!(desk.refusals(Reason::BadAnswer), 1);
}

#[test]
fn an_offer_that_webrtcbin_never_makes_is_given_up() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.passes(limits::ANSWER_DEADLINE, [hang_up(1), StopRendition(H264)]);
    desk.ignores(offered(1, H264));
}

#[test]
fn rubbish_for_an_answer_ends_the_call_and_rubbish_for_an_offer_is_never_sent() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    desk.expect(answer_in(Known::C, "v=0\r\nrubbish"), [hang_up(1), StopRendition(H264)]);
    desk.on(says_all("welcome", vec![]));
    desk.expect(
        Event::Media(MediaEvent::Offered { call: CallId(2), sdp: "v=0\r\n".into() }),
        [hang_up(2), StopRendition(H264)],
    );
    assert_eq!(desk.board.status().calls, 0);
}

#[test]
fn a_second_answer_touches_nothing() {
    let mut desk = in_room(known(Known::C));
    desk.offered_and_live("welcome", vec![]);
    desk.ignores(answer_in(Known::C, &their_answer(H264)));
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn a_reloaded_page_is_called_again_and_the_old_call_goes_when_the_new_one_is_live() {
    let mut desk = in_room(known(Known::C));
    desk.offered_and_live("welcome", vec![]);
    desk.expect(says_all("welcome", vec![]), [offers(2, H264)]);
    desk.on(offered(2, H264));
    desk.expect(answer_in(Known::C, &their_answer(H264)), [takes(2, H264)]);
    desk.sleep(millis(600));
    desk.expect(connected(2), [ForceKeyFrame(H264), hang_up(1)]);
}

#[test]
fn a_page_that_calls_while_it_is_being_called_is_answered() {
    let mut desk = in_room(known(Known::C));
    desk.on(says_all("welcome", vec![]));
    desk.on(offered(1, H264));
    let sdp = chromium("glare");
    desk.expect(offer_in(Known::C, &sdp), [hang_up(1), answer_to(2, &sdp, false)]);
}

#[test]
fn the_one_who_hangs_up_is_hung_up() {
    for (dialect, event, args) in [
        (Known::D, "message", json!(["bye"])),
        (Known::G, "bye", json!([ROOM, "x"])),
        (Known::C2, "leave", json!([ROOM])),
    ] {
        let (_, arrival, arriving) = ARRIVALS.into_iter().find(|(known, ..)| *known == dialect).unwrap();
        let mut desk = in_room(known(dialect));
        let id = desk.offered_and_live_in(dialect, arrival, serde_json::from_str(arriving).unwrap());
        desk.expect(says_all(event, args.as_array().unwrap().clone()), [hang_up(id), StopRendition(H264)]);
    }
}

#[test]
fn nobody_is_called_in_a_room_that_is_not_open_or_by_a_camera_that_stops() {
    let mut desk = in_room_with(known(Known::C), 1, |settings| settings.room.access = Access::Local);
    desk.ignores(says_all("welcome", vec![]));
    assert_eq!(desk.refusals(Reason::NotAllowed), 1);
    let mut desk = in_room(known(Known::C));
    desk.expect(shutdown(), [Finished]);
    desk.ignores(says_all("welcome", vec![]));
}

#[test]
fn comings_are_counted_like_offers() {
    let mut desk = in_room(known(Known::C));
    for _ in 0..limits::OFFERS_PER_WINDOW {
        desk.on(says_all("welcome", vec![]));
    }
    desk.ignores(says_all("welcome", vec![]));
    assert_eq!(desk.refusals(Reason::TooOften), 1);
    assert_eq!(desk.board.status().calls, 1);
}

#[test]
fn a_camera_without_sound_offers_none() {
    let mut desk = in_room_with(known(Known::C), 1, |settings| settings.sound = false);
    let commands = desk.on(says_all("welcome", vec![]));
    assert_eq!(commands[2], Command::Offer { call: CallId(1), rendition: H264, sound: false });
}

#[test]
fn in_a_dialect_in_which_viewers_call_nobody_is_called() {
    for dialect in [Known::Porthole, Known::A, Known::A0, Known::B, Known::E] {
        let mut desk = in_room(known(dialect));
        for event in [
            "welcome",
            "ready",
            "otherjoin",
            "start_call",
            "user-joined",
            "user joined",
            "other user",
            "joined",
        ] {
            desk.ignores(says_all(event, vec![json!("somebody")]));
        }
        desk.ignores(says_all("answer", vec![json!({ "type": "answer", "sdp": their_answer(H264) })]));
    }
}

// ---- the small language of these tests -------------------------------------------------------------------------

const ARRIVALS: [(Known, &str, &str); 5] = [
    (Known::C, "welcome", "[]"),
    (Known::C2, "ready", r#"["porthole"]"#),
    (Known::D, "message", r#"["got user media"]"#),
    (Known::F, "start_call", "[]"),
    (Known::G, "otherjoin", r#"["porthole", "socket-1"]"#),
];

fn in_room(dialect: Choice) -> Desk {
    in_room_with(dialect, 1, |_| {})
}

fn in_room_with(
    dialect: Choice,
    calls: usize,
    change: impl FnOnce(&mut porthole_core::switchboard::SwitchboardSettings),
) -> Desk {
    Desk::with(|settings| {
        settings.room.access = Access::Open;
        settings.relay = Relay::Foreign { dialect, calls };
        change(settings);
    })
}

fn known(known: Known) -> Choice {
    Choice::Known(known)
}

impl Desk {
    /// Somebody comes, is called, answers, and sees the picture.
    fn offered_and_live(&mut self, event: &str, args: Vec<Value>) -> u64 {
        self.offered_and_live_in(Known::C, event, args)
    }

    fn offered_and_live_in(&mut self, dialect: Known, event: &str, args: Vec<Value>) -> u64 {
        let commands = self.on(says_all(event, args));
        let call = commands.iter().find_map(|command| match command {
            Command::Offer { call, .. } => Some(call.0),
            _ => None,
        });
        let id = call.unwrap_or_else(|| panic!("not called: {commands:?}"));
        self.on(offered(id, H264));
        self.expect(answer_in(dialect, &their_answer(H264)), [takes(id, H264)]);
        self.on(connected(id));
        id
    }
}

fn offers(id: u64, rendition: Rendition) -> Command {
    Command::Offer { call: CallId(id), rendition, sound: true }
}

fn takes(id: u64, rendition: Rendition) -> Command {
    let accepted = accept::judge(&our_offer(rendition), &their_answer(rendition)).unwrap();
    Command::TakeAnswer { call: CallId(id), answer: Box::new(accepted) }
}

fn events(commands: &[Command]) -> Vec<String> {
    commands
        .iter()
        .filter_map(|command| match command {
            Command::Send(message) => Some(message.event.to_string()),
            _ => None,
        })
        .collect()
}

fn answer_in(dialect: Known, sdp: &str) -> Event {
    described_in(dialect, "answer", sdp)
}

fn offer_in(dialect: Known, sdp: &str) -> Event {
    described_in(dialect, "offer", sdp)
}

fn described_in(dialect: Known, kind: &str, sdp: &str) -> Event {
    let description = json!({ "type": kind, "sdp": sdp });
    match dialect {
        Known::D => says_all("message", vec![description]),
        Known::G => says_all("message", vec![json!(ROOM), description]),
        Known::F => says_all(&format!("webrtc_{kind}"), vec![description]),
        _ => says_all(kind, vec![description]),
    }
}
