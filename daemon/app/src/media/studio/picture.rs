//! The studio's picture: the camera, the slate that stands in for it, and the encodings of whichever is shown.

use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use gst_utils::StreamProducer;
use porthole_core::adapt;
use porthole_core::command::Slate;
use porthole_core::config::settings::VideoSettings;
use porthole_core::event::MediaEvent;
use porthole_core::ids::Rendition;

use super::{FLOWS, Life, Open, Order, SILENCE, Studio, Word};
use crate::media::capture::Capture;
use crate::media::doors::{Held, Patience};
use crate::media::element::MediaError;
use crate::media::encoder::VP8;
use crate::media::own::OwnEncoder;
use crate::media::pulse::Rhythm;
use crate::media::rendition::{self, Encoding};
use crate::media::slate::Show;
use crate::media::{Events, snapshot, source};

/// How long opening a camera may take; it gives up earlier by itself, unless it hangs.
const CAMERA: Patience = Patience { door: Duration::from_secs(3), open: Duration::from_secs(20) };
/// The same for an encoder.
const ENCODER: Patience = Patience { door: Duration::from_secs(1), open: Duration::from_secs(3) };
/// How long an encoder may take to its first frame.
const FIRST_FRAME: Duration = Duration::from_secs(3);
/// The same where the camera encodes: nothing can be made of its frames before a key frame, which comes when it likes.
const FIRST_KEY_FRAME: Duration = Duration::from_secs(12);

impl Studio {
    pub(super) fn start_camera(&mut self) {
        if self.camera.number().is_some() {
            return;
        }
        let number = self.next();
        self.camera = Life::Opening(number);
        let (settings, timeline) = (self.settings.video.clone(), self.timeline.clone());
        let (ear, door, nodes) = (self.ear(number), self.camera_door.clone(), self.nodes.clone());
        let lost = {
            let ear = ear.clone();
            move |reason| ear(Word::CameraLost(reason))
        };
        tokio::spawn(async move {
            let open = move || Capture::start(&settings, &timeline, &nodes, lost);
            ear(Word::Camera(door.open("the camera", CAMERA, open).await));
        });
    }

    pub(super) fn camera_opened(&mut self, number: u64, result: Result<Held<Capture>, MediaError>) {
        if self.camera.number() != Some(number) {
            if let Ok(late) = result {
                self.porter.close("the camera", late);
            }
            return;
        }
        match result {
            Ok(held) => {
                if let Some(source) = held.it.follow.clone() {
                    Arc::make_mut(&mut self.settings).video.source = source;
                }
                let rhythm = Rhythm::of(held.it.pulse.clone());
                let shows = held.it.shows;
                self.camera = Life::Open(Open { number, held, rhythm });
                self.events.send(MediaEvent::CaptureRunning { shows });
                if self.slate.is_none() {
                    self.picture_changed();
                }
                if self.sound_is_the_clip_s() && self.sound_wanted {
                    self.start_sound();
                }
            }
            Err(error) => {
                self.camera = Life::Closed;
                self.events.send(MediaEvent::CaptureFailed { reason: error.to_string() });
            }
        }
    }

    /// Looks for a camera, on a thread that may block.
    pub(super) fn seek(&self) {
        let (settings, nodes) = (self.settings.clone(), self.nodes.clone());
        say_found(self.events.clone(), move || source::is_there(&settings.video, &nodes));
    }

    /// It is let go in the background: a device that hangs in its close must not keep anybody waiting.
    pub(super) fn stop_camera(&mut self) {
        if self.sound_is_the_clip_s() {
            self.stop_sound();
        }
        let Some(held) = self.camera.take() else { return };
        self.porter.close("the camera", held);
        if self.slate.is_none() {
            self.picture_changed();
        }
        self.memory.gone();
    }

    pub(super) fn lose_camera(&mut self, reason: String) {
        self.stop_camera();
        self.camera = Life::Closed;
        self.events.send(MediaEvent::CaptureFailed { reason });
    }

    /// A picture of the camera's own, whatever stands in for it. What comes of it is always said.
    pub(super) fn take_snapshot(&self) {
        let (events, timeline) = (self.events.clone(), self.timeline.clone());
        let Life::Open(open) = &self.camera else {
            events.send(MediaEvent::Snapshot(Err("the camera is closed".to_owned())));
            return;
        };
        let (picture, memory) = (open.held.it.picture.clone(), self.memory.clone());
        tokio::spawn(async move {
            events.send(MediaEvent::Snapshot(snapshot::take(picture, timeline).await));
            memory.gone();
        });
    }

    pub(super) fn show_slate(&mut self, slate: Slate) {
        match Show::start(slate, &self.settings.video, &self.timeline) {
            Ok(show) => {
                let rhythm = Rhythm::of(show.pulse.clone());
                self.swap_slate(Some((show, rhythm)));
            }
            Err(error) => log::warn!("no slate can be shown: {error}"),
        }
    }

    pub(super) fn hide_slate(&mut self) {
        if self.slate.is_some() {
            self.swap_slate(None);
        }
    }

    fn swap_slate(&mut self, slate: Option<(Show, Rhythm)>) {
        if let Some((old, _)) = std::mem::replace(&mut self.slate, slate) {
            self.porter.close("the slate", old);
        }
        self.picture_changed();
    }

    /// What is encoded, and how it flows.
    fn picture(&self) -> Option<(&StreamProducer, &Rhythm)> {
        match (&self.slate, &self.camera) {
            (Some((show, rhythm)), _) => Some((&show.picture, rhythm)),
            (None, Life::Open(open)) => Some((&open.held.it.picture, &open.rhythm)),
            (None, _) => None,
        }
    }

    /// There is another picture, or none: every encoding is made anew from it.
    fn picture_changed(&mut self) {
        let orders: Vec<_> = self.orders.keys().copied().collect();
        for rendition in orders {
            self.restart(rendition);
        }
    }

    pub(super) fn start_rendition(&mut self, rendition: Rendition) {
        if let Entry::Vacant(place) = self.orders.entry(rendition) {
            place.insert(Order { life: Life::Closed, runs: false });
            self.restart(rendition);
        }
    }

    pub(super) fn stop_rendition(&mut self, rendition: Rendition) {
        self.let_go(rendition);
        self.orders.remove(&rendition);
    }

    pub(super) fn choose_encoder(&mut self, rendition: Rendition, attempt: u32) {
        self.attempts.insert(rendition, attempt);
        if self.orders.contains_key(&rendition) {
            self.restart(rendition);
        }
    }

    pub(super) fn set_bitrate(&mut self, rendition: Rendition, kbit: u32) {
        self.bitrates.insert(rendition, kbit);
        self.tell_bitrate(rendition, kbit);
    }

    /// Tells whatever encodes it now.
    fn tell_bitrate(&self, rendition: Rendition, kbit: u32) {
        let Some(Order { life: Life::Open(open), .. }) = self.orders.get(&rendition) else { return };
        if open.held.it.set_bitrate(kbit) {
            return;
        }
        if let Some(own) = self.own_encoder() {
            let ear = self.ear(open.number);
            own.set_bitrate(kbit, move |error| ear(Word::RateFixed(rendition, error.to_string())));
        }
    }

    /// The encoder inside the camera.
    fn own_encoder(&self) -> Option<&OwnEncoder> {
        if let Life::Open(open) = &self.camera { open.held.it.own.as_ref() } else { None }
    }

    /// Its bitrate can be changed, or not; said where that is news.
    pub(super) fn rate_is_fixed(&mut self, rendition: Rendition, fixed: bool) {
        let news = if fixed { self.fixed.insert(rendition) } else { self.fixed.remove(&rendition) };
        if news {
            self.events.send(MediaEvent::RateFixed { rendition, fixed });
        }
    }

    /// The picture as it is to be in this rendition.
    fn encoded(&self, rendition: Rendition) -> VideoSettings {
        let full = &self.settings.video;
        let picture = if rendition.is_small() { adapt::small(full) } else { full.clone() };
        let bitrate = self.bitrates.get(&rendition).copied().unwrap_or(picture.bitrate);
        VideoSettings { bitrate, ..picture }
    }

    fn restart(&mut self, rendition: Rendition) {
        self.let_go(rendition);
        let Some(picture) = self.picture().map(|(picture, _)| picture.clone()) else { return };
        let number = self.next();
        if let Some(order) = self.orders.get_mut(&rendition) {
            *order = Order { life: Life::Opening(number), runs: false };
        }
        let attempt = self.attempts.get(&rendition).copied().unwrap_or_default();
        let encoder = match rendition {
            Rendition::H264 | Rendition::SmallH264 => {
                let place = usize::try_from(attempt).unwrap_or_default() % self.encoders.len().max(1);
                self.encoders.get(place).copied().unwrap_or(VP8)
            }
            Rendition::Vp8 | Rendition::SmallVp8 => VP8,
        };
        log::debug!("{rendition} by {}", encoder.element);
        let (video, timeline) = (self.encoded(rendition), self.timeline.clone());
        let (events, ear) = (self.events.clone(), self.ear(number));
        let hear = {
            let ear = ear.clone();
            move |word| match word {
                rendition::Word::KeyFrameWanted => events.send(MediaEvent::KeyFrameWanted { rendition }),
                rendition::Word::Failed(reason) => ear(Word::EncodingLost(rendition, reason)),
            }
        };
        let door = self.encoder_doors.entry((rendition, encoder.element)).or_default().clone();
        tokio::spawn(async move {
            let start = move || Encoding::start(rendition, &encoder, &picture, &video, &timeline, hear);
            let result = door.open("the encoder", ENCODER, start).await;
            ear(Word::Encoding(rendition, result));
        });
    }

    pub(super) fn encoding_started(
        &mut self,
        number: u64,
        rendition: Rendition,
        result: Result<Held<Encoding>, MediaError>,
    ) {
        let order = self.orders.get_mut(&rendition).filter(|order| order.life.number() == Some(number));
        match (order, result) {
            (Some(order), Ok(held)) => {
                let frames = held.it.frames.clone();
                let rhythm = Rhythm::of(held.it.pulse.clone());
                let made_here = held.it.is_made_here();
                order.life = Life::Open(Open { number, held, rhythm });
                self.published.send_modify(|producers| {
                    producers.pictures.insert(rendition, frames);
                });
                let fixed = !made_here && !self.own_encoder().is_some_and(OwnEncoder::takes_bitrates);
                self.rate_is_fixed(rendition, fixed);
                // It may have changed while it was being opened, and a camera was opened with that of the configuration.
                if let Some(kbit) = self.bitrates.get(&rendition).copied().filter(|_| !fixed) {
                    self.tell_bitrate(rendition, kbit);
                }
            }
            (Some(_), Err(error)) => self.lose_encoding(rendition, error.to_string()),
            (None, Ok(late)) => {
                self.porter.close("the encoder", late);
            }
            (None, Err(_)) => {}
        }
    }

    pub(super) fn lose_encoding(&mut self, rendition: Rendition, reason: String) {
        self.let_go(rendition);
        self.events.send(MediaEvent::RenditionFailed { rendition, reason });
    }

    /// Closes the encoding, in the background; that it is to be made stays.
    fn let_go(&mut self, rendition: Rendition) {
        let Some(order) = self.orders.get_mut(&rendition) else { return };
        if let Some(held) = order.life.take() {
            self.published.send_modify(|producers| {
                producers.pictures.remove(&rendition);
            });
            self.porter.close("the encoder", held);
        }
    }

    pub(super) fn look_at_picture(&mut self, elapsed: Duration) {
        if let Some((show, rhythm)) = &mut self.slate {
            show.tick();
            rhythm.look(elapsed);
        }
        if let Life::Open(open) = &mut self.camera {
            open.rhythm.look(elapsed);
            if open.rhythm.quiet() >= SILENCE {
                self.lose_camera(format!(
                    "no frame for {SILENCE:?}; if it stays so, unplug the camera and plug it in again"
                ));
            }
        }
    }

    /// An encoder that takes frames and gives none has failed, even where it says nothing.
    pub(super) fn look_at_encodings(&mut self, elapsed: Duration) {
        let fed = self.picture().is_some_and(|(_, rhythm)| rhythm.has_beaten() && rhythm.quiet() < FLOWS);
        let encoded = self.slate.is_none() && self.own_encoder().is_some();
        let first = if encoded { FIRST_KEY_FRAME } else { FIRST_FRAME };
        let mut silent = Vec::new();
        for (rendition, order) in &mut self.orders {
            let Life::Open(open) = &mut order.life else { continue };
            open.rhythm.look(elapsed);
            if !order.runs && open.rhythm.has_beaten() {
                order.runs = true;
                self.events.send(MediaEvent::RenditionRunning { rendition: *rendition });
            }
            let limit = if order.runs { SILENCE } else { first };
            if fed && open.rhythm.quiet() >= limit {
                silent.push((*rendition, limit));
            }
        }
        for (rendition, limit) in silent {
            self.lose_encoding(rendition, format!("it takes pictures and has given none for {limit:?}"));
        }
    }
}

/// Says what came of looking, also where it ends in a panic: nothing else is looked for before.
pub(super) fn say_found(events: Events, looks: impl FnOnce() -> bool + Send + 'static) {
    tokio::spawn(async move {
        let found = tokio::task::spawn_blocking(looks).await.unwrap_or(false);
        events.send(MediaEvent::Sought { found });
    });
}
