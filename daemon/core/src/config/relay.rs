//! The rules of `[relay]`: the rooms of our own, and for somebody else's server where it is, how it is spoken to, what it
//! is shown. Must not know what the settings are used for.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::address;
use super::file::{Entry, File};
use super::keys;
use super::reader::{self, Reader, is_printable};
use super::settings::{Access, Auth, ExternalRelay, RelayMode, Settings};
use crate::ids::{Name, RoomName};
use crate::wire::dialect::{Choice, Custom, JoinShape, Known, Wrap};

/// The beginning of the environment variables that hold what is sent in the handshake, such as
/// `PORTHOLE_RELAY_AUTH_TOKEN`.
pub(super) const AUTH: &str = "PORTHOLE_RELAY_AUTH_";
const PATH: &str = ExternalRelay::PATH;
/// Most keys in the handshake, and the longest of their values, in bytes.
const AUTH_KEYS: usize = 16;
const AUTH_BYTES: usize = 4096;

/// Most rooms beside that of `[room]`.
const ROOMS: usize = 256;

/// What Socket.IO keeps for itself; a program that emits it fails.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Keys that mean nothing to the relay in this process.
const EXTERNAL_ONLY: [&str; 7] = ["url", "path", "auth", "ca", "pin", "dialect", "events"];

/// Keys of sections about the camera that a relay without one has a use for: servers are for the viewers, too.
const OF_A_RELAY: [(&str, &str); 5] =
    [("room", "name"), ("room", "access"), ("ice", "stun"), ("ice", "turn"), ("ice", "turn_lifetime")];

/// Reads where the room is. `folder` is where relative paths start; `env` looks up secrets.
pub(super) fn mode(
    section: &mut Reader<'_, '_>,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> RelayMode {
    let external = section.word("mode", false, &[("embedded", false), ("external", true)]);
    let url = url(section);
    let path = section.take("path", PATH.to_owned(), |entry| path(entry.text()?));
    let dialect = dialect(section);
    let auth = auth(section, env);
    let ca = section.take("ca", None, |entry| reader::file(entry, folder));
    let pin = section.take("pin", None, |entry| match entry.text()? {
        "" => Some(None),
        text => pin(text).map(Some),
    });
    if !external {
        let default = [
            url.is_empty(),
            path == PATH,
            auth.0.is_empty(),
            ca.is_none(),
            pin.is_none(),
            dialect == Choice::Auto,
            section.entry("events").is_none_or(|entry| entry.value.as_table().is_some_and(|t| t.is_empty())),
        ];
        for (key, _) in EXTERNAL_ONLY.iter().zip(default).filter(|(_, default)| !default) {
            if section.file.trusts(&["relay.mode", &format!("relay.{key}")]) {
                section.contradict(key, r#"only with mode = "external""#);
            }
        }
        return RelayMode::Embedded;
    }
    if url.is_empty() && section.file.trusts(&["relay.url"]) {
        section.contradict_at(
            "url",
            "mode",
            r#"write where the server is, as in url = "https://relay.example" (for wss:// write https://)"#,
        );
    }
    if section.entry("max_sockets").is_some() && section.file.trusts(&["relay.max_sockets"]) {
        section.contradict(
            "max_sockets",
            r#"only with mode = "embedded": how many may connect is for somebody else's server to say"#,
        );
    }
    check_tls(section, &url, &ca, pin.is_some());
    RelayMode::External(Box::new(ExternalRelay { url, path, dialect, calls: 1, auth, ca, pin }))
}

/// Reads the rooms of our own relay beside the one of `settings`.
pub(super) fn rooms(section: &mut Reader<'_, '_>, settings: &Settings) -> Vec<RoomName> {
    let entries = section.list("rooms");
    if entries.len() > ROOMS {
        section.refuse("rooms");
        return Vec::new();
    }
    let external = matches!(settings.relay.mode, RelayMode::External(_));
    if external && !entries.is_empty() && section.file.trusts(&["relay.mode"]) {
        section.contradict(
            "rooms",
            r#"only with mode = "embedded": the rooms of somebody else's server are there"#,
        );
        return Vec::new();
    }
    let mut rooms = Vec::new();
    for entry in entries {
        match entry.text().and_then(|text| Name::new(text).ok()) {
            None => section.file.find(&entry, "a text of 1 to 64 characters out of A-Z a-z 0-9 . _ : @ -"),
            Some(room) if room == settings.room.room => {
                section.file.find(&entry, "another room than that of [room], which is there in any case");
            }
            Some(room) if rooms.contains(&room) => section.file.find(&entry, "each room once"),
            Some(room) => rooms.push(room),
        }
    }
    rooms
}

/// Reports what says something about a camera, to a relay that has none.
pub(super) fn report_camera<'t>(file: &mut File<'t>, table: &'t DeTable<'t>, settings: &Settings) {
    let about_camera = "a relay has no camera: this belongs into the camera's own configuration";
    for section in [&keys::VIDEO, &keys::AUDIO, &keys::SPEAKER, &keys::ICE, &keys::PUBLISH, &keys::ROOM] {
        let mut reader = Reader::new(file, table, section);
        for key in section.keys.iter().filter(|key| !OF_A_RELAY.contains(&(section.name, key.name))) {
            // In these a token or a login may stand.
            if [keys::ICE.name, keys::PUBLISH.name].contains(&section.name) {
                reader.contradict_secret(key.name, about_camera);
            } else if reader.entry(key.name).is_some() {
                reader.contradict(key.name, about_camera);
            }
        }
    }
    if settings.room.access == Access::Keys {
        Reader::new(file, table, &keys::ROOM).contradict(
            "access",
            r#""local" or "open": access keys belong to cameras, and each camera in a room here asks for its own"#,
        );
    }
    if matches!(settings.relay.mode, RelayMode::External(_)) {
        Reader::new(file, table, &keys::RELAY).contradict(
            "mode",
            r#""embedded": this is the relay that others call external; `porthole run` joins one"#,
        );
    }
}

/// Where the server is, without a path: that has a key of its own.
fn url(section: &mut Reader<'_, '_>) -> String {
    let text = section.entry("url").and_then(|entry| entry.text()).unwrap_or_default();
    let end = text.find("://").map(|scheme| scheme + 3).and_then(|host| {
        let path = text.get(host..)?.find('/')?;
        Some(host + path)
    });
    if let Some((origin, path)) = end.and_then(|end| text.split_at_checked(end))
        && path != "/"
        && address::origin(origin).is_some()
        && self::path(path).is_some()
    {
        let why =
            format!("where Socket.IO lies has a key of its own: url = \"{origin}\" and path = \"{path}\"");
        section.contradict("url", &why);
        return String::new();
    }
    // A token may stand in its query.
    section.take_hidden("url", String::new(), |entry| match entry.text()? {
        "" => Some(String::new()),
        text => address::origin(text).map(str::to_owned),
    })
}

fn check_tls(section: &mut Reader<'_, '_>, url: &str, ca: &Option<PathBuf>, pin: bool) {
    let plain = url.starts_with("http://");
    for (key, written) in [("ca", ca.is_some()), ("pin", pin)] {
        if written && plain {
            section.contradict(key, "only with a url that begins with https://");
        }
    }
    if ca.is_some() && pin && !plain {
        section
            .contradict("pin", "a pinned (self-signed) certificate is trusted alone: leave out ca, or pin");
    }
}

fn dialect(section: &mut Reader<'_, '_>) -> Choice {
    let words: Vec<(&str, Choice)> = [("auto", Choice::Auto), ("custom", Choice::Custom(Box::default()))]
        .into_iter()
        .chain(Known::ALL.map(|known| (known.word(), Choice::Known(known))))
        .collect();
    let chosen = section.word("dialect", Choice::Auto, &words);
    let Some(entry) = section.entry("events") else { return chosen };
    let Some(table) = entry.value.as_table() else {
        section.refuse("events");
        return chosen;
    };
    let custom = events(&mut Reader::of_table(section.file, table, &keys::EVENTS, "relay.events"));
    if matches!(chosen, Choice::Custom(_)) {
        check_events(
            &mut Reader::of_table_again(section.file, table, &keys::EVENTS, "relay.events"),
            &custom,
        );
    }
    match chosen {
        Choice::Custom(_) => Choice::Custom(Box::new(custom)),
        other => {
            let external = section.entry("mode").is_some_and(|entry| entry.text() == Some("external"));
            if external && !table.is_empty() && section.file.trusts(&["relay.dialect"]) {
                section.contradict("events", r#"only with dialect = "custom""#);
            }
            other
        }
    }
}

fn events(section: &mut Reader<'_, '_>) -> Custom {
    let default = Custom::default();
    let mut name = |key: &str, default: String, may_be_none: bool| {
        section.take(key, default, |entry| {
            let text = entry.text()?;
            let fits = text.chars().count() <= Custom::LONGEST_NAME
                && is_printable(text)
                && (may_be_none || !text.is_empty());
            fits.then(|| text.to_owned())
        })
    };
    Custom {
        join: name("join", default.join, true),
        offer: name("offer", default.offer, false),
        answer: name("answer", default.answer, false),
        candidate: name("candidate", default.candidate, true),
        bye: name("bye", default.bye, true),
        joined: name("joined", default.joined, true),
        left: name("left", default.left, true),
        full: name("full", default.full, true),
        join_shape: section.word(
            "join_shape",
            default.join_shape,
            &[("object", JoinShape::Object), ("room", JoinShape::Room), ("room-id", JoinShape::RoomAndId)],
        ),
        shape: section.word(
            "shape",
            default.shape,
            &[
                ("object", Wrap::Object),
                ("args", Wrap::Args),
                ("room-first", Wrap::RoomFirst),
                ("bare", Wrap::Bare),
                ("sdp", Wrap::Sdp),
            ],
        ),
        offers: section.take("offers", default.offers, |entry| entry.value.as_bool()),
    }
}

/// What of a dialect written by hand cannot work.
fn check_events(section: &mut Reader<'_, '_>, custom: &Custom) {
    let named = [
        ("join", &custom.join),
        ("offer", &custom.offer),
        ("answer", &custom.answer),
        ("candidate", &custom.candidate),
        ("bye", &custom.bye),
        ("joined", &custom.joined),
        ("left", &custom.left),
        ("full", &custom.full),
    ];
    for (key, name) in named.iter().filter(|(_, name)| RESERVED.contains(&name.as_str())) {
        section.contradict(key, &format!("Socket.IO keeps \"{name}\" for itself: no server passes it on"));
    }
    if custom.offers && custom.joined.is_empty() {
        let why = "with offers = true the camera calls when it hears this, so it needs a name";
        section.contradict_at("joined", "offers", why);
    }
    // One event for offers and answers, perhaps for candidates and farewells too, says itself what it is.
    let heard = named.get(1..).unwrap_or_default();
    for (index, (key, name)) in heard.iter().enumerate().filter(|(_, (_, name))| !name.is_empty()) {
        let earlier = heard.get(..index).unwrap_or_default();
        let Some((other, _)) = earlier.iter().find(|(_, other)| other == name) else { continue };
        let says_itself = |key: &str| ["offer", "answer", "candidate", "bye"].contains(&key);
        let one_for_all = custom.offer == custom.answer && *name == &custom.offer;
        if !(one_for_all && says_itself(key) && says_itself(other)) {
            let at = if section.entry(key).is_some() { key } else { other };
            section.contradict_at(
                key,
                at,
                &format!(
                    "another name than {other} has; only offer and answer (and with them candidate and bye) may be one \
                     event, whose type says which"
                ),
            );
        }
    }
    if custom.one_event() && custom.shape == Wrap::Sdp {
        section.contradict_at(
            "shape",
            "shape",
            "\"sdp\" tells by its event what it is: offer and answer need names of their own",
        );
    }
}

/// What is sent in the handshake: the keys that are written, and `token`, which may be in the environment alone.
fn auth(section: &mut Reader<'_, '_>, env: &dyn Fn(&str) -> Option<String>) -> Auth {
    let from_env = |key: &str| {
        let name = format!("{AUTH}{}", key.to_ascii_uppercase().replace('-', "_"));
        (env(&name).filter(|value| !value.is_empty()), name)
    };
    let mut auth = Auth::default();
    let external = section.entry("mode").is_some_and(|entry| entry.text() == Some("external"));
    if let (true, (Some(token), _)) = (external, from_env("token")) {
        auth.0.insert("token".to_owned(), token.into());
    }
    let Some(whole) = section.entry("auth") else { return auth };
    let Some(table) = whole.value.as_table().filter(|table| table.len() <= AUTH_KEYS) else {
        section.refuse_secret("auth");
        return auth;
    };
    for (key, value) in table {
        let entry = Entry::new("relay.auth", key, value).secret();
        let key = key.get_ref();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        if key.is_empty() || key.len() > 64 || !key.bytes().all(fits) {
            section.file.find(&entry, "a key of 1 to 64 characters out of A-Z a-z 0-9 _ -");
            continue;
        }
        let value = match (from_env(key), entry.text()) {
            ((Some(value), _), _) => value.into(),
            ((None, name), Some("")) => {
                let missing = format!("missing; write it here, or put it into the environment as {name}");
                section.file.find(&entry, missing);
                continue;
            }
            (_, Some(text)) if text.len() <= AUTH_BYTES => serde_json::Value::from(text),
            _ => match (entry.value.as_bool(), entry.number()) {
                (Some(flag), _) => flag.into(),
                (None, Some(number)) => number.into(),
                (None, None) => {
                    section.file.find(&entry, "a text of at most 4096 bytes, a whole number, true or false");
                    continue;
                }
            },
        };
        auth.0.insert(key.to_string(), value);
    }
    auth
}

/// A path that begins and ends with a slash; the last one need not be written.
fn path(text: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/._~-%".contains(&b);
    let sound = text.starts_with('/') && text.len() <= 256 && text.bytes().all(fits) && !text.contains("//");
    sound.then(|| if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

/// A SHA-256 in hexadecimal digits, with or without colons between the pairs, and perhaps what `openssl` prints before.
fn pin(text: &str) -> Option<[u8; 32]> {
    let text = match text.split_once('=') {
        Some((what, digits)) if what.eq_ignore_ascii_case("sha256 fingerprint") => digits,
        _ => text,
    };
    let digits = text.replace(':', "");
    let sound = digits.len() == 64
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
        && (!text.contains(':') || text.split(':').all(|pair| pair.len() == 2));
    if !sound {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}
