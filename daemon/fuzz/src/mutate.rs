//! Changes an input in the ways in which messages, files and requests go wrong. Must not know what it is an input of.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// Largest input, in bytes.
pub const LONGEST: usize = 96 * 1024;
/// Most changes at once.
const CHANGES: usize = 6;

/// What has upset somebody before.
const HOSTILE: [&str; 34] = [
    "",
    " ",
    "0",
    "-1",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999",
    "1e999",
    "null",
    "true",
    "{}",
    "[]",
    "\0",
    "\r\n",
    "\t",
    "é",
    "🦀",
    "\u{202e}",
    "\u{feff}",
    "%00",
    "%s%n",
    "../..",
    "a b",
    ":",
    "=",
    "\"",
    "'''",
    "\\u0000",
];

/// A change of `input`; `other` is one to take parts from.
pub fn mutate(chance: &mut Chance, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=chance.below(CHANGES) {
        match chance.below(12) {
            0..4 => change_lines(chance, &mut bytes, other),
            4..7 => change_json(chance, &mut bytes, words),
            7 | 8 => change_word(chance, &mut bytes, words),
            _ => change_bytes(chance, &mut bytes, other, words),
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change_lines(chance: &mut Chance, bytes: &mut Vec<u8>, other: &[u8]) {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let (at, to) = (chance.below(lines.len()), chance.below(lines.len()));
    match chance.below(6) {
        0 if lines.len() > 1 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at]),
        2 => lines.swap(at, to),
        3 | 4 => {
            let theirs: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
            let from = chance.below(theirs.len());
            let count = 1 + chance.below(4);
            let part = theirs.into_iter().skip(from).take(count);
            if chance.one_in(2) {
                lines.splice(at..at, part);
            } else {
                lines.splice(at..=at, part);
            }
        }
        _ => {
            let most = if chance.one_in(8) { 300 } else { 6 };
            let times = 1 + chance.below(most);
            lines.splice(at..at, std::iter::repeat_n(lines[at], times).collect::<Vec<_>>());
        }
    }
    *bytes = lines.join(&b'\n');
}

/// Changes one line that is JSON, as JSON.
fn change_json(chance: &mut Chance, bytes: &mut Vec<u8>, words: &[&str]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let readable = |line: &&[u8]| line.first().is_some_and(|first| b"{[\"".contains(first));
    let places: Vec<usize> = (0..lines.len()).filter(|at| readable(&lines[*at])).collect();
    if places.is_empty() {
        return change_word(chance, bytes, words);
    }
    let at = *chance.of(&places);
    let Ok(mut value) = serde_json::from_slice::<Value>(lines[at]) else { return };
    change_value(chance, &mut value, words, 0);
    let text = value.to_string();
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines[at] = text.as_bytes();
    *bytes = lines.join(&b'\n');
}

fn change_value(chance: &mut Chance, value: &mut Value, words: &[&str], depth: usize) {
    if depth < 6 && !chance.one_in(4) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                return change_members(chance, members, words, depth);
            }
            Value::Array(items) if !items.is_empty() => {
                let at = chance.below(items.len());
                return match chance.below(4) {
                    0 => drop(items.remove(at)),
                    1 => items.insert(at, items[at].clone()),
                    _ => change_value(chance, &mut items[at], words, depth + 1),
                };
            }
            Value::String(text) => {
                let mut bytes = text.clone().into_bytes();
                if chance.one_in(2) {
                    change_lines(chance, &mut bytes, b"");
                }
                change_bytes(chance, &mut bytes, b"", words);
                *text = String::from_utf8_lossy(&bytes).into_owned();
                return;
            }
            _ => {}
        }
    }
    *value = match chance.below(9) {
        0 => Value::Null,
        1 => json!(chance.one_in(2)),
        2 => json!([]),
        3 => json!({}),
        4 => json!(chance.next()),
        5 => json!(-1.5e300),
        6 => json!([value.take()]),
        7 => {
            let mut members = Map::new();
            members.insert(word(chance, words), value.take());
            Value::Object(members)
        }
        _ => json!(word(chance, words)),
    };
}

fn change_members(chance: &mut Chance, members: &mut Map<String, Value>, words: &[&str], depth: usize) {
    let keys: Vec<String> = members.keys().cloned().collect();
    let (key, other) = (chance.of(&keys).clone(), chance.of(&keys).clone());
    match chance.below(8) {
        0 => drop(members.remove(&key)),
        1 | 2 => {
            let moved = members.remove(&key).unwrap_or_default();
            members.insert(word(chance, words), moved);
        }
        3 => {
            let copied = members.get(&key).cloned().unwrap_or_default();
            members.insert(if chance.one_in(2) { other } else { word(chance, words) }, copied);
        }
        4 => drop(members.insert(word(chance, words), json!(word(chance, words)))),
        _ => {
            if let Some(member) = members.get_mut(&key) {
                change_value(chance, member, words, depth + 1);
            }
        }
    }
}

/// Puts something else in the place of a number or a word.
fn change_word(chance: &mut Chance, bytes: &mut Vec<u8>, words: &[&str]) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    if bytes.is_empty() {
        return;
    }
    let at = chance.below(bytes.len());
    let start = bytes[..at].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |after| at + after);
    let new = word(chance, words);
    bytes.splice(start.min(end)..end, new.bytes());
}

fn change_bytes(chance: &mut Chance, bytes: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let at = chance.below(bytes.len() + 1);
    let most = if chance.one_in(4) { 400 } else { 12 };
    let end = (at + 1 + chance.below(most)).min(bytes.len());
    match chance.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        1 if at < bytes.len() => bytes[at] = chance.next() as u8,
        2 if at < end => drop(bytes.drain(at..end)),
        3 if at < end => {
            let part = bytes[at..end].to_vec();
            let to = chance.below(bytes.len());
            bytes.splice(to..to, part);
        }
        4 if !other.is_empty() => {
            let from = chance.below(other.len());
            let count = 1 + chance.below(200);
            let part: Vec<u8> = other.iter().skip(from).take(count).copied().collect();
            bytes.splice(at..at, part);
        }
        5 if chance.one_in(4) => bytes.truncate(at),
        _ => {
            let word = word(chance, words);
            bytes.splice(at..at, word.bytes());
        }
    }
}

fn word(chance: &mut Chance, words: &[&str]) -> String {
    let all = if words.is_empty() || chance.one_in(3) { &HOSTILE[..] } else { words };
    let word = *chance.of(all);
    if chance.one_in(64) { word.repeat(1 + chance.below(3000)) } else { word.to_owned() }
}
