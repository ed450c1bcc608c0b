//! Players that watch over HTTP alone (WHEP, draft-ietf-wish-whep-03), and whoever wants a single picture: what they ask
//! for, and what they are told.
//!
//! A player sends an offer and gets the answer with everything in it; afterwards it may send candidates, and hang up, at
//! an address of its own that nobody guesses. Must not know HTTP (the link does, and bounds what arrives), nor what
//! becomes of a call.

use std::fmt;
use std::sync::Arc;

use crate::access::{KeyId, Secret, Stamp};
use crate::ids::{Name, PeerId};
use crate::wire::Reason;

mod answer;
mod fragment;

pub(crate) use answer::one_stream;
pub use fragment::{BadFragment, Fragment};

/// One request, from its arrival to its response. Counted up by the link and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Where a player finds its call again, below the room. Whoever knows it may hang up, so its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place(Name);

/// What stands behind `Authorization: Bearer`, where that could be a key: `<id>.<secret>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The key's id.
    pub key: KeyId,
    /// Its secret, or what is given for it.
    pub secret: Secret,
}

/// What came with a request that should have been a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    None,
    /// Something that is no key of any camera.
    Wrong,
    /// A key, to be looked at.
    Bearer(Bearer),
    /// A link to a picture, signed with a key.
    Signed(Signed),
}

/// What a link to a picture has instead of a key, so that the secret itself never travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The id of the key that it is signed with.
    pub key: KeyId,
    /// Until when it holds.
    pub until: Stamp,
    /// See [`of_snapshot`](crate::access::proof::of_snapshot).
    pub proof: String,
}

/// A picture as JPEG. Its `Debug` form shows how large it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Jpeg(pub Arc<[u8]>);

/// What a player asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which request it is.
    pub id: RequestId,
    /// Who may be the same as whoever sent it: its address, or its network.
    pub from: Name,
    /// Nobody on the way could read it: it came over TLS, or from this machine.
    pub private: bool,
    /// What it shows for a key.
    pub credentials: Credentials,
    /// What is asked for.
    pub ask: Ask,
}

/// See [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To watch.
    Watch {
        /// Where the call is to be found, if there is one: made for this request, and unguessable.
        place: Place,
        /// The offer, at most [`SDP_BYTES`](crate::wire::limits::SDP_BYTES).
        offer: String,
    },
    /// To take candidates.
    Trickle {
        /// Where the call is.
        place: Place,
        /// What `If-Match` says.
        matches: Matches,
        /// `application/trickle-ice-sdpfrag` (RFC 8840), at most
        /// [`FRAGMENT_BYTES`](crate::wire::limits::FRAGMENT_BYTES).
        fragment: String,
    },
    /// A picture of now.
    Snapshot,
    /// To hang up.
    HangUp {
        /// Where the call is.
        place: Place,
    },
}

/// What a request says of the ICE negotiation it belongs to (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matches {
    /// Nothing.
    Unsaid,
    /// Any will do.
    Any,
    /// One of these entity-tags, as they stand between the quotes. Weak ones match nothing and are left out.
    OneOf(Vec<String>),
}

/// What a player is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// It may watch.
    Watching {
        /// Where its call is found from now on.
        place: Place,
        /// The entity-tag of its ICE negotiation, as it stands between the quotes.
        tag: String,
        /// The answer, every candidate inside.
        answer: String,
    },
    /// Its candidates are taken.
    Taken,
    /// It has hung up.
    Ended,
    /// A picture of now.
    Picture(Jpeg),
    /// It gets nothing.
    Refused(Refusal),
}

/// Why a player gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A key is wanted, and nothing was shown.
    NoKey,
    /// A key travels only where nobody on the way can read it.
    NotPrivate {
        /// Whether one has travelled all the same.
        shown: bool,
    },
    /// The call is not taken, or has ended.
    Call(Reason),
    /// Nobody is to see anything now.
    Private,
    /// The link has ended, or would hold for too long.
    Stale,
    /// There is no such call (any more).
    NoCall,
    /// It does not say which ICE negotiation it means.
    NoMatch,
    /// It means another ICE negotiation.
    OtherMatch,
    /// It begins ICE anew, which webrtcbin cannot.
    Restart,
    /// Its candidates cannot be read.
    Unreadable,
}

impl Place {
    /// A place called `name`, which has to be long and random.
    pub fn new(name: Name) -> Self {
        Self(name)
    }

    /// As it stands in the address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the log calls whoever is there. Of a random name so much may be told: the rest cannot be guessed.
    pub fn peer(&self) -> PeerId {
        let shown: String = self.as_str().chars().take(SHOWN).collect();
        Name::new(format!("whep-{shown}")).unwrap_or_else(|_| self.0.clone())
    }
}

/// How many characters of a place the log may have.
const SHOWN: usize = 8;

impl fmt::Debug for Jpeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jpeg({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(…)")
    }
}

impl Credentials {
    /// Reads what stands behind `Bearer`.
    pub fn read(token: &str) -> Self {
        let read = || {
            let (key, secret) = token.split_once('.')?;
            Some(Bearer { key: KeyId::new(key).ok()?, secret: secret.parse().ok()? })
        };
        read().map_or(Self::Wrong, Self::Bearer)
    }
}

impl Matches {
    /// Whether `tag` is meant, if anything is said.
    pub fn means(&self, tag: &str) -> Option<bool> {
        match self {
            Self::Unsaid => None,
            Self::Any => Some(true),
            Self::OneOf(tags) => Some(tags.iter().any(|one| one == tag)),
        }
    }
}
