//! Keys in links, proofs, and the file of the ring. Must not know where a ring is kept.

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Secret, Stamp};

use super::Outcome;
use crate::Target;
use crate::corpus;

/// The first line is a token (`<id>.<secret>`), the second a proof, the third a name, the fourth a role; the rest is a
/// ring's file.
pub const TARGET: Target = Target { name: "access", run, corpus: seeds, words: WORDS };

const WORDS: &[&str] = &[
    "version",
    "keys",
    "revoked",
    "id",
    "name",
    "role",
    "made",
    "until",
    "secret",
    "watch",
    "talk",
    "manage",
    "k1",
    "k2",
    SECRET,
    "=",
    ".",
    "-",
    "_",
    "A",
    "9",
    "18446744073709551615",
];

/// The secret of the ring in the corpus. It must not be said.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn seeds() -> Vec<Vec<u8>> {
    let vectors = corpus::of_core("access", "json").into_iter().map(|(_, text)| text.into_bytes());
    corpus::of_target("seeds", "access").into_iter().map(|(_, bytes)| bytes).chain(vectors).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (token, proof, name, role, ring) = (line(), line(), line(), line(), line());
    let mut outcome = Outcome::default();
    let (id, secret) = token.split_once('.').unwrap_or((token, ""));
    let (id, secret) = (KeyId::new(id), secret.parse::<Secret>());
    outcome.note((id.is_ok(), secret.is_ok()));
    if let (Ok(id), Ok(secret)) = (id, secret) {
        opens(id, secret, token, proof, name, role, &mut outcome);
    }
    match KeyRing::from_json(ring) {
        Ok(ring) => {
            outcome.note(ring.keys().len().min(4));
            hangs_together(ring);
        }
        Err(bad) => {
            let said = bad.to_string();
            outcome.note(
                said.split(" at line").next().map(|what| what.replace(|c: char| c.is_ascii_digit(), "")),
            );
            // Ids are no secrets, whatever somebody uses for one.
            assert!(said.starts_with("two keys") || !said.contains(&SECRET[..20]), "says a secret: {said}");
            assert!(said.len() < 400, "says too much: {said}");
        }
    }
    outcome.number()
}

fn opens(id: KeyId, secret: Secret, token: &str, proof: &str, name: &str, role: &str, outcome: &mut Outcome) {
    let label = Label::new(name).or_else(|_| Label::new("somebody"));
    let role = role.parse().unwrap_or(Role::Watch);
    let Ok(label) = label else { panic!("\"somebody\" is a name") };
    let key = Key { id, name: label, role, made: Stamp(1), until: None, secret };
    assert_eq!(key.token(), token, "a token is written as it was read");
    assert!(!format!("{:?}", key.secret).contains(&key.secret.text()), "a secret in a debug form");
    let around = Around { room: name, from: token, to: "camera", call: proof };
    let right = proof::of_offer(&key.secret, around, name);
    assert!(proof::is_of_offer(&right, &key.secret, around, name));
    assert!(!proof::is_of_offer(&right, &key.secret, Around { to: "camer", ..around }, name));
    assert_eq!(proof::is_of_offer(proof, &key.secret, around, name), proof == right, "{proof}");
    let right = proof::of_admission(&key.secret, name);
    assert_eq!(proof::is_of_admission(proof, &key.secret, name), proof == right, "{proof}");
    outcome.note(proof == right);
}

fn hangs_together(ring: KeyRing) {
    let written = ring.to_json().unwrap_or_else(|error| panic!("read and not written: {error}"));
    let again = KeyRing::from_json(&written).unwrap_or_else(|bad| panic!("{bad}: {written}"));
    assert_eq!(again, ring);
    assert!(ring.keys().iter().all(|key| !format!("{:?}", key.secret).contains(&key.secret.text()[..20])));
    let mut less = ring.clone();
    for key in ring.keys() {
        assert_eq!(ring.usable(&key.id, Stamp(0)).is_ok(), !key.has_expired(Stamp(0)));
        assert!(less.revoke(&key.id, Stamp(7)).is_some() && less.usable(&key.id, Stamp(0)).is_err());
    }
    assert!(less.keys().is_empty());
    assert!(ring.next_expiry(Stamp(5)).is_none_or(|next| next > Stamp(5)));
}
