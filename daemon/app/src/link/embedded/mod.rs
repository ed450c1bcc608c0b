//! The relay inside the daemon: page, Socket.IO and `/healthz` on one port, with our own camera in its room from the
//! start, or with none ([`open_alone`]). Must not know what a message says beyond its addressing, nor how a call is made.
//!
//! One task ([`relay`]) owns the [`hall::Hall`] of rooms and every socket; [`server`] and
//! [`entrance`] bring it what arrives from strangers, after [`guard`] has had a look at it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use porthole_core::config::settings::{Access, RelaySettings, RoomSettings};
use porthole_core::event::LinkEvent;
use porthole_core::ids::PeerId;
use porthole_core::status::Status;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tower::Service;

use super::{Events, Link};

pub use tls::{Unusable as TlsUnusable, look_at as look_at_tls, look_at_authority};

pub(super) mod assets;
mod connection;
mod door;
mod entrance;
mod figures;
mod gate;
pub(super) mod guard;
mod hall;
mod handout;
mod handshakes;
mod health;
pub(super) mod metrics;
mod relay;
mod rooms;
pub(super) mod server;
pub(super) mod snapshot;
pub(super) mod tls;
pub(super) mod whep;

pub use gate::Gate;
pub use handout::Ice;

/// Our own camera, as the relay knows it.
#[derive(Debug)]
pub struct Camera {
    /// Its peer id.
    pub id: PeerId,
    /// What it hears; should hold [`super::EVENTS`].
    pub events: mpsc::Sender<LinkEvent>,
    /// What is said of it.
    pub health: watch::Receiver<Status>,
    /// Who may enter its room; `None`: whoever likes.
    pub gate: Option<Gate>,
}

/// Where requests are answered, reached without a connection.
#[derive(Debug, Clone)]
pub struct Counter(Router);

impl Counter {
    /// Answers a request as if it had come from this address. `secure`: over https.
    pub async fn ask(&self, mut request: Request, from: IpAddr, secure: bool) -> Response {
        connection::mark(&mut request, from, secure);
        let Ok(response) = self.0.clone().call(request).await;
        response
    }
}

/// Why the relay could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// Somebody else has the port.
    #[error(
        "{0} is already in use: stop what listens there (`ss -ltnp` names it; is Porthole running already?), \
         or choose another port with `listen`"
    )]
    InUse(SocketAddr),
    /// The port needs rights that we do not have.
    #[error(
        "not allowed to listen on {0}: choose a port from 1024 up with `listen`, \
         or let the service bind low ports (CAP_NET_BIND_SERVICE)"
    )]
    NotPermitted(SocketAddr),
    /// This machine has no such address.
    #[error("this machine has no address {}: see `ip address` and correct `listen`", .0.ip())]
    NoSuchAddress(SocketAddr),
    /// A room for this machine only would be reachable from others.
    #[error(
        "{0} can be reached from other machines, but access is \"local\": \
         listen on 127.0.0.1 or ::1, or set access = \"keys\""
    )]
    Exposed(SocketAddr),
    /// Somebody else's relay cannot be where the configuration says.
    #[error(transparent)]
    BadAddress(#[from] super::external::BadAddress),
    /// There is to be https, and there is no certificate for it.
    #[error(transparent)]
    Tls(#[from] TlsUnusable),
    /// Anything else.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, #[source] io::Error),
}

/// Binds the port and serves on it until the link is closed.
///
/// [`LinkEvent::Up`] is reported at once, for the camera is in the room as soon as the port is bound. Errors: [`OpenFailed`], each with what to do about it.
pub async fn open(
    settings: RelaySettings,
    room: &RoomSettings,
    ice: impl Into<Ice>,
    camera: Camera,
) -> Result<Link, OpenFailed> {
    Ok(serve(settings, room, ice.into(), Some(camera)).await?.0)
}

/// The same, and the counter behind its port, for who looks for harm in requests.
///
/// Errors: [`OpenFailed`], each with what to do about it.
pub async fn open_with_counter(
    settings: RelaySettings,
    room: &RoomSettings,
    ice: impl Into<Ice>,
    camera: Camera,
) -> Result<(Link, Counter), OpenFailed> {
    serve(settings, room, ice.into(), Some(camera)).await
}

/// The same without a camera of our own: cameras and viewers all come through the port. Nothing is reported.
///
/// Errors: [`OpenFailed`], each with what to do about it.
pub async fn open_alone(
    settings: RelaySettings,
    room: &RoomSettings,
    ice: impl Into<Ice>,
) -> Result<Link, OpenFailed> {
    Ok(serve(settings, room, ice.into(), None).await?.0)
}

async fn serve(
    settings: RelaySettings,
    room: &RoomSettings,
    ice: Ice,
    camera: Option<Camera>,
) -> Result<(Link, Counter), OpenFailed> {
    let (listener, page) = bind(settings.listen, room.access).await?;
    let tls = tls::Tls::open(&settings, page.port())?;
    let authority = tls.as_ref().and_then(|tls| tls.about.fingerprint().map(str::to_owned));
    let pages = guard::Pages::new(room.access, &settings.link);
    let own_room = camera.is_some().then(|| room.room.clone());
    let (mut own, mut desk, mut health, mut gate) = (None, None, None, None);
    if let Some(camera) = camera {
        own = Some(rooms::Card { from: camera.id, role: rooms::Role::Camera, name: room.camera.clone() });
        (desk, health, gate) = (Some(Events { desk: camera.events }), Some(camera.health), camera.gate);
    }
    let window = desk.clone().map(whep::Window::new);
    let players = window.clone().map(|window| {
        let players = whep::routes(window.clone(), room.room.clone(), room.access, ice.clone());
        players.merge(snapshot::routes(window, room.access))
    });
    // Where there are other rooms, strangers to ours may still want to enter those.
    let lets_in = entrance::LetsIn { gate: gate.clone(), strangers: !settings.rooms.is_empty() };
    let first = rooms::Room::new(room.room.clone(), own);
    let more = settings.rooms.into_iter().map(|name| rooms::Room::new(name, None));
    let hall = hall::Hall::new(more.chain([first]), own_room);
    let (relay, inbox) = relay::Relay::new(hall, desk, gate, ice);
    let entrance = entrance::Entrance::new(inbox, settings.max_sockets, lets_in);
    let figures = relay.figures();
    let shown = server::Shown { figures: figures.clone(), status: health, metrics: settings.metrics };
    let server = server::Server::new(listener, pages, settings.max_sockets, entrance, shown, tls);
    let server = server.with_players(players);
    let counter = Counter(server.router());
    let link = Link::start(Some(page), |ends| relay.run(ends, server));
    let link = link.with_authority(authority).with_window(window);
    Ok((link.counting(move || figures.borrow().refusals.clone()), counter))
}

/// Takes the port for a moment.
///
/// Errors: [`OpenFailed`], each with what to do about it.
pub async fn try_port(wanted: SocketAddr, access: Access) -> Result<(), OpenFailed> {
    bind(wanted, access).await.map(drop)
}

/// Takes the port, if that exposes nobody; with the address that was really bound.
pub(super) async fn bind(
    wanted: SocketAddr,
    access: Access,
) -> Result<(TcpListener, SocketAddr), OpenFailed> {
    if access == Access::Local && !wanted.ip().to_canonical().is_loopback() {
        return Err(OpenFailed::Exposed(wanted));
    }
    let failed = |error| why(wanted, error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let page = listener.local_addr().map_err(failed)?;
    Ok((listener, page))
}

fn why(address: SocketAddr, error: io::Error) -> OpenFailed {
    match error.kind() {
        io::ErrorKind::AddrInUse => OpenFailed::InUse(address),
        io::ErrorKind::PermissionDenied => OpenFailed::NotPermitted(address),
        io::ErrorKind::AddrNotAvailable => OpenFailed::NoSuchAddress(address),
        _ => OpenFailed::Other(address, error),
    }
}
