//! The microphones and speakers of this machine, as the kernel lists them. Looks anew each time it is asked. Must not
//! open one.

use std::fs;
use std::path::PathBuf;

use porthole_core::plan::sound::{self, Pcm};

/// Every device of every sound card.
pub fn all() -> Vec<Pcm> {
    let read = |name: &str| fs::read_to_string(format!("/proc/asound/{name}")).unwrap_or_default();
    sound::read(&read("cards"), &read("pcm"))
}

/// The names that this machine's ALSA configuration defines beside those of the cards.
pub fn own_names() -> Vec<String> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".asoundrc"));
    let files = [Some(PathBuf::from("/etc/asound.conf")), home];
    let texts = files.into_iter().flatten().filter_map(|file| fs::read_to_string(file).ok());
    sound::own_names(&texts.collect::<String>())
}

/// The microphone that `"auto"` means here, if there is one.
pub fn first() -> Option<String> {
    let own_default = own_names().iter().any(|name| name == "default");
    sound::microphone(&all(), own_default).map(str::to_owned)
}
