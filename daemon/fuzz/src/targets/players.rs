//! What players send over HTTP: a key, and candidates in a fragment of an SDP. Must not know HTTP.

use porthole_core::whep::{Credentials, Fragment};
use porthole_core::wire::limits::{
    CANDIDATE_BYTES, CANDIDATES_PER_CALL, FRAGMENT_BYTES, MID_BYTES, UFRAG_BYTES,
};

use super::Outcome;
use crate::Target;
use crate::corpus;

/// The first line is what stands behind `Bearer`, the rest a fragment.
pub const TARGET: Target = Target { name: "players", run, corpus: seeds, words: WORDS };

const WORDS: &[&str] = &[
    "a=candidate:",
    "a=end-of-candidates",
    "a=ice-ufrag:",
    "a=ice-pwd:",
    "a=ice-options:trickle",
    "a=group:BUNDLE 0 1",
    "a=mid:",
    "m=audio 9 UDP/TLS/RTP/SAVPF 0",
    "m=video 9 X 96",
    "c=IN IP4 0.0.0.0",
    " 1 udp 7 192.0.2.1 9 typ host",
    "\r\n",
    "\n",
    "k1",
    ".",
    "=",
    ":",
];

fn seeds() -> Vec<Vec<u8>> {
    corpus::of_target("seeds", "players").into_iter().map(|(_, bytes)| bytes).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let (token, fragment) = text.split_once('\n').unwrap_or((&text, ""));
    let mut outcome = Outcome::default();
    match Credentials::read(token) {
        Credentials::Bearer(shown) => {
            outcome.note("a key");
            assert_eq!(format!("{}.{}", shown.key, shown.secret.text()), token, "another key than was shown");
            assert!(!format!("{shown:?}").contains(&shown.secret.text()), "a secret in a debug form");
        }
        other => outcome.note(format!("{other:?}")),
    }
    match Fragment::read(fragment) {
        Ok(read) => {
            outcome.note((read.ufrags.len().min(3), read.candidates.len().min(3), read.complete));
            assert!(fragment.len() <= FRAGMENT_BYTES && read.candidates.len() <= CANDIDATES_PER_CALL);
            assert!(read.ufrags.iter().all(|ufrag| (1..=UFRAG_BYTES).contains(&ufrag.len())));
            for one in &read.candidates {
                let line = one.candidate.strip_prefix("candidate:");
                assert!(line.is_some_and(|line| line.len() <= CANDIDATE_BYTES), "{one:?}");
                assert!(!one.candidate.contains(['\r', '\n', '\0']), "more than a line: {one:?}");
                assert!(one.sdp_mid.as_ref().is_none_or(|mid| mid.len() <= MID_BYTES), "{one:?}");
                let known = |ufrag: &String| read.ufrags.contains(ufrag);
                assert!(one.username_fragment.as_ref().is_none_or(known), "{one:?}");
            }
        }
        Err(_) => outcome.note("no fragment"),
    }
    outcome.number()
}
