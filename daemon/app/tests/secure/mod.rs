//! What connects to the port: clients of two TLS libraries that trust whom they are told to and nobody else, and plain
//! ones. Must not know what the port is for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What was answered, whole.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// The TLS libraries that people have: that of most programs in Rust, and that of most others.
#[derive(Debug, Clone, Copy)]
pub enum Library {
    Rustls,
    OpenSsl,
}

/// Asks over TLS under `name`, trusting the authorities in `pem` and nobody else.
pub async fn ask(
    library: Library,
    address: SocketAddr,
    name: &str,
    pem: &[u8],
    path: &str,
) -> Result<Answer, String> {
    let tcp = TcpStream::connect(address).await.unwrap();
    match library {
        Library::Rustls => {
            let connector = tokio_rustls::TlsConnector::from(trusting(pem));
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let stream = connector.connect(name, tcp).await.map_err(|error| error.to_string())?;
            Ok(exchange(stream, path).await)
        }
        Library::OpenSsl => {
            let mut builder = native_tls::TlsConnector::builder();
            builder.disable_built_in_roots(true);
            for authority in native_tls::Certificate::stack_from_pem(pem).unwrap() {
                builder.add_root_certificate(authority);
            }
            let connector = tokio_native_tls::TlsConnector::from(builder.build().unwrap());
            let stream = connector.connect(name, tcp).await.map_err(|error| error.to_string())?;
            Ok(exchange(stream, path).await)
        }
    }
}

/// Asks without TLS.
pub async fn ask_plainly(address: SocketAddr, path: &str) -> Answer {
    exchange(TcpStream::connect(address).await.unwrap(), path).await
}

/// The certificate (DER) that is shown to a client, whoever has signed it.
pub async fn shown(address: SocketAddr) -> Vec<u8> {
    let connector = native_tls::TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .build()
        .unwrap();
    let tcp = TcpStream::connect(address).await.unwrap();
    let stream = tokio_native_tls::TlsConnector::from(connector).connect("localhost", tcp).await.unwrap();
    stream.get_ref().peer_certificate().unwrap().unwrap().to_der().unwrap()
}

fn trusting(pem: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(pem) {
        roots.add(authority.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: answer[end + 4..].to_vec() }
}

/// Only bounds a hang.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("no hang")
}
