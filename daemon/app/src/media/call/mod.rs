//! One call: a webrtcbin in a pipeline of its own, from the viewer's offer to the last thread's end. A task performs
//! what is asked of it in order, so a call is never closed while its negotiation is under way. Must not know other
//! calls, nor decide when a call ends.

mod build;
mod negotiate;
mod tweaks;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_utils::ConsumptionLink;
use gst_webrtc::{WebRTCICEConnectionState, WebRTCPeerConnectionState};
use porthole_core::config::settings::IceSettings;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::sdp::choose::{AnswerPlan, Codec};
use porthole_core::wire::Candidate;
use tokio::sync::{mpsc, watch};

use super::element::MediaError;
use super::timeline::{Said, Timeline, stop};
use super::{Events, Producers};

/// How long the close of a call may take before it is counted as stuck. Its thread is then left behind.
const CLOSE: Duration = Duration::from_secs(10);

/// What a call can be asked for.
#[derive(Debug)]
pub enum Ask {
    /// Take one of the viewer's candidates.
    Candidate(Option<Candidate>),
    /// End.
    HangUp,
}

/// Everything a call needs to be answered.
pub struct Order {
    /// Its number.
    pub call: CallId,
    /// What to answer with.
    pub plan: AnswerPlan,
    /// Whether candidates are reported as they come.
    pub trickle: bool,
    /// STUN and TURN.
    pub ice: IceSettings,
    /// The clock it runs on.
    pub timeline: Timeline,
}

/// Lives one call. Ends when it was asked to hang up and everything is released.
pub async fn live(
    order: Order,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    mut producers: watch::Receiver<Producers>,
    events: Events,
) {
    let call = order.call;
    let (reports, trickle) = (events.clone(), order.trickle);
    let opened = tokio::task::spawn_blocking(move || open(order, &reports)).await;
    let mut line = match opened {
        Ok(Ok(line)) => Some(line),
        Ok(Err(error)) => {
            events.send(MediaEvent::CallFailed { call, reason: error.to_string() });
            None
        }
        Err(_) => {
            events.send(MediaEvent::CallFailed { call, reason: "the negotiation panicked".to_owned() });
            None
        }
    };
    if let Some(line) = &mut line {
        // The answer goes out when frames can follow it.
        line.attach(&producers.borrow_and_update());
        events.send(MediaEvent::Answered { call, sdp: std::mem::take(&mut line.answer) });
        if trickle {
            line.outbox.open(&events);
        }
    }
    loop {
        tokio::select! {
            ask = asks.recv() => match ask {
                Some(Ask::Candidate(candidate)) => {
                    if let (Some(line), Some(candidate)) = (&line, candidate) {
                        line.add_candidate(&candidate);
                    }
                }
                Some(Ask::HangUp) | None => break,
            },
            changed = producers.changed() => {
                if changed.is_err() {
                    break;
                }
                if let Some(line) = &mut line {
                    line.attach(&producers.borrow_and_update());
                }
            }
        }
    }
    if let Some(line) = line {
        let close = tokio::task::spawn_blocking(move || line.close());
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            log::warn!(call = call.0; "the call did not close within {CLOSE:?}; its threads are left behind");
        }
    }
    events.send(MediaEvent::Closed { call });
}

/// An open call.
struct Line {
    pipeline: gst::Pipeline,
    webrtc: gst::Element,
    entries: Vec<(build::Entry, ConsumptionLink)>,
    outbox: Arc<Outbox>,
    plan: AnswerPlan,
    answer: String,
}

/// Builds, negotiates and answers. Blocks.
fn open(order: Order, events: &Events) -> Result<Line, MediaError> {
    let Order { call, plan, trickle, ice, timeline } = order;
    let began = Instant::now();
    // Until then webrtcbin takes nothing, and a full entry says nothing about the viewer.
    let connected = Arc::new(AtomicBool::new(false));
    let pipeline = timeline.pipeline(&format!("call-{call}"), {
        let (events, connected) = (events.clone(), connected.clone());
        move |said| match said {
            Said::Error(reason) => events.send(MediaEvent::CallFailed { call, reason }),
            Said::Overflowed if connected.load(Ordering::Relaxed) => {
                events.send(MediaEvent::Overflowed { call });
            }
            Said::Overflowed | Said::EndOfStream => {}
        }
    });
    let result = (|| {
        let webrtc = build::webrtcbin(&pipeline, &ice)?;
        let outbox = Arc::new(Outbox::new(call, &plan));
        connect(&webrtc, call, events, &outbox, connected);
        let entries = build::entries(&pipeline, &webrtc, &plan)?;
        pipeline.set_state(gst::State::Playing).map_err(|e| super::element::failed(&e))?;
        let mut answer = negotiate::answer(&webrtc, &plan.offer)?;
        if !trickle {
            answer = negotiate::gathered(&webrtc)?;
        }
        outbox.learn_ufrag(&answer);
        let entries = entries
            .into_iter()
            .map(|entry| {
                let link = ConsumptionLink::disconnected(entry.source.clone());
                link.set_wait_for_keyframe(matches!(entry.codec, Codec::Video(_)));
                (entry, link)
            })
            .collect();
        Ok(Line { pipeline: pipeline.clone(), webrtc, entries, outbox, plan, answer })
    })();
    log::debug!(call = call.0; "negotiated in {:?}", began.elapsed());
    if result.is_err() {
        release(&pipeline);
    }
    result
}

impl Line {
    /// Draws frames from the producers there are, and from no others.
    fn attach(&mut self, producers: &Producers) {
        for (entry, link) in &mut self.entries {
            let producer = match entry.codec {
                Codec::Video(rendition) => producers.pictures.get(&rendition),
                Codec::Opus => producers.sound.as_ref(),
            };
            match producer {
                Some(producer) if link.stream_producer() == Some(producer) => {}
                Some(producer) => {
                    if let Err(error) = link.change_producer(producer, false) {
                        log::debug!("{error}");
                    }
                }
                None => link.disconnect(),
            }
        }
    }

    fn add_candidate(&self, candidate: &Candidate) {
        // A candidate of another offer has no place here.
        let Some(line) = self.plan.line_of(candidate).and_then(|line| u32::try_from(line).ok()) else {
            return;
        };
        self.webrtc.emit_by_name::<()>("add-ice-candidate", &[&line, &candidate.candidate]);
    }

    /// Releases everything. Blocks until the last thread has ended.
    fn close(mut self) {
        for (_, link) in &mut self.entries {
            link.disconnect();
        }
        release(&self.pipeline);
    }
}

/// Stops a call's pipeline and takes webrtcbin out of it: it leaves a thread behind where its bin goes first.
fn release(pipeline: &gst::Pipeline) {
    stop(pipeline);
    for element in pipeline.children() {
        let _ = pipeline.remove(&element);
    }
}

/// Connects webrtcbin's signals. The closures hold no reference to it.
fn connect(
    webrtc: &gst::Element,
    call: CallId,
    events: &Events,
    outbox: &Arc<Outbox>,
    connected: Arc<AtomicBool>,
) {
    tweaks::attach(webrtc, {
        let events = events.clone();
        move || events.send(MediaEvent::Heard { call })
    });
    // What a viewer says is heard by nobody. Left alone, a pad that leads nowhere would end the call.
    webrtc.connect_pad_added(|_, pad| {
        if pad.direction() == gst::PadDirection::Src {
            let frames = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
            pad.add_probe(frames, |_, _| gst::PadProbeReturn::Drop);
        }
    });
    {
        let (events, outbox) = (events.clone(), outbox.clone());
        webrtc.connect("on-ice-candidate", false, move |values| {
            let line = values.get(1).and_then(|v| v.get::<u32>().ok()).unwrap_or(0);
            if let Some(text) = values.get(2).and_then(|v| v.get::<String>().ok()) {
                outbox.put(line, text, &events);
            }
            None
        });
    }
    {
        let events = events.clone();
        webrtc.connect_notify(Some("connection-state"), move |webrtc, _| {
            match webrtc.property::<WebRTCPeerConnectionState>("connection-state") {
                WebRTCPeerConnectionState::Connected => {
                    connected.store(true, Ordering::Relaxed);
                    events.send(MediaEvent::Connected { call });
                }
                WebRTCPeerConnectionState::Failed => {
                    events.send(MediaEvent::CallFailed { call, reason: "the connection failed".to_owned() });
                }
                _ => {}
            }
        });
    }
    let events = events.clone();
    webrtc.connect_notify(Some("ice-connection-state"), move |webrtc, _| {
        let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
        if state == WebRTCICEConnectionState::Failed {
            events.send(MediaEvent::CallFailed { call, reason: "no network path was found".to_owned() });
        }
    });
}

/// Our own candidates: kept until the answer is out, reported at once from then on.
struct Outbox {
    call: CallId,
    /// The name of each m-line, by its index.
    mids: Vec<String>,
    state: Mutex<OutboxState>,
}

struct OutboxState {
    open: bool,
    ufrag: Option<String>,
    kept: Vec<(u32, String)>,
}

impl Outbox {
    fn new(call: CallId, plan: &AnswerPlan) -> Self {
        let mids = plan.media.iter().map(|m| m.mid.clone()).collect();
        Self { call, mids, state: Mutex::new(OutboxState { open: false, ufrag: None, kept: Vec::new() }) }
    }

    fn learn_ufrag(&self, answer: &str) {
        let ufrag = porthole_core::sdp::read::ufrag(answer).map(str::to_owned);
        self.lock().ufrag = ufrag;
    }

    fn put(&self, line: u32, text: String, events: &Events) {
        let mut state = self.lock();
        if state.open {
            events.send(self.event(&state, line, text));
        } else {
            state.kept.push((line, text));
        }
    }

    fn open(&self, events: &Events) {
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
