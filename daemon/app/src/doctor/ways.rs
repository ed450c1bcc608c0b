//! Asks STUN and TURN servers under which address they see this machine. Must not know what that tells.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use native_tls::{Certificate, TlsConnector};
use porthole_core::doctor::network::Asked;
use porthole_core::ice::stun::{self, Transaction};
use porthole_core::ice::{IceSettings, Over, Place};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

/// How long a name may take to be looked up, and a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long each question waits for its answer before it is asked again; what is lost on the way is no reason.
const WAITS: [Duration; 4] = [
    Duration::from_millis(300),
    Duration::from_millis(600),
    Duration::from_millis(1200),
    Duration::from_millis(2400),
];
/// Longest answer that is read.
const ANSWER: usize = 2048;

/// Asks each server of `ice` in turn; those over UDP from one socket of each family.
pub async fn ask(ice: &IceSettings) -> Vec<Asked> {
    let urls = ice.stun.iter().chain(ice.turn.iter().map(|server| &server.url));
    let mut sockets = Sockets::default();
    let mut asked = Vec::new();
    for (url, place) in urls.filter_map(|url| Some((url, Place::of(url)?))) {
        let seen = match place.over {
            Over::Udp => sockets.ask(&place).await,
            Over::Tcp | Over::Tls => over_stream(&place, ice.ca.as_deref()).await,
        };
        asked.push(Asked { url: url.clone(), udp: place.over == Over::Udp, seen });
    }
    asked
}

#[derive(Default)]
struct Sockets {
    four: Option<UdpSocket>,
    six: Option<UdpSocket>,
}

impl Sockets {
    async fn ask(&mut self, place: &Place) -> Result<SocketAddr, String> {
        let server = look_up(place).await?;
        let (ours, any): (_, IpAddr) = match server.ip() {
            IpAddr::V4(_) => (&mut self.four, Ipv4Addr::UNSPECIFIED.into()),
            IpAddr::V6(_) => (&mut self.six, Ipv6Addr::UNSPECIFIED.into()),
        };
        if ours.is_none() {
            *ours = Some(UdpSocket::bind((any, 0)).await.map_err(|error| error.to_string())?);
        }
        let Some(socket) = ours else { return Err("no socket".to_owned()) };
        let id = transaction()?;
        for wait in WAITS {
            socket.send_to(&stun::question(&id), server).await.map_err(|error| error.to_string())?;
            if let Ok(seen) = timeout(wait, hear(socket, server, &id)).await {
                return seen;
            }
        }
        Err(format!("no answer within {:.1} s", WAITS.iter().sum::<Duration>().as_secs_f64()))
    }
}

/// Waits for the answer, whatever else arrives.
async fn hear(socket: &UdpSocket, server: SocketAddr, id: &Transaction) -> Result<SocketAddr, String> {
    let mut message = [0; ANSWER];
    loop {
        let (length, from) = socket.recv_from(&mut message).await.map_err(|error| error.to_string())?;
        if let Some(seen) = stun::answer(&message[..length], id).filter(|_| from == server) {
            return Ok(seen);
        }
    }
}

/// Asks over TCP, or over TLS.
async fn over_stream(place: &Place, ca: Option<&Path>) -> Result<SocketAddr, String> {
    let server = look_up(place).await?;
    let asked = async {
        let stream = TcpStream::connect(server).await.map_err(|error| error.to_string())?;
        if place.over == Over::Tcp {
            return over(stream).await;
        }
        let connector = tokio_native_tls::TlsConnector::from(connector(ca)?);
        over(connector.connect(&place.host, stream).await.map_err(|error| format!("no TLS: {error}"))?).await
    };
    timeout(CONNECT, asked).await.unwrap_or_else(|_| Err(format!("no answer within {} s", CONNECT.as_secs())))
}

async fn over(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<SocketAddr, String> {
    let said = |error: std::io::Error| error.to_string();
    let id = transaction()?;
    stream.write_all(&stun::question(&id)).await.map_err(said)?;
    let mut message = vec![0; stun::question(&id).len()];
    stream.read_exact(&mut message).await.map_err(said)?;
    let more = usize::from(u16::from_be_bytes([message[2], message[3]]));
    if more > ANSWER {
        return Err("what answers speaks no STUN".to_owned());
    }
    let mut body = vec![0; more];
    stream.read_exact(&mut body).await.map_err(said)?;
    message.extend(body);
    stun::answer(&message, &id).ok_or_else(|| "what answers speaks no STUN".to_owned())
}

fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let mut builder = TlsConnector::builder();
    if let Some(file) = ca {
        let why = |error: &dyn std::fmt::Display| format!("`ca` below [ice]: {}: {error}", file.display());
        let text = fs::read(file).map_err(|error| why(&error))?;
        for certificate in pem::parse_many(&text).map_err(|error| why(&error))? {
            let certificate = Certificate::from_der(certificate.contents()).map_err(|error| why(&error))?;
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

async fn look_up(place: &Place) -> Result<SocketAddr, String> {
    let found = timeout(CONNECT, lookup_host((place.host.as_str(), place.port))).await;
    let found = found.map_err(|_| "its name is not looked up in time".to_owned())?;
    let mut found =
        found.map_err(|error| format!("its name cannot be looked up: {error}"))?.collect::<Vec<_>>();
    // NAT is a matter of IPv4.
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| "its name has no address".to_owned())
}

fn transaction() -> Result<Transaction, String> {
    let mut id = Transaction::default();
    getrandom::fill(&mut id).map_err(|error| error.to_string())?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn servers_over_udp_see_one_socket_of_ours_and_what_answers_to_others_is_passed_over() {
        let (one, two) = (server().await, server().await);
        let ice = IceSettings {
            stun: vec![format!("stun:{one}"), format!("stun:{two}")],
            ..IceSettings::default()
        };
        let asked = ask(&ice).await;
        let [Ok(seen), Ok(again)] = [&asked[0].seen, &asked[1].seen] else { panic!("{asked:?}") };
        assert_eq!(seen, again);
        assert!(seen.ip().is_loopback() && asked.iter().all(|asked| asked.udp));
    }

    #[tokio::test]
    async fn a_server_over_tcp_is_asked_and_one_that_is_away_or_speaks_otherwise_is_said_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for rubbish in [false, true] {
                let (mut stream, from) = listener.accept().await.unwrap();
                let mut question = [0; 20];
                stream.read_exact(&mut question).await.unwrap();
                let reply =
                    if rubbish { b"HTTP/1.1 400 Bad Request".to_vec() } else { answer(&question, from) };
                stream.write_all(&reply).await.unwrap();
            }
        });
        let place = Place::of(&format!("turn:{at}?transport=tcp")).unwrap();
        assert!(over_stream(&place, None).await.unwrap().ip().is_loopback());
        let odd = over_stream(&place, None).await.unwrap_err();
        assert!(odd.contains("speaks no STUN") || odd.contains("eof"), "{odd}");
        let closed = over_stream(&place, None).await.unwrap_err();
        assert!(closed.contains("refused"), "{closed}");
        let nobody = look_up(&Place::of("stun:nobody.invalid").unwrap()).await.unwrap_err();
        assert!(nobody.contains("looked up"), "{nobody}");
    }

    /// A server that answers as it should, after it has said something that is no answer.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut question = [0; 20];
            while let Ok((_, from)) = socket.recv_from(&mut question).await {
                let other = [&question[..8], b"another quer"].concat();
                let _ = socket.send_to(&answer(&other, from), from).await;
                let _ = socket.send_to(&answer(&question, from), from).await;
            }
        });
        at
    }

    /// With the address as servers of before 2008 say it, which needs no arithmetic.
    fn answer(question: &[u8], from: SocketAddr) -> Vec<u8> {
        let IpAddr::V4(ip) = from.ip() else { panic!("{from}") };
        let head = [&[0x01, 0x01, 0x00, 0x0c], &question[4..20], &[0, 1, 0, 8, 0, 1]].concat();
        [&head[..], &from.port().to_be_bytes(), &ip.octets()].concat()
    }
}
