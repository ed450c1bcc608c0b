//! Takes the known keys out of one section and reports everything else in it. Must not know a single key's meaning.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::file::{Entry, File};
use super::keys::{SECTIONS, Section};

/// How alike (0 to 1, Jaro-Winkler) a known word must be to be suggested for an unknown one.
const ALIKE: f64 = 0.8;

/// One section being read.
pub(super) struct Reader<'f, 't> {
    /// Where findings go.
    pub file: &'f mut File<'t>,
    section: &'static Section,
    path: String,
    table: Option<&'t DeTable<'t>>,
}

impl<'f, 't> Reader<'f, 't> {
    /// Opens a section of the whole file.
    pub fn new(file: &'f mut File<'t>, whole: &'t DeTable<'t>, section: &'static Section) -> Self {
        let table = whole.get(section.name).and_then(|value| value.get_ref().as_table());
        Self { file, section, path: section.name.to_owned(), table }
    }

    /// Opens a table inside a list, found at `path`, and reports the keys it does not know.
    pub fn of_table(
        file: &'f mut File<'t>,
        table: &'t DeTable<'t>,
        section: &'static Section,
        path: &str,
    ) -> Self {
        let mut reader = Self::of_table_again(file, table, section, path);
        reader.report_unknown();
        reader
    }

    /// The same once more, whose unknown keys are reported already.
    pub fn of_table_again(
        file: &'f mut File<'t>,
        table: &'t DeTable<'t>,
        section: &'static Section,
        path: &str,
    ) -> Self {
        Self { file, section, path: path.to_owned(), table: Some(table) }
    }

    /// The value of `key`, if it is written.
    pub fn entry(&self, key: &str) -> Option<Entry<'t>> {
        let (key, value) = self.table?.get_key_value(key)?;
        Some(Entry::new(&self.path, key, value))
    }

    /// What `read` makes of `key`; `default` if it is not written, or (with a finding) if `read` makes nothing of it.
    pub fn take<T>(&mut self, key: &str, default: T, read: impl FnOnce(&Entry<'t>) -> Option<T>) -> T {
        let Some(entry) = self.entry(key) else { return default };
        read(&entry).unwrap_or_else(|| {
            self.file.find(&entry, self.allowed(key));
            default
        })
    }

    /// Like [`Reader::take`], and what cannot be read is not repeated: it may be somebody's secret in the wrong place.
    pub fn take_hidden<T>(&mut self, key: &str, default: T, read: impl FnOnce(&Entry<'t>) -> Option<T>) -> T {
        let Some(entry) = self.entry(key) else { return default };
        read(&entry).unwrap_or_else(|| {
            self.file.find_hidden(&entry, self.allowed(key));
            default
        })
    }

    /// The meaning of the word that `key` holds; like [`Reader::take`].
    pub fn word<T: Clone>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        self.take(key, default, |entry| {
            let text = entry.text()?;
            words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.clone())
        })
    }

    /// The elements of the list that `key` holds; none if it is not written or (with a finding) no list.
    pub fn list(&mut self, key: &str) -> Vec<Entry<'t>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        entry.elements().unwrap_or_else(|| {
            // Whatever stands in place of a list of servers may hold a password.
            self.file.find(&entry.secret(), self.allowed(key));
            Vec::new()
        })
    }

    /// The text of `key` in the table `whole`, if it is written and `fits`; otherwise a finding, without the value.
    pub fn required(
        &mut self,
        whole: &Entry<'t>,
        key: &str,
        fits: impl FnOnce(&str) -> bool,
    ) -> Option<String> {
        let allowed = self.allowed(key);
        let Some(entry) = self.entry(key) else {
            self.file.find_key(whole.at(), format!("{}.{key}", self.path), format!("missing; {allowed}"));
            return None;
        };
        let text = entry.text().filter(|text| fits(text));
        if text.is_none() {
            self.file.find(&entry.secret(), allowed);
        }
        text.map(str::to_owned)
    }

    /// Notes that the value of `key` is well formed but does not go with something else.
    pub fn contradict(&mut self, key: &str, why: &str) {
        match self.entry(key) {
            Some(entry) => self.file.find(&entry, why),
            None => self.file.find_key(0, format!("{}.{key}", self.path), why),
        }
    }

    /// The same, without the value.
    pub fn contradict_secret(&mut self, key: &str, why: &str) {
        if let Some(entry) = self.entry(key) {
            self.file.find(&entry.secret(), why);
        }
    }

    /// The same as [`Self::contradict`] where `key` may not be written: then it is found where `at` stands.
    pub fn contradict_at(&mut self, key: &str, at: &str, why: &str) {
        match (self.entry(key), self.entry(at)) {
            (None, Some(at)) => self.file.find_key(at.at(), format!("{}.{key}", self.path), why),
            _ => self.contradict(key, why),
        }
    }

    /// Notes that what stands under `key` is not what is allowed.
    pub fn refuse(&mut self, key: &str) {
        if let Some(entry) = self.entry(key) {
            self.file.find(&entry, self.allowed(key));
        }
    }

    /// The same, without the value.
    pub fn refuse_secret(&mut self, key: &str) {
        if let Some(entry) = self.entry(key) {
            self.file.find(&entry.secret(), self.allowed(key));
        }
    }

    fn allowed(&self, key: &str) -> &'static str {
        let known = self.section.keys.iter().find(|known| known.name == key);
        debug_assert!(known.is_some(), "{key} is read but not among the keys of [{}]", self.section.name);
        known.map_or("", |known| known.allowed)
    }

    fn report_unknown(&mut self) {
        let names: Vec<&str> = self.section.keys.iter().map(|key| key.name).collect();
        for (name, value) in self.table.into_iter().flatten() {
            let written = name.get_ref().as_ref();
            if names.contains(&written) {
                continue;
            }
            let home = home_of(written).map(|home| format!("; {written} is a key of [{home}]"));
            let wish = || suggestion(written, &names).map(|name| format!("; did you mean {name}?"));
            let entry = Entry::new(&self.path, name, value);
            let why = format!(
                "not a key of [{}]{} (known: {})",
                self.section.name,
                home.or_else(wish).unwrap_or_default(),
                names.join(", ")
            );
            self.file.find_key(entry.at(), entry.path, why);
        }
    }
}

/// Reports every section that is not known, and every unknown key of those that are.
pub(super) fn report_unknown<'t>(file: &mut File<'t>, whole: &'t DeTable<'t>) {
    for section in SECTIONS {
        Reader::new(file, whole, section).report_unknown();
    }
    let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
    for (name, value) in whole {
        let written = name.get_ref().as_ref();
        let known = names.contains(&written);
        if known && value.get_ref().is_table() {
            continue;
        }
        let why = if known {
            format!("not a key but a section: write [{written}] on a line of its own and its keys below it")
        } else if let Some(home) = home_of(written) {
            format!("a key of [{home}], not of the top of the file")
        } else {
            let wish =
                suggestion(written, &names).map_or(String::new(), |name| format!("; did you mean [{name}]?"));
            let known = names.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ");
            format!("not a section{wish} (known: {known})")
        };
        let entry = Entry::new("", name, value);
        file.find_key(entry.at(), entry.path, why);
    }
}

/// The whole number in `entry`, if it lies in `range`.
pub(super) fn whole<T: TryFrom<i64> + PartialOrd>(entry: &Entry<'_>, range: RangeInclusive<T>) -> Option<T> {
    let number = T::try_from(entry.number()?).ok()?;
    range.contains(&number).then_some(number)
}

/// The even number of pixels in `entry`, if encoders take it.
pub(super) fn even_pixels(entry: &Entry<'_>) -> Option<u32> {
    whole(entry, 16..=4096).filter(|pixels| pixels % 2 == 0)
}

/// The file that `entry` names, from `folder` on; `None` inside for no file.
pub(super) fn file(entry: &Entry<'_>, folder: &Path) -> Option<Option<PathBuf>> {
    match entry.text()? {
        "" => Some(None),
        text => is_printable(text).then(|| Some(folder.join(text))),
    }
}

/// Whether `text` has no control characters in it.
pub(super) fn is_printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// The section that knows a key called `name`, if only one does.
pub(super) fn home_of(name: &str) -> Option<&'static str> {
    let mut homes = SECTIONS.iter().filter(|section| section.keys.iter().any(|key| key.name == name));
    let home = homes.next()?;
    homes.next().is_none().then_some(home.name)
}

/// The known word most like `written`, if any is like it.
pub(super) fn suggestion<'n>(written: &str, known: &[&'n str]) -> Option<&'n str> {
    let written = written.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(&written, name), *name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}
