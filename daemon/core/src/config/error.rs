//! What is wrong with a configuration, in words a person can act on. Must not decide what is wrong.

use std::fmt;

/// One thing that is wrong: `file:line: key = value: what is allowed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file as it was named to [`super::load`], or `environment`.
    pub file: String,
    /// Line in it, from 1; `None` for the environment.
    pub line: Option<usize>,
    /// The key with its section, such as `video.width`; empty where the text is not TOML at all.
    pub key: String,
    /// The value as it was written, shortened; `None` where it would say nothing or might be a secret.
    pub value: Option<String>,
    /// What is allowed, or what to do.
    pub allowed: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
        }
        write!(f, ": {}", self.allowed)
    }
}

/// Everything that is wrong with a configuration, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Takes what was found, or `None` if that is nothing.
    pub fn new(mut found: Vec<Finding>) -> Option<Self> {
        found.sort_by_key(|finding| finding.line);
        (!found.is_empty()).then_some(Self(found))
    }

    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Finding> {
        self.0.iter()
    }

    /// How many there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
