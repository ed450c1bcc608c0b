//! What the camera writes into the header of every packet of the picture: that it is to be shown as it comes, and when it
//! was sent. And how much that was. Must not know calls.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gst::prelude::*;

/// Tells the browser how long to hold frames back (webrtc.org "playout-delay", version 1): minimum and maximum, twelve bits
/// each, in units of 10 ms.
pub const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// When the packet was sent (webrtc.org "abs-send-time"): seconds as 6.18 bits, which a receiver that estimates what the
/// way carries compares with when packets arrive.
pub const SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// What is written, and under which number.
#[derive(Debug, Clone, Copy)]
struct Stamps {
    delay: Option<(u8, [u8; 3])>,
    send_time: Option<u8>,
    began: Instant,
}

/// What was sent of the picture.
#[derive(Debug, Default)]
pub struct Sent {
    /// Bytes of payload.
    pub bytes: AtomicU64,
    /// Packets.
    pub packets: AtomicU32,
    /// The number of the last one.
    pub newest: AtomicU32,
    /// Where the time goes, where it is written; 0: nowhere.
    send_time: AtomicU8,
    began: OnceLock<Instant>,
}

impl Sent {
    /// Writes the time anew into a packet that is sent again: with that of its first sending it would look late.
    pub fn stamp(&self, packet: &mut [u8]) {
        let number = self.send_time.load(Ordering::Relaxed);
        if let (Some(began), Some(place)) = (self.began.get(), place_of(packet, number)) {
            place.copy_from_slice(&send_time(began.elapsed()));
        }
    }
}

/// Three bytes of the header extension with this number, in its one-byte form (RFC 8285, section 4.2).
fn place_of(packet: &mut [u8], number: u8) -> Option<&mut [u8]> {
    let first = *packet.first()?;
    if number == 0 || first & 0x10 == 0 {
        return None;
    }
    let start = 12 + 4 * usize::from(first & 0x0f);
    let &[0xbe, 0xde, high, low] = packet.get(start..start + 4)? else { return None };
    let end = start + 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    let mut at = start + 4;
    while at < end.min(packet.len()) {
        let head = *packet.get(at)?;
        let length = usize::from(head & 0x0f) + 1;
        match head {
            0 => at += 1,
            _ if head >> 4 == number && length == 3 => return packet.get_mut(at + 1..at + 4),
            _ => at += 1 + length,
        }
    }
    None
}

/// Lets `payloader` write them into every packet, as far as the offer has them among `extensions`. Frames are to be held
/// back for `delay`.
pub fn attach(payloader: &gst::Element, extensions: &[(u8, String)], delay: Duration) -> Arc<Sent> {
    let sent = Arc::<Sent>::default();
    let number = |wanted: &str| {
        let found = extensions.iter().find(|(_, uri)| uri == wanted).map(|(number, _)| *number);
        // 1 to 14 is what the one-byte form can say (RFC 8285, section 4.2).
        found.filter(|number| (1..=14).contains(number))
    };
    let stamps = Stamps {
        delay: number(PLAYOUT_DELAY).map(|number| (number, playout_delay(delay))),
        send_time: number(SEND_TIME),
        began: Instant::now(),
    };
    sent.send_time.store(stamps.send_time.unwrap_or_default(), Ordering::Relaxed);
    // Nobody else has it yet.
    let _ = sent.began.set(stamps.began);
    let Some(pad) = payloader.static_pad("src") else { return sent };
    let count = sent.clone();
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        match &mut info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => stamps.write(buffer.make_mut(), &count),
            Some(gst::PadProbeData::BufferList(list)) => {
                list.make_mut().foreach_mut(|mut buffer, _| {
                    stamps.write(buffer.make_mut(), &count);
                    std::ops::ControlFlow::Continue(Some(buffer))
                });
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
    sent
}

impl Stamps {
    /// Writes them, and counts.
    fn write(&self, buffer: &mut gst::BufferRef, sent: &Sent) {
        let Ok(mut packet) = gst_rtp::RTPBuffer::from_buffer_writable(buffer) else { return };
        if let Some((number, delay)) = &self.delay {
            let _ = packet.add_extension_onebyte_header(*number, delay);
        }
        if let Some(number) = self.send_time {
            let _ = packet.add_extension_onebyte_header(number, &send_time(self.began.elapsed()));
        }
        sent.bytes.fetch_add(u64::from(packet.payload_size()), Ordering::Relaxed);
        sent.packets.fetch_add(1, Ordering::Relaxed);
        sent.newest.store(u32::from(packet.seq()), Ordering::Relaxed);
    }
}

/// The same delay as least and most.
fn playout_delay(delay: Duration) -> [u8; 3] {
    let units = u16::try_from(delay.as_millis() / 10).unwrap_or(0xfff).min(0xfff);
    let [_, a, b, c] = (u32::from(units) << 12 | u32::from(units)).to_be_bytes();
    [a, b, c]
}

/// Seconds in 6.18 bits, which go round every 64 s.
fn send_time(since: Duration) -> [u8; 3] {
    let ticks = (since.as_micros() << 18) / 1_000_000;
    let [_, a, b, c] = u32::try_from(ticks & 0x00ff_ffff).unwrap_or_default().to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_said_twice_in_steps_of_ten_milliseconds_and_cut_where_it_cannot_be_said() {
        assert_eq!(playout_delay(Duration::ZERO), [0, 0, 0]);
        assert_eq!(playout_delay(Duration::from_millis(120)), [0, 0xc0, 0x0c]);
        assert_eq!(playout_delay(Duration::from_secs(100)), [0xff, 0xff, 0xff]);
    }

    #[test]
    fn the_place_of_the_time_is_found_among_other_extensions_and_nowhere_else() {
        let mut packet = vec![0x90; 12];
        packet.extend([0xbe, 0xde, 0, 3, 0x50, 7, 0, 0x92, 1, 2, 3, 0x22, 4, 5, 6, 0, 9, 9]);
        assert_eq!(place_of(&mut packet, 2).map(|place| place.to_vec()), Some(vec![4, 5, 6]));
        assert_eq!(place_of(&mut packet, 9).map(|place| place.to_vec()), Some(vec![1, 2, 3]));
        for number in [0, 3, 5] {
            assert!(place_of(&mut packet, number).is_none(), "{number}");
        }
        for length in 0..packet.len() {
            // Cut off anywhere it harms nobody.
            place_of(&mut packet[..length].to_vec(), 2);
        }
        packet[0] = 0x80;
        assert!(place_of(&mut packet, 2).is_none(), "without extensions");
    }

    #[test]
    fn a_time_is_said_in_fractions_of_a_second_and_goes_round_after_64() {
        assert_eq!(send_time(Duration::from_secs(1)), [4, 0, 0]);
        assert_eq!(send_time(Duration::from_millis(500)), [2, 0, 0]);
        assert_eq!(send_time(Duration::from_secs(65)), [4, 0, 0]);
    }
}
