//! The other end of the socket: finds the daemon that is meant and asks it. Blocks. Must not know what the answer is for.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::place::{self, NAME};
use super::talk::{NOT_ALLOWED, REPLY_BYTES, Request};
use crate::configuration::{self, INSTALLED, Unusable};
use crate::exit::Exit;

/// How long a daemon may take to answer. One that opens a camera for us answers before that is open.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no answer. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// There is no configuration to go by.
    #[error(transparent)]
    Configuration(#[from] Unusable),
    /// Nobody is there.
    #[error("no daemon of Porthole runs here{}: looked in {}{}", .which, list(.folders), service(Path::new(INSTALLED)))]
    Nobody {
        /// With which configuration, where one was named.
        which: String,
        /// Where it was looked for.
        folders: Vec<PathBuf>,
    },
    /// Several are there.
    #[error("several daemons run here: name the configuration of one with --config\n{}", .0.join("\n"))]
    Several(Vec<String>),
    /// It is there and may not be asked.
    #[error(
        "{}: {error}: ask as the user who runs the daemon, as a member of that file's group, or as root (sudo)",
        socket.display()
    )]
    Denied {
        /// Its socket.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is there and says nothing that can be read.
    #[error("the daemon at {} does not answer: {error}", socket.display())]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It does not take its configuration; a line for each reason.
    #[error("{0}")]
    NotAllowed(String),
}

impl NoAnswer {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(unusable) => unusable.exit(),
            Self::Several(_) => Exit::Usage,
            Self::Denied { .. } => Exit::NotPermitted,
            Self::NotAllowed(_) => Exit::Config,
            _ => Exit::Unavailable,
        }
    }
}

/// The socket of the daemon with this configuration, or of the only one there is. Where that file is not allowed any more,
/// it is the daemon that says it runs with it: what it goes by is what it read before.
///
/// # Errors
/// [`NoAnswer`]: there is none, or there are several.
pub fn find(config: Option<&Path>) -> Result<PathBuf, NoAnswer> {
    let folders = place::folders();
    let Some(file) = config else { return the_only_one(folders) };
    let settings = match configuration::read(config) {
        Ok(settings) => settings,
        Err(unusable) => return that_names(file, &folders)?.ok_or(NoAnswer::Configuration(unusable)),
    };
    let name = place::name(settings.relay.listen, config);
    let named = folders.iter().map(|folder| folder.join(&name)).find(|socket| is_alive(socket));
    // Its port may be another one by now than the file says, and that one another daemon's.
    let another = named.as_ref().is_none_or(|socket| runs_with(socket, file).is_ok_and(|same| !same));
    let names = if another { that_names(file, &folders).ok().flatten() } else { None };
    names.or(named).ok_or_else(|| NoAnswer::Nobody { which: format!(" with {}", file.display()), folders })
}

/// Whether any daemon of this machine listens, whether we may ask it or not.
pub fn is_anybody_there() -> bool {
    place::folders().iter().flat_map(|folder| sockets(folder)).any(|socket| is_alive(&socket))
}

/// Asks the daemon behind this socket, and answers with its reply, which is no error.
///
/// # Errors
/// [`NoAnswer`].
pub fn ask(socket: &Path, request: &Request) -> Result<Value, NoAnswer> {
    let why = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => NoAnswer::Denied { socket: socket.to_owned(), error },
        _ => NoAnswer::Silent { socket: socket.to_owned(), error },
    };
    let reply = exchange(socket, request).map_err(why)?;
    match reply.get("error") {
        None => Ok(reply),
        Some(word) => {
            let sentence = reply.get("sentence").unwrap_or(word).as_str().unwrap_or("the daemon refuses");
            let refused = if word == NOT_ALLOWED { NoAnswer::NotAllowed } else { NoAnswer::Refused };
            Err(refused(sentence.to_owned()))
        }
    }
}

fn exchange(socket: &Path, request: &Request) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{}\n", request.line()).as_bytes())?;
    let mut line = Vec::new();
    BufReader::new(stream.take(REPLY_BYTES)).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

fn the_only_one(folders: Vec<PathBuf>) -> Result<PathBuf, NoAnswer> {
    let mut alive: Vec<PathBuf> =
        folders.iter().flat_map(|folder| sockets(folder)).filter(|at| is_alive(at)).collect();
    match alive.len() {
        0 => Err(NoAnswer::Nobody { which: String::new(), folders }),
        1 => Ok(alive.remove(0)),
        _ => Err(NoAnswer::Several(alive.iter().map(|at| format!("  {}", introduce(at))).collect())),
    }
}

/// The socket of the daemon that runs with this file. One that says nothing may be it, so who asks is told of that.
fn that_names(file: &Path, folders: &[PathBuf]) -> Result<Option<PathBuf>, NoAnswer> {
    let mut silent = None;
    for socket in folders.iter().flat_map(|folder| sockets(folder)).filter(|socket| is_alive(socket)) {
        match runs_with(&socket, file) {
            Ok(true) => return Ok(Some(socket)),
            Ok(false) | Err(NoAnswer::Denied { .. }) => {}
            Err(why) => silent = Some(why),
        }
    }
    silent.map_or(Ok(None), Err)
}

/// Whether the daemon there says that it runs with this file.
fn runs_with(socket: &Path, file: &Path) -> Result<bool, NoAnswer> {
    let real = |file: &Path| fs::canonicalize(file).ok();
    let reply = ask(socket, &Request::Status)?;
    let said = reply["status"]["config"].as_str();
    Ok(said.is_some_and(|said| real(Path::new(said)).is_some_and(|said| real(file) == Some(said))))
}

fn sockets(folder: &Path) -> Vec<PathBuf> {
    let ours = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(NAME) && !name.ends_with(".lock")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).filter(ours);
    let mut sockets: Vec<_> = entries.map(|entry| entry.path()).collect();
    sockets.sort();
    sockets
}

/// Somebody listens there, whether we may ask or not.
fn is_alive(socket: &Path) -> bool {
    match UnixStream::connect(socket) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied && socket.exists(),
    }
}

/// What the daemon there says it is.
fn introduce(socket: &Path) -> String {
    let said = ask(socket, &Request::Status).unwrap_or_default();
    let text = |key: &str| said["status"][key].as_str().map(str::to_owned);
    let config = text("config").unwrap_or_else(|| "no configuration".to_owned());
    format!("{} ({config})", text("camera").unwrap_or_else(|| socket.display().to_string()))
}

/// Where to look on, on a machine whose service has this configuration.
fn service(installed: &Path) -> &'static str {
    if installed.exists() { "; how the service is: systemctl status porthole" } else { "" }
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_service_is_installed_it_is_said_how_to_look_at_it() {
        assert!(service(Path::new("/")).contains("systemctl status porthole"));
        assert_eq!(service(Path::new("/nowhere/porthole.toml")), "");
    }
}
