//! `porthole doctor` as people type it, with nothing running and beside a daemon.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const MEDIA: &str =
    "[video]\nsource = \"test\"\nwidth = 320\nheight = 240\nframerate = 15\n[audio]\nsource = \"none\"\n";

#[test]
fn a_board_on_which_nothing_runs_is_looked_at_from_top_to_bottom() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let output = house.doctor(&["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(finding(&told, "daemon"), ("ok", "none runs, so devices were tried here"));
    assert_eq!(finding(&told, "camera"), ("ok", "the configuration wants the test picture"));
    assert_eq!(finding(&told, "microphone"), ("ok", "the configuration wants none"));
    assert_eq!(finding(&told, "port"), ("ok", "127.0.0.1:0 is free"));
    assert_eq!(finding(&told, "ways").0, "ok");
    assert_eq!(finding(&told, "GStreamer").0, "ok");
    assert!(finding(&told, "encoder").1.contains(" frames/s, for 15 asked"), "{told}");
    for about in ["config", "clock", "memory", "disk", "rights", "service", "speaker"] {
        assert!(["ok", "warning", "failed"].contains(&finding(&told, about).0), "{about}");
    }
    let all = told["findings"].as_array().unwrap();
    assert!(all.iter().all(|found| (found["verdict"] == "ok") == found["fix"].is_null()), "{told}");
    let failed = all.iter().any(|found| found["verdict"] == "failed");
    assert_eq!((told["verdict"] == "failed", output.status.code()), (failed, Some(i32::from(failed))));
}

#[test]
fn what_is_wrong_is_said_with_its_fix_and_in_the_status_of_the_program() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let stun = "[ice]\nstun = [\"stun:nobody.invalid\"]\n";
    let relay = "mode = \"external\"\nurl = \"http://127.0.0.1:9\"\n";
    let crowd = "[publish]\nwhip = \"http://127.0.0.1:9/whip/secret\"\n";
    let house = House::new(&format!("[relay]\nlisten = \"{at}\"\n{relay}{stun}{crowd}"));
    let output = house.doctor(&[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        format!("failed   port         {at} is already in use"),
        "failed   relay        nobody listens at 127.0.0.1:9".to_owned(),
        "failed   publish      no camera comes to http://127.0.0.1:9: 127.0.0.1:9 is not reached".to_owned(),
        "failed   ways         stun:nobody.invalid does not answer: its name ".to_owned(),
    ] {
        let at = said
            .lines()
            .position(|there| there.starts_with(&line))
            .unwrap_or_else(|| panic!("{line}:\n{said}"));
        assert!(said.lines().nth(at + 1).unwrap().trim_start().starts_with("-> "), "{said}");
    }
    assert!(!said.contains("secret"), "a path may be one: {said}");
    assert!(said.trim_end().lines().last().unwrap().starts_with("Does not work: "), "{said}");
}

#[test]
fn a_configuration_that_is_not_allowed_is_what_is_said_of_it() {
    let house = House::new("[relay]\nlisten = \"here\"\n");
    let output = house.doctor(&["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (verdict, says) = finding(&told, "config");
    assert!(verdict == "failed" && says.contains("relay.listen = \"here\": "), "{says}");
    assert_eq!(finding(&told, "daemon"), ("ok", "none runs"));
    assert_eq!((finding(&told, "GStreamer").0, finding(&told, "clock").1.is_empty()), ("ok", false));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn keys_with_which_no_daemon_starts_are_found_before_it_does_not() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let text = fs::read_to_string(house.config()).unwrap();
    fs::write(house.config(), text.replacen("\"open\"", "\"keys\"", 1)).unwrap();
    let told: Value = serde_json::from_slice(&house.doctor(&["--json"]).stdout).unwrap();
    assert_eq!(finding(&told, "keys"), ("ok", "none yet: the first start makes the owner's"));
    assert_eq!(finding(&told, "authority"), ("ok", "none yet: the first start makes it"));
    let state = house.0.path().join("state");
    assert!(!state.exists(), "whoever only looks makes nothing");

    fs::create_dir(&state).unwrap();
    for (file, broken) in [("keys.json", "{broken"), ("authority.pem", "torn")] {
        fs::write(state.join(file), broken).unwrap();
    }
    let output = house.doctor(&["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (verdict, says) = finding(&told, "keys");
    assert!(
        verdict == "failed" && says.contains("no daemon starts with them: ") && says.contains("keys.json: "),
        "{says}"
    );
    let (verdict, says) = finding(&told, "authority");
    assert!(verdict == "warning" && says.contains("authority.pem: "), "{says}");
    assert_eq!(output.status.code(), Some(1));
    let run = house.program("run").arg("--config").arg(house.config()).output().unwrap();
    assert_eq!(run.status.code(), Some(65), "{run:?}");
}

#[test]
fn a_service_that_does_not_stay_up_is_not_well() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let systemctl = house.0.path().join("systemctl");
    let shows = "LoadState=loaded\nActiveState=activating\nUnitFileState=enabled\nNRestarts=5321\n";
    fs::write(&systemctl, format!("#!/bin/sh\ncat <<END\n{shows}END\n")).unwrap();
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", house.0.path().display(), std::env::var("PATH").unwrap());
    let mut asked = house.program("doctor");
    let output = asked.env("PATH", path).arg("--config").arg(house.config()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines =
        said.lines().skip_while(|line| !line.starts_with("failed   service      it does not stay up"));
    assert!(lines.nth(1).is_some_and(|fix| fix.contains("-> journalctl -u porthole")), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn beside_a_daemon_its_camera_is_not_opened_a_second_time() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let _camera = house.start();
    // Without its name, too: there is only one.
    let output = house.program("doctor").arg("--json").output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(finding(&told, "camera"), ("ok", "the daemon that runs has it: frames flow"));
    assert_eq!(finding(&told, "microphone"), ("ok", "the configuration wants none"));
    assert_eq!(finding(&told, "port"), ("ok", "the daemon that runs listens on 127.0.0.1:0"));
    assert!(finding(&told, "daemon").1.ends_with(" runs, and is well"), "{told}");
    assert!(finding(&told, "config").1.contains("my.toml is allowed"), "{told}");
}

#[test]
fn a_daemon_whose_configuration_was_spoilt_meanwhile_is_seen_all_the_same() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let _camera = house.start();
    let text = fs::read_to_string(house.config()).unwrap();
    fs::write(house.config(), text.replacen("width", "widht", 1)).unwrap();
    let output = house.doctor(&["--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(finding(&told, "daemon").1.ends_with(" runs, and is well"), "{told}");
    let (verdict, says) = finding(&told, "config");
    assert!(verdict == "failed" && says.contains("video.widht: "), "{says}");
    let all = told["findings"].as_array().unwrap();
    let config = all.iter().find(|found| found["about"] == "config").unwrap();
    assert!(config["fix"].as_str().unwrap().contains("goes by what it read before"), "{config}");
    assert_eq!((finding(&told, "GStreamer").0, output.status.code()), ("ok", Some(1)));
}

#[test]
fn the_test_picture_of_a_daemon_is_not_taken_for_a_camera() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let said = fs::read_to_string(house.config()).unwrap();
    let wanted = "source = \"auto\"\ndevice = \"/dev/plugged-into-nothing\"";
    fs::write(house.config(), said.replacen("source = \"test\"", wanted, 1)).unwrap();
    let _camera = house.start();
    let told: Value = serde_json::from_slice(&house.doctor(&["--json"]).stdout).unwrap();
    assert_eq!(finding(&told, "camera"), ("warning", "there is none, so the test picture is shown"));
}

#[test]
fn what_libraries_print_while_encoders_are_tried_is_not_among_the_findings() {
    let house = House::new("[relay]\nlisten = \"127.0.0.1:0\"\n");
    let output = house.doctor(&[]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

fn finding<'t>(told: &'t Value, about: &str) -> (&'t str, &'t str) {
    let all = told["findings"].as_array().unwrap();
    let found = all.iter().find(|found| found["about"] == about);
    let found = found.unwrap_or_else(|| panic!("nothing about {about}: {told}"));
    (found["verdict"].as_str().unwrap(), found["says"].as_str().unwrap())
}

/// A place of its own for a daemon and its doctor.
struct House(TempDir);

impl House {
    fn new(relay: &str) -> Self {
        let house = Self(TempDir::new().unwrap());
        let config = format!("[room]\naccess = \"open\"\n{relay}{MEDIA}");
        fs::write(house.config(), config).unwrap();
        house
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("my.toml")
    }

    fn program(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_porthole"));
        let home = self.0.path();
        program.env("RUNTIME_DIRECTORY", home.join("run")).env("STATE_DIRECTORY", home.join("state"));
        program.env("XDG_RUNTIME_DIR", home.join("run")).env_remove("JOURNAL_STREAM").arg(command);
        program
    }

    fn doctor(&self, words: &[&str]) -> Output {
        self.program("doctor").arg("--config").arg(self.config()).args(words).output().unwrap()
    }

    /// A daemon that has said its link.
    fn start(&self) -> Running {
        let mut program = self.program("run");
        let mut child = program.arg("--config").arg(self.config()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let link = lines.by_ref().map_while(Result::ok).find(|line| line.contains("http://localhost:"));
        // The rest is read too, so that it can be written.
        std::thread::spawn(move || lines.for_each(drop));
        let running = Running(child);
        link.expect("a link");
        // It is printed when the relay listens, and the camera comes into its room right after that.
        let status = || self.program("status").arg("--config").arg(self.config()).output().unwrap().stdout;
        let end = Instant::now() + Duration::from_secs(60);
        while !String::from_utf8_lossy(&status()).contains("The camera is in its room.") {
            assert!(Instant::now() < end, "{}", String::from_utf8_lossy(&status()));
        }
        running
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
