//! What can be set on a camera, and what the configuration wants of it. Must not set anything.

use std::fmt;

use serde::Serialize;

use crate::config::settings::{ControlValue, DayNight, Flip, Look};

/// Most words of a menu that are written out; some drivers have a hundred.
const SHOWN_WORDS: usize = 24;

/// A control, as the camera's driver describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// The driver's number for it.
    pub id: u32,
    /// Its name as `v4l2-ctl` prints it, such as `exposure_time_absolute`.
    pub name: String,
    /// What may be set.
    #[serde(flatten)]
    pub range: Range,
    /// What it is unless somebody set it.
    pub default: f64,
    /// What it is now, where that can be read.
    pub value: Option<f64>,
    /// Whether it can be set at all.
    pub writable: bool,
}

/// What may be set on a control.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Range {
    /// A whole number.
    Number {
        /// Smallest.
        least: i64,
        /// Largest.
        most: i64,
        /// From one to the next; at least 1.
        step: i64,
    },
    /// A number.
    Decimal {
        /// Smallest.
        least: f64,
        /// Largest.
        most: f64,
    },
    /// On or off.
    Switch,
    /// One of several words, each with its number.
    Menu {
        /// Number and word.
        words: Vec<(i64, String)>,
    },
}

/// Something to set.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The driver's number for the control.
    pub id: u32,
    /// The control's name.
    pub name: String,
    /// What to set it to.
    pub value: f64,
    /// Whether somebody asked for this very control: then a failure is said.
    pub asked: bool,
}

/// What to do about a camera's look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// What to set, in this order.
    pub settings: Vec<Setting>,
    /// What cannot be set, each with what this camera allows, for a person.
    pub complaints: Vec<String>,
    /// What is left to turn the picture here.
    pub turn: Flip,
}

/// A name as `v4l2-ctl` prints it: small letters and digits, everything else one underscore.
pub fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            plain.extend(c.to_lowercase());
        } else if !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
    }
    plain.trim_end_matches('_').to_owned()
}

/// What to set on a camera with these `controls` so that it looks as `look` wants. `camera` is its name, for complaints.
pub fn judge(camera: &str, controls: &[Control], look: &Look) -> Judgement {
    let mut judgement = Judgement { turn: look.flip, ..Judgement::default() };
    day_night(camera, controls, look.day_night, &mut judgement);
    flip(controls, look.flip, &mut judgement);
    for (written, wanted) in &look.controls {
        let name = plain(written);
        let entry = format!("video.controls.{written} = {wanted}");
        match find(controls, &name) {
            None => judgement.complaints.push(format!(
                "{entry}: the camera {camera} has no such control; it has: {}",
                listed(controls)
            )),
            Some(control) if !control.writable => judgement
                .complaints
                .push(format!("{entry}: the camera {camera} lets it only be read; leave it out")),
            Some(control) => match value(control, wanted) {
                Some(value) => {
                    // What is written by name comes before what a plain word means.
                    judgement.settings.retain(|setting| setting.id != control.id);
                    judgement.settings.push(Setting { id: control.id, name, value, asked: true });
                }
                None => judgement
                    .complaints
                    .push(format!("{entry}: the camera {camera} allows {}", control.range)),
            },
        }
    }
    // A number is often only taken once the automatic that rules it is off, and that is a menu or a switch.
    let first = |setting: &Setting| {
        let control = controls.iter().find(|control| control.id == setting.id);
        !control.is_some_and(|control| matches!(control.range, Range::Menu { .. } | Range::Switch))
    };
    judgement.settings.sort_by_key(first);
    judgement
}

/// What to set on a camera that encodes by itself, as far as it can be set: parameter sets with each key frame, the
/// bitrate (kbit/s), and key frames this many frames apart.
pub fn own_encoder(controls: &[Control], bitrate: u32, key_frames: u32) -> Vec<Setting> {
    let headers = implied(controls, "repeat_sequence_header", &ControlValue::Switch(true));
    let key_frames = ControlValue::Number(i64::from(key_frames));
    let key_frames = implied(controls, "h264_i_frame_period", &key_frames);
    [headers, own_bitrate(controls, bitrate), key_frames].into_iter().flatten().collect()
}

/// What to set on a camera that encodes by itself so that it gives about so many kbit/s, if that can be set.
pub fn own_bitrate(controls: &[Control], kbit: u32) -> Option<Setting> {
    let name = "video_bitrate";
    let Range::Number { least, most, step } = find(controls, name)?.range else { return None };
    let bits = (i64::from(kbit) * 1000).clamp(least, most.max(least));
    implied(controls, name, &ControlValue::Number(bits - (bits - least) % step.max(1)))
}

fn day_night(camera: &str, controls: &[Control], wanted: DayNight, judgement: &mut Judgement) {
    // Whether dark pictures may take longer than the rate allows; its name changed with Linux 6.0.
    let longer = ["exposure_dynamic_framerate", "exposure_auto_priority"];
    let wishes: Vec<(&str, ControlValue)> = match wanted {
        DayNight::Camera => return,
        DayNight::Day => longer.iter().map(|name| (*name, ControlValue::Switch(false))).collect(),
        DayNight::Night => longer
            .iter()
            .map(|name| (*name, ControlValue::Switch(true)))
            // Colours in the dark are mostly noise.
            .chain([
                ("scene_mode", ControlValue::Word("night".to_owned())),
                ("saturation", ControlValue::Least),
            ])
            .collect(),
    };
    let before = judgement.settings.len();
    judgement.settings.extend(wishes.iter().filter_map(|(name, value)| implied(controls, name, value)));
    if judgement.settings.len() == before {
        judgement.complaints.push(format!(
            "video.day_night: the camera {camera} has nothing to set for it (exposure_dynamic_framerate, scene_mode, \
             saturation); leave it out, or set what it has by video.controls: {}",
            listed(controls)
        ));
    }
}

/// Turns the picture in the camera where it can, and leaves the rest to be done here.
fn flip(controls: &[Control], wanted: Flip, judgement: &mut Judgement) {
    let mut turn = |name: &str, wanted: bool| match implied(controls, name, &ControlValue::Switch(wanted)) {
        // A camera keeps what was set on it, so what is not wanted is taken back.
        Some(setting) => {
            judgement.settings.push(setting);
            false
        }
        None => wanted,
    };
    let horizontal = turn("horizontal_flip", wanted.horizontal);
    let vertical = turn("vertical_flip", wanted.vertical);
    judgement.turn = Flip { horizontal, vertical };
}

/// A setting that goes without saying, if the camera has the control and takes the value.
fn implied(controls: &[Control], name: &str, wanted: &ControlValue) -> Option<Setting> {
    let control = find(controls, name).filter(|control| control.writable)?;
    let value = value(control, wanted)?;
    Some(Setting { id: control.id, name: name.to_owned(), value, asked: false })
}

fn find<'c>(controls: &'c [Control], name: &str) -> Option<&'c Control> {
    controls.iter().find(|control| control.name == name)
}

/// The number for what is wanted of a control; `None` where it is not allowed.
fn value(control: &Control, wanted: &ControlValue) -> Option<f64> {
    match (&control.range, wanted) {
        (Range::Number { least, .. }, ControlValue::Least) => Some(*least as f64),
        (Range::Decimal { least, .. }, ControlValue::Least) => Some(*least),
        (Range::Number { least, most, step }, ControlValue::Number(number)) => {
            let fits = (least..=most).contains(&number) && number.wrapping_sub(*least) % (*step).max(1) == 0;
            fits.then_some(*number as f64)
        }
        (Range::Decimal { least, most }, wanted) => {
            let number = match wanted {
                ControlValue::Number(number) => *number as f64,
                ControlValue::Decimal(number) => *number,
                _ => return None,
            };
            (*least..=*most).contains(&number).then_some(number)
        }
        (Range::Switch, ControlValue::Switch(on)) => Some(f64::from(u8::from(*on))),
        (Range::Switch, ControlValue::Number(number @ (0 | 1))) => Some(*number as f64),
        // Some drivers describe a switch as a number from 0 to 1.
        (Range::Number { least: 0, most: 1, .. }, ControlValue::Switch(on)) => Some(f64::from(u8::from(*on))),
        (Range::Menu { words }, ControlValue::Number(number)) => {
            words.iter().find(|(known, _)| known == number).map(|(known, _)| *known as f64)
        }
        (Range::Menu { words }, ControlValue::Word(word)) => {
            let word = plain(word);
            let is = |known: &str| plain(known) == word;
            // "manual" for "Manual Mode": the beginning is enough where only one begins like that.
            let begins = |known: &str| !word.is_empty() && plain(known).starts_with(&word);
            let exact = words.iter().find(|(_, known)| is(known));
            let mut alike = words.iter().filter(|(_, known)| begins(known));
            let only = || alike.next().filter(|_| alike.next().is_none());
            exact.or_else(only).map(|(number, _)| *number as f64)
        }
        _ => None,
    }
}

fn listed(controls: &[Control]) -> String {
    let names: Vec<String> = controls
        .iter()
        .filter(|control| control.writable)
        .map(|control| format!("{} ({})", control.name, control.range))
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { least, most, step: 1 } => write!(f, "{least} to {most}"),
            Self::Number { least, most, step } => write!(f, "{least} to {most} in steps of {step}"),
            Self::Decimal { least, most } => write!(f, "{least} to {most}"),
            Self::Switch => f.write_str("true or false"),
            Self::Menu { words } => {
                let shown = words.iter().take(SHOWN_WORDS);
                let shown: Vec<String> = shown.map(|(_, word)| format!("\"{}\"", plain(word))).collect();
                f.write_str(&shown.join(", "))?;
                if words.len() > SHOWN_WORDS { write!(f, " … of {}", words.len()) } else { Ok(()) }
            }
        }
    }
}
