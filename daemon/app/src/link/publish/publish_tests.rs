//! Errands to a server that says what the test wants, over real connections.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use porthole_core::config::settings::Token;
use porthole_core::wire::limits::SDP_BYTES;
use tokio::net::TcpListener;

use super::*;

/// Only bounds a hang.
const HANG: Duration = Duration::from_secs(30);
const CALL: CallId = CallId(7);

#[tokio::test]
async fn an_offer_is_taken_where_it_is_sent_on_to_and_forgotten_there() {
    let server = Server::new(|path| match path {
        "/whip/yard" => said(307, &[("location", "/elsewhere?x=1")], ""),
        "/elsewhere?x=1" => said(201, &[("location", "calls/1"), ("content-type", SDP)], "v=0 answer"),
        _ => said(200, &[], ""),
    })
    .await;
    let mut crowd = Crowd::of(&server).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0 offer".into() });
    assert_eq!(crowd.word().await, Word::Taken { call: CALL, sdp: "v=0 answer".into() });
    crowd.publisher.run(Errand::Forget { call: CALL });
    crowd.publisher.run(Errand::Forget { call: CALL });
    crowd.publisher.close().await;
    let token = Some("Bearer secret".to_owned());
    assert_eq!(
        server.heard(),
        [
            ("POST".into(), "/whip/yard".into(), token.clone(), "v=0 offer".into()),
            ("POST".into(), "/elsewhere?x=1".into(), token.clone(), "v=0 offer".into()),
            ("DELETE".into(), "/calls/1".into(), token, String::new()),
        ]
    );
}

#[tokio::test]
async fn the_token_is_not_for_another_server_in_the_clear() {
    let other = Server::new(|_| said(401, &[], "")).await;
    let place = other.url("/whip");
    let server = Server::new(move |_| said(308, &[("location", place.as_str())], "")).await;
    let mut crowd = Crowd::of(&server).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
    assert!(crowd.failed().await.0.contains("`token`"));
    let [(_, _, token, body)] = &other.heard()[..] else { panic!("{:?}", other.heard()) };
    assert_eq!((token, body.as_str()), (&None, "v=0"));
}

#[tokio::test]
async fn nor_is_it_where_an_answer_points_to_another_server_in_the_clear() {
    let other = Server::new(|_| said(200, &[], "")).await;
    let place = other.url("/calls/1");
    let server =
        Server::new(move |_| said(201, &[("content-type", SDP), ("location", place.as_str())], "v=0 answer"))
            .await;
    let mut crowd = Crowd::of(&server).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
    assert_eq!(crowd.word().await, Word::Taken { call: CALL, sdp: "v=0 answer".into() });
    crowd.publisher.run(Errand::Forget { call: CALL });
    crowd.publisher.close().await;
    assert_eq!(other.heard(), [("DELETE".into(), "/calls/1".into(), None, String::new())]);
}

#[tokio::test]
async fn a_call_whose_answer_is_of_no_use_is_ended_at_the_server() {
    let server =
        Server::new(|_| said(201, &[("content-type", "text/html"), ("location", "/calls/1")], "hello")).await;
    let mut crowd = Crowd::of(&server).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
    assert!(crowd.failed().await.0.contains("a WHIP address"));
    let heard: Vec<_> = server.heard().into_iter().map(|(method, path, ..)| (method, path)).collect();
    assert_eq!(heard, [("POST".into(), "/whip/yard".into()), ("DELETE".into(), "/calls/1".to_owned())]);
}

#[tokio::test]
async fn what_is_no_answer_is_said_with_what_to_do() {
    let huge = "x".repeat(SDP_BYTES + 1);
    for (status, headers, body, words, after) in [
        (401, vec![], "", "`token` in [publish]", None),
        (404, vec![], "", "correct `whip`", None),
        (409, vec![("retry-after", "3")], "", "somebody is published there already", Some(3)),
        (503, vec![("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], "", "trouble of its own", None),
        (302, vec![("location", "/x")], "", "302", None),
        (307, vec![], "", "to nowhere", None),
        (307, vec![("location", "/whip/yard")], "", "in circles", None),
        (307, vec![("location", "ftp://x/")], "", "to nowhere", None),
        (200, vec![("content-type", SDP)], "v=0", "200", None),
        (201, vec![("content-type", "text/html")], "v=0", "is `whip` in [publish] a WHIP address", None),
        (201, vec![("content-type", SDP)], huge.as_str(), "a WHIP address", None),
    ] {
        let (told, text) = (headers.clone(), body.to_owned());
        let server = Server::new(move |_| said(status, &told, &text)).await;
        let mut crowd = Crowd::of(&server).await;
        crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
        let (reason, again) = crowd.failed().await;
        assert!(reason.contains(words), "{status}: {reason}");
        assert_eq!(again, after.map(Duration::from_secs), "{status}");
        assert!(!reason.contains("secret") && !reason.contains("/whip/yard"), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_speaks_no_tls_is_told_apart() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut crowd = Crowd::at(format!("http://{nobody}/whip")).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
    assert!(crowd.failed().await.0.contains("is not reached"));
    let server = Server::new(|_| said(201, &[], "")).await;
    let mut crowd = Crowd::at(server.url("/whip").replace("http://", "https://")).await;
    crowd.publisher.run(Errand::Offer { call: CALL, sdp: "v=0".into() });
    let reason = crowd.failed().await.0;
    assert!(reason.contains("no secure connection"), "{reason}");
}

#[tokio::test]
async fn whoever_only_wants_to_know_offers_nothing_and_hears_of_a_token_that_is_not_known() {
    for (status, reached) in [(204, true), (404, true), (405, true), (401, false), (403, false)] {
        let server = Server::new(move |_| said(status, &[], "")).await;
        let settings =
            PublishSettings { whip: server.url("/whip/yard"), token: Some(Token("secret".into())) };
        let outcome = attempt(&settings).await;
        assert_eq!(outcome.is_ok(), reached, "{status}: {outcome:?}");
        assert!(outcome.err().is_none_or(|why| why.contains("`token`")), "{status}");
        let token = Some("Bearer secret".to_owned());
        assert_eq!(server.heard(), [("OPTIONS".into(), "/whip/yard".into(), token, String::new())]);
    }
}

// ---- parts -----------------------------------------------------------------------------------------------------

const SDP: &str = "application/sdp";

/// Method, path, what stands behind `Authorization`, body.
type Heard = (String, String, Option<String>, String);

/// A publisher, and the desk's end of it.
struct Crowd {
    publisher: Publisher,
    events: mpsc::Receiver<LinkEvent>,
}

impl Crowd {
    async fn of(server: &Server) -> Self {
        Self::at(server.url("/whip/yard")).await
    }

    async fn at(whip: String) -> Self {
        let (desk, events) = mpsc::channel(8);
        let settings = PublishSettings { whip, token: Some(Token("secret".into())) };
        let publisher = Publisher::start(settings, Events { desk });
        let mut crowd = Self { publisher, events };
        assert!(matches!(crowd.word().await, Word::Ready { chance } if (0.0..1.0).contains(&chance)));
        crowd
    }

    async fn word(&mut self) -> Word {
        match tokio::time::timeout(HANG, self.events.recv()).await.expect("a word") {
            Some(LinkEvent::Published(word)) => word,
            other => panic!("{other:?}"),
        }
    }

    async fn failed(&mut self) -> (String, Option<Duration>) {
        match self.word().await {
            Word::Failed { call: CALL, reason, after, .. } => (reason, after),
            other => panic!("{other:?}"),
        }
    }
}

/// A server that says what it is made to say, and remembers what it was asked.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    async fn new(says: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let book = heard.clone();
        let answer = async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let path = head.uri.path_and_query().unwrap().to_string();
            let text = |headers: &HeaderMap, name| Some(headers.get(name)?.to_str().ok()?.to_owned());
            let response = says(&path);
            let token = text(&head.headers, "authorization");
            let body = String::from_utf8(body.to_vec()).unwrap();
            book.lock().unwrap().push((head.method.to_string(), path, token, body));
            response
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer);
        tokio::spawn(serve(listener, router));
        Self { port, heard }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let router = router.clone();
        tokio::spawn(async move {
            let service =
                hyper::service::service_fn(move |request: axum::http::Request<hyper::body::Incoming>| {
                    tower::Service::call(&mut router.clone(), request)
                });
            let stream = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
        });
    }
}

fn said(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}
