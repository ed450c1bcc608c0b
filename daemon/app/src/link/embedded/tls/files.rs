//! A certificate that somebody else makes and renews: read from its files, and read anew when they change. Must not know
//! who connects.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use log::{info, warn};

use super::pair::{BadPair, DAY, Date, Pair, Text};

/// A certificate that ends so soon should have been renewed.
const END_NEAR: i64 = 7 * DAY;

/// The two files, and what was read from them last.
#[derive(Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    pair: Pair,
    /// The files as they were when they were read last, of use or not.
    judged: Stamps,
    /// The files as they were seen last. A renewal writes one after the other, so they are read once they stand still.
    seen: Stamps,
    /// What was wrong with them last.
    complaint: Option<BadFiles>,
}

/// Why the files are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFiles {
    /// One cannot be read.
    #[error(
        "{0} cannot be read ({1}): correct its path in the configuration, or let the daemon's user read it"
    )]
    Unread(String, String),
    /// They do not make a certificate with its key.
    #[error(transparent)]
    Bad(#[from] BadPair),
}

/// What tells one state of the two files from another; `None` for one that is not there.
type Stamps = [Option<(u64, u64, u64, i64, i64)>; 2];

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// [`BadFiles`].
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, BadFiles> {
        let judged = stamps(certificate, key);
        let pair = read(certificate, key)?;
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { certificate, key, pair, judged, seen: judged, complaint: None })
    }

    /// What is shown now.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// What is to be shown from now on, if that is something new. What cannot be used is said once, and the old one
    /// stays.
    pub fn look(&mut self) -> Option<Pair> {
        let now = stamps(&self.certificate, &self.key);
        let still = now == self.seen;
        self.seen = now;
        if !still || now == self.judged {
            return None;
        }
        self.judged = now;
        match read(&self.certificate, &self.key) {
            Ok(pair) => {
                info!("https: {} was renewed and holds until {}", self.certificate.display(), pair.until);
                self.complaint = None;
                self.pair = pair;
                Some(self.pair.clone())
            }
            Err(complaint) => {
                if self.complaint.as_ref() != Some(&complaint) {
                    warn!(
                        "https: the renewed certificate is not used, and the one before stays: {complaint}"
                    );
                }
                self.complaint = Some(complaint);
                None
            }
        }
    }

    /// What a person should act on, in words with the fix.
    pub fn concerns(&self, now: Date) -> Vec<String> {
        let file = self.certificate.display();
        let mut concerns: Vec<String> =
            self.pair.oddities(now).iter().map(|odd| format!("{file}: {odd}")).collect();
        let near = now <= self.pair.until && self.pair.until < now.after(END_NEAR);
        if near {
            concerns.push(format!("{file}: it ends on {}: see that it is renewed", self.pair.until));
        }
        concerns
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Pair, BadFiles> {
    let read = |file: &Path| {
        fs::read(file).map_err(|error| BadFiles::Unread(file.display().to_string(), error.to_string()))
    };
    let (certificate_text, key_text) = (read(certificate)?, read(key)?);
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let pair = Pair::from_pem(
        Text { name: &certificate, bytes: &certificate_text },
        Text { name: &key, bytes: &key_text },
    )?;
    Ok(pair)
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|file| {
        // Links are followed: a renewal often only points them elsewhere. The last two are the change of contents or
        // rights, to the nanosecond.
        let seen = fs::metadata(file).ok()?;
        Some((seen.dev(), seen.ino(), seen.size(), seen.ctime(), seen.ctime_nsec()))
    })
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
