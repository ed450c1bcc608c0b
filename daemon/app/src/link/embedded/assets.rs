//! The web viewer's files, carried inside the binary. Must not know rooms or sockets.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The built web viewer.
#[derive(RustEmbed)]
#[folder = "../../web-viewer/dist"]
struct Viewer;

/// What the page may load and reach. Calls need no permission here; Socket.IO of other relays needs `connect-src`.
/// Home hubs show the page in a frame of their own origin.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; \
     connect-src 'self' ws: wss: http: https:; \
     img-src 'self' data: blob:; \
     media-src 'self' blob: mediastream:; \
     style-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";

/// Said with every answer.
const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
];

/// Answers a request for a file of the viewer; `/` is its `index.html`.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if !matches!(method, Method::GET | Method::HEAD) {
        let mut response =
            in_words(StatusCode::METHOD_NOT_ALLOWED, "This address can only be read (GET or HEAD).");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = match uri.path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    match Viewer::get(path) {
        Some(file) => hand_out(file, &headers),
        None => {
            in_words(StatusCode::NOT_FOUND, "There is no such page here. The camera is at the start page: /")
        }
    }
}

/// Files keep their name from one version to the next, so a browser asks each time whether it changed.
fn hand_out(file: EmbeddedFile, asked: &HeaderMap) -> Response<Body> {
    // Weak, because the same file may go out compressed.
    let tag: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("W/\"{tag}\"");
    let known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|known| {
            known.trim() == "*" || known.trim().trim_start_matches("W/") == tag.trim_start_matches("W/")
        });
    let mut response = if known {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let mut response = Response::new(Body::from(file.data));
        let kind = content_type(file.metadata.mimetype());
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    guarded(response)
}

fn content_type(kind: &str) -> HeaderValue {
    let text = kind.starts_with("text/") || kind.ends_with("javascript") || kind.ends_with("json");
    let kind = if text { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// An answer for a person.
pub fn in_words(status: StatusCode, sentence: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    guarded(response)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// With what is said with every answer.
pub fn guarded(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
