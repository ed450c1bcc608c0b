//! Camera and microphone while they run: one pipeline for the picture as the camera gives it, one for the sound as
//! Opus, each ending in a producer that any number of others can draw from. Must not know renditions or viewers.

use std::time::Duration;

use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use porthole_core::config::settings::{AudioSettings, AudioSource, MediaSettings, VideoSource};

use super::clip::Clip;
use super::debut::Debut;
use super::element::{MediaError, chain, failed, make};
use super::source;
use super::timeline::{Said, Timeline, play, stop};

/// How long a camera may give no frame without a word of error, as one does whose USB hangs.
const SILENCE: Duration = Duration::from_secs(5);

/// A running capture. [`Capture::stop`] closes the devices.
pub struct Capture {
    pipelines: Vec<gst::Pipeline>,
    clip: Option<Clip>,
    /// The picture as the camera gives it.
    pub picture: StreamProducer,
    /// The sound as Opus, where there is any.
    pub sound: Option<StreamProducer>,
    /// How the camera is called from now on, where there is one.
    pub follow: Option<VideoSource>,
}

impl Capture {
    /// Opens the devices and waits for the first frame. Blocks. `lost` is called, once, when the picture fails later.
    pub fn start(
        settings: &MediaSettings,
        timeline: &Timeline,
        lost: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let picture_source = source::picture(&settings.video);
        let sound_source = source::sound(&settings.audio, &picture_source);
        let clip = match &picture_source {
            VideoSource::File(path) => Some(Clip::open(&source::clip_uri(path)?)?),
            _ => None,
        };
        let debut = Debut::new();
        let video = timeline.pipeline(
            "picture",
            debut.listener(move |words| {
                let silent = words.starts_with("watchdog");
                lost(if silent { format!("no frame for {SILENCE:?}") } else { words });
            }),
        );
        let mut follow = None;
        let result = (|| {
            let last = match &picture_source {
                VideoSource::Camera(name) => {
                    let front = source::camera(&video, name, &settings.video)?;
                    follow = Some(front.follow);
                    front.last
                }
                VideoSource::File(_) => {
                    let entry = source::entry(&video)?;
                    if let Some(clip) = &clip {
                        clip.feed_picture(&entry);
                    }
                    entry.upcast()
                }
                VideoSource::Test | VideoSource::Auto(_) => source::test_picture(&video, &settings.video)?,
            };
            // It sleeps until there is a first frame, which may take longer than any later one.
            let watchdog = make("watchdog")?;
            watchdog.set_property("timeout", 0_i32);
            chain(&video, &[&watchdog])?;
            last.link(&watchdog).map_err(|e| failed(&e))?;
            let (picture, sink) = producer(&video, &watchdog)?;
            debut.watch(&sink);
            play(&video)?;
            if let Some(clip) = &clip {
                clip.play()?;
            }
            debut.wait()?;
            let silence = i32::try_from(SILENCE.as_millis()).unwrap_or(i32::MAX);
            watchdog.set_property("timeout", silence);
            Ok(picture)
        })();
        let picture = match result {
            Ok(picture) => picture,
            Err(error) => {
                stop(&video);
                return Err(source::explain(error, &picture_source));
            }
        };
        let mut pipelines = vec![video];
        // Without sound a picture is still worth having; without a picture nothing is.
        let sound = match start_sound(&settings.audio, &sound_source, timeline, clip.as_ref()) {
            Ok(Some((pipeline, sound))) => {
                pipelines.push(pipeline);
                Some(sound)
            }
            Ok(None) => None,
            Err(error) => {
                log::warn!("no sound: {error}; check audio.source and audio.device in the configuration");
                None
            }
        };
        Ok(Self { pipelines, clip, picture, sound, follow })
    }

    /// Closes the devices. Blocks.
    pub fn stop(self) {
        if let Some(clip) = &self.clip {
            clip.stop();
        }
        for pipeline in &self.pipelines {
            stop(pipeline);
        }
    }
}

/// Ends a pipeline in a producer.
pub fn producer(
    pipeline: &gst::Pipeline,
    last: &gst::Element,
) -> Result<(StreamProducer, gst_app::AppSink), MediaError> {
    let sink = gst_app::AppSink::builder().sync(false).max_buffers(4).build();
    sink.set_property("enable-last-sample", false);
    sink.set_property("async", false);
    pipeline.add(&sink).map_err(|e| failed(&e))?;
    last.link(&sink).map_err(|e| failed(&e))?;
    Ok((StreamProducer::with(&sink, ProducerSettings { sync: false }), sink))
}

/// Starts microphone, tone or the clip's sound, encoded to Opus.
fn start_sound(
    settings: &AudioSettings,
    sound: &AudioSource,
    timeline: &Timeline,
    clip: Option<&Clip>,
) -> Result<Option<(gst::Pipeline, StreamProducer)>, MediaError> {
    if *sound == AudioSource::None {
        return Ok(None);
    }
    if *sound == AudioSource::File && !clip.is_some_and(Clip::has_sound) {
        log::info!("the clip has no sound");
        return Ok(None);
    }
    let pipeline = timeline.pipeline("sound", |said| {
        if let Said::Error(words) = said {
            log::warn!("the sound stopped: {words}; check that the microphone is plugged in");
        }
    });
    let built = (|| {
        let last = match sound {
            AudioSource::Alsa(device) => source::microphone(&pipeline, device)?,
            AudioSource::File => {
                let entry = source::entry(&pipeline)?;
                if let Some(clip) = clip {
                    clip.feed_sound(&entry);
                }
                entry.upcast()
            }
            _ => source::test_sound(&pipeline)?,
        };
        let last = source::fit_sound(&pipeline, &last, settings.gain)?;
        let encoder = make("opusenc")?;
        encoder
            .set_property("bitrate", i32::try_from(settings.bitrate.saturating_mul(1000)).unwrap_or(32_000));
        encoder.set_property_from_str("frame-size", &settings.packet.to_string());
        encoder.set_property_from_str("audio-type", "voice");
        encoder.set_property("inband-fec", true);
        encoder.set_property("packet-loss-percentage", 5_i32);
        chain(&pipeline, &[&encoder])?;
        last.link(&encoder).map_err(|e| failed(&e))?;
        let (producer, _) = producer(&pipeline, &encoder)?;
        play(&pipeline)?;
        Ok(producer)
    })();
    match built {
        Ok(producer) => Ok(Some((pipeline, producer))),
        Err(error) => {
            stop(&pipeline);
            Err(error)
        }
    }
}
