//! The configuration as written: TOML values with the lines they stand on. Must not know what they mean.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Finding;
use super::keys::SECTIONS;
use super::twice::{at_path, twice};

/// The characters of a key or value that a finding repeats at most.
const SHOWN_CHARACTERS: usize = 60;
/// The lines that are not TOML of which it is looked up where what they repeat stood first: each costs another reading.
const MOST_LOOKED_UP: usize = 16;

/// A file's text, with what was found wrong in it so far.
pub(super) struct File<'t> {
    name: &'t str,
    text: &'t str,
    found: Vec<Finding>,
    /// Lines that are not TOML: what the parser made of them is not worth a second finding.
    broken: BTreeSet<usize>,
}

/// A value, and where it stands.
#[derive(Clone)]
pub(super) struct Entry<'t> {
    /// The key with its section, such as `video.width` or `ice.stun[1]`.
    pub path: String,
    /// The value.
    pub value: &'t DeValue<'t>,
    /// Where the key stands in the text, in bytes.
    at: usize,
    span: Range<usize>,
    secret: bool,
}

impl<'t> File<'t> {
    /// Parses `text`; what is not TOML is found at once, and the rest is kept for further findings.
    pub fn parse(name: &'t str, text: &'t str) -> (Self, Spanned<DeTable<'t>>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut file = Self { name, text, found: Vec::new(), broken: BTreeSet::new() };
        for error in errors {
            // Only the message: the parser's own report repeats the line, which may hold a password.
            let span = error.span().unwrap_or(0..0);
            let line = file.line(span.start);
            if file.broken.insert(line) {
                let (key, why) = file.why_broken(error.message(), span);
                file.note(line, key, None, why);
            }
        }
        (file, table)
    }

    /// The key that a line is not TOML for, if it is one, and why it is not.
    fn why_broken(&self, said: &str, span: Range<usize>) -> (String, String) {
        let looked_up = self.broken.len() <= MOST_LOOKED_UP;
        let Some(twice) = looked_up.then(|| twice(self.text, said, span.start, span.end)).flatten() else {
            return (String::new(), format!("not TOML: {said}"));
        };
        let place = twice.first.map_or(String::new(), |at| format!(", in line {}", self.line(at)));
        let why = match twice.section {
            Some((header, names)) => {
                // A name that nobody knows may be a password in the wrong place.
                let shown = if are_known(&names) { on_one_line(&header) } else { "this section".to_owned() };
                format!(
                    "{shown} is there already{place}: write what belongs below it there, and leave this line out"
                )
            }
            None => format!("is there already{place}: leave one of them out"),
        };
        (twice.key, why)
    }

    /// Whether the whole text is TOML and nothing was found about any of these keys.
    pub fn trusts(&self, paths: &[&str]) -> bool {
        self.broken.is_empty() && !self.found.iter().any(|finding| paths.contains(&finding.key.as_str()))
    }

    /// Notes that `entry` is not what is allowed.
    pub fn find(&mut self, entry: &Entry<'t>, allowed: impl Into<String>) {
        let value = if entry.secret || entry.has_tables() { None } else { self.shown(entry.span.clone()) };
        self.find_at(entry.at, entry.path.clone(), value, allowed.into());
    }

    /// The same without its value, which may be somebody's secret in the wrong place.
    pub fn find_hidden(&mut self, entry: &Entry<'t>, allowed: &str) {
        self.find_at(entry.at, entry.path.clone(), None, allowed.to_owned());
    }

    /// Notes something about the key `path` at byte `at`, without its value.
    pub fn find_key(&mut self, at: usize, path: impl Into<String>, allowed: impl Into<String>) {
        self.find_at(at, path.into(), None, allowed.into());
    }

    /// Hands out what was found.
    pub fn into_found(self) -> Vec<Finding> {
        self.found
    }

    fn find_at(&mut self, at: usize, key: String, value: Option<String>, allowed: String) {
        let line = self.line(at);
        if !self.broken.contains(&line) {
            self.note(line, key, value, allowed);
        }
    }

    fn note(&mut self, line: usize, key: String, value: Option<String>, allowed: String) {
        // In quotes a key may hold anything, and a finding is one line.
        let key = on_one_line(&key);
        self.found.push(Finding { file: self.name.to_owned(), line: Some(line), key, value, allowed });
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|&&b| b == b'\n').count()
    }

    /// The text of a value. Of several lines nothing: one whose end was forgotten has swallowed what
    /// follows, passwords among it. Nor where an at-sign may stand behind a login.
    fn shown(&self, span: Range<usize>) -> Option<String> {
        let written = self.text.get(span).filter(|written| !written.contains(['\n', '@']))?;
        Some(on_one_line(written))
    }
}

/// The line in `text` on which the key `path`, such as `video.file`, stands.
pub fn line_of(text: &str, path: &str) -> Option<usize> {
    let (file, table) = File::parse("", text);
    let path: Vec<_> = path.split('.').collect();
    Some(file.line(at_path(table.get_ref(), &path)?))
}

/// On one line and not too long.
fn on_one_line(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > SHOWN_CHARACTERS {
        shown.push('…');
    }
    shown
}

impl<'t> Entry<'t> {
    /// The value of `key` in the section `section` (empty for the top of the file).
    pub fn new(
        section: &str,
        key: &'t Spanned<toml::de::DeString<'t>>,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Self {
        let path = if section.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{section}.{}", key.get_ref())
        };
        Self { path, value: value.get_ref(), at: key.span().start, span: value.span(), secret: false }
    }

    /// The elements, if this is a list.
    pub fn elements(&self) -> Option<Vec<Self>> {
        let list = self.value.as_array()?;
        let element = |(index, value): (usize, &'t Spanned<DeValue<'t>>)| Self {
            path: format!("{}[{index}]", self.path),
            value: value.get_ref(),
            at: value.span().start,
            span: value.span(),
            secret: self.secret,
        };
        Some(list.iter().enumerate().map(element).collect())
    }

    /// The same, but findings do not repeat the value.
    pub fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Whether there are tables in it: they may hold secrets, and say little in one line.
    fn has_tables(&self) -> bool {
        self.value.is_table()
            || self.value.as_array().is_some_and(|list| list.iter().any(|value| value.get_ref().is_table()))
    }

    /// Where the key stands in the text, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text, if this is a text.
    pub fn text(&self) -> Option<&'t str> {
        self.value.as_str()
    }

    /// The number, if this is a whole number that fits.
    pub fn number(&self) -> Option<i64> {
        let number = self.value.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

/// Whether these are the names of a section, or of a key of one that holds others.
fn are_known(names: &[String]) -> bool {
    let [name, keys @ ..] = names else { return false };
    let section = SECTIONS.iter().find(|section| section.name == name);
    section.is_some_and(|section| match keys {
        [] => true,
        [key] => section.keys.iter().any(|known| known.name == key),
        _ => false,
    })
}
