//! All keys of one camera, and the ids of those that were revoked. Must not know where it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Key, KeyId, Label, Role, Stamp};

/// Every key of a camera, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    keys: Vec<Key>,
    revoked: BTreeMap<KeyId, Stamp>,
}

/// Why a key does not open the door now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// There is none with that id.
    Unknown,
    /// Its end date has passed.
    Expired,
    /// It was revoked.
    Revoked,
}

/// No key is called that, or several are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// None.
    #[error("there is no key with the name or id {0:?}; `porthole access list` shows all of them")]
    Nobody(String),
    /// More than one.
    #[error("{count} keys are called {name:?}: give the id instead (`porthole access list` shows it)")]
    Several {
        /// What was asked for.
        name: String,
        /// How many.
        count: usize,
    },
    /// Another key has that name already.
    #[error("there is a key called \"{0}\" already; choose another name, or revoke that one first")]
    Taken(Label),
}

/// A text that is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum BadRing {
    /// It is not even JSON of that form.
    #[error("{0}")]
    Form(String),
    /// Its `version` is one we do not know.
    #[error("version {0} is not known (1 is): it was written by a newer Porthole")]
    Version(u32),
    /// Two keys share an id.
    #[error("two keys have the id {0}")]
    Twice(KeyId),
}

/// How a ring is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    keys: Vec<Key>,
    #[serde(default)]
    revoked: BTreeMap<KeyId, Stamp>,
}

/// What is wrong and where, without what stands there: that may be a secret in the wrong place.
fn without_values(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let expected = ["invalid ", "unknown "].iter().any(|start| said.starts_with(start));
    match said.rfind(", expected ").filter(|_| expected) {
        Some(at) => said.get(at + 2..).unwrap_or_default().to_owned(),
        None => said,
    }
}

impl KeyRing {
    /// How many revoked ids are remembered, the latest, so that a page can say what happened to its key.
    pub const REVOKED: usize = 100;
    /// The form that is written.
    const VERSION: u32 = 1;

    /// Reads a ring from what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// [`BadRing`]; a ring is taken whole or not at all.
    pub fn from_json(text: &str) -> Result<Self, BadRing> {
        let Written { version, keys, revoked } =
            serde_json::from_str(text).map_err(|error| BadRing::Form(without_values(&error)))?;
        if version != Self::VERSION {
            return Err(BadRing::Version(version));
        }
        let mut ring = Self { keys: Vec::with_capacity(keys.len()), revoked };
        for key in keys {
            if ring.get(&key.id).is_some() {
                return Err(BadRing::Twice(key.id));
            }
            ring.keys.push(key);
        }
        Ok(ring)
    }

    /// The ring as JSON, secrets included: `{"version": 1, "keys": [...], "revoked": {id: seconds}}`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let Self { keys, revoked } = self.clone();
        serde_json::to_string_pretty(&Written { version: Self::VERSION, keys, revoked })
    }

    /// Every key, the oldest first.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Whether nobody manages the camera with a key, nor ever did as far as this ring knows.
    pub fn has_no_owner(&self) -> bool {
        self.revoked.is_empty() && self.keys.iter().all(|key| key.role < Role::Manage)
    }

    /// The key with this id, expired or not.
    pub fn get(&self, id: &KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// The key with this id, if it opens the door at `now`.
    ///
    /// # Errors
    /// [`Unusable`]: why it does not.
    pub fn usable(&self, id: &KeyId, now: Stamp) -> Result<&Key, Unusable> {
        match self.get(id) {
            Some(key) if key.has_expired(now) => Err(Unusable::Expired),
            Some(key) => Ok(key),
            None if self.revoked.contains_key(id) => Err(Unusable::Revoked),
            None => Err(Unusable::Unknown),
        }
    }

    /// The key that people mean by `text`: its id, else its name, if only one has that.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn meant(&self, text: &str) -> Result<&Key, Unknown> {
        if let Some(key) = self.keys.iter().find(|key| key.id.as_str() == text) {
            return Ok(key);
        }
        let named: Vec<_> = self.keys.iter().filter(|key| key.name.as_str() == text.trim()).collect();
        match named[..] {
            [key] => Ok(key),
            [] => Err(Unknown::Nobody(text.to_owned())),
            _ => Err(Unknown::Several { name: text.to_owned(), count: named.len() }),
        }
    }

    /// Hangs a new key on the ring.
    ///
    /// # Errors
    /// [`Unknown::Taken`]: two people must not be mistaken for each other.
    pub fn add(&mut self, key: Key) -> Result<(), Unknown> {
        if self.get(&key.id).is_some() || self.keys.iter().any(|other| other.name == key.name) {
            return Err(Unknown::Taken(key.name));
        }
        self.keys.push(key);
        Ok(())
    }

    /// Takes the key with this id off the ring; `None` where there was none.
    pub fn revoke(&mut self, id: &KeyId, now: Stamp) -> Option<Key> {
        let at = self.keys.iter().position(|key| key.id == *id)?;
        let key = self.keys.remove(at);
        self.revoked.insert(key.id.clone(), now);
        while self.revoked.len() > Self::REVOKED {
            let oldest = self.revoked.iter().min_by_key(|(_, when)| **when).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.revoked.remove(&id));
        }
        Some(key)
    }

    /// When the next key expires, after `now`.
    pub fn next_expiry(&self, now: Stamp) -> Option<Stamp> {
        self.keys.iter().filter_map(|key| key.until).filter(|until| *until > now).min()
    }
}
