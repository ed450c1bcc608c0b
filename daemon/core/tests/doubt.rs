//! What is still certain of a configuration in which something is wrong.
#![allow(clippy::unwrap_used, reason = "a test whose configuration is allowed has failed")]

use porthole_core::config::{Findings, load_in_part};

#[test]
fn what_is_wrong_elsewhere_puts_no_key_in_doubt_and_takes_nothing_of_it_away() {
    for text in [
        "[video]\nwidht = 1",
        "[vidoe]\nwidth = 640",
        "[relay]\nlisten = 'here'",
        "[room]\nmax_cals = 3",
        "[room]\nmax_calls = 0",
        "[ice]\nstun = ['x']",
        "max_calls = 3",
    ] {
        assert!(!found(text).doubt_key("room", "keys"), "{text}");
    }
    let text = "[room]\nname = 'yard'\nkeys = '/k.json'\n[video]\nwidht = 1\nheight = 480";
    let (settings, found) = load_in_part("my.toml", text, &|_| None);
    assert_eq!(settings.room.keys.unwrap(), std::path::Path::new("/k.json"));
    assert_eq!((settings.room.room.as_str(), settings.media.video.height), ("yard", 480));
    assert!(!found.unwrap().doubt_section("room"));
}

#[test]
fn what_may_have_been_meant_for_a_key_puts_it_in_doubt() {
    for text in [
        "[room]\nkyes = 'k.json'",
        "[room]\nring = 'k.json'",
        "[room]\nkeys = 3",
        "[rooom]\nkeys = 'k.json'",
        "room = 3",
        "keys = 'k.json'",
        "[relay]\nkeys = 'k.json'",
        "[room\nkeys = 'k.json'",
        "[video]\nwidth =",
    ] {
        let found = found(text);
        assert!(found.doubt_key("room", "keys") && found.doubt_section("room"), "{text}");
    }
    assert!(found("[room]\nmax_calls = 0").doubt_section("room"));
    assert!(found("[video]\ncamera = 'Yard'").doubt_section("room"));
    assert!(!found("[video]\nwidth = 1").doubt_section("room"));
}

fn found(text: &str) -> Findings {
    load_in_part("my.toml", text, &|_| None).1.unwrap()
}
