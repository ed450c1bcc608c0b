//! Offer to first picture in Chromium, measured inside the page by `chromium.mjs`. Needs Node, Chromium and the
//! viewer's npm packages; without them the row is left out with a note.

use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::Bench;
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/chromium.mjs");

/// What the script prints: milliseconds, one value a visit.
#[derive(Debug, Deserialize)]
struct Visits {
    version: String,
    /// From the offer to the first frame handed to the screen.
    picture: Vec<f64>,
    /// From the offer to the end of that frame's decoding.
    decoded: Vec<f64>,
    /// From opening the page to the first frame.
    page: Vec<f64>,
    /// Mime type of the picture.
    codec: String,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(1).await?;
    let output = Command::new("node")
        .arg(SCRIPT)
        .arg(&daemon.link)
        .arg(bench.runs(12, 5).to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            figures
                .note(format!("Chromium: not measured: {}", String::from_utf8_lossy(&output.stderr).trim()));
            return Ok(());
        }
        Err(error) => {
            figures.note(format!("Chromium: not measured: node: {error}"));
            return Ok(());
        }
    };
    daemon.stop().await?;
    let visits: Visits = serde_json::from_slice(&output.stdout)?;
    figures.note(format!(
        "Chromium {}, {}, headless; the first visit of the browser is left out",
        visits.version, visits.codec
    ));
    figures.add(
        "chromium_picture",
        "Chromium: offer → first picture, while one watches",
        "ms",
        visits.picture,
    );
    figures.add("chromium_decoded", "Chromium: offer → first picture decoded", "ms", visits.decoded);
    figures.add("chromium_page", "Chromium: page opened → first picture", "ms", visits.page);
    Ok(())
}
