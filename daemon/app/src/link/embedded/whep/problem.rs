//! What is wrong with a request: the status that the draft wants (or HTTP, RFC 9110), and the fix in words (RFC 9457). Must
//! not decide whether anything is wrong.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use porthole_core::whep::Refusal;
use porthole_core::wire::Reason;
use serde_json::json;

use super::SDP;

/// Why a request gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The camera's room has another name.
    NoRoom,
    /// No call can be there.
    NoCall,
    /// Not this method; these.
    Method(&'static str),
    /// The body is not of this type.
    Kind(&'static str),
    /// The body is too large.
    TooLarge,
    /// The body takes too long.
    TooSlow,
    /// The body is no text.
    NoText,
    /// Nobody could be asked.
    Unheard,
    /// The desk says so.
    Refused(Refusal),
    /// The desk says so to whoever wants no call, but a picture of now.
    NoPicture(Refusal),
}

/// Seconds after which to ask again, for those who may.
mod again {
    /// A camera that is looked for is tried again after as long.
    pub const CAMERA: &str = "2";
    /// A viewer may have left.
    pub const BUSY: &str = "5";
    /// Whoever asks too often may ask again.
    pub const OFTEN: &str = "10";
}

impl Problem {
    /// As HTTP says it.
    pub fn into_response(self) -> Response<Body> {
        let (status, word, text) = self.said();
        let body = json!({ "type": "about:blank", "title": status.canonical_reason().unwrap_or_default(),
                           "status": status.as_u16(), "detail": text, "reason": word });
        let mut response = Response::new(Body::from(format!("{body}\n")));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in self.headers() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn said(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::NoRoom => (S::NOT_FOUND, "no-room", "the camera's room has another name: see its link"),
            Self::NoCall | Self::Refused(Refusal::NoCall) => {
                (S::NOT_FOUND, "no-call", "there is no such call, or it has ended")
            }
            Self::Method(_) => (S::METHOD_NOT_ALLOWED, "method", "not with this method: see Allow"),
            Self::Kind(SDP) => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "an offer is sent with Content-Type: application/sdp",
            ),
            Self::Kind(_) => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "candidates are sent with Content-Type: application/trickle-ice-sdpfrag",
            ),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, Reason::TooLarge.word(), Reason::TooLarge.sentence()),
            Self::TooSlow => (S::REQUEST_TIMEOUT, "too-slow", "the request took too long to arrive"),
            Self::NoText => (S::BAD_REQUEST, Reason::BadMessage.word(), "the body is not text in UTF-8"),
            Self::Unheard => (S::SERVICE_UNAVAILABLE, Reason::Busy.word(), "too much at once; try again"),
            Self::Refused(refusal) => said_by_desk(refusal),
            Self::NoPicture(refusal) => said_of_picture(refusal),
        }
    }

    fn headers(self) -> Vec<(HeaderName, &'static str)> {
        let wrong = r#"Bearer realm="porthole", error="invalid_token""#;
        match self {
            Self::Method(allowed) => vec![(header::ALLOW, allowed)],
            Self::Kind(kind) => {
                let name = if kind == SDP { "accept-post" } else { "accept-patch" };
                vec![(HeaderName::from_static(name), kind)]
            }
            Self::Unheard => vec![(header::RETRY_AFTER, again::BUSY)],
            Self::Refused(Refusal::NoKey) | Self::NoPicture(Refusal::NoKey) => {
                vec![(header::WWW_AUTHENTICATE, r#"Bearer realm="porthole""#)]
            }
            Self::Refused(Refusal::Call(reason)) | Self::NoPicture(Refusal::Call(reason)) => match reason {
                Reason::NotAllowed | Reason::ExpiredKey | Reason::RevokedKey => {
                    vec![(header::WWW_AUTHENTICATE, wrong)]
                }
                Reason::CameraLost => vec![(header::RETRY_AFTER, again::CAMERA)],
                Reason::TooOften => vec![(header::RETRY_AFTER, again::OFTEN)],
                Reason::Busy | Reason::ShuttingDown => vec![(header::RETRY_AFTER, again::BUSY)],
                _ => vec![],
            },
            _ => vec![],
        }
    }
}

fn said_by_desk(refusal: Refusal) -> (StatusCode, &'static str, &'static str) {
    use StatusCode as S;
    match refusal {
        Refusal::NoKey => (
            S::UNAUTHORIZED,
            Reason::NotAllowed.word(),
            "an access key is wanted, as Authorization: Bearer <id>.<secret>: what stands behind key= in a link that \
             `porthole access add` prints",
        ),
        Refusal::NotPrivate { shown } => (
            S::FORBIDDEN,
            "not-private",
            if shown {
                "an access key sent over plain http can be read on the way, and this one was: take it back (`porthole \
                 access revoke`), and ask over https, on the same port (or from the camera's own machine)"
            } else {
                "an access key is wanted, and over plain http it could be read on the way: ask over https, on the same \
                 port (or from the camera's own machine)"
            },
        ),
        Refusal::Private => (
            S::FORBIDDEN,
            "privacy",
            "privacy is on: nobody sees anything until whoever wanted it so ends it",
        ),
        Refusal::Stale => (
            S::FORBIDDEN,
            "stale",
            "this link to a picture has ended, or would hold for more than a day: make a new one (and is the clock right?)",
        ),
        Refusal::NoMatch => (
            S::PRECONDITION_REQUIRED,
            "no-match",
            "candidates are sent with If-Match: the ETag of the answer",
        ),
        Refusal::OtherMatch => {
            (S::PRECONDITION_FAILED, "other-match", "If-Match is not the ETag of this call's answer")
        }
        Refusal::Restart => (
            S::UNPROCESSABLE_ENTITY,
            Reason::CallAgain.word(),
            "ICE cannot be begun anew within a call: hang up and call again",
        ),
        Refusal::Unreadable => (
            S::BAD_REQUEST,
            Reason::BadMessage.word(),
            "the candidates could not be read, or are too many (RFC 8840 says how they are written)",
        ),
        Refusal::NoCall => Problem::NoCall.said(),
        Refusal::Call(reason) => (status_of(reason), reason.word(), reason.sentence()),
    }
}

/// The same where no call was wanted: what the words for calls say would not be so.
fn said_of_picture(refusal: Refusal) -> (StatusCode, &'static str, &'static str) {
    let (status, word, text) = said_by_desk(refusal);
    let text = match refusal {
        Refusal::Call(Reason::TooOften) => {
            "too many pictures in too short a time: so many a minute are for one key, and for one network address"
        }
        Refusal::Call(Reason::Busy) => "too many wait for a picture at this moment; try again",
        Refusal::Call(Reason::Failed) => "no picture could be made; the camera's log says why",
        _ => text,
    };
    (status, word, text)
}

fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::NotAllowed | Reason::ExpiredKey | Reason::RevokedKey => StatusCode::UNAUTHORIZED,
        Reason::BadOffer | Reason::BadMessage => StatusCode::BAD_REQUEST,
        Reason::NoCodec | Reason::NoBundle => StatusCode::UNPROCESSABLE_ENTITY,
        Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::TooOften => StatusCode::TOO_MANY_REQUESTS,
        // Nothing is "published" at this moment, as the draft calls it.
        Reason::CameraLost => StatusCode::CONFLICT,
        Reason::Busy | Reason::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
