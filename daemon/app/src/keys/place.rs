//! Where the ring is kept unless the configuration says: the state directory. Must not read what is there.

use std::path::{Path, PathBuf};

use crate::state;

/// The ring's name in the state directory.
const FILE: &str = "keys.json";

/// Whose state directory cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is nowhere to keep the keys: neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set; \
     name a file with `keys` below [room]"
)]
pub struct NoPlace;

/// The file of the keys: that of the configuration, else `keys.json` in the state directory.
///
/// # Errors
/// [`NoPlace`].
pub fn key_file(configured: Option<&Path>) -> Result<PathBuf, NoPlace> {
    match configured {
        Some(file) => Ok(file.to_owned()),
        None => state::directory().map(|directory| directory.join(FILE)).ok_or(NoPlace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_the_first_word() {
        assert_eq!(key_file(Some(Path::new("my/keys.json"))).unwrap(), Path::new("my/keys.json"));
    }
}
