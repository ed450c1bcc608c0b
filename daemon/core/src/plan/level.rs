//! The H.264 level that a picture needs (ITU-T H.264, table A-1). Must not know encoders.

/// Level, most macroblocks a second, most macroblocks in a picture, most kbit/s in the Baseline profile.
const LEVELS: &[(&str, u64, u64, u64)] = &[
    ("1", 1_485, 99, 64),
    ("1.1", 3_000, 396, 192),
    ("1.2", 6_000, 396, 384),
    ("1.3", 11_880, 396, 768),
    ("2", 11_880, 396, 2_000),
    ("2.1", 19_800, 792, 4_000),
    ("2.2", 20_250, 1_620, 4_000),
    ("3", 40_500, 1_620, 10_000),
    ("3.1", 108_000, 3_600, 14_000),
    ("3.2", 216_000, 5_120, 20_000),
    ("4", 245_760, 8_192, 20_000),
    ("4.1", 245_760, 8_192, 50_000),
    ("4.2", 522_240, 8_704, 50_000),
    ("5", 589_824, 22_080, 135_000),
    ("5.1", 983_040, 36_864, 240_000),
    ("5.2", 2_073_600, 36_864, 240_000),
    ("6", 4_177_920, 139_264, 240_000),
];

/// The lowest level that holds pictures of this size (pixels), rate (frames a second) and bitrate (kbit/s); the highest
/// there is where none does.
pub fn level(width: u32, height: u32, framerate: u32, bitrate: u32) -> &'static str {
    let (across, down) = (u64::from(width).div_ceil(16), u64::from(height).div_ceil(16));
    let size = across * down;
    let speed = size * u64::from(framerate);
    let fits = |&&(_, most_speed, most_size, most_bits): &&(&str, u64, u64, u64)| {
        // No side may be longer than the root of eight times the picture.
        let longest = across.max(down);
        speed <= most_speed
            && size <= most_size
            && u64::from(bitrate) <= most_bits
            && longest * longest <= most_size * 8
    };
    LEVELS.iter().find(fits).or(LEVELS.last()).map_or("4", |(level, ..)| level)
}
