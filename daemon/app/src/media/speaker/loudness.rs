//! How loud what is played is. Must not know what it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Nothing was looked at.
const UNKNOWN: i32 = i32::MIN;
/// What is as good as silence, in dB below the loudest there is.
const SILENCE: i32 = -100;
/// What is louder is sound.
const SOUND: i32 = -55;
/// After so much silence sound is something new.
const PAUSE: Duration = Duration::from_millis(200);

/// The loudest moment since somebody asked last.
#[derive(Debug, Clone)]
pub struct Loudness(Arc<AtomicI32>);

impl Loudness {
    /// Of nothing yet, and what looks at every bit of sound: samples of 16 bits, little-endian.
    pub fn new() -> (Self, impl FnMut(&[u8]) + Send + 'static) {
        let loudness = Self(Arc::new(AtomicI32::new(UNKNOWN)));
        let loudest = loudness.clone();
        let mut loud: Option<Instant> = None;
        let look = move |samples: &[u8]| {
            let level = level(samples);
            loudest.0.fetch_max(level, Ordering::Relaxed);
            if level > SOUND {
                if loud.is_none_or(|last| last.elapsed() >= PAUSE) {
                    log::debug!("sound at the speaker");
                }
                loud = Some(Instant::now());
            }
        };
        (loudness, look)
    }

    /// In dB below the loudest there is; `None`: nothing was played.
    pub fn take(&self) -> Option<i32> {
        Some(self.0.swap(UNKNOWN, Ordering::Relaxed)).filter(|level| *level != UNKNOWN)
    }
}

/// The mean of a few milliseconds, in dB; 0 is the loudest there is.
fn level(samples: &[u8]) -> i32 {
    let samples: Vec<f64> = samples
        .chunks_exact(2)
        .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0)
        .collect();
    let mean = samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len().max(1) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "between -100 and 0")]
    let level = (10.0 * mean.max(1e-10).log10()).round() as i32;
    level.max(SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_as_loud_as_it_is_and_silence_is_known_as_such() {
        let tone = |height: f64| -> Vec<u8> {
            let sample = |n: i32| (f64::from(n) / 48.0 * std::f64::consts::TAU).sin() * height * 32_767.0;
            (0..480).flat_map(|n| (sample(n) as i16).to_le_bytes()).collect()
        };
        let (loudness, mut look) = Loudness::new();
        assert_eq!(loudness.take(), None);
        look(&[0; 960]);
        assert_eq!(loudness.take(), Some(SILENCE));
        look(&tone(1.0));
        look(&tone(0.01));
        assert_eq!(loudness.take(), Some(-3), "the loudest counts");
        look(&tone(0.1));
        assert_eq!(loudness.take(), Some(-23));
        assert_eq!(loudness.take(), None);
    }
}
