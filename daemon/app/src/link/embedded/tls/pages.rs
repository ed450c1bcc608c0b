//! What browsers are told about https here: where it is, whom to trust, and to go there. Must not know how it is spoken.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::Authority as HostAndPort;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::routing::get;
use porthole_core::config::settings::RelaySettings;
use rustls::pki_types::CertificateDer;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::link::embedded::assets;
use crate::link::embedded::entrance::RemoteAddress;

/// The authority's certificate as phones want it (DER), and as programs do (PEM). Also there where http is sent on.
const FOR_PHONES: &str = "/ca.crt";
const FOR_PROGRAMS: &str = "/ca.pem";
/// What the page wants to know.
const FOR_PAGE: &str = "/https.json";

/// A request came over TLS; travels in it.
#[derive(Debug, Clone, Copy)]
pub struct Secure;

/// What there is to be known.
#[derive(Debug, Clone)]
pub struct About(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The configured link, where that is https.
    link: Option<String>,
    port: u16,
    redirect: bool,
    /// DER, where it is an authority of our own.
    authority: Option<CertificateDer<'static>>,
    fingerprint: Option<String>,
}

impl About {
    /// Of https on `port`, with a certificate that this authority has signed.
    pub fn new(settings: &RelaySettings, port: u16, authority: Option<&CertificateDer<'static>>) -> Self {
        let link = Some(settings.link.clone()).filter(|link| link.starts_with("https://"));
        let fingerprint = authority.map(|certificate| fingerprint(certificate));
        let (redirect, authority) = (settings.tls.redirect, authority.cloned());
        Self(Arc::new(Known { link, port, redirect, authority, fingerprint }))
    }

    /// SHA-256 of the authority's certificate (DER), as phones show it: `AB:CD:…`.
    pub fn fingerprint(&self) -> Option<&str> {
        self.0.fingerprint.as_deref()
    }

    /// Whether http is sent on to https.
    pub fn redirects(&self) -> bool {
        self.0.redirect
    }

    /// Where https is for somebody who came to http under `Host`.
    fn origin(&self, headers: &HeaderMap) -> Option<String> {
        if let Some(link) = &self.0.link {
            return Some(link.clone());
        }
        let host = headers.get(header::HOST)?.to_str().ok()?.parse::<HostAndPort>().ok()?;
        if host.as_str().contains('@') || host.host().is_empty() {
            return None;
        }
        let port = match host.port_u16() {
            Some(port) => Some(port),
            // The port of http in an address that does not say so; unless something between us has another.
            None => Some(80).filter(|port| *port == self.0.port),
        };
        Some(match port {
            Some(port) => format!("https://{}:{port}", host.host()),
            None => format!("https://{}", host.host()),
        })
    }
}

/// The pages about https.
pub fn routes(about: About) -> Router {
    let mut router = Router::new().route(
        FOR_PAGE,
        get({
            let about = about.clone();
            async move |headers: HeaderMap| {
                let known = json!({ "origin": about.origin(&headers), "fingerprint": about.fingerprint() });
                served("application/json", known.to_string().into_bytes())
            }
        }),
    );
    if let Some(authority) = &about.0.authority {
        let (der, pem) = (authority.to_vec(), pem(authority));
        router = router
            .route(FOR_PHONES, get(async move || served("application/x-x509-ca-cert", der.clone())))
            .route(FOR_PROGRAMS, get(async move || served("application/x-pem-file", pem.clone())));
    }
    router
}

/// Sends http from other machines on to https; the path stays. (What stands behind the `#` never leaves the browser,
/// which keeps it.) Whoever comes from this machine needs no https, and may be a proxy that speaks it for us.
pub async fn redirect(State(about): State<About>, request: Request, next: Next) -> Response<Body> {
    let near =
        request.extensions().get::<RemoteAddress>().is_some_and(|from| from.0.to_canonical().is_loopback());
    let secure = request.extensions().get::<Secure>().is_some();
    let always = match request.uri().path() {
        FOR_PHONES | FOR_PROGRAMS => true,
        // A key that has come in the clear is refused there, and not quietly sent on for the next time.
        path if path.starts_with("/whep/") || path == "/snapshot.jpg" => {
            request.headers().contains_key(header::AUTHORIZATION)
        }
        _ => false,
    };
    if near || secure || always {
        return next.run(request).await;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = about.origin(request.headers()).and_then(|origin| {
        // `//elsewhere` would be another host.
        HeaderValue::try_from(format!("{origin}/{}", path.trim_start_matches('/'))).ok()
    });
    let Some(target) = target else {
        return assets::in_words(StatusCode::BAD_REQUEST, "This page is only there over https.");
    };
    let mut response =
        assets::in_words(StatusCode::PERMANENT_REDIRECT, "This page is only there over https.");
    response.headers_mut().insert(header::LOCATION, target);
    // Or a browser would go there still when this is switched off again.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn served(kind: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = assets::guarded(Response::new(Body::from(bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn fingerprint(certificate: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// RFC 7468.
fn pem(certificate: &[u8]) -> Vec<u8> {
    pem::encode(&pem::Pem::new("CERTIFICATE", certificate)).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::Method;
    use axum::middleware;
    use porthole_core::config::settings::{TlsSettings, TlsSource};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn http_from_elsewhere_is_sent_on_with_its_path_and_its_method() {
        for (host, port, path, target) in [
            ("192.168.1.20:8080", 8080, "/", "https://192.168.1.20:8080/"),
            ("cam.local", 80, "/app.js?x=1", "https://cam.local:80/app.js?x=1"),
            ("cam.example", 8080, "/socket.io/?EIO=4", "https://cam.example/socket.io/?EIO=4"),
            ("[2001:db8::7]:8080", 8080, "/healthz", "https://[2001:db8::7]:8080/healthz"),
            ("cam.local:8080", 8080, "//evil.example/x", "https://cam.local:8080/evil.example/x"),
        ] {
            for method in [Method::GET, Method::POST] {
                let answer = ask(&about("", port, true), method, path, host, "192.168.1.99", false).await;
                assert_eq!((answer.0, answer.1.as_deref()), (308, Some(target)), "{host} {path}");
            }
        }
    }

    #[tokio::test]
    async fn the_configured_link_is_where_http_is_sent_on_to_if_that_is_https() {
        let to = async |link| {
            ask(&about(link, 8080, true), Method::GET, "/a", "10.0.0.1:8080", "10.0.0.2", false).await.1
        };
        assert_eq!(to("https://cam.example").await.as_deref(), Some("https://cam.example/a"));
        assert_eq!(to("http://cam.example").await.as_deref(), Some("https://10.0.0.1:8080/a"));
    }

    #[tokio::test]
    async fn https_this_machine_and_the_certificate_itself_are_not_sent_on() {
        let about = about("", 8080, true);
        let status =
            async |path, from, secure| ask(&about, Method::GET, path, "10.0.0.1:8080", from, secure).await.0;
        assert_eq!(status("/", "10.0.0.2", true).await, 204);
        for near in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(status("/", near, false).await, 204, "{near}");
        }
        for path in ["/ca.crt", "/ca.pem"] {
            assert_eq!(status(path, "10.0.0.2", false).await, 200, "{path}");
        }
        assert_eq!(status("/https.json", "10.0.0.2", false).await, 308);
    }

    #[tokio::test]
    async fn a_host_that_can_be_none_is_not_repeated() {
        for host in ["", "a b", "user@evil.example", "evil.example/path", ":80", "a\\b"] {
            let answer = ask(&about("", 80, true), Method::GET, "/", host, "10.0.0.2", false).await;
            assert_eq!((answer.0, answer.1), (400, None), "{host}");
        }
    }

    #[tokio::test]
    async fn where_http_stays_the_page_is_told_where_https_is() {
        let about = about("", 8080, false);
        assert!(!about.redirects());
        let (status, _, body) =
            ask(&about, Method::GET, "/https.json", "cam.local:8080", "10.0.0.2", false).await;
        let fingerprint = about.fingerprint().unwrap();
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!(told, json!({ "origin": "https://cam.local:8080", "fingerprint": fingerprint }));
    }

    fn about(link: &str, port: u16, redirect: bool) -> About {
        let tls = TlsSettings { source: TlsSource::Off, redirect };
        let settings = RelaySettings { link: link.into(), tls, ..RelaySettings::default() };
        About::new(&settings, port, Some(&CertificateDer::from(vec![1, 2, 3])))
    }

    /// Status, target and body; 204 is whatever lies behind.
    async fn ask(
        about: &About,
        method: Method,
        path: &str,
        host: &str,
        from: &str,
        secure: bool,
    ) -> (u16, Option<String>, Vec<u8>) {
        let sent_on = Some(about.clone()).filter(About::redirects);
        let sent_on = sent_on.map(|about| middleware::from_fn_with_state(about, redirect));
        let router = routes(about.clone())
            .fallback(async || StatusCode::NO_CONTENT)
            .layer(tower::util::option_layer(sent_on));
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        request = request.extension(RemoteAddress(from.parse::<IpAddr>().unwrap()));
        if secure {
            request = request.extension(Secure);
        }
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let target = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        (status, target, axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap().to_vec())
    }
}
