//! Where the packets of one m-line enter its call: a pad that is webrtcbin's neighbour, and a bounded line of frames in front
//! of it. Frames are handed in without waiting, whatever becomes of them. Must not know who makes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::Fan;
use super::crew::{Crew, Work};
use super::frame::Frame;
use super::label::Label;
use crate::media::element::{MediaError, failed};

/// How much of the past may wait for a viewer. More is of no use to anybody who watches live.
const WAITS: gst::ClockTime = gst::ClockTime::from_mseconds(500);
/// The same as frames and bytes, whatever their times say.
const FRAMES: usize = 250;
const BYTES: usize = 8 * 1024 * 1024;
/// How long nobody wishes for a key frame again who has wished for one.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a close waits for the frame that is being sent. webrtcbin's own end stops one that goes on.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// What a gate says, on whichever thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// What waited was too much, and is dropped up to the next key frame.
    Overflowed,
    /// Its call takes nothing any more, for this reason.
    Failed(String),
}

/// A gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

/// What all clones of a gate have in common.
pub struct Shared {
    pad: gst::Pad,
    crew: Crew,
    hear: Box<dyn Fn(Word) + Send + Sync>,
    /// Whether some frames need others.
    picture: bool,
    line: Mutex<Line>,
    /// Nobody sends any more.
    still: Condvar,
    /// Only whoever sends takes it.
    label: Mutex<Label>,
    fan: Mutex<Option<Fan>>,
}

/// What waits.
struct Line {
    phase: Phase,
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
    /// Nothing is of use before the next key frame.
    needs_key: bool,
    /// When it was wished for.
    wished: Option<Instant>,
    /// A frame is being sent, or is about to be.
    sends: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// webrtcbin would keep whoever sends until it is connected.
    Shut,
    Open,
    Closed,
}

impl Gate {
    /// A gate that is shut, for packets that are what `caps` say.
    ///
    /// # Errors
    /// GStreamer's.
    pub fn new(
        label: Label,
        caps: &gst::Caps,
        crew: &Crew,
        hear: impl Fn(Word) + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let picture = caps.structure(0).and_then(|s| s.get::<&str>("media").ok()) == Some("video");
        let line = Line {
            phase: Phase::Shut,
            frames: VecDeque::new(),
            bytes: 0,
            needs_key: picture,
            wished: None,
            sends: false,
        };
        let shared = Arc::new_cyclic(|weak| Shared {
            pad: pad(weak.clone()),
            crew: crew.clone(),
            hear: Box::new(hear),
            picture,
            line: Mutex::new(line),
            still: Condvar::new(),
            label: Mutex::new(label),
            fan: Mutex::default(),
        });
        let pad = &shared.pad;
        pad.set_active(true).map_err(|e| failed(&e))?;
        // They go ahead of the first frame by themselves. The times of frames are running times.
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        for event in [
            gst::event::StreamStart::new(if picture { "picture" } else { "sound" }),
            gst::event::Caps::new(caps),
            gst::event::Segment::new(&segment),
        ] {
            pad.store_sticky_event(&event).map_err(|e| failed(&e))?;
        }
        Ok(Self(shared))
    }

    /// Leads to this pad.
    ///
    /// # Errors
    /// The pad takes something else.
    pub fn link(&self, pad: &gst::Pad) -> Result<(), MediaError> {
        self.0.pad.link(pad).map(|_| ()).map_err(|e| failed(&e))
    }

    /// Sends what this fan gives from now on, from its next key frame; what waits already goes first.
    pub fn draw_from(&self, fan: Option<&Fan>) {
        let mut drawn = self.0.fan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = drawn.take() {
            old.remove(&self.0);
        }
        let mut line = self.0.line();
        // The fan makes one for whoever is new.
        (line.needs_key, line.wished) = (self.0.picture, Some(Instant::now()));
        drop(line);
        if let Some(new) = fan {
            new.add(&self.0);
            *drawn = Some(new.clone());
        }
    }

    /// What it sends.
    pub fn draws_from(&self) -> Option<Fan> {
        self.0.fan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets everything through from now on: the call is connected. Answers whether a key frame has to be made for it; it does not
    /// wish for that one itself.
    pub fn open(&self) -> bool {
        let mut line = self.0.line();
        if line.phase != Phase::Shut {
            return false;
        }
        line.phase = Phase::Open;
        let wants = line.needs_key;
        if wants {
            line.wished = Some(Instant::now());
        }
        self.0.go_on(line);
        wants
    }

    /// Lets nothing through any more, and waits for the frame that is being sent, bounded. Blocks.
    pub fn close(&self) {
        self.draw_from(None);
        let mut line = self.0.line();
        line.close();
        let sends = |line: &mut Line| line.sends;
        if let Ok((line, _)) = self.0.still.wait_timeout_while(line, LAST_FRAME, sends)
            && line.sends
        {
            log::debug!("a viewer's last frame is still being sent");
        }
    }
}

impl Shared {
    /// Takes a frame of the fan's, without waiting. Answers whether it takes a key frame to go on: not as long as nobody is
    /// connected, who might be so for ever at the others' expense.
    pub fn take(self: &Arc<Self>, frame: &Arc<Frame>) -> bool {
        let mut line = self.line();
        if line.sends {
            // Whoever is at it may be held up, at this viewer or at the one before.
            drop(line);
            self.crew.rouse();
            line = self.line();
        }
        // Sound that nobody hears yet is not made up for.
        if line.phase == Phase::Closed || line.phase == Phase::Shut && !self.picture {
            return false;
        }
        line.needs_key |= self.picture && frame.broken;
        if line.needs_key && !frame.key {
            return line.wishes();
        }
        (line.needs_key, line.wished) = (false, None);
        if line.is_full(frame) {
            line.drop_all();
            // What follows the hole is of no use, unless it is this frame.
            line.needs_key = self.picture && !frame.key;
            let (open, wishes) = (line.phase == Phase::Open, line.needs_key.then(|| line.wishes()));
            drop(line);
            if open {
                (self.hear)(Word::Overflowed);
            }
            if let Some(wishes) = wishes {
                return wishes;
            }
            line = self.line();
            if line.phase == Phase::Closed {
                return false;
            }
        }
        line.bytes += frame.size();
        line.frames.push_back(frame.clone());
        self.go_on(line);
        false
    }

    /// Has what waits sent, where it may be and nobody is at it.
    fn go_on(self: &Arc<Self>, mut line: MutexGuard<'_, Line>) {
        if line.phase == Phase::Open && !line.sends && !line.frames.is_empty() {
            line.sends = true;
            drop(line);
            self.crew.post(self.clone());
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self) {
        let fan = self.fan.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(fan) = fan {
            fan.wish();
        }
    }
}

impl Work for Shared {
    /// Sends one frame; there may be others to send to before the next.
    fn work(self: Arc<Self>) {
        let mut line = self.line();
        if let Some(frame) = line.next() {
            drop(line);
            let list = self.label.lock().unwrap_or_else(PoisonError::into_inner).write(&frame);
            let sent = self.pad.push_list(list);
            line = self.line();
            if let Err(error) = sent
                && line.phase != Phase::Closed
            {
                // Whoever closes a call closes its gates first: this one has stopped by itself, whatever it says.
                line.close();
                (self.hear)(Word::Failed(format!("webrtcbin takes nothing any more: {error}")));
            }
        }
        line.sends = false;
        self.still.notify_all();
        self.go_on(line);
    }
}

impl Line {
    fn next(&mut self) -> Option<Arc<Frame>> {
        let frame = self.frames.pop_front()?;
        self.bytes = self.bytes.saturating_sub(frame.size());
        Some(frame)
    }

    /// Whether too much waits for this frame to wait, too.
    fn is_full(&self, frame: &Frame) -> bool {
        let oldest = self.frames.front().and_then(|oldest| oldest.at);
        let span = oldest.zip(frame.at).map(|(oldest, at)| at.saturating_sub(oldest));
        span.is_some_and(|span| span > WAITS) || self.frames.len() >= FRAMES || self.bytes > BYTES
    }

    /// Whether a key frame is to be made for it now.
    fn wishes(&mut self) -> bool {
        let wishes = self.phase == Phase::Open && self.wished.is_none_or(|then| then.elapsed() >= PATIENCE);
        if wishes {
            self.wished = Some(Instant::now());
        }
        wishes
    }

    fn drop_all(&mut self) {
        self.frames.clear();
        self.bytes = 0;
    }

    fn close(&mut self) {
        self.phase = Phase::Closed;
        self.drop_all();
    }
}

/// A pad without an element, so that nothing has to be started or stopped for it.
fn pad(gate: Weak<Shared>) -> gst::Pad {
    gst::Pad::builder(gst::PadDirection::Src)
        .event_function(move |_, _, event| {
            if gst_video::ForceKeyUnitEvent::is(&event)
                && let Some(gate) = gate.upgrade()
            {
                gate.wish();
            }
            true
        })
        .query_function(|pad, parent, query| match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                latency.set(true, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                true
            }
            _ => gst::Pad::query_default(pad, parent, query),
        })
        .build()
}
