//! A configuration that changes while the daemon runs.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::*;
use porthole_core::config;
use porthole_core::config::settings::{Fallback, Settings};
use porthole_core::event::Event;
use porthole_core::switchboard::Terms;
use porthole_core::wire::Reason;

/// Every key that may be another one while calls go on, with another value.
const LIVE: &str = r#"
[room]
max_calls = 1
idle_after = 3
[video]
fallback = "none"
[ice]
stun = ["stun:stun.example"]
turn = [{ url = "turns:turn.example", username = "camera", password = "hush" }]
turn_lifetime = 900
ca = "ca.pem"
ports = "50000-50100"
tcp = true
interfaces = ["eth0"]
addresses = ["10.0.0.0/8"]
announce = ["203.0.113.7"]
[log]
level = "debug"
"#;

/// Most of the others.
const RESTART: &str = r#"
[room]
name = "yard"
camera = "Yard"
keys = "ring.json"
[relay]
listen = "127.0.0.1:8081"
link = "https://cam.example"
tls = "off"
max_sockets = 9
rooms = ["gate"]
[video]
source = "test"
width = 640
height = 480
framerate = 15
bitrate = 700
encoder = "x264enc"
[audio]
source = "none"
bitrate = 16
packet = 20
gain = 3
"#;

#[test]
fn a_configuration_that_is_the_same_has_no_changes() {
    for text in ["", LIVE, RESTART] {
        assert_eq!(settings(text).changes(&settings(text)), []);
    }
}

#[test]
fn every_key_that_is_another_one_is_named_and_whether_it_waits_for_a_restart() {
    let keys = |new: &str, live: bool| {
        let changes = Settings::default().changes(&settings(new));
        assert!(changes.iter().all(|change| change.live == live), "{changes:?}");
        changes.iter().map(|change| change.key).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        keys(LIVE, true),
        "room.max_calls room.idle_after video.fallback ice.stun ice.turn ice.turn_lifetime ice.ca ice.ports \
         ice.tcp ice.interfaces ice.addresses ice.announce log.level"
    );
    assert_eq!(
        keys(RESTART, false),
        "room.name room.camera room.keys relay.listen relay.link relay.tls relay.max_sockets relay.rooms \
         video.source video.width video.height video.framerate video.bitrate video.encoder \
         audio.source audio.bitrate audio.packet audio.gain"
    );
}

#[test]
fn the_way_through_networks_needs_no_restart_either() {
    let ice = "[ice]\nturn = [{ url = \"turn:turn.example\", username = \"camera\", password = \"hush\" }]\n";
    let changes = settings(ice).changes(&settings(&format!("{ice}policy = \"relay\"\n")));
    let keys: Vec<_> = changes.iter().map(|change| (change.key, change.live)).collect();
    assert_eq!(keys, [("ice.policy", true)]);
}

#[test]
fn how_a_camera_is_set_waits_for_a_restart_as_well() {
    let camera = "[video]\nsource = \"v4l2\"\ndevice = \"/dev/video0\"\n";
    let set = "flip = \"both\"\nday_night = \"night\"\ncontrols = { brightness = 3 }\n";
    let changes = settings(camera).changes(&settings(&format!("{camera}{set}")));
    let keys: Vec<_> = changes.iter().map(|change| (change.key, change.live)).collect();
    assert_eq!(keys, [("video.flip", false), ("video.day_night", false), ("video.controls", false)]);
}

#[test]
fn the_keys_of_another_relay_are_told_apart() {
    let external = |more: &str| {
        settings(&format!(
            "[room]\naccess = \"open\"\n[relay]\nmode = \"external\"\nurl = \"https://a.example\"\n{more}"
        ))
    };
    let keys = |new: &Settings| external("").changes(new).iter().map(|change| change.key).collect::<Vec<_>>();
    assert_eq!(keys(&external("path = \"/ws/\"\ndialect = \"a\"")), ["relay.path", "relay.dialect"]);
    assert_eq!(keys(&external("auth = { token = \"hush\" }\nca = \"ca.pem\"")), ["relay.auth", "relay.ca"]);
    assert_eq!(keys(&settings("")), ["room.access", "relay.mode"]);
}

#[test]
fn what_is_taken_over_is_exactly_what_needs_no_restart() {
    let mut now = settings(RESTART);
    let new = settings(LIVE);
    let before = now.changes(&new);
    now.take_over(&new);
    let left: Vec<_> = before.into_iter().filter(|change| !change.live).collect();
    assert_eq!(now.changes(&new), left);
    assert!(left.len() > 10);
}

#[test]
fn new_terms_hold_for_who_calls_next_and_end_no_call() {
    let mut desk = Desk::local();
    desk.on(up());
    desk.live("anna", "1");
    desk.live("bert", "1");
    let terms = Terms { fallback: Fallback::None, ..Terms::new(&settings(LIVE)) };
    assert_eq!(desk.on(Event::Terms(terms)), []);
    assert_eq!(desk.board.status().live, 2, "both stay");
    desk.on(offer("carl", "1"));
    assert_eq!(desk.refusals(Reason::Busy), 1);
    desk.on(Event::Terms(Terms::new(&Settings::default())));
    desk.live("carl", "2");
    assert_eq!(desk.board.status().live, 3);
}

fn settings(text: &str) -> Settings {
    config::load("my.toml", text, &|_| None).unwrap()
}
