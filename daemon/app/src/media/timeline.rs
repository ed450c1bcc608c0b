//! One clock and one base time for every pipeline of the process, so that timestamps mean the same everywhere and
//! a pipeline that is started again goes on where its predecessor stopped. Must not know what a pipeline carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gst::prelude::*;

use super::element::{MediaError, failed};

/// Longest time a pipeline may take to reach a state.
const STATE_DEADLINE: Duration = Duration::from_secs(10);

/// The clock and base time that every pipeline is given.
#[derive(Debug, Clone)]
pub struct Timeline {
    clock: gst::Clock,
    base: gst::ClockTime,
}

/// What a pipeline's bus says, reduced to what somebody acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An element failed: its name and its words.
    Error(String),
    /// The end of a clip.
    EndOfStream,
}

impl Timeline {
    /// Starts counting now.
    pub fn new() -> Self {
        let clock = gst::SystemClock::obtain();
        let base = clock.time();
        Self { clock, base }
    }

    /// An empty pipeline on this timeline. `hear` is called from GStreamer's threads and must only pass the
    /// word on.
    pub fn pipeline(&self, name: &str, hear: impl Fn(Said) + Send + Sync + 'static) -> gst::Pipeline {
        let pipeline = gst::Pipeline::with_name(name);
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(self.base);
        listen(&pipeline, hear);
        pipeline
    }
}

/// Turns the bus into calls of `hear`. Nothing is ever queued on the bus.
pub fn listen(pipeline: &gst::Pipeline, hear: impl Fn(Said) + Send + Sync + 'static) {
    let Some(bus) = pipeline.bus() else { return };
    let weak = pipeline.downgrade();
    let recalculating = Arc::new(AtomicBool::new(false));
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => {
                let source = error.src().map(|s| s.name().to_string()).unwrap_or_default();
                let detail = error.debug().map(|d| d.to_string()).unwrap_or_default();
                let detail = detail.lines().last().unwrap_or_default().trim().to_owned();
                hear(Said::Error(format!("{source}: {} ({detail})", error.error())));
            }
            gst::MessageView::Eos(_) => hear(Said::EndOfStream),
            gst::MessageView::Latency(_) => {
                // One at a time: each waits on a thread of its own for the pipeline to be still.
                let due = !recalculating.swap(true, Ordering::AcqRel);
                if let Some(pipeline) = weak.upgrade().filter(|_| due) {
                    let recalculating = recalculating.clone();
                    pipeline.call_async(move |pipeline| {
                        recalculating.store(false, Ordering::Release);
                        let _ = pipeline.recalculate_latency();
                    });
                }
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

/// Takes a pipeline to PLAYING and waits until it is there. Blocks.
pub fn play(pipeline: &gst::Pipeline) -> Result<(), MediaError> {
    pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
    let limit = gst::ClockTime::try_from(STATE_DEADLINE).unwrap_or(gst::ClockTime::SECOND);
    match pipeline.state(Some(limit)) {
        (Ok(gst::StateChangeSuccess::Async), ..) => {
            Err(MediaError::TooLate { what: "the start of a pipeline", limit: STATE_DEADLINE })
        }
        (Ok(_), ..) => Ok(()),
        (Err(e), ..) => Err(failed(&e)),
    }
}

/// A pipeline that is stopped when this is dropped, which blocks. One that is let go of while it plays takes the process
/// with it.
#[derive(Debug)]
pub struct Stops(pub gst::Pipeline);

impl Drop for Stops {
    fn drop(&mut self) {
        stop(&self.0);
    }
}

/// Takes a pipeline to NULL and cuts it off its bus. Blocks until every thread of it has ended.
pub fn stop(pipeline: &gst::Pipeline) {
    let _ = pipeline.set_state(gst::State::Null);
    if let Some(bus) = pipeline.bus() {
        bus.unset_sync_handler();
        bus.set_flushing(true);
    }
}
