//! The camera while it runs: a pipeline that gives its picture as it comes, raw or encoded, and ends in a producer that
//! any number of others can draw from. Must not know sound, renditions or viewers.

use std::sync::Arc;

use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use porthole_core::config::settings::{VideoSettings, VideoSource};

use super::clip::Clip;
use super::debut::Debut;
use super::doors::Closes;
use super::element::{MediaError, failed};
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
    /// Its frames.
    pub pulse: Pulse,
}

impl Capture {
    /// Opens the device and waits for the first frame. Blocks. `lost` is called when it fails later, perhaps more than
    /// once.
    pub fn start(
        settings: &VideoSettings,
        timeline: &Timeline,
        lost: impl Fn(String) + Send + Sync + Clone + 'static,
    ) -> Result<Self, MediaError> {
        let from = source::picture(settings);
        let clip = match &from {
            VideoSource::File(path) => Some(Arc::new(Clip::open(path, lost.clone())?)),
            _ => None,
        };
        let debut = Debut::new();
        let pipeline = timeline.pipeline("picture", debut.listener(lost));
        let mut follow = None;
        let result = (|| {
            let last = match &from {
                VideoSource::Camera(name) => {
                    let front = source::camera(&pipeline, name, settings)?;
                    follow = Some(front.follow);
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
            Ok((picture, pulse)) => Ok(Self { pipeline: Stops(pipeline), clip, follow, picture, pulse }),
            Err(error) => {
                stop(&pipeline);
                Err(source::explain(error, &from))
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
    last.link(&sink).map_err(|e| failed(&e))?;
    Ok((StreamProducer::with(&sink, ProducerSettings { sync: false }), sink))
}
