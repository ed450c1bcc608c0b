//! A viewer and a camera exchange media over real sockets.

#![allow(clippy::unwrap_used)] // test code outside of a test function

mod camera;

use std::time::Duration;

use camera::{Camera, Seen};
use porthole_peer::{Codec, Options, Sound, Stand, Viewer};
use str0m::format::Codec as CameraCodec;

/// Bounds a hang, nothing else.
const LONG: Duration = Duration::from_secs(30);

fn call(stand: &Stand, options: &Options, codec: CameraCodec) -> (Viewer, Camera) {
    let (viewer, offer) = Viewer::offer(stand, options).unwrap();
    let camera = Camera::answer(&offer, codec);
    viewer.accept(&camera.answer).unwrap();
    (viewer, camera)
}

#[test]
fn a_viewer_sees_a_key_frame_and_hears() {
    let stand = Stand::new().unwrap();
    let (viewer, _camera) = call(&stand, &Options::default(), CameraCodec::H264);
    let facts = viewer.wait_blocking(LONG, |facts| facts.frames >= 20 && facts.sounds >= 20).unwrap();
    assert_eq!(facts.codec, Some(Codec::H264));
    assert_eq!(facts.key_frames, 1);
    assert_eq!(
        facts.key_frame_bytes,
        20_000 + 5 + 16 + 10,
        "the key frame came whole, its parameter sets with it"
    );
    assert_eq!((facts.lost, facts.gaps), (0, 0));
    assert_eq!(facts.ended, None);
    let order = [facts.answered, facts.connected, facts.first_rtp, facts.first_key_frame];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?}");
}

#[test]
fn a_viewer_without_h264_sees_vp8() {
    let stand = Stand::new().unwrap();
    let options = Options { video: vec![Codec::Vp8], ..Options::default() };
    let (viewer, _camera) = call(&stand, &options, CameraCodec::Vp8);
    let facts = viewer.wait_blocking(LONG, |facts| facts.frames >= 5).unwrap();
    assert_eq!(facts.codec, Some(Codec::Vp8));
    assert_eq!(facts.key_frames, 1);
    assert!(facts.first_key_frame.is_some());
}

#[test]
fn a_viewer_that_asks_gets_another_key_frame() {
    let stand = Stand::new().unwrap();
    let (viewer, camera) = call(&stand, &Options::default(), CameraCodec::H264);
    viewer.wait_blocking(LONG, |facts| facts.frames >= 3).unwrap();
    viewer.request_key_frame().unwrap();
    assert_eq!(camera.seen.recv_timeout(LONG), Ok(Seen::KeyFrameRequest));
    let facts = viewer.wait_blocking(LONG, |facts| facts.key_frames >= 2).unwrap();
    assert_eq!(facts.gaps, 0);
}

#[test]
fn a_viewer_that_vanishes_is_silent_and_its_facts_stand_still() {
    let stand = Stand::new().unwrap();
    let (viewer, camera) = call(&stand, &Options::default(), CameraCodec::H264);
    let (other, _other_camera) = call(&stand, &Options::default(), CameraCodec::H264);
    viewer.wait_blocking(LONG, |facts| facts.frames >= 3).unwrap();
    viewer.vanish().unwrap();
    // Whatever was asked for before the order has been done by the time its neighbour on the same thread goes on.
    let seen = other.wait_blocking(LONG, |facts| facts.frames >= 3).unwrap();
    other.wait_blocking(LONG, |facts| facts.frames >= seen.frames + 3).unwrap();
    let still = viewer.facts();
    let frames = other.facts().frames;
    other.wait_blocking(LONG, |facts| facts.frames >= frames + 20).unwrap();
    assert_eq!(viewer.facts(), still);
    assert_eq!(still.ended, None, "nobody told it that the call is over");
    assert!(camera.seen.try_recv().is_err(), "and it told nobody");
}

#[test]
fn a_viewer_that_is_closed_says_so() {
    let stand = Stand::new().unwrap();
    let (viewer, camera) = call(&stand, &Options::default(), CameraCodec::H264);
    viewer.wait_blocking(LONG, |facts| facts.frames >= 3).unwrap();
    viewer.close();
    assert_eq!(camera.seen.recv_timeout(LONG), Ok(Seen::Closed));
    viewer.wait_blocking(LONG, |facts| facts.ended.is_some()).unwrap();
}

#[test]
fn candidates_may_travel_by_themselves_and_before_the_answer() {
    let stand = Stand::new().unwrap();
    let options = Options { candidate_in_offer: false, ..Options::default() };
    let (viewer, offer) = Viewer::offer(&stand, &options).unwrap();
    assert!(!offer.contains("a=candidate"));
    let camera = Camera::answer(&offer, CameraCodec::H264);
    let line = camera.answer.lines().find(|line| line.starts_with("a=candidate")).unwrap();
    let bare: String = camera
        .answer
        .lines()
        .filter(|line| !line.starts_with("a=candidate"))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    viewer.add_remote_candidate(&line[2..]).unwrap();
    viewer.add_remote_candidate("").unwrap();
    viewer.accept(&bare).unwrap();
    viewer.wait_blocking(LONG, |facts| facts.first_key_frame.is_some()).unwrap();
}

#[test]
fn what_is_asked_for_is_what_is_offered() {
    let stand = Stand::new().unwrap();
    let only_picture = Options { sound: Sound::None, video: vec![Codec::Vp8], ..Options::default() };
    let (_viewer, offer) = Viewer::offer(&stand, &only_picture).unwrap();
    assert!(offer.contains("m=video") && !offer.contains("m=audio"));
    assert!(offer.contains("VP8/90000") && !offer.contains("H264/90000"));
    let talk = Options { sound: Sound::HearAndTalk, ..Options::default() };
    let (_viewer, offer) = Viewer::offer(&stand, &talk).unwrap();
    assert!(offer.contains("a=sendrecv") && offer.contains("H264/90000") && offer.contains("opus/48000"));
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let stand = Stand::new().unwrap();
    let (viewer, _offer) = Viewer::offer(&stand, &Options::default()).unwrap();
    assert!(viewer.accept("hello").is_err());
    assert_eq!(viewer.facts().answered, None);
}

#[test]
fn twenty_viewers_share_a_thread() {
    let stand = Stand::new().unwrap();
    let calls: Vec<_> = (0..20).map(|_| call(&stand, &Options::default(), CameraCodec::H264)).collect();
    for (viewer, _) in &calls {
        let facts = viewer.wait_blocking(LONG, |facts| facts.frames >= 10).unwrap();
        assert_eq!(facts.gaps, 0);
    }
}
