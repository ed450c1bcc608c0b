//! The sound as Opus, while it flows: from a microphone, a clip, a tone, or silence that stands in for them. Must not know
//! the picture.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use porthole_core::config::settings::{AudioSettings, AudioSource};
use porthole_core::sdp::choose::Codec;

use super::clip::Clip;
use super::doors::Closes;
use super::element::{MediaError, chain, link, make};
use super::fan::{Fan, payload};
use super::pulse::Pulse;
use super::source;
use super::speaker::Echo;
use super::timeline::{Said, Stops, Timeline, play};

/// Sound that flows.
pub struct Sound {
    pipeline: Stops,
    /// The sound as Opus.
    pub packets: Fan,
    /// The packets.
    pub pulse: Pulse,
    /// Beats with everything that is more than silence; `None` where silence is what is wanted.
    pub noise: Option<Pulse>,
    /// The microphone that it comes from, where it does.
    pub device: Option<String>,
    /// It is a tone that nobody asked for, because there is no microphone.
    pub stands_in: bool,
}

/// Where it is to come from.
pub enum From {
    /// A source that is set up, a clip's only where there is one.
    Source(AudioSource, Option<Arc<Clip>>),
    /// Nowhere.
    Silence,
}

impl Sound {
    /// Opens it. Blocks. `Ok(None)`: there is none to be had. `lost` is called, once, when it fails later.
    pub fn start(
        settings: &AudioSettings,
        from: &From,
        echo: &Echo,
        timeline: &Timeline,
        lost: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Option<Self>, MediaError> {
        match from {
            From::Source(AudioSource::None, _) => return Ok(None),
            From::Source(AudioSource::File, clip) if !clip.as_ref().is_some_and(|clip| clip.has_sound()) => {
                log::info!("the clip has no sound");
                return Ok(None);
            }
            From::Source(..) | From::Silence => {}
        }
        let over = AtomicBool::new(false);
        let pipeline = timeline.pipeline("sound", move |said| {
            if let Said::Error(words) = said
                && !over.swap(true, Ordering::AcqRel)
            {
                lost(words);
            }
        });
        let built = (|| {
            let last = match from {
                From::Silence => source::silence(&pipeline)?,
                From::Source(AudioSource::Alsa(device), _) => source::microphone(&pipeline, device)?,
                From::Source(AudioSource::File, clip) => {
                    let entry = source::entry(&pipeline)?;
                    if let Some(clip) = clip {
                        clip.feed_sound(&entry);
                    }
                    entry.upcast()
                }
                From::Source(..) => source::test_sound(&pipeline)?,
            };
            let noise = matches!(from, From::Source(..)).then(|| noise(&last));
            // What comes from no microphone hears no speaker, but for the tone, which stands for one.
            let hears = matches!(from, From::Source(AudioSource::Alsa(_) | AudioSource::Test, _));
            let fits = source::fit_sound(&pipeline, &last, 0)?;
            let clean = if hears { echo.guard(&pipeline, fits)? } else { fits };
            let packets = encode(&pipeline, clean, settings)?;
            play(&pipeline)?;
            Ok::<_, MediaError>((noise, packets))
        })();
        let pipeline = Stops(pipeline);
        let (noise, (packets, pulse)) = built?;
        let device = match from {
            From::Source(AudioSource::Alsa(device), _) => Some(device.clone()),
            From::Source(..) | From::Silence => None,
        };
        let stands_in =
            settings.source == AudioSource::Auto && matches!(from, From::Source(AudioSource::Test, _));
        Ok(Some(Self { pipeline, packets, pulse, noise, device, stands_in }))
    }
}

impl Closes for Sound {
    fn close(self) {
        drop(self.pipeline);
    }
}

/// Encodes what `last` gives.
fn encode(
    pipeline: &gst::Pipeline,
    last: gst::Element,
    settings: &AudioSettings,
) -> Result<(Fan, Pulse), MediaError> {
    let last = source::louder(pipeline, last, settings.gain)?;
    let encoder = make("opusenc")?;
    encoder.set_property("bitrate", i32::try_from(settings.bitrate.saturating_mul(1000)).unwrap_or(32_000));
    encoder.set_property_from_str("frame-size", &settings.packet.to_string());
    encoder.set_property_from_str("audio-type", "voice");
    encoder.set_property("inband-fec", true);
    encoder.set_property("packet-loss-percentage", 5_i32);
    chain(pipeline, &[&encoder])?;
    link(&last, &encoder)?;
    // Every packet can be heard without those before it.
    payload(pipeline, &encoder, Codec::Opus, || {})
}

/// Beats with every buffer that holds more than zeros, which is silence in every signed format.
fn noise(last: &gst::Element) -> Pulse {
    let noise = Pulse::default();
    if let Some(pad) = last.static_pad("src") {
        let heard = noise.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let silent = info
                .buffer()
                .and_then(|buffer| buffer.map_readable().ok())
                .is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
            if !silent {
                heard.beat();
            }
            gst::PadProbeReturn::Ok
        });
    }
    noise
}
