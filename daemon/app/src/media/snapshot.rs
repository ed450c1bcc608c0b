//! One picture of the camera's as JPEG, drawn from it while it runs. Must not know who wants it.

use std::sync::mpsc;
use std::time::Duration;

use gst::prelude::*;
use gst_utils::StreamProducer;
use porthole_core::whep::Jpeg;

use super::capture::feed;
use super::element::{MediaError, chain, failed, link, make};
use super::rendition::picture_is_h264;
use super::timeline::{Said, Timeline, play, stop};

/// How long it may take. A camera that encodes by itself gives a whole picture every few seconds only.
const LIMIT: Duration = Duration::from_secs(8);
/// Of 100.
const QUALITY: i32 = 85;
/// Most bytes of a picture that is handed on.
const MOST: usize = 8 * 1024 * 1024;

/// Takes the next picture. Does not block, and ends in time whatever hangs.
///
/// # Errors
/// Why there is none.
pub async fn take(picture: StreamProducer, timeline: Timeline) -> Result<Jpeg, String> {
    let taking = tokio::task::spawn_blocking(move || draw(&picture, &timeline));
    match tokio::time::timeout(LIMIT * 2, taking).await {
        Ok(Ok(taken)) => taken.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("the thread that made it panicked".to_owned()),
        Err(_) => Err(format!("it hangs: nothing came of it within {:?}", LIMIT * 2)),
    }
}

/// Draws one frame and encodes it. Blocks.
fn draw(picture: &StreamProducer, timeline: &Timeline) -> Result<Jpeg, MediaError> {
    let (tell, told) = mpsc::sync_channel(1);
    let heard = tell.clone();
    let pipeline = timeline.pipeline("snapshot", move |said| {
        if let Said::Error(words) = said {
            // Whoever waits has heard enough.
            let _ = heard.try_send(Err(words));
        }
    });
    let drawn = (|| {
        let entry = gst_app::AppSrc::builder().format(gst::Format::Time).is_live(true).build();
        pipeline.add(&entry).map_err(|e| failed(&e))?;
        let encoded_by_camera = picture_is_h264(picture);
        let raw = if encoded_by_camera {
            let (parser, decoder) = (make("h264parse")?, make("openh264dec")?);
            chain(&pipeline, &[&parser, &decoder])?;
            link(&entry, &parser)?;
            decoder
        } else {
            entry.clone().upcast()
        };
        let (convert, encoder) = (make("videoconvert")?, make("jpegenc")?);
        encoder.set_property("quality", QUALITY);
        let sink = gst_app::AppSink::builder().sync(false).max_buffers(1).drop(true).build();
        sink.set_property("async", false);
        sink.set_callbacks(gst_app::AppSinkCallbacks::builder().new_sample(first(tell)).build());
        chain(&pipeline, &[&convert, &encoder, sink.upcast_ref()])?;
        link(&raw, &convert)?;
        play(&pipeline)?;
        let _feed = feed(picture, entry)?;
        match told.recv_timeout(LIMIT) {
            Ok(taken) => taken.map_err(MediaError::Failed),
            Err(_) => Err(MediaError::TooLate { what: "a picture of the camera's", limit: LIMIT }),
        }
    })();
    stop(&pipeline);
    drawn
}

/// Tells the first picture that comes.
fn first(
    tell: mpsc::SyncSender<Result<Jpeg, String>>,
) -> impl Fn(&gst_app::AppSink) -> Result<gst::FlowSuccess, gst::FlowError> + Send + Sync + 'static {
    move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let map = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
        let taken = match map {
            Some(map) if map.len() <= MOST => Ok(Jpeg(map.as_slice().into())),
            Some(map) => Err(format!("it has {} bytes, which is too large", map.len())),
            None => Err("it cannot be read".to_owned()),
        };
        // Only the first one finds room.
        let _ = tell.try_send(taken);
        Ok(gst::FlowSuccess::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::super::capture::producer;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_raw_picture_and_one_that_the_camera_has_encoded_become_a_jpeg_of_the_same_size() {
        gst::init().unwrap();
        for encoded in [false, true] {
            let (pipeline, picture) = camera(encoded);
            let jpeg = take(picture, Timeline::new()).await.unwrap();
            stop(&pipeline);
            assert_eq!(size(&jpeg.0), (160, 120), "encoded: {encoded}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_camera_that_fails_meanwhile_is_said_to() {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let caps = gst::Caps::builder("video/x-raw").field("format", "odd").build();
        let source = gst_app::AppSrc::builder().caps(&caps).is_live(true).build();
        chain(&pipeline, &[source.upcast_ref()]).unwrap();
        let (picture, _) = producer(&pipeline, source.upcast_ref()).unwrap();
        play(&pipeline).unwrap();
        let pushing = std::thread::spawn({
            let source = source.clone();
            move || {
                while source.push_buffer(gst::Buffer::from_slice([0; 9])).is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        let failed = take(picture, Timeline::new()).await.unwrap_err();
        stop(&pipeline);
        pushing.join().unwrap();
        assert!(!failed.is_empty() && !failed.contains("hangs"), "{failed}");
    }

    /// A test picture, raw or as a camera gives it that encodes by itself.
    fn camera(encoded: bool) -> (gst::Pipeline, StreamProducer) {
        let pipeline = gst::Pipeline::new();
        let source = make("videotestsrc").unwrap();
        source.set_property("is-live", true);
        let caps = gst::Caps::builder("video/x-raw").field("width", 160).field("height", 120);
        let caps = caps.field("format", "I420").field("framerate", gst::Fraction::new(20, 1)).build();
        let filter = super::super::element::caps_filter(&caps).unwrap();
        chain(&pipeline, &[&source, &filter]).unwrap();
        let last = if encoded {
            let (encoder, parser) = (make("x264enc").unwrap(), make("h264parse").unwrap());
            encoder.set_property_from_str("tune", "zerolatency");
            encoder.set_property("key-int-max", 10_u32);
            chain(&pipeline, &[&encoder, &parser]).unwrap();
            filter.link(&encoder).unwrap();
            parser
        } else {
            filter
        };
        let (picture, sink) = producer(&pipeline, &last).unwrap();
        play(&pipeline).unwrap();
        // What the producer gives is known with its first frame.
        while sink.static_pad("sink").and_then(|pad| pad.current_caps()).is_none() {
            std::thread::yield_now();
        }
        (pipeline, picture)
    }

    /// Width and height in the frame header (ITU-T T.81 section B.2.2).
    fn size(jpeg: &[u8]) -> (u16, u16) {
        assert_eq!(jpeg[..2], [0xff, 0xd8]);
        let mut at = 2;
        loop {
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if (0xc0..=0xc2).contains(&jpeg[at + 1]) {
                let number = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
                return (number(at + 7), number(at + 5));
            }
            at += 2 + length;
        }
    }
}
