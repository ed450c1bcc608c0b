//! Who enters our own camera's room, as what, and what newcomers get, as sentences. Must not know what is passed on.

use std::time::Duration;

use porthole_core::access::{self, KeyId};

use super::*;

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
