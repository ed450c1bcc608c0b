//! What stands twice: which key or section it is, and where it stood first. Must not know what keys mean.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What the parser says of it.
const SAID: &str = "duplicate key";

/// A section or key that is there already.
pub(super) struct Twice {
    /// The key with its section; empty for a section.
    pub key: String,
    /// Where it stood first, in bytes, if that is known.
    pub first: Option<usize>,
    /// The header of a section as it is written, and the names in it.
    pub section: Option<(String, Vec<String>)>,
}

/// What stands twice, by what the parser `said` about the bytes from `at` to `end` of `text`.
pub(super) fn twice(text: &str, said: &str, at: usize, end: usize) -> Option<Twice> {
    if said != SAID {
        return None;
    }
    let name = text.get(at..end)?;
    let start = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
    let (before, line) = (text.get(..start)?, text.get(start..)?.lines().next()?);
    // What stood before it, as the parser takes it: brackets and quotes may stand within other values.
    let (table, _) = DeTable::parse_recoverable(before);
    if line.trim_start().starts_with('[') {
        let (header, _) = DeTable::parse_recoverable(line);
        let path = path(header.get_ref());
        let shown = line.trim().split_inclusive(']').take_while(|part| !part.starts_with([' ', '#']));
        let section = Some((shown.collect(), path.iter().map(|&name| name.to_owned()).collect()));
        return Some(Twice { key: String::new(), first: at_path(table.get_ref(), &path), section });
    }
    let sections = table.get_ref().iter().filter(|(_, value)| value.get_ref().is_table());
    let section = sections.max_by_key(|(key, _)| key.span().start);
    let (path, first) = match section {
        Some((section, value)) => (Some(section.get_ref()), find(value.get_ref().as_table()?, name)),
        None => (None, find(table.get_ref(), name)),
    };
    let key = path.map_or_else(|| name.to_owned(), |section| format!("{section}.{name}"));
    Some(Twice { key, first, section: None })
}

/// The names in the header of a section.
fn path<'t>(mut table: &'t DeTable<'_>) -> Vec<&'t str> {
    let mut path = Vec::new();
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().as_ref());
        let inner = match value.get_ref() {
            DeValue::Array(list) => list.iter().next().and_then(|one| one.get_ref().as_table()),
            other => other.as_table(),
        };
        let Some(inner) = inner else { break };
        table = inner;
    }
    path
}

/// Where the key is, by the names that lead to it.
pub(super) fn at_path(table: &DeTable<'_>, path: &[&str]) -> Option<usize> {
    let (name, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*name)?;
    match rest {
        [] => Some(key.span().start),
        rest => at_path(value.get_ref().as_table()?, rest),
    }
}

/// Where the key of that name is, also below keys with dots.
fn find(table: &DeTable<'_>, name: &str) -> Option<usize> {
    let of = |key: &Spanned<DeString<'_>>| key.span().start;
    table
        .get_key_value(name)
        .map(|(key, _)| of(key))
        .or_else(|| table.iter().find_map(|(_, value)| find(value.get_ref().as_table()?, name)))
}
