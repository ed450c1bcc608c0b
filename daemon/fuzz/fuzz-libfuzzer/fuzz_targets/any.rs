//! The target that the program is called like, for libFuzzer. Must not know what it does.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(target) = porthole_fuzz::target(env!("CARGO_BIN_NAME")) else {
        panic!("no target is called {}", env!("CARGO_BIN_NAME"))
    };
    (target.run)(input);
    Corpus::Keep
});
