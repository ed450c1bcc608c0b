//! A viewer's task: socket in, socket out, facts published. Must not know who waits for them.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::change::SdpPendingOffer;
use str0m::format::Codec as RtcCodec;
use str0m::media::{KeyframeRequestKind, MediaData, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use super::Order;
use super::screen::Screen;
use crate::rtp::{self, Holes};
use crate::{Codec, Facts};

/// Largest datagram there is.
const DATAGRAM_BYTES: usize = 65_536;
/// H.264 NAL unit types (ITU-T H.264 table 7-1).
const SPS: u8 = 7;
const PPS: u8 = 8;

pub(super) struct Seat {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    /// Candidates that overtook the answer.
    early: Vec<Candidate>,
    socket: UdpSocket,
    facts: watch::Sender<Facts>,
    holes: Holes,
    video: Option<Mid>,
    /// Whether both H.264 parameter sets have come.
    parameters: bool,
    screen: Screen,
}

/// What offer or answer left behind.
pub(super) struct Negotiated {
    pub rtc: Rtc,
    /// Our offer, while its answer is to come.
    pub pending: Option<SdpPendingOffer>,
    /// The picture's m-line.
    pub video: Option<Mid>,
}

/// How the task goes on.
enum Next {
    Go,
    Vanished,
    Over,
}

impl Seat {
    pub fn new(offered: Negotiated, socket: UdpSocket, facts: watch::Sender<Facts>) -> Self {
        Self {
            rtc: offered.rtc,
            pending: offered.pending,
            early: Vec::new(),
            socket,
            facts,
            holes: Holes::default(),
            video: offered.video,
            parameters: false,
            screen: Screen::default(),
        }
    }

    /// Runs until the call is over, or until the viewer is dropped.
    pub async fn sit(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        match self.serve(&mut orders).await {
            Ok(Next::Vanished) => {
                while orders.recv().await.is_some_and(|order| !matches!(order, Order::Close)) {}
            }
            Ok(_) => self.end("closed".into()),
            Err(error) => self.end(error.to_string()),
        }
    }

    async fn serve(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) -> Result<Next, RtcError> {
        let here = self.socket.local_addr().map_err(RtcError::Io)?;
        let mut buffer = vec![0; DATAGRAM_BYTES];
        loop {
            let deadline = self.drain()?;
            if !self.rtc.is_alive() {
                return Ok(Next::Over);
            }
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => match self.obey(order)? {
                        Next::Go => {}
                        other => return Ok(other),
                    },
                    None => return Ok(Next::Over),
                },
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => self.receive(&buffer[..length], from, here)?,
                    // An ICMP answer to something sent earlier; ICE finds out by itself.
                    Err(_) => continue,
                },
                () = tokio::time::sleep_until(deadline.into()) => {
                    self.rtc.handle_input(Input::Timeout(Instant::now()))?;
                }
            }
        }
    }

    /// Sends and reports everything there is; returns when to come back at the latest.
    fn drain(&mut self) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(datagram) => {
                    // A full socket buffer loses the datagram, as any network may.
                    let _ = self.socket.try_send_to(&datagram.contents, datagram.destination);
                }
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn obey(&mut self, order: Order) -> Result<Next, RtcError> {
        match order {
            Order::Accept(answer) => {
                if let Some(pending) = self.pending.take() {
                    self.rtc.sdp_api().accept_answer(pending, *answer)?;
                    for candidate in self.early.drain(..) {
                        self.rtc.add_remote_candidate(candidate);
                    }
                    self.facts.send_modify(|facts| facts.answered = Some(Instant::now()));
                }
            }
            Order::Candidate(candidate) if self.pending.is_some() => self.early.push(candidate),
            Order::Candidate(candidate) => self.rtc.add_remote_candidate(candidate),
            Order::KeyFrame => {
                if let Some(mut writer) = self.video.and_then(|mid| self.rtc.writer(mid)) {
                    // Fails while the sender's SSRC is not known: there is nobody to ask.
                    let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
                }
            }
            Order::Vanish => return Ok(Next::Vanished),
            Order::Close => self.rtc.close()?,
        }
        Ok(Next::Go)
    }

    fn receive(
        &mut self,
        datagram: &[u8],
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Result<(), RtcError> {
        let now = Instant::now();
        if rtp::is_rtp(datagram) {
            self.holes.note(datagram);
            let lost = self.holes.count();
            let (payload_type, extensions) = rtp::extensions(datagram);
            self.facts.send_modify(|facts| {
                facts.first_rtp.get_or_insert(now);
                facts.last_rtp = Some(now);
                facts.packets += 1;
                facts.lost = lost;
                facts.extensions.insert(payload_type, extensions);
            });
        }
        // Whatever is none of STUN, DTLS, RTP and RTCP is nobody's.
        let Ok(contents) = datagram.try_into() else { return Ok(()) };
        let received = Receive { proto: Protocol::Udp, source, destination, contents };
        self.rtc.handle_input(Input::Receive(now, received))
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.facts.send_modify(|facts| facts.connected = Some(Instant::now())),
            Event::MediaAdded(media) if media.kind == MediaKind::Video => self.video = Some(media.mid),
            Event::MediaData(frame) if frame.params.spec().codec.is_video() => self.note_frame(&frame),
            Event::MediaData(_) => self.facts.send_modify(|facts| {
                facts.first_sound.get_or_insert_with(Instant::now);
                facts.sounds += 1;
            }),
            _ => {}
        }
    }

    fn note_frame(&mut self, frame: &MediaData) {
        let codec = match frame.params.spec().codec {
            RtcCodec::H264 => Some(Codec::H264),
            RtcCodec::Vp8 => Some(Codec::Vp8),
            _ => None,
        };
        let key = frame.is_keyframe();
        if codec == Some(Codec::H264) && !self.parameters {
            self.parameters = holds(&frame.data, SPS) && holds(&frame.data, PPS);
        }
        let froze = self.screen.note(key, frame.contiguous, Instant::now());
        let starts = key && (self.parameters || codec != Some(Codec::H264));
        self.facts.send_modify(|facts| {
            facts.codec = codec;
            facts.frames += 1;
            facts.frame_bytes += frame.data.len() as u64;
            // The first frame follows nothing.
            facts.gaps += u64::from(!frame.contiguous && facts.frames > 1);
            facts.shown = self.screen.shown();
            if let Some(time) = froze {
                facts.freezes += 1;
                facts.frozen += time;
            }
            if key {
                facts.key_frames += 1;
                facts.key_frame_bytes = frame.data.len();
            }
            if starts {
                facts.first_key_frame.get_or_insert_with(Instant::now);
            }
        });
    }

    fn end(&self, reason: String) {
        self.facts.send_modify(|facts| facts.ended = Some(reason));
    }
}

/// Whether an H.264 frame in Annex B form holds a NAL unit of this type.
fn holds(frame: &[u8], wanted: u8) -> bool {
    frame.windows(4).any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1f == wanted)
}
