//! Names for rooms, peers, calls and renditions. Must not know what any of them does.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

/// A name that came from outside: 1 to [`Name::LONGEST`] characters of `A-Z a-z 0-9 . _ : @ -`.
///
/// Cheap to clone; everything else is refused by [`Name::new`], so a `Name` can be logged and echoed as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {} characters of A-Z a-z 0-9 . _ : @ -", Name::LONGEST)]
pub struct BadName;

impl Name {
    /// Longest name, in characters (all of them ASCII).
    pub const LONGEST: usize = 64;

    /// Takes `text` as a name, or says why it is none.
    pub fn new(text: impl AsRef<str>) -> Result<Self, BadName> {
        let text = text.as_ref();
        let fits = !text.is_empty()
            && text.len() <= Self::LONGEST
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@-".contains(&b));
        if fits { Ok(Self(text.into())) } else { Err(BadName) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Whoever else is in the room, named by the signalling link.
pub type PeerId = Name;

/// A room of a relay.
pub type RoomName = Name;

/// A viewer's own id for one attempt at a call (`call` on the wire).
pub type CallTag = Name;

/// One attempt with one viewer. Counted up by the switchboard and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One encoding of the picture, made once and shared by the calls that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rendition {
    /// H.264 constrained baseline, the one every board is asked for first.
    H264,
    /// VP8, made only while a browser without H.264 watches.
    Vp8,
    /// A small picture in H.264, made only while the way to a viewer carries no more.
    SmallH264,
    /// The same in VP8.
    SmallVp8,
}

impl Rendition {
    /// Every rendition there is, the preferred one first.
    pub const ALL: [Self; 4] = [Self::H264, Self::Vp8, Self::SmallH264, Self::SmallVp8];
    /// Those that a viewer and the camera agree on, the preferred one first.
    pub const FULL: [Self; 2] = [Self::H264, Self::Vp8];

    /// The full picture in the same format.
    pub fn full(self) -> Self {
        match self {
            Self::H264 | Self::SmallH264 => Self::H264,
            Self::Vp8 | Self::SmallVp8 => Self::Vp8,
        }
    }

    /// The small picture in the same format.
    pub fn small(self) -> Self {
        match self {
            Self::H264 | Self::SmallH264 => Self::SmallH264,
            Self::Vp8 | Self::SmallVp8 => Self::SmallVp8,
        }
    }

    /// Whether it is a small picture.
    pub fn is_small(self) -> bool {
        self == self.small()
    }
}

/// As people read it.
impl Serialize for Rendition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::Vp8 => "VP8",
            Self::SmallH264 => "small H.264",
            Self::SmallVp8 => "small VP8",
        })
    }
}
