//! Reading an SDP: what is taken from it, and what is not even looked at.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod sdp_texts;

use porthole_core::sdp::read::{Way, read, ufrag};
use porthole_core::sdp::same_offer;
use porthole_core::wire::Reason;
use porthole_core::wire::limits::{SDP_BYTES, SDP_LINES, SDP_MEDIA};

use sdp_texts::{every_offer, offer, say_yes, sections};

const SESSION: &str = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

#[test]
fn every_recorded_offer_can_be_read_and_its_m_lines_are_all_there() {
    for name in every_offer() {
        let text = offer(&name);
        let read = read(&text).expect(&name);
        assert_eq!(read.media.len(), sections(&text).len() - 1, "{name}");
        assert!(read.media.iter().all(|media| media.mid.is_some()), "{name}");
        assert_eq!(ufrag(&text), read.media[0].transport.ufrag, "{name}");
    }
}

#[test]
fn an_m_line_is_read_with_all_that_belongs_to_it() {
    let text = offer("chromium-156-with-data-channel-first");
    let read = read(&text).expect("a real offer");
    assert_eq!(read.bundles, [["0", "1", "2"]]);
    let channel = &read.media[0];
    assert_eq!(
        (channel.kind, channel.protocol, channel.sctp_port),
        ("application", "UDP/DTLS/SCTP", Some("5000"))
    );
    let picture = &read.media[1];
    assert_eq!((picture.index, picture.kind, picture.port, picture.mid), (1, "video", 9, Some("1")));
    assert_eq!((picture.way, picture.rtcp_mux, picture.rtcp_rsize), (Way::RecvOnly, true, true));
    assert!(picture.rtpmaps.contains(&(108, "H264/90000")));
    assert!(picture.fmtps.contains(&(109, "apt=108")));
    assert!(picture.feedback.contains(&("108", "nack pli")));
    assert!(
        picture.extensions.iter().any(|extension| extension.id == 9 && extension.uri.ends_with("sdes:mid"))
    );
    assert_eq!(picture.transport.setup, Some("actpass"));
    assert_eq!(read.media[2].formats[..2], ["111", "63"]);
}

#[test]
fn a_direction_of_the_session_counts_for_m_lines_without_one() {
    let media = "m=audio 9 RTP/SAVPF 111\r\n";
    let text = format!("{SESSION}a=recvonly\r\n{media}{media}a=sendonly\r\n");
    let ways =
        |text: &str| read(text).expect("sound").media.iter().map(|media| media.way).collect::<Vec<_>>();
    assert_eq!(ways(&text), [Way::RecvOnly, Way::SendOnly]);
    assert_eq!(ways(&format!("{SESSION}{media}")), [Way::SendRecv], "as RFC 8866 has it");
}

#[test]
fn lines_may_end_without_a_carriage_return() {
    let text = offer("firefox-esr-153-recvonly");
    assert_eq!(read(&text.replace('\r', "")), read(&text));
}

#[test]
fn a_text_that_is_no_sdp_is_a_bad_offer() {
    let media = "m=audio 9 RTP/SAVPF 111\r\n";
    for text in [
        String::new(),
        "\r\n".to_owned(),
        "{\"type\":\"offer\"}".to_owned(),
        format!(" {SESSION}"),
        SESSION.replace("v=0", "v=1"),
        SESSION.replace("v=0\r\n", ""),
        SESSION.replace("o=- 1 2 IN IP4 0.0.0.0\r\n", ""),
        SESSION.replace("o=- 1", "o=- x"),
        SESSION.replace("o=- 1", "o=- 123456789012345678901"),
        format!("{SESSION}o=- 1 2 IN IP4 0.0.0.0\r\n"),
        format!("{SESSION}v=0\r\n"),
        SESSION.replace("s=-", "s=\0"),
        SESSION.replace("s=-", "s=a\rb"),
        SESSION.replace("s=-", "s"),
        SESSION.replace("s=-", "session=-"),
        SESSION.replace("s=-", "=-"),
        format!("{SESSION}m=\r\n"),
        format!("{SESSION}{}", media.replace(" 111", "")),
        format!("{SESSION}{}", media.replace(" 9", " 65536")),
        format!("{SESSION}{}", media.replace(" 9", " 9/2")),
        format!("{SESSION}{}", media.replace("audio", "aüdio")),
        format!("{SESSION}{}", media.replace("RTP", "RTP\u{e9}")),
    ] {
        assert_eq!(read(&text).err(), Some(Reason::BadOffer), "{text:?}");
    }
    assert!(read(&format!("{SESSION}{media}")).is_ok(), "and the same without a flaw is read");
}

#[test]
fn a_text_at_a_bound_is_read_and_one_past_it_is_too_large() {
    let of_bytes = |bytes: usize| format!("{SESSION}i={}\r\n", "x".repeat(bytes - SESSION.len() - 4));
    assert!(read(&of_bytes(SDP_BYTES)).is_ok());
    assert_eq!(read(&of_bytes(SDP_BYTES + 1)).err(), Some(Reason::TooLarge));
    assert_eq!(ufrag(&format!("a=ice-ufrag:abcd\r\n{}", of_bytes(SDP_BYTES))), None);

    let of_lines = |lines: usize| format!("{SESSION}{}", "a=x\r\n".repeat(lines - 4));
    assert!(read(&of_lines(SDP_LINES)).is_ok());
    assert_eq!(read(&of_lines(SDP_LINES + 1)).err(), Some(Reason::TooLarge));

    let of_media = |lines: usize| format!("{SESSION}{}", "m=text 9 RTP/SAVPF 98\r\n".repeat(lines));
    assert!(read(&of_media(SDP_MEDIA)).is_ok());
    assert_eq!(read(&of_media(SDP_MEDIA + 1)).err(), Some(Reason::TooLarge));
}

#[test]
fn two_values_for_one_thing_contradict_and_the_same_twice_does_not() {
    let media = |lines: &str| {
        format!("{SESSION}m=audio 9 RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\na=ice-ufrag:abcd\r\n{lines}")
    };
    let read = |text: &str| {
        let read = read(text).expect("sound");
        (read.media[0].contradicts, read.media[0].transport.contradicts)
    };
    assert_eq!(read(&media("a=mid:0\r\na=recvonly\r\na=ice-ufrag:abcd\r\n")), (false, false));
    assert_eq!(read(&media("a=mid:1\r\n")), (true, false));
    assert_eq!(read(&media("a=sendonly\r\n")), (true, false));
    assert_eq!(read(&media("a=ice-ufrag:efgh\r\n")), (false, true));
}

#[test]
fn an_offer_with_candidates_added_is_the_same_and_any_other_change_makes_another() {
    let first = offer("chromium-156-recvonly");
    assert!(same_offer(&first, &first));
    assert!(same_offer(
        &first,
        &format!("{first}a=candidate:1 1 udp 2122260223 192.0.2.2 5000 typ host\r\n")
    ));

    let mut swapped = sections(&first);
    swapped.swap(1, 2);
    let fingerprint = read(&first).expect("sound").media[0].transport.fingerprints[0].to_owned();
    let changed = fingerprint.replace(&fingerprint[8..10], "00");
    assert_ne!(fingerprint, changed);
    for (what, second) in [
        ("m-lines swapped", swapped.concat()),
        ("another fingerprint", first.replace(&fingerprint, &changed)),
        ("another direction", first.replacen("a=recvonly", "a=inactive", 1)),
        ("ICE restart", first.replace("a=ice-ufrag:", "a=ice-ufrag:x")),
        ("another session", offer("chromium-156-audio-first")),
        ("an m-line less", sections(&first)[..2].concat()),
        ("rubbish", "rubbish".to_owned()),
    ] {
        assert!(!same_offer(&first, &second), "{what}");
    }
}

#[test]
fn an_answer_is_read_like_an_offer() {
    let text = say_yes(&offer("safari-18-as-published-recvonly"));
    assert!(read(&text).expect("sound").media.iter().all(|media| media.way == Way::SendOnly));
}
