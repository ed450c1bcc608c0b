//! Date and time of day on the test picture, for people: a dark line in its upper left corner with digits of seven segments.
//! GStreamer would write the same with a library for text, with all of its fonts in memory for as long as somebody watches.
//! Must not know what the picture is for.

use gst_video::{VideoFrameExt, VideoFrameRef};

/// Luma of digits and of what is around them (BT.601, limited range), and chroma without a colour.
const LIT: u8 = 235;
const DARK: u8 = 16;
const GREY: u8 = 128;
/// A character's columns and rows, and those that it takes with what is around it.
const GLYPH: (usize, usize) = (4, 7);
const CELL: (usize, usize) = (6, 11);
/// Characters that fit beside each other on the whole picture: on smaller ones a dot would be less than a pixel.
const ACROSS: usize = 40;

/// Writes `text` into an I420 picture: digits, `-`, `:` and spaces. What does not fit is left out.
pub fn write(frame: &mut VideoFrameRef<&mut gst::BufferRef>, text: &str) {
    let dots = (frame.width() as usize / (ACROSS * CELL.0)).max(1);
    let (width, height) = (text.len() * CELL.0 * dots, CELL.1 * dots);
    for plane in 0..3_u32 {
        let halves = if plane == 0 { 1 } else { 2 };
        let around = if plane == 0 { DARK } else { GREY };
        fill(frame, plane, (0, 0), (width.div_ceil(halves), height.div_ceil(halves)), around);
    }
    for (at, character) in text.bytes().enumerate() {
        let left = at * CELL.0 + (CELL.0 - GLYPH.0) / 2;
        for (x, y, wide, high) in parts(character) {
            let from = ((left + x) * dots, ((CELL.1 - GLYPH.1) / 2 + y) * dots);
            fill(frame, 0, from, (wide * dots, high * dots), LIT);
        }
    }
}

/// A rectangle of one plane, as far as it is in it.
fn fill(
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    plane: u32,
    (left, top): (usize, usize),
    (wide, high): (usize, usize),
    value: u8,
) {
    let stride = usize::try_from(frame.plane_stride()[plane as usize]).unwrap_or_default().max(1);
    let (across, down) = (frame.comp_width(plane) as usize, frame.comp_height(plane) as usize);
    let (from, to) = (left.min(across), (left + wide).min(across));
    let Ok(dots) = frame.plane_data_mut(plane) else { return };
    for row in dots.chunks_mut(stride).take((top + high).min(down)).skip(top) {
        if let Some(part) = row.get_mut(from..to) {
            part.fill(value);
        }
    }
}

/// Rectangles of a character: left, top, columns, rows.
fn parts(character: u8) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    /// Top, upper left and right, middle, lower left and right, bottom; then the two dots of a colon.
    const PARTS: [(usize, usize, usize, usize); 9] = [
        (0, 0, 4, 1),
        (0, 0, 1, 4),
        (3, 0, 1, 4),
        (0, 3, 4, 1),
        (0, 3, 1, 4),
        (3, 3, 1, 4),
        (0, 6, 4, 1),
        (1, 2, 1, 1),
        (1, 4, 1, 1),
    ];
    let lit = match character {
        b'0' => 0b00_1110111,
        b'1' => 0b00_0100100,
        b'2' => 0b00_1011101,
        b'3' => 0b00_1101101,
        b'4' => 0b00_0101110,
        b'5' => 0b00_1101011,
        b'6' => 0b00_1111011,
        b'7' => 0b00_0100101,
        b'8' => 0b00_1111111,
        b'9' => 0b00_1101111,
        b'-' => 0b00_0001000,
        b':' => 0b11_0000000_u16,
        _ => 0,
    };
    PARTS.into_iter().enumerate().filter_map(move |(part, shape)| (lit >> part & 1 == 1).then_some(shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u32, height: u32, text: &str) -> (gst_video::VideoInfo, gst::Buffer) {
        gst::init().unwrap();
        let size =
            gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, height).build().unwrap();
        let mut buffer = gst::Buffer::from_mut_slice(vec![77; size.size()]);
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer.get_mut().unwrap(), &size).unwrap();
        write(&mut frame, text);
        drop(frame);
        (size, buffer)
    }

    #[test]
    fn a_person_reads_the_time_as_digits() {
        let (size, buffer) = drawn(320, 180, "08:1-");
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &size).unwrap();
        let (luma, stride) = (frame.plane_data(0).unwrap(), size.stride()[0] as usize);
        let rows: Vec<String> = (0..CELL.1)
            .map(|y| {
                let row = &luma[y * stride..][..5 * CELL.0];
                row.iter().map(|dot| if *dot == LIT { '#' } else { ' ' }).collect::<String>()
            })
            .map(|row| row.trim_end().to_owned())
            .collect();
        assert_eq!(
            rows,
            [
                "",
                "",
                " ####  ####           #",
                " #  #  #  #           #",
                " #  #  #  #   #       #",
                " #  #  ####           #  ####",
                " #  #  #  #   #       #",
                " #  #  #  #           #",
                " ####  ####           #",
                "",
                "",
            ]
        );
    }

    #[test]
    fn no_two_characters_look_the_same() {
        let mut seen: Vec<Vec<_>> = b"0123456789-: ".iter().map(|c| parts(*c).collect()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 13);
    }

    #[test]
    fn the_line_is_of_the_picture_s_size_and_nothing_else_is_touched() {
        for (width, height) in [(16, 16), (34, 6), (642, 362), (1280, 720), (1920, 1080)] {
            let text = "2026-03-01 03:12:40";
            let (size, buffer) = drawn(width, height, text);
            let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &size).unwrap();
            let dots = (width as usize / 240).max(1);
            let (wide, high) = (text.len() * 6 * dots, 11 * dots);
            for plane in 0..3 {
                let half = if plane == 0 { 1 } else { 2 };
                let stride = size.stride()[plane] as usize;
                let data = frame.plane_data(plane as u32).unwrap();
                for y in 0..height as usize / half {
                    for x in 0..width as usize / half {
                        let inside = x < wide.div_ceil(half) && y < high.div_ceil(half);
                        assert_eq!(data[y * stride + x] != 77, inside, "{width} {plane} {x} {y}");
                    }
                }
            }
        }
    }
}
