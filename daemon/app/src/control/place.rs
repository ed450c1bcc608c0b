//! Where the socket is. Must not open it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::state;

/// Our folder in a directory that is others' too.
const FOLDER: &str = "porthole";
/// Where root's own daemon has it.
const RUN: &str = "/run";
/// What the name of every socket begins with.
pub(super) const NAME: &str = "control-";

/// Where one daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    name: String,
    /// The folder is one of the machine's, and so is its group.
    shared: bool,
}

impl Place {
    /// That of a daemon with this address and configuration; `None` where nothing says where things go.
    pub fn of(listen: SocketAddr, config: Option<&Path>) -> Option<Self> {
        let (folder, shared) = home(&|name| env::var_os(name), state::is_root())?;
        Some(Self { folder, name: name(listen, config), shared })
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Held by the daemon that listens, for as long as it lives.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.name))
    }

    /// Who may open the socket.
    pub(super) fn mode(&self) -> u32 {
        if self.shared { 0o660 } else { 0o600 }
    }

    /// Who may enter a folder that is made for it.
    pub(super) fn folder_mode(&self) -> u32 {
        if self.shared { 0o755 } else { 0o700 }
    }
}

/// Every folder in which a daemon of this machine may listen, the likeliest first.
pub fn folders() -> Vec<PathBuf> {
    folders_by(&|name| env::var_os(name), state::is_root())
}

/// The socket's name: after the port, or after the file of the configuration where the port is any.
pub(super) fn name(listen: SocketAddr, config: Option<&Path>) -> String {
    if listen.port() != 0 {
        return format!("{NAME}{}", listen.port());
    }
    let file = config.map(|file| fs::canonicalize(file).unwrap_or_else(|_| file.to_owned()));
    let digest = Sha256::digest(file.unwrap_or_default().as_os_str().as_encoded_bytes());
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{NAME}{digits}")
}

fn first(name: &str, var: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let first = env::split_paths(&var(name)?).next()?;
    first.is_absolute().then_some(first)
}

/// Where a daemon puts its socket, and whether that is a place of the machine's.
fn home(var: &dyn Fn(&str) -> Option<OsString>, root: bool) -> Option<(PathBuf, bool)> {
    let given = ["RUNTIME_DIRECTORY", "STATE_DIRECTORY"].iter().find_map(|name| first(name, var));
    if let Some(given) = given {
        Some((given, true))
    } else if root {
        Some((Path::new(RUN).join(FOLDER), true))
    } else {
        let own = first("XDG_RUNTIME_DIR", var).map(|folder| folder.join(FOLDER));
        Some((own.or_else(|| state::directory_by(var, root))?, false))
    }
}

fn folders_by(var: &dyn Fn(&str) -> Option<OsString>, root: bool) -> Vec<PathBuf> {
    let given = ["RUNTIME_DIRECTORY", "STATE_DIRECTORY"].iter().filter_map(|name| first(name, var));
    let own = first("XDG_RUNTIME_DIR", var).map(|folder| folder.join(FOLDER));
    let service = Path::new(RUN).join(FOLDER);
    let mut all: Vec<PathBuf> = Vec::new();
    for folder in given.chain([service]).chain(own).chain(state::directory_by(var, root)) {
        if !all.contains(&folder) {
            all.push(folder);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 4] = [
        ("RUNTIME_DIRECTORY", "/run/cam:/run/more"),
        ("STATE_DIRECTORY", "/var/lib/cam"),
        ("XDG_RUNTIME_DIR", "/run/user/7"),
        ("HOME", "/h"),
    ];

    #[test]
    fn what_systemd_gives_comes_first_then_roots_own_and_a_persons() {
        assert_eq!(at(&ALL, false), ("/run/cam".into(), true));
        assert_eq!(at(&ALL[1..], true), ("/var/lib/cam".into(), true));
        assert_eq!(at(&ALL[2..], true), ("/run/porthole".into(), true));
        assert_eq!(at(&ALL[2..], false), ("/run/user/7/porthole".into(), false));
        assert_eq!(at(&ALL[3..], false), ("/h/.local/state/porthole".into(), false));
        assert_eq!(home(&|_| None, false), None);
        assert_eq!(at(&[("RUNTIME_DIRECTORY", "run"), ("HOME", "/h")], true).0, "/run/porthole");
    }

    #[test]
    fn whoever_looks_for_a_daemon_looks_wherever_one_may_be_and_nowhere_twice() {
        let folders = folders_by(&|name| var(&ALL, name), false);
        let all = ["/run/cam", "/var/lib/cam", "/run/porthole", "/run/user/7/porthole"].map(PathBuf::from);
        assert_eq!(folders, all);
        let twice = [("RUNTIME_DIRECTORY", "/run/porthole"), ("STATE_DIRECTORY", "/s")];
        assert_eq!(folders_by(&|name| var(&twice, name), true), ["/run/porthole", "/s"].map(PathBuf::from));
    }

    #[test]
    fn daemons_beside_each_other_have_names_of_their_own() {
        let port = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(name(port(8080), Some(Path::new("/a"))), "control-8080");
        assert_ne!(name(port(0), Some(Path::new("/a"))), name(port(0), Some(Path::new("/b"))));
        assert_ne!(name(port(0), Some(Path::new("/a"))), name(port(0), None));
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &other).unwrap();
        assert_eq!(name(port(0), Some(&file)), name(port(0), Some(&other)), "the same file by another name");
    }

    fn at(set: &[(&str, &str)], root: bool) -> (String, bool) {
        let (folder, shared) = home(&|name| var(set, name), root).unwrap();
        (folder.display().to_string(), shared)
    }

    fn var(set: &[(&str, &str)], name: &str) -> Option<OsString> {
        set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
    }
}
