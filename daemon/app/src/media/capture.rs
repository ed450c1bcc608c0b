//! The camera while it runs: a pipeline that gives its picture as it comes, raw or encoded, and ends in a producer that
//! any number of others can draw from. Must not know sound, renditions or viewers.

use std::sync::Arc;

use gst::prelude::*;
use gst_utils::streamproducer::{ConsumerSettings, ProducerSettings};
use gst_utils::{ConsumptionLink, StreamProducer};
use porthole_core::config::settings::{VideoSettings, VideoSource};
use porthole_core::status::Shows;

use super::cameras::Nodes;
use super::clip::Clip;
use super::debut::Debut;
use super::doors::Closes;
use super::element::{MediaError, failed, link};
use super::own::OwnEncoder;
use super::pulse::Pulse;
use super::source;
use super::timeline::{Stops, Timeline, play, stop};

/// A running camera.
pub struct Capture {
    pipeline: Stops,
    /// The clip that is the camera, where one is: its sound is there too.
    pub clip: Option<Arc<Clip>>,
    /// The picture as the camera gives it.
    pub picture: StreamProducer,
    /// How the camera is called from now on, where there is one.
    pub follow: Option<VideoSource>,
    /// The encoder inside it, where it is that which encodes.
    pub own: Option<OwnEncoder>,
    /// What it is of.
    pub shows: Shows,
    /// Its frames.
    pub pulse: Pulse,
}

impl Capture {
    /// Opens the device and waits for the first frame. Blocks. `lost` is called when it fails later, perhaps more than
    /// once.
    pub fn start(
        settings: &VideoSettings,
        timeline: &Timeline,
        nodes: &Nodes,
        lost: impl Fn(String) + Send + Sync + Clone + 'static,
    ) -> Result<Self, MediaError> {
        let from = source::picture(settings, nodes);
        let clip = match &from {
            VideoSource::File(path) => Some(Arc::new(Clip::open(path, lost.clone())?)),
            _ => None,
        };
        let debut = Debut::new();
        let pipeline = timeline.pipeline("picture", debut.listener(lost));
        let (mut follow, mut own) = (None, None);
        let result = (|| {
            let last = match &from {
                VideoSource::Camera(name) => {
                    let front = source::camera(&pipeline, name, settings, nodes)?;
                    (follow, own) = (Some(front.follow), front.own);
                    front.last
                }
                VideoSource::File(_) => {
                    let entry = source::entry(&pipeline)?;
                    if let Some(clip) = &clip {
                        clip.feed_picture(&entry);
                    }
                    entry.upcast()
                }
                VideoSource::Test | VideoSource::Auto(_) => source::test_picture(&pipeline, settings)?,
            };
            let (picture, sink) = producer(&pipeline, &last)?;
            let pulse = Pulse::of(&sink);
            debut.watch(&sink);
            play(&pipeline)?;
            if let Some(clip) = &clip {
                clip.play()?;
            }
            debut.wait()?;
            Ok((picture, pulse))
        })();
        match result {
            Ok((picture, pulse)) => {
                let shows = match from {
                    VideoSource::Camera(_) => Shows::Camera,
                    VideoSource::File(_) => Shows::File,
                    VideoSource::Test if settings.source == VideoSource::Test => Shows::Test,
                    VideoSource::Test | VideoSource::Auto(_) => Shows::StandIn,
                };
                Ok(Self { pipeline: Stops(pipeline), clip, picture, follow, own, shows, pulse })
            }
            Err(error) => {
                stop(&pipeline);
                Err(source::explain(error, &from, nodes))
            }
        }
    }
}

impl Closes for Capture {
    fn close(self) {
        let Self { pipeline, clip, .. } = self;
        // Its sound may hold it too.
        clip.inspect(|clip| clip.stop());
        drop(pipeline);
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
    link(last, &sink)?;
    let producer = StreamProducer::with(&sink, ProducerSettings { sync: false });
    // A camera that is unplugged says on its way out that this was the end; whoever draws from here goes on with what comes
    // in its place, and takes nothing any more once it has been told of an end.
    producer.set_forward_events([gst::EventType::Gap]);
    Ok((producer, sink))
}

/// Feeds `entry` with what the camera gives, from now on.
pub fn feed(picture: &StreamProducer, entry: gst_app::AppSrc) -> Result<ConsumptionLink, MediaError> {
    // Raw frames are large: who is slow loses old ones rather than memory.
    let limits = ConsumerSettings { max_buffer: 3, ..ConsumerSettings::default() };
    let mut link = ConsumptionLink::disconnected_with(entry, limits);
    // Cameras that encode by themselves do not all mark their key frames, nor does every driver pass the marks on: the parser
    // behind `entry` finds them. Said first, or the link would wait for a marked one all the same.
    link.set_wait_for_keyframe(false);
    link.change_producer(picture, false).map_err(|e| failed(&e))?;
    Ok(link)
}

/// Somebody who draws from a producer, and what they have seen.
#[cfg(test)]
fn onlooker() -> (gst::Pipeline, gst_app::AppSrc, gst_app::AppSink) {
    let pipeline = gst::Pipeline::new();
    let entry = gst_app::AppSrc::builder().build();
    StreamProducer::configure_consumer(&entry);
    let seen = gst_app::AppSink::builder().sync(false).build();
    seen.set_property("async", false);
    super::element::chain(&pipeline, &[entry.upcast_ref(), seen.upcast_ref()]).expect("they fit");
    play(&pipeline).expect("it plays");
    (pipeline, entry, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::element::{chain, make};

    /// Only bounds a hang.
    const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(20);

    #[test]
    fn the_end_of_a_camera_is_not_the_end_of_who_draws_from_it() {
        gst::init().unwrap();
        let (drawing, entry, seen) = onlooker();
        for _camera in 0..2 {
            let pipeline = gst::Pipeline::new();
            let source = make("videotestsrc").unwrap();
            source.set_property("num-buffers", 2);
            chain(&pipeline, &[&source]).unwrap();
            let (producer, _) = producer(&pipeline, &source).unwrap();
            let link = producer.add_consumer(&entry).unwrap();
            link.set_wait_for_keyframe(false);
            play(&pipeline).unwrap();
            let bus = pipeline.bus().unwrap();
            assert!(bus.timed_pop_filtered(LIMIT, &[gst::MessageType::Eos]).is_some());
            for _frame in 0..2 {
                assert!(seen.try_pull_sample(LIMIT).is_some());
            }
            stop(&pipeline);
        }
        stop(&drawing);
    }
}
