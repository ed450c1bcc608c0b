//! What a person reads in the log about the way to the relay: one line when it goes, one when it is back.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::Level;
use porthole_core::event::{Event, LinkEvent, Loss, MediaEvent};
use porthole_core::ids::Rendition;

#[test]
fn ten_minutes_without_the_relay_are_two_lines() {
    let mut desk = Desk::open();
    desk.on(up());
    assert_eq!(desk.noted(), [], "nothing was wrong");
    desk.sleep(secs(60));
    desk.on(lost(Loss::Closed));
    for _ in 0..150 {
        desk.on(lost(Loss::NobodyListens));
        desk.on(lost(Loss::Silent));
        desk.sleep(secs(4));
    }
    desk.on(up());
    desk.sleep(secs(60));
    let lines = [(Level::Warn, "the relay is lost, calls go on: it went".to_owned()), back()];
    assert_eq!(desk.noted(), lines);
}

#[test]
fn a_relay_that_is_not_there_at_the_start_is_told_with_its_reason() {
    let mut desk = Desk::open();
    for _ in 0..100 {
        desk.on(lost(Loss::NoName));
        desk.sleep(secs(4));
    }
    desk.on(up());
    assert_eq!(desk.noted(), [(Level::Warn, "the relay is not reached: it went".to_owned()), back()]);
}

#[test]
fn a_relay_that_keeps_us_only_for_a_moment_each_time_does_not_fill_the_log() {
    let mut desk = Desk::open();
    desk.on(up());
    desk.sleep(secs(60));
    desk.on(lost(Loss::Closed));
    for _ in 0..500 {
        desk.on(up());
        desk.sleep(millis(100));
        desk.on(lost(Loss::SentAway));
        desk.sleep(secs(4));
    }
    assert_eq!(desk.noted().len(), 3, "lost, back, lost");
    desk.on(up());
    desk.sleep(millis(2999));
    assert_eq!(desk.noted(), []);
    desk.sleep(millis(1));
    assert_eq!(desk.noted(), [back()], "now it has stayed");
    desk.sleep(secs(600));
    assert_eq!(desk.noted(), []);
}

#[test]
fn calls_that_come_to_their_ends_meanwhile_do_not_bring_the_relay_back() {
    let mut desk = Desk::open();
    desk.on(up());
    desk.sleep(secs(60));
    desk.live("anna", "1");
    desk.noted();
    desk.on(lost(Loss::Closed));
    desk.sleep(secs(600));
    assert!(!desk.noted().contains(&back()));
    desk.on(up());
    assert!(desk.noted().contains(&back()));
}

#[test]
fn a_relay_that_is_away_is_not_told_to_be_back_by_the_calls_that_go_on() {
    let mut desk = Desk::open();
    desk.on(up());
    desk.sleep(secs(60));
    let ann = desk.live("ann", "c1");
    desk.noted();
    desk.on(lost(Loss::Closed));
    for _ in 0..10 {
        desk.on(heard(ann));
        desk.on(frames_flow());
        desk.on(key_frame_wanted());
        desk.sleep(secs(1));
    }
    assert_eq!(desk.noted(), [(Level::Warn, "the relay is lost, calls go on: it went".to_owned())]);
    desk.on(up());
    assert_eq!(desk.noted(), [back()]);
}

fn key_frame_wanted() -> Event {
    Event::Media(MediaEvent::KeyFrameWanted { rendition: Rendition::H264 })
}

fn back() -> (Level, String) {
    (Level::Info, "the relay is reached".to_owned())
}

fn lost(why: Loss) -> Event {
    Event::Link(LinkEvent::Down { why, reason: "it went".into() })
}
