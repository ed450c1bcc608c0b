//! What the daemon is doing, as `/healthz` and the log say it. Must not know how it is served.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use crate::access::{KeyId, Label, Role};
use crate::event::Loss;
use crate::ids::{CallId, PeerId, Rendition};
use crate::path::Path;
use crate::speaker::{Played, SpeakerStatus};

/// A picture of the switchboard at one moment. By default that of one which has just been made: nobody is reached, nobody
/// calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether the relay is reached. One that has lost us after a moment is not until it has kept us for longer.
    pub link: bool,
    /// Why it is not, where that is known.
    pub lost: Option<Loss>,
    /// Whether the camera is in its room.
    pub room: RoomState,
    /// What the camera does.
    pub capture: CaptureState,
    /// What it shows while it runs. Left out of the JSON.
    #[serde(skip)]
    pub shows: Shows,
    /// What the microphone does.
    pub sound: SoundState,
    /// What the speaker does.
    pub speaker: SpeakerStatus,
    /// Whether encoded frames really flow, those of a slate included.
    pub frames: FrameState,
    /// Whether camera and microphone are closed because somebody wants it so.
    pub privacy: bool,
    /// Calls, whatever their state.
    pub calls: usize,
    /// Calls with picture or sound under way.
    pub live: usize,
    /// Renditions being encoded, by name.
    pub renditions: Vec<String>,
    /// More of them, in the same order. Left out of the JSON; `/metrics` and `porthole status` have it.
    #[serde(skip)]
    pub encodings: Vec<Encoding>,
    /// Refusals so far, by word.
    pub refusals: BTreeMap<&'static str, u64>,
    /// What has happened so far. Left out of the JSON; `/metrics` has it.
    #[serde(skip)]
    pub counts: Counts,
    /// The last file that was to be played. Left out of the JSON.
    #[serde(skip)]
    pub played: Option<Played>,
    /// Who calls, the oldest call first. Not for everybody: it is left out of the JSON, which `/healthz` shows to whoever
    /// asks.
    #[serde(skip)]
    pub viewers: Vec<Viewer>,
}

/// What has happened since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that were begun.
    pub begun: u64,
    /// Calls that went live.
    pub live: u64,
    /// Calls that have ended, by word.
    pub ended: BTreeMap<&'static str, u64>,
    /// How often the camera failed.
    pub failed: u64,
    /// Frames that were encoded, by rendition.
    pub frames: BTreeMap<Rendition, u64>,
}

/// One rendition that is being encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Encoding {
    /// Which.
    pub rendition: Rendition,
    /// What it is encoded at, kbit/s.
    pub kbit: u32,
    /// Frames a second of late.
    pub rate: u32,
    /// Frames since the start of the daemon.
    pub frames: u64,
}

/// One call, as the people of the house may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The call.
    pub call: CallId,
    /// What the viewer is called on the link, where it is called anything.
    pub peer: Option<PeerId>,
    /// Whose key it is made with, where keys decide.
    pub holder: Option<Holder>,
    /// What it watches, where a picture was asked for and the way to it carries one.
    pub rendition: Option<Rendition>,
    /// Which way it is reached, once that is known.
    pub path: Option<Path>,
    /// What the way to it carries of late, in kbit/s, as far as its browser tells.
    pub carries: Option<u32>,
    /// Since when picture or sound are under way; where they are not, since when the call is being made.
    pub began: Instant,
    /// Whether picture or sound are under way.
    pub live: bool,
}

/// Who holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Whose key it is.
    pub name: Label,
    /// What the key allows.
    pub role: Role,
    /// The key.
    pub key: KeyId,
}

/// Whether the camera is in its room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomState {
    /// The relay is not reached.
    #[default]
    Out,
    /// It has asked to be let in, and nothing was heard from the room yet. Many relays say nothing until a viewer does.
    Asked,
    /// The same for a while, through a relay whose dialect says that it should have answered.
    Unconfirmed,
    /// It is in the room.
    In,
    /// The room holds no more members; it asks again.
    Full,
    /// It was sent out of the room; it asks again.
    Kicked,
    /// The relay does not know the room; it asks again.
    NoSuchRoom,
    /// The relay does not let it in; it asks again.
    NotAllowed,
}

/// What the camera does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptureState {
    /// Closed, because nobody watches.
    #[default]
    Idle,
    /// Being opened.
    Starting,
    /// Open, frames flow.
    Running,
    /// It gives no picture, or gave none when it was last open.
    Lost,
}

impl RoomState {
    /// What a person should read, behind "the camera".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Out => "is not in its room: the relay is not reached",
            Self::Asked => "has asked to be let into its room",
            Self::Unconfirmed => "has asked to be let into its room, and the relay says nothing",
            Self::In => "is in its room",
            Self::Full => "is not in its room, which holds no more members; it asks again",
            Self::Kicked => "was sent out of its room; it asks again",
            Self::NoSuchRoom => "is not in its room, which the relay does not know; it asks again",
            Self::NotAllowed => "is not in its room, because the relay does not let it in; it asks again",
        }
    }
}

impl CaptureState {
    /// What a person should read, behind "the camera", where it shows this.
    pub fn sentence(self, shows: Shows) -> &'static str {
        match (self, shows) {
            (Self::Idle, _) => "is closed, because nobody watches",
            (Self::Starting, _) => "is being opened",
            (Self::Running, Shows::Camera) => "is open, and pictures flow",
            (Self::Running, Shows::Test) => "is the test picture, as [video] source says",
            (Self::Running, Shows::StandIn) => {
                "is the test picture, because no camera was found; one that is plugged in takes its place"
            }
            (Self::Running, Shows::File) => "is a file, as [video] source says",
            (Self::Lost, _) => {
                "gave no picture when it was last opened, and is tried again while somebody watches; the log says why"
            }
        }
    }
}

/// What a picture is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// What a camera sees.
    #[default]
    Camera,
    /// The test picture, as the configuration says.
    Test,
    /// The test picture, because there is no camera.
    StandIn,
    /// A clip.
    File,
}

/// What the microphone does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundState {
    /// Closed, or there is none.
    #[default]
    Idle,
    /// Open, sound flows.
    Running,
    /// Open, and gives silence and nothing else, as one does that is switched off.
    Mute,
    /// It gives no sound, or gave none when it was last open.
    Lost,
}

impl SoundState {
    /// What a person should read, behind "the microphone", where there is anything to say.
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Idle | Self::Running => None,
            Self::Mute => {
                Some("gives nothing but silence, so viewers hear nothing; if it is muted, alsamixer shows it")
            }
            Self::Lost => Some("gives no sound and is tried again; the log says why"),
        }
    }
}

/// Whether encoded frames really flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameState {
    /// Nobody watches.
    #[default]
    Unwanted,
    /// They do.
    Flowing,
    /// They do not, though somebody watches.
    Still,
}

impl FrameState {
    /// What a person should read, behind "the picture", where there is anything to say.
    pub fn sentence(self) -> Option<&'static str> {
        (self == Self::Still)
            .then_some("stands still though somebody watches; restart Porthole if it stays so")
    }
}

impl Status {
    /// Whether a person need not act.
    pub fn healthy(&self) -> bool {
        self.link
            && matches!(self.room, RoomState::Asked | RoomState::In)
            && self.capture != CaptureState::Lost
            && !matches!(self.sound, SoundState::Mute | SoundState::Lost)
            && self.is_alive()
    }

    /// Whether a service manager may be told that the daemon does its work, by whoever is sure that the desk does: where
    /// somebody watches, frames flow. A lost camera or relay is no reason to start anew.
    pub fn is_alive(&self) -> bool {
        self.frames != FrameState::Still
    }
}
