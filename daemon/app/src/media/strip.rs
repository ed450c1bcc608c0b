//! The time of the test picture for machines: a strip of 32 fields along its lower edge, white for one and black for zero,
//! the highest bit on the left. Together they are milliseconds since 1970 (UTC), as far as they fit. Whoever reads them
//! from a screen knows how old the picture is. Must not know what the picture is for.

use std::time::{SystemTime, UNIX_EPOCH};

use gst_video::{VideoFrameExt, VideoFrameRef};

/// Fields of the strip.
const BITS: usize = 32;
/// Rows of the picture that it takes: it survives being compressed, and being shown smaller.
const HEIGHT: usize = 16;
/// Luma of a one and of a zero (BT.601, limited range).
const ONE: u8 = 235;
const ZERO: u8 = 16;

/// Milliseconds since 1970, without what does not fit.
pub fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_millis() & u128::from(u32::MAX)).unwrap_or_default()
}

/// Writes `time` into an I420 picture.
pub fn write(frame: &mut VideoFrameRef<&mut gst::BufferRef>, time: u32) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let stride =
        usize::try_from(frame.plane_stride().first().copied().unwrap_or_default()).unwrap_or_default();
    let Ok(luma) = frame.plane_data_mut(0) else { return };
    for row in luma.chunks_mut(stride.max(1)).take(height).skip(height.saturating_sub(HEIGHT)) {
        for (at, dot) in row.iter_mut().take(width).enumerate() {
            let bit = BITS - 1 - at * BITS / width;
            *dot = if time >> bit & 1 == 1 { ONE } else { ZERO };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_says_when_the_picture_was_made_and_the_rest_of_it_stays() {
        gst::init().unwrap();
        for width in [64, 642, 1280] {
            let size =
                gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, 48).build().unwrap();
            let mut buffer = gst::Buffer::from_mut_slice(vec![0; size.size()]);
            for time in [0, 1, 0x8000_0000, 0xa5c3_0ff1, u32::MAX] {
                let mut frame =
                    VideoFrameRef::from_buffer_ref_writable(buffer.get_mut().unwrap(), &size).unwrap();
                write(&mut frame, time);
                drop(frame);
                let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &size).unwrap();
                let (luma, stride) = (frame.plane_data(0).unwrap(), size.stride()[0] as usize);
                for row in 48 - HEIGHT..48 {
                    let read = (0..BITS).fold(0, |read, field| {
                        let middle = (2 * field + 1) * width as usize / (2 * BITS);
                        read << 1 | u32::from(luma[row * stride + middle] > 128)
                    });
                    assert_eq!(read, time, "{width} {row}");
                }
                assert!(luma[..(48 - HEIGHT) * stride].iter().all(|dot| *dot == 0));
            }
        }
    }
}
