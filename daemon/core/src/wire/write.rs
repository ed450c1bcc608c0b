//! Writing what the camera says. Must not know when it says it.

use serde_json::{Map, Value, json};

use super::{Candidate, Mirror, Outgoing, Reason, Shape};
use crate::access::{Label, Stamp};
use crate::ids::{CallTag, PeerId, RoomName};

/// What stands around everything that is said about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The room.
    pub room: RoomName,
    /// The camera.
    pub from: PeerId,
    /// The viewer, where it has a name.
    pub to: Option<PeerId>,
    /// The viewer's own id for the attempt, where it has one.
    pub call: Option<CallTag>,
}

/// What a `notice` is about (`what` on the wire).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The camera gives no picture.
    CameraLost,
    /// It gives one again.
    CameraBack,
    /// The microphone gives no sound.
    SoundLost,
    /// It gives some again.
    SoundBack,
    /// Camera and microphone are closed, because somebody wanted it so.
    PrivacyOn,
    /// No longer.
    PrivacyOff,
    /// The viewer gets the full picture.
    PictureFull,
    /// The way to the viewer carries a small picture and no more.
    PictureSmall,
    /// The way to the viewer carries no picture.
    PictureNone,
}

/// Somebody who watches, as others are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Whose key it is; `None` where the relay is not to know.
    pub name: Option<Label>,
    /// Since when.
    pub since: Stamp,
}

impl What {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::CameraLost => "camera-lost",
            Self::CameraBack => "camera-back",
            Self::SoundLost => "sound-lost",
            Self::SoundBack => "sound-back",
            Self::PrivacyOn => "privacy-on",
            Self::PrivacyOff => "privacy-off",
            Self::PictureFull => "picture-full",
            Self::PictureSmall => "picture-small",
            Self::PictureNone => "picture-none",
        }
    }

    /// The sentence for a person.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CameraLost => Reason::CameraLost.sentence(),
            Self::CameraBack => "the camera gives a picture again",
            Self::SoundLost => "the microphone gives no sound",
            Self::SoundBack => "the microphone gives sound again",
            Self::PrivacyOn => "camera and microphone are switched off for privacy",
            Self::PrivacyOff => "privacy is over",
            Self::PictureFull => "the full picture is sent",
            Self::PictureSmall => "the way to the viewer is weak: a small picture is sent",
            Self::PictureNone => "the way to the viewer carries no picture: sound alone is sent",
        }
    }
}

impl Address {
    /// Whether somebody could know that a message with this address is for them.
    pub fn reaches_somebody(&self) -> bool {
        self.to.is_some() || self.call.is_some()
    }

    /// `from`, `to`, `call`.
    fn ids(&self) -> Map<String, Value> {
        let mut ids = Map::new();
        ids.insert("from".into(), json!(self.from));
        ids.extend(self.to.iter().map(|to| ("to".into(), json!(to))));
        ids.extend(self.call.iter().map(|call| ("call".into(), json!(call))));
        ids
    }

    pub(super) fn put(
        &self,
        event: &'static str,
        members: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Outgoing {
        let mut payload = self.ids();
        payload.insert("room".into(), json!(self.room));
        payload.extend(members.into_iter().map(|(key, value)| (key.into(), value)));
        Outgoing::new(self.to.clone(), event, [Value::Object(payload)])
    }
}

impl Outgoing {
    /// `join`: the camera enters its room. `name` is what people read ("Nursery").
    pub fn join(room: &RoomName, me: &PeerId, name: &str) -> Self {
        let payload = json!({ "room": room, "from": me, "role": "camera", "name": name });
        Self::entering("join", [payload])
    }

    /// `answer`: the viewer's offer, which came with the proof of a key, is taken. `proof` is
    /// [`of_answer`](crate::access::proof::of_answer); like the ids it is inside the SDP object too.
    pub fn proved_answer(address: &Address, sdp: &str, proof: &str) -> Self {
        let mut description = description(address, sdp);
        description.insert("proof".into(), json!(proof));
        address.put("answer", [("sdp", Value::Object(description)), ("proof", json!(proof))])
    }

    /// `answer`: the viewer's offer is taken. The ids are inside the SDP object too, for relays that forward only
    /// that.
    pub fn answer(address: &Address, shape: Shape, sdp: &str) -> Self {
        let description = Value::Object(description(address, sdp));
        let mirrored = match shape {
            Shape::Porthole | Shape::Http => return address.put("answer", [("sdp", description)]),
            Shape::Tutorial(Mirror::Object) => description.clone(),
            Shape::Tutorial(_) => json!(sdp),
        };
        let members = [
            ("roomId", json!(address.room)),
            ("type", json!("answer")),
            ("sdp", mirrored),
            ("answer", description),
        ];
        address.put("answer", members)
    }

    /// Adds what people call the camera ("Nursery") to an `answer` that is one object.
    pub fn introduce(&mut self, name: &str) {
        if let [Value::Object(payload)] = self.args.as_mut_slice() {
            payload.insert("name".into(), json!(name));
        }
    }

    /// `candidate`: one of the camera's own; `None` is the end of candidates.
    pub fn candidate(address: &Address, candidate: Option<&Candidate>) -> Self {
        address.put("candidate", [("candidate", json!(candidate))])
    }

    /// `bye`: the camera ends a call.
    pub fn bye(address: &Address, reason: Reason) -> Self {
        address.put("bye", [("reason", json!(reason.word()))])
    }

    /// `bye` to a viewer that called with a key. `proof` is [`of_bye`](crate::access::proof::of_bye).
    pub fn proved_bye(address: &Address, reason: Reason, proof: &str) -> Self {
        address.put("bye", [("reason", json!(reason.word())), ("proof", json!(proof))])
    }

    /// `refused`: the camera does not take a call.
    pub fn refused(address: &Address, reason: Reason) -> Self {
        address.put("refused", [("reason", json!(reason.word()))])
    }

    /// `watching`: who else watches, to the one viewer that `address` names.
    pub fn watching(address: &Address, others: &[Watcher]) -> Self {
        let others = others.iter().map(|Watcher { name, since }| {
            let name = name.iter().map(|name| ("name".to_owned(), json!(name)));
            name.chain([("since".to_owned(), json!(since))]).collect()
        });
        address.put("watching", [("viewers", Value::Array(others.map(Value::Object).collect()))])
    }

    /// `notice`: something happened that concerns everybody in the room.
    pub fn notice(room: &RoomName, me: &PeerId, what: What) -> Self {
        let payload = json!({ "room": room, "from": me, "what": what.word(), "text": what.sentence() });
        Self::new(None, "notice", [payload])
    }

    /// Adds to a `notice` that what is wrong is on the viewer's side.
    pub fn is_on_their_side(&mut self) {
        if let [Value::Object(payload)] = self.args.as_mut_slice() {
            payload.insert("side".into(), json!("viewer"));
        }
    }

    /// `notice`: something that the one viewer that `address` names has not heard.
    pub fn notice_to(address: &Address, what: What) -> Self {
        address.put("notice", [("what", json!(what.word())), ("text", json!(what.sentence()))])
    }
}

fn description(address: &Address, sdp: &str) -> Map<String, Value> {
    let mut description = address.ids();
    description.insert("type".into(), json!("answer"));
    description.insert("sdp".into(), json!(sdp));
    description
}
