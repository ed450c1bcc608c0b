//! The fixed list of words that say why a call was refused or has ended.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $word:literal : $text:literal,)*) => {
        /// Why a call was refused (`refused`) or has ended (`bye`). One word on the wire, one sentence for a person.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[doc = $text] #[serde(rename = $word)] $variant,)*
        }

        impl Reason {
            /// Every word there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The sentence for a person.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    Busy = "busy": "the camera already serves as many viewers as it may",
    NoCodec = "no-codec": "the browser and the camera have no picture format in common",
    NoBundle = "no-bundle": "the offer does not put all media on one transport (BUNDLE)",
    NotAllowed = "not-allowed": "this viewer is not let in",
    ExpiredKey = "expired-key": "the key's end date has passed",
    RevokedKey = "revoked-key": "the key was taken back",
    BadOffer = "bad-offer": "the offer could not be read",
    BadAnswer = "bad-answer": "the answer could not be read or does not fit the camera's offer",
    BadMessage = "bad-message": "the message could not be read",
    TooLarge = "too-large": "the message is larger than anything the camera reads",
    TooOften = "too-often": "too many offers in too short a time",
    CallAgain = "call-again": "a call cannot be changed; hang up and call again",
    CameraLost = "camera-lost": "the camera gives no picture",
    NotHere = "not-here": "the camera is not in the room now",
    ShuttingDown = "shutting-down": "the camera is being switched off or restarted",
    HangUp = "hang-up": "the other side hung up",
    Replaced = "replaced": "a newer call took its place",
    Silent = "silent": "nothing was heard from the viewer any more",
    NoAnswer = "no-answer": "the viewer did not answer the camera's offer",
    NoConnection = "no-connection": "no network path to the viewer worked",
    TooSlow = "too-slow": "the picture piled up on its way to the viewer: its connection, or the camera's board, is too slow",
    Failed = "failed": "the call failed inside the camera",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
