//! The time of the test picture for machines: a strip of 32 fields along its lower edge, white for one and black for zero,
//! the highest bit on the left. Together they are milliseconds since 1970 (UTC), as far as they fit. Whoever reads them
//! from a screen knows how old the picture is. Must not know what the picture is for.

use std::time::{SystemTime, UNIX_EPOCH};

use gst::prelude::*;

/// Fields of the strip.
const BITS: usize = 32;
/// Rows of the picture that it takes: it survives being compressed, and being shown smaller.
const HEIGHT: usize = 16;
/// Luma of a one and of a zero (BT.601, limited range).
const ONE: u8 = 235;
const ZERO: u8 = 16;

/// Writes the time into every I420 picture that leaves `element`, as it leaves.
pub fn attach(element: &gst::Element) {
    let Some(pad) = element.static_pad("src") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER, |pad, info| {
        let size = pad.current_caps().and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok());
        if let (Some(size), Some(buffer)) = (size, info.buffer_mut()) {
            write(buffer.make_mut(), &size, now());
        }
        gst::PadProbeReturn::Ok
    });
}

/// Milliseconds since 1970, without what does not fit.
fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_millis() & u128::from(u32::MAX)).unwrap_or_default()
}

fn write(buffer: &mut gst::BufferRef, size: &gst_video::VideoInfo, time: u32) {
    let Ok(mut frame) = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, size) else { return };
    let (width, height) = (size.width() as usize, size.height() as usize);
    let stride = usize::try_from(size.stride().first().copied().unwrap_or_default()).unwrap_or_default();
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
                write(buffer.get_mut().unwrap(), &size, time);
                let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(&buffer, &size).unwrap();
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
