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
    let (ring, first) = file.read_or_begin(|| {
        let mut ring = KeyRing::default();
        own(&mut ring)?;
        Ok::<_, NoRing>(ring)
    })?;
    if first || !ring.has_no_owner() {
        return Ok((ring, first));
    }
    let owned = file.change(|ring| {
        own(ring)?;
        Ok::<_, NoRing>(ring.clone())
    });
    match owned {
        Ok(owned) => {
            let made = !owned.has_no_owner();
            Ok((owned, made))
        }
        // A ring that somebody else keeps is used as it is.
        Err(NoRing::Unkept(_)) => Ok((ring, false)),
        Err(other) => Err(other),
    }
}

/// Adds the owner's key, unless a key is called so already.
fn own(ring: &mut KeyRing) -> Result<(), NoRing> {
    if let Ok(name) = Label::new(OWNER) {
        let _ = ring.add(key(name, Role::Manage, now(), None)?);
    }
    Ok(())
}

/// The owner's key, where the ring still has it.
pub fn owner(ring: &KeyRing) -> Option<&Key> {
    ring.meant(OWNER).ok()
}
