//! https on the port of http: which certificate is shown, and that it stays a good one for as long as the daemon runs.
//! Must not know what is said over it.
//!
//! [`own`] makes it with an [`authority`] of our own, [`files`] has it from somebody else; either way it is a [`pair`]
//! that the [`keeper`] may replace between two connections. [`pages`] is what browsers are told about it.

mod authority;
mod files;
mod keeper;
mod names;
mod own;
mod pages;
mod pair;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::info;
use porthole_core::config::settings::{RelaySettings, TlsSettings, TlsSource};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::guard::Bucket;
use files::{BadFiles, Files};
use own::{NotMade, Own};
use pair::Date;

pub use keeper::Keeper;
pub use pages::{About, Secure, redirect, routes};

/// The first byte of a connection that speaks TLS (RFC 8446 section 5.1: a handshake record). No request begins with it.
pub const FIRST_BYTE: u8 = 0x16;
/// TLS handshakes a second over all addresses, and how many at once: each costs a signature.
const HANDSHAKES: (u32, u32) = (100, 400);

/// What speaks TLS, and what keeps it able to.
pub struct Tls {
    /// For each connection.
    pub speaker: Speaker,
    /// For browsers.
    pub about: About,
    /// To be run for as long as there are connections.
    pub keeper: Keeper,
}

/// Takes connections over to TLS.
#[derive(Clone)]
pub struct Speaker {
    acceptor: TlsAcceptor,
    handshakes: Arc<Mutex<Bucket>>,
}

/// Why there is no https, though there should be.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The files of the configuration are of no use.
    #[error("[relay] certificate and key: {0}")]
    Files(#[from] BadFiles),
    /// No random numbers.
    #[error(transparent)]
    NotMade(#[from] NotMade),
    /// The library does not take its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// What is shown now.
#[derive(Debug)]
struct Shown(watch::Receiver<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.borrow().clone())
    }
}

impl Tls {
    /// Gets the certificate; `None` where there is to be no https. `port` is the one that is listened on.
    ///
    /// # Errors
    /// [`Unusable`], with what to do about it.
    pub fn open(settings: &RelaySettings, port: u16) -> Result<Option<Self>, Unusable> {
        let source = match &settings.tls.source {
            TlsSource::Off => return Ok(None),
            TlsSource::Files { certificate, key } => {
                keeper::Source::Files(Box::new(Files::open(certificate, key)?))
            }
            TlsSource::Own { authority } => {
                let wanted = names::own(&settings.link);
                let own = Own::open(authority.as_deref(), &settings.link, &wanted, Date::now())?;
                keeper::Source::Own(Box::new(own))
            }
        };
        let about = About::new(settings, port, source.authority());
        if let Some(fingerprint) = about.fingerprint() {
            info!(
                "https: the authority that browsers have to trust has the SHA-256 fingerprint {fingerprint}"
            );
        }
        let (shown, showing) = watch::channel(source.pair().certified.clone());
        let mut config = ServerConfig::builder_with_provider(Arc::new(pair::provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shown(showing)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let speaker = Speaker {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            handshakes: Arc::new(Mutex::new(Bucket::new(HANDSHAKES.0, HANDSHAKES.1, Instant::now()))),
        };
        Ok(Some(Self { speaker, about, keeper: Keeper::new(source, shown, settings.link.clone()) }))
    }
}

impl Speaker {
    /// Shakes hands within `deadline`.
    ///
    /// # Errors
    /// Whatever the other end did wrong, or nothing in time.
    pub async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        deadline: Duration,
    ) -> io::Result<TlsStream<S>> {
        if !self.handshakes.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()) {
            return Err(io::Error::other("too many TLS handshakes at once"));
        }
        tokio::time::timeout(deadline, self.acceptor.accept(stream))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Looks at the authority of our own without making one: its file, and whether it is there or why it is of no use; `None`
/// where https has none, or nothing says where it is.
pub fn look_at_authority(settings: &TlsSettings) -> Option<(PathBuf, Result<bool, String>)> {
    match &settings.source {
        TlsSource::Own { authority } => own::look_at(authority.as_deref()),
        TlsSource::Files { .. } | TlsSource::Off => None,
    }
}

/// Looks at the files of a configuration without opening anything: what is wrong with them or will be before long.
pub fn look_at(settings: &TlsSettings) -> Vec<String> {
    let TlsSource::Files { certificate, key } = &settings.source else { return Vec::new() };
    match Files::open(certificate, key) {
        Ok(files) => files.concerns(Date::now()),
        Err(bad) => vec![bad.to_string()],
    }
}
