//! TLS for a client that does not speak it: a port on loopback, from which every connection goes on, encrypted, to one TURN
//! server. Whoever is on this machine can use it, as they could connect there themselves. Must not know what is said.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use native_tls::{Certificate, TlsConnector};
use porthole_core::ice::Place;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::Ways;

/// Most connections at once through one tunnel: more than there are calls, for each takes one and one that ends another.
const CONNECTIONS: usize = 512;
/// How long it may take until the server speaks TLS with us.
const CONNECT: Duration = Duration::from_secs(8);

/// The far end.
struct Far {
    place: Place,
    ca: Option<PathBuf>,
    places: Semaphore,
}

/// Opens a tunnel to `place`, trusting the system's authorities and those in the file `ca`. It is there as long as somebody
/// hears of the ways. Gives where it begins, one address of each family that this machine has.
///
/// # Errors
/// The system's, where no port can be had.
pub async fn open(
    place: Place,
    ca: Option<PathBuf>,
    ways: Arc<watch::Sender<Ways>>,
) -> io::Result<Vec<SocketAddr>> {
    let far = Arc::new(Far { place, ca, places: Semaphore::new(CONNECTIONS) });
    let mut begins = Vec::new();
    let mut failed = None;
    for ip in super::loopback() {
        match TcpListener::bind(SocketAddr::new(ip, 0)).await {
            Ok(listener) => {
                begins.push(listener.local_addr()?);
                tokio::spawn(listen(listener, far.clone(), ways.clone()));
            }
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if begins.is_empty() => Err(error),
        _ => Ok(begins),
    }
}

async fn listen(listener: TcpListener, far: Arc<Far>, ways: Arc<watch::Sender<Ways>>) {
    let mut told = None;
    let (problem, mut problems) = tokio::sync::mpsc::channel::<Option<String>>(8);
    loop {
        let near = tokio::select! {
            near = listener.accept() => near,
            () = ways.closed() => return,
            Some(now) = problems.recv() => {
                // Said when it begins and when it is over, not for each call.
                match (&told, &now) {
                    (before, Some(why)) if before.as_ref() != Some(why) => log::warn!(
                        "the TURN server {}:{} is not reached over TLS: {why}", far.place.host, far.place.port
                    ),
                    (Some(_), None) => {
                        log::info!("the TURN server {}:{} is reached again", far.place.host, far.place.port);
                    }
                    _ => {}
                }
                told = now;
                continue;
            }
        };
        let Ok((near, _)) = near else {
            // No file descriptors, say: what is open has to end first.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let (far, problem) = (far.clone(), problem.clone());
        tokio::spawn(async move {
            let outcome = carry(near, &far).await;
            let _ = problem.try_send(outcome.err());
        });
    }
}

/// Connects and passes on until one side ends. The error is why there was no TLS.
async fn carry(mut near: TcpStream, far: &Far) -> Result<(), String> {
    let Ok(_place) = far.places.try_acquire() else { return Err("too many connections at once".to_owned()) };
    let connect = async {
        let ca = far.ca.clone();
        // Reads the authorities of the system, and the file.
        let connector = tokio::task::spawn_blocking(move || trust(ca)).await.map_err(|e| e.to_string())??;
        let Place { host, port, .. } = &far.place;
        let tcp = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| error.to_string())?;
        let _ = tcp.set_nodelay(true);
        let connector = tokio_native_tls::TlsConnector::from(connector);
        connector.connect(host, tcp).await.map_err(|error| {
            format!("{error}; is its certificate made out to {host}? One of its own authority is trusted with `ca` below [ice]")
        })
    };
    let mut far = timeout(CONNECT, connect).await.map_err(|_| format!("no answer within {CONNECT:?}"))??;
    let _ = near.set_nodelay(true);
    // However it ends, the ends see it.
    let _ = copy_bidirectional(&mut near, &mut far).await;
    Ok(())
}

fn trust(ca: Option<PathBuf>) -> Result<TlsConnector, String> {
    let mut builder = TlsConnector::builder();
    if let Some(file) = ca {
        let unusable = |why: String| format!("ice.ca: {}: {why}", file.display());
        let pem = std::fs::read(&file).map_err(|error| unusable(error.to_string()))?;
        let certificates = Certificate::stack_from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        if certificates.is_empty() {
            return Err(unusable("there is no certificate in it".to_owned()));
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "tunnel_tests.rs"]
mod tests;
