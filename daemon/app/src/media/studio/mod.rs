//! The one task that owns camera, microphone and encodings: it performs what is asked of it, everything that can hang on
//! a thread that may block, looks whether frames really flow, and publishes what can be drawn from. Must not know calls.

mod picture;
mod sounds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use porthole_core::command::Slate;
use porthole_core::config::settings::MediaSettings;
use porthole_core::event::MediaEvent;
use porthole_core::ids::Rendition;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::cameras::Nodes;
use super::capture::Capture;
use super::clip::Clip;
use super::doors::{Door, Held, Porter};
use super::element::MediaError;
use super::encoder::Encoder;
use super::pulse::Rhythm;
use super::rendition::Encoding;
use super::slate::Show;
use super::sound::Sound;
use super::speaker::Echo;
use super::timeline::Timeline;
use super::{Events, Producers};
use crate::memory::Returns;

/// How often everything that runs is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long camera, microphone or encoder may give nothing without a word of error.
const SILENCE: Duration = Duration::from_secs(2);
/// What has given something within this time flows.
const FLOWS: Duration = Duration::from_millis(1500);
/// How often it is said that frames flow, and how many there were.
const SAY_FLOWS: Duration = Duration::from_secs(1);

/// What the studio can be asked for, and what it hears of its own work.
pub enum Ask {
    /// Open the camera, and after [`Self::StopCapture`] the microphone.
    StartCapture,
    /// Close them.
    StopCapture,
    /// Open the microphone again.
    StartSound,
    /// Look whether what the test picture stands in for is there.
    Seek,
    /// Show this instead of the camera's picture.
    ShowSlate(Slate),
    /// Show the camera's picture.
    HideSlate,
    /// Play silence instead of the microphone's sound.
    PlaySilence,
    /// Play the microphone's sound.
    EndSilence,
    /// Encode the picture as this, as long as there is one.
    StartRendition(Rendition),
    /// Stop that.
    StopRendition(Rendition),
    /// Encode it at this many kbit/s from now on.
    SetBitrate(Rendition, u32),
    /// Use another encoder for it.
    ChooseEncoder(Rendition, u32),
    /// A key frame, now.
    ForceKeyFrame(Rendition),
    /// A picture of the camera's, now.
    TakeSnapshot,
    /// What was started with this number has something to say.
    Heard(u64, Word),
    /// Close everything and end.
    Close,
}

/// What is heard of something that was started.
pub enum Word {
    /// The camera is open, or cannot be opened.
    Camera(Result<Held<Capture>, MediaError>),
    /// The camera failed.
    CameraLost(String),
    /// The sound is there, is none to be had, or cannot be opened.
    Sound(Result<Option<Held<Sound>>, MediaError>),
    /// It was looked for what the tone stands in for: whether that is there, or the tone has to go without it.
    ToneOver(bool),
    /// The sound failed.
    SoundLost(String),
    /// An encoding was made, or cannot be.
    Encoding(Rendition, Result<Held<Encoding>, MediaError>),
    /// The camera encodes it, and does not take another bitrate.
    RateFixed(Rendition, String),
    /// An encoding failed.
    EncodingLost(Rendition, String),
}

/// The life of one thing that is opened.
enum Life<T> {
    /// There is none.
    Closed,
    /// The one with this number is being opened.
    Opening(u64),
    /// It is open.
    Open(Open<T>),
}

/// Something open.
struct Open<T> {
    number: u64,
    held: Held<T>,
    rhythm: Rhythm,
}

/// A rendition that is to be made.
struct Order {
    life: Life<Encoding>,
    /// Frames have left this encoder.
    runs: bool,
}

/// See the module's first lines.
pub struct Studio {
    settings: Arc<MediaSettings>,
    /// H.264 encoders in the order of preference.
    encoders: Vec<Encoder>,
    timeline: Timeline,
    echo: Echo,
    events: Events,
    memory: Returns,
    porter: Porter,
    asks: mpsc::UnboundedSender<Ask>,
    published: watch::Sender<Producers>,
    /// What is known of cameras' nodes that hang.
    nodes: Nodes,
    camera: Life<Capture>,
    camera_door: Door,
    slate: Option<(Show, Rhythm)>,
    sound: Life<Sound>,
    sound_door: Door,
    /// The sound is to be open.
    sound_wanted: bool,
    /// The microphone that was open once: `auto` means it from then on.
    microphone: Option<String>,
    /// Whether the microphone gives more than silence.
    mutes: sounds::Mutes,
    silence: Option<Sound>,
    orders: BTreeMap<Rendition, Order>,
    attempts: BTreeMap<Rendition, u32>,
    /// kbit/s, where they are not those of the configuration.
    bitrates: BTreeMap<Rendition, u32>,
    /// Those whose bitrate is the camera's, which cannot be changed.
    fixed: BTreeSet<Rendition>,
    encoder_doors: BTreeMap<(Rendition, &'static str), Door>,
    /// Number of the last thing that was started: what an older one says late is ignored.
    started: u64,
    told_flow: Instant,
    counted: Instant,
}

/// Starts the studio's task.
pub fn open(
    settings: MediaSettings,
    encoders: Vec<Encoder>,
    timeline: Timeline,
    echo: Echo,
    events: Events,
    memory: Returns,
) -> (mpsc::UnboundedSender<Ask>, watch::Receiver<Producers>, JoinHandle<()>) {
    let (asks, heard) = mpsc::unbounded_channel();
    let (published, producers) = watch::channel(Producers::default());
    let says = events.clone();
    let nodes = Nodes::new(move || says.send(MediaEvent::DeviceCame));
    let studio = Studio {
        settings: Arc::new(settings),
        encoders,
        timeline,
        echo,
        events,
        memory,
        porter: Porter::default(),
        asks: asks.clone(),
        published,
        nodes,
        camera: Life::Closed,
        camera_door: Door::default(),
        slate: None,
        sound: Life::Closed,
        sound_door: Door::default(),
        sound_wanted: false,
        microphone: None,
        mutes: sounds::Mutes::default(),
        silence: None,
        orders: BTreeMap::new(),
        attempts: BTreeMap::new(),
        bitrates: BTreeMap::new(),
        fixed: BTreeSet::new(),
        encoder_doors: BTreeMap::new(),
        started: 0,
        told_flow: Instant::now(),
        counted: Instant::now(),
    };
    let task = tokio::spawn(studio.run(heard));
    (asks, producers, task)
}

impl Studio {
    async fn run(mut self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            self.memory.busy(self.is_busy());
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(Ask::Close) | None => break,
                    Some(ask) => self.perform(ask),
                },
                // Nobody watches: nobody looks.
                now = looks.tick(), if self.is_busy() => {
                    self.look(now - looked, now);
                    looked = now;
                }
            }
        }
        self.stop_camera();
        self.stop_sound();
        for rendition in Rendition::ALL {
            self.stop_rendition(rendition);
        }
        self.hide_slate();
        self.end_silence();
        self.porter.wait().await;
    }

    fn perform(&mut self, ask: Ask) {
        match ask {
            Ask::StartCapture => {
                self.start_camera();
                if !std::mem::replace(&mut self.sound_wanted, true) {
                    self.start_sound();
                }
            }
            Ask::StopCapture => {
                self.sound_wanted = false;
                self.stop_camera();
                self.stop_sound();
            }
            Ask::StartSound => self.start_sound(),
            Ask::Seek => self.seek(),
            Ask::ShowSlate(slate) => self.show_slate(slate),
            Ask::HideSlate => self.hide_slate(),
            Ask::PlaySilence => self.play_silence(),
            Ask::EndSilence => self.end_silence(),
            Ask::StartRendition(rendition) => self.start_rendition(rendition),
            Ask::StopRendition(rendition) => self.stop_rendition(rendition),
            Ask::SetBitrate(rendition, kbit) => self.set_bitrate(rendition, kbit),
            Ask::ChooseEncoder(rendition, attempt) => self.choose_encoder(rendition, attempt),
            Ask::ForceKeyFrame(rendition) => {
                if let Some(Order { life: Life::Open(open), .. }) = self.orders.get(&rendition) {
                    open.held.it.force_key_frame();
                }
            }
            Ask::TakeSnapshot => self.take_snapshot(),
            Ask::Heard(number, word) => self.heard(number, word),
            Ask::Close => {}
        }
    }

    fn heard(&mut self, number: u64, word: Word) {
        match word {
            Word::Camera(result) => self.camera_opened(number, result),
            Word::CameraLost(reason) => {
                if self.camera.number() == Some(number) {
                    let advice = if self.clip().is_some() { "" } else { "; check its cable and power" };
                    self.lose_camera(format!("{reason}{advice}"));
                }
            }
            Word::Sound(result) => self.sound_opened(number, result),
            Word::ToneOver(over) => self.tone_over(number, over),
            Word::SoundLost(reason) => {
                if self.sound.number() == Some(number) {
                    self.lose_sound(format!("{reason}; check that the microphone is plugged in"));
                }
            }
            Word::Encoding(rendition, result) => self.encoding_started(number, rendition, result),
            Word::RateFixed(rendition, reason) => {
                if self.orders.get(&rendition).and_then(|order| order.life.number()) == Some(number) {
                    log::debug!("the camera takes no other bitrate: {reason}");
                    self.rate_is_fixed(rendition, true);
                }
            }
            Word::EncodingLost(rendition, reason) => {
                if self.orders.get(&rendition).and_then(|order| order.life.number()) == Some(number) {
                    self.lose_encoding(rendition, reason);
                }
            }
        }
    }

    fn is_busy(&self) -> bool {
        let still = matches!((&self.camera, &self.sound), (Life::Closed, Life::Closed));
        !still || self.slate.is_some() || !self.orders.is_empty()
    }

    /// Looks at everything that runs.
    fn look(&mut self, elapsed: Duration, now: Instant) {
        self.look_at_picture(elapsed);
        self.look_at_sound(elapsed);
        self.look_at_encodings(elapsed);
        let flows = !self.orders.is_empty()
            && self.orders.values().all(
                |order| matches!(&order.life, Life::Open(open) if order.runs && open.rhythm.quiet() < FLOWS),
            );
        if flows && now >= self.told_flow + SAY_FLOWS {
            self.told_flow = now;
            self.events.send(MediaEvent::FramesFlow);
        }
        if now >= self.counted + SAY_FLOWS {
            let over = now - std::mem::replace(&mut self.counted, now);
            for (rendition, order) in &mut self.orders {
                if let Life::Open(open) = &mut order.life {
                    let (rendition, frames) = (*rendition, open.rhythm.fresh());
                    self.events.send(MediaEvent::FramesMade { rendition, frames, over });
                }
            }
        }
    }

    /// The clip that is the camera, where one is.
    fn clip(&self) -> Option<Arc<Clip>> {
        if let Life::Open(open) = &self.camera { open.held.it.clip.clone() } else { None }
    }

    fn next(&mut self) -> u64 {
        self.started += 1;
        self.started
    }

    /// Where whoever has this number says how it goes.
    fn ear(&self, number: u64) -> impl Fn(Word) + Send + Sync + Clone + 'static {
        let asks = self.asks.clone();
        move |word| {
            let _ = asks.send(Ask::Heard(number, word));
        }
    }
}

impl<T> Life<T> {
    /// Number of what is open or being opened.
    fn number(&self) -> Option<u64> {
        match self {
            Self::Closed => None,
            Self::Opening(number) => Some(*number),
            Self::Open(open) => Some(open.number),
        }
    }

    /// Takes it out. What is being opened is closed when it comes.
    fn take(&mut self) -> Option<Held<T>> {
        match std::mem::replace(self, Self::Closed) {
            Self::Open(open) => Some(open.held),
            Self::Closed | Self::Opening(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "../studio_tests.rs"]
mod tests;
