//! The one task that owns capture and encodings: it performs what is asked of it in order, each step on a thread that
//! may block, and publishes what can be drawn from. Must not know calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use porthole_core::config::settings::MediaSettings;
use porthole_core::event::MediaEvent;
use porthole_core::ids::Rendition;
use tokio::sync::{mpsc, watch};

use super::capture::Capture;
use super::element::MediaError;
use super::encoder::Encoder;
use super::rendition::{Encoding, Word};
use super::timeline::Timeline;
use super::{Events, Producers};
use crate::memory::Returns;

/// How long closing a device or an encoder may take before its thread is left behind.
const CLOSE: Duration = Duration::from_secs(10);

/// What the studio can be asked for, and what its pipelines tell it.
#[derive(Debug)]
pub enum Ask {
    /// Open camera and microphone.
    StartCapture,
    /// Close them.
    StopCapture,
    /// Start an encoding.
    StartRendition(Rendition),
    /// Stop it.
    StopRendition(Rendition),
    /// A key frame, now.
    ForceKeyFrame(Rendition),
    /// The capture with this number failed.
    CaptureLost(u64, String),
    /// The encoding with this number failed.
    RenditionLost(u64, Rendition, String),
    /// Close everything and end.
    Close,
}

/// See the module's first lines.
pub struct Studio {
    settings: Arc<MediaSettings>,
    encoder: Encoder,
    timeline: Timeline,
    events: Events,
    memory: Returns,
    asks: mpsc::UnboundedSender<Ask>,
    published: watch::Sender<Producers>,
    capture: Option<(u64, Capture)>,
    encodings: BTreeMap<Rendition, (u64, Encoding)>,
    /// Number of the last capture or encoding that was started: what an older one says late is ignored.
    started: u64,
}

/// Starts the studio's task.
pub fn open(
    settings: MediaSettings,
    encoder: Encoder,
    timeline: Timeline,
    events: Events,
    memory: Returns,
) -> (mpsc::UnboundedSender<Ask>, watch::Receiver<Producers>, tokio::task::JoinHandle<()>) {
    let (asks, heard) = mpsc::unbounded_channel();
    let (published, producers) = watch::channel(Producers::default());
    let studio = Studio {
        settings: Arc::new(settings),
        encoder,
        timeline,
        events,
        memory,
        asks: asks.clone(),
        published,
        capture: None,
        encodings: BTreeMap::new(),
        started: 0,
    };
    let task = tokio::spawn(studio.run(heard));
    (asks, producers, task)
}

impl Studio {
    async fn run(mut self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::StartCapture => self.start_capture().await,
                Ask::StopCapture => self.stop_capture().await,
                Ask::StartRendition(rendition) => self.start_rendition(rendition).await,
                Ask::StopRendition(rendition) => self.stop_rendition(rendition).await,
                Ask::ForceKeyFrame(rendition) => {
                    if let Some((_, encoding)) = self.encodings.get(&rendition) {
                        encoding.force_key_frame();
                    }
                }
                Ask::CaptureLost(number, reason) => {
                    if self.capture.as_ref().is_some_and(|(current, _)| *current == number) {
                        self.stop_capture().await;
                        self.events.send(MediaEvent::CaptureFailed { reason });
                    }
                }
                Ask::RenditionLost(number, rendition, reason) => {
                    if self.encodings.get(&rendition).is_some_and(|(current, _)| *current == number) {
                        self.stop_rendition(rendition).await;
                        self.events.send(MediaEvent::RenditionFailed { rendition, reason });
                    }
                }
                Ask::Close => break,
            }
        }
        self.stop_capture().await;
    }

    async fn start_capture(&mut self) {
        if self.capture.is_some() {
            return;
        }
        let number = self.next();
        let (settings, timeline, asks) = (self.settings.clone(), self.timeline.clone(), self.asks.clone());
        let lost = move |reason| {
            let _ = asks.send(Ask::CaptureLost(number, reason));
        };
        match blocking(move || Capture::start(&settings, &timeline, lost)).await {
            Ok(capture) => {
                if let Some(source) = capture.follow.clone() {
                    Arc::make_mut(&mut self.settings).video.source = source;
                }
                let sound = capture.sound.clone();
                self.published.send_modify(|producers| producers.sound = sound);
                self.capture = Some((number, capture));
                self.events.send(MediaEvent::CaptureRunning);
            }
            Err(error) => self.events.send(MediaEvent::CaptureFailed { reason: error.to_string() }),
        }
    }

    async fn stop_capture(&mut self) {
        let running: Vec<_> = self.encodings.keys().copied().collect();
        for rendition in running {
            self.stop_rendition(rendition).await;
        }
        self.published.send_modify(|producers| producers.sound = None);
        if let Some((_, capture)) = self.capture.take() {
            close("the camera", move || capture.stop()).await;
            self.memory.gone();
        }
    }

    async fn start_rendition(&mut self, rendition: Rendition) {
        if self.encodings.contains_key(&rendition) {
            return;
        }
        // Without a capture its failure has been reported already.
        let Some(picture) = self.capture.as_ref().map(|(_, capture)| capture.picture.clone()) else { return };
        let number = self.next();
        let (settings, timeline, encoder) = (self.settings.clone(), self.timeline.clone(), self.encoder);
        let (events, asks) = (self.events.clone(), self.asks.clone());
        let hear = move |word| match word {
            Word::KeyFrameWanted => events.send(MediaEvent::KeyFrameWanted { rendition }),
            Word::Failed(reason) => {
                let _ = asks.send(Ask::RenditionLost(number, rendition, reason));
            }
        };
        let start = move || Encoding::start(rendition, &encoder, &picture, &settings.video, &timeline, hear);
        match blocking(start).await {
            Ok(encoding) => {
                let frames = encoding.frames.clone();
                self.published.send_modify(|producers| {
                    producers.pictures.insert(rendition, frames);
                });
                self.encodings.insert(rendition, (number, encoding));
                self.events.send(MediaEvent::RenditionRunning { rendition });
            }
            Err(error) => {
                self.events.send(MediaEvent::RenditionFailed { rendition, reason: error.to_string() });
            }
        }
    }

    async fn stop_rendition(&mut self, rendition: Rendition) {
        if let Some((_, encoding)) = self.encodings.remove(&rendition) {
            self.published.send_modify(|producers| {
                producers.pictures.remove(&rendition);
            });
            close("the encoder", move || encoding.stop()).await;
        }
    }

    fn next(&mut self) -> u64 {
        self.started += 1;
        self.started
    }
}

/// Runs something that blocks to its end.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(MediaError::Failed("the media thread panicked".to_owned())))
}

/// Closes something on a thread that may block, and stops waiting when that takes too long.
async fn close(what: &str, work: impl FnOnce() + Send + 'static) {
    if tokio::time::timeout(CLOSE, tokio::task::spawn_blocking(work)).await.is_err() {
        log::warn!("{what} did not close within {CLOSE:?}; its thread is left behind");
    }
}
