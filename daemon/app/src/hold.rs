//! Files that say by a lock that whoever holds them lives. Must not know what is held by them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Locks the file for as long as it is open; `None`: another process has.
///
/// # Errors
/// The disk's.
pub fn hold(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // One that has just ended may have removed the file under us: then the lock says nothing to anybody.
        let ours = file.metadata()?;
        if fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            return Ok(Some(file));
        }
    }
}

/// The process that holds a file that may not even be opened, as far as the system shows.
pub fn holder(path: &Path) -> Option<u32> {
    let inode = format!(":{}", fs::metadata(path).ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // The device is left out: some file systems show another one there.
    locks.lines().find_map(|lock| {
        let mut words = lock.split_whitespace().skip_while(|word| *word != "FLOCK").skip(3);
        let pid = words.next()?;
        words.next()?.ends_with(&inode).then(|| pid.parse().ok())?
    })
}
