//! Offer to connection through routers of each kind, and through a real coturn, measured by `paths.mjs` in network
//! namespaces. Needs root, coturn and what the Chromium row needs; without them the row is left out with a note.

use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::Bench;
use crate::Fault;
use crate::figure::Figures;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/paths.mjs");

/// What the script prints.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Skipped { skipped: String },
    Measured { version: String, paths: Vec<Path> },
}

/// Milliseconds through one kind of network, one value a visit.
#[derive(Debug, Deserialize)]
struct Path {
    id: String,
    title: String,
    connected: Vec<f64>,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let output = Command::new("node")
        .arg(SCRIPT)
        .arg(bench.runs(10, 3).to_string())
        .env("PORTHOLE_BIN", std::path::absolute(bench.daemon)?)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            figures.note(format!("paths: not measured: {}", String::from_utf8_lossy(&output.stderr).trim()));
            return Ok(());
        }
        Err(error) => {
            figures.note(format!("paths: not measured: node: {error}"));
            return Ok(());
        }
    };
    match serde_json::from_slice(&output.stdout)? {
        Said::Skipped { skipped } => figures.note(format!("paths: not measured: {skipped}")),
        Said::Measured { version, paths } => {
            figures
                .note(format!("paths: Chromium {version} in network namespaces, failed attempts included"));
            for Path { id, title, connected } in paths {
                figures.add(
                    format!("path_{id}"),
                    format!("Chromium: offer → connected, {title}"),
                    "ms",
                    connected,
                );
            }
        }
    }
    Ok(())
}
