//! Who may talk and who does: what a viewer wants of the floor, and what it is told. Whoever has the floor is heard on the
//! camera's speaker. Must not know who gets it.

use serde_json::{Map, Value, json};

use super::{Address, Outgoing};
use crate::access::Label;
use crate::ids::{CallTag, PeerId};

/// What a viewer wants (`want` of `talk`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The floor, if nobody has it.
    Ask,
    /// The floor, whoever has it.
    Take,
    /// To give it back.
    Give,
}

/// A viewer wants something of the floor; read but not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// Who.
    pub from: PeerId,
    /// In which call.
    pub tag: CallTag,
    /// Whether it is to this camera by name.
    pub to_us: bool,
    /// What.
    pub want: Want,
    /// Larger each time within a call, so that what was proved once is worth nothing afterwards.
    pub turn: u64,
    /// What is to prove all that, at most [`super::limits::PROOF_BYTES`] of whatever.
    pub proof: Option<String>,
}

/// Whether a viewer may talk (`may` of `floor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// There is nothing to talk through.
    NoSpeaker,
    /// The key is one for watching.
    NotAllowed,
    /// It may, but the speaker could not be opened when it was tried last.
    SpeakerLost,
    /// It may.
    Talk,
    /// It may, and may take the floor from others.
    Manage,
}

/// What one viewer is told of the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// Whether it may talk.
    pub may: May,
    /// Whether it has the floor: what it says is heard.
    pub yours: bool,
    /// Who else has it, by the names of their keys; `None` where there is none, or the relay is not to know.
    pub talkers: Vec<Option<Label>>,
    /// The largest turn of what it wanted: what it wants is answered with this.
    pub turn: u64,
}

impl Want {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Ask, Self::Take, Self::Give];

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Take => "take",
            Self::Give => "give",
        }
    }
}

impl May {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoSpeaker => "no-speaker",
            Self::NotAllowed => "not-allowed",
            Self::SpeakerLost => "speaker-lost",
            Self::Talk => "talk",
            Self::Manage => "manage",
        }
    }

    /// Whether one who may so much may ask for the floor.
    pub fn talks(self) -> bool {
        matches!(self, Self::SpeakerLost | Self::Talk | Self::Manage)
    }
}

impl Outgoing {
    /// `floor`: who talks, to the one viewer that `address` names.
    pub fn floor(address: &Address, floor: &Floor) -> Self {
        let talkers = floor.talkers.iter().map(|name| {
            let name = name.iter().map(|name| ("name".to_owned(), json!(name)));
            Value::Object(name.collect::<Map<_, _>>())
        });
        let members = [
            ("may", json!(floor.may.word())),
            ("yours", json!(floor.yours)),
            ("talkers", Value::Array(talkers.collect())),
            ("turn", json!(floor.turn)),
        ];
        address.put("floor", members)
    }
}
