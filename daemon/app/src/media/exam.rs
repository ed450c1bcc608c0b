//! Tries devices for a doctor: a second of frames, a second of sound, a tone from speaker to microphone. Must not judge.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use porthole_core::config::settings::{
    AudioSettings, AudioSource, CameraName, SpeakerSettings, SpeakerSink, VideoSettings, VideoSource,
};
use porthole_core::doctor::elements::ELEMENTS;
use porthole_core::doctor::media::{Camera, Frames, Loop, Sound};

use super::cameras::Nodes;
use super::element::{MediaError, chain, exists, failed, link, make};
use super::timeline::{Said, listen, stop};
use super::{cameras, microphones, source, speaker};

/// How long a device may take to give its first frame or sound.
const FIRST: Duration = Duration::from_secs(10);
/// How long is watched or listened from then on.
const WATCHED: Duration = Duration::from_secs(1);
/// How long a device that hangs is waited for altogether.
const LIMIT: Duration = Duration::from_secs(20);
/// Sound of so many samples a second is looked at.
const RATE: usize = 48_000;
/// What a device gives first may be the noise of switching it on.
const SETTLING: usize = RATE / 5;
/// The tone, in Hz.
const TONE: f64 = 1000.0;

/// Major, minor and micro.
pub type Version = (u32, u32, u32);

/// GStreamer's version, and which of [`ELEMENTS`] are missing.
///
/// # Errors
/// It does not start at all.
pub fn gstreamer() -> Result<(Version, Vec<&'static str>), MediaError> {
    gst::init().map_err(|e| MediaError::Failed(format!("GStreamer does not start: {e}")))?;
    let (major, minor, micro, _) = gst::version();
    let missing = ELEMENTS.iter().map(|element| element.name).filter(|name| !exists(name));
    Ok(((major, minor, micro), missing.collect()))
}

/// Opens the camera that the settings mean, for about a second. Blocks.
pub fn camera(video: &VideoSettings) -> Camera {
    match (&video.source, source::picture(video, &Nodes::default())) {
        (_, VideoSource::Camera(name)) => match bounded(frames_of(name, video.clone())) {
            Ok((name, frames)) => Camera::Gave { name, frames },
            Err(why) => Camera::Trouble(why),
        },
        (_, VideoSource::File(clip)) => Camera::NotWanted(format!("the clip {}", clip.display())),
        (VideoSource::Auto(_), _) => Camera::TestPicture,
        _ => Camera::NotWanted("the test picture".to_owned()),
    }
}

/// Whether the test picture stands in, because there is no camera. Opens none.
pub fn stands_in(video: &VideoSettings) -> bool {
    matches!(
        (&video.source, source::picture(video, &Nodes::default())),
        (VideoSource::Auto(_), VideoSource::Test)
    )
}

/// The microphone that the settings mean, or what there is to say of it without opening one.
pub fn ear(audio: &AudioSettings, video: &VideoSettings) -> Result<String, Sound> {
    match source::sound(audio, video, &Nodes::default()) {
        AudioSource::Alsa(device) => Ok(device),
        AudioSource::None if audio.source != AudioSource::None => Err(Sound::Nothing),
        AudioSource::Test if audio.source == AudioSource::Auto => Err(Sound::Nothing),
        _ => Err(Sound::NotWanted),
    }
}

/// The same for the speaker.
pub fn mouth(wanted: &SpeakerSettings) -> Result<String, Sound> {
    match &wanted.sink {
        SpeakerSink::Auto => speaker::first().ok_or(Sound::Nothing),
        SpeakerSink::Alsa(device) => Ok(device.clone()),
        SpeakerSink::Test | SpeakerSink::None => Err(Sound::NotWanted),
    }
}

/// Opens the microphone that the settings mean, for about a second. Blocks.
pub fn microphone(audio: &AudioSettings, video: &VideoSettings) -> Sound {
    let device = match ear(audio, video) {
        Ok(device) => device,
        Err(none) => return none,
    };
    let (name, gain) = (device.clone(), audio.gain);
    heard(name, bounded(move || listen_to(|bin| source::microphone(bin, &device), gain, || Ok(()))))
}

/// Opens the speaker that the settings mean; with `tone`, plays one and listens with this microphone. Blocks.
pub fn speaker(tone: bool, wanted: &SpeakerSettings, audio: &AudioSettings) -> (Sound, Option<Loop>) {
    let name = match mouth(wanted) {
        Ok(name) => name,
        Err(none) => return (none, None),
    };
    let gain = audio.gain;
    let ear = match &audio.source {
        AudioSource::Alsa(device) => Some(device.clone()),
        _ => microphones::first(),
    };
    let Some(ear) = ear.filter(|_| tone) else {
        let device = name.clone();
        return match bounded(move || play_on(&device, 0.0).map(|player| stop(&player))) {
            Ok(()) => (Sound::Heard { name, peak: 0.0 }, None),
            Err(why) => (Sound::Trouble { name, why }, None),
        };
    };
    let device = name.clone();
    let both = bounded(move || {
        let silent = listen_to(|bin| source::microphone(bin, &ear), gain, || Ok(()))?;
        let mut player = None;
        let loud = listen_to(
            |bin| source::microphone(bin, &ear),
            gain,
            || {
                player = Some(play_on(&device, 0.3)?);
                Ok(())
            },
        );
        player.iter().for_each(stop);
        let loud = loud?;
        Ok((peak(&loud), Loop { before: tone_in(&silent), meanwhile: tone_in(&loud) }))
    });
    match both {
        Ok((peak, heard)) => (Sound::Heard { name, peak }, Some(heard)),
        Err(why) => (Sound::Trouble { name, why }, None),
    }
}

fn heard(name: String, samples: Result<Vec<i16>, String>) -> Sound {
    match samples {
        Ok(samples) => Sound::Heard { name, peak: peak(&samples) },
        Err(why) => Sound::Trouble { name, why },
    }
}

/// Runs something that may hang on a thread of its own, which is then left behind.
fn bounded<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, String> {
    let (tell, told) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let _ = tell.send(work());
    });
    match told.recv_timeout(LIMIT) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(RecvTimeoutError::Timeout) => Err(format!("it hangs: nothing came of it within {LIMIT:?}")),
        Err(RecvTimeoutError::Disconnected) => Err("the thread that tried it has panicked".to_owned()),
    }
}

fn frames_of(
    name: CameraName,
    video: VideoSettings,
) -> impl FnOnce() -> Result<(String, Frames), MediaError> + Send + 'static {
    move || {
        let nodes = Nodes::default();
        let card = cameras::find(&name, &nodes)?.0.card;
        let wanted = VideoSource::Camera(name.clone());
        let frames = watch(|bin| source::camera(bin, &name, &video, &nodes).map(|front| front.last));
        frames.map(|frames| (card, frames)).map_err(|error| source::explain(error, &wanted, &nodes))
    }
}

/// Counts what comes out of whatever `front` makes.
fn watch(
    front: impl FnOnce(&gst::Pipeline) -> Result<gst::Element, MediaError>,
) -> Result<Frames, MediaError> {
    let (tell, told) = mpsc::channel();
    let (frame, said) = (tell.clone(), tell);
    let pipeline = gst::Pipeline::with_name("exam");
    listen(&pipeline, move |words| {
        let _ = said.send(Came::Word(words));
    });
    let watched = (|| {
        let last = front(&pipeline)?;
        let sink = gst_app::AppSink::builder().sync(false).max_buffers(4).build();
        let pulled = move |sink: &gst_app::AppSink| {
            sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let _ = frame.send(Came::Frame(Instant::now()));
            Ok(gst::FlowSuccess::Ok)
        };
        sink.set_callbacks(gst_app::AppSinkCallbacks::builder().new_sample(pulled).build());
        pipeline.add(&sink).map_err(|e| failed(&e))?;
        link(&last, &sink)?;
        let began = Instant::now();
        pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
        let first =
            next(&told, FIRST)?.ok_or(MediaError::TooLate { what: "the first frame", limit: FIRST })?;
        let (mut last, mut count) = (first, 1);
        while let Some(left) = WATCHED.checked_sub(first.elapsed())
            && let Some(came) = next(&told, left)?
        {
            (last, count) = (came, count + 1);
        }
        let caps = sink.static_pad("sink").and_then(|pad| pad.current_caps());
        let size = |name| {
            caps.as_ref()?.structure(0)?.get::<i32>(name).ok().and_then(|size| u32::try_from(size).ok())
        };
        Ok(Frames {
            count,
            seconds: (last - first).as_secs_f64(),
            first: (first - began).as_secs_f64(),
            size: (size("width").unwrap_or(0), size("height").unwrap_or(0)),
        })
    })();
    stop(&pipeline);
    watched
}

/// What reaches whoever watches.
enum Came {
    Frame(Instant),
    Word(Said),
}

/// The next frame, if there is one in time.
fn next(told: &mpsc::Receiver<Came>, limit: Duration) -> Result<Option<Instant>, MediaError> {
    match told.recv_timeout(limit) {
        Ok(Came::Frame(at)) => Ok(Some(at)),
        Ok(Came::Word(Said::Error(words))) => Err(MediaError::Failed(words)),
        Ok(Came::Word(_)) | Err(_) => Ok(None),
    }
}

/// A second of the sound that `front` makes, as samples of one channel. `meanwhile` is done once sound flows.
fn listen_to(
    front: impl FnOnce(&gst::Pipeline) -> Result<gst::Element, MediaError>,
    gain: i32,
    meanwhile: impl FnOnce() -> Result<(), MediaError>,
) -> Result<Vec<i16>, MediaError> {
    let (tell, told) = mpsc::channel();
    let (sound, said) = (tell.clone(), tell);
    let pipeline = gst::Pipeline::with_name("exam");
    listen(&pipeline, move |words| {
        let _ = said.send(Err(words));
    });
    let heard = (|| {
        let last = front(&pipeline)?;
        let last = source::fit_sound(&pipeline, &last, gain)?;
        let convert = make("audioconvert")?;
        let caps = gst::Caps::builder("audio/x-raw").field("format", "S16LE").build();
        let sink = gst_app::AppSink::builder().sync(false).caps(&caps).build();
        let pulled = move |sink: &gst_app::AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let map = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
            let samples =
                map.map(|map| map.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect());
            let _ = sound.send(Ok::<Vec<i16>, Said>(samples.unwrap_or_default()));
            Ok(gst::FlowSuccess::Ok)
        };
        sink.set_callbacks(gst_app::AppSinkCallbacks::builder().new_sample(pulled).build());
        chain(&pipeline, &[&convert, sink.upcast_ref()])?;
        link(&last, &convert)?;
        pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
        let (mut samples, mut meanwhile) = (Vec::new(), Some(meanwhile));
        while samples.len() < SETTLING + RATE {
            match told.recv_timeout(FIRST) {
                Ok(Ok(more)) => samples.extend(more),
                Ok(Err(Said::Error(words))) => return Err(MediaError::Failed(words)),
                Ok(Err(_)) => return Err(MediaError::Failed("it ended".to_owned())),
                Err(_) => return Err(MediaError::TooLate { what: "any sound", limit: FIRST }),
            }
            if let Some(act) = meanwhile.take() {
                act()?;
            }
        }
        Ok(samples.split_off(SETTLING))
    })();
    stop(&pipeline);
    heard
}

/// Plays the tone so loud (0: silence) on an ALSA device; it goes on until it is stopped.
fn play_on(device: &str, volume: f64) -> Result<gst::Pipeline, MediaError> {
    let pipeline = gst::Pipeline::with_name("tone");
    let (tell, told) = mpsc::sync_channel(1);
    listen(&pipeline, move |said| {
        let _ = tell.try_send(said);
    });
    let playing = (|| {
        let tone = make("audiotestsrc")?;
        tone.set_property("freq", TONE);
        tone.set_property("volume", volume);
        let (convert, resample, sink) = (make("audioconvert")?, make("audioresample")?, make("alsasink")?);
        sink.set_property("device", device);
        chain(&pipeline, &[&tone, &convert, &resample, &sink])?;
        super::timeline::play(&pipeline)
    })();
    // GStreamer's own word for it is better than that a state was not reached.
    let playing = playing.map_err(|error| match told.try_recv() {
        Ok(Said::Error(words)) => MediaError::Failed(words),
        _ => error,
    });
    match playing {
        Ok(()) => Ok(pipeline),
        Err(error) => {
            stop(&pipeline);
            Err(error)
        }
    }
}

/// The loudest moment, in dB below the loudest there is.
fn peak(samples: &[i16]) -> f64 {
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    20.0 * (f64::from(loudest) / 32_768.0).log10()
}

/// How loud the tone is in it, in dB (Goertzel).
fn tone_in(samples: &[i16]) -> f64 {
    let turn = std::f64::consts::TAU * TONE / RATE as f64;
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let now = f64::from(*sample) / 32_768.0 + 2.0 * turn.cos() * one - two;
        (one, two) = (now, one);
    }
    let power = one * one + two * two - 2.0 * turn.cos() * one * two;
    let amplitude = 2.0 * power.max(0.0).sqrt() / samples.len().max(1) as f64;
    20.0 * amplitude.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_among_other_sound_and_its_level_is_told() {
        let wave = |frequency: f64, amplitude: f64| -> Vec<i16> {
            let turn = std::f64::consts::TAU * frequency / RATE as f64;
            #[expect(clippy::cast_possible_truncation, reason = "amplitudes below one")]
            let sample = |at: usize| (amplitude * 32_767.0 * (turn * at as f64).sin()) as i16;
            (0..RATE).map(sample).collect()
        };
        assert!((tone_in(&wave(TONE, 0.5)) + 6.02).abs() < 0.1, "{}", tone_in(&wave(TONE, 0.5)));
        assert!(tone_in(&wave(440.0, 0.5)) < -60.0);
        assert!((peak(&wave(440.0, 0.25)) + 12.04).abs() < 0.1);
        assert_eq!(peak(&[0; 9]), f64::NEG_INFINITY);
        assert_eq!(peak(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn a_second_of_frames_is_counted_and_its_size_told() {
        gst::init().unwrap();
        let settings = VideoSettings { width: 160, height: 120, framerate: 20, ..crate_video() };
        let frames = watch(|bin| source::test_picture(bin, &settings)).unwrap();
        assert_eq!(frames.size, (160, 120));
        assert!(
            frames.count > 1 && frames.seconds > 0.0 && frames.seconds <= WATCHED.as_secs_f64(),
            "{frames:?}"
        );
    }

    #[test]
    fn a_picture_that_fails_or_ends_is_said_in_its_own_words() {
        gst::init().unwrap();
        let lost = watch(|bin| {
            let source = make("videotestsrc")?;
            let broken = make("identity")?;
            broken.set_property("error-after", 1_i32);
            chain(bin, &[&source, &broken])?;
            Ok(broken)
        });
        assert!(matches!(&lost, Err(MediaError::Failed(words)) if words.contains("identity")), "{lost:?}");
    }

    #[test]
    fn a_second_of_sound_is_heard_and_what_is_done_meanwhile_is_done() {
        gst::init().unwrap();
        let mut done = false;
        let tone = |bin: &gst::Pipeline| {
            let source = make("audiotestsrc")?;
            source.set_property("freq", TONE);
            source.set_property("volume", 0.5);
            chain(bin, &[&source])?;
            Ok(source)
        };
        let samples = listen_to(tone, 0, || {
            done = true;
            Ok(())
        });
        let samples = samples.unwrap();
        assert!(done && samples.len() >= RATE, "{}", samples.len());
        assert!((tone_in(&samples) + 6.0).abs() < 1.0 && (peak(&samples) + 6.0).abs() < 1.0);
    }

    fn crate_video() -> VideoSettings {
        porthole_core::config::settings::MediaSettings::default().video
    }
}
