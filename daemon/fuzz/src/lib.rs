//! Everything that strangers can hand to Porthole, each as a function that takes any bytes whatever.
//!
//! A [`Target`] reads its input as text made for being changed: messages, requests or events, one after the other. It
//! panics where something does not hold that has to hold for every input, and tells in a number what came of this one.
//! Whoever runs it ([`harness`] on a stable compiler, libFuzzer in `fuzz-libfuzzer/`) keeps what came of no input before
//! and goes on from there. A new target is a module in [`targets`] and a line in [`TARGETS`].
//!
//! Must not know how inputs come about, and never mends what it finds.

mod chance;
pub mod corpus;
pub mod harness;
mod mutate;
pub mod targets;

/// Something that takes input of strangers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called, and its folder in `seeds/` and `found/`.
    pub name: &'static str,
    /// Takes any input and tells what came of it.
    pub run: fn(&[u8]) -> u64,
    /// Real inputs, to begin with.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
}

/// Every target there is.
pub const TARGETS: &[Target] = &[
    targets::wire::TARGET,
    targets::dialects::TARGET,
    targets::sdp::TARGET,
    targets::access::TARGET,
    targets::players::TARGET,
    targets::rtcp::TARGET,
    targets::config::TARGET,
    targets::switchboard::TARGET,
    #[cfg(feature = "port")]
    targets::http::TARGET,
    #[cfg(feature = "port")]
    targets::connection::TARGET,
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
