//! What arrives from one viewer. Nothing of it goes anywhere but where the ear is open to. Must not know who may talk.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::speaker::Word;

use super::super::Events;

/// Least time between two reports that something arrived.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// The ear of one call, closed until somebody opens it. Cheap to clone.
#[derive(Clone)]
pub struct Ear(Arc<Inner>);

struct Inner {
    call: CallId,
    events: Events,
    /// It may be open: said when that is decided, and not when the speaker comes round to it.
    allowed: AtomicBool,
    /// Where packets go. Set by the speaker's thread, looked at by that which brings them; neither holds it for long.
    entry: Mutex<Option<gst_app::AppSrc>>,
    began: Instant,
    /// Milliseconds since `began` at which the next report is due.
    due: AtomicU64,
}

impl Ear {
    /// A closed one.
    pub fn new(call: CallId, events: Events) -> Self {
        let (allowed, entry) = (AtomicBool::new(false), Mutex::new(None));
        let (began, due) = (Instant::now(), AtomicU64::new(0));
        Self(Arc::new(Inner { call, events, allowed, entry, began, due }))
    }

    /// Takes everything from a pad that leads nowhere: left alone, one would end the call.
    pub fn attach(&self, pad: &gst::Pad) {
        let ear = self.clone();
        let frames = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(frames, move |pad, info| {
            match &info.data {
                Some(gst::PadProbeData::Buffer(packet)) => ear.take(pad, packet),
                Some(gst::PadProbeData::BufferList(packets)) => {
                    packets.iter_owned().for_each(|packet| ear.take(pad, &packet));
                }
                _ => {}
            }
            gst::PadProbeReturn::Drop
        });
    }

    /// Whether anything may be heard of it from now on.
    pub fn allow(&self, allowed: bool) {
        self.0.allowed.store(allowed, Ordering::Release);
    }

    /// From now on packets go into `entry`, without their times: they are as late as they are.
    pub fn open(&self, entry: gst_app::AppSrc) {
        *self.entry() = Some(entry);
    }

    /// From now on they go nowhere.
    pub fn close(&self) {
        *self.entry() = None;
    }

    fn take(&self, pad: &gst::Pad, packet: &gst::Buffer) {
        if !self.0.allowed.load(Ordering::Acquire) {
            return;
        }
        // Said before there is a speaker to play it: whoever is on the way to being heard is not silent.
        self.report();
        let Some(entry) = self.entry().clone() else { return };
        if entry.caps().is_none() {
            entry.set_caps(pad.current_caps().as_ref());
        }
        let mut packet = packet.copy();
        if let Some(packet) = packet.get_mut() {
            packet.set_pts(gst::ClockTime::NONE);
            packet.set_dts(gst::ClockTime::NONE);
        }
        // An entry that is being closed takes nothing more.
        let _ = entry.push_buffer(packet);
    }

    fn report(&self) {
        let Inner { call, events, began, due, .. } = &*self.0;
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now >= due.load(Ordering::Relaxed) {
            due.store(now + REPORT_EVERY.as_millis() as u64, Ordering::Relaxed);
            events.send(MediaEvent::Speaker(Word::Spoke(*call)));
        }
    }

    fn entry(&self) -> std::sync::MutexGuard<'_, Option<gst_app::AppSrc>> {
        self.0.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
