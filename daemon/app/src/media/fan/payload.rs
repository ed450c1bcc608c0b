//! The end of a pipeline that encodes: what makes packets of frames, and hands them to a fan. Must not know calls.

use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use porthole_core::ids::Rendition;
use porthole_core::sdp::choose::Codec;

use super::Fan;
use super::frame::Frame;
use crate::media::element::{MediaError, caps_filter, chain, failed, link, make};
use crate::media::pulse::Pulse;

/// Largest RTP packet, in bytes: fits every path with room for SRTP, TURN and tunnels.
const MTU: u32 = 1200;

/// Ends `pipeline`, whose last element so far is `last`, in a fan. `hear` is called when somebody wants a key frame. Answers
/// the frames' pulse, too.
///
/// # Errors
/// GStreamer's.
pub fn payload(
    pipeline: &gst::Pipeline,
    last: &gst::Element,
    codec: Codec,
    hear: impl Fn() + Send + Sync + 'static,
) -> Result<(Fan, Pulse), MediaError> {
    let (payloader, mut elements) = match codec {
        Codec::Video(Rendition::H264 | Rendition::SmallH264) => {
            let payloader = make("rtph264pay")?;
            payloader.set_property_from_str("aggregate-mode", "zero-latency");
            payloader.set_property("config-interval", -1_i32);
            let whole = gst::Caps::builder("video/x-h264")
                .field("stream-format", "byte-stream")
                .field("alignment", "au")
                .build();
            (payloader, vec![caps_filter(&whole)?])
        }
        Codec::Video(Rendition::Vp8 | Rendition::SmallVp8) => {
            let payloader = make("rtpvp8pay")?;
            payloader.set_property_from_str("picture-id-mode", "15-bit");
            (payloader, Vec::new())
        }
        Codec::Opus => (make("rtpopuspay")?, Vec::new()),
    };
    payloader.set_property("mtu", MTU);
    // Each call shifts it.
    payloader.set_property("timestamp-offset", 0_u32);
    let sink = make("fakesink")?;
    sink.set_property("sync", false);
    sink.set_property("async", false);
    sink.set_property("enable-last-sample", false);
    elements.extend([payloader.clone(), sink]);
    chain(pipeline, &elements.iter().collect::<Vec<_>>())?;
    if let Some(first) = elements.first() {
        link(last, first)?;
    }
    let fan = Fan::new(hear);
    #[cfg(test)]
    fan.0.payloader.set(Some(&payloader));
    let [entry, exit] = ["sink", "src"].map(|name| payloader.static_pad(name));
    let (entry, exit) = entry.zip(exit).ok_or_else(|| failed(&"the payloader has no pads"))?;
    keep_wishes_from(&entry);
    hand_on(&entry, &exit, codec, fan.clone());
    Ok((fan, Pulse::of_pad(&entry)))
}

/// Keeps from a payloader that a key frame was asked for. It would send parameter sets once more, as a frame of their own in
/// front of the one that has them: no picture, which a decoder takes for damage and asks for another key frame.
fn keep_wishes_from(entry: &gst::Pad) {
    entry.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| match info.event() {
        // Not `Drop`: GStreamer 1.22 would then let go of an event that is gone already.
        Some(event) if gst_video::ForceKeyUnitEvent::is(event) => gst::PadProbeReturn::Handled,
        _ => gst::PadProbeReturn::Ok,
    });
}

/// Hands what leaves at `exit` to `fan`, whole frames of what came in at `entry`. Both happen on one thread.
fn hand_on(entry: &gst::Pad, exit: &gst::Pad, codec: Codec, fan: Fan) {
    let frame = Arc::<Mutex<Frame>>::default();
    let (begun, to) = (frame.clone(), fan.clone());
    entry.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some(buffer) = info.buffer() {
            let flags = buffer.flags();
            let key = !flags.contains(gst::BufferFlags::DELTA_UNIT);
            let broken = flags.contains(gst::BufferFlags::DISCONT) && !key;
            let next = Frame { key, broken, at: running_time(pad, buffer), ..Frame::default() };
            let mut frame = begun.lock().unwrap_or_else(PoisonError::into_inner);
            let last = std::mem::replace(&mut *frame, next);
            drop(frame);
            // One whose last packet is not marked ends where the next begins.
            if !last.packets.is_empty() {
                to.give(last);
            }
        }
        gst::PadProbeReturn::Ok
    });
    let (vp8, sound) = match codec {
        Codec::Video(rendition) => (rendition.full() == Rendition::Vp8, false),
        Codec::Opus => (false, true),
    };
    exit.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        let mut frame = frame.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                frame.reserve(buffer.size(), 1);
                frame.add(buffer, vp8)
            }
            Some(gst::PadProbeData::BufferList(list)) => {
                frame.reserve(list.calculate_size(), list.len());
                list.iter().fold(false, |_, buffer| frame.add(buffer, vp8))
            }
            _ => return gst::PadProbeReturn::Ok,
        };
        if (whole || sound) && !frame.packets.is_empty() {
            // Nothing more of it comes, unless against all custom.
            let rest = Frame { at: frame.at, ..Frame::default() };
            let whole = std::mem::replace(&mut *frame, rest);
            drop(frame);
            fan.give(whole);
        }
        gst::PadProbeReturn::Ok
    });
}

/// When a buffer is from, on the clock of all pipelines.
fn running_time(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    segment.segment().downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts())
}

#[cfg(test)]
#[path = "payload_tests.rs"]
pub mod tests;
