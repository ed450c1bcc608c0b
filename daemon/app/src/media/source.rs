//! Where picture and sound come from: a camera, a microphone, a clip, or the test picture and tone. Makes the front
//! part of a capture pipeline. Must not know encoders or viewers.

use std::path::{Path, PathBuf};

use gst::prelude::*;
use porthole_core::config::settings::{AudioSettings, AudioSource, VideoSettings, VideoSource};

use super::element::{MediaError, caps_filter, chain, failed, make};
use super::modes;

/// The picture source that a `source` setting means on this machine.
pub fn picture(video: &VideoSettings) -> VideoSource {
    match &video.source {
        VideoSource::Auto(device) if device.exists() => VideoSource::V4l2(device.clone()),
        VideoSource::Auto(_) => VideoSource::Test,
        other => other.clone(),
    }
}

/// The sound source that a `source` setting means on this machine, beside this picture.
pub fn sound(audio: &AudioSettings, picture: &VideoSource) -> AudioSource {
    match (&audio.source, picture) {
        (AudioSource::Auto, VideoSource::File(_)) => AudioSource::File,
        (AudioSource::Auto, _) if sound_card() => AudioSource::Alsa("default".to_owned()),
        (AudioSource::Auto, VideoSource::Test) => AudioSource::Test,
        (AudioSource::Auto, _) => AudioSource::None,
        (other, _) => other.clone(),
    }
}

/// Whether ALSA has a card with a capture device.
fn sound_card() -> bool {
    std::fs::read_to_string("/proc/asound/pcm").is_ok_and(|pcm| pcm.contains("capture"))
}

/// The camera named by `device` as raw picture or, where it encodes by itself, as H.264.
pub fn camera(bin: &gst::Pipeline, device: &Path, video: &VideoSettings) -> Result<gst::Element, MediaError> {
    let source = make("v4l2src")?;
    source.set_property("device", device.to_string_lossy().as_ref());
    source.set_property("do-timestamp", true);
    let offered = offered_modes(&source, device)?;
    let mode = modes::choose(&offered, video).ok_or_else(|| {
        MediaError::Failed(format!(
            "{} offers no format that can be used (raw, MJPEG or H.264 picture); see: v4l2-ctl -d {} --list-formats-ext",
            device.display(),
            device.display()
        ))
    })?;
    log::info!("camera {}: {mode}", device.display());
    let filter = caps_filter(&mode.caps())?;
    chain(bin, &[&source, &filter])?;
    if mode.format != modes::Format::Mjpeg {
        return Ok(filter);
    }
    let decoder = make("jpegdec")?;
    bin.add(&decoder).map_err(|e| failed(&e))?;
    filter.link(&decoder).map_err(|e| failed(&e))?;
    Ok(decoder)
}

/// What a camera says it can do.
fn offered_modes(source: &gst::Element, device: &Path) -> Result<Vec<modes::Mode>, MediaError> {
    let opened = source.set_state(gst::State::Ready);
    let caps = source.static_pad("src").map(|pad| pad.query_caps(None));
    let _ = source.set_state(gst::State::Null);
    opened.map_err(|_| {
        MediaError::Failed(format!(
            "the camera {} cannot be opened; check that it is plugged in, that no other program uses it, and that this \
             user is in the group `video`",
            device.display()
        ))
    })?;
    Ok(caps.map(|caps| modes::read(&caps)).unwrap_or_default())
}

/// A moving picture with a running clock.
pub fn test_picture(bin: &gst::Pipeline, video: &VideoSettings) -> Result<gst::Element, MediaError> {
    let source = make("videotestsrc")?;
    source.set_property("is-live", true);
    source.set_property_from_str("pattern", "ball");
    source.set_property_from_str("motion", "wavy");
    source.set_property_from_str("animation-mode", "running-time");
    source.set_property("background-color", 0xff1f_2d3d_u32);
    source.set_property("foreground-color", 0xffff_c857_u32);
    let filter = caps_filter(&raw_picture(video))?;
    let clock = make("clockoverlay")?;
    clock.set_property("time-format", "%Y-%m-%d %H:%M:%S");
    clock.set_property("font-desc", "Sans, 24");
    clock.set_property("shaded-background", true);
    chain(bin, &[&source, &filter, &clock])?;
    Ok(clock)
}

/// A quiet tone.
pub fn test_sound(bin: &gst::Pipeline) -> Result<gst::Element, MediaError> {
    let source = make("audiotestsrc")?;
    source.set_property("is-live", true);
    source.set_property("freq", 330.0_f64);
    source.set_property("volume", 0.05_f64);
    source.set_property("samplesperbuffer", 480_i32);
    chain(bin, &[&source])?;
    Ok(source)
}

/// An ALSA microphone.
pub fn microphone(bin: &gst::Pipeline, device: &str) -> Result<gst::Element, MediaError> {
    let source = make("alsasrc")?;
    source.set_property("device", device);
    source.set_property("provide-clock", false);
    source.set_property("latency-time", 10_000_i64);
    source.set_property("buffer-time", 200_000_i64);
    chain(bin, &[&source])?;
    Ok(source)
}

/// An entry for buffers that come from elsewhere in the process, as if they were live.
pub fn entry(bin: &gst::Pipeline) -> Result<gst_app::AppSrc, MediaError> {
    let source = gst_app::AppSrc::builder()
        .is_live(true)
        .do_timestamp(true)
        .format(gst::Format::Time)
        .max_buffers(8)
        .leaky_type(gst_app::AppLeakyType::Downstream)
        .build();
    chain(bin, &[source.upcast_ref()])?;
    Ok(source)
}

/// Raw picture of the asked size and rate.
pub fn raw_picture(video: &VideoSettings) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", i32::try_from(video.width).unwrap_or(i32::MAX))
        .field("height", i32::try_from(video.height).unwrap_or(i32::MAX))
        .field("framerate", gst::Fraction::new(i32::try_from(video.framerate).unwrap_or(30), 1))
        .build()
}

/// The path of a clip as a URI, or why it cannot be read.
pub fn clip_uri(path: &PathBuf) -> Result<String, MediaError> {
    let full = std::fs::canonicalize(path)
        .map_err(|e| MediaError::Failed(format!("the clip {} cannot be read: {e}", path.display())))?;
    gst::glib::filename_to_uri(full, None).map(|uri| uri.to_string()).map_err(|e| failed(&e))
}
