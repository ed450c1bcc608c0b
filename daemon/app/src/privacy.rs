//! Switches privacy in the daemon that runs, and remembers across restarts whether it is on: a switch that forgets after a
//! power cut would be none. Must not know what it does.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use porthole_core::ids::RoomName;
use porthole_core::order::Order;
use porthole_core::status::Status;
use tokio::sync::{mpsc, oneshot, watch};

use crate::control::{self, NoAnswer, Request};
use crate::hold::{self, hold};
use crate::{state, whole};

/// What is written where it is on.
const ON: &str = "on";
/// What is written where it is off.
const OFF: &str = "off";
/// How the name of a file ends that is still being written.
const UNFINISHED: &str = ".new";
/// How many characters before that no two of them have in common.
const RANDOM: usize = 6;
/// When a choice that could not be kept is kept: a disk that was full for a moment is not for ever.
const KEEP_AGAIN: Duration = Duration::from_secs(10);

/// What came of a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// How it is now.
    pub said: &'static str,
    /// Why a restart would forget it, and what to do; `None`: it would not.
    pub unkept: Option<String>,
}

/// Switches it in the daemon with this configuration, or the only one there is.
///
/// # Errors
/// [`NoAnswer`]: nobody could be told.
pub fn switch(config: Option<&Path>, on: bool) -> Result<Switched, NoAnswer> {
    let reply = control::ask(&control::find(config)?, &Request::Order(Order::Privacy { on }))?;
    let said = if reply["status"]["privacy"] == true {
        "privacy is on: camera and microphone are closed, viewers see a black picture and hear nothing"
    } else {
        "privacy is off: the camera opens for whoever watches"
    };
    Ok(Switched { said, unkept: reply["status"]["unkept"].as_str().map(str::to_owned) })
}

/// Whoever has switched waits here for its choice to be kept, and is told why it is not.
pub type Waits = oneshot::Sender<Option<String>>;

/// Where the choice is kept, one for each room.
#[derive(Debug)]
pub struct Memory {
    file: Option<PathBuf>,
    /// Its lock says that we live, and are who keeps it.
    held: Option<File>,
    /// The last choice was written only in part, if at all.
    doubted: bool,
    hold: fn(&Path) -> io::Result<Option<File>>,
}

/// Why a choice is not kept.
#[derive(Debug, thiserror::Error)]
enum Unkept {
    #[error(
        "neither STATE_DIRECTORY nor HOME is set, which say where; set one of them and start the daemon anew"
    )]
    Nowhere,
    #[error(
        "another daemon{} keeps the privacy of its room of that name in {}; give each daemon a folder of its own \
         (STATE_DIRECTORY), or a room of its own (name below [room])",
        by.map(|pid| format!(" (process {pid})")).unwrap_or_default(), file.display()
    )]
    Taken { file: PathBuf, by: Option<u32> },
    #[error(
        "{}: {error}; see that the daemon's user may write there and that the disk is not full, then it is written \
         within {KEEP_AGAIN:?}",
        file.display()
    )]
    Denied { file: PathBuf, error: io::Error },
}

impl Memory {
    /// In the state directory.
    pub fn of(room: &RoomName) -> Self {
        Self::in_folder(state::directory().as_deref(), room)
    }

    fn in_folder(folder: Option<&Path>, room: &RoomName) -> Self {
        let file = folder.map(|folder| folder.join(format!("privacy-{room}")));
        Self { file, held: None, doubted: false, hold }
    }

    /// Whether privacy is on at the start of a daemon whose configuration says `configured`: as it was chosen last, where
    /// somebody has. What another daemon keeps, which lives, is not our choice: it may only close our camera, and not open it.
    pub fn begin(&mut self, configured: bool) -> bool {
        match self.claim() {
            Err(taken @ Unkept::Taken { .. }) => {
                log::warn!("a restart would forget how privacy is switched: {taken}");
                configured || self.last() == Some(true)
            }
            // What else is wrong is said when there is something to be kept.
            Ok(_) | Err(_) => self.last().unwrap_or(configured),
        }
    }

    /// Makes the file ours, so that no other daemon changes it.
    fn claim(&mut self) -> Result<&Path, Unkept> {
        let file = self.file.as_deref().ok_or(Unkept::Nowhere)?;
        if self.held.is_some() {
            return Ok(file);
        }
        let folder = file.parent().ok_or(Unkept::Nowhere)?;
        let denied = |error| Unkept::Denied { file: file.to_owned(), error };
        DirBuilder::new().recursive(true).mode(whole::FOLDER_MODE).create(folder).map_err(denied)?;
        let lock = folder.join(format!(".{}.lock", name(file)));
        let mut holding = (self.hold)(&lock);
        // Another user's, who ran a daemon here once: it may be replaced where nobody holds it.
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        if holding.as_ref().is_err_and(denied)
            && hold::holder(&lock).is_none()
            && fs::remove_file(&lock).is_ok()
        {
            holding = (self.hold)(&lock);
        }
        let taken = |by| Err(Unkept::Taken { file: file.to_owned(), by });
        match holding {
            Ok(Some(mut held)) => {
                // For whoever finds it taken; they can do without.
                let _ = held.set_len(0).and_then(|()| writeln!(held, "{}", std::process::id()));
                self.held = Some(held);
                sweep(folder, &name(file));
            }
            Ok(None) => {
                return taken(fs::read_to_string(&lock).ok().and_then(|text| text.trim().parse().ok()));
            }
            // What cannot be locked may be written all the same; whether it may is said by writing it.
            Err(error) if denied(&error) => {
                if let Some(pid) = hold::holder(&lock) {
                    return taken(Some(pid));
                }
            }
            Err(error) if has_no_locks(&error) => {}
            Err(error) => return Err(Unkept::Denied { file: lock, error }),
        }
        Ok(file)
    }

    /// What was chosen last; `None` where nobody has chosen. A choice that cannot be read is taken for privacy: nobody is
    /// to be seen by mistake.
    pub fn last(&self) -> Option<bool> {
        let file = self.file.as_deref()?;
        let why = match read(file) {
            Ok(last) => return last,
            Err(why) => why,
        };
        log::warn!(
            "whether privacy is on cannot be read from {} ({why}), so it is on; switch it with: porthole privacy off",
            file.display()
        );
        Some(true)
    }

    /// Follows the status and keeps what is chosen, until nobody tells any more. What was chosen is kept even where it
    /// changes nothing: what is so by the configuration, or by another daemon's choice, is not kept by that. Why it is not
    /// is said to `says`, and to whoever waits for it.
    pub async fn follow(
        mut self,
        mut status: watch::Receiver<Status>,
        mut waiting: mpsc::Receiver<Waits>,
        says: watch::Sender<Option<String>>,
    ) {
        let (mut chosen, mut failed) = (status.borrow_and_update().privacy, false);
        loop {
            let waits = tokio::select! {
                told = async { status.wait_for(|status| status.privacy != chosen).await.is_ok() } => {
                    if !told {
                        return;
                    }
                    None
                }
                Some(waits) = waiting.recv() => Some(waits),
                () = tokio::time::sleep(KEEP_AGAIN), if failed => None,
            };
            let on = status.borrow_and_update().privacy;
            let asked = tokio::task::spawn_blocking(move || {
                let result = self.keep(on);
                (self, result)
            });
            let Ok((memory, result)) = asked.await else { return };
            (self, chosen) = (memory, on);
            let unkept = result.err().map(|error| error.to_string());
            if let Some(why) = unkept.as_ref().filter(|_| !failed) {
                log::warn!("a restart would forget how privacy was switched: {why}");
            }
            failed = unkept.is_some();
            says.send_replace(unkept.clone());
            if let Some(waits) = waits {
                // Who switched it may not have waited.
                let _ = waits.send(unkept);
            }
        }
    }

    /// Keeps a choice: whoever reads meanwhile sees the old one or the new one, also after a power cut.
    fn keep(&mut self, on: bool) -> Result<(), Unkept> {
        let doubted = self.doubted;
        let file = self.claim()?;
        let folder = file.parent().ok_or(Unkept::Nowhere)?;
        if !doubted && read(file) == Ok(Some(on)) {
            return Ok(());
        }
        let write = || {
            let prefix = format!(".{}.", name(file));
            let mut builder = tempfile::Builder::new();
            let mut new =
                builder.prefix(&prefix).suffix(UNFINISHED).rand_bytes(RANDOM).tempfile_in(folder)?;
            writeln!(new, "{}", if on { ON } else { OFF })?;
            whole::put(new, file)
        };
        let written = write().map_err(|error| Unkept::Denied { file: file.to_owned(), error });
        self.doubted = written.is_err();
        written
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the file says; `None` where there is none.
fn read(file: &Path) -> Result<Option<bool>, String> {
    match fs::read_to_string(file) {
        Ok(text) => match text.trim() {
            ON => Ok(Some(true)),
            OFF => Ok(Some(false)),
            _ => Err("it holds neither \"on\" nor \"off\"".to_owned()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the file system has no locks at all: NFS without its lock service says it in words of its own.
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(libc::ENOLCK)
}

/// Removes what daemons that were killed while they wrote the file of this name have left. Only for whoever holds its lock.
fn sweep(folder: &Path, name: &str) {
    let prefix = format!(".{name}.");
    for left in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left_name = left.file_name();
        let random = left_name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(UNFINISHED));
        if random.is_some_and(|random| random.len() == RANDOM && !random.contains('.')) {
            // The next start sweeps again.
            let _ = fs::remove_file(left.path());
        }
    }
}

#[cfg(test)]
#[path = "privacy_tests.rs"]
mod tests;
