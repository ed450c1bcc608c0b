//! Requests of players as they stand on the wire, and what comes back, with a desk that says what the test wants.
//! One file although it is long: all of it speaks through the one player and the one desk at its end.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use porthole_core::event::LinkEvent;
use porthole_core::ice::{Credentials as Login, IceSettings, TurnLogin, TurnServer};
use porthole_core::whep::{Credentials, Matches, Refusal, Response as Said};
use porthole_core::wire::Reason;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::*;
use crate::link::Events;
use crate::link::embedded::entrance::RemoteAddress;
use crate::link::embedded::tls::Secure;

/// The transcripts that are looked at: what is asked, and exactly what comes back.
const GOLDEN: &str = include_str!("transcript.txt");

#[tokio::test]
async fn a_player_is_answered_as_the_transcript_says() {
    let mut hall = Hall::new(Access::Keys);
    hall.says = Box::new(|asked| match &asked.ask {
        Ask::Watch { .. } if asked.credentials == Credentials::None => Said::Refused(Refusal::NoKey),
        Ask::Watch { .. } if asked.credentials == Credentials::Wrong => {
            Said::Refused(Refusal::Call(Reason::NotAllowed))
        }
        Ask::Watch { .. } => Said::Watching {
            place: Place::new(Name::new("KU5_ET1oCoZ81ba_3DFU5bwFfQ0d5Ju_x36go3O38Sc").unwrap()),
            tag: "ice-7".into(),
            answer: "v=0\r\n(the answer)\r\n".into(),
        },
        Ask::Trickle { matches, .. } => match matches.means("ice-7") {
            Some(true) => Said::Taken,
            Some(false) => Said::Refused(Refusal::OtherMatch),
            None => Said::Refused(Refusal::NoMatch),
        },
        Ask::HangUp { .. } => Said::Ended,
        Ask::Snapshot => panic!("no player asks for that"),
    });
    let mut transcript = String::new();
    for asked in GOLDEN.split("---\n").filter_map(|one| Some(one.split_once("\n<\n")?.0)) {
        let answered = spoken(hall.ask(read(asked)).await).await;
        transcript += &format!("{asked}\n<\n{answered}\n---\n");
    }
    assert_eq!(transcript.trim_end(), GOLDEN.trim_end());
}

#[tokio::test]
async fn every_refusal_has_the_status_that_the_draft_wants() {
    use Refusal as R;
    let mut hall = Hall::new(Access::Keys);
    for (refusal, status, header) in [
        (R::NoKey, 401, Some(("www-authenticate", r#"Bearer realm="porthole""#))),
        (R::Call(Reason::NotAllowed), 401, Some(("www-authenticate", INVALID))),
        (R::Call(Reason::ExpiredKey), 401, Some(("www-authenticate", INVALID))),
        (R::Call(Reason::RevokedKey), 401, Some(("www-authenticate", INVALID))),
        (R::NotPrivate { shown: true }, 403, None),
        (R::NoCall, 404, None),
        (R::Call(Reason::BadOffer), 400, None),
        (R::Call(Reason::TooLarge), 413, None),
        (R::Call(Reason::NoCodec), 422, None),
        (R::Call(Reason::NoBundle), 422, None),
        (R::Call(Reason::TooOften), 429, Some(("retry-after", "10"))),
        (R::Call(Reason::CameraLost), 409, Some(("retry-after", "2"))),
        (R::Call(Reason::Busy), 503, Some(("retry-after", "5"))),
        (R::Call(Reason::ShuttingDown), 503, Some(("retry-after", "5"))),
        (R::Call(Reason::Failed), 500, None),
        (R::NoMatch, 428, None),
        (R::OtherMatch, 412, None),
        (R::Restart, 422, None),
        (R::Unreadable, 400, None),
    ] {
        hall.says = Box::new(move |_| Said::Refused(refusal));
        let response = hall.ask(offer(&[])).await;
        assert_eq!(response.status().as_u16(), status, "{refusal:?}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        if let Some((name, value)) = header {
            assert_eq!(response.headers()[name], value, "{refusal:?}");
        }
        let body: serde_json::Value = serde_json::from_slice(&bytes(response).await).unwrap();
        assert_eq!(body["status"], status);
        assert!(body["detail"].as_str().is_some_and(|text| text.len() > 10), "{body}");
        assert!(body["reason"].as_str().is_some_and(|word| !word.contains(' ')), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_for_the_desk_never_gets_there() {
    let mut hall = Hall::new(Access::Open);
    hall.says = Box::new(|asked| panic!("{asked:?}"));
    let huge = "x".repeat(SDP_BYTES + 1);
    let long = "x".repeat(65);
    for (method, path, kind, body, status) in [
        ("POST", "/whep/cellar", SDP, "v=0", 404),
        ("POST", "/whep/yard", "application/json", "{}", 415),
        ("POST", "/whep/yard", "", "v=0", 415),
        ("POST", "/whep/yard", FRAGMENT, "v=0", 415),
        ("POST", "/whep/yard", SDP, huge.as_str(), 413),
        ("PUT", "/whep/yard", SDP, "v=0", 405),
        ("PATCH", "/whep/yard", FRAGMENT, "a=x", 405),
        ("DELETE", "/whep/yard", SDP, "", 405),
        ("POST", "/whep/yard/abc", SDP, "v=0", 405),
        ("PATCH", "/whep/yard/abc", SDP, "v=0", 415),
        ("PATCH", "/whep/yard/abc", FRAGMENT, &huge[..FRAGMENT_BYTES + 1], 413),
        ("PATCH", "/whep/cellar/abc", FRAGMENT, "a=x", 404),
        ("DELETE", &format!("/whep/yard/{long}"), SDP, "", 404),
        ("DELETE", "/whep/yard/a%20b", SDP, "", 404),
        ("GET", "/whep/yard", SDP, "", 200),
        ("HEAD", "/whep/yard", SDP, "", 200),
        ("GET", "/whep/yard/abc", SDP, "", 204),
        ("OPTIONS", "/whep/yard", SDP, "", 200),
        ("OPTIONS", "/whep/yard/abc", SDP, "", 200),
    ] {
        let request = asked(method, path, &[("content-type", kind)], body.to_owned());
        let response = hall.ask(request).await;
        assert_eq!(response.status().as_u16(), status, "{method} {path} {kind}");
        if status == 405 {
            assert!(response.headers()["allow"].to_str().unwrap().starts_with("OPTIONS, GET, HEAD"));
        }
    }
    let no_text = asked("POST", "/whep/yard", &[("content-type", SDP)], vec![0xff, 0xfe]);
    assert_eq!(hall.ask(no_text).await.status(), 400);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_in_is_not_waited_for() {
    let mut hall = Hall::new(Access::Open);
    hall.says = Box::new(|asked| panic!("{asked:?}"));
    let never = futures_util::stream::pending::<Result<Bytes, Infallible>>();
    let request = asked("POST", "/whep/yard", &[("content-type", SDP)], Body::from_stream(never));
    assert_eq!(hall.ask(request).await.status(), 408);
}

#[tokio::test]
async fn a_request_is_private_over_tls_or_from_this_machine() {
    let mut hall = Hall::new(Access::Keys);
    for (address, secure, from, private) in [
        ("127.0.0.1", false, "127.0.0.1", true),
        ("::1", false, "::1", true),
        ("::ffff:127.0.0.1", false, "127.0.0.1", true),
        ("192.0.2.7", false, "192.0.2.7", false),
        ("192.0.2.7", true, "192.0.2.7", true),
        ("2001:db8::7", false, "2001:db8::", false),
    ] {
        hall.says = Box::new(move |asked| {
            assert_eq!((asked.from.as_str(), asked.private), (from, private), "{address}");
            Said::Refused(Refusal::NoKey)
        });
        let mut request = offer(&[]);
        request.extensions_mut().insert(RemoteAddress(address.parse::<IpAddr>().unwrap()));
        if secure {
            request.extensions_mut().insert(Secure);
        }
        assert_eq!(hall.ask(request).await.status(), 401);
    }
}

#[tokio::test]
async fn what_stands_for_a_key_is_read_and_nothing_else_is_taken_for_one() {
    let key = keys::key(
        porthole_core::access::Label::new("hub").unwrap(),
        porthole_core::access::Role::Watch,
        porthole_core::access::Stamp(1),
        None,
    )
    .unwrap();
    let token = key.token();
    let mut hall = Hall::new(Access::Keys);
    for (said, right) in [
        (format!("Bearer {token}"), Some(true)),
        (format!("bearer  {token}"), Some(true)),
        ("Bearer abc".to_owned(), Some(false)),
        (format!("Bearer {token}x"), Some(false)),
        (token.clone(), Some(false)),
        ("Basic YTpi".to_owned(), None),
    ] {
        let (wanted, text) = (key.clone(), said.clone());
        hall.says = Box::new(move |asked| {
            let read = match &asked.credentials {
                Credentials::Bearer(bearer) => {
                    Some(bearer.key == wanted.id && bearer.secret == wanted.secret)
                }
                Credentials::Wrong => Some(false),
                Credentials::None | Credentials::Signed(_) => None,
            };
            assert_eq!(read, right, "{text}");
            Said::Refused(Refusal::NoKey)
        });
        hall.ask(offer(&[("authorization", said.as_str())])).await;
    }
}

#[tokio::test]
async fn if_match_is_read_as_http_writes_it() {
    let mut hall = Hall::new(Access::Open);
    let of = |tags: &[&str]| Matches::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect());
    for (said, wanted) in [
        (None, Matches::Unsaid),
        (Some("*"), Matches::Any),
        (Some("\"*\""), Matches::Any),
        (Some("\"ice-1\""), of(&["ice-1"])),
        (Some("\"a\", W/\"b\" ,\"c\""), of(&["a", "c"])),
        (Some("ice-1"), of(&[])),
        (Some(""), of(&[])),
    ] {
        hall.says = Box::new(move |asked| {
            let Ask::Trickle { matches, .. } = &asked.ask else { panic!("{asked:?}") };
            assert_eq!(*matches, wanted, "{said:?}");
            Said::Taken
        });
        let mut headers = vec![("content-type", FRAGMENT)];
        headers.extend(said.map(|said| ("if-match", said)));
        let response = hall.ask(asked("PATCH", "/whep/yard/abc", &headers, "a=x".to_owned())).await;
        assert_eq!(response.status(), 204);
    }
}

#[tokio::test]
async fn pages_of_others_may_ask_but_where_only_this_machine_may() {
    for (access, others) in [(Access::Keys, true), (Access::Open, true), (Access::Local, false)] {
        let mut hall = Hall::new(access);
        hall.says = Box::new(|_| Said::Ended);
        let preflight = hall.ask(asked("OPTIONS", "/whep/yard", &[], String::new())).await;
        let headers = preflight.headers();
        assert_eq!(headers.contains_key("access-control-allow-origin"), others);
        assert_eq!(headers["accept-post"], SDP);
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(["Authorization", "Content-Type", "If-Match"].iter().all(|name| allowed.contains(name)));
    }
}

#[tokio::test]
async fn ice_servers_are_told_with_what_opens_them() {
    let mut hall = Hall::new(Access::Open);
    hall.says = Box::new(|_| watching());
    let ice = IceSettings {
        stun: vec!["stun:stun.example:3478".into()],
        turn: vec![TurnServer {
            url: "turn:turn.example?transport=udp".into(),
            login: TurnLogin::Password(Login { username: "cam".into(), password: "a\"b\\c".into() }),
        }],
        ..IceSettings::default()
    };
    let response = hall.with(ice).ask(offer(&[])).await;
    let links: Vec<_> =
        response.headers().get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    assert_eq!(
        links,
        [
            r#"<stun:stun.example:3478>; rel="ice-server""#,
            r#"<turn:turn.example?transport=udp>; rel="ice-server"; username="cam"; credential="a\"b\\c"; credential-type="password""#,
        ]
    );
}

#[tokio::test]
async fn every_call_has_a_place_of_its_own_that_nobody_guesses() {
    let mut hall = Hall::new(Access::Open);
    let (heard, mut places) = mpsc::unbounded_channel();
    hall.says = Box::new(move |asked| {
        let Ask::Watch { place, .. } = &asked.ask else { panic!("{asked:?}") };
        heard.send(place.as_str().to_owned()).unwrap();
        watching()
    });
    for _ in 0..2 {
        hall.ask(offer(&[])).await;
    }
    let (one, other) = (places.recv().await.unwrap(), places.recv().await.unwrap());
    assert_ne!(one, other);
    assert_eq!((one.len(), other.len()), (43, 43), "256 bits");
}

#[tokio::test]
async fn nobody_waits_at_a_window_behind_which_there_is_no_desk() {
    let (desk, inbox) = mpsc::channel(1);
    drop(inbox);
    let window = Window::new(Events { desk });
    let service =
        routes(window.clone(), Name::new("yard").unwrap(), Access::Open, (&IceSettings::default()).into());
    assert_eq!(service.oneshot(offer(&[])).await.unwrap().status(), 503);
    assert_eq!(window.waiting(), 0);
}

#[tokio::test]
async fn a_player_that_goes_away_is_not_waited_for_and_the_window_is_bounded() {
    let (desk, _inbox) = mpsc::channel(1024);
    let window = Window::new(Events { desk });
    let service =
        routes(window.clone(), Name::new("yard").unwrap(), Access::Open, (&IceSettings::default()).into());
    let mut waiting: Vec<_> = (0..100).map(|_| tokio::spawn(service.clone().oneshot(offer(&[])))).collect();
    let turned_away = async {
        while waiting.iter().filter(|one| one.is_finished()).count() < 100 - window::WAITING {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HANG, turned_away).await.expect("some are turned away");
    assert_eq!(window.waiting(), window::WAITING);
    for one in waiting.drain(..) {
        one.abort();
        let _ = one.await;
    }
    assert_eq!(window.waiting(), 0);
}

// ---- parts -----------------------------------------------------------------------------------------------------

const INVALID: &str = r#"Bearer realm="porthole", error="invalid_token""#;
/// Only bounds a hang.
const HANG: Duration = Duration::from_secs(20);

/// What the desk says to a request.
type Says = Box<dyn FnMut(&Asked) -> Said + Send>;

/// The pages for players, and the desk behind the window.
struct Hall {
    access: Access,
    ice: IceSettings,
    says: Says,
}

impl Hall {
    fn new(access: Access) -> Self {
        Self { access, ice: IceSettings::default(), says: Box::new(|asked| panic!("{asked:?}")) }
    }

    fn with(mut self, ice: IceSettings) -> Self {
        self.ice = ice;
        self
    }

    async fn ask(&mut self, request: Request) -> Response<Body> {
        let (desk, mut inbox) = mpsc::channel(4);
        let window = Window::new(Events { desk });
        let room = Name::new("yard").unwrap();
        let service = routes(window.clone(), room, self.access, (&self.ice).into());
        let answering = async {
            while let Some(event) = inbox.recv().await {
                let LinkEvent::Request(asked) = event else { panic!("{event:?}") };
                window.respond(asked.id, (self.says)(&asked));
            }
            unreachable!("the window holds the other end");
        };
        tokio::select! {
            response = service.oneshot(request) => response.unwrap(),
            () = answering => unreachable!(),
        }
    }
}

fn watching() -> Said {
    let place = Place::new(Name::new("place").unwrap());
    Said::Watching { place, tag: "ice-1".into(), answer: "v=0\r\n".into() }
}

fn offer(headers: &[(&str, &str)]) -> Request {
    let headers: Vec<_> = [("content-type", SDP)].into_iter().chain(headers.iter().copied()).collect();
    asked("POST", "/whep/yard", &headers, "v=0".to_owned())
}

fn asked(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body.into()).unwrap();
    request.extensions_mut().insert(RemoteAddress([127, 0, 0, 1].into()));
    request
}

/// A request as it stands in the transcript.
fn read(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    asked(method, path, &headers, body.replace('\n', "\r\n"))
}

/// A response as it stands in the transcript, without what is the same on every page here.
async fn spoken(response: Response<Body>) -> String {
    let same = ["content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy"];
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| !same.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    let status = response.status();
    let body = String::from_utf8(bytes(response).await.to_vec()).unwrap().replace("\r\n", "\n");
    let head = format!("{status}\n{}", lines.join("\n"));
    if body.is_empty() { head } else { format!("{head}\n\n{}", body.trim_end()) }
}

async fn bytes(response: Response<Body>) -> Bytes {
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()
}
