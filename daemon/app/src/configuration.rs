//! Fetches the configuration: the file and the environment. Must not know what is allowed in it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use porthole_core::config::settings::{RelayMode, Settings, TlsSource, VideoSource};
use porthole_core::config::{self, Finding, Findings, secrets};

use crate::exit::Exit;
use crate::link::embedded::look_at_tls;
use crate::state;

/// The configuration of this machine's service.
pub const INSTALLED: &str = "/etc/porthole/porthole.toml";
/// The secrets of that service.
const SECRETS: &str = "/etc/porthole/secrets";
/// Where systemd puts the secrets of a service (systemd.exec(5), `LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Longest secret that is read.
const SECRET_BYTES: usize = 4096;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file cannot be read at all.
    #[error("{file}: {error}")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is read, but not allowed.
    #[error(transparent)]
    NotAllowed(#[from] Findings),
    /// It is allowed, and no https comes about with the files that it names; a line for each reason.
    #[error("{0}")]
    Certificate(String),
}

impl Unusable {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } => Exit::NoInput,
            Self::NotAllowed(_) | Self::Certificate(_) => Exit::Config,
        }
    }
}

/// The file that is meant where none is named: that of the service for root, who set it up, and none for others, who
/// run a camera of their own.
pub fn meant(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(|| {
        let installed = PathBuf::from(INSTALLED);
        (state::is_root() && installed.exists()).then_some(installed)
    })
}

/// Reads the configuration at `path`, or takes every default if there is none; secrets may come from the
/// environment either way.
///
/// # Errors
/// The file cannot be read, or it is not allowed; the text of the error is one line for each finding.
pub fn read(path: Option<&Path>) -> Result<Settings, Unusable> {
    read_by(config::load, path)
}

/// The same for who needs a part of it and can do without the rest; what is wrong comes with it.
///
/// # Errors
/// The file cannot be read at all.
pub fn read_in_part(path: Option<&Path>) -> Result<(Settings, Option<Findings>), Unusable> {
    written(config::load_in_part, path)
}

/// The same for a relay without a camera, in whose configuration nothing may be about one.
///
/// # Errors
/// As those of [`read`].
pub fn read_for_relay(path: Option<&Path>) -> Result<Settings, Unusable> {
    read_by(config::load_for_relay, path)
}

/// The same as [`read`] for who only wants to know: the files it names have to be there too. A daemon starts without
/// some of them, and says what it misses.
///
/// # Errors
/// As those of [`read`], or what is wrong with such a file.
pub fn check(path: &Path) -> Result<Settings, Unusable> {
    let settings = read(Some(path))?;
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut found = Vec::new();
    // What is wrong with a certificate is told below, and better.
    let certificate = |key: &str| matches!(key, "relay.certificate" | "relay.key");
    for (key, named) in files(&settings).into_iter().filter(|(key, _)| !certificate(key)) {
        if let Err(error) = fs::File::open(named).and_then(|mut file| file.read(&mut [0])) {
            found.push(Finding {
                file: path.display().to_string(),
                line: config::line_of(&text, key),
                key: key.to_owned(),
                value: None,
                allowed: format!("{}: {error}", named.display()),
            });
        }
    }
    Findings::new(found).map_or(Ok(()), Err)?;
    let why = look_at_tls(&settings.relay.tls);
    let lines: Vec<_> =
        why.iter().map(|why| format!("{}: [relay] certificate and key: {why}", path.display())).collect();
    if lines.is_empty() { Ok(settings) } else { Err(Unusable::Certificate(lines.join("\n"))) }
}

/// Every file that is named in a configuration and only read, with its key.
pub fn files(settings: &Settings) -> Vec<(&'static str, &Path)> {
    let ca = match &settings.relay.mode {
        RelayMode::External(relay) => relay.ca.as_deref(),
        RelayMode::Embedded => None,
    };
    let (certificate, key) = match &settings.relay.tls.source {
        TlsSource::Files { certificate, key } => (Some(certificate.as_path()), Some(key.as_path())),
        TlsSource::Off | TlsSource::Own { .. } => (None, None),
    };
    let clip = match &settings.media.video.source {
        VideoSource::File(clip) => Some(clip.as_path()),
        _ => None,
    };
    let named = [
        ("relay.certificate", certificate),
        ("relay.key", key),
        ("relay.ca", ca),
        ("ice.ca", settings.ice.ca.as_deref()),
        ("video.file", clip),
    ];
    named.into_iter().filter_map(|(key, file)| Some((key, file?))).collect()
}

/// Tells a person what is wrong in a configuration and was in nobody's way.
pub fn warn(found: &Findings) {
    found.iter().for_each(|finding| eprintln!("warning: {finding}"));
}

/// The rules of a configuration: what it is made of (file name, text, environment) and what it comes to.
type Rules<T> = fn(&str, &str, &dyn Fn(&str) -> Option<String>) -> T;

fn read_by(load: Rules<Result<Settings, Findings>>, path: Option<&Path>) -> Result<Settings, Unusable> {
    let loaded = written(load, path)?;
    let mut found = Secrets::of(path).map(|secrets| secrets.found()).unwrap_or_default();
    found.extend(loaded.as_ref().err().into_iter().flat_map(Findings::iter).cloned());
    Findings::new(found).map_or(Ok(()), Err)?;
    Ok(loaded?)
}

fn written<T>(load: Rules<T>, path: Option<&Path>) -> Result<T, Unusable> {
    let secrets = Secrets::of(path);
    let env = |name: &str| env::var(name).ok().or_else(|| secrets.as_ref()?.read(name));
    let Some(path) = path else { return Ok(load("defaults", "", &env)) };
    let file = path.display().to_string();
    match fs::read(path) {
        // What is not UTF-8 becomes U+FFFD, which is allowed in no key and found with its line where it matters.
        Ok(bytes) => Ok(load(&file, &String::from_utf8_lossy(&bytes), &env)),
        Err(error) => Err(Unusable::Unreadable { file, error }),
    }
}

/// Files that stand in for variables of the environment.
struct Secrets {
    folder: PathBuf,
    /// What the names of the variables have more than those of the files.
    prefix: &'static str,
}

impl Secrets {
    /// Those that systemd hands to the service; for root, who asks about the service, those from which it has them.
    fn of(config: Option<&Path>) -> Option<Self> {
        if let Some(folder) = env::var_os(CREDENTIALS) {
            return Some(Self { folder: folder.into(), prefix: "" });
        }
        let services = state::is_root() && config == Some(Path::new(INSTALLED));
        services.then(|| Self { folder: SECRETS.into(), prefix: secrets::PREFIX })
    }

    /// What the file for the variable `name` holds. One that is there and cannot be used is among what is [`Self::found`].
    fn read(&self, name: &str) -> Option<String> {
        secret(&self.folder.join(name.strip_prefix(self.prefix)?)).ok()?
    }

    /// What is wrong with the files: one that is not used would be a secret that is silently none.
    fn found(&self) -> Vec<Finding> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let about = |name: &String| {
            // Other credentials are somebody else's, and a hidden file is for none of this.
            let ours =
                !name.starts_with('.') && (!self.prefix.is_empty() || name.starts_with(secrets::PREFIX));
            let why = match secrets::is_known(&format!("{}{name}", self.prefix)) {
                _ if !ours => return None,
                true => secret(&self.folder.join(name)).err()?,
                false => format!("is not the name of a secret (known: {})", secrets::known(secrets::PREFIX)),
            };
            let file = self.place(name).display().to_string();
            Some(Finding { file, line: None, key: String::new(), value: None, allowed: why })
        };
        names.iter().filter_map(about).collect()
    }

    /// Where a person finds the file: what systemd hands to the service are copies.
    fn place(&self, name: &str) -> PathBuf {
        match name.strip_prefix(secrets::PREFIX) {
            Some(own) if self.prefix.is_empty() && self.folder.ends_with("porthole.service") => {
                Path::new(SECRETS).join(own)
            }
            _ => self.folder.join(name),
        }
    }
}

/// What the file at `path` holds, without the end of its line; nothing where there is none. Errors: why it cannot be used.
fn secret(path: &Path) -> Result<Option<String>, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("the secret cannot be read: {error}")),
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Err("the secret is empty: write it there, or remove the file".to_owned());
    }
    let fits = line.len() <= SECRET_BYTES && !line.contains('\n');
    fits.then(|| Some(line.to_owned())).ok_or_else(|| {
        format!("the secret has to be one line of at most {SECRET_BYTES} bytes, and nothing more")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_every_key_has_its_default() {
        assert_eq!(read(None).unwrap(), Settings::default());
    }

    #[test]
    fn a_file_is_read_and_its_findings_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        fs::write(&path, "[room]\nmax_calls = 3\n").unwrap();
        assert_eq!(read(Some(&path)).unwrap().room.max_calls, 3);

        fs::write(&path, "[room]\nmax_calls = 0\n").unwrap();
        let unusable = read(Some(&path)).unwrap_err();
        assert_eq!(unusable.exit(), Exit::Config);
        let start = format!("{}:2: room.max_calls = 0: ", path.display());
        assert!(unusable.to_string().starts_with(&start), "{unusable}");
    }

    #[test]
    fn whoever_only_checks_is_told_of_a_file_that_is_missing_and_whoever_runs_finds_out_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        let relay =
            "[room]\naccess = 'open'\n[relay]\nmode = 'external'\nurl = 'https://a.example'\nca = 'a.pem'";
        fs::write(&path, relay).unwrap();
        let unusable = check(&path).unwrap_err();
        assert_eq!(unusable.exit(), Exit::Config);
        let said = unusable.to_string();
        assert!(said.contains("my.toml:6: relay.ca: ") && said.contains("a.pem: "), "{said}");
        read(Some(&path)).unwrap();
        fs::write(folder.path().join("a.pem"), "").unwrap();
        check(&path).unwrap();

        fs::write(&path, "[video]\nsource = 'file'\nfile = 'night.mp4'").unwrap();
        let said = check(&path).unwrap_err().to_string();
        assert!(said.contains("my.toml:3: video.file: ") && said.contains("night.mp4: "), "{said}");
    }

    #[test]
    fn a_secret_is_the_line_in_the_file_of_its_name_and_nothing_longer() {
        let folder = tempfile::tempdir().unwrap();
        let put = |text: &str| fs::write(folder.path().join("ICE_TURN_PASSWORD"), text).unwrap();
        let secrets = Secrets { folder: folder.path().to_owned(), prefix: "PORTHOLE_" };
        let read = || secrets.read("PORTHOLE_ICE_TURN_PASSWORD");
        assert_eq!(read(), None);
        for text in ["hush hush", "hush hush\n", "hush hush\r\n"] {
            put(text);
            assert_eq!(read().as_deref(), Some("hush hush"));
        }
        let found = || secrets.found().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found(), [""; 0]);
        let file = folder.path().join("ICE_TURN_PASSWORD").display().to_string();
        let long = "h".repeat(SECRET_BYTES + 1);
        for text in ["hush\nhush\n", &long, "", "\n"] {
            put(text);
            assert_eq!(read(), None);
            let said = found();
            let why = if text.trim().is_empty() { "is empty" } else { "one line of at most 4096 bytes" };
            assert!(
                said.len() == 1 && said[0].starts_with(&format!("{file}: ")) && said[0].contains(why),
                "{said:?}"
            );
            assert!(!said[0].contains("hush"), "{said:?}");
        }
    }

    #[test]
    fn a_secret_of_an_unknown_name_is_found_with_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(folder.path().join(name), "hush").unwrap();
        let found = |prefix| {
            let secrets = Secrets { folder: folder.path().to_owned(), prefix };
            secrets.found().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for name in ["ICE_TURN_SECRET_12", "RELAY_AUTH_API_KEY", "PUBLISH_TOKEN", ".keep"] {
            put(name);
        }
        assert_eq!(found("PORTHOLE_"), [""; 0]);
        put("ICE_TURN_SECRTE");
        put("RELAY_AUTH_token");
        let said = found("PORTHOLE_");
        assert!(
            said.len() == 2 && said[0].contains("/ICE_TURN_SECRTE: is not the name of a secret"),
            "{said:?}"
        );
        assert!(said[0].contains("(known: ICE_TURN_PASSWORD and ICE_TURN_SECRET, each"), "{said:?}");
        // Of what systemd hands over only what is ours.
        put("tls.key");
        assert_eq!(found(""), [""; 0]);
        put("PORTHOLE_ICE_TURN_SECRET_0");
        assert_eq!(found("").len(), 1);
        let secrets = Secrets { folder: "/run/credentials/porthole.service".into(), prefix: "" };
        assert_eq!(secrets.place("PORTHOLE_PUBLISH_TOKEN"), Path::new("/etc/porthole/secrets/PUBLISH_TOKEN"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let unusable = read(Some(Path::new("/nowhere/my.toml"))).unwrap_err();
        assert_eq!(unusable.exit(), Exit::NoInput);
        assert!(unusable.to_string().starts_with("/nowhere/my.toml: "), "{unusable}");
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(Some(folder.path())).unwrap_err().exit(), Exit::NoInput);
    }

    #[test]
    fn bytes_that_are_no_text_are_found_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        fs::write(&path, b"[room]\nname = \"caf\xe9\"\n").unwrap();
        let unusable = read(Some(&path)).unwrap_err();
        assert!(unusable.to_string().contains("my.toml:2: room.name = "), "{unusable}");
    }
}
