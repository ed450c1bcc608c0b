//! What a service manager is told.

#![allow(clippy::unwrap_used)]

mod desk;

use std::time::Instant;

use desk::*;
use porthole_core::event::{Event, Loss};
use porthole_core::ids::Name;
use porthole_core::order::Order;
use porthole_core::service::{READY_AT_LATEST, Service, Told};
use porthole_core::status::{CaptureState, FrameState, RoomState, Status};

#[test]
fn it_is_ready_once_it_waits_in_its_room_and_the_camera_was_looked_at() {
    let (mut service, now) = service(true);
    let out = Status { capture: CaptureState::Starting, ..idle(false, RoomState::Out) };
    let words = "the relay is not reached, which is tried again; nobody watches; the camera is being opened";
    assert_eq!(service.is(&out, now), [Told::Words(words.to_owned())]);
    let inside = Status { capture: CaptureState::Starting, ..idle(true, RoomState::In) };
    let waiting = "waits in room porthole; nobody watches; the camera is being opened";
    assert_eq!(service.is(&inside, now), [Told::Words(waiting.to_owned())]);
    let seen = Status { capture: CaptureState::Running, ..inside };
    let words = Told::Words("waits in room porthole; nobody watches".to_owned());
    assert_eq!(service.is(&seen, now), [words, Told::Ready]);
    assert_eq!(service.is(&idle(true, RoomState::In), now), [], "nothing is told twice");
    service.is(&out, now);
    let back = service.is(&seen, now);
    assert!(!back.contains(&Told::Ready), "ready once: {back:?}");
}

#[test]
fn a_camera_that_fails_is_looked_at_as_well_and_in_private_nobody_looks() {
    let (mut service, now) = service(true);
    let lost = Status { capture: CaptureState::Lost, ..idle(true, RoomState::In) };
    let words = Told::Words(
        "waits in room porthole; nobody watches; the camera gives no picture, see the log".into(),
    );
    assert_eq!(service.is(&lost, now), [words, Told::Ready]);

    let mut service = Service::new(Name::new("porthole").unwrap(), true, now);
    let private = Status { privacy: true, ..idle(true, RoomState::In) };
    let words = Told::Words("waits in room porthole; nobody watches; privacy is on".into());
    assert_eq!(service.is(&private, now), [words, Told::Ready]);
}

#[test]
fn a_room_in_which_nobody_has_answered_yet_is_good_enough() {
    let (mut service, now) = service(false);
    assert!(service.is(&idle(true, RoomState::Asked), now).contains(&Told::Ready));
}

#[test]
fn a_relay_that_is_away_or_a_camera_that_hangs_keeps_nobody_waiting_for_ever() {
    for (looks, room) in [(false, RoomState::Out), (true, RoomState::In)] {
        let (mut service, now) = service(looks);
        let status = idle(room == RoomState::In, room);
        assert!(!service.is(&status, now).contains(&Told::Ready));
        let due = service.timeout().unwrap();
        assert_eq!(due, now + READY_AT_LATEST);
        assert_eq!(service.is(&status, due), [Told::Ready]);
        assert_eq!(service.timeout(), None);
    }
}

#[test]
fn whoever_answers_is_alive_before_it_is_ready_too() {
    let (mut service, now) = service(true);
    let status = idle(false, RoomState::Out);
    assert!(!service.is(&status, now).contains(&Told::Alive), "only an answer is a sign of life");
    assert_eq!(service.answered(&status, now), [Told::Alive]);
}

#[test]
fn a_picture_that_stands_still_under_a_viewer_is_no_life_and_a_lost_camera_is() {
    let (mut service, now) = service(false);
    let watched = Status { live: 1, calls: 1, frames: FrameState::Flowing, ..idle(true, RoomState::In) };
    assert!(service.answered(&watched, now).contains(&Told::Alive));
    let still = Status { frames: FrameState::Still, ..watched.clone() };
    let words = "waits in room porthole; 1 viewer watches; the picture stands still";
    assert_eq!(service.answered(&still, now), [Told::Words(words.to_owned())]);
    assert_eq!(service.answered(&still, now), []);
    let lost = Status { capture: CaptureState::Lost, ..watched };
    assert!(service.answered(&lost, now).contains(&Told::Alive));
}

#[test]
fn the_words_say_who_watches_and_what_is_wrong() {
    let (mut service, now) = service(false);
    let mut words = |live, capture, room| {
        let status = Status { live, calls: live, capture, ..idle(room != RoomState::Out, room) };
        let told = service.is(&status, now);
        told.into_iter()
            .find_map(|told| if let Told::Words(words) = told { Some(words) } else { None })
            .unwrap()
    };
    let running = words(1, CaptureState::Running, RoomState::In);
    assert_eq!(running, "waits in room porthole; 1 viewer watches");
    assert!(words(2, CaptureState::Running, RoomState::In).ends_with("; 2 viewers watch"));
    for (room, said) in [
        (RoomState::Full, "is full"),
        (RoomState::Kicked, "sent out of"),
        (RoomState::NoSuchRoom, "knows no room"),
        (RoomState::NotAllowed, "not let into"),
        (RoomState::Unconfirmed, "nobody has said"),
    ] {
        let words = words(0, CaptureState::Idle, room);
        assert!(words.contains(said) && words.contains("room porthole"), "{words}");
    }
}

#[test]
fn a_real_desk_that_is_ordered_to_look_is_ready_when_the_camera_runs() {
    let mut desk = Desk::with_a_camera();
    let (mut service, now) = service(true);
    service.is(&desk.board.status(), now);
    desk.on(up());
    desk.on(Event::Order(Order::Look {}));
    assert!(!service.is(&desk.board.status(), now).contains(&Told::Ready));
    desk.on(capture_runs());
    assert!(service.is(&desk.board.status(), now).contains(&Told::Ready));
    desk.live("anna", "1");
    let told = service.is(&desk.board.status(), now);
    assert!(matches!(&told[..], [Told::Words(words)] if words.contains("1 viewer watches")), "{told:?}");
}

fn service(looks: bool) -> (Service, Instant) {
    let now = Instant::now();
    (Service::new(Name::new("porthole").unwrap(), looks, now), now)
}

fn idle(link: bool, room: RoomState) -> Status {
    let lost = (!link).then_some(Loss::NobodyListens);
    Status { link, lost, room, ..Desk::local().board.status() }
}
