//! Everything that this machine could take pictures and sound with, and what of it would be used. Opens devices only to
//! ask them what they are, and tries the encoders. Must not know how it is told.

use std::path::Path;

use porthole_core::config::settings::{AudioSource, MediaSettings, SpeakerSink, VideoSettings, VideoSource};
use porthole_core::plan::camera::Camera;
use porthole_core::plan::controls;
use porthole_core::plan::encoder::{self, Trial};
use porthole_core::plan::mode::{self, Mode};
use porthole_core::plan::sound::Pcm;

use super::cameras::Nodes;
use super::element::MediaError;
use super::{cameras, microphones, probe, source, speaker};

/// What there is, and what would be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Cameras, and what looks like one.
    pub cameras: Vec<Camera>,
    /// The camera that the settings mean, or why there is none. `None`: they mean no camera.
    pub camera: Option<Result<Taken, String>>,
    /// What is missing for cameras of libcamera.
    pub without_libcamera: Option<&'static str>,
    /// Microphones and speakers.
    pub pcms: Vec<Pcm>,
    /// Names that this machine's ALSA configuration defines.
    pub own_names: Vec<String>,
    /// The microphone that the settings mean here.
    pub microphone: Option<String>,
    /// The speaker that the settings mean here.
    pub speaker: Option<String>,
    /// How each encoder did.
    pub trials: Vec<Trial>,
    /// The place in [`Survey::trials`] of the one that would be used.
    pub encoder: Option<usize>,
}

/// The camera that would be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What it is opened by.
    pub node: String,
    /// In which mode; `None` where that is libcamera's to say, or nothing fits.
    pub mode: Option<Mode>,
    /// What of the settings it cannot do.
    pub complaints: Vec<String>,
}

/// How each encoder does, tried in processes of `program`, which is this one's. Blocks, for seconds.
///
/// # Errors
/// As those of [`look`].
pub fn encoders(video: &VideoSettings, program: Option<&Path>) -> Result<Vec<Trial>, MediaError> {
    gst::init().map_err(|e| MediaError::Failed(format!("GStreamer does not start: {e}")))?;
    probe::all(video, program)
}

/// Looks at everything. Blocks, for seconds: encoders are tried with frames, in processes of `program`.
///
/// # Errors
/// GStreamer does not start, or an encoder is named in the settings that nobody knows.
pub fn look(settings: &MediaSettings, program: Option<&Path>) -> Result<Survey, MediaError> {
    gst::init().map_err(|e| MediaError::Failed(format!("GStreamer does not start: {e}")))?;
    let video = &settings.video;
    let trials = probe::all(video, program)?;
    let nodes = Nodes::default();
    let camera = match &source::picture(video, &nodes) {
        VideoSource::Camera(name) => {
            Some(cameras::find(name, &nodes).map_err(|why| why.to_string()).map(|(camera, _)| {
                let judgement = controls::judge(&camera.card, &camera.controls, &video.look);
                let mode = mode::choose(&camera.offers, source::wish(video, judgement.turn));
                Taken { node: camera.node, mode, complaints: judgement.complaints }
            }))
        }
        _ => None,
    };
    let microphone = match source::sound(&settings.audio, video, &nodes) {
        AudioSource::Alsa(device) => Some(device),
        _ => None,
    };
    let speaker = match &settings.speaker.sink {
        SpeakerSink::Auto => speaker::first(),
        SpeakerSink::Alsa(device) => Some(device.clone()),
        SpeakerSink::Test | SpeakerSink::None => None,
    };
    Ok(Survey {
        cameras: cameras::all(&nodes),
        camera,
        without_libcamera: (!cameras::has_libcamera()).then_some(cameras::MISSING_LIBCAMERA),
        pcms: microphones::all(),
        own_names: microphones::own_names(),
        microphone,
        speaker,
        encoder: encoder::choose(&trials, video.framerate),
        trials,
    })
}
