//! Switches privacy in the daemon that runs, and remembers across restarts whether it is on: a switch that forgets after a
//! power cut would be none. Must not know what it does.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use porthole_core::ids::RoomName;
use porthole_core::order::Order;
use porthole_core::status::Status;
use tokio::sync::watch;

use crate::control::{self, NoAnswer, Request};
use crate::{state, whole};

/// What is written where it is on.
const ON: &str = "on";
/// What is written where it is off.
const OFF: &str = "off";
/// When a choice that could not be kept is kept: a disk that was full for a moment is not for ever.
const KEEP_AGAIN: Duration = Duration::from_secs(10);

/// Switches it in the daemon with this configuration, or the only one there is. What it says then.
///
/// # Errors
/// [`NoAnswer`]: nobody could be told.
pub fn switch(config: Option<&Path>, on: bool) -> Result<&'static str, NoAnswer> {
    let reply = control::ask(&control::find(config)?, &Request::Order(Order::Privacy { on }))?;
    Ok(if reply["status"]["privacy"] == true {
        "privacy is on: camera and microphone are closed, viewers see a black picture and hear nothing"
    } else {
        "privacy is off: the camera opens for whoever watches"
    })
}

/// Where the choice is kept, one for each room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// In the state directory.
    pub fn of(room: &RoomName) -> Self {
        Self::in_folder(state::directory().as_deref(), room)
    }

    fn in_folder(folder: Option<&Path>, room: &RoomName) -> Self {
        Self(folder.map(|folder| folder.join(format!("privacy-{room}"))))
    }

    /// What was chosen last; `None` where nobody has chosen. A choice that cannot be read is taken for privacy: nobody is
    /// to be seen by mistake.
    pub fn last(&self) -> Option<bool> {
        let file = self.0.as_deref()?;
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

    /// Follows the status and keeps what is chosen, until nobody tells any more.
    pub async fn follow(self, mut status: watch::Receiver<Status>) {
        let (mut kept, mut failed) = (status.borrow_and_update().privacy, false);
        while let Ok(now) = status.wait_for(|status| status.privacy != kept).await.map(|now| now.privacy) {
            let memory = self.clone();
            match tokio::task::spawn_blocking(move || memory.keep(now)).await {
                Ok(Err(error)) => {
                    if !failed {
                        log::warn!(
                            "after a restart the daemon would not know that privacy was switched: {error}; it is \
                             tried again every {KEEP_AGAIN:?}"
                        );
                    }
                    failed = true;
                    tokio::time::sleep(KEEP_AGAIN).await;
                }
                _ => (kept, failed) = (now, false),
            }
        }
    }

    /// Keeps a choice: whoever reads meanwhile sees the old one or the new one, also after a power cut.
    fn keep(&self, on: bool) -> io::Result<()> {
        let nowhere = || io::Error::other("neither STATE_DIRECTORY nor HOME is set");
        let file = self.0.as_deref().ok_or_else(nowhere)?;
        let folder = file.parent().ok_or_else(nowhere)?;
        let denied = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        fs::create_dir_all(folder).map_err(denied)?;
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
        let nursery = memory(folder.path(), "nursery");
        assert_eq!(nursery.last(), None);
        for on in [true, false, true] {
            nursery.keep(on).unwrap();
            assert_eq!(nursery.last(), Some(on));
        }
        assert_eq!(memory(folder.path(), "yard").last(), None);
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["privacy-nursery"]);
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
        let nowhere = Memory::in_folder(None, &RoomName::new("nursery").unwrap());
        assert!(nowhere.keep(true).unwrap_err().to_string().contains("STATE_DIRECTORY"));
        assert_eq!(nowhere.last(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_choice_that_cannot_be_kept_is_kept_later() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("privacy-nursery");
        fs::create_dir(&in_the_way).unwrap();
        let (says, status) = watch::channel(Status::default());
        let follows = tokio::spawn(memory(folder.path(), "nursery").follow(status));
        // It follows from now on.
        tokio::task::yield_now().await;
        says.send_modify(|status| status.privacy = true);
        tokio::time::sleep(KEEP_AGAIN / 2).await;
        fs::remove_dir(&in_the_way).unwrap();
        let nursery = memory(folder.path(), "nursery");
        for _ in 0..3 {
            tokio::time::sleep(KEEP_AGAIN).await;
        }
        assert_eq!(nursery.last(), Some(true));
        drop(says);
        follows.await.unwrap();
    }

    fn memory(folder: &Path, room: &str) -> Memory {
        Memory::in_folder(Some(folder), &RoomName::new(room).unwrap())
    }
}
