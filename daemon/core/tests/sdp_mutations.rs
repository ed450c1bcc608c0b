//! Offers with every kind of damage: never a panic, and whatever is accepted still has all that webrtcbin needs.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod sdp_texts;

use std::collections::HashSet;

use porthole_core::config::settings::Fallback;
use porthole_core::ids::Rendition;
use porthole_core::sdp::choose::{AnswerPlan, Codec, plan};
use porthole_core::sdp::read::{Way, read, ufrag};
use porthole_core::sdp::same_offer;

use sdp_texts::{every_offer, offer, say_yes, sections};

/// Offers different enough from each other for the mutations that are many.
const FEW: [&str; 4] = [
    "chromium-156-own-camera-and-microphone",
    "firefox-esr-153-max-bundle-data-channel-first",
    "safari-18-as-published-recvonly",
    "chromium-156-max-bundle-data-channel-first",
];

/// What a stranger may put where a value belongs.
const HOSTILE: [&str; 14] = [
    "",
    " ",
    "0",
    "-1",
    "300",
    "99999999999999999999999",
    "%s%n",
    "\0",
    "\u{e9}\u{1F980}",
    "a b c d",
    ":::::",
    "/",
    "*",
    "\u{202e}",
];

#[test]
fn an_offer_that_lacks_any_one_line_does_no_harm() {
    let accepted = count_accepted(every_offer().iter().flat_map(|name| {
        let text = offer(name);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        (0..lines.len()).map(move |gone| {
            join(lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| line))
        })
    }));
    assert!(accepted > 1000, "only {accepted} were accepted");
}

#[test]
fn an_offer_that_says_any_one_line_twice_does_no_harm() {
    let accepted = count_accepted(FEW.iter().flat_map(|name| {
        let text = offer(name);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        (0..lines.len()).map(move |twice| {
            let repeated = lines
                .iter()
                .enumerate()
                .flat_map(|(at, line)| std::iter::repeat_n(line, 1 + usize::from(at == twice)));
            join(repeated)
        })
    }));
    assert!(accepted > 300, "only {accepted} were accepted");
}

#[test]
fn an_offer_with_its_m_lines_in_any_order_does_no_harm() {
    let accepted = count_accepted(every_offer().iter().flat_map(|name| {
        let parts = sections(&offer(name));
        let pairs: Vec<_> =
            (1..parts.len()).flat_map(|one| (1..one).map(move |other| (one, other))).collect();
        pairs.into_iter().map(move |(one, other)| {
            let mut parts = parts.clone();
            parts.swap(one, other);
            parts.concat()
        })
    }));
    assert!(accepted > 25, "only {accepted} were accepted");
}

#[test]
fn an_offer_cut_off_anywhere_does_no_harm() {
    for name in FEW {
        let text = offer(name);
        count_accepted((0..text.len()).step_by(11).map(|end| text[..end].to_owned()));
    }
}

#[test]
fn an_offer_with_a_hostile_value_anywhere_does_no_harm() {
    let accepted = count_accepted(FEW.iter().flat_map(|name| {
        let text = offer(name);
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        (0..lines.len()).flat_map(move |at| {
            let lines = lines.clone();
            HOSTILE.into_iter().map(move |value| {
                let mut lines = lines.clone();
                let line = &mut lines[at];
                let start = line.find([':', '=']).map_or(0, |colon| colon + 1);
                line.truncate(start);
                line.push_str(value);
                join(lines.iter())
            })
        })
    }));
    assert!(accepted > 1000, "only {accepted} were accepted");
}

#[test]
fn an_offer_with_random_bytes_changed_does_no_harm() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for name in FEW {
        let text = offer(name);
        let mutated: Vec<_> = (0..600)
            .map(|_| {
                let mut bytes = text.clone().into_bytes();
                for _ in 0..=random.below(8) {
                    let at = random.below(bytes.len());
                    match random.below(4) {
                        0 => bytes[at] = random.below(256) as u8,
                        1 => bytes[at] = b"0123456789:=/ \r\n;-"[random.below(18)],
                        2 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, random.below(128) as u8),
                    }
                }
                String::from_utf8_lossy(&bytes).into_owned()
            })
            .collect();
        let accepted = count_accepted(mutated.into_iter());
        assert!(accepted > 10, "{name}: only {accepted} were accepted");
    }
}

#[test]
fn lines_of_all_offers_thrown_together_do_no_harm() {
    let lines: Vec<String> = every_offer()
        .iter()
        .flat_map(|name| offer(name).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..1000 {
        let drawn: Vec<_> = (0..random.below(120)).map(|_| &lines[random.below(lines.len())]).collect();
        let head = ["v=0".to_owned(), "o=- 1 1 IN IP4 0.0.0.0".to_owned(), "a=group:BUNDLE 0 1 2".to_owned()];
        check(&join(head.iter().chain(drawn)));
    }
}

/// How many of these were accepted, each of them checked.
fn count_accepted(texts: impl Iterator<Item = String>) -> usize {
    texts.filter(|text| check(text)).count()
}

/// Plans an answer; if there is one, it has to be sound. `true` if there is.
fn check(text: &str) -> bool {
    let _ = ufrag(text);
    assert!(same_offer(text, text));
    match plan(text, Fallback::Vp8) {
        Ok(plan) => {
            assert_sound(&plan, text);
            true
        }
        Err(_) => false,
    }
}

fn assert_sound(plan: &AnswerPlan, text: &str) {
    let offered = read(text).expect("what is accepted can be read");
    let narrow = read(&plan.offer).unwrap_or_else(|reason| panic!("{reason}:\n{}", plan.offer));
    assert!(plan.offer.is_ascii() && !plan.media.is_empty(), "{}", plan.offer);
    assert_eq!(narrow.media.len(), plan.media.len());
    assert_eq!(offered.media.len(), plan.media.len() + plan.rejected.len());
    assert!(plan.rejected.is_sorted_by(|one, next| one.index < next.index));

    let mids: HashSet<_> = plan.media.iter().map(|media| media.mid.as_str()).collect();
    assert_eq!(mids.len(), plan.media.len(), "mids are unique");
    let [bundle] = &narrow.bundles[..] else { panic!("one bundle: {}", plan.offer) };
    assert_eq!(bundle.len(), mids.len());
    assert_eq!(bundle.iter().copied().collect::<HashSet<_>>(), mids, "the bundle is over what is accepted");

    let mut numbers = HashSet::new();
    let pictures: Vec<Rendition> = plan
        .media
        .iter()
        .filter_map(|media| match media.codec {
            Codec::Video(rendition) => Some(rendition),
            Codec::Opus => None,
        })
        .collect();
    assert!(pictures.len() <= 1 && plan.media.len() - pictures.len() <= 1);
    assert_eq!(pictures.first().copied(), plan.rendition);
    for (line, media) in narrow.media.iter().zip(&plan.media) {
        assert_eq!((line.mid, line.port, line.rtcp_mux), (Some(media.mid.as_str()), 9, true));
        assert!(matches!(line.way, Way::RecvOnly | Way::SendRecv));
        assert!(line.transport.ufrag == Some(plan.ufrag.as_str()) && plan.ufrag.len() >= 4);
        assert!(line.transport.pwd.is_some_and(|pwd| pwd.len() >= 22));
        assert!(matches!(line.transport.fingerprints[..], [one] if one.len() == "sha-256 ".len() + 95));
        assert!(line.transport.setup.is_some() && !line.transport.contradicts && !line.contradicts);
        let own: Vec<u8> = [Some(media.payload_type), media.rtx_payload_type].into_iter().flatten().collect();
        assert_eq!(line.formats, own.iter().map(u8::to_string).collect::<Vec<_>>());
        assert_eq!(line.rtpmaps.iter().map(|(number, _)| *number).collect::<Vec<_>>(), own);
        assert!(own.iter().all(|number| *number <= 127 && numbers.insert(*number)), "{own:?}");
        if media.codec == Codec::Video(Rendition::H264) {
            assert!(line.fmtps[0].1.contains("packetization-mode=1"));
        }
    }

    let finished =
        plan.finish(&say_yes(&plan.offer)).unwrap_or_else(|reason| panic!("{reason}:\n{}", plan.offer));
    let answer = read(&finished).unwrap_or_else(|reason| panic!("{reason}:\n{finished}"));
    assert_eq!(answer.media.len(), offered.media.len());
    for (their, our) in offered.media.iter().zip(&answer.media) {
        let cut = plan.rejected.iter().any(|rejected| rejected.index == their.index);
        assert_eq!((their.kind, their.protocol, cut), (our.kind, our.protocol, our.port == 0));
        assert!(cut || our.mid == their.mid);
    }
}

fn join<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines.fold(String::new(), |text, line| text + line + "\r\n")
}

/// Marsaglia's xorshift: the same damage every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}
