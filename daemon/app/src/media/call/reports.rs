//! What a viewer reports of the packets that reach it, read as it arrives and handed on a few times a second, with what
//! was sent meanwhile. Must not know what is made of it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gst::glib;
use gst::prelude::*;
use porthole_core::adapt::Report;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::rtcp::Reception;

use super::super::Events;
use super::again::Again;

/// Least time between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(25);
/// Time between two reports of ours, about: from when one was sent viewers tell how long a trip takes, and so how long what
/// is sent waits on the way.
const OURS_EVERY: Duration = Duration::from_millis(300);
/// Over how long what is sent is measured.
const MEASURE: Duration = Duration::from_millis(500);
/// Seconds from the beginning of NTP's first era to that of Unix (RFC 5905, figure 4).
const UNIX_IN_NTP: u64 = 2_208_988_800;

/// The reports of one viewer.
pub struct Reports {
    call: CallId,
    events: Events,
    again: Arc<Again>,
    state: Mutex<State>,
}

struct State {
    /// What was heard and not handed on.
    heard: Reception,
    /// How long what has not come was on its way when that was said.
    waiting: Option<Duration>,
    told: Instant,
    measured: Instant,
    bytes: u64,
    packets: u32,
    /// kbit/s, and packets a second.
    sent: u32,
    pace: u32,
}

impl Reports {
    /// Nothing was heard yet.
    pub fn new(call: CallId, again: Arc<Again>, events: Events) -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            heard: Reception::default(),
            waiting: None,
            told: now,
            measured: now,
            bytes: 0,
            packets: 0,
            sent: 0,
            pace: 0,
        };
        Arc::new(Self { call, events, again, state: Mutex::new(state) })
    }

    /// Listens to a session of webrtcbin's.
    pub fn listen(self: &Arc<Self>, session: &gst::Element) {
        if session.find_property("internal-session").is_none() {
            return;
        }
        session.set_property("rtcp-min-interval", OURS_EVERY.as_nanos() as u64);
        let inside = session.property::<glib::Object>("internal-session");
        let reports = Arc::downgrade(self);
        inside.connect("on-receiving-rtcp", false, move |values| {
            let buffer = values.get(1).and_then(|value| value.get::<gst::Buffer>().ok());
            if let (Some(reports), Some(buffer)) = (reports.upgrade(), buffer)
                && let Ok(bytes) = buffer.map_readable()
            {
                reports.heard(&bytes);
            }
            None
        });
    }

    fn heard(&self, compound: &[u8]) {
        let Some((ssrc, sent)) = self.again.picture() else { return };
        let said = Reception::read(compound, *ssrc, ntp_middle());
        if said.is_empty() {
            return;
        }
        if let Some(trip) = said.round_trip {
            self.again.hear_trip(trip);
        }
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.heard.add(said);
        if let Some(losses) = said.losses {
            state.waiting = sent.waits(losses.highest);
        }
        if now < state.told + REPORT_EVERY {
            return;
        }
        let elapsed = now - state.measured;
        if elapsed >= MEASURE {
            let bytes = sent.bytes.load(Ordering::Relaxed) + self.again.bytes();
            let kbit = u128::from(bytes.saturating_sub(state.bytes)) * 8 / elapsed.as_millis().max(1);
            state.sent = u32::try_from(kbit).unwrap_or(u32::MAX);
            let packets = sent.packets.load(Ordering::Relaxed);
            let pace = u128::from(packets.wrapping_sub(state.packets)) * 1000 / elapsed.as_millis().max(1);
            state.pace = u32::try_from(pace).unwrap_or(u32::MAX);
            (state.bytes, state.packets, state.measured) = (bytes, packets, now);
        }
        state.told = now;
        let reception = std::mem::take(&mut state.heard);
        let waiting = state.waiting.take();
        let report = Report { reception, sent: state.sent, packets: state.pace, waiting };
        drop(state);
        log::trace!(call = self.call.0; "{report:?}");
        self.events.send(MediaEvent::Reported { call: self.call, report });
    }
}

/// The middle 32 bits of the time of NTP, which is what webrtcbin writes its reports with.
fn ntp_middle() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = u32::try_from((since.as_secs() + UNIX_IN_NTP) & 0xffff).unwrap_or_default();
    let fraction =
        u32::try_from(u64::from(since.subsec_nanos()) * 65_536 / 1_000_000_000).unwrap_or_default();
    seconds << 16 | fraction
}
