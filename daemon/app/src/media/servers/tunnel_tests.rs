//! The tunnel as its two ends see it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_goes_in_plainly_comes_out_of_tls_and_back() {
    let home = tempfile::tempdir().unwrap();
    let (server, ca) = server(home.path(), "127.0.0.1").await;
    let (_alive, begins) = tunnel(server, Some(ca)).await;
    for at in begins {
        let mut near = TcpStream::connect(at).await.unwrap();
        near.write_all(b"allocate").await.unwrap();
        let mut reply = [0; 8];
        timeout(LIMIT, near.read_exact(&mut reply)).await.unwrap().unwrap();
        assert_eq!(&reply, b"ALLOCATE");
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_hears_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (unknown, _) = server(home.path(), "127.0.0.1").await;
    let (elsewhere, ca) = server(home.path(), "192.0.2.1").await;
    for (place, ca) in [(unknown, None), (elsewhere, Some(ca))] {
        let (_alive, begins) = tunnel(place, ca).await;
        let mut near = TcpStream::connect(begins[0]).await.unwrap();
        near.write_all(b"allocate").await.unwrap();
        let mut heard = Vec::new();
        // Cut, one way or the other.
        let _ = timeout(LIMIT, near.read_to_end(&mut heard)).await.unwrap();
        assert_eq!(heard, b"");
    }
}

#[tokio::test]
async fn it_ends_with_those_who_hear_of_it() {
    let home = tempfile::tempdir().unwrap();
    let (server, ca) = server(home.path(), "127.0.0.1").await;
    let (alive, begins) = tunnel(server, Some(ca)).await;
    drop(alive);
    timeout(LIMIT, async {
        while TcpStream::connect(begins[0]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

async fn tunnel(place: Place, ca: Option<PathBuf>) -> (watch::Receiver<Ways>, Vec<SocketAddr>) {
    let (publish, alive) = watch::channel(Ways::default());
    (alive, open(place, ca, Arc::new(publish)).await.unwrap())
}

/// A server on loopback that says over TLS what it hears, in capitals; with the file of the authority that made its
/// certificate out to `name`.
async fn server(folder: &std::path::Path, name: &str) -> (Place, PathBuf) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    // A name of its own: a certificate that is called like its signer passes for its own.
    authority.distinguished_name.push(DnType::CommonName, "lab authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let file = folder.join(format!("{name}.pem"));
    std::fs::write(&file, authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let identity =
        native_tls::Identity::from_pkcs8(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
            .unwrap();
    let acceptor = tokio_native_tls::TlsAcceptor::from(native_tls::TlsAcceptor::new(identity).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut tls = acceptor.accept(tcp).await.unwrap();
                let mut heard = [0; 8];
                tls.read_exact(&mut heard).await.unwrap();
                heard.make_ascii_uppercase();
                tls.write_all(&heard).await.unwrap();
                tls.flush().await.unwrap();
                // Until the other end is done.
                let _ = tls.read(&mut heard).await;
            });
        }
    });
    (Place::of(&format!("turns:127.0.0.1:{port}")).unwrap(), file)
}
