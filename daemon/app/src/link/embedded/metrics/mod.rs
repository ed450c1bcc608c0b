//! `/metrics`: the figures of the daemon as Prometheus reads them, for whom the configuration says. Must not know who
//! watches, only how many.

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use porthole_core::config::settings::Metrics;
use porthole_core::status::Status;
use tokio::sync::watch;

use super::assets;
use super::entrance::RemoteAddress;
use super::guard::is_this_machine;

mod camera;
mod format;
mod page;
mod process;

use format::Format;
pub use page::{Page, from_the_start};

/// The address of it.
const PATH: &str = "/metrics";
/// What a proxy adds for whoever it asks for: those are not at this machine.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// What has figures to show.
pub trait Figures: Clone + Send + Sync + 'static {
    /// Writes them down.
    fn write(&self, page: &mut Page);
}

/// The address, for whom it is; nothing where there are to be none. There is no `status` where there is no camera.
pub fn routes<F: Figures>(
    who: Metrics,
    figures: watch::Receiver<F>,
    status: Option<watch::Receiver<Status>>,
) -> Option<Router> {
    process::up();
    let answer = async move |request: Request| {
        if who == Metrics::Local && !is_local(&request) {
            let why = "These figures are for programs on this machine; metrics = \"all\" below [relay] shows them to all.";
            return assets::in_words(StatusCode::FORBIDDEN, why);
        }
        let figures = figures.borrow().clone();
        let status = status.as_ref().map(|status| (status.borrow().clone(), status.has_changed().is_ok()));
        written(&figures, status, Format::asked(request.headers()))
    };
    (who != Metrics::Off).then(|| Router::new().route(PATH, get(answer)))
}

fn is_local(request: &Request) -> bool {
    let from = request.extensions().get::<RemoteAddress>();
    let forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    // A proxy that says nothing of itself, or a page under a name that leads here, asks for another name.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    from.is_some_and(|from| from.0.to_canonical().is_loopback())
        && !forwarded
        && host.is_none_or(is_this_machine)
}

fn written<F: Figures>(figures: &F, status: Option<(Status, bool)>, format: Format) -> Response {
    let mut page = Page::new();
    process::write(&mut page);
    if let Some((status, desk_lives)) = status {
        camera::write(&status, desk_lives, &mut page);
    }
    figures.write(&mut page);
    let headers = [
        (header::CONTENT_TYPE, format.kind()),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept"),
    ];
    match page.text(format) {
        Some(text) => assets::guarded((headers, text).into_response()),
        None => assets::in_words(StatusCode::INTERNAL_SERVER_ERROR, "The figures cannot be written down."),
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
