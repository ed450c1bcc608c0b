//! What viewers are told of the camera, and which of it is new to whom. Must not know how it is said.

use crate::wire::What;

/// What is not as it should be, or not as it usually is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Troubles {
    /// The camera is closed because somebody wanted it so.
    pub(super) privacy: bool,
    /// The camera gives no picture.
    pub(super) no_picture: bool,
    /// The microphone gives no sound, or nothing but silence.
    pub(super) no_sound: bool,
}

impl Troubles {
    /// What is to be said to somebody who was last told `before`.
    pub(super) fn since(self, before: Self) -> impl Iterator<Item = What> {
        let news = |was: bool, is: bool, on, off| (was != is).then_some(if is { on } else { off });
        [
            news(before.privacy, self.privacy, What::PrivacyOn, What::PrivacyOff),
            news(before.no_picture, self.no_picture, What::CameraLost, What::CameraBack),
            news(before.no_sound, self.no_sound, What::SoundLost, What::SoundBack),
        ]
        .into_iter()
        .flatten()
    }
}
