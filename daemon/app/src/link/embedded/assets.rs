//! The web viewer's files, carried inside the binary, with the address of the relay where that is somebody else's.
//! Must not know rooms or sockets.

use std::hash::{DefaultHasher, Hash, Hasher};

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

/// The page itself.
const PAGE: &str = "index.html";
/// What the gzipped form of a file is called, beside it.
const PACKED: &str = ".gz";
/// Where the page reads which relay its room is on; empty: the server that it came from.
const RELAY: &str = r#"<meta name="porthole-relay" content="">"#;

/// What the page is told before it has read its link.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The URL of somebody else's relay, with the path of Socket.IO; empty for our own.
    pub relay: String,
}

impl Told {
    /// The page with it. Quotes and brackets, which no URL needs, cannot end the attribute.
    fn write(&self, page: &[u8]) -> Vec<u8> {
        let relay = self.relay.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let told = RELAY.replace("\"\">", &format!("\"{relay}\">"));
        String::from_utf8_lossy(page).replacen(RELAY, &told, 1).into_bytes()
    }
}

/// Answers a request for a file of the viewer; `/` is its `index.html`.
pub async fn serve(told: Told, method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if !matches!(method, Method::GET | Method::HEAD) {
        let mut response =
            in_words(StatusCode::METHOD_NOT_ALLOWED, "This address can only be read (GET or HEAD).");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = match uri.path() {
        "/" => PAGE,
        path => path.trim_start_matches('/'),
    };
    match Viewer::get(path) {
        Some(file) if path == PAGE && !told.relay.is_empty() => {
            let body = told.write(&file.data);
            hand_out(&file, body.into(), &told.relay, &headers)
        }
        Some(file) if !path.ends_with(PACKED) => match Viewer::get(&format!("{path}{PACKED}")) {
            Some(packed) if takes_gzip(&headers) => {
                let mut response = hand_out(&file, packed.data.into(), "", &headers);
                if response.status() == StatusCode::OK {
                    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                response
            }
            _ => hand_out(&file, file.data.clone().into(), "", &headers),
        },
        _ => {
            in_words(StatusCode::NOT_FOUND, "There is no such page here. The camera is at the start page: /")
        }
    }
}

/// Gives `body`, which is the file with what the page is `told`. Files keep their name from one version to the next, so
/// a browser asks each time whether it changed.
fn hand_out(file: &EmbeddedFile, body: Body, told: &str, asked: &HeaderMap) -> Response<Body> {
    // Weak, because the same file may go out compressed.
    let tag: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("W/\"{tag}{}\"", mark(told));
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
        let mut response = Response::new(body);
        let kind = content_type(file.metadata.mimetype());
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    guarded(response)
}

/// Whether a browser understands gzip, which all have said for twenty years; a tool may not.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(header::ACCEPT_ENCODING);
    codings.iter().filter_map(|codings| codings.to_str().ok()).flat_map(|codings| codings.split(',')).any(
        |coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
        },
    )
}

/// Tells one text from another in a tag; empty for none.
fn mark(told: &str) -> String {
    if told.is_empty() {
        return String::new();
    }
    let mut hash = DefaultHasher::new();
    told.hash(&mut hash);
    format!("-{:016x}", hash.finish())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_place_for_the_relay_and_it_is_empty() {
        let page = Viewer::get(PAGE).unwrap();
        assert_eq!(String::from_utf8_lossy(&page.data).matches(RELAY).count(), 1);
    }

    #[test]
    fn what_the_page_is_told_stands_in_its_place_and_cannot_end_it() {
        let written = |relay: &str| {
            let told = Told { relay: relay.to_owned() };
            String::from_utf8(told.write(format!("<head>{RELAY}</head>").as_bytes())).unwrap()
        };
        assert_eq!(
            written("https://relay.example:3000/cam/"),
            r#"<head><meta name="porthole-relay" content="https://relay.example:3000/cam/"></head>"#
        );
        assert_eq!(
            written(r#"http://x/"><script>&"#),
            r#"<head><meta name="porthole-relay" content="http://x/&quot;>&lt;script>&amp;"></head>"#
        );
    }

    #[tokio::test]
    async fn a_page_that_is_told_of_another_relay_is_another_page() {
        let ask = async |relay: &str, path: &'static str| {
            let told = Told { relay: relay.to_owned() };
            serve(told, Method::GET, Uri::from_static(path), HeaderMap::new()).await.headers()["etag"].clone()
        };
        let (ours, theirs) = (ask("", "/").await, ask("http://relay.example/", "/").await);
        assert_ne!(ours, theirs);
        assert_eq!(theirs, ask("http://relay.example/", "/index.html").await);
        assert_ne!(theirs, ask("http://other.example/", "/").await);
        assert_eq!(ask("", "/app.js").await, ask("http://relay.example/", "/app.js").await);
    }

    #[tokio::test]
    async fn a_browser_gets_each_file_gzipped_as_it_was_built_and_a_tool_gets_it_plain() {
        let ask = async |path: &'static str, takes: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(takes) = takes {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(takes));
            }
            let response = serve(Told::default(), Method::GET, Uri::from_static(path), headers).await;
            let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (coding.map(|coding| coding.to_str().unwrap().to_owned()), body)
        };
        for path in ["/", "/app.js", "/app.css", "/tick.js", "/icon.svg"] {
            let (coding, plain) = ask(path, None).await;
            assert_eq!(coding, None, "{path}");
            for takes in ["gzip, deflate, br", "br, GZIP;q=0.5"] {
                let (coding, packed) = ask(path, Some(takes)).await;
                assert_eq!(coding.as_deref(), Some("gzip"), "{path}");
                assert_eq!(unpacked(&packed), plain, "{path}");
            }
            for takes in ["br", "gzip;q=0", "identity", "gzipped"] {
                assert_eq!(ask(path, Some(takes)).await, (None, plain.clone()), "{path} {takes}");
            }
        }
        let (_, missing) = ask("/app.js.gz", Some("gzip")).await;
        assert!(missing.starts_with(b"There is no such page"));
    }

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut plain).unwrap();
        plain
    }
}
