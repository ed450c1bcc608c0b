//! Writes what the camera says in any dialect. Must not know when it says it.

use serde_json::{Map, Value, json};

use super::choice::{JoinShape, Wrap};
use super::spec::{Bye, Join, Said, Spec};
use crate::ids::{PeerId, RoomName};
use crate::wire::read::Ids;
use crate::wire::{Address, Outgoing, Reason, Shape};

/// `join`, in one spelling.
pub(super) fn join(spec: &Spec, join: &Join, room: &RoomName, me: &PeerId, name: &str) -> Outgoing {
    if spec.ids == Ids::Ours {
        return Outgoing::join(room, me, name);
    }
    let asked = match join.shape {
        JoinShape::Room => vec![json!(room)],
        JoinShape::RoomAndId => vec![json!(room), json!(me)],
        JoinShape::Object => {
            vec![json!({ "room": room, "roomId": room, "from": me, "role": "camera", "name": name })]
        }
    };
    Outgoing::entering(join.event.clone(), asked)
}

/// A message with the room in it.
pub(super) fn said(said: Said, room: &RoomName) -> Outgoing {
    match said {
        Said::Room(event) => Outgoing::new(None, event, [json!(room)]),
        Said::Text(event, text) => Outgoing::new(None, event, [json!(text), json!(room)]),
    }
}

/// The answer to a page that is not ours.
pub(super) fn answer(spec: &Spec, address: &Address, shape: Shape, sdp: &str) -> Outgoing {
    if spec.wrap != Wrap::Object {
        return described(spec, spec.answer.clone(), address, "answer", sdp);
    }
    let mut message = Outgoing::answer(address, shape, sdp);
    message.event = spec.answer.clone();
    add_names(spec, &mut message, address);
    message
}

/// An offer of the camera's own.
pub(super) fn offer(spec: &Spec, address: &Address, sdp: &str) -> Outgoing {
    described(spec, spec.offer.clone(), address, "offer", sdp)
}

fn described(
    spec: &Spec,
    event: std::borrow::Cow<'static, str>,
    address: &Address,
    kind: &'static str,
    sdp: &str,
) -> Outgoing {
    let mut description = ids(address);
    description.insert("type".into(), json!(kind));
    description.insert("sdp".into(), json!(sdp));
    let description = Value::Object(description);
    let room = json!(address.room);
    let args = match spec.wrap {
        Wrap::Args => vec![description, room],
        Wrap::RoomFirst => vec![room, description],
        Wrap::Bare => vec![description],
        Wrap::Sdp => vec![json!({ "type": event, "sdp": description, "roomId": room })],
        Wrap::Object => {
            let mut object = ids(address);
            object.insert("room".into(), room.clone());
            object.insert("roomId".into(), room);
            object.insert("type".into(), json!(kind));
            object.insert("sdp".into(), json!(sdp));
            object.insert(kind.into(), description);
            vec![Value::Object(object)]
        }
    };
    let mut message = Outgoing::new(address.to.clone(), event, args);
    if spec.wrap == Wrap::Object {
        add_names(spec, &mut message, address);
    }
    message
}

/// That the camera hangs up, where there is a word for it and somebody could know that it is meant.
pub(super) fn bye(spec: &Spec, address: &Address, reason: Reason) -> Option<Outgoing> {
    match &spec.bye {
        Bye::Unsaid => None,
        Bye::Said(bye) => Some(said(*bye, &address.room)),
        Bye::Object(event) => address.reaches_somebody().then(|| {
            let mut message = Outgoing::bye(address, reason);
            message.event = event.clone();
            add_names(spec, &mut message, address);
            if *event == spec.offer
                && let Some(Value::Object(object)) = message.args.first_mut()
            {
                object.insert("type".into(), json!("bye"));
            }
            message
        }),
    }
}

/// What other people call sender and addressee. `from` and `to` stay beside them.
fn add_names(spec: &Spec, message: &mut Outgoing, address: &Address) {
    if spec.ids == Ids::Ours {
        return;
    }
    let Some(Value::Object(object)) = message.args.first_mut() else { return };
    object.insert("roomId".into(), json!(address.room));
    object.insert("caller".into(), json!(address.from));
    object.extend(address.to.iter().map(|to| ("target".into(), json!(to))));
}

/// `from`, `to`, `call`.
fn ids(address: &Address) -> Map<String, Value> {
    let mut ids = Map::new();
    ids.insert("from".into(), json!(address.from));
    ids.extend(address.to.iter().map(|to| ("to".into(), json!(to))));
    ids.extend(address.call.iter().map(|call| ("call".into(), json!(call))));
    ids
}
