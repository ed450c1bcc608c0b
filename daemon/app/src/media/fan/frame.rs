//! One frame as the packets that carry it: made once for all calls, without what each call writes itself. Must not know
//! calls.

use std::ops::Range;
use std::sync::Arc;

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
    pub(super) bytes: Vec<u8>,
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
}

/// The payload of a packet of a frame, as GStreamer may hold it for as long as it likes.
struct Payload(Arc<Frame>, usize);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        let packet = self.0.packets.get(self.1);
        packet.and_then(|packet| self.0.bytes.get(packet.payload.clone())).unwrap_or_default()
    }
}

impl Frame {
    /// The payload of the packet at this place, which is not copied.
    pub fn payload(self: &Arc<Self>, place: usize) -> gst::Memory {
        gst::Memory::from_slice(Payload(self.clone(), place))
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
        let start = self.bytes.len();
        self.bytes.resize(start + buffer.size() - HEADER, 0);
        let _ = buffer.copy_to_slice(HEADER, &mut self.bytes[start..]);
        let picture = if vp8 { picture(&self.bytes[start..]) } else { None };
        let payload = start + if picture.is_some() { DESCRIPTOR } else { 0 }..self.bytes.len();
        let marker = header[1] & 0x80 != 0;
        let timestamp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        self.packets.push(Packet { marker, timestamp, picture, payload });
        marker
    }

    /// Makes room for so many bytes and packets more.
    pub fn reserve(&mut self, bytes: usize, packets: usize) {
        self.bytes.reserve_exact(bytes);
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
        let frame = Arc::new(frame);
        assert_eq!(frame.packets.len(), 2);
        assert_eq!((frame.packets[0].timestamp, frame.packets[0].marker), (258, true));
        assert_eq!(frame.packets[0].picture, Some(([0x90, 0x80], 0x0102)));
        let bytes = |place| frame.payload(place).map_readable().unwrap().to_vec();
        assert_eq!((bytes(0), bytes(1)), (vec![7, 8], packet[HEADER..].to_vec()));
    }
}
