//! Which answers to an offer of ours are taken, and what of them webrtcbin gets to see.
#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::sdp::accept::{Accepted, judge};
use porthole_core::sdp::choose::{Codec, Direction};
use porthole_core::sdp::read;
use porthole_core::wire::{Reason, limits};

// ---- what is taken ---------------------------------------------------------------------------------------------

#[test]
fn an_answer_that_takes_picture_and_sound_is_taken_with_its_numbers() {
    for rendition in [H264, Vp8] {
        let accepted = judge(&our_offer(rendition), &their_answer(rendition)).unwrap();
        let [Some(picture), Some(sound)] = &accepted.media[..] else { panic!("{accepted:?}") };
        assert_eq!((picture.codec, picture.payload_type), (Codec::Video(rendition), 96));
        assert_eq!((picture.rtx_payload_type, picture.direction), (Some(97), Direction::SendOnly));
        assert_eq!(picture.feedback, ["nack", "nack pli"]);
        assert_eq!(
            (sound.codec, sound.payload_type, sound.direction),
            (Codec::Opus, 98, Direction::SendRecv)
        );
        assert_eq!((accepted.rendition(), accepted.ufrag.as_str()), (Some(rendition), "Zq3v"));
    }
}

#[test]
fn webrtcbin_gets_an_answer_of_our_own_words() {
    let answer = their_answer(H264).replace(
        "a=rtcp-fb:96 nack\r\n",
        "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 goog-remb\r\na=x-strange:1\r\ni=\u{e9}\r\na=fmtp:96 evil=1\r\n",
    );
    // Two descriptions of one payload type are one too many.
    assert_eq!(judge(&our_offer(H264), &answer), Err(Reason::NoCodec));
    let answer = answer.replace("a=fmtp:96 evil=1\r\n", "");
    let accepted = judge(&our_offer(H264), &answer).unwrap();
    for stranger in ["goog-remb", "x-strange", "\u{e9}"] {
        assert!(!accepted.answer.contains(stranger), "{}", accepted.answer);
    }
    assert_eq!(accepted, judge(&our_offer(H264), &their_answer(H264)).unwrap());
    let read = read::read(&accepted.answer).unwrap();
    assert_eq!(read.media.len(), 2);
    assert_eq!(read.media[0].candidates.len(), 1);
    assert_eq!(read.bundles, [["video0", "audio1"]]);
    assert!(read.media.iter().all(|media| media.transport.setup == Some("active")));
}

#[test]
fn an_answer_judged_is_an_answer_that_is_taken_again() {
    for answer in [their_answer(H264), refusing_sound(&their_answer(H264))] {
        let first = judge(&our_offer(H264), &answer).unwrap();
        assert_eq!(judge(&our_offer(H264), &first.answer).unwrap(), first);
    }
}

#[test]
fn sound_that_is_not_wanted_is_left_out_and_its_place_kept() {
    let accepted = judge(&our_offer(H264), &refusing_sound(&their_answer(H264))).unwrap();
    assert!(matches!(&accepted.media[..], [Some(_), None]));
    let read = read::read(&accepted.answer).unwrap();
    assert_eq!((read.media[1].port, read.media[1].mid), (0, Some("audio1")));
    assert_eq!(read.bundles, [["video0"]]);
    for strange in ["a=sendonly", "a=inactive"] {
        let answer = their_answer(H264).replace("a=sendrecv", strange);
        assert!(matches!(&judge(&our_offer(H264), &answer).unwrap().media[..], [Some(_), None]), "{strange}");
    }
}

#[test]
fn a_viewer_that_only_listens_does_not_talk() {
    let accepted = judge(&our_offer(H264), &their_answer(H264).replace("a=sendrecv", "a=recvonly")).unwrap();
    assert_eq!(accepted.media[1].as_ref().unwrap().direction, Direction::SendOnly);
}

#[test]
fn candidates_find_their_line() {
    let accepted = judge(&our_offer(H264), &their_answer(H264)).unwrap();
    let of = |accepted: &Accepted, mid: Option<&str>, index: Option<u16>, ufrag: Option<&str>| {
        let mut line = line(1);
        line.sdp_mid = mid.map(Into::into);
        line.sdp_m_line_index = index;
        line.username_fragment = ufrag.map(Into::into);
        accepted.line_of(&line)
    };
    assert_eq!(of(&accepted, Some("audio1"), None, Some("Zq3v")), Some(1));
    assert_eq!(of(&accepted, None, Some(1), None), Some(1));
    assert_eq!(of(&accepted, None, Some(2), None), None);
    assert_eq!(of(&accepted, None, None, None), None);
    assert_eq!(of(&accepted, Some("video0"), Some(0), Some("other")), None);
    let quiet = judge(&our_offer(H264), &refusing_sound(&their_answer(H264))).unwrap();
    assert_eq!(of(&quiet, Some("audio1"), None, None), Some(0), "the bundle has one transport");
    assert_eq!(of(&quiet, None, Some(1), None), Some(0));
}

#[test]
fn what_chromium_answers_to_webrtcbins_own_offers_is_taken() {
    for (offer, answer, rendition, sound) in [
        (
            include_str!("accepts/offer-webrtcbin-1.22-h264.sdp"),
            include_str!("accepts/chromium-156-h264-all.sdp"),
            H264,
            true,
        ),
        (
            include_str!("accepts/offer-webrtcbin-1.22-h264.sdp"),
            include_str!("accepts/chromium-156-h264-without-sound.sdp"),
            H264,
            false,
        ),
        (
            include_str!("accepts/offer-webrtcbin-1.22-vp8.sdp"),
            include_str!("accepts/chromium-156-vp8-all.sdp"),
            Vp8,
            true,
        ),
    ] {
        let accepted = judge(offer, answer).unwrap();
        assert_eq!((accepted.rendition(), accepted.media[1].is_some()), (Some(rendition), sound));
        let read = read::read(&accepted.answer).unwrap();
        assert!(!read.media[0].candidates.is_empty());
        // webrtcbin takes no answer in which an m-line lacks one of these, rejected or not.
        for media in &read.media {
            let lines = &media.transport;
            assert!(
                media.mid.is_some() && lines.ufrag.is_some() && lines.pwd.is_some() && lines.setup.is_some()
            );
            assert_eq!(lines.fingerprints.len(), 1);
        }
    }
}

// ---- what is refused -------------------------------------------------------------------------------------------

#[test]
fn an_answer_that_takes_no_picture_of_ours_has_no_codec() {
    for answer in [
        refusing_picture(&their_answer(H264)),
        their_answer(H264).replace("a=recvonly", "a=inactive"),
        their_answer(H264).replace("a=recvonly", "a=sendonly"),
        their_answer(H264).replace("H264/90000", "H265/90000"),
        their_answer(H264).replace("packetization-mode=1", "packetization-mode=0"),
        their_answer(Vp8),
        their_answer(H264).replace("96", "100"),
    ] {
        assert_eq!(judge(&our_offer(H264), &answer), Err(Reason::NoCodec), "{answer}");
    }
}

#[test]
fn an_answer_that_does_not_fit_the_offer_is_bad() {
    let answer = their_answer(H264);
    let (picture, sound) = answer.split_at(answer.find("m=audio").unwrap());
    let (session, picture) = picture.split_at(picture.find("m=video").unwrap());
    for wrong in [
        String::new(),
        "v=0\r\n".to_owned(),
        "rubbish".to_owned(),
        format!("{session}{picture}"),
        format!("{session}{sound}{picture}"),
        format!("{session}{picture}{sound}{sound}"),
        answer.replace("a=mid:video0", "a=mid:other"),
        answer.replace("a=mid:audio1", "a=mid:video0"),
        answer.replace("a=rtcp-mux\r\n", ""),
        answer.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        answer.replace("a=setup:active", "a=setup:actpass"),
        answer.replace("a=setup:active", "a=setup:holdconn"),
        answer.replace("a=setup:active\r\n", ""),
        answer.replace("a=ice-ufrag:Zq3v", "a=ice-ufrag:Z"),
        answer.replace("a=ice-ufrag:Zq3v\r\n", ""),
        answer.replace("a=ice-pwd:Wd8bYt5RkQz2LxNf7HsPg0Vj", "a=ice-pwd:short"),
        answer.replace("sha-256", "sha-1"),
        answer.replace("3C:3C", "3C:3"),
    ] {
        assert_eq!(judge(&our_offer(H264), &wrong), Err(Reason::BadAnswer), "{wrong}");
    }
    assert_eq!(
        judge(&our_offer(H264), &answer.replace("a=group:BUNDLE", "a=group:LS")),
        Err(Reason::NoBundle)
    );
    let apart = answer.replace("a=group:BUNDLE video0 audio1", "a=group:BUNDLE video0");
    assert_eq!(judge(&our_offer(H264), &apart), Err(Reason::NoBundle));
    let huge = answer.clone() + &"a=x\r\n".repeat(limits::SDP_LINES);
    assert_eq!(judge(&our_offer(H264), &huge), Err(Reason::TooLarge));
    assert_eq!(judge("v=0", &answer), Err(Reason::Failed), "our own offer is broken");
}

#[test]
fn an_answer_with_any_line_lost_doubled_or_cut_is_judged_without_harm() {
    let answer = their_answer(H264);
    let lines: Vec<_> = answer.lines().collect();
    let mut taken = 0;
    for index in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(index);
        let mut doubled = lines.clone();
        doubled.insert(index, lines[index]);
        let cut = &lines[index][..lines[index].len() / 2];
        let mut shortened = lines.clone();
        shortened[index] = cut;
        for text in [without, doubled, shortened] {
            let text = text.join("\r\n") + "\r\n";
            if let Ok(accepted) = judge(&our_offer(H264), &text) {
                taken += 1;
                let read = read::read(&accepted.answer).unwrap();
                assert_eq!(read.media.len(), 2);
                assert_eq!(accepted.rendition(), Some(H264));
            }
        }
    }
    assert!(taken > 20, "{taken}");
}

fn refusing_sound(answer: &str) -> String {
    answer
        .replace("m=audio 9", "m=audio 0")
        .replace("a=group:BUNDLE video0 audio1", "a=group:BUNDLE video0")
        .replace("a=sendrecv", "a=inactive")
}
