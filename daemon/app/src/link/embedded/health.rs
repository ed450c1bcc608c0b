//! `/healthz`: the daemon's status as JSON, for people and for whatever watches over the daemon. Must not decide
//! what healthy is: the status does.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use porthole_core::status::Status;
use serde::Serialize;
use tokio::sync::watch;

use crate::memory;

/// What `/healthz` answers.
#[derive(Debug, Serialize)]
struct Health<F> {
    healthy: bool,
    /// Of the camera, where there is one.
    #[serde(flatten)]
    status: Option<Status>,
    relay: F,
    /// Allocated bytes, where the C library counts them.
    heap: Option<u64>,
}

/// 200 while a person need not act, else 503; also when nobody is left who would say how things are. A relay alone is
/// well as long as it answers.
pub fn answer<F: Serialize>(
    status: Option<&watch::Receiver<Status>>,
    relay: F,
) -> impl IntoResponse + use<F> {
    let desk_lives = status.is_none_or(|status| status.has_changed().is_ok());
    let status = status.map(|status| status.borrow().clone());
    let healthy = desk_lives && status.as_ref().is_none_or(Status::healthy);
    let code = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (
        code,
        [(header::CACHE_CONTROL, "no-store")],
        Json(Health { healthy, status, relay, heap: memory::in_use() }),
    )
}
