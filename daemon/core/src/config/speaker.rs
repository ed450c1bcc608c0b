//! What `[speaker]` means, and its rules. Must not know what speakers there are.

use super::reader::{Reader, is_printable, whole};

/// What is played when somebody talks back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerSettings {
    /// On what.
    pub sink: SpeakerSink,
    /// How loud, in percent of what comes.
    pub volume: u32,
    /// How many are heard at once.
    pub talkers: Talkers,
    /// What keeps the speaker out of the microphone.
    pub echo: Echo,
}

/// On what is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeakerSink {
    /// The first speaker where there is one, else nothing.
    Auto,
    /// An ALSA device, such as `default` or `hw:1,0`.
    Alsa(String),
    /// Nothing is heard, but how loud it would be is measured.
    Test,
    /// Nobody may talk back.
    None,
}

/// How many are heard at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talkers {
    /// Whoever asked first, until they have finished.
    One,
    /// Everybody who asks, up to [`TALKERS`](crate::wire::limits::TALKERS).
    Mix,
}

/// What keeps the speaker out of the microphone, so that whoever talks does not hear themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// [`Self::Cancel`] where this machine can, else [`Self::Half`].
    Auto,
    /// What was played is taken out of what the microphone hears.
    Cancel,
    /// The microphone is all but off while somebody talks.
    Half,
    /// Nothing, such as for a speaker that the microphone does not hear, or one that sees to it by itself.
    Off,
}

impl Default for SpeakerSettings {
    fn default() -> Self {
        Self { sink: SpeakerSink::Auto, volume: 100, talkers: Talkers::One, echo: Echo::Auto }
    }
}

/// Reads what is played on, and what of it the microphone may hear.
pub(super) fn speaker(section: &mut Reader<'_, '_>, default: SpeakerSettings) -> SpeakerSettings {
    let written = section.entry("device").is_some();
    let device = section.take("device", "default".to_owned(), |entry| {
        let name = entry.text()?;
        (!name.is_empty() && name.len() <= 255 && is_printable(name)).then(|| name.to_owned())
    });
    let auto = section.entry("sink").is_none_or(|entry| entry.text() == Some("auto"));
    if auto && written && device != "default" {
        section.contradict("device", r#"a device is only opened with sink = "alsa""#);
    }
    SpeakerSettings {
        sink: section.word(
            "sink",
            default.sink,
            &[
                ("auto", SpeakerSink::Auto),
                ("alsa", SpeakerSink::Alsa(device)),
                ("test", SpeakerSink::Test),
                ("none", SpeakerSink::None),
            ],
        ),
        volume: section.take("volume", default.volume, |entry| whole(entry, 1..=400)),
        talkers: section.word("talkers", default.talkers, &[("one", Talkers::One), ("mix", Talkers::Mix)]),
        echo: section.word(
            "echo",
            default.echo,
            &[("auto", Echo::Auto), ("cancel", Echo::Cancel), ("half", Echo::Half), ("off", Echo::Off)],
        ),
    }
}
