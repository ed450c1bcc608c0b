//! What Porthole decides, without touching anything.
//!
//! A [`switchboard::Switchboard`] holds every call. Its owner (the desk) does three things, for ever:
//!
//! 1. **feed**: `handle(event, now)`, once for each thing that happened;
//! 2. **drain**: `poll_command()` until it answers `None`, performing each command in the order given;
//! 3. **sleep**: until `poll_timeout()` or the next event; a timeout that passes is fed with `handle_timeout(now)`.
//!
//! This crate never reads a clock, never draws a random number, never opens a file or a socket, never logs and
//! never spawns. Time arrives as an argument, and everything to be done leaves as a [`command::Command`].
//! It knows nothing of GStreamer, of Socket.IO libraries or of HTTP.
#![forbid(unsafe_code)]

pub mod access;
pub mod adapt;
pub mod command;
pub mod config;
pub mod doctor;
pub mod event;
pub mod ice;
pub mod ids;
pub mod order;
pub mod path;
pub mod plan;
pub mod publish;
pub mod rtcp;
pub mod sdp;
pub mod service;
pub mod shown;
pub mod speaker;
pub mod status;
pub mod switchboard;
pub mod whep;
pub mod wire;
