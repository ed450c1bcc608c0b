//! Keys, proofs and the ring, as their users see them.

#![allow(clippy::unwrap_used)]

use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyId, KeyRing, Label, Role, Secret, Stamp, Unknown, Unusable};
use serde_json::Value;

const NOW: Stamp = Stamp(1_800_000_000);

fn key(id: &str, name: &str) -> Key {
    Key {
        id: KeyId::new(id).unwrap(),
        name: Label::new(name).unwrap(),
        role: Role::Watch,
        made: Stamp(1),
        until: None,
        secret: Secret::new([7; Secret::BYTES]),
    }
}

fn ring(keys: &[Key]) -> KeyRing {
    let mut ring = KeyRing::default();
    for key in keys {
        ring.add(key.clone()).unwrap();
    }
    ring
}

fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("access/vectors.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn text<'v>(vector: &'v Value, member: &str) -> &'v str {
    vector[member].as_str().unwrap()
}

fn around(vector: &Value) -> Around<'_> {
    Around {
        room: text(vector, "room"),
        from: text(vector, "from"),
        to: text(vector, "to"),
        call: text(vector, "call"),
    }
}

fn secret(vector: &Value) -> Secret {
    text(vector, "secret").parse().unwrap()
}

#[test]
fn links_to_pictures_are_proved_as_the_vectors_say() {
    let vectors = vectors("snapshots");
    for vector in &vectors {
        let (room, key) = (text(vector, "room"), KeyId::new(text(vector, "key")).unwrap());
        let until = Stamp(vector["until"].as_u64().unwrap());
        let made = proof::of_snapshot(&secret(vector), room, &key, until);
        assert_eq!(made, text(vector, "proof"));
        assert!(proof::is_of_snapshot(&made, &secret(vector), room, &key, until));
        assert!(!proof::is_of_snapshot(&made, &secret(vector), room, &key, Stamp(until.0 + 1)));
        assert!(!proof::is_of_snapshot(&made, &secret(vector), "elsewhere", &key, until));
    }
    assert!(vectors.len() >= 4);
}

#[test]
fn offers_are_proved_as_the_vectors_say() {
    let vectors = vectors("offers");
    for vector in &vectors {
        let made = proof::of_offer(&secret(vector), around(vector), text(vector, "sdp"));
        assert_eq!(made, text(vector, "proof"));
        assert!(proof::is_of_offer(&made, &secret(vector), around(vector), text(vector, "sdp")));
    }
    assert!(vectors.len() >= 5);
}

#[test]
fn answers_are_proved_as_the_vectors_say() {
    for vector in vectors("answers") {
        let made =
            proof::of_answer(&secret(&vector), around(&vector), text(&vector, "offer"), text(&vector, "sdp"));
        assert_eq!(made, text(&vector, "proof"));
    }
}

#[test]
fn good_byes_are_proved_as_the_vectors_say() {
    let vectors = vectors("byes");
    for vector in &vectors {
        let made = proof::of_bye(&secret(vector), around(vector), text(vector, "reason"));
        assert_eq!(made, text(vector, "proof"));
        assert!(proof::is_of_bye(&made, &secret(vector), around(vector), text(vector, "reason")));
        assert!(!proof::is_of_bye(&made, &secret(vector), around(vector), "another"));
    }
    assert!(vectors.len() >= 5);
}

#[test]
fn admissions_are_proved_as_the_vectors_say() {
    for vector in vectors("admissions") {
        let made = proof::of_admission(&secret(&vector), text(&vector, "room"));
        assert_eq!(made, text(&vector, "proof"));
        assert!(proof::is_of_admission(&made, &secret(&vector), text(&vector, "room")));
        assert!(!proof::is_of_admission(&made, &secret(&vector), "another"));
    }
}

#[test]
fn a_proof_holds_for_nothing_but_what_it_was_made_for() {
    let secret = Secret::new([1; Secret::BYTES]);
    let ids = Around { room: "room", from: "me", to: "you", call: "1" };
    let made = proof::of_offer(&secret, ids, "v=0");
    let others = [
        Around { room: "moor", ..ids },
        Around { from: "them", ..ids },
        Around { to: "them", ..ids },
        Around { call: "2", ..ids },
        Around { room: "roomm", from: "e", ..ids },
    ];
    for other in others {
        assert!(!proof::is_of_offer(&made, &secret, other, "v=0"), "{other:?}");
    }
    assert!(!proof::is_of_offer(&made, &secret, ids, "v=1"));
    assert!(!proof::is_of_offer(&made, &Secret::new([2; Secret::BYTES]), ids, "v=0"));
    assert_ne!(made, proof::of_answer(&secret, ids, "", "v=0"));
    for wrong in ["", "AAAA", &made[1..], &format!("{made}="), &format!("{made}A"), "ü"] {
        assert!(!proof::is_of_offer(wrong, &secret, ids, "v=0"), "{wrong:?}");
    }
}

#[test]
fn a_secret_survives_as_text_and_shows_itself_nowhere_else() {
    let secret = Secret::new(std::array::from_fn(|n| n as u8 * 7));
    assert_eq!(secret.text().len(), 43);
    assert_eq!(secret.text().parse::<Secret>().unwrap(), secret);
    assert!(!format!("{:?}", Key { secret: secret.clone(), ..key("k", "n") }).contains(&secret.text()));
    for text in ["", "short", &format!("{}A", secret.text()), &secret.text().replace(['A', '_', '-'], "+")] {
        assert!(text.parse::<Secret>().is_err(), "{text}");
    }
}

#[test]
fn a_key_in_a_link_is_its_id_a_dot_and_its_secret() {
    let key = key("k7", "phone");
    assert_eq!(key.token(), format!("k7.{}", key.secret.text()));
    assert!(KeyId::new("k.7").is_err() && KeyId::new("").is_err() && KeyId::new("k 7").is_err());
}

#[test]
fn names_are_what_people_write_and_can_see_and_nothing_a_terminal_obeys() {
    assert_eq!(Label::new("  grandma's phone ").unwrap().as_str(), "grandma's phone");
    assert_eq!(
        Label::new("grandma's \u{a0} phone").unwrap().as_str(),
        "grandma's phone",
        "which look the same"
    );
    assert!(Label::new("Großmutters 📱").is_ok());
    for name in ["", "   ", "a\u{1b}[31m", "a\nb", "mu\u{200b}m", "\u{202e}mum", &"x".repeat(41)] {
        assert!(Label::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn each_role_allows_what_those_before_it_do() {
    assert!(Role::Watch < Role::Talk && Role::Talk < Role::Manage);
    for role in Role::ALL {
        assert_eq!(role.word().parse::<Role>(), Ok(role));
    }
    assert!("Watch".parse::<Role>().is_err());
}

#[test]
fn a_key_with_an_end_date_is_worth_nothing_from_then_on() {
    let guest = Key { until: Some(Stamp(NOW.0 + 10)), ..key("k", "guest") };
    let ring = ring(std::slice::from_ref(&guest));
    assert_eq!(ring.usable(&guest.id, NOW), Ok(&guest));
    assert_eq!(ring.usable(&guest.id, Stamp(NOW.0 + 10)), Err(Unusable::Expired));
    assert_eq!(ring.next_expiry(NOW), Some(Stamp(NOW.0 + 10)));
    assert_eq!(ring.next_expiry(Stamp(NOW.0 + 10)), None);
}

#[test]
fn a_revoked_key_is_remembered_as_such_for_a_bounded_number_of_them() {
    let mut ring = KeyRing::default();
    let ids: Vec<KeyId> = (0..150).map(|n| KeyId::new(&format!("k{n}")).unwrap()).collect();
    for (n, id) in ids.iter().enumerate() {
        ring.add(Key { id: id.clone(), ..key("k", &format!("name {n}")) }).unwrap();
        assert!(ring.revoke(id, Stamp(n as u64)).is_some());
        assert!(ring.revoke(id, Stamp(n as u64)).is_none());
    }
    assert_eq!(ring.usable(&ids[149], NOW), Err(Unusable::Revoked));
    assert_eq!(ring.usable(&ids[50], NOW), Err(Unusable::Revoked));
    assert_eq!(ring.usable(&ids[49], NOW), Err(Unusable::Unknown));
    assert!(ring.keys().is_empty());
}

#[test]
fn a_key_is_found_by_its_id_or_by_its_name() {
    let (one, two) = (key("one", "phone"), key("two", "tablet"));
    let mut ring = ring(&[one.clone(), two.clone()]);
    assert_eq!(ring.meant("two"), Ok(&two));
    assert_eq!(ring.meant(" phone "), Ok(&one));
    assert!(matches!(ring.meant("nobody"), Err(Unknown::Nobody(_))));
    assert!(matches!(ring.add(key("three", "phone")), Err(Unknown::Taken(_))));
    assert!(matches!(ring.add(key("one", "another")), Err(Unknown::Taken(_))));
    assert_eq!(ring.keys().len(), 2);
}

#[test]
fn a_ring_survives_being_written_down() {
    let guest = Key { until: Some(NOW), role: Role::Talk, ..key("k2", "guest") };
    let mut ring = ring(&[key("k1", "owner"), guest, key("k3", "gone")]);
    ring.revoke(&KeyId::new("k3").unwrap(), NOW);
    let text = ring.to_json().unwrap();
    assert_eq!(KeyRing::from_json(&text).unwrap(), ring);
    assert_eq!(KeyRing::from_json(&KeyRing::default().to_json().unwrap()).unwrap(), KeyRing::default());
}

#[test]
fn what_is_no_ring_is_not_taken_in_part() {
    let good = ring(&[key("k1", "owner")]).to_json().unwrap();
    let cases = [
        String::new(),
        "{}".into(),
        good[..good.len() - 2].into(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("watch", "admin"),
        good.replace("k1", "k.1"),
        good.replace("\"made\"", "\"mode\""),
    ];
    for text in cases {
        assert!(KeyRing::from_json(&text).is_err(), "{text}");
    }
    let twice =
        format!("{{\"version\":1,\"keys\":[{0},{0}]}}", serde_json::to_string(&key("k", "n")).unwrap());
    assert!(KeyRing::from_json(&twice).unwrap_err().to_string().contains("two keys"));
}

#[test]
fn what_is_wrong_with_a_ring_is_said_without_the_secret_that_stands_in_the_wrong_place() {
    let secret = Secret::new([7; Secret::BYTES]).text();
    let whole =
        r#"{"version": 1, "keys": [{"id": "k1", "name": "n", "role": "watch", "made": 1, "secret": "S"}]}"#;
    for (wrong, said) in [
        (r#""S""#.to_owned(), "expected"),
        (whole.replace('1', r#""S""#), "expected u32 at line 1"),
        (whole.replace(r#""made": 1"#, r#""made": "S""#), "expected u64 at line 1"),
        (whole.replace(r#""role""#, r#""S""#), "expected one of `id`, `name`"),
        (whole.replace(r#""watch""#, r#""S""#), "expected one of `watch`, `talk`, `manage`"),
        (whole.replace(r#""S""#, r#""S=""#), "a key's secret has 43 characters"),
        (whole.replace(r#""id": "k1", "#, ""), "missing field `id`"),
    ] {
        let bad = KeyRing::from_json(&wrong.replace('S', &secret)).unwrap_err().to_string();
        assert!(bad.contains(said) && !bad.contains(&secret), "{bad}");
    }
}
