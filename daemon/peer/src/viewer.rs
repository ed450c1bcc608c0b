//! One viewer: offers, takes the answer, receives, counts. Must not know how offer and answer travel.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::format::CodecConfig;
use str0m::media::{Direction, MediaKind};
use str0m::rtp::Extension;
use str0m::{Candidate, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use crate::{Codec, Facts, PeerError, Stand, host_address};

mod screen;
mod seat;

use seat::{Negotiated, Seat};

/// Wanted of the kernel, in bytes: a key frame arrives in one burst. The kernel may grant less.
const RECEIVE_BUFFER: usize = 1 << 20;
/// After this long a frame with a hole in it is given up. Longer than a repair takes on any network tested here, and than a
/// busy machine keeps a viewer from reading what has long arrived.
const GIVE_UP_FRAME_AFTER: Duration = Duration::from_secs(5);

/// What a viewer asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Picture formats, the preferred one first. Empty: no picture.
    pub video: Vec<Codec>,
    /// Sound.
    pub sound: Sound,
    /// Address of its one socket and host candidate.
    pub host: IpAddr,
    /// Whether the offer holds the candidate. If not, [`Viewer::candidate`] is to be sent by itself (trickle).
    pub candidate_in_offer: bool,
}

/// What a viewer asks for in sound (Opus).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// No m-line for it.
    None,
    /// To hear.
    Hear,
    /// To hear, and to talk later. This viewer stays silent.
    HearAndTalk,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            video: vec![Codec::H264, Codec::Vp8],
            sound: Sound::Hear,
            host: host_address(),
            candidate_in_offer: true,
        }
    }
}

/// One end of one call. Dropped, it is gone at once and without a word.
#[derive(Debug)]
pub struct Viewer {
    orders: mpsc::UnboundedSender<Order>,
    facts: watch::Receiver<Facts>,
    handle: tokio::runtime::Handle,
    candidate: String,
}

enum Order {
    Accept(Box<SdpAnswer>),
    Candidate(Candidate),
    KeyFrame,
    Vanish,
    Close,
}

impl Viewer {
    /// Makes a viewer on `stand` and the SDP of its offer.
    pub fn offer(stand: &Stand, options: &Options) -> Result<(Self, String), PeerError> {
        let socket = bind(options.host)?;
        let candidate = Candidate::host(socket.local_addr()?, "udp").map_err(rtc_error)?;
        let (seat, offer) = negotiate(options, &candidate)?;
        Ok((Self::seat(stand, socket, seat, &candidate)?, offer))
    }

    /// Makes a viewer on `stand` that answers an offer, and the SDP of its answer.
    pub fn answer(stand: &Stand, options: &Options, offer: &str) -> Result<(Self, String), PeerError> {
        let socket = bind(options.host)?;
        let candidate = Candidate::host(socket.local_addr()?, "udp").map_err(rtc_error)?;
        let mut rtc = build(options);
        rtc.add_local_candidate(candidate.clone());
        let offer = SdpOffer::from_sdp_string(offer).map_err(rtc_error)?;
        let answer = rtc.sdp_api().accept_offer(offer).map_err(rtc_error)?.to_sdp_string();
        let seat = Negotiated { rtc, pending: None, video: None };
        Ok((Self::seat(stand, socket, seat, &candidate)?, answer))
    }

    fn seat(
        stand: &Stand,
        socket: std::net::UdpSocket,
        seat: Negotiated,
        candidate: &Candidate,
    ) -> Result<Self, PeerError> {
        let (orders, taken) = mpsc::unbounded_channel();
        let (publish, facts) = watch::channel(Facts::default());
        let handle = stand.handle().clone();
        let socket = {
            let _inside = handle.enter();
            UdpSocket::from_std(socket)?
        };
        stand.seat(Seat::new(seat, socket, publish).sit(taken));
        let candidate = candidate.to_sdp_string();
        Ok(Self { orders, facts, handle, candidate })
    }

    /// The viewer's own candidate, as it travels in `candidate.candidate`.
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// Takes the SDP of the answer. What only shows when it is applied is told by [`Facts::ended`].
    pub fn accept(&self, answer: &str) -> Result<(), PeerError> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(rtc_error)?;
        self.order(Order::Accept(Box::new(answer)))
    }

    /// Takes one of the camera's candidates (`candidate:…`); it may come before the answer. Empty is the end of
    /// candidates. TCP candidates are passed over.
    pub fn add_remote_candidate(&self, candidate: &str) -> Result<(), PeerError> {
        if candidate.is_empty()
            || candidate.split_whitespace().nth(2).is_some_and(|p| p.eq_ignore_ascii_case("tcp"))
        {
            return Ok(());
        }
        let candidate = Candidate::from_sdp_string(candidate).map_err(rtc_error)?;
        self.order(Order::Candidate(candidate))
    }

    /// Asks the camera for a key frame (PLI, RFC 4585 section 6.3.1). Before the first packet of the picture there
    /// is nobody to ask, and nothing happens.
    pub fn request_key_frame(&self) -> Result<(), PeerError> {
        self.order(Order::KeyFrame)
    }

    /// Stops reading and sending without a word, as a phone does that has left the house. The socket stays, so
    /// nothing tells the camera.
    pub fn vanish(&self) -> Result<(), PeerError> {
        self.order(Order::Vanish)
    }

    /// Ends the call with what WebRTC has for that: RTCP BYE and DTLS close_notify.
    pub fn close(&self) {
        // Already closed is closed.
        let _ = self.order(Order::Close);
    }

    /// What it has seen so far.
    pub fn facts(&self) -> Facts {
        self.facts.borrow().clone()
    }

    /// Waits until the facts are as wanted, at most `limit`. Needs a tokio runtime with time.
    pub async fn wait(&self, limit: Duration, wanted: impl Fn(&Facts) -> bool) -> Result<Facts, PeerError> {
        let mut facts = self.facts.clone();
        match tokio::time::timeout(limit, facts.wait_for(|facts| wanted(facts))).await {
            Ok(Ok(seen)) => Ok(seen.clone()),
            Ok(Err(_)) => Err(PeerError::Over(Box::new(self.facts()))),
            Err(_) => Err(PeerError::TooLate(limit, Box::new(self.facts()))),
        }
    }

    /// [`Viewer::wait`] for programs without a runtime; must not be called inside of one.
    pub fn wait_blocking(
        &self,
        limit: Duration,
        wanted: impl Fn(&Facts) -> bool,
    ) -> Result<Facts, PeerError> {
        self.handle.block_on(self.wait(limit, wanted))
    }

    fn order(&self, order: Order) -> Result<(), PeerError> {
        self.orders.send(order).map_err(|_| PeerError::Closed)
    }
}

fn bind(host: IpAddr) -> Result<std::net::UdpSocket, PeerError> {
    let socket =
        Socket::new(Domain::for_address(SocketAddr::new(host, 0)), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(host, 0).into())?;
    Ok(socket.into())
}

fn build(options: &Options) -> Rtc {
    let mut config = Rtc::builder()
        .clear_codecs()
        .set_reordering_timeout_video(Some(GIVE_UP_FRAME_AFTER))
        .set_extension(5, Extension::PlayoutDelay);
    for codec in &options.video {
        enable(config.codec_config(), *codec);
    }
    config.enable_opus(options.sound != Sound::None, false).build(Instant::now())
}

fn negotiate(options: &Options, candidate: &Candidate) -> Result<(Negotiated, String), PeerError> {
    let mut rtc = build(options);
    if options.candidate_in_offer {
        rtc.add_local_candidate(candidate.clone());
    }
    let mut change = rtc.sdp_api();
    let video = (!options.video.is_empty())
        .then(|| change.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None));
    let sound = match options.sound {
        Sound::None => None,
        Sound::Hear => Some(Direction::RecvOnly),
        Sound::HearAndTalk => Some(Direction::SendRecv),
    };
    if let Some(direction) = sound {
        change.add_media(MediaKind::Audio, direction, None, None, None);
    }
    let (offer, pending) = change.apply().ok_or_else(|| PeerError::Rtc("an offer of nothing".into()))?;
    if !options.candidate_in_offer {
        rtc.add_local_candidate(candidate.clone());
    }
    Ok((Negotiated { rtc, pending: Some(pending), video }, offer.to_sdp_string()))
}

fn enable(codecs: &mut CodecConfig, codec: Codec) {
    match codec {
        Codec::H264 => codecs.enable_h264(true),
        Codec::Vp8 => codecs.enable_vp8(true),
    }
}

fn rtc_error(error: impl std::fmt::Display) -> PeerError {
    PeerError::Rtc(error.to_string())
}
