//! The rules of `[publish]`. Must not know how anything is published.

use super::address;
use super::reader::Reader;
use super::settings::{PublishSettings, Token};

/// The environment variable that holds the token.
pub(super) const TOKEN: &str = "PORTHOLE_PUBLISH_TOKEN";
/// Most characters of either.
const LONGEST: usize = 2048;

/// Where the camera is published; `None`: nowhere.
pub(super) fn publish(
    section: &mut Reader<'_, '_>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<PublishSettings> {
    // Somebody may have written the token there, or into the address.
    let whip = section.take_hidden("whip", String::new(), |entry| match entry.text()? {
        "" => Some(String::new()),
        text => is_endpoint(text).then(|| text.to_owned()),
    });
    let written = section.entry("token").map(|entry| entry.secret());
    let token = match written.as_ref().map(|entry| entry.text()) {
        Some(Some(text)) if is_token(text) || text.is_empty() => text.to_owned(),
        Some(_) => {
            section.refuse_secret("token");
            String::new()
        }
        None => String::new(),
    };
    let token = env(TOKEN).filter(|token| is_token(token)).or(Some(token)).filter(|token| !token.is_empty());
    if whip.is_empty() {
        let shown = written.as_ref().and_then(|entry| entry.text()).is_some_and(is_token);
        if shown && section.entry("whip").is_none() {
            section.contradict("whip", "a token needs the address for which it is");
        }
        return None;
    }
    Some(PublishSettings { whip, token: token.map(Token) })
}

/// `http://` or `https://`, host, perhaps a port, and a path that may have a query.
fn is_endpoint(text: &str) -> bool {
    let host = text.find("://").map(|scheme| scheme + 3);
    let Some(host) = host.filter(|_| text.len() <= LONGEST) else { return false };
    let end = text.get(host..).and_then(|rest| rest.find(['/', '?'])).map_or(text.len(), |path| host + path);
    let Some((origin, path)) = text.split_at_checked(end) else { return false };
    address::origin(origin).is_some() && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// What a header may carry (RFC 6750 section 2.1).
fn is_token(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}
