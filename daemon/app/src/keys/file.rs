//! The file of the ring: read whole, changed under a lock, and replaced in one step. Must not know who asks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use log::warn;
use porthole_core::access::{BadRing, KeyRing};

use crate::exit::Exit;
use crate::whole::{self, FOLDER_MODE};

/// Only the owner reads it: it holds secrets.
const MODE: u32 = 0o600;

/// The file of a ring, there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile(PathBuf);

/// Why the ring was not read, or is not written. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum Kept {
    /// The system does not let us.
    #[error("{file}: the keys cannot be {done}: {}", said(error))]
    Denied {
        /// Which file.
        file: String,
        /// `read` or `written`.
        done: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// It is no ring.
    #[error("{file}: {why}; nobody touches it: mend it, or move it away to start with no keys at all")]
    Broken {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: BadRing,
    },
    /// It would change hands.
    #[error(
        "{file}: it belongs to user {owner}, who could not read it any more: run this as that user, or as root"
    )]
    NotOurs {
        /// Which file.
        file: String,
        /// User id.
        owner: u32,
    },
}

impl Kept {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Broken { .. } => Exit::Broken,
            Self::NotOurs { .. } => Exit::NotPermitted,
            Self::Denied { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                Exit::NotPermitted
            }
            Self::Denied { .. } => Exit::Unkept,
        }
    }
}

/// What the system says, with the fix where there is one.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "this user may not; run it with sudo, or as the user that Porthole runs as".to_owned()
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full, and nothing has changed; make room on it (`df -h` shows where it is full)"
                .to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => "the disk is mounted read-only; mount it writable".to_owned(),
        _ => error.to_string(),
    }
}

impl KeyFile {
    /// The ring's file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        match self.0.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// The ring; `None` where there is no file.
    ///
    /// # Errors
    /// [`Kept`]; a ring is taken whole or not at all.
    pub fn read(&self) -> Result<Option<KeyRing>, Kept> {
        match fs::read(&self.0) {
            // What is not UTF-8 becomes U+FFFD, which is nowhere allowed.
            Ok(bytes) => match KeyRing::from_json(&String::from_utf8_lossy(&bytes)) {
                Ok(ring) => Ok(Some(ring)),
                Err(why) => Err(Kept::Broken { file: self.name(), why }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.denied("read")(error)),
        }
    }

    /// Says so where others than its owner can read it.
    pub fn warn_if_exposed(&self) {
        if self.is_exposed() {
            warn!("{0}: others on this machine can read the keys; this ends it: chmod 600 {0}", self.name());
        }
    }

    fn is_exposed(&self) -> bool {
        fs::metadata(&self.0).is_ok_and(|file| file.mode() & 0o077 != 0)
    }

    /// Reads the ring, lets `change` change it, and writes it, with nobody else in between. Where `change` fails,
    /// nothing is written. Makes the folder where there is none.
    ///
    /// # Errors
    /// Those of `change`, and [`Kept`].
    pub fn change<T, E: From<Kept>>(
        &self,
        change: impl FnOnce(&mut KeyRing) -> Result<T, E>,
    ) -> Result<T, E> {
        let _alone = self.lock()?;
        let mut ring = self.read()?.unwrap_or_default();
        let changed = change(&mut ring)?;
        self.write(&ring)?;
        Ok(changed)
    }

    /// Waits until nobody else changes the ring. Held as long as what comes back is.
    fn lock(&self) -> Result<File, Kept> {
        let denied = self.denied("written");
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(self.folder()).map_err(&denied)?;
        let mut beside = self.0.clone().into_os_string();
        beside.push(".lock");
        // No link is followed: the folder may be another user's, and we may be root.
        let open = |new: bool| {
            let mut how = OpenOptions::new();
            how.write(true).create_new(new).mode(MODE).custom_flags(libc::O_NOFOLLOW).open(&beside)
        };
        let lock = match open(true) {
            Ok(made) => {
                self.hand_over(&made)?;
                made
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(false).map_err(&denied)?,
            Err(error) => return Err(denied(error)),
        };
        lock.lock().map_err(&denied)?;
        Ok(lock)
    }

    /// Puts a new file in the old one's place: whoever reads meanwhile sees the one or the other, also after a power cut.
    fn write(&self, ring: &KeyRing) -> Result<(), Kept> {
        let denied = self.denied("written");
        let text = ring.to_json().map_err(|error| denied(error.into()))?;
        // Made with mode 0600, under a name that was not there.
        let mut new =
            tempfile::Builder::new().prefix(".keys-").tempfile_in(self.folder()).map_err(&denied)?;
        self.hand_over(new.as_file())?;
        new.write_all(format!("{text}\n").as_bytes()).map_err(&denied)?;
        whole::put(new, &self.0).map_err(&denied)
    }

    /// Gives a new file to whom the old one belongs, else to whom the folder does.
    fn hand_over(&self, new: &File) -> Result<(), Kept> {
        let denied = self.denied("written");
        let heir = fs::symlink_metadata(&self.0).or_else(|_| fs::metadata(self.folder())).map_err(&denied)?;
        let ours = new.metadata().map_err(&denied)?;
        if (ours.uid(), ours.gid()) == (heir.uid(), heir.gid()) {
            return Ok(());
        }
        match fchown(new, Some(heir.uid()), Some(heir.gid())) {
            // Who may not give it away may still keep it in a group of their own.
            Err(_) if ours.uid() == heir.uid() => Ok(()),
            Err(_) => Err(Kept::NotOurs { file: self.name(), owner: heir.uid() }),
            Ok(()) => Ok(()),
        }
    }

    fn denied(&self, done: &'static str) -> impl Fn(io::Error) -> Kept {
        let file = self.name();
        move |error| Kept::Denied { file: file.clone(), done, error }
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
