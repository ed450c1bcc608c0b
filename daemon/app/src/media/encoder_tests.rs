//! The table of encoders, and bitrates that change while an encoder runs.

use std::sync::mpsc;

use porthole_core::config::settings::Settings;

use super::super::element::chain;
use super::*;

/// Frames before and after the change that are counted, and frames between that are not: an encoder needs some time to
/// settle.
const COUNTED: usize = 60;
const SETTLING: usize = 60;

#[test]
fn an_unknown_encoder_is_refused_with_the_known_ones_named() {
    let refused = candidates(&EncoderChoice::Named("h264magic".to_owned())).unwrap_err().to_string();
    assert!(refused.contains("h264magic") && refused.contains("x264enc"), "{refused}");
}

#[test]
fn the_encoders_are_those_that_the_configuration_allows() {
    let elements: Vec<_> = H264.iter().map(|encoder| encoder.element).collect();
    assert_eq!(elements, porthole_core::plan::encoder::H264);
}

#[test]
fn hardware_comes_before_software() {
    let first_software = H264.iter().position(|e| !e.hardware).unwrap();
    assert!(H264[first_software..].iter().all(|e| !e.hardware));
}

#[test]
fn an_encoder_that_is_not_here_says_what_to_do() {
    gst::init().unwrap();
    let rockchip = H264.iter().find(|encoder| encoder.element == "mpph264enc").unwrap();
    assert!(rockchip.missing().unwrap().contains("Rockchip"));
    assert_eq!(H264.iter().find(|encoder| encoder.element == "x264enc").unwrap().missing(), None);
}

#[test]
fn a_bitrate_beyond_what_an_encoder_takes_is_brought_into_its_range() {
    gst::init().unwrap();
    let [element, _] = VP8.build(&video(), false).unwrap();
    assert_eq!(VP8.set_bitrate(&element, 1), 10);
    assert_eq!(element.property::<i32>("target-bitrate"), 10_000);
}

#[test]
fn a_small_picture_has_few_key_frames_and_none_of_them_is_large() {
    gst::init().unwrap();
    let x264 = H264.iter().find(|encoder| encoder.element == "x264enc").unwrap();
    let [full, _] = x264.build(&video(), false).unwrap();
    let [small, _] = x264.build(&video(), true).unwrap();
    let of = |element: &gst::Element, name: &str| element.property::<u32>(name);
    assert_eq!(of(&small, "key-int-max"), SMALL_DISTANCE * of(&full, "key-int-max"));
    assert!(of(&small, "vbv-buf-capacity") < of(&full, "vbv-buf-capacity"));
}

#[test]
fn x264enc_changes_its_bitrate_while_it_runs() {
    changes("x264enc");
}

#[test]
fn openh264enc_changes_its_bitrate_while_it_runs() {
    changes("openh264enc");
}

#[test]
fn vp8enc_changes_its_bitrate_while_it_runs() {
    changes("vp8enc");
}

/// The bytes of as many frames before and after the bitrate is divided by four and, later, multiplied again.
fn changes(name: &str) {
    gst::init().unwrap();
    let encoder = H264.iter().chain([&VP8]).find(|encoder| encoder.element == name).unwrap();
    let video = video();
    let pipeline = gst::Pipeline::new();
    let source = make("videotestsrc").unwrap();
    // Noise that changes with every frame, so that there is always more to say than the bitrate allows; and coarse, so
    // that it can be said in less.
    source.set_property_from_str("pattern", "snow");
    let size = |width: i32, height: i32| {
        let caps = gst::Caps::builder("video/x-raw").field("format", "I420");
        let caps = caps.field("width", width).field("height", height);
        caps_filter(&caps.field("framerate", gst::Fraction::new(30, 1)).build()).unwrap()
    };
    let (coarse, filter) = (size(40, 30), size(320, 240));
    let scale = make("videoscale").unwrap();
    let [element, output] = encoder.build(&video, false).unwrap();
    let sink = gst_app::AppSink::builder().sync(false).max_buffers(1).build();
    chain(&pipeline, &[&source, &coarse, &scale, &filter, &element, &output, sink.upcast_ref()]).unwrap();
    // One frame at a time: what is changed here is changed for the frames after it.
    let (frame, frames) = mpsc::sync_channel(0);
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let size = sample.buffer().map_or(0, gst::BufferRef::size);
                frame.send(size).map_err(|_| gst::FlowError::Eos)?;
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    pipeline.set_state(gst::State::Playing).unwrap();
    let bytes = |count: usize| frames.iter().take(count).sum::<usize>();
    bytes(SETTLING);
    let before = bytes(COUNTED);
    assert_eq!(encoder.set_bitrate(&element, video.bitrate / 4), video.bitrate / 4);
    bytes(SETTLING);
    let less = bytes(COUNTED);
    encoder.set_bitrate(&element, video.bitrate);
    bytes(SETTLING);
    let again = bytes(COUNTED);
    drop(frames);
    pipeline.set_state(gst::State::Null).unwrap();
    println!("{name}: {before} bytes in {COUNTED} frames, {less} at a quarter, {again} again");
    // Not a quarter: openh264enc cannot say noise in that little.
    assert!(less * 4 < before * 3, "{name}: {less} bytes at a quarter of the bitrate, {before} before");
    assert!(again * 3 > less * 4, "{name}: {again} bytes at the whole bitrate again, {less} at a quarter");
}

#[test]
fn vp8_keeps_to_its_bitrate_where_frames_are_missing() {
    let (kbit, _) = vp8_of_noise(0.08, true);
    assert!((600..=880).contains(&kbit), "{kbit} kbit/s where 800 were asked for");
}

#[test]
fn vp8_leaves_out_frames_of_what_cannot_be_said_in_its_bitrate() {
    let (kbit, gap) = vp8_of_noise(1.0, false);
    assert!((500..=880).contains(&kbit), "{kbit} kbit/s where 800 were asked for");
    assert!(gap < gst::ClockTime::SECOND, "{gap} without a frame");
}

/// What is made of noise of this contrast at 800 kbit/s, every third frame of it missing where `holes`: in kbit/s, and how long
/// there was no frame at most.
fn vp8_of_noise(contrast: f64, holes: bool) -> (usize, gst::ClockTime) {
    gst::init().unwrap();
    let video = VideoSettings { bitrate: 800, ..video() };
    let pipeline = gst::Pipeline::new();
    let source = make("videotestsrc").unwrap();
    source.set_property_from_str("pattern", "snow");
    source.set_property("num-buffers", 360_i32);
    let caps =
        gst::Caps::builder("video/x-raw").field("format", "I420").field("width", 320).field("height", 240);
    let filter = caps_filter(&caps.field("framerate", gst::Fraction::new(30, 1)).build()).unwrap();
    let faint = make("videobalance").unwrap();
    faint.set_property("contrast", contrast);
    let [element, output] = VP8.build(&video, false).unwrap();
    let sink = gst_app::AppSink::builder().sync(false).build();
    chain(&pipeline, &[&source, &filter, &faint, &element, &output, sink.upcast_ref()]).unwrap();
    let count = std::sync::atomic::AtomicU32::new(0);
    faint.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let third = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 == 2;
        if third && holes { gst::PadProbeReturn::Drop } else { gst::PadProbeReturn::Ok }
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    // From the third second of twelve on.
    let from = gst::ClockTime::from_seconds(2);
    let (mut bits, mut last, mut gap) = (0, from, gst::ClockTime::ZERO);
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap();
        let at = buffer.pts().unwrap();
        if at >= from {
            bits += buffer.size() * 8;
            gap = gap.max(at - last);
            last = at;
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    (bits / 10_000, gap)
}

fn video() -> VideoSettings {
    let video = Settings::default().media.video;
    VideoSettings { width: 320, height: 240, bitrate: 1600, ..video }
}
