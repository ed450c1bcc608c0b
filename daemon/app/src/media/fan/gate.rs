//! Where the packets of one m-line enter its call: a pad that is webrtcbin's neighbour, and a bounded line of frames in front
//! of it. Frames are handed in without waiting, whatever becomes of them. Must not know who makes them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::Fan;
use super::crew::{Crew, Work};
use super::frame::Frame;
use super::label::Label;
use super::waiting::{Line, Phase, Taken};
use crate::media::element::{MediaError, failed};

/// How long a close waits for the frame that is being sent. webrtcbin's own end stops one that goes on.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// What a gate says, on whichever thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// What waited was too much, and is dropped up to the next key frame.
    Overflowed,
    /// Its call takes nothing any more, for this reason.
    Failed(String),
    /// The first key frame of the picture that it was told to send has come.
    Began,
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
    /// Never taken by whoever hands in frames.
    fans: Mutex<Fans>,
}

/// What it is told to send, and what it sends until the first key frame of that.
#[derive(Default)]
struct Fans {
    drawn: Option<Fan>,
    before: Option<Fan>,
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
        let shared = Arc::new_cyclic(|weak| Shared {
            pad: pad(weak.clone()),
            crew: crew.clone(),
            hear: Box::new(hear),
            picture,
            line: Mutex::new(Line::new(picture)),
            still: Condvar::new(),
            label: Mutex::new(label),
            fans: Mutex::default(),
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
        self.draw(fan, false);
    }

    /// The same, but goes on with what it sends now until that key frame, which some cameras make only every few seconds.
    pub fn go_over_to(&self, fan: &Fan) {
        self.draw(Some(fan), true);
    }

    fn draw(&self, fan: Option<&Fan>, goes_on: bool) {
        let mut fans = self.0.fans();
        let number = fan.map(Fan::number);
        let mut line = self.0.line();
        let shown = fans.shown(&line).cloned();
        let goes_on = goes_on && shown.is_some() && !line.needs_key;
        if line.source.is_some() && line.source == number {
            // It has been sent all along.
            line.next = None;
        } else if goes_on {
            line.next = number;
        } else {
            (line.source, line.next, line.needs_key) = (number, None, self.0.picture);
        }
        // The fan makes one for whoever is new.
        (line.fresh, line.wished) = (number.is_some(), Some(Instant::now()));
        let before = shown.filter(|_| line.next.is_some());
        drop(line);
        let now = Fans { drawn: fan.cloned(), before };
        let old = std::mem::replace(&mut *fans, now);
        for old in old.both().filter(|old| fans.both().all(|fan| fan != *old)) {
            old.remove(&self.0);
        }
        if let Some(fan) = fan {
            fan.add(&self.0);
        }
    }

    /// What it was told to send.
    pub fn draws_from(&self) -> Option<Fan> {
        self.0.fans().drawn.clone()
    }

    /// What it sends meanwhile.
    pub fn shows(&self) -> Option<Fan> {
        let fans = self.0.fans();
        fans.shown(&self.0.line()).cloned()
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
    /// Takes a frame of a fan's, without waiting. It does not want a key frame as long as nobody is connected, who might be
    /// so for ever at the others' expense.
    pub fn take(self: &Arc<Self>, frame: &Arc<Frame>) -> Taken {
        let mut line = self.line();
        if line.sends {
            // Whoever is at it may be held up, at this viewer or at the one before.
            drop(line);
            self.crew.rouse();
            line = self.line();
        }
        // Sound that nobody hears yet is not made up for.
        if line.phase == Phase::Closed || line.phase == Phase::Shut && !self.picture {
            return Taken::Fine;
        }
        let from = Some(frame.source);
        if line.next == from {
            if !frame.key {
                return line.wishes();
            }
            (line.source, line.next) = (from, None);
        } else if line.source != from {
            return Taken::NotMine;
        }
        line.needs_key |= self.picture && frame.broken;
        if line.needs_key && !frame.key {
            return line.wishes();
        }
        (line.needs_key, line.wished) = (false, None);
        let begins = line.next.is_none() && std::mem::take(&mut line.fresh) && self.picture;
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
                return Taken::Fine;
            }
        }
        line.bytes += frame.size();
        line.frames.push_back(frame.clone());
        self.go_on(line);
        if begins {
            (self.hear)(Word::Began);
        }
        Taken::Fine
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

    fn fans(&self) -> MutexGuard<'_, Fans> {
        self.fans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The viewer misses something of what it is sent.
    fn wish(&self) {
        let fans = self.fans();
        let shown = fans.shown(&self.line()).cloned();
        drop(fans);
        if let Some(fan) = shown {
            fan.wish();
        }
    }
}

impl Fans {
    fn both(&self) -> impl Iterator<Item = &Fan> {
        self.drawn.iter().chain(&self.before)
    }

    /// What is sent.
    fn shown(&self, line: &Line) -> Option<&Fan> {
        if line.next.is_some() { self.before.as_ref() } else { self.drawn.as_ref() }
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
