//! What an answer to a player has beside that to a page. Must not know how it came about.

/// The one stream that picture and sound are of (`msid`, RFC 8830): players show what they get as one, or show the last of
/// several alone.
const STREAM: &str = "porthole";

/// The same answer with everything in one stream, said where players look for it: webrtcbin says it only beside each
/// `a=ssrc`, which not every browser reads.
pub(crate) fn one_stream(answer: &str) -> String {
    let mut text = String::with_capacity(answer.len() + 128);
    // Of the m-line at hand, where it is accepted.
    let mut kind: Option<&str> = None;
    for line in answer.lines() {
        if let Some(rest) = line.strip_prefix("m=") {
            let mut words = rest.split(' ');
            let (word, port) = (words.next(), words.next());
            kind = word.filter(|_| port != Some("0"));
        }
        match (kind, beside_ssrc(line)) {
            (Some(kind), Some(ssrc)) => text += &format!("{ssrc} msid:{STREAM} {kind}"),
            _ if kind.is_some() && line.starts_with("a=msid:") => continue,
            (Some(kind), None) if line.starts_with("a=mid:") => {
                text += &format!("{line}\r\na=msid:{STREAM} {kind}");
            }
            _ => text += line,
        }
        text += "\r\n";
    }
    text
}

/// `a=ssrc:<number>` of a line that names its stream.
fn beside_ssrc(line: &str) -> Option<&str> {
    let (ssrc, attribute) = line.split_once(' ')?;
    (ssrc.starts_with("a=ssrc:") && attribute.starts_with("msid:")).then_some(ssrc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_and_sound_are_of_one_stream_and_rejected_lines_of_none() {
        let answer = "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=ssrc:7 msid:user1@host webrtctransceiver0\r\n\
                      a=ssrc:7 cname:user1@host\r\nm=application 0 Y webrtc-datachannel\r\na=mid:1\r\n\
                      m=video 9 X 96\r\na=msid:- other\r\na=mid:2\r\n";
        assert_eq!(
            one_stream(answer),
            "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=msid:porthole audio\r\na=ssrc:7 msid:porthole audio\r\n\
             a=ssrc:7 cname:user1@host\r\nm=application 0 Y webrtc-datachannel\r\na=mid:1\r\n\
             m=video 9 X 96\r\na=mid:2\r\na=msid:porthole video\r\n"
        );
    }
}
