//! What a message gives away about the dialect of the relay it came through. Must not know what the message means, nor
//! what has been believed so far.

use serde_json::{Map, Value};

use super::choice::Known;
use crate::ids::RoomName;

/// How far a message can be trusted to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// No other dialect has it.
    Sure(Known),
    /// Others have it too: worth a guess where nothing is known.
    Likely(Known),
}

/// What the camera has said so far to be let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The last event of that kind; empty for none.
    pub(super) last: &'a str,
    /// Whether `join_room` was among them: before that nobody of dialect C can have greeted us in the room.
    pub(super) as_c: bool,
}

/// What stands beside a description that is wrapped in an object, and never inside one.
const AROUND: [&str; 9] = ["room", "roomId", "from", "to", "call", "target", "caller", "sender", "senderId"];

/// The dialect that `event` belongs to, as far as it tells. Words that relays of several dialects say when somebody
/// comes tell nothing: neither how that one has joined, nor how it is going to call.
pub(super) fn detect(asked: Asked<'_>, room: &RoomName, event: &str, args: &[Value]) -> Option<Evidence> {
    use Evidence::{Likely, Sure};
    let object = args.iter().find_map(Value::as_object);
    let has = |key: &str| object.is_some_and(|object| object.get(key).is_some_and(|value| !value.is_null()));
    let is_room = |index: usize| args.get(index).and_then(Value::as_str) == Some(room.as_str());
    let two_members = if asked.last == "create or join" { Known::D } else { Known::C2 };
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
        "welcome" if asked.as_c => Sure(Known::C),
        // Pages of A call their candidates so too, but never with the room behind.
        "ice" if is_room(1) => Likely(Known::C),
        "message" if is_room(0) && is_signal(args.get(1)) => Sure(Known::G),
        "message" if is_signal(args.first()) => Sure(Known::D),
        "got user media" => Sure(Known::D),
        "created" | "joined" if is_room(0) => Likely(two_members),
        "full" if is_room(0) => Likely(two_members),
        "offer" if is_room(1) => Sure(Known::C),
        // Our own page speaks alike everywhere.
        "offer" if has("call") && has("from") => return None,
        "offer" if is_bare(args) => Likely(Known::A0),
        "offer" if has("target") || has("caller") => Sure(Known::E),
        "offer" if has("roomId") || has("sender") || has("senderId") => Sure(Known::B),
        "offer" if has("room") => Sure(Known::A),
        "offer" if has("sdp") || has("offer") => Sure(Known::A0),
        _ => return None,
    })
}

/// Whether a description stands alone, with nothing around it. Relays of A0 and B bring it so, and those of C.
pub(super) fn is_bare(args: &[Value]) -> bool {
    let alone = |object: &Map<String, Value>| {
        object.get("sdp").is_some_and(Value::is_string)
            && !AROUND.iter().any(|key| object.get(*key).is_some_and(|value| !value.is_null()))
    };
    matches!(args, [Value::Object(object)] if alone(object))
}

/// Whether this is what pages of dialect D or G say to everybody: a word that asks for a call, or what makes one. A
/// plain word such as `bye` may be anybody's chat.
fn is_signal(said: Option<&Value>) -> bool {
    match said {
        Some(Value::String(text)) => text == "got user media",
        Some(Value::Object(object)) => match object.get("type").and_then(Value::as_str) {
            Some("offer" | "answer") => object.get("sdp").is_some_and(|sdp| !sdp.is_null()),
            Some("candidate") => object.contains_key("candidate"),
            _ => false,
        },
        _ => false,
    }
}
