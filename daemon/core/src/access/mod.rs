//! Who may watch: keys, what is proved with them, and the ring they hang on.
//!
//! A viewer holds a [`Key`]: it travels once, inside the fragment of a link, and after that only [`proof`]s of it do.
//! The camera holds the [`KeyRing`]. Must not know where keys are kept, how a message travels, nor what a call is.

mod key;
pub mod proof;
mod ring;

pub use key::{BadKey, Key, KeyId, Label, Role, Secret, Stamp};
pub use ring::{BadRing, KeyRing, Unknown, Unusable};
