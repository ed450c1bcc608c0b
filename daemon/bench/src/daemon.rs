//! A porthole process: started with a configuration of its own, asked over `/healthz`, ended with the value. Must not
//! know what is measured.

use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::Fault;
use crate::process::Process;

/// How long the binary may take to say where its page is, and to be in its room.
pub const START_LIMIT: Duration = Duration::from_secs(60);
/// How often `/healthz` is asked while something is waited for.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// The work of the comparison: 1280x720 at 30 frames a second, 2 Mbit/s and Opus. The limits are those of the bench,
/// and the camera stays warm once it was called.
const CONFIG: &str = r#"
[video]
source = "test"
width = 1280
height = 720
framerate = 30
bitrate = 2000

[audio]
source = "test"

[room]
name = "bench"
max_calls = 200
idle_after = 3600
"#;

/// Where its room is: in the relay inside of it, or in somebody else's.
const EMBEDDED: &str = r#"access = "local"
[relay]
listen = "127.0.0.1:0"
max_sockets = 1000
"#;
const EXTERNAL: &str = r#"access = "open"
[relay]
listen = "127.0.0.1:0"
mode = "external"
dialect = "porthole"
"#;

const ALONE: &str = r#"
[room]
name = "bench"
access = "local"
[relay]
listen = "127.0.0.1:0"
max_sockets = 2000
"#;

/// What its log says at the level debug when it holds an answer, and has not sent it yet.
const ANSWER_READY: &str = "negotiated in ";

/// What it says when something is heard at the speaker after silence.
const SOUND: &str = "sound at the speaker";

/// What its unit (systemd/porthole.service) has in the environment that memory depends on: GLib before 2.76 keeps small pieces
/// for its threads, which cost each viewer a fifth more, and what a call leaves behind is not seen among them.
const AS_SERVED: (&str, &str) = ("G_SLICE", "always-malloc");

/// What is out of the ordinary about a start.
#[derive(Default)]
pub struct Start<'a> {
    /// More in its environment.
    pub environment: &'a [(&'a str, &'a str)],
    /// Room for as many connections as it has unless it is told otherwise.
    pub usual_seats: bool,
    /// A clip that is the camera, instead of the test picture.
    pub clip: Option<&'a Path>,
    /// The relay of somebody else that its room is in.
    pub relay: Option<SocketAddr>,
    /// Reachable from other machines, for everybody.
    pub open: bool,
    /// Only its relay, without a camera (`porthole relay`).
    pub alone: bool,
    /// Hears of every answer when it is ready to be sent. The log is at the level debug then.
    pub ready: Option<mpsc::UnboundedSender<Instant>>,
    /// It has a speaker that only measures. Hears of everything that is heard there after silence, in the same way.
    pub sound: Option<mpsc::UnboundedSender<Instant>>,
}

/// A running daemon. Killed when dropped.
pub struct Daemon {
    child: Child,
    pub process: Process,
    pub address: SocketAddr,
    /// Where its callers go.
    pub relay: SocketAddr,
    pub room: String,
    /// As printed for a person to open.
    pub link: String,
    folder: TempDir,
}

/// As much of `/healthz` as is measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    /// Whether it is in its room: `in`, or `asked` where the relay says nothing about that.
    pub room: String,
    pub capture: String,
    pub calls: usize,
    pub live: usize,
    pub renditions: Vec<String>,
    /// Allocated bytes.
    pub heap: u64,
    pub speaker: Speaker,
}

/// What the speaker does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Speaker {
    pub state: String,
}

impl Daemon {
    /// Starts `binary` and waits until it prints its link.
    pub async fn start(binary: &Path) -> Result<Self, Fault> {
        Self::start_as(binary, Start::default()).await
    }

    /// The same in another way.
    pub async fn start_as(binary: &Path, start: Start<'_>) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("porthole.toml");
        std::fs::write(&config, config_text(&start))?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let errors = match (start.ready, start.sound) {
            (Some(ready), _) => follow(log, ANSWER_READY, ready)?,
            (None, Some(sound)) => follow(log, SOUND, sound)?,
            (None, None) => log.into(),
        };
        let mut child = Command::new(binary)
            .arg(if start.alone { "relay" } else { "run" })
            .arg("--config")
            .arg(&config)
            .env("STATE_DIRECTORY", folder.path())
            .envs([AS_SERVED].iter().chain(start.environment).copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let process = Process(child.id().ok_or("it ended at once")?);
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let find_link = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(link) = link_in(&line) {
                    return Ok::<_, Fault>(Some(link));
                }
            }
            Ok(None)
        };
        let found = tokio::time::timeout(START_LIMIT, find_link).await;
        let Ok(Ok(Some(link))) = found else {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            return Err(format!("{} printed no link; its log:\n{log}", binary.display()).into());
        };
        // A full pipe would stop the daemon.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (address, room) = place(&link).ok_or_else(|| format!("{link}: no address and room in it"))?;
        let relay = start.relay.unwrap_or(address);
        Ok(Self { child, process, address, relay, room, link, folder })
    }

    /// What `/healthz` says now.
    pub async fn status(&self) -> Result<Status, Fault> {
        let mut tcp = TcpStream::connect(self.address).await?;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        tcp.write_all(request.as_bytes()).await?;
        let mut reply = String::new();
        tcp.read_to_string(&mut reply).await?;
        let body = reply.split_once("\r\n\r\n").map(|(_, body)| body).ok_or("/healthz: no body")?;
        serde_json::from_str(body).map_err(|error| format!("/healthz: {error}: {body}").into())
    }

    /// Asks until the status is as wanted; an error after `limit`. Returns how long that took.
    pub async fn wait(&self, limit: Duration, wanted: impl Fn(&Status) -> bool) -> Result<Duration, Fault> {
        let started = Instant::now();
        loop {
            let status = self.status().await?;
            if wanted(&status) {
                return Ok(started.elapsed());
            }
            if started.elapsed() > limit {
                return Err(
                    format!("not within {limit:?}; last status {status:?}\n{}", self.log_tail()).into()
                );
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// The end of its log, for when something went wrong.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Copies its log into `folder`.
    pub fn keep_log(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::copy(self.folder.path().join("log"), folder.join("daemon.log")).map(drop)
    }

    /// Ends it and waits until it is gone, so that the next one has the machine to itself.
    pub async fn stop(mut self) -> Result<(), Fault> {
        self.child.kill().await?;
        std::io::stderr().flush()?;
        Ok(())
    }
}

fn config_text(start: &Start<'_>) -> String {
    if start.alone {
        return ALONE.to_owned();
    }
    let log = match (&start.ready, &start.sound) {
        (None, None) if std::env::var_os("PORTHOLE_BENCH_KEEP").is_some() => "[log]\nlevel = \"debug\"\n",
        (None, None) => "",
        (Some(_), _) => "[log]\nlevel = \"debug\"\n",
        (None, Some(_)) => "[speaker]\nsink = \"test\"\n[log]\nlevel = \"debug\"\n",
    };
    let config = match start.clip {
        Some(clip) => CONFIG.replacen("\"test\"", &format!("\"file\"\nfile = {clip:?}"), 1),
        None => CONFIG.to_owned(),
    };
    match start.relay {
        None if start.open => {
            let open = EMBEDDED.replace("\"local\"", "\"open\"").replace("127.0.0.1", "0.0.0.0");
            format!("{config}{open}{log}")
        }
        None if start.usual_seats => format!("{config}{}{log}", EMBEDDED.replace("max_sockets = 1000\n", "")),
        None => format!("{config}{EMBEDDED}{log}"),
        Some(relay) => format!("{config}{EXTERNAL}url = \"http://{relay}\"\n{log}"),
    }
}

/// Standard error that goes into `log`, and tells `ready` of every line with these words at once: on a thread of its own, so that
/// nothing else delays what is measured.
fn follow(
    mut log: std::fs::File,
    words: &'static str,
    ready: mpsc::UnboundedSender<Instant>,
) -> Result<Stdio, Fault> {
    let (output, input) = std::io::pipe()?;
    std::thread::Builder::new().name("log".into()).spawn(move || {
        for line in std::io::BufReader::new(output).lines().map_while(Result::ok) {
            if line.contains(words) {
                // Nobody waits for it any more.
                let _ = ready.send(Instant::now());
            }
            // Only for when something goes wrong.
            let _ = writeln!(log, "{line}");
        }
    })?;
    Ok(input.into())
}

fn link_in(line: &str) -> Option<String> {
    let start = line.find("http://")?;
    let link = line[start..].split_whitespace().next()?;
    link.contains("#room=").then(|| link.to_owned())
}

/// Port and room of the link. The address is the one that was configured, whatever name the link has for it.
fn place(link: &str) -> Option<(SocketAddr, String)> {
    let (host, rest) = link.strip_prefix("http://")?.split_once('/')?;
    let port = host.rsplit_once(':')?.1.parse().ok()?;
    let room = rest.split_once("#room=")?.1.split('&').next()?;
    Some((SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), room.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_what_is_printed() {
        let link = link_in("Open http://localhost:40123/#room=bench in a browser").unwrap();
        assert_eq!(link, "http://localhost:40123/#room=bench");
        assert_eq!(place(&link), Some(("127.0.0.1:40123".parse().unwrap(), "bench".into())));
        assert_eq!(link_in("see http://example.org/ for more"), None);
    }
}
