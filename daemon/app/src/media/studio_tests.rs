//! The studio with real encoders, one of which is made to fail while it works.

use gst::prelude::*;
use porthole_core::config;
use porthole_core::config::settings::EncoderChoice;
use porthole_core::status::Shows;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::encoder::candidates;
use super::*;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_takes_pictures_and_gives_none_is_noticed_and_the_next_takes_its_place() {
    let mut studio = Seat::with_two_encoders().await;
    let hangs = studio.encoder("x264enc").await;
    let pad = hangs.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        drop(info.data.take());
        gst::PadProbeReturn::Handled
    });
    let reason = studio.failed().await;
    assert!(reason.contains("has given none for 2s"), "{reason}");
    studio.asks.send(Ask::ChooseEncoder(Rendition::H264, 1)).unwrap();
    studio.until(|event| matches!(event, MediaEvent::RenditionRunning { .. })).await;
    studio.encoder("openh264enc").await;
    studio.until(|event| matches!(event, MediaEvent::FramesFlow)).await;
    studio.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_dies_is_noticed_at_once_and_may_be_tried_again() {
    let mut studio = Seat::with_two_encoders().await;
    let dies = studio.encoder("x264enc").await;
    gst::element_error!(dies, gst::LibraryError::Encode, ["the device is gone"]);
    let reason = studio.failed().await;
    assert!(reason.contains("the device is gone"), "{reason}");
    // It goes round.
    studio.asks.send(Ask::ChooseEncoder(Rendition::H264, 2)).unwrap();
    studio.until(|event| matches!(event, MediaEvent::RenditionRunning { .. })).await;
    studio.encoder("x264enc").await;
    studio.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slate_takes_the_place_of_the_picture_and_nothing_is_encoded_where_there_is_neither() {
    let mut studio = Seat::with_two_encoders().await;
    studio.asks.send(Ask::ShowSlate(Slate::Privacy)).unwrap();
    studio.asks.send(Ask::StopCapture).unwrap();
    studio.until(|event| matches!(event, MediaEvent::RenditionRunning { .. })).await;
    studio.asks.send(Ask::HideSlate).unwrap();
    let none = studio.producers.wait_for(|producers| producers.pictures.is_empty());
    drop(tokio::time::timeout(LIMIT, none).await.unwrap().unwrap());
    studio.asks.send(Ask::StartCapture).unwrap();
    studio.until(|event| matches!(event, MediaEvent::CaptureRunning { .. })).await;
    studio.until(|event| matches!(event, MediaEvent::RenditionRunning { .. })).await;
    studio.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_was_not_there_is_found_when_it_comes_and_the_test_picture_gives_way_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("video0");
    let mut studio = Seat::with(&format!("source = \"auto\"\ndevice = \"{}\"", node.display()));
    let runs = studio.until(|event| matches!(event, MediaEvent::CaptureRunning { .. })).await;
    assert_eq!(runs, MediaEvent::CaptureRunning { shows: Shows::StandIn });
    for found in [false, true] {
        if found {
            std::fs::write(&node, "").unwrap();
        }
        studio.asks.send(Ask::Seek).unwrap();
        let sought = studio.until(|event| matches!(event, MediaEvent::Sought { .. })).await;
        assert_eq!(sought, MediaEvent::Sought { found });
    }
    studio.asks.send(Ask::StopCapture).unwrap();
    studio.asks.send(Ask::StartCapture).unwrap();
    // It is a file and no camera, and that is what is tried.
    let tried = |event: &MediaEvent| {
        matches!(event, MediaEvent::CaptureFailed { .. } | MediaEvent::CaptureRunning { .. })
    };
    let failed = studio.until(tried).await;
    let MediaEvent::CaptureFailed { reason } = failed else { panic!("{failed:?}") };
    assert!(reason.contains("video0"), "{reason}");
    studio.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_picture_that_was_asked_for_is_not_called_a_stand_in_and_nothing_is_found_in_its_place() {
    let mut studio = Seat::with("source = \"test\"");
    let runs = studio.until(|event| matches!(event, MediaEvent::CaptureRunning { .. })).await;
    assert_eq!(runs, MediaEvent::CaptureRunning { shows: Shows::Test });
    studio.asks.send(Ask::Seek).unwrap();
    let sought = studio.until(|event| matches!(event, MediaEvent::Sought { .. })).await;
    assert_eq!(sought, MediaEvent::Sought { found: false });
    studio.close().await;
}

#[tokio::test]
async fn a_look_for_a_camera_that_ends_in_a_panic_is_answered() {
    let (events, mut said) = Events::channel();
    picture::say_found(events, || panic!("a driver's list is not what it was"));
    let said = tokio::time::timeout(LIMIT, said.recv()).await.unwrap();
    assert_eq!(said, Some(MediaEvent::Sought { found: false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_there_is_no_microphone_is_said() {
    let mut studio = Seat::with("source = \"test\"");
    studio.until(|event| *event == MediaEvent::SoundAbsent).await;
    studio.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tone_that_nobody_asked_for_stands_in_and_gives_way_only_where_there_is_something_else() {
    let mut studio = Seat::with_sound("source = \"test\"", "test");
    studio.until(|event| *event == MediaEvent::SoundRunning).await;
    studio.close().await;
    if let Some(microphone) = super::super::microphones::first() {
        eprintln!("skipped: there is a microphone here, {microphone}");
        return;
    }
    let mut studio = Seat::with_sound("source = \"test\"", "auto");
    studio.until(|event| *event == MediaEvent::SoundStandsIn).await;
    let mut sounds = studio.producers.clone();
    let tone = |producers: &Producers| producers.sound.is_some();
    let there = tokio::time::timeout(LIMIT, sounds.wait_for(tone)).await.unwrap().unwrap().sound.clone();
    studio.asks.send(Ask::StartSound).unwrap();
    studio.until(|event| *event == MediaEvent::SoundStandsIn).await;
    assert_eq!(studio.producers.borrow().sound, there);
    // It is the second of what was started.
    studio.asks.send(Ask::Heard(2, Word::ToneOver(true))).unwrap();
    studio.until(|event| *event == MediaEvent::SoundStandsIn).await;
    let other = |producers: &Producers| producers.sound.is_some() && producers.sound != there;
    drop(tokio::time::timeout(LIMIT, sounds.wait_for(other)).await.unwrap().unwrap());
    studio.close().await;
}

/// A studio at work, and the test's end of everything around it.
struct Seat {
    asks: mpsc::UnboundedSender<Ask>,
    producers: watch::Receiver<Producers>,
    heard: UnboundedReceiver<MediaEvent>,
    task: JoinHandle<()>,
}

impl Seat {
    /// With this below `[video]`, and its camera asked for.
    fn with(video: &str) -> Self {
        Self::with_sound(video, "none")
    }

    fn with_sound(video: &str, audio: &str) -> Self {
        gst::init().unwrap();
        let text = format!("[video]\n{video}\nwidth = 320\nheight = 240\n[audio]\nsource = \"{audio}\"\n");
        let settings = config::load("test.toml", &text, &|_| None).unwrap().media;
        let all = candidates(&EncoderChoice::Auto).unwrap();
        let named = |name| all.iter().copied().find(|encoder: &Encoder| encoder.element == name).unwrap();
        let encoders = vec![named("x264enc"), named("openh264enc")];
        let (events, heard) = Events::channel();
        let echo = Echo::new(&settings.speaker).unwrap();
        let (asks, producers, task) =
            open(settings, encoders, Timeline::new(), echo, events, Returns::start());
        asks.send(Ask::StartCapture).unwrap();
        Self { asks, producers, heard, task }
    }

    async fn with_two_encoders() -> Self {
        let mut seat = Self::with("source = \"test\"");
        seat.asks.send(Ask::StartRendition(Rendition::H264)).unwrap();
        seat.until(|event| matches!(event, MediaEvent::RenditionRunning { .. })).await;
        seat
    }

    /// The encoder at work.
    async fn encoder(&mut self, name: &str) -> gst::Element {
        let there = self.producers.wait_for(|producers| !producers.pictures.is_empty());
        let producers = tokio::time::timeout(LIMIT, there).await.unwrap().unwrap();
        let pipeline = producers.pictures[&Rendition::H264].pipeline().unwrap();
        let is = |element: &gst::Element| element.factory().is_some_and(|factory| factory.name() == name);
        pipeline.children().into_iter().find(is).unwrap_or_else(|| panic!("{name} is not at work"))
    }

    async fn failed(&mut self) -> String {
        let event = self.until(|event| matches!(event, MediaEvent::RenditionFailed { .. })).await;
        let MediaEvent::RenditionFailed { reason, .. } = event else { unreachable!() };
        reason
    }

    async fn until(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        let next = async {
            loop {
                let event = self.heard.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(LIMIT, next).await.expect("the studio did not say what was waited for")
    }

    async fn close(self) {
        self.asks.send(Ask::Close).unwrap();
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap();
    }
}
