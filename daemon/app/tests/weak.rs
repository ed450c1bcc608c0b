//! What is done for a viewer behind a weak link, with real GStreamer against a WebRTC viewer of another make.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use camera::{Camera, LIMIT};
use porthole_core::command::Command;
use porthole_core::event::MediaEvent;
use porthole_core::ids::{CallId, Rendition};
use porthole_peer::{Codec, Facts, Options, Stand, Viewer};

const CALL: CallId = CallId(1);
/// Frames that come in time even where an encoder hardly gets to run.
const FEW: u64 = 2;
/// More frames than come before an order is carried out, on however busy a machine.
const MANY: u64 = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_given_the_small_picture_then_none_and_the_full_one_again_without_a_hole() {
    for (codec, full) in [(Codec::H264, Rendition::H264), (Codec::Vp8, Rendition::Vp8)] {
        let mut camera = Camera::open("").await;
        let stand = Stand::new().unwrap();
        let options = Options { video: vec![codec], ..Options::default() };
        let viewer = camera.answer(CALL.0, &stand, &options).await;
        let before = camera.sees(&viewer, |f| f.frames >= FEW).await;

        camera.media.perform(&Command::StartRendition(full.small()));
        camera.feed(Some(full.small()));
        let is_small =
            |f: &Facts| f.key_frames > before.key_frames && f.key_frame_bytes * 2 < before.key_frame_bytes;
        let small = camera.sees(&viewer, is_small).await;
        camera.sees(&viewer, |f| f.frames >= small.frames + FEW).await;

        camera.feed(None);
        camera.media.perform(&Command::StopRendition(full.small()));
        // However long that takes, there comes a time without a picture in which the sound goes on.
        let mut quiet = viewer.facts();
        loop {
            let later = camera.sees(&viewer, |f| f.sounds >= quiet.sounds + 25).await;
            if later.frames == quiet.frames {
                break;
            }
            assert!(later.frames < small.frames + MANY, "a picture is sent all the time");
            quiet = later;
        }

        camera.feed(Some(full));
        let again = camera.sees(&viewer, |f| f.frames >= quiet.frames + FEW).await;
        assert_eq!((again.gaps, again.lost), (0, 0), "{again:?}");
        camera.close([CALL.0]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bitrate_is_changed_while_the_encoder_runs() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(CALL.0, &stand, &Options::default()).await;
    let before = viewer.wait(LIMIT, |f| f.frames >= 30).await.unwrap();
    let usual = mean(&viewer, &before, 60).await;
    camera.media.perform(&Command::SetBitrate { rendition: Rendition::H264, kbit: 100 });
    // The encoder comes down within a second.
    let settled = viewer.wait(LIMIT, |f| f.frames >= before.frames + 120).await.unwrap();
    let less = mean(&viewer, &settled, 60).await;
    assert!(less * 2 < usual, "{less} bytes a frame after {usual}");
    camera.close([CALL.0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_viewer_reports_is_handed_on_with_what_was_sent() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let _viewer = camera.answer(CALL.0, &stand, &Options::default()).await;
    let tells = |event: &MediaEvent| {
        matches!(event, MediaEvent::Reported { call: CALL, report }
            if report.sent > 0 && report.reception.losses.is_some_and(|losses| losses.lost == 0))
    };
    camera.until(tells).await;
    let tells = |event: &MediaEvent| matches!(event, MediaEvent::Reported { report, .. } if report.reception.round_trip.is_some());
    camera.until(tells).await;
    camera.close([CALL.0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_viewer_has_got_is_sent_again_to_see_whether_more_comes_through_and_changes_no_frame() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(CALL.0, &stand, &Options::default()).await;
    let before = viewer.wait(LIMIT, |f| f.frames >= 30).await.unwrap();
    camera.media.perform(&Command::Pad { call: CALL, kbit: 20_000 });
    let more = |f: &Facts| f.packets - before.packets > 500 && per_frame(f, &before) > 25;
    let padded = viewer.wait(LIMIT, more).await.unwrap();
    camera.media.perform(&Command::Pad { call: CALL, kbit: 0 });
    let calm = viewer.wait(LIMIT, |f| f.frames >= padded.frames + 30).await.unwrap();
    let after = viewer.wait(LIMIT, |f| f.frames >= calm.frames + 30).await.unwrap();
    assert!(per_frame(&after, &calm) < 25, "{after:?}");
    assert_eq!(after.gaps, 0);
    camera.close([CALL.0]).await;
}

impl Camera {
    fn feed(&mut self, picture: Option<Rendition>) {
        self.media.perform(&Command::Feed { call: CALL, picture });
    }
}

/// Bytes of a frame, over the next ones.
async fn mean(viewer: &Viewer, from: &Facts, frames: u64) -> u64 {
    let to = viewer.wait(LIMIT, |f| f.frames >= from.frames + frames).await.unwrap();
    (to.frame_bytes - from.frame_bytes) / (to.frames - from.frames)
}

/// Packets for each frame since then.
fn per_frame(now: &Facts, then: &Facts) -> u64 {
    (now.packets - then.packets) / (now.frames - then.frames).max(1)
}
