//! The real program with keys, and viewers that hold some: who sees the picture, who is not let in, and who is hung up.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyRing};
use porthole_peer::room::{Room, RoomError, Said};
use porthole_peer::{Caller, Options, PeerError, Stand, Viewer};
use serde_json::json;
use tempfile::TempDir;

/// Only bounds a hang.
const HANG: Duration = Duration::from_secs(60);
const ROOM: &str = "porthole";

#[tokio::test(flavor = "multi_thread")]
async fn only_who_proves_a_key_sees_the_picture() {
    let camera = Camera::start();
    let stand = Stand::new().unwrap();
    let ann = camera.add("ann").await;
    let caller = camera.call(&stand, "one", &ann).await.unwrap();
    caller.viewer().wait(HANG, |facts| facts.frames >= 10).await.unwrap();

    let not_let_in = |met: Result<(), PeerError>| match met {
        Err(PeerError::Room(RoomError::NotLetIn(why))) => why,
        other => panic!("let in: {other:?}"),
    };
    let options = Options::default();
    let keyless = Caller::place(&stand, camera.address, ROOM, "two", &options).await.map(drop);
    assert_eq!(not_let_in(keyless), r#"{"message":"not-allowed"}"#);
    let mut forged = ann.clone();
    forged.secret = porthole::keys::key(ann.name.clone(), ann.role, ann.made, None).unwrap().secret;
    let wrong = camera.call(&stand, "three", &forged).await.map(drop);
    assert_eq!(not_let_in(wrong), r#"{"message":"not-allowed"}"#);

    let frames = caller.facts().frames;
    caller.viewer().wait(HANG, |facts| facts.frames >= frames + 10).await.unwrap();
    assert!(!caller.signs().over(), "{:?}", caller.signs());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_has_to_prove_each_call_and_only_once() {
    let camera = Camera::start();
    let stand = Stand::new().unwrap();
    let ann = camera.add("ann").await;
    let mut room = Room::enter_with(camera.address, ROOM, "one", &ann).await.unwrap();
    let mut other = Room::enter_with(camera.address, ROOM, "two", &ann).await.unwrap();
    let me = camera.peer(&ann).await;
    let (viewer, sdp) = Viewer::offer(&stand, &Options::default()).unwrap();
    let around = Around { room: ROOM, from: "one", to: &me, call: "c1" };
    let right = proof::of_offer(&ann.secret, around, &sdp);
    let offer = |from: &str, call: &str, proof: &str| {
        json!({"room": ROOM, "from": from, "to": me, "call": call, "key": ann.id, "proof": proof,
            "sdp": {"type": "offer", "sdp": sdp}})
    };

    room.emit("offer", &offer("one", "c1", &right)).await.unwrap();
    // It was not made by this room, which so cannot know that the answer is proved.
    let proved = async { while !matches!(room.next().await, Err(RoomError::NotProved)) {} };
    tokio::time::timeout(HANG, proved).await.expect("an answer");
    for (call, proof) in
        [("c1", right.as_str()), ("c2", right.as_str()), ("c3", ""), ("c4", ann.secret.text().as_str())]
    {
        other.emit("offer", &offer("two", call, proof)).await.unwrap();
        let reason = refusal(&mut other, call).await;
        assert!(["not-allowed", "too-often"].contains(&reason.as_str()), "{call}: {reason}");
    }
    drop(viewer);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_with_a_key_is_hung_up_when_it_is_taken_back_and_nobody_else() {
    let camera = Camera::start();
    let stand = Stand::new().unwrap();
    let (ann, bob) = (camera.add("ann").await, camera.add("bob").await);
    let (one, two) =
        (camera.call(&stand, "one", &ann).await.unwrap(), camera.call(&stand, "two", &bob).await.unwrap());
    for caller in [&one, &two] {
        caller.viewer().wait(HANG, |facts| facts.frames >= 5).await.unwrap();
    }
    camera.access(&["revoke", "ann"]);
    let signs = one.wait_signs(HANG, |signs| signs.bye.is_some() && signs.broken.is_some()).await;
    assert_eq!(signs.bye.as_deref(), Some("revoked-key"), "{signs:?}");
    assert_eq!(signs.broken.as_deref(), Some("the relay closed the connection"));
    let more = async || {
        let frames = two.facts().frames;
        two.viewer().wait(HANG, |facts| facts.frames >= frames + 10).await.unwrap();
    };
    // What was on its way has arrived by the time the other has seen more; nothing follows.
    more().await;
    let still = one.facts().frames;
    more().await;
    assert_eq!(one.facts().frames, still);
    assert!(!two.signs().over(), "{:?}", two.signs());
    match camera.call(&stand, "three", &ann).await.map(drop) {
        Err(PeerError::Room(RoomError::NotLetIn(why))) => assert_eq!(why, r#"{"message":"revoked-key"}"#),
        other => panic!("let in: {other:?}"),
    }
}

/// Why a call is refused.
async fn refusal(room: &mut Room, wanted: &str) -> String {
    let refused = async {
        loop {
            match room.next().await.unwrap() {
                Said::Refused { call, reason } if call == wanted => return reason,
                Said::Answer { .. } => panic!("{wanted} is answered"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(HANG, refused).await.expect("a refusal")
}

/// A camera that asks for keys, with the test picture.
struct Camera {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Camera {
    /// Waits until it says its link.
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let config = "[relay]\nlisten = \"127.0.0.1:0\"\n[video]\nsource = \"test\"\nwidth = 320\nheight = 240\n\
                      framerate = 15\n[audio]\nsource = \"none\"\n";
        fs::write(folder.path().join("porthole.toml"), config).unwrap();
        let mut child = program(&folder, "run", &[]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let link = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://localhost:")?;
            rest.split_once('/')?.0.parse::<u16>().ok()
        });
        // The rest is read too, so that it can be written.
        std::thread::spawn(move || lines.for_each(drop));
        let address = SocketAddr::from(([127, 0, 0, 1], link.expect("a link")));
        Self { child, folder, address }
    }

    /// What `porthole access` says.
    fn access(&self, words: &[&str]) -> String {
        let output = program(&self.folder, "access", words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A new key, which the camera knows.
    async fn add(&self, name: &str) -> Key {
        self.access(&["add", name]);
        let ring = fs::read_to_string(self.folder.path().join("state/keys.json")).unwrap();
        let key = KeyRing::from_json(&ring).unwrap().meant(name).unwrap().clone();
        let known = async {
            while let Err(error) = Room::enter_with(self.address, ROOM, "asks", &key).await {
                assert!(matches!(error, RoomError::NotLetIn(_)), "{error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(HANG, known).await.expect("a camera that hears of its keys");
        key
    }

    async fn call(&self, stand: &Stand, name: &str, key: &Key) -> Result<Caller, PeerError> {
        Caller::place_with(stand, self.address, ROOM, name, &Options::default(), key).await
    }

    /// The camera's peer id.
    async fn peer(&self, key: &Key) -> String {
        let room = Room::enter_with(self.address, ROOM, "asks", key).await.unwrap();
        room.camera().expect("a camera").to_owned()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Already ended is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(folder: &TempDir, command: &str, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_porthole"));
    program.arg(command).arg("--config").arg(folder.path().join("porthole.toml")).args(words);
    program.env("STATE_DIRECTORY", folder.path().join("state")).env_remove("JOURNAL_STREAM");
    program
}
