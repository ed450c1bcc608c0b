//! A room in somebody else's Socket.IO server: one connection, made again whenever it is lost, with the page and
//! `/healthz` on our own port meanwhile. Must not know what a message means, nor how a call is made.
//!
//! [`life`] decides when to connect and what waits, over any [`transport`]; [`socketio`] is the one there is.

use porthole_core::config::settings::{ExternalRelay, RelaySettings, RoomSettings};
use porthole_core::event::LinkEvent;
use porthole_core::status::Status;
use tokio::sync::{mpsc, watch};

use super::embedded::assets::Told;
use super::embedded::guard::Pages;
use super::embedded::server::{Server, Shown};
use super::embedded::snapshot;
use super::embedded::tls::Tls;
use super::embedded::whep::{self, Window};
use super::embedded::{self, Ice, OpenFailed};
use super::{Ends, Events, Link};
use address::Address;
use life::Life;
use socketio::SocketIo;
use tls::Trust;
use transport::Transport;

pub use address::BadAddress;

mod address;
mod backoff;
mod failure;
mod intake;
mod life;
mod socketio;
mod tls;
mod transport;
mod waiting;

/// Binds the port of the page, and connects to the relay until the link is closed, however long it takes.
///
/// [`LinkEvent::Up`] and [`LinkEvent::Down`] are reported whenever that changes, Down also when its reason does;
/// `events` should hold [`super::EVENTS`]. Errors: [`OpenFailed`], each with what to do about it. That the relay is
/// not reached is none.
pub async fn open(
    settings: &RelaySettings,
    relay: &ExternalRelay,
    room: &RoomSettings,
    ice: impl Into<Ice>,
    events: mpsc::Sender<LinkEvent>,
    health: watch::Receiver<Status>,
) -> Result<Link, OpenFailed> {
    let address = Address::new(&relay.url, &relay.path, relay.auth.clone())?;
    if address.tells_in_the_clear() {
        log::warn!(
            "[relay] auth is sent to {address} without encryption, and whoever is on the way can read it: write https:// \
             in `url` if the relay speaks TLS"
        );
    }
    let told = Told { relay: address.public() };
    let (listener, page) = embedded::bind(settings.listen, room.access).await?;
    let trust = Trust::new(relay.ca.clone(), relay.pin);
    let url = address.to_string();
    let events = Events { desk: events };
    let window = Window::new(events.clone());
    let players = whep::routes(window.clone(), room.room.clone(), room.access, ice.into());
    let players = players.merge(snapshot::routes(window.clone(), room.access));
    let life = Life::new(SocketIo::new(address, trust), url, events);
    let tls = Tls::open(settings, page.port())?;
    let authority = tls.as_ref().and_then(|tls| tls.about.fingerprint().map(str::to_owned));
    let pages = Pages::new(room.access, &settings.link);
    let figures = life.figures();
    let shown = Shown { figures: figures.clone(), status: Some(health), metrics: settings.metrics };
    let server = Server::without_relay(listener, pages, told, shown, tls).with_players(Some(players));
    let link = Link::start(Some(page), |ends| serve(ends, life, server));
    let link = link.with_authority(authority).with_window(Some(window));
    Ok(link.counting(move || figures.borrow().refusals.clone()))
}

/// Makes one connection to the relay and takes leave again, without entering a room.
///
/// # Errors
/// Why it was not let in, with what to do.
pub async fn attempt(relay: &ExternalRelay) -> Result<(), String> {
    let address = Address::new(&relay.url, &relay.path, relay.auth.clone()).map_err(|bad| bad.to_string())?;
    let way = SocketIo::new(address, Trust::new(relay.ca.clone(), relay.pin));
    let epoch = way.connect().await.map_err(|failure| failure.to_string())?;
    epoch.close().await;
    Ok(())
}

async fn serve(ends: Ends, life: Life<impl Transport>, server: Server) {
    let mut serving = server.start();
    life.run(ends).await;
    serving.stop().await;
}
