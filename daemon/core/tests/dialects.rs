//! Other people's relays: what arrives and what leaves in each dialect, as golden messages, and how a dialect that was
//! not written down is found out.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use porthole_core::ids::Name;
use porthole_core::wire::dialect::{Choice, Custom, Heard, JoinShape, Known, Tongue, Wrap};
use porthole_core::wire::{Address, Away, Bye, Incoming, Mirror, Outgoing, Reason, Shape, limits};
use serde_json::{Value, json};

const ROOM: &str = "lobby";
const ME: &str = "cam-lobby";
const SOCKET: &str = "Zx_yW3-AbCdEfGhIAAAB";
const OURS: &str = "v=0\r\no=- 3 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

// ---- golden messages -------------------------------------------------------------------------------------------

#[test]
fn what_arrives_means_what_its_golden_message_says() {
    let mut count = 0;
    for dialect in every_dialect() {
        for (file, golden) in goldens(&dialect, "hears-") {
            let heard = hear(&mut tongue(&dialect), &golden);
            assert_eq!(meaning(&heard), golden["means"], "{dialect}/{file}: {heard:?}");
            count += 1;
        }
    }
    assert!(count > 70, "{count}");
}

#[test]
fn what_leaves_is_exactly_its_golden_message() {
    for dialect in every_dialect() {
        let mut written = BTreeSet::new();
        for (name, message) in everything_said(&dialect) {
            if let Some((_, golden)) = goldens(&dialect, "says-").iter().find(|(file, _)| *file == name) {
                assert_eq!(json!(message.event), golden["event"], "{dialect}/{name}");
                assert_eq!(json!(message.args), golden["args"], "{dialect}/{name}");
                assert_eq!(message.enters, name.as_bytes()[5].is_ascii_digit(), "{dialect}/{name}");
                written.insert(name);
            }
        }
        let files: BTreeSet<_> = goldens(&dialect, "says-").into_iter().map(|(file, _)| file).collect();
        assert_eq!(files, written, "{dialect}: a golden message that nobody writes");
    }
}

#[test]
fn every_dialect_has_golden_messages_for_joining_and_for_an_offer() {
    for dialect in every_dialect() {
        let hears: Vec<_> =
            goldens(&dialect, "hears-").into_iter().map(|(_, golden)| golden["means"].clone()).collect();
        assert!(hears.iter().any(|means| means.get("offer").is_some()), "{dialect}");
        let joins = joins(&mut tongue(&dialect));
        let golden: Vec<_> = goldens(&dialect, "says-")
            .into_iter()
            .filter(|(file, _)| file.as_bytes()[5].is_ascii_digit())
            .collect();
        let alike = ["a", "a0", "b", "e"].contains(&dialect.as_str());
        assert_eq!(joins.len(), if alike { 7 } else { golden.len() }, "{dialect}");
        assert!(!golden.is_empty(), "{dialect}");
    }
    let folders: BTreeSet<_> = every_dialect().into_iter().collect();
    let known = Known::ALL.map(|known| known.word().to_owned()).into_iter();
    assert_eq!(folders, known.chain(["custom".to_owned()]).collect());
}

#[test]
fn what_the_camera_has_said_is_nobody_elses_under_whatever_name_it_comes_back() {
    let description = |kind: &str, from: &str| json!({ "type": kind, "sdp": OURS, "from": from });
    let mut ways: Vec<(&str, Value)> = Vec::new();
    for key in ["from", "sender", "senderId", "caller", "callerId"] {
        ways.push(("offer", json!({ "room": ROOM, "offer": { "type": "offer", "sdp": OURS }, key: ME })));
        ways.push(("answer", json!({ "room": ROOM, "sdp": OURS, "type": "answer", key: ME })));
        ways.push(("bye", json!({ "room": ROOM, "reason": "busy", key: ME })));
        ways.push(("joined", json!({ "room": ROOM, key: ME })));
        // The relay has written the id of our socket beside ours.
        ways.push((
            "offer",
            json!({ "sdp": description("offer", SOCKET), "from": SOCKET, "callerId": SOCKET, key: ME }),
        ));
    }
    ways.push(("offer", json!({ "from": SOCKET, "offer": description("offer", ME) })));
    ways.push(("offer", json!({ "sdp": null, "offer": description("offer", ME) })));
    for key in ["id", "peerId", "userId", "user", "socketId"] {
        ways.push(("user-joined", json!({ "room": ROOM, key: ME })));
        ways.push(("user-left", json!({ "room": ROOM, key: ME })));
    }
    for dialect in ["a", "a0", "b", "e", "custom"] {
        for (event, payload) in &ways {
            let heard =
                tongue(dialect).read(None, &name(ME), &name(ROOM), event, std::slice::from_ref(payload));
            assert_eq!(heard.message, Ok(Incoming::Nothing), "{dialect}: {event} {payload}");
        }
    }
    let ready = tongue("c2").read(None, &name(ME), &name(ROOM), "ready", &[json!({ "caller": ME })]);
    assert_eq!(ready.message, Ok(Incoming::Nothing));
}

// ---- auto ------------------------------------------------------------------------------------------------------

#[test]
fn a_relay_of_unknown_dialect_is_asked_in_every_way_until_it_says_something() {
    let mut auto = Tongue::new(&Choice::Auto);
    let asked: Vec<_> =
        joins(&mut auto).into_iter().map(|join| (join.event.to_string(), join.args[0].is_object())).collect();
    let all = [
        ("join", true),
        ("join", false),
        ("join-room", false),
        ("join-room", true),
        ("joinRoom", false),
        ("joinRoom", true),
        ("join_room", false),
        ("join room", false),
        ("create or join", false),
    ];
    assert_eq!(asked, all.map(|(event, object)| (event.to_owned(), object)));
    assert!(!auto.has_more_joins());
}

#[test]
fn a_b_and_e_are_asked_in_each_others_words_too_and_in_their_own_first() {
    let spelt = |known| -> BTreeSet<String> {
        joins(&mut Tongue::new(&Choice::Known(known)))
            .iter()
            .map(|join| format!("{} {}", join.event, join.args[0].is_object()))
            .collect()
    };
    let all = spelt(Known::A);
    assert_eq!(all.len(), 7);
    for (known, first) in
        [(Known::A, "join"), (Known::A0, "join"), (Known::B, "join-room"), (Known::E, "join room")]
    {
        assert_eq!(spelt(known), all, "{known}");
        assert_eq!(joins(&mut Tongue::new(&Choice::Known(known)))[0].event, first);
    }
}

#[test]
fn every_dialect_is_known_by_what_it_says() {
    for (known, asked, event, args) in [
        (Known::Porthole, 1, "room", json!([{ "room": ROOM, "peers": [] }])),
        (Known::A, 9, "offer", json!([{ "room": ROOM, "offer": offer() }])),
        (Known::A0, 9, "offer", json!([offer()])),
        (Known::B, 3, "offer", json!([{ "roomId": ROOM, "offer": offer() }])),
        (Known::B, 3, "offer", json!([{ "offer": offer(), "sender": SOCKET }])),
        (Known::C, 7, "welcome", json!([])),
        (Known::C, 7, "offer", json!([offer(), ROOM])),
        (Known::C, 7, "ice", json!([{ "candidate": "candidate:1" }, ROOM])),
        (Known::C2, 2, "created", json!([ROOM])),
        (Known::C2, 2, "joined", json!([ROOM])),
        (Known::C2, 2, "full", json!([ROOM])),
        (Known::D, 9, "created", json!([ROOM, SOCKET])),
        (Known::D, 9, "joined", json!([ROOM, SOCKET])),
        (Known::D, 2, "message", json!(["got user media"])),
        (Known::D, 2, "got user media", json!([])),
        (Known::D, 2, "message", json!([offer()])),
        (Known::E, 8, "offer", json!([{ "target": "x", "caller": SOCKET, "sdp": offer() }])),
        (Known::F, 2, "room_created", json!([ROOM])),
        (Known::F, 2, "webrtc_offer", json!([offer()])),
        (Known::G, 2, "otherjoin", json!([ROOM, SOCKET])),
        (Known::G, 2, "message", json!([ROOM, offer()])),
    ] {
        let mut auto = asked_times(asked);
        let heard = say(&mut auto, event, args.as_array().unwrap());
        assert_eq!(heard.news, Some(known), "{event} {args}");
        assert!(
            heard.understood || matches!(heard.message, Ok(Incoming::Away(_) | Incoming::Joined { .. })),
            "{event} {args}: {heard:?}"
        );
        assert_eq!(say(&mut auto, event, args.as_array().unwrap()).news, None, "no news twice");
    }
}

#[test]
fn once_known_a_relay_is_asked_first_in_the_way_that_it_heard() {
    let mut auto = asked_times(8);
    say(&mut auto, "user joined", &[json!(SOCKET)]);
    let again = joins(&mut auto);
    assert_eq!(
        (again[0].event.as_ref(), again.len()),
        ("join room", 9),
        "the others follow, if nothing is heard"
    );
    let unique: BTreeSet<_> = again.iter().map(|join| format!("{join:?}")).collect();
    assert_eq!(unique.len(), 9);
}

#[test]
fn an_offer_changes_a_guess_and_another_guess_does_not() {
    let mut auto = asked_times(2);
    assert_eq!(say(&mut auto, "joined", &[json!(ROOM), json!(SOCKET)]).news, Some(Known::C2));
    assert_eq!(say(&mut auto, "offer", &[offer()]).news, None);
    assert_eq!(say(&mut auto, "otherjoin", &[json!(ROOM), json!(SOCKET)]).news, Some(Known::G));
    let offer = auto.offer(&address(None), auto.own_shape(), OURS);
    assert_eq!(offer.event, "message");
    let called = json!({ "room": ROOM, "offer": self::offer() });
    assert_eq!(say(&mut auto, "offer", &[called]).news, Some(Known::A));
}

#[test]
fn words_that_say_that_somebody_has_come_tell_no_dialect() {
    for event in ["user-joined", "user-connected", "user joined", "other user", "joined", "ready"] {
        for args in [json!([]), json!([SOCKET]), json!([{ "id": SOCKET }])] {
            let heard = say(&mut asked_times(9), event, args.as_array().unwrap());
            assert_eq!((heard.news, heard.understood), (None, true), "{event} {args}");
        }
    }
}

#[test]
fn what_may_be_a_greeting_a_chat_or_another_pages_candidate_tells_nothing() {
    let init = json!({ "candidate": "candidate:1 1 udp 1 192.0.2.1 50000 typ host", "sdpMid": "0" });
    for (asked, event, args) in [
        (9, "ice", json!([])),
        (9, "ice", json!([init])),
        (9, "ice", json!([{ "room": ROOM, "candidate": init }])),
        (1, "welcome", json!(["Welcome to our server"])),
        (9, "message", json!(["bye"])),
        (9, "message", json!(["hello"])),
        (9, "message", json!([ROOM, "hello"])),
        (9, "message", json!([{ "type": "candidate" }])),
        (9, "message", json!([{ "type": "offer" }])),
    ] {
        let mut auto = asked_times(asked);
        let heard = say(&mut auto, event, args.as_array().unwrap());
        assert_eq!(heard.news, None, "{event} {args}");
        assert!(!matches!(heard.message, Ok(Incoming::Wanted { .. } | Incoming::Bye(_))), "{event} {args}");
        assert_eq!(say(&mut auto, "offer", &[offer()]).news, Some(Known::A0), "{event} {args}");
    }
}

#[test]
fn an_offer_is_answered_as_it_was_made_whatever_strangers_have_said_before() {
    for (event, args) in signs() {
        for (event_of_offer, made, answer) in [
            ("offer", json!([{ "room": ROOM, "offer": offer() }]), "answer {room answer}"),
            ("offer", json!([{ "roomId": ROOM, "offer": offer() }]), "answer {room answer}"),
            ("offer", json!([{ "target": "x", "caller": SOCKET, "sdp": offer() }]), "answer {room answer}"),
            ("offer", json!([offer()]), "answer {room answer} room"),
            ("offer", json!([offer(), ROOM]), "answer {sdp} room"),
            ("webrtc_offer", json!([offer()]), "webrtc_answer {sdp}"),
            ("message", json!([offer()]), "message {sdp} room"),
            ("message", json!([ROOM, offer()]), "message room {sdp}"),
        ] {
            let mut auto = asked_times(9);
            say(&mut auto, &event, &args);
            let heard = say(&mut auto, event_of_offer, made.as_array().unwrap());
            let Ok(Incoming::Offer(offer)) = &heard.message else {
                panic!("{made} after {event}: {heard:?}");
            };
            let answer_of = |auto: &Tongue| shown(&auto.answer(&address(None), offer.shape, OURS));
            assert_eq!(answer_of(&auto), answer, "{made} after {event} {args:?}");
            for (event, args) in signs() {
                say(&mut auto, &event, &args);
            }
            assert_eq!(answer_of(&auto), answer, "{made} after {event} {args:?} and everything else");
        }
    }
}

#[test]
fn the_answer_to_a_description_alone_is_read_by_pages_of_every_kind_that_send_one() {
    let mut auto = asked_times(9);
    let heard = say(&mut auto, "offer", &[offer()]);
    let Ok(Incoming::Offer(offer)) = heard.message else { panic!("{heard:?}") };
    let answer = auto.answer(&address(None), offer.shape, OURS);
    let first = &answer.args[0];
    // Dialects C and A0 take the first argument for the description, B the member, and C's relay needs the room.
    assert_eq!((&first["type"], &first["sdp"]), (&json!("answer"), &json!(OURS)));
    assert_eq!((&first["roomId"], &first["answer"]["sdp"]), (&json!(ROOM), &json!(OURS)));
    assert_eq!(answer.args[1..], [json!(ROOM)]);
}

#[test]
fn once_a_call_is_live_nobody_talks_us_into_another_dialect() {
    let mut auto = asked_times(9);
    let heard = say(&mut auto, "offer", &[json!({ "room": ROOM, "offer": offer() })]);
    let Ok(Incoming::Offer(called)) = heard.message else { panic!("{heard:?}") };
    auto.works(called.shape);
    for (event, args) in signs() {
        let heard = say(&mut auto, &event, &args);
        assert_eq!(heard.news, None, "{event} {args:?}");
        assert!(
            !matches!(heard.message, Ok(Incoming::Wanted { .. } | Incoming::Entered { .. })),
            "{event}: {heard:?}"
        );
        assert!(auto.takes_objects() && !auto.disturbs(called.shape), "{event} {args:?}");
    }
}

#[test]
fn a_call_that_we_made_and_that_went_live_proves_its_dialect_too() {
    let mut auto = asked_times(9);
    assert_eq!(say(&mut auto, "welcome", &[]).message, Ok(Incoming::Wanted { from: None }));
    auto.works(auto.own_shape());
    for (event, args) in signs() {
        say(&mut auto, &event, &args);
    }
    assert_eq!(say(&mut auto, "welcome", &[]).message, Ok(Incoming::Wanted { from: None }));
    assert_eq!(shown(&auto.offer(&address(None), auto.own_shape(), OURS)), "offer {sdp} room");
}

#[test]
fn a_new_link_knows_nothing_but_how_it_was_let_in() {
    let mut auto = asked_times(7);
    assert_eq!(say(&mut auto, "welcome", &[]).news, Some(Known::C));
    auto.works(auto.own_shape());
    let again = joins(&mut auto);
    assert_eq!((again[0].event.as_ref(), again.len()), ("join_room", 9));
    let heard = say(&mut auto, "offer", &[json!({ "room": ROOM, "offer": offer() })]);
    assert_eq!(heard.news, Some(Known::A));
    assert!(auto.takes_objects());
}

#[test]
fn strangers_cannot_fill_the_log_with_dialects_nor_make_us_deaf() {
    let mut auto = asked_times(9);
    let mut news = 0;
    for turn in 0..101 {
        let event = if turn % 2 == 0 { "welcome" } else { "start_call" };
        let heard = say(&mut auto, event, &[]);
        assert_eq!(heard.message, Ok(Incoming::Wanted { from: None }), "{turn}");
        news += usize::from(heard.news.is_some());
    }
    assert_eq!(news, 8);
    auto.start();
    (0..9).for_each(|_| drop(auto.next_join(&name(ROOM), &name(ME), "Lobby")));
    assert!(say(&mut auto, "welcome", &[]).news.is_some(), "the next link starts anew");
}

#[test]
fn a_server_that_took_our_object_for_a_name_has_not_let_us_in() {
    let mut tongue = Tongue::new(&Choice::Known(Known::C2));
    let ghost = json!({ "room": ROOM, "roomId": ROOM, "from": ME, "role": "camera", "name": "Lobby" });
    assert_eq!(say(&mut tongue, "created", &[ghost]).message, Ok(Incoming::Nothing));
    assert_eq!(say(&mut tongue, "created", &[Value::Null]).message, Ok(Incoming::Nothing));
}

#[test]
fn a_server_that_announces_us_in_whatever_room_it_took_us_for_is_asked_in_other_words_too() {
    let ghost = json!({ "room": ROOM, "roomId": ROOM, "from": ME, "role": "camera", "name": "Lobby" });
    for said in
        [json!([ghost, SOCKET]), json!([ghost]), json!(["a user has joined"]), json!([SOCKET]), json!([])]
    {
        let mut auto = asked_times(1);
        assert!(!auto.is_heard());
        assert!(!say(&mut auto, "joined", said.as_array().unwrap()).understood, "{said}");
        assert!(auto.is_heard());
        let mut auto = asked_times(9);
        assert!(
            say(&mut auto, "joined", said.as_array().unwrap()).understood,
            "{said}: there are no other words"
        );
    }
    let mut auto = asked_times(1);
    let called = say(&mut auto, "offer", &[json!({ "room": ROOM, "offer": offer() })]);
    assert!(called.understood, "whoever calls has found us");
}

// ---- by hand ---------------------------------------------------------------------------------------------------

#[test]
fn one_event_for_everything_says_itself_what_it_is() {
    let signal = || "signal".to_owned();
    let custom =
        Custom { offer: signal(), answer: signal(), candidate: signal(), bye: signal(), ..Custom::default() };
    let mut tongue = Tongue::new(&Choice::Custom(Box::new(custom)));
    let mut means = |said: Value| meaning(&say(&mut tongue, "signal", &[said]));
    let offer_of = |from: Value| json!({ "offer": { "from": from, "call": null, "shape": "text" } });
    assert_eq!(means(json!({ "type": "offer", "sdp": OURS, "room": ROOM })), offer_of(Value::Null));
    assert_eq!(
        means(json!({ "type": "offer", "offer": offer(), "sender": SOCKET })),
        offer_of(json!(SOCKET))
    );
    let init = json!({ "candidate": "candidate:1", "sdpMid": "0" });
    assert_eq!(means(json!({ "type": "candidate", "candidate": init }))["candidate"]["line"], "candidate:1");
    assert_eq!(means(json!({ "type": "ice-candidate", "candidate": null }))["candidate"]["end"], true);
    assert_eq!(means(json!({ "type": "bye", "from": SOCKET })), json!({ "bye": { "from": SOCKET } }));
    for other in
        [json!({ "type": "ready" }), json!({ "type": "chat" }), json!("hello"), json!({}), Value::Null]
    {
        assert_eq!(means(other), json!("nothing"));
    }
    let shape = Shape::Tutorial(Mirror::Text);
    let answer = tongue.answer(&address(Some(SOCKET)), shape, OURS);
    assert_eq!((answer.event.as_ref(), &answer.payload()["type"]), ("signal", &json!("answer")));
    assert_eq!(answer.payload()["sdp"], OURS);
    let bye = tongue.bye(&address(Some(SOCKET)), shape, Reason::HangUp).unwrap();
    assert_eq!((bye.event.as_ref(), &bye.payload()["type"]), ("signal", &json!("bye")));
}

#[test]
fn a_room_may_be_asked_for_with_the_cameras_id_beside_it() {
    let custom = Custom { join_shape: JoinShape::RoomAndId, ..Custom::default() };
    let asked = joins(&mut Tongue::new(&Choice::Custom(Box::new(custom))));
    assert_eq!(asked[0].args, [json!(ROOM), json!(ME)]);
}

#[test]
fn by_hand_too_the_usual_words_say_that_the_camera_is_not_in_and_ones_own_come_first() {
    let mut tongue = Tongue::new(&Choice::Custom(Box::default()));
    assert_eq!(say(&mut tongue, "kicked", &[]).message, Ok(Incoming::Away(Away::Kicked)));
    assert_eq!(say(&mut tongue, "room-not-found", &[]).message, Ok(Incoming::Away(Away::NoSuchRoom)));
    let custom = Custom { left: "kicked".into(), ..Custom::default() };
    let mut tongue = Tongue::new(&Choice::Custom(Box::new(custom)));
    let heard = say(&mut tongue, "kicked", &[json!({ "from": SOCKET })]);
    assert_eq!(heard.message, Ok(Incoming::Left { peer: name(SOCKET) }));
}

// ---- strangers -------------------------------------------------------------------------------------------------

#[test]
fn whatever_a_stranger_sends_in_whatever_dialect_is_read_or_refused_within_bounds() {
    let mut chance = Chance(7);
    let events: BTreeSet<String> = every_dialect()
        .iter()
        .flat_map(|dialect| goldens(dialect, "hears-"))
        .map(|(_, golden)| golden["event"].as_str().unwrap().to_owned())
        .chain(
            ["close", "error", "open", "message", "connect", "", "constructor", "__proto__"].map(Into::into),
        )
        .collect();
    let events: Vec<_> = events.into_iter().collect();
    let samples: Vec<Value> = every_dialect()
        .iter()
        .flat_map(|dialect| goldens(dialect, "hears-"))
        .flat_map(|(_, golden)| golden["args"].as_array().unwrap().clone())
        .collect();
    let mut read = 0;
    for round in 0..40_000_u32 {
        let dialect = every_choice()[chance.below(12)].clone();
        let mut tongue = Tongue::new(&dialect);
        tongue.start();
        for _ in 0..chance.below(10) {
            let _ = tongue.next_join(&name(ROOM), &name(ME), "Lobby");
        }
        let event = &events[chance.below(events.len())];
        let args: Vec<Value> = (0..chance.below(6))
            .map(|_| match chance.below(3) {
                0 => samples[chance.below(samples.len())].clone(),
                1 => spoilt(&samples[chance.below(samples.len())], &mut chance),
                _ => rubbish(&mut chance, 4),
            })
            .collect();
        let sender = (chance.below(2) == 0).then(|| name("vouched"));
        let heard = tongue.read(sender.as_ref(), &name(ME), &name(ROOM), event, &args);
        match heard.message {
            Ok(Incoming::Offer(offer)) => {
                assert!(!offer.sdp.is_empty() && offer.sdp.len() <= limits::SDP_BYTES, "{round}");
                read += 1;
            }
            Ok(Incoming::Candidate { candidate: Some(candidate), .. }) => {
                assert!(candidate.candidate.len() <= limits::CANDIDATE_BYTES, "{round}");
                assert!(candidate.sdp_mid.is_none_or(|mid| mid.len() <= limits::MID_BYTES), "{round}");
                read += 1;
            }
            Ok(Incoming::Present { peers }) => assert!(peers.len() <= limits::ROOM_PEERS, "{round}"),
            Ok(incoming) => read += u32::from(incoming != Incoming::Nothing),
            Err(why) => assert!(
                [Reason::BadOffer, Reason::BadAnswer, Reason::BadMessage, Reason::TooLarge]
                    .contains(&why.reason),
                "{round}"
            ),
        }
    }
    assert!(read > 2000, "only {read} of them said anything");
}

#[test]
fn too_large_is_too_large_in_every_dialect() {
    let huge = json!({ "type": "offer", "sdp": "v=0\r\n".repeat(limits::SDP_BYTES / 5 + 1) });
    for (known, event, args) in [
        (Known::A, "offer", vec![json!({ "room": ROOM, "offer": huge })]),
        (Known::C, "offer", vec![huge.clone(), json!(ROOM)]),
        (Known::D, "message", vec![huge.clone()]),
        (Known::F, "webrtc_offer", vec![huge.clone()]),
        (Known::G, "message", vec![json!(ROOM), huge.clone()]),
    ] {
        let heard = say(&mut Tongue::new(&Choice::Known(known)), event, &args);
        assert_eq!(heard.message.unwrap_err().reason, Reason::TooLarge, "{known}");
    }
}

#[test]
fn an_event_without_arguments_never_names_anybody() {
    for choice in every_choice() {
        for dialect in every_dialect() {
            for (file, golden) in goldens(&dialect, "hears-") {
                let heard = say(&mut Tongue::new(&choice), golden["event"].as_str().unwrap(), &[]);
                let named = match heard.message {
                    Ok(Incoming::Offer(_) | Incoming::Answer { .. }) => true,
                    Ok(Incoming::Joined { .. } | Incoming::Left { .. }) => true,
                    Ok(Incoming::Wanted { from } | Incoming::Bye(Bye { from, .. })) => from.is_some(),
                    _ => false,
                };
                assert!(!named, "{choice:?} {file}");
            }
        }
    }
}

// ---- the small language of these tests -------------------------------------------------------------------------

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn offer() -> Value {
    json!({ "type": "offer", "sdp": OURS })
}

fn address(to: Option<&str>) -> Address {
    Address { room: name(ROOM), from: name(ME), to: to.map(name), call: None }
}

fn choice(dialect: &str) -> Choice {
    let known = Known::ALL.into_iter().find(|known| known.word() == dialect);
    known.map_or_else(|| Choice::Custom(Box::new(handmade())), Choice::Known)
}

fn handmade() -> Custom {
    Custom {
        join: "enter".into(),
        join_shape: JoinShape::Room,
        offer: "call me".into(),
        answer: "here I am".into(),
        joined: "came".into(),
        shape: Wrap::RoomFirst,
        offers: true,
        ..Custom::default()
    }
}

fn every_choice() -> Vec<Choice> {
    let known = Known::ALL.into_iter().map(Choice::Known);
    known.chain([Choice::Auto, Choice::Custom(Box::new(handmade()))]).collect()
}

fn tongue(dialect: &str) -> Tongue {
    Tongue::new(&choice(dialect))
}

fn asked_times(times: usize) -> Tongue {
    let mut auto = Tongue::new(&Choice::Auto);
    auto.start();
    for _ in 0..times {
        auto.next_join(&name(ROOM), &name(ME), "Lobby").unwrap();
    }
    auto
}

fn joins(tongue: &mut Tongue) -> Vec<Outgoing> {
    tongue.start();
    std::iter::from_fn(|| tongue.next_join(&name(ROOM), &name(ME), "Lobby")).collect()
}

fn say(tongue: &mut Tongue, event: &str, args: &[Value]) -> Heard {
    tongue.read(None, &name(ME), &name(ROOM), event, args)
}

/// One message of each kind that gives a dialect away, or might be taken for that.
fn signs() -> Vec<(String, Vec<Value>)> {
    let init = json!({ "candidate": "candidate:1 1 udp 1 192.0.2.1 50000 typ host", "sdpMid": "0" });
    let signs = [
        ("ice", json!([])),
        ("ice", json!([init, ROOM])),
        ("room", json!([{ "room": ROOM, "peers": [] }])),
        ("welcome", json!([])),
        ("created", json!([ROOM])),
        ("joined", json!([ROOM])),
        ("ready", json!([ROOM])),
        ("message", json!(["got user media"])),
        ("message", json!(["bye"])),
        ("message", json!([{ "type": "answer", "sdp": "v=0" }])),
        ("message", json!([ROOM, { "type": "candidate", "candidate": "" }])),
        ("got user media", json!([])),
        ("other user", json!([SOCKET])),
        ("room_joined", json!([ROOM])),
        ("start_call", json!([])),
        ("otherjoin", json!([ROOM, SOCKET])),
    ];
    signs.map(|(event, args)| (event.to_owned(), args.as_array().unwrap().clone())).into()
}

/// A message in short: `answer {sdp} room`.
fn shown(message: &Outgoing) -> String {
    let arg = |arg: &Value| match arg {
        Value::String(room) => {
            assert_eq!(room, ROOM);
            " room"
        }
        object if object.get("answer").is_some() => {
            assert_eq!(object["room"], ROOM);
            " {room answer}"
        }
        object => {
            assert!(object["sdp"].is_string() || object["sdp"]["sdp"].is_string(), "{object}");
            " {sdp}"
        }
    };
    format!("{}{}", message.event, message.args.iter().map(arg).collect::<String>())
}

fn hear(tongue: &mut Tongue, golden: &Value) -> Heard {
    say(tongue, golden["event"].as_str().unwrap(), golden["args"].as_array().unwrap())
}

/// Everything the camera can say in a dialect, by the name of its golden message.
fn everything_said(dialect: &str) -> Vec<(String, Outgoing)> {
    let mut tongue = tongue(dialect);
    let object = if dialect == "e" { Mirror::Object } else { Mirror::Text };
    let shape = Shape::Tutorial(object);
    let (anybody, viewer) = (address(None), address(Some(SOCKET)));
    let file = |dialect: &str, number: usize| {
        let start = format!("says-{number}-");
        let found = goldens(dialect, &start).pop();
        found.map_or(start, |(file, _)| file)
    };
    let mut said: Vec<_> = joins(&mut tongue)
        .into_iter()
        .enumerate()
        .map(|(index, join)| (file(dialect, index + 1), join))
        .collect();
    let mut put = |name: &str, message: Option<Outgoing>| {
        said.extend(message.map(|message| (name.to_owned(), message)))
    };
    put("says-comes-in", tongue.comes_in(&name(ROOM)));
    put("says-offer", Some(tongue.offer(&anybody, tongue.own_shape(), OURS)));
    put("says-answer", Some(tongue.answer(&anybody, shape, OURS)));
    put("says-answer-viewer", Some(tongue.answer(&viewer, shape, OURS)));
    put("says-bye", tongue.bye(&anybody, shape, Reason::CameraLost));
    put("says-bye-viewer", tongue.bye(&viewer, shape, Reason::CameraLost));
    said
}

/// What was heard, in the words of the golden messages.
fn meaning(heard: &Heard) -> Value {
    match heard.message.as_ref().unwrap() {
        Incoming::Offer(offer) => {
            let shape = match offer.shape {
                Shape::Porthole => "porthole",
                Shape::Tutorial(Mirror::Text) => "text",
                Shape::Tutorial(Mirror::Object) => "object",
                other => panic!("{other:?} where the dialect is written down"),
            };
            json!({ "offer": { "from": offer.from, "call": offer.tag, "shape": shape } })
        }
        Incoming::Answer { from, sdp } => {
            assert!(sdp.starts_with("v=0"));
            json!({ "answer": { "from": from } })
        }
        Incoming::Candidate { from, candidate: None, .. } => {
            json!({ "candidate": { "from": from, "end": true } })
        }
        Incoming::Candidate { from, candidate: Some(init), .. } => json!({ "candidate": {
            "from": from, "line": init.candidate, "mid": init.sdp_mid, "index": init.sdp_m_line_index,
            "ufrag": init.username_fragment,
        } }),
        Incoming::Bye(Bye { from, .. }) => json!({ "bye": { "from": from } }),
        Incoming::Talk(talk) => json!({ "talk": { "from": talk.from, "want": talk.want.word() } }),
        Incoming::Joined { peer } => json!({ "joined": peer }),
        Incoming::Left { peer } => json!({ "left": peer }),
        Incoming::Present { peers } => json!({ "present": peers }),
        Incoming::Wanted { from } => json!({ "wanted": { "from": from } }),
        Incoming::Entered { others } => json!({ "entered": { "others": others } }),
        Incoming::Away(why) => json!({ "away": match why {
            Away::Full => "full",
            Away::Kicked => "kicked",
            Away::NoSuchRoom => "no-such-room",
            Away::NotAllowed => "not-allowed",
        } }),
        Incoming::Misdirected => json!("misdirected"),
        Incoming::Nothing => json!("nothing"),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/dialects")
}

fn every_dialect() -> Vec<String> {
    let folders = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = folders.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// The golden messages of a dialect whose names begin like this.
fn goldens(dialect: &str, start: &str) -> Vec<(String, Value)> {
    let files = fs::read_dir(folder().join(dialect)).unwrap().map(|entry| entry.unwrap().path());
    let mut goldens: Vec<_> = files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.starts_with(start))
        .map(|(name, path)| (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()))
        .collect();
    goldens.sort_by(|one: &(String, Value), other| one.0.cmp(&other.0));
    goldens
}

/// Any JSON, at most `depth` deep.
fn rubbish(chance: &mut Chance, depth: usize) -> Value {
    let texts = [
        "",
        "v=0",
        "v=0\r\n",
        "lobby",
        "cam-lobby",
        "bye",
        "offer",
        "\u{0}",
        "candidate:",
        "{",
        "{\"a\":1}",
        "é",
    ];
    match chance.below(if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(-1.5e300),
        3 => json!(texts[chance.below(texts.len())].repeat(chance.below(3))),
        4 => json!("x".repeat(chance.below(3000))),
        5 => (0..chance.below(4)).map(|_| rubbish(chance, depth - 1)).collect(),
        _ => {
            let keys = [
                "type",
                "sdp",
                "offer",
                "answer",
                "candidate",
                "room",
                "from",
                "to",
                "call",
                "caller",
                "label",
                "id",
            ];
            let count = chance.below(5);
            let pairs =
                (0..count).map(|_| (keys[chance.below(keys.len())].to_owned(), rubbish(chance, depth - 1)));
            Value::Object(pairs.collect())
        }
    }
}

/// The same with one member, or one member of a member, replaced.
fn spoilt(value: &Value, chance: &mut Chance) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        let keys: Vec<_> = object.keys().cloned().collect();
        let key = &keys[chance.below(keys.len())];
        let member = &object[key];
        let spoilt = if member.is_object() && chance.below(2) == 0 {
            spoilt(member, chance)
        } else {
            rubbish(chance, 3)
        };
        object.insert(key.clone(), spoilt);
    }
    value
}

/// Chance that can be repeated (SplitMix64; Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}
