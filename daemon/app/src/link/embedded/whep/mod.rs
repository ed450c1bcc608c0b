//! Where players ask to watch over HTTP alone (WHEP, draft-ietf-wish-whep-03): what they send is bounded and handed to the
//! desk, and what the desk says is written as the draft wants it. Must not decide who may watch, nor know what an SDP
//! says.
//!
//! `POST /whep/<room>` with an offer makes a call; its `Location` takes candidates (`PATCH`) and ends it (`DELETE`).

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use porthole_core::config::settings::Access;
use porthole_core::ids::{Name, RoomName};
use porthole_core::whep::{Ask, Place, Request as Asked};
use porthole_core::wire::limits::{FRAGMENT_BYTES, SDP_BYTES};

use super::Ice;
use crate::keys;

mod problem;
pub(super) mod request;
mod response;
mod window;

pub use problem::Problem;
pub use window::Window;

/// What everything here lies below.
pub const PATH: &str = "/whep/";

/// What an offer and an answer are.
const SDP: &str = "application/sdp";
/// What candidates are (RFC 8840).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// What every request is answered with.
#[derive(Clone)]
struct Here {
    window: Window,
    room: RoomName,
    ice: Ice,
    /// Whether pages of other origins may ask. One gets nowhere without a key that it was given, or the room is open.
    pages_of_others: bool,
}

/// What players ask for in `room`. Each is told of `ice`, too.
pub fn routes(window: Window, room: RoomName, access: Access, ice: Ice) -> Router {
    let pages_of_others = access.admits_pages_of_others();
    Router::new()
        .route("/whep/{room}", any(endpoint))
        .route("/whep/{room}/{place}", any(call))
        .with_state(Here { window, room, ice, pages_of_others })
}

/// The address that makes calls.
async fn endpoint(State(here): State<Here>, Path(room): Path<String>, request: Request) -> Response<Body> {
    let allowed = "OPTIONS, GET, HEAD, POST";
    let (head, body) = request.into_parts();
    let response = match head.method {
        _ if room != here.room.as_str() => Problem::NoRoom.into_response(),
        Method::OPTIONS => {
            response::preflight(allowed, (header::HeaderName::from_static("accept-post"), SDP))
        }
        // Players find out by this that it is one (section "WHEP Endpoint URL Discoverability").
        Method::GET | Method::HEAD => response::nothing(StatusCode::OK, Some(SDP)),
        Method::POST => watch(&here, head, body).await.unwrap_or_else(Problem::into_response),
        _ => Problem::Method(allowed).into_response(),
    };
    here.dress(response)
}

/// The address of one call.
async fn call(
    State(here): State<Here>,
    Path((room, place)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let allowed = "OPTIONS, GET, HEAD, PATCH, DELETE";
    let place = Name::new(&place).map(Place::new).ok();
    let (head, body) = request.into_parts();
    let response = match (&head.method, place) {
        _ if room != here.room.as_str() => Problem::NoRoom.into_response(),
        (&Method::OPTIONS, _) => {
            response::preflight(allowed, (header::HeaderName::from_static("accept-patch"), FRAGMENT))
        }
        (&Method::GET | &Method::HEAD, _) => response::nothing(StatusCode::NO_CONTENT, None),
        (&Method::PATCH, Some(place)) => {
            trickle(&here, place, head, body).await.unwrap_or_else(Problem::into_response)
        }
        (&Method::DELETE, Some(place)) => {
            here.ask(&head, Ask::HangUp { place }).await.unwrap_or_else(Problem::into_response)
        }
        (&Method::PATCH | &Method::DELETE, None) => Problem::NoCall.into_response(),
        _ => Problem::Method(allowed).into_response(),
    };
    here.dress(response)
}

async fn watch(here: &Here, head: Parts, body: Body) -> Result<Response<Body>, Problem> {
    request::is_of(&head.headers, SDP)?;
    let offer = request::body(body, SDP_BYTES).await?;
    let place = Name::new(keys::unguessable_for_long().map_err(|_| Problem::Unheard)?);
    let place = place.map(Place::new).map_err(|_| Problem::Unheard)?;
    here.ask(&head, Ask::Watch { place, offer }).await
}

async fn trickle(here: &Here, place: Place, head: Parts, body: Body) -> Result<Response<Body>, Problem> {
    request::is_of(&head.headers, FRAGMENT)?;
    let matches = request::matches(&head.headers);
    let fragment = request::body(body, FRAGMENT_BYTES).await?;
    here.ask(&head, Ask::Trickle { place, matches, fragment }).await
}

impl Here {
    /// Has the desk judge, and writes down what it says.
    async fn ask(&self, head: &Parts, ask: Ask) -> Result<Response<Body>, Problem> {
        let (from, private) = request::sender(&head.extensions).ok_or(Problem::Unheard)?;
        let credentials = request::credentials(&head.headers);
        let asked = |id| Asked { id, from, private, credentials, ask };
        let response = self.window.ask(asked).await.ok_or(Problem::Unheard)?;
        response::write(response, &self.room, &self.ice.settings())
    }

    /// Adds what is said with every response.
    fn dress(&self, response: Response<Body>) -> Response<Body> {
        dress(response, self.pages_of_others)
    }
}

/// What a player is told whose request does not get as far as the desk. Pages of other origins may read it where they
/// may ask.
pub fn unasked(problem: Problem, pages_of_others: bool) -> Response<Body> {
    dress(problem.into_response(), pages_of_others)
}

fn dress(response: Response<Body>, pages_of_others: bool) -> Response<Body> {
    let mut response = super::assets::guarded(response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if pages_of_others {
        for (name, value) in response::FOR_PAGES_OF_OTHERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

#[cfg(test)]
#[path = "whep_tests.rs"]
mod tests;
