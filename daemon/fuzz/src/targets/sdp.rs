//! Offers of viewers, and their answers to offers of ours. Must not know who sent them.

use std::collections::HashSet;

use porthole_core::config::settings::Fallback;
use porthole_core::ids::Rendition;
use porthole_core::sdp::accept::{self, Accepted};
use porthole_core::sdp::choose::{AnswerPlan, Codec, Direction, Talk, plan_for};
use porthole_core::sdp::read::{Way, read, ufrag};
use porthole_core::sdp::same_offer;
use porthole_core::wire::{Candidate, Reason, limits};

use super::Outcome;
use crate::Target;
use crate::corpus;

/// An SDP. It is judged as an offer, as an answer to each of ours, and as the answer of webrtcbin to itself.
pub const TARGET: Target = Target { name: "sdp", run, corpus: descriptions, words: WORDS };

const WORDS: &[&str] = &[
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=group:BUNDLE 0 1",
    "a=mid:0",
    "a=mid:1",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=sendrecv",
    "a=sendonly",
    "a=recvonly",
    "a=inactive",
    "a=setup:actpass",
    "a=setup:active",
    "a=setup:passive",
    "a=setup:holdconn",
    "a=ice-ufrag:Zq3v",
    "a=ice-pwd:",
    "a=ice-options:trickle",
    "a=ice-lite",
    "a=fingerprint:sha-256 ",
    "a=fingerprint:sha-1 ",
    "a=rtpmap:96 H264/90000",
    "a=rtpmap:97 rtx/90000",
    "a=rtpmap:98 VP8/90000",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:97 apt=96",
    "a=fmtp:96 packetization-mode=1",
    "profile-level-id=42e01f",
    "level-asymmetry-allowed=1",
    "a=rtcp-fb:96 nack pli",
    "a=rtcp-fb:* ccm fir",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=extmap:15/sendonly",
    "a=bundle-only",
    "a=sctp-port:5000",
    "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host",
    "a=ssrc:1 cname:x",
    "a=rid:h send",
    "a=simulcast:send h",
    "c=IN IP4 0.0.0.0",
    "b=AS:1",
    "\r\n",
    "127",
    "128",
    "0",
    "9",
];

fn descriptions() -> Vec<Vec<u8>> {
    corpus::descriptions().into_iter().map(String::into_bytes).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut outcome = Outcome::default();
    assert!(same_offer(&text, &text));
    assert!(ufrag(&text).is_none() || text.len() <= limits::SDP_BYTES);
    let lines = read(&text);
    outcome.note(lines.as_ref().map(|offer| offer.media.len()).map_err(|reason| *reason));
    if let Ok(offer) = &lines {
        assert!(text.len() <= limits::SDP_BYTES && offer.media.len() <= limits::SDP_MEDIA);
    }
    for (fallback, talk) in [(Fallback::Vp8, Talk::Allowed), (Fallback::None, Talk::Forbidden)] {
        match plan_for(&text, fallback, talk) {
            Ok(plan) => {
                outcome.note((&plan.rendition, plan.media.len(), plan.rejected.len()));
                outcome.note(
                    plan.media
                        .iter()
                        .map(|media| (media.rtx_payload_type, media.feedback.len()))
                        .collect::<Vec<_>>(),
                );
                assert!(fallback == Fallback::Vp8 || plan.rendition != Some(Rendition::Vp8));
                assert!(
                    talk == Talk::Allowed
                        || plan.media.iter().all(|media| media.direction == Direction::SendOnly)
                );
                sound(&plan, &text);
                // What webrtcbin answered, had it said anything whatever.
                if let Ok(finished) = plan.finish(&text) {
                    assert!(read(&finished).is_ok(), "{finished}");
                }
                outcome.note(accept::judge(&text, &say_yes(&text)).map(|accepted| accepted.media.len()));
            }
            Err(reason) => {
                assert!(matches!(
                    reason,
                    Reason::BadOffer | Reason::TooLarge | Reason::NoCodec | Reason::NoBundle
                ));
                outcome.note(reason);
            }
        }
    }
    for rendition in Rendition::FULL {
        let ours = our_offer(rendition);
        match accept::judge(&ours, &text) {
            Ok(accepted) => accepts(&accepted, &ours, rendition),
            Err(reason) => {
                assert_ne!(reason, Reason::Failed, "our own offer was read before");
                outcome.note(reason);
            }
        }
    }
    outcome.number()
}

/// What webrtcbin needs, which is what the core's own tests ask of every accepted offer.
fn sound(plan: &AnswerPlan, text: &str) {
    let offered = read(text).unwrap_or_else(|reason| panic!("accepted and not readable: {reason}"));
    let narrow = read(&plan.offer).unwrap_or_else(|reason| panic!("{reason}:\n{}", plan.offer));
    assert!(plan.offer.is_ascii() && !plan.media.is_empty(), "{}", plan.offer);
    assert_eq!(narrow.media.len(), plan.media.len());
    assert_eq!(offered.media.len(), plan.media.len() + plan.rejected.len());
    assert!(plan.rejected.is_sorted_by(|one, next| one.index < next.index));
    let mids: HashSet<_> = plan.media.iter().map(|media| media.mid.as_str()).collect();
    assert_eq!(mids.len(), plan.media.len(), "mids are unique");
    let [bundle] = &narrow.bundles[..] else { panic!("not one bundle: {}", plan.offer) };
    assert_eq!(bundle.iter().copied().collect::<HashSet<_>>(), mids, "the bundle is over what is accepted");
    let pictures = plan.media.iter().filter(|media| matches!(media.codec, Codec::Video(_))).count();
    assert!(pictures <= 1 && plan.media.len() - pictures <= 1);
    assert_eq!(pictures == 1, plan.rendition.is_some());
    let mut numbers = HashSet::new();
    for (line, media) in narrow.media.iter().zip(&plan.media) {
        assert_eq!((line.mid, line.port, line.rtcp_mux), (Some(media.mid.as_str()), 9, true));
        assert!(matches!(line.way, Way::RecvOnly | Way::SendRecv));
        assert!(line.transport.ufrag == Some(plan.ufrag.as_str()) && plan.ufrag.len() >= 4);
        assert!(line.transport.pwd.is_some_and(|pwd| pwd.len() >= 22));
        assert!(matches!(line.transport.fingerprints[..], [one] if one.len() == "sha-256 ".len() + 95));
        assert!(line.transport.setup.is_some() && !line.transport.contradicts && !line.contradicts);
        let own: Vec<u8> = [Some(media.payload_type), media.rtx_payload_type].into_iter().flatten().collect();
        assert_eq!(line.rtpmaps.iter().map(|(number, _)| *number).collect::<Vec<_>>(), own);
        assert!(own.iter().all(|number| *number <= 127 && numbers.insert(*number)), "{own:?}");
    }
    let finished = plan.finish(&say_yes(&plan.offer)).unwrap_or_else(|why| panic!("{why}:\n{}", plan.offer));
    let answer = read(&finished).unwrap_or_else(|reason| panic!("{reason}:\n{finished}"));
    assert_eq!(answer.media.len(), offered.media.len());
    for (their, our) in offered.media.iter().zip(&answer.media) {
        let cut = plan.rejected.iter().any(|rejected| rejected.index == their.index);
        assert_eq!((their.kind, their.protocol, cut), (our.kind, our.protocol, our.port == 0));
    }
    for candidate in candidates(text) {
        assert!(plan.line_of(&candidate).is_none_or(|line| line < plan.media.len()), "{candidate:?}");
    }
}

fn accepts(accepted: &Accepted, ours: &str, rendition: Rendition) {
    let ours = read(ours).unwrap_or_else(|reason| panic!("our own offer: {reason}"));
    let answer = read(&accepted.answer).unwrap_or_else(|reason| panic!("{reason}:\n{}", accepted.answer));
    assert_eq!((answer.media.len(), accepted.media.len()), (ours.media.len(), ours.media.len()));
    assert!(accepted.answer.is_ascii() && accepted.media.iter().any(Option::is_some));
    assert_eq!(accepted.rendition(), Some(rendition));
    for candidate in candidates(&accepted.answer) {
        assert!(accepted.line_of(&candidate).is_none_or(|line| line < ours.media.len()));
    }
}

/// Candidates for places that are there and places that are not.
fn candidates(text: &str) -> Vec<Candidate> {
    let places = (0..18).chain([u16::MAX]).map(|index| (None, Some(index)));
    let mids = text.lines().filter_map(|line| line.strip_prefix("a=mid:")).take(20);
    let mids = mids.chain(["", "?"]).map(|mid| (Some(mid.to_owned()), None));
    let candidate = |(sdp_mid, sdp_m_line_index)| Candidate {
        candidate: String::new(),
        sdp_mid,
        sdp_m_line_index,
        username_fragment: None,
    };
    places.chain(mids).chain([(None, None)]).map(candidate).collect()
}

/// An answer as plain as can be, that says yes to everything.
pub(super) fn say_yes(offer: &str) -> String {
    let lines = offer.lines().filter(|line| !line.starts_with("a=candidate") && !line.starts_with("a=ssrc"));
    lines.fold(String::new(), |answer, line| {
        let line = match line {
            "a=recvonly" => "a=sendonly",
            "a=sendonly" => "a=recvonly",
            "a=setup:actpass" | "a=setup:passive" => "a=setup:active",
            "a=setup:active" => "a=setup:passive",
            other => other,
        };
        answer + line + "\r\n"
    })
}

/// What webrtcbin offers, in the lines that matter.
pub(super) fn our_offer(rendition: Rendition) -> String {
    let (encoding, fmtp) = match rendition {
        Rendition::H264 | Rendition::SmallH264 => (
            "H264/90000",
            "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1\r\n",
        ),
        Rendition::Vp8 | Rendition::SmallVp8 => ("VP8/90000", ""),
    };
    let identity = format!(
        "a=ice-ufrag:cAm1\r\na=ice-pwd:Wd8bYt5RkQz2LxNf7HsPg0Vj\r\na=setup:actpass\r\na=fingerprint:sha-256 {}\r\n",
        ["7A"; 32].join(":")
    );
    format!(
        "v=0\r\no=- 1795420111 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE video0 audio1\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:video0\r\na=rtcp-mux\r\na=sendonly\r\n\
         a=rtpmap:96 {encoding}\r\n{fmtp}a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\n\
         a=fmtp:97 apt=96\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n{identity}\
         m=audio 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=mid:audio1\r\na=rtcp-mux\r\na=sendrecv\r\n\
         a=rtpmap:98 OPUS/48000/2\r\na=fmtp:98 minptime=10;useinbandfec=1\r\n{identity}"
    )
}
