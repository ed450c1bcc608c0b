//! One frame as the packets that carry it: made once for all calls, without what each call writes itself. Must not know
//! calls.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Bytes of an RTP header without extensions (RFC 3550, section 5.1).
pub const HEADER: usize = 12;
/// Bytes of a VP8 payload descriptor with a picture's number of 15 bits (RFC 7741, section 4.2).
const DESCRIPTOR: usize = 4;

/// One frame of the picture, or one packet of sound.
#[derive(Debug, Default)]
pub struct Frame {
    /// The number of the fan that gives it.
    pub source: u64,
    /// Whether it can be shown without those before it.
    pub key: bool,
    /// Whether some before it are missing.
    pub broken: bool,
    /// When it is from, as running time.
    pub at: Option<gst::ClockTime>,
    /// What carries it, in order.
    pub packets: Vec<Packet>,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// One packet.
#[derive(Debug)]
pub struct Packet {
    /// The last of its frame.
    pub marker: bool,
    /// On the RTP clock, counted from running time 0.
    pub timestamp: u32,
    /// The number of the picture, where its payload says one, with the two bytes in front of it.
    pub picture: Option<([u8; 2], u16)>,
    /// The payload, or what follows the number of the picture.
    payload: Range<usize>,
    /// The same as GStreamer holds it: once, however many are sent it.
    memory: OnceLock<gst::Memory>,
}

/// A part of a frame's bytes, as GStreamer may hold it for as long as it likes.
struct Payload(Arc<Vec<u8>>, Range<usize>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self.0.get(self.1.clone()).unwrap_or_default()
    }
}

impl Frame {
    /// The payload of one of its packets, which is not copied.
    pub fn payload(&self, packet: &Packet) -> gst::Memory {
        let make = || gst::Memory::from_slice(Payload(self.bytes.clone(), packet.payload.clone()));
        packet.memory.get_or_init(make).clone()
    }

    /// Bytes that it takes in memory, about.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Takes one packet as a payloader wrote it; answers whether it is the last of the frame. `vp8`: its payload is that.
    pub fn add(&mut self, buffer: &gst::BufferRef, vp8: bool) -> bool {
        let mut header = [0; HEADER];
        // With neither extensions nor sources: our payloaders write none.
        if buffer.size() < HEADER || buffer.copy_to_slice(0, &mut header).is_err() || header[0] != 0x80 {
            return false;
        }
        // Nobody else holds them while it is being made.
        let bytes = Arc::make_mut(&mut self.bytes);
        let start = bytes.len();
        bytes.resize(start + buffer.size() - HEADER, 0);
        let _ = buffer.copy_to_slice(HEADER, &mut bytes[start..]);
        let picture = if vp8 { picture(&bytes[start..]) } else { None };
        let payload = start + if picture.is_some() { DESCRIPTOR } else { 0 }..bytes.len();
        let marker = header[1] & 0x80 != 0;
        let timestamp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        self.packets.push(Packet { marker, timestamp, picture, payload, memory: OnceLock::new() });
        marker
    }

    /// Makes room for so many bytes and packets more.
    pub fn reserve(&mut self, bytes: usize, packets: usize) {
        Arc::make_mut(&mut self.bytes).reserve_exact(bytes);
        self.packets.reserve_exact(packets);
    }
}

/// The number of the picture in a VP8 payload descriptor (RFC 7741, section 4.2), where it has 15 bits.
fn picture(payload: &[u8]) -> Option<([u8; 2], u16)> {
    let &[first, extension, high, low, ..] = payload else { return None };
    let said = first & 0x80 != 0 && extension & 0x80 != 0 && high & 0x80 != 0;
    said.then_some(([first, extension], u16::from_be_bytes([high & 0x7f, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_taken_apart_and_one_that_is_none_is_left_out() {
        gst::init().unwrap();
        let mut frame = Frame::default();
        let mut packet = vec![0x80, 0x80 | 96, 0, 1, 0, 0, 1, 2, 9, 9, 9, 9];
        packet.extend([0x90, 0x80, 0x81, 0x02, 7, 8]);
        assert!(frame.add(&gst::Buffer::from_slice(packet.clone()), true));
        assert!(frame.add(&gst::Buffer::from_slice(packet.clone()), false));
        for length in 0..HEADER {
            assert!(!frame.add(&gst::Buffer::from_slice(packet[..length].to_vec()), true));
        }
        assert_eq!(frame.packets.len(), 2);
        assert_eq!((frame.packets[0].timestamp, frame.packets[0].marker), (258, true));
        assert_eq!(frame.packets[0].picture, Some(([0x90, 0x80], 0x0102)));
        let bytes = |place: usize| frame.payload(&frame.packets[place]).map_readable().unwrap().to_vec();
        assert_eq!((bytes(0), bytes(1)), (vec![7, 8], packet[HEADER..].to_vec()));
    }
}
