//! Looks after the certificate while the daemon runs. Must not know how one is made or read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::files::Files;
use super::names;
use super::own::Own;
use super::pair::{Date, Pair};

/// How often the files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(5);
/// How often this machine's own names are.
const LOOK_AT_NAMES: Duration = Duration::from_secs(30);
/// How long the clock may take to be right after the start.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How often people are reminded.
const REMIND: Duration = Duration::from_secs(24 * 3600);

/// Where the certificate comes from.
#[derive(Debug)]
pub enum Source {
    /// From the authority of our own.
    Own(Box<Own>),
    /// From somebody else.
    Files(Box<Files>),
}

/// Renews what is shown.
#[derive(Debug)]
pub struct Keeper {
    source: Source,
    shown: watch::Sender<Arc<CertifiedKey>>,
    link: String,
    started: Instant,
    reminded: Option<Instant>,
}

impl Keeper {
    /// Keeps `source`, and tells `shown`. `link` is what printed links begin with.
    pub fn new(source: Source, shown: watch::Sender<Arc<CertifiedKey>>, link: String) -> Self {
        Self { source, shown, link, started: Instant::now(), reminded: None }
    }

    /// Never ends by itself.
    pub async fn keep(mut self) {
        loop {
            // The disk may be slow, and connections do not wait for it.
            let looked = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(keeper) => self = keeper,
                Err(_) => return,
            }
            tokio::time::sleep(self.source.look_every()).await;
        }
    }

    fn look(&mut self) {
        if let Some(pair) = self.source.look(&self.link, self.started.elapsed() < PATIENCE) {
            self.shown.send_replace(pair.certified);
            self.reminded = None;
        }
        if self.reminded.is_none_or(|before| before.elapsed() >= REMIND) {
            self.reminded = Some(Instant::now());
            for concern in self.source.concerns() {
                warn!("https: {concern}");
            }
        }
    }
}

impl Source {
    /// What is shown now.
    pub fn pair(&self) -> &Pair {
        match self {
            Self::Own(own) => own.pair(),
            Self::Files(files) => files.pair(),
        }
    }

    /// Whom browsers have to be told to trust.
    pub fn authority(&self) -> Option<&CertificateDer<'static>> {
        match self {
            Self::Own(own) => Some(own.certificate()),
            Self::Files(_) => None,
        }
    }

    fn look_every(&self) -> Duration {
        match self {
            Self::Own(_) => LOOK_AT_NAMES,
            Self::Files(_) => LOOK_AT_FILES,
        }
    }

    fn look(&mut self, link: &str, patient: bool) -> Option<Pair> {
        match self {
            Self::Own(own) => own.look(&names::own(link), Date::now(), patient),
            Self::Files(files) => files.look(),
        }
    }

    fn concerns(&self) -> Vec<String> {
        match self {
            Self::Own(own) => own.concerns(Date::now()),
            Self::Files(files) => files.concerns(Date::now()),
        }
    }
}
