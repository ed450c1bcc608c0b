//! Why the server does not have the camera, in words a person can act on. Must not hold a token, nor an address whole: a
//! path or a query may be one.

use reqwest::Url;

/// What keeps the camera from the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The configured address is none.
    #[error("`whip` in [publish] is no address: correct it")]
    NoAddress,
    /// It is not reached.
    #[error(
        "{0} is not reached: check host and port of `whip` in [publish], that server, and this machine's network"
    )]
    NotReached(String),
    /// TLS fails.
    #[error(
        "no secure connection to {0}: its certificate has to be one that this machine trusts (`apt-get install ca-certificates`), made out to that name"
    )]
    Tls(String),
    /// It takes too long.
    #[error("{0} takes too long to answer")]
    TooSlow(String),
    /// It says no.
    #[error("it says {0}: {hint}", hint = hint(*.0))]
    Status(u16),
    /// What it says is no answer.
    #[error(
        "it says that it takes the camera, but sends no answer (application/sdp): is `whip` in [publish] a WHIP address?"
    )]
    NoAnswer,
    /// It sends us on, and nowhere.
    #[error("it sends the camera on to nowhere, in circles, or from https to http: ask whoever runs it")]
    Astray,
    /// This machine.
    #[error("this machine has no TLS to be had")]
    Machine,
}

impl Failure {
    /// Reads why a request to `at` failed.
    pub fn of(error: &reqwest::Error, at: &Url) -> Self {
        let port = at.port_or_known_default().unwrap_or_default();
        let place = format!("{}:{port}", at.host_str().unwrap_or_default());
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if error.is::<native_tls::Error>() {
                return Self::Tls(place);
            }
            cause = error.source();
        }
        if error.is_timeout() { Self::TooSlow(place) } else { Self::NotReached(place) }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "check `token` in [publish], and whether it is still good",
        404 | 405 | 415 => {
            "correct `whip` in [publish]; that server has nothing there that takes a camera by WHIP"
        }
        400 | 406 | 422 => "it does not take what the camera offers (H.264 and Opus)",
        409 => "somebody is published there already, or not yet any more",
        429 => "it is asked too often",
        500..=599 => "it has trouble of its own; it is asked again",
        _ => "ask whoever runs it",
    }
}
