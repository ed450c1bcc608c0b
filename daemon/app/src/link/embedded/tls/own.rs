//! What the authority of our own signs for this machine, and where both are kept: made once, found again after a
//! restart, renewed in time and whenever the machine gets another address. Must not know who connects.
//!
//! A camera that cannot keep its authority still has one until it is restarted: a full or read-only disk is no reason
//! to go without https.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use log::{info, warn};
use rustls::pki_types::CertificateDer;

use super::authority::{Authority, BadAuthority};
use super::names::{self, Subject};
use super::pair::{DAY, Date, Pair, Text};
use crate::{state, whole};

/// The authority's file in the state directory.
const FILE: &str = "authority.pem";
/// The ending of the file with what it has signed, beside its own.
const SIGNED: &str = "signed.pem";
/// A certificate is renewed when it has less than this left.
const RENEW: i64 = 30 * DAY;
/// People have to install the next authority by hand, so they hear of it early.
const END_NEAR: i64 = 365 * DAY;

/// The authority and what it has signed last.
#[derive(Debug)]
pub struct Own {
    authority: Authority,
    pair: Pair,
    /// Where what it signs is kept; `None` where the authority itself is not kept.
    signed: Option<PathBuf>,
    /// The host of the link, for which people may be waiting.
    link: Option<Subject>,
    /// Names it may not vouch for, which people have been told of.
    told: BTreeSet<Subject>,
}

/// Why there is no certificate at all.
#[derive(Debug, thiserror::Error)]
#[error("no certificate could be made ({0}): set tls = \"off\" below [relay] to do without https")]
pub struct NotMade(#[from] rcgen::Error);

/// Why an authority is not used, or not kept.
#[derive(Debug, thiserror::Error)]
enum Unkept {
    #[error(
        "neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set; name a file with `authority` below [relay]"
    )]
    Nowhere,
    #[error("{0} cannot be read: {1}")]
    Unread(String, io::Error),
    #[error("{0} cannot be written: {1}")]
    Unwritten(String, io::Error),
    #[error("{0}: {1}; put the right one back, or move it away to have a new one made")]
    Broken(String, BadAuthority),
}

impl Own {
    /// Finds the authority at `file` (or in the state directory), or makes it; and what it shows now for a machine with
    /// these names. `link` is what printed links begin with.
    ///
    /// # Errors
    /// [`NotMade`]: the machine has no random numbers.
    pub fn open(
        file: Option<&Path>,
        link: &str,
        wanted: &BTreeSet<Subject>,
        now: Date,
    ) -> Result<Self, NotMade> {
        let file = place(file);
        let found = match &file {
            Some(file) => find_or_make(file, wanted, now)?,
            None => Err(Unkept::Nowhere),
        };
        let (authority, signed) = match (found, file) {
            (Ok(authority), Some(file)) => (authority, Some(file.with_extension(SIGNED))),
            (found, _) => {
                if let Err(why) = found {
                    warn!(
                        "https: the authority is only good until the next start, after which browsers ask again \
                         whether they may show the page: {why}"
                    );
                }
                (made(wanted, now)?.1, None)
            }
        };
        let kept = signed.as_deref().and_then(|file| kept(file, &authority));
        let allowed = allowed(&authority, wanted);
        let pair = match kept {
            Some(pair) if fits(&pair, &authority, &allowed, now, true) => pair,
            _ => sign(&authority, &allowed, now, signed.as_deref())?,
        };
        let mut own = Self { authority, pair, signed, link: names::of_link(link), told: BTreeSet::new() };
        own.tell_refused(wanted);
        Ok(own)
    }

    /// What is shown now.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// For those who are to trust it.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.authority.certificate()
    }

    /// What is to be shown from now on, if that is something new. `patient`: the clock may still be wrong, as it is
    /// where a board has no battery and the network has not told the time yet.
    pub fn look(&mut self, wanted: &BTreeSet<Subject>, now: Date, patient: bool) -> Option<Pair> {
        self.tell_refused(wanted);
        let allowed = allowed(&self.authority, wanted);
        if fits(&self.pair, &self.authority, &allowed, now, patient) {
            return None;
        }
        match sign(&self.authority, &allowed, now, self.signed.as_deref()) {
            Ok(pair) => {
                info!("https: a new certificate, for {}, until {}", listed(&allowed), pair.until);
                self.pair = pair;
                Some(self.pair.clone())
            }
            Err(error) => {
                warn!("https: {error}");
                None
            }
        }
    }

    /// What a person should act on, in words with the fix.
    pub fn concerns(&self, now: Date) -> Vec<String> {
        let near = self.authority.until() < now.after(END_NEAR);
        let words = || {
            format!(
                "the authority that browsers trust ends on {}: move its file away and start again, and install the \
                 new one where the old one was",
                self.authority.until()
            )
        };
        near.then(words).into_iter().collect()
    }

    fn tell_refused(&mut self, wanted: &BTreeSet<Subject>) {
        for subject in wanted.iter().filter(|subject| !self.authority.may_vouch_for(subject)) {
            if !self.told.insert(subject.clone()) {
                continue;
            }
            let words = format!(
                "https: the authority was made before this machine was called {subject} and may not vouch for that \
                 name; a new one may (move its file away and start again), and a certificate of your own (tls = \
                 \"files\")"
            );
            if self.link.as_ref() == Some(subject) { warn!("{words}") } else { info!("{words}") }
        }
    }
}

/// The file of the authority: that of the configuration, else one in the state directory.
fn place(configured: Option<&Path>) -> Option<PathBuf> {
    configured.map(Path::to_owned).or_else(|| Some(state::directory()?.join(FILE)))
}

/// Looks at it without making anything: where it is, and whether it is there; or why it is of no use.
pub fn look_at(configured: Option<&Path>) -> Option<(PathBuf, Result<bool, String>)> {
    let file = place(configured)?;
    let found = found(&file).map(|found| found.is_some()).map_err(|why| why.to_string());
    Some((file, found))
}

/// The authority in `file`, if there is such a file.
fn found(file: &Path) -> Result<Option<Authority>, Unkept> {
    let name = || file.display().to_string();
    match fs::read(file) {
        Ok(text) => Authority::from_pem(&text).map(Some).map_err(|why| Unkept::Broken(name(), why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unkept::Unread(name(), error)),
    }
}

/// Outside: no random numbers. Inside: it is there and of no use, or it cannot be kept.
fn find_or_make(
    file: &Path,
    wanted: &BTreeSet<Subject>,
    now: Date,
) -> Result<Result<Authority, Unkept>, NotMade> {
    let name = file.display().to_string();
    match found(file) {
        Ok(Some(authority)) => {
            if fs::metadata(file).is_ok_and(|seen| seen.mode() & 0o077 != 0) {
                warn!(
                    "{name}: others on this machine can read the authority's key; this ends it: chmod 600 {name}"
                );
            }
            return Ok(Ok(authority));
        }
        Ok(None) => {}
        Err(why) => return Ok(Err(why)),
    }
    let (text, authority) = made(wanted, now)?;
    Ok(match whole::write_new(file, text.as_bytes()) {
        Ok(()) => {
            info!("https: an authority of our own was made and is kept in {name}");
            Ok(authority)
        }
        // Another camera on this machine was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match found(file) {
            Ok(Some(theirs)) => Ok(theirs),
            Ok(None) => Err(Unkept::Unwritten(name, error)),
            Err(why) => Err(why),
        },
        Err(error) => Err(Unkept::Unwritten(name, error)),
    })
}

/// A new authority, as text and to be used.
fn made(wanted: &BTreeSet<Subject>, now: Date) -> Result<(String, Authority), NotMade> {
    let text = Authority::make("Porthole", wanted, now)?;
    let authority =
        Authority::from_pem(text.as_bytes()).map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
    Ok((text, authority))
}

fn kept(file: &Path, authority: &Authority) -> Option<Pair> {
    let bytes = fs::read(file).ok()?;
    let text = Text { name: "", bytes: &bytes };
    let pair = Pair::from_pem(text, text).ok()?;
    authority.has_signed(pair.certified.end_entity_cert().ok()?).then_some(pair)
}

fn allowed(authority: &Authority, wanted: &BTreeSet<Subject>) -> BTreeSet<Subject> {
    wanted.iter().filter(|subject| authority.may_vouch_for(subject)).cloned().collect()
}

/// Whether `pair` can go on being shown. One from the future was made by a better clock than ours is now, or by a worse
/// one than ours is after a while.
fn fits(pair: &Pair, authority: &Authority, wanted: &BTreeSet<Subject>, now: Date, patient: bool) -> bool {
    let ends = pair.until < now.after(RENEW) && pair.until < authority.until();
    let begins = pair.from <= now || patient;
    wanted.is_subset(&pair.subjects) && !ends && begins
}

fn sign(
    authority: &Authority,
    subjects: &BTreeSet<Subject>,
    now: Date,
    file: Option<&Path>,
) -> Result<Pair, NotMade> {
    let signed = authority.sign(subjects, now)?;
    let text = Text { name: "", bytes: signed.as_bytes() };
    let pair = Pair::from_pem(text, text).map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
    if let Some(Err(error)) = file.map(|file| whole::write(file, signed.as_bytes())) {
        // Browsers that know the authority do not notice; the others ask once more after a restart.
        info!("https: the certificate is not kept over a restart: {error}");
    }
    Ok(pair)
}

fn listed(subjects: &BTreeSet<Subject>) -> String {
    subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "own_tests.rs"]
mod tests;
