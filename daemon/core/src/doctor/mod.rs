//! What to make of what a doctor has observed: well, worth a look or broken, and what to do about it. Must not observe.
//!
//! Each part takes observations as they are and gives [`Finding`]s in sentences; who observes is elsewhere.

pub mod elements;
pub mod kept;
pub mod machine;
pub mod media;
pub mod network;

use std::fmt;

use serde::Serialize;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and may not for long, or not for everybody.
    Warning,
    /// It does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub about: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was seen.
    pub says: String,
    /// What to do; always there where something failed.
    pub fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(about: impl Into<String>, says: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Ok, says: says.into(), fix: None }
    }

    /// Worth a look.
    pub fn warning(about: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Warning, says: says.into(), fix: Some(fix.into()) }
    }

    /// Broken.
    pub fn failed(about: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Failed, says: says.into(), fix: Some(fix.into()) }
    }
}

/// The worst of all; nothing at all is well.
pub fn worst(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

/// A number of bytes as people read it.
fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}
