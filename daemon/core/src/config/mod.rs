//! The configuration: as written, checked, and as meant. Must not read files or the environment itself.

pub mod settings;
