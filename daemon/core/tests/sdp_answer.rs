//! From webrtcbin's answer to the answer a browser gets. The answers are recorded ones, each made by webrtcbin
//! 1.22 for the plan of the recorded offer it is named after.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod sdp_texts;

use std::path::Path;

use porthole_core::config::settings::Fallback;
use porthole_core::sdp::choose::{AnswerPlan, Codec, plan};
use porthole_core::sdp::read::{Way, read};
use porthole_core::wire::Reason;

use sdp_texts::{every_offer, offer, say_yes, sections};

#[test]
fn every_m_line_of_the_offer_has_one_in_the_answer_at_the_same_place() {
    for (name, offered, answered) in recorded() {
        let planned = plan(&offered, Fallback::Vp8).expect(&name);
        let finished = planned.finish(&answered).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let (theirs, ours) = (read(&offered).expect(&name), read(&finished).expect(&name));
        assert_eq!(theirs.media.len(), ours.media.len(), "{name}");
        for (their, our) in theirs.media.iter().zip(&ours.media) {
            assert_eq!((their.kind, their.mid, their.protocol), (our.kind, our.mid, our.protocol), "{name}");
        }
        assert!(finished.ends_with("\r\n") && !finished.replace("\r\n", "").contains(['\r', '\n']), "{name}");
    }
}

#[test]
fn a_line_that_was_cut_out_is_rejected_and_out_of_the_bundle() {
    for (name, index, bundle) in [
        ("chromium-156-with-data-channel-first", 0, ["1", "2"]),
        ("chromium-156-with-data-channel-last", 2, ["0", "1"]),
        ("chromium-156-two-videos", 1, ["0", "2"]),
        ("firefox-esr-153-max-bundle-data-channel-first", 0, ["1", "2"]),
    ] {
        let (planned, answered) = recorded_plan(name);
        let finished = planned.finish(&answered).expect(name);
        let parts = sections(&finished);
        assert_eq!(
            parts[index + 1],
            format!("{}\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:{index}\r\n", planned.rejected[0].line)
        );
        assert!(parts[index + 1].contains(" 0 "), "{name}");
        assert_eq!(read(&finished).expect(name).bundles, [bundle], "{name}");
    }
}

#[test]
fn an_h264_answer_repeats_the_format_that_was_chosen() {
    for (name, number) in [
        ("chromium-156-recvonly", 108),
        ("safari-18-as-published-recvonly", 98),
        ("firefox-115-as-published-with-h264", 126),
    ] {
        let (planned, answered) = recorded_plan(name);
        let line = format!(
            "a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
        );
        assert!(!answered.contains(&line), "{name}: webrtcbin says it by itself");
        let finished = planned.finish(&answered).expect(name);
        assert_eq!(finished.matches(&line).count(), 1, "{name}");
        assert_eq!(finished.matches(&format!("a=fmtp:{number} ")).count(), 1, "{name}");

        let other = format!("a=fmtp:{number} packetization-mode=0;profile-level-id=64001f;max-fs=8160\r\n");
        let answered = answered.replacen("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\n{other}"), 1);
        let finished = planned.finish(&answered).expect(name);
        assert!(finished.contains(line.replace("\r\n", ";max-fs=8160\r\n").as_str()), "{name}: {finished}");
        assert_eq!(finished.matches(&format!("a=fmtp:{number} ")).count(), 1, "{name}");
    }
}

#[test]
fn what_webrtcbin_says_of_its_own_stays() {
    let (planned, answered) = recorded_plan("chromium-156-recvonly");
    let finished = planned.finish(&answered).expect("as planned");
    for line in
        answered.lines().filter(|line| !line.contains("playout-delay") && !line.starts_with("a=fmtp:108"))
    {
        assert!(finished.contains(line), "{line}");
    }
    assert!(answered.contains("a=candidate:"));
}

#[test]
fn that_estimates_are_heard_is_said_where_they_were_offered() {
    let (planned, answered) = recorded_plan("chromium-156-recvonly");
    let finished = planned.finish(&answered).expect("as planned");
    assert!(!answered.contains("goog-remb"), "webrtcbin leaves that to others");
    assert_eq!(finished.matches("a=rtcp-fb:108 goog-remb\r\n").count(), 1, "{finished}");
    assert_eq!(finished.matches("goog-remb").count(), 1);
}

#[test]
fn the_playout_delay_is_said_to_go_to_the_viewer_only() {
    for name in ["chromium-156-recvonly", "firefox-esr-153-recvonly"] {
        let (planned, answered) = recorded_plan(name);
        let finished = planned.finish(&answered).expect(name);
        let number =
            planned.media[0].extensions.iter().find(|(_, uri)| uri.ends_with("playout-delay")).expect(name).0;
        assert!(finished.contains(&format!("a=extmap:{number}/sendonly http://")), "{name}: {finished}");
    }
}

#[test]
fn the_answer_uses_the_protocol_the_viewer_used() {
    let text = offer("chromium-156-recvonly").replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF");
    let planned = plan(&text, Fallback::Vp8).expect("as older browsers write it");
    let answered = say_yes(&planned.offer).replace("RTP/SAVPF", "UDP/TLS/RTP/SAVPF");
    let finished = planned.finish(&answered).expect("as planned");
    assert!(read(&finished).expect("sound").media.iter().all(|media| media.protocol == "RTP/SAVPF"));
}

#[test]
fn an_answer_that_is_not_the_one_planned_for_is_a_failure() {
    for (name, _, _) in recorded() {
        let (planned, answered) = recorded_plan(&name);
        let parts = sections(&answered);
        let number = planned.media[0].payload_type;
        let flaws = [
            ("empty", String::new()),
            ("no m-lines", parts[0].clone()),
            ("an m-line less", parts[..parts.len() - 1].concat()),
            ("an m-line more", answered.clone() + &parts[1]),
            ("another mid", answered.replacen("a=mid:", "a=mid:x", 1)),
            ("no bundle", answered.replace("a=group:", "a=x:")),
            (
                "an empty bundle",
                answered
                    .replace("BUNDLE", "BUNDLE x")
                    .lines()
                    .map(|line| if line.starts_with("a=group") { "a=group:BUNDLE" } else { line })
                    .map(|line| format!("{line}\r\n"))
                    .collect(),
            ),
            (
                "a rejected m-line",
                parts[0].clone() + &parts[1].replacen(" 9 ", " 0 ", 1) + &parts[2..].concat(),
            ),
            ("another payload type", answered.replacen(&format!("SAVPF {number}"), "SAVPF 34", 1)),
            ("no media", answered.replace("a=sendonly", "a=inactive").replace("a=sendrecv", "a=inactive")),
            (
                "media the wrong way",
                answered.replace("a=sendonly", "a=recvonly").replace("a=sendrecv", "a=recvonly"),
            ),
            ("no fingerprint", answered.replace("a=fingerprint:", "a=x:")),
            ("no user name", answered.replace("a=ice-ufrag:", "a=x:")),
        ];
        for (flaw, text) in flaws {
            assert_ne!(text, answered, "{name}: {flaw}");
            assert_eq!(planned.finish(&text), Err(Reason::Failed), "{name}: {flaw}");
        }
    }
}

#[test]
fn where_the_viewer_does_not_talk_the_answer_must_not_listen() {
    let (planned, answered) = recorded_plan("chromium-156-recvonly");
    assert_eq!(planned.finish(&answered.replace("a=sendonly", "a=sendrecv")), Err(Reason::Failed));
    let (planned, answered) = recorded_plan("chromium-156-own-camera-and-microphone");
    let finished = planned.finish(&answered).expect("as planned");
    let sound = planned.media.iter().position(|media| media.codec == Codec::Opus).expect("there is sound");
    assert_eq!(read(&finished).expect("sound").media[sound].way, Way::SendRecv);
}

/// Name, offer and answer of every recorded answer.
fn recorded() -> Vec<(String, String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let names = every_offer().into_iter().filter_map(|name| {
        let path = directory.join(format!("webrtcbin-1.22-to-{name}.sdp"));
        let answer = std::fs::read_to_string(path).ok()?;
        let text = offer(&name);
        Some((name, text, answer))
    });
    let all: Vec<_> = names.collect();
    assert!(all.len() >= 10, "answers are missing");
    all
}

fn recorded_plan(name: &str) -> (AnswerPlan, String) {
    let found = recorded().into_iter().find(|(own, _, _)| own == name);
    let (_, offered, answered) = found.unwrap_or_else(|| panic!("no answer to {name}"));
    (plan(&offered, Fallback::Vp8).expect(name), answered)
}
