//! Offer to connection through routers of each kind, and through a real coturn, measured by `paths.mjs` in network
//! namespaces. Needs root, coturn and what the Chromium row needs; without them the row is left out with a note.

use serde::Deserialize;

use super::{Bench, script};
use crate::Fault;
use crate::figure::Figures;

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
    let arguments = [bench.runs(10, 3).to_string()];
    let said = script::said(("paths", "paths.mjs"), &arguments, bench.daemon, figures).await?;
    match said {
        None => {}
        Some(Said::Skipped { skipped }) => figures.note(format!("paths: not measured: {skipped}")),
        Some(Said::Measured { version, paths }) => {
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
