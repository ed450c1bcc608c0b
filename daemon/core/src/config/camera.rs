//! The rules of the camera in `[video]`: which one, and what is set on it. Must not know what cameras there are.

use std::path::{Path, PathBuf};

use super::file::Entry;
use super::reader::{self, Reader, is_printable};
use super::settings::{CameraName, ControlValue, DayNight, Flip, Look, VideoSource};

/// Most controls in one configuration.
const MOST_CONTROLS: usize = 64;
/// Longest name of a control, or word of a menu, in bytes. V4L2's own have 31.
const LONGEST_WORD: usize = 64;
/// What one control is.
const CONTROL: &str =
    "the name of a control with a whole number, a number, a word of its menu, true or false";
/// What `device` says for a camera of libcamera.
const LIBCAMERA: &str = "libcamera";

/// Where the picture comes from, before the camera or clip is known.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Auto,
    V4l2,
    Libcamera,
    Test,
    File,
}

/// Reads where the picture comes from. `folder` is where relative paths start.
pub(super) fn source(section: &mut Reader<'_, '_>, folder: &Path) -> VideoSource {
    let device = section.take("device", CameraName::Any, |entry| name(entry.text()?));
    let clip = section.take("file", None, |entry| reader::file(entry, folder));
    let words = [
        ("auto", Origin::Auto),
        ("v4l2", Origin::V4l2),
        ("libcamera", Origin::Libcamera),
        ("test", Origin::Test),
        ("file", Origin::File),
    ];
    let origin = section.word("source", Origin::Auto, &words);
    let trusted = section.file.trusts(&["video.source", "video.device"]);
    match (origin, device) {
        (Origin::Auto, device) => {
            if clip.is_some() {
                section.contradict("file", r#"a clip is only played with source = "file""#);
            }
            VideoSource::Auto(device)
        }
        (Origin::V4l2, CameraName::Any) => VideoSource::Camera(CameraName::V4l2(None)),
        (Origin::Libcamera, CameraName::Any) => VideoSource::Camera(CameraName::Libcamera(None)),
        (Origin::V4l2, device @ CameraName::Libcamera(_)) => {
            if trusted {
                section.contradict("device", r#"only with source = "libcamera" or "auto""#);
            }
            VideoSource::Camera(device)
        }
        (Origin::Libcamera, device @ CameraName::V4l2(_)) => {
            if trusted {
                section.contradict("device", r#"only with source = "v4l2" or "auto""#);
            }
            VideoSource::Camera(device)
        }
        (Origin::V4l2 | Origin::Libcamera, device) => VideoSource::Camera(device),
        (Origin::Test, _) => VideoSource::Test,
        (Origin::File, _) => {
            if clip.is_none() && section.file.trusts(&["video.file"]) {
                section.contradict(
                    "source",
                    r#"write the path of the clip, as in file = "/var/lib/porthole/clip.avi""#,
                );
            }
            VideoSource::File(clip.unwrap_or_default())
        }
    }
}

/// The camera that a text means.
fn name(text: &str) -> Option<CameraName> {
    if text == "auto" {
        return Some(CameraName::Any);
    }
    if let Some(rest) = text.strip_prefix(LIBCAMERA) {
        return match rest.strip_prefix(':') {
            None => rest.is_empty().then_some(CameraName::Libcamera(None)),
            Some(name) => {
                (!name.is_empty() && is_printable(name)).then(|| CameraName::Libcamera(Some(name.to_owned())))
            }
        };
    }
    let path = PathBuf::from(text);
    let fits = path.is_absolute() && path.file_name().is_some() && is_printable(text);
    fits.then_some(CameraName::V4l2(Some(path)))
}

/// Reads what is set on the camera that `source` is.
pub(super) fn look(section: &mut Reader<'_, '_>, source: &VideoSource) -> Look {
    let turned = |horizontal, vertical| Flip { horizontal, vertical };
    let flips = [
        ("none", turned(false, false)),
        ("horizontal", turned(true, false)),
        ("vertical", turned(false, true)),
        ("both", turned(true, true)),
    ];
    let lights = [("camera", DayNight::Camera), ("day", DayNight::Day), ("night", DayNight::Night)];
    let look = Look {
        flip: section.word("flip", Flip::default(), &flips),
        day_night: section.word("day_night", DayNight::Camera, &lights),
        controls: controls(section),
    };
    let camera = matches!(source, VideoSource::Auto(_) | VideoSource::Camera(_));
    let written = [
        ("flip", look.flip != Flip::default()),
        ("day_night", look.day_night != DayNight::Camera),
        ("controls", !look.controls.is_empty()),
    ];
    for (key, written) in written {
        if written && !camera && section.file.trusts(&["video.source"]) {
            section.contradict(key, r#"only for a camera: source = "auto", "v4l2" or "libcamera""#);
        }
    }
    look
}

/// The controls in a table, in the order in which they are written. Each that is none is a finding of its own.
fn controls(section: &mut Reader<'_, '_>) -> Vec<(String, ControlValue)> {
    let Some(whole) = section.entry("controls") else { return Vec::new() };
    let Some(table) = whole.value.as_table().filter(|table| table.len() <= MOST_CONTROLS) else {
        section.refuse("controls");
        return Vec::new();
    };
    let mut written: Vec<_> = table.iter().collect();
    written.sort_by_key(|(name, _)| name.span().start);
    let mut controls = Vec::new();
    for (name, value) in written {
        let entry = Entry::new(&whole.path, name, value);
        let named = name.get_ref().as_ref();
        match control(&entry).filter(|_| is_word(named)) {
            Some(wanted) => controls.push((named.to_owned(), wanted)),
            None => section.file.find(&entry, CONTROL),
        }
    }
    controls
}

/// What is wanted of one control.
fn control(entry: &Entry<'_>) -> Option<ControlValue> {
    let value = entry.value;
    Some(if let Some(text) = value.as_str() {
        ControlValue::Word(Some(text).filter(|text| is_word(text))?.to_owned())
    } else if let Some(on) = value.as_bool() {
        ControlValue::Switch(on)
    } else if value.as_integer().is_some() {
        ControlValue::Number(entry.number()?)
    } else {
        let number = value.as_float()?.as_str().parse::<f64>().ok()?;
        ControlValue::Decimal(Some(number).filter(|number| number.is_finite())?)
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_WORD && is_printable(text)
}
