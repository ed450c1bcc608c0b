//! Measurements that take a browser: scripts beside this crate, which print JSON. Need Node.js, Chromium and the viewer's
//! npm packages; without them the row is left out with a note. Must not know what is measured.

use std::path::Path;
use std::process::Stdio;

use serde::de::DeserializeOwned;
use tokio::process::Command;

use crate::Fault;
use crate::figure::Figures;

/// What `script` prints, with these arguments, for this binary; `None` where it cannot be run here, which is noted.
///
/// # Errors
/// It ran, and printed something else.
pub async fn said<T: DeserializeOwned>(
    (what, script): (&str, &str),
    arguments: &[String],
    daemon: &Path,
    figures: &mut Figures,
) -> Result<Option<T>, Fault> {
    let output = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(arguments)
        .env("PORTHOLE_BIN", std::path::absolute(daemon)?)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let why = match output {
        Ok(output) if output.status.success() => return Ok(Some(serde_json::from_slice(&output.stdout)?)),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("node: {error}"),
    };
    figures.note(format!("{what}: not measured: {why}"));
    Ok(None)
}
