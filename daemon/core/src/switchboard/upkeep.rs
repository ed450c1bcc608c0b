//! What follows from everything else, after each event: which renditions stop, whether the camera is open, what stands in
//! for it, and what viewers are told of that. Must not know how a message is spelt.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Phase, Switchboard};
use crate::command::{Command, Level, Slate};
use crate::ids::CallId;
use crate::wire::{Outgoing, Shape, What};

impl Switchboard {
    /// Stops what nobody uses any more, opens what somebody does, and finishes when everything is released.
    pub(super) fn settle(&mut self, now: Instant) {
        self.tell_watchers();
        let used = self.going().flat_map(|(_, call)| [call.watched(), call.keeps.map(|(kept, _)| kept)]);
        let used: BTreeSet<_> = used.flatten().collect();
        let unused: Vec<_> = self.renditions.keys().filter(|r| !used.contains(r)).copied().collect();
        for rendition in unused {
            self.renditions.remove(&rendition);
            self.encoders.entry(rendition).or_default().stops();
            self.commands.push_back(Command::StopRendition(rendition));
            let ends = self.policy.ends(rendition);
            self.adapt(ends, now);
        }
        let watched = self.going().any(|(_, call)| call.is_live() && call.watched().is_some());
        self.flow.is_wanted(watched, now);
        self.settle_capture(now);
        self.settle_snapshots(now);
        self.tell_troubles();
        self.tell_floor();
        if self.is_stopping() && self.calls.is_empty() {
            self.phase = Phase::Finished;
            self.commands.push_back(Command::Finished);
        }
    }

    /// Opens and closes camera and microphone, and puts up what stands in for them.
    fn settle_capture(&mut self, now: Instant) {
        let idle = self.going().next().is_none();
        let open = self.phase == Phase::Open && !self.privacy;
        let looked_at = self.capture.is_looked_at(now);
        let (mut start, mut stop) = (false, false);
        if !open {
            stop = self.capture.close();
        } else if idle && !looked_at && !self.settings.keep_warm {
            stop = self.capture.is_unused(self.settings.room.idle_after, now);
        } else {
            start = self.capture.is_used(now);
        }
        let slate = match self.capture.lost_since() {
            _ if idle => None,
            _ if self.privacy => Some(Slate::Privacy),
            // What stands in for a closed camera goes on to do so until it is open again.
            None if self.slate == Some(Slate::Privacy) && !self.capture.is_running() => self.slate,
            since => since.map(|since| Slate::NoCamera { since }),
        };
        if slate != self.slate {
            self.slate = slate;
            self.commands.push_back(slate.map_or(Command::HideSlate, Command::ShowSlate));
        }
        let silent = self.settings.sound && !idle && (self.privacy || self.sound.lost_since().is_some());
        if silent != self.silent {
            self.silent = silent;
            self.commands.push_back(if silent { Command::PlaySilence } else { Command::EndSilence });
        }
        if stop {
            self.sound.closes();
            self.commands.push_back(Command::StopCapture);
        }
        if start {
            self.start_capture(now);
        }
        if self.capture.is_open() && self.sound.is_due(now) {
            self.commands.push_back(Command::StartSound);
        }
        if self.capture.has_to_seek(now) {
            self.commands.push_back(Command::Seek);
        }
    }

    /// Opens the camera, for the first time or again.
    pub(super) fn start_capture(&mut self, now: Instant) {
        self.sound.opens(now);
        self.commands.push_back(Command::StartCapture);
    }

    /// Somebody wants that nobody sees or hears anything, or no longer does.
    pub(super) fn switch_privacy(&mut self, on: bool) {
        if self.privacy == on {
            return;
        }
        self.privacy = on;
        let text = if on {
            "privacy is on: camera and microphone are closed, viewers see a black picture and hear nothing"
        } else {
            "privacy is off"
        };
        self.note(Level::Info, None, None, text.into());
    }

    /// Tells everybody in the room what has changed about picture and sound.
    fn tell_troubles(&mut self) {
        let troubles = super::Troubles {
            privacy: self.privacy,
            no_picture: self.capture.lost_since().is_some(),
            no_sound: self.sound.is_missed(),
        };
        if troubles == self.troubles || self.is_stopping() {
            return;
        }
        let before = std::mem::replace(&mut self.troubles, troubles);
        for what in troubles.since(before) {
            self.notice(what);
        }
        for call in self.calls.values_mut() {
            call.told = troubles;
        }
    }

    /// Tells everybody in the room, where nobody is upset by words they do not know.
    fn notice(&mut self, what: What) {
        if self.tongue.takes_objects() {
            self.send(Outgoing::notice(&self.settings.room.room, &self.settings.me, what));
        }
    }

    /// Tells the viewer of one call what it has not heard.
    pub(super) fn catch_up(&mut self, id: CallId) {
        let ours = self.tongue.takes_objects();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !ours || call.shape != Shape::Porthole || call.told == self.troubles {
            return;
        }
        let before = std::mem::replace(&mut call.told, self.troubles);
        let news = self.troubles.since(before).map(|what| Outgoing::notice_to(&call.address, what));
        self.commands.extend(news.map(Command::Send));
    }
}
