//! What viewers report of the packets that reach them (RTCP). Must not know what is made of it.

use porthole_core::rtcp::{Reception, keep_for};

use super::Outcome;
use crate::Target;

/// A compound of packets as it was on the wire.
pub const TARGET: Target = Target { name: "rtcp", run, corpus: seeds, words: &["REMB"] };

/// The stream that it is about.
const OURS: u32 = 0x1234_5678;

fn seeds() -> Vec<Vec<u8>> {
    // As Chromium and Firefox write them: a receiver's report with two blocks, an estimate, and packets asked for again.
    let block = |about: u32| {
        let mut block = about.to_be_bytes().to_vec();
        block.extend([26, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 3, 0, 1, 0, 0, 0, 1, 0, 0]);
        block
    };
    let report = [&[0x82, 201, 0, 13, 0, 0, 0, 1][..], &block(OURS), &block(7)].concat();
    let mut estimate =
        vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0x0d, 0xe8, 0x48];
    estimate.extend(OURS.to_be_bytes());
    let mut again = vec![0x81, 205, 0, 4, 0, 0, 0, 1];
    again.extend(OURS.to_be_bytes());
    again.extend([0, 5, 0, 0, 0, 9, 0x80, 0x01]);
    let all = [&report[..], &estimate, &again].concat();
    vec![report, estimate, again, all]
}

fn run(input: &[u8]) -> u64 {
    let said = Reception::read(input, OURS, 0x0003_0000);
    let mut outcome = Outcome::default();
    outcome.note((
        said.losses.map(|losses| losses.lost.leading_zeros()),
        said.again.min(40),
        said.round_trip.is_some(),
    ));
    outcome.note(said.estimate.map(u32::leading_zeros));
    assert!(said.losses.is_none_or(|losses| losses.lost < 0x80_0000), "{said:?}");
    // Each packet that is asked for again takes a bit at least.
    assert!(said.again as usize <= input.len() * 8, "{said:?}");
    assert!(said.round_trip.is_none_or(|trip| keep_for(trip).as_secs() <= 2), "{said:?}");
    let mut twice = said;
    twice.add(said);
    assert_eq!((twice.losses, twice.estimate), (said.losses, said.estimate));
    outcome.number()
}
