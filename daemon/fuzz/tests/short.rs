//! A short run of every target, the same each time: what was mended stays mended, and the targets keep working. The long
//! one is `make fuzz`.

use porthole_fuzz::{TARGETS, Target, harness};

/// Where chance begins.
const SEED: u64 = 20_261_128;

#[test]
fn our_own_messages_do_no_harm_however_they_are_changed() {
    try_out("wire", 4_000);
}

#[test]
fn other_peoples_messages_do_no_harm_however_they_are_changed() {
    try_out("dialects", 2_000);
}

#[test]
fn offers_and_answers_do_no_harm_however_they_are_changed() {
    try_out("sdp", 400);
}

#[test]
fn keys_proofs_and_rings_do_no_harm_however_they_are_changed() {
    try_out("access", 2_000);
}

#[test]
fn keys_and_candidates_of_players_do_no_harm_however_they_are_changed() {
    try_out("players", 4_000);
}

#[test]
fn reports_of_viewers_do_no_harm_however_they_are_changed() {
    try_out("rtcp", 4_000);
}

#[test]
fn configurations_do_no_harm_and_tell_no_password_however_they_are_changed() {
    try_out("config", 600);
}

#[test]
fn the_switchboard_keeps_its_contract_whatever_happens_in_whatever_order() {
    try_out("switchboard", 1_500);
}

#[cfg(feature = "port")]
#[test]
fn requests_do_no_harm_however_they_are_changed() {
    try_out("http", 600);
}

#[cfg(feature = "port")]
#[test]
fn connections_do_no_harm_whatever_is_written_into_them() {
    try_out("connection", 600);
}

#[test]
fn every_target_has_a_corpus_a_name_of_its_own_and_a_place_here() {
    let here = include_str!("short.rs");
    for target in TARGETS {
        assert!((target.corpus)().len() >= 2, "{}", target.name);
        assert!(here.contains(&format!("try_out(\"{}\"", target.name)), "{}", target.name);
        assert_eq!(TARGETS.iter().filter(|other| other.name == target.name).count(), 1);
    }
}

#[track_caller]
fn try_out(name: &str, inputs: u64) {
    let Some(target) = TARGETS.iter().find(|target: &&Target| target.name == name) else {
        panic!("no target {name}")
    };
    let report = harness::run(target, inputs, SEED);
    if let Some(finding) = report.finding {
        panic!("{}\n{}", finding.message, String::from_utf8_lossy(&finding.input));
    }
    assert!(report.inputs >= inputs && report.outcomes > 10, "{report:?}");
}
