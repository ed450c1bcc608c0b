//! The configuration, as people write it, with passwords in it. Must not know what settings are for.

use porthole_core::config::{Findings, load, load_for_relay};

use super::Outcome;
use crate::Target;
use crate::corpus;

/// A configuration.
pub const TARGET: Target = Target { name: "config", run, corpus: files, words: WORDS };

const WORDS: &[&str] = &[
    "[room]",
    "[relay]",
    "[video]",
    "[audio]",
    "[ice]",
    "[log]",
    "[[ice.turn]]",
    "[relay.auth]",
    "[relay.events]",
    "name",
    "camera",
    "access",
    "keys",
    "max_calls",
    "idle_after",
    "listen",
    "link",
    "tls",
    "mode",
    "url",
    "path",
    "dialect",
    "auth",
    "ca",
    "pin",
    "events",
    "rooms",
    "stun",
    "turn",
    "username",
    "password",
    "token",
    "source",
    "device",
    "width",
    "encoder",
    "level",
    "\"external\"",
    "\"embedded\"",
    "\"custom\"",
    "\"open\"",
    "\"keys\"",
    "\"local\"",
    "\"\"\"",
    "'''",
    "'",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "=",
    "#",
    "\n",
    "http://me:",
    "@relay.example",
    "turn:turn.example",
    "stun:",
    SECRET,
];

/// The password of everything in the corpus.
const SECRET: &str = "wonder-5ecret";

fn files() -> Vec<Vec<u8>> {
    let shipped = corpus::configurations().into_iter().map(String::into_bytes);
    corpus::of_target("seeds", "config").into_iter().map(|(_, bytes)| bytes).chain(shipped).collect()
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let mut outcome = Outcome::default();
    let none = |_: &str| None;
    let some = |name: &str| name.contains("PASSWORD").then(|| SECRET.to_owned());
    match load("porthole.toml", &text, &none) {
        Ok(settings) => {
            outcome.note((settings.ice.turn.len().min(3), settings.relay.rooms.len().min(3)));
            let said = settings.to_string();
            assert!(text.lines().any(|line| may_say("", line)) || !said.contains(SECRET), "{said}");
            assert!(load("porthole.toml", &text, &some).is_ok(), "what is complete needs no environment");
        }
        Err(findings) => judge(&findings, &text, &mut outcome),
    }
    if let Err(findings) = load_for_relay("relay.toml", &text, &some) {
        judge(&findings, &text, &mut outcome);
    }
    outcome.number()
}

fn judge(findings: &Findings, text: &str, outcome: &mut Outcome) {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut keys = Vec::new();
    for finding in findings.iter() {
        keys.push(finding.key.split(['[', '.']).take(2).collect::<String>());
        let said = finding.to_string();
        let line = finding.line.unwrap_or(1);
        assert!((1..=lines.len()).contains(&line), "there is no line {line}: {said}");
        assert!(!said.contains('\n'), "a finding is one line: {said}");
        assert!(!finding.allowed.is_empty(), "says not what is allowed: {said}");
        let here = lines.get(line - 1).copied().unwrap_or_default();
        // Keys are no secrets, whatever somebody calls one.
        let said_of_it = said.replace(&finding.key, "");
        assert!(
            !said_of_it.contains(SECRET) || may_say(&finding.key, here),
            "line {line} says a secret: {said}\n{text}"
        );
    }
    keys.sort();
    keys.dedup();
    keys.truncate(3);
    outcome.note(keys);
}

/// A password that somebody has written where none belongs is a value like any other: on its own line, and without a
/// word there that tells what it is. `key` is what a finding is about.
fn may_say(key: &str, here: &str) -> bool {
    let telling = ["turn", "stun", "password", "token", "auth", "secret =", "secret=", "@"];
    let tells = |word: &&str| {
        // A word that begins as these do, right in front of the password, tells nothing.
        let begins = word.chars().all(char::is_alphabetic);
        let mut apart = here.to_owned();
        if begins {
            apart = apart.replace(&format!("{word}{SECRET}"), "");
        }
        if ["turn", "stun"].contains(word) {
            // That is the name of a server.
            apart = apart.replace(&format!("{word}:{SECRET}"), "");
        }
        key.contains(word) || apart.contains(word)
    };
    here.contains(SECRET) && !telling.iter().any(tells)
}
