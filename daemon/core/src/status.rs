//! What the daemon is doing, as `/healthz` and the log say it. Must not know how it is served.

use std::collections::BTreeMap;

use serde::Serialize;

/// A picture of the switchboard at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether the relay is reached.
    pub link: bool,
    /// What the camera does.
    pub capture: CaptureState,
    /// Calls, whatever their state.
    pub calls: usize,
    /// Calls with picture or sound under way.
    pub live: usize,
    /// Renditions being encoded, by name.
    pub renditions: Vec<String>,
    /// Refusals so far, by word.
    pub refusals: BTreeMap<&'static str, u64>,
}

/// What the camera does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptureState {
    /// Closed, because nobody watches.
    Idle,
    /// Being opened.
    Starting,
    /// Open, frames flow.
    Running,
    /// It failed when last opened, and nobody has called since.
    Lost,
}

impl Status {
    /// Whether a person need not act.
    pub fn healthy(&self) -> bool {
        self.link && self.capture != CaptureState::Lost
    }
}
