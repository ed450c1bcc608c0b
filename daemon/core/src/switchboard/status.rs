//! How things are, put together from all parts of the state. Must not change any.

use super::Switchboard;
use super::encoders::Encoders;
use crate::ids::Rendition;
use crate::status::{Counts, Encoding, Status};

impl Switchboard {
    /// What the daemon is doing.
    pub fn status(&self) -> Status {
        Status {
            link: self.entry.is_steady(),
            lost: self.entry.lost(),
            room: self.entry.state(),
            capture: self.capture.state(),
            shows: self.capture.shows(),
            sound: self.sound.state(),
            speaker: self.talking.status(),
            frames: self.flow.state(),
            privacy: self.privacy,
            calls: self.going().count(),
            live: self.calls.values().filter(|call| call.is_live()).count(),
            renditions: self.renditions.keys().map(ToString::to_string).collect(),
            encodings: self.renditions.keys().map(|rendition| self.encoding(*rendition)).collect(),
            refusals: self.refusals.counts().clone(),
            counts: Counts {
                begun: self.last_call,
                frames: self.encoders.iter().map(|(name, made)| (*name, made.frames().0)).collect(),
                ..self.counts.clone()
            },
            played: self.talking.played(),
            viewers: self.viewers(),
        }
    }

    fn encoding(&self, rendition: Rendition) -> Encoding {
        let (frames, rate) = self.encoders.get(&rendition).map(Encoders::frames).unwrap_or_default();
        Encoding { rendition, kbit: self.policy.bitrate(rendition), rate, frames }
    }
}
