//! A rendition runs exactly while a call uses it.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::command::Level;
use porthole_core::config::settings::Fallback;
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
fn a_failed_rendition_ends_the_calls_that_use_it_and_no_other() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let bert = desk.fire("bert");
    desk.noted();
    desk.expect(rendition_failed(Vp8), [said_bye("bert", "1", Reason::Failed), hang_up(bert)]);
    let (level, text) = desk.noted().swap_remove(0);
    assert_eq!((level, text.contains("VP8") && text.contains("install")), (Level::Warn, true), "{text}");
    desk.expect(rendition_failed(H264), [said_bye("anna", "1", Reason::CameraLost), hang_up(anna)]);
    assert_eq!(desk.board.status().renditions, [""; 0]);
    desk.ignores(rendition_failed(H264));
}

#[test]
fn the_next_call_starts_a_failed_rendition_anew() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    desk.on(rendition_failed(H264));
    desk.expect(offer("anna", "2"), [StartRendition(H264), answer(2, "anna", "2")]);
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
