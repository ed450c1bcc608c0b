//! Everything that can happen to the switchboard. Must not know who reports it.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::access::{KeyRing, Stamp};
use crate::adapt::Report;
use crate::ids::{CallId, PeerId, Rendition};
use crate::order::Order;
use crate::path::Path;
use crate::publish::Word;
use crate::speaker;
use crate::status::Shows;
use crate::switchboard::Terms;
use crate::whep::{Jpeg, Request};
use crate::wire::Candidate;

/// Exactly one thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something happened on the link to the relay.
    Link(LinkEvent),
    /// Something happened to the capture, a rendition or a call's media.
    Media(MediaEvent),
    /// Something is known about who may call.
    Access(AccessEvent),
    /// Somebody who may has ordered something.
    Order(Order),
    /// The configuration has changed, as far as that ends no call.
    Terms(Terms),
    /// The daemon was asked to stop.
    Shutdown,
}

/// What decides who may call where [`Access::Keys`](crate::config::settings::Access::Keys) does; elsewhere it is not
/// looked at. As long as either is missing, nobody is let in.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessEvent {
    /// The keys: at the start, and whenever they have changed. Calls of keys that are gone end at once.
    Keys(KeyRing),
    /// The date by the wall clock: before the first [`Self::Keys`], and then often enough (every 30 s) that a clock
    /// which is put right is noticed.
    Date(Stamp),
}

/// What the link reports.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// The relay is reached and the room may be joined.
    Up,
    /// The relay is lost. Calls go on.
    Down {
        /// What kind of loss, for whoever reads it by program.
        why: Loss,
        /// For the log: what happened and how to mend it.
        reason: String,
    },
    /// A Socket.IO event arrived. Sizes were bounded by the link; nothing else was looked at.
    Message {
        /// The sender, where the relay vouches for it (our own does); `None` through other people's relays.
        sender: Option<PeerId>,
        /// Event name, such as `offer`.
        name: String,
        /// Every argument, in order; none is fine.
        args: Vec<Value>,
    },
    /// A player asks for something over HTTP. Each request gets one `Command::Respond`.
    Request(Request),
    /// The server that shows the camera to a crowd has something to say.
    Published(Word),
}

/// Why the relay is not reached. One word in `/healthz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The relay's name could not be looked up.
    NoName,
    /// There is no way to its address, or nothing answered there in time.
    Unreachable,
    /// Nobody listens on that port.
    NobodyListens,
    /// TLS failed: its certificate is not one we trust, or it speaks no TLS at all.
    Tls,
    /// Something answered that is not Socket.IO there: wrong path, wrong port, a proxy without websocket.
    NotSocketIo,
    /// It refused us: a token that is missing or wrong, or no more connections.
    Refused,
    /// It was reached and sent us away.
    SentAway,
    /// It was reached and has closed the connection.
    Closed,
    /// It was reached and has been silent for too long.
    Silent,
    /// Anything else.
    Failed,
}

impl Loss {
    /// What a person should read, behind "the relay".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoName => "has a name that cannot be looked up",
            Self::Unreachable => "cannot be reached: there is no way to it, or it did not answer in time",
            Self::NobodyListens => "is not there: nobody listens on that port",
            Self::Tls => "has a certificate that is not trusted, or speaks no TLS",
            Self::NotSocketIo => "speaks no Socket.IO where it should",
            Self::Refused => "refuses us",
            Self::SentAway => "has sent us away",
            Self::Closed => "has closed the connection",
            Self::Silent => "has been silent for too long",
            Self::Failed => "is lost",
        }
    }
}

/// What the media side reports.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// Frames flow from the camera.
    CaptureRunning {
        /// What it shows.
        shows: Shows,
    },
    /// The camera could not be opened or gives no frames any more; it has been let go.
    CaptureFailed {
        /// What a person should read, with the fix.
        reason: String,
    },
    /// Sound flows from the microphone.
    SoundRunning,
    /// A tone flows, which stands in for a microphone beside the test picture; or `StartSound` has found that it still has to.
    SoundStandsIn,
    /// The microphone could not be opened or gives no sound any more; it has been let go. Never said where there is
    /// none to be had.
    SoundFailed {
        /// What a person should read, with the fix.
        reason: String,
    },
    /// There is no microphone to be had.
    SoundAbsent,
    /// The microphone gives silence and nothing else, as one does that is switched off.
    SoundMute {
        /// What a person should read, with the fix.
        reason: String,
    },
    /// It gives more than silence again.
    SoundHeard,
    /// Something is heard of the speaker.
    Speaker(speaker::Word),
    /// A device has come that may be the one that is lost, or was not there.
    DeviceCame,
    /// What `Command::Seek` asked for.
    Sought {
        /// Whether there is a camera to be opened in the place of the test picture, or a microphone in that of its tone.
        found: bool,
    },
    /// The picture that `Command::TakeSnapshot` asked for, or why there is none.
    Snapshot(Result<Jpeg, String>),
    /// Encoded frames of every rendition were seen. Said about once a second.
    FramesFlow,
    /// This many encoded frames of a rendition were made since that was last said. Said about once a second.
    FramesMade {
        /// Which one.
        rendition: Rendition,
        /// How many.
        frames: u64,
        /// In which time.
        over: Duration,
    },
    /// The first encoded frame of a rendition left the encoder.
    RenditionRunning {
        /// Which one.
        rendition: Rendition,
    },
    /// From now on the bitrate of a rendition can be changed, or not: it is that of a camera which encodes by itself and has
    /// no control for it, or does not take it. Until this is said it can.
    RateFixed {
        /// Which one.
        rendition: Rendition,
        /// Whether it cannot.
        fixed: bool,
    },
    /// The encoder of a rendition could not start, has died or gives nothing; it has been let go.
    RenditionFailed {
        /// Which one.
        rendition: Rendition,
        /// What a person should read, with the fix.
        reason: String,
    },
    /// webrtcbin's answer to the offer it was given (still without the refused m-lines).
    Answered {
        /// Whose.
        call: CallId,
        /// SDP as webrtcbin wrote it. With `trickle` off it holds every candidate.
        sdp: String,
    },
    /// webrtcbin's own offer, asked for by `Command::Offer`, every candidate inside.
    Offered {
        /// Whose.
        call: CallId,
        /// SDP as webrtcbin wrote it.
        sdp: String,
    },
    /// One of our own candidates.
    Candidate {
        /// Whose.
        call: CallId,
        /// `None` is the end of candidates.
        candidate: Option<Candidate>,
    },
    /// ICE and DTLS are up; frames can flow to this viewer.
    Connected {
        /// Whose.
        call: CallId,
        /// Whether it has to wait for a key frame: there is none in what it is sent first.
        waits: bool,
    },
    /// Which way a call takes was found out, for the first time or anew.
    Reached {
        /// Whose.
        call: CallId,
        /// The way of the pair of candidates that is used.
        path: Path,
    },
    /// Something arrived from this viewer (RTCP, STUN, RTP). At most a few reports a second.
    Heard {
        /// Whose.
        call: CallId,
    },
    /// This viewer has reported how what was sent to it arrives. At most a few reports a second.
    Reported {
        /// Whose.
        call: CallId,
        /// What it says.
        report: Report,
    },
    /// Negotiation, ICE, DTLS or the call's pipeline failed.
    CallFailed {
        /// Whose.
        call: CallId,
        /// For the log.
        reason: String,
    },
    /// The viewer's queue of encoded frames overflowed and frames up to the next key frame were dropped.
    Overflowed {
        /// Whose.
        call: CallId,
    },
    /// The first key frame of what a call was told to feed has come; until then it went on with what it had, where that was
    /// less, or the camera's own encoding.
    FeedBegan {
        /// Which.
        call: CallId,
    },
    /// A viewer (PLI, FIR) or an overflowed queue wants a key frame.
    KeyFrameWanted {
        /// Of which rendition.
        rendition: Rendition,
    },
    /// A call that was hung up is gone: its pipeline, threads and sockets are released.
    Closed {
        /// Whose.
        call: CallId,
    },
}
