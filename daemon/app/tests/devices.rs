//! `porthole devices` as people type it: the real program on whatever machine this is, which may have no device at all.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::process::{Command, Output};

use serde_json::Value;

#[test]
fn devices_are_listed_in_words_on_any_machine() {
    let output = devices(&[]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for title in ["Cameras\n", "\nMicrophones\n", "\nSpeakers\n", "\nH.264 encoders, tried with 1280x720\n"] {
        assert!(said.contains(title), "{said}");
    }
    assert!(said.contains("x264enc (software): ") && said.contains("  <- used"), "{said}");
}

#[test]
fn devices_are_listed_as_json_by_a_configuration() {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    writeln!(config, "[video]\nwidth = 320\nheight = 240\nframerate = 5\nencoder = 'openh264enc'").unwrap();
    let path = config.path().to_str().unwrap();
    let output = devices(&["--json", "--config", path]);
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["used"]["encoder"], "openh264enc");
    assert!(told["encoders"][0]["frames"].as_f64().unwrap() > 0.0, "{told}");
    for list in ["cameras", "microphones", "speakers", "alsa_names", "encoders"] {
        assert!(told[list].is_array(), "{list}: {told}");
    }
}

#[test]
fn a_camera_that_is_not_there_is_said_and_is_no_failure() {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        config,
        "[video]\nsource = 'v4l2'\ndevice = '/dev/v4l/by-id/gone'\nwidth = 320\nheight = 240\nencoder = 'x264enc'"
    )
    .unwrap();
    let output = devices(&["--config", config.path().to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("the camera /dev/v4l/by-id/gone is not there; check that it is plugged in"),
        "{said}"
    );
}

#[test]
fn an_encoder_that_nobody_knows_is_a_failure() {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    writeln!(config, "[video]\nencoder = 'h264magic'").unwrap();
    let output = devices(&["--config", config.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(":2: video.encoder = 'h264magic': ") && said.contains("x264enc"), "{said}");
}

#[test]
fn a_configuration_that_is_allowed_and_cannot_be_said_to_be_is_no_fault_in_the_program() {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    writeln!(config, "[log]\nlevel = 'info'").unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_porthole"));
    let output = check.arg("check-config").arg(config.path()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("cannot be printed: "));
}

fn devices(more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_porthole")).arg("devices").args(more).output().unwrap()
}
