//! Who may enter our own camera's room: whoever proves an access key in the handshake, for as long as that key is worth
//! something. Must not know sockets, nor how the ring comes about.

use std::time::Duration;

use porthole_core::access::{KeyId, KeyRing, Role, Unusable, proof};
use porthole_core::ids::RoomName;
use porthole_core::wire::Reason;
use serde_json::Value;
use tokio::sync::watch;

use super::rooms::text;
use crate::keys;

/// What a socket proved in its handshake: with which key, or why it may not enter.
pub type Standing = Result<KeyId, Reason>;

/// The key that somebody entered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which one.
    pub key: KeyId,
    /// What it allows.
    pub role: Role,
}

/// The gate of one room.
#[derive(Debug, Clone)]
pub struct Gate {
    room: RoomName,
    ring: watch::Receiver<KeyRing>,
}

impl Gate {
    /// The gate of `room`, which opens to the keys of `ring` as it is at that time.
    pub fn new(room: RoomName, ring: watch::Receiver<KeyRing>) -> Self {
        Self { room, ring }
    }

    /// Judges the `auth` of a handshake: `{key, admission, room}`, with the proof of
    /// [`of_admission`](proof::of_admission).
    pub fn judge(&self, auth: &Value) -> Standing {
        let asked = (text(auth, "room"), text(auth, "key"), text(auth, "admission"));
        let (Some(room), Some(key), Some(admission)) = asked else { return Err(Reason::NotAllowed) };
        let key = KeyId::new(key).map_err(|_| Reason::NotAllowed)?;
        if room != self.room.as_str() {
            return Err(Reason::NotAllowed);
        }
        let ring = self.ring.borrow();
        let found = ring.usable(&key, keys::now()).map_err(why)?;
        if proof::is_of_admission(admission, &found.secret, room) { Ok(key) } else { Err(Reason::NotAllowed) }
    }

    /// The key of this standing, as it is now.
    ///
    /// # Errors
    /// Why it does not open any more, in the word that is said.
    pub fn opens(&self, standing: &Standing) -> Result<Shown, Reason> {
        let key = standing.as_ref().map_err(|reason| *reason)?;
        let ring = self.ring.borrow();
        let found = ring.usable(key, keys::now()).map_err(why)?;
        Ok(Shown { key: key.clone(), role: found.role })
    }

    /// How long it is until the next key ends, in whole seconds of the wall's clock.
    pub fn until_next_end(&self) -> Option<Duration> {
        let now = keys::now();
        let end = self.ring.borrow().next_expiry(now)?;
        Some(Duration::from_secs(end.0.saturating_sub(now.0)))
    }

    /// Waits until the ring is another. For ever, when there will be none.
    pub async fn changed(&mut self) {
        if self.ring.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

fn why(unusable: Unusable) -> Reason {
    match unusable {
        Unusable::Unknown => Reason::NotAllowed,
        Unusable::Expired => Reason::ExpiredKey,
        Unusable::Revoked => Reason::RevokedKey,
    }
}

#[cfg(test)]
mod tests {
    use porthole_core::access::{Key, Label, Stamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_proves_a_key_for_this_room_may_enter_until_it_is_taken_back() {
        let ann = key("ann", None);
        let (ring, gate) = gate([&ann]);
        let standing = gate.judge(&shown(&ann, "yard"));
        assert_eq!(standing, Ok(ann.id.clone()));
        assert_eq!(gate.opens(&standing), Ok(Shown { key: ann.id.clone(), role: Role::Watch }));
        ring.send_modify(|ring| {
            ring.revoke(&ann.id, Stamp(2));
        });
        assert_eq!(gate.opens(&standing), Err(Reason::RevokedKey));
        assert_eq!(gate.judge(&shown(&ann, "yard")), Err(Reason::RevokedKey));
    }

    #[test]
    fn a_key_that_has_ended_or_was_never_made_is_told_apart() {
        let (guest, stranger) = (key("guest", Some(Stamp(7))), key("stranger", None));
        let (_ring, gate) = gate([&guest]);
        assert_eq!(gate.judge(&shown(&guest, "yard")), Err(Reason::ExpiredKey));
        assert_eq!(gate.opens(&Ok(guest.id.clone())), Err(Reason::ExpiredKey));
        assert_eq!(gate.judge(&shown(&stranger, "yard")), Err(Reason::NotAllowed));
        assert_eq!(gate.opens(&Err(Reason::NotAllowed)), Err(Reason::NotAllowed));
    }

    #[test]
    fn the_next_end_of_a_key_is_known_beforehand() {
        let in_an_hour = Stamp(keys::now().0 + 3600);
        let (ann, gone, guest) =
            (key("ann", None), key("gone", Some(Stamp(7))), key("guest", Some(in_an_hour)));
        assert_eq!(gate([&ann, &gone]).1.until_next_end(), None);
        let left = gate([&ann, &gone, &guest]).1.until_next_end().unwrap();
        assert!(left <= Duration::from_secs(3600) && left > Duration::from_secs(3000), "{left:?}");
    }

    #[test]
    fn what_is_not_the_proof_of_that_key_for_this_room_is_nothing() {
        let (ann, bob) = (key("ann", None), key("bob", None));
        let (_ring, gate) = gate([&ann, &bob]);
        let mut borrowed = shown(&ann, "yard");
        borrowed["key"] = json!(bob.id);
        let mut elsewhere = shown(&ann, "cellar");
        let for_elsewhere = elsewhere.clone();
        elsewhere["room"] = json!("yard");
        for auth in [
            borrowed,
            elsewhere,
            for_elsewhere,
            Value::Null,
            json!({}),
            json!([]),
            json!({"room": "yard", "key": ann.id}),
            json!({"room": "yard", "key": ann.id, "admission": ""}),
            json!({"room": "yard", "key": ann.id, "admission": ann.secret.text()}),
            json!({"room": "yard", "key": "a.b", "admission": "x"}),
            json!({"room": "yard", "key": 7, "admission": [1]}),
        ] {
            assert_eq!(gate.judge(&auth), Err(Reason::NotAllowed), "{auth}");
        }
    }

    fn key(name: &str, until: Option<Stamp>) -> Key {
        keys::key(Label::new(name).unwrap(), Role::Watch, Stamp(1), until).unwrap()
    }

    fn gate<const N: usize>(all: [&Key; N]) -> (watch::Sender<KeyRing>, Gate) {
        let mut ring = KeyRing::default();
        for key in all {
            ring.add(key.clone()).unwrap();
        }
        let (ring, known) = watch::channel(ring);
        (ring, Gate::new(RoomName::new("yard").unwrap(), known))
    }

    fn shown(key: &Key, room: &str) -> Value {
        json!({"room": room, "key": key.id, "admission": proof::of_admission(&key.secret, room)})
    }
}
