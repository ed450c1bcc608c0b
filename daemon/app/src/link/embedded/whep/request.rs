//! What of a request the desk is told. Must not know what is done about it.

use axum::body::Body;
use axum::http::{Extensions, HeaderMap, header};
use porthole_core::ids::Name;
use porthole_core::whep::{Credentials, Matches};
use tokio::time::timeout;

use super::problem::Problem;
use crate::link::embedded::entrance::RemoteAddress;
use crate::link::embedded::guard::one_of;
use crate::link::embedded::server::BODY_DEADLINE;
use crate::link::embedded::tls::Secure;

/// Most entity-tags of one `If-Match` that are looked at.
const TAGS: usize = 8;

/// Whether the body is what it has to be, as far as the request says.
pub fn is_of(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok());
    let kind = said.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(wanted) { Ok(()) } else { Err(Problem::Kind(wanted)) }
}

/// The body, which is text of at most `most` bytes.
pub async fn body(body: Body, most: usize) -> Result<String, Problem> {
    let read = timeout(BODY_DEADLINE, axum::body::to_bytes(body, most)).await;
    // What is too long, and what breaks off: the latter reads no response.
    let bytes = read.map_err(|_| Problem::TooSlow)?.map_err(|_| Problem::TooLarge)?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::NoText)
}

/// Who may be the same as the sender, and whether nobody on the way could read what it sent.
pub fn sender(extensions: &Extensions) -> Option<(Name, bool)> {
    let RemoteAddress(address) = *extensions.get::<RemoteAddress>()?;
    let secure = extensions.get::<Secure>().is_some();
    let from = Name::new(one_of(address).to_string()).ok()?;
    Some((from, secure || address.to_canonical().is_loopback()))
}

/// What is shown for a key (RFC 6750 section 2.1).
pub fn credentials(headers: &HeaderMap) -> Credentials {
    let Some(said) = headers.get(header::AUTHORIZATION) else { return Credentials::None };
    let Some((scheme, token)) = said.to_str().ok().and_then(|said| said.split_once(' ')) else {
        return Credentials::Wrong;
    };
    if scheme.eq_ignore_ascii_case("bearer") { Credentials::read(token.trim()) } else { Credentials::None }
}

/// What `If-Match` says (RFC 9110 section 13.1.1). A weak entity-tag never matches.
pub fn matches(headers: &HeaderMap) -> Matches {
    let said: Vec<&str> =
        headers.get_all(header::IF_MATCH).iter().filter_map(|said| said.to_str().ok()).collect();
    if said.is_empty() {
        return Matches::Unsaid;
    }
    let words: Vec<&str> = said.iter().flat_map(|said| said.split(',')).map(str::trim).take(TAGS).collect();
    // Some put the asterisk between quotes, as the draft's own example does.
    if words.iter().any(|word| ["*", "\"*\""].contains(word)) {
        return Matches::Any;
    }
    let strong = words.iter().filter_map(|word| word.strip_prefix('"')?.strip_suffix('"'));
    Matches::OneOf(strong.map(str::to_owned).collect())
}
