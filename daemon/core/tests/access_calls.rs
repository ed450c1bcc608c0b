//! Who is let in where keys decide, and what their calls become when the keys do.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::keys::*;
use desk::*;
use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyRing, Label, Role, Stamp};
use porthole_core::command::{Command, Level};
use porthole_core::config::settings::Access;
use porthole_core::event::{AccessEvent, Event};
use porthole_core::ids::CallId;
use porthole_core::path::Path;
use porthole_core::sdp::choose::{Codec, Direction};
use porthole_core::status::{CaptureState, Holder, Viewer};
use porthole_core::switchboard::Relay;
use porthole_core::wire::dialect::Choice;
use porthole_core::wire::{Outgoing, Reason, limits};
use serde_json::{Value, json};

// ---- who is let in ---------------------------------------------------------------------------------------------

#[test]
fn whoever_proves_a_key_is_answered_with_a_proof_of_the_same_key() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed(std::slice::from_ref(&grandma));
    let knock = Knock::new(&grandma, "anna", "1");
    desk.expect(knock.event(), [StartCapture, StartRendition(H264), answer_to(1, knock.sdp(), true)]);
    let answered = desk.answered(1);
    let commands = desk.on(answered);
    let [Command::Send(Outgoing { event, args, .. })] = &commands[..] else { panic!("{commands:?}") };
    let payload = &args[0];
    let around = Around { room: ROOM, from: ME, to: "anna", call: "1" };
    let text = payload["sdp"]["sdp"].as_str().unwrap();
    let proof = proof::of_answer(&grandma.secret, around, knock.sdp(), text);
    assert_eq!(event, "answer");
    assert_eq!((&payload["proof"], &payload["sdp"]["proof"]), (&json!(proof), &json!(proof)));
    assert_eq!(desk.board.status().refusals.len(), 0);
}

#[test]
fn an_offer_that_survives_only_inside_its_description_is_as_good() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let mut knock = Knock::new(&grandma, "anna", "1").unvouched();
    knock.payload = knock.payload["sdp"].clone();
    assert_eq!(desk.on(knock.event()).len(), 3);
    assert_eq!(desk.board.status().calls, 1);
}

#[test]
fn whatever_a_relay_changes_breaks_the_proof_and_costs_no_call() {
    let (grandma, thief) = (key("grandma"), key("thief"));
    let honest = || Knock::new(&grandma, "anna", "1").unvouched();
    let fingerprint = |sdp: &str| sdp.replacen("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:", 1);
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    for (what, knock) in [
        ("no key", honest().strip("key")),
        ("no proof", honest().strip("proof")),
        ("neither, to force open access", honest().strip("key").strip("proof")),
        ("nobody in particular is called", honest().strip("to")),
        ("a key nobody knows", Knock::new(&thief, "anna", "1").unvouched()),
        (
            "somebody else's key id",
            Knock::new(&thief, "anna", "1").unvouched().change("key", json!("grandma")),
        ),
        ("another sender", honest().change("from", json!("mallory"))),
        ("another call", honest().change("call", json!("2"))),
        ("another fingerprint", honest().describe(fingerprint)),
        ("one byte more", honest().describe(|sdp| format!("{sdp} "))),
        ("an empty proof", honest().change("proof", json!(""))),
        ("no text for a proof", honest().change("proof", json!(7))),
        ("more than a proof", honest().change("proof", json!("A".repeat(9000)))),
        ("a proof with padding", Knock { payload: padded(&honest().payload), ..honest() }),
        ("no text for a key", honest().change("key", json!({}))),
    ] {
        eprintln!("{what}");
        desk.refuses(&knock, Reason::NotAllowed);
    }
    assert_eq!((desk.board.status().calls, desk.board.status().capture), (0, CaptureState::Idle));
    desk.answers(&honest());
}

#[test]
fn where_a_relay_tells_nobody_who_is_there_an_offer_may_be_for_nobody_in_particular_once() {
    let grandma = key("grandma");
    let around = Around { room: ROOM, from: "anna", to: "", call: "1" };
    let knock = || Knock::to(&grandma, around, &chromium(&ufrag("anna", "1"))).strip("to");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let id = desk.answers(&knock().unvouched());
    desk.refuses(&knock().unvouched().change("to", json!(ME)), Reason::NotAllowed);
    let mut bye = good_bye(&grandma, "anna", "", "1", "hang-up");
    bye.as_object_mut().unwrap().remove("to");
    desk.on(says(Some("anna"), "bye", bye));
    desk.on(closed(id));
    desk.refuses(&knock().unvouched(), Reason::NotAllowed);

    let mut own = Desk::keyed(std::slice::from_ref(&grandma));
    own.refuses(&knock(), Reason::NotAllowed);
}

#[test]
fn an_offer_for_another_camera_or_room_is_counted_and_nobody_is_told() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let sdp = chromium("anna");
    for around in [
        Around { room: ROOM, from: "anna", to: "cam-door", call: "1" },
        Around { room: "garage", from: "anna", to: ME, call: "1" },
    ] {
        desk.ignores(Knock::to(&grandma, around, &sdp).unvouched().event());
    }
    assert_eq!((desk.refusals(Reason::NotAllowed), desk.noted()), (2, vec![]));
    // A relay that makes them fit breaks their proof.
    let to_door = Around { room: ROOM, from: "anna", to: "cam-door", call: "1" };
    let moved = Knock::to(&grandma, to_door, &sdp).unvouched().change("to", json!(ME));
    desk.refuses(&moved, Reason::NotAllowed);
    let in_garage = Around { room: "garage", from: "anna", to: ME, call: "1" };
    let mut moved = Knock::to(&grandma, in_garage, &sdp).unvouched();
    moved.payload["room"] = json!(ROOM);
    desk.refuses(&moved, Reason::NotAllowed);
}

#[test]
fn pages_that_know_nothing_of_keys_are_refused_and_never_called() {
    let mut desk = Desk::keyed(&[key("grandma")]);
    let refusal = Command::Send(Outgoing::refused(&address(Some("anon-1"), None), Reason::NotAllowed));
    desk.expect(tutorial_offer(Some("anon-1"), &chromium("tuto")), [refusal]);
    let mut desk = Desk::keyed_with(&[key("grandma")], |settings| {
        settings.relay = Relay::Foreign { dialect: Choice::Auto, calls: 1 };
    });
    desk.on(up());
    for event in ["welcome", "start_call", "otherjoin", "ready", "user-joined"] {
        desk.ignores(says_all(event, vec![]));
        desk.ignores(says_all(event, vec![json!(ROOM), json!("socket-1")]));
    }
}

#[test]
fn no_stranger_talks_the_camera_out_of_the_dialect_that_keys_need() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_with(std::slice::from_ref(&grandma), |settings| {
        settings.relay = Relay::Foreign { dialect: Choice::Auto, calls: 1 };
    });
    desk.on(up());
    for event in ["welcome", "webrtc_offer", "otherjoin", "created", "got user media"] {
        desk.on(says_all(event, vec![json!(ROOM)]));
    }
    desk.answers(&Knock::new(&grandma, "anna", "1").unvouched());
}

#[test]
fn as_long_as_keys_or_date_are_not_known_nobody_is_let_in_or_told_that_the_key_is_wrong() {
    let grandma = key("grandma");
    let knock = || Knock::new(&grandma, "anna", "1").unvouched();
    let keyed = || {
        Desk::with(|settings| (settings.room.access, settings.relay) = (Access::Keys, porthole_elsewhere()))
    };
    let mut desk = keyed();
    desk.refuses(&knock(), Reason::ShuttingDown);
    desk.ignores(date(TODAY));
    desk.refuses(&knock(), Reason::ShuttingDown);
    let mut desk = keyed();
    desk.ignores(keys(std::slice::from_ref(&grandma)));
    desk.refuses(&knock(), Reason::ShuttingDown);
    desk.ignores(date(TODAY));
    desk.answers(&knock());
}

#[test]
fn keys_that_are_over_are_refused_with_a_word_of_their_own() {
    let guest = Key { until: Some(later(60)), ..key("guest") };
    let old = Key { until: Some(TODAY), ..key("old") };
    let lost = key("lost");
    let held = [guest.clone(), old.clone(), lost.clone()];
    let mut desk = Desk::keyed(&held);
    desk.ignores(without(&held, &lost));
    desk.refuses(&Knock::new(&lost, "thief", "1"), Reason::RevokedKey);
    desk.refuses(&Knock::new(&old, "olga", "1"), Reason::ExpiredKey);
    let id = desk.live_with(&Knock::new(&guest, "gerd", "1"));
    desk.on(leaves(&guest, "gerd", "1"));
    desk.on(closed(id));
    desk.sleep(secs(60));
    desk.refuses(&Knock::new(&guest, "gerd", "2"), Reason::ExpiredKey);
}

#[test]
fn where_keys_do_not_decide_they_are_not_looked_at() {
    for mut desk in [Desk::local(), Desk::open()] {
        desk.ignores(date(TODAY));
        desk.ignores(keys(&[key("grandma")]));
        let knock = Knock::new(&key("stranger"), "anna", "1");
        let id = desk.answers(&knock);
        let answered = desk.answered(id);
        let answer =
            desk.answer_message(id, &address(Some("anna"), Some("1")), porthole_core::wire::Shape::Porthole);
        desk.expect(answered, [answer.clone()]);
        desk.on(connected(id));
        desk.ignores(keys(&[]));
        desk.expect(knock.event(), [answer]);
        let status = desk.board.status();
        assert_eq!((status.live, status.viewers[0].holder.as_ref()), (1, None));
        desk.ignores(Knock::new(&key("grandma"), "bert", "1").change("to", json!("cam-door")).event());
        assert_eq!(desk.board.status().refusals.len(), 0);
    }
}

#[test]
fn a_key_that_only_watches_is_not_heard() {
    let talking = include_str!("offers/chromium-156-recvonly-video-sendrecv-audio.sdp");
    for (role, direction) in [
        (Role::Watch, Direction::SendOnly),
        (Role::Talk, Direction::SendRecv),
        (Role::Manage, Direction::SendRecv),
    ] {
        let held = Key { role, ..key("grandma") };
        let mut desk = Desk::keyed(std::slice::from_ref(&held));
        let id = desk.answers(&Knock::with_sdp(&held, "anna", "1", talking));
        let plan = &desk.plans[&porthole_core::ids::CallId(id)];
        let sound = plan.media.iter().find(|media| media.codec == Codec::Opus).unwrap();
        assert_eq!(sound.direction, direction, "{role}");
        let to_webrtcbin = if direction == Direction::SendOnly { 2 } else { 1 };
        assert_eq!(plan.offer.matches("a=recvonly").count(), to_webrtcbin, "{role}: {}", plan.offer);
        let answered = desk.answered(id);
        assert_eq!(desk.on(answered).len(), 1, "{role}");
    }
}

// ---- what is repeated ------------------------------------------------------------------------------------------

#[test]
fn the_very_same_offer_has_the_same_answer_while_its_call_goes_on_and_none_later() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let knock = Knock::new(&grandma, "anna", "1").unvouched();
    let id = desk.answers(&knock);
    desk.ignores(knock.event());
    let answered = desk.answered(id);
    let answer = desk.on(answered);
    desk.expect(knock.event(), answer.clone());
    desk.on(connected(id));
    desk.expect(knock.event(), answer);
    desk.on(leaves(&grandma, "anna", "1"));
    desk.refuses(&knock, Reason::NotAllowed);
    desk.on(closed(id));
    desk.refuses(&knock, Reason::NotAllowed);
    assert_eq!(desk.board.status().calls, 0);
}

#[test]
fn an_offer_that_was_refused_is_not_taken_when_somebody_repeats_it() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed_with(&held, |settings| {
        (settings.room.max_calls, settings.relay) = (1, porthole_elsewhere());
    });
    desk.live_with(&Knock::new(&held[1], "uwe", "1").unvouched());
    let knock = Knock::new(&held[0], "anna", "1").unvouched();
    desk.refuses(&knock, Reason::Busy);
    desk.on(leaves(&held[1], "uwe", "1"));
    for _ in 0..2 * limits::OFFERS_PER_WINDOW {
        desk.refuses(&knock, Reason::NotAllowed);
    }
    desk.answers(&Knock::new(&held[0], "anna", "2").unvouched());
}

#[test]
fn an_offer_recorded_elsewhere_is_worth_nothing() {
    let grandma = key("grandma");
    let recorded = Knock::new(&grandma, "anna", "1").unvouched();
    Desk::keyed_elsewhere(std::slice::from_ref(&grandma)).live_with(&recorded);
    // After a restart the camera has another peer id; so has another camera with the same keys.
    let mut restarted = Desk::keyed_with(std::slice::from_ref(&grandma), |settings| {
        (settings.me, settings.relay) = (name("cam-again"), porthole_elsewhere());
    });
    restarted.ignores(recorded.event());
    let commands = restarted.on(recorded.clone().change("to", json!("cam-again")).event());
    assert!(matches!(&commands[..], [Command::Send(refused)] if refused.event == "refused"), "{commands:?}");
    let mut other_room = Desk::keyed_with(std::slice::from_ref(&grandma), |settings| {
        (settings.room.room, settings.relay) = (name("garage"), porthole_elsewhere());
    });
    other_room.ignores(recorded.event());
    let mut moved = recorded;
    moved.payload["room"] = json!("garage");
    let commands = other_room.on(moved.event());
    assert!(matches!(&commands[..], [Command::Send(refused)] if refused.event == "refused"), "{commands:?}");
    for desk in [restarted, other_room] {
        assert_eq!((desk.refusals(Reason::NotAllowed), desk.board.status().calls), (2, 0));
    }
}

#[test]
fn repeating_an_offer_uses_up_nothing_of_its_key() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let knock = Knock::new(&grandma, "anna", "1").unvouched();
    let id = desk.answers(&knock);
    let answered = desk.answered(id);
    let answer = desk.on(answered);
    for _ in 0..limits::OFFERS_PER_WINDOW {
        desk.expect(knock.event(), answer.clone());
    }
    desk.refuses(&knock, Reason::TooOften);
    desk.answers(&Knock::new(&grandma, "anna", "2").unvouched());
}

#[test]
fn the_last_proofs_of_each_key_are_remembered_and_no_more() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed_elsewhere(&held);
    let knock = |tag: usize| {
        let tag = tag.to_string();
        Knock::with_sdp(&held[0], "anna", &tag, &short_offer(&ufrag("anna", &tag), H264)).unvouched()
    };
    let uncles = Knock::new(&held[1], "uwe", "1").unvouched();
    desk.live_with(&uncles);
    desk.on(leaves(&held[1], "uwe", "1"));
    desk.on(closed(1));
    for tag in 0..=limits::TAKEN_PROOFS {
        let id = desk.answers(&knock(tag));
        desk.on(leaves(&held[0], "anna", &tag.to_string()));
        desk.on(closed(id));
        desk.sleep(limits::OFFER_WINDOW / 10);
    }
    assert_eq!(desk.board.kept().taken_proofs, limits::TAKEN_PROOFS + 1);
    desk.refuses(&knock(1), Reason::NotAllowed);
    desk.refuses(&knock(limits::TAKEN_PROOFS), Reason::NotAllowed);
    desk.refuses(&uncles, Reason::NotAllowed);
    desk.on(keys(&held[..1]));
    desk.on(keys(&held));
    desk.refuses(&uncles, Reason::NotAllowed);
}

#[test]
fn the_proofs_of_keys_that_are_gone_are_forgotten_when_there_are_many() {
    let mut desk = Desk::keyed_elsewhere(&[]);
    for n in 0..3 * KeyRing::REVOKED {
        let guest = key(&format!("guest-{n}"));
        desk.on(keys(std::slice::from_ref(&guest)));
        let id = desk.answers(&Knock::new(&guest, "gerd", &n.to_string()).unvouched());
        desk.on(leaves(&guest, "gerd", &n.to_string()));
        desk.on(closed(id));
        assert!(desk.board.kept().taken_proofs <= KeyRing::REVOKED + 2);
    }
}

// ---- too often, and slowed down --------------------------------------------------------------------------------

#[test]
fn each_key_has_its_own_number_of_offers_whoever_claims_to_be_the_peer() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed_elsewhere(&held);
    for tag in 0..5 * limits::OFFERS_PER_WINDOW {
        let forged = Knock::new(&key("thief"), "anna", &tag.to_string()).unvouched();
        desk.refuses(&forged.change("key", json!("grandma")), Reason::NotAllowed);
    }
    for tag in 0..limits::OFFERS_PER_WINDOW {
        let rubbish = Knock::with_sdp(&held[0], "anna", &tag.to_string(), "rubbish").unvouched();
        desk.refuses(&rubbish, Reason::BadOffer);
    }
    desk.refuses(&Knock::new(&held[0], "anna", "a").unvouched(), Reason::TooOften);
    desk.refuses(&Knock::new(&held[0], "other-name", "b").unvouched(), Reason::TooOften);
    desk.answers(&Knock::new(&held[1], "anna", "c").unvouched());
    desk.sleep(limits::OFFER_WINDOW);
    desk.answers(&Knock::new(&held[0], "anna", "d").unvouched());
}

#[test]
fn a_key_that_got_around_leaves_a_quarter_of_the_places_to_the_others() {
    let (owner, uncle) = (key("owner"), key("uncle"));
    for (places, role, share) in [
        (8, Role::Talk, 6),
        (8, Role::Watch, 6),
        (8, Role::Manage, 8),
        (3, Role::Talk, 3),
        (1, Role::Watch, 1),
    ] {
        let guest = Key { role, ..key("guest") };
        let held = [guest.clone(), owner.clone(), uncle.clone()];
        let mut desk = Desk::keyed_with(&held, |settings| settings.room.max_calls = places);
        for viewer in 0..share {
            desk.live_with(&Knock::new(&guest, &format!("guest-{viewer}"), "1"));
        }
        desk.refuses(&Knock::new(&guest, "one-more", "1"), Reason::Busy);
        // Whoever watches already may call again, and the others have their places.
        desk.live_with(&Knock::new(&guest, "guest-0", "2"));
        for viewer in share..places {
            desk.live_with(&Knock::new(
                &Key { role: Role::Talk, ..uncle.clone() },
                &format!("uncle-{viewer}"),
                "1",
            ));
        }
        desk.refuses(&Knock::new(&owner, "owner", "1"), Reason::Busy);
    }
}

#[test]
fn a_peer_the_relay_vouches_for_is_not_listened_to_after_wrong_proofs_and_longer_each_time() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed(std::slice::from_ref(&grandma));
    let wrong = Knock::new(&key("thief"), "mallory", "1").change("key", json!("grandma"));
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        desk.refuses(&wrong, Reason::NotAllowed);
        desk.sleep(secs(seconds) - millis(1));
        desk.refuses(&wrong, Reason::TooOften);
        desk.refuses(&Knock::new(&grandma, "mallory", "2"), Reason::TooOften);
        desk.sleep(millis(1));
    }
    desk.refuses(&wrong, Reason::NotAllowed);
    desk.answers(&Knock::new(&grandma, "anna", "1"));
    desk.sleep(limits::DOUBT_MOST);
    let id = desk.answers(&Knock::new(&grandma, "mallory", "3"));
    desk.on(leaves(&grandma, "mallory", "3"));
    desk.on(closed(id));
    desk.refuses(&wrong, Reason::NotAllowed);
    desk.sleep(secs(1));
    desk.refuses(&wrong, Reason::NotAllowed);
}

#[test]
fn whoever_was_not_wrong_for_a_minute_begins_anew() {
    let mut desk = Desk::keyed(&[key("grandma")]);
    let wrong = Knock::new(&key("thief"), "mallory", "1");
    desk.refuses(&wrong, Reason::NotAllowed);
    desk.sleep(secs(1));
    desk.refuses(&wrong, Reason::NotAllowed);
    desk.sleep(secs(2) + limits::DOUBT_MOST);
    desk.refuses(&wrong, Reason::NotAllowed);
    assert_eq!(desk.board.kept().doubted_peers, 1);
    desk.sleep(secs(1));
    desk.refuses(&wrong, Reason::NotAllowed);
}

#[test]
fn keys_that_are_over_and_repeated_offers_make_nobody_suspicious() {
    let held = [key("grandma"), Key { until: Some(TODAY), ..key("old") }];
    let mut desk = Desk::keyed(&held);
    let knock = Knock::new(&held[0], "anna", "1");
    desk.live_with(&knock);
    desk.on(leaves(&held[0], "anna", "1"));
    desk.refuses(&knock, Reason::NotAllowed);
    desk.refuses(&Knock::new(&held[1], "anna", "2"), Reason::ExpiredKey);
    assert_eq!(desk.board.kept().doubted_peers, 0);
    desk.answers(&Knock::new(&held[0], "anna", "3"));
}

#[test]
fn through_a_relay_that_vouches_for_nobody_forged_names_lock_nobody_out() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    for tag in 0..1000 {
        let forged = Knock::with_sdp(&key("thief"), "anna", &format!("f{tag}"), "v=0").unvouched();
        desk.refuses(&forged.change("key", json!("grandma")), Reason::NotAllowed);
    }
    assert_eq!(desk.board.kept().doubted_peers, 0);
    desk.answers(&Knock::new(&grandma, "anna", "1").unvouched());
}

#[test]
fn nothing_a_stranger_sends_is_kept() {
    let grandma = key("grandma");
    for (mut desk, vouches) in [
        (Desk::keyed(std::slice::from_ref(&grandma)), true),
        (Desk::keyed_elsewhere(std::slice::from_ref(&grandma)), false),
    ] {
        let id = desk.live_with(&Knock::new(&grandma, "anna", "1"));
        let before = desk.board.kept();
        for n in 0..10_000 {
            let who = format!("stranger-{n}");
            let mut knock = Knock::with_sdp(&key("thief"), &who, &n.to_string(), "v=0\r\n");
            knock = match n % 5 {
                0 => knock,
                1 => knock.change("key", json!("grandma")),
                2 => knock.strip("proof"),
                3 => knock.change("to", json!(format!("cam-{n}"))),
                _ => knock.change("key", json!(who)),
            };
            let commands = desk.on(if vouches { knock.event() } else { knock.unvouched().event() });
            assert!(
                commands
                    .iter()
                    .all(|command| matches!(command, Command::Send(sent) if sent.event == "refused")),
                "{commands:?}"
            );
        }
        let after = desk.board.kept();
        assert!(after.doubted_peers <= if vouches { limits::COUNTED_PEERS } else { 0 });
        assert_eq!(after, porthole_core::switchboard::Kept { doubted_peers: after.doubted_peers, ..before });
        assert_eq!(desk.refusals(Reason::NotAllowed), 10_000);
        assert!(desk.notes.len() < 30, "nor does it flood the log");
        assert_eq!((desk.board.status().calls, desk.board.status().live), (1, 1));
        desk.expect(leaves(&grandma, "anna", "1"), [hang_up(id), StopRendition(H264)]);
    }
}

// ---- good-byes -------------------------------------------------------------------------------------------------

#[test]
fn in_a_foreign_room_only_who_proves_the_key_of_a_call_ends_it() {
    let (grandma, uncle) = (key("grandma"), key("uncle"));
    let mut desk = Desk::keyed_elsewhere(&[grandma.clone(), uncle.clone()]);
    let id = desk.live_with(&Knock::new(&grandma, "anna", "1").unvouched());
    let honest = good_bye(&grandma, "anna", ME, "1", "hang-up");
    let with = |member: &str, value: Value| {
        let mut bye = honest.clone();
        bye[member] = value;
        bye
    };
    let proof = |bye: &Value| bye["proof"].clone();
    let forged = [
        json!({ "room": ROOM, "from": "anna", "call": "1", "reason": "hang-up" }),
        json!({ "from": "anna" }),
        with("proof", json!(null)),
        with("proof", json!("AAAA")),
        with("proof", proof(&good_bye(&uncle, "anna", ME, "1", "hang-up"))),
        with("proof", proof(&good_bye(&grandma, "anna", ME, "2", "hang-up"))),
        with("proof", proof(&good_bye(&grandma, "anna", "cam-door", "1", "hang-up"))),
        with("proof", proof(&good_bye(&grandma, ME, "anna", "1", "hang-up"))),
        with("reason", json!("silent")),
        with("to", json!(null)),
        // The proof of the offer, which everybody in the room has heard.
        with("proof", Knock::new(&grandma, "anna", "1").payload["proof"].clone()),
    ];
    for (count, bye) in forged.iter().enumerate() {
        desk.ignores(says(None, "bye", bye.clone()));
        assert_eq!(desk.refusals(Reason::NotAllowed), 1 + count as u64, "{bye}");
    }
    assert_eq!(desk.board.status().live, 1);
    // About a call that is not there, and by somebody who has none, it is nothing at all.
    desk.ignores(says(None, "bye", with("call", json!("7"))));
    desk.ignores(says(None, "bye", with("from", json!("otto"))));
    assert_eq!(desk.refusals(Reason::NotAllowed), forged.len() as u64);
    desk.expect(says(None, "bye", honest), [hang_up(id), StopRendition(H264)]);
}

#[test]
fn where_a_relay_tells_nobody_who_is_there_a_good_bye_may_be_to_nobody_in_particular() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let id = desk.live_with(&Knock::new(&grandma, "anna", "1").unvouched());
    let mut bye = good_bye(&grandma, "anna", "", "1", "hang-up");
    bye.as_object_mut().unwrap().remove("to");
    desk.expect(says(None, "bye", bye), [hang_up(id), StopRendition(H264)]);
}

#[test]
fn whoever_takes_a_name_they_have_heard_puts_nobody_off_nor_hangs_up_for_them() {
    let (grandma, guest) = (key("grandma"), key("guest"));
    for mut desk in [Desk::keyed_elsewhere, Desk::keyed].map(|desk| desk(&[grandma.clone(), guest.clone()])) {
        let hers = desk.live_with(&Knock::new(&grandma, "anna", "1"));
        let theirs = desk.live_with(&Knock::new(&guest, "anna", "2"));
        desk.ignores(bye("anna", "1"));
        desk.ignores(leaves(&guest, "anna", "1"));
        desk.on(leaves(&guest, "anna", "2"));
        desk.on(closed(theirs));
        for _ in 0..60 {
            desk.sleep(secs(1));
            desk.on(heard(hers));
        }
        let status = desk.board.status();
        let held: Vec<_> =
            status.viewers.iter().map(|viewer| (viewer.call, viewer.holder.as_ref().unwrap())).collect();
        assert!(
            matches!(held[..], [(CallId(call), holder)] if call == hers && holder.name == grandma.name),
            "{held:?}"
        );
    }
}

#[test]
fn what_the_camera_says_at_the_end_of_a_call_proves_the_key_that_it_was_made_with() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed_elsewhere(std::slice::from_ref(&grandma));
    let id = desk.live_with(&Knock::new(&grandma, "anna", "1").unvouched());
    let ends = [proved_bye(&grandma, "anna", "1", Reason::Failed), hang_up(id), StopRendition(H264)];
    desk.expect(call_failed(id), ends);
}

// ---- keys that end ---------------------------------------------------------------------------------------------

#[test]
fn taking_a_key_back_ends_its_calls_at_once_and_no_others() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed(&held);
    let live = desk.live_with(&Knock::new(&held[0], "anna", "1"));
    let ringing = desk.answers(&Knock::new(&held[0], "adam", "1"));
    let other = desk.live_with(&Knock::new(&held[1], "uwe", "1"));
    desk.noted();
    desk.expect(
        without(&held, &held[0]),
        [
            proved_bye(&held[0], "anna", "1", Reason::RevokedKey),
            hang_up(live),
            refused("adam", "1", Reason::RevokedKey),
            hang_up(ringing),
            watching("uwe", &[]),
        ],
    );
    let noted = desk.noted();
    assert!(noted.iter().all(|(_, text)| text.ends_with("the key was taken back")), "{noted:?}");
    assert_eq!((desk.board.status().calls, desk.refusals(Reason::RevokedKey)), (1, 1));
    desk.refuses(&Knock::new(&held[0], "anna", "2"), Reason::RevokedKey);
    desk.expect(leaves(&held[1], "uwe", "1"), [hang_up(other), StopRendition(H264)]);
}

#[test]
fn a_key_that_is_gone_without_a_trace_ends_its_calls_too() {
    let held = [key("grandma")];
    let mut desk = Desk::keyed(&held);
    let id = desk.live_with(&Knock::new(&held[0], "anna", "1"));
    let goes = [proved_bye(&held[0], "anna", "1", Reason::NotAllowed), hang_up(id), StopRendition(H264)];
    desk.expect(Event::Access(AccessEvent::Keys(KeyRing::default())), goes);
}

#[test]
fn a_key_with_another_secret_or_role_is_another_key_and_one_with_another_name_is_not() {
    let grandma = key("grandma");
    let named = Key { name: Label::new("oma").unwrap(), ..grandma.clone() };
    let mut desk = Desk::keyed(std::slice::from_ref(&grandma));
    desk.live_with(&Knock::new(&grandma, "anna", "1"));
    desk.ignores(keys(std::slice::from_ref(&named)));
    assert_eq!(desk.board.status().viewers[0].holder.as_ref().unwrap().name.as_str(), "oma");
    let lesser = Key { role: Role::Watch, ..grandma.clone() };
    let anew = Key { secret: key("anew").secret, ..grandma.clone() };
    for changed in [lesser, anew] {
        let mut desk = Desk::keyed(std::slice::from_ref(&grandma));
        let id = desk.live_with(&Knock::new(&grandma, "anna", "1"));
        let goes = [proved_bye(&grandma, "anna", "1", Reason::RevokedKey), hang_up(id), StopRendition(H264)];
        desk.expect(keys(&[changed]), goes);
    }
}

#[test]
fn a_call_ends_in_the_second_in_which_its_key_expires() {
    let guest = Key { until: Some(later(30)), ..key("guest") };
    let held = [guest, key("grandma")];
    let mut desk = Desk::keyed(&held);
    let expired = desk.live_with(&Knock::new(&held[0], "gerd", "1"));
    let stays = desk.live_with(&Knock::new(&held[1], "anna", "1"));
    for _ in 0..29 {
        desk.sleep(secs(1));
        desk.ignores(heard(expired));
        desk.ignores(heard(stays));
    }
    assert_eq!(desk.board.status().live, 2);
    let goes =
        [proved_bye(&key("guest"), "gerd", "1", Reason::ExpiredKey), hang_up(expired), watching("anna", &[])];
    desk.passes(secs(1), goes);
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn the_date_as_it_was_last_told_decides() {
    let guest = Key { until: Some(later(30)), ..key("guest") };
    let held = std::slice::from_ref(&guest);
    let mut desk = Desk::keyed(held);
    // A board without a clock of its own believes to live in the past until it is told.
    desk.ignores(date(Stamp(0)));
    let id = desk.live_with(&Knock::new(&guest, "gerd", "1"));
    desk.ignores(date(later(29)));
    desk.expect(
        date(later(30)),
        [proved_bye(&key("guest"), "gerd", "1", Reason::ExpiredKey), hang_up(id), StopRendition(H264)],
    );
    desk.refuses(&Knock::new(&guest, "gerd", "2"), Reason::ExpiredKey);
    desk.ignores(date(later(29)));
    desk.answers(&Knock::new(&guest, "gerd", "3"));
}

#[test]
fn a_key_that_may_stay_longer_keeps_its_call_and_the_end_of_time_is_no_overflow() {
    let until = |until| Key { until, ..key("guest") };
    let mut desk = Desk::keyed(&[until(Some(later(3)))]);
    let id = desk.live_with(&Knock::new(&until(None), "gerd", "1"));
    desk.ignores(keys(&[until(Some(Stamp(u64::MAX)))]));
    desk.passes(secs(3), []);
    desk.ignores(heard(id));
    desk.ignores(date(Stamp(u64::MAX - 1)));
    desk.passes(millis(999), []);
    let goes = [proved_bye(&key("guest"), "gerd", "1", Reason::ExpiredKey), hang_up(id), StopRendition(H264)];
    desk.passes(millis(1), goes);
}

// ---- who watches -----------------------------------------------------------------------------------------------

#[test]
fn everybody_who_watches_is_told_who_else_does_and_since_when() {
    let held = [key("grandma"), key("uncle"), key("dad")];
    let mut desk = Desk::keyed(&held);
    let anna = desk.live_with(&Knock::new(&held[0], "anna", "1"));
    desk.passes(secs(2), []);
    let uwe = desk.answers(&Knock::new(&held[1], "uwe", "1"));
    let answered = desk.answered(uwe);
    assert_eq!(desk.on(answered).len(), 1, "a call that is not live is told to nobody");
    let (grandmas, uncles, dads) = (Some("grandma's phone"), Some("uncle's phone"), Some("dad's phone"));
    desk.expect(
        connected(uwe),
        [ForceKeyFrame(H264), watching("anna", &[(uncles, later(2))]), watching("uwe", &[(grandmas, TODAY)])],
    );
    desk.ignores(heard(anna));
    desk.passes(secs(1), []);
    let dad = desk.connecting_with(&Knock::new(&held[2], "dan", "1"));
    desk.expect(
        connected(dad),
        [
            ForceKeyFrame(H264),
            watching("anna", &[(uncles, later(2)), (dads, later(3))]),
            watching("uwe", &[(grandmas, TODAY), (dads, later(3))]),
            watching("dan", &[(grandmas, TODAY), (uncles, later(2))]),
        ],
    );
    desk.expect(
        leaves(&held[1], "uwe", "1"),
        [hang_up(uwe), watching("anna", &[(dads, later(3))]), watching("dan", &[(grandmas, TODAY)])],
    );
    desk.expect(leaves(&held[2], "dan", "1"), [hang_up(dad), watching("anna", &[])]);
    desk.expect(leaves(&held[0], "anna", "1"), [hang_up(anna), StopRendition(H264)]);
}

#[test]
fn whoever_calls_again_is_told_again_and_does_not_watch_beside_itself() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed(&held);
    let old = desk.live_with(&Knock::new(&held[0], "anna", "1"));
    let new = desk.connecting_with(&Knock::new(&held[0], "anna", "2"));
    desk.expect(connected(new), [hang_up(old)]);
    desk.live_with(&Knock::new(&held[1], "uwe", "1"));
    let newer = desk.connecting_with(&Knock::new(&held[0], "anna", "3"));
    let uncles = watching("anna", &[(Some("uncle's phone"), TODAY)]);
    let grandmas = watching("uwe", &[(Some("grandma's phone"), TODAY)]);
    let commands = desk.on(connected(newer));
    assert_eq!(commands[0], hang_up(new));
    assert!(
        commands.len() == 3 && commands.contains(&uncles) && commands.contains(&grandmas),
        "{commands:?}"
    );
}

#[test]
fn a_relay_of_somebody_else_learns_how_many_watch_and_not_who() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed_elsewhere(&held);
    desk.live_with(&Knock::new(&held[0], "anna", "1").unvouched());
    let uwe = desk.connecting_with(&Knock::new(&held[1], "uwe", "1").unvouched());
    desk.expect(connected(uwe), [watching("anna", &[(None, TODAY)]), watching("uwe", &[(None, TODAY)])]);
}

#[test]
fn a_clock_that_is_put_right_is_told_and_one_that_drifts_is_not() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed(&held);
    desk.live_with(&Knock::new(&held[0], "anna", "1"));
    desk.live_with(&Knock::new(&held[1], "uwe", "1"));
    desk.ignores(date(later(2)));
    desk.expect(
        date(later(7200)),
        [
            watching("anna", &[(Some("uncle's phone"), later(7200))]),
            watching("uwe", &[(Some("grandma's phone"), later(7200))]),
        ],
    );
}

#[test]
fn at_the_end_nobody_is_told_who_is_left() {
    let held = [key("grandma"), key("uncle")];
    let mut desk = Desk::keyed(&held);
    desk.live_with(&Knock::new(&held[0], "anna", "1"));
    desk.live_with(&Knock::new(&held[1], "uwe", "1"));
    let commands = desk.on(shutdown());
    let told = |command: &Command| matches!(command, Command::Send(sent) if sent.event == "watching");
    assert!(!commands.iter().any(told), "{commands:?}");
    desk.ignores(keys(&[]));
    desk.refuses(&Knock::new(&held[0], "anna", "2"), Reason::ShuttingDown);
}

#[test]
fn the_status_names_who_calls_and_healthz_does_not() {
    let guest = Key { role: Role::Watch, ..key("guest") };
    let held = [key("grandma"), guest];
    let mut desk = Desk::keyed(&held);
    desk.live_with(&Knock::new(&held[0], "anna", "1"));
    desk.passes(secs(3), []);
    desk.answers(&Knock::new(&held[1], "gerd", "1"));
    desk.ignores(reached(1, Path::Direct));
    desk.ignores(reached(1, Path::Relayed));
    let status = desk.board.status();
    let viewer = |id, peer: &str, key: &Key, ago, live: bool| Viewer {
        call: CallId(id),
        peer: Some(name(peer)),
        holder: Some(Holder { name: key.name.clone(), role: key.role, key: key.id.clone() }),
        rendition: Some(H264),
        path: live.then_some(Path::Relayed),
        carries: None,
        began: desk.now - secs(ago),
        live,
    };
    assert_eq!(status.viewers, [viewer(1, "anna", &held[0], 3, true), viewer(2, "gerd", &held[1], 0, false)]);
    let public = serde_json::to_string(&status).unwrap();
    assert!(
        !public.contains("phone") && !public.contains("grandma") && !public.contains("viewers"),
        "{public}"
    );
}

#[test]
fn the_log_says_whose_key_a_call_is_made_with_and_no_secret() {
    let grandma = key("grandma");
    let mut desk = Desk::keyed(std::slice::from_ref(&grandma));
    desk.live_with(&Knock::new(&grandma, "anna", "1"));
    let noted = desk.noted();
    assert_eq!(noted[0], (Level::Info, "call started: H.264, for \"grandma's phone\"".to_owned()));
    assert!(!format!("{noted:?}{:?}", desk.board).contains(&grandma.secret.text()));
}

// ---- the small language of these tests -------------------------------------------------------------------------

impl Desk {
    /// Brings the call of `knock` as far as ICE and DTLS. Tells its number.
    fn connecting_with(&mut self, knock: &Knock) -> u64 {
        let id = self.answers(knock);
        let answered = self.answered(id);
        self.on(answered);
        id
    }
}

/// The same proof as other people write base64.
fn padded(payload: &Value) -> Value {
    let mut payload = payload.clone();
    let proof = format!("{}=", payload["proof"].as_str().unwrap());
    payload["sdp"]["proof"] = json!(proof);
    payload["proof"] = json!(proof);
    payload
}
