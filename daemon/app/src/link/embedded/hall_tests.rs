//! Who hears what, as sentences. Each one also says that nobody else hears anything, because the whole list of
//! deliveries is compared.

use std::time::Duration;

use porthole_core::access::{self, KeyId};

use super::*;
use crate::link::embedded::rooms::{Card, Role};

#[test]
fn a_viewer_that_joins_is_told_of_the_camera_and_the_camera_of_it() {
    let mut room = nursery();
    let said =
        room.hears(A, "join", json!({"room": "nursery", "from": "ann", "role": "viewer", "name": "Ann"}));
    let welcome = welcome("ann", json!([camera_card()]));
    assert_eq!(
        said,
        [
            emit(A, "room", welcome.clone()),
            Delivery::Reply(welcome),
            camera(
                "ann",
                "joined",
                json!({"room": "nursery", "from": "ann", "role": "viewer", "name": "Ann"})
            ),
        ]
    );
}

#[test]
fn a_tutorial_page_joins_by_a_bare_name_and_also_hears_the_classic_joined() {
    for ask in [json!("nursery"), json!({"room": "nursery"}), json!({"roomId": "nursery", "from": null})] {
        for event in ["join", "join-room", "joinRoom"] {
            let mut room = nursery();
            let said = room.hears(A, event, ask.clone());
            let welcome = welcome("anon-1", json!([camera_card()]));
            let us = json!({"room": "nursery", "from": "cam", "role": "camera", "name": "Nursery"});
            assert_eq!(
                said,
                [
                    emit(A, "room", welcome.clone()),
                    emit(A, "joined", us),
                    Delivery::Reply(welcome),
                    camera(
                        "anon-1",
                        "joined",
                        json!({"room": "nursery", "from": "anon-1", "role": "viewer", "name": ""})
                    ),
                ]
            );
        }
    }
}

#[test]
fn a_viewer_never_hears_of_another_viewer() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    let said = room.hears(B, "join", json!({"room": "nursery", "from": "bob"}));
    assert!(emitted_to(&said, A).is_empty());
    assert_eq!(emitted_to(&said, B), [("room", &welcome("bob", json!([camera_card()])))]);
    assert!(emitted_to(&room.leave(B), A).is_empty());
}

#[test]
fn what_a_viewer_says_without_an_addressee_is_for_our_camera_only() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    join(&mut room, B, "bob");
    for event in ["offer", "candidate", "ice-candidate", "bye", "message", "error", "close", "open"] {
        let payload = json!({"room": "nursery", "offer": {"type": "offer", "sdp": "v=0"}});
        assert_eq!(room.hears(A, event, payload.clone()), [camera("ann", event, payload)]);
    }
    for payload in
        [Value::Null, json!(7), json!("text"), json!([1, 2]), json!({"type": "offer", "sdp": "v=0"})]
    {
        assert_eq!(room.hears(B, "offer", payload.clone()), [camera("bob", "offer", payload)]);
    }
}

#[test]
fn an_addressee_is_found_outside_or_inside_the_description() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    join_as_camera(&mut room, B, "gate");
    for payload in [json!({"to": "gate"}), json!({"sdp": {"type": "offer", "to": "gate"}})] {
        let mut stamped = payload.clone();
        stamped["from"] = json!("ann");
        assert_eq!(room.hears(A, "offer", payload), [emit(B, "offer", stamped)]);
    }
    let to_us = json!({"to": "cam", "from": "ann"});
    assert_eq!(room.hears(A, "bye", to_us.clone()), [camera("ann", "bye", to_us)]);
}

#[test]
fn two_viewers_cannot_reach_each_other_even_by_name() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    join(&mut room, B, "bob");
    for event in ["offer", "answer", "candidate", "bye", "refused", "notice"] {
        let said = room.hears(A, event, json!({"to": "bob", "from": "ann", "call": "c1"}));
        assert_eq!(said, [refusal(A, Reason::NotAllowed, Some("c1"))], "{event}");
    }
    assert_eq!(room.refusals().get("not-allowed"), Some(&6));
}

#[test]
fn a_from_that_is_not_the_senders_is_refused_wherever_it_stands() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    join(&mut room, B, "bob");
    for payload in [
        json!({"from": "bob"}),
        json!({"from": "cam"}),
        json!({"from": 7}),
        json!({"sdp": {"type": "offer", "from": "bob"}}),
        json!({"from": "ann", "offer": {"from": "bob"}}),
    ] {
        assert_eq!(room.hears(A, "offer", payload), [refusal(A, Reason::NotAllowed, None)]);
    }
    let honest = json!({"from": "ann", "sdp": {"from": "ann"}});
    assert_eq!(room.hears(A, "offer", honest.clone()), [camera("ann", "offer", honest)]);
}

#[test]
fn nobody_may_be_our_camera_or_look_anonymous_or_change_its_id() {
    let mut room = nursery();
    for from in [
        json!("cam"),
        json!("anon-2"),
        json!("with space"),
        json!(""),
        json!(7),
        json!({}),
        json!("x".repeat(65)),
    ] {
        let said = room.hears(A, "join", json!({"room": "nursery", "from": from}));
        assert_eq!(said[0], refusal(A, Reason::NotAllowed, None), "{from}");
        assert_eq!(room.count(), 0);
    }
    join(&mut room, A, "ann");
    for ask in [json!({"room": "nursery", "from": "eve"}), json!("nursery")] {
        assert_eq!(room.hears(A, "join", ask)[0], refusal(A, Reason::NotAllowed, None));
    }
    assert_eq!(room.hears(A, "bye", json!({})), [camera("ann", "bye", json!({}))]);
}

#[test]
fn joining_again_is_answered_again_and_nobody_else_hears_of_it() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    let welcome = welcome("ann", json!([camera_card()]));
    let said = room.hears(A, "join", json!({"room": "nursery", "from": "ann"}));
    assert_eq!(said, [emit(A, "room", welcome.clone()), Delivery::Reply(welcome)]);
}

#[test]
fn a_page_that_comes_back_on_another_socket_takes_its_place_over() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    let said = room.hears(B, "join", json!({"room": "nursery", "from": "ann"}));
    assert_eq!(said[0], Delivery::Cut(A));
    assert!(said.iter().any(|one| matches!(one, Delivery::Camera { event, .. } if event == "joined")));
    assert_eq!(room.leave(A), [], "the old socket's end is nobody's loss");
    assert_eq!(room.hears(A, "bye", json!({})), [refusal(A, Reason::NotAllowed, None)]);
    assert_eq!(room.camera_says(answer(Some("ann"))), [emit(B, "answer", json!({"n": 1}))]);
    assert_eq!(room.count(), 1);
}

#[test]
fn another_room_is_refused_and_guessing_ends_the_socket() {
    let mut room = nursery();
    for guess in 1..=10 {
        let said = room.hears(A, "join", json!({"room": "kitchen", "from": "ann"}));
        assert_eq!(said[0], refusal(A, Reason::NotAllowed, None));
        assert!(matches!(&said[1], Delivery::Reply(reply) if reply["reason"] == "not-allowed"));
        assert_eq!(said[2..] == [Delivery::Cut(A)], guess == 10);
    }
    for ask in [Value::Null, json!(7), json!([]), json!({}), json!({"room": 7}), json!("")] {
        assert_eq!(room.hears(B, "join", ask)[0], refusal(B, Reason::NotAllowed, None));
    }
    join(&mut room, A, "ann");
    assert_eq!(room.hears(A, "offer", json!({"room": "kitchen"})), [refusal(A, Reason::NotAllowed, None)]);
}

#[test]
fn who_is_not_in_the_room_is_not_heard() {
    let mut room = nursery();
    let said = room.hears(A, "offer", json!({"room": "nursery", "from": "ann", "call": "c1"}));
    assert_eq!(said, [refusal(A, Reason::NotAllowed, Some("c1"))]);
    assert_eq!(room.leave(A), []);
}

#[test]
fn the_relays_own_words_and_unsound_event_names_go_nowhere() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    for event in ["joined", "left", "room", "connect", "disconnect", "", "a\nb", &"x".repeat(65)] {
        assert_eq!(room.hears(A, event, json!({"from": "ann"})), [], "{event}");
    }
    assert_eq!(room.refusals().get("not-allowed"), Some(&8));
}

#[test]
fn leaving_is_told_once() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    let gone =
        [camera("ann", "left", json!({"room": "nursery", "from": "ann", "role": "viewer", "name": ""}))];
    assert_eq!(room.hears(A, "leave", Value::Null), gone);
    assert_eq!(room.leave(A), []);
    assert_eq!(room.count(), 0);
    join(&mut room, A, "ann");
}

#[test]
fn our_camera_answers_one_peer_and_gives_notice_to_all() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    join(&mut room, B, "bob");
    assert_eq!(room.camera_says(answer(Some("bob"))), [emit(B, "answer", json!({"n": 1}))]);
    assert_eq!(room.camera_says(answer(Some("nobody"))), []);
    assert_eq!(
        room.camera_says(answer(None)),
        [emit(A, "answer", json!({"n": 1})), emit(B, "answer", json!({"n": 1}))]
    );
    let join = Outgoing::entering("join", [json!({"room": "nursery"})]);
    assert_eq!(room.camera_says(join), [], "it is here already");
}

#[test]
fn viewers_are_told_of_a_second_camera_and_may_call_it() {
    let mut room = nursery();
    join(&mut room, A, "ann");
    let said =
        room.hears(B, "join", json!({"room": "nursery", "from": "gate", "role": "camera", "name": "Gate"}));
    let news = json!({"room": "nursery", "from": "gate", "role": "camera", "name": "Gate"});
    assert_eq!(emitted_to(&said, A), [("joined", &news)]);
    let ann = json!({"from": "ann", "role": "viewer", "name": ""});
    assert_eq!(emitted_to(&said, B), [("room", &welcome("gate", json!([camera_card(), ann])))]);

    let reply = json!({"room": "nursery", "to": "ann", "call": "c1"});
    let mut stamped = reply.clone();
    stamped["from"] = json!("gate");
    assert_eq!(room.hears(B, "answer", reply), [emit(A, "answer", stamped)]);
    let ring = room.hears(B, "ring", json!({"room": "nursery"}));
    assert_eq!(ring, [emit(A, "ring", json!({"room": "nursery", "from": "gate"}))]);

    assert_eq!(emitted_to(&room.leave(B), A), [("left", &news)]);
    let said = room.hears(A, "offer", json!({"to": "gate", "call": "c2"}));
    assert_eq!(said, [refusal(A, Reason::NotHere, Some("c2"))]);
}

#[test]
fn a_peers_name_is_cut_and_holds_no_control_characters() {
    let mut room = nursery();
    let name = format!("A\u{0}\n{}", "ä".repeat(100));
    let said = room.hears(A, "join", json!({"room": "nursery", "from": "ann", "name": name}));
    let Some(Delivery::Camera { payload, .. }) = said.last() else { panic!("{said:?}") };
    assert_eq!(payload["name"], format!("A{}", "ä".repeat(63)));
}

#[test]
fn a_call_without_a_sound_name_is_not_echoed() {
    let mut room = nursery();
    for call in [json!("<b>"), json!(7), json!("x".repeat(65))] {
        assert_eq!(room.hears(A, "offer", json!({"call": call})), [refusal(A, Reason::NotAllowed, None)]);
    }
    let inside = json!({"sdp": {"type": "offer", "call": "c9"}});
    assert_eq!(room.hears(A, "offer", inside), [refusal(A, Reason::NotAllowed, Some("c9"))]);
}

#[test]
fn each_room_is_by_itself_and_a_socket_is_in_one() {
    let mut hall = site();
    join_room(&mut hall, A, "yard", "ann", "viewer");
    let said =
        hall.hears(B, "join", json!({"room": "gate", "from": "cam-gate", "role": "camera", "name": "Gate"}));
    assert_eq!(said.last(), Some(&noted("gate", "cam-gate", "joined")));
    assert!(emitted_to(&said, A).is_empty());
    assert_eq!((hall.count(), hall.cameras()), (2, 1));

    let over = hall.hears(A, "offer", json!({"room": "gate", "to": "cam-gate", "call": "c1"}));
    assert_eq!(over, [refusal(A, Reason::NotAllowed, Some("c1"))]);
    let over = hall.hears(A, "offer", json!({"to": "cam-gate", "call": "c2"}));
    assert_eq!(over, [refusal(A, Reason::NotHere, Some("c2"))]);
    assert_eq!(
        hall.hears(A, "join", json!({"room": "gate", "from": "ann"}))[0],
        refusal(A, Reason::NotAllowed, None)
    );
    assert_eq!(hall.hears(A, "leave", Value::Null), [noted("yard", "ann", "left")]);
    join_room(&mut hall, A, "gate", "ann", "viewer");
    assert_eq!(
        hall.leave(B)[1..],
        [emit(A, "left", json!({"room": "gate", "from": "cam-gate", "role": "camera", "name": "Gate"}))]
    );
    assert_eq!((hall.count(), hall.cameras()), (1, 0));
}

#[test]
fn a_room_without_a_camera_of_ours_shows_those_that_join_and_passes_calls_between_them() {
    let mut hall = site();
    let said = hall.hears(A, "join", json!({"room": "yard", "from": "ann"}));
    let empty = json!({"room": "yard", "to": "ann", "peers": [], "iceServers": ice().servers});
    assert_eq!(
        said,
        [emit(A, "room", empty.clone()), Delivery::Reply(empty), noted("yard", "ann", "joined")]
    );
    assert_eq!(hall.hears(A, "offer", json!({"call": "c1"})), [refusal(A, Reason::NotHere, Some("c1"))]);

    let said = join_room(&mut hall, B, "yard", "cam-1", "camera");
    let news = json!({"room": "yard", "from": "cam-1", "role": "camera", "name": ""});
    assert_eq!(emitted_to(&said, A), [("joined", &news)]);
    let offer = json!({"from": "ann", "to": "cam-1", "call": "c2"});
    assert_eq!(hall.hears(A, "offer", offer.clone()), [emit(B, "offer", offer)]);
    let answer = json!({"room": "yard", "from": "cam-1", "to": "ann", "call": "c2"});
    assert_eq!(hall.hears(B, "answer", answer.clone()), [emit(A, "answer", answer)]);
}

#[test]
fn what_is_for_nobody_by_name_is_for_the_first_camera_by_id_whoever_came_first() {
    let mut hall = site();
    join_room(&mut hall, A, "yard", "ann", "viewer");
    join_room(&mut hall, B, "yard", "cam-2", "camera");
    join_room(&mut hall, C, "yard", "cam-1", "camera");
    let stamped = json!({"call": "c1", "from": "ann"});
    assert_eq!(hall.hears(A, "offer", json!({"call": "c1"})), [emit(C, "offer", stamped)]);
    hall.leave(C);
    let stamped = json!({"call": "c2", "from": "ann"});
    assert_eq!(hall.hears(A, "offer", json!({"call": "c2"})), [emit(B, "offer", stamped)]);
}

#[test]
fn a_tutorial_page_hears_joined_when_there_is_a_camera_to_call_and_not_before() {
    let mut hall = site();
    let said = hall.hears(A, "join", json!("yard"));
    assert_eq!(emitted_to(&said, A).iter().map(|(event, _)| *event).collect::<Vec<_>>(), ["room"]);
    let said = join_room(&mut hall, B, "yard", "cam-1", "camera");
    assert_eq!(emitted_to(&said, A)[0].0, "joined");
    let said = hall.hears(C, "join", json!("yard"));
    let news = json!({"room": "yard", "from": "cam-1", "role": "camera", "name": ""});
    assert_eq!(emitted_to(&said, C)[1], ("joined", &news));
}

#[test]
fn a_viewer_cannot_take_a_cameras_place_nor_a_camera_a_viewers() {
    let mut hall = site();
    join_room(&mut hall, A, "yard", "cam-1", "camera");
    join_room(&mut hall, B, "yard", "ann", "viewer");
    let viewer = hall.hears(C, "join", json!({"room": "yard", "from": "cam-1"}));
    let camera = hall.hears(C, "join", json!({"room": "yard", "from": "ann", "role": "camera"}));
    for said in [viewer, camera] {
        assert_eq!(said[0], refusal(C, Reason::NotAllowed, None));
        assert_eq!(said.len(), 2, "nobody else hears of it: {said:?}");
    }
    assert_eq!((hall.count(), hall.cameras()), (2, 1));
    let back = join_room(&mut hall, C, "yard", "cam-1", "camera");
    assert_eq!(back[0], Delivery::Cut(A), "a camera that comes back takes its own");
    assert_eq!((hall.count(), hall.cameras()), (2, 1));
}

#[test]
fn our_own_camera_is_in_its_room_only() {
    let own = Card { from: name("cam"), role: Role::Camera, name: "Nursery".into() };
    let rooms = [Room::new(name("nursery"), Some(own)), Room::new(name("yard"), None)];
    let mut hall = Hall::new(rooms, Some(name("nursery")));
    join_room(&mut hall, A, "yard", "ann", "viewer");
    join_room(&mut hall, B, "nursery", "bob", "viewer");
    assert_eq!(hall.camera_says(answer(None)), [emit(B, "answer", json!({"n": 1}))]);
    assert_eq!(hall.camera_says(answer(Some("ann"))), []);
    assert_eq!(hall.hears(A, "offer", json!({"to": "cam"})), [refusal(A, Reason::NotHere, None)]);
}

#[test]
fn nothing_is_left_of_those_who_have_left() {
    let mut hall = site();
    for number in 0..1000 {
        let socket = SocketKey(number);
        hall.hears(socket, "join", json!({"room": format!("room-{number}")}));
        join_room(
            &mut hall,
            socket,
            ["yard", "gate"][number as usize % 2],
            &format!("peer-{number}"),
            ["camera", "viewer"][number as usize % 2],
        );
        hall.leave(socket);
    }
    assert_eq!((hall.count(), hall.cameras(), hall.strays.len()), (0, 0, 0));
    assert_eq!(emitted_to(&join_room(&mut hall, A, "yard", "ann", "viewer"), A)[0].1["peers"], json!([]));
}

const A: SocketKey = SocketKey(1);
const B: SocketKey = SocketKey(2);
const C: SocketKey = SocketKey(3);

/// A relay without a camera of its own.
fn site() -> Hall {
    Hall::new(["yard", "gate"].map(|room| Room::new(name(room), None)), None)
}

fn join_room(hall: &mut Hall, socket: SocketKey, room: &str, from: &str, role: &str) -> Vec<Delivery> {
    let said = hall.hears(socket, "join", json!({"room": room, "from": from, "role": role}));
    assert!(said.iter().any(|one| matches!(one, Delivery::Reply(reply) if reply["to"] == from)), "{said:?}");
    said
}

fn noted(room: &str, peer: &str, event: &'static str) -> Delivery {
    Delivery::Note { room: name(room), peer: name(peer), event }
}

fn nursery() -> Hall {
    let own = Card { from: name("cam"), role: Role::Camera, name: "Nursery".into() };
    Hall::new([Room::new(name("nursery"), Some(own))], Some(name("nursery")))
}

fn ice() -> Handout {
    Handout { servers: json!([{"urls": "stun:192.0.2.1:3478"}]), lifetime: None }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn join(room: &mut Hall, socket: SocketKey, from: &str) {
    let said = room.hears(socket, "join", json!({"room": "nursery", "from": from}));
    assert!(matches!(&said[0], Delivery::Socket { event, .. } if event == "room"), "{said:?}");
}

fn join_as_camera(room: &mut Hall, socket: SocketKey, from: &str) {
    let said = room.hears(socket, "join", json!({"room": "nursery", "from": from, "role": "camera"}));
    assert!(matches!(&said[0], Delivery::Socket { event, .. } if event == "room"), "{said:?}");
}

fn camera_card() -> Value {
    json!({"from": "cam", "role": "camera", "name": "Nursery"})
}

fn welcome(to: &str, peers: Value) -> Value {
    json!({"room": "nursery", "to": to, "peers": peers, "iceServers": [{"urls": "stun:192.0.2.1:3478"}]})
}

fn answer(to: Option<&str>) -> Outgoing {
    Outgoing::new(to.map(|to| Name::new(to).unwrap()), "answer", [json!({"n": 1})])
}

fn emit(socket: SocketKey, event: &str, payload: Value) -> Delivery {
    Delivery::Socket { socket, event: event.into(), payload }
}

fn camera(sender: &str, event: &str, payload: Value) -> Delivery {
    Delivery::Camera { sender: Name::new(sender).unwrap(), event: event.into(), payload }
}

fn refusal(socket: SocketKey, reason: Reason, call: Option<&str>) -> Delivery {
    let mut payload = json!({"reason": reason.word(), "text": reason.sentence()});
    if let Some(call) = call {
        payload["call"] = json!(call);
    }
    emit(socket, "refused", payload)
}

fn emitted_to(said: &[Delivery], to: SocketKey) -> Vec<(&str, &Value)> {
    let of = |one: &'_ Delivery| matches!(one, Delivery::Socket { socket, .. } if *socket == to);
    said.iter()
        .filter(|one| of(one))
        .filter_map(|one| match one {
            Delivery::Socket { event, payload, .. } => Some((event.as_str(), payload)),
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_may_not_enter_is_told_why_and_nobody_hears_of_it() {
    let mut hall = nursery();
    let ask = json!({"room": "nursery", "from": "ann"});
    let mut expected =
        json!({"reason": "expired-key", "text": Reason::ExpiredKey.sentence(), "room": "nursery"});
    let said = hall.hear(A, "join", ask.clone(), Err(Reason::ExpiredKey), ice);
    assert_eq!(said, [emit(A, "refused", expected.clone()), Delivery::Reply(expected.clone())]);
    assert_eq!(hall.count(), 0);
    let offer =
        hall.hear(A, "offer", json!({"room": "nursery", "from": "ann"}), Err(Reason::ExpiredKey), ice);
    assert_eq!(offer, [refusal(A, Reason::NotAllowed, None)], "nor is it heard from outside");

    assert!(hall.hear(A, "join", ask, Ok(None), ice).len() > 1, "another time it may");
    let said = hall.turn_out(A, Reason::RevokedKey);
    (expected["reason"], expected["text"]) = (json!("revoked-key"), json!(Reason::RevokedKey.sentence()));
    let gone = json!({"room": "nursery", "from": "ann", "role": "viewer", "name": ""});
    assert_eq!(
        said,
        [
            emit(A, "refused", expected.clone()),
            Delivery::Reply(expected),
            Delivery::Cut(A),
            camera("ann", "left", gone)
        ]
    );
    assert_eq!(hall.count(), 0);
    assert_eq!(hall.turn_out(A, Reason::RevokedKey), [], "once");
}

#[test]
fn only_our_own_cameras_room_asks_who_may_enter() {
    let own = Card { from: name("cam"), role: Role::Camera, name: "Nursery".into() };
    let rooms = [Room::new(name("nursery"), Some(own)), Room::new(name("yard"), None)];
    let mut hall = Hall::new(rooms, Some(name("nursery")));
    let said = hall.hear(A, "join", json!({"room": "yard", "from": "ann"}), Err(Reason::NotAllowed), ice);
    assert!(matches!(&said[0], Delivery::Socket { event, .. } if event == "room"), "{said:?}");
    assert_eq!(hall.turn_out(A, Reason::RevokedKey), [], "nor is anybody turned out of another");
    assert_eq!(hall.count(), 1);
}

#[test]
fn who_comes_and_who_asks_again_gets_what_there_is_then_and_hears_how_long_it_holds() {
    let mut hall = nursery();
    for (second, event) in [(1, "join"), (2, "offer"), (3, "join")] {
        let mut asked = false;
        let said = hall.hear(A, event, json!({"room": "nursery", "from": "ann"}), Ok(None), || {
            asked = true;
            let servers = json!([{"urls": "turn:192.0.2.1", "username": format!("{second}:viewer")}]);
            Handout { servers, lifetime: Some(Duration::from_secs(600)) }
        });
        assert_eq!(asked, event == "join");
        if let Delivery::Socket { event, payload, .. } = &said[0] {
            assert_eq!((event.as_str(), &payload["iceLifetime"]), ("room", &json!(600)));
            assert_eq!(payload["iceServers"][0]["username"], json!(format!("{second}:viewer")));
        }
    }
    let mut asked = false;
    let refused = hall.hear(B, "join", json!({"room": "nursery"}), Err(Reason::NotAllowed), || {
        asked = true;
        ice()
    });
    assert!(!asked && !format!("{refused:?}").contains("ice"), "{refused:?}");
}

#[test]
fn a_key_that_does_not_manage_makes_nobody_a_camera() {
    let mut hall = nursery();
    let ask = json!({"room": "nursery", "from": "second", "role": "camera", "name": "Nursery (new)"});
    for role in [access::Role::Watch, access::Role::Talk] {
        let said = hall.hear(A, "join", ask.clone(), Ok(Some(shown("guest", role))), ice);
        assert!(said.contains(&refusal(A, Reason::NotAllowed, None)), "{said:?}");
        assert_eq!((hall.count(), hall.cameras()), (0, 0));
    }
    hall.hear(A, "join", ask, Ok(Some(shown("owner", access::Role::Manage))), ice);
    assert_eq!(hall.cameras(), 1);
}

#[test]
fn an_id_is_taken_over_with_the_key_that_has_it_and_no_other() {
    let mut hall = nursery();
    let ask = json!({"room": "nursery", "from": "ann"});
    hall.hear(A, "join", ask.clone(), Ok(Some(shown("ann", access::Role::Manage))), ice);
    let said = hall.hear(B, "join", ask.clone(), Ok(Some(shown("guest", access::Role::Watch))), ice);
    assert!(said.contains(&refusal(B, Reason::NotAllowed, None)), "{said:?}");
    assert!(!said.contains(&Delivery::Cut(A)) && hall.count() == 1);
    let said = hall.hear(B, "join", ask, Ok(Some(shown("ann", access::Role::Manage))), ice);
    assert!(said.contains(&Delivery::Cut(A)), "the same page came back: {said:?}");
}

#[test]
fn where_keys_decide_a_stranger_in_another_room_gets_no_password_of_a_turn_server() {
    let rooms = [Room::new(name("nursery"), None), Room::new(name("yard"), None)];
    let mut hall = Hall::new(rooms, Some(name("nursery")));
    let handout = || Handout {
        servers: json!([{"urls": "stun:a"}, {"urls": "turn:b", "username": "u", "credential": "p"}]),
        lifetime: Some(Duration::from_secs(600)),
    };
    let ask = json!({"room": "yard", "from": "ann"});
    let said = hall.hear(A, "join", ask.clone(), Err(Reason::NotAllowed), handout);
    let Delivery::Socket { payload, .. } = &said[0] else { panic!("{said:?}") };
    assert_eq!(
        (&payload["iceServers"], &payload["iceLifetime"]),
        (&json!([{"urls": "stun:a"}]), &Value::Null)
    );
    let said = hall.hear(B, "join", json!({"room": "yard", "from": "bob"}), Ok(None), handout);
    let Delivery::Socket { payload, .. } = &said[0] else { panic!("{said:?}") };
    assert_eq!(payload["iceServers"][1]["credential"], "p");
}

fn shown(key: &str, role: access::Role) -> Shown {
    Shown { key: KeyId::new(key).unwrap(), role }
}

/// Sockets that may enter any room.
trait Free {
    fn hears(&mut self, socket: SocketKey, event: &str, payload: Value) -> Vec<Delivery>;
}

impl Free for Hall {
    fn hears(&mut self, socket: SocketKey, event: &str, payload: Value) -> Vec<Delivery> {
        self.hear(socket, event, payload, Ok(None), ice)
    }
}
