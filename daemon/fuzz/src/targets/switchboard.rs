//! Everything that can happen to the switchboard, in any order, and what the contract promises after each of it. Must not
//! know more of calls than what is commanded.

mod script;
mod world;

use crate::Target;
use crate::corpus;

/// First line: access (`keys`, `local`, `open`), whose relay (`own`, or a dialect) and how many calls. Then messages as
/// [`super::Message`] has them, and what else may happen as a word after `!`, with an empty line before each.
pub const TARGET: Target = Target { name: "switchboard", run, corpus: scripts, words: WORDS };

const WORDS: &[&str] = &[
    "keys",
    "local",
    "open",
    "own",
    "auto",
    "porthole",
    "a",
    "b",
    "c",
    "c2",
    "d",
    "e",
    "f",
    "g",
    "!up",
    "!down",
    "!sleep",
    "!answered",
    "!connected",
    "!heard",
    "!reported",
    "of 300 sent 2000",
    "lost 400",
    "small",
    "!failed",
    "!overflowed",
    "!found",
    "!closed",
    "!offered",
    "!capture",
    "!rendition",
    "!privacy",
    "!sound",
    "!device",
    "test",
    "sought",
    "none",
    "!flow",
    "!wanted",
    "!keys",
    "!revoke",
    "!date",
    "!knock",
    "!again",
    "!shutdown",
    "grandma",
    "uncle",
    "guest",
    "anna",
    "bert",
    "room",
    "from",
    "to",
    "call",
    "key",
    "proof",
    "sdp",
    "candidate",
    "offer",
    "answer",
    "bye",
    "joined",
    "left",
    "welcome",
    "ready",
    "message",
    "got user media",
    "start_call",
    "webrtc_answer",
    "otherjoin",
    "ice",
    "h264",
    "vp8",
    "1",
    "2",
    "3",
    "500",
    "4000",
    "20000",
    "61000",
    "cam-nursery",
    "viewer-7f3a",
    "call-1",
];

fn scripts() -> Vec<Vec<u8>> {
    let scripts: Vec<String> = corpus::of_target("seeds", "switchboard")
        .into_iter()
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).trim_end().to_owned())
        .collect();
    let rooms = [
        "open own 3",
        "local own 3",
        "keys own 3",
        "keys auto 3",
        "open auto 2",
        "open c 1",
        "open d 1",
        "open f 1",
        "open g 1",
    ];
    let single = corpus::messages().into_iter().enumerate();
    let single =
        single.map(|(number, message)| format!("{}\n\n!up\n\n{message}", rooms[number % rooms.len()]));
    scripts.into_iter().chain(single).map(String::into_bytes).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut blocks = text.split("\n\n");
    let mut world = world::World::new(script::settings(blocks.next().unwrap_or_default()));
    for block in blocks.take(64) {
        world.step(block);
    }
    world.stop()
}
