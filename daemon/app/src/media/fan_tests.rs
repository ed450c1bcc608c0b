//! Fans and gates, with pads that do what they are told in webrtcbin's place.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::*;

#[path = "fan_over_tests.rs"]
mod over;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_viewer_begins_with_a_key_frame_once_it_is_connected_and_misses_nothing_of_what_follows() {
    let (fan, wishes) = fan();
    let viewer = Viewer::new("video");
    viewer.gate.draw_from(Some(&fan));
    fan.give(delta(1));
    assert_eq!(wishes.load(Ordering::Relaxed), 1);
    fan.give(key(2));
    fan.give(delta(3));
    assert_eq!(viewer.seen.try_recv().ok(), None, "webrtcbin would keep whoever sends");
    assert!(!viewer.gate.open(), "it has its key frame");
    assert_eq!([viewer.shows(), viewer.shows()], [2, 3]);
    fan.give(delta(4));
    assert_eq!(viewer.shows(), 4);
    assert_eq!(wishes.load(Ordering::Relaxed), 1);
}

#[test]
fn a_viewer_that_does_not_connect_wishes_for_one_key_frame_and_needs_another_when_it_does() {
    let (fan, wishes) = fan();
    let viewer = Viewer::new("video");
    viewer.gate.draw_from(Some(&fan));
    fan.give(key(0));
    (1..5000).for_each(|at| fan.give(delta(at)));
    assert_eq!(wishes.load(Ordering::Relaxed), 1);
    assert!(viewer.words.try_recv().is_err(), "there is nobody to be too slow");
    assert!(viewer.gate.open());
    fan.give(delta(5000));
    assert_eq!(wishes.load(Ordering::Relaxed), 1);
    fan.give(key(5001));
    assert_eq!(viewer.shows(), 5001);
}

#[test]
fn a_viewer_s_wish_for_a_key_frame_reaches_what_it_draws_from_now() {
    let ((first, first_wishes), (second, second_wishes)) = (fan(), fan());
    let viewer = Viewer::new("video");
    viewer.gate.draw_from(Some(&first));
    viewer.gate.draw_from(Some(&second));
    let wish = || gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
    assert!(viewer.pad.push_event(wish()));
    assert_eq!((first_wishes.load(Ordering::Relaxed), second_wishes.load(Ordering::Relaxed)), (1, 2));
    viewer.gate.draw_from(None);
    assert!(viewer.pad.push_event(wish()));
    assert_eq!((first_wishes.load(Ordering::Relaxed), second_wishes.load(Ordering::Relaxed)), (1, 2));
}

#[test]
fn packets_pictures_and_times_go_on_without_a_hole_when_another_encoding_follows() {
    let ((first, _), (second, _)) = (fan(), fan());
    let viewer = Viewer::new("video");
    viewer.gate.open();
    viewer.gate.draw_from(Some(&first));
    first.give(picture(key(0), 0x7ffe));
    first.give(picture(delta(1), 0x7fff));
    viewer.gate.draw_from(Some(&second));
    first.give(picture(delta(2), 0));
    second.give(picture(delta(2), 700));
    second.give(picture(key(3), 701));
    second.give(picture(delta(4), 702));
    let all: Vec<_> = (0..4).map(|_| viewer.sees()).collect();
    let ahead = |of: fn(&[u8]) -> u32| {
        let all: Vec<u32> = all.iter().flatten().map(|packet| of(packet)).collect();
        all.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect::<Vec<_>>()
    };
    // Two packets a frame.
    let number = |packet: &[u8]| u32::from_be_bytes([packet[2], packet[3], 0, 0]);
    assert_eq!(ahead(number), [1 << 16; 7]);
    let time = |packet: &[u8]| u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
    assert_eq!(ahead(time), [0, 90, 0, 180, 0, 90, 0]);
    let pictures: Vec<u16> = all.iter().flatten().map(|packet| picture_of(packet)).collect();
    let from = pictures[0];
    let expected: Vec<u16> = [0, 0, 1, 1, 2, 2, 3, 3].map(|step| (from + step) & 0x7fff).to_vec();
    assert_eq!(pictures, expected);
}

#[test]
fn whoever_waits_behind_a_viewer_that_takes_nothing_is_seen_to_with_the_next_frame() {
    let (fan, _, stuck, other) = two();
    let held = stuck.hold();
    fan.give(key(0));
    let limit = Instant::now() + LIMIT;
    let mut at = 1;
    let first = loop {
        match other.seen.recv_timeout(Duration::from_millis(20)) {
            Ok(frame) => break frame,
            Err(_) => fan.give(delta(at)),
        }
        at += 1;
        assert!(Instant::now() < limit, "it waits as long as the other does");
    };
    assert_eq!(says(&first), 0);
    drop(held);
}

#[test]
fn a_viewer_that_takes_nothing_holds_up_nobody_and_goes_on_with_a_key_frame() {
    let (fan, crew, stuck, other) = two();
    let held = stuck.hold();
    for at in 0..1000 {
        fan.give(if at % 100 == 0 { key(at) } else { delta(at) });
        assert_eq!(other.waits_for(&crew), at);
    }
    assert_eq!(stuck.words.try_recv(), Ok(Word::Overflowed));
    drop(held);
    let mut last = stuck.shows();
    assert_eq!(last, 0);
    for _ in 0..3 {
        let next = stuck.shows();
        assert!(next == last + 1 || next % 100 == 0, "{next} after {last}");
        last = next;
    }
    assert_eq!(other.words.try_recv().ok(), None);
}

#[test]
fn a_hole_in_what_is_encoded_is_followed_by_a_key_frame() {
    let (fan, wishes) = fan();
    let viewer = Viewer::new("video");
    viewer.gate.open();
    viewer.gate.draw_from(Some(&fan));
    fan.give(key(0));
    fan.give(Frame { broken: true, ..delta(2) });
    fan.give(delta(3));
    assert_eq!(wishes.load(Ordering::Relaxed), 2, "one wish is enough while what was wished for is made");
    fan.give(key(4));
    assert_eq!([viewer.shows(), viewer.shows()], [0, 4]);
    fan.give(Frame { broken: true, ..delta(6) });
    assert_eq!(wishes.load(Ordering::Relaxed), 3);
}

#[test]
fn nothing_reaches_a_call_any_more_once_its_gate_is_closed_whenever_that_is() {
    let (fan, _) = fan();
    let (crew, over) = (Crew::new(), AtomicBool::new(false));
    let stays = Viewer::with("video", &crew);
    stays.gate.draw_from(Some(&fan));
    stays.gate.open();
    let (gives, sends, ends) = (&fan, &crew, &over);
    std::thread::scope(|scope| {
        let given = scope.spawn(move || {
            let mut at = 0;
            while !ends.load(Ordering::Relaxed) {
                gives.give(key(at));
                assert_eq!(stays.waits_for(sends), at);
                at += 1;
            }
            at
        });
        for round in 0..300 {
            let goes = Viewer::with("video", &crew);
            goes.gate.draw_from(Some(&fan));
            goes.gate.open();
            if round % 2 == 0 {
                goes.shows();
            }
            goes.gate.close();
            goes.pad.set_active(false).unwrap();
            while goes.seen.try_recv().is_ok() {}
            std::thread::yield_now();
            assert!(goes.seen.try_recv().is_err(), "round {round}");
            assert!(goes.words.try_recv().is_err(), "a call that is closed has not failed");
        }
        over.store(true, Ordering::Relaxed);
        assert!(given.join().unwrap() > 0);
    });
}

#[test]
fn a_call_whose_last_frame_never_ends_can_be_closed() {
    let (fan, crew, stuck, other) = two();
    let held = stuck.hold();
    fan.give(key(0));
    stuck.begun.recv_timeout(LIMIT).unwrap();
    fan.give(delta(1));
    stuck.gate.close();
    assert_eq!([other.waits_for(&crew), other.waits_for(&crew)], [0, 1]);
    fan.give(delta(2));
    assert_eq!(other.waits_for(&crew), 2);
    drop(held);
    assert_eq!(stuck.shows(), 0);
    assert!(stuck.seen.recv_timeout(Duration::from_millis(1)).is_err());
}

#[test]
fn a_call_that_fails_says_so_once_and_the_others_go_on() {
    // What a pipeline says that stops by itself, too.
    for why in [gst::FlowError::Error, gst::FlowError::Flushing] {
        let (fan, _, fails, other) = two();
        *fails.fails.lock().unwrap() = Some(why);
        for at in 0..5 {
            fan.give(key(at));
            assert_eq!(other.shows(), at);
        }
        assert!(matches!(fails.words.recv_timeout(LIMIT), Ok(Word::Failed(_))), "{why:?}");
        assert!(fails.words.try_recv().is_err());
    }
}

#[test]
fn sound_begins_with_what_is_heard_after_the_connection() {
    let (fan, wishes) = fan();
    let viewer = Viewer::new("audio");
    viewer.gate.draw_from(Some(&fan));
    fan.give(key(1));
    viewer.gate.open();
    fan.give(key(2));
    assert_eq!(viewer.shows(), 2);
    assert_eq!(wishes.load(Ordering::Relaxed), 1);
}

#[test]
fn many_viewers_take_few_threads_and_none_once_they_have_gone() {
    let (fan, _) = fan();
    let crew = Crew::resting(Duration::from_millis(1));
    let viewers: Vec<_> = (0..40).map(|_| Viewer::with("video", &crew)).collect();
    for viewer in &viewers {
        viewer.gate.draw_from(Some(&fan));
        viewer.gate.open();
    }
    for at in 0..20 {
        fan.give(key(at));
        for viewer in &viewers {
            assert_eq!(viewer.shows(), at);
        }
        assert!(crew.size() < viewers.len() / 2, "{} threads", crew.size());
    }
    let idle = Instant::now() + LIMIT;
    while crew.size() > 0 && Instant::now() < idle {
        std::thread::yield_now();
    }
    assert_eq!(crew.size(), 0);
}

/// One that counts wishes for key frames.
fn fan() -> (Fan, Arc<AtomicUsize>) {
    gst::init().unwrap();
    let wishes = Arc::<AtomicUsize>::default();
    let counted = wishes.clone();
    let fan = Fan::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    (fan, wishes)
}

/// A fan, who sends, and two that draw from it and are connected.
fn two() -> (Fan, Crew, Viewer, Viewer) {
    let ((fan, _), crew) = (fan(), Crew::new());
    let [one, other] = [(); 2].map(|()| Viewer::with("video", &crew));
    for viewer in [&one, &other] {
        viewer.gate.draw_from(Some(&fan));
        viewer.gate.open();
    }
    (fan, crew, one, other)
}

/// What a frame says of itself.
fn says(frame: &[Vec<u8>]) -> u32 {
    u32::from_be_bytes(frame[1][12..].try_into().unwrap())
}

/// A frame of two packets, from so many milliseconds after the beginning, which its payload says too.
fn key(at: u32) -> Frame {
    let mut frame =
        Frame { key: true, at: Some(gst::ClockTime::from_mseconds(u64::from(at))), ..Frame::default() };
    for marker in [0, 0x80] {
        let mut packet = vec![0x80, 96 | marker, 9, 9];
        packet.extend((at * 90).to_be_bytes());
        packet.extend([7; 4]);
        packet.extend(at.to_be_bytes());
        frame.add(&gst::Buffer::from_mut_slice(packet), false);
    }
    frame
}

/// The same, of no use without those before it.
fn delta(at: u32) -> Frame {
    Frame { key: false, ..key(at) }
}

/// The same as VP8.
fn picture(frame: Frame, number: u16) -> Frame {
    let [high, low] = number.to_be_bytes();
    let mut numbered = Frame { key: frame.key, at: frame.at, ..Frame::default() };
    for packet in &frame.packets {
        let mut bytes = vec![0x80, 96 | u8::from(packet.marker) << 7, 9, 9];
        bytes.extend(packet.timestamp.to_be_bytes());
        bytes.extend([7; 4]);
        bytes.extend([0x90, 0x80, 0x80 | high, low, 1, 2, 3]);
        numbered.add(&gst::Buffer::from_mut_slice(bytes), true);
    }
    numbered
}

fn picture_of(packet: &[u8]) -> u16 {
    assert_eq!((&packet[12..14], &packet[16..]), (&[0x90, 0x80][..], &[1, 2, 3][..]));
    u16::from_be_bytes([packet[14] & 0x7f, packet[15]])
}

/// A gate with a pad behind it, and what arrives there: the packets of a frame.
pub struct Viewer {
    pub gate: Gate,
    pub seen: Receiver<Vec<Vec<u8>>>,
    /// Whenever a frame begins to arrive.
    begun: Receiver<()>,
    words: Receiver<Word>,
    /// How often something else has begun.
    begins: Arc<AtomicUsize>,
    pad: gst::Pad,
    held: Arc<Mutex<()>>,
    fails: Arc<Mutex<Option<gst::FlowError>>>,
}

impl Viewer {
    pub fn new(media: &str) -> Self {
        Self::with(media, &Crew::new())
    }

    pub fn with(media: &str, crew: &Crew) -> Self {
        let (tell, seen): (Sender<Vec<Vec<u8>>>, _) = channel();
        let ((say, words), (arrives, begun)) = (channel(), channel());
        let (held, fails) = (Arc::<Mutex<()>>::default(), Arc::<Mutex<Option<gst::FlowError>>>::default());
        let (holds, failing) = (held.clone(), fails.clone());
        let pad = gst::Pad::builder(gst::PadDirection::Sink)
            .chain_list_function(move |_, _, list| {
                if let Some(why) = *failing.lock().unwrap() {
                    return Err(why);
                }
                let _ = arrives.send(());
                let _held = holds.lock();
                let packets = list.iter().map(|buffer| buffer.map_readable().unwrap().to_vec());
                let _ = tell.send(packets.collect());
                Ok(gst::FlowSuccess::Ok)
            })
            .event_function(|_, _, _| true)
            .build();
        pad.set_active(true).unwrap();
        let caps = gst::Caps::builder("application/x-rtp").field("media", media).build();
        let begins = Arc::<AtomicUsize>::default();
        let counted = begins.clone();
        let hear = move |word| match word {
            Word::Began => {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            word => {
                let _ = say.send(word);
            }
        };
        let gate = Gate::new(Label::new(100, 1, None), &caps, crew, hear).unwrap();
        gate.link(&pad).unwrap();
        Self { gate, seen, begun, words, begins, pad, held, fails }
    }

    /// The packets of the next frame.
    pub fn sees(&self) -> Vec<Vec<u8>> {
        self.seen.recv_timeout(LIMIT).expect("a frame")
    }

    /// What the next frame says of itself.
    fn shows(&self) -> u32 {
        let frame = self.sees();
        assert_eq!(frame.len(), 2, "whole frames");
        says(&frame)
    }

    /// The same where somebody else holds up a thread, which the next frame would notice.
    fn waits_for(&self, crew: &Crew) -> u32 {
        let limit = Instant::now() + LIMIT;
        while Instant::now() < limit {
            if let Ok(frame) = self.seen.recv_timeout(Duration::from_millis(1)) {
                return says(&frame);
            }
            crew.rouse();
        }
        panic!("no frame");
    }

    /// Takes nothing until that is dropped.
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.held.lock().unwrap()
    }
}
