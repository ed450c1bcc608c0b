//! A recording that plays in a loop as if it were live. Runs on a timeline of its own (its seeks start it anew) and
//! pushes what comes out into capture pipelines, which stamp it with their own time. Must not know who watches.

use std::path::Path;
use std::sync::mpsc::TrySendError;
use std::time::Duration;

use gst::prelude::*;

use super::element::{MediaError, chain, failed, make};
use super::source;
use super::timeline::{Said, listen, stop};

/// How long a clip may take to be opened.
const OPEN: Duration = Duration::from_secs(10);

/// An open recording.
pub struct Clip {
    pipeline: gst::Pipeline,
    picture: gst_app::AppSink,
    sound: Option<gst_app::AppSink>,
}

impl Clip {
    /// Opens a recording and learns what is in it. Blocks. `lost` is called when it fails later.
    pub fn open(path: &Path, lost: impl Fn(String) + Send + Sync + 'static) -> Result<Self, MediaError> {
        let uri = &source::clip_uri(path)?;
        let pipeline = gst::Pipeline::with_name("clip");
        let decoder = make("uridecodebin")?;
        decoder.set_property("uri", uri);
        pipeline.add(&decoder).map_err(|e| failed(&e))?;

        let picture = branch(&pipeline, &["videoconvert"])?;
        let sound = branch(&pipeline, &["audioconvert", "audioresample"])?;
        let entries = [("video/", picture.0.downgrade()), ("audio/", sound.0.downgrade())];
        decoder.connect_pad_added(move |_, pad| {
            let kind = pad.current_caps().or_else(|| Some(pad.query_caps(None)));
            let Some(kind) = kind.and_then(|caps| caps.structure(0).map(|s| s.name().to_string())) else {
                return;
            };
            for (prefix, entry) in &entries {
                let free =
                    entry.upgrade().and_then(|e| e.static_pad("sink")).filter(|sink| !sink.is_linked());
                if let (true, Some(sink)) = (kind.starts_with(prefix), free) {
                    let _ = pad.link(&sink);
                }
            }
        });

        let (known, outcome) = std::sync::mpsc::sync_channel(1);
        decoder.connect_no_more_pads({
            let known = known.clone();
            move |_| {
                let _ = known.try_send(Ok(()));
            }
        });
        let (again, file) = (pipeline.downgrade(), path.to_owned());
        listen(&pipeline, move |said| match said {
            // While it is being opened somebody waits for this; later nobody does.
            Said::Error(words) => {
                if let Err(TrySendError::Disconnected(Err(words))) = known.try_send(Err(words)) {
                    lost(format!("the clip stopped: {words}"));
                }
            }
            Said::EndOfStream if !file.exists() => {
                lost(format!("the clip {} is gone; put it back", file.display()));
            }
            Said::EndOfStream => {
                if let Some(pipeline) = again.upgrade() {
                    pipeline.call_async(|pipeline| {
                        let _ = pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO);
                    });
                }
            }
        });
        // A start that fails has said why.
        let _ = pipeline.set_state(gst::State::Paused);
        let known =
            outcome.recv_timeout(OPEN).unwrap_or_else(|_| Err(format!("it did not open within {OPEN:?}")));
        let has = |branch: &(gst::Element, gst_app::AppSink)| {
            branch.0.static_pad("sink").is_some_and(|pad| pad.is_linked())
        };
        let seen = known.and_then(|()| {
            if has(&picture) { Ok(()) } else { Err("it holds no picture that can be decoded".to_owned()) }
        });
        if let Err(why) = seen {
            stop(&pipeline);
            return Err(MediaError::Failed(format!("the clip {uri} cannot be played: {why}")));
        }
        let sound = if has(&sound) {
            Some(sound.1)
        } else {
            // A sink that never gets a buffer would keep the pipeline from starting.
            drop_branch(&pipeline, &sound);
            None
        };
        Ok(Self { pipeline, picture: picture.1, sound })
    }

    /// Whether it has a sound track.
    pub fn has_sound(&self) -> bool {
        self.sound.is_some()
    }

    /// Sends the picture into a live entry.
    pub fn feed_picture(&self, entry: &gst_app::AppSrc) {
        source::feed(&self.picture, entry, || {});
    }

    /// Sends the sound into a live entry.
    pub fn feed_sound(&self, entry: &gst_app::AppSrc) {
        if let Some(sound) = &self.sound {
            source::feed(sound, entry, || {});
        }
    }

    /// Lets it run, for ever.
    pub fn play(&self) -> Result<(), MediaError> {
        self.pipeline.set_state(gst::State::Playing).map(|_| ()).map_err(|e| failed(&e))
    }

    /// Closes it. Blocks.
    pub fn stop(&self) {
        stop(&self.pipeline);
    }
}

impl Drop for Clip {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Converters that end in a sink which waits for the clock; the first element and the sink.
fn branch(
    pipeline: &gst::Pipeline,
    factories: &[&str],
) -> Result<(gst::Element, gst_app::AppSink), MediaError> {
    let queue = make("queue")?;
    let mut elements = vec![queue.clone()];
    for factory in factories {
        elements.push(make(factory)?);
    }
    // What nobody draws from must not keep the clip from ending, and so from starting again.
    let sink = gst_app::AppSink::builder().sync(true).max_buffers(4).drop(true).wait_on_eos(false).build();
    elements.push(sink.clone().upcast());
    chain(pipeline, &elements.iter().collect::<Vec<_>>())?;
    Ok((queue, sink))
}

/// Takes an unused branch out again.
fn drop_branch(pipeline: &gst::Pipeline, branch: &(gst::Element, gst_app::AppSink)) {
    let mut next = Some(branch.0.clone());
    while let Some(element) = next {
        next = element.static_pad("src").and_then(|pad| pad.peer()).and_then(|peer| peer.parent_element());
        let _ = pipeline.remove(&element);
        let _ = element.set_state(gst::State::Null);
    }
}
