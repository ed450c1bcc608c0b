//! What the media side reports. An event of a call that has ended finds nothing to touch. Must not know how media is
//! made.

use std::time::{Duration, Instant};

use super::call::{Call, Ours};
use super::capture::Failure;
use super::encoders::Remedy;
use super::sound::Runs;
use super::{Farewell, Relay, Switchboard};
use crate::command::{Command, Level};
use crate::event::MediaEvent;
use crate::ids::{CallId, Rendition};
use crate::status::Shows;
use crate::wire::Reason;
use crate::wire::limits::{JOIN_KEY_FRAME_GAP, KEY_FRAME_GAP};

/// For how long what a viewer reports is not heard while a key frame of what it is to get is waited for.
const KEPT_MOST: Duration = Duration::from_secs(15);

impl Switchboard {
    pub(super) fn handle_media(&mut self, event: MediaEvent, now: Instant) {
        match event {
            MediaEvent::CaptureRunning { shows } => self.capture_runs(shows, now),
            MediaEvent::CaptureFailed { reason } => self.capture_failed(&reason, now),
            MediaEvent::SoundRunning => {
                let text = match self.sound.runs() {
                    Runs::Again { since } => {
                        let gone = now.saturating_duration_since(since).as_secs_f64();
                        format!("the sound is back after {gone:.1} s")
                    }
                    Runs::InsteadOfTone => {
                        "a microphone has come, and takes the place of the tone".to_owned()
                    }
                    Runs::NoNews => return,
                };
                self.note(Level::Info, None, None, text);
            }
            MediaEvent::SoundStandsIn => {
                let camera = self.capture.is_running() && self.capture.shows() == Shows::Camera;
                self.sound.stands_in(camera, now);
            }
            MediaEvent::SoundAbsent => self.sound.is_absent(now),
            MediaEvent::SoundFailed { reason } => {
                let level = if self.sound.failed(now) { Level::Warn } else { Level::Debug };
                self.note(level, None, None, format!("the sound failed: {reason}"));
            }
            MediaEvent::SoundMute { reason } => {
                if self.sound.is_mute(now) {
                    self.note(Level::Warn, None, None, reason);
                }
            }
            MediaEvent::SoundHeard => {
                if let Some(since) = self.sound.is_heard() {
                    let gone = now.saturating_duration_since(since).as_secs_f64();
                    let text = format!("the microphone gives more than silence again, after {gone:.1} s");
                    self.note(Level::Info, None, None, text);
                }
            }
            MediaEvent::Speaker(word) => self.hear_of_speaker(word, now),
            MediaEvent::DeviceCame => {
                self.capture.appeared(now);
                self.sound.appeared(now);
            }
            MediaEvent::Sought { found } => self.sought(found, now),
            MediaEvent::Snapshot(made) => self.snapshot_made(made, now),
            MediaEvent::FramesFlow => self.flow.are_seen(now),
            MediaEvent::FramesMade { rendition, frames, over } => {
                self.encoders.entry(rendition).or_default().made(frames, over);
            }
            // Its first frame is a key frame, and the calls waiting for it are served by the media side.
            MediaEvent::RenditionRunning { rendition } => {
                self.encoders.entry(rendition).or_default().runs();
            }
            MediaEvent::RateFixed { rendition, fixed } => {
                let changes = self.policy.fix(rendition, fixed, now);
                if fixed {
                    let text =
                        format!("the bitrate of {rendition} is the camera's own and cannot be changed");
                    self.note(Level::Info, None, None, text);
                }
                self.adapt(changes, now);
            }
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
            MediaEvent::Connected { call, waits } => self.connected(call, waits, now),
            MediaEvent::Reached { call: id, path } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.path = Some(path);
                }
            }
            MediaEvent::Heard { call: id } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.heard(now);
                }
            }
            MediaEvent::Reported { call, report } => {
                // While it gets what it had, it speaks of that.
                let kept = self.calls.get(&call).and_then(|call| call.keeps);
                if kept.is_none_or(|(_, since)| now >= since + KEPT_MOST) {
                    let changes = self.policy.heard(call, report, now);
                    self.adapt(changes, now);
                }
            }
            MediaEvent::CallFailed { call, reason } => self.call_failed(call, &reason, now),
            MediaEvent::Overflowed { call: id } => {
                if self.calls.get_mut(&id).is_some_and(|call| call.overflowed(now)) {
                    self.end(id, Reason::TooSlow, Farewell::Said, now);
                }
            }
            MediaEvent::FeedBegan { call } => {
                if self.calls.get_mut(&call).is_some_and(|call| call.keeps.take().is_some()) {
                    self.policy.begins(call, now);
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

    /// What has to be done by `now` about camera, microphone and encoders.
    pub(super) fn media_timeout(&mut self, now: Instant) {
        if self.capture.handle_timeout(now) {
            let text = "the camera gives no first picture; if it does not come by itself, unplug the camera and \
                        plug it in again";
            self.note(Level::Warn, None, None, text.into());
        }
        if self.flow.handle_timeout(now) {
            let text = "no encoded frame comes though somebody watches; restart Porthole if this stays";
            self.note(Level::Warn, None, None, text.into());
        }
        let changes = self.policy.handle_timeout(now);
        self.adapt(changes, now);
        for rendition in Rendition::ALL {
            let due = self.encoders.get_mut(&rendition).and_then(|encoders| encoders.is_due(now));
            let choose = |attempt| Command::ChooseEncoder { rendition, attempt };
            self.commands.extend(due.map(choose));
        }
    }

    /// When [`Self::media_timeout`] has something to do.
    pub(super) fn media_timeouts(&self) -> impl Iterator<Item = Instant> {
        let encoders = self.encoders.values().filter_map(|encoders| encoders.timeout());
        let (snapshots, flow) = (self.snapshots.timeout(), self.flow.timeout());
        let (talking, policy) = (self.talking.timeout(), self.policy.poll_timeout());
        let others = [self.capture.timeout(), self.sound.timeout(), talking, flow, snapshots, policy];
        encoders.chain(others.into_iter().flatten())
    }

    fn capture_runs(&mut self, shows: Shows, now: Instant) {
        if let Some(since) = self.capture.runs(shows, now) {
            let gone = now.saturating_duration_since(since).as_secs_f64();
            let text = match shows {
                Shows::StandIn => {
                    format!(
                        "there is no camera {gone:.1} s after the last one was lost, so the test picture is shown"
                    )
                }
                Shows::Camera | Shows::Test | Shows::File => format!("the camera is back after {gone:.1} s"),
            };
            self.note(Level::Info, None, None, text);
        }
        if shows == Shows::Camera {
            self.sound.has_a_camera(now);
        }
    }

    /// The camera that the test picture stands in for was looked for. The microphone is opened anew too, as the tone goes with
    /// the picture.
    fn sought(&mut self, found: bool, now: Instant) {
        if !self.capture.sought(found, now) {
            return;
        }
        let text = "a camera has come, and takes the place of the test picture";
        self.note(Level::Info, None, None, text.into());
        self.sound.closes();
        self.commands.push_back(Command::StopCapture);
        self.start_capture(now);
    }

    fn capture_failed(&mut self, reason: &str, now: Instant) {
        let level = match self.capture.failed(reason, now) {
            Failure::Unasked => return,
            Failure::Lost => {
                self.counts.failed += 1;
                Level::Warn
            }
            Failure::StillLost { news: true } => Level::Warn,
            // It is tried every second, all night.
            Failure::StillLost { news: false } => Level::Debug,
        };
        self.note(level, None, None, format!("the camera failed: {reason}"));
    }

    /// The next encoder takes its place within the same calls. Where none works they end.
    fn rendition_failed(&mut self, rendition: Rendition, reason: &str, now: Instant) {
        if !self.renditions.contains_key(&rendition) {
            return;
        }
        let encoders = self.encoders.entry(rendition).or_default();
        match encoders.failed(now) {
            Remedy::Next => {
                let level = if encoders.is_news(now) { Level::Warn } else { Level::Debug };
                let due = encoders.is_due(now);
                let advice = match rendition {
                    Rendition::H264 | Rendition::SmallH264 => {
                        "; if that happens often, write another one that `porthole devices` lists into video.encoder"
                    }
                    Rendition::Vp8 | Rendition::SmallVp8 => "",
                };
                let text = format!("the {rendition} encoder failed and is replaced: {reason}{advice}");
                self.note(level, None, None, text);
                let choose = |attempt| Command::ChooseEncoder { rendition, attempt };
                self.commands.extend(due.map(choose));
            }
            Remedy::GiveUp => {
                self.note(Level::Warn, None, None, format!("no {rendition} encoder works: {reason}"));
                let word = match rendition {
                    Rendition::H264 => Reason::CameraLost,
                    Rendition::Vp8 => Reason::Failed,
                    // Who got the small picture still hears.
                    Rendition::SmallH264 | Rendition::SmallVp8 => {
                        let changes = self.policy.small_failed(rendition, now);
                        return self.adapt(changes, now);
                    }
                };
                for id in self.find(|call| call.watched() == Some(rendition)) {
                    self.end(id, word, Farewell::Said, now);
                }
            }
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
            Ok(messages) => {
                self.commands.extend(messages.into_iter().map(Command::Send));
                self.catch_up(id);
            }
            Err(reason) => self.end(id, reason, Farewell::Said, now),
        }
    }

    fn connected(&mut self, id: CallId, waits: bool, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.connected(now) {
            return;
        }
        let (format, takes) = (call.rendition, call.takes);
        let (age, viewer) = (call.age(now), call.viewer().cloned());
        self.tongue.works(call.shape);
        let (wanted, sound) = ((self.asks_for(takes), takes), self.settings.sound);
        let changes = format.map(|format| self.policy.joins(id, format, wanted, sound, now));
        self.counts.live += 1;
        self.adapt(changes.into_iter().flatten(), now);
        let rendition = self.calls.get(&id).and_then(Call::watched);
        let keys = rendition.and_then(|rendition| self.renditions.get_mut(&rendition));
        if waits && keys.is_some_and(|keys| keys.wish(JOIN_KEY_FRAME_GAP, now)) {
            self.commands.extend(rendition.map(Command::ForceKeyFrame));
        }
        if self.calls.get(&id).is_some_and(Call::is_published) {
            self.publish_works(id);
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
