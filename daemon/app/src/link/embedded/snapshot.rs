//! `/snapshot.jpg`: a picture of now, for home hubs and whoever else wants one without a call. Must not decide who gets it,
//! nor know how it is made.
//!
//! Where keys decide, the request shows one as players do (`Authorization: Bearer <id>.<secret>`), or its address is signed with
//! one: `?key=<id>&until=<seconds since 1970>&proof=<proof>`, so that the secret itself does not travel.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri, header};
use axum::routing::any;
use porthole_core::access::{KeyId, Stamp};
use porthole_core::config::settings::Access;
use porthole_core::whep::{Ask, Credentials, Request as Asked, Response as Said, Signed};
use porthole_core::wire::limits::PROOF_BYTES;
use url::form_urlencoded;

use super::assets;
use super::whep::{Problem, Window, request};

/// The address of it.
const PATH: &str = "/snapshot.jpg";
const ALLOWED: &str = "GET, HEAD";

/// What every request is answered with.
#[derive(Clone)]
struct Here {
    window: Window,
    /// Whether pages of other origins may show it. They cannot read it either way.
    pages_of_others: bool,
}

/// The address of the picture.
pub fn routes(window: Window, access: Access) -> Router {
    let pages_of_others = access.admits_pages_of_others();
    Router::new().route(PATH, any(answer)).with_state(Here { window, pages_of_others })
}

async fn answer(State(here): State<Here>, request: Request) -> Response<Body> {
    let (head, _) = request.into_parts();
    let mut response = match head.method {
        Method::GET | Method::HEAD => {
            picture(&here.window, &head).await.unwrap_or_else(Problem::into_response)
        }
        _ => Problem::Method(ALLOWED).into_response(),
    };
    response = assets::guarded(response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !here.pages_of_others {
        let own = HeaderValue::from_static("same-origin");
        headers.insert("cross-origin-resource-policy", own);
    }
    response
}

async fn picture(window: &Window, head: &Parts) -> Result<Response<Body>, Problem> {
    let (from, private) = request::sender(&head.extensions).ok_or(Problem::Unheard)?;
    let credentials = credentials(&head.headers, &head.uri);
    let asked = |id| Asked { id, from, private, credentials, ask: Ask::Snapshot };
    match window.ask(asked).await {
        Some(Said::Picture(jpeg)) => {
            let mut response = Response::new(Body::from(axum::body::Bytes::from_owner(jpeg.0)));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
            Ok(response)
        }
        Some(Said::Refused(refusal)) => Err(Problem::NoPicture(refusal)),
        Some(Said::Watching { .. } | Said::Taken | Said::Ended) | None => Err(Problem::Unheard),
    }
}

/// What is shown for a key: the header, or else the signature in the address.
fn credentials(headers: &HeaderMap, uri: &Uri) -> Credentials {
    let query = uri.query().unwrap_or_default();
    match request::credentials(headers) {
        Credentials::None if !query.is_empty() => signed(query).unwrap_or(Credentials::Wrong),
        shown => shown,
    }
}

/// `None`: something stands there that is no signature of any camera's. Addresses that say nothing of it show nothing.
fn signed(query: &str) -> Option<Credentials> {
    let (mut key, mut until, mut proof) = (None, None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "key" => key = Some(value),
            "until" => until = Some(value),
            "proof" => proof = Some(value),
            // Hubs add a number, so that nothing in between keeps the picture.
            _ => {}
        }
    }
    if key.is_none() && until.is_none() && proof.is_none() {
        return Some(Credentials::None);
    }
    let proof = proof.filter(|proof| proof.len() <= PROOF_BYTES)?.into_owned();
    let until = Stamp(until?.parse().ok()?);
    Some(Credentials::Signed(Signed { key: KeyId::new(&key?).ok()?, until, proof }))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use porthole_core::event::LinkEvent;
    use porthole_core::whep::{Jpeg, Refusal};
    use porthole_core::wire::Reason;
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    use super::super::entrance::RemoteAddress;
    use super::super::tls::Secure;
    use super::*;
    use crate::link::Events;

    const PROOF: &str = "rvpnLKOk4-Lb1JD7l6VEK80IqR9syBWHbVJqWHCLnqA";

    #[tokio::test]
    async fn a_picture_is_handed_out_as_such_and_kept_by_nobody() {
        let (response, asked) =
            ask(Access::Keys, get("/snapshot.jpg"), Said::Picture(Jpeg([1, 2, 3].into()))).await;
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(!response.headers().contains_key("cross-origin-resource-policy"));
        assert_eq!(&axum::body::to_bytes(response.into_body(), 9).await.unwrap()[..], [1, 2, 3]);
        let asked = asked.unwrap();
        assert_eq!((asked.ask, asked.credentials, asked.private), (Ask::Snapshot, Credentials::None, false));
        assert_eq!(asked.from.as_str(), "192.0.2.7");
        let (response, _) = ask(Access::Local, get("/snapshot.jpg"), Said::Picture(Jpeg([1].into()))).await;
        assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin");
    }

    #[tokio::test]
    async fn what_is_refused_says_why_in_its_status_and_in_words() {
        for (refusal, status, word) in [
            (Refusal::NoKey, 401, "not-allowed"),
            (Refusal::NotPrivate { shown: true }, 403, "not-private"),
            (Refusal::Private, 403, "privacy"),
            (Refusal::Stale, 403, "stale"),
            (Refusal::Call(Reason::CameraLost), 409, "camera-lost"),
            (Refusal::Call(Reason::TooOften), 429, "too-often"),
            (Refusal::Call(Reason::Failed), 500, "failed"),
            (Refusal::Call(Reason::Busy), 503, "busy"),
            (Refusal::Call(Reason::ShuttingDown), 503, "shutting-down"),
        ] {
            let (response, _) = ask(Access::Keys, get("/snapshot.jpg"), Said::Refused(refusal)).await;
            assert_eq!(response.status(), status, "{refusal:?}");
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["reason"], word);
            let text = body["detail"].as_str().unwrap();
            assert!(!text.contains("offer") && !text.contains("call"), "nobody has called: {text}");
            if status == 429 {
                assert!(text.contains("too many pictures"), "{text}");
            }
        }
        let post = Request::builder().method("POST").uri(PATH).body(Body::empty()).unwrap();
        let (response, asked) = ask(Access::Keys, post, Said::Ended).await;
        assert_eq!((response.status().as_u16(), asked.is_none()), (405, true));
        assert_eq!(response.headers()["allow"], ALLOWED);
    }

    #[tokio::test]
    async fn a_key_is_shown_in_a_header_or_by_a_signed_address() {
        let shown = async |request| ask(Access::Keys, request, Said::Ended).await.1.unwrap().credentials;
        let link = format!("{PATH}?key=k%3A1&until=1800000000&proof={PROOF}&_=17");
        let signed =
            Signed { key: KeyId::new("k:1").unwrap(), until: Stamp(1_800_000_000), proof: PROOF.into() };
        assert_eq!(shown(get(&link)).await, Credentials::Signed(signed));
        assert_eq!(shown(get(&format!("{PATH}?_=17"))).await, Credentials::None);
        let bearer = format!("k1.{}", "A".repeat(43));
        let both = Request::builder().uri(&link).header("authorization", format!("Bearer {bearer}"));
        assert!(matches!(shown(both.body(Body::empty()).unwrap()).await, Credentials::Bearer(_)));
        let long = "x".repeat(PROOF_BYTES + 1);
        for query in [
            "key=k1".to_owned(),
            format!("key=k1&proof={PROOF}"),
            format!("until=1&proof={PROOF}"),
            format!("key=k1&until=-1&proof={PROOF}"),
            format!("key=k1&until=now&proof={PROOF}"),
            format!("key=k1&until=99999999999999999999&proof={PROOF}"),
            format!("key=k.1&until=1&proof={PROOF}"),
            format!("key=&until=1&proof={PROOF}"),
            format!("key=k1&until=1&proof={long}"),
        ] {
            assert_eq!(shown(get(&format!("{PATH}?{query}"))).await, Credentials::Wrong, "{query}");
        }
    }

    #[tokio::test]
    async fn what_nobody_reads_along_is_told_from_what_anybody_may() {
        for (from, secure, private) in
            [("192.0.2.7", true, true), ("192.0.2.7", false, false), ("127.0.0.1", false, true)]
        {
            let mut request =
                Request::builder().uri(PATH).extension(RemoteAddress(from.parse::<IpAddr>().unwrap()));
            if secure {
                request = request.extension(Secure);
            }
            let asked = ask(Access::Keys, request.body(Body::empty()).unwrap(), Said::Ended).await.1;
            assert_eq!(asked.unwrap().private, private, "{from}");
        }
    }

    fn get(uri: &str) -> Request {
        Request::builder().uri(uri).body(Body::empty()).unwrap()
    }

    /// What comes back, and what the desk was asked.
    async fn ask(access: Access, mut request: Request, says: Said) -> (Response<Body>, Option<Asked>) {
        let (events, mut desk) = mpsc::channel(4);
        let window = Window::new(Events { desk: events });
        let router = routes(window.clone(), access);
        if request.extensions().get::<RemoteAddress>().is_none() {
            request.extensions_mut().insert(RemoteAddress("192.0.2.7".parse().unwrap()));
        }
        let mut responding = std::pin::pin!(router.oneshot(request));
        let mut heard = None;
        let response = loop {
            tokio::select! {
                response = &mut responding => break response.unwrap(),
                Some(LinkEvent::Request(asked)) = desk.recv() => {
                    window.respond(asked.id, says.clone());
                    heard = Some(asked);
                }
            }
        };
        (response, heard)
    }
}
