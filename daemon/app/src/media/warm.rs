//! One negotiation with nobody, at start: it loads the plugins and makes the certificate, which takes seconds on a
//! small board (unless its key is kept) and would otherwise be the first viewer's wait. Must not know real calls.

use std::time::Duration;

use porthole_core::config::settings::{Fallback, IceSettings};
use porthole_core::ids::CallId;
use porthole_core::sdp::choose;

use super::element::MediaError;
use super::fan::Crew;
use super::servers::Ways;
use super::speaker::Ear;
use super::timeline::Timeline;
use super::{Events, call};

/// How long it is waited for. On a board that is busier it goes on by itself, beside the first viewers.
const LIMIT: Duration = Duration::from_secs(60);

/// A number no call has: calls count up from 1.
const NOBODY: CallId = CallId(0);

/// An offer as small as it can be. Nobody holds its fingerprint's key, so nothing can ever connect.
const OFFER: &str = "v=0\r\n\
    o=- 1 1 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0 1\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:warm\r\n\
    a=ice-pwd:warmwarmwarmwarmwarmwarm\r\n\
    a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=recvonly\r\n\
    a=rtcp-mux\r\n\
    a=rtpmap:96 H264/90000\r\n\
    a=rtcp-fb:96 nack\r\n\
    a=rtcp-fb:96 nack pli\r\n\
    a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:warm\r\n\
    a=ice-pwd:warmwarmwarmwarmwarmwarm\r\n\
    a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n\
    a=setup:actpass\r\n\
    a=mid:1\r\n\
    a=sendrecv\r\n\
    a=rtcp-mux\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

/// Negotiates once and closes. One that is not done in time is no error: then a viewer may have to wait.
pub async fn up(timeline: &Timeline) -> Result<(), MediaError> {
    let plan = choose::plan(OFFER, Fallback::None)
        .map_err(|reason| MediaError::Failed(format!("the warm-up offer was refused: {reason}")))?;
    let part = call::Part::Answer { plan, trickle: true };
    let (ice, ways) = (IceSettings::default(), Ways::default());
    // Nobody is heard, and nobody asks what became of it.
    let (events, _unread) = Events::channel();
    let ear = Ear::new(NOBODY, events.clone());
    let (timeline, crew) = (timeline.clone(), Crew::new());
    let order = call::Order { call: NOBODY, part, ice, ways, timeline, crew, ear, delay: Duration::ZERO };
    let rehearsal = tokio::task::spawn_blocking(move || call::rehearse(order, &events));
    let outcome = match tokio::time::timeout(LIMIT, rehearsal).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(MediaError::Failed("the first negotiation panicked".to_owned())),
        Err(_) => Err(MediaError::TooLate { what: "the first negotiation", limit: LIMIT }),
    };
    match outcome {
        Err(late @ MediaError::TooLate { .. }) => {
            log::warn!(
                "{late}: something else keeps this board busy (`top` shows it); viewers may have to wait"
            );
            Ok(())
        }
        outcome => outcome,
    }
}
