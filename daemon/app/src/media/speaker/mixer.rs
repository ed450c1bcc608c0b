//! The speaker's pipeline while it is open: silence, and whatever is mixed into it, made louder or quieter, shown to
//! whatever keeps it out of the microphone, and played. Must not know who talks.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use gst::prelude::*;
use porthole_core::config::settings::SpeakerSettings;

use super::super::element::{MediaError, caps_filter, chain, failed, link, make};
use super::super::source;
use super::super::timeline::{Said, Stops, Timeline, play};
use super::echo::Echo;
use super::loudness::Loudness;

/// How long the mixer waits for a packet that is late, in milliseconds: what every network does to them now and then.
const PATIENCE_MS: u64 = 60;
/// Samples a second.
const RATE: i32 = 48_000;
/// How much the sound card may have in hand, in microseconds.
const BUFFER_US: i64 = 60_000;
const PERIOD_US: i64 = 10_000;

/// What is played on, as found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// An ALSA device.
    Alsa(String),
    /// Nothing: it is only measured.
    Test,
}

/// An open speaker, with a way in for each `Who`.
pub struct Mixer<Who> {
    pipeline: Stops,
    mixer: gst::Element,
    branches: HashMap<Who, Branch>,
    /// How loud it is.
    pub loudness: Loudness,
}

/// One way in.
struct Branch {
    elements: Vec<gst::Element>,
    pad: gst::Pad,
}

impl<Who: Eq + Hash> Mixer<Who> {
    /// Opens the speaker. Blocks. `lost` is called when it fails later.
    pub fn open(
        settings: &SpeakerSettings,
        output: &Output,
        echo: &Echo,
        timeline: &Timeline,
        lost: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let pipeline = timeline.pipeline("speaker", move |said| {
            if let Said::Error(words) = said {
                lost(words);
            }
        });
        let built = (|| {
            let silence = source::silence(&pipeline)?;
            silence.set_property("samplesperbuffer", RATE / 100);
            let plain = caps_filter(&sound())?;
            let mixer = make("audiomixer")?;
            mixer.set_property("latency", gst::ClockTime::from_mseconds(PATIENCE_MS).nseconds());
            // It begins when the speaker does, and not with the timeline.
            mixer.set_property_from_str("start-time-selection", "first");
            let mixed = caps_filter(&sound())?;
            let volume = make("volume")?;
            volume.set_property("volume", f64::from(settings.volume) / 100.0);
            chain(&pipeline, &[&plain, &mixer, &mixed, &volume])?;
            link(&silence, &plain)?;
            let (loudness, mut look) = Loudness::new();
            let (sink, measured) = sink(output, move |samples| look(samples))?;
            let mut last = volume;
            for element in echo.probe().into_iter().chain(measured) {
                chain(&pipeline, &[&element])?;
                link(&last, &element)?;
                last = element;
            }
            chain(&pipeline, &[&sink])?;
            link(&last, &sink)?;
            play(&pipeline)?;
            Ok((mixer, loudness))
        })();
        let pipeline = Stops(pipeline);
        let (mixer, loudness) = built.inspect_err(|_| echo.let_go(&pipeline.0))?;
        Ok(Self { pipeline, mixer, branches: HashMap::new(), loudness })
    }

    /// A way in for packets of Opus.
    pub fn hear(&mut self, who: Who) -> Result<gst_app::AppSrc, MediaError> {
        let decoder = make("opusdec")?;
        decoder.set_property("use-inband-fec", true);
        // A packet that cannot be decoded is a moment of silence, and no reason to end for everybody.
        if decoder.has_property("max-errors") {
            decoder.set_property("max-errors", -1_i32);
        }
        self.branch(who, vec![make("rtpopusdepay")?, decoder])
    }

    /// A way in for sound of any kind.
    pub fn play(&mut self, who: Who) -> Result<gst_app::AppSrc, MediaError> {
        self.branch(who, Vec::new())
    }

    /// Takes a way in out again.
    pub fn remove(&mut self, who: &Who) {
        if let Some(Branch { elements, pad }) = self.branches.remove(who) {
            // What flows is sent back, so that the first element can stop, and then nothing flows. Were it taken apart before,
            // what found nobody would be an error of the whole speaker.
            let _ = pad.send_event(gst::event::FlushStart::new());
            for element in &elements {
                let _ = element.set_state(gst::State::Null);
            }
            if let Some(peer) = pad.peer() {
                let _ = peer.unlink(&pad);
            }
            for element in &elements {
                let _ = self.pipeline.0.remove(element);
            }
            self.mixer.release_request_pad(&pad);
        }
    }

    /// Closes it. Blocks. What keeps it out of the microphone lives on.
    pub fn close(self, echo: &Echo) {
        let Self { pipeline, .. } = self;
        super::super::timeline::stop(&pipeline.0);
        echo.let_go(&pipeline.0);
    }

    fn branch(&mut self, who: Who, decoding: Vec<gst::Element>) -> Result<gst_app::AppSrc, MediaError> {
        self.remove(&who);
        let pipeline = &self.pipeline.0;
        let entry = source::entry(pipeline)?;
        let mut elements = vec![entry.clone().upcast::<gst::Element>()];
        elements.extend(decoding);
        for factory in ["audioconvert", "audioresample"] {
            elements.push(make(factory)?);
        }
        elements.push(caps_filter(&sound())?);
        let pad = self.mixer.request_pad_simple("sink_%u").ok_or_else(|| failed(&"the mixer gave no pad"))?;
        let linked = (|| {
            chain(pipeline, &elements.iter().skip(1).collect::<Vec<_>>())?;
            if let Some(next) = elements.get(1) {
                link(&elements[0], next)?;
            }
            let last = elements.last().and_then(|last| last.static_pad("src"));
            let last = last.ok_or_else(|| failed(&"there is nothing to mix"))?;
            last.link(&pad).map_err(|e| failed(&e))?;
            elements
                .iter()
                .rev()
                .try_for_each(|element| element.sync_state_with_parent().map_err(|e| failed(&e)))
        })();
        self.branches.insert(who, Branch { elements, pad });
        linked.map(|()| entry)
    }
}

/// What is mixed: one channel, which every speaker can play.
fn sound() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", RATE)
        .field("channels", 1)
        .build()
}

/// What plays, and what stands before it; `look` sees every bit of sound when it is played, or about to be.
fn sink(
    output: &Output,
    look: impl FnMut(&[u8]) + Send + 'static,
) -> Result<(gst::Element, Vec<gst::Element>), MediaError> {
    let look = Mutex::new(look);
    let see = move |buffer: &gst::BufferRef| {
        if let (Ok(map), Ok(mut look)) = (buffer.map_readable(), look.lock()) {
            look(&map);
        }
    };
    match output {
        Output::Test => {
            // Hands over what it has when that is due.
            let sink = gst_app::AppSink::builder().sync(true).caps(&sound()).build();
            sink.set_callbacks(
                gst_app::AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        if let Some(buffer) = sample.buffer() {
                            see(buffer);
                        }
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            );
            Ok((sink.upcast(), Vec::new()))
        }
        Output::Alsa(device) => {
            let (convert, resample) = (make("audioconvert")?, make("audioresample")?);
            if let Some(pad) = convert.static_pad("sink") {
                pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                    if let Some(buffer) = info.buffer() {
                        see(buffer);
                    }
                    gst::PadProbeReturn::Ok
                });
            }
            let sink = make("alsasink")?;
            sink.set_property("device", device);
            sink.set_property("provide-clock", false);
            sink.set_property("buffer-time", BUFFER_US);
            sink.set_property("latency-time", PERIOD_US);
            Ok((sink, vec![convert, resample]))
        }
    }
}
