//! Everything the switchboard can ask for. Must not know how it is done.

use std::fmt;
use std::time::Instant;

use crate::ids::{CallId, PeerId, Rendition};
use crate::publish::Errand;
use crate::sdp::accept::Accepted;
use crate::sdp::choose::AnswerPlan;
use crate::speaker::Task;
use crate::whep::{RequestId, Response};
use crate::wire::{Candidate, Outgoing, Reason};

/// Something to do. Commands are performed in the order in which they were polled.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open the camera, and after `StopCapture` the microphone too. Each says how it went. Asked again after the
    /// camera failed.
    StartCapture,
    /// Close camera and microphone.
    StopCapture,
    /// Open the microphone again, which failed or was not there. A tone that stands in for it goes on until there is one, or a
    /// camera is open. Says how it went, like `StartCapture`.
    StartSound,
    /// Look whether what the test picture stands in for is there by now. Answered by `MediaEvent::Sought`.
    Seek,
    /// From now on this is the picture, whatever the camera does.
    ShowSlate(Slate),
    /// From now on the camera's is the picture again.
    HideSlate,
    /// From now on the sound is silence, whatever the microphone does.
    PlaySilence,
    /// From now on the microphone's is the sound again.
    EndSilence,
    /// From now on encode a rendition of the picture, whichever it is, as long as there is one.
    StartRendition(Rendition),
    /// From now on use this encoder for the rendition. One that runs is made anew.
    ChooseEncoder {
        /// For which rendition.
        rendition: Rendition,
        /// How many places down the order of preference; it goes round.
        attempt: u32,
    },
    /// Send to this call again what it has got already, so that all of it comes to so many kbit/s: whether that comes
    /// through shows whether more would. 0: no longer.
    Pad {
        /// Which call.
        call: CallId,
        /// kbit/s.
        kbit: u32,
    },
    /// Stop encoding it.
    StopRendition(Rendition),
    /// From now on this rendition has this bitrate, whenever it runs.
    SetBitrate {
        /// Which one.
        rendition: Rendition,
        /// kbit/s.
        kbit: u32,
    },
    /// From now on this call gets this picture, or none. Where it does not run yet, the call waits for it: for a full one
    /// with what it had, for a small one with nothing, as what it had was too much.
    Feed {
        /// Which call.
        call: CallId,
        /// One in the format that was agreed upon.
        picture: Option<Rendition>,
    },
    /// Make a webrtcbin of its own for this call and answer the offer inside the plan.
    Answer {
        /// A number never used before.
        call: CallId,
        /// The guarded offer, and what to send on each of its m-lines.
        plan: Box<AnswerPlan>,
        /// `true`: report the answer at once and candidates as they come. `false`: report the answer when
        /// gathering is complete (or its cap has passed), candidates inside.
        trickle: bool,
    },
    /// Make a webrtcbin of its own for this call and report its offer (`MediaEvent::Offered`) when gathering is
    /// complete or its cap has passed: a picture m-line that only sends this one rendition, then a sound m-line that
    /// sends and takes Opus, all in one bundle.
    Offer {
        /// A number never used before.
        call: CallId,
        /// What the picture is encoded with.
        rendition: Rendition,
        /// Whether to offer sound too; where there turns out to be none, the m-line is left out.
        sound: bool,
    },
    /// Hand the viewer's answer to the webrtcbin that made the offer. Candidates follow as `AddCandidate`.
    TakeAnswer {
        /// Which call.
        call: CallId,
        /// The guarded answer, and what it accepts.
        answer: Box<Accepted>,
    },
    /// Hand one of the viewer's candidates to the call. `None` is the end of candidates.
    AddCandidate {
        /// To which call.
        call: CallId,
        /// As it came from the viewer, checked for size.
        candidate: Option<Candidate>,
    },
    /// End the call's media. Asked exactly once a call; answered by `MediaEvent::Closed`.
    HangUp {
        /// Which call.
        call: CallId,
    },
    /// Something for the speaker to do.
    Speaker(Task),
    /// Make a JPEG of the camera's picture as it is now. Answered by `MediaEvent::Snapshot`, whatever comes.
    TakeSnapshot,
    /// Ask the encoder of this rendition for a key frame now.
    ForceKeyFrame(Rendition),
    /// Put a message on the link (or keep it until the link is up, bounded).
    Send(Outgoing),
    /// Tell a player over HTTP what its request came to.
    Respond {
        /// Which request.
        request: RequestId,
        /// What it came to.
        response: Response,
    },
    /// Ask something of the server that shows the camera to a crowd.
    Run(Errand),
    /// Say something in the log.
    Note(Note),
    /// Everything is released; the last command there is.
    Finished,
}

/// A picture that stands in for the camera's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slate {
    /// The camera gives none.
    NoCamera {
        /// Since when.
        since: Instant,
    },
    /// Nobody is to see anything.
    Privacy,
}

/// A sentence for the log, with the fields that find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How loud.
    pub level: Level,
    /// The call it is about.
    pub call: Option<CallId>,
    /// The peer it is about.
    pub peer: Option<PeerId>,
    /// The sentence.
    pub text: String,
}

/// How loud a [`Note`] is. `Warn` is what a person should act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For somebody who looks for a fault.
    Debug,
    /// What happened.
    Info,
    /// What a person should act on.
    Warn,
}

impl Note {
    /// A refusal, said the same way everywhere.
    pub fn refusal(peer: Option<PeerId>, reason: Reason) -> Self {
        Self { level: Level::Info, call: None, peer, text: format!("refused: {reason}") }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
