//! What is sent again: what a viewer has lost, within bounds, and what it has already got, to find out whether more would
//! come through. Must not know why.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use porthole_core::rtcp::keep_for;

use super::super::stamps::Sent;

/// The event with which a packet is asked for, inside webrtcbin.
const REQUEST: &str = "GstRTPRetransmissionRequest";
/// So many packets may be sent again in one burst.
const BURST: u32 = 50;
/// And in the long run one for each so many that are sent: more would only make a full way fuller.
const ONE_IN: u32 = 3;
/// The same packet is not sent again sooner than this after it was, at least, nor while what was sent may still be on its
/// way: who waits for it asks again and again meanwhile.
const ONCE_IN: Duration = Duration::from_millis(15);
/// So many packets are remembered for that.
const REMEMBERED: usize = 512;
/// A change of how long packets are kept that is not worth the trouble.
const STEP_MS: u32 = 50;
/// After so many packets nothing is kept of what was before them; with twice as many their numbers could no longer be told
/// from newer ones.
const FORGOTTEN: u32 = 0x4000;
/// Most packets that are sent again at once to see what comes through.
const PADDING_MOST: u32 = 40;
/// What of a packet is header, in bytes.
const HEADER: usize = 28;

/// What one viewer's picture is sent again with. Nothing where the viewer cannot be sent anything again.
#[derive(Debug, Default)]
pub struct Again {
    picture: OnceLock<(u32, Arc<Sent>)>,
    element: OnceLock<glib::WeakRef<gst::Element>>,
    kept_ms: AtomicU32,
    /// The first packet of what is sent now; older ones are of no use to anybody.
    first: AtomicU32,
    /// How many had been sent before it.
    before: AtomicU32,
    /// Packets that were asked for and sent.
    granted: AtomicU32,
    /// The last request is our own.
    ours: AtomicBool,
    bytes: AtomicU64,
    /// The last trip, in milliseconds.
    trip_ms: AtomicU32,
    /// What was sent again, each at the place of its number: that number, and when.
    lately: Mutex<Vec<Option<(u32, Instant)>>>,
}

impl Again {
    /// This is the picture.
    pub fn of_picture(&self, ssrc: u32, sent: Arc<Sent>) {
        // There is one picture in a call.
        let _ = self.picture.set((ssrc, sent));
    }

    /// The picture.
    pub fn picture(&self) -> Option<&(u32, Arc<Sent>)> {
        self.picture.get()
    }

    /// Bytes that were sent again.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes over what keeps packets, which is to do so for that long.
    pub fn use_element(self: &Arc<Self>, element: &gst::Element, keep: Duration) {
        let Some(pad) = element.static_pad("src") else { return };
        if self.element.set(element.downgrade()).is_err() {
            return;
        }
        // By time and not by 500 packets: what is older comes too late to be shown, and costs most of a viewer's memory.
        element.set_property("max-size-packets", 0_u32);
        self.keep(keep);
        let again = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            let asked =
                info.event().and_then(|event| event.structure()).filter(|asked| asked.name() == REQUEST);
            let number = asked.and_then(|asked| asked.get::<u32>("seqnum").ok());
            match (again.upgrade(), number) {
                (Some(again), Some(number)) if !again.grants(number) => gst::PadProbeReturn::Handled,
                _ => gst::PadProbeReturn::Ok,
            }
        });
        let again = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let (Some(again), Some(buffer)) = (again.upgrade(), info.buffer_mut()) {
                again.sends(buffer);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// So long a trip takes.
    pub fn hear_trip(&self, trip: Duration) {
        self.trip_ms.store(u32::try_from(trip.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.keep(keep_for(trip));
    }

    /// Packets are kept for that long.
    pub fn keep(&self, time: Duration) {
        let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let element = self.element.get().and_then(glib::WeakRef::upgrade);
        if let Some(element) =
            element.filter(|_| self.kept_ms.load(Ordering::Relaxed).abs_diff(millis) >= STEP_MS)
        {
            self.kept_ms.store(millis, Ordering::Relaxed);
            element.set_property("max-size-time", millis);
        }
    }

    /// Another picture follows: nothing of what was sent so far is sent again, and what of that was asked for takes nothing
    /// from what may be.
    pub fn forget(&self) {
        if let Some((_, sent)) = self.picture.get() {
            let packets = sent.packets.load(Ordering::Relaxed);
            self.granted.store(packets / ONE_IN, Ordering::Relaxed);
            self.before.store(packets, Ordering::Relaxed);
            self.first.store(
                sent.newest.load(Ordering::Relaxed).wrapping_add(1) & 0xffff | 0x1_0000,
                Ordering::Relaxed,
            );
        }
    }

    /// Sends about so many bytes again of what was sent last.
    pub fn pad(&self, bytes: u64) {
        let Some((ssrc, sent)) = self.picture.get() else { return };
        let element = self.element.get().and_then(glib::WeakRef::upgrade);
        let Some(pad) = element.and_then(|element| element.static_pad("src")) else { return };
        let each = u64::from(sent.each.load(Ordering::Relaxed)).max(100);
        let count = u32::try_from(bytes / each).unwrap_or(PADDING_MOST).min(PADDING_MOST);
        let newest = sent.newest.load(Ordering::Relaxed);
        for back in 0..count {
            // The last few over and over: they are the ones that are certainly kept.
            let number = newest.wrapping_sub(back % 8) & 0xffff;
            let asked = gst::Structure::builder(REQUEST).field("seqnum", number).field("ssrc", *ssrc).build();
            self.ours.store(true, Ordering::Relaxed);
            pad.send_event(gst::event::CustomUpstream::new(asked));
            self.ours.store(false, Ordering::Relaxed);
        }
    }

    fn grants(&self, number: u32) -> bool {
        if self.ours.load(Ordering::Relaxed) {
            return true;
        }
        let Some((_, sent)) = self.picture.get() else { return true };
        let packets = sent.packets.load(Ordering::Relaxed);
        let first = self.first.load(Ordering::Relaxed);
        let is_lately = packets.wrapping_sub(self.before.load(Ordering::Relaxed)) < FORGOTTEN;
        if first != 0 && is_lately && number.wrapping_sub(first) & 0xffff >= 0x8000 {
            return false;
        }
        if self.is_on_its_way(number) {
            return false;
        }
        let most = BURST + packets / ONE_IN;
        let granted = self.granted.load(Ordering::Relaxed).max(most.saturating_sub(BURST));
        let grants = granted < most;
        self.granted.store(granted + u32::from(grants), Ordering::Relaxed);
        grants
    }

    /// Whether it was sent again a moment ago; if not, it is now.
    fn is_on_its_way(&self, number: u32) -> bool {
        let trip = Duration::from_millis(u64::from(self.trip_ms.load(Ordering::Relaxed)));
        let once_in = ONCE_IN.max(trip * 3 / 2);
        let now = Instant::now();
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        // Most viewers lose nothing.
        lately.resize(REMEMBERED, None);
        let Some(place) = usize::try_from(number).ok().and_then(|number| lately.get_mut(number % REMEMBERED))
        else {
            return false;
        };
        let there = place.is_some_and(|(last, then)| last == number && now < then + once_in);
        if !there {
            *place = Some((number, now));
        }
        there
    }

    /// Counts a packet that is sent again, and says in it when that is.
    fn sends(&self, buffer: &mut gst::Buffer) {
        let Some((ssrc, sent)) = self.picture.get() else { return };
        let mut head = [0; 12];
        if buffer.copy_to_slice(0, &mut head).is_ok() && head[8..] != ssrc.to_be_bytes() {
            let bytes = buffer.size().saturating_sub(HEADER);
            self.bytes.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
            if let Ok(mut packet) = buffer.make_mut().map_writable() {
                sent.stamp(&mut packet);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_another_picture_is_not_sent_again_and_all_that_follows_is_however_long_it_goes_on() {
        let sent = Arc::new(Sent::default());
        let again = Again::default();
        again.of_picture(1, sent.clone());
        let send = |count: u32| {
            for _ in 0..count {
                sent.packets.fetch_add(1, Ordering::Relaxed);
                let next = sent.newest.load(Ordering::Relaxed).wrapping_add(1) & 0xffff;
                sent.newest.store(next, Ordering::Relaxed);
            }
            sent.newest.load(Ordering::Relaxed)
        };
        let old = send(60_000);
        assert!(again.grants(old));
        again.forget();
        assert!(!again.grants(old - 1));
        // More than three times round.
        for _ in 0..200 {
            let newest = send(1000);
            assert!(again.grants(newest) && again.grants(newest.wrapping_sub(100) & 0xffff), "{newest}");
        }
    }
}
