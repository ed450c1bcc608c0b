//! Runs a target on a stable compiler: changes what is known by seeded chance, keeps what came of no input before, and
//! finds panics, also those of tasks that a runtime swallows. Must not know what a target does.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::mutate::mutate;
use crate::{Target, corpus};

/// Most inputs that are kept beside the corpus; then the oldest of them makes room.
const KEPT: usize = 4_000;
/// How often an input that does harm is tried shorter.
const SHORTENINGS: usize = 4_000;
/// Most changes, each of several at once, on the way to a new input.
const DEPTH: usize = 3;

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// Inputs that were tried, the corpus among them.
    pub inputs: u64,
    /// Outcomes that could be told apart.
    pub outcomes: usize,
    /// The whole run.
    pub took: Duration,
    /// The slowest input.
    pub slowest: Duration,
    /// The first harm that was done; the run ended there.
    pub finding: Option<Finding>,
}

/// An input that does harm.
#[derive(Debug, Clone)]
pub struct Finding {
    /// As short as it could be made.
    pub input: Vec<u8>,
    /// What was said.
    pub message: String,
}

thread_local! {
    /// What panics have said on this thread since it runs a target, in whatever task; `None`: it runs none.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Tries `inputs` inputs beside the corpus, the same ones for the same `seed`.
pub fn run(target: &Target, inputs: u64, seed: u64) -> Report {
    listen();
    let began = Instant::now();
    let mut report =
        Report { inputs: 0, outcomes: 0, took: Duration::ZERO, slowest: Duration::ZERO, finding: None };
    let mut chance = Chance(seed);
    let mut outcomes = HashSet::new();
    let mut known: Vec<Vec<u8>> = (target.corpus)();
    let first = known.len();
    let once_bad = corpus::of_target("found", target.name).into_iter().map(|(_, bytes)| bytes);
    let beginning: Vec<Vec<u8>> = known.iter().cloned().chain(once_bad).chain([Vec::new()]).collect();
    let mut oldest = first;
    let mut beginning = beginning.into_iter();
    while report.finding.is_none() {
        let (input, is_new) = match beginning.next() {
            Some(input) => (input, false),
            None if report.inputs >= inputs => break,
            None => (invent(target, &mut chance, &known), true),
        };
        let started = Instant::now();
        let came = attempt(target, &input);
        report.slowest = report.slowest.max(started.elapsed());
        report.inputs += 1;
        match came {
            Err(message) => report.finding = Some(shorten(target, input, message)),
            Ok(outcome) if outcomes.insert(outcome) && is_new => {
                if known.len() < first + KEPT {
                    known.push(input);
                } else {
                    known[oldest] = input;
                    oldest = if oldest + 1 < known.len() { oldest + 1 } else { first };
                }
            }
            Ok(_) => {}
        }
    }
    (report.outcomes, report.took) = (outcomes.len(), began.elapsed());
    report
}

/// Tries one input; an error is what a panic said.
///
/// # Errors
/// The harm that was done.
pub fn attempt(target: &Target, input: &[u8]) -> Result<u64, String> {
    listen();
    PANICS.set(Some(Vec::new()));
    let came = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let said = PANICS.take().unwrap_or_default();
    match (came, said.is_empty()) {
        (Ok(outcome), true) => Ok(outcome),
        _ => Err(said.join("\n")),
    }
}

fn invent(target: &Target, chance: &mut Chance, known: &[Vec<u8>]) -> Vec<u8> {
    let mut input = chance.of(known).clone();
    for _ in 0..1 + chance.below(DEPTH) {
        let other = chance.of(known).clone();
        input = mutate(chance, &input, &other, target.words);
    }
    input
}

/// Takes away what is not needed for the harm, lines first.
fn shorten(target: &Target, input: Vec<u8>, message: String) -> Finding {
    let mut finding = Finding { input, message };
    let mut left = SHORTENINGS;
    for separator in [Some(b'\n'), None] {
        let mut size = parts(&finding.input, separator).len() / 2;
        while size > 0 && left > 0 {
            let mut at = 0;
            while at < parts(&finding.input, separator).len() && left > 0 {
                left -= 1;
                let mut shorter = parts(&finding.input, separator);
                shorter.drain(at..(at + size).min(shorter.len()));
                let shorter = shorter.concat();
                match attempt(target, &shorter) {
                    Err(message) => finding = Finding { input: shorter, message },
                    Ok(_) => at += size,
                }
            }
            size /= 2;
        }
    }
    finding
}

/// Lines with their ends, or bytes.
fn parts(input: &[u8], separator: Option<u8>) -> Vec<Vec<u8>> {
    match separator {
        Some(separator) => input.split_inclusive(|byte| *byte == separator).map(<[u8]>::to_vec).collect(),
        None => input.chunks(1).map(<[u8]>::to_vec).collect(),
    }
}

/// Hears of every panic from now on. Those that no target caused are told as ever.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let ours = PANICS.with_borrow_mut(|said| said.as_mut().map(|said| said.push(panic.to_string())));
            if ours.is_none() {
                told(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAPS: Target = Target {
        name: "traps",
        run: |input| {
            assert!(!input.windows(4).any(|part| part == b"trap"), "stepped into it");
            u64::from(input.first().copied().unwrap_or_default())
        },
        corpus: || vec![b"one\ntwo\nthree\n".to_vec()],
        words: &["trap"],
    };

    #[test]
    fn what_does_harm_is_found_and_made_as_short_as_it_can_be() {
        let report = run(&TRAPS, 100_000, 7);
        let finding = report.finding.unwrap();
        assert_eq!(finding.input, b"trap");
        assert!(finding.message.contains("stepped into it"), "{}", finding.message);
    }

    #[test]
    fn the_same_seed_tries_the_same_inputs() {
        let harmless = Target { run: |input| input.iter().map(|byte| u64::from(*byte)).sum(), ..TRAPS };
        let (one, other) = (run(&harmless, 2_000, 3), run(&harmless, 2_000, 3));
        assert_eq!((one.inputs, one.outcomes), (other.inputs, other.outcomes));
        assert_ne!(one.outcomes, run(&harmless, 2_000, 4).outcomes);
        assert!(one.outcomes > 100 && one.finding.is_none());
    }

    #[test]
    fn a_panic_that_a_task_keeps_to_itself_is_heard() {
        let hidden = Target { run: |_| panic::catch_unwind(|| panic!("unheard")).is_ok().into(), ..TRAPS };
        assert!(run(&hidden, 1, 1).finding.unwrap().message.contains("unheard"));
    }
}
