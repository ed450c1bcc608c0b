//! The only place that knows GStreamer. It performs the switchboard's commands and reports what happens as events;
//! it decides nothing and knows nothing of relays, rooms or messages.

mod apart;
mod arrivals;
mod call;
mod cameras;
mod capture;
mod clip;
mod debut;
mod digits;
mod doors;
mod element;
mod encoder;
pub mod exam;
mod fan;
mod identity;
mod inquiry;
mod look;
mod mdns;
mod microphones;
mod modes;
mod nodes;
mod own;
mod probe;
mod pulse;
mod rendition;
mod servers;
mod slate;
mod snapshot;
mod sound;
mod source;
mod speaker;
mod stamps;
mod strip;
mod studio;
pub mod survey;
mod timeline;
mod v4l2;
mod warm;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use porthole_core::command::Command;
use porthole_core::config::settings::{IceSettings, MediaSettings, Settings};
use porthole_core::event::MediaEvent;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::speaker::Task;
use porthole_core::wire::Candidate;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::memory::Returns;
pub use element::MediaError;
pub use identity::keep_in as keep_key_in;

/// How long camera and encoders may take to close when the daemon stops.
const CLOSE_DEADLINE: Duration = Duration::from_millis(800);

/// Tells GStreamer how cameras are to be closed. Called once, before there are threads.
pub fn prepare() {
    // Otherwise the pool of a camera's frames, if one of them is still on its way when the camera is closed, is left behind
    // for good (GStreamer 1.22), and with it an open file: the camera stays taken though nobody watches.
    // SAFETY: no other thread exists yet that could read the environment meanwhile.
    unsafe { std::env::set_var("GST_V4L2_FORCE_DRAIN", "1") };
}

/// Where the media side reports to. Cheap to clone, never blocks, never fails: after the desk is gone nobody listens.
#[derive(Debug, Clone)]
pub struct Events(mpsc::UnboundedSender<MediaEvent>);

impl Events {
    /// A sender of events and the desk's end of it.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<MediaEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    fn send(&self, event: MediaEvent) {
        let _ = self.0.send(event);
    }
}

/// What the ICE library says goes into our log, where somebody looks for a fault. It warns of each call that ends while a
/// TURN server still holds a place for it, which the server gives up by itself.
fn quieten_libnice() {
    let levels = gst::glib::LogLevels::LEVEL_WARNING | gst::glib::LogLevels::LEVEL_MESSAGE;
    gst::glib::log_set_handler(Some("libnice"), levels, false, false, |_, _, words| {
        log::debug!("libnice: {words}");
    });
}

/// Gives a viewer's candidate to its call, at once or when its name is looked up.
fn give(candidate: Option<Candidate>, asks: mpsc::UnboundedSender<call::Ask>) {
    match candidate {
        Some(hidden) if mdns::is_name(&hidden) => {
            tokio::spawn(async move {
                if let Some(plain) = mdns::resolve(hidden).await {
                    let _ = asks.send(call::Ask::Candidate(Some(plain)));
                }
            });
        }
        candidate => {
            let _ = asks.send(call::Ask::Candidate(candidate));
        }
    }
}

/// What calls can draw from at this moment.
#[derive(Debug, Clone, Default)]
struct Producers {
    pictures: BTreeMap<Rendition, fan::Fan>,
    sound: Option<fan::Fan>,
}

/// The media side: capture, encodings and calls.
pub struct Media {
    studio: mpsc::UnboundedSender<studio::Ask>,
    studio_task: JoinHandle<()>,
    arrivals: JoinHandle<()>,
    producers: watch::Receiver<Producers>,
    calls: HashMap<CallId, mpsc::UnboundedSender<call::Ask>>,
    crew: fan::Crew,
    ears: HashMap<CallId, speaker::Ear>,
    speaker: std::sync::mpsc::Sender<speaker::Ask>,
    speaker_ends: oneshot::Receiver<()>,
    memory: Returns,
    events: Events,
    served: watch::Receiver<servers::Served>,
    timeline: timeline::Timeline,
    delay: Duration,
}

/// Loads GStreamer. Takes seconds where its plugins were never read, or some of them are others than they were.
///
/// # Errors
/// It does not start.
pub async fn load() -> Result<(), MediaError> {
    blocking(|| {
        gst::init().map_err(|e| MediaError::Failed(format!("GStreamer does not start: {e}")))?;
        quieten_libnice();
        // libnice and others look for a TLS backend from several threads at once; the first look is not safe.
        let _ = gio::TlsBackend::default();
        Ok(())
    })
    .await
}

/// Tries encoders for the process that asks, with a picture of that many pixels by pixels, frames a second and kbit/s, and
/// says on the standard output how they did. Blocks.
///
/// # Errors
/// GStreamer does not start, or nobody listens any more.
pub fn try_encoders(picture: [u32; 4], names: &[String]) -> Result<(), MediaError> {
    let video = apart::picture(Settings::default().media.video, picture);
    probe::answer(&video, names, &mut std::io::stdout())
}

/// Does something before the first call that may take long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    let panicked = |_| Err(MediaError::Failed("the media side panicked while starting".to_owned()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(panicked)
}

impl Media {
    /// Loads GStreamer where [`load`] has not, finds the encoder of this board and runs one throw-away negotiation, so that the first viewer
    /// does not wait for plugins and certificates. Takes a second or more.
    ///
    /// Errors when GStreamer or an element is missing, or when no H.264 encoder works; the message says what to install.
    pub async fn open(
        settings: MediaSettings,
        ice: watch::Receiver<IceSettings>,
        events: Events,
    ) -> Result<Self, MediaError> {
        Self::open_with(None, settings, ice, events).await
    }

    /// The same with the encoders tried in a process of `program`, which is this one's ([`try_encoders`]): what they load is
    /// then not in the memory of a camera that nobody watches.
    ///
    /// # Errors
    /// As those of [`Self::open`].
    pub async fn open_with(
        program: Option<PathBuf>,
        settings: MediaSettings,
        ice: watch::Receiver<IceSettings>,
        events: Events,
    ) -> Result<Self, MediaError> {
        let served = servers::follow(ice).await;
        let (video, delay) = (settings.video.clone(), settings.video.delay);
        load().await?;
        let apart = program.is_some();
        let encoders = blocking(move || probe::find(&video, program.as_deref())).await?;
        let timeline = timeline::Timeline::new();
        warm::up(&timeline).await?;
        let memory = Returns::start();
        if !apart {
            slate::warm_up(&settings.video, &timeline);
        }
        let arrivals = tokio::spawn(arrivals::follow(settings.clone(), events.clone()));
        let echo = speaker::Echo::new(&settings.speaker)?;
        let (speaker, speaker_ends) =
            speaker::open(settings.speaker.clone(), timeline.clone(), events.clone(), echo.clone())?;
        let (studio, producers, studio_task) =
            studio::open(settings, encoders, timeline.clone(), echo, events.clone(), memory.clone());
        Ok(Self {
            studio,
            studio_task,
            arrivals,
            producers,
            calls: HashMap::new(),
            crew: fan::Crew::new(),
            ears: HashMap::new(),
            speaker,
            speaker_ends,
            memory,
            events,
            served,
            timeline,
            delay,
        })
    }

    /// Performs a command; those that are not for the media side are ignored. Never blocks.
    pub fn perform(&mut self, command: &Command) {
        match command {
            Command::StartCapture => self.ask_studio(studio::Ask::StartCapture),
            Command::StopCapture => self.ask_studio(studio::Ask::StopCapture),
            Command::StartSound => self.ask_studio(studio::Ask::StartSound),
            Command::Seek => self.ask_studio(studio::Ask::Seek),
            Command::ShowSlate(slate) => self.ask_studio(studio::Ask::ShowSlate(*slate)),
            Command::HideSlate => self.ask_studio(studio::Ask::HideSlate),
            Command::PlaySilence => self.ask_studio(studio::Ask::PlaySilence),
            Command::EndSilence => self.ask_studio(studio::Ask::EndSilence),
            Command::ChooseEncoder { rendition, attempt } => {
                self.ask_studio(studio::Ask::ChooseEncoder(*rendition, *attempt));
            }
            Command::StartRendition(rendition) => self.ask_studio(studio::Ask::StartRendition(*rendition)),
            Command::StopRendition(rendition) => self.ask_studio(studio::Ask::StopRendition(*rendition)),
            Command::SetBitrate { rendition, kbit } => {
                self.ask_studio(studio::Ask::SetBitrate(*rendition, *kbit));
            }
            Command::Pad { call, kbit } => self.ask_call(*call, call::Ask::Pad(*kbit)),
            Command::Feed { call, picture } => self.ask_call(*call, call::Ask::Feed(*picture)),
            Command::ForceKeyFrame(rendition) => self.ask_studio(studio::Ask::ForceKeyFrame(*rendition)),
            Command::TakeSnapshot => self.ask_studio(studio::Ask::TakeSnapshot),
            Command::Answer { call, plan, trickle } => {
                self.start(*call, call::Part::Answer { plan: plan.as_ref().clone(), trickle: *trickle });
            }
            Command::Offer { call, rendition, sound } => {
                self.start(*call, call::Part::Offer { rendition: *rendition, sound: *sound });
            }
            Command::TakeAnswer { call, answer } => self.ask_call(*call, call::Ask::Answer(answer.clone())),
            Command::AddCandidate { call, candidate } => {
                if let Some(asks) = self.calls.get(call) {
                    give(candidate.clone(), asks.clone());
                }
            }
            Command::HangUp { call } => {
                if let Some(ear) = self.ears.remove(call) {
                    ear.allow(false);
                }
                if let Some(asks) = self.calls.remove(call) {
                    let _ = asks.send(call::Ask::HangUp);
                }
            }
            Command::Speaker(task) => self.ask_speaker(task),
            Command::Send(_)
            | Command::Run(_)
            | Command::Respond { .. }
            | Command::Note(_)
            | Command::Finished => {}
        }
    }

    /// Closes camera and encoders. Calls are hung up by command before. A device that hangs while it is opened or
    /// closed is left to the end of the process.
    pub async fn close(self) {
        self.arrivals.abort();
        let _ = self.studio.send(studio::Ask::Close);
        let _ = self.speaker.send(speaker::Ask::Close);
        let (studio, speaker) = tokio::join!(
            tokio::time::timeout(CLOSE_DEADLINE, self.studio_task),
            tokio::time::timeout(CLOSE_DEADLINE, self.speaker_ends),
        );
        if studio.is_err() {
            log::warn!("the camera did not close within {CLOSE_DEADLINE:?}; it is left behind");
        }
        if speaker.is_err() {
            log::warn!("the speaker did not close within {CLOSE_DEADLINE:?}; it is left behind");
        }
    }

    fn start(&mut self, call: CallId, part: call::Part) {
        self.memory.called();
        let (asks, heard) = mpsc::unbounded_channel();
        self.calls.insert(call, asks);
        let servers::Served { ice, ways } = self.served.borrow().clone();
        let ways = ways.borrow().clone();
        let ear = speaker::Ear::new(call, self.events.clone());
        self.ears.insert(call, ear.clone());
        // One may have been plugged in, or out.
        let _ = self.speaker.send(speaker::Ask::Look);
        let (timeline, crew) = (self.timeline.clone(), self.crew.clone());
        let order = call::Order { call, part, ice, ways, timeline, crew, ear, delay: self.delay };
        let life = call::live(order, heard, self.producers.clone(), self.events.clone());
        let memory = self.memory.clone();
        tokio::spawn(async move {
            life.await;
            memory.gone();
        });
    }

    fn ask_call(&self, call: CallId, ask: call::Ask) {
        if let Some(asks) = self.calls.get(&call) {
            let _ = asks.send(ask);
        }
    }

    fn ask_speaker(&self, task: &Task) {
        let ask = match task {
            Task::OpenEar(call) => match self.ears.get(call) {
                Some(ear) => {
                    ear.allow(true);
                    speaker::Ask::OpenEar(*call, ear.clone())
                }
                None => return,
            },
            Task::CloseEar(call) => {
                // Nothing more is heard from now on, whatever the speaker is busy with.
                if let Some(ear) = self.ears.get(call) {
                    ear.allow(false);
                }
                speaker::Ask::CloseEar(*call)
            }
            Task::Play { number, file, volume } => {
                speaker::Ask::Play { number: *number, file: file.clone(), volume: *volume }
            }
            Task::StopPlaying => speaker::Ask::StopPlaying,
        };
        let _ = self.speaker.send(ask);
    }

    fn ask_studio(&self, ask: studio::Ask) {
        let _ = self.studio.send(ask);
    }
}
