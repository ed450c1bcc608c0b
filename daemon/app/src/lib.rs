//! The daemon's shells: what is decided in `porthole-core` is performed here. Must not decide anything itself.

pub mod access;
pub mod addresses;
pub mod announce;
pub mod cli;
pub mod configuration;
pub mod control;
pub mod desk;
pub mod devices;
pub mod doctor;
pub mod exit;
mod hold;
pub mod keys;
pub mod link;
pub mod links;
pub mod logging;
pub mod machine;
pub mod media;
pub mod memory;
pub mod play;
pub mod privacy;
pub mod reload;
pub mod run;
pub mod state;
pub mod status;
pub mod systemd;
pub mod whole;
