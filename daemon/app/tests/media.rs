//! Real GStreamer against a WebRTC viewer of another make, on this machine's own address.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use std::path::{Path, PathBuf};

use camera::{Camera, LIMIT, make_clip, settings};
use porthole::media::{Events, Media};
use porthole_core::command::Command;
use porthole_core::config::settings::{EncoderChoice, Fallback, VideoSource};
use porthole_core::event::MediaEvent;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::sdp::{accept, choose};
use porthole_peer::{Codec, Options, Sound, Stand, Viewer};

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_a_key_frame_then_frames_and_hears_the_tone() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    let facts = viewer.wait(LIMIT, |f| f.frames >= 10 && f.sounds >= 10).await.unwrap();
    assert_eq!(facts.codec, Some(Codec::H264));
    assert!(facts.key_frames >= 1 && facts.key_frame_bytes > 0, "{facts:?}");
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_holds_for_a_viewer_that_may_talk_later() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let talker = Options { sound: Sound::HearAndTalk, ..Options::default() };
    let viewer = camera.answer(1, &stand, &talker).await;
    viewer.wait(LIMIT, |f| f.frames >= 3 && f.sounds >= 3).await.unwrap();
    assert!(camera.answers[0].contains("a=sendrecv"), "{}", camera.answers[0]);
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_of_the_picture_say_when_they_are_sent_and_shown_and_those_of_sound_say_nothing() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    let facts = camera.sees(&viewer, |f| f.frames >= 3 && f.sounds >= 3).await;
    let plan = choose::plan(&camera.offers[0], Fallback::Vp8).unwrap();
    for media in &plan.media {
        // The m-line is agreed upon, too, and none of them says it: the answer names who sends what.
        let (mid, others): (Vec<_>, Vec<_>) =
            media.extensions.iter().partition(|(_, uri)| uri.ends_with(":sdes:mid"));
        assert_eq!(mid.len(), 1, "{media:?}");
        let said = match media.codec {
            choose::Codec::Video(_) => others.iter().map(|(number, _)| 1 << number).sum(),
            choose::Codec::Opus => 0,
        };
        assert_eq!(facts.extensions[&media.payload_type], said, "{facts:?}");
    }
    assert!(camera.answers[0].contains("a=ssrc:"), "{}", camera.answers[0]);
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_without_h264_sees_vp8_beside_one_that_sees_h264() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let first = camera.answer(1, &stand, &Options::default()).await;
    let other = Options { video: vec![Codec::Vp8], ..Options::default() };
    let second = camera.answer(2, &stand, &other).await;
    let h264 = first.wait(LIMIT, |f| f.frames >= 5).await.unwrap();
    let vp8 = second.wait(LIMIT, |f| f.frames >= 5).await.unwrap();
    assert_eq!((h264.codec, vp8.codec), (Some(Codec::H264), Some(Codec::Vp8)));
    camera.close([1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_s_wish_for_a_key_frame_is_reported_and_granted_only_when_asked() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    let before = viewer.wait(LIMIT, |f| f.frames >= 5).await.unwrap();
    camera.drain();
    viewer.request_key_frame().unwrap();
    camera.until(|e| matches!(e, MediaEvent::KeyFrameWanted { rendition: Rendition::H264 })).await;
    assert_eq!(viewer.facts().key_frames, before.key_frames, "a wish alone must not reach the encoder");
    camera.media.perform(&Command::ForceKeyFrame(Rendition::H264));
    viewer.wait(LIMIT, |f| f.key_frames > before.key_frames).await.unwrap();
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_camera_can_be_closed_and_opened_again_within_a_call() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    let before = viewer.wait(LIMIT, |f| f.frames >= 5).await.unwrap();
    camera.media.perform(&Command::StopRendition(Rendition::H264));
    camera.media.perform(&Command::StopCapture);
    camera.media.perform(&Command::StartCapture);
    camera.media.perform(&Command::StartRendition(Rendition::H264));
    viewer.wait(LIMIT, |f| f.key_frames > before.key_frames && f.frames > before.frames + 5).await.unwrap();
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_camera_offers_and_a_viewer_that_answers_sees_and_hears_it() {
    for (codec, rendition) in [(Codec::H264, Rendition::H264), (Codec::Vp8, Rendition::Vp8)] {
        let mut camera = Camera::open("").await;
        let stand = Stand::new().unwrap();
        camera.run_rendition(rendition);
        let call = CallId(1);
        camera.media.perform(&Command::Offer { call, rendition, sound: true });
        let offered =
            camera.until(|e| matches!(e, MediaEvent::Offered { .. } | MediaEvent::CallFailed { .. })).await;
        let MediaEvent::Offered { sdp, .. } = offered else { panic!("{offered:?}") };
        let options = Options { video: vec![codec], sound: Sound::HearAndTalk, ..Options::default() };
        let (viewer, answer) = Viewer::answer(&stand, &options, &sdp).unwrap();
        let accepted = accept::judge(&sdp, &answer).unwrap_or_else(|why| panic!("{why}\n{sdp}\n{answer}"));
        camera.media.perform(&Command::TakeAnswer { call, answer: Box::new(accepted) });
        camera.until(|e| matches!(e, MediaEvent::Connected { .. })).await;
        camera.media.perform(&Command::ForceKeyFrame(rendition));
        let facts = viewer.wait(LIMIT, |f| f.frames >= 5 && f.sounds >= 5).await.unwrap();
        assert_eq!(facts.codec, Some(codec));
        camera.close([1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_is_never_answered_is_hung_up_like_any_call() {
    let mut camera = Camera::open("").await;
    camera.run_rendition(Rendition::H264);
    let call = CallId(1);
    camera.media.perform(&Command::Offer { call, rendition: Rendition::H264, sound: true });
    camera.until(|e| matches!(e, MediaEvent::Offered { .. })).await;
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_captured_offer_is_answered() {
    let mut camera = Camera::open("").await;
    camera.run_rendition(Rendition::H264);
    let mut answered = 0;
    for (number, path) in captured_offers().into_iter().enumerate() {
        let offer = std::fs::read_to_string(&path).unwrap();
        let Ok(plan) = choose::plan(&offer, Fallback::Vp8) else { continue };
        let call = CallId(number as u64 + 1);
        camera.media.perform(&Command::Answer { call, plan: Box::new(plan.clone()), trickle: false });
        let answer = camera.answered(call).await.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let whole = plan.finish(&answer).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(count(&whole, "m="), count(&offer, "m="), "{}", path.display());
        camera.hang_up(call).await;
        answered += 1;
    }
    assert!(answered >= 20, "only {answered} offers were answered");
    camera.close([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_plays_in_a_loop_as_if_it_were_live() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("short.mkv");
    make_clip(&clip, 20);
    let mut camera = Camera::with(|settings| settings.media.video.source = VideoSource::File(clip)).await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    // Three times as many frames as the clip has.
    viewer.wait(LIMIT, |f| f.frames >= 60).await.unwrap();
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_is_missing_is_a_lost_camera_with_the_reason() {
    let missing = PathBuf::from("/nowhere/clip.mkv");
    let mut camera = Camera::with(|settings| settings.media.video.source = VideoSource::File(missing)).await;
    camera.media.perform(&Command::StartCapture);
    let event = camera
        .until(|e| matches!(e, MediaEvent::CaptureFailed { .. } | MediaEvent::CaptureRunning { .. }))
        .await;
    let MediaEvent::CaptureFailed { reason } = event else { panic!("{event:?}") };
    assert!(reason.contains("/nowhere/clip.mkv"), "{reason}");
    camera.close([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_cannot_be_decoded_is_a_lost_camera_with_what_gstreamer_says() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("letter.mkv");
    std::fs::write(&clip, "this is a letter and no recording\n".repeat(50)).unwrap();
    let mut camera = Camera::with(|settings| settings.media.video.source = VideoSource::File(clip)).await;
    camera.media.perform(&Command::StartCapture);
    let event = camera
        .until(|e| matches!(e, MediaEvent::CaptureFailed { .. } | MediaEvent::CaptureRunning { .. }))
        .await;
    let MediaEvent::CaptureFailed { reason } = event else { panic!("{event:?}") };
    assert!(reason.contains("letter.mkv"), "{reason}");
    assert!(reason.contains("decodebin"), "not the decoder's own words: {reason}");
    camera.close([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_stands_still_is_a_lost_camera() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("short.mkv");
    make_clip(&clip, 20);
    let path = clip.clone();
    let mut camera = Camera::with(|settings| settings.media.video.source = VideoSource::File(path)).await;
    camera.media.perform(&Command::StartCapture);
    camera.until(|e| matches!(e, MediaEvent::CaptureRunning { .. })).await;
    // What is read from now on holds no frame.
    std::fs::File::options().write(true).open(&clip).unwrap().set_len(0).unwrap();
    let event = camera.until(|e| matches!(e, MediaEvent::CaptureFailed { .. })).await;
    let MediaEvent::CaptureFailed { reason } = event else { panic!("{event:?}") };
    assert!(reason.contains("no frame"), "{reason}");
    camera.close([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_whose_opening_hangs_does_not_keep_the_media_side_from_closing() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.mkv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let clip = pipe.clone();
    let mut camera = Camera::with(|settings| settings.media.video.source = VideoSource::File(clip)).await;
    camera.media.perform(&Command::StartCapture);
    let closed = tokio::time::timeout(LIMIT, camera.close([])).await;
    // Lets go of the thread that still waits for somebody to write.
    drop(std::fs::File::options().read(true).write(true).open(&pipe).unwrap());
    assert!(closed.is_ok(), "the media side did not close");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_nobody_knows_is_refused_at_start() {
    let mut settings = settings("");
    settings.media.video.encoder = EncoderChoice::Named("h264magic".to_owned());
    let (events, _heard) = Events::channel();
    let refused = Media::open(settings.media, tokio::sync::watch::channel(settings.ice).1, events)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("h264magic") && refused.contains("x264enc"), "{refused}");
}

fn captured_offers() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/offers");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn count(text: &str, prefix: &str) -> usize {
    text.lines().filter(|line| line.starts_with(prefix)).count()
}
