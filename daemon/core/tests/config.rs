//! The configuration: what a file means, and what is said about one that means nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use porthole_core::config::keys::SECTIONS;
use porthole_core::config::settings::{
    Access, AudioSource, CameraName, ControlValue, DayNight, EncoderChoice, ExternalRelay, Fallback,
    LogLevel, Metrics, RelayMode, Settings, TlsSettings, TlsSource, VideoSource,
};
use porthole_core::config::{Findings, line_of, load, load_for_relay};
use porthole_core::ice::{Credentials, IcePolicy, TurnLogin, TurnServer};
use porthole_core::ids::RoomName;
use porthole_core::plan::encoder::H264;
use porthole_core::wire::dialect::{Choice, Custom, JoinShape, Known, Wrap};
use serde_json::{Value, json};

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(meaning(""), Settings::default());
    assert_eq!(meaning("[room]\n[relay]\n[video]\n[audio]\n[ice]\n[log]\n"), Settings::default());
}

#[test]
fn the_defaults_keep_to_this_machine_and_to_who_has_a_key() {
    let settings = Settings::default();
    assert!(settings.relay.listen.ip().is_loopback());
    assert_eq!((settings.room.access, settings.room.keys), (Access::Keys, None));
}

#[test]
fn every_key_is_taken_as_meant() {
    let settings = meaning(
        r#"
        [room]
        name = "front-door"
        camera = "  Front door  "
        access = "open"
        keys = "for-later.json"
        max_calls = 3
        idle_after = 0
        privacy = true
        [relay]
        listen = "[::]:80"
        link = "https://cam.example/"
        tls = "files"
        certificate = "/etc/tls/fullchain.pem"
        key = "key.pem"
        redirect = true
        metrics = "all"
        max_sockets = 9
        rooms = ["yard", "gate"]
        [video]
        source = "v4l2"
        device = "/dev/v4l/by-id/usb-cam"
        width = 640
        height = 0x1E0
        framerate = 15
        bitrate = 1_000
        encoder = "x264enc"
        fallback = "none"
        delay = 120
        keep_warm = true
        [audio]
        source = "alsa"
        device = "hw:1,0"
        bitrate = 64
        packet = 20
        [ice]
        stun = ["stun:stun.example", "stun:[2001:db8::1]:3478"]
        turn_lifetime = 300
        ca = "turn.pem"
        policy = "all"
        ports = "50000-50009"
        tcp = true
        interfaces = ["eth0", "!docker*"]
        addresses = ["192.168.0.0/16", "!192.168.7.7"]
        announce = ["203.0.113.7", "2001:db8::7"]
        [[ice.turn]]
        url = "turn:turn.example?transport=tcp"
        username = "camera"
        password = "wonder"
        [[ice.turn]]
        url = "turns:turn.example:5349"
        secret = "north"
        [log]
        level = "debug"
        "#,
    );
    assert_eq!(settings.room.room.as_str(), "front-door");
    assert_eq!(settings.room.camera, "Front door");
    assert_eq!(settings.room.access, Access::Open);
    assert_eq!(settings.room.keys, Some(PathBuf::from("for-later.json")));
    assert_eq!(settings.room.max_calls, 3);
    assert_eq!(settings.room.idle_after, Duration::ZERO);
    assert!(settings.room.privacy && settings.media.video.keep_warm);
    assert_eq!(settings.media.video.delay, Duration::from_millis(120));
    assert_eq!(settings.relay.listen.to_string(), "[::]:80");
    assert_eq!(settings.relay.link, "https://cam.example");
    let source = TlsSource::Files { certificate: "/etc/tls/fullchain.pem".into(), key: "key.pem".into() };
    assert_eq!(settings.relay.tls, TlsSettings { source, redirect: true });
    assert_eq!(settings.relay.metrics, Metrics::All);
    assert_eq!(settings.relay.max_sockets, 9);
    assert_eq!(settings.relay.rooms, ["yard", "gate"].map(|room| RoomName::new(room).unwrap()));
    let video = settings.media.video;
    let by_id = PathBuf::from("/dev/v4l/by-id/usb-cam");
    assert_eq!(video.source, VideoSource::Camera(CameraName::V4l2(Some(by_id))));
    assert_eq!((video.width, video.height, video.framerate, video.bitrate), (640, 480, 15, 1000));
    assert_eq!(video.encoder, EncoderChoice::Named("x264enc".to_owned()));
    assert_eq!(video.fallback, Fallback::None);
    let audio = settings.media.audio;
    assert_eq!(audio.source, AudioSource::Alsa("hw:1,0".to_owned()));
    assert_eq!((audio.bitrate, audio.packet), (64, 20));
    assert_eq!(settings.ice.stun, ["stun:stun.example", "stun:[2001:db8::1]:3478"]);
    let secret =
        TurnServer { url: "turns:turn.example:5349".into(), login: TurnLogin::Secret("north".into()) };
    assert_eq!(settings.ice.turn, [turn("turn:turn.example?transport=tcp", "camera", "wonder"), secret]);
    assert_eq!(settings.ice.turn_lifetime, Duration::from_secs(300));
    assert_eq!(settings.ice.ca, Some(PathBuf::from("turn.pem")));
    assert_eq!((settings.ice.policy, settings.ice.tcp), (IcePolicy::All, true));
    assert_eq!(settings.ice.ports, Some(50_000..=50_009));
    let filter = &settings.ice.filter;
    assert_eq!(filter.interfaces, ["eth0", "!docker*"].map(|rule| rule.parse().unwrap()));
    assert_eq!(filter.addresses, ["192.168.0.0/16", "!192.168.7.7"].map(|rule| rule.parse().unwrap()));
    let announce = ["203.0.113.7", "2001:db8::7"].map(|address| address.parse::<IpAddr>().unwrap());
    assert_eq!(settings.ice.announce, announce);
    assert_eq!(settings.log, LogLevel::Debug);
}

#[test]
fn each_source_takes_what_belongs_to_it() {
    let video = |text: &str| meaning(&format!("[video]\n{text}")).media.video.source;
    let video2 = || CameraName::V4l2(Some(PathBuf::from("/dev/video2")));
    assert_eq!(video("device = '/dev/video2'"), VideoSource::Auto(video2()));
    assert_eq!(video("device = 'auto'"), VideoSource::Auto(CameraName::Any));
    assert_eq!(video("device = 'libcamera'"), VideoSource::Auto(CameraName::Libcamera(None)));
    assert_eq!(video("source = 'v4l2'"), VideoSource::Camera(CameraName::V4l2(None)));
    assert_eq!(video("source = 'v4l2'\ndevice = '/dev/video2'"), VideoSource::Camera(video2()));
    assert_eq!(video("source = 'libcamera'"), VideoSource::Camera(CameraName::Libcamera(None)));
    let imx219 = CameraName::Libcamera(Some("/base/soc/i2c0mux/i2c@1/imx219@10".to_owned()));
    assert_eq!(
        video("source = 'libcamera'\ndevice = 'libcamera:/base/soc/i2c0mux/i2c@1/imx219@10'"),
        VideoSource::Camera(imx219)
    );
    assert_eq!(video("source = 'test'\nfile = 'kept-for-later.avi'"), VideoSource::Test);
    assert_eq!(
        video("source = 'file'\nfile = '/clips/a.avi'"),
        VideoSource::File(PathBuf::from("/clips/a.avi"))
    );

    let audio = |text: &str| meaning(text).media.audio.source;
    assert_eq!(audio("[audio]\nsource = 'alsa'"), AudioSource::Alsa("default".to_owned()));
    assert_eq!(audio("[audio]\nsource = 'none'\ndevice = 'hw:1'"), AudioSource::None);
    assert_eq!(audio("audio.source = 'file'\nvideo = { source = 'file', file = 'a' }"), AudioSource::File);
}

#[test]
fn a_clip_without_a_leading_slash_lies_in_the_folder_of_the_file() {
    let text = "[video]\nsource = 'file'\nfile = 'clips/door.avi'";
    let source = |file: &str| load(file, text, &nothing_set).unwrap().media.video.source;
    assert_eq!(
        source("/etc/porthole/porthole.toml"),
        VideoSource::File("/etc/porthole/clips/door.avi".into())
    );
    assert_eq!(source("porthole.toml"), VideoSource::File("clips/door.avi".into()));
}

#[test]
fn a_server_of_a_crowd_is_an_address_and_perhaps_a_token_which_nobody_is_shown() {
    let none = |_: &str| None;
    let load =
        |text: &str, env: &dyn Fn(&str) -> Option<String>| porthole_core::config::load("my.toml", text, env);
    assert_eq!(load("", &none).unwrap().publish, None);
    let publish = "[publish]\nwhip = \"https://sfu.example:8443/whip/yard?app=1\"\n";
    let plain = load(publish, &none).unwrap().publish.unwrap();
    assert_eq!((plain.origin(), &plain.token), ("https://sfu.example:8443", &None));
    let both = format!("{publish}token = \"file-token\"\n");
    let settings = load(&both, &none).unwrap();
    assert_eq!(settings.publish.as_ref().unwrap().token.as_ref().unwrap().0, "file-token");
    let shown = format!("{settings} {settings:?}");
    assert!(shown.contains("shown by https://sfu.example:8443"), "{shown}");
    assert!(!shown.contains("file-token") && !shown.contains("/whip/yard"), "{shown}");
    let env = |key: &str| (key == "PORTHOLE_PUBLISH_TOKEN").then(|| "env-token".to_owned());
    assert_eq!(load(&both, &env).unwrap().publish.unwrap().token.unwrap().0, "env-token");
    assert_eq!(load("", &env).unwrap().publish, None, "a token alone sends the camera nowhere");
    for bad in [
        "whip = \"sfu.example\"",
        "whip = \"ftp://sfu.example/\"",
        "whip = \"https://user:secret@sfu.example/\"",
        "whip = \"https://sfu.example/a b\"",
        "whip = \"https://sfu.example/#x\"",
        "token = \"alone-token\"",
        "whip = \"https://sfu.example/\"\ntoken = \"two words-token\"",
    ] {
        let said = load(&format!("[publish]\n{bad}\n"), &none).unwrap_err().to_string();
        assert!(said.contains("publish.") && !said.contains("-token"), "{said}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_with_its_line() {
    let text = r#"[room]
name = "not a name"
acess = "open"
max_calls = 0

[video]
width = 641
framerate = "30"
packet = 20

[vidoe]
width = 1

[audio]
packet = 30
"#;
    assert_eq!(
        wrong(text),
        [
            r#"my.toml:2: room.name = "not a name": a text of 1 to 64 characters out of A-Z a-z 0-9 . _ : @ -"#,
            "my.toml:3: room.acess: not a key of [room]; did you mean access? \
             (known: name, camera, access, keys, max_calls, idle_after, privacy)",
            "my.toml:4: room.max_calls = 0: a whole number from 1 to 200",
            "my.toml:7: video.width = 641: an even number of pixels from 16 to 4096",
            r#"my.toml:8: video.framerate = "30": a whole number of frames a second from 1 to 120"#,
            "my.toml:9: video.packet: not a key of [video]; packet is a key of [audio] \
             (known: source, device, file, width, height, framerate, bitrate, encoder, fallback, flip, day_night, \
             controls, delay, keep_warm)",
            "my.toml:11: vidoe: not a section; did you mean [video]? \
             (known: [room], [relay], [video], [audio], [speaker], [ice], [publish], [log])",
            "my.toml:15: audio.packet = 30: 10, 20, 40 or 60 milliseconds",
        ]
    );
}

#[test]
fn every_key_refuses_another_type_and_says_what_is_allowed() {
    for section in SECTIONS {
        for key in section.keys {
            let flag = if key.allowed == "true or false" { "'true'" } else { "true" };
            // What it is called is for the camera to know, so any table of values may be one of controls.
            let table = if key.name == "controls" { "{ a = {} }" } else { "{ a = 1 }" };
            for value in [flag, "1.5", "1979-05-27", table, "[[1]]"] {
                let found = findings(&format!("[{}]\n{} = {value}", section.name, key.name));
                let path = format!("{}.{}", section.name, key.name);
                assert!(
                    found.iter().all(|finding| finding.line == Some(2) && finding.key.starts_with(&path)),
                    "{path} = {value}: {found}"
                );
                assert!(!found.iter().any(|finding| finding.allowed.is_empty()), "{path} = {value}: {found}");
            }
        }
    }
}

#[test]
fn numbers_are_taken_up_to_their_bounds_and_no_further() {
    let bounds = [
        ("room.max_calls", 1, 200, 1),
        ("room.idle_after", 0, 3600, 1),
        ("relay.max_sockets", 2, 10_000, 1),
        ("video.width", 16, 4096, 2),
        ("video.height", 16, 4096, 2),
        ("video.framerate", 1, 120, 1),
        ("video.bitrate", 50, 50_000, 1),
        ("audio.bitrate", 6, 510, 1),
        ("audio.packet", 10, 60, 10),
        ("audio.gain", -40, 20, 1),
        ("speaker.volume", 1, 400, 1),
    ];
    for (key, least, most, step) in bounds {
        for good in [least, most] {
            meaning(&format!("{key} = {good}"));
        }
        for bad in [least - step, most + step, least.min(0) - 1, i64::MAX] {
            assert_eq!(findings(&format!("{key} = {bad}")).len(), 1, "{key} = {bad}");
        }
        // One more than an i64 holds.
        assert_eq!(findings(&format!("{key} = 9223372036854775808")).len(), 1, "{key}");
    }
}

#[test]
fn words_are_taken_as_they_are_spelt_and_no_other_way() {
    let words = [
        ("room.access", vec!["keys", "local", "open"]),
        ("video.source", vec!["auto", "v4l2", "libcamera", "test", "file"]),
        ("video.flip", vec!["none", "horizontal", "vertical", "both"]),
        ("video.day_night", vec!["camera", "day", "night"]),
        ("video.fallback", vec!["vp8", "none"]),
        ("relay.metrics", vec!["local", "all", "off"]),
        ("audio.source", vec!["auto", "alsa", "test", "file", "none"]),
        ("speaker.sink", vec!["auto", "alsa", "test", "none"]),
        ("speaker.talkers", vec!["one", "mix"]),
        ("speaker.echo", vec!["auto", "cancel", "half", "off"]),
        ("log.level", vec!["warn", "info", "debug"]),
    ];
    for (key, good) in words {
        for word in good {
            let clip = if word == "file" { "video.file = 'a.avi'\n" } else { "" };
            let source = if key == "audio.source" && word == "file" { "video.source = 'file'\n" } else { "" };
            meaning(&format!("{clip}{source}{key} = '{word}'"));
            assert_eq!(findings(&format!("{key} = '{}'", word.to_uppercase())).len(), 1, "{key}");
        }
        assert_eq!(findings(&format!("{key} = ''")).len(), 1, "{key}");
    }
}

#[test]
fn texts_that_cannot_be_what_they_should_are_refused() {
    for line in [
        "room.name = ''",
        "room.name = 'a room'",
        "room.camera = '   '",
        "room.camera = \"a\\u0007b\"",
        "room.camera = \"a\\u202Eb\"",
        "relay.listen = 'localhost:8080'",
        "relay.listen = '127.0.0.1'",
        "relay.link = 'cam.example'",
        "relay.link = 'https://cam.example/page'",
        "video.device = 'video0'",
        "video.device = 'libcamera:'",
        "video.device = 'libcamera2'",
        "video.controls = 3",
        "video.controls = { brightness = [1] }",
        "video.controls = { brightness = nan }",
        "video.controls = { auto_exposure = '' }",
        "video.controls = { '' = 1 }",
        "video.device = '/'",
        "video.file = \"a\\u0000b\"",
        "video.encoder = ''",
        "video.encoder = 'x264enc ! fakesink'",
        "video.encoder = 'x264'",
        "audio.device = ''",
        "ice.stun = 'stun:stun.example'",
        "ice.stun = ['stun://stun.example']",
        "ice.turn = ['turn:turn.example']",
    ] {
        let found = findings(line);
        assert_eq!(found.len(), 1, "{line}: {found}");
        assert_eq!(found.iter().next().unwrap().line, Some(1));
    }
    let long = "a".repeat(65);
    assert_eq!(findings(&format!("room.name = '{long}'")).len(), 1);
    assert_eq!(findings(&format!("room.camera = '{long}'")).len(), 1);
}

#[test]
fn listening_beyond_loopback_needs_a_room_that_others_may_enter() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.168.1.5:80", "[::ffff:10.0.0.1]:80"] {
        let found = wrong(&format!("[room]\naccess = 'local'\n[relay]\nlisten = '{listen}'"));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(&format!("my.toml:4: relay.listen = '{listen}': ")), "{found:?}");
        assert!(found[0].contains(r#"write access = "keys" below [room]"#), "{found:?}");
        meaning(&format!("relay.listen = '{listen}'\nroom.access = 'open'"));
        meaning(&format!("relay.listen = '{listen}'"));
    }
    for listen in ["127.0.0.1:0", "127.8.8.8:1", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
        meaning(&format!("relay.listen = '{listen}'\nroom.access = 'local'"));
    }
}

#[test]
fn the_file_with_the_keys_lies_in_the_folder_of_the_configuration_unless_it_says_otherwise() {
    let keys = |text: &str| load("/etc/porthole/porthole.toml", text, &nothing_set).unwrap().room.keys;
    assert_eq!(keys("room.keys = 'keys.json'"), Some(PathBuf::from("/etc/porthole/keys.json")));
    assert_eq!(keys("room.keys = '/srv/keys.json'"), Some(PathBuf::from("/srv/keys.json")));
    assert_eq!(keys("room.keys = ''"), None);
    assert_eq!(findings("room.keys = \"a\\u0000b\"").len(), 1);
}

#[test]
fn in_a_room_of_somebody_else_keys_need_a_dialect_that_carries_their_proofs() {
    let external = |access: &str, dialect: &str| {
        format!("[room]\naccess = '{access}'\n[relay]\nmode = 'external'\n{URL}\ndialect = '{dialect}'")
    };
    for dialect in ["auto", "porthole"] {
        meaning(&external("keys", dialect));
    }
    for dialect in ["a", "a0", "b", "c", "c2", "d", "e", "f", "g", "custom"] {
        let found = wrong(&external("keys", dialect));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("my.toml:6: relay.dialect = '{dialect}': only \"auto\"")),
            "{found:?}"
        );
        assert!(found[0].contains(r#"or access = "open" below [room]"#), "{found:?}");
        meaning(&external("open", dialect));
    }
    assert_eq!(findings(&external("keys", "h")).len(), 1, "a wrong dialect is not held against the keys");
}

#[test]
fn keys_that_contradict_each_other_are_found() {
    for (text, key) in [
        ("video.source = 'file'", "video.source"),
        ("video.source = 'file'\nvideo.file = ''", "video.source"),
        ("video.file = 'a.avi'", "video.file"),
        ("audio.source = 'file'", "audio.source"),
        ("video.source = 'v4l2'\nvideo.device = 'libcamera'", "video.device"),
        ("video.source = 'libcamera'\nvideo.device = '/dev/video0'", "video.device"),
        ("video.source = 'test'\nvideo.flip = 'both'", "video.flip"),
        ("video.source = 'test'\nvideo.day_night = 'night'", "video.day_night"),
        ("video.source = 'test'\nvideo.controls = { hue = 1 }", "video.controls"),
        ("audio.device = 'hw:1,0'", "audio.device"),
    ] {
        let found = findings(text);
        assert_eq!(found.iter().map(|finding| finding.key.as_str()).collect::<Vec<_>>(), [key], "{found}");
    }
}

#[test]
fn a_wrong_value_is_not_held_against_another_key() {
    for text in [
        "relay.listen = '0.0.0.0:80'\nroom.access = 'opne'",
        "video.source = 'file'\nvideo.file = 3",
        "audio.source = 'file'\nvideo.source = 'flie'",
        "relay.listen = '0.0.0.0:80'\nroom.access = \"local",
    ] {
        let found = findings(text);
        assert_eq!(found.len(), 1, "{found}");
        assert_eq!(found.iter().next().unwrap().line, Some(2), "{found}");
    }
}

#[test]
fn an_encoder_is_one_of_those_that_are_allowed_and_found_with_its_line() {
    let allowed = wrong("[video]\n\nencoder = 'x264'\n");
    assert!(allowed[0].starts_with("my.toml:3: video.encoder = 'x264': "), "{allowed:?}");
    for name in H264 {
        assert!(allowed[0].contains(&format!("\"{name}\"")), "{allowed:?}");
        assert_eq!(
            meaning(&format!("video.encoder = '{name}'")).media.video.encoder,
            EncoderChoice::Named(name.into())
        );
    }
}

#[test]
fn the_line_of_a_key_is_known() {
    let text = "[room]\nname = 'a'\n[video]\n# file = ''\nfile = 'a'\n";
    assert_eq!((line_of(text, "video.file"), line_of(text, "relay.ca")), (Some(5), None));
    assert_eq!(line_of("video.width = 3\nvideo.file = 'a'", "video.file"), Some(2));
}

#[test]
fn what_is_no_toml_is_found_beside_everything_else() {
    let found = wrong("[room]\nmax_calls = = 3\n[video]\nwidth = 7\nheight = 480\nheight = 480\n");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("my.toml:2: not TOML: "), "{found:?}");
    assert_eq!(found[1], "my.toml:4: video.width = 7: an even number of pixels from 16 to 4096");
    assert_eq!(found[2], "my.toml:6: video.height: is there already, in line 5: leave one of them out");
}

#[test]
fn a_section_or_a_key_that_stands_twice_is_named_with_its_first_place() {
    let installed = "[room]\nname = 'a'\n[relay]\nlisten = '0.0.0.0:80'\n[video]\nwidth = 640\n";
    let relay = "my.toml:7: [relay] is there already, in line 3: write what belongs below it there, and leave \
                 this line out";
    assert_eq!(
        wrong(&format!("{installed}[relay]\nlisten = '127.0.0.1:81'\n")),
        [relay, "my.toml:8: relay.listen: is there already, in line 4: leave one of them out"]
    );
    assert_eq!(wrong(&format!("{installed}[relay] # [mine]\ntls = 'off'\n[log]\n")), [relay]);
    assert_eq!(
        wrong(&format!("{installed}[[ ice . turn ]]\nurl = 'turn:a'\nsecret = 's'\n[ice.turn]\n")),
        ["my.toml:10: [ice.turn] is there already, in line 7: write what belongs below it there, and leave \
          this line out"]
    );
    assert_eq!(
        wrong("room.name = 'a'\nroom.camera = 'b'\nroom.name = 'c'\n"),
        ["my.toml:3: room.name: is there already, in line 1: leave one of them out"]
    );
    // Not where it is only spoken of.
    assert_eq!(
        wrong("[room]\nname = 'a' # [relay]\n#[relay]\n[relay]\nlink = ''\n\n[relay]\n"),
        [
            "my.toml:7: [relay] is there already, in line 4: write what belongs below it there, and leave this \
          line out"
        ]
    );
    // A name that nobody knows may be a password.
    for header in ["hush.auth", "relay.hush", "relay.auth.hush", "hush"] {
        let said = wrong(&format!("[{header}]\n[[{header}]]\n")).join("\n");
        let why = ":2: this section is there already, in line 1: write what belongs below it there";
        assert!(said.contains(why) && !said.contains("[hush") && !said.contains(".hush]"), "{said}");
    }
    let many = "width = 640\n".repeat(60);
    assert_eq!(wrong(&format!("[video]\n{many}")).len(), 59);
}

#[test]
fn keys_and_sections_in_each_others_place_are_sent_where_they_belong() {
    assert_eq!(
        wrong("width = 640\nvideo = 3\nbitrate = 1\n"),
        [
            "my.toml:1: width: a key of [video], not of the top of the file",
            "my.toml:2: video: not a key but a section: write [video] on a line of its own and its keys below it",
            "my.toml:3: bitrate: not a section (known: [room], [relay], [video], [audio], [speaker], [ice], [publish], [log])",
        ]
    );
}

#[test]
fn a_turn_server_needs_all_three_and_nothing_else() {
    assert_eq!(
        wrong("[[ice.turn]]\nurl = 'stun:a'\nuser = 'camera'\n\n[[ice.turn]]\nusername = ''\n"),
        [
            r#"my.toml:1: ice.turn[0].username: missing; a text that is not empty"#,
            "my.toml:1: ice.turn[0].password: missing; write it here, \
             or put it into the environment as PORTHOLE_ICE_TURN_PASSWORD",
            r#"my.toml:2: ice.turn[0].url: a text such as "turn:turn.example:3478?transport=udp" or "turns:turn.example:5349""#,
            "my.toml:3: ice.turn[0].user: not a key of [ice.turn]; did you mean username? (known: url, username, password, secret)",
            r#"my.toml:5: ice.turn[1].url: missing; a text such as "turn:turn.example:3478?transport=udp" or "turns:turn.example:5349""#,
            "my.toml:5: ice.turn[1].password: missing; write it here, \
             or put it into the environment as PORTHOLE_ICE_TURN_PASSWORD",
            "my.toml:6: ice.turn[1].username: a text that is not empty",
        ]
    );
}

#[test]
fn the_environment_gives_the_turn_passwords() {
    let server = |name: &str, password: &str| {
        format!("[[ice.turn]]\nurl = 'turn:{name}'\nusername = '{name}'\n{password}\n")
    };
    let text = [server("a", ""), server("b", "password = 'file'"), server("c", "password = 'file'")].concat();
    let passwords = |set: &[(&str, &str)]| {
        let set: BTreeMap<_, _> = set.iter().copied().collect();
        let env = |name: &str| set.get(name).map(|&value| value.to_owned());
        load("my.toml", &text, &env).map(|settings| {
            let login = |server: TurnServer| match server.login {
                TurnLogin::Password(Credentials { password, .. }) => password,
                TurnLogin::Secret(secret) => panic!("a secret: {secret}"),
            };
            settings.ice.turn.into_iter().map(login).collect::<Vec<_>>()
        })
    };
    assert_eq!(passwords(&[("PORTHOLE_ICE_TURN_PASSWORD", "all")]).unwrap(), ["all", "all", "all"]);
    assert_eq!(
        passwords(&[("PORTHOLE_ICE_TURN_PASSWORD", "all"), ("PORTHOLE_ICE_TURN_PASSWORD_2", "two")]).unwrap(),
        ["all", "two", "all"]
    );
    assert_eq!(passwords(&[("PORTHOLE_ICE_TURN_PASSWORD_1", "one")]).unwrap(), ["one", "file", "file"]);
    assert_eq!(passwords(&[("PORTHOLE_ICE_TURN_PASSWORD", "")]).unwrap_err().len(), 1);
}

#[test]
fn a_turn_server_with_a_secret_needs_nothing_else_and_takes_nothing_else() {
    let logins = |text: &str, set: &[(&str, &str)]| {
        let set: BTreeMap<_, _> = set.iter().copied().collect();
        let env = |name: &str| set.get(name).map(|&value| value.to_owned());
        load("my.toml", text, &env)
            .map(|settings| settings.ice.turn.into_iter().map(|server| server.login).collect::<Vec<_>>())
    };
    let secret = |text: &str| TurnLogin::Secret(text.to_owned());
    let text = "ice.turn = [{ url = 'turn:a' }, { url = 'turn:b', secret = '' }, { url = 'turn:c', secret = 'file' },
                { url = 'turn:d', username = 'me', password = 'wonder' }]";
    let password = turn("", "me", "wonder").login;
    let all = ("PORTHOLE_ICE_TURN_SECRET", "all");
    assert_eq!(
        logins(text, &[all, ("PORTHOLE_ICE_TURN_SECRET_2", "two")]).unwrap(),
        [secret("all"), secret("two"), secret("all"), password]
    );
    let found = logins(text, &[]).unwrap_err().to_string();
    assert!(found.contains("ice.turn[1].secret: missing; write it here, or put it into the environment as PORTHOLE_ICE_TURN_SECRET"), "{found}");
    assert!(found.contains("ice.turn[0].username: missing"), "{found}");
    assert_eq!(
        wrong("[[ice.turn]]\nurl = 'turn:a'\nusername = 'me'\npassword = 'wonder'\nsecret = 'north'"),
        [
            "my.toml:3: ice.turn[0].username: leave this out: with a secret it is made for each call",
            "my.toml:4: ice.turn[0].password: leave this out: with a secret it is made for each call",
        ]
    );
    let of_another_type = wrong("[[ice.turn]]\nurl = 'turn:a'\nsecret = ['north']");
    assert_eq!(
        of_another_type,
        [r#"my.toml:3: ice.turn[0].secret: a text, or "" where it is in the environment"#]
    );
}

#[test]
fn what_the_camera_uses_of_its_own_is_held_to_what_can_be() {
    for text in [
        "ports = '1024-65535'",
        "ports = '50000-50019'",
        "interfaces = ['*', '!br-0123456789ab*']",
        "addresses = ['10.0.0.1', '!::/0', 'fd00::/8']",
        "announce = ['192.168.1.1', '203.0.113.7']",
        "policy = 'relay'\nports = '2000-3000'\nturn = [{ url = 'turn:a', secret = 'b' }]",
    ] {
        meaning(&format!("[ice]\n{text}"));
    }
    for (text, key) in [
        ("ports = '1023-2000'", "ice.ports"),
        ("ports = '2000-1999'", "ice.ports"),
        ("ports = '2000-65536'", "ice.ports"),
        ("ports = '2000'", "ice.ports"),
        ("ports = '+2000-3000'", "ice.ports"),
        ("ports = '2000 - 3000'", "ice.ports"),
        ("ports = 2000", "ice.ports"),
        ("ports = '2000-2018'", "ice.ports"),
        ("ports = '8000-9000'\ntcp = true", "ice.ports"),
        ("interfaces = 'eth0'", "ice.interfaces"),
        ("interfaces = ['eth0', 7]", "ice.interfaces[1]"),
        ("interfaces = ['']", "ice.interfaces[0]"),
        ("interfaces = ['!']", "ice.interfaces[0]"),
        ("interfaces = ['!!a']", "ice.interfaces[0]"),
        ("interfaces = ['a b']", "ice.interfaces[0]"),
        ("interfaces = ['*lan']", "ice.interfaces[0]"),
        ("interfaces = ['sixteen-letters-']", "ice.interfaces[0]"),
        ("interfaces = ['eth0', 'eth0']", "ice.interfaces[1]"),
        ("addresses = ['192.168.0.0/33']", "ice.addresses[0]"),
        ("addresses = ['192.168.0']", "ice.addresses[0]"),
        ("addresses = ['localhost']", "ice.addresses[0]"),
        ("addresses = ['fe80::1%eth0']", "ice.addresses[0]"),
        ("announce = ['cam.example']", "ice.announce[0]"),
        ("announce = ['0.0.0.0']", "ice.announce[0]"),
        ("announce = ['127.0.0.1']", "ice.announce[0]"),
        ("announce = ['203.0.113.7:80']", "ice.announce[0]"),
        ("policy = 'relay'", "ice.policy"),
        ("policy = 'relay'\ntcp = true\nturn = [{ url = 'turn:a', secret = 'b' }]", "ice.tcp"),
        (
            "policy = 'relay'\nannounce = ['1.2.3.4']\nturn = [{ url = 'turn:a', secret = 'b' }]",
            "ice.announce",
        ),
        ("ca = 'a.pem'\nturn = [{ url = 'turn:a', secret = 'b' }]", "ice.ca"),
        ("turn_lifetime = 299", "ice.turn_lifetime"),
        ("turn_lifetime = 604801", "ice.turn_lifetime"),
        ("policy = 'relay'\nturn = [{ url = 'turn:a', secret = 7 }]", "ice.turn[0].secret"),
    ] {
        let found = findings(&format!("[ice]\n{text}"));
        assert_eq!(found.iter().map(|finding| finding.key.as_str()).collect::<Vec<_>>(), [key], "{found}");
    }
    let many = |key: &str, count: usize, of: fn(usize) -> String| {
        let all: Vec<String> = (0..count).map(|one| format!("'{}'", of(one))).collect();
        load("my.toml", &format!("ice.{key} = [{}]", all.join(",")), &nothing_set)
    };
    for (key, most, of) in [
        ("interfaces", 32, (|one| format!("eth{one}")) as fn(usize) -> String),
        ("addresses", 32, |one| format!("10.0.0.{one}")),
        ("announce", 8, |one| format!("203.0.113.{one}")),
    ] {
        assert!(many(key, most, of).is_ok(), "{key}");
        assert_eq!(many(key, most + 1, of).unwrap_err().len(), 1, "{key}");
    }
}

#[test]
fn no_password_is_ever_repeated() {
    for text in [
        "[[ice.turn]]\nsecret = ['wonder']",
        "[[ice.turn]]\nsecret = 'wonder'\nusername = 'wonder'",
        "[[ice.turn]]\nsecert = 'wonder'",
        "[ice]\nsecret = 'wonder'",
        "[[ice.turn]]\npasword = 'wonder'",
        "[[ice.turn]]\npassword = ['wonder']",
        "[[ice.turn]]\npassword = 'wonder",
        "[[ice.turn]]\nurl = 'turn://me:wonder@host'",
        "[ice]\nturn = 'turn:me:wonder@host'",
        "[ice]\nturn = ['wonder']",
        "[ice]\nturn = [{ password = 'wonder' ]",
        "[ice]\nstun = ['stun:me:wonder@host']",
        "[ice]\nstun = { password = 'wonder' }",
        "[ice]\npassword = 'wonder'",
        "turn = { password = 'wonder' }",
        "password = 'wonder'",
        "[relay]\nmode = 'external'\nurl = 'https://me:wonder@relay.example'",
        "[relay]\nlink = 'https://me:wonder@cam.example'",
        "[relay]\nurl = { token = 'wonder' }",
        "[room]\nname = [{ password = 'wonder' }]",
    ] {
        let found = findings(text).to_string();
        assert!(!found.contains("wonder"), "{found}");
    }
    for text in [
        "[publish]\ntoken = \"\"\"wonder-5ecret\"\"\"",
        "[publish]\nwhip = 'https://me:wonder@crowd.example/whip'",
        "[[ice.turn]]\nurl = 'turn:host'\nusername = 'camera'\npassword = 'wonder'",
    ] {
        let found = load_for_relay("relay.toml", text, &nothing_set).map_err(|found| found.to_string());
        assert!(found.is_ok() || !found.as_ref().unwrap_err().contains("wonder"), "{found:?}");
    }
    let shown = format!("{:?}", turn("turn:host", "camera", "wonder"));
    assert!(shown.contains("camera") && !shown.contains("wonder"), "{shown}");
    let shown =
        format!("{:?}", TurnServer { url: "turn:host".into(), login: TurnLogin::Secret("wonder".into()) });
    assert!(shown.contains("host") && !shown.contains("wonder"), "{shown}");
}

#[test]
fn of_several_controls_those_that_are_none_are_found_one_by_one() {
    let found = wrong("[video.controls]\nbrightness = 3\nauto_exposure = ''\nhue = [1]\nzoom = 2\n");
    let [exposure, hue] = &found[..] else { panic!("{found:?}") };
    assert!(exposure.starts_with("my.toml:3: video.controls.auto_exposure = '': "), "{exposure}");
    assert!(
        hue.starts_with("my.toml:4: video.controls.hue = [1]: ") && hue.contains("true or false"),
        "{hue}"
    );
}

#[test]
fn controls_keep_their_order_and_their_kind() {
    let text = "[video]\nflip = 'both'\nday_night = 'night'\n[video.controls]\nzoom = 0x10\n\
                auto_exposure = 'manual'\nae_enable = false\nbrightness = -0.5";
    let look = meaning(text).media.video.look;
    assert_eq!((look.flip.horizontal, look.flip.vertical, look.day_night), (true, true, DayNight::Night));
    let written: Vec<_> = look.controls.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(
        written,
        [
            ("zoom", ControlValue::Number(16)),
            ("auto_exposure", ControlValue::Word("manual".to_owned())),
            ("ae_enable", ControlValue::Switch(false)),
            ("brightness", ControlValue::Decimal(-0.5)),
        ]
    );
}

#[test]
fn the_summary_says_what_matters_and_no_secret() {
    let text = "room.access = 'open'\nvideo.source = 'test'\naudio.source = 'none'\n\
                [[ice.turn]]\nurl = 'turn:t.example'\nusername = 'me'\npassword = 'wonder'";
    assert_eq!(
        meaning(text).to_string(),
        "room     porthole (\"Camera\") at 127.0.0.1:8080, for everybody who reaches it, at most 20 calls\n\
         https    by an authority of our own, beside http\n\
         picture  the test picture, 1280x720 at 30/s, H.264 of 2000 kbit/s by the first encoder that works, \
         VP8 for browsers without\n\
         sound    none\n\
         speaker  the first speaker if there is one at 100 %, one talks at a time\n\
         ice      0 STUN and 1 TURN servers"
    );
    let text = "[ice]\nturn = [{ url = 'turn:a', secret = 'wonder' }]\nports = '2000-2099'\ntcp = true\n\
                addresses = ['!::/0']\nannounce = ['203.0.113.7', '203.0.113.8']\nturn_lifetime = 600";
    let summary = meaning(text).to_string();
    assert!(
        summary.ends_with(
            "0 STUN and 1 TURN servers (credentials for 600 s), ports 2000 to 2099, TCP too, some addresses, \
             reached at 203.0.113.7 and 203.0.113.8"
        ),
        "{summary}"
    );
}

#[test]
fn a_text_whose_end_was_forgotten_repeats_nothing_of_what_it_swallowed() {
    for (open, close) in [("'''", "'''"), ("\"\"\"", "\"\"\"")] {
        let text = format!(
            "[room]\nname = {open}front door\n[[ice.turn]]\nurl = 'turn:h'\nusername = 'me'\npassword = 'wonder'\n\
             [video]\nfile = {close}\n"
        );
        let found = findings(&text).to_string();
        assert!(found.contains("my.toml:2: room.name: a text"), "{found}");
        assert!(!found.contains("wonder") && !found.contains("username"), "{found}");
    }
}

#[test]
fn a_finding_is_one_line_whatever_a_key_is_called() {
    let found = wrong("\"a\\nb\\u001b[2J\" = 1\n[room]\n'a\tb' = 1\n");
    assert!(found.len() == 2 && found.iter().all(|one| !one.contains(char::is_control)), "{found:?}");
    let found = wrong(&format!("{} = 1", "k".repeat(1000)));
    assert!(found.len() == 1 && found[0].contains('…') && found[0].len() < 200, "{found:?}");
}

#[test]
fn a_long_value_is_shortened_and_one_of_several_lines_is_not_repeated() {
    let found = wrong(&format!("room.name = 'a {}'", "c".repeat(1000)));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains('…') && found[0].len() < 200, "{found:?}");
    let found = wrong("room.name = '''a\nb'''");
    assert!(found.len() == 1 && found[0].starts_with("my.toml:1: room.name: a text of 1 to 64"), "{found:?}");
}

#[test]
fn no_text_makes_it_fall_over() {
    let whole = shipped("porthole.toml");
    // Without the prose, of which any cut is as good as another.
    let keys: String = whole
        .lines()
        .map(|line| uncommented(line).unwrap_or(line))
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    for text in [keys, shipped("doorbell.toml")] {
        let cuts = text.char_indices().map(|(at, _)| at);
        for at in cuts {
            let _ = load("my.toml", &text[..at], &nothing_set);
            let _ = load("my.toml", &text[at..], &nothing_set);
            let _ = load("my.toml", &format!("{}[\"'={{{}", &text[..at], &text[at..]), &nothing_set);
        }
    }
}

#[test]
fn the_shipped_examples_are_allowed_and_change_something() {
    let relay = load_for_relay("relay.toml", &shipped("relay.toml"), &nothing_set).unwrap();
    assert!(!relay.relay.rooms.is_empty());
    for name in ["doorbell.toml", "baby-monitor.toml", "other-relay.toml", "relay.toml"] {
        let settings = load(name, &shipped(name), &nothing_set).unwrap();
        assert_ne!(settings, Settings::default(), "{name}");
        let access = if name.contains("relay") { Access::Open } else { Access::Keys };
        assert_eq!(settings.room.access, access, "{name}");
    }
    let files = fs::read_dir(config_folder()).unwrap().map(|entry| entry.unwrap().path());
    let toml: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    assert_eq!(toml.len(), 5, "a file that no test reads: {toml:?}");
}

#[test]
fn porthole_toml_has_every_key_commented_out_with_its_default() {
    let text = shipped("porthole.toml");
    assert_eq!(meaning(&text), Settings::default());

    let mut section = String::new();
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some(assignment) = uncommented(line) {
            let (key, _) = assignment.split_once(" = ").unwrap();
            keys.push(format!("{section}.{key}"));
            assert_eq!(
                meaning(&format!("[{section}]\n{assignment}")),
                Settings::default(),
                "{section}.{key}"
            );
        }
    }
    assert_eq!(keys, known_keys());

    let all: String = text.lines().map(|line| format!("{}\n", uncommented(line).unwrap_or(line))).collect();
    assert_eq!(meaning(&all), Settings::default());
}

#[test]
fn the_reference_lists_every_key_with_its_default() {
    let text = shipped("README.md");
    let defaults = defaults_in_porthole_toml();
    let mut listed = Vec::new();
    // Other tables are about something else.
    let tables = text.split("\n\n").filter(|table| table.starts_with("| key |"));
    for line in tables.flat_map(str::lines).filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        listed.push(cells[1].to_owned());
        assert_eq!(Some(cells[2]), defaults.get(cells[1]).map(String::as_str), "{}", cells[1]);
    }
    assert_eq!(listed, known_keys());
}

#[test]
fn a_relay_of_somebody_else_is_taken_as_meant() {
    let text = r#"
        [room]
        access = "open"
        [relay]
        mode = "external"
        url = "https://relay.example:3000/"
        path = "/cam/socket.io"
        dialect = "c2"
        ca = "relay.pem"
        [relay.auth]
        token = "wonder"
        user-id = 7
        camera = true
        "#;
    let external = external(text);
    assert_eq!(
        (external.url.as_str(), external.path.as_str()),
        ("https://relay.example:3000", "/cam/socket.io/")
    );
    assert_eq!(external.dialect, Choice::Known(Known::C2));
    assert_eq!((external.ca, external.pin, external.calls), (Some(PathBuf::from("relay.pem")), None, 1));
    let auth = json!({ "token": "wonder", "user-id": 7, "camera": true });
    assert_eq!(Value::Object(external.auth.0), auth);
    for known in Known::ALL {
        let text = format!("{EXTERNAL}dialect = '{known}'\n");
        assert_eq!(self::external(&text).dialect, Choice::Known(known));
    }
    let pin = ["aB"; 32].join(":");
    assert_eq!(self::external(&format!("{EXTERNAL}pin = '{pin}'")).pin, Some([0xab; 32]));
}

#[test]
fn in_a_relay_of_somebody_else_there_is_one_call_unless_more_are_written() {
    assert_eq!(external(EXTERNAL).calls, 1);
    assert_eq!(external(&EXTERNAL.replace("[relay]", "max_calls = 3\n[relay]")).calls, 3);
    assert!(meaning(EXTERNAL).to_string().contains("one call at a time with pages that are not ours"));
}

#[test]
fn a_dialect_of_ones_own_has_names_and_shapes() {
    let text = format!(
        "{EXTERNAL}dialect = 'custom'\n[relay.events]\njoin = 'enter'\njoin_shape = 'room'\noffer = 'call me'\n\
         left = ''\nshape = 'room-first'\noffers = true\n"
    );
    let meant = Custom {
        join: "enter".to_owned(),
        join_shape: JoinShape::Room,
        offer: "call me".to_owned(),
        left: String::new(),
        shape: Wrap::RoomFirst,
        offers: true,
        ..Custom::default()
    };
    assert_eq!(external(&text).dialect, Choice::Custom(Box::new(meant)));
    assert_eq!(external(&format!("{EXTERNAL}dialect = 'custom'")).dialect, Choice::Custom(Box::default()));
    assert_eq!(
        wrong(&format!(
            "{EXTERNAL}dialect = 'custom'\nevents = {{ ofer = 'o', shape = 'round', offers = 1 }}"
        )),
        [
            "my.toml:8: relay.events.ofer: not a key of [relay.events]; did you mean offer? (known: join, join_shape, \
             offer, answer, candidate, bye, joined, left, full, shape, offers)",
            r#"my.toml:8: relay.events.shape = 'round': "object", "args", "room-first", "bare" or "sdp""#,
            "my.toml:8: relay.events.offers = 1: true or false",
        ]
    );
}

#[test]
fn a_dialect_of_ones_own_that_cannot_work_is_found() {
    let of = |events: &str| wrong(&format!("{EXTERNAL}dialect = 'custom'\nevents = {{ {events} }}"));
    let one = |events: &str, found: &str| {
        let all = of(events);
        assert!(all.len() == 1 && all[0].contains(found), "{events}: {all:?}");
    };
    one("joined = 'offer'", "my.toml:8: relay.events.joined = 'offer': another name than offer has");
    one("full = 'candidate'", "relay.events.full = 'candidate': another name than candidate has");
    one("candidate = 'answer'", "relay.events.candidate = 'answer': another name than answer has");
    one("offer = 'a', left = 'a'", "relay.events.left = 'a': another name than offer has");
    one("offer = 'candidate'", "my.toml:8: relay.events.candidate: another name than offer has");
    one(
        "joined = '', offers = true",
        "relay.events.joined = '': with offers = true the camera calls when it hears this",
    );
    one(
        "offer = 'a', answer = 'a', shape = 'sdp'",
        r#"relay.events.shape = 'sdp': "sdp" tells by its event"#,
    );
    for reserved in
        ["connect", "disconnect", "connect_error", "disconnecting", "newListener", "removeListener"]
    {
        one(&format!("candidate = '{reserved}'"), "Socket.IO keeps");
        one(&format!("join = '{reserved}'"), "Socket.IO keeps");
    }
    assert_eq!(of("offer = 'joined', full = 'bye'").len(), 2);
    for events in [
        "offer = 'signal', answer = 'signal', candidate = 'signal', bye = 'signal'",
        "offer = 'signal', answer = 'signal'",
        "join = 'joined', join_shape = 'room-id'",
        "bye = '', left = '', full = '', joined = ''",
    ] {
        external(&format!("{EXTERNAL}dialect = 'custom'\nevents = {{ {events} }}"));
    }
}

#[test]
fn what_is_missing_or_misplaced_about_the_relay_is_found_where_it_can_be_mended() {
    let start = "[room]\naccess = 'open'\n[relay]\nmode = 'external'\n";
    assert!(
        wrong(start)[0].starts_with("my.toml:4: relay.url: write where the server is"),
        "{:?}",
        wrong(start)
    );
    for (url, path) in [
        ("http://relay.example/cam/socket.io/", "/cam/socket.io/"),
        ("https://relay.example:3000/socket.io", "/socket.io"),
    ] {
        let found = wrong(&format!("{start}url = '{url}'"));
        assert!(found.len() == 1 && found[0].contains(&format!("path = \"{path}\"")), "{found:?}");
    }
    for url in
        ["http://a b/x", "http://relay.example/x?y", "http://u:p@relay.example/x", "ftp://relay.example/x"]
    {
        let found = wrong(&format!("{start}url = '{url}'"));
        assert!(found.len() == 1 && found[0].contains("a text such as"), "{url}: {found:?}");
    }
    let sockets = wrong(&format!("{EXTERNAL}max_sockets = 3"));
    assert!(sockets.len() == 1 && sockets[0].contains(r#"only with mode = "embedded""#), "{sockets:?}");
    let printed = format!("sha256 Fingerprint={}", ["aB"; 32].join(":"));
    assert_eq!(external(&format!("{EXTERNAL}pin = '{printed}'")).pin, Some([0xab; 32]));
}

#[test]
fn a_room_of_somebody_else_needs_access_for_others_and_a_url() {
    let found = wrong("[room]\naccess = 'local'\n[relay]\nmode = 'external'\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|line| line.contains(r#"write access = "keys" below [room]"#)), "{found:?}");
    assert!(found.iter().any(|line| line.contains("relay.url: write where the server is")), "{found:?}");
    for line in [
        "url = 'wss://relay.example'",
        "url = 'https://relay.example/room'",
        "path = 'socket.io'",
        "path = '/a b/'",
        "path = '/a?b=c'",
        "dialect = 'A'",
        "dialect = 'h'",
        "pin = 'abc'",
        "pin = 'a:b'",
        "ca = \"a\\u0000b\"",
        "auth = 'token'",
        "auth = { 'a b' = 'c' }",
        "auth = { token = 1.5 }",
        "auth = { token = '' }",
        "events = { join = 'a' }",
    ] {
        let text =
            if line.starts_with("url") { EXTERNAL.replace(URL, line) } else { format!("{EXTERNAL}{line}") };
        let found = findings(&text);
        assert_eq!(found.len(), 1, "{line}: {found}");
    }
    for line in ["ca = 'a.pem'", "pin = 'PIN'"] {
        let text = EXTERNAL.replace("https://", "http://") + &line.replace("PIN", &"ab".repeat(32));
        assert!(wrong(&text)[0].ends_with("only with a url that begins with https://"), "{line}");
    }
    let both = format!("{EXTERNAL}ca = 'a.pem'\npin = '{}'", "ab".repeat(32));
    assert_eq!(findings(&both).len(), 1);
}

#[test]
fn what_is_only_for_relays_of_others_is_found_beside_our_own() {
    for (key, value) in [
        ("url", "'https://relay.example'"),
        ("path", "'/cam/'"),
        ("dialect", "'a'"),
        ("auth", "{ token = 'wonder' }"),
        ("ca", "'a.pem'"),
        ("pin", &format!("'{}'", "ab".repeat(32))),
        ("events", "{ join = 'a' }"),
    ] {
        let found = wrong(&format!("[relay]\n{key} = {value}"));
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        assert!(found[0].starts_with(&format!("my.toml:2: relay.{key}")), "{found:?}");
        assert!(
            found[0].ends_with(r#": only with mode = "external""#) && !found[0].contains("wonder"),
            "{found:?}"
        );
    }
}

#[test]
fn what_https_is_made_of_lies_in_the_folder_of_the_file() {
    let source = |text: &str| load("/etc/porthole/my.toml", text, &nothing_set).unwrap().relay.tls.source;
    let (certificate, key) = ("/etc/porthole/a.pem".into(), "/etc/porthole/tls/b.pem".into());
    assert_eq!(
        source("[relay]\ntls = 'files'\ncertificate = 'a.pem'\nkey = 'tls/b.pem'"),
        TlsSource::Files { certificate, key }
    );
    let authority = Some("/etc/porthole/family.pem".into());
    assert_eq!(source("[relay]\nauthority = 'family.pem'"), TlsSource::Own { authority });
    assert_eq!(source("[relay]\ntls = 'off'"), TlsSource::Off);
}

#[test]
fn what_https_is_made_of_goes_with_its_kind() {
    for (text, key, why) in [
        ("certificate = 'a.pem'", "certificate", r#"only with tls = "files""#),
        ("key = 'a.pem'", "key", r#"only with tls = "files""#),
        ("tls = 'off'\nauthority = 'a.pem'", "authority", r#"only with tls = "own""#),
        ("tls = 'off'\nredirect = true", "redirect", "there is no https to go to"),
        ("tls = 'files'\ncertificate = 'a.pem'", "tls", "write the path of the PEM file under key"),
        ("tls = 'files'\nkey = 'a.pem'", "tls", "write the path of the PEM file under certificate"),
        ("tls = 'on'", "tls", r#""own", "files" or "off""#),
        ("tls = true", "tls", r#""own", "files" or "off""#),
        ("tls = 'on'\nkey = 'a.pem'", "tls", r#""own", "files" or "off""#),
        ("redirect = 'yes'", "redirect", "true or false"),
        ("authority = \"a\\u0000b\"", "authority", "a text with the path of a file"),
    ] {
        let found = wrong(&format!("[relay]\n{text}"));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(&format!(": relay.{key} = ")) && found[0].contains(why), "{found:?}");
    }
}

#[test]
fn the_environment_gives_what_the_handshake_holds() {
    let auth = |text: &str, set: &[(&str, &str)]| {
        let set: BTreeMap<_, _> = set.iter().copied().collect();
        let env = |name: &str| set.get(name).map(|&value| value.to_owned());
        load("my.toml", text, &env).map(|settings| match settings.relay.mode {
            RelayMode::External(external) => Value::Object(external.auth.0),
            RelayMode::Embedded => Value::Null,
        })
    };
    let (token, user) = (("PORTHOLE_RELAY_AUTH_TOKEN", "wonder"), ("PORTHOLE_RELAY_AUTH_USER_ID", "me"));
    assert_eq!(auth(EXTERNAL, &[token, user]).unwrap(), json!({ "token": "wonder" }));
    let text = format!("{EXTERNAL}auth = {{ user-id = '', token = 'file' }}");
    assert_eq!(auth(&text, &[token, user]).unwrap(), json!({ "token": "wonder", "user-id": "me" }));
    assert_eq!(auth(&text, &[user]).unwrap(), json!({ "token": "file", "user-id": "me" }));
    let missing = auth(&text, &[token]).unwrap_err().to_string();
    assert!(missing.contains("environment as PORTHOLE_RELAY_AUTH_USER_ID"), "{missing}");
    assert_eq!(auth("", &[token]).unwrap(), Value::Null, "nobody asks for it");
    let settings = load("my.toml", &text, &|_| Some("wonder".to_owned())).unwrap();
    assert!(!format!("{settings:?}{settings}").contains("wonder"));
}

#[test]
fn the_rooms_of_a_relay_are_names_each_once() {
    assert_eq!(
        wrong("[room]\nname = 'a'\n[relay]\nrooms = ['b', 'c d', 'a', 'b', 7]"),
        [
            "my.toml:4: relay.rooms[1] = 'c d': a text of 1 to 64 characters out of A-Z a-z 0-9 . _ : @ -",
            "my.toml:4: relay.rooms[2] = 'a': another room than that of [room], which is there in any case",
            "my.toml:4: relay.rooms[3] = 'b': each room once",
            "my.toml:4: relay.rooms[4] = 7: a text of 1 to 64 characters out of A-Z a-z 0-9 . _ : @ -",
        ]
    );
    let many = |number: usize| {
        let rooms: Vec<String> = (0..number).map(|room| format!("'room-{room}'")).collect();
        format!("[relay]\nrooms = [{}]", rooms.join(", "))
    };
    assert_eq!(meaning(&many(256)).relay.rooms.len(), 256);
    assert_eq!(findings(&many(257)).len(), 1);
    let others = wrong(&format!("{EXTERNAL}rooms = ['b']"));
    assert!(others.len() == 1 && others[0].contains(r#"only with mode = "embedded""#), "{others:?}");
    assert!(meaning("relay.rooms = ['b', 'c']").to_string().contains("rooms    b, c besides"));
}

#[test]
fn a_relay_alone_takes_nothing_about_a_camera() {
    let alone = |text: &str| load_for_relay("my.toml", text, &nothing_set);
    let said = "[room]\nname = 'a'\naccess = 'open'\n[relay]\nlisten = '0.0.0.0:80'\nlink = 'https://a.example'\n\
                max_sockets = 9\nrooms = ['b']\n[ice]\nstun = ['stun:a']\n[log]\nlevel = 'warn'";
    assert_eq!(alone(said).unwrap(), meaning(said));
    let mut default = Settings::default();
    default.room.access = Access::Local;
    assert_eq!(alone("").unwrap(), default);
    let found = alone("room.access = 'keys'").unwrap_err().to_string();
    assert!(found.starts_with("my.toml:1: room.access = 'keys': \"local\" or \"open\": "), "{found}");
    let found = alone("relay.listen = '0.0.0.0:80'").unwrap_err().to_string();
    assert!(found.contains("write access = \"open\" below") && !found.contains("keys"), "{found}");

    let about = ["video.", "audio.", "room.", "ice."];
    let of_a_relay = ["room.name", "room.access", "ice.stun", "ice.turn", "ice.turn_lifetime"];
    let of_a_camera: Vec<String> = known_keys()
        .into_iter()
        .filter(|key| about.iter().any(|section| key.starts_with(section)))
        .filter(|key| !of_a_relay.contains(&key.as_str()))
        .collect();
    assert!(of_a_camera.len() > 10);
    let defaults = defaults_in_porthole_toml();
    for key in of_a_camera {
        let text = format!("{key} = {}", defaults[&key]);
        assert_eq!(meaning(&text), Settings::default(), "{key}");
        let found = alone(&text).unwrap_err();
        assert_eq!(found.len(), 1, "{found}");
        assert!(found.to_string().contains("a relay has no camera"), "{found}");
    }
    let found = alone(EXTERNAL).unwrap_err().to_string();
    assert!(found.starts_with("my.toml:4: relay.mode = 'external': \"embedded\": "), "{found}");
}

const URL: &str = "url = 'https://relay.example'";
const EXTERNAL: &str =
    "[room]\naccess = 'open'\n[relay]\nmode = 'external'\nurl = 'https://relay.example'\n\n";

fn external(text: &str) -> ExternalRelay {
    match meaning(text).relay.mode {
        RelayMode::External(external) => *external,
        RelayMode::Embedded => panic!("embedded:\n{text}"),
    }
}

fn nothing_set(_: &str) -> Option<String> {
    None
}

fn meaning(text: &str) -> Settings {
    load("my.toml", text, &nothing_set).unwrap_or_else(|findings| panic!("{text}\n{findings}"))
}

fn findings(text: &str) -> Findings {
    match load("my.toml", text, &nothing_set) {
        Ok(settings) => panic!("allowed:\n{text}\n{settings:#?}"),
        Err(findings) => findings,
    }
}

fn wrong(text: &str) -> Vec<String> {
    findings(text).iter().map(ToString::to_string).collect()
}

fn turn(url: &str, username: &str, password: &str) -> TurnServer {
    let login =
        TurnLogin::Password(Credentials { username: username.to_owned(), password: password.to_owned() });
    TurnServer { url: url.to_owned(), login }
}

fn config_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn shipped(name: &str) -> String {
    fs::read_to_string(config_folder().join(name)).unwrap()
}

/// The assignment in a line such as `#width = 1280`; prose has a space after its `#`.
fn uncommented(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

fn known_keys() -> Vec<String> {
    let of = |section: &porthole_core::config::keys::Section| {
        section.keys.iter().map(|key| format!("{}.{}", section.name, key.name)).collect::<Vec<_>>()
    };
    SECTIONS.iter().flat_map(|section| of(section)).collect()
}

fn defaults_in_porthole_toml() -> BTreeMap<String, String> {
    let mut section = String::new();
    let mut defaults = BTreeMap::new();
    for line in shipped("porthole.toml").lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = uncommented(line).and_then(|line| line.split_once(" = ")) {
            defaults.insert(format!("{section}.{key}"), value.to_owned());
        }
    }
    defaults
}
