//! What one call writes itself in front of every packet of one m-line: its own numbers, which go on whatever the packets
//! are drawn from. Must not know where they come from.

use super::frame::{Frame, HEADER, Packet};
use crate::media::stamps::Stamps;

/// The numbers of pictures have 15 bits.
const PICTURES: u16 = 0x7fff;

/// The writer of one m-line's headers.
#[derive(Debug)]
pub struct Label {
    payload_type: u8,
    ssrc: u32,
    /// The number of the next packet.
    next: u16,
    /// What the time on the RTP clock is shifted by.
    shift: u32,
    stamps: Option<Stamps>,
    /// The fan that the last frame came from, and what the numbers of its pictures are shifted by.
    source: Option<(u64, u16)>,
    picture: u16,
}

impl Label {
    /// Starts at a number and a time that nobody can guess (RFC 3550, section 5.1).
    pub fn new(payload_type: u8, ssrc: u32, stamps: Option<Stamps>) -> Self {
        // SRTP loses count where the numbers go round before the first packet has arrived (RFC 3711, section 3.3.1).
        let next = fastrand::u16(..0x8000);
        Self {
            payload_type,
            ssrc,
            next,
            shift: fastrand::u32(..),
            stamps,
            source: None,
            picture: fastrand::u16(..PICTURES),
        }
    }

    /// The packets of a frame as this call sends them. The payload is not copied.
    pub fn write(&mut self, frame: &Frame) -> gst::BufferList {
        let mut list = gst::BufferList::new_sized(frame.packets.len());
        if let Some(writable) = list.get_mut() {
            for packet in &frame.packets {
                if let Some(buffer) = self.packet(frame, packet) {
                    writable.add(buffer);
                }
            }
        }
        list
    }

    fn packet(&mut self, frame: &Frame, packet: &Packet) -> Option<gst::Buffer> {
        let number = self.next;
        let mut header = Vec::with_capacity(HEADER + 16);
        header.extend([0x80, u8::from(packet.marker) << 7 | self.payload_type & 0x7f]);
        header.extend(number.to_be_bytes());
        header.extend(packet.timestamp.wrapping_add(self.shift).to_be_bytes());
        header.extend(self.ssrc.to_be_bytes());
        if let Some(stamps) = &self.stamps {
            stamps.write(&mut header);
        }
        if header.len() > HEADER {
            header[0] |= 0x10;
        }
        let extended = header.len();
        if let Some((lead, picture)) = packet.picture {
            header.extend(lead);
            header.extend((self.shifted(frame.source, picture) | 0x8000).to_be_bytes());
        }
        let payload = frame.payload(packet);
        let bytes = header.len() - extended + payload.size();
        let mut buffer = gst::Buffer::with_size(header.len()).ok()?;
        let writable = buffer.get_mut()?;
        writable.copy_from_slice(0, &header).ok()?;
        writable.append_memory(payload);
        writable.set_pts(frame.at);
        if packet.marker {
            writable.set_flags(gst::BufferFlags::MARKER);
        }
        self.next = number.wrapping_add(1);
        if let Some(stamps) = &self.stamps {
            stamps.count(number, bytes);
        }
        Some(buffer)
    }

    /// The number of a picture as this viewer sees it: the first one of another fan follows the last one of the fan before.
    fn shifted(&mut self, source: u64, picture: u16) -> u16 {
        let shift = match self.source {
            Some((last, shift)) if last == source => shift,
            _ => self.picture.wrapping_add(1).wrapping_sub(picture) & PICTURES,
        };
        self.source = Some((source, shift));
        self.picture = picture.wrapping_add(shift) & PICTURES;
        self.picture
    }
}
