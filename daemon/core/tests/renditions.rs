//! A rendition runs exactly while a call uses it.

#![allow(clippy::unwrap_used)]

mod desk;

use std::time::Duration;

use desk::*;
use porthole_core::command::Level;
use porthole_core::config::settings::Fallback;
use porthole_core::event::{Event, MediaEvent};
use porthole_core::ids::Rendition::SmallH264;
use porthole_core::status::{Encoding, FrameState};
use porthole_core::wire::Reason;

#[test]
fn a_rendition_stops_with_the_last_call_that_uses_it() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    let first = desk.fire("bert");
    let second = desk.fire("carl");
    assert_eq!(desk.board.status().renditions, ["H.264", "VP8"]);
    desk.expect(bye("bert", "1"), [hang_up(first)]);
    desk.expect(bye("carl", "1"), [hang_up(second), StopRendition(Vp8)]);
    assert_eq!(desk.board.status().renditions, ["H.264"]);
}

#[test]
fn frames_are_counted_by_rendition_and_told_a_second_while_it_runs() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let made = |frames, millis| {
        Event::Media(MediaEvent::FramesMade { rendition: H264, frames, over: Duration::from_millis(millis) })
    };
    desk.expect(made(45, 1500), []);
    desk.expect(made(15, 1000), []);
    let status = desk.board.status();
    assert_eq!(status.encodings, [Encoding { rendition: H264, kbit: 2000, rate: 15, frames: 60 }]);
    desk.expect(bye("anna", "1"), [hang_up(anna), StopRendition(H264)]);
    assert_eq!(desk.board.status().encodings, []);
    assert_eq!(desk.board.status().counts.frames, [(H264, 60)].into());
    desk.live("bert", "2");
    assert_eq!(
        desk.board.status().encodings,
        [Encoding { rendition: H264, kbit: 2000, rate: 0, frames: 60 }]
    );
}

#[test]
fn a_rendition_that_is_needed_again_is_started_again() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    let id = desk.fire("bert");
    desk.on(bye("bert", "1"));
    desk.on(closed(id));
    desk.expect(
        offer_of("carl", "1", &firefox("carl")),
        [StartRendition(Vp8), answer_to(3, &firefox("carl"), true)],
    );
}

#[test]
fn without_a_fallback_a_browser_without_h264_is_refused() {
    let mut desk = Desk::with(|settings| settings.fallback = Fallback::None);
    desk.expect(offer_of("anna", "1", &firefox("anna")), [refused("anna", "1", Reason::NoCodec)]);
    assert_eq!(desk.refusals(Reason::NoCodec), 1);
}

#[test]
fn a_failed_encoder_is_replaced_by_the_next_within_the_same_calls() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.fire("bert");
    desk.noted();
    desk.expect(rendition_failed(Vp8), [choose(Vp8, 1)]);
    let (level, text) = desk.noted().swap_remove(0);
    assert_eq!((level, text.contains("VP8") && text.contains("install")), (Level::Warn, true), "{text}");
    desk.ignores(rendition_runs(Vp8));
    desk.expect(rendition_failed(H264), [choose(H264, 1)]);
    let (level, text) = desk.noted().swap_remove(0);
    assert_eq!((level, text.contains("video.encoder")), (Level::Warn, true), "{text}");
    desk.ignores(rendition_runs(H264));
    assert_eq!((desk.board.status().live, desk.board.status().renditions.len()), (2, 2));
    desk.expect(rendition_failed(H264), [choose(H264, 2)]);
}

#[test]
fn encoders_that_fail_at_once_are_not_tried_in_a_hurry() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.expect(rendition_failed(H264), [choose(H264, 1)]);
    desk.noted();
    desk.ignores(rendition_failed(H264));
    assert_eq!(desk.noted()[0].0, Level::Debug, "told a moment ago");
    desk.passes(millis(499), []);
    desk.passes(millis(1), [choose(H264, 2)]);
}

#[test]
fn where_no_encoder_works_the_calls_that_use_it_end_and_no_other() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let bert = desk.fire("bert");
    let fails_four_times = |desk: &mut Desk, rendition| {
        for attempt in 1..=4 {
            let seen = desk.on(rendition_failed(rendition)).into_iter().chain(desk.sleep(millis(500)));
            assert_eq!(seen.collect::<Vec<_>>(), [choose(rendition, attempt)]);
        }
    };
    fails_four_times(&mut desk, Vp8);
    desk.noted();
    let gone = [said_bye("bert", "1", Reason::Failed), hang_up(bert), StopRendition(Vp8)];
    desk.expect(rendition_failed(Vp8), gone);
    let (level, text) = desk.noted().swap_remove(0);
    assert_eq!((level, text.contains("no VP8 encoder works")), (Level::Warn, true), "{text}");
    desk.on(heard(anna));
    fails_four_times(&mut desk, H264);
    let gone = [said_bye("anna", "1", Reason::CameraLost), hang_up(anna), StopRendition(H264)];
    desk.expect(rendition_failed(H264), gone);
    assert_eq!(desk.board.status().renditions, [""; 0]);
    desk.ignores(rendition_failed(H264));
}

#[test]
fn a_small_picture_that_cannot_be_made_is_not_started_again_before_the_full_one_has_stopped() {
    let mut desk = Desk::local();
    let low = |who: &str| chromium(who).replacen("a=mid:0\r\n", "b=AS:150\r\na=mid:0\r\n", 1);
    let anna = desk.live("anna", "1");
    desk.on(offer_of("dora", "1", &low("dora")));
    for _ in 1..=4 {
        desk.on(rendition_failed(SmallH264));
        desk.sleep(millis(500));
    }
    desk.on(heard(anna));
    desk.on(rendition_failed(SmallH264));
    desk.expect(bye("dora", "1"), [hang_up(2), StopRendition(SmallH264)]);
    desk.on(closed(2));
    desk.expect(offer_of("emil", "1", &low("emil")), [answer_to(3, &low("emil"), true)]);
    desk.on(bye("emil", "1"));
    desk.on(closed(3));
    desk.expect(bye("anna", "1"), [hang_up(anna), StopRendition(H264)]);
    let seen = desk.on(offer_of("fritz", "1", &low("fritz")));
    assert_eq!(seen[0], StartRendition(SmallH264), "{seen:?}");
}

#[test]
fn an_encoder_that_failed_is_out_of_favour_for_ten_minutes() {
    let mut desk = Desk::with(|settings| settings.room.idle_after = secs(3600));
    desk.live("anna", "1");
    desk.on(rendition_failed(H264));
    desk.on(bye("anna", "1"));
    desk.on(closed(1));
    desk.passes(secs(599), []);
    desk.expect(offer("anna", "2"), [StartRendition(H264), answer(2, "anna", "2")]);
    desk.on(bye("anna", "2"));
    desk.on(closed(2));
    desk.passes(secs(1), []);
    desk.expect(offer("anna", "3"), [choose(H264, 0), StartRendition(H264), answer(3, "anna", "3")]);
}

#[test]
fn frames_that_stand_still_while_somebody_watches_are_no_longer_alive() {
    let mut desk = Desk::local();
    desk.on(up());
    let frames = |desk: &Desk| desk.board.status().frames;
    assert_eq!(frames(&desk), FrameState::Unwanted);
    let id = desk.live("anna", "1");
    desk.listens(secs(30), []);
    assert_eq!(frames(&desk), FrameState::Flowing);
    desk.ignores(frames_flow());
    for _ in 0..10 {
        desk.on(heard(id));
        assert!(desk.board.status().is_alive());
        desk.sleep(secs(1));
    }
    assert_eq!(frames(&desk), FrameState::Still);
    assert!(!desk.board.status().is_alive() && !desk.board.status().healthy());
    desk.on(frames_flow());
    assert!(desk.board.status().is_alive());
    desk.on(bye("anna", "1"));
    assert_eq!(frames(&desk), FrameState::Unwanted);
    desk.ignores(frames_flow());
    assert_eq!(frames(&desk), FrameState::Unwanted);
}

impl Desk {
    /// A call from a browser without H.264, live.
    fn fire(&mut self, who: &str) -> u64 {
        self.on(offer_of(who, "1", &firefox(who)));
        let id = self.plans.keys().last().unwrap().0;
        let answered = self.answered(id);
        self.on(answered);
        self.on(connected(id));
        id
    }
}
