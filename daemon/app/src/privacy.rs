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
use tokio::sync::watch;

use crate::control::{self, NoAnswer, Request};
use crate::hold::hold;
use crate::{state, whole};

/// What is written where it is on.
const ON: &str = "on";
/// What is written where it is off.
const OFF: &str = "off";
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

/// How far a choice is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The choice.
    pub chosen: bool,
    /// Why it is not, and what to do.
    pub unkept: Option<String>,
}

impl Keeping {
    /// Of a choice that is kept.
    pub fn of(chosen: bool) -> Self {
        Self { chosen, unkept: None }
    }
}

/// Where the choice is kept, one for each room.
#[derive(Debug)]
pub struct Memory {
    file: Option<PathBuf>,
    /// Its lock says that we live, and are who keeps it.
    held: Option<File>,
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
        Self { file: folder.map(|folder| folder.join(format!("privacy-{room}"))), held: None }
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
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let lock = folder.join(format!(".{name}.lock"));
        match hold(&lock) {
            Ok(Some(mut held)) => {
                // For whoever finds it taken; they can do without.
                let _ = held.set_len(0).and_then(|()| writeln!(held, "{}", std::process::id()));
                self.held = Some(held);
            }
            Ok(None) => {
                let by = fs::read_to_string(&lock).ok().and_then(|text| text.trim().parse().ok());
                return Err(Unkept::Taken { file: file.to_owned(), by });
            }
            // A file system without locks keeps what it is given all the same.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(error) => return Err(denied(error)),
        }
        Ok(file)
    }

    /// What was chosen last; `None` where nobody has chosen. A choice that cannot be read is taken for privacy: nobody is
    /// to be seen by mistake.
    pub fn last(&self) -> Option<bool> {
        let file = self.file.as_deref()?;
        let why = match fs::read_to_string(file) {
            Ok(text) => match text.trim() {
                ON => return Some(true),
                OFF => return Some(false),
                _ => "it holds neither \"on\" nor \"off\"".to_owned(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        log::warn!(
            "whether privacy is on cannot be read from {} ({why}), so it is on; switch it with: porthole privacy off",
            file.display()
        );
        Some(true)
    }

    /// Follows the status and keeps what is chosen, until nobody tells any more. How far it is kept is said to `says`.
    pub async fn follow(mut self, mut status: watch::Receiver<Status>, says: watch::Sender<Keeping>) {
        let (mut kept, mut failed) = (says.borrow().chosen, false);
        loop {
            let chosen = status.borrow_and_update().privacy;
            let kept_now = if chosen == kept {
                Ok(())
            } else {
                let asked = tokio::task::spawn_blocking(move || {
                    let result = self.keep(chosen);
                    (self, result)
                });
                let Ok((memory, result)) = asked.await else { return };
                self = memory;
                result
            };
            let unkept = kept_now.err().map(|error| error.to_string());
            if let Some(why) = unkept.as_ref().filter(|_| !failed) {
                log::warn!("a restart would forget how privacy was switched: {why}");
            }
            failed = unkept.is_some();
            if !failed {
                kept = chosen;
            }
            says.send_replace(Keeping { chosen, unkept });
            let other = status.wait_for(|status| status.privacy != chosen);
            let ended = if failed {
                tokio::time::timeout(KEEP_AGAIN, other).await.is_ok_and(|told| told.is_err())
            } else {
                other.await.is_err()
            };
            if ended {
                return;
            }
        }
    }

    /// Keeps a choice: whoever reads meanwhile sees the old one or the new one, also after a power cut.
    fn keep(&mut self, on: bool) -> Result<(), Unkept> {
        let file = self.claim()?;
        let folder = file.parent().ok_or(Unkept::Nowhere)?;
        let denied = |error| Unkept::Denied { file: file.to_owned(), error };
        let mut new = tempfile::Builder::new().prefix(".privacy-").tempfile_in(folder).map_err(denied)?;
        writeln!(new, "{}", if on { ON } else { OFF }).map_err(denied)?;
        whole::put(new, file).map_err(denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_is_remembered_for_its_room_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut nursery = memory(folder.path(), "nursery");
        assert_eq!(nursery.last(), None);
        for on in [true, false, true] {
            nursery.keep(on).unwrap();
            assert_eq!(nursery.last(), Some(on));
        }
        assert_eq!(memory(folder.path(), "yard").last(), None);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".privacy-nursery.lock", "privacy-nursery"]);
    }

    #[test]
    fn what_cannot_be_read_is_privacy() {
        let folder = tempfile::tempdir().unwrap();
        let nursery = memory(folder.path(), "nursery");
        for text in ["", "offf", "\u{0}"] {
            fs::write(folder.path().join("privacy-nursery"), text).unwrap();
            assert_eq!(nursery.last(), Some(true), "{text:?}");
        }
    }

    #[test]
    fn where_nothing_can_be_kept_it_is_said_where() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let why = memory(file.path(), "nursery").keep(true).unwrap_err().to_string();
        assert!(why.contains(&file.path().display().to_string()), "{why}");
        let mut nowhere = Memory::in_folder(None, &RoomName::new("nursery").unwrap());
        assert!(nowhere.keep(true).unwrap_err().to_string().contains("STATE_DIRECTORY"));
        assert_eq!(nowhere.last(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_choice_that_cannot_be_kept_is_said_to_be_none_and_is_kept_later() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("privacy-nursery");
        fs::create_dir(&in_the_way).unwrap();
        let (says, status) = watch::channel(Status::default());
        let (keeps, mut keeping) = watch::channel(Keeping::of(false));
        let follows = tokio::spawn(memory(folder.path(), "nursery").follow(status, keeps));
        says.send_modify(|status| status.privacy = true);
        let why = keeping.wait_for(|keeping| keeping.chosen).await.unwrap().unkept.clone().unwrap();
        assert!(why.contains("privacy-nursery: ") && why.contains("disk is not full"), "{why}");
        // What is kept already needs no disk.
        says.send_modify(|status| status.privacy = false);
        keeping.wait_for(|keeping| *keeping == Keeping::of(false)).await.unwrap();
        says.send_modify(|status| status.privacy = true);
        keeping.wait_for(|keeping| keeping.chosen && keeping.unkept.is_some()).await.unwrap();
        fs::remove_dir(&in_the_way).unwrap();
        keeping.wait_for(|keeping| *keeping == Keeping::of(true)).await.unwrap();
        assert_eq!(memory(folder.path(), "nursery").last(), Some(true));
        drop(says);
        follows.await.unwrap();
    }

    #[test]
    fn what_another_daemon_keeps_is_not_changed_and_closes_the_camera_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, mut second) = (memory(folder.path(), "nursery"), memory(folder.path(), "nursery"));
        assert!(!first.begin(false));
        for on in [true, false] {
            first.keep(on).unwrap();
            assert_eq!((second.begin(false), second.begin(true)), (on, true));
            let why = second.keep(!on).unwrap_err().to_string();
            assert!(why.contains("STATE_DIRECTORY") && why.contains("privacy-nursery"), "{why}");
            assert!(why.contains(&format!("process {}", std::process::id())), "{why}");
            assert_eq!(first.last(), Some(on));
        }
        memory(folder.path(), "yard").keep(true).unwrap();
        // Once it has gone, nobody is in the way.
        drop(first);
        second.keep(true).unwrap();
        assert!(second.begin(false));
    }

    fn memory(folder: &Path, room: &str) -> Memory {
        Memory::in_folder(Some(folder), &RoomName::new(room).unwrap())
    }
}
