//! Where the daemon keeps what it has to remember: the state directory. Must not know what that is, nor make it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Our folder in a directory that is others' too.
const FOLDER: &str = "porthole";

/// The state directory; `None` where nothing says where that is.
pub fn directory() -> Option<PathBuf> {
    directory_by(&|name| env::var_os(name), is_root())
}

/// Whether this is run by root.
pub fn is_root() -> bool {
    // SAFETY: geteuid(2) touches no memory and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// The first of `STATE_DIRECTORY` (systemd.exec(5)), root's own, or that of the person (XDG Base Directory
/// Specification).
pub(crate) fn directory_by(var: &dyn Fn(&str) -> Option<OsString>, root: bool) -> Option<PathBuf> {
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
    fn root_keeps_it_with_the_machine_and_others_with_themselves() {
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

    fn at(set: &[(&str, &str)], root: bool) -> Option<String> {
        let var = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        directory_by(&var, root).map(|found: PathBuf| found.display().to_string())
    }
}
