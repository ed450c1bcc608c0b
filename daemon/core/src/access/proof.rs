//! What is proved with a secret: that an offer, an answer, a good-bye, the wish to talk, or to enter a room comes from
//! whoever holds it.
//!
//! A proof is HMAC-SHA256 (RFC 2104, FIPS 180-4) under the secret, over fields that are each preceded by their length
//! in bytes (32 bits, big-endian), the first of them the purpose; as text it is base64url without padding, 43
//! characters. The SDP holds the fingerprint of the DTLS certificate, so whoever changes it breaks the proof, and whoever
//! repeats it cannot finish DTLS. Must not know rings, roles or dates.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{KeyId, Secret, Stamp};

/// The ids that stand around an offer or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around<'a> {
    /// The room.
    pub room: &'a str,
    /// The peer id of whoever says it.
    pub from: &'a str,
    /// The peer id of whoever it is for.
    pub to: &'a str,
    /// The viewer's own id for the attempt.
    pub call: &'a str,
}

/// Proof of an offer: `porthole offer v1`, room, from, to, call, sdp.
pub fn of_offer(secret: &Secret, around: Around<'_>, sdp: &str) -> String {
    text(mac(secret, &offer_fields(around, sdp)))
}

/// Whether `proof` is that of the offer. Takes as long for a wrong one as for a right one.
pub fn is_of_offer(proof: &str, secret: &Secret, around: Around<'_>, sdp: &str) -> bool {
    holds(proof, mac(secret, &offer_fields(around, sdp)))
}

/// Proof of an answer: `porthole answer v1`, room, from, to, call, SHA-256 of the offer's sdp, sdp.
pub fn of_answer(secret: &Secret, around: Around<'_>, offer: &str, sdp: &str) -> String {
    let Around { room, from, to, call } = around;
    let offer = Sha256::digest(offer.as_bytes());
    let ids = [room, from, to, call].map(str::as_bytes);
    let fields = [&[b"porthole answer v1".as_slice()], ids.as_slice(), &[offer.as_slice(), sdp.as_bytes()]];
    text(mac(secret, &fields.concat()))
}

/// Proof that whoever is `from` ends the call: `porthole bye v1`, room, from, to, call, the word for why.
pub fn of_bye(secret: &Secret, around: Around<'_>, reason: &str) -> String {
    text(mac(secret, &bye_fields(around, reason)))
}

/// Whether `proof` is that of the good-bye. Takes as long for a wrong one as for a right one.
pub fn is_of_bye(proof: &str, secret: &Secret, around: Around<'_>, reason: &str) -> bool {
    holds(proof, mac(secret, &bye_fields(around, reason)))
}

/// Proof that whoever is `from` wants this of the floor: `porthole talk v1`, room, from, to, call, the word for what, the
/// turn (in decimal digits).
pub fn of_talk(secret: &Secret, around: Around<'_>, want: &str, turn: u64) -> String {
    text(mac(secret, &talk_fields(around, want, &turn.to_string())))
}

/// Whether `proof` is that of the wish. Takes as long for a wrong one as for a right one.
pub fn is_of_talk(proof: &str, secret: &Secret, around: Around<'_>, want: &str, turn: u64) -> bool {
    holds(proof, mac(secret, &talk_fields(around, want, &turn.to_string())))
}

/// Proof that somebody may enter a room of the camera's own relay: `porthole admission v1`, room.
pub fn of_admission(secret: &Secret, room: &str) -> String {
    text(mac(secret, &admission_fields(room)))
}

/// Whether `proof` is that of the admission. Takes as long for a wrong one as for a right one.
pub fn is_of_admission(proof: &str, secret: &Secret, room: &str) -> bool {
    holds(proof, mac(secret, &admission_fields(room)))
}

/// Proof of a link to a picture of now: `porthole snapshot v1`, room, id of the key, until when it holds (seconds since
/// 1970, in decimal digits).
pub fn of_snapshot(secret: &Secret, room: &str, key: &KeyId, until: Stamp) -> String {
    text(mac(secret, &snapshot_fields(room, key, &until.0.to_string())))
}

/// Whether `proof` is that of the link. Takes as long for a wrong one as for a right one.
pub fn is_of_snapshot(proof: &str, secret: &Secret, room: &str, key: &KeyId, until: Stamp) -> bool {
    holds(proof, mac(secret, &snapshot_fields(room, key, &until.0.to_string())))
}

/// Whether both are the same secret. Takes as long for a wrong one as for a right one.
pub fn is_same(one: &Secret, other: &Secret) -> bool {
    let fields = [b"porthole bearer v1".as_slice()];
    let other = mac(other, &fields).finalize().into_bytes();
    mac(one, &fields).verify_slice(&other).is_ok()
}

fn offer_fields<'a>(around: Around<'a>, sdp: &'a str) -> [&'a [u8]; 6] {
    let Around { room, from, to, call } = around;
    ["porthole offer v1", room, from, to, call, sdp].map(str::as_bytes)
}

fn bye_fields<'a>(around: Around<'a>, reason: &'a str) -> [&'a [u8]; 6] {
    let Around { room, from, to, call } = around;
    ["porthole bye v1", room, from, to, call, reason].map(str::as_bytes)
}

fn talk_fields<'a>(around: Around<'a>, want: &'a str, turn: &'a str) -> [&'a [u8]; 7] {
    let Around { room, from, to, call } = around;
    ["porthole talk v1", room, from, to, call, want, turn].map(str::as_bytes)
}

fn admission_fields(room: &str) -> [&[u8]; 2] {
    ["porthole admission v1", room].map(str::as_bytes)
}

fn snapshot_fields<'a>(room: &'a str, key: &'a KeyId, until: &'a str) -> [&'a [u8]; 4] {
    ["porthole snapshot v1", room, key.as_str(), until].map(str::as_bytes)
}

fn mac(secret: &Secret, fields: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("a key of any length");
    for field in fields {
        // Nothing that is read is anywhere near 4 GiB.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(field);
    }
    mac
}

fn text(mac: Hmac<Sha256>) -> String {
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Compares in constant time.
fn holds(proof: &str, mac: Hmac<Sha256>) -> bool {
    URL_SAFE_NO_PAD.decode(proof).is_ok_and(|proof| mac.verify_slice(&proof).is_ok())
}
