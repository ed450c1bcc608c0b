//! Where the ring is kept unless the configuration says: the state directory. Must not read what is there.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The ring's name in the state directory.
const FILE: &str = "keys.json";
/// Our folder in a directory that is others' too.
const FOLDER: &str = "porthole";

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
        // SAFETY: geteuid(2) touches no memory and cannot fail.
        None => state_directory(&|name| env::var_os(name), unsafe { libc::geteuid() } == 0)
            .map(|directory| directory.join(FILE))
            .ok_or(NoPlace),
    }
}

/// The first of `STATE_DIRECTORY` (systemd.exec(5)), root's own, or that of the person (XDG Base Directory
/// Specification).
fn state_directory(var: &dyn Fn(&str) -> Option<OsString>, root: bool) -> Option<PathBuf> {
    let directory = |name| {
        let first = env::split_paths(&var(name)?).next()?;
        first.is_absolute().then_some(first)
    };
    if let Some(given) = directory("STATE_DIRECTORY") {
        Some(given)
    } else if root {
        Some(Path::new("/var/lib").join(FOLDER))
    } else {
        let own = || Some(directory("HOME")?.join(".local/state"));
        Some(directory("XDG_STATE_HOME").or_else(own)?.join(FOLDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_gives_comes_first_and_only_its_first() {
        let all =
            [("STATE_DIRECTORY", "/var/lib/cam:/var/lib/more"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(at(&all, false).unwrap(), "/var/lib/cam");
        assert_eq!(at(&all, true).unwrap(), "/var/lib/cam");
    }

    #[test]
    fn root_keeps_them_with_the_machine_and_others_with_themselves() {
        let all = [("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(at(&all, true).unwrap(), "/var/lib/porthole");
        assert_eq!(at(&all, false).unwrap(), "/x/porthole");
        assert_eq!(at(&all[1..], false).unwrap(), "/h/.local/state/porthole");
    }

    #[test]
    fn what_is_empty_or_relative_does_not_count() {
        let odd = [("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "state"), ("HOME", "/h")];
        assert_eq!(at(&odd, false).unwrap(), "/h/.local/state/porthole");
        assert_eq!(at(&[("HOME", "")], false), None);
    }

    #[test]
    fn the_configuration_has_the_first_word() {
        assert_eq!(key_file(Some(Path::new("my/keys.json"))).unwrap(), Path::new("my/keys.json"));
    }

    fn at(set: &[(&str, &str)], root: bool) -> Option<String> {
        let var = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        state_directory(&var, root).map(|found: PathBuf| found.display().to_string())
    }
}
