//! How a pipeline begins: with its first frame, or with the error that came instead. What fails later is for somebody
//! else to hear. Must not know what the pipeline is for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use gst::prelude::*;

use super::element::MediaError;
use super::timeline::Said;

/// How long a camera may take to its first frame.
const LIMIT: Duration = Duration::from_secs(8);

/// The wait for a first frame.
pub struct Debut {
    tell: SyncSender<Result<(), String>>,
    told: Receiver<Result<(), String>>,
    /// The first frame has come, and nothing has failed since.
    over: Arc<AtomicBool>,
}

impl Debut {
    /// Nothing has come yet.
    pub fn new() -> Self {
        let (tell, told) = sync_channel(4);
        Self { tell, told, over: Arc::default() }
    }

    /// Takes what the pipeline's bus says: until the first frame an error ends the wait, afterwards the first one goes
    /// to `lost`.
    pub fn listener(
        &self,
        lost: impl Fn(String) + Send + Sync + 'static,
    ) -> impl Fn(Said) + Send + Sync + 'static {
        let (tell, over) = (self.tell.clone(), self.over.clone());
        move |said| {
            let Said::Error(words) = said else { return };
            if over.swap(false, Ordering::AcqRel) {
                lost(words);
            } else {
                // Nobody waits any more.
                let _ = tell.try_send(Err(words));
            }
        }
    }

    /// Looks out for the first buffer that reaches a sink.
    pub fn watch(&self, sink: &gst_app::AppSink) {
        let tell = self.tell.clone();
        if let Some(pad) = sink.static_pad("sink") {
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                let _ = tell.try_send(Ok(()));
                gst::PadProbeReturn::Remove
            });
        }
    }

    /// Waits for the first frame. Blocks.
    ///
    /// # Errors
    /// What came instead, or that nothing did.
    pub fn wait(&self) -> Result<(), MediaError> {
        let first = self.told.recv_timeout(LIMIT);
        let first = first.map_err(|_| MediaError::TooLate { what: "the first frame", limit: LIMIT })?;
        self.over.store(true, Ordering::Release);
        // An error may have followed the first frame before anybody else listened.
        let mut told = std::iter::once(first).chain(self.told.try_iter());
        told.find_map(Result::err).map_or(Ok(()), |words| Err(MediaError::Failed(words)))
    }
}
