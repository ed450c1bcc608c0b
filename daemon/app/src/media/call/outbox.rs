//! Our own candidates on their way to the desk. Must not know when the answer goes out, only that it has.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use porthole_core::event::MediaEvent;
use porthole_core::ice::announced;
use porthole_core::ids::CallId;
use porthole_core::sdp::choose::MediaPlan;
use porthole_core::wire::Candidate;

use super::super::Events;

/// Our own candidates: kept until the answer is out, reported at once from then on.
pub struct Outbox {
    call: CallId,
    /// The name of each m-line, by its index.
    mids: Vec<String>,
    /// Addresses under which others reach us, too.
    announce: Vec<IpAddr>,
    state: Mutex<OutboxState>,
}

struct OutboxState {
    open: bool,
    ufrag: Option<String>,
    kept: Vec<(u32, String)>,
}

impl Outbox {
    /// Holds everything back.
    pub fn new(call: CallId, media: &[MediaPlan], announce: Vec<IpAddr>) -> Self {
        let mids = media.iter().map(|m| m.mid.clone()).collect();
        Self {
            call,
            mids,
            announce,
            state: Mutex::new(OutboxState { open: false, ufrag: None, kept: Vec::new() }),
        }
    }

    /// Learns which SDP the candidates belong to.
    pub fn learn_ufrag(&self, answer: &str) {
        let ufrag = porthole_core::sdp::read::ufrag(answer).map(str::to_owned);
        self.lock().ufrag = ufrag;
    }

    /// Takes a candidate of the m-line with this index.
    pub fn put(&self, line: u32, text: String, events: &Events) {
        let mut state = self.lock();
        let more = announced(&text, &self.announce);
        for text in std::iter::once(text).chain(more) {
            if state.open {
                events.send(self.event(&state, line, text));
            } else {
                state.kept.push((line, text));
            }
        }
    }

    /// Lets what was held back go, and from now on everything at once.
    pub fn open(&self, events: &Events) {
        let mut state = self.lock();
        state.open = true;
        for (line, text) in std::mem::take(&mut state.kept) {
            events.send(self.event(&state, line, text));
        }
    }

    fn event(&self, state: &OutboxState, line: u32, text: String) -> MediaEvent {
        let candidate = Candidate {
            candidate: text,
            sdp_mid: self.mids.get(line as usize).cloned(),
            sdp_m_line_index: None,
            username_fragment: state.ufrag.clone(),
        };
        MediaEvent::Candidate { call: self.call, candidate: Some(candidate) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
