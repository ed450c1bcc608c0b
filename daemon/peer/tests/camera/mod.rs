//! A camera made of the same crate, for trying the viewer without the daemon: it answers one offer and sends frames
//! of made-up bytes that are framed as the codec demands. Must not know what the viewer makes of them.

#![allow(clippy::unwrap_used)] // test code outside of a test function

use std::net::UdpSocket;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::format::Codec;
use str0m::media::{Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

const FRAME_EVERY: Duration = Duration::from_millis(10);

/// What the camera saw.
#[derive(Debug, PartialEq)]
pub enum Seen {
    KeyFrameRequest,
    Closed,
}

/// A running camera; ends when dropped.
pub struct Camera {
    pub answer: String,
    pub seen: Receiver<Seen>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    /// Answers `offer` and sends a key frame, then plain frames; another key frame whenever one is asked for.
    pub fn answer(offer: &str, codec: Codec) -> Self {
        let socket = UdpSocket::bind((porthole_peer::host_address(), 0)).unwrap();
        let here = socket.local_addr().unwrap();
        let config = Rtc::builder().clear_codecs().enable_opus(true, false);
        let config = if codec == Codec::H264 { config.enable_h264(true) } else { config.enable_vp8(true) };
        let mut rtc = config.build(Instant::now());
        rtc.add_local_candidate(Candidate::host(here, "udp").unwrap());
        let answer = rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(offer).unwrap()).unwrap();
        let (stop, stopped) = mpsc::channel();
        let (report, seen) = mpsc::channel();
        let thread = std::thread::spawn(move || Sending { rtc, socket, codec, report }.run(&stopped));
        Self { answer: answer.to_sdp_string(), seen, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Sending {
    rtc: Rtc,
    socket: UdpSocket,
    codec: Codec,
    report: Sender<Seen>,
}

impl Sending {
    fn run(mut self, stopped: &Receiver<()>) {
        let (mut video, mut audio, mut connected) = (None, None, false);
        let mut next_frame = Instant::now();
        let (mut key, mut count) = (true, 0);
        let mut buffer = vec![0; 2000];
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let deadline = loop {
                match self.rtc.poll_output().unwrap() {
                    Output::Timeout(at) => break at,
                    Output::Transmit(out) => {
                        // The viewer's socket may be gone already.
                        let _ = self.socket.send_to(&out.contents, out.destination);
                    }
                    Output::Event(Event::Connected) => connected = true,
                    Output::Event(Event::MediaAdded(added)) => match added.kind {
                        MediaKind::Video => video = Some(added.mid),
                        MediaKind::Audio => audio = Some(added.mid),
                    },
                    Output::Event(Event::KeyframeRequest(_)) => {
                        key = true;
                        let _ = self.report.send(Seen::KeyFrameRequest);
                    }
                    Output::Event(Event::Closed) => drop(self.report.send(Seen::Closed)),
                    Output::Event(_) => {}
                }
            };
            if !self.rtc.is_alive() {
                return;
            }
            if connected && Instant::now() >= next_frame {
                next_frame += FRAME_EVERY;
                count += 1;
                if let Some(mid) = video {
                    self.write(mid, count * 900, Frequency::NINETY_KHZ, self.frame(std::mem::take(&mut key)));
                }
                if let Some(mid) = audio {
                    self.write(mid, count * 480, Frequency::FORTY_EIGHT_KHZ, vec![0xfc; 40]);
                }
                continue;
            }
            let until = if connected { deadline.min(next_frame) } else { deadline };
            let wait = until.saturating_duration_since(Instant::now());
            self.socket.set_read_timeout(Some(wait.clamp(Duration::from_millis(1), FRAME_EVERY))).unwrap();
            match self.socket.recv_from(&mut buffer) {
                Ok((length, source)) => {
                    let destination = self.socket.local_addr().unwrap();
                    let contents = buffer[..length].try_into().unwrap();
                    let received = Receive { proto: Protocol::Udp, source, destination, contents };
                    self.rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
                }
                Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
            }
        }
    }

    fn write(&mut self, mid: Mid, time: u64, frequency: Frequency, frame: Vec<u8>) {
        let writer = self.rtc.writer(mid).unwrap();
        let pt = writer.payload_params().next().unwrap().pt();
        writer.write(pt, Instant::now(), MediaTime::new(time, frequency), frame).unwrap();
    }

    /// A key frame is larger than a packet, a plain frame is not.
    fn frame(&self, key: bool) -> Vec<u8> {
        match (self.codec, key) {
            (Codec::H264, true) => {
                let sps = [&[0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f][..], &[0xaa; 8]].concat();
                let pps = [&[0, 0, 0, 1, 0x68, 0xce][..], &[0xaa; 4]].concat();
                [&sps[..], &pps, &[0, 0, 0, 1, 0x65], &[0xaa; 20_000]].concat()
            }
            (Codec::H264, false) => [&[0, 0, 0, 1, 0x41][..], &[0xaa; 600]].concat(),
            // RFC 6386 section 9.1: bit 0 of the first byte is 0 in a key frame, which then has a start code.
            (_, true) => [&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1][..], &[0xaa; 20_000]].concat(),
            (_, false) => [&[0x31, 0, 0][..], &[0xaa; 600]].concat(),
        }
    }
}
