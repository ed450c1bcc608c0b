//! A file that is played once: decoded in a pipeline of its own, so that a broken one harms nobody, at the pace of a
//! clock, into an entry of the speaker. Must not know what else is played.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use porthole_core::speaker::PlayState;

use super::super::element::{MediaError, chain, failed, make};
use super::super::source;
use super::super::timeline::{Said, Stops, listen};

/// A file that is played.
pub struct Player {
    _pipeline: Stops,
}

impl Player {
    /// Begins to play. `volume`: in percent. What comes of it is told to `hear`, from GStreamer's threads.
    pub fn open(
        file: &str,
        volume: u32,
        entry: &gst_app::AppSrc,
        hear: impl Fn(PlayState) + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let path = Path::new(file);
        let is_file = std::fs::metadata(path)
            .map_err(|error| {
                failed(&format!("{file} cannot be read by the user that Porthole runs as: {error}"))
            })?
            .is_file();
        if !is_file {
            return Err(failed(&format!("{file} is no file")));
        }
        let uri = source::clip_uri(path)?;
        let pipeline = gst::Pipeline::with_name("player");
        let hear = Arc::new(hear);
        let told = hear.clone();
        listen(&pipeline, move |said| match said {
            Said::Error(words) => told(PlayState::Failed(words)),
            Said::EndOfStream => told(PlayState::Ended),
        });
        let built = (|| {
            let decoder = make("uridecodebin")?;
            decoder.set_property("uri", uri);
            decoder.set_property("caps", gst::Caps::builder("audio/x-raw").any_features().build());
            decoder.set_property("expose-all-streams", false);
            pipeline.add(&decoder).map_err(|e| failed(&e))?;
            let (convert, resample) = (make("audioconvert")?, make("audioresample")?);
            let louder = make("volume")?;
            louder.set_property("volume", f64::from(volume) / 100.0);
            let sink = gst_app::AppSink::builder().sync(true).max_buffers(4).build();
            chain(&pipeline, &[&convert, &resample, &louder, sink.upcast_ref()])?;
            let begun = AtomicBool::new(false);
            source::feed(&sink, entry, {
                let hear = hear.clone();
                move || {
                    if !begun.swap(true, Ordering::Relaxed) {
                        hear(PlayState::Playing);
                    }
                }
            });
            let entry = convert.downgrade();
            decoder.connect_pad_added(move |_, pad| {
                let sink = entry.upgrade().and_then(|entry| entry.static_pad("sink"));
                if let Some(sink) = sink.filter(|sink| !sink.is_linked()) {
                    let _ = pad.link(&sink);
                }
            });
            let entry = convert.downgrade();
            decoder.connect_no_more_pads(move |_| {
                let sink = entry.upgrade().and_then(|entry| entry.static_pad("sink"));
                if sink.is_some_and(|sink| !sink.is_linked()) {
                    hear(PlayState::Failed("it holds no sound that can be decoded".to_owned()));
                }
            });
            pipeline.set_state(gst::State::Playing).map(|_| ()).map_err(|e| failed(&e))
        })();
        let _pipeline = Stops(pipeline);
        // A start that fails at once has said why better than this.
        built.map(|()| Self { _pipeline })
    }
}
