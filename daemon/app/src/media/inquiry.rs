//! Everything a V4L2 device can be asked about itself, as the core wants to know it. Must not open devices or choose
//! one.

use std::io;

use porthole_core::plan::camera::{Camera, Nature};
use porthole_core::plan::controls::{Control, Range, plain};
use porthole_core::plan::mode::{self, Offer, Rate, Rates, Sizes};

use super::v4l2::{
    self, ControlEntry, Driver, FormatEntry, IntervalEntry, MenuEntry, SizeEntry, control, is,
};

/// Most entries of one list that are asked for: a driver may be broken.
const MOST: u32 = 256;

/// What the device at `node` says about itself.
///
/// # Errors
/// It does not even say what it is.
pub fn ask(node: &str, driver: &impl Driver) -> io::Result<Camera> {
    let said = driver.capability()?;
    let bits = if said.capabilities & is::NODE_KNOWN == 0 { said.capabilities } else { said.of_this_node };
    let nature = if bits & (is::CONVERTER | is::CONVERTER_PLANES) != 0 {
        Nature::Converter
    } else if bits & (is::CAPTURE | is::CAPTURE_PLANES) == 0 || bits & is::STREAMING == 0 {
        Nature::NoPicture
    } else if bits & is::PART != 0 {
        Nature::Part
    } else {
        Nature::Camera
    };
    let kind = if bits & is::CAPTURE != 0 { v4l2::CAPTURE } else { v4l2::CAPTURE_PLANES };
    let camera = nature == Nature::Camera;
    Ok(Camera {
        node: node.to_owned(),
        stable: Vec::new(),
        card: v4l2::text(&said.card),
        driver: v4l2::text(&said.driver),
        bus: v4l2::text(&said.bus),
        nature,
        offers: if camera { offers(driver, kind) } else { Vec::new() },
        controls: if camera { controls(driver) } else { Vec::new() },
        open_in: Vec::new(),
        trouble: None,
    })
}

fn offers(driver: &impl Driver, kind: u32) -> Vec<Offer> {
    let mut offers = Vec::new();
    for index in 0..MOST {
        let mut format = FormatEntry { index, kind, ..FormatEntry::default() };
        if driver.format(&mut format).is_err() {
            break;
        }
        let letters = mode::letters(format.four_letters);
        let (meaning, pixels) = mode::meaning(&letters);
        for index in 0..MOST {
            let mut size = SizeEntry { index, four_letters: format.four_letters, ..SizeEntry::default() };
            if driver.size(&mut size).is_err() {
                break;
            }
            let [a, b, c, d, e, f] = size.numbers;
            let sizes = if size.kind == v4l2::DISCRETE {
                Sizes::One { size: [a, b] }
            } else {
                Sizes::Steps { smallest: [a, d], largest: [b, e], step: [c, f] }
            };
            let [width, height] = match sizes {
                Sizes::One { size } => size,
                // The slowest rates are those of the largest picture.
                Sizes::Steps { largest, .. } => largest,
            };
            let rates = rates(driver, format.four_letters, width, height);
            offers.push(Offer { format: meaning, pixels: pixels.to_owned(), sizes, rates });
            if size.kind != v4l2::DISCRETE {
                break;
            }
        }
    }
    offers
}

fn rates(driver: &impl Driver, four_letters: [u8; 4], width: u32, height: u32) -> Rates {
    let mut rates = Vec::new();
    for index in 0..MOST {
        let mut entry = IntervalEntry { index, four_letters, width, height, ..IntervalEntry::default() };
        if driver.interval(&mut entry).is_err() {
            break;
        }
        // Seconds of a frame, the other way round.
        let [seconds, frames, longest, of_longest, ..] = entry.numbers;
        let rate = Rate { frames, seconds };
        if entry.kind != v4l2::DISCRETE {
            let slowest = Rate { frames: of_longest, seconds: longest };
            return Rates::Between { slowest, fastest: rate };
        }
        rates.push(rate);
    }
    Rates::These(rates)
}

fn controls(driver: &impl Driver) -> Vec<Control> {
    let mut controls: Vec<Control> = Vec::new();
    let mut last = 0;
    for _ in 0..MOST {
        let mut entry = ControlEntry { id: last | control::NEXT, ..ControlEntry::default() };
        // A driver that answers with what it was asked for, or goes back, would be asked for ever.
        if driver.control(&mut entry).is_err() || entry.id <= last || entry.id & control::NEXT != 0 {
            break;
        }
        last = entry.id;
        if entry.flags & control::DISABLED != 0 {
            continue;
        }
        let range = match entry.kind {
            control::NUMBER => Range::Number {
                least: i64::from(entry.least),
                most: i64::from(entry.most),
                step: i64::from(entry.step).max(1),
            },
            control::SWITCH => Range::Switch,
            control::MENU | control::NUMBER_MENU => Range::Menu { words: menu(driver, &entry) },
            // Buttons, texts, headings and the like.
            _ => continue,
        };
        controls.push(Control {
            id: entry.id,
            name: plain(&v4l2::text(&entry.name)),
            range,
            default: f64::from(entry.default),
            value: driver.value(entry.id).ok().map(f64::from),
            writable: entry.flags & control::READ_ONLY == 0,
        });
    }
    controls
}

fn menu(driver: &impl Driver, of: &ControlEntry) -> Vec<(i64, String)> {
    let from = u32::try_from(of.least).unwrap_or(0);
    let to = u32::try_from(of.most).unwrap_or(0).min(from.saturating_add(MOST));
    (from..=to)
        .filter_map(|index| {
            let mut entry = MenuEntry { id: of.id, index, ..MenuEntry::default() };
            // Menus have gaps.
            driver.menu(&mut entry).ok()?;
            let word = entry.word;
            let word = if of.kind == control::NUMBER_MENU {
                let mut number = [0; 8];
                number.copy_from_slice(&word[..8]);
                i64::from_ne_bytes(number).to_string()
            } else {
                v4l2::text(&word)
            };
            Some((i64::from(index), word))
        })
        .collect()
}

#[cfg(test)]
#[path = "inquiry_tests.rs"]
mod tests;
