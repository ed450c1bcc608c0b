//! Keeps what the speaker plays out of what the microphone hears: takes it out again where this machine can, else the
//! microphone is all but off while somebody talks. Stands between the two pipelines and outlives both. Must not know what
//! is played, nor who talks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use porthole_core::config::settings::{self, SpeakerSettings, SpeakerSink};

use super::super::element::{MediaError, caps_filter, chain, exists, link, make};

/// How the two ends find each other.
const NAME: &str = "porthole-echo";
/// How long before it is heard the canceller is given what is played. Shorter than the sound card's buffer, or it is not
/// there yet; long enough for a card that is quicker than it says.
const LEAD: gst::ClockTime = gst::ClockTime::from_mseconds(40);
/// How loud the microphone is while somebody talks: 26 dB less.
const HALF: f64 = 0.05;

/// What is done about it. Cheap to clone.
#[derive(Clone)]
pub struct Echo(Arc<Way>);

enum Way {
    /// Nothing.
    Nothing,
    /// What goes through the probe is taken out.
    Cancel { probe: gst::Element },
    /// The microphones are all but off while somebody talks.
    Half { talked: AtomicBool, microphones: Mutex<Vec<gst::glib::WeakRef<gst::Element>>> },
}

/// Has the probe hand out what is played by at most [`LEAD`] before it is heard. By itself it takes for that what has
/// passed until sound reaches it, which is the mixer's whole patience: so early it does not have it, and newer versions
/// (webrtc-audio-processing 1) are then given silence to compare with.
fn lead(probe: &gst::Element) {
    let Some(pad) = probe.static_pad("src") else { return };
    // It asks its own pad while it handles the event that says how late the sound is; others ask on other threads.
    let told = Mutex::new(None);
    let kinds = gst::PadProbeType::EVENT_UPSTREAM | gst::PadProbeType::QUERY_UPSTREAM;
    pad.add_probe(kinds, move |_, info| {
        let this = std::thread::current().id();
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if info.event().is_some_and(|event| event.type_() == gst::EventType::Latency) {
            *told = Some(this);
        } else if *told == Some(this)
            // Once it is answered.
            && info.mask.contains(gst::PadProbeType::PULL)
            && let Some(query) = info.query_mut()
            && let gst::QueryViewMut::Latency(latency) = query.view_mut()
        {
            *told = None;
            let (live, least, most) = latency.result();
            latency.set(live, least.min(LEAD), most);
        }
        gst::PadProbeReturn::Ok
    });
}

impl Echo {
    /// What the settings come to here.
    ///
    /// # Errors
    /// What is wanted cannot be had; the message says what to install.
    pub fn new(settings: &SpeakerSettings) -> Result<Self, MediaError> {
        let half = || Way::Half { talked: AtomicBool::new(false), microphones: Mutex::new(Vec::new()) };
        let way = match settings.echo {
            _ if settings.sink == SpeakerSink::None => Way::Nothing,
            settings::Echo::Off => Way::Nothing,
            settings::Echo::Half => half(),
            settings::Echo::Auto if !exists("webrtcdsp") => {
                log::info!(
                    "there is nothing to cancel echo with here, so the microphone is all but off while somebody talks \
                     (webrtcdsp, in gstreamer1.0-plugins-bad)"
                );
                half()
            }
            settings::Echo::Auto | settings::Echo::Cancel => {
                let probe = make("webrtcechoprobe")?;
                probe.set_property("name", NAME);
                lead(&probe);
                Way::Cancel { probe }
            }
        };
        Ok(Self(Arc::new(way)))
    }

    /// Puts what is needed behind the microphone's `last` element, which gives one channel of 48 kHz. Its new last one.
    pub fn guard(&self, bin: &gst::Pipeline, last: gst::Element) -> Result<gst::Element, MediaError> {
        let elements = match &*self.0 {
            Way::Nothing => return Ok(last),
            Way::Cancel { .. } => {
                let whole = gst::Caps::builder("audio/x-raw").field("format", "S16LE").build();
                let dsp = make("webrtcdsp")?;
                dsp.set_property("probe", NAME);
                // How late sound cards are, they do not always tell; newer versions find that out without being asked.
                if dsp.has_property("delay-agnostic") {
                    dsp.set_property("delay-agnostic", true);
                }
                if dsp.has_property("echo-suppression-level") {
                    dsp.set_property_from_str("echo-suppression-level", "high");
                }
                // Only the echo: a baby's breath is noise to it.
                for unwanted in ["noise-suppression", "gain-control", "high-pass-filter", "limiter"] {
                    if dsp.has_property(unwanted) {
                        dsp.set_property(unwanted, false);
                    }
                }
                vec![make("audioconvert")?, caps_filter(&whole)?, dsp]
            }
            Way::Half { talked, microphones } => {
                let volume = make("volume")?;
                let mut microphones = microphones.lock().unwrap_or_else(PoisonError::into_inner);
                if talked.load(Ordering::Relaxed) {
                    volume.set_property("volume", HALF);
                }
                microphones.retain(|known| known.upgrade().is_some());
                microphones.push(volume.downgrade());
                vec![volume]
            }
        };
        chain(bin, &elements.iter().collect::<Vec<_>>())?;
        if let Some(first) = elements.first() {
            link(&last, first)?;
        }
        Ok(elements.last().cloned().unwrap_or(last))
    }

    /// What everything that is played has to go through.
    pub fn probe(&self) -> Option<gst::Element> {
        if let Way::Cancel { probe } = &*self.0 { Some(probe.clone()) } else { None }
    }

    /// Takes the probe out of a pipeline that is stopped.
    pub fn let_go(&self, pipeline: &gst::Pipeline) {
        if let Some(probe) = self.probe() {
            let _ = pipeline.remove(&probe);
            let _ = probe.set_state(gst::State::Null);
        }
    }

    /// Somebody talks from now on, or no longer.
    pub fn talked(&self, on: bool) {
        let Way::Half { talked, microphones } = &*self.0 else { return };
        let microphones = microphones.lock().unwrap_or_else(PoisonError::into_inner);
        talked.store(on, Ordering::Relaxed);
        for microphone in microphones.iter().filter_map(gst::glib::WeakRef::upgrade) {
            microphone.set_property("volume", if on { HALF } else { 1.0 });
        }
    }
}
