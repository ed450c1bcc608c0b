//! What is accepted of an offer, what is cut out, and what is refused.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod sdp_texts;

use porthole_core::config::settings::Fallback;
use porthole_core::ids::Rendition;
use porthole_core::sdp::choose::{AnswerPlan, Codec, Direction, plan};
use porthole_core::sdp::read::read;
use porthole_core::wire::{Candidate, Reason};

use sdp_texts::{every_offer, offer, say_yes, sections};

const H264: Codec = Codec::Video(Rendition::H264);
const VP8: Codec = Codec::Video(Rendition::Vp8);

#[test]
fn every_recorded_offer_is_accepted_with_the_best_picture_its_browser_has() {
    for name in every_offer() {
        let plan = accepted(&offer(&name));
        let without_h264 = name.starts_with("firefox-esr") || name.contains("without-h264");
        let expected = match () {
            () if name.contains("audio-only") => None,
            () if without_h264 => Some(Rendition::Vp8),
            () => Some(Rendition::H264),
        };
        assert_eq!(plan.rendition, expected, "{name}");
        assert_eq!(plan.media.iter().any(|media| media.codec == Codec::Opus), has_sound(&name), "{name}");
    }
}

#[test]
fn constrained_baseline_in_packetization_mode_1_is_chosen_wherever_it_stands() {
    for (name, number, rtx) in [
        ("chromium-156-recvonly", 108, 109),
        ("chromium-156-own-camera-and-microphone", 108, 109),
        ("chrome-80-as-published-recvonly", 125, 107),
        ("safari-18-as-published-recvonly", 98, 99),
        ("firefox-115-as-published-with-h264", 126, 127),
    ] {
        let plan = accepted(&offer(name));
        let picture = plan.media.iter().find(|media| media.codec == H264).expect(name);
        assert_eq!((picture.payload_type, picture.rtx_payload_type), (number, Some(rtx)), "{name}");
        assert_eq!((picture.clock_rate, picture.direction), (90_000, Direction::SendOnly), "{name}");
        assert_eq!(picture.feedback, ["nack", "nack pli", "ccm fir", "goog-remb"], "{name}");
        assert!(plan.offer.contains("profile-level-id=42e01f"), "{name}");
    }
}

#[test]
fn h264_profiles_are_preferred_in_the_order_in_which_they_fit_our_encoder() {
    let ids = ["42e01f", "42c01f", "42001f", "4d001f", "64001f"];
    for better in 0..ids.len() {
        // The better one stands last.
        let text = with_h264(&ids[better..].iter().rev().map(|id| mode_1(id)).collect::<Vec<_>>());
        let plan = accepted(&text);
        assert!(plan.offer.contains(&format!("profile-level-id={}\r\n", ids[better])), "{}", plan.offer);
    }
    assert!(accepted(&with_h264(&[mode_1("42A01F"), mode_1("42E01F")])).offer.contains("42E01F"));
}

#[test]
fn of_two_alike_the_one_that_lets_levels_differ_is_chosen() {
    let strict = "packetization-mode=1;profile-level-id=42e01f".to_owned();
    let text = with_h264(&[strict.clone(), mode_1("42e01f")]);
    assert_eq!(accepted(&text).media[0].payload_type, 101);
    assert_eq!(accepted(&with_h264(&[strict])).media[0].payload_type, 100);
}

#[test]
fn h264_that_we_cannot_send_is_as_good_as_none() {
    for fmtp in [
        "packetization-mode=0;profile-level-id=42e01f",
        "profile-level-id=42e01f",
        "packetization-mode=1;profile-level-id=f4001f",
        "packetization-mode=1;profile-level-id=42e0",
        "packetization-mode=1;profile-level-id=+2e01f",
        "packetization-mode=1;profile-level-id=zzzzzz",
    ] {
        let text = with_h264(&[fmtp.to_owned()]);
        assert_eq!(plan(&text, Fallback::Vp8).map(|plan| plan.media[0].codec), Ok(VP8), "{fmtp}");
        assert_eq!(plan(&text, Fallback::None), Err(Reason::NoCodec), "{fmtp}");
        assert_eq!(plan(&text.replace("VP8", "VP9"), Fallback::Vp8), Err(Reason::NoCodec), "{fmtp}");
    }
}

#[test]
fn a_browser_without_h264_gets_vp8_only_where_the_camera_makes_it() {
    for name in ["firefox-esr-153-recvonly", "chrome-android-120-as-published-without-h264"] {
        let text = offer(name);
        assert_eq!(plan(&text, Fallback::None), Err(Reason::NoCodec), "{name}");
        assert_eq!(accepted(&text).rendition, Some(Rendition::Vp8), "{name}");
    }
}

#[test]
fn sound_goes_both_ways_where_the_viewer_may_talk() {
    for (name, direction) in [
        ("chromium-156-recvonly", Direction::SendOnly),
        ("chromium-156-recvonly-video-sendrecv-audio", Direction::SendRecv),
        ("chromium-156-own-camera-and-microphone", Direction::SendRecv),
        ("firefox-esr-153-recvonly-video-sendrecv-audio", Direction::SendRecv),
    ] {
        let plan = accepted(&offer(name));
        let sound = plan.media.iter().find(|media| media.codec == Codec::Opus).expect(name);
        assert_eq!((sound.direction, sound.clock_rate), (direction, 48_000), "{name}");
        let picture = plan.media.iter().find(|media| media.codec != Codec::Opus).expect(name);
        assert_eq!(picture.direction, Direction::SendOnly, "{name}: the viewer's own picture is not wanted");
    }
}

#[test]
fn an_offer_without_a_picture_line_is_one_for_sound() {
    for name in ["chromium-156-audio-only", "firefox-esr-153-audio-only"] {
        let plan = accepted(&offer(name));
        assert_eq!((plan.rendition, plan.media.len(), plan.rejected.len()), (None, 1, 0), "{name}");
    }
    let declined = offer("chromium-156-recvonly").replacen("a=recvonly", "a=inactive", 1);
    let plan = accepted(&declined);
    assert_eq!(
        (plan.rendition, plan.media.len(), plan.rejected.len()),
        (None, 1, 1),
        "nor one that asks for none"
    );
}

#[test]
fn a_picture_that_is_asked_for_and_cannot_be_sent_is_not_replaced_by_sound_alone() {
    let text = offer("chromium-156-recvonly").replace("H264/", "H266/").replace("VP8/", "VP9/");
    assert_eq!(plan(&text, Fallback::Vp8), Err(Reason::NoCodec));
    let text = offer("chromium-156-audio-only").replace("opus/", "speex/");
    assert_eq!(plan(&text, Fallback::Vp8), Err(Reason::NoCodec), "nor is sound by nothing");
    let text = offer("chromium-156-recvonly").replace("opus/", "speex/");
    let plan = accepted(&text);
    assert_eq!((plan.media.len(), plan.rejected[0].index), (1, 1), "but a picture without sound will do");
}

#[test]
fn only_the_first_picture_that_asks_is_sent() {
    for (name, cut) in [
        ("chromium-156-two-videos", 1),
        ("firefox-esr-153-two-videos", 1),
        ("chromium-156-stopped-video", 0),
        ("firefox-esr-153-stopped-video", 0),
    ] {
        let plan = accepted(&offer(name));
        let indices: Vec<_> = plan.rejected.iter().map(|rejected| rejected.index).collect();
        assert_eq!(indices, [cut], "{name}");
        assert_eq!(plan.media.len(), 2, "{name}");
    }
    let sendonly = offer("chromium-156-two-videos").replacen("a=recvonly", "a=sendonly", 1);
    assert_eq!(accepted(&sendonly).rejected[0].index, 0, "a line that only sends asks for nothing");
}

#[test]
fn what_is_not_picture_or_sound_is_cut_out() {
    for (name, index) in [
        ("chromium-156-with-data-channel-first", 0),
        ("chromium-156-with-data-channel-last", 2),
        ("firefox-esr-153-max-bundle-data-channel-first", 0),
    ] {
        let plan = accepted(&offer(name));
        let [rejected] = &plan.rejected[..] else { panic!("{name}: {:?}", plan.rejected) };
        assert_eq!((rejected.index, &rejected.mid), (index, &Some(index.to_string())), "{name}");
        assert_eq!(rejected.line, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "{name}");
        assert!(!plan.offer.contains("application"), "{name}");
    }
    let text = offer("chromium-156-with-data-channel-last");
    for line in ["m=text 9 UDP/TLS/RTP/SAVPF 98", "m=image 9 udptl t38", "m=x- 9 whatever/it/is 0"] {
        let plan = accepted(&text.replace("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", line));
        assert_eq!(plan.rejected[0].line, line.replace(" 9 ", " 0 "));
    }
}

#[test]
fn a_line_of_a_protocol_that_is_not_rtp_over_dtls_is_cut_out() {
    let text = offer("chromium-156-audio-first");
    for protocol in ["UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF"] {
        let plan = accepted(&text.replace("UDP/TLS/RTP/SAVPF", protocol));
        assert_eq!(plan.media.len(), 2, "{protocol}");
    }
    for protocol in ["RTP/AVP", "udp", "UDP/DTLS/SCTP"] {
        let plan = accepted(&text.replacen("UDP/TLS/RTP/SAVPF", protocol, 1));
        assert_eq!((plan.media.len(), plan.rejected[0].index), (1, 0), "{protocol}");
    }
}

#[test]
fn a_line_with_port_0_is_rejected_unless_it_takes_its_port_from_the_bundle() {
    let text = offer("chromium-156-audio-first").replacen("m=audio 9", "m=audio 0", 1);
    assert_eq!(accepted(&text).rejected[0].index, 0);
    let plan = accepted(&offer("firefox-esr-153-max-bundle"));
    assert_eq!(plan.media.len(), 2);
    assert!(!plan.offer.contains("bundle-only") && !plan.offer.contains("m=audio 0"), "{}", plan.offer);
}

#[test]
fn a_bundle_only_line_has_its_identity_from_the_tagged_line_even_if_that_is_cut_out() {
    let mut text = sections(&offer("firefox-esr-153-max-bundle-data-channel-first"));
    let tagged = accepted(&text.concat()).ufrag;
    for section in &mut text[2..] {
        assert!(section.contains("a=bundle-only"));
        let kept = section.lines().filter(|line| !line.starts_with("a=ice-") && !line.starts_with("a=setup"));
        *section = kept.map(|line| format!("{line}\r\n")).collect();
    }
    let plan = accepted(&text.concat());
    assert_eq!(plan.ufrag, tagged);
    assert_eq!(read(&plan.offer).expect("sound").media[0].transport.ufrag, Some(tagged.as_str()));

    let own = text.concat().replace("a=bundle-only\r\n", "").replace(" 0 UDP/TLS", " 9 UDP/TLS");
    assert_eq!(plan_error(&own), Reason::BadOffer, "a line with a port of its own needs its own");
}

#[test]
fn a_line_without_a_name_of_its_own_is_cut_out() {
    let text = offer("chromium-156-audio-first");
    for (flaw, text) in [
        ("no mid", text.replacen("a=mid:0\r\n", "", 1)),
        ("empty mid", text.replacen("a=mid:0\r\n", "a=mid:\r\n", 1)),
        ("a mid that is no token", text.replacen("a=mid:0\r\n", "a=mid:a b\r\n", 1)),
        ("two mids", text.replacen("a=mid:0\r\n", "a=mid:0\r\na=mid:7\r\n", 1)),
        ("two directions", text.replacen("a=recvonly", "a=recvonly\r\na=sendrecv", 1)),
        ("RTCP on a port of its own", text.replacen("a=rtcp-mux\r\n", "", 1)),
    ] {
        let plan = accepted(&text);
        assert_eq!((plan.media.len(), plan.rejected[0].index), (1, 0), "{flaw}");
        assert_eq!(plan.media[0].codec, H264, "{flaw}");
    }
    assert_eq!(
        plan_error(&text.replace("a=mid:1", "a=mid:0")),
        Reason::BadOffer,
        "nobody knows which is meant"
    );
    assert_eq!(plan_error(&text.replace("a=mid:1\r\n", "")), Reason::BadOffer, "a picture was asked for");
}

#[test]
fn what_is_accepted_has_to_be_in_one_bundle() {
    let text = offer("chromium-156-recvonly");
    let group = "a=group:BUNDLE 0 1\r\n";
    for other in [
        "",
        "a=group:BUNDLE\r\n",
        "a=group:BUNDLE 0\r\n",
        "a=group:LS 0 1\r\n",
        "a=group:BUNDLE 0\r\na=group:BUNDLE 1\r\n",
    ] {
        assert_eq!(plan_error(&text.replace(group, other)), Reason::NoBundle, "{other:?}");
    }
    let twice = accepted(&text.replace(group, "a=group:BUNDLE 7\r\na=group:BUNDLE 0 0 9 1\r\n"));
    assert_eq!(read(&twice.offer).expect("sound").bundles, [["0", "1"]]);
    let channel = offer("chromium-156-with-data-channel-first").replace("BUNDLE 0 1 2", "BUNDLE 1 2");
    assert_eq!(accepted(&channel).media.len(), 2, "what is cut out need not be in it");
}

#[test]
fn an_identity_that_cannot_be_answered_is_a_bad_offer() {
    let text = offer("chromium-156-recvonly");
    for attribute in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"] {
        let replaced = |with: &str| {
            let lines = text.lines().map(|line| if line.starts_with(attribute) { with } else { line });
            lines.map(|line| format!("{line}\r\n")).collect::<String>()
        };
        for value in ["", "x", "sha-1 00:11", "hold-conn", "../../../../../../../../etc", &"a".repeat(257)] {
            let with = format!("{attribute}{value}");
            assert_eq!(plan_error(&replaced(&with)), Reason::BadOffer, "{with}");
        }
        assert_eq!(plan_error(&replaced("a=nothing")), Reason::BadOffer, "without {attribute}");
    }
    let contradiction = text.replacen("a=ice-ufrag:", "a=ice-ufrag:zzzz\r\na=ice-ufrag:", 1);
    assert_eq!(plan_error(&contradiction), Reason::BadOffer);
    assert_eq!(plan_error(&text.replace("actpass", "holdconn")), Reason::BadOffer);
    for setup in ["active", "passive"] {
        assert!(accepted(&text.replace("actpass", setup)).offer.contains(&format!("a=setup:{setup}\r\n")));
    }
}

#[test]
fn an_identity_of_the_session_counts_for_all_lines() {
    let text = offer("chromium-156-recvonly");
    let is_identity = |line: &&str| {
        ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"].iter().any(|name| line.starts_with(name))
    };
    let sections = sections(&text);
    let identity: String =
        sections[1].lines().filter(is_identity).map(|line| format!("{line}\r\n")).collect();
    let rest: String = sections[1..]
        .concat()
        .lines()
        .filter(|line| !is_identity(line))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let plan = accepted(&format!("{}{identity}{rest}", sections[0]));
    assert_eq!(plan, accepted(&text));
}

#[test]
fn the_sha_256_fingerprint_is_found_among_others() {
    let text = offer("chromium-156-recvonly");
    let several = text.replace("a=fingerprint:", "a=fingerprint:sha-512 00:11\r\na=fingerprint:");
    assert_eq!(accepted(&several), accepted(&text));
    assert_eq!(accepted(&text.replace("sha-256", "SHA-256")), accepted(&text));
}

#[test]
fn of_lines_with_transports_of_their_own_the_first_that_is_accepted_carries_the_bundle() {
    let text = offer("chromium-156-with-data-channel-first");
    let common = accepted(&text).ufrag;
    let mut parts = sections(&text);
    let candidate = |port: u16| format!("a=candidate:1 1 udp 2122260223 192.0.2.2 {port} typ host\r\n");
    for (index, ufrag) in [(1, "aaaa"), (2, "bbbb"), (3, "cccc")] {
        let own = parts[index].replace(&format!("ice-ufrag:{common}"), &format!("ice-ufrag:{ufrag}"));
        parts[index] = own + &candidate(5000 + index as u16);
    }
    let plan = accepted(&parts.concat());
    assert_eq!(plan.ufrag, "bbbb");
    let narrow = read(&plan.offer).expect("sound");
    assert!(narrow.media.iter().all(|media| media.transport.ufrag == Some("bbbb")));
    assert_eq!(plan.offer.matches("a=candidate").count(), 1, "{}", plan.offer);
    assert!(plan.offer.contains(&candidate(5002)));
}

#[test]
fn candidates_of_the_bundle_are_kept_even_those_of_a_line_that_is_cut_out() {
    let text = offer("chromium-156-max-bundle-data-channel-first");
    let plan = accepted(&text);
    assert!(text.matches("a=candidate").count() > 0);
    assert_eq!(plan.offer.matches("a=candidate").count(), text.matches("a=candidate").count());
    let hostile = "a=candidate:\r\na=candidate:1 2 udp 1 192.0.2.2 9 typ host\r\na=candidate:1 1 udp x 192.0.2.2 9 typ host\r\n";
    assert_eq!(accepted(&format!("{text}{hostile}")), plan, "and those that are none are left out");
}

#[test]
fn a_payload_type_that_cannot_be_one_is_never_chosen() {
    for number in ["300", "128", "72", "0", "-1", "1e2"] {
        let text = with_h264(&[mode_1("42e01f")]).replace("100", number);
        assert_eq!(accepted(&text).media[0].codec, VP8, "{number}");
    }
    let twice =
        with_h264(&[mode_1("42e01f")]).replace("a=rtpmap:100", "a=rtpmap:100 VP9/90000\r\na=rtpmap:100");
    assert_eq!(accepted(&twice).media[0].codec, VP8, "one number, two meanings");
    let twice = with_h264(&[mode_1("42e01f")])
        .replace("a=fmtp:100 ", "a=fmtp:100 packetization-mode=1;profile-level-id=64001f\r\na=fmtp:100 ");
    assert_eq!(accepted(&twice).media[0].codec, VP8, "one number, two descriptions");
    let unmapped = with_h264(&[mode_1("42e01f")]).replace("a=rtpmap:100 H264/90000\r\n", "");
    assert_eq!(accepted(&unmapped).media[0].codec, VP8);
}

#[test]
fn sound_does_not_share_a_payload_type_or_an_extension_number_with_the_picture() {
    let text = offer("chromium-156-recvonly");
    let clash = text.replace("SAVPF 111", "SAVPF 108").replace(":111 ", ":108 ");
    let plan = accepted(&clash);
    assert_eq!((plan.media.len(), plan.rejected[0].index), (1, 1));

    let plan = accepted(&text.replacen(
        "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:12 urn:ietf:params:rtp-hdrext:sdes:mid",
        1,
    ));
    assert!(plan.media[1].extensions.is_empty(), "{:?}", plan.media[1].extensions);
}

#[test]
fn of_the_header_extensions_those_of_use_are_kept() {
    let mid = "urn:ietf:params:rtp-hdrext:sdes:mid".to_owned();
    let delay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay".to_owned();
    let time = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time".to_owned();
    for (name, picture) in [
        ("chromium-156-recvonly", [(2, time.clone()), (5, delay.clone()), (9, mid.clone())]),
        ("firefox-esr-153-recvonly", [(3, mid.clone()), (4, time.clone()), (6, delay.clone())]),
    ] {
        let plan = accepted(&offer(name));
        assert_eq!(plan.media[0].extensions, picture, "{name}");
        let kept: Vec<_> = plan.offer.lines().filter(|line| line.starts_with("a=extmap")).collect();
        assert_eq!(kept.len(), 4, "{name}: {kept:?}");
    }
    let text = offer("chromium-156-recvonly");
    for number in ["0", "15", "16", "300", "9/sendonly", "x"] {
        let plan = accepted(&text.replace("a=extmap:9 ", &format!("a=extmap:{number} ")));
        assert_eq!(plan.media[0].extensions, [(2, time.clone()), (5, delay.clone())], "{number}");
    }
    let twice = accepted(&text.replace("a=extmap:9 ", "a=extmap:9 urn:other\r\na=extmap:9 "));
    assert_eq!(twice.media[0].extensions, [(2, time), (5, delay)]);
}

#[test]
fn what_a_viewer_says_that_it_takes_at_most_is_read_in_either_unit() {
    let text = offer("chromium-156-recvonly");
    assert_eq!(accepted(&text).takes, None);
    for (said, takes) in [
        ("AS:400", Some(400)),
        ("TIAS:400000", Some(400)),
        ("X-mine:7", None),
        ("AS:-1", None),
        ("AS:99999999999", None),
    ] {
        let limited = text.replace("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\nb={said}\r\n"));
        assert_eq!(accepted(&limited).takes, takes, "{said}");
        assert!(!accepted(&limited).offer.contains("b="), "{said}");
    }
}

#[test]
fn nothing_of_a_stranger_s_text_gets_past_that_was_not_chosen() {
    let plan = accepted(&offer("chromium-156-own-camera-and-microphone"));
    let narrow = [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=sendrecv",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "m=video 9 UDP/TLS/RTP/SAVPF 108 109",
        "a=mid:1",
        "a=recvonly",
        "a=rtpmap:108 H264/90000",
        "a=rtcp-fb:108 goog-remb",
        "a=fmtp:109 apt=108",
    ];
    for line in narrow {
        assert!(plan.offer.contains(&format!("{line}\r\n")), "{line} is not in {}", plan.offer);
    }
    for word in ["transport-cc", "VP8", "msid", "FID", "extmap-allow-mixed", "rtcp-xr", "a=rtcp:"] {
        assert!(!plan.offer.contains(word), "{word} is in {}", plan.offer);
    }
    assert_eq!(plan.offer.matches("a=ssrc").count(), 1, "the microphone's, by which it is told apart");
    for ssrc in ["0", "4294967296", "x"] {
        let text = offer("firefox-esr-153-own-camera-and-microphone")
            .replace("a=ssrc:", &format!("a=ssrc:{ssrc} cname:x\r\na=x:"));
        assert!(!accepted(&text).offer.contains("a=ssrc"), "{ssrc}");
    }

    let text = offer("chromium-156-recvonly");
    let odd = "media=audio;payload=1;encoding-name=VP8;packetization-mode=1;a b=c;=;\u{e9}=1;max-fs=\"y\";max-fr=30;";
    let odd = text.replace("a=fmtp:108 ", &format!("a=fmtp:108 {odd}"));
    let parameters =
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f;max-fr=30\r\n";
    assert!(accepted(&odd).offer.contains(parameters), "{}", accepted(&odd).offer);
}

#[test]
fn an_offer_without_m_lines_is_a_bad_one_and_one_for_a_data_channel_alone_fits_nothing() {
    let parts = sections(&offer("chromium-156-with-data-channel-first"));
    assert_eq!(plan_error(&parts[0]), Reason::BadOffer);
    assert_eq!(plan_error(&parts[..2].concat()), Reason::NoCodec);
}

#[test]
fn the_planned_offer_is_itself_an_offer_with_the_same_plan() {
    for name in every_offer() {
        let plan = accepted(&offer(&name));
        let again = accepted(&plan.offer);
        assert_eq!((&again.offer, &again.media), (&plan.offer, &plan.media), "{name}");
        assert!(again.rejected.is_empty(), "{name}");
        assert!(plan.finish(&say_yes(&plan.offer)).is_ok(), "{name}");
    }
}

#[test]
fn a_candidate_finds_its_line_by_name_or_number_even_if_that_was_cut_out() {
    let plan = accepted(&offer("chromium-156-with-data-channel-first"));
    let candidate = |mid: Option<&str>, index: Option<u16>, ufrag: Option<&str>| Candidate {
        candidate: "candidate:1 1 udp 2122260223 192.0.2.2 5000 typ host".to_owned(),
        sdp_mid: mid.map(str::to_owned),
        sdp_m_line_index: index,
        username_fragment: ufrag.map(str::to_owned),
    };
    let ufrag = plan.ufrag.as_str();
    for (mid, index, own, line) in [
        (Some("1"), Some(1), Some(ufrag), Some(0)),
        (Some("2"), None, None, Some(1)),
        (Some("0"), Some(0), Some(ufrag), Some(0)),
        (None, Some(0), None, Some(0)),
        (None, Some(1), None, Some(0)),
        (None, Some(2), None, Some(1)),
        (None, Some(3), None, None),
        (Some("7"), Some(1), None, None),
        (None, None, Some(ufrag), None),
        (Some("1"), Some(1), Some("another"), None),
    ] {
        assert_eq!(plan.line_of(&candidate(mid, index, own)), line, "{mid:?} {index:?} {own:?}");
    }
}

fn accepted(text: &str) -> AnswerPlan {
    plan(text, Fallback::Vp8).unwrap_or_else(|reason| panic!("refused as {reason}:\n{text}"))
}

fn plan_error(text: &str) -> Reason {
    plan(text, Fallback::Vp8).expect_err("this offer is to be refused")
}

fn has_sound(name: &str) -> bool {
    !name.contains("video-only")
}

fn mode_1(profile_level_id: &str) -> String {
    format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile_level_id}")
}

/// A Chromium offer whose picture formats are these H.264 ones, numbered from 100, and then VP8 as 99.
fn with_h264(fmtps: &[String]) -> String {
    let mut parts = sections(&offer("chromium-156-recvonly"));
    let described = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "m="];
    let rest = parts[1].lines().filter(|line| !described.iter().any(|start| line.starts_with(start)));
    let rest: String = rest.map(|line| format!("{line}\r\n")).collect();
    let numbers: Vec<_> = (100..100 + fmtps.len()).map(|number| number.to_string()).collect();
    let mut picture =
        format!("m=video 9 UDP/TLS/RTP/SAVPF {} 99\r\n{rest}a=rtpmap:99 VP8/90000\r\n", numbers.join(" "));
    for (number, fmtp) in numbers.iter().zip(fmtps) {
        picture += &format!("a=rtpmap:{number} H264/90000\r\na=fmtp:{number} {fmtp}\r\n");
    }
    parts[1] = picture;
    parts.concat()
}
