//! `/snapshot.jpg` of the real program: a picture of now for who may watch, and the reason for everybody else.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use porthole_core::access::{Key, KeyRing, Stamp, proof};
use porthole_peer::{Caller, Options, Stand};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MEDIA: &str = "[relay]\nlisten = \"127.0.0.1:0\"\n[video]\nsource = \"test\"\nwidth = 320\nheight = 240\n\
                     framerate = 15\n[audio]\nsource = \"none\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_camera_is_opened_for_a_picture_and_one_that_runs_is_not_disturbed() {
    let camera = Camera::start("[room]\naccess = \"local\"\n");
    assert_eq!(camera.status()["capture"], "idle");
    let picture = camera.get("/snapshot.jpg", &[]).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(size(&picture.body), (320, 240));
    assert_eq!(camera.status()["capture"], "running", "it lingers");

    let stand = Stand::new().unwrap();
    let caller = Caller::place(&stand, camera.address, "porthole", "ann", &Options::default()).await.unwrap();
    let limit = std::time::Duration::from_secs(60);
    caller.viewer().wait(limit, |facts| facts.frames >= 5).await.unwrap();
    let pictures = futures_util::future::join_all((0..6).map(|_| camera.get("/snapshot.jpg", &[]))).await;
    assert!(pictures.iter().all(|picture| size(&picture.body) == (320, 240)));
    let frames = caller.facts().frames;
    caller.viewer().wait(limit, |facts| facts.frames >= frames + 10).await.unwrap();
    let head = camera.ask("HEAD", "/snapshot.jpg", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_keys_decide_one_is_wanted_in_a_header_or_in_a_signed_address() {
    let camera = Camera::start("");
    let key = camera.owner();
    let refused = camera.get("/snapshot.jpg", &[]).await;
    assert_eq!((refused.status, &refused.json()["reason"]), (401, &Value::from("not-allowed")));
    let bearer = format!("Bearer {}", key.token());
    let picture = camera.get("/snapshot.jpg", &[("authorization", &bearer)]).await;
    assert_eq!((picture.status, size(&picture.body)), (200, (320, 240)));

    let signed = |until: u64| {
        let proof = proof::of_snapshot(&key.secret, "porthole", &key.id, Stamp(until));
        format!("/snapshot.jpg?key={}&until={until}&proof={proof}", key.id)
    };
    let now = porthole::keys::now().0;
    let link = signed(now + 3600);
    assert_eq!(camera.get(&link, &[]).await.status, 200);
    let later = link.replace(&format!("until={}", now + 3600), &format!("until={}", now + 7200));
    assert_eq!(camera.get(&later, &[]).await.status, 401, "what is changed is not signed");
    assert_eq!(camera.get(&signed(now - 1), &[]).await.json()["reason"], "stale");
    let refusals = &camera.status()["refusals"]["not-allowed"];
    assert!(refusals.as_u64().is_some_and(|count| count >= 3), "they are counted: {refusals}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_privacy_is_on_there_is_no_picture() {
    let camera = Camera::start("[room]\naccess = \"local\"\n");
    camera.says(&["privacy", "on"]);
    let refused = camera.get("/snapshot.jpg", &[]).await;
    assert_eq!((refused.status, &refused.json()["reason"]), (403, &Value::from("privacy")));
    assert_eq!(camera.status()["capture"], "idle", "and nothing is opened for it");
    camera.says(&["privacy", "off"]);
    assert_eq!(size(&camera.get("/snapshot.jpg", &[]).await.body), (320, 240));
}

/// Width and height in the frame header (ITU-T T.81 section B.2.2).
fn size(jpeg: &[u8]) -> (u16, u16) {
    assert!(jpeg.starts_with(&[0xff, 0xd8]), "no JPEG: {:?}", String::from_utf8_lossy(jpeg));
    let mut at = 2;
    while !(0xc0..=0xc2).contains(&jpeg[at + 1]) {
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    let number = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    (number(at + 7), number(at + 5))
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct Camera {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Camera {
    /// Waits until it says its link.
    fn start(room: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("my.toml"), format!("{room}{MEDIA}")).unwrap();
        let mut child = program(&folder, &["run"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://localhost:")?;
            rest.split_once('/')?.0.parse::<u16>().ok()
        });
        // The rest is read too, so that it can be written.
        std::thread::spawn(move || lines.for_each(drop));
        let address = SocketAddr::from(([127, 0, 0, 1], port.expect("a link")));
        Self { child, folder, address }
    }

    fn says(&self, words: &[&str]) -> String {
        let output = program(&self.folder, words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.says(&["status", "--json"])).unwrap()
    }

    /// The key that the first start has made.
    fn owner(&self) -> Key {
        let ring = fs::read_to_string(self.folder.path().join("state/keys.json")).unwrap();
        KeyRing::from_json(&ring).unwrap().meant("owner").unwrap().clone()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let host = format!("host: localhost:{}\r\n", self.address.port());
        let request = format!("{method} {path} HTTP/1.1\r\n{host}{more}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: all[end + 4..].to_vec() }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Already ended is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(folder: &TempDir, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_porthole"));
    program.args(words).arg("--config").arg(folder.path().join("my.toml"));
    program.env("STATE_DIRECTORY", folder.path().join("state")).env_remove("RUNTIME_DIRECTORY");
    program.env_remove("JOURNAL_STREAM");
    program
}
