//! Offer to first picture in Chromium, measured inside the page by `chromium.mjs`.

use serde::Deserialize;

use super::{Bench, script};
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Daemon;
use crate::figure::Figures;

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
    /// As `picture`, in a tab whose process the browser is still starting.
    fresh: Vec<f64>,
    /// Mime type of the picture.
    codec: String,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let daemon = Daemon::start(bench.daemon).await?;
    let mut crowd = Crowd::new(&daemon)?;
    crowd.resize(1).await?;
    let arguments = [daemon.link.clone(), bench.runs(12, 5).to_string()];
    let visits: Option<Visits> =
        script::said(("Chromium", "chromium.mjs"), &arguments, bench.daemon, figures).await?;
    daemon.stop().await?;
    let Some(visits) = visits else { return Ok(()) };
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
    figures.add("chromium_fresh", "Chromium: offer → first picture, in a tab just made", "ms", visits.fresh);
    Ok(())
}
