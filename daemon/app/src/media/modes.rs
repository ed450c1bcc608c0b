//! What a camera offers, and which of it to take. Must not open anything.

use std::fmt;

use porthole_core::config::settings::VideoSettings;

/// How a camera hands over its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Encoded by the camera itself; passed through.
    H264,
    /// Raw pixels.
    Raw,
    /// A JPEG a frame, decoded here.
    Mjpeg,
}

/// One size, rate and format that a camera advertises.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// How pictures come.
    pub format: Format,
    /// The raw format's name, such as `YUY2`; empty where the format has none.
    pub pixels: String,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// Frames a second.
    pub rate: gst::Fraction,
}

impl Mode {
    /// The caps that hold a source to exactly this mode.
    pub fn caps(&self) -> gst::Caps {
        let builder = match self.format {
            Format::H264 => gst::Caps::builder("video/x-h264"),
            Format::Mjpeg => gst::Caps::builder("image/jpeg"),
            Format::Raw => gst::Caps::builder("video/x-raw").field("format", &self.pixels),
        };
        builder.field("width", self.width).field("height", self.height).field("framerate", self.rate).build()
    }

    fn frames(&self) -> f64 {
        f64::from(self.rate.numer()) / f64::from(self.rate.denom().max(1))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::H264 => "H.264",
            Format::Raw => &self.pixels,
            Format::Mjpeg => "MJPEG",
        };
        let frames = (self.frames() * 100.0).round() / 100.0;
        write!(f, "{format} {}x{} at {frames} frames/s", self.width, self.height)
    }
}

/// Every mode inside a camera's caps. Ranges of sizes (rare, emulated cameras) are left to their end points.
pub fn read(caps: &gst::Caps) -> Vec<Mode> {
    let mut modes = Vec::new();
    for structure in caps.iter() {
        let format = match structure.name().as_str() {
            "video/x-h264" => Format::H264,
            "image/jpeg" => Format::Mjpeg,
            "video/x-raw" => Format::Raw,
            _ => continue,
        };
        let pixels = if format == Format::Raw { texts(structure, "format") } else { vec![String::new()] };
        for width in numbers(structure, "width") {
            for height in numbers(structure, "height") {
                for rate in rates(structure) {
                    for pixels in &pixels {
                        modes.push(Mode { format, pixels: pixels.clone(), width, height, rate });
                    }
                }
            }
        }
    }
    modes
}

/// The mode to take: the asked rate first, then the asked size (or the nearest larger, or the largest), then H.264
/// before raw before MJPEG.
pub fn choose(modes: &[Mode], video: &VideoSettings) -> Option<Mode> {
    let (width, height) = (i64::from(video.width), i64::from(video.height));
    let wanted = f64::from(video.framerate);
    let score = |mode: &&Mode| {
        let (w, h) = (i64::from(mode.width), i64::from(mode.height));
        let large_enough = w >= width && h >= height;
        let distance = (w * h - width * height).abs();
        // A tenth below the asked rate still counts as it (29.97 for 30).
        let missing_rate = (wanted - mode.frames()).max(0.0);
        let slow = if missing_rate <= wanted / 10.0 { 0 } else { (missing_rate * 100.0) as i64 };
        let surplus = ((mode.frames() - wanted).max(0.0) * 100.0) as i64;
        let fits_raw = mode.format != Format::H264 || distance == 0;
        (!fits_raw, slow, !large_enough, distance, mode.format, preference(&mode.pixels), surplus)
    };
    modes.iter().filter(|m| m.frames() > 0.0 && known(m)).min_by_key(score).cloned()
}

/// Whether a raw format is one that `videoconvert` reads cheaply; Bayer and the like are not picked.
fn known(mode: &Mode) -> bool {
    mode.format != Format::Raw || preference(&mode.pixels) < 9
}

fn preference(pixels: &str) -> usize {
    ["", "I420", "NV12", "YUY2", "UYVY", "YV12", "NV21", "YVYU", "BGR"]
        .iter()
        .position(|p| *p == pixels)
        .unwrap_or(9)
}

fn numbers(structure: &gst::StructureRef, field: &str) -> Vec<i32> {
    if let Ok(one) = structure.get::<i32>(field) {
        return vec![one];
    }
    if let Ok(range) = structure.get::<gst::IntRange<i32>>(field) {
        return vec![range.min(), range.max()];
    }
    structure
        .get::<gst::List>(field)
        .map(|list| list.iter().filter_map(|v| v.get::<i32>().ok()).collect())
        .unwrap_or_default()
}

fn rates(structure: &gst::StructureRef) -> Vec<gst::Fraction> {
    if let Ok(one) = structure.get::<gst::Fraction>("framerate") {
        return vec![one];
    }
    if let Ok(range) = structure.get::<gst::FractionRange>("framerate") {
        return vec![range.max()];
    }
    structure
        .get::<gst::List>("framerate")
        .map(|list| list.iter().filter_map(|v| v.get::<gst::Fraction>().ok()).collect())
        .unwrap_or_default()
}

fn texts(structure: &gst::StructureRef, field: &str) -> Vec<String> {
    if let Ok(one) = structure.get::<String>(field) {
        return vec![one];
    }
    structure
        .get::<gst::List>(field)
        .map(|list| list.iter().filter_map(|v| v.get::<String>().ok()).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use porthole_core::config::settings::{EncoderChoice, Fallback, VideoSource};

    use super::*;

    fn asked(width: u32, height: u32, framerate: u32) -> VideoSettings {
        VideoSettings {
            source: VideoSource::Test,
            width,
            height,
            framerate,
            bitrate: 2000,
            encoder: EncoderChoice::Auto,
            fallback: Fallback::Vp8,
        }
    }

    fn camera(caps: &str) -> Vec<Mode> {
        gst::init().unwrap();
        read(&gst::Caps::from_str(caps).unwrap())
    }

    /// A common USB camera: raw is slow at 720p, MJPEG is not.
    const USB2: &str = "video/x-raw,format=YUY2,width=1280,height=720,framerate={(fraction)10/1,(fraction)5/1};\
        video/x-raw,format=YUY2,width=640,height=480,framerate=(fraction)30/1;\
        image/jpeg,width=1280,height=720,framerate={(fraction)30/1,(fraction)15/1}";

    #[test]
    fn a_camera_whose_raw_picture_is_too_slow_is_taken_as_mjpeg() {
        let mode = choose(&camera(USB2), &asked(1280, 720, 30)).unwrap();
        assert_eq!(mode.to_string(), "MJPEG 1280x720 at 30 frames/s");
    }

    #[test]
    fn raw_is_taken_where_it_is_fast_enough() {
        let mode = choose(&camera(USB2), &asked(640, 480, 30)).unwrap();
        assert_eq!(mode.to_string(), "YUY2 640x480 at 30 frames/s");
    }

    #[test]
    fn a_rate_that_is_not_advertised_is_never_asked_for() {
        let mode = choose(&camera(USB2), &asked(640, 480, 25)).unwrap();
        assert_eq!(mode.rate, gst::Fraction::new(30, 1));
    }

    #[test]
    fn a_camera_that_encodes_by_itself_is_passed_through_at_the_asked_size_only() {
        let caps = "video/x-raw,format=YUY2,width=640,height=480,framerate=(fraction)30/1;\
            video/x-h264,width=1280,height=720,framerate=(fraction)30/1";
        let modes = camera(caps);
        assert_eq!(choose(&modes, &asked(1280, 720, 30)).unwrap().format, Format::H264);
        assert_eq!(choose(&modes, &asked(640, 480, 30)).unwrap().format, Format::Raw);
    }

    #[test]
    fn a_camera_with_nothing_usable_gives_no_mode() {
        assert_eq!(
            choose(
                &camera("video/x-bayer,width=640,height=480,framerate=(fraction)30/1"),
                &asked(640, 480, 30)
            ),
            None
        );
    }
}
