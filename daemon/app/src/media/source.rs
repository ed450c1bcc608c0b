//! Where picture and sound come from: a camera, a microphone, a clip, or the test picture and tone. Makes the front
//! part of a capture pipeline. Must not know encoders or viewers.

use std::path::{Path, PathBuf};

use gst::prelude::*;
use porthole_core::config::settings::{
    AudioSettings, AudioSource, CameraName, Flip, VideoSettings, VideoSource,
};
use porthole_core::plan::camera::{Camera, Nature, stable_name};
use porthole_core::plan::controls;
use porthole_core::plan::mode::{self, Format, Wish};

use super::cameras::Nodes;
use super::element::{MediaError, caps_filter, chain, failed, link, make};
use super::encoder::own_key_frame_distance;
use super::own::OwnEncoder;
use super::{cameras, digits, look, microphones, modes, strip};

/// Where the picture comes from, opened: the last element of it, and how the source is called from now on.
pub struct Front {
    /// Its last element.
    pub last: gst::Element,
    /// What to open the next time, so that the same camera is found under whatever number it comes back, and a test
    /// picture never takes its place.
    pub follow: VideoSource,
    /// The encoder inside the camera, where it is that which encodes.
    pub own: Option<OwnEncoder>,
}

/// A camera's picture.
struct Taken {
    last: gst::Element,
    /// What is left to turn.
    turn: Flip,
    own: Option<OwnEncoder>,
}

/// The picture source that a `source` setting means on this machine.
pub fn picture(video: &VideoSettings, nodes: &Nodes) -> VideoSource {
    match &video.source {
        VideoSource::Auto(name) => {
            let there = match name {
                CameraName::V4l2(Some(path)) => path.exists(),
                name => cameras::find(name, nodes).is_ok(),
            };
            if there { VideoSource::Camera(name.clone()) } else { VideoSource::Test }
        }
        other => other.clone(),
    }
}

/// The sound source that a `source` setting means on this machine, beside the picture of these settings.
pub fn sound(audio: &AudioSettings, video: &VideoSettings, nodes: &Nodes) -> AudioSource {
    match (&audio.source, &video.source) {
        (AudioSource::Auto, VideoSource::File(_)) => AudioSource::File,
        (AudioSource::Auto, _) => match microphones::first() {
            Some(device) => AudioSource::Alsa(device),
            None if picture(video, nodes) == VideoSource::Test => AudioSource::Test,
            None => AudioSource::None,
        },
        (other, _) => other.clone(),
    }
}

/// Whether the sound is that of the clip which is the picture. Asks no device.
pub fn sound_is_the_clip_s(audio: &AudioSettings, video: &VideoSettings) -> bool {
    match audio.source {
        AudioSource::File => true,
        AudioSource::Auto => matches!(video.source, VideoSource::File(_)),
        _ => false,
    }
}

/// Whether there is a camera to be opened in the place of the test picture.
pub fn is_there(video: &VideoSettings, nodes: &Nodes) -> bool {
    matches!(picture(video, nodes), VideoSource::Camera(_))
}

/// The camera that is meant, as raw picture or, where it encodes by itself, as H.264. Looks for it anew.
pub fn camera(
    bin: &gst::Pipeline,
    name: &CameraName,
    video: &VideoSettings,
    nodes: &Nodes,
) -> Result<Front, MediaError> {
    let (camera, all) = cameras::find(name, nodes)?;
    let Taken { last, turn, own } = match camera.nature {
        Nature::Libcamera => libcamera(bin, &camera, video)?,
        _ => v4l2(bin, &camera, video)?,
    };
    let last = if turn == Flip::default() { last } else { turned(bin, &last, turn)? };
    Ok(Front { last, follow: VideoSource::Camera(follow(name, &camera, &all)), own })
}

/// How a camera that was opened as `name` is called the next time: one that was named by its number is followed by what
/// it is, or where it is plugged in.
fn follow(name: &CameraName, camera: &Camera, all: &[Camera]) -> CameraName {
    let CameraName::V4l2(Some(path)) = name else { return name.clone() };
    let by_number = path.as_path() == Path::new(&camera.node);
    match stable_name(camera, all).filter(|_| by_number) {
        Some(stable) => {
            log::info!(
                "{} is {stable} ({}); it is looked for under that name from now on",
                path.display(),
                camera.card
            );
            CameraName::V4l2(Some(PathBuf::from(stable)))
        }
        None => name.clone(),
    }
}

/// A V4L2 camera in the mode that fits best.
fn v4l2(bin: &gst::Pipeline, camera: &Camera, video: &VideoSettings) -> Result<Taken, MediaError> {
    let source = make("v4l2src")?;
    source.set_property("device", &camera.node);
    source.set_property("do-timestamp", true);
    let taken = v4l2_by(&source, bin, camera, video);
    if taken.is_err() {
        let _ = source.set_state(gst::State::Null);
    }
    taken
}

/// The same by an element that is left open: asking a camera for all it can do, as each opening does, takes a slow board long.
fn v4l2_by(
    source: &gst::Element,
    bin: &gst::Pipeline,
    camera: &Camera,
    video: &VideoSettings,
) -> Result<Taken, MediaError> {
    let judgement = controls::judge(&camera.card, &camera.controls, &video.look);
    look::complain(&judgement.complaints);
    let offered = offered_modes(source, camera)?;
    let mode = mode::choose(&offered, wish(video, judgement.turn)).ok_or_else(|| {
        MediaError::Failed(format!(
            "{} offers no format that can be used (raw, MJPEG or H.264 picture); see: porthole devices",
            camera.node
        ))
    })?;
    log::info!("camera {} ({}): {mode}", camera.node, camera.card);
    let mut settings = judgement.settings;
    if mode.format == Format::H264 {
        let distance = own_key_frame_distance(video.framerate);
        settings.extend(controls::own_encoder(&camera.controls, video.bitrate, distance));
    }
    look::set_v4l2(camera, &settings);
    let filter = caps_filter(&modes::caps(&mode))?;
    chain(bin, &[source, &filter])?;
    let turn = judgement.turn;
    if mode.format != Format::Mjpeg {
        let own = (mode.format == Format::H264).then(|| OwnEncoder::of(camera));
        return Ok(Taken { last: filter, turn, own });
    }
    let decoder = make("jpegdec")?;
    bin.add(&decoder).map_err(|e| failed(&e))?;
    link(&filter, &decoder)?;
    Ok(Taken { last: decoder, turn, own: None })
}

/// A camera of libcamera, which scales by itself.
fn libcamera(bin: &gst::Pipeline, camera: &Camera, video: &VideoSettings) -> Result<Taken, MediaError> {
    if !cameras::has_libcamera() {
        return Err(MediaError::Failed(cameras::MISSING_LIBCAMERA.to_owned()));
    }
    let source = make("libcamerasrc")?;
    source.set_property("camera-name", &camera.node);
    let judgement = controls::judge(&camera.card, &camera.controls, &video.look);
    look::complain(&judgement.complaints);
    look::set_properties(&source, &judgement.settings);
    let mut caps = raw_picture(video);
    if let Some(structure) = caps.make_mut().structure_mut(0) {
        structure.set("format", gst::List::new(["NV12", "I420", "YUY2"]));
    }
    log::info!("camera {} (libcamera): {}x{}", camera.card, video.width, video.height);
    let filter = caps_filter(&caps)?;
    chain(bin, &[&source, &filter])?;
    Ok(Taken { last: filter, turn: judgement.turn, own: None })
}

/// What the settings ask of a camera whose picture is turned here like this.
pub fn wish(video: &VideoSettings, turn: Flip) -> Wish {
    let VideoSettings { width, height, framerate, .. } = *video;
    Wish { width, height, framerate, turned_here: turn != Flip::default() }
}

/// The raw picture of `last`, turned.
fn turned(bin: &gst::Pipeline, last: &gst::Element, turn: Flip) -> Result<gst::Element, MediaError> {
    // Passes on what videoflip reads, and converts the rest.
    let convert = make("videoconvert")?;
    let flip = make("videoflip")?;
    let method = match (turn.horizontal, turn.vertical) {
        (true, true) => "rotate-180",
        (true, false) => "horizontal-flip",
        (false, true) => "vertical-flip",
        (false, false) => "none",
    };
    flip.set_property_from_str("method", method);
    chain(bin, &[&convert, &flip])?;
    link(last, &convert)?;
    Ok(flip)
}

/// What v4l2src, which is opened for it, makes of what a camera says it can do.
fn offered_modes(source: &gst::Element, camera: &Camera) -> Result<Vec<mode::Offer>, MediaError> {
    source.set_state(gst::State::Ready).map_err(|_| {
        MediaError::Failed(format!(
            "the camera {} cannot be opened; check that it is plugged in, that no other program uses it, and that this \
             user is in the group `video`",
            camera.node
        ))
    })?;
    // Nothing here uses a picture in the camera's own memory. Left to choose, GStreamer from 1.26 on looks in which formats
    // something could, and opening a camera that offers many takes more than twice as long. It keeps the answer for as long as
    // the camera is open. Pictures are not taken that way, though: where a camera refuses to start it would stay busy.
    source.set_property_from_str("io-mode", "mmap");
    let caps = source.static_pad("src").map(|pad| pad.query_caps(None));
    source.set_property_from_str("io-mode", "auto");
    Ok(caps.map(|caps| modes::read(&caps)).unwrap_or_default())
}

/// Why a picture did not come, with who else has the camera, where that may be the reason.
pub fn explain(error: MediaError, source: &VideoSource, nodes: &Nodes) -> MediaError {
    let VideoSource::Camera(name) = source else { return error };
    let Ok((camera, _)) = cameras::find(name, nodes) else { return error };
    if camera.open_in.is_empty() {
        return error;
    }
    let others: Vec<String> =
        camera.open_in.iter().map(|holder| format!("{} (process {})", holder.program, holder.pid)).collect();
    MediaError::Failed(format!(
        "{error}; {} is open in {}, which may have to be stopped",
        camera.node,
        others.join(", ")
    ))
}

/// A moving picture with a running clock, for people and for machines.
pub fn test_picture(bin: &gst::Pipeline, video: &VideoSettings) -> Result<gst::Element, MediaError> {
    let source = make("videotestsrc")?;
    source.set_property("is-live", true);
    source.set_property_from_str("pattern", "ball");
    source.set_property_from_str("motion", "sweep");
    source.set_property_from_str("animation-mode", "frames");
    source.set_property("background-color", 0xff1f_2d3d_u32);
    source.set_property("foreground-color", 0xffff_c857_u32);
    let filter = caps_filter(&raw_picture(video))?;
    chain(bin, &[&source, &filter])?;
    tell_the_time(&filter);
    Ok(filter)
}

/// Writes the time into every I420 picture that leaves `last`, as it leaves.
fn tell_the_time(last: &gst::Element) {
    let Some(pad) = last.static_pad("src") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER, |pad, info| {
        let size = pad.current_caps().and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok());
        let (Some(size), Some(buffer)) = (size, info.buffer_mut()) else { return gst::PadProbeReturn::Ok };
        if let Ok(mut frame) = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), &size) {
            let clock = gst::glib::DateTime::now_local().and_then(|now| now.format("%Y-%m-%d %H:%M:%S"));
            clock.iter().for_each(|text| digits::write(&mut frame, text));
            strip::write(&mut frame, strip::now());
        }
        gst::PadProbeReturn::Ok
    });
}

/// A quiet tone.
pub fn test_sound(bin: &gst::Pipeline) -> Result<gst::Element, MediaError> {
    let source = make("audiotestsrc")?;
    source.set_property("is-live", true);
    source.set_property("freq", 330.0_f64);
    source.set_property("volume", 0.05_f64);
    source.set_property("samplesperbuffer", 480_i32);
    begin_now(bin, &source);
    chain(bin, &[&source])?;
    Ok(source)
}

/// Silence, at the pace of sound.
pub fn silence(bin: &gst::Pipeline) -> Result<gst::Element, MediaError> {
    let source = make("audiotestsrc")?;
    source.set_property("is-live", true);
    source.set_property_from_str("wave", "silence");
    source.set_property("samplesperbuffer", 960_i32);
    begin_now(bin, &source);
    chain(bin, &[&source])?;
    Ok(source)
}

/// Lets a made-up sound begin now. On the common timeline it would else first make up for all the time since that began.
fn begin_now(bin: &gst::Pipeline, source: &gst::Element) {
    if let (None, Some(base)) = (bin.start_time(), bin.base_time()) {
        let since = bin.pipeline_clock().time().saturating_sub(base).nseconds();
        source.set_property("timestamp-offset", i64::try_from(since).unwrap_or(i64::MAX));
    }
}

/// An ALSA microphone.
pub fn microphone(bin: &gst::Pipeline, device: &str) -> Result<gst::Element, MediaError> {
    let source = make("alsasrc")?;
    source.set_property("device", device);
    source.set_property("provide-clock", false);
    source.set_property("latency-time", 10_000_i64);
    source.set_property("buffer-time", 200_000_i64);
    // Sound servers behind ALSA give the date where a time since the start of the machine is asked for.
    source.set_property("use-driver-timestamps", false);
    chain(bin, &[&source])?;
    Ok(source)
}

/// The sound of `last`, whatever its rate and channels, as Opus wants it: one channel of 48 kHz, `gain` dB louder.
pub fn fit_sound(bin: &gst::Pipeline, last: &gst::Element, gain: i32) -> Result<gst::Element, MediaError> {
    let convert = make("audioconvert")?;
    let resample = make("audioresample")?;
    let caps = gst::Caps::builder("audio/x-raw").field("rate", 48_000).field("channels", 1).build();
    let rate = caps_filter(&caps)?;
    chain(bin, &[&convert, &resample, &rate])?;
    link(last, &convert)?;
    louder(bin, rate, gain)
}

/// The same sound, `gain` dB louder.
pub fn louder(bin: &gst::Pipeline, last: gst::Element, gain: i32) -> Result<gst::Element, MediaError> {
    if gain == 0 {
        return Ok(last);
    }
    let volume = make("volume")?;
    volume.set_property("volume", 10_f64.powf(f64::from(gain) / 20.0));
    chain(bin, &[&volume])?;
    link(&last, &volume)?;
    Ok(volume)
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

/// Passes every sample on without its time, which the entry gives it, and says so to `each`.
pub fn feed(from: &gst_app::AppSink, to: &gst_app::AppSrc, each: impl Fn() + Send + Sync + 'static) {
    let to = to.downgrade();
    from.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let (Some(to), Some(buffer)) = (to.upgrade(), sample.buffer_owned()) else {
                    return Ok(gst::FlowSuccess::Ok);
                };
                let mut buffer = buffer;
                let plain = buffer.make_mut();
                plain.set_pts(gst::ClockTime::NONE);
                plain.set_dts(gst::ClockTime::NONE);
                if to.caps().as_deref() != sample.caps() {
                    to.set_caps(sample.caps().map(|c| c.to_owned()).as_ref());
                }
                let _ = to.push_buffer(buffer);
                each();
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
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
pub fn clip_uri(path: &Path) -> Result<String, MediaError> {
    let full = std::fs::canonicalize(path)
        .map_err(|e| MediaError::Failed(format!("the clip {} cannot be read: {e}", path.display())))?;
    gst::glib::filename_to_uri(full, None).map(|uri| uri.to_string()).map_err(|e| failed(&e))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
