//! What the desk says, as the draft wants it written. Must not know why it is said.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use porthole_core::ice::{Holder, IceSettings};
use porthole_core::ids::RoomName;
use porthole_core::whep::Response as Said;

use super::problem::Problem;
use super::{FRAGMENT, PATH, SDP};
use crate::keys;

/// What lets pages of other origins ask, and read what they are told (Fetch, section "CORS protocol").
pub const FOR_PAGES_OF_OTHERS: [(&str, &str); 2] = [
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, WWW-Authenticate",
    ),
];

/// Nothing, with this status.
pub fn nothing(status: StatusCode, kind: Option<&'static str>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

/// What a browser asks before it lets a page of another origin ask, and what anybody may want to know before.
pub fn preflight(allowed: &'static str, accepts: (HeaderName, &'static str)) -> Response<Body> {
    let mut response = nothing(StatusCode::OK, None);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    headers.insert(accepts.0, HeaderValue::from_static(accepts.1));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(allowed));
    let asked = HeaderValue::from_static("Authorization, Content-Type, If-Match");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Writes down what the desk says.
pub fn write(said: Said, room: &RoomName, ice: &IceSettings) -> Result<Response<Body>, Problem> {
    let (place, tag, answer) = match said {
        Said::Watching { place, tag, answer } => (place, tag, answer),
        Said::Taken => return Ok(nothing(StatusCode::NO_CONTENT, None)),
        Said::Ended => return Ok(nothing(StatusCode::OK, None)),
        Said::Refused(refusal) => return Err(Problem::Refused(refusal)),
        // Nobody asks for one here.
        Said::Picture(_) => return Err(Problem::Unheard),
    };
    let mut response = Response::new(Body::from(answer));
    *response.status_mut() = StatusCode::CREATED;
    let text = |text: String| HeaderValue::from_str(&text).map_err(|_| Problem::Unheard);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(header::LOCATION, text(format!("{PATH}{room}/{}", place.as_str()))?);
    headers.insert(header::ETAG, text(format!("\"{tag}\""))?);
    headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(FRAGMENT));
    for server in ice_servers(ice) {
        headers.append(header::LINK, server);
    }
    Ok(response)
}

/// As players read them (RFC 9725 section 4.6). One that cannot be written in a header is left out.
fn ice_servers(ice: &IceSettings) -> impl Iterator<Item = HeaderValue> {
    ice.servers(Holder::Viewer, keys::now()).into_iter().filter_map(|server| {
        let mut link = format!("<{}>; rel=\"ice-server\"", server.url);
        if let Some(login) = server.credentials {
            let (user, password) = (quoted(&login.username), quoted(&login.password));
            link += &format!("; username={user}; credential={password}; credential-type=\"password\"");
        }
        HeaderValue::from_bytes(link.as_bytes()).ok()
    })
}

/// A quoted-string (RFC 9110 section 5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
