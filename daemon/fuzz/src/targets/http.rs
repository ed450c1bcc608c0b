//! Requests of any method, path, headers and body, one after the other, without a connection. Must not know what Socket.IO
//! says inside of them.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use porthole_core::config::settings::Access;

use super::{Outcome, port};
use crate::Target;
use crate::corpus;

/// First line: who may call, and `https` or `http`. Then requests, each after a line of four hyphens: method and path,
/// headers, an empty line, the body. `SID` stands for the id of the session that was opened last, `ADMISSION` for what a
/// page with a key shows.
pub const TARGET: Target = Target { name: "http", run, corpus: requests, words: WORDS };

const WORDS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "CONNECT",
    "TRACE",
    "/",
    "/index.html",
    "/app.js",
    "/app.css",
    "/icon.svg",
    "/healthz",
    "/ca.crt",
    "/ca.pem",
    "/tls",
    "/https",
    "/whep/porthole",
    "application/sdp",
    "application/trickle-ice-sdpfrag",
    "If-Match: *",
    "/socket.io/",
    "?EIO=4&transport=polling",
    "&sid=SID",
    "transport=websocket",
    "EIO=3",
    "Host: localhost",
    "Host: 127.0.0.1",
    "Origin: http://localhost",
    "Origin: null",
    "If-None-Match: *",
    "Accept-Encoding: gzip",
    "Content-Type: text/plain",
    "Content-Length: 5",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Authorization: Bearer ",
    "Upgrade-Insecure-Requests: 1",
    "Access-Control-Request-Method: POST",
    "40",
    "41",
    "42[\"join\",",
    "42[\"offer\",",
    "43",
    "451-",
    "\u{1e}",
    "bAAEC",
    "ADMISSION",
    "{\"room\":\"porthole\",\"from\":\"anna\"}",
    "..",
    "%2e%2e",
    "//",
    "\r\n",
    "----",
];

/// Most requests of one input.
const MOST: usize = 8;
/// Largest answer: none of ours is anywhere near it.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

fn requests() -> Vec<Vec<u8>> {
    corpus::of_target("seeds", "http").into_iter().map(|(_, bytes)| bytes).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.split("\n----\n");
    let first = parts.next().unwrap_or_default();
    let access = match first.split(' ').next() {
        Some("keys") => Access::Keys,
        Some("local") => Access::Local,
        _ => Access::Open,
    };
    let secure = first.ends_with("https");
    let mut outcome = Outcome::default();
    port::with(access, |port| {
        port.runtime.block_on(async {
            let mut sid = "none".to_owned();
            for part in parts.take(MOST) {
                let Some(request) = read(&part.replace("SID", &sid).replace("ADMISSION", &port::admission()))
                else {
                    outcome.note("not a request");
                    continue;
                };
                // From a machine of its own, and from this one.
                let from = if secure { [192, 0, 2, 7] } else { [127, 0, 0, 1] };
                let Some(answer) = port::patiently(port.counter.ask(request, from.into(), secure)).await
                else {
                    outcome.note("waits");
                    continue;
                };
                let status = answer.status();
                outcome.note(status.as_u16());
                // That it is unhealthy would be an answer too; anything else is our own mistake.
                assert!(
                    !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
                    "{status} for {part}"
                );
                let Some(body) = port::patiently(to_bytes(answer.into_body(), ANSWER_BYTES)).await else {
                    continue;
                };
                let body = body.map(|bytes| bytes.to_vec()).unwrap_or_default();
                let body = String::from_utf8_lossy(&body);
                assert!(!body.contains(&port::key().secret.text()), "a secret in an answer to {part}");
                outcome.note(body.get(..3).unwrap_or_default());
                if let Some((_, rest)) = body.split_once("\"sid\":\"") {
                    sid = rest.split('"').next().unwrap_or_default().to_owned();
                }
            }
        });
    });
    outcome.number()
}

fn read(text: &str) -> Option<Request> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.split('\n');
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).ok()
}
