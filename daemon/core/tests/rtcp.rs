//! Reading what viewers report, as browsers write it and as they do not.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use porthole_core::rtcp::{Losses, Reception, keep_for};

const OURS: u32 = 0x1234_5678;

/// A receiver's report of Chromium with one block, and what it estimates behind it.
fn report(about: u32, lost: u8, last: u32, since: u32) -> Vec<u8> {
    let mut packet = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
    packet.extend(about.to_be_bytes());
    packet.extend([7, 0, 0, lost]);
    packet.extend([0, 1, 1, 0, 0, 0, 0, 3]);
    packet.extend(last.to_be_bytes());
    packet.extend(since.to_be_bytes());
    packet
}

fn lost(lost: u32) -> Option<Losses> {
    Some(Losses { highest: 0x1_0100, lost })
}

fn remb(exponent: u8, mantissa: u32) -> Vec<u8> {
    let [_, high, middle, low] = mantissa.to_be_bytes();
    let mut packet = vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0];
    packet.extend(b"REMB");
    packet.extend([1, exponent << 2 | high & 3, middle, low]);
    packet.extend(OURS.to_be_bytes());
    packet
}

fn read(compound: &[u8]) -> Reception {
    Reception::read(compound, OURS, 0x0003_0000)
}

#[test]
fn loss_trip_and_estimate_are_read_out_of_one_compound() {
    // Sent at 1.0, kept for 1.5 s, and here at 3.0.
    let compound = [report(OURS, 64, 0x0001_0000, 0x0001_8000), remb(3, 125_000)].concat();
    let said = read(&compound);
    assert_eq!(said.losses, Some(Losses { highest: 0x1_0100, lost: 64 }));
    assert_eq!(said.round_trip, Some(Duration::from_millis(500)));
    assert_eq!(said.estimate, Some(1000));
    assert_eq!(said.again, 0);
}

#[test]
fn a_report_of_another_stream_tells_the_trip_and_no_loss() {
    let said = read(&report(7, 64, 0x0002_0000, 0));
    assert_eq!((said.losses, said.round_trip), (None, Some(Duration::from_secs(1))));
}

#[test]
fn a_viewer_that_has_heard_no_report_of_ours_tells_no_trip() {
    assert_eq!(read(&report(OURS, 0, 0, 0)), Reception { losses: lost(0), ..Reception::default() });
    // Nor does one whose clock is nonsense.
    assert_eq!(read(&report(OURS, 0, 0x0004_0000, 0)).round_trip, None);
}

#[test]
fn packets_that_came_twice_are_not_more_than_were_sent() {
    let mut packet = report(OURS, 0, 0, 0);
    packet[13..16].fill(0xff);
    assert_eq!(read(&packet).losses, lost(0));
}

#[test]
fn a_sender_s_report_has_its_blocks_behind_what_it_sent() {
    let mut packet = vec![0x81, 200, 0, 12, 0, 0, 0, 1];
    packet.extend([0; 20]);
    packet.extend(&report(OURS, 128, 0, 0)[8..]);
    assert_eq!(read(&packet).losses, lost(128));
}

#[test]
fn packets_asked_for_again_are_counted_with_the_bits_behind_each() {
    let mut packet = vec![0x81, 205, 0, 4, 0, 0, 0, 1];
    packet.extend(OURS.to_be_bytes());
    packet.extend([0, 5, 0, 0, 0, 9, 0x80, 0x01]);
    assert_eq!(read(&packet).again, 4);
}

#[test]
fn an_estimate_beyond_what_can_be_written_is_none_and_a_huge_one_is_cut() {
    assert_eq!(read(&remb(63, 0x3_ffff)).estimate, None);
    assert_eq!(read(&remb(40, 1)).estimate, Some(1_099_511_627));
    assert_eq!(read(&remb(47, 0x3_ffff)).estimate, None);
    assert_eq!(read(&remb(46, 0x3_ffff)).estimate, Some(u32::MAX));
}

#[test]
fn what_is_cut_off_or_none_of_it_says_nothing() {
    let whole = [report(OURS, 64, 0, 0), remb(3, 125_000)].concat();
    for length in 0..whole.len() {
        let said = read(&whole[..length]);
        assert!(said.estimate.is_none() && (length >= 32 || said.is_empty()), "{length} bytes");
    }
    assert!(read(&[0x41, 201, 0, 0]).is_empty(), "version 1");
    assert!(read(&[0xff; 1500]).is_empty());
    // More blocks than there are.
    let mut many = report(OURS, 64, 0, 0);
    many[0] = 0x9f;
    assert_eq!(read(&many).losses, lost(64));
}

#[test]
fn what_comes_between_two_readings_is_put_together() {
    let mut all = read(&report(OURS, 128, 0, 0));
    all.add(read(&report(OURS, 64, 0x0002_0000, 0)));
    all.add(read(&remb(0, 200_000)));
    let sum = Reception {
        losses: lost(64),
        round_trip: Some(Duration::from_secs(1)),
        estimate: Some(200),
        again: 0,
    };
    assert_eq!(all, sum);
}

#[test]
fn packets_are_kept_for_four_round_trips_within_bounds() {
    let kept = [0, 5, 100, 300, 5000].map(|trip| keep_for(Duration::from_millis(trip)).as_millis());
    assert_eq!(kept, [600, 600, 600, 1200, 2000]);
}
