//! What a viewer says back about the packets that reach it (RTCP: RFC 3550 section 6, RFC 4585 section 6). Reads what a
//! stranger may have written; must not know what is made of it.

use std::time::Duration;

/// A sender's and a receiver's report.
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
/// Feedback about packets, and about pictures.
const PACKET_FEEDBACK: u8 = 205;
const PICTURE_FEEDBACK: u8 = 206;
/// Kinds of feedback, by the number in the header.
const NACK: u8 = 1;
const APPLICATION: u8 = 15;
/// Bytes of one report block.
const BLOCK_BYTES: usize = 24;
/// Bytes of a sender's report before its blocks, behind the first four.
const SENDER_BYTES: usize = 24;
/// A round trip longer than this is none.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(30);
/// For how long packets are kept at least, and at most. A packet that a full queue had no room for is missed only when that
/// queue has passed, which may have come into being since a trip was measured.
const KEEP_LEAST: Duration = Duration::from_millis(600);
const KEEP_MOST: Duration = Duration::from_secs(2);

/// What one compound of RTCP packets says of one stream of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reception {
    /// What has come so far, and what has not.
    pub losses: Option<Losses>,
    /// How long something takes there and back.
    pub round_trip: Option<Duration>,
    /// What the viewer's end believes that the way carries, in kbit/s, everything included (REMB).
    pub estimate: Option<u32>,
    /// Packets that are asked for again.
    pub again: u32,
}

/// Packets of one stream since its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// The highest number that has come, with how often numbers went round above it.
    pub highest: u32,
    /// How many have not come.
    pub lost: u32,
}

impl Reception {
    /// Reads `compound` as far as it can be read. `ssrc`: the stream of ours that losses are of. `now`: the middle 32 bits of
    /// the NTP time at which it arrived, by the clock that our own reports are written with.
    pub fn read(compound: &[u8], ssrc: u32, now: u32) -> Self {
        let mut said = Self::default();
        let mut rest = compound;
        while let Some((packet, more)) = first(rest) {
            rest = more;
            let [head, kind, _, _, body @ ..] = packet else { break };
            let count = head & 0x1f;
            match (*kind, count) {
                (SENDER_REPORT, _) => {
                    said.blocks(body.get(SENDER_BYTES..).unwrap_or_default(), count, ssrc, now)
                }
                (RECEIVER_REPORT, _) => said.blocks(body.get(4..).unwrap_or_default(), count, ssrc, now),
                (PACKET_FEEDBACK, NACK) => said.again(body),
                (PICTURE_FEEDBACK, APPLICATION) => {
                    said.estimate = remb(body).or(said.estimate);
                }
                _ => {}
            }
        }
        said
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was said `later`.
    pub fn add(&mut self, later: Self) {
        self.losses = later.losses.or(self.losses);
        self.round_trip = later.round_trip.or(self.round_trip);
        self.estimate = later.estimate.or(self.estimate);
        self.again = self.again.saturating_add(later.again);
    }

    fn blocks(&mut self, blocks: &[u8], count: u8, ssrc: u32, now: u32) {
        for block in blocks.chunks_exact(BLOCK_BYTES).take(usize::from(count)) {
            let (Some(about), Some(last), Some(since)) = (word(block, 0), word(block, 16), word(block, 20))
            else {
                return;
            };
            self.round_trip = round_trip(now, last, since).or(self.round_trip);
            if about == ssrc {
                let (lost, highest) =
                    (word(block, 4).unwrap_or_default(), word(block, 8).unwrap_or_default());
                // Signed, in 24 bits: one that came twice counts against one that did not come.
                let lost = lost & 0x00ff_ffff;
                self.losses = Some(Losses { highest, lost: if lost >= 0x80_0000 { 0 } else { lost } });
            }
        }
    }

    /// Each entry names one packet, and as many of the sixteen behind it as it has bits.
    fn again(&mut self, body: &[u8]) {
        for entry in body.get(8..).unwrap_or_default().chunks_exact(4) {
            let bits = entry.get(2..).unwrap_or_default().iter().map(|byte| byte.count_ones()).sum::<u32>();
            self.again = self.again.saturating_add(1 + bits);
        }
    }
}

/// The first packet of a compound, and what follows it.
fn first(compound: &[u8]) -> Option<(&[u8], &[u8])> {
    let &[head, _, high, low, ..] = compound else { return None };
    let bytes = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
    (head >> 6 == 2).then_some(())?;
    compound.split_at_checked(bytes)
}

/// Receiver Estimated Maximum Bitrate (draft-alvestrand-rmcat-remb, section 2.2), in kbit/s.
fn remb(body: &[u8]) -> Option<u32> {
    let said = body.get(8..16)?;
    let &[b'R', b'E', b'M', b'B', _, a, b, c] = said else { return None };
    let mantissa = u64::from(u32::from_be_bytes([0, a & 0x03, b, c]));
    let bits = mantissa.checked_shl(u32::from(a >> 2)).filter(|bits| bits >> (a >> 2) == mantissa)?;
    Some(u32::try_from(bits / 1000).unwrap_or(u32::MAX))
}

/// From when a report of ours was sent (`last`) and how long the viewer kept it (`since`), in 1/65536 s.
fn round_trip(now: u32, last: u32, since: u32) -> Option<Duration> {
    let ticks = now.wrapping_sub(last).wrapping_sub(since);
    let micros = u64::from(ticks) * 1_000_000 / 65_536;
    let trip = Duration::from_micros(micros);
    (last != 0 && trip <= LONGEST_ROUND_TRIP).then_some(trip)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// How long a packet is kept for a viewer that has lost it: long enough to be asked for a few times, and no longer than it
/// would still be shown.
pub fn keep_for(round_trip: Duration) -> Duration {
    (round_trip * 4).clamp(KEEP_LEAST, KEEP_MOST)
}
