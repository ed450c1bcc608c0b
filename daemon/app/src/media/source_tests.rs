//! Sources as far as they can be had without a camera: names that are followed, pictures that are turned, sound that is
//! fitted.

use porthole_core::config::settings::Settings;

use super::super::timeline::Timeline;
use super::*;

#[test]
fn a_camera_that_was_named_by_its_number_is_followed_by_what_it_is() {
    let camera = named("/dev/video0");
    let all = [camera.clone()];
    let by = |path: &str| CameraName::V4l2(Some(PathBuf::from(path)));
    assert_eq!(follow(&by("/dev/video0"), &camera, &all), by("/dev/v4l/by-id/usb-C920"));
    // Somebody has thought about these names already.
    for name in
        [by("/dev/v4l/by-path/usb-1.2"), by("/dev/front-door"), CameraName::Any, CameraName::V4l2(None)]
    {
        assert_eq!(follow(&name, &camera, &all), name);
    }
}

#[test]
fn a_camera_without_a_name_that_stays_keeps_its_number() {
    let camera = Camera { stable: Vec::new(), ..named("/dev/video0") };
    let name = CameraName::V4l2(Some(PathBuf::from("/dev/video0")));
    assert_eq!(follow(&name, &camera, std::slice::from_ref(&camera)), name);
}

#[test]
fn auto_without_a_camera_is_the_test_picture_and_a_named_camera_is_never() {
    gst::init().unwrap();
    let gone = CameraName::V4l2(Some(PathBuf::from("/dev/v4l/by-id/gone")));
    let source =
        |source| picture(&VideoSettings { source, ..Settings::default().media.video }, &Nodes::default());
    assert_eq!(source(VideoSource::Auto(gone.clone())), VideoSource::Test);
    assert_eq!(source(VideoSource::Camera(gone.clone())), VideoSource::Camera(gone.clone()));
    let pipeline = gst::Pipeline::new();
    let why = camera(&pipeline, &gone, &Settings::default().media.video, &Nodes::default())
        .err()
        .unwrap()
        .to_string();
    assert!(why.contains("/dev/v4l/by-id/gone is not there"), "{why}");
}

#[test]
fn the_sound_is_the_clip_s_where_it_is_meant_to_be_or_the_picture_is() {
    let is = |audio: AudioSource, video: VideoSource| {
        let settings = Settings::default().media;
        let audio = AudioSettings { source: audio, ..settings.audio };
        let video = VideoSettings { source: video, ..settings.video };
        let is = sound_is_the_clip_s(&audio, &video);
        assert_eq!(is, sound(&audio, &video, &Nodes::default()) == AudioSource::File);
        is
    };
    let clip = || VideoSource::File(PathBuf::from("/srv/yard.mp4"));
    assert!(is(AudioSource::Auto, clip()) && is(AudioSource::File, clip()));
    assert!(!is(AudioSource::Test, clip()) && !is(AudioSource::None, clip()));
    assert!(!is(AudioSource::Auto, VideoSource::Test));
}

#[test]
fn libcamera_that_is_not_installed_says_what_to_install() {
    gst::init().unwrap();
    if cameras::has_libcamera() {
        return;
    }
    let pipeline = gst::Pipeline::new();
    let why =
        camera(&pipeline, &CameraName::Libcamera(None), &Settings::default().media.video, &Nodes::default())
            .err()
            .unwrap();
    assert!(why.to_string().contains("apt-get install gstreamer1.0-libcamera"), "{why}");
}

#[test]
fn a_picture_is_turned_upside_down_and_mirrored() {
    gst::init().unwrap();
    let corners = |horizontal, vertical| {
        let pipeline = Timeline::new().pipeline("turned", |_| {});
        // A ramp of brightness from corner to corner.
        let entry = gst_app::AppSrc::builder().caps(&grey(2, 2)).format(gst::Format::Time).build();
        chain(&pipeline, &[entry.upcast_ref()]).unwrap();
        let last = turned(&pipeline, entry.upcast_ref(), Flip { horizontal, vertical }).unwrap();
        let sink = gst_app::AppSink::builder().caps(&grey(2, 2)).sync(false).build();
        chain(&pipeline, &[sink.upcast_ref()]).unwrap();
        last.link(&sink).unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        entry.push_buffer(gst::Buffer::from_slice([10_u8, 20, 0, 0, 30, 40, 0, 0])).unwrap();
        let sample = sink.pull_sample().unwrap();
        let map = sample.buffer().unwrap().map_readable().unwrap();
        let seen = [map[0], map[1], map[4], map[5]];
        pipeline.set_state(gst::State::Null).unwrap();
        seen
    };
    assert_eq!(corners(true, false), [20, 10, 40, 30]);
    assert_eq!(corners(false, true), [30, 40, 10, 20]);
    assert_eq!(corners(true, true), [40, 30, 20, 10]);
}

#[test]
fn sound_of_any_rate_and_channels_becomes_one_channel_of_48_khz() {
    let plain = fitted(44_100, 2, 0);
    assert_eq!(plain.caps, ("S16LE".to_owned(), 48_000, 1));
    assert!((plain.loudness - fitted(8_000, 1, 0).loudness).abs() < plain.loudness / 10.0);
}

#[test]
fn gain_makes_sound_louder_and_softer_by_decibels() {
    let plain = fitted(16_000, 1, 0).loudness;
    let (louder, softer) = (fitted(16_000, 1, 6).loudness, fitted(16_000, 1, -20).loudness);
    assert!((louder / plain - 1.995).abs() < 0.1, "{louder} of {plain}");
    assert!((softer / plain - 0.1).abs() < 0.01, "{softer} of {plain}");
}

struct Fitted {
    caps: (String, i32, i32),
    loudness: f64,
}

/// A tone of this rate and these channels, fitted.
fn fitted(rate: i32, channels: i32, gain: i32) -> Fitted {
    gst::init().unwrap();
    let pipeline = Timeline::new().pipeline("fitted", |_| {});
    let tone = make("audiotestsrc").unwrap();
    tone.set_property("num-buffers", 40_i32);
    tone.set_property("volume", 0.1_f64);
    let caps = gst::Caps::builder("audio/x-raw").field("format", "S16LE").field("rate", rate);
    let filter = caps_filter(&caps.field("channels", channels).build()).unwrap();
    chain(&pipeline, &[&tone, &filter]).unwrap();
    let last = fit_sound(&pipeline, &filter, gain).unwrap();
    let caps = gst::Caps::builder("audio/x-raw").field("format", "S16LE").build();
    let sink = gst_app::AppSink::builder().caps(&caps).sync(false).build();
    chain(&pipeline, &[sink.upcast_ref()]).unwrap();
    last.link(&sink).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut squares, mut count, mut caps) = (0.0, 0.0, None);
    while let Ok(sample) = sink.pull_sample() {
        let map = sample.buffer().unwrap().map_readable().unwrap();
        for bytes in map.chunks_exact(2) {
            squares += f64::from(i16::from_le_bytes([bytes[0], bytes[1]])).powi(2);
            count += 1.0;
        }
        caps = sample.caps().map(|caps| caps.structure(0).unwrap().to_owned());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let caps = caps.unwrap();
    let field = |name: &str| caps.get::<i32>(name).unwrap();
    let caps = (caps.get::<String>("format").unwrap(), field("rate"), field("channels"));
    Fitted { caps, loudness: f64::sqrt(squares / count) }
}

fn grey(width: i32, height: i32) -> gst::Caps {
    gst::init().unwrap();
    gst::Caps::builder("video/x-raw")
        .field("format", "GRAY8")
        .field("width", width)
        .field("height", height)
        .field("framerate", gst::Fraction::new(30, 1))
        .build()
}

fn named(node: &str) -> Camera {
    Camera {
        node: node.to_owned(),
        stable: vec!["/dev/v4l/by-id/usb-C920".to_owned(), "/dev/v4l/by-path/usb-1.2".to_owned()],
        card: "HD Pro Webcam C920".to_owned(),
        driver: "uvcvideo".to_owned(),
        bus: "usb-1.2".to_owned(),
        nature: Nature::Camera,
        offers: Vec::new(),
        controls: Vec::new(),
        open_in: Vec::new(),
        trouble: None,
    }
}
