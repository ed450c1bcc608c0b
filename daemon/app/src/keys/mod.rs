//! The camera's keys on this machine: where the ring is kept, how it is changed and noticed to have changed. Must not
//! decide whom a key lets in, nor know what a call or a relay is.

pub mod dates;
mod file;
mod fresh;
mod place;
mod watch;

use std::time::{SystemTime, UNIX_EPOCH};

use porthole_core::access::{Key, KeyRing, Label, Role, Stamp};

pub use file::{Kept, KeyFile};
pub use fresh::{NoRandomness, key, unguessable, unguessable_for_long};
pub use place::{NoPlace, key_file};
pub use watch::{NEWS, follow};

/// What the key is called that the first start makes.
pub const OWNER: &str = "owner";

/// The wall clock.
pub fn now() -> Stamp {
    // Before 1970 no clock of a camera stands.
    Stamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Why there is no ring to begin with.
#[derive(Debug, thiserror::Error)]
pub enum NoRing {
    /// Nowhere to keep it.
    #[error(transparent)]
    Nowhere(#[from] NoPlace),
    /// It cannot be read or written.
    #[error(transparent)]
    Unkept(#[from] Kept),
    /// The machine has no random numbers.
    #[error(transparent)]
    NotRandom(#[from] NoRandomness),
}

/// The ring that a daemon starts with, and whether the owner's key was made for it: at the first start, and where others
/// were made before that.
///
/// # Errors
/// [`NoRing`].
pub fn begin(file: &KeyFile) -> Result<(KeyRing, bool), NoRing> {
    // A file that is there needs no lock, whose own file a daemon may not be allowed to write.
    let found = file.read()?;
    if let Some(ring) = found.clone().filter(|ring| !ring.has_no_owner()) {
        return Ok((ring, false));
    }
    let owned = file.change(|ring| {
        // Somebody else may have begun meanwhile; and a key may be called so already.
        let name = Label::new(OWNER).ok().filter(|_| ring.has_no_owner());
        let made = match name {
            Some(name) => ring.add(key(name, Role::Manage, now(), None)?).is_ok(),
            None => false,
        };
        Ok((ring.clone(), made))
    });
    match (owned, found) {
        // A ring that somebody else keeps is used as it is.
        (Err(NoRing::Unkept(_)), Some(ring)) => Ok((ring, false)),
        (owned, _) => owned,
    }
}

/// The owner's key, where the ring still has it.
pub fn owner(ring: &KeyRing) -> Option<&Key> {
    ring.meant(OWNER).ok()
}
