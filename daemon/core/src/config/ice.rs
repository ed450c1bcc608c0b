//! The rules of `[ice]`: servers and what they want to see, and which addresses and ports the camera uses. Must not know
//! what the settings are used for.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::address;
use super::file::{Entry, File};
use super::keys;
use super::reader::{self, Reader, whole};
use super::settings::{IceSettings, Settings};
use crate::ice::{Credentials, Filter, IcePolicy, TurnLogin, TurnServer};

/// The environment variables that hold the password or the secret of every TURN server; with `_1`, `_2` … that of the
/// first, the second …
pub(super) const PASSWORD: &str = "PORTHOLE_ICE_TURN_PASSWORD";
pub(super) const SECRET: &str = "PORTHOLE_ICE_TURN_SECRET";

/// Most rules of each filter, and most addresses that are announced.
const RULES: usize = 32;
const ANNOUNCED: usize = 8;
/// The lowest port that needs no rights.
const LOWEST_PORT: u16 = 1024;

/// Reads the section. `folder` is where relative paths start; `env` looks up secrets.
pub(super) fn ice(
    section: &mut Reader<'_, '_>,
    default: IceSettings,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> IceSettings {
    IceSettings {
        stun: stun(section),
        turn: turn(section, env),
        turn_lifetime: section.take("turn_lifetime", default.turn_lifetime, |entry| {
            whole(entry, 300..=604_800).map(Duration::from_secs)
        }),
        ca: section.take("ca", default.ca, |entry| reader::file(entry, folder)),
        policy: section.word(
            "policy",
            default.policy,
            &[("all", IcePolicy::All), ("relay", IcePolicy::Relay)],
        ),
        ports: section.take("ports", default.ports, |entry| match entry.text()? {
            "" => Some(None),
            text => ports(text).map(Some),
        }),
        tcp: section.take("tcp", default.tcp, |entry| entry.value.as_bool()),
        filter: Filter {
            interfaces: each(
                section,
                "interfaces",
                RULES,
                r#"a name such as "eth0" or "wlan*", or "!docker*" for none of these"#,
                |text| text.parse().ok(),
            ),
            addresses: each(
                section,
                "addresses",
                RULES,
                r#"an address or a network such as "192.168.0.0/16" or "2001:db8::/32", or "!10.8.0.0/24" for none of these"#,
                |text| text.parse().ok(),
            ),
        },
        announce: each(
            section,
            "announce",
            ANNOUNCED,
            r#"an address such as "203.0.113.7" that others reach"#,
            |text| {
                let address = text.parse::<IpAddr>().ok()?;
                (!address.is_unspecified() && !address.is_loopback() && !address.is_multicast())
                    .then_some(address)
            },
        ),
    }
}

/// What is allowed by itself but not together.
pub(super) fn report_contradictions<'t>(file: &mut File<'t>, table: &'t DeTable<'t>, settings: &Settings) {
    let Settings { ice, room, relay, .. } = settings;
    let mut section = Reader::new(file, table, &keys::ICE);
    let only_relay = ice.policy == IcePolicy::Relay;
    // What is missing is not held against a list of servers in which something else is wrong.
    let written =
        section.entry("turn").map_or(Some(0), |entry| entry.elements().map(|servers| servers.len()));
    let all_read = written == Some(ice.turn.len());
    if only_relay && ice.turn.is_empty() && all_read {
        section.contradict("policy", "there is no server below turn that could carry the calls");
    }
    for (key, written) in [("tcp", ice.tcp), ("announce", !ice.announce.is_empty())] {
        if only_relay && written {
            section
                .contradict(key, r#"not with policy = "relay": nothing comes to the camera's own addresses"#);
        }
    }
    if let Some(ports) = &ice.ports {
        let calls = room.max_calls;
        if ports.len() < calls && section.file.trusts(&["room.max_calls"]) {
            section.contradict(
                "ports",
                &format!(
                    "{} ports are too few for the {calls} calls of room.max_calls: each takes one on every address",
                    ports.len()
                ),
            );
        }
        let page = relay.listen.port();
        if ice.tcp && ports.contains(&page) && section.file.trusts(&["relay.listen"]) {
            section.contradict(
                "ports",
                &format!("with tcp = true not around the port of relay.listen ({page})"),
            );
        }
    }
    if ice.ca.is_some() && all_read && !ice.turn.iter().any(|server| server.url.starts_with("turns:")) {
        section.contradict("ca", "only where a server below turn begins with turns:");
    }
}

fn stun(section: &mut Reader<'_, '_>) -> Vec<String> {
    let mut stun = Vec::new();
    for entry in section.list("stun") {
        match entry.text().filter(|text| address::is_stun(text)) {
            Some(text) => stun.push(text.to_owned()),
            // Somebody may have written there what belongs to a TURN server, its password among it.
            None => {
                let allowed = r#"a text such as "stun:stun.example:3478" (RFC 7064)"#;
                section.file.find_hidden(&entry, allowed);
            }
        }
    }
    stun
}

fn turn(section: &mut Reader<'_, '_>, env: &dyn Fn(&str) -> Option<String>) -> Vec<TurnServer> {
    let mut turn = Vec::new();
    for (index, entry) in section.list("turn").into_iter().enumerate() {
        let position = index + 1;
        let of_env = |variable: &str| {
            let own = env(&format!("{variable}_{position}")).filter(|value| !value.is_empty());
            own.or_else(|| env(variable).filter(|value| !value.is_empty()))
        };
        turn.extend(turn_server(section.file, entry, of_env(PASSWORD), of_env(SECRET)));
    }
    turn
}

/// Reads one element of `ice.turn`; `password` and `secret` are those of the environment, which come before the file's.
fn turn_server<'t>(
    file: &mut File<'t>,
    entry: Entry<'t>,
    password: Option<String>,
    secret: Option<String>,
) -> Option<TurnServer> {
    let entry = entry.secret();
    let Some(table) = entry.value.as_table() else {
        file.find(
            &entry,
            r#"a table { url = "turn:…", username = "…", password = "…" } or { url = "turn:…", secret = "…" }"#,
        );
        return None;
    };
    let mut section = Reader::of_table(file, table, &keys::TURN, &entry.path);
    let url = section.required(&entry, "url", address::is_turn);
    let named = ["username", "password"].iter().any(|key| section.entry(key).is_some());
    let login = if section.entry("secret").is_some() || (!named && secret.is_some()) {
        of_secret(&mut section, secret)
    } else {
        of_password(&mut section, &entry, password)
    };
    Some(TurnServer { url: url?, login: login? })
}

fn of_secret(section: &mut Reader<'_, '_>, secret: Option<String>) -> Option<TurnLogin> {
    let path = |section: &Reader<'_, '_>, key: &str| section.entry(key).map(|entry| (entry.at(), entry.path));
    for key in ["username", "password"] {
        if let Some((at, path)) = path(section, key) {
            section.file.find_key(at, path, "leave this out: with a secret it is made for each call");
        }
    }
    let secret = secret.or_else(|| {
        let written = section.entry("secret")?;
        let text = written.text();
        match text {
            Some("") => {
                let missing = format!("missing; write it here, or put it into the environment as {SECRET}");
                section.file.find_key(written.at(), written.path, missing);
                None
            }
            Some(text) => Some(text.to_owned()),
            None => {
                section.refuse_secret("secret");
                None
            }
        }
    });
    secret.map(TurnLogin::Secret)
}

fn of_password<'t>(
    section: &mut Reader<'_, 't>,
    whole: &Entry<'t>,
    password: Option<String>,
) -> Option<TurnLogin> {
    let username = section.required(whole, "username", |text| !text.is_empty());
    let password = match (password, section.entry("password")) {
        (Some(password), _) => Some(password),
        (None, Some(_)) => section.required(whole, "password", |text| !text.is_empty()),
        (None, None) => {
            let path = format!("{}.password", whole.path);
            let missing = format!("missing; write it here, or put it into the environment as {PASSWORD}");
            section.file.find_key(whole.at(), path, missing);
            None
        }
    };
    Some(TurnLogin::Password(Credentials { username: username?, password: password? }))
}

/// What `read` makes of each text in a list of at most `most`, each once.
fn each<T: PartialEq>(
    section: &mut Reader<'_, '_>,
    key: &str,
    most: usize,
    allowed: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let entries = match section.entry(key) {
        Some(entry) => entry.elements().filter(|entries| entries.len() <= most),
        None => return Vec::new(),
    };
    let Some(entries) = entries else {
        section.refuse(key);
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        match entry.text().and_then(&read) {
            None => section.file.find(&entry, allowed),
            Some(one) if found.contains(&one) => section.file.find(&entry, "each once"),
            Some(one) => found.push(one),
        }
    }
    found
}

/// `FIRST-LAST`.
fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = |text: &str| text.parse::<u16>().ok().filter(|_| digits(text));
    let (first, last) = (port(first)?, port(last)?);
    (LOWEST_PORT <= first && first <= last).then_some(first..=last)
}
