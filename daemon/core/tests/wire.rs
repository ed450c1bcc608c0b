//! The golden messages, read and written. The viewer's tests read the same files.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{KeyId, Label, Secret, Stamp};
use porthole_core::ids::{Name, PeerId};
use porthole_core::wire::dialect::{Choice, Known, Tongue};
use porthole_core::wire::{
    Address, Bye, Candidate, Floor, Incoming, May, Mirror, Offer, Outgoing, Reason, Shape, Talk, Unreadable,
    Want, Watcher, What, limits,
};
use serde_json::{Value, json};

// ---- what peers and relays send --------------------------------------------------------------------------------

#[test]
fn our_own_offer_is_read_however_it_is_addressed() {
    for (file, to) in
        [("offer", Some("cam-nursery")), ("offer-to-anyone", None), ("offer-inner-ids", Some("cam-nursery"))]
    {
        let ours = Offer { to: to.map(name), ..offer(Some("viewer-7f3a"), Some("call-1"), Shape::Porthole) };
        assert_eq!(reading(file), Ok(Incoming::Offer(ours)), "{file}");
    }
}

#[test]
fn the_key_and_the_proof_of_an_offer_are_read_beside_the_description_or_inside_it() {
    let golden = golden_payload("offer-with-key");
    let proved = Offer {
        to: Some(name("cam-nursery")),
        key: Some(KeyId::new("grandma").unwrap()),
        proof: Some(golden["proof"].as_str().unwrap().to_owned()),
        ..offer(Some("viewer-7f3a"), Some("call-1"), Shape::Porthole)
    };
    for file in ["offer-with-key", "offer-inner-key"] {
        assert_eq!(reading(file), Ok(Incoming::Offer(proved.clone())), "{file}");
    }
    let mut outer_first = golden;
    outer_first["sdp"]["proof"] = json!("another");
    assert_eq!(read_from(None, "offer", &outer_first), Ok(Incoming::Offer(proved)));
}

#[test]
fn what_can_be_no_key_and_no_proof_is_as_good_as_none() {
    for (key, strange) in [
        ("key", json!("with.dot")),
        ("key", json!("k".repeat(65))),
        ("key", json!(7)),
        ("proof", json!("p".repeat(limits::PROOF_BYTES + 1))),
        ("proof", json!(["p"])),
    ] {
        let mut payload = golden_payload("offer-with-key");
        payload[key] = strange;
        let Ok(Incoming::Offer(offer)) = read_from(None, "offer", &payload) else { panic!("{key}") };
        assert_eq!((offer.key.is_none(), offer.proof.is_none()), (key == "key", key == "proof"));
    }
}

#[test]
fn the_golden_proofs_hold() {
    let (offer, answer) = (golden_payload("offer-with-key"), golden_payload("answer-with-proof"));
    let secret = Secret::new(std::array::from_fn(|index| u8::try_from(index).unwrap()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let [room, viewer, camera, call] = ["room", "from", "to", "call"].map(|key| text(&offer[key]));
    let there = Around { room: &room, from: &viewer, to: &camera, call: &call };
    let back = Around { from: &camera, to: &viewer, ..there };
    let (asked, said) = (text(&offer["sdp"]["sdp"]), text(&answer["sdp"]["sdp"]));
    assert_eq!(proof::of_offer(&secret, there, &asked), text(&offer["proof"]));
    assert_eq!(proof::of_answer(&secret, back, &asked, &said), text(&answer["proof"]));
}

#[test]
fn an_offer_to_another_camera_or_in_another_room_is_misdirected() {
    assert_eq!(reading("offer-to-another-camera"), Ok(Incoming::Misdirected));
    let mut elsewhere = golden_payload("offer");
    elsewhere["room"] = json!("garage");
    assert_eq!(read_from(None, "offer", &elsewhere), Ok(Incoming::Misdirected));
    elsewhere["from"] = json!("cam-nursery");
    assert_eq!(read_from(None, "offer", &elsewhere), Ok(Incoming::Nothing), "our own echo");
}

#[test]
fn a_tutorial_pages_offer_is_read_in_every_spelling() {
    for (file, mirror) in [
        ("tutorial-offer-offer", Mirror::Text),
        ("tutorial-offer-sdp-object", Mirror::Object),
        ("tutorial-offer-sdp-string", Mirror::Text),
        ("tutorial-offer-flat", Mirror::Text),
        ("tutorial-offer-bare", Mirror::Text),
        ("tutorial-offer-room-id", Mirror::Text),
    ] {
        let tutorials = Incoming::Offer(offer(None, None, Shape::Tutorial(mirror)));
        assert_eq!(reading(file), Ok(tutorials), "{file}");
    }
}

#[test]
fn the_bare_text_of_an_sdp_is_an_offer_too() {
    let text = json!(sdp_of("offer"));
    let tutorials = Incoming::Offer(offer(None, None, Shape::Tutorial(Mirror::Text)));
    assert_eq!(read_from(None, "offer", &text), Ok(tutorials));
}

#[test]
fn whom_the_relay_vouches_for_wins_over_what_the_message_says() {
    let vouched = Offer {
        to: Some(name("cam-nursery")),
        ..offer(Some("viewer-real"), Some("call-1"), Shape::Porthole)
    };
    let read = read_from(Some("viewer-real"), "offer", &golden_payload("offer"));
    assert_eq!(read, Ok(Incoming::Offer(vouched.clone())));
    let read = read_from(Some("viewer-real"), "offer", &golden_payload("hostile-offer-from-markup"));
    assert_eq!(read.map(from_of), Ok(vouched.from));
    let read = read_from(Some("anon-1"), "offer", &golden_payload("tutorial-offer-offer"));
    assert_eq!(read, Ok(Incoming::Offer(offer(Some("anon-1"), None, Shape::Tutorial(Mirror::Text)))));
}

#[test]
fn candidates_are_read_in_every_spelling() {
    let line = golden_payload("candidate-viewer")["candidate"]["candidate"].as_str().unwrap().to_owned();
    let candidate = Candidate {
        candidate: line,
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: Some("Zq3v".into()),
    };
    let ours = |candidate| Incoming::Candidate {
        from: Some(name("viewer-7f3a")),
        tag: Some(name("call-1")),
        candidate,
    };
    let bare = |candidate| Incoming::Candidate { from: None, tag: None, candidate };
    assert_eq!(reading("candidate-viewer"), Ok(ours(Some(candidate.clone()))));
    assert_eq!(reading("candidate-viewer-end"), Ok(ours(None)));
    for file in ["tutorial-candidate", "tutorial-ice-candidate", "tutorial-candidate-bare"] {
        assert_eq!(reading(file), Ok(bare(Some(candidate.clone()))), "{file}");
    }
    assert_eq!(reading("tutorial-candidate-bare-end"), Ok(bare(None)));
}

#[test]
fn a_candidate_tells_its_ufrag_in_a_member_or_at_the_end_of_the_line() {
    let mut candidate: Candidate = serde_json::from_value(golden_payload("tutorial-candidate-bare")).unwrap();
    candidate.candidate = candidate.candidate.replace("Zq3v", "line");
    assert_eq!(candidate.ufrag(), Some("Zq3v"));
    candidate.username_fragment = None;
    assert_eq!(candidate.ufrag(), Some("line"));
    candidate.candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host".into();
    assert_eq!(candidate.ufrag(), None);
}

#[test]
fn comings_and_goings_are_read() {
    let (viewer, door) = (name("viewer-7f3a"), name("cam-door"));
    assert_eq!(reading("join-viewer"), Ok(Incoming::Joined { peer: viewer.clone() }));
    assert_eq!(reading("joined"), Ok(Incoming::Joined { peer: viewer.clone() }));
    assert_eq!(reading("tutorial-user-joined"), Ok(Incoming::Joined { peer: viewer.clone() }));
    assert_eq!(reading("left"), Ok(Incoming::Left { peer: viewer.clone() }));
    assert_eq!(reading("tutorial-user-left"), Ok(Incoming::Left { peer: viewer.clone() }));
    assert_eq!(reading("room"), Ok(Incoming::Present { peers: vec![viewer.clone()] }));
    assert_eq!(reading("room-empty"), Ok(Incoming::Present { peers: vec![] }));
    let mut other = golden_payload("left");
    other["from"] = json!("cam-door");
    assert_eq!(read_from(None, "left", &other), Ok(Incoming::Left { peer: door }));
    let bye = Bye {
        from: Some(viewer),
        tag: Some(name("call-1")),
        to_us: true,
        reason: "hang-up".into(),
        proof: None,
    };
    assert_eq!(reading("bye-viewer"), Ok(Incoming::Bye(bye.clone())));
    let proof = Some("VNcwMNIfralohXmjYdv6ryH-AW846rdlxqBS4fJ01Yc".into());
    assert_eq!(reading("bye-viewer-with-proof"), Ok(Incoming::Bye(Bye { proof, ..bye })));
    assert_eq!(
        read_from(Some("anon-1"), "bye", &Value::Null),
        Ok(Incoming::Bye(Bye { from: Some(name("anon-1")), ..Bye::default() }))
    );
}

#[test]
fn a_wish_to_talk_is_read_with_its_proof() {
    let talk = Talk {
        from: name("viewer-7f3a"),
        tag: name("call-1"),
        to_us: true,
        want: Want::Ask,
        turn: 1,
        proof: None,
    };
    assert_eq!(reading("talk"), Ok(Incoming::Talk(talk.clone())));
    let golden = golden_payload("talk-with-proof");
    let proof = golden["proof"].as_str().map(str::to_owned);
    let proved = Talk { want: Want::Take, turn: 7, proof: proof.clone(), ..talk };
    assert_eq!(reading("talk-with-proof"), Ok(Incoming::Talk(proved)));
    let secret = Secret::new(std::array::from_fn(|index| u8::try_from(index).unwrap()));
    let around = Around { room: "porthole", from: "viewer-7f3a", to: "cam-nursery", call: "call-1" };
    assert_eq!(Some(proof::of_talk(&secret, around, "take", 7)), proof);
}

#[test]
fn our_own_echo_and_what_a_camera_says_is_nothing() {
    for file in [
        "join-camera",
        "joined-camera",
        "left-camera",
        "answer",
        "answer-with-proof",
        "watching",
        "watching-nobody",
        "watching-nameless",
        "floor",
        "floor-yours",
        "floor-taken",
        "floor-no-speaker",
        "candidate-camera",
        "candidate-camera-end",
        "bye-camera",
        "refused",
        "notice-camera-lost",
        "notice-camera-back",
        "notice-sound-lost",
        "notice-sound-back",
        "notice-privacy-on",
        "notice-privacy-off",
        "notice-picture-full",
        "notice-picture-small",
        "notice-picture-small-here",
        "notice-picture-none",
        "notice-to-viewer",
        "tutorial-answer-sdp-string",
        "tutorial-answer-sdp-object",
        "tutorial-join-string",
        "tutorial-join-object",
    ] {
        assert_eq!(reading(file), Ok(Incoming::Nothing), "{file}");
    }
}

#[test]
fn a_message_about_another_room_is_nothing() {
    let mut bye = golden_payload("bye-viewer");
    bye["room"] = json!("garage");
    assert_eq!(read_from(None, "bye", &bye), Ok(Incoming::Nothing));
    let mut room = golden_payload("room");
    room["room"] = json!("garage");
    assert_eq!(read_from(None, "room", &room), Ok(Incoming::Nothing));
}

// ---- what strangers send ---------------------------------------------------------------------------------------

#[test]
fn a_hostile_offer_is_unreadable_and_says_whom_to_tell() {
    let (viewer, tag) = (Some("viewer-7f3a"), Some("call-1"));
    for (file, from, call) in [
        ("hostile-offer-nothing", None, None),
        ("hostile-offer-number", None, None),
        ("hostile-offer-list", None, None),
        ("hostile-offer-deep", None, None),
        ("hostile-offer-no-sdp", viewer, tag),
        ("hostile-offer-sdp-number", viewer, tag),
        ("hostile-offer-sdp-empty", viewer, tag),
        ("hostile-offer-sdp-nul", viewer, tag),
        ("hostile-offer-is-answer", viewer, tag),
        ("hostile-offer-from-markup", None, tag),
        ("hostile-offer-from-number", None, tag),
        ("hostile-offer-call-object", viewer, None),
    ] {
        assert_eq!(reading(file), unreadable(from, call, Reason::BadOffer, true), "{file}");
    }
}

#[test]
fn other_hostile_messages_are_unreadable_and_nobody_waits_for_a_reply() {
    let (viewer, tag) = (Some("viewer-7f3a"), Some("call-1"));
    for (file, from, call) in [
        ("hostile-candidate-number", viewer, tag),
        ("hostile-candidate-index", viewer, tag),
        ("hostile-candidate-line-break", viewer, tag),
        ("hostile-bye-list", None, None),
        ("hostile-joined-number", None, None),
        ("hostile-talk-want", viewer, tag),
        ("hostile-talk-turn", viewer, tag),
    ] {
        assert_eq!(reading(file), unreadable(from, call, Reason::BadMessage, false), "{file}");
    }
    for file in ["hostile-room-peers-number", "hostile-notice-nothing"] {
        assert_eq!(reading(file), Ok(Incoming::Nothing), "{file}");
    }
}

#[test]
fn what_is_too_large_is_called_so() {
    let (viewer, tag) = (Some("viewer-7f3a"), Some("call-1"));
    let mut huge = golden_payload("offer");
    huge["sdp"]["sdp"] = json!("v=0\r\n".repeat(limits::SDP_BYTES / 5 + 1));
    assert_eq!(read_from(None, "offer", &huge), unreadable(viewer, tag, Reason::TooLarge, true));
    for (key, longest) in [
        ("candidate", limits::CANDIDATE_BYTES),
        ("sdpMid", limits::MID_BYTES),
        ("usernameFragment", limits::UFRAG_BYTES),
    ] {
        let mut long = golden_payload("candidate-viewer");
        let text = |length: usize| format!("candidate:{}", "1".repeat(length - 10));
        long["candidate"][key] = json!(text(longest));
        assert!(read_from(None, "candidate", &long).is_ok(), "{key}");
        long["candidate"][key] = json!(text(longest + 1));
        assert_eq!(
            read_from(None, "candidate", &long),
            unreadable(viewer, tag, Reason::TooLarge, false),
            "{key}"
        );
    }
    let crowd: Vec<_> = (0..limits::ROOM_PEERS + 9).map(|n| json!({ "from": format!("peer-{n}") })).collect();
    let Ok(Incoming::Present { peers }) = read_from(None, "room", &json!({ "peers": crowd })) else {
        panic!()
    };
    assert_eq!(peers.len(), limits::ROOM_PEERS);
}

#[test]
fn any_member_of_any_message_may_be_anything() {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("é".repeat(99)),
        json!([]),
        json!([[[]]]),
        json!({}),
        json!({ "sdp": {} }),
        json!({ "type": [] }),
        json!({ "candidate": {} }),
    ];
    for file in every_file() {
        let golden = golden(&file);
        for value in &strange {
            let _ = read_from(None, &golden.event, value);
            let Some(outer) = golden.payload.as_object() else { continue };
            for key in outer.keys() {
                let mut payload = golden.payload.clone();
                payload[key] = value.clone();
                let read = read_from(Some("viewer-7f3a"), &golden.event, &payload);
                if let Err(why) = read {
                    assert_eq!(why.from, Some(name("viewer-7f3a")), "{file} {key} {value}");
                }
                for inner in outer[key].as_object().into_iter().flat_map(|inner| inner.keys()) {
                    let mut payload = golden.payload.clone();
                    payload[key][inner] = value.clone();
                    let _ = read_from(None, &golden.event, &payload);
                }
            }
        }
    }
}

// ---- what the camera says --------------------------------------------------------------------------------------

#[test]
fn the_camera_writes_exactly_the_golden_messages() {
    let address = Address {
        room: name("porthole"),
        from: name("cam-nursery"),
        to: Some(name("viewer-7f3a")),
        call: Some(name("call-1")),
    };
    let anonymous = Address { to: Some(name("anon-1")), call: None, ..address.clone() };
    let sdp = sdp_of("answer");
    let candidate: Candidate =
        serde_json::from_value(golden_payload("candidate-camera")["candidate"].clone()).unwrap();
    let (room, me) = (&address.room, &address.from);
    let proof = golden_payload("answer-with-proof")["proof"].as_str().unwrap().to_owned();
    let viewer = Address { call: None, ..address.clone() };
    let watcher = |name: &str, since| Watcher { name: Label::new(name).ok(), since: Stamp(since) };
    let watchers = [watcher("Großmutters Telefon 📱", 1_800_000_000), watcher("dad", 1_800_000_042)];
    let nameless = watchers.clone().map(|watcher| Watcher { name: None, ..watcher });
    let floor = |may, yours, talkers: &[Option<&str>], turn| {
        let name = |name: &Option<&str>| name.and_then(|name| Label::new(name).ok());
        Outgoing::floor(&address, &Floor { may, yours, talkers: talkers.iter().map(name).collect(), turn })
    };
    for (file, written) in [
        ("floor", floor(May::Talk, false, &[], 0)),
        ("floor-yours", floor(May::Manage, true, &[None], 3)),
        ("floor-taken", floor(May::NotAllowed, false, &[Some("Großmutters Telefon 📱")], 0)),
        ("floor-no-speaker", floor(May::NoSpeaker, false, &[], 0)),
        ("join-camera", Outgoing::join(room, me, "Nursery")),
        ("answer", Outgoing::answer(&address, Shape::Porthole, &sdp)),
        ("tutorial-answer-sdp-string", Outgoing::answer(&anonymous, Shape::Tutorial(Mirror::Text), &sdp)),
        ("tutorial-answer-sdp-object", Outgoing::answer(&anonymous, Shape::Tutorial(Mirror::Object), &sdp)),
        ("candidate-camera", Outgoing::candidate(&address, Some(&candidate))),
        ("candidate-camera-end", Outgoing::candidate(&address, None)),
        ("bye-camera", Outgoing::bye(&address, Reason::CameraLost)),
        ("bye-revoked-key", Outgoing::bye(&address, Reason::RevokedKey)),
        (
            "bye-camera-with-proof",
            Outgoing::proved_bye(&address, Reason::RevokedKey, "lrfDi0PGic_OsnCZmmccSPZy2lhmxKhHsrpZfZVZrjI"),
        ),
        ("refused", Outgoing::refused(&address, Reason::Busy)),
        ("refused-not-allowed", Outgoing::refused(&address, Reason::NotAllowed)),
        ("refused-expired-key", Outgoing::refused(&address, Reason::ExpiredKey)),
        ("answer-with-proof", Outgoing::proved_answer(&address, &sdp, &proof)),
        ("watching", Outgoing::watching(&viewer, &watchers)),
        ("watching-nobody", Outgoing::watching(&viewer, &[])),
        ("watching-nameless", Outgoing::watching(&viewer, &nameless)),
        ("notice-camera-lost", Outgoing::notice(room, me, What::CameraLost)),
        ("notice-camera-back", Outgoing::notice(room, me, What::CameraBack)),
        ("notice-sound-lost", Outgoing::notice(room, me, What::SoundLost)),
        ("notice-sound-back", Outgoing::notice(room, me, What::SoundBack)),
        ("notice-privacy-on", Outgoing::notice(room, me, What::PrivacyOn)),
        ("notice-privacy-off", Outgoing::notice(room, me, What::PrivacyOff)),
        ("notice-picture-full", Outgoing::notice_to(&address, What::PictureFull)),
        ("notice-picture-small", Outgoing::notice_to(&address, What::PictureSmall)),
        ("notice-picture-small-here", {
            let mut notice = Outgoing::notice_to(&address, What::PictureSmall);
            notice.is_on_their_side();
            notice
        }),
        ("notice-picture-none", Outgoing::notice_to(&address, What::PictureNone)),
        ("notice-to-viewer", Outgoing::notice_to(&address, What::CameraLost)),
    ] {
        let golden = golden(file);
        assert_eq!(
            (&*written.event, &written.args),
            (golden.event.as_str(), &vec![golden.payload.clone()]),
            "{file}"
        );
        let to = golden.payload.get("to").map(|to| name(to.as_str().unwrap()));
        assert_eq!(written.to, to, "{file}");
    }
}

#[test]
fn the_answer_to_nobody_in_particular_names_nobody() {
    let address = Address { room: name("porthole"), from: name("cam-nursery"), to: None, call: None };
    let answer = Outgoing::answer(&address, Shape::Tutorial(Mirror::Text), "v=0\r\n");
    assert_eq!(answer.to, None);
    let mut keys: Vec<_> = answer.payload().as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["answer", "from", "room", "roomId", "sdp", "type"]);
    assert!(!address.reaches_somebody());
}

#[test]
fn every_reason_has_a_word_of_its_own_that_is_read_back() {
    let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert_eq!(serde_json::from_value::<Reason>(json!(reason.word())).unwrap(), *reason);
        assert!(!reason.sentence().is_empty());
    }
}

#[test]
fn every_golden_file_is_an_event_with_a_payload_and_a_comment() {
    for file in every_file() {
        let text = fs::read_to_string(directory().join(format!("{file}.json"))).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let keys: BTreeSet<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["comment", "event", "payload"]), "{file}");
    }
}

// ---- the small language of these tests -------------------------------------------------------------------------

struct Golden {
    event: String,
    payload: Value,
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

fn every_file() -> Vec<String> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let names: Vec<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.len() > 50);
    names
}

fn golden(file: &str) -> Golden {
    let text = fs::read_to_string(directory().join(format!("{file}.json"))).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    Golden { event: value["event"].as_str().unwrap().to_owned(), payload: value["payload"].clone() }
}

fn golden_payload(file: &str) -> Value {
    golden(file).payload
}

fn sdp_of(file: &str) -> String {
    golden_payload(file)["sdp"]["sdp"].as_str().unwrap().to_owned()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn reading(file: &str) -> Result<Incoming, Unreadable> {
    let golden = golden(file);
    read_from(None, &golden.event, &golden.payload)
}

fn read_from(sender: Option<&str>, event: &str, payload: &Value) -> Result<Incoming, Unreadable> {
    let sender: Option<PeerId> = sender.map(name);
    let mut tongue = Tongue::new(&Choice::Known(Known::Porthole));
    let args = std::slice::from_ref(payload);
    tongue.read(sender.as_ref(), &name("cam-nursery"), &name("porthole"), event, args).message
}

/// The golden offer without an addressee and a key.
fn offer(from: Option<&str>, tag: Option<&str>, shape: Shape) -> Offer {
    let (from, tag) = (from.map(name), tag.map(name));
    Offer { from, tag, to: None, key: None, proof: None, sdp: sdp_of("offer"), shape }
}

fn from_of(incoming: Incoming) -> Option<PeerId> {
    if let Incoming::Offer(offer) = incoming { offer.from } else { None }
}

fn unreadable(
    from: Option<&str>,
    tag: Option<&str>,
    reason: Reason,
    offer: bool,
) -> Result<Incoming, Unreadable> {
    Err(Unreadable { from: from.map(name), tag: tag.map(name), reason, offer })
}
