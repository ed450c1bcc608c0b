//! What a stranger writes into a new connection, from its first byte on: http, TLS, or neither. Must not know what any of
//! it means.

use std::time::Duration;

use porthole_core::config::settings::Access;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Outcome, port};
use crate::Target;
use crate::corpus;

/// Everything that is written before the stranger has no more to say.
pub const TARGET: Target = Target { name: "connection", run, corpus: beginnings, words: WORDS };

const WORDS: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n",
    "HTTP/1.0\r\n",
    "HTTP/2.0\r\n",
    "PRI * HTTP/2.0",
    "Host: localhost\r\n",
    "Content-Length: 10\r\n",
    "Content-Length: 99999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Connection: Upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Sec-WebSocket-Version: 13\r\n",
    "Expect: 100-continue\r\n",
    "\r\n\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "\u{16}",
    "\u{16}\u{3}\u{1}",
    "\u{1}\u{0}",
    "\u{3}\u{3}",
    "\u{0}\u{0}",
    "http/1.1",
    "h2",
];

/// How long an answer may keep us. What waits for more than we say is left: the daemon bounds that by its own clock, which
/// the guard's tests are about.
const PATIENCE: Duration = Duration::from_millis(50);

/// Those of the repository, and every request of the other target as it is written on the wire.
fn beginnings() -> Vec<Vec<u8>> {
    let requests = corpus::of_target("seeds", "http").into_iter();
    let written = requests.flat_map(|(_, bytes)| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.split("\n----\n").skip(1).map(on_the_wire).collect::<Vec<_>>()
    });
    corpus::of_target("seeds", "connection").into_iter().map(|(_, bytes)| bytes).chain(written).collect()
}

fn on_the_wire(request: &str) -> Vec<u8> {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let head = head.replacen('\n', " HTTP/1.1\n", 1).replace('\n', "\r\n");
    let head = if head.contains("HTTP/1.1") { head } else { head + " HTTP/1.1" };
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn run(input: &[u8]) -> u64 {
    let mut outcome = Outcome::default();
    port::with(Access::Open, |port| {
        port.runtime.block_on(async {
            let said = visit(port.address, input).await;
            let text = String::from_utf8_lossy(&said);
            assert!(!text.starts_with("HTTP/1.1 500"), "{text}");
            // The status, or what kind of TLS record.
            outcome.note(said.get(..12).unwrap_or(&said).to_vec());
        });
    });
    outcome.number()
}

/// Says everything, hears what is answered at once, and goes.
async fn visit(address: std::net::SocketAddr, input: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address).await else { return answer };
    // Each may fail, where the other end has had enough.
    let _ = stream.write_all(input).await;
    let _ = stream.shutdown().await;
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    answer
}
