//! What somebody would see of the frames that come: whether a frame can be shown, and when the picture stands still, as
//! browsers count it. Must not know how frames are received.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Over so many frames the usual time between two is measured (W3C WebRTC statistics, `freezeCount`).
const FRAMES: usize = 30;
/// A pause is a freeze where it is longer than the usual one by this, and three times as long.
const LONGER: Duration = Duration::from_millis(150);

/// See the module's first lines.
#[derive(Debug, Default)]
pub(super) struct Screen {
    shown: u64,
    /// Something is missing that later frames refer to.
    torn: bool,
    last: Option<Instant>,
    pauses: VecDeque<Duration>,
}

impl Screen {
    /// A frame has come. For how long the picture stood still before it, where it did.
    pub(super) fn note(&mut self, key: bool, follows: bool, now: Instant) -> Option<Duration> {
        self.torn = !key && (self.torn || !(follows || self.last.is_none()));
        if self.torn {
            return None;
        }
        self.shown += 1;
        let pause = now.saturating_duration_since(self.last.replace(now)?);
        let usual =
            self.pauses.iter().sum::<Duration>() / u32::try_from(self.pauses.len().max(1)).unwrap_or(1);
        let known = self.pauses.len() == FRAMES;
        if known {
            self.pauses.pop_front();
        }
        self.pauses.push_back(pause);
        (known && pause > (usual * 3).max(usual + LONGER)).then_some(pause)
    }

    /// Frames that could be shown.
    pub(super) fn shown(&self) -> u64 {
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pause_is_a_freeze_and_so_is_what_waits_for_a_key_frame() {
        let (mut screen, mut now) = (Screen::default(), Instant::now());
        let frame = Duration::from_millis(33);
        let mut play = |screen: &mut Screen, count: u32, key: bool, follows: bool| {
            let mut froze = None;
            for _ in 0..count {
                now += frame;
                froze = screen.note(key, follows, now).or(froze);
            }
            froze
        };
        assert_eq!(play(&mut screen, 1, true, false), None);
        assert_eq!(play(&mut screen, 40, false, true), None);
        // One is lost, and ten refer to it.
        assert_eq!(play(&mut screen, 1, false, false), None);
        assert_eq!(play(&mut screen, 9, false, true), None);
        assert_eq!(play(&mut screen, 1, true, true), Some(11 * frame));
        assert_eq!(screen.shown(), 42);
        assert_eq!(play(&mut screen, 10, false, true), None);
    }
}
