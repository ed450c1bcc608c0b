//! The part of an RTP packet that travels in the clear. Must not know what is inside.

use std::collections::HashMap;

/// Whether a datagram is RTP, not RTCP, STUN or DTLS (RFC 7983 section 7, RFC 5761 section 4).
pub fn is_rtp(datagram: &[u8]) -> bool {
    datagram.len() >= 12 && (128..192).contains(&datagram[0]) && !(64..96).contains(&(datagram[1] & 0x7f))
}

/// Payload type and header extensions of an RTP packet: a bit for each number in the one-byte form (RFC 8285, section 4.2).
pub fn extensions(datagram: &[u8]) -> (u8, u16) {
    let &[first, second, ..] = datagram else { return (0, 0) };
    let (payload_type, mut found) = (second & 0x7f, 0);
    let start = 12 + usize::from(first & 0x0f) * 4;
    let Some(&[0xbe, 0xde, high, low, ref rest @ ..]) = datagram.get(start..).filter(|_| first & 0x10 != 0)
    else {
        return (payload_type, found);
    };
    let mut rest = rest.get(..usize::from(u16::from_be_bytes([high, low])) * 4).unwrap_or(rest);
    while let [head, tail @ ..] = rest {
        // Zero is padding.
        let length = if *head == 0 { 0 } else { usize::from(head & 0x0f) + 1 };
        found |= u16::from(*head != 0) << (head >> 4);
        rest = tail.get(length..).unwrap_or_default();
    }
    (payload_type, found)
}

/// Holes in the sequence numbers of every source.
#[derive(Debug, Default)]
pub struct Holes {
    sources: HashMap<u32, Source>,
}

#[derive(Debug)]
struct Source {
    highest: u16,
    /// Numbers from the first to the highest, both included.
    expected: u64,
    received: u64,
}

impl Holes {
    /// Takes one RTP packet.
    pub fn note(&mut self, datagram: &[u8]) {
        let &[_, _, high, low, _, _, _, _, a, b, c, d, ..] = datagram else { return };
        let number = u16::from_be_bytes([high, low]);
        let source = self.sources.entry(u32::from_be_bytes([a, b, c, d])).or_insert(Source {
            highest: number.wrapping_sub(1),
            expected: 0,
            received: 0,
        });
        let ahead = number.wrapping_sub(source.highest);
        if (1..0x8000).contains(&ahead) {
            source.highest = number;
            source.expected += u64::from(ahead);
        }
        source.received += 1;
    }

    /// Packets that are missing by now. One that comes late is no longer missing.
    pub fn count(&self) -> u64 {
        self.sources.values().map(|source| source.expected.saturating_sub(source.received)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(source: u8, number: u16) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        vec![0x80, 96, high, low, 0, 0, 0, 0, 0, 0, 0, source]
    }

    fn lost(numbers: &[u16]) -> u64 {
        let mut holes = Holes::default();
        numbers.iter().for_each(|number| holes.note(&packet(1, *number)));
        holes.count()
    }

    #[test]
    fn rtp_is_told_from_everything_else_on_the_socket() {
        assert!(is_rtp(&packet(1, 1)));
        let mut rtcp = packet(1, 1);
        rtcp[1] = 200;
        assert!(!is_rtp(&rtcp));
        assert!(!is_rtp(&[0; 20]), "STUN");
        assert!(!is_rtp(&[22; 20]), "DTLS");
        assert!(!is_rtp(&[0x80, 96]), "too short");
    }

    #[test]
    fn header_extensions_are_found_by_their_numbers() {
        let mut with = packet(1, 1);
        assert_eq!(extensions(&with), (96, 0));
        with[0] |= 0x10;
        with.extend([0xbe, 0xde, 0, 2, 5 << 4 | 2, 9, 9, 9, 0, 3 << 4, 9, 0, 7 << 4]);
        assert_eq!(extensions(&with), (96, 1 << 5 | 1 << 3));
        assert_eq!(extensions(&with[..18]), (96, 1 << 5), "cut short");
        assert_eq!(extensions(&with[..13]), (96, 0), "cut shorter");
    }

    #[test]
    fn holes_are_counted_over_the_wrap_and_filled_by_late_packets() {
        assert_eq!(lost(&[7, 8, 9]), 0);
        assert_eq!(lost(&[65534, 65535, 0, 3]), 2);
        assert_eq!(lost(&[10, 13, 11]), 1);
        assert_eq!(lost(&[10, 13, 11, 12]), 0);
    }

    #[test]
    fn every_source_counts_its_own_numbers() {
        let mut holes = Holes::default();
        holes.note(&packet(1, 5));
        holes.note(&packet(2, 900));
        holes.note(&packet(1, 7));
        assert_eq!(holes.count(), 1);
    }
}
