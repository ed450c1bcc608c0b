//! Calls the camera behind a link and ends when it has seen a picture, in the place of a browser: what packages are tested
//! with. `look LINK [FRAMES]`, with http, a key or none. Must not know how the camera was started.

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use porthole_core::access::Key;
use porthole_peer::{Caller, Options, Stand};
use serde_json::json;

/// Long enough for an emulated processor.
const LIMIT: Duration = Duration::from_secs(120);
const FRAMES: u64 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let link = words.next().ok_or("name the link")?;
    let frames = words.next().map_or(Ok(FRAMES), |frames| frames.parse())?;
    let (address, room, key) = read(&link)?;
    let began = Instant::now();
    let (stand, options) = (Stand::new()?, Options::default());
    let caller = match &key {
        Some(key) => Caller::place_with(&stand, address, &room, "look", &options, key).await?,
        None => Caller::place(&stand, address, &room, "look", &options).await?,
    };
    let first = caller.viewer().wait(LIMIT, |facts| facts.first_key_frame.is_some()).await;
    let first = first.map_err(|error| format!("no picture: {error}; signalled: {:?}", caller.signs()))?;
    let picture = began.elapsed();
    caller.viewer().wait(LIMIT, |facts| facts.frames >= frames).await?;
    println!(
        "first picture after {:.2} s ({} bytes), {frames} frames after {:.2} s",
        picture.as_secs_f64(),
        first.key_frame_bytes,
        began.elapsed().as_secs_f64()
    );
    caller.hang_up();
    Ok(())
}

/// Where the relay is, its room, and the key if there is one.
fn read(link: &str) -> Result<(SocketAddr, String, Option<Key>), Box<dyn Error>> {
    let (host, fragment) = link
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once("/#"))
        .ok_or("a link is http://HOST:PORT/#room=NAME, perhaps with &key=KEY")?;
    let part = |name: &str| fragment.split('&').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = host.to_socket_addrs()?.find(SocketAddr::is_ipv4).ok_or("no such host")?;
    let key = part("key=").map(|token| key(&token)).transpose()?;
    Ok((address, part("room=").ok_or("no room in the link")?, key))
}

/// A key as a link has it: who it is for is not in there, and does not matter here.
fn key(token: &str) -> Result<Key, Box<dyn Error>> {
    let (id, secret) = token.split_once('.').ok_or("a key is ID.SECRET")?;
    let key = json!({"id": id, "name": "look", "role": "watch", "made": 0, "secret": secret});
    Ok(serde_json::from_value(key)?)
}
