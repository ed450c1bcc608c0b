//! From the camera to the screen: the time that the test picture carries is read from the screen of Chromium by
//! `glass.mjs`.

use serde::Deserialize;

use super::{Bench, script};
use crate::Fault;
use crate::daemon::Daemon;
use crate::figure::Figures;

/// What the script prints.
#[derive(Debug, Deserialize)]
struct Seen {
    version: String,
    /// How old each frame was that came to the screen, in milliseconds.
    glass: Vec<f64>,
    /// Frames that were looked at, and that came to the screen meanwhile.
    shown: f64,
    came: f64,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let arguments = [daemon.link.clone(), bench.runs(900, 300).to_string()];
    let seen: Option<Seen> =
        script::said(("Chromium", "glass.mjs"), &arguments, bench.daemon, figures).await?;
    daemon.stop().await?;
    let Some(seen) = seen else { return Ok(()) };
    figures.note(format!(
        "glass to glass: Chromium {}, headless; {} of {} frames were looked at",
        seen.version, seen.shown, seen.came
    ));
    figures.add(
        "glass",
        "glass to glass: made by the test source → on the screen of Chromium",
        "ms",
        seen.glass,
    );
    Ok(())
}
