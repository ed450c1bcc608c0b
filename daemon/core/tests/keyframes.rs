//! Key frames are shared: wishes that come close together are granted together.

#![allow(clippy::unwrap_used)]

mod desk;

use std::iter::repeat_n;

use desk::*;

#[test]
fn a_joining_viewer_gets_a_key_frame_at_once() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.passes(millis(100), []);
    let id = desk.connecting("bert", "1");
    desk.expect(connected(id), [ForceKeyFrame(H264)]);
}

#[test]
fn a_viewer_that_has_one_among_what_waited_for_it_gets_no_other_at_everybody_s_expense() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.passes(millis(600), []);
    let id = desk.connecting("bert", "1");
    desk.expect(wanted(H264), [ForceKeyFrame(H264)]);
    desk.passes(millis(90), []);
    desk.ignores(connected_with_picture(id));
    desk.passes(secs(1), []);
}

#[test]
fn viewers_that_join_within_a_tenth_of_a_second_share_the_second_key_frame() {
    let mut desk = Desk::local();
    let ids: Vec<_> = ["anna", "bert", "carl", "dora"].map(|who| desk.connecting(who, "1")).into();
    desk.expect(connected(ids[0]), [ForceKeyFrame(H264)]);
    for id in &ids[1..] {
        desk.passes(millis(10), []);
        desk.ignores(connected(*id));
    }
    desk.passes(millis(69), []);
    desk.passes(millis(1), [ForceKeyFrame(H264)]);
    desk.passes(secs(1), []);
}

#[test]
fn a_wish_inside_the_gap_is_granted_once_when_the_gap_ends() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.passes(millis(200), []);
    desk.ignores(wanted(H264));
    desk.passes(millis(100), []);
    desk.ignores(wanted(H264));
    desk.passes(millis(199), []);
    desk.passes(millis(1), [ForceKeyFrame(H264)]);
    desk.passes(secs(3), []);
}

#[test]
fn a_wish_after_the_gap_is_granted_at_once() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.passes(millis(500), []);
    desk.expect(wanted(H264), [ForceKeyFrame(H264)]);
}

#[test]
fn one_lossy_viewer_costs_two_key_frames_a_second_at_most() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    let mut keys = Vec::new();
    for _ in 0..100 {
        keys.extend(desk.sleep(millis(100)));
        desk.on(heard(id));
        keys.extend(desk.on(wanted(H264)));
    }
    assert_eq!(keys, repeat_n(ForceKeyFrame(H264), 20).collect::<Vec<_>>());
}

#[test]
fn a_joining_viewer_does_not_wait_for_the_gap_of_lossy_ones() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.passes(secs(1), []);
    desk.on(heard(id));
    desk.expect(wanted(H264), [ForceKeyFrame(H264)]);
    desk.passes(millis(50), []);
    desk.ignores(wanted(H264));
    let id = desk.connecting("bert", "1");
    desk.ignores(connected(id));
    desk.passes(millis(49), []);
    desk.passes(millis(1), [ForceKeyFrame(H264)]);
    desk.passes(secs(2), []);
}

#[test]
fn each_rendition_has_key_frames_of_its_own() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(offer_of("bert", "1", &firefox("bert")));
    let answered = desk.answered(2);
    desk.on(answered);
    desk.expect(connected(2), [ForceKeyFrame(Vp8)]);
}

#[test]
fn a_rendition_that_does_not_run_is_asked_for_nothing() {
    let mut desk = Desk::local();
    desk.ignores(wanted(H264));
    let id = desk.live("anna", "1");
    desk.ignores(wanted(Vp8));
    desk.ignores(wanted(H264));
    desk.expect(bye("anna", "1"), [hang_up(id), StopRendition(H264)]);
    desk.passes(secs(2), []);
}

#[test]
fn who_only_hears_needs_no_key_frame() {
    let mut desk = Desk::local();
    desk.on(offer_of("anna", "1", chromium_audio_only()));
    let answered = desk.answered(1);
    desk.on(answered);
    desk.ignores(connected(1));
    assert_eq!(desk.board.status().live, 1);
}
