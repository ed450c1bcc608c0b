//! The two requests of WHIP, as RFC 9725 wants them. Must not know when they are made.

use std::time::Duration;

use log::debug;
use porthole_core::config::settings::PublishSettings;
use porthole_core::wire::limits::SDP_BYTES;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect};

use super::failure::Failure;

/// How long a connection may take, and a request with its answer.
const CONNECT: Duration = Duration::from_secs(8);
const WHOLE: Duration = Duration::from_secs(15);
/// Most addresses one offer is sent on to (RFC 9725 section 4.5).
const REDIRECTS: usize = 5;
/// What an offer and an answer are.
const SDP: &str = "application/sdp";

/// Asks one server.
pub struct Client {
    settings: PublishSettings,
    /// `None` where this machine has no TLS to be had.
    http: Option<reqwest::Client>,
}

/// An answer, and where the call is found from then on.
pub type Taken = (String, Option<Url>);

impl Client {
    /// Of this server.
    pub fn new(settings: PublishSettings) -> Self {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // The body and the token go along, which is for us to judge.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("porthole/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { settings, http: http.ok() }
    }

    /// Sends an offer.
    ///
    /// # Errors
    /// Why it is not taken, and how long to wait before the next, where the server says so.
    pub async fn offer(&self, sdp: String) -> Result<Taken, (Failure, Option<Duration>)> {
        let plain = |failure| (failure, None);
        let first = Url::parse(&self.settings.whip).map_err(|_| plain(Failure::NoAddress))?;
        let mut at = first.clone();
        for _ in 0..=REDIRECTS {
            let request = self.request(Method::POST, &at, &first).map_err(plain)?;
            let request = request.header(CONTENT_TYPE, SDP).body(sdp.clone());
            let response = request.send().await.map_err(|error| plain(Failure::of(&error, &at)))?;
            let next = location(&response, &at);
            match response.status() {
                StatusCode::CREATED => {
                    // What was told over TLS does not go on in the clear.
                    let place = next.filter(|place| at.scheme() != "https" || place.scheme() == "https");
                    let answer = taken(response, &at).await;
                    if let (Err(_), Some(place)) = (&answer, &place) {
                        // Or it would be in the way of the next call.
                        self.forget(place.clone()).await;
                    }
                    return answer.map(|answer| (answer, place)).map_err(plain);
                }
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                    at = next.ok_or_else(|| plain(Failure::Astray))?;
                    if first.scheme() == "https" && at.scheme() != "https" {
                        return Err(plain(Failure::Astray));
                    }
                }
                status => return Err((Failure::Status(status.as_u16()), after(&response))),
            }
        }
        Err(plain(Failure::Astray))
    }

    /// Asks what may be asked there (OPTIONS), which changes nothing.
    ///
    /// # Errors
    /// It is not reached, or does not know the token. What else it says is no reason: not every server takes the question.
    pub async fn reach(&self) -> Result<(), Failure> {
        let at = Url::parse(&self.settings.whip).map_err(|_| Failure::NoAddress)?;
        let request = self.request(Method::OPTIONS, &at, &at)?;
        let response = request.send().await.map_err(|error| Failure::of(&error, &at))?;
        match response.status() {
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(Failure::Status(status.as_u16()))
            }
            _ => Ok(()),
        }
    }

    /// Says that a call has ended. Whether anybody hears it makes no difference.
    pub async fn forget(&self, place: Url) {
        // Wherever the answer pointed: the token is for whom the configuration names.
        let Ok(first) = Url::parse(&self.settings.whip) else { return };
        let Ok(request) = self.request(Method::DELETE, &place, &first) else { return };
        match request.send().await {
            Ok(response) => debug!("the server of [publish] says {} to the end", response.status()),
            Err(_) => debug!("the server of [publish] did not hear that the call has ended"),
        }
    }

    /// With the token, which goes to whom it was made for, and to whom that one sends us over TLS.
    fn request(&self, method: Method, at: &Url, first: &Url) -> Result<RequestBuilder, Failure> {
        let http = self.http.as_ref().ok_or(Failure::Machine)?;
        let request = http.request(method, at.clone());
        let theirs = at.origin() == first.origin() || at.scheme() == "https";
        Ok(match self.settings.token.as_ref().filter(|_| theirs) {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        })
    }
}

async fn taken(mut response: Response, at: &Url) -> Result<String, Failure> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(SDP) {
        return Err(Failure::NoAnswer);
    }
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| Failure::of(&error, at))? {
        if answer.len() + part.len() > SDP_BYTES {
            return Err(Failure::NoAnswer);
        }
        answer.extend_from_slice(&part);
    }
    String::from_utf8(answer).map_err(|_| Failure::NoAnswer)
}

/// Where a response points to, seen from where it came from.
fn location(response: &Response, at: &Url) -> Option<Url> {
    let place = at.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    ["http", "https"].contains(&place.scheme()).then_some(place)
}

/// In seconds; a date is not worth a clock that may be wrong.
fn after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
