//! What the media side reports. An event of a call that has ended finds nothing to touch. Must not know how media is
//! made.

use std::time::Instant;

use super::call::{Call, Ours};
use super::{Farewell, Relay, Switchboard};
use crate::command::{Command, Level};
use crate::event::MediaEvent;
use crate::ids::{CallId, Rendition};
use crate::wire::limits::{JOIN_KEY_FRAME_GAP, KEY_FRAME_GAP};
use crate::wire::{Outgoing, Reason, What};

impl Switchboard {
    pub(super) fn handle_media(&mut self, event: MediaEvent, now: Instant) {
        match event {
            MediaEvent::CaptureRunning => self.capture_runs(),
            MediaEvent::CaptureFailed { reason } => self.capture_failed(&reason, now),
            // Its first frame is a key frame, and the calls waiting for it are served by the media side.
            MediaEvent::RenditionRunning { .. } => {}
            MediaEvent::RenditionFailed { rendition, reason } => {
                self.rendition_failed(rendition, &reason, now)
            }
            MediaEvent::Answered { call, sdp } => self.answered(call, &sdp, now),
            MediaEvent::Offered { call, sdp } => self.offered(call, sdp, now),
            MediaEvent::Candidate { call: id, candidate } => {
                if let Some(Ours::Send(message)) = self.calls.get_mut(&id).map(|call| call.found(candidate)) {
                    self.send(message);
                }
            }
            MediaEvent::Connected { call } => self.connected(call, now),
            MediaEvent::Heard { call: id } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.heard(now);
                }
            }
            MediaEvent::CallFailed { call, reason } => self.call_failed(call, &reason, now),
            MediaEvent::Overflowed { call: id } => {
                if self.calls.get_mut(&id).is_some_and(|call| call.overflowed(now)) {
                    self.end(id, Reason::TooSlow, Farewell::Said, now);
                }
            }
            MediaEvent::KeyFrameWanted { rendition } => {
                if self.renditions.get_mut(&rendition).is_some_and(|keys| keys.wish(KEY_FRAME_GAP, now)) {
                    self.commands.push_back(Command::ForceKeyFrame(rendition));
                }
            }
            MediaEvent::Closed { call: id } => {
                if self.calls.get(&id).is_some_and(Call::is_closing) {
                    self.calls.remove(&id);
                }
            }
        }
    }

    fn capture_runs(&mut self) {
        if self.capture.runs() {
            self.note(Level::Info, None, None, "the camera is back".into());
            self.notice(What::CameraBack);
        }
    }

    fn capture_failed(&mut self, reason: &str, now: Instant) {
        let Some(again) = self.capture.failed() else { return };
        self.counts.failed += 1;
        // A page that is left open tries every few seconds, all night.
        let level = if again { Level::Debug } else { Level::Warn };
        self.note(level, None, None, format!("the camera failed: {reason}"));
        for id in self.find(|_| true) {
            self.end(id, Reason::CameraLost, Farewell::Said, now);
        }
        self.notice(What::CameraLost);
    }

    /// Tells everybody in the room, where nobody is upset by words they do not know.
    fn notice(&mut self, what: What) {
        if self.tongue.takes_objects() {
            self.send(Outgoing::notice(&self.settings.room.room, &self.settings.me, what));
        }
    }

    fn rendition_failed(&mut self, rendition: Rendition, reason: &str, now: Instant) {
        if self.renditions.remove(&rendition).is_none() {
            return;
        }
        self.note(Level::Warn, None, None, format!("the {rendition} encoder failed: {reason}"));
        let word = match rendition {
            Rendition::H264 => Reason::CameraLost,
            Rendition::Vp8 => Reason::Failed,
        };
        for id in self.find(|call| call.rendition == Some(rendition)) {
            self.end(id, word, Farewell::Said, now);
        }
    }

    fn answered(&mut self, id: CallId, sdp: &str, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.visit.is_some() {
            return self.answer_player(id, sdp, now);
        }
        // Our own relay tells pages what cameras are called before they call.
        let untold = matches!(self.settings.relay, Relay::Foreign { .. });
        match call.answered(sdp, &self.tongue, untold.then_some(&*self.settings.room.camera), now) {
            Ok(messages) => self.commands.extend(messages.into_iter().map(Command::Send)),
            Err(reason) => self.end(id, reason, Farewell::Said, now),
        }
    }

    fn connected(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.connected(now) {
            return;
        }
        let (rendition, age, viewer) = (call.rendition, call.age(now), call.viewer().cloned());
        self.counts.live += 1;
        self.tongue.works(call.shape);
        let keys = rendition.and_then(|rendition| self.renditions.get_mut(&rendition));
        if keys.is_some_and(|keys| keys.wish(JOIN_KEY_FRAME_GAP, now)) {
            self.commands.extend(rendition.map(Command::ForceKeyFrame));
        }
        self.note(Level::Info, Some(id), viewer.clone(), format!("live after {} ms", age.as_millis()));
        for old in self.find(|call| call.replaced_at.is_some() && call.mark.from == viewer) {
            self.end(old, Reason::Replaced, Farewell::Unsaid, now);
        }
    }

    fn call_failed(&mut self, id: CallId, reason: &str, now: Instant) {
        let Some(call) = self.calls.get(&id).filter(|call| !call.is_closing()) else { return };
        let word = if call.is_answering() || call.is_live() { Reason::Failed } else { Reason::NoConnection };
        let viewer = call.viewer().cloned();
        self.note(Level::Info, Some(id), viewer, format!("the call failed: {reason}"));
        self.end(id, word, Farewell::Said, now);
    }
}
