//! The microphones and speakers that ALSA has, by names that stay the same, read from what the kernel writes in
//! `/proc/asound`. Must not read it itself.

use std::fmt;

use serde::Serialize;

/// One direction of one device of a sound card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pcm {
    /// The name for `audio.device`, such as `plughw:CARD=C920,DEV=0`: it stays when cards get other numbers, and
    /// converts whatever rate and channels the card has.
    pub name: String,
    /// What the card calls itself.
    pub card: String,
    /// What the device calls itself.
    pub device: String,
    /// Number of the card.
    pub number: u32,
    /// Whether it records, or plays.
    pub direction: Direction,
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// A microphone or line in.
    Capture,
    /// A speaker or line out.
    Playback,
}

/// Every device in the texts of `/proc/asound/cards` and `/proc/asound/pcm`, those that record first. Lines that say
/// something else are passed over.
pub fn read(cards: &str, pcms: &str) -> Vec<Pcm> {
    // " 1 [C920           ]: USB-Audio - HD Pro Webcam C920"
    let named = |wanted: u32| {
        cards.lines().find_map(|line| {
            let (number, rest) = line.split_once('[')?;
            let (id, rest) = rest.split_once(']')?;
            let name = rest.split_once(" - ").map_or(rest.trim_start_matches(':'), |(_, name)| name);
            (number.trim().parse() == Ok(wanted)).then(|| (id.trim().to_owned(), name.trim().to_owned()))
        })
    };
    let mut found = Vec::new();
    for line in pcms.lines() {
        // "01-00: USB Audio : USB Audio : capture 1"
        let mut parts = line.split(':').map(str::trim);
        let numbers = parts.next().and_then(|numbers| numbers.split_once('-'));
        let Some((number, device)) = numbers else { continue };
        let (Ok(number), Ok(device)) = (number.parse::<u32>(), device.parse::<u32>()) else { continue };
        let what = parts.next().unwrap_or_default().to_owned();
        let (id, card) = named(number).unwrap_or_else(|| (number.to_string(), format!("card {number}")));
        for part in parts {
            let direction = match part.split(' ').next() {
                Some("capture") => Direction::Capture,
                Some("playback") => Direction::Playback,
                _ => continue,
            };
            let name = format!("plughw:CARD={id},DEV={device}");
            found.push(Pcm { name, card: card.clone(), device: what.clone(), number, direction });
        }
    }
    found.sort_by_key(|pcm| pcm.direction == Direction::Playback);
    found
}

/// The microphone that `audio.source = "auto"` means, as an ALSA name. `None`: there is none.
///
/// ALSA's own `default` is the first card, unless somebody wrote otherwise (`own_default`), also where only another card
/// can record.
pub fn microphone(pcms: &[Pcm], own_default: bool) -> Option<&str> {
    let first = pcms.iter().find(|pcm| pcm.direction == Direction::Capture)?;
    Some(if own_default || first.number == 0 { "default" } else { &first.name })
}

/// The speaker that `speaker.sink = "auto"` means, as an ALSA name. `None`: there is none. As with [`microphone`], ALSA's own
/// `default` where that is one.
pub fn speaker(pcms: &[Pcm], own_default: bool) -> Option<&str> {
    let first = pcms.iter().find(|pcm| pcm.direction == Direction::Playback)?;
    Some(if own_default || first.number == 0 { "default" } else { &first.name })
}

/// The names that a configuration of ALSA defines itself (`pcm.NAME`), in its order, each once.
pub fn own_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix("pcm.") else { continue };
        let rest = rest.trim_start_matches(['!', '"']);
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        // "pcm.name.field" says something of a name that stands elsewhere, too.
        let name = &rest[..end];
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

impl fmt::Display for Pcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: {})", self.name, self.card, self.device)
    }
}
