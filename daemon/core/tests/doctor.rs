//! What a doctor makes of what it has seen: each finding, how bad it is, and what to do.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use Verdict::{Failed, Ok as Well, Warning};
use porthole_core::access::Stamp;
use porthole_core::doctor::kept::{self, Kept};
use porthole_core::doctor::machine::{self, Daemon, Device, Room, Service, Throttled};
use porthole_core::doctor::media::{self, Camera, Frames, Loop, Sound};
use porthole_core::doctor::network::{self, Asked, Port};
use porthole_core::doctor::{Finding, Verdict, elements, worst};
use porthole_core::ice::stun;
use porthole_core::plan::encoder::{Outcome, Trial};

const MIB: u64 = 1024 * 1024;

#[test]
fn whatever_is_not_well_says_what_to_do_and_the_worst_counts() {
    let all = [
        media::camera(&Camera::TestPicture, 30),
        media::microphone(&Sound::Nothing),
        machine::memory(MIB),
        machine::clock(Stamp(0), None),
    ];
    assert!(all.iter().all(|finding| finding.verdict != Well && finding.fix.as_ref().is_some_and(|fix| !fix.is_empty())));
    assert_eq!((worst(&all[..2]), worst(&all), worst(&[])), (Warning, Failed, Well));
    let json = serde_json::to_value(&all[2]).unwrap();
    assert_eq!(
        (&json["about"], &json["verdict"], &json["says"]),
        (&"memory".into(), &"failed".into(), &"1 MiB are free".into())
    );
}

#[test]
fn what_gstreamer_lacks_is_named_with_one_line_for_apt() {
    is(&elements::judge((1, 22, 0), &[])[0], Well, "1.22.0, with every element that is used");
    is(&elements::judge((1, 20, 3), &[])[0], Failed, "version 1.20.3 is older than 1.22");
    let found = elements::judge((1, 26, 2), &["webrtcbin", "h264parse", "nicesrc", "vp8enc", "textoverlay"]);
    is(&found[0], Failed, "no call works without what is missing: webrtcbin, nicesrc, h264parse");
    assert_eq!(
        found[0].fix.as_deref(),
        Some("sudo apt-get install gstreamer1.0-nice gstreamer1.0-plugins-bad")
    );
    is(
        &found[1],
        Warning,
        "missing: textoverlay (for words where a camera is away), vp8enc (for browsers without H.264)",
    );
    assert_eq!(
        found[1].fix.as_deref(),
        Some("sudo apt-get install gstreamer1.0-plugins-good gstreamer1.0-x")
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn a_camera_is_judged_by_the_frames_it_gave() {
    let gave = |count| Camera::Gave {
        name: "C920".into(),
        frames: Frames { count, seconds: 1.0, first: 0.42, size: (1280, 720) },
    };
    is(&media::camera(&gave(31), 30), Well, "C920: 30.0 frames/s of 1280x720, the first after 0.4 s");
    is(&media::camera(&gave(25), 30), Well, "C920: 24.0 frames/s of 1280x720, the first after 0.4 s");
    is(
        &media::camera(&gave(16), 30),
        Warning,
        "C920: 15.0 frames/s of 1280x720, the first after 0.4 s; 30 were asked",
    );
    let once = Camera::Gave {
        name: "C920".into(),
        frames: Frames { count: 1, seconds: 0.0, first: 1.0, size: (16, 16) },
    };
    assert_eq!(media::camera(&once, 30).verdict, Warning);
    is(
        &media::camera(&Camera::Trouble("/dev/video0 is used by motion (7)".into()), 30),
        Failed,
        "/dev/video0 is used by motion (7)",
    );
    let of = |flows, says: &str| Camera::OfDaemon { flows, says: says.into() };
    is(&media::camera(&of(true, "running"), 30), Well, "the daemon that runs has it: running");
    is(&media::camera(&of(false, "lost"), 30), Failed, "the daemon that runs gets no picture of it: lost");
    is(&media::camera(&Camera::TestPicture, 30), Warning, "there is none, so the test picture is shown");
    is(
        &media::camera(&Camera::Private, 30),
        Well,
        "not tried: privacy is on (`porthole privacy off` ends it)",
    );
    is(
        &media::camera(&Camera::NotWanted("the test picture".into()), 30),
        Well,
        "the configuration wants the test picture",
    );
}

#[test]
fn encoders_are_judged_by_the_one_that_is_used() {
    let trial = |encoder, outcome| Trial { encoder, hardware: encoder == "v4l2h264enc", outcome };
    let (fast, slow) = (Outcome::Frames(90.0), Outcome::Frames(12.0));
    let found = media::encoders(
        &[trial("v4l2h264enc", Outcome::Missing("a Pi has it".into())), trial("x264enc", fast.clone())],
        30,
    );
    assert_eq!(found.len(), 1);
    is(&found[0], Well, "x264enc (software): 90 frames/s, for 30 asked; it is used");
    let broken = Outcome::Fails("it hangs".into());
    let found = media::encoders(&[trial("v4l2h264enc", broken.clone()), trial("x264enc", fast)], 30);
    is(&found[0], Warning, "v4l2h264enc (hardware): does not work: it hangs; another one is used");
    is(&found[1], Well, "x264enc (software): 90 frames/s, for 30 asked; it is used");
    let found = media::encoders(&[trial("openh264enc", Outcome::Frames(8.0)), trial("x264enc", slow)], 30);
    is(&found[0], Well, "openh264enc (software): 8 frames/s; not used");
    is(
        &found[1],
        Warning,
        "x264enc (software): 12 frames/s, for 30 asked: the fastest there is does not keep up",
    );
    let found = media::encoders(&[trial("x264enc", broken)], 30);
    is(&found[0], Failed, "none works: x264enc (software): does not work: it hangs");
    assert!(found[0].fix.as_deref().is_some_and(|fix| fix.contains("apt-get install")), "{found:?}");
    let found = media::encoders(&[trial("x264enc", Outcome::Late(8))], 30);
    is(&found[0], Failed, "none works: x264enc (software): no picture within 8 s");
    assert!(found[0].fix.as_deref().is_some_and(|fix| fix.contains("busy")), "{found:?}");
}

#[test]
fn a_microphone_is_judged_by_its_loudest_moment_and_a_speaker_by_its_tone() {
    let heard = |peak| Sound::Heard { name: "default".into(), peak };
    is(&media::microphone(&heard(-41.3)), Well, "default: the loudest moment had -41 dB");
    is(&media::microphone(&heard(f64::NEG_INFINITY)), Warning, "default gives silence and nothing else");
    is(&media::microphone(&heard(0.0)), Warning, "default is as loud as can be, and cut off");
    let trouble = Sound::Trouble { name: "hw:1".into(), why: "busy".into() };
    is(&media::microphone(&trouble), Failed, "hw:1: busy");
    is(&media::microphone(&Sound::NotWanted), Well, "the configuration wants none");
    let tone = |before, meanwhile| Some(Loop { before, meanwhile });
    is(
        &media::speaker(&heard(-1.0), tone(-60.0, -32.0)),
        Well,
        "default: the microphone hears it, 28 dB above the room",
    );
    is(
        &media::speaker(&heard(-1.0), tone(-60.0, -55.0)),
        Warning,
        "default played a tone, and the microphone did not hear it",
    );
    is(
        &media::speaker(&heard(-1.0), None),
        Well,
        "default takes sound; `porthole doctor --tone` plays a tone and listens for it",
    );
    is(&media::speaker(&trouble, None), Failed, "hw:1: busy");
    is(&media::speaker(&Sound::Nothing, None), Well, "there is none; one is only needed to talk back");
}

#[test]
fn the_port_and_the_relay_are_told_with_the_fix_that_comes_with_them() {
    let listen: SocketAddr = "127.0.0.1:8080".parse().unwrap();
    is(&network::port(listen, &Port::Free), Well, "127.0.0.1:8080 is free");
    is(&network::port(listen, &Port::Ours), Well, "the daemon that runs listens on 127.0.0.1:8080");
    let taken = network::port(
        listen,
        &Port::Taken("127.0.0.1:8080 is already in use: stop what listens there".into()),
    );
    is(&taken, Failed, "127.0.0.1:8080 is already in use");
    assert_eq!(taken.fix.as_deref(), Some("stop what listens there"));
    is(&network::relay("https://r.example", &Ok(())), Well, "https://r.example lets us in");
    let away =
        network::relay("https://r.example", &Err("nobody listens at r.example: start the relay".into()));
    is(&away, Failed, "nobody listens at r.example");
    assert_eq!(away.fix.as_deref(), Some("start the relay"));
    is(&network::publish("https://w.example", &Ok(())), Well, "https://w.example answers");
    let slow = network::publish("https://w.example", &Err("w.example:443 takes too long to answer".into()));
    is(&slow, Failed, "no camera comes to https://w.example: w.example:443 takes too long to answer");
    assert_eq!(slow.fix.as_deref(), Some("check `whip` below [publish]"));
}

#[test]
fn the_kind_of_nat_is_told_from_what_two_servers_see() {
    let asked = |url: &str, seen: &str| Asked {
        url: url.into(),
        udp: !url.starts_with("turns:"),
        seen: seen.parse::<SocketAddr>().map_err(|_| seen.to_owned()),
    };
    let own = ["192.168.1.5".parse().unwrap()];
    let ways = |all: &[Asked], turn| network::ways(all, turn, &own);
    is(&ways(&[], false)[0], Well, "no STUN or TURN server is configured: calls work in the same network");
    let alike = [asked("stun:a", "203.0.113.7:4000"), asked("stun:b", "203.0.113.7:4000")];
    is(
        &ways(&alike, false)[0],
        Well,
        "seen from outside as 203.0.113.7, by the same port for each server: calls get through this NAT",
    );
    let symmetric = [asked("stun:a", "203.0.113.7:4000"), asked("stun:b", "203.0.113.7:4001")];
    assert_eq!(ways(&symmetric, false)[0].verdict, Warning);
    assert_eq!(
        ways(&symmetric, false)[0].fix.as_deref(),
        Some("configure a TURN server: `turn` below [ice]")
    );
    assert_eq!(ways(&symmetric, true)[0].verdict, Well);
    let families = [asked("stun:a", "203.0.113.7:4000"), asked("stun:b", "[2001:db8::1]:4001")];
    is(
        &ways(&families, false)[0],
        Well,
        "seen from outside as 203.0.113.7; a second STUN server would tell the kind of NAT",
    );
    is(
        &ways(&[asked("stun:a", "192.168.1.5:4000")], false)[0],
        Well,
        "seen from outside as 192.168.1.5, which is this machine itself: there is no NAT",
    );
    let silent = ways(&[asked("stun:a", "no answer within 3 s"), asked("stun:b", "203.0.113.7:1")], false);
    is(&silent[0], Failed, "stun:a does not answer: no answer within 3 s");
    assert_eq!((silent.len(), silent[1].verdict), (2, Well));
    let tls = ways(&[asked("turns:t", "203.0.113.7:9")], true);
    is(&tls[0], Well, "turns:t answers");
    assert_eq!(tls.len(), 1, "another socket tells nothing of the NAT");
}

#[test]
fn the_board_is_told_in_the_words_of_who_stands_before_it() {
    is(
        &machine::clock(Stamp(1_000_000_000), Some(true)),
        Failed,
        "it stands in the past: certificates are not valid yet, and keys that have ended open the door",
    );
    assert_eq!(machine::clock(Stamp(1_800_000_000), Some(false)).verdict, Warning);
    is(&machine::clock(Stamp(1_800_000_000), Some(true)), Well, "kept right by the network");
    let zone =
        |degrees| machine::temperature(&[("gpu".into(), 20.0), ("cpu-thermal".into(), degrees)]).unwrap();
    is(&zone(48.3), Well, "48 °C (cpu-thermal)");
    assert_eq!((zone(76.0).verdict, zone(83.0).verdict), (Warning, Failed));
    assert_eq!(machine::temperature(&[]), None);
    let power = |bits| machine::power(Some(Throttled(bits))).unwrap();
    is(&power(0), Well, "the voltage was never too low, and the board never slowed down");
    is(&power(0x5_0005), Failed, "the voltage is too low now: cameras drop out and cards break");
    is(&power(0x5_0000), Warning, "the voltage was too low at some time since the board was started");
    is(&power(0x2), Warning, "the board is slowed down now, by heat or by its supply");
    is(&power(0x8_0000), Warning, "the board was slowed down at some time since it was started");
    let only_now = |bits| power(Throttled::ONLY_NOW | bits);
    is(&only_now(0), Well, "the voltage is not too low now; whether it was is not known here");
    is(&only_now(1), Failed, "the voltage is too low now: cameras drop out and cards break");
    assert_eq!(machine::power(None), None);
    let memory = [200, 60, 20].map(|free| machine::memory(free * MIB).verdict);
    assert_eq!(memory, [Well, Warning, Failed]);
    let room = |free, writable| {
        machine::disk(&Room { folder: "/var/lib/porthole".into(), free: free * MIB, writable })
    };
    is(&room(900, true), Well, "900 MiB are free in /var/lib/porthole");
    assert_eq!(
        [room(10, true), room(1, true), room(900, false)].map(|finding| finding.verdict),
        [Warning, Failed, Failed]
    );
}

#[test]
fn rights_that_are_missing_are_told_with_the_groups_that_have_them() {
    let device = |path: &str, group: &str, usable| Device { path: path.into(), group: group.into(), usable };
    is(&machine::rights("pi", &[]), Well, "there are no cameras or sound cards that pi could be kept from");
    is(
        &machine::rights("pi", &[device("/dev/video0", "video", true)]),
        Well,
        "pi may use all 1 devices for picture and sound",
    );
    let closed = machine::rights(
        "pi",
        &[
            device("/dev/video0", "video", false),
            device("/dev/snd/pcmC0D0c", "audio", false),
            device("/dev/video1", "video", false),
        ],
    );
    is(&closed, Failed, "pi may not use /dev/video0 and 2 more");
    assert_eq!(
        closed.fix.as_deref(),
        Some("sudo usermod -aG audio,video pi, and log in again (the service has these groups by itself)")
    );
}

#[test]
fn the_service_and_the_daemon_are_told_apart() {
    let asked = |active: &str, enabled: &str, restarts, answers| {
        let (load, active, enabled) = ("loaded".into(), active.into(), enabled.into());
        machine::service(Some(&Service { load, active, enabled, restarts, ..Service::default() }), answers)
    };
    let service = |active: &str, enabled: &str, restarts| asked(active, enabled, restarts, true);
    is(&machine::service(None, false), Well, "not installed as one");
    is(
        &machine::service(Some(&Service { load: "not-found".into(), ..Service::default() }), false),
        Well,
        "not installed as one",
    );
    is(&service("active", "enabled", 0), Well, "active, and it starts by itself");
    is(&service("active", "enabled", 4), Warning, "active, and it had to be started again 4 times");
    is(&service("active", "disabled", 0), Warning, "active, and it does not start by itself");
    is(&service("inactive", "disabled", 0), Warning, "installed, and inactive");
    is(&service("failed", "enabled", 9), Failed, "it has failed");
    for answers in [true, false] {
        let unstable = asked("activating", "enabled", 5321, answers);
        let says = "it does not stay up: activating, and it had to be started again 5321 times";
        is(&unstable, Failed, says);
        assert!(unstable.fix.unwrap().contains("journalctl -u porthole"));
    }
    is(&asked("activating", "enabled", 0, true), Well, "activating, and it starts by itself");
    let early = asked("activating", "enabled", 0, false);
    is(&early, Warning, "it is being started, and no daemon answers yet");
    is(&asked("active", "enabled", 0, false), Failed, "active, and no daemon answers");
    is(
        &asked("active", "enabled", 1, false),
        Failed,
        "active, and no daemon answers, and it had to be started again once",
    );
    let daemon = |version: &str, healthy| Daemon {
        version: version.into(),
        healthy,
        why: "The relay is not there.".into(),
    };
    is(&machine::daemon(None, "1.0", true), Well, "none runs, so devices were tried here");
    let untried = machine::daemon(None, "1.0", false);
    assert_eq!((untried.verdict, untried.says.as_str()), (Well, "none runs"));
    is(&machine::daemon(Some(&daemon("1.0", true)), "1.0", true), Well, "version 1.0 runs, and is well");
    is(
        &machine::daemon(Some(&daemon("0.9", true)), "1.0", true),
        Warning,
        "version 0.9 runs, and 1.0 is installed",
    );
    is(
        &machine::daemon(Some(&daemon("0.9", false)), "1.0", true),
        Failed,
        "it runs and is not well: The relay is not there.",
    );
}

#[test]
fn keys_that_cannot_be_had_keep_a_daemon_from_starting_and_an_authority_does_not() {
    let file = "/s/keys.json";
    let keys = |kept| kept::keys(file, &kept);
    is(&keys(Kept::None), Well, "none yet: the first start makes the owner's");
    is(&keys(Kept::Good(3)), Well, "/s/keys.json can be read, and holds 3");
    is(&keys(Kept::Broken("no JSON".into())), Failed, "no daemon starts with them: no JSON");
    let closed = keys(Kept::Closed("porthole".into()));
    is(&closed, Failed, "no daemon starts with them: porthole, as whom it runs, may not read /s/keys.json");
    assert!(closed.fix.unwrap().starts_with("sudo chown porthole: /s/keys.json"));
    let authority = |kept| kept::authority("/s/authority.pem", &kept);
    is(&authority(Kept::Good(1)), Well, "/s/authority.pem can be read");
    for kept in [Kept::Broken("no PEM".into()), Kept::Closed("porthole".into())] {
        let found = authority(kept);
        assert!(found.verdict == Warning && found.says.starts_with("each start makes another"), "{found:?}");
        assert!(found.fix.unwrap().contains("/s/authority.pem"));
    }
    assert_eq!((keys(Kept::Hidden).verdict, authority(Kept::Hidden).verdict), (Well, Well));
}

#[test]
fn a_stun_server_is_asked_and_its_answer_read_as_rfc_5769_has_them() {
    // The samples of sections 2.2 and 2.3, which share a transaction.
    let id = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
    let question = stun::question(&id);
    assert_eq!(question[..8], [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    assert_eq!(question[8..], id);
    let head = [&[0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42], &id[..]].concat();
    let software = b"\x80\x22\x00\x0btest vector\x20".to_vec();
    let mapped = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    let rest =
        [0x00, 0x08, 0x00, 0x14].into_iter().chain([7; 20]).chain([0x80, 0x28, 0x00, 0x04, 1, 2, 3, 4]);
    let sample: Vec<u8> = head.iter().copied().chain(software).chain(mapped).chain(rest).collect();
    assert_eq!(stun::answer(&sample, &id), Some("192.0.2.1:32853".parse().unwrap()));
    let six = [
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc,
        0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    ];
    let head = [&[0x01, 0x01, 0x00, 0x18, 0x21, 0x12, 0xa4, 0x42], &id[..]].concat();
    let sixth: Vec<u8> = head.into_iter().chain(six).collect();
    assert_eq!(
        stun::answer(&sixth, &id),
        Some("[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap())
    );
    let plain = [
        &[0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42],
        &id[..],
        &[0, 1, 0, 8, 0, 1, 0x10, 0x92, 192, 0, 2, 1],
    ]
    .concat();
    assert_eq!(stun::answer(&plain, &id), Some("192.0.2.1:4242".parse().unwrap()));
}

#[test]
fn what_is_no_answer_to_the_question_is_none() {
    let id = *b"0123456789ab";
    let good = [
        &[0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42],
        &id[..],
        &[0, 1, 0, 8, 0, 1, 0x10, 0x92, 192, 0, 2, 1],
    ]
    .concat();
    assert!(stun::answer(&good, &id).is_some());
    assert_eq!(stun::answer(&good, b"another quer"), None);
    for cut in 0..good.len() {
        assert_eq!(stun::answer(&good[..cut], &id), None, "cut at {cut}");
    }
    for at in [0, 1, 3, 4, 21, 23, 25] {
        for bit in 0..8 {
            let mut odd = good.clone();
            odd[at] ^= 1 << bit;
            // Whatever it is, it is not read past its end.
            let _ = stun::answer(&odd, &id);
        }
    }
    assert_eq!(stun::answer(&stun::question(&id), &id), None, "the question itself, sent back");
}

#[track_caller]
fn is(finding: &Finding, verdict: Verdict, says: &str) {
    assert_eq!((finding.verdict, finding.says.as_str()), (verdict, says));
    assert_eq!(verdict == Well, finding.fix.is_none(), "{finding:?}");
}

#[test]
fn a_file_that_the_service_may_not_read_is_named_with_what_keeps_it_out() {
    let own = kept::closed("", "/etc/porthole/porthole.toml", "/etc/porthole/porthole.toml", "cam");
    is(&own, Failed, "cam, as whom the service runs, may not read /etc/porthole/porthole.toml");
    assert_eq!(own.fix.as_deref(), Some("sudo chmod 644 /etc/porthole/porthole.toml"));
    let folder = kept::closed("", "/etc/porthole/porthole.toml", "/etc/porthole", "cam");
    assert_eq!(folder.fix.as_deref(), Some("sudo chmod 755 /etc/porthole"));
    let key = kept::closed("relay.key", "/srv/key.pem", "/srv/key.pem", "cam");
    assert_eq!(key.fix.as_deref(), Some("sudo chgrp cam /srv/key.pem && sudo chmod 640 /srv/key.pem"));
    let above = kept::closed("relay.key", "/etc/tls/live/key.pem", "/etc/tls/live", "cam");
    is(
        &above,
        Failed,
        "cam, as whom the service runs, may not read /etc/tls/live/key.pem (relay.key), because of the folder /etc/tls/live",
    );
    assert!(above.fix.unwrap().contains("copy where cam may read it, such as below /etc/porthole"));
}
