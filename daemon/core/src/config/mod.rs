//! The configuration: as written, checked, and as meant. Must not read files or the environment itself.
//!
//! [`load`] goes all the way: the TOML text with its line numbers (`file`), every rule there is (`check`, with
//! the keys of [`keys`]), and the [`settings`] as meant, in which nothing is left open. Everything that is wrong
//! is reported at once, as [`Findings`].

mod address;
mod camera;
mod changes;
mod check;
mod doubt;
mod error;
mod file;
mod ice;
pub mod keys;
mod publish;
mod reader;
mod relay;
pub mod secrets;
pub mod settings;
mod speaker;
mod summary;
mod tls;
mod twice;

pub use changes::Change;
pub use check::{load, load_for_relay, load_in_part};
pub use error::{Finding, Findings};
pub use file::line_of;
