//! `/healthz`: the daemon's status as JSON, for people and for whatever watches over the daemon. Must not decide
//! what healthy is: the status does.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use porthole_core::status::Status;
use serde::Serialize;
use tokio::sync::watch;

/// What `/healthz` answers.
#[derive(Debug, Serialize)]
struct Health<F> {
    healthy: bool,
    #[serde(flatten)]
    status: Status,
    relay: F,
}

/// 200 while a person need not act, else 503; also when nobody is left who would say how things are.
pub fn answer<F: Serialize>(status: &watch::Receiver<Status>, relay: F) -> impl IntoResponse + use<F> {
    let desk_lives = status.has_changed().is_ok();
    let status = status.borrow().clone();
    let healthy = desk_lives && status.healthy();
    let code = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(header::CACHE_CONTROL, "no-store")], Json(Health { healthy, status, relay }))
}
