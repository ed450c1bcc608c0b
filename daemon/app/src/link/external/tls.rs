//! Whom to trust on the way to the relay: the system's authorities, one of the owner's own, or one single certificate.
//! Must not know Socket.IO.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use native_tls::{Certificate, TlsConnector};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::failure::Failure;

/// How long it may take to be shown the relay's certificate.
const PROBE_DEADLINE: Duration = Duration::from_secs(10);

/// Whom to trust. The connector is made once: reading the system's authorities costs more than an attempt may.
pub struct Trust {
    ca: Option<PathBuf>,
    pin: Option<[u8; 32]>,
    connector: Mutex<Option<TlsConnector>>,
}

impl Trust {
    /// Trust in the system's authorities and those in the file `ca`; or, with a `pin` (SHA-256 of a self-signed
    /// certificate in DER), in that certificate and nothing else, whatever name it is made out to.
    pub fn new(ca: Option<PathBuf>, pin: Option<[u8; 32]>) -> Self {
        Self { ca, pin, connector: Mutex::default() }
    }

    /// What connects to the relay at `host` and `port`.
    ///
    /// # Errors
    /// [`Failure::NoAuthority`], [`Failure::OtherCertificate`], or what keeps us from being shown a certificate.
    pub async fn connector(&self, host: &str, port: u16) -> Result<TlsConnector, Failure> {
        let known = self.known().clone();
        if let Some(connector) = known {
            return Ok(connector);
        }
        let connector = match self.pin {
            Some(pin) => pinned(pin, host, port).await?,
            None => authorities(self.ca.as_deref())?,
        };
        *self.known() = Some(connector.clone());
        Ok(connector)
    }

    /// TLS has failed: what was learnt may be out of date (a renewed certificate, a corrected file). Says what the
    /// failure means when a certificate was pinned.
    pub fn doubt(&self, failure: Failure) -> Failure {
        *self.known() = None;
        match failure {
            Failure::Tls(words) if self.pin.is_some() && words.contains("local issuer") => Failure::Tls(
                "the pinned certificate is signed by another one, and `pin` only works with self-signed ones: name \
                 the signer's file in `ca` instead, or leave both out if a public authority has signed it"
                    .into(),
            ),
            failure => failure,
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<TlsConnector>> {
        self.connector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn authorities(file: Option<&Path>) -> Result<TlsConnector, Failure> {
    let mut builder = TlsConnector::builder();
    if let Some(file) = file {
        let unusable = |why: String| Failure::NoAuthority { file: file.into(), why };
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let certificates = Certificate::stack_from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        if certificates.is_empty() {
            return Err(unusable("there is no certificate in it".into()));
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(machine)
}

/// Looks at the certificate once without any trust, and from then on trusts that one if it is the pinned one.
async fn pinned(pin: [u8; 32], host: &str, port: u16) -> Result<TlsConnector, Failure> {
    let place = format!("{host}:{port}");
    let looking = timeout(PROBE_DEADLINE, shown_certificate(host, port)).await;
    let certificate = looking.map_err(|_| Failure::Silent(place))??;
    let seen: [u8; 32] = Sha256::digest(&certificate).into();
    if seen != pin {
        return Err(Failure::OtherCertificate { seen: hexadecimal(&seen) });
    }
    let certificate = Certificate::from_der(&certificate).map_err(machine)?;
    TlsConnector::builder()
        .disable_built_in_roots(true)
        .add_root_certificate(certificate)
        .danger_accept_invalid_hostnames(true)
        .build()
        .map_err(machine)
}

/// The relay's own certificate, as DER.
async fn shown_certificate(host: &str, port: u16) -> Result<Vec<u8>, Failure> {
    let place = format!("{host}:{port}");
    let connector = TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .build()
        .map_err(machine)?;
    let tcp = TcpStream::connect((host, port)).await.map_err(|error| Failure::of_io(&error, &place))?;
    let connected = tokio_native_tls::TlsConnector::from(connector).connect(host, tcp).await;
    let stream = connected.map_err(|error| Failure::of_tls(&error.to_string()))?;
    let certificate = stream.get_ref().peer_certificate().map_err(machine)?;
    let certificate = certificate.ok_or_else(|| Failure::of_tls("no certificate was shown"))?;
    certificate.to_der().map_err(machine)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn machine(error: native_tls::Error) -> Failure {
    Failure::Machine(error.to_string())
}
