//! A porthole process: started with a configuration of its own, asked over `/healthz`, ended with the value. Must not
//! know what is measured.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Fault;
use crate::process::Process;

/// How long the binary may take to say where its page is.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often `/healthz` is asked while something is waited for.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// The work of the comparison: 1280x720 at 30 frames a second, 2 Mbit/s and Opus. The limits are those of the bench,
/// and the camera stays warm once it was called.
const CONFIG: &str = r#"
[room]
name = "bench"
access = "local"
max_calls = 200
idle_after = 3600

[relay]
listen = "127.0.0.1:0"
max_sockets = 1000

[video]
source = "test"
width = 1280
height = 720
framerate = 30
bitrate = 2000

[audio]
source = "test"
"#;

/// A running daemon. Killed when dropped.
pub struct Daemon {
    child: Child,
    pub process: Process,
    pub address: SocketAddr,
    pub room: String,
    /// As printed for a person to open.
    pub link: String,
    folder: TempDir,
}

/// As much of `/healthz` as is measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    pub capture: String,
    pub calls: usize,
    pub live: usize,
    pub renditions: Vec<String>,
}

impl Daemon {
    /// Starts `binary` and waits until it prints its link.
    pub async fn start(binary: &Path) -> Result<Self, Fault> {
        Self::start_with(binary, &[]).await
    }

    /// The same with room for as many connections as it has unless it is told otherwise.
    pub async fn start_with_usual_seats(binary: &Path) -> Result<Self, Fault> {
        Self::start_as(binary, &[], &CONFIG.replace("max_sockets = 1000\n", "")).await
    }

    /// The same with more in its environment.
    pub async fn start_with(binary: &Path, environment: &[(&str, &str)]) -> Result<Self, Fault> {
        Self::start_as(binary, environment, CONFIG).await
    }

    async fn start_as(binary: &Path, environment: &[(&str, &str)], text: &str) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("porthole.toml");
        std::fs::write(&config, text)?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut child = Command::new(binary)
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env("STATE_DIRECTORY", folder.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
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
        Ok(Self { child, process, address, room, link, folder })
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

    /// Ends it and waits until it is gone, so that the next one has the machine to itself.
    pub async fn stop(mut self) -> Result<(), Fault> {
        self.child.kill().await?;
        std::io::stderr().flush()?;
        Ok(())
    }
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
