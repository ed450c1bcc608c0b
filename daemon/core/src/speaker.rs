//! The speaker: what it is asked for, what is heard of it, and how it is. Must not know who is let in to talk.

use serde::Serialize;

use crate::ids::CallId;

/// Something for the speaker to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// From now on play what this call's viewer says. Nothing of any other is played.
    OpenEar(CallId),
    /// No longer.
    CloseEar(CallId),
    /// Play a file, in place of the one that is played.
    Play {
        /// A number never used before.
        number: u64,
        /// Its full path.
        file: String,
        /// How loud, in percent.
        volume: u32,
    },
    /// Play that no longer.
    StopPlaying,
}

/// What is heard of the speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Whether there is one. Said at the start, and whenever it is another answer.
    Found(bool),
    /// It is open.
    Runs,
    /// It is closed again: nobody needs it.
    Released,
    /// It could not be opened, or has failed; it is closed, and so is every ear.
    Failed {
        /// What a person should read, with the fix.
        reason: String,
    },
    /// How loud it was at its loudest since this was said last, in dB below the loudest there is. Said a few times a
    /// second while it is open.
    Level(i32),
    /// Something was heard of a viewer whose ear is open. At most a few times a second.
    Spoke(CallId),
    /// What became of a file that was to be played.
    Played {
        /// Its number.
        number: u64,
        /// How far it is.
        state: PlayState,
    },
}

/// How far the playing of a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlayState {
    /// It is being opened.
    Starting,
    /// It is heard.
    Playing,
    /// It has come to its end, or was stopped.
    Ended,
    /// It could not be played; why, in words.
    Failed(String),
}

/// The last file that was to be played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Played {
    /// Its number.
    pub number: u64,
    /// How far it is.
    pub state: PlayState,
}

/// What the speaker does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeakerState {
    /// There is none, or none is wanted.
    #[default]
    None,
    /// Closed, because nobody talks.
    Idle,
    /// Being opened.
    Starting,
    /// Open.
    Running,
    /// It could not be opened when it was needed last, or has failed.
    Lost,
}

/// How the speaker is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SpeakerStatus {
    /// What it does.
    pub state: SpeakerState,
    /// How many talk.
    pub talkers: usize,
    /// Whether a file is played.
    pub playing: bool,
    /// How loud it was a moment ago, in dB below the loudest there is; nothing while it is closed.
    pub level: Option<i32>,
}

impl SpeakerState {
    /// What a person should read, behind "the speaker", where there is anything to say.
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Idle | Self::Starting | Self::Running => None,
            Self::Lost => {
                Some("cannot be opened; it is tried again when somebody talks, and the log says why")
            }
        }
    }
}
