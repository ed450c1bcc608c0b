//! What a message gives away about the dialect of the relay it came through. Must not know what the message means.

use serde_json::Value;

use super::choice::Known;
use crate::ids::RoomName;

/// How far a message can be trusted to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// No other dialect has it.
    Sure(Known),
    /// Others have it too, and nothing was known before.
    Likely(Known),
}

/// The dialect that `event` belongs to, as far as it tells. `asked` is the last event with which the camera asked to be
/// let in.
pub(super) fn detect(asked: &str, room: &RoomName, event: &str, args: &[Value]) -> Option<Evidence> {
    use Evidence::{Likely, Sure};
    let object = args.iter().find_map(Value::as_object);
    let has = |key: &str| object.is_some_and(|object| object.get(key).is_some_and(|value| !value.is_null()));
    let is_room = |index: usize| args.get(index).and_then(Value::as_str) == Some(room.as_str());
    let two_members = if asked == "create or join" { Known::D } else { Known::C2 };
    Some(match event {
        "room" if has("peers") => Sure(Known::Porthole),
        "room_created"
        | "room_joined"
        | "full_room"
        | "start_call"
        | "webrtc_offer"
        | "webrtc_answer"
        | "webrtc_ice_candidate" => Sure(Known::F),
        "otherjoin" | "leaved" => Sure(Known::G),
        "welcome" | "ice" => Sure(Known::C),
        "other user" | "user joined" => Sure(Known::E),
        "message" if is_room(0) && args.len() > 1 => Sure(Known::G),
        "message" if is_signal(args.first()) => Sure(Known::D),
        "got user media" => Sure(Known::D),
        "created" | "joined" if is_room(0) => Likely(two_members),
        "full" if is_room(0) => Likely(two_members),
        "offer" if is_room(1) && has("sdp") => Sure(Known::C),
        "offer" if has("target") || has("caller") => Sure(Known::E),
        "offer" if has("roomId") || has("sender") || has("senderId") => Likely(Known::B),
        "offer" if has("room") => Likely(Known::A),
        "offer" if has("sdp") || has("offer") => Likely(Known::A0),
        // Without a socket's id it may be anybody's.
        "user-joined" | "user-connected" if !args.is_empty() => Likely(Known::B),
        _ => return None,
    })
}

/// Whether this is what pages of dialect D say to everybody.
fn is_signal(said: Option<&Value>) -> bool {
    match said {
        Some(Value::String(text)) => text == "got user media" || text == "bye",
        Some(Value::Object(object)) => {
            matches!(object.get("type").and_then(Value::as_str), Some("offer" | "answer" | "candidate"))
        }
        _ => false,
    }
}
