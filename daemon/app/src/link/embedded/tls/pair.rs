//! A certificate with its key, as a server shows it: read from PEM, and what is odd about it. Must not know where it
//! comes from.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::names::Subject;

/// A moment on the wall clock: seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub i64);

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// A certificate with those that signed it, and its key.
#[derive(Debug, Clone)]
pub struct Pair {
    /// As it is shown.
    pub certified: Arc<CertifiedKey>,
    /// When it begins to hold.
    pub from: Date,
    /// When it no longer holds.
    pub until: Date,
    /// Whose it is.
    pub subjects: BTreeSet<Subject>,
    /// Whether it may sign others, so that many do not take it as a server's.
    pub signs: bool,
}

/// Why a certificate and a key are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPair {
    /// There is no certificate.
    #[error("there is no certificate in {0} (a part that begins with -----BEGIN CERTIFICATE-----)")]
    NoCertificate(String),
    /// There is no key.
    #[error(
        "there is no key in {0} (a part that begins with -----BEGIN PRIVATE KEY-----, not one that asks for a password)"
    )]
    NoKey(String),
    /// It is not PEM, or no certificate.
    #[error("{0} is broken: {1}")]
    Broken(String, String),
    /// The key is of a kind that nobody takes.
    #[error("the key in {0} cannot be used: {1}")]
    Unusable(String, String),
    /// The key is another's.
    #[error(
        "the key in {key} is not that of the first certificate in {certificate}: they were not made together"
    )]
    NotTogether {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
    },
}

/// What was read from a file, and what the file is called.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// For findings.
    pub name: &'a str,
    /// What stands in it.
    pub bytes: &'a [u8],
}

impl Pair {
    /// Reads the certificate (first of its chain) and its key, which may stand in one file.
    ///
    /// # Errors
    /// [`BadPair`].
    pub fn from_pem(certificate: Text<'_>, key: Text<'_>) -> Result<Self, BadPair> {
        let chain = CertificateDer::pem_slice_iter(certificate.bytes)
            .map(|read| read.map(CertificateDer::into_owned))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| BadPair::Broken(certificate.name.into(), error.to_string()))?;
        let secret = match PrivateKeyDer::from_pem_slice(key.bytes) {
            Ok(secret) => secret,
            Err(pem::Error::NoItemsFound) => return Err(BadPair::NoKey(key.name.into())),
            Err(error) => return Err(BadPair::Broken(key.name.into(), error.to_string())),
        };
        let first = chain.first().ok_or_else(|| BadPair::NoCertificate(certificate.name.into()))?.clone();
        let (_, seen) = X509Certificate::from_der(&first)
            .map_err(|error| BadPair::Broken(certificate.name.into(), error.to_string()))?;
        let certified = CertifiedKey::from_der(chain, secret, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                BadPair::NotTogether { certificate: certificate.name.into(), key: key.name.into() }
            }
            Error::InvalidCertificate(error) => {
                BadPair::Broken(certificate.name.into(), format!("{error:?}"))
            }
            error => BadPair::Unusable(key.name.into(), error.to_string()),
        })?;
        Ok(Self {
            from: Date(seen.validity().not_before.timestamp()),
            until: Date(seen.validity().not_after.timestamp()),
            subjects: subjects(&seen),
            signs: seen.is_ca(),
            certified: Arc::new(certified),
        })
    }

    /// What browsers will not like about it, in words with the fix.
    pub fn oddities(&self, now: Date) -> Vec<String> {
        let mut odd = Vec::new();
        if self.until < now {
            odd.push(format!("it ended on {}: renew it", self.until));
        } else if now < self.from {
            odd.push(format!("it only begins on {}: is the clock of this machine right?", self.from));
        }
        if self.subjects.is_empty() {
            odd.push(
                "it names no host (subjectAltName), so browsers refuse it: have it made out to one".into(),
            );
        }
        if self.signs {
            odd.push(
                "it is an authority's (CA:TRUE) and many refuse it as a server's: make it with \
                 basicConstraints=critical,CA:FALSE, or let it sign one for the server"
                    .into(),
            );
        }
        odd
    }
}

impl Date {
    /// The wall clock.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(Duration::ZERO, |since| since);
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// So many seconds later.
    pub fn after(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// As certificates are made with it.
    pub fn time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The day, in UTC.
impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.time().date().fmt(f)
    }
}

/// The cryptography: ring, which needs nothing but a C compiler to be built.
pub fn provider() -> CryptoProvider {
    ring::default_provider()
}

fn subjects(certificate: &X509Certificate<'_>) -> BTreeSet<Subject> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(Subject::Name(name.to_ascii_lowercase())),
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
                address.ok().map(Subject::Address)
            }
            _ => None,
        })
        .collect()
}
