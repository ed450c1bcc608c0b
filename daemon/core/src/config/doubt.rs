//! What is still certain of a configuration in which something is wrong. Must not decide what that is good for.

use super::error::{Finding, Findings};
use super::keys::SECTIONS;
use super::reader::{home_of, suggestion};

impl Findings {
    /// Whether the text is no TOML at some place: what was swallowed there could be anything.
    pub fn are_of_syntax(&self) -> bool {
        self.iter().any(|finding| finding.line.is_some() && finding.key.is_empty())
    }

    /// Whether something in `section` is wrong, or may have been meant for it.
    pub fn doubt_section(&self, section: &str) -> bool {
        let meant = |finding: &Finding| {
            let (home, name) = place(finding);
            home == section || misplaced(home, name) == Some(section)
        };
        self.are_of_syntax() || self.iter().any(meant)
    }

    /// Whether `key` of `section`, which is not to be seen there, may have been meant by what is wrong: it is misspelt, stands
    /// elsewhere, or is not what is allowed.
    pub fn doubt_key(&self, section: &str, key: &str) -> bool {
        let meant = |finding: &Finding| {
            let (home, name) = place(finding);
            if home != section {
                // A whole section that is misspelt may hold it.
                let whole = home.is_empty() && home_of(name).is_none();
                return misplaced(home, name) == Some(section) && (whole || name == key);
            }
            let known = SECTIONS.iter().find(|known| known.name == section);
            let names: Vec<&str> =
                known.iter().flat_map(|known| known.keys.iter().map(|key| key.name)).collect();
            name == key
                || name.is_empty()
                || !names.contains(&name) && suggestion(name, &names).is_none_or(|like| like == key)
        };
        self.are_of_syntax() || self.iter().any(meant)
    }
}

/// The section and the key a finding is about. At the top of the file there is no section; a section as a whole has no key.
fn place(finding: &Finding) -> (&str, &str) {
    match finding.key.split_once('.') {
        Some(place) => place,
        None if SECTIONS.iter().any(|known| known.name == finding.key) => (&finding.key, ""),
        None => ("", &finding.key),
    }
}

/// The section that was meant by a name that is not known where it stands.
fn misplaced(home: &str, name: &str) -> Option<&'static str> {
    let known = SECTIONS.iter().find(|known| known.name == home);
    if known.is_some_and(|known| known.keys.iter().any(|key| key.name == name)) {
        return None;
    }
    let names: Vec<&'static str> = SECTIONS.iter().map(|known| known.name).collect();
    home_of(name).or_else(|| suggestion(name, &names).filter(|_| home.is_empty()))
}
