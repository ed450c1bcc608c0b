//! One access key: its id, its secret, whose it is, and what it allows until when. Must not know other keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::shown::is_shown;

/// What names a key on the wire: 1 to 64 characters of `A-Z a-z 0-9 _ : @ -`, without the dot that parts it from the
/// secret in a link. Not secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Name", into = "Name")]
pub struct KeyId(Name);

/// 256 random bits that only the camera and one viewer know. Its `Debug` form shows nothing.
///
/// As text: base64url without padding (RFC 4648 section 5), 43 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret([u8; Secret::BYTES]);

/// Whose key it is, as people call it ("grandma's phone"): 1 to [`Label::LONGEST`] characters that can all be seen
/// ([`is_shown`]), no white space around them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// What a key allows; each role allows what the ones before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See and hear.
    Watch,
    /// Be heard, too.
    Talk,
    /// Change what the camera does, too.
    Manage,
}

/// Seconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub u64);

/// One access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What names it on the wire.
    pub id: KeyId,
    /// Whose it is.
    pub name: Label,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub made: Stamp,
    /// From when on it is worth nothing; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Stamp>,
    /// What is proved.
    pub secret: Secret,
}

/// Why a text is no key, or no part of one. For the person who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The id.
    #[error("a key's id has 1 to {} characters of A-Z a-z 0-9 _ : @ -", Name::LONGEST)]
    Id,
    /// The secret.
    #[error("a key's secret has 43 characters of A-Z a-z 0-9 _ -")]
    Secret,
    /// The name.
    #[error(
        "a key's name has 1 to {} characters that can be seen, for example \"grandma's phone\"",
        Label::LONGEST
    )]
    Name,
    /// The role.
    #[error("a role is one of watch, talk, manage")]
    Role,
}

impl KeyId {
    /// Takes `text` as an id.
    ///
    /// # Errors
    /// [`BadKey::Id`].
    pub fn new(text: &str) -> Result<Self, BadKey> {
        Name::new(text).map_err(|_| BadKey::Id).and_then(Self::try_from)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<Name> for KeyId {
    type Error = BadKey;
    fn try_from(name: Name) -> Result<Self, BadKey> {
        if name.as_str().contains('.') { Err(BadKey::Id) } else { Ok(Self(name)) }
    }
}

impl From<KeyId> for Name {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Secret {
    /// Bytes in a secret.
    pub const BYTES: usize = 32;

    /// A secret of these bytes, which have to be random.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// As it stands in a link.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadKey::Secret)?;
        bytes.try_into().map(Self).map_err(|_| BadKey::Secret)
    }
}

impl TryFrom<String> for Secret {
    type Error = BadKey;
    fn try_from(text: String) -> Result<Self, BadKey> {
        text.parse()
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.text()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Label {
    /// Longest name, in characters.
    pub const LONGEST: usize = 40;

    /// Takes `text` as a name, without white space around it, and with single spaces in it.
    ///
    /// # Errors
    /// [`BadKey::Name`].
    pub fn new(text: &str) -> Result<Self, BadKey> {
        let single: Vec<_> = text.split_whitespace().collect();
        let name = single.join(" ");
        let fits = (1..=Self::LONGEST).contains(&name.chars().count()) && is_shown(text.trim());
        if fits { Ok(Self(name)) } else { Err(BadKey::Name) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = BadKey;
    fn try_from(text: String) -> Result<Self, BadKey> {
        Self::new(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Watch, Self::Talk, Self::Manage];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Talk => "talk",
            Self::Manage => "manage",
        }
    }
}

impl FromStr for Role {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or(BadKey::Role)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Key {
    /// What a link carries behind `key=`: `<id>.<secret>`. Whoever has it may do what the key allows.
    pub fn token(&self) -> String {
        format!("{}.{}", self.id, self.secret.text())
    }

    /// Whether it is worth nothing any more at `now`.
    pub fn has_expired(&self, now: Stamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
