//! A Socket.IO server of somebody else's: the classic tutorial's, from the tests' fixtures, on Node.js. Must not know what
//! is said through it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Fault;
use crate::process::Process;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web-viewer/e2e/fixtures/relays/plain.mjs");

/// A running server. Killed when dropped.
pub struct Node {
    _child: Child,
    pub process: Process,
    pub address: SocketAddr,
}

impl Node {
    /// Starts it, and waits until it listens. Needs Node.js and the viewer's npm packages.
    pub async fn start() -> Result<Self, Fault> {
        let mut child = Command::new("node")
            .arg(SCRIPT)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let first = lines.next_line().await?.ok_or("it ended at once; is `npm ci` done in web-viewer/?")?;
        let (_, port): (String, u16) =
            serde_json::from_str(&first).map_err(|error| format!("{first}: {error}"))?;
        // It tells what passes through it; a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let process = Process(child.id().ok_or("it ended at once")?);
        Ok(Self { _child: child, process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
    }
}
