//! The daemon.
pub mod media;
