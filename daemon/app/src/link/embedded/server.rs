//! http, https and, where the relay is our own, Socket.IO on one port: takes connections in, has them looked at by the guard,
//! and hands what they say to the relay's task. Must not know the room.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use log::{debug, warn};
use porthole_core::config::settings::Metrics;
use porthole_core::status::Status;
use porthole_core::whep::Refusal;
use porthole_core::wire::{Reason, limits};
use serde::Serialize;
use socketioxide::SocketIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower::Layer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

use super::assets::Told;
use super::connection::{self, Reception, Seated};
use super::door::Door;
use super::entrance::RemoteAddress;
use super::entrance::{self, Entrance};
use super::figures::Figures;
use super::guard::Pages;
use super::handshakes::Handshakes;
use super::tls::{self, Tls};
use super::{assets, health, metrics, whep};

/// How long a request that brings something may take: the sender's time, as nothing here takes long.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// Most packets of Engine.IO in one request, and what is between them.
const PACKETS: usize = 128;
const RECORD_SEPARATOR: u8 = 0x1e;
/// Connections beside those of sockets: page, assets, polling.
const SPARE_CONNECTIONS: usize = 64;
/// Most connections, and most sockets, from one address that is not loopback.
pub const PER_ADDRESS: usize = 32;
/// How long sockets, and then other connections, may take to finish at the end.
const GOODBYE: Duration = Duration::from_millis(250);
/// How long to wait when the machine has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What is shown of ourselves.
pub struct Shown<F> {
    /// Of the relay, or of the link to somebody else's.
    pub figures: watch::Receiver<F>,
    /// Of the camera, where there is one.
    pub status: Option<watch::Receiver<Status>>,
    /// To whom `/metrics` shows them.
    pub metrics: Metrics,
}

/// What becomes a running server.
pub struct Server {
    listener: TcpListener,
    router: Router,
    pages: Pages,
    io: Option<SocketIo>,
    connections: Door,
    tls: Option<Tls>,
}

/// A running server.
pub struct Serving {
    io: Option<SocketIo>,
    stop: watch::Sender<()>,
    accepting: JoinHandle<()>,
    /// Keeps the certificate a good one.
    keeping: Option<JoinHandle<()>>,
}

impl Server {
    /// Page, `/healthz`, `/metrics` and Socket.IO; nothing is taken in before [`Server::start`].
    pub fn new(
        listener: TcpListener,
        pages: Pages,
        max_sockets: usize,
        entrance: Entrance,
        shown: Shown<Figures>,
        tls: Option<Tls>,
    ) -> Self {
        let (layer, io) = entrance::socket_io(entrance);
        // Around the whole, once: a layer of a router is applied to each of its routes (and to a fallback even for each
        // request), and every application would be a Socket.IO server of its own that knows nothing of the others'
        // peers.
        let files = files(Told::default(), shown, &tls);
        let router = Router::new().fallback_service(layer.layer(files));
        let connections = Door::new(max_sockets + SPARE_CONNECTIONS, PER_ADDRESS);
        Self::over(listener, router, pages, Some(io), (connections, tls))
    }

    /// Page, `/healthz` and `/metrics` only, for a room in somebody else's relay, which the page is `told`.
    pub fn without_relay<F: metrics::Figures + Serialize>(
        listener: TcpListener,
        pages: Pages,
        told: Told,
        shown: Shown<F>,
        tls: Option<Tls>,
    ) -> Self {
        let router = files(told, shown, &tls);
        Self::over(listener, router, pages, None, (Door::new(SPARE_CONNECTIONS, PER_ADDRESS), tls))
    }

    fn over(
        listener: TcpListener,
        router: Router,
        pages: Pages,
        io: Option<SocketIo>,
        (connections, tls): (Door, Option<Tls>),
    ) -> Self {
        let strangers = pages.any().then(|| CorsLayer::new().allow_origin(Any));
        let router = router.layer(tower::util::option_layer(strangers));
        Self { listener, router, pages, io, connections, tls }
    }

    /// The same beside what players ask for, which says by itself what pages of others may do with it.
    pub fn with_players(mut self, players: Option<Router>) -> Self {
        self.router = self.router.merge(players.unwrap_or_default());
        self
    }

    /// What answers requests.
    pub fn router(&self) -> Router {
        guarded(self.router.clone(), self.pages.clone(), &self.tls)
    }

    /// Takes connections in until stopped.
    pub fn start(self) -> Serving {
        let router = self.router();
        let Self { listener, io, connections, tls, .. } = self;
        let (speaker, keeper) = tls.map(|tls| (tls.speaker, tls.keeper)).unzip();
        let (stop, stopped) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, Reception { router, speaker, stopped }, connections));
        let keeping = keeper.map(|keeper| tokio::spawn(keeper.keep()));
        Serving { io, stop, accepting, keeping }
    }
}

impl Serving {
    /// Flushes and closes every socket, lets requests under way finish, and cuts whoever takes too long.
    pub async fn stop(&mut self) {
        let _ = self.stop.send(());
        if let Some(io) = &self.io
            && tokio::time::timeout(GOODBYE, io.close()).await.is_err()
        {
            debug!("a socket did not take its good-bye and is cut");
        }
        if tokio::time::timeout(2 * GOODBYE, &mut self.accepting).await.is_err() {
            self.accepting.abort();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.accepting.abort();
        self.keeping.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, mut reception: Reception, door: Door) {
    let mut connections = JoinSet::new();
    let mut troubled = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = reception.stopped.changed() => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                troubled = false;
                let Some(seat) = door.enter(from.ip()) else {
                    debug!("{from} is turned away: too many connections");
                    continue;
                };
                connections.spawn(connection::serve(Seated::new(stream, seat), from, reception.clone()));
            }
            Err(error) => {
                if !troubled {
                    warn!("cannot take connections in for now: {error}");
                }
                troubled = true;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GOODBYE, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

fn files<F: metrics::Figures + Serialize>(told: Told, shown: Shown<F>, tls: &Option<Tls>) -> Router {
    let Shown { figures, status, metrics } = shown;
    let about_tls = tls.as_ref().map(|tls| tls::routes(tls.about.clone())).unwrap_or_default();
    let metrics = metrics::routes(metrics, figures.clone(), status.clone()).unwrap_or_default();
    let healthz = get(async move || {
        let figures = figures.borrow().clone();
        health::answer(status.as_ref(), figures)
    });
    let file = move |method, uri, headers| assets::serve(told.clone(), method, uri, headers);
    Router::new()
        .route("/healthz", healthz)
        .merge(about_tls)
        .merge(metrics)
        .method_not_allowed_fallback(file.clone())
        .fallback(file)
        .layer(CompressionLayer::new())
}

fn guarded(router: Router, pages: Pages, tls: &Option<Tls>) -> Router {
    let handshakes = Arc::new(Mutex::new(Handshakes::new(Instant::now())));
    let redirects = tls.as_ref().map(|tls| &tls.about).filter(|about| about.redirects());
    let redirect = redirects.map(|about| middleware::from_fn_with_state(about.clone(), tls::redirect));
    router
        .layer(tower::util::option_layer(redirect))
        .layer(middleware::from_fn_with_state((pages, handshakes), judge))
}

async fn judge(
    State((pages, handshakes)): State<(Pages, Arc<Mutex<Handshakes>>)>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(reason) = pages.judge(request.headers()) {
        debug!("request refused: {reason}");
        return assets::in_words(StatusCode::FORBIDDEN, &format!("Refused: {reason}."));
    }
    let (path, posts) = (request.uri().path(), request.method() == Method::POST);
    let plays = path.starts_with(whep::PATH);
    let opens = (plays && posts)
        || path.starts_with("/socket.io")
            && !request.uri().query().unwrap_or_default().split('&').any(|part| part.starts_with("sid="));
    let of_others = pages.of_others();
    let from = request.extensions().get::<RemoteAddress>().map(|from| from.0);
    if opens && !handshakes.lock().unwrap_or_else(PoisonError::into_inner).take(from, Instant::now()) {
        let refusal = Refusal::Call(Reason::TooOften);
        return if plays {
            whep::unasked(whep::Problem::Refused(refusal), of_others)
        } else {
            assets::in_words(StatusCode::TOO_MANY_REQUESTS, "Too many connections at once; try again.")
        };
    }
    // Reading may wait for news (long polling), writing may not: a body that trickles in would hold its seat for ever.
    // A player waits for its call to be answered, and only its body has that long.
    let patience = if posts && !plays { BODY_DEADLINE } else { Duration::MAX };
    let answer = async {
        match if posts && !plays { few_packets(request).await } else { Ok(request) } {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal,
        }
    };
    tokio::time::timeout(patience, answer).await.unwrap_or_else(|_| {
        assets::in_words(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.")
    })
}

/// What is posted, if it is not too long and does not have too many packets of Engine.IO in it: all of them are unpacked at
/// once, and an empty one costs as much as another.
async fn few_packets(request: Request) -> Result<Request, Response> {
    let too_much = || {
        let text = format!("At most {} bytes and {PACKETS} packets at once.", limits::MESSAGE_BYTES);
        assets::in_words(StatusCode::PAYLOAD_TOO_LARGE, &text)
    };
    let (head, body) = request.into_parts();
    let body = to_bytes(body, limits::MESSAGE_BYTES).await.map_err(|_| too_much())?;
    if body.iter().filter(|byte| **byte == RECORD_SEPARATOR).count() >= PACKETS {
        return Err(too_much());
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

#[cfg(test)]
mod tests {
    use porthole_core::config::settings::Access;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_request_has_not_too_many_packets_in_it() {
        let router = guarded(Router::new().fallback(async || "heard"), Pages::new(Access::Keys, ""), &None);
        let too_many = StatusCode::PAYLOAD_TOO_LARGE;
        for (packets, expected) in [(1, StatusCode::OK), (PACKETS, StatusCode::OK), (PACKETS + 1, too_many)] {
            let body = Body::from(vec!["40"; packets].join("\u{1e}"));
            let request = Request::post("/socket.io/?EIO=4&transport=polling&sid=x").body(body);
            let answer = router.clone().oneshot(request.unwrap_or_default()).await;
            assert_eq!(answer.map(|answer| answer.status()), Ok(expected), "{packets}");
        }
    }

    #[tokio::test]
    async fn a_player_that_begins_all_the_time_is_told_as_players_are_and_when_to_come_again() {
        let router = guarded(Router::new().fallback(async || "asked"), Pages::new(Access::Keys, ""), &None);
        let ask = async || {
            let mut request = Request::post("/whep/yard").body(Body::empty()).unwrap_or_default();
            request.extensions_mut().insert(RemoteAddress([192, 0, 2, 7].into()));
            match router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        };
        let mut refused = None;
        for _ in 0..1000 {
            let response = ask().await;
            if response.status() != StatusCode::OK {
                refused = Some(response);
                break;
            }
        }
        let refused = refused.map(Response::into_parts).map(|(head, _)| head);
        assert_eq!(refused.as_ref().map(|head| head.status), Some(StatusCode::TOO_MANY_REQUESTS));
        let said = |name: &str| refused.as_ref()?.headers.get(name)?.to_str().ok();
        assert_eq!(said("content-type"), Some("application/problem+json"));
        assert_eq!(said("access-control-allow-origin"), Some("*"));
        assert_eq!(said("retry-after"), Some("10"));
    }
}
