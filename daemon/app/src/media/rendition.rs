//! One encoding of the picture while it is made: capture's picture in, encoded frames out, in a pipeline of its own so
//! that it can start and stop without touching the camera. Must not know viewers.

use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use gst_utils::{ConsumptionLink, StreamProducer};
use porthole_core::config::settings::VideoSettings;
use porthole_core::ids::Rendition;
use porthole_core::sdp::choose::Codec;

use super::capture::feed;
use super::doors::Closes;
use super::element::{MediaError, chain, failed, link, make};
use super::encoder::{Encoder, VP8};
use super::fan::{Fan, payload};
use super::pulse::Pulse;
use super::source::raw_picture;
use super::timeline::{Said, Stops, Timeline, play, stop};

/// An encoding that is being made. Closing it ends it.
pub struct Encoding {
    feed: ConsumptionLink,
    /// What encodes it; nothing where the camera does.
    encoder: Option<Box<(Encoder, gst::Element)>>,
    pipeline: Stops,
    /// The encoded frames.
    pub frames: Fan,
    /// The last element before they become packets.
    last: gst::Element,
    /// The same, counted.
    pub pulse: Pulse,
}

/// What an encoding reports, from GStreamer's threads.
pub trait Hear: Fn(Word) + Send + Sync + Clone + 'static {}
impl<T: Fn(Word) + Send + Sync + Clone + 'static> Hear for T {}

/// What an encoding reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A viewer wants a key frame.
    KeyFrameWanted,
    /// It failed, in GStreamer's words.
    Failed(String),
}

impl Encoding {
    /// Starts encoding `picture`. Blocks. Whether frames come of it is seen by their pulse.
    pub fn start(
        rendition: Rendition,
        encoder: &Encoder,
        picture: &StreamProducer,
        video: &VideoSettings,
        timeline: &Timeline,
        hear: impl Hear,
    ) -> Result<Self, MediaError> {
        let fail = hear.clone();
        let pipeline = timeline.pipeline(&format!("{rendition}"), move |said| {
            if let Said::Error(words) = said {
                fail(Word::Failed(words));
            }
        });
        let result = (|| {
            // Its thread, and those of the encoder, are called so where a person looks (`top -H`).
            let name = match rendition {
                Rendition::H264 => "h264",
                Rendition::Vp8 => "vp8",
                Rendition::SmallH264 => "small-h264",
                Rendition::SmallVp8 => "small-vp8",
            };
            let entry = gst_app::AppSrc::builder().name(name).format(gst::Format::Time).is_live(true).build();
            pipeline.add(&entry).map_err(|e| failed(&e))?;
            let encoded_by_camera = picture_is_h264(picture);
            let mut from: gst::Element = entry.clone().upcast();
            if encoded_by_camera && rendition != Rendition::H264 {
                let (parser, decoder) = (make("h264parse")?, make("openh264dec")?);
                chain(&pipeline, &[&parser, &decoder])?;
                link(&from, &parser)?;
                from = decoder;
            }
            if rendition.is_small() {
                thin_out(&from, video.framerate);
            }
            let (last, made_by) = match rendition {
                Rendition::H264 if encoded_by_camera => {
                    let parser = h264_parser()?;
                    chain(&pipeline, &[&parser])?;
                    link(&from, &parser)?;
                    (parser, None)
                }
                Rendition::H264 | Rendition::SmallH264 => {
                    let parser = h264_parser()?;
                    let [element, last] = encode(&pipeline, &from, encoder, rendition, video)?;
                    chain(&pipeline, &[&parser])?;
                    link(&last, &parser)?;
                    (parser, Some(Box::new((*encoder, element))))
                }
                Rendition::Vp8 | Rendition::SmallVp8 => {
                    let [element, last] = encode(&pipeline, &from, &VP8, rendition, video)?;
                    (last, Some(Box::new((VP8, element))))
                }
            };
            let wish = move || hear(Word::KeyFrameWanted);
            let (frames, pulse) = payload(&pipeline, &last, Codec::Video(rendition), wish)?;
            if made_by.is_none() {
                frames.is_from_the_camera();
            }
            play(&pipeline)?;
            Ok((feed(picture, entry)?, made_by, frames, last, pulse))
        })();
        match result {
            Ok((feed, encoder, frames, last, pulse)) => {
                Ok(Self { feed, encoder, pipeline: Stops(pipeline), frames, last, pulse })
            }
            Err(error) => {
                stop(&pipeline);
                Err(error)
            }
        }
    }

    /// Makes it take this many kbit/s from now on. Whether it could: not where the camera encodes it.
    pub fn set_bitrate(&self, kbit: u32) -> bool {
        if let Some((encoder, element)) = self.encoder.as_deref() {
            encoder.set_bitrate(element, kbit);
        }
        self.is_made_here()
    }

    /// Whether it is encoded here, and not by the camera.
    pub fn is_made_here(&self) -> bool {
        self.encoder.is_some()
    }

    /// Asks the encoder for a key frame now.
    pub fn force_key_frame(&self) {
        let event = gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
        if let Some(pad) = self.last.static_pad("src") {
            pad.send_event(event);
        }
    }
}

impl Closes for Encoding {
    fn close(self) {
        drop(self.feed);
        drop(self.pipeline);
    }
}

/// Converts, scales and encodes what `from` gives; answers the encoder and the last element.
fn encode(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    encoder: &Encoder,
    rendition: Rendition,
    video: &VideoSettings,
) -> Result<[gst::Element; 2], MediaError> {
    let convert = make("videoconvert")?;
    let scale = make("videoscale")?;
    let mut size = raw_picture(video);
    // A camera's own rate is kept; forcing another would add a frame of delay.
    if let Some(structure) = size.make_mut().structure_mut(0) {
        structure.remove_fields(["framerate", "format"]);
        structure.set("pixel-aspect-ratio", gst::Fraction::new(1, 1));
    }
    let size = super::element::caps_filter(&size)?;
    let [element, output] = encoder.build(video, rendition.is_small())?;
    chain(pipeline, &[&convert, &scale, &size, &element, &output])?;
    link(from, &convert)?;
    Ok([element, output])
}

/// Lets no more than about `framerate` frames a second of what `from` gives through, evenly.
fn thin_out(from: &gst::Element, framerate: u32) {
    let Some(pad) = from.static_pad("src") else { return };
    let period = 1_000_000_000 / u64::from(framerate.max(1));
    // A camera's frames do not come on the dot.
    let early = period / 4;
    let due = AtomicU64::new(0);
    // An encoder divides its bitrate by what it is told.
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) else {
            return gst::PadProbeReturn::Ok;
        };
        let thinned = thinned(caps.caps(), framerate);
        if thinned.as_ref() != caps.caps() {
            info.data = Some(gst::PadProbeData::Event(gst::event::Caps::new(&thinned)));
        }
        gst::PadProbeReturn::Ok
    });
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(at) = info.buffer().and_then(|buffer| buffer.pts()).map(gst::ClockTime::nseconds) else {
            return gst::PadProbeReturn::Ok;
        };
        let next = due.load(Ordering::Relaxed);
        // One that is due in a while, and not since before the clock was set back.
        if (at + early..=at + 2 * period).contains(&next) {
            return gst::PadProbeReturn::Drop;
        }
        due.store(if next + period > at { next + period } else { at + period }, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
}

/// The same with a frame rate of that at most.
fn thinned(caps: &gst::CapsRef, framerate: u32) -> gst::Caps {
    let mut thinned = caps.to_owned();
    let most = gst::Fraction::new(i32::try_from(framerate).unwrap_or(i32::MAX), 1);
    if let Some(said) = thinned.make_mut().structure_mut(0)
        && said.get::<gst::Fraction>("framerate").is_ok_and(|rate| rate > most)
    {
        said.set("framerate", most);
    }
    thinned
}

/// Turns any H.264 into what the payloader wants: whole pictures, parameter sets before each key frame.
fn h264_parser() -> Result<gst::Element, MediaError> {
    let parser = make("h264parse")?;
    parser.set_property("config-interval", -1_i32);
    // What comes as it is wanted would go through unread, and with whatever marks of key frames it has.
    parser.set_property("disable-passthrough", true);
    Ok(parser)
}

/// Whether the camera encodes by itself.
pub fn picture_is_h264(picture: &StreamProducer) -> bool {
    picture
        .appsink()
        .static_pad("sink")
        .and_then(|pad| pad.current_caps())
        .is_some_and(|caps| caps.structure(0).is_some_and(|s| s.name() == "video/x-h264"))
}

#[cfg(test)]
mod tests {
    use porthole_core::config::settings::Settings;

    use super::super::capture::producer;
    use super::super::encoder::stand_in;
    use super::super::fan::{payload_tests::units, tests::Viewer};
    use super::*;

    #[test]
    fn an_encoder_of_a_picture_that_is_thinned_out_is_told_so() {
        gst::init().unwrap();
        let caps = |rate: i32| {
            let caps = gst::Caps::builder("video/x-raw").field("width", 640_i32);
            caps.field("framerate", gst::Fraction::new(rate, 1)).build()
        };
        assert_eq!([thinned(&caps(30), 15), thinned(&caps(10), 15)], [caps(15), caps(10)]);
        let any = gst::Caps::builder("video/x-raw").build();
        assert_eq!(thinned(&any, 15), any);
    }

    #[test]
    fn a_camera_that_encodes_and_marks_no_key_frame_is_seen_from_its_next_one_on() {
        gst::init().unwrap();
        let camera = gst::Pipeline::new();
        let source = make("videotestsrc").unwrap();
        source.set_property("is-live", true);
        let encoder = make("x264enc").unwrap();
        encoder.set_property_from_str("tune", "zerolatency");
        encoder.set_property("key-int-max", 10_u32);
        let parser = h264_parser().unwrap();
        chain(&camera, &[&source, &encoder, &parser]).unwrap();
        // As cameras give it, and as little as some drivers say of it.
        let caps =
            gst::Caps::builder("video/x-h264").field("stream-format", "byte-stream").field("alignment", "au");
        let filter = super::super::element::caps_filter(&caps.build()).unwrap();
        chain(&camera, &[&filter]).unwrap();
        parser.link(&filter).unwrap();
        filter.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, |_, info| {
            info.buffer_mut().unwrap().make_mut().set_flags(gst::BufferFlags::DELTA_UNIT);
            gst::PadProbeReturn::Ok
        });
        let (picture, sink) = producer(&camera, &filter).unwrap();
        play(&camera).unwrap();
        while sink.static_pad("sink").unwrap().current_caps().is_none() {
            std::thread::yield_now();
        }
        let timeline = Timeline::new();
        let video = Settings::default().media.video;
        let unused = stand_in("fakesink", "", "");
        let encoding =
            Encoding::start(Rendition::H264, &unused, &picture, &video, &timeline, |_| {}).unwrap();

        assert!(encoding.frames.is_the_camera_s());
        let viewer = Viewer::new("video");
        viewer.gate.draw_from(Some(&encoding.frames));
        viewer.gate.open();
        let first = viewer.sees();
        // A sequence parameter set (ITU-T H.264, table 7-1) comes with key frames alone.
        assert!(units(&first).contains(&7), "{first:?}");
        viewer.gate.close();
        encoding.close();
        stop(&camera);
    }
}
