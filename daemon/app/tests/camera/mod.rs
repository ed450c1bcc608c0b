//! The media side as tests hold it: their half of the desk, and a camera that shows the test picture.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::pin::pin;
use std::time::Duration;

use porthole::media::{Events, Media};
use porthole_core::command::Command;
use porthole_core::config::settings::{Fallback, Settings};
use porthole_core::event::MediaEvent;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::sdp::choose::{self, AnswerPlan};
use porthole_peer::{Facts, Options, Stand, Viewer};
use tokio::sync::mpsc::UnboundedReceiver;

/// Only bounds a hang; nothing is timed with it.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The media side, and the tests' half of the desk.
pub struct Camera {
    pub media: Media,
    pub heard: UnboundedReceiver<MediaEvent>,
    pub offers: Vec<String>,
    pub answers: Vec<String>,
}

impl Camera {
    pub async fn open(toml: &str) -> Self {
        Self::from(settings(toml)).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings("");
        change(&mut settings);
        Self::from(settings).await
    }

    pub async fn from(settings: Settings) -> Self {
        let (events, heard) = Events::channel();
        let media =
            Media::open(settings.media, tokio::sync::watch::channel(settings.ice).1, events).await.unwrap();
        Self { media, heard, offers: Vec::new(), answers: Vec::new() }
    }

    pub fn run_rendition(&mut self, rendition: Rendition) {
        self.media.perform(&Command::StartCapture);
        self.media.perform(&Command::StartRendition(rendition));
    }

    /// Answers a viewer's offer, and waits until it has a picture.
    pub async fn answer(&mut self, number: u64, stand: &Stand, options: &Options) -> Viewer {
        let viewer = self.connect(number, stand, options).await;
        self.sees(&viewer, |f| f.first_key_frame.is_some()).await;
        viewer
    }

    /// The same, up to the connection.
    pub async fn connect(&mut self, number: u64, stand: &Stand, options: &Options) -> Viewer {
        let (viewer, offer) = Viewer::offer(stand, options).unwrap();
        let plan = choose::plan(&offer, Fallback::Vp8).unwrap();
        let rendition = plan.rendition.unwrap();
        self.run_rendition(rendition);
        let call = CallId(number);
        self.media.perform(&Command::Answer { call, plan: Box::new(plan.clone()), trickle: false });
        let answer = plan.finish(&self.answered(call).await.unwrap()).unwrap();
        viewer.accept(&answer).unwrap();
        self.offers.push(offer);
        self.answers.push(answer);
        self.until(|e| matches!(e, MediaEvent::Connected { call: c, .. } if *c == call)).await;
        // Until now wishes were heard by nobody.
        self.media.perform(&Command::ForceKeyFrame(rendition));
        viewer
    }

    /// Waits until what a viewer has seen is as wanted. Wishes for key frames are granted meanwhile, as the switchboard
    /// would: an encoder that starts late on a busy machine has its first key frame behind it when the viewer comes.
    pub async fn sees(&mut self, viewer: &Viewer, wanted: impl Fn(&Facts) -> bool) -> Facts {
        let mut seen = pin!(viewer.wait(LIMIT, wanted));
        loop {
            tokio::select! {
                facts = &mut seen => return facts.unwrap(),
                event = self.heard.recv() => {
                    if let Some(MediaEvent::KeyFrameWanted { rendition }) = event {
                        self.media.perform(&Command::ForceKeyFrame(rendition));
                    }
                }
            }
        }
    }

    /// Has a viewer's offer answered, and does not wait for it: the viewer, and what is planned for it.
    pub fn call(
        &mut self,
        call: CallId,
        stand: &Stand,
        options: &Options,
        trickle: bool,
    ) -> (Viewer, AnswerPlan) {
        let (viewer, offer) = Viewer::offer(stand, options).unwrap();
        let plan = choose::plan(&offer, Fallback::Vp8).unwrap();
        self.media.perform(&Command::Answer { call, plan: Box::new(plan.clone()), trickle });
        (viewer, plan)
    }

    pub async fn answered(&mut self, call: CallId) -> Result<String, String> {
        let event = self
            .until(|e| matches!(e, MediaEvent::Answered { call: c, .. } | MediaEvent::CallFailed { call: c, .. } if *c == call))
            .await;
        match event {
            MediaEvent::Answered { sdp, .. } => Ok(sdp),
            MediaEvent::CallFailed { reason, .. } => Err(reason),
            _ => unreachable!(),
        }
    }

    pub async fn hang_up(&mut self, call: CallId) {
        self.media.perform(&Command::HangUp { call });
        self.until(|e| matches!(e, MediaEvent::Closed { call: c } if *c == call)).await;
    }

    pub async fn until(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        tokio::time::timeout(LIMIT, async {
            loop {
                let event = self.heard.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
        .expect("the media side did not say what was waited for")
    }

    pub fn drain(&mut self) {
        while self.heard.try_recv().is_ok() {}
    }

    pub async fn close<const N: usize>(mut self, calls: [u64; N]) {
        for number in calls {
            self.hang_up(CallId(number)).await;
        }
        self.media.close().await;
    }
}

/// Settings of a small test picture with a tone; `toml` changes them.
pub fn settings(toml: &str) -> Settings {
    let test = "[audio]\nsource = \"test\"\n";
    let picture =
        if toml.contains("[video]") { "" } else { "[video]\nsource = \"test\"\nwidth = 640\nheight = 480\n" };
    porthole_core::config::load("test.toml", &format!("{test}{picture}{toml}"), &|_| None).unwrap()
}

/// A short recording with picture and sound.
pub fn make_clip(path: &std::path::Path, frames: u32) {
    let status = std::process::Command::new("gst-launch-1.0")
        .args(["-q", "videotestsrc", &format!("num-buffers={frames}"), "!"])
        .args([
            "video/x-raw,width=320,height=240,framerate=30/1",
            "!",
            "jpegenc",
            "!",
            "matroskamux",
            "name=m",
        ])
        .args(["!", "filesink", &format!("location={}", path.display())])
        .args(["audiotestsrc", "num-buffers=30", "!", "audioconvert", "!", "opusenc", "!", "m."])
        .status()
        .unwrap();
    assert!(status.success());
}
