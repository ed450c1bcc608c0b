//! Whether buffers really come out of a pipeline: a count that the streaming thread raises, and how long it has stood
//! still. Must not know what the buffers hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gst::prelude::*;

/// Most that one look counts for: a process that was kept from running must not take that for the device's silence.
const LOOK_MOST: Duration = Duration::from_millis(500);

/// A count of buffers.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Counts what arrives at a sink.
    pub fn of(sink: &gst_app::AppSink) -> Self {
        sink.static_pad("sink").map(|pad| Self::of_pad(&pad)).unwrap_or_default()
    }

    /// Counts what passes a pad.
    pub fn of_pad(pad: &gst::Pad) -> Self {
        let pulse = Self::default();
        let count = pulse.0.clone();
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        pulse
    }

    /// Counts one by hand.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long a pulse has stood still, as far as somebody has looked.
#[derive(Debug)]
pub struct Rhythm {
    pulse: Pulse,
    seen: u64,
    told: u64,
    quiet: Duration,
}

impl Rhythm {
    /// It stands still from now on until it is seen to beat.
    pub fn of(pulse: Pulse) -> Self {
        let seen = pulse.count();
        Self { seen, told: seen, pulse, quiet: Duration::ZERO }
    }

    /// Looks again after `elapsed`.
    pub fn look(&mut self, elapsed: Duration) {
        let count = self.pulse.count();
        self.quiet = if count == self.seen { self.quiet + elapsed.min(LOOK_MOST) } else { Duration::ZERO };
        self.seen = count;
    }

    /// Beats that were seen since this was last asked.
    pub fn fresh(&mut self) -> u64 {
        self.seen - std::mem::replace(&mut self.told, self.seen)
    }

    /// For how long it has stood still.
    pub fn quiet(&self) -> Duration {
        self.quiet
    }

    /// Whether it has ever been seen to beat.
    pub fn has_beaten(&self) -> bool {
        self.seen > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_counted_from_the_last_beat_and_a_pause_of_ours_is_not_taken_for_it() {
        let pulse = Pulse::default();
        let mut rhythm = Rhythm::of(pulse.clone());
        rhythm.look(Duration::from_millis(250));
        rhythm.look(Duration::from_secs(60));
        assert_eq!((rhythm.quiet(), rhythm.has_beaten()), (Duration::from_millis(750), false));
        pulse.beat();
        rhythm.look(Duration::from_millis(250));
        assert_eq!((rhythm.quiet(), rhythm.has_beaten()), (Duration::ZERO, true));
        assert_eq!((rhythm.fresh(), rhythm.fresh()), (1, 0));
        rhythm.look(Duration::from_millis(250));
        assert_eq!(rhythm.quiet(), Duration::from_millis(250));
    }
}
