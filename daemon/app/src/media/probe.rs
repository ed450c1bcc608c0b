//! Finds the H.264 encoder of this board by pushing real frames through each candidate: an encoder that exists does
//! not have to work. Must not know captures or viewers.

use std::time::{Duration, Instant};

use gst::prelude::*;
use porthole_core::config::settings::VideoSettings;

use super::element::{MediaError, caps_filter, chain, failed, make};
use super::encoder::{Encoder, candidates};
use super::source::raw_picture;
use super::timeline::{Said, listen, stop};

/// Frames pushed through an encoder.
const FRAMES: i32 = 12;
/// How long they may take; an encoder that hangs has failed.
const DEADLINE: Duration = Duration::from_secs(8);

/// The first candidate that encodes real frames of the asked size. Blocks, up to [`DEADLINE`] for each candidate.
pub fn find(video: &VideoSettings) -> Result<Encoder, MediaError> {
    let mut reasons = Vec::new();
    for encoder in candidates(&video.encoder)? {
        match try_out(&encoder, video) {
            Ok(took) => {
                log::info!(
                    "encoder {} ({}, {}x{}: {:.1} ms a frame)",
                    encoder.element,
                    if encoder.hardware { "hardware" } else { "software" },
                    video.width,
                    video.height,
                    took.as_secs_f64() * 1000.0 / f64::from(FRAMES)
                );
                return Ok(encoder);
            }
            Err(error) => {
                log::info!("encoder {} is not usable: {error}", encoder.element);
                reasons.push(format!("{}: {error}", encoder.element));
            }
        }
    }
    let tried = if reasons.is_empty() { "none is installed".to_owned() } else { reasons.join("; ") };
    Err(MediaError::Failed(format!(
        "no H.264 encoder works ({tried}); install one with: apt-get install gstreamer1.0-plugins-ugly"
    )))
}

/// Pushes frames through one encoder; how long that took.
fn try_out(encoder: &Encoder, video: &VideoSettings) -> Result<Duration, MediaError> {
    let pipeline = gst::Pipeline::with_name("probe");
    let (word, words) = std::sync::mpsc::sync_channel(4);
    listen(&pipeline, move |said| {
        let _ = word.try_send(said);
    });
    let result = (|| {
        let source = make("videotestsrc")?;
        source.set_property("num-buffers", FRAMES);
        let size = caps_filter(&raw_picture(video))?;
        let convert = make("videoconvert")?;
        let [element, output] = encoder.build(video)?;
        let sink = gst_app::AppSink::builder().sync(false).build();
        chain(&pipeline, &[&source, &size, &convert, &element, &output, sink.upcast_ref()])?;
        let frames = std::sync::Arc::new(std::sync::atomic::AtomicI32::new(0));
        let counted = frames.clone();
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    if sample.buffer().is_some_and(|b| b.size() > 0) {
                        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        let began = Instant::now();
        pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
        match words.recv_timeout(DEADLINE) {
            Ok(Said::EndOfStream | Said::Overflowed) => {}
            Ok(Said::Error(words)) => return Err(MediaError::Failed(words)),
            Err(_) => {
                return Err(MediaError::TooLate { what: "the encoding of test frames", limit: DEADLINE });
            }
        }
        match frames.load(std::sync::atomic::Ordering::Relaxed) {
            0 => Err(MediaError::Failed("it took frames and gave none".to_owned())),
            _ => Ok(began.elapsed()),
        }
    })();
    // An encoder that hangs would hang its own shutdown too: that must not keep the daemon from the next one.
    if matches!(result, Err(MediaError::TooLate { .. })) {
        std::thread::spawn(move || stop(&pipeline));
    } else {
        stop(&pipeline);
    }
    result
}
