//! Turns webrtcbin's answer to the narrow offer into the answer to the offer that came.
//! Must not decide anything: whatever is not as planned is a fault.

use super::choose::{AnswerPlan, Codec, Direction, MediaPlan, Rejected};
use super::formats::{ESTIMATE, PLAYOUT_DELAY, parameter, parameters};
use super::read::{self, Media, Offer, Way};
use super::transport;
use crate::ids::Rendition;

/// What of H.264's parameters an answer has to repeat (RFC 6184 section 8.2.2).
const H264_PARAMETERS: [&str; 3] = ["level-asymmetry-allowed", "packetization-mode", "profile-level-id"];

/// The finished answer; `None` if `answer` does not answer `plan.offer`.
pub(super) fn finish(plan: &AnswerPlan, answer: &str) -> Option<String> {
    let offered = read::read(&plan.offer).ok()?;
    let answered = read::read(answer).ok()?;
    check(plan, &answered)?;

    let mut blocks = blocks(answer);
    let session = blocks.next()?;
    let mut finished: Vec<String> = Vec::new();
    let mut grouped = false;
    for line in session {
        if line.starts_with("a=group:BUNDLE") {
            grouped = true;
            finished.push(format!("a=group:BUNDLE {}", offered.bundles.first()?.join(" ")));
        } else {
            finished.push(line.to_owned());
        }
    }
    if !grouped {
        return None;
    }
    let mut accepted = plan.media.iter().zip(&offered.media).zip(&answered.media).zip(blocks);
    let mut rejected = plan.rejected.iter().peekable();
    for index in 0..plan.media.len() + plan.rejected.len() {
        if let Some(cut) = rejected.next_if(|cut| cut.index == index) {
            finished.extend(rejection(cut));
        } else {
            let (((plan, offered), answered), block) = accepted.next()?;
            finished.extend(acceptance(plan, offered, answered, &block));
        }
    }
    finished.push(String::new());
    Some(finished.join("\r\n"))
}

/// `Some` if the answer accepts exactly what was planned.
fn check(plan: &AnswerPlan, answered: &Offer<'_>) -> Option<()> {
    let bundle = answered.bundles.first()?;
    let carrier = answered.media.first()?;
    let same = answered.media.len() == plan.media.len()
        && answered.media.iter().zip(&plan.media).all(|(media, plan)| {
            let number = plan.payload_type.to_string();
            media.mid == Some(plan.mid.as_str())
                && bundle.contains(&plan.mid.as_str())
                && media.port != 0
                && media.formats.contains(&number.as_str())
                && match plan.direction {
                    Direction::SendOnly => media.way == Way::SendOnly,
                    Direction::SendRecv => matches!(media.way, Way::SendOnly | Way::SendRecv),
                }
        });
    transport::identify(answered, carrier, None).ok()?;
    same.then_some(())
}

/// The lines of the session, then those of each m-line.
fn blocks(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut lines = text.lines().filter(|line| !line.is_empty()).peekable();
    std::iter::from_fn(move || {
        let mut block = vec![lines.next()?];
        while let Some(line) = lines.next_if(|line| !line.starts_with("m=")) {
            block.push(line);
        }
        Some(block)
    })
}

/// A rejected m-line (RFC 3264 section 6, RFC 9143 section 7.3.3).
fn rejection(cut: &Rejected) -> Vec<String> {
    let mut lines = vec![cut.line.clone(), "c=IN IP4 0.0.0.0".to_owned(), "a=inactive".to_owned()];
    lines.extend(cut.mid.as_ref().map(|mid| format!("a=mid:{mid}")));
    lines
}

/// An accepted m-line, with the protocol the viewer used, and repeating what it has to repeat.
fn acceptance(plan: &MediaPlan, offered: &Media<'_>, answered: &Media<'_>, block: &[&str]) -> Vec<String> {
    let mut lines = vec![format!(
        "m={} {} {} {}",
        offered.kind,
        answered.port,
        offered.protocol,
        answered.formats.join(" ")
    )];
    let fmtp = format!("a=fmtp:{} ", plan.payload_type);
    let h264 = plan.codec == Codec::Video(Rendition::H264);
    for line in block.iter().skip(1).filter(|line| !(h264 && line.starts_with(&fmtp))) {
        lines.push(extension_towards_viewer(line).unwrap_or_else(|| (*line).to_owned()));
    }
    // webrtcbin says nothing of what it leaves to others.
    let estimate = format!("a=rtcp-fb:{} {ESTIMATE}", plan.payload_type);
    if plan.feedback.iter().any(|value| value == ESTIMATE) && !lines.contains(&estimate) {
        lines.push(estimate);
    }
    if h264 {
        let repeated = H264_PARAMETERS
            .into_iter()
            .filter_map(|name| Some((name, parameter(offered, plan.payload_type, name)?)));
        let own = parameters(answered, plan.payload_type)
            .into_iter()
            .filter(|(name, _)| H264_PARAMETERS.iter().all(|repeated| !repeated.eq_ignore_ascii_case(name)));
        let all: Vec<_> = repeated.chain(own).map(|(name, value)| format!("{name}={value}")).collect();
        lines.push(format!("{fmtp}{}", all.join(";")));
    }
    lines
}

/// The playout delay is only ever written by the camera, and some browsers offer it only that way.
fn extension_towards_viewer(line: &str) -> Option<String> {
    let (number, uri) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
    (uri == PLAYOUT_DELAY).then(|| {
        let id = number.split('/').next().unwrap_or(number);
        format!("a=extmap:{id}/sendonly {uri}")
    })
}
