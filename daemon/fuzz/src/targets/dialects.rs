//! Other people's dialects, and finding out which is spoken: several messages, one after the other. Must not know what
//! is done about a message.

use porthole_core::ids::{PeerId, RoomName};
use porthole_core::wire::dialect::{Choice, Custom, JoinShape, Known, Tongue, Wrap};
use porthole_core::wire::{Address, Incoming, Offer, Outgoing, Reason, Shape};
use serde_json::{Value, json};

use super::{Message, Outcome, wire};
use crate::Target;
use crate::corpus;

/// First line: the dialect, `auto` and `custom…` among them, or `keys` for `auto` in a room that asks for keys. Then
/// messages as [`Message`] has them, with an empty line before each; `!start` and `!join` stand for what the camera does.
pub const TARGET: Target = Target { name: "dialects", run, corpus: goldens, words: wire::WORDS };

const CUSTOM: [(&str, Wrap); 5] = [
    ("custom-object", Wrap::Object),
    ("custom-args", Wrap::Args),
    ("custom-first", Wrap::RoomFirst),
    ("custom-bare", Wrap::Bare),
    ("custom-sdp", Wrap::Sdp),
];

/// What the camera says in answer to a message.
const SDP: &str = "v=0\r\no=- 3 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

fn goldens() -> Vec<Vec<u8>> {
    let spoken =
        |dialect: &str, message: &str| format!("{dialect}\n\n!start\n\n!join\n\n{message}").into_bytes();
    let words =
        Known::ALL.map(Known::word).into_iter().chain(["auto", "keys"]).chain(CUSTOM.map(|(word, _)| word));
    let words: Vec<_> = words.collect();
    let messages = corpus::messages();
    let each = messages.iter().flat_map(|message| words.iter().map(move |word| (*word, message)));
    // One of several for each: all of them would be thousands.
    let some = each.enumerate().filter(|(number, (word, _))| *word == "auto" || number % 4 == 0);
    let mut corpus: Vec<_> = some.map(|(_, (word, message))| spoken(word, message)).collect();
    corpus.extend(messages.chunks(7).map(|some| spoken("auto", &some.join("\n\n"))));
    corpus
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut blocks = text.split("\n\n");
    let mut tongue = tongue(blocks.next().unwrap_or_default());
    let (me, room) = wire::names();
    let mut outcome = Outcome::default();
    let mut joins = 0;
    for block in blocks.take(24) {
        match block {
            "!start" => {
                tongue.start();
                joins = 0;
            }
            "!join" => {
                if let Some(join) = tongue.next_join(&room, &me, "Nursery") {
                    joins += 1;
                    assert!(join.enters && joins <= 16, "asks for ever: {join:?}");
                }
            }
            message => hear(&mut tongue, message, &me, &room, &mut outcome),
        }
    }
    outcome.number()
}

fn tongue(word: &str) -> Tongue {
    if word == "keys" {
        return Tongue::new(&Choice::Auto).for_our_pages();
    }
    if let Some(known) = Known::ALL.into_iter().find(|known| known.word() == word) {
        return Tongue::new(&Choice::Known(known));
    }
    match CUSTOM.into_iter().find(|(custom, _)| *custom == word) {
        Some((_, shape)) => {
            let offers = shape != Wrap::Object;
            let join_shape = if offers { JoinShape::RoomAndId } else { JoinShape::Object };
            Tongue::new(&Choice::Custom(Box::new(Custom { shape, offers, join_shape, ..Custom::default() })))
        }
        None => Tongue::new(&Choice::Auto),
    }
}

fn hear(tongue: &mut Tongue, text: &str, me: &PeerId, room: &RoomName, outcome: &mut Outcome) {
    let Message { event, sender, args } = Message::read(text);
    let heard = tongue.read(sender.as_ref(), me, room, &event, &args);
    outcome.note((heard.understood, heard.news));
    wire::judge(&heard.message, sender.as_ref(), me, &args, outcome);
    if let Ok(Incoming::Offer(offer)) = heard.message {
        for said in replies(tongue, &offer, me, room) {
            for args in ways_back(&said) {
                // Whatever is believed by then: what we have said is nobody else's.
                let heard = tongue.clone().read(None, me, room, &said.event, &args);
                wire::judge(&heard.message, None, me, &args, outcome);
            }
        }
        tongue.works(offer.shape);
    }
}

/// What the camera may say about a call.
fn replies(tongue: &Tongue, offer: &Offer, me: &PeerId, room: &RoomName) -> Vec<Outgoing> {
    let address =
        Address { room: room.clone(), from: me.clone(), to: offer.from.clone(), call: offer.tag.clone() };
    let mut said = vec![tongue.answer(&address, offer.shape, SDP)];
    said.extend(tongue.bye(&address, offer.shape, Reason::HangUp));
    said.extend(tongue.refused(&address, Reason::Busy));
    if offer.shape != Shape::Porthole {
        said.push(tongue.offer(&address, tongue.own_shape(), SDP));
    }
    said
}

/// As it is, and as relays may pass it back to whoever said it: under their own names for the sender, and with a
/// socket's id in the place of ours.
fn ways_back(said: &Outgoing) -> Vec<Vec<Value>> {
    let mut ways = vec![said.args.clone()];
    let Some(Value::Object(object)) = said.args.first() else { return ways };
    for kept in ["sender", "senderId", "caller", "callerId"] {
        let mut object = object.clone();
        if let Some(from) = object.remove("from") {
            object.remove("caller");
            object.insert(kept.to_owned(), from);
            ways.push(vec![Value::Object(object)]);
        }
    }
    let mut stamped = object.clone();
    stamped.insert("from".to_owned(), json!("socket-1"));
    if stamped.contains_key("caller") {
        ways.push(vec![Value::Object(stamped)]);
    }
    ways
}
