//! What a camera offers, and which of it to take. Must not know how a camera is asked.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

/// How a camera hands over its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Encoded by the camera itself; passed through.
    H264,
    /// Raw pixels.
    Raw,
    /// A JPEG a frame, decoded here.
    Mjpeg,
    /// Something that nothing is made of here, such as the raw mosaic of a sensor.
    Other,
}

/// Frames a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Frames …
    pub frames: u32,
    /// … in this many seconds; not 0.
    pub seconds: u32,
}

/// The sizes in pixels that a format comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Sizes {
    /// One.
    One {
        /// Width and height.
        size: [u32; 2],
    },
    /// All from the smallest to the largest in steps, as emulated cameras and scalers have them.
    Steps {
        /// Width and height of the smallest.
        smallest: [u32; 2],
        /// Width and height of the largest.
        largest: [u32; 2],
        /// Pixels from one width to the next, and from one height to the next; at least 1.
        step: [u32; 2],
    },
}

/// The rates that a size comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Rates {
    /// These. None at all is a camera that does not say, and has a rate of its own.
    These(Vec<Rate>),
    /// All between two.
    Between {
        /// The slowest.
        slowest: Rate,
        /// The fastest.
        fastest: Rate,
    },
}

/// One line of what a camera advertises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// How pictures come.
    pub format: Format,
    /// What GStreamer calls the raw format, such as `YUY2`; for other formats the camera's own four letters.
    pub pixels: String,
    /// In which sizes.
    pub sizes: Sizes,
    /// At which rates.
    pub rates: Rates,
}

/// One size, rate and format, out of those that a camera advertises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// How pictures come.
    pub format: Format,
    /// See [`Offer::pixels`].
    pub pixels: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `None`: the camera's own, which it does not say.
    pub rate: Option<Rate>,
}

/// What is asked of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames a second.
    pub framerate: u32,
    /// Whether the picture is turned over here: then it cannot come encoded.
    pub turned_here: bool,
}

/// Raw formats that are converted cheaply: V4L2's four letters, and GStreamer's name; the cheaper ones first.
const RAW: &[(&str, &str)] = &[
    ("YU12", "I420"),
    ("NV12", "NV12"),
    ("YUYV", "YUY2"),
    ("UYVY", "UYVY"),
    ("YV12", "YV12"),
    ("NV21", "NV21"),
    ("YVYU", "YVYU"),
    ("422P", "Y42B"),
    ("BGR3", "BGR"),
    ("RGB3", "RGB"),
    ("GREY", "GRAY8"),
];

/// What V4L2's four letters for a format mean: how pictures come, and what GStreamer calls them.
pub fn meaning(four_letters: &str) -> (Format, &str) {
    match four_letters {
        "H264" => (Format::H264, "H264"),
        // Both are JPEG to GStreamer, too.
        "MJPG" | "JPEG" => (Format::Mjpeg, four_letters),
        raw => match RAW.iter().find(|(letters, _)| *letters == raw) {
            Some((_, name)) => (Format::Raw, name),
            None => (Format::Other, raw),
        },
    }
}

/// V4L2's four letters, as a text. In the last one the highest bit may say that the bytes are the other way round, as
/// `v4l2-ctl` says it, too.
pub fn letters(bytes: [u8; 4]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(byte & 0x7f)).filter(|c| !c.is_control()).collect();
    let reversed = if bytes[3] & 0x80 == 0 { "" } else { "-BE" };
    format!("{}{reversed}", text.trim_end())
}

/// How a raw format of GStreamer's name counts: [`Format::Other`] where it is not converted cheaply.
pub fn raw(name: &str) -> Format {
    if RAW.iter().any(|(_, known)| *known == name) { Format::Raw } else { Format::Other }
}

/// The mode to take: the asked rate first (a tenth below still counts as it, as 29.97 for 30), then the asked size (or
/// the nearest larger, or the largest), then H.264 before raw before MJPEG. H.264 is passed through, so it is only taken
/// in the asked size. A rate that is not advertised is never taken. `None`: nothing that the camera offers can be used.
pub fn choose(offers: &[Offer], wish: Wish) -> Option<Mode> {
    let (width, height) = (u64::from(wish.width), u64::from(wish.height));
    let wanted = u64::from(wish.framerate) * 1000;
    let cost = |mode: &Mode| {
        let (w, h) = (u64::from(mode.width), u64::from(mode.height));
        let exact = w == width && h == height;
        let distance = (w * h).abs_diff(width * height);
        // A camera that does not say its rate may have any.
        let frames = mode.rate.map_or(wanted, Rate::thousandths);
        let missing = wanted.saturating_sub(frames);
        let slow = if missing <= wanted / 10 { 0 } else { missing };
        let small = w < width || h < height;
        (slow, small, distance, !exact, mode.format, preference(&mode.pixels), frames.saturating_sub(wanted))
    };
    offers
        .iter()
        .filter(|offer| offer.format != Format::Other)
        .filter_map(|offer| nearest(offer, wish))
        .filter(|mode| {
            let exact = mode.width == wish.width && mode.height == wish.height;
            mode.format != Format::H264 || (exact && !wish.turned_here)
        })
        // Of two that cost the same the camera's own order decides.
        .min_by_key(cost)
}

/// The mode of one offer that comes nearest to the wish. `None` if the offer makes no sense.
fn nearest(offer: &Offer, wish: Wish) -> Option<Mode> {
    let [width, height] = match offer.sizes {
        Sizes::One { size } => size,
        Sizes::Steps { smallest, largest, step } => {
            let along = |axis: usize, wanted: u32| {
                let (least, most, step) = (smallest[axis], largest[axis], step[axis].max(1));
                let steps = wanted.clamp(least, most.max(least)).saturating_sub(least).div_ceil(step);
                let up = least.saturating_add(steps.saturating_mul(step));
                if up <= most { up } else { up.saturating_sub(step) }
            };
            [along(0, wish.width), along(1, wish.height)]
        }
    };
    let rate = match &offer.rates {
        Rates::These(rates) if rates.is_empty() => None,
        Rates::These(rates) => {
            let wanted = u64::from(wish.framerate) * 1000;
            let enough = |rate: &&Rate| rate.thousandths() + wanted / 10 >= wanted;
            let usable = || rates.iter().filter(|rate| rate.thousandths() > 0);
            // The one nearest to what is asked among those that are fast enough, else the fastest.
            let rate = usable().filter(enough).min_by_key(|rate| rate.thousandths().abs_diff(wanted));
            Some(*rate.or_else(|| usable().min_by_key(|rate| Reverse(rate.thousandths())))?)
        }
        Rates::Between { slowest, fastest } => {
            let wanted = Rate { frames: wish.framerate, seconds: 1 };
            let rate = if wanted.thousandths() > fastest.thousandths() {
                *fastest
            } else if wanted.thousandths() < slowest.thousandths() {
                *slowest
            } else {
                wanted
            };
            Some(Some(rate).filter(|rate| rate.thousandths() > 0)?)
        }
    };
    let sensible = width > 0 && height > 0;
    sensible.then(|| Mode { format: offer.format, pixels: offer.pixels.clone(), width, height, rate })
}

fn preference(pixels: &str) -> usize {
    RAW.iter().position(|(_, name)| *name == pixels).unwrap_or(RAW.len())
}

impl Rate {
    /// Frames in a thousand seconds.
    pub fn thousandths(self) -> u64 {
        u64::from(self.frames) * 1000 / u64::from(self.seconds.max(1))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (self.thousandths() + 5) / 10;
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::H264 => "H.264",
            Format::Mjpeg => "MJPEG",
            Format::Raw | Format::Other => &self.pixels,
        };
        write!(f, "{format} {}x{} at ", self.width, self.height)?;
        match self.rate {
            Some(rate) => write!(f, "{rate} frames/s"),
            None => f.write_str("the camera's own rate"),
        }
    }
}
