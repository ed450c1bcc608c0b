//! One module for each row that can be measured. Must not know how figures are shown or judged.

mod chromium;
mod churn;
mod glass;
mod growth;
mod idle;
mod join;
mod paths;
mod relay;
mod replug;
mod script;
mod send;
pub mod soak;
mod stages;
mod start;
mod steps;
mod storm;
mod strangers;
mod talk;
mod vanish;
mod weak;

use std::path::Path;
use std::time::Duration;

use crate::figure::Figures;
use crate::{Fault, Row};

/// After a change of viewers this long passes before anything is measured.
const SETTLE: Duration = Duration::from_secs(2);

/// What to measure, and how thoroughly.
pub struct Bench<'a> {
    pub daemon: &'a Path,
    pub quick: bool,
    pub fifty: bool,
}

impl Bench<'_> {
    /// Measures one row.
    pub async fn measure(&self, row: Row, figures: &mut Figures) -> Result<(), Fault> {
        match row {
            Row::Growth => growth::measure(self, figures).await,
            Row::Stages => stages::measure(self, figures).await,
            Row::Steps => steps::measure(self, figures).await,
            Row::Join => join::measure(self, figures).await,
            Row::Relay => relay::measure(self, figures).await,
            Row::Replug => replug::measure(self, figures).await,
            Row::Send => send::measure(self, figures).await,
            Row::Start => start::measure(self, figures).await,
            Row::Vanish => vanish::measure(self, figures).await,
            Row::Churn => churn::measure(self, figures).await,
            Row::Strangers => strangers::measure(self, figures).await,
            Row::Idle => idle::measure(self, figures).await,
            Row::Chromium => chromium::measure(self, figures).await,
            Row::Glass => glass::measure(self, figures).await,
            Row::Talk => talk::measure(self, figures).await,
            Row::Paths => paths::measure(self, figures).await,
            Row::Weak => weak::weak(self, figures).await,
            Row::Loss => weak::loss(self, figures).await,
            Row::Storm => storm::measure(self, figures).await,
        }
    }

    /// `full`, or `quick` when only a first impression is wanted.
    fn runs(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// How long CPU time is counted for one value. At 10 s the kernel's 10 ms steps are 0.1 %.
    fn interval(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 10 })
    }
}
