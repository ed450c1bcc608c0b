//! Why there is no connection to the relay, in words a person can act on. Must not know which library reports it
//! beyond the chain of causes that every error has.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use porthole_core::event::Loss;

/// Most characters of a text of the relay's that are passed on.
const QUOTED: usize = 200;

/// What keeps us from the relay, or has taken us from it. Each sentence holds its fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// DNS knows no such name, or cannot be asked.
    #[error(
        "the name {0} cannot be found: check `url` in [relay], and that this machine has a network and a name server \
         (`getent hosts {0}`)"
    )]
    NoSuchName(String),
    /// Nobody listens there.
    #[error("nobody listens at {0}: start the relay, or correct host and port of `url` in [relay]")]
    Refused(String),
    /// No way to that address.
    #[error("there is no way to {0}: check this machine's network (`ip route`), and `url` in [relay]")]
    Unreachable(String),
    /// Not even TCP is answered.
    #[error(
        "{0} does not answer at all: is that machine on, is its address right, does a firewall drop the port?"
    )]
    NoAnswer(String),
    /// It takes the connection and then says nothing.
    #[error(
        "{0} takes connections but says nothing: the relay hangs (restart it), or something else listens there"
    )]
    Silent(String),
    /// TLS fails. With what to do.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The certificate is another one.
    #[error(
        "the relay shows another certificate than the pinned one: if it was renewed, set `pin` in [relay] to {seen}; \
         if not, somebody may stand in between"
    )]
    OtherCertificate {
        /// SHA-256 of what it shows, in hexadecimal digits.
        seen: String,
    },
    /// The file of `ca` is of no use.
    #[error("`ca` in [relay]: {file}: {why}; it must be a readable PEM file of certificates")]
    NoAuthority {
        /// Which one.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The relay's own check refuses us (Socket.IO CONNECT_ERROR).
    #[error("the relay does not let us in: it says {0}; check `auth` in [relay], and the relay's own rules")]
    NotLetIn(String),
    /// Let in, and sent away later.
    #[error(
        "the relay has sent us away: the room may be full or closed, or somebody has removed this camera there"
    )]
    SentAway,
    /// There is a server, but no Socket.IO at that path.
    #[error(
        "{0} is a web server without Socket.IO at this path (404): correct `path` in [relay]; it is \"/socket.io/\" \
         unless the relay says otherwise"
    )]
    WrongPath(String),
    /// The server refuses the request as such.
    #[error(
        "the relay refuses the connection (HTTP {status}): {hint}",
        hint = http_hint(*status)
    )]
    Http {
        /// Its answer.
        status: u16,
    },
    /// Whatever answers there speaks something else.
    #[error(
        "{0} does not speak Socket.IO 3 or newer: correct `url` and `path` in [relay], or update the relay"
    )]
    NotSocketIo(String),
    /// It takes the connection and ends it before it has said anything. Node does that at another path than its own.
    #[error(
        "{0} takes the connection and hangs up without a word: correct `path` in [relay] (it is \"/socket.io/\" unless \
         the relay says otherwise), write https:// in `url` if that is what is spoken there, or start the relay if \
         this is only what stands in front of it"
    )]
    HungUp(String),
    /// It ended the connection in good order.
    #[error("the relay has closed the connection; it is probably being restarted")]
    Closed,
    /// It broke.
    #[error("the connection to the relay broke, or it was silent for too long")]
    Broken,
    /// This machine refuses what a connection needs.
    #[error("this machine refuses what a connection needs: {0}")]
    Machine(String),
}

impl Failure {
    /// Which of the few kinds it is.
    pub fn loss(&self) -> Loss {
        match self {
            Self::NoSuchName(_) => Loss::NoName,
            Self::Refused(_) => Loss::NobodyListens,
            Self::Unreachable(_) | Self::NoAnswer(_) => Loss::Unreachable,
            Self::Silent(_) => Loss::Silent,
            Self::Tls(_) | Self::OtherCertificate { .. } | Self::NoAuthority { .. } => Loss::Tls,
            Self::NotLetIn(_) | Self::Http { status: 401 | 403 | 429 } => Loss::Refused,
            Self::SentAway => Loss::SentAway,
            Self::WrongPath(_) | Self::Http { .. } | Self::HungUp(_) | Self::NotSocketIo(_) => {
                Loss::NotSocketIo
            }
            Self::Closed => Loss::Closed,
            Self::Broken | Self::Machine(_) => Loss::Failed,
        }
    }

    /// Reads why a connection to `place` (host and port) failed out of the chain of causes.
    pub fn of(error: &(dyn Error + 'static), place: &str) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(tls) = error.downcast_ref::<native_tls::Error>() {
                return Self::of_tls(&tls.to_string());
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Self::of_io(io, place);
            }
            let words = error.to_string();
            if ["Handshake not finished", "incomplete packet", "Connection closed"]
                .iter()
                .any(|w| words.contains(w))
            {
                return Self::HungUp(place.into());
            }
            if let Some(status) = http_status(&words) {
                return if status == 404 { Self::WrongPath(place.into()) } else { Self::Http { status } };
            }
            cause = error.source();
        }
        // It has answered, and in another tongue.
        Self::NotSocketIo(place.into())
    }

    /// Reads an error of the operating system.
    pub fn of_io(error: &io::Error, place: &str) -> Self {
        use io::ErrorKind as Kind;
        // An error of TLS may travel inside one.
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<native_tls::Error>()) {
            return Self::of_tls(&tls.to_string());
        }
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused(place.into()),
            Kind::TimedOut => Self::NoAnswer(place.into()),
            Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::AddrNotAvailable | Kind::NetworkDown => {
                Self::Unreachable(place.into())
            }
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                Self::Broken
            }
            _ if error.to_string().contains("lookup") => Self::NoSuchName(host(place).into()),
            _ => Self::Machine(error.to_string()),
        }
    }

    /// Reads OpenSSL's words.
    pub fn of_tls(words: &str) -> Self {
        let has = |part: &str| words.contains(part);
        let advice = if has("wrong version number") || has("packet length too long") || has("http request") {
            "no TLS is spoken at this port: write http:// in `url`, or take the port that speaks TLS"
        } else if has("expired") {
            "the relay's certificate has expired (or this machine's clock is wrong: `date`); renew it"
        } else if has("not yet valid") {
            "the relay's certificate is not valid yet: this machine's clock is probably behind (`date`)"
        } else if has("mismatch") {
            "the relay's certificate is made out to another name: write in `url` a name that stands in it"
        } else if has("certificate verify failed") {
            "this machine does not trust who has signed the relay's certificate: name the signer's file in `ca`, or a \
             self-signed certificate's SHA-256 in `pin` ([relay])"
        } else {
            "the relay breaks TLS off; try `openssl s_client -connect`"
        };
        Self::Tls(format!("{advice} (OpenSSL: {})", quote(words)))
    }
}

fn host(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(host, _)| host)
}

/// `HTTP error: 404 Not Found`, as the websocket library says it.
fn http_status(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP error: ")?.get(..3)?.parse().ok()
}

fn http_hint(status: u16) -> &'static str {
    match status {
        200..300 => "a web server without Socket.IO at this path; correct `url` and `path` in [relay]",
        300..400 => {
            "it sends us elsewhere; write into `url` (and `path`) where it leads, perhaps https:// for http://"
        }
        400 => {
            "it takes no websocket of Engine.IO 4 there; allow the websocket transport, update the relay to \
             Socket.IO 3 or newer, or write https:// for http://"
        }
        401 | 403 => {
            "it wants to know who we are before Socket.IO does; let the camera's address through there"
        }
        429 => "it has had too many connections; it is tried again",
        502..505 => "a proxy in front of the relay does not reach it; start the relay",
        500.. => "the relay itself fails; its log says why",
        _ => "correct `url` and `path` in [relay]",
    }
}

/// A stranger's text, short and without control characters.
pub fn quote(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_systems_errors_are_told_apart() {
        let of = |kind: io::ErrorKind| Failure::of_io(&kind.into(), "relay.example:80").loss();
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Loss::NobodyListens);
        assert_eq!(of(io::ErrorKind::TimedOut), Loss::Unreachable);
        assert_eq!(of(io::ErrorKind::HostUnreachable), Loss::Unreachable);
        assert_eq!(of(io::ErrorKind::ConnectionReset), Loss::Failed);
        assert_eq!(of(io::ErrorKind::OutOfMemory), Loss::Failed);
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(Failure::of_io(&lookup, "[::1]:80"), Failure::NoSuchName("[::1]".into()));
    }

    #[test]
    fn openssls_words_become_advice() {
        for (words, advice) in [
            ("error:0A00010B:SSL routines:ssl3_get_record:wrong version number", "http://"),
            ("certificate verify failed (certificate has expired)", "renew it"),
            ("certificate verify failed (certificate is not yet valid)", "clock"),
            ("certificate verify failed (IP address mismatch)", "another name"),
            ("certificate verify failed (self-signed certificate)", "`pin`"),
            ("certificate verify failed (unable to get local issuer certificate)", "`ca`"),
            ("unexpected eof while reading", "openssl s_client"),
        ] {
            let sentence = Failure::of_tls(words).to_string();
            assert!(sentence.contains(advice) && sentence.contains(words), "{sentence}");
        }
    }

    #[test]
    fn an_answer_of_http_says_what_it_means() {
        assert_eq!(http_status("HTTP error: 404 Not Found"), Some(404));
        assert_eq!(http_status("HTTP error: "), None);
        assert_eq!(http_status("HTTP error: é"), None);
        assert_eq!(http_status("404"), None);
        for (status, why) in [(200, Loss::NotSocketIo), (400, Loss::NotSocketIo), (403, Loss::Refused)] {
            assert_eq!(Failure::Http { status }.loss(), why);
        }
        assert!((100..1000).all(|status| !http_hint(status).is_empty()));
    }

    #[test]
    fn what_a_relay_says_is_short_and_without_control_characters() {
        let said = quote(&format!("bad\n\u{1b}[31m{}", "x".repeat(1000)));
        assert!(said.starts_with("bad[31mxx") && said.chars().count() == QUOTED);
    }
}
