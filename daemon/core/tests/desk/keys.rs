//! Keys for the desk: who holds which, and what their pages say.

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Secret, Stamp};
use porthole_core::event::{AccessEvent, Event, LinkEvent};
use porthole_core::wire::dialect::{Choice, Known};
use serde_json::{Value, json};

use super::*;

/// When every test begins.
pub const TODAY: Stamp = Stamp(1_800_000_000);

/// A key that allows everything for ever, called like its id.
pub fn key(id: &str) -> Key {
    let mut secret = [b'.'; Secret::BYTES];
    secret.iter_mut().zip(id.bytes()).for_each(|(byte, letter)| *byte = letter);
    Key {
        id: KeyId::new(id).unwrap(),
        name: Label::new(&format!("{id}'s phone")).unwrap(),
        role: Role::Manage,
        made: Stamp(1),
        until: None,
        secret: Secret::new(secret),
    }
}

pub fn ring(keys: &[Key]) -> KeyRing {
    let mut ring = KeyRing::default();
    keys.iter().for_each(|key| ring.add(key.clone()).unwrap());
    ring
}

pub fn keys(keys: &[Key]) -> Event {
    Event::Access(AccessEvent::Keys(ring(keys)))
}

/// The ring of these keys after one of them was taken back.
pub fn without(keys: &[Key], revoked: &Key) -> Event {
    let mut ring = ring(keys);
    ring.revoke(&revoked.id, TODAY).unwrap();
    Event::Access(AccessEvent::Keys(ring))
}

pub fn date(date: Stamp) -> Event {
    Event::Access(AccessEvent::Date(date))
}

pub fn later(seconds: u64) -> Stamp {
    Stamp(TODAY.0 + seconds)
}

pub fn porthole_elsewhere() -> Relay {
    Relay::Foreign { dialect: Choice::Known(Known::Porthole), calls: 1 }
}

impl Desk {
    /// Whoever has one of these keys is let in, through the camera's own relay.
    pub fn keyed(held: &[Key]) -> Self {
        Self::keyed_with(held, |_| {})
    }

    /// The same through somebody else's relay, which passes on our own dialect and vouches for nobody.
    pub fn keyed_elsewhere(held: &[Key]) -> Self {
        Self::keyed_with(held, |settings| settings.relay = porthole_elsewhere())
    }

    pub fn keyed_with(held: &[Key], change: impl FnOnce(&mut SwitchboardSettings)) -> Self {
        let mut desk = Self::with(|settings| {
            settings.room.access = Access::Keys;
            change(settings);
        });
        desk.ignores(date(TODAY));
        desk.ignores(keys(held));
        desk
    }

    /// Brings the call of `knock` as far as picture and sound. Tells its number.
    pub fn live_with(&mut self, knock: &Knock) -> u64 {
        let id = self.answers(knock);
        let answered = self.answered(id);
        self.on(answered);
        self.on(connected(id));
        id
    }

    /// An offer that is taken. Tells its number.
    #[track_caller]
    pub fn answers(&mut self, knock: &Knock) -> u64 {
        let commands = self.on(knock.event());
        let call = commands.iter().find_map(|command| match command {
            Command::Answer { call, .. } => Some(call.0),
            _ => None,
        });
        call.unwrap_or_else(|| panic!("not answered: {commands:?}"))
    }

    /// An offer that is not taken, for this reason, which is told and counted once; nothing else happens.
    #[track_caller]
    pub fn refuses(&mut self, knock: &Knock, reason: Reason) {
        let before = self.refusals(reason);
        let (from, call) = (knock.payload["from"].as_str(), knock.payload["call"].as_str());
        self.expect(knock.event(), [Command::Send(Outgoing::refused(&address(from, call), reason))]);
        assert_eq!(self.refusals(reason), before + 1);
    }
}

/// An offer of our own page with a key, and whatever has become of it on the way.
#[derive(Debug, Clone)]
pub struct Knock {
    /// For whom the relay vouches.
    pub sender: Option<String>,
    pub payload: Value,
}

impl Knock {
    /// As the page sends it to this camera, and our own relay passes it on.
    pub fn new(key: &Key, who: &str, call: &str) -> Self {
        Self::with_sdp(key, who, call, &chromium(&ufrag(who, call)))
    }

    pub fn with_sdp(key: &Key, who: &str, call: &str, sdp: &str) -> Self {
        Self::to(key, Around { room: ROOM, from: who, to: ME, call }, sdp)
    }

    pub fn to(key: &Key, around: Around<'_>, sdp: &str) -> Self {
        let Around { room, from, to, call } = around;
        let proof = proof::of_offer(&key.secret, around, sdp);
        let inner = json!({ "type": "offer", "sdp": sdp, "from": from, "to": to, "call": call,
                            "key": key.id, "proof": proof });
        let payload = json!({ "room": room, "from": from, "to": to, "call": call, "key": key.id, "proof": proof,
                              "sdp": inner });
        Self { sender: Some(from.to_owned()), payload }
    }

    /// The same through a relay that vouches for nobody.
    pub fn unvouched(mut self) -> Self {
        self.sender = None;
        self
    }

    /// The same with another member, outside and inside the description.
    pub fn change(mut self, member: &str, value: Value) -> Self {
        self.payload["sdp"][member] = value.clone();
        self.payload[member] = value;
        self
    }

    /// The same without a member.
    pub fn strip(mut self, member: &str) -> Self {
        self.payload["sdp"].as_object_mut().unwrap().remove(member);
        self.payload.as_object_mut().unwrap().remove(member);
        self
    }

    /// The same with another description.
    pub fn describe(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.payload["sdp"]["sdp"] = json!(change(self.sdp()));
        self
    }

    pub fn sdp(&self) -> &str {
        self.payload["sdp"]["sdp"].as_str().unwrap()
    }

    pub fn event(&self) -> Event {
        let args = vec![self.payload.clone()];
        Event::Link(LinkEvent::Message {
            sender: self.sender.as_deref().map(name),
            name: "offer".into(),
            args,
        })
    }
}

/// What the camera tells this viewer about the others: name and since when.
pub fn watching(who: &str, others: &[(Option<&str>, Stamp)]) -> Command {
    let others = others
        .iter()
        .map(|(name, since)| Watcher { name: name.map(|name| Label::new(name).unwrap()), since: *since });
    Command::Send(Outgoing::watching(&address(Some(who), None), &others.collect::<Vec<_>>()))
}

/// What the camera says at the end of a call that was made with `key`.
pub fn proved_bye(key: &Key, who: &str, tag: &str, reason: Reason) -> Command {
    let around = Around { room: ROOM, from: ME, to: who, call: tag };
    let proof = proof::of_bye(&key.secret, around, reason.word());
    Command::Send(Outgoing::proved_bye(&address(Some(who), Some(tag)), reason, &proof))
}

/// A page hangs up a call that it made with `key`, and the relay vouches for it.
pub fn leaves(key: &Key, who: &str, tag: &str) -> Event {
    says(Some(who), "bye", good_bye(key, who, ME, tag, "hang-up"))
}

/// What a page says when it hangs up a call that it made with `key`.
pub fn good_bye(key: &Key, who: &str, to: &str, tag: &str, reason: &str) -> Value {
    let proof = proof::of_bye(&key.secret, Around { room: ROOM, from: who, to, call: tag }, reason);
    json!({ "room": ROOM, "from": who, "to": to, "call": tag, "reason": reason, "proof": proof })
}
