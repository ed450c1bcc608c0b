//! How scripts are read: the settings of a room, and events. Must not know what has happened so far.

use std::time::Duration;

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Secret, Stamp};
use porthole_core::adapt::{Limits, Report};
use porthole_core::config::settings::{Access, Fallback, MediaSettings, RoomSettings, Talkers};
use porthole_core::event::{AccessEvent, Event, LinkEvent, Loss, MediaEvent};
use porthole_core::ids::{CallId, Name, Rendition};
use porthole_core::order::Order;
use porthole_core::path::Path;
use porthole_core::rtcp::{Losses, Reception};
use porthole_core::speaker::Word;
use porthole_core::status::Shows;
use porthole_core::switchboard::{Relay, SwitchboardSettings};
use porthole_core::wire::Candidate;
use porthole_core::wire::dialect::{Choice, Custom, Known};
use serde_json::{Value, json};

use super::super::{Message, sdp};
use crate::corpus::{ME, ROOM};

/// When every script begins.
pub const TODAY: Stamp = Stamp(1_800_000_000);

/// The settings of the first line.
pub fn settings(line: &str) -> SwitchboardSettings {
    let mut words = line.split(' ');
    let access = match words.next() {
        Some("keys") => Access::Keys,
        Some("local") => Access::Local,
        _ => Access::Open,
    };
    let relay = words.next().unwrap_or("own");
    let calls = words.next().and_then(|word| word.parse().ok()).unwrap_or(3).clamp(1, 8);
    let known = Known::ALL.into_iter().find(|known| known.word() == relay);
    let relay = match (relay, known) {
        ("own", _) => Relay::Own,
        (_, Some(known)) => Relay::Foreign { dialect: Choice::Known(known), calls },
        ("custom", _) => {
            let custom = Box::new(Custom { offers: true, ..Custom::default() });
            Relay::Foreign { dialect: Choice::Custom(custom), calls }
        }
        _ => Relay::Foreign { dialect: Choice::Auto, calls },
    };
    let room = RoomSettings {
        room: name(ROOM),
        camera: "Nursery".into(),
        access,
        keys: None,
        max_calls: calls + 1,
        idle_after: Duration::from_secs(3),
        privacy: false,
    };
    let limits = Limits::of(&MediaSettings::default());
    SwitchboardSettings {
        room,
        me: name(ME),
        fallback: Fallback::Vp8,
        sound: true,
        talk: Some(if calls.is_multiple_of(2) { Talkers::One } else { Talkers::Mix }),
        limits,
        keep_warm: false,
        relay,
    }
}

/// A message.
pub fn message(block: &str) -> Event {
    let Message { event, sender, args } = Message::read(block);
    Event::Link(LinkEvent::Message { sender, name: event, args })
}

/// What the link or the media side reports of itself; `None` where the word is none of theirs.
pub fn report(word: &str, call: CallId, rest: &str) -> Option<Event> {
    let rendition = if rest.contains("vp8") { Rendition::Vp8 } else { Rendition::H264 };
    let rendition = if rest.contains("small") { rendition.small() } else { rendition };
    let reason = "tried in a script".to_owned();
    let media = match word {
        "!up" => return Some(Event::Link(LinkEvent::Up)),
        "!down" => return Some(Event::Link(LinkEvent::Down { why: Loss::Unreachable, reason })),
        "!shutdown" => return Some(Event::Shutdown),
        "!connected" => MediaEvent::Connected { call, waits: true },
        "!reached" => MediaEvent::Reached { call, path: Path::Nat },
        "!heard" => MediaEvent::Heard { call },
        "!reported" => MediaEvent::Reported { call, report: reported(rest) },
        "!failed" => MediaEvent::CallFailed { call, reason },
        "!overflowed" => MediaEvent::Overflowed { call },
        "!began" => MediaEvent::FeedBegan { call },
        "!closed" => MediaEvent::Closed { call },
        "!found" => MediaEvent::Candidate { call, candidate: candidate(rest) },
        "!offered" => MediaEvent::Offered { call, sdp: sdp::our_offer(rendition) },
        "!capture" if rest.contains("fails") => MediaEvent::CaptureFailed { reason },
        "!capture" if rest.contains("test") => MediaEvent::CaptureRunning { shows: Shows::StandIn },
        "!capture" => MediaEvent::CaptureRunning { shows: Shows::Camera },
        "!rendition" if rest.contains("fails") => MediaEvent::RenditionFailed { rendition, reason },
        "!rendition" if rest.contains("fixed") => MediaEvent::RateFixed { rendition, fixed: true },
        "!rendition" if rest.contains("free") => MediaEvent::RateFixed { rendition, fixed: false },
        "!rendition" => MediaEvent::RenditionRunning { rendition },
        "!privacy" => return Some(Event::Order(Order::Privacy { on: !rest.contains("off") })),
        "!sound" if rest.contains("fails") => MediaEvent::SoundFailed { reason },
        "!sound" if rest.contains("mute") => MediaEvent::SoundMute { reason },
        "!sound" if rest.contains("heard") => MediaEvent::SoundHeard,
        "!sound" if rest.contains("none") => MediaEvent::SoundAbsent,
        "!sound" if rest.contains("tone") => MediaEvent::SoundStandsIn,
        "!sound" => MediaEvent::SoundRunning,
        "!device" if rest.contains("sought") => MediaEvent::Sought { found: true },
        "!device" => MediaEvent::DeviceCame,
        "!flow" => MediaEvent::FramesFlow,
        "!made" => MediaEvent::FramesMade { rendition, frames: 30, over: Duration::from_secs(1) },
        "!speaker" if rest.contains("fails") => MediaEvent::Speaker(Word::Failed { reason }),
        "!speaker" if rest.contains("gone") => MediaEvent::Speaker(Word::Found(false)),
        "!speaker" if rest.contains("runs") => MediaEvent::Speaker(Word::Runs),
        "!speaker" if rest.contains("released") => MediaEvent::Speaker(Word::Released),
        "!speaker" => MediaEvent::Speaker(Word::Found(true)),
        "!spoke" => MediaEvent::Speaker(Word::Spoke(call)),
        "!play" => return Some(Event::Order(Order::Play { file: rest.to_owned(), volume: None })),
        "!wanted" => MediaEvent::KeyFrameWanted { rendition },
        _ => return None,
    };
    Some(Event::Media(media))
}

/// The ring of these keys, of which those with a number behind end then.
pub fn keys<'a>(words: impl Iterator<Item = &'a str>, revoked: Option<&str>) -> AccessEvent {
    let mut ring = KeyRing::default();
    for word in words.take(8) {
        let (id, until) = word.split_once('/').unwrap_or((word, ""));
        let Some(key) = key(id) else { continue };
        let until = until.parse::<u32>().ok().map(|seconds| Stamp(TODAY.0 + u64::from(seconds)));
        // One of each.
        let _ = ring.add(Key { until, ..key });
    }
    if let Some(id) = revoked.and_then(|id| KeyId::new(id).ok()) {
        let _ = ring.revoke(&id, TODAY);
    }
    AccessEvent::Keys(ring)
}

/// An offer that proves the key `id`, as our own page makes it.
pub fn knock(id: &str, who: &str, tag: &str, sdp: &str) -> Option<Value> {
    let (key, who, tag) = (key(id)?, Name::new(who).ok()?, Name::new(tag).ok()?);
    let around = Around { room: ROOM, from: who.as_str(), to: ME, call: tag.as_str() };
    let proof = proof::of_offer(&key.secret, around, sdp);
    let description = json!({ "type": "offer", "sdp": sdp });
    let ids = json!({ "room": ROOM, "from": who, "to": ME, "call": tag, "key": key.id, "proof": proof });
    let Value::Object(mut payload) = ids else { return None };
    payload.insert("sdp".into(), description);
    Some(Value::Object(payload))
}

fn key(id: &str) -> Option<Key> {
    let mut secret = [b'.'; Secret::BYTES];
    secret.iter_mut().zip(id.bytes()).for_each(|(byte, letter)| *byte = letter);
    let (id, name) = (KeyId::new(id).ok()?, Label::new(id).ok()?);
    Some(Key { id, name, role: Role::Talk, made: Stamp(1), until: None, secret: Secret::new(secret) })
}

/// What a viewer reports: words such as `of 800 again 40 lost 300 highest 900 sent 2000 waiting 90`, packets, kbit/s and milliseconds.
fn reported(rest: &str) -> Report {
    let words: Vec<&str> = rest.split(' ').collect();
    let said = |name: &str| {
        let number = words.windows(2).find(|pair| pair[0] == name)?[1];
        number.parse::<u32>().ok()
    };
    let losses =
        said("lost").map(|lost| Losses { highest: said("highest").unwrap_or(lost.saturating_mul(3)), lost });
    let round_trip = said("trip").map(|trip| Duration::from_millis(u64::from(trip)));
    let reception = Reception { losses, round_trip, estimate: said("of"), again: said("again").unwrap_or(0) };
    let sent = said("sent").unwrap_or(2000);
    let waiting = said("waiting").map(|waiting| Duration::from_millis(u64::from(waiting)));
    Report { reception, sent, packets: said("packets").unwrap_or(sent / 8), waiting }
}

fn candidate(rest: &str) -> Option<Candidate> {
    let line = Candidate {
        candidate: "candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    (!rest.contains("end")).then_some(line)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|bad| panic!("{text}: {bad}"))
}
