//! Who hears what, as sentences. Each one also says that nobody else hears anything, because the whole list of
//! deliveries is compared.

use super::*;
use crate::link::embedded::rooms::{Card, Role};

#[path = "entering_tests.rs"]
mod entering;
#[path = "several_rooms_tests.rs"]
mod several_rooms;

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
fn a_peers_name_is_cut_and_holds_only_what_can_be_seen() {
    let mut room = nursery();
    let name = format!("A\u{0}\n\u{202e}\u{200b}{}", "ä".repeat(100));
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

const A: SocketKey = SocketKey(1);
const B: SocketKey = SocketKey(2);
const C: SocketKey = SocketKey(3);

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

/// Sockets that may enter any room.
trait Free {
    fn hears(&mut self, socket: SocketKey, event: &str, payload: Value) -> Vec<Delivery>;
}

impl Free for Hall {
    fn hears(&mut self, socket: SocketKey, event: &str, payload: Value) -> Vec<Delivery> {
        self.hear(socket, event, payload, Ok(None), ice)
    }
}
