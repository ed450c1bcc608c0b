//! A relay with several rooms, and rooms without a camera of ours, as sentences. Must not know who may enter.

use super::*;

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
