//! Files that are there whole or not at all: whoever reads meanwhile sees the old one or the new one, also after a power cut.
//! Must not know what is in them.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Only the owner enters a folder that is made for a file.
pub const FOLDER_MODE: u32 = 0o700;

/// Writes a file that its owner alone reads, in the place of the one that was there.
///
/// # Errors
/// The disk's.
pub fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    put(beside(file, bytes)?, file)
}

/// The same where there is none yet.
///
/// # Errors
/// The disk's, and that there is one.
pub fn write_new(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(file, bytes)?;
    new.as_file().sync_all()?;
    new.persist_noclobber(file)?;
    sync_folder(file)
}

/// Puts what was written under another name into a file's place.
///
/// # Errors
/// The disk's.
pub fn put(new: NamedTempFile, file: &Path) -> io::Result<()> {
    new.as_file().sync_all()?;
    new.persist(file)?;
    sync_folder(file)
}

fn beside(file: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = folder_of(file);
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    Ok(new)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}
