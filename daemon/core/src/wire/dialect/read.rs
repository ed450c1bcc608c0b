//! Reads a message of any dialect: finds out what it means, and which of its arguments says so. Must not know what is
//! done about it.

use std::borrow::Cow;

use serde_json::Value;

use super::choice::Wrap;
use super::spec::{Means, Spec};
use crate::ids::{Name, PeerId, RoomName};
use crate::wire::read::{About, Ids, is_said_by, present, understand};
use crate::wire::{Away, Incoming, Unreadable, limits};

/// Most arguments that are looked at.
const ARGUMENTS: usize = 4;

/// What a message was, and whether its name meant anything.
pub(super) struct Reading {
    pub(super) result: Result<Incoming, Unreadable>,
    /// The relay has said something that only a member of a room hears, or the camera was answered.
    pub(super) known: bool,
    /// It may be no more than the echo of our own coming, and the room another than is meant.
    pub(super) echo: bool,
}

/// Reads one event in the dialect `spec`.
pub(super) fn read(
    spec: &Spec,
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    event: &str,
    args: &[Value],
) -> Reading {
    let Some(means) = spec.means(event) else {
        return Reading { result: Ok(Incoming::Nothing), known: false, echo: false };
    };
    let result = meant(spec, means, sender, me, room, args);
    let nothing = |incoming: &Incoming| matches!(incoming, Incoming::Nothing | Incoming::Misdirected);
    let known = result.as_ref().is_ok_and(|incoming| !nothing(incoming)) || echoes(means);
    Reading { result, known, echo: echoes(means) }
}

/// Events that name nobody we know and still tell that we are heard.
fn echoes(means: Means) -> bool {
    matches!(means, Means::Joined | Means::Left)
}

fn meant(
    spec: &Spec,
    means: Means,
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    args: &[Value],
) -> Result<Incoming, Unreadable> {
    let ids = spec.ids;
    let about = |about| understand(about, ids, sender, me, room, &subject(args));
    match means {
        Means::Offer => about(About::Offer),
        Means::Answer => about(About::Answer),
        Means::Candidate => about(About::Candidate),
        Means::Bye => match subject(args).as_ref() {
            any if ids == Ids::Ours => understand(About::Bye, ids, sender, me, room, any),
            object @ Value::Object(_) => understand(About::Bye, ids, sender, me, room, object),
            _ => understand(About::Bye, ids, sender, me, room, &Value::Null),
        },
        Means::Talk => about(About::Talk),
        Means::Joined => peer(ids, sender, me, room, args, About::Joined),
        Means::Left => peer(ids, sender, me, room, args, About::Left),
        Means::Wanted => Ok(match peer(ids, sender, me, room, args, About::Joined)? {
            Incoming::Joined { peer } => Incoming::Wanted { from: Some(peer) },
            _ if is_ours(me, room, args) => Incoming::Wanted { from: sender.cloned() },
            other => other,
        }),
        Means::Entered { others } => {
            Ok(if names_room(room, args) { Incoming::Entered { others } } else { Incoming::Nothing })
        }
        Means::Away(why) => Ok(if names_room(room, args) || is_sentence(args) {
            Incoming::Away(why)
        } else {
            Incoming::Nothing
        }),
        Means::Present => Ok(present(me, room, &subject(args))),
        Means::Refused => Ok(refused(&subject(args))),
        Means::Message => message(spec, sender, me, room, args),
    }
}

/// A coming or going: an object that names the peer, or its id as a text.
fn peer(
    ids: Ids,
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    args: &[Value],
    about: About,
) -> Result<Incoming, Unreadable> {
    let subject = subject(args);
    if subject.is_object() || ids == Ids::Ours {
        return understand(about, ids, sender, me, room, &subject);
    }
    if ids == Ids::None {
        return Ok(Incoming::Nothing);
    }
    let texts = args.iter().take(ARGUMENTS).filter_map(Value::as_str).filter(|text| *text != room.as_str());
    let named = texts.filter_map(|text| Name::new(text).ok()).find(|name| name != me);
    let Some(peer) = sender.cloned().or(named) else { return Ok(Incoming::Nothing) };
    Ok(if about == About::Left { Incoming::Left { peer } } else { Incoming::Joined { peer } })
}

/// Whether a message without a peer in it is about us: not our own echo, and not about another room.
fn is_ours(me: &PeerId, room: &RoomName, args: &[Value]) -> bool {
    match subject(args).as_object() {
        None => true,
        Some(object) => {
            let says = |key: &str| object.get(key).and_then(Value::as_str);
            !is_said_by(me, object)
                && ["room", "roomId"].iter().all(|key| says(key).is_none_or(|named| named == room.as_str()))
        }
    }
}

/// What the relay says to us alone has the room's name first, or nothing.
fn names_room(room: &RoomName, args: &[Value]) -> bool {
    match args.first() {
        None => true,
        Some(Value::String(text)) => text == room.as_str(),
        Some(Value::Object(object)) => {
            // A server that took our own object for a name tells it back whole.
            let says = |key: &str| object.get(key).and_then(Value::as_str);
            says("role").is_none()
                && says("room").or_else(|| says("roomId")).is_none_or(|named| named == room.as_str())
        }
        Some(_) => false,
    }
}

/// Some relays say to a person why they do not let us in.
fn is_sentence(args: &[Value]) -> bool {
    args.first().and_then(Value::as_str).is_some_and(|text| Name::new(text).is_err())
}

/// Our own relay refuses: not a call, but the camera itself.
fn refused(subject: &Value) -> Incoming {
    let says = |key: &str| subject.get(key).and_then(Value::as_str);
    let about_us = ["from", "to", "call"].iter().all(|key| subject.get(key).is_none());
    if about_us && says("reason") == Some("not-allowed") {
        Incoming::Away(Away::NotAllowed)
    } else {
        Incoming::Nothing
    }
}

/// A message that says itself what it means. Some servers pass it to everybody, whatever their room.
fn message(
    spec: &Spec,
    sender: Option<&PeerId>,
    me: &PeerId,
    room: &RoomName,
    args: &[Value],
) -> Result<Incoming, Unreadable> {
    let (named, payload) = match spec.wrap {
        Wrap::RoomFirst => (args.first(), args.get(1)),
        _ => (args.get(1), args.first()),
    };
    let elsewhere = matches!(named, Some(Value::String(text)) if text != room.as_str());
    let Some(payload) = payload.map(opened).filter(|_| !elsewhere) else { return Ok(Incoming::Nothing) };
    // A word alone does not say whose it is, but what comes with it may.
    if !payload.is_object() && !is_ours(me, room, args) {
        return Ok(Incoming::Nothing);
    }
    let word = payload.as_str().or_else(|| payload.get("type").and_then(Value::as_str));
    let about = match word {
        Some("offer") => About::Offer,
        Some("answer") => About::Answer,
        Some("candidate" | "ice-candidate" | "iceCandidate" | "ice") => About::Candidate,
        Some("got user media" | "ready") if spec.hears.iter().any(|(_, means)| *means == Means::Wanted) => {
            return Ok(if is_ours(me, room, args) {
                Incoming::Wanted { from: sender.cloned() }
            } else {
                Incoming::Nothing
            });
        }
        Some("bye" | "hangup" | "leave") => {
            return understand(About::Bye, spec.ids, sender, me, room, &payload);
        }
        _ => return Ok(Incoming::Nothing),
    };
    understand(about, spec.ids, sender, me, room, &payload)
}

/// The argument that says it: the first object, else the first SDP, else the first there is.
fn subject(args: &[Value]) -> Cow<'_, Value> {
    let first = || args.iter().take(ARGUMENTS).map(opened);
    let is_sdp = |value: &Cow<'_, Value>| value.as_str().is_some_and(|text| text.starts_with("v=0"));
    first()
        .find(|value| value.is_object())
        .or_else(|| first().find(is_sdp))
        .or_else(|| first().next())
        .unwrap_or(Cow::Owned(Value::Null))
}

/// Some pages write their objects as text.
fn opened(value: &Value) -> Cow<'_, Value> {
    let text = value.as_str().filter(|text| text.starts_with('{') && text.len() <= limits::MESSAGE_BYTES);
    match text.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        Some(object) => Cow::Owned(object),
        None => Cow::Borrowed(value),
    }
}
