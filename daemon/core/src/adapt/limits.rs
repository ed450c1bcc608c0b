//! What the full and the small picture may take, and how large the small one is. Must not know ways.

use crate::config::settings::{MediaSettings, VideoSettings};

/// What the picture may take, in kbit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What the full picture takes where nothing is in the way.
    pub most: u32,
    /// The least that is worth its size.
    pub carries: u32,
    /// The least and the most of the small picture, and what it begins with.
    pub small: [u32; 2],
    /// See [`Self::small`].
    pub begin: u32,
    /// What the sound takes beside it.
    pub sound: u32,
}

/// While others watch the full picture, one viewer cannot press it below this much of what it would be, in percent.
pub(super) const FAIR: u32 = 75;
/// Most pixels of the small picture.
const SMALL_PIXELS: u32 = 640 * 360;
/// It has half the frames of the full one, but not fewer than this, as far as that has them.
const SMALL_FRAMES: u32 = 10;
/// What it takes at most, in kbit/s: more would not be seen.
const SMALL_MOST: u32 = 800;

/// The small picture that goes with a full one.
pub fn small(full: &VideoSettings) -> VideoSettings {
    let fits = |parts: &u32| (full.width / parts) * (full.height / parts) <= SMALL_PIXELS;
    let parts = (2..=16).find(fits).unwrap_or(16);
    let side = |pixels: u32| (pixels / parts / 2 * 2).max(16);
    VideoSettings {
        width: side(full.width),
        height: side(full.height),
        framerate: (full.framerate / 2).max(SMALL_FRAMES).min(full.framerate),
        bitrate: Limits::of_picture(full).begin,
        ..full.clone()
    }
}

impl Limits {
    /// What follows from the configuration.
    pub fn of(media: &MediaSettings) -> Self {
        // Packets of sound have headers, too: 52 bytes each.
        let headers = 52 * 8 / media.audio.packet.max(1);
        Self { sound: media.audio.bitrate + headers, ..Self::of_picture(&media.video) }
    }

    fn of_picture(video: &VideoSettings) -> Self {
        let pixels = u64::from(video.width) * u64::from(video.height) * u64::from(video.framerate);
        // Three hundredths of a bit for each pixel: below that a smaller picture looks better.
        let worth = u32::try_from(pixels * 3 / 100 / 1000).unwrap_or(u32::MAX);
        let most = video.bitrate;
        let least = (most / 20).max(48).min(most);
        let small_most = part(most, 40).min(SMALL_MOST).max(least);
        Self {
            most,
            carries: worth.min(part(most, FAIR)),
            small: [least, small_most],
            begin: part(most, 15).clamp(least, small_most),
            sound: 0,
        }
    }
}

/// So many percent of a number.
pub(super) fn part(of: u32, percent: u32) -> u32 {
    u32::try_from(u64::from(of) * u64::from(percent) / 100).unwrap_or(u32::MAX)
}
