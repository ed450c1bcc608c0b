//! What a refused offer costs. Prints a table, and fails on nothing: what is too much depends on the machine.
//!
//! `cargo test --release -p porthole-core --test access_cost -- --ignored --nocapture`

#![allow(clippy::unwrap_used)]

mod desk;

use std::hint::black_box;
use std::time::{Duration, Instant};

use desk::keys::*;
use desk::*;
use porthole_core::access::{Key, Stamp};
use porthole_core::command::Command;
use porthole_core::event::Event;
use porthole_core::wire::limits;
use serde_json::json;

const TIMES: u32 = 200;

#[test]
#[ignore = "measures"]
fn a_refused_offer_of_the_largest_size_costs() {
    let grandma = key("grandma");
    let lost = key("lost");
    let old = Key { until: Some(Stamp(1)), ..key("old") };
    let held = [grandma.clone(), lost.clone(), old.clone()];
    let line = "a=x-porthole-test:0123456789012345678901234567890123456789\r\n";
    let start = chromium("anna");
    let lines = (limits::SDP_BYTES - start.len()) / line.len();
    let sdp = start + &line.repeat(lines);
    assert!(sdp.len() > limits::SDP_BYTES - line.len());
    let knock = |key: &Key| Knock::with_sdp(key, "anna", "1", &sdp).unvouched();
    let taken = knock(&grandma);

    println!("{TIMES} offers of {} bytes each, through a relay that vouches for nobody:", sdp.len());
    for (what, knock) in [
        ("no proof", knock(&grandma).strip("proof")),
        ("an unknown key", knock(&key("thief"))),
        ("a revoked key", knock(&lost)),
        ("an expired key", knock(&old)),
        ("for another camera", knock(&grandma).change("to", json!("cam-door"))),
        ("another's key id", knock(&key("thief")).change("key", json!("grandma"))),
        ("the last byte changed", knock(&grandma).describe(|sdp| sdp.replace("9\r\n", "8\r\n"))),
        ("repeated after its call", taken.clone()),
    ] {
        let mut desk = Desk::keyed_elsewhere(&held);
        desk.on(without(&held, &lost));
        desk.live_with(&taken);
        desk.on(leaves(&grandma, "anna", "1"));
        let events: Vec<Event> = (0..TIMES).map(|_| knock.event()).collect();
        let mut slowest = Duration::ZERO;
        let began = Instant::now();
        for event in events {
            let one = Instant::now();
            let commands = black_box(desk.on(event));
            slowest = slowest.max(one.elapsed());
            assert!(
                commands
                    .iter()
                    .all(|command| matches!(command, Command::Send(sent) if sent.event == "refused"))
            );
        }
        let each = began.elapsed() / TIMES;
        assert!(desk.board.status().refusals.values().sum::<u64>() >= u64::from(TIMES));
        println!("{what:>24}: {:7.1} µs, slowest {:7.1} µs", micros(each), micros(slowest));
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
