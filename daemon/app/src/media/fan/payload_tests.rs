//! What real encoders give, as the packets of frames.

use super::super::tests::Viewer;
use super::*;
use crate::media::timeline::{Timeline, play, stop};

#[test]
fn what_encoders_give_arrives_as_whole_frames_in_packets_that_fit() {
    gst::init().unwrap();
    let kinds: [(_, &[&str], _); 3] = [
        (Codec::Video(Rendition::H264), &["videotestsrc", "x264enc", "h264parse"], 90_000),
        (Codec::Video(Rendition::Vp8), &["videotestsrc", "vp8enc"], 90_000),
        (Codec::Opus, &["audiotestsrc", "opusenc"], 48_000),
    ];
    for (codec, factories, clock) in kinds {
        let (pipeline, elements) = encodes(factories);
        let (fan, _) = payload(&pipeline, elements.last().unwrap(), codec, || {}).unwrap();
        let viewer = Viewer::new(if codec == Codec::Opus { "audio" } else { "video" });
        viewer.gate.draw_from(Some(&fan));
        viewer.gate.open();
        play(&pipeline).unwrap();
        let mut last = None;
        for _ in 0..10 {
            let frame = viewer.sees();
            assert!(frame.iter().all(|packet| packet.len() <= 1200));
            let times: Vec<_> = frame.iter().map(|packet| packet[4..8].to_vec()).collect();
            assert!(times.iter().all(|time| *time == times[0]), "one frame has one time");
            if codec != Codec::Opus {
                let marked: Vec<_> = frame.iter().map(|packet| packet[1] & 0x80 != 0).collect();
                assert!(marked.iter().rposition(|marked| *marked) == Some(frame.len() - 1));
                assert_eq!(marked.iter().filter(|marked| **marked).count(), 1);
            }
            let time = u32::from_be_bytes(times[0].clone().try_into().unwrap());
            let step = last.map(|last| time.wrapping_sub(last));
            assert!(step.is_none_or(|step| (1..clock).contains(&step)), "{step:?}");
            last = Some(time);
        }
        viewer.gate.close();
        stop(&pipeline);
    }
}

#[test]
fn a_key_frame_that_is_asked_for_is_one_frame_with_its_parameter_sets_and_a_picture() {
    gst::init().unwrap();
    let (pipeline, elements) = encodes(&["videotestsrc", "x264enc", "h264parse"]);
    elements[1].set_property("key-int-max", 1000_u32);
    elements[2].set_property("config-interval", -1_i32);
    let codec = Codec::Video(Rendition::H264);
    let (fan, _) = payload(&pipeline, &elements[2], codec, || {}).unwrap();
    let viewer = Viewer::new("video");
    viewer.gate.draw_from(Some(&fan));
    viewer.gate.open();
    play(&pipeline).unwrap();
    let mut keys = 0;
    while keys < 4 {
        let frame = units(&viewer.sees());
        assert!(frame.contains(&1) || frame.contains(&5), "no picture: {frame:?}");
        assert_eq!(frame.contains(&5), frame.contains(&7) && frame.contains(&8), "{frame:?}");
        if frame.contains(&5) {
            keys += 1;
            let wish = gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
            assert!(elements[2].static_pad("src").unwrap().send_event(wish));
        }
    }
    viewer.gate.close();
    stop(&pipeline);
}

/// A live source, an encoder and what may follow.
fn encodes(factories: &[&str]) -> (gst::Pipeline, Vec<gst::Element>) {
    let pipeline = Timeline::new().pipeline("test", |_| {});
    let elements: Vec<_> = factories.iter().map(|factory| make(factory).unwrap()).collect();
    chain(&pipeline, &elements.iter().collect::<Vec<_>>()).unwrap();
    elements[0].set_property("is-live", true);
    if factories.contains(&"x264enc") {
        elements[1].set_property_from_str("tune", "zerolatency");
    }
    (pipeline, elements)
}

/// The kinds of the units in the packets of a frame (ITU-T H.264, table 7-1; RFC 6184, sections 5.6 to 5.8).
pub fn units(frame: &[Vec<u8>]) -> Vec<u8> {
    let mut kinds = Vec::new();
    for packet in frame {
        match &packet[12..] {
            [head, rest @ ..] if head & 0x1f == 24 => {
                let mut rest = rest;
                while let [high, low, tail @ ..] = rest {
                    let (unit, next) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
                    kinds.push(unit[0] & 0x1f);
                    rest = next;
                }
            }
            [head, inner, ..] if head & 0x1f == 28 => kinds.push(inner & 0x1f),
            [head, ..] => kinds.push(head & 0x1f),
            [] => {}
        }
    }
    kinds
}
