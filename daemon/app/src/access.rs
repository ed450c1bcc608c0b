//! `porthole access`: makes, lists, shows and takes back keys, and says what it did. Must not know how a ring is kept, nor
//! whether a camera runs.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use porthole_core::access::{Key, Label, Role, Stamp, Unknown};
use porthole_core::config::Findings;
use porthole_core::config::settings::{Access, RoomSettings, Settings};
use serde_json::json;

use crate::cli::Keys;
use crate::configuration::{self, INSTALLED};
use crate::exit::Exit;
use crate::keys::dates::{self, BadDate};
use crate::keys::{self, Kept, KeyFile, NoPlace, NoRandomness};
use crate::links::Page;
use crate::state;

/// Why nothing was done. The text says what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// There is no configuration to go by.
    #[error(transparent)]
    Configuration(#[from] configuration::Unusable),
    /// Something in it is wrong, and puts in doubt what is needed of it.
    #[error(
        "{0}\nwhich keys are meant, or what their links look like, cannot be told before that is mended; nothing has changed"
    )]
    Doubtful(Findings),
    /// A key for a camera that this user has not, on a machine whose service is one.
    #[error(
        "no key was made, because it would open nothing: the camera of this machine is a service, whose keys are root's. \
         Type:\n\n  {command}\n\nA camera of your own makes its first key, in {file}, when it is started for the first time"
    )]
    Services {
        /// What to type.
        command: String,
        /// Where the key would have been kept.
        file: String,
    },
    /// There is nowhere to keep keys.
    #[error(transparent)]
    Nowhere(#[from] NoPlace),
    /// The ring cannot be read or written.
    #[error(transparent)]
    Kept(#[from] Kept),
    /// No key is called that, or several are, or it is taken.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// No key was ever made.
    #[error(
        "there are no keys in {file} yet: the camera makes its owner's when it starts for the first time: {start}"
    )]
    Empty {
        /// Where they would be.
        file: String,
        /// What to type.
        start: String,
    },
    /// That is no date to come.
    #[error(transparent)]
    Date(#[from] BadDate),
    /// No key can be made here.
    #[error(transparent)]
    NotRandom(#[from] NoRandomness),
    /// The answer cannot be printed.
    #[error("what was asked for is done, but cannot be printed: {0}")]
    Unsaid(#[from] io::Error),
}

impl Failed {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(unusable) => unusable.exit(),
            Self::Doubtful(_) => Exit::Config,
            Self::Services { .. } => Exit::NotPermitted,
            Self::Unknown(_) | Self::Empty { .. } | Self::Date(_) => Exit::Usage,
            Self::Kept(kept) => kept.exit(),
            Self::Unsaid(_) => Exit::Unkept,
            Self::Nowhere(_) | Self::NotRandom(_) => Exit::Unavailable,
        }
    }
}

/// Does what is asked with the keys of the camera whose configuration is `config`, and prints what came of it.
///
/// # Errors
/// [`Failed`]; nothing has changed then, but for [`Failed::Unsaid`].
pub fn perform(config: Option<&Path>, asked: Keys) -> Result<(), Failed> {
    let settings = settings(config, matches!(asked, Keys::Add { .. } | Keys::Show { .. }))?;
    let file = KeyFile::new(keys::key_file(settings.room.keys.as_deref())?);
    let mut out = io::stdout().lock();
    match asked {
        Keys::Add { name, role, until, lasts } => {
            if elsewhere(config).is_some() {
                of_an_own_camera(&file, &name)?;
            }
            let now = keys::now();
            let until = match (until, lasts) {
                (Some(date), _) => Some(dates::until(&date, now)?),
                (None, Some(lasts)) => Some(dates::after(&lasts, now)?),
                (None, None) => None,
            };
            let key = keys::key(name, role, now, until)?;
            file.change(|ring| ring.add(key.clone()).map_err(Failed::from))?;
            writeln!(out, "There is a new key, which {}.", allows(&key, now))?;
            write_link(&mut out, &settings, &key)?;
            write_advice(&mut out, &settings.room, &file, &key, config)?;
            if let Some(hint) = elsewhere(config) {
                eprintln!("\n{hint}");
            }
        }
        Keys::Show { key } => {
            let Some(ring) = file.read()? else {
                return Err(Failed::Empty { file: file.path().display().to_string(), start: start(config) });
            };
            let key = ring.meant(&key)?;
            writeln!(out, "The key {}.", allows(key, keys::now()))?;
            write_link(&mut out, &settings, key)?;
            write_advice(&mut out, &settings.room, &file, key, config)?;
        }
        Keys::List { json } => {
            let ring = file.read()?.unwrap_or_default();
            if json {
                let keys: Vec<_> = ring.keys().iter().map(without_secret).collect();
                serde_json::to_writer_pretty(&mut out, &keys).map_err(io::Error::from)?;
                writeln!(out)?;
            } else {
                write_list(&mut out, ring.keys(), &file, config)?;
            }
        }
        Keys::Revoke { key } => {
            let revoked = file.change(|ring| {
                let id = ring.meant(&key)?.id.clone();
                Ok::<_, Failed>(ring.revoke(&id, keys::now()))
            })?;
            if let Some(Key { name, .. }) = revoked {
                writeln!(
                    out,
                    "The key of {name} opens nothing any more. Whoever watches with it is hung up at once."
                )?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// What is needed of the configuration: where the keys are, and the place in their links where `links` are asked for. What
/// else is wrong in it is told, and in nobody's way: a stolen phone is not let in for longer because of a typing error.
fn settings(config: Option<&Path>, links: bool) -> Result<Settings, Failed> {
    let (settings, found) = configuration::read_in_part(config)?;
    let Some(found) = found else { return Ok(settings) };
    // One that stands twice may mean either.
    let twice = found.iter().any(|finding| finding.key == "room.keys");
    let lost = twice || settings.room.keys.is_none() && found.doubt_key("room", "keys");
    let astray = links && ["room", "relay"].iter().any(|section| found.doubt_section(section));
    if found.are_of_syntax() || lost || astray {
        return Err(Failed::Doubtful(found));
    }
    configuration::warn(&found);
    Ok(settings)
}

/// What to type to do something with the keys of the same camera: `porthole access … --config FILE`.
pub fn command(words: &str, config: Option<&Path>) -> String {
    if config == Some(Path::new(INSTALLED)) {
        // That is where root's commands look by themselves.
        let sudo = if state::is_root() { "" } else { "sudo " };
        return format!("{sudo}{} access {words}", env!("CARGO_PKG_NAME"));
    }
    by_name(&format!("access {words}"), config)
}

/// What to type to start that camera.
fn start(config: Option<&Path>) -> String {
    if config == Some(Path::new(INSTALLED)) {
        return format!("sudo systemctl start {}", env!("CARGO_PKG_NAME"));
    }
    by_name("run", config)
}

/// This program as it was called, with these words, for the camera with this configuration.
fn by_name(words: &str, config: Option<&Path>) -> String {
    let program = env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
    let config =
        config.map(|file| format!(" --config {}", quoted(&file.to_string_lossy()))).unwrap_or_default();
    format!("{} {words}{config}", quoted(&program))
}

/// Where somebody who finds no key may have meant to look: the service of this machine, whose keys are root's.
pub fn elsewhere(config: Option<&Path>) -> Option<String> {
    // Who is given a place of their own is meant by it.
    let root = state::is_root() || env::var_os("STATE_DIRECTORY").is_some();
    is_missed(config, root, Path::new(INSTALLED)).then(|| {
        format!(
            "The camera that is a service of this machine is meant by root: sudo {} access …",
            env!("CARGO_PKG_NAME")
        )
    })
}

fn is_missed(config: Option<&Path>, root: bool, installed: &Path) -> bool {
    config.is_none() && !root && installed.exists()
}

/// Refuses to begin a ring where the service of this machine may be meant: no camera reads it.
fn of_an_own_camera(file: &KeyFile, name: &Label) -> Result<(), Failed> {
    if file.path().exists() {
        return Ok(());
    }
    let command = command(&format!("add {}", quoted(name.as_str())), Some(Path::new(INSTALLED)));
    Err(Failed::Services { command, file: file.path().display().to_string() })
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let escaped: String = word
        .chars()
        .flat_map(|c| ['"', '\\', '$', '`'].contains(&c).then_some('\\').into_iter().chain([c]))
        .collect();
    format!("\"{escaped}\"")
}

/// `of grandma's phone lets it watch and listen until …`
fn allows(key: &Key, now: Stamp) -> String {
    let may = match key.role {
        Role::Watch => "watch and listen",
        Role::Talk => "watch, listen and talk",
        Role::Manage => "watch, listen, talk and manage the camera",
    };
    let until = match key.until {
        None => String::new(),
        Some(until) if key.has_expired(now) => format!("; but that has ended ({})", dates::shown(until)),
        Some(until) => format!(" until {}", dates::shown(until)),
    };
    format!("allows {} to {may}{until}", key.name)
}

fn write_link(out: &mut impl Write, settings: &Settings, key: &Key) -> io::Result<()> {
    let Settings { room, relay, .. } = settings;
    if relay.listen.port() == 0 {
        // As tests have it. Only the camera knows.
        return writeln!(
            out,
            "\nThe camera takes another port at each start: append this to the link that it prints:\n\n  &key={}\n",
            key.token()
        );
    }
    writeln!(out, "Open this on that device, or point its camera at the code:\n")?;
    let page = Page::of(relay, relay.listen);
    page.write(out, io::stdout().is_terminal(), &page.links(&room.room, Some(key)))
}

fn write_advice(
    out: &mut impl Write,
    room: &RoomSettings,
    file: &KeyFile,
    key: &Key,
    config: Option<&Path>,
) -> io::Result<()> {
    writeln!(
        out,
        "The link is the key: whoever has it gets in, so send it to nobody else. A camera that runs knows it at\n\
         once. To take it back:\n\n  {}\n\nIt hangs in {}.",
        command(&format!("revoke {}", quoted(key.name.as_str())), config),
        file.path().display()
    )?;
    let instead = match room.access {
        Access::Keys => return Ok(()),
        Access::Local => "local",
        Access::Open => "open",
    };
    writeln!(out, "This camera asks nobody for a key: its configuration says access = \"{instead}\".")
}

fn write_list(out: &mut impl Write, keys: &[Key], file: &KeyFile, config: Option<&Path>) -> io::Result<()> {
    if keys.is_empty() {
        writeln!(
            out,
            "There are no keys in {}. This makes one:\n\n  {}",
            file.path().display(),
            command("add \"grandma's phone\"", config)
        )?;
        return elsewhere(config).map_or(Ok(()), |hint| writeln!(out, "\n{hint}"));
    }
    let now = keys::now();
    let rows = keys.iter().map(|key| {
        let until = key.until.map(dates::shown).unwrap_or_default();
        let until = if key.has_expired(now) { format!("ended: {until}") } else { until };
        [key.name.to_string(), key.role.to_string(), dates::shown(key.made), until, key.id.to_string()]
    });
    let head = ["NAME", "MAY", "MADE", "UNTIL", "ID"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn without_secret(key: &Key) -> serde_json::Value {
    json!({ "id": key.id, "name": key.name, "role": key.role, "made": key.made, "until": key.until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_made_for_nobody_where_the_camera_is_a_service_and_it_is_said_what_to_type() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("keys.json"));
        let name = Label::new("grandma's phone").unwrap();
        let refused = of_an_own_camera(&file, &name).unwrap_err();
        assert_eq!(refused.exit(), Exit::NotPermitted);
        let said = refused.to_string();
        assert!(said.contains("porthole access add \"grandma's phone\"\n"), "{said}");
        assert!(said.contains(&file.path().display().to_string()), "{said}");
        // Whoever runs a camera of their own has begun one.
        file.change(|_| Ok::<_, Kept>(())).unwrap();
        of_an_own_camera(&file, &name).unwrap();
    }

    #[test]
    fn the_service_may_be_meant_where_nothing_says_otherwise() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (there, nowhere) = (file.path(), Path::new("/nowhere/porthole.toml"));
        let missed = [
            (None, false, there, true),
            (None, true, there, false),
            (Some(there), false, there, false),
            (None, false, nowhere, false),
        ];
        for (config, root, installed, may) in missed {
            assert_eq!(is_missed(config, root, installed), may, "{config:?} {root} {installed:?}");
        }
    }

    #[test]
    fn what_is_to_be_typed_reaches_us_through_a_shell_as_it_was() {
        for word in ["owner", "grandma's phone", "a \"b\" $(c) `d` \\e", "Ännchen", "!", "*", ""] {
            let said = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), word);
        }
        assert_eq!(quoted("owner"), "owner");
        assert_eq!(quoted("grandma's phone"), "\"grandma's phone\"");
    }

    #[test]
    fn what_a_key_allows_is_a_sentence() {
        let name = Label::new("grandma's phone").unwrap();
        let mut key = keys::key(name, Role::Watch, Stamp(0), None).unwrap();
        assert_eq!(allows(&key, Stamp(9)), "allows grandma's phone to watch and listen");
        (key.role, key.until) = (Role::Talk, Some(Stamp(10_000_000)));
        let until = dates::shown(Stamp(10_000_000));
        let said = format!("allows grandma's phone to watch, listen and talk until {until}");
        assert_eq!(allows(&key, Stamp(9)), said);
        assert!(allows(&key, Stamp(10_000_000)).contains("that has ended"));
    }
}
