//! Which ICE and DTLS identity a bundle has, and whether it is one that can be answered.
//! Must not know what is carried.

use std::net::IpAddr;

use super::read::{Media, Offer, Transport};
use crate::wire::Reason;
use crate::wire::limits::{CANDIDATE_BYTES, CANDIDATES_PER_CALL};

/// The one transport of a bundle, checked.
pub(super) struct Identity<'a> {
    pub(super) ufrag: &'a str,
    pub(super) pwd: &'a str,
    /// 32 pairs of hexadecimal digits with colons between.
    pub(super) sha256: &'a str,
    pub(super) setup: &'a str,
    pub(super) trickle: bool,
}

/// The identity of the bundle that is carried by `carrier`, in an SDP where `tagged` comes first in the bundle.
///
/// The carrier's own lines count, then the session's. A bundle-only m-line may leave out what its bundle has
/// (RFC 9143 section 7.1.3), so the tagged line comes last.
pub(super) fn identify<'a>(
    offer: &Offer<'a>,
    carrier: &Media<'a>,
    tagged: Option<&Media<'a>>,
) -> Result<Identity<'a>, Reason> {
    let tagged = tagged.filter(|_| carrier.bundle_only).map(|media| &media.transport);
    let levels: Vec<&Transport<'a>> =
        [Some(&carrier.transport), Some(&offer.transport), tagged].into_iter().flatten().collect();
    let first = |pick: fn(&Transport<'a>) -> Option<&'a str>| levels.iter().find_map(|level| pick(level));
    let identity = Identity {
        ufrag: first(|level| level.ufrag).filter(|ufrag| is_ice(ufrag, 4)).ok_or(Reason::BadOffer)?,
        pwd: first(|level| level.pwd).filter(|pwd| is_ice(pwd, 22)).ok_or(Reason::BadOffer)?,
        sha256: levels
            .iter()
            .find(|level| !level.fingerprints.is_empty())
            .and_then(|level| level.fingerprints.iter().find_map(|line| sha256(line)))
            .ok_or(Reason::BadOffer)?,
        setup: first(|level| level.setup)
            .filter(|setup| ["actpass", "active", "passive"].contains(setup))
            .ok_or(Reason::BadOffer)?,
        trickle: first(|level| level.options)
            .is_some_and(|options| options.split_ascii_whitespace().any(|option| option == "trickle")),
    };
    if levels.iter().any(|level| level.contradicts) { Err(Reason::BadOffer) } else { Ok(identity) }
}

/// The candidates for `ufrag` inside an offer, those of m-lines that are not accepted too: of a bundle only the
/// tagged m-line has any. Those that cannot be of use (not RTP's component) or are no candidates are left out.
pub(super) fn candidates<'a>(offer: &Offer<'a>, ufrag: &str) -> Vec<&'a str> {
    let mut found: Vec<&'a str> = Vec::new();
    for media in &offer.media {
        if media.transport.ufrag.or(offer.transport.ufrag).is_some_and(|own| own != ufrag) {
            continue;
        }
        for candidate in media.candidates.iter().filter(|candidate| is_candidate(candidate)) {
            if found.len() < CANDIDATES_PER_CALL && !found.contains(candidate) {
                found.push(candidate);
            }
        }
    }
    found
}

/// ICE characters (RFC 8839 section 5.4), from `least` to 256 of them.
fn is_ice(text: &str, least: usize) -> bool {
    (least..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

/// The digits of a SHA-256 fingerprint: what every browser writes, and all that a certificate is compared with.
fn sha256(line: &str) -> Option<&str> {
    let (hash, digits) = line.split_once(' ')?;
    let pairs = || digits.split(':');
    let sound = hash.eq_ignore_ascii_case("sha-256")
        && pairs().count() == 32
        && pairs().all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
    sound.then_some(digits)
}

/// `<foundation> <component> <transport> <priority> <address> <port> typ <type> …` (RFC 8839 section 5.1). A name in place
/// of the address is none: webrtcbin would look it up on a stranger's word, and keep what it cannot find.
fn is_candidate(value: &str) -> bool {
    let words: Vec<_> = value.split(' ').collect();
    value.len() <= CANDIDATE_BYTES
        && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && matches!(words[..], [_, "1", _, priority, address, port, "typ", _, ..]
            if priority.parse::<u32>().is_ok() && address.parse::<IpAddr>().is_ok() && port.parse::<u16>().is_ok())
}
