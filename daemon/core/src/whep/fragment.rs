//! Candidates as players send them: a fragment of an SDP (RFC 8840 section 9). Must not know whose they are.

use crate::wire::Candidate;
use crate::wire::limits::{
    CANDIDATE_BYTES, CANDIDATES_PER_CALL, FRAGMENT_BYTES, MID_BYTES, SDP_MEDIA, UFRAG_BYTES,
};

/// What a fragment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Every `a=ice-ufrag` in it, each once.
    pub ufrags: Vec<String>,
    /// The candidates, in order.
    pub candidates: Vec<Candidate>,
    /// `a=end-of-candidates` was said.
    pub complete: bool,
}

/// It is no fragment, or one past the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no application/trickle-ice-sdpfrag that could be read")]
pub struct BadFragment;

impl Fragment {
    /// Reads one. Attributes that are of no concern are passed over; a line that is none is an error.
    ///
    /// # Errors
    /// [`BadFragment`].
    pub fn read(text: &str) -> Result<Self, BadFragment> {
        // What ends a line is gone from it; a carriage return alone ends none.
        let control = |line: &str| line.chars().any(char::is_control);
        if text.len() > FRAGMENT_BYTES || text.lines().any(control) {
            return Err(BadFragment);
        }
        let mut fragment = Self::default();
        // Of the whole, then of each m-line: number, mid, ufrag.
        let mut line: Option<u16> = None;
        let (mut mid, mut ufrag, mut common) = (None, None, None);
        for text in text.lines().filter(|text| !text.is_empty()) {
            let (kind, value) = text.split_once('=').ok_or(BadFragment)?;
            // By itself it ends no line here, and may elsewhere.
            if text.contains('\r') {
                return Err(BadFragment);
            }
            match kind {
                "m" => {
                    let next = line.map_or(0, |line| line + 1);
                    if usize::from(next) >= SDP_MEDIA {
                        return Err(BadFragment);
                    }
                    line = Some(next);
                    (mid, ufrag) = (None, None);
                }
                "a" => {
                    let (name, value) = value.split_once(':').unwrap_or((value, ""));
                    match name {
                        "mid" if value.len() <= MID_BYTES => mid = Some(value.to_owned()),
                        "ice-ufrag" if (1..=UFRAG_BYTES).contains(&value.len()) => {
                            if !fragment.ufrags.iter().any(|known| known == value) {
                                fragment.ufrags.push(value.to_owned());
                            }
                            if line.is_some() {
                                ufrag = Some(value.to_owned());
                            } else {
                                common = Some(value.to_owned());
                            }
                        }
                        "mid" | "ice-ufrag" => return Err(BadFragment),
                        "candidate" => {
                            if value.len() > CANDIDATE_BYTES
                                || fragment.candidates.len() >= CANDIDATES_PER_CALL
                            {
                                return Err(BadFragment);
                            }
                            fragment.candidates.push(Candidate {
                                candidate: format!("candidate:{value}"),
                                sdp_mid: mid.clone(),
                                // Some leave everything out but the candidates: a bundle has one transport.
                                sdp_m_line_index: Some(line.unwrap_or(0)),
                                username_fragment: ufrag.clone().or_else(|| common.clone()),
                            });
                        }
                        "end-of-candidates" => fragment.complete = true,
                        _ => {}
                    }
                }
                // What else an SDP has, such as c= below an m-line.
                _ if kind.len() == 1 => {}
                _ => return Err(BadFragment),
            }
        }
        let nothing = fragment.ufrags.is_empty() && fragment.candidates.is_empty() && !fragment.complete;
        if nothing { Err(BadFragment) } else { Ok(fragment) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fragment_of_the_draft_is_read_as_it_is_meant() {
        let fragment = Fragment::read(
            "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n\
             a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
             a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n\
             a=candidate:2154773085 1 tcp 1518214911 198.51.100.2 9 typ host tcptype active generation 0\r\n\
             a=end-of-candidates\r\n",
        )
        .unwrap();
        assert_eq!(fragment.ufrags, ["EsAw"]);
        assert!(fragment.complete);
        assert_eq!(fragment.candidates.len(), 2);
        assert_eq!(
            fragment.candidates[0],
            Candidate {
                candidate:
                    "candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw \
                            network-id 1"
                        .into(),
                sdp_mid: Some("0".into()),
                sdp_m_line_index: Some(0),
                username_fragment: Some("EsAw".into()),
            }
        );
    }

    #[test]
    fn what_stands_before_the_first_m_line_counts_for_all_of_them() {
        let fragment = Fragment::read(
            "a=ice-ufrag:EsAw\nm=audio 9 X 111\na=mid:0\nm=video 9 X 96\na=mid:1\na=candidate:1 1 udp 7 192.0.2.1 9 typ host\n",
        )
        .unwrap();
        let [candidate] = &fragment.candidates[..] else { panic!("{fragment:?}") };
        assert_eq!(candidate.username_fragment.as_deref(), Some("EsAw"));
        assert_eq!((candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index), (Some("1"), Some(1)));
        assert!(!fragment.complete);
    }

    #[test]
    fn candidates_alone_are_of_the_first_m_line() {
        let fragment = Fragment::read("a=candidate:1 1 udp 7 192.0.2.1 9 typ host").unwrap();
        assert_eq!(fragment.candidates[0].sdp_m_line_index, Some(0));
        assert_eq!(fragment.ufrags, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_fragment_is_not_taken() {
        let long = format!("a=candidate:{}", "x".repeat(CANDIDATE_BYTES + 1));
        let many = "a=candidate:1 1 udp 7 192.0.2.1 9 typ host\n".repeat(CANDIDATES_PER_CALL + 1);
        let lines = "m=audio 9 X 0\n".repeat(SDP_MEDIA + 1);
        let huge = format!("a=end-of-candidates\n{}", "a=x\n".repeat(FRAGMENT_BYTES / 4));
        let mid = format!("a=end-of-candidates\nm=audio 9 X 0\na=mid:{}", "m".repeat(MID_BYTES + 1));
        for bad in [
            "",
            "\r\n\r\n",
            "{}",
            "candidate:1 1 udp 7 192.0.2.1 9 typ host",
            "a=end-of-candidates\u{0}",
            "a=candidate:1 1 udp 7 192.0.2.1 9 typ host\ra=x\n",
            "a=ice-ufrag:",
            "a=x",
            "aa=end-of-candidates",
            "a=candidate:1 1 udp 7 192.0.2.1 9 typ host\r",
            "a=candidate:1 1 udp 7\ra=ice-pwd:x\r\n",
            &long,
            &many,
            &lines,
            &huge,
            &mid,
        ] {
            assert_eq!(
                Fragment::read(bad),
                Err(BadFragment),
                "{:?}",
                bad.chars().take(60).collect::<String>()
            );
        }
    }
}
