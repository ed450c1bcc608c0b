//! What the camera writes into the header of every packet of the picture: that it is to be shown as it comes, and when it
//! was sent. And how much that was. Must not know calls.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Tells the browser how long to hold frames back (webrtc.org "playout-delay", version 1): minimum and maximum, twelve bits
/// each, in units of 10 ms.
pub const PLAYOUT_DELAY: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// When the packet was sent (webrtc.org "abs-send-time"): seconds as 6.18 bits, which a receiver that estimates what the
/// way carries compares with when packets arrive.
pub const SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// What was sent of the picture.
#[derive(Debug, Default)]
pub struct Sent {
    /// Bytes of payload.
    pub bytes: AtomicU64,
    /// Packets.
    pub packets: AtomicU32,
    /// The number of the last one.
    pub newest: AtomicU32,
    /// Bytes of payload in a packet of late, as a mean.
    pub each: AtomicU32,
    /// When each was sent, in milliseconds, at the place of its number.
    times: Times,
    /// Where the time goes, where it is written; 0: nowhere.
    send_time: AtomicU8,
    began: OnceLock<Instant>,
}

/// Of so many packets it is known when they were sent: of a second at least.
const TIMED: usize = 1024;

#[derive(Debug)]
struct Times(Box<[AtomicU32]>);

impl Default for Times {
    fn default() -> Self {
        Self((0..TIMED).map(|_| AtomicU32::default()).collect())
    }
}

impl Times {
    fn of(&self, number: u32) -> &AtomicU32 {
        // There are as many as the remainder can be.
        &self.0[usize::try_from(number).unwrap_or_default() % TIMED]
    }
}

impl Sent {
    /// How long ago the first packet was sent that has not come where those up to this number have; nothing where all have.
    /// `None`: it is so long ago that nobody knows.
    pub fn waits(&self, highest: u32) -> Option<Duration> {
        let next = highest.wrapping_add(1) & 0xffff;
        let behind = self.newest.load(Ordering::Relaxed).wrapping_sub(next) & 0xffff;
        if behind >= 0x8000 {
            return Some(Duration::ZERO);
        }
        let known = usize::try_from(behind).is_ok_and(|behind| behind < TIMED);
        let then = self.times.of(next).load(Ordering::Relaxed);
        known.then(|| Duration::from_millis(u64::from(self.millis().wrapping_sub(then))))
    }

    fn millis(&self) -> u32 {
        let millis = self.began.get().map_or(0, |began| began.elapsed().as_millis());
        u32::try_from(millis & u128::from(u32::MAX)).unwrap_or_default()
    }

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

/// What is written into each packet of one call's picture, and under which number.
#[derive(Debug)]
pub struct Stamps {
    delay: Option<(u8, [u8; 3])>,
    send_time: Option<u8>,
    began: Instant,
    sent: Arc<Sent>,
}

impl Stamps {
    /// As far as the offer has them among `extensions`. Frames are to be held back for `delay`.
    pub fn new(extensions: &[(u8, String)], delay: Duration) -> Self {
        let number = |wanted: &str| {
            let found = extensions.iter().find(|(_, uri)| uri == wanted).map(|(number, _)| *number);
            // 1 to 14 is what the one-byte form can say (RFC 8285, section 4.2).
            found.filter(|number| (1..=14).contains(number))
        };
        let (send_time, began, sent) = (number(SEND_TIME), Instant::now(), Arc::<Sent>::default());
        sent.send_time.store(send_time.unwrap_or_default(), Ordering::Relaxed);
        // Nobody else has it yet.
        let _ = sent.began.set(began);
        Self {
            delay: number(PLAYOUT_DELAY).map(|number| (number, playout_delay(delay))),
            send_time,
            began,
            sent,
        }
    }

    /// What is counted.
    pub fn sent(&self) -> Arc<Sent> {
        self.sent.clone()
    }

    /// Writes the header extension of a packet that leaves now; where there is something to say.
    pub fn write(&self, header: &mut Vec<u8>) {
        let send_time = self.send_time.map(|number| (number, send_time(self.began.elapsed())));
        let all = [self.delay, send_time];
        let words = all.iter().flatten().count();
        let Some(words) = u8::try_from(words).ok().filter(|words| *words > 0) else { return };
        header.extend([0xbe, 0xde, 0, words]);
        for (number, bytes) in all.iter().flatten() {
            // Three bytes, and one for number and length: nothing is left over of a word.
            header.push(number << 4 | 2);
            header.extend(bytes);
        }
    }

    /// Counts a packet with this number and so many bytes of payload.
    pub fn count(&self, number: u16, bytes: usize) {
        self.sent.bytes.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
        let before = self.sent.packets.fetch_add(1, Ordering::Relaxed);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let each = self.sent.each.load(Ordering::Relaxed);
        let mean = if before == 0 { bytes } else { each - each / 8 + bytes / 8 };
        self.sent.each.store(mean, Ordering::Relaxed);
        self.sent.times.of(number.into()).store(self.sent.millis(), Ordering::Relaxed);
        self.sent.newest.store(u32::from(number), Ordering::Relaxed);
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
    fn how_long_the_first_packet_that_has_not_come_is_on_its_way_is_known_across_the_end_of_numbers() {
        let stamps = Stamps::new(&[], Duration::ZERO);
        let sent = stamps.sent();
        for number in 0xfff0..=0xffff_u16 {
            stamps.count(number, 1000);
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        for number in 0..8 {
            stamps.count(number, 1000);
        }
        // 0xffff is the first that has not come, then 0; and all have.
        let [older, newer] = [0xfffe, 0xffff].map(|highest| sent.waits(highest).unwrap());
        assert!(older >= newer + Duration::from_millis(19), "{older:?}, {newer:?}");
        assert_eq!(
            sent.waits(0x5_0007),
            Some(Duration::ZERO),
            "how often numbers went round does not matter"
        );
        assert_eq!(sent.waits(0x0100), Some(Duration::ZERO), "nor what was never sent");
        assert_eq!(sent.waits(0xf000), None, "what was sent long ago is not known any more");
        assert_eq!(sent.each.load(Ordering::Relaxed), 1000);
    }

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
    fn the_extension_that_is_written_is_found_again_and_there_is_none_where_nothing_is_to_be_said() {
        let extensions = [(5, PLAYOUT_DELAY.to_owned()), (9, SEND_TIME.to_owned()), (3, "urn:x".to_owned())];
        let stamps = Stamps::new(&extensions, Duration::from_millis(120));
        let mut packet = vec![0x90; 12];
        stamps.write(&mut packet);
        assert_eq!((packet.len() - 12) % 4, 0);
        assert_eq!(place_of(&mut packet, 5).map(|place| place.to_vec()), Some(vec![0, 0xc0, 0x0c]));
        stamps.sent().stamp(&mut packet);
        assert!(place_of(&mut packet, 9).is_some() && place_of(&mut packet, 3).is_none());
        let mut plain = vec![0x80; 12];
        Stamps::new(&extensions[2..], Duration::ZERO).write(&mut plain);
        assert_eq!(plain.len(), 12);
    }

    #[test]
    fn a_time_is_said_in_fractions_of_a_second_and_goes_round_after_64() {
        assert_eq!(send_time(Duration::from_secs(1)), [4, 0, 0]);
        assert_eq!(send_time(Duration::from_millis(500)), [2, 0, 0]);
        assert_eq!(send_time(Duration::from_secs(65)), [4, 0, 0]);
    }
}
