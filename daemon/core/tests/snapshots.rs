//! Pictures of now over HTTP: who gets one, what it costs the camera, and when there is none.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::keys::*;
use desk::*;
use porthole_core::access::{Key, Stamp, proof};
use porthole_core::command::Command;
use porthole_core::command::Command::TakeSnapshot;
use porthole_core::config::settings::Access;
use porthole_core::event::{Event, LinkEvent, MediaEvent};
use porthole_core::order::Order;
use porthole_core::status::CaptureState;
use porthole_core::whep::{
    Ask, Bearer, Credentials, Jpeg, Place, Refusal, Request, RequestId, Response, Signed,
};
use porthole_core::wire::{Reason, limits};

#[test]
fn a_camera_that_is_closed_is_opened_for_a_picture_and_lingers() {
    let mut desk = Desk::with_a_camera();
    desk.expect(asks(1), [StartCapture]);
    desk.expect(capture_runs(), [TakeSnapshot]);
    desk.expect(made(7), [picture(1, 7)]);
    assert_eq!(desk.board.status().capture, CaptureState::Running);
    desk.passes(limits::LOOK + secs(10) - millis(1), []);
    desk.passes(millis(1), [StopCapture]);
    assert_eq!(desk.board.status().refusals.len(), 0);
}

#[test]
fn many_that_ask_at_once_cost_one_picture_and_so_do_those_of_the_next_second() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.expect(asks(1), [TakeSnapshot]);
    desk.ignores(asks(2));
    desk.ignores(asks(3));
    desk.expect(made(1), [picture(1, 1), picture(2, 1), picture(3, 1)]);
    desk.expect(asks(4), [picture(4, 1)]);
    desk.on(heard(1));
    desk.passes(limits::SNAPSHOT_LIFE - millis(1), []);
    desk.expect(asks(5), [picture(5, 1)]);
    desk.passes(millis(1), []);
    desk.expect(asks(6), [TakeSnapshot]);
    desk.expect(made(2), [picture(6, 2)]);
}

#[test]
fn a_camera_that_cannot_be_opened_is_said_to_be_lost_and_one_that_fails_meanwhile_is_tried_again() {
    let lost = |number| refused(number, Refusal::Call(Reason::CameraLost));
    let mut desk = Desk::with_a_camera();
    desk.expect(asks(1), [StartCapture]);
    let after = desk.on(capture_failed());
    assert!(after.contains(&lost(1)) && !after.contains(&TakeSnapshot), "{after:?}");
    let mut desk = Desk::with_a_camera();
    desk.expect(asks(1), [StartCapture]);
    desk.expect(capture_runs(), [TakeSnapshot]);
    let after = desk.on(capture_failed());
    assert!(after.contains(&StartCapture) && !after.contains(&lost(1)), "{after:?}");
    desk.ignores(Event::Media(MediaEvent::Snapshot(Err("the camera is closed".into()))));
    let after = desk.on(capture_runs());
    assert!(after.contains(&TakeSnapshot), "{after:?}");
    desk.on(capture_failed());
    let after = desk.on(capture_failed());
    assert!(after.contains(&lost(1)), "{after:?}");
}

#[test]
fn a_camera_that_is_looked_for_costs_nobody_a_wait() {
    let mut desk = Desk::lost();
    desk.on(capture_failed());
    let commands = desk.on(asks(1));
    assert_eq!(commands, [refused(1, Refusal::Call(Reason::CameraLost))]);
}

#[test]
fn a_picture_that_does_not_come_is_not_waited_for_for_ever() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.expect(asks(1), [TakeSnapshot]);
    desk.expect(
        Event::Media(MediaEvent::Snapshot(Err("jpegenc is missing".into()))),
        [refused(1, Refusal::Call(Reason::Failed))],
    );
    desk.expect(asks(2), [TakeSnapshot]);
    let mut after = Vec::new();
    for _ in 0..15 {
        desk.on(heard(1));
        after.extend(desk.sleep(secs(1)));
    }
    assert_eq!(after, [refused(2, Refusal::Call(Reason::Failed))]);
    // It came after all: nobody waits for it, and it is one of now.
    desk.ignores(made(3));
    desk.expect(asks(3), [picture(3, 3)]);
}

#[test]
fn while_privacy_is_on_there_is_no_picture_not_even_one_that_is_on_its_way() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(capture_runs());
    desk.expect(asks(1), [TakeSnapshot]);
    desk.expect(made(1), [picture(1, 1)]);
    desk.on(heard(1));
    desk.passes(secs(2), []);
    desk.expect(asks(2), [TakeSnapshot]);
    let after = desk.on(privacy(true));
    assert!(after.contains(&refused(2, Refusal::Private)), "{after:?}");
    desk.ignores(made(2));
    desk.expect(asks(3), [refused(3, Refusal::Private)]);
    desk.on(privacy(false));
    desk.on(heard(1));
    let after = [desk.on(asks(4)), desk.on(capture_runs())].concat();
    assert!(after.contains(&TakeSnapshot), "no picture of before: {after:?}");
    assert_eq!(desk.board.status().refusals.len(), 0, "nobody is to blame");
}

#[test]
fn one_who_shows_a_key_or_a_link_that_is_signed_gets_one_and_nobody_else() {
    let hub = key("hub");
    let stranger = key("stranger");
    let mixed = Key { secret: stranger.secret.clone(), ..hub.clone() };
    let (ok, far) = (Stamp(TODAY.0 + 600), Stamp(TODAY.0 + limits::SIGNED_MOST.as_secs() + 1));
    for (credentials, refusal) in [
        (bearer(&hub), None),
        (signed(&hub, ROOM, ok), None),
        (Credentials::None, Some(Refusal::NoKey)),
        (Credentials::Wrong, Some(Refusal::Call(Reason::NotAllowed))),
        (bearer(&mixed), Some(Refusal::Call(Reason::NotAllowed))),
        (signed(&mixed, ROOM, ok), Some(Refusal::Call(Reason::NotAllowed))),
        (signed(&stranger, ROOM, ok), Some(Refusal::Call(Reason::NotAllowed))),
        (signed(&hub, "elsewhere", ok), Some(Refusal::Call(Reason::NotAllowed))),
        (signed(&hub, ROOM, TODAY), Some(Refusal::Stale)),
        (signed(&hub, ROOM, far), Some(Refusal::Stale)),
    ] {
        let mut desk = Desk::keyed(std::slice::from_ref(&hub));
        let commands = desk.on(asks_with(1, true, credentials.clone()));
        match refusal {
            None => assert_eq!(commands, [StartCapture, TakeSnapshot], "{credentials:?}"),
            Some(refusal) => {
                assert_eq!(commands, [refused(1, refusal)], "{credentials:?}");
                assert_eq!(
                    (desk.refusals(Reason::NotAllowed), desk.board.status().capture),
                    (1, CaptureState::Idle)
                );
            }
        }
    }
}

#[test]
fn a_signature_is_good_for_pictures_and_nothing_else_and_only_where_nobody_reads_along() {
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let shown = || signed(&hub, ROOM, Stamp(TODAY.0 + 600));
    desk.expect(asks_with(1, false, shown()), [refused(1, Refusal::NotPrivate { shown: true })]);
    desk.expect(asks_with(2, false, bearer(&hub)), [refused(2, Refusal::NotPrivate { shown: true })]);
    let place = Place::new(name(&"x".repeat(43)));
    let ask = Ask::Watch { place, offer: chromium("hub0") };
    let request =
        Request { id: RequestId(3), from: name("192.0.2.9"), private: true, credentials: shown(), ask };
    desk.expect(Event::Link(LinkEvent::Request(request)), [refused(3, Refusal::Call(Reason::NotAllowed))]);
}

#[test]
fn a_key_that_was_taken_back_opens_no_link_that_it_has_signed() {
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let shown = signed(&hub, ROOM, Stamp(TODAY.0 + 600));
    desk.ignores(keys(&[]));
    desk.expect(asks_with(1, true, shown), [refused(1, Refusal::Call(Reason::NotAllowed))]);
}

#[test]
fn whoever_asks_too_often_waits_and_strangers_do_not_make_the_camera_remember() {
    let mut desk = Desk::local();
    desk.on(capture_runs());
    let mut number = 0;
    for _ in 0..limits::SNAPSHOTS_PER_WINDOW {
        number += 1;
        desk.on(asks(number));
        desk.on(capture_runs());
        let answered = desk.on(made(1));
        assert!(number == 1 || !answered.contains(&refused(number, Refusal::Call(Reason::TooOften))));
    }
    desk.expect(asks(900), [refused(900, Refusal::Call(Reason::TooOften))]);
    for number in 1000..2000 {
        desk.on(asks_from(number, &format!("192.0.2.{number}")));
    }
    assert!(desk.board.kept().counted_peers <= limits::COUNTED_PEERS);
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let mut refusals = 0;
    for number in 0..=limits::SNAPSHOTS_PER_WINDOW as u64 {
        // From anywhere: the key is the same.
        let request =
            Request { from: name(&format!("192.0.2.{number}")), ..request(number, true, bearer(&hub)) };
        let after = desk.on(Event::Link(LinkEvent::Request(request)));
        refusals += usize::from(after.contains(&refused(number, Refusal::Call(Reason::TooOften))));
    }
    assert_eq!(refusals, 1);
}

#[test]
fn a_queue_that_is_full_and_a_camera_that_stops_say_so() {
    let mut desk = Desk::with(|settings| settings.room.access = Access::Open);
    for number in 0..limits::SNAPSHOTS_WAITING as u64 {
        desk.on(asks_from(number, &format!("192.0.2.{number}")));
    }
    desk.expect(asks_from(99, "192.0.2.99"), [refused(99, Refusal::Call(Reason::Busy))]);
    let after = desk.on(Event::Shutdown);
    let told = |number| after.contains(&refused(number, Refusal::Call(Reason::ShuttingDown)));
    assert!((0..limits::SNAPSHOTS_WAITING as u64).all(told), "{after:?}");
    desk.ignores(asks(100));
}

fn asks(number: u64) -> Event {
    asks_with(number, false, Credentials::None)
}

fn asks_from(number: u64, from: &str) -> Event {
    Event::Link(LinkEvent::Request(Request { from: name(from), ..request(number, false, Credentials::None) }))
}

fn asks_with(number: u64, private: bool, credentials: Credentials) -> Event {
    Event::Link(LinkEvent::Request(request(number, private, credentials)))
}

fn request(number: u64, private: bool, credentials: Credentials) -> Request {
    Request { id: RequestId(number), from: name("192.0.2.1"), private, credentials, ask: Ask::Snapshot }
}

fn bearer(key: &Key) -> Credentials {
    Credentials::Bearer(Bearer { key: key.id.clone(), secret: key.secret.clone() })
}

fn signed(key: &Key, room: &str, until: Stamp) -> Credentials {
    let proof = proof::of_snapshot(&key.secret, room, &key.id, until);
    Credentials::Signed(Signed { key: key.id.clone(), until, proof })
}

fn jpeg(byte: u8) -> Jpeg {
    Jpeg([0xff, 0xd8, byte].into())
}

fn made(byte: u8) -> Event {
    Event::Media(MediaEvent::Snapshot(Ok(jpeg(byte))))
}

fn picture(number: u64, byte: u8) -> Command {
    Command::Respond { request: RequestId(number), response: Response::Picture(jpeg(byte)) }
}

fn refused(number: u64, refusal: Refusal) -> Command {
    Command::Respond { request: RequestId(number), response: Response::Refused(refusal) }
}

fn privacy(on: bool) -> Event {
    Event::Order(Order::Privacy { on })
}
