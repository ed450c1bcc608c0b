//! Our own dialect, one message at a time. Must not know what is done about a message.

use std::mem::discriminant;

use porthole_core::ids::{Name, PeerId, RoomName};
use porthole_core::wire::dialect::{Choice, Known, Tongue};
use porthole_core::wire::{Bye, Candidate, Incoming, Talk, Unreadable, limits};
use serde_json::{Map, Value};

use super::{Message, Outcome};
use crate::Target;
use crate::corpus::{self, ME, ROOM};

/// One message, as [`Message`] has it.
pub const TARGET: Target = Target { name: "wire", run, corpus: goldens, words: WORDS };

/// What stands in messages.
pub const WORDS: &[&str] = &[
    "room",
    "roomId",
    "from",
    "to",
    "call",
    "sender",
    "senderId",
    "caller",
    "callerId",
    "target",
    "id",
    "peerId",
    "userId",
    "user",
    "socketId",
    "sdp",
    "offer",
    "answer",
    "description",
    "type",
    "candidate",
    "sdpMid",
    "sdpMLineIndex",
    "usernameFragment",
    "label",
    "key",
    "proof",
    "reason",
    "role",
    "name",
    "peers",
    "viewers",
    "bye",
    "join",
    "joined",
    "left",
    "leave",
    "ready",
    "message",
    "ice-candidate",
    "refused",
    "watching",
    "notice",
    "welcome",
    "created",
    "full",
    "got user media",
    "create or join",
    "join room",
    "user joined",
    "other user",
    "start_call",
    "webrtc_offer",
    "webrtc_answer",
    "webrtc_ice_candidate",
    "otherjoin",
    "v=0",
    "a=candidate:",
    ROOM,
    ME,
    "viewer-7f3a",
];

/// What other people call the sender of a message.
const SENDERS: [&str; 5] = ["from", "sender", "senderId", "caller", "callerId"];

fn goldens() -> Vec<Vec<u8>> {
    let messages = corpus::messages();
    let vouched = messages.iter().map(|message| message.replacen("\n-", "\nviewer-7f3a", 1));
    messages.iter().cloned().chain(vouched).map(String::into_bytes).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let Message { event, sender, args } = Message::read(&text);
    let (me, room) = names();
    let mut tongue = Tongue::new(&Choice::Known(Known::Porthole));
    let heard = tongue.read(sender.as_ref(), &me, &room, &event, &args);
    let mut outcome = Outcome::default();
    outcome.note(heard.understood);
    judge(&heard.message, sender.as_ref(), &me, &args, &mut outcome);
    outcome.number()
}

/// The camera and its room.
pub(super) fn names() -> (PeerId, RoomName) {
    let name = |text: &str| Name::new(text).unwrap_or_else(|bad| panic!("{text}: {bad}"));
    (name(ME), name(ROOM))
}

/// What holds for everything that was read.
pub(super) fn judge(
    read: &Result<Incoming, Unreadable>,
    sender: Option<&PeerId>,
    me: &PeerId,
    args: &[Value],
    outcome: &mut Outcome,
) {
    let who = match read {
        Ok(incoming) => {
            outcome.note(discriminant(incoming));
            sound(incoming, me, outcome)
        }
        Err(Unreadable { from, tag, reason, offer }) => {
            outcome.note((reason, offer, from.is_some(), tag.is_some()));
            Some(from.as_ref())
        }
    };
    if let Some(from) = who {
        assert!(sender.is_none() || from == sender, "{from:?} instead of {sender:?}, who is vouched for");
        assert!(from != Some(me) || sender == Some(me), "our own message is taken for somebody's");
        assert!(!claims_to_be(me, args), "a message of our own is read as one of {from:?}");
    }
}

/// Whether whatever of these may be read says, in any spelling, that we have sent it.
fn claims_to_be(me: &PeerId, args: &[Value]) -> bool {
    let objects: Vec<_> = args.iter().take(4).filter_map(opened).collect();
    !objects.is_empty() && objects.iter().all(|object| names_as_sender(me, object))
}

/// An object, which some pages write as text.
fn opened(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) if text.starts_with('{') => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn names_as_sender(me: &PeerId, object: &Map<String, Value>) -> bool {
    SENDERS.iter().any(|key| object.get(*key).and_then(Value::as_str) == Some(me.as_str()))
}

/// Bounds; tells whose it is, where it is anybody's.
fn sound<'a>(incoming: &'a Incoming, me: &PeerId, outcome: &mut Outcome) -> Option<Option<&'a PeerId>> {
    match incoming {
        Incoming::Offer(offer) => {
            assert!(
                !offer.sdp.is_empty() && offer.sdp.len() <= limits::SDP_BYTES && !offer.sdp.contains('\0')
            );
            assert!(offer.proof.as_ref().is_none_or(|proof| proof.len() <= limits::PROOF_BYTES));
            let shape = format!("{:?}", offer.shape);
            outcome.note((
                shape,
                offer.from.is_some(),
                offer.to.is_some(),
                offer.key.is_some(),
                offer.proof.is_some(),
            ));
            Some(offer.from.as_ref())
        }
        Incoming::Answer { from, sdp } => {
            assert!(!sdp.is_empty() && sdp.len() <= limits::SDP_BYTES && !sdp.contains('\0'));
            Some(from.as_ref())
        }
        Incoming::Candidate { from, tag, candidate } => {
            outcome.note((tag.is_some(), candidate.is_some()));
            candidate.iter().for_each(bounded);
            Some(from.as_ref())
        }
        Incoming::Bye(Bye { from, tag, to_us, reason, proof }) => {
            let short = |text: &String| text.len() <= limits::PROOF_BYTES;
            assert!(short(reason) && proof.as_ref().is_none_or(short));
            outcome.note((tag.is_some(), to_us, proof.is_some()));
            Some(from.as_ref())
        }
        Incoming::Talk(Talk { from, to_us, want, proof, .. }) => {
            assert!(proof.as_ref().is_none_or(|proof| proof.len() <= limits::PROOF_BYTES));
            outcome.note((want.word(), to_us, proof.is_some()));
            Some(Some(from))
        }
        Incoming::Wanted { from } => Some(from.as_ref()),
        Incoming::Joined { peer } | Incoming::Left { peer } => Some(Some(peer)),
        Incoming::Present { peers } => {
            outcome.note(peers.len().min(3));
            assert!(peers.len() <= limits::ROOM_PEERS && !peers.contains(me));
            None
        }
        Incoming::Entered { .. } | Incoming::Away(_) | Incoming::Misdirected | Incoming::Nothing => None,
    }
}

fn bounded(candidate: &Candidate) {
    let Candidate { candidate: line, sdp_mid, username_fragment, .. } = candidate;
    assert!(line.len() <= limits::CANDIDATE_BYTES && (line.is_empty() || line.starts_with("candidate:")));
    let texts = [Some(line), sdp_mid.as_ref(), username_fragment.as_ref()];
    assert!(texts.iter().flatten().all(|text| !text.chars().any(char::is_control)));
    assert!(sdp_mid.as_ref().is_none_or(|mid| mid.len() <= limits::MID_BYTES));
    assert!(candidate.ufrag().is_none_or(|ufrag| ufrag.len() <= limits::CANDIDATE_BYTES));
}
