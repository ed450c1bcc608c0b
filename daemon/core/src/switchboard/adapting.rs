//! Performs what the policy decides about who gets how much of the picture. Must not know how it decides.

use std::time::Instant;

use super::Switchboard;
use crate::adapt::{Change, Feed};
use crate::command::{Command, Level};
use crate::ids::{CallId, Rendition};
use crate::wire::limits::JOIN_KEY_FRAME_GAP;
use crate::wire::{Outgoing, Shape, What};

impl Switchboard {
    pub(super) fn adapt(&mut self, changes: impl IntoIterator<Item = Change>, now: Instant) {
        for change in changes {
            match change {
                Change::Bitrate(rendition, kbit) => {
                    self.commands.push_back(Command::SetBitrate { rendition, kbit });
                    self.note(Level::Debug, None, None, format!("{rendition} is made at {kbit} kbit/s"));
                }
                Change::Pad(call, kbit) => {
                    self.commands.push_back(Command::Pad { call, kbit });
                    self.note(Level::Debug, Some(call), None, format!("it is padded up to {kbit} kbit/s"));
                }
                Change::Feed(call, feed, carries) => self.feed(call, feed, carries, now),
            }
        }
    }

    /// What a viewer of this gets first that takes so many kbit/s of picture, where it says so.
    pub(super) fn begins_with(&self, format: Option<Rendition>, takes: Option<u32>) -> Feed {
        let has_small = format.is_some_and(|format| self.policy.has_small(format));
        if has_small { self.asks_for(takes) } else { Feed::Full }
    }

    /// What a viewer wants at most that takes so many kbit/s of picture, where it says so.
    pub(super) fn asks_for(&self, takes: Option<u32>) -> Feed {
        if takes.is_some_and(|takes| takes < self.settings.limits.most) { Feed::Small } else { Feed::Full }
    }

    fn feed(&mut self, id: CallId, feed: Feed, carries: Option<u32>, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let before = call.watched();
        let same = std::mem::replace(&mut call.feed, feed) == feed;
        // One that begins again is no news.
        let level = if same { Level::Debug } else { Level::Info };
        let (picture, viewer) = (call.watched(), call.viewer().cloned());
        let told = (call.shape == Shape::Porthole).then(|| call.address.clone());
        let runs = picture.is_some_and(|picture| self.renditions.contains_key(&picture));
        let has_small = call.rendition.is_some_and(|format| self.policy.has_small(format));
        if !same {
            // A camera that encodes makes key frames when it likes, and the small picture of that begins with one, too. Any
            // other is there at once, and what there was would be in its way.
            let waits = |before: &Rendition| feed == Feed::Full || self.policy.is_fixed(*before);
            call.keeps =
                before.filter(waits).filter(|_| feed > Feed::Sound && has_small).map(|kept| (kept, now));
        }
        self.open_for(picture, now);
        // What it has got from the start instead of what it wants needs to be told, and no more.
        let given = !same || carries.is_some();
        if given {
            self.commands.push_back(Command::Feed { call: id, picture });
        }
        if let Some(picture) = picture.filter(|_| runs && given)
            && self.renditions.get_mut(&picture).is_some_and(|keys| keys.wish(JOIN_KEY_FRAME_GAP, now))
        {
            self.commands.push_back(Command::ForceKeyFrame(picture));
        }
        let (what, gets) = match feed {
            Feed::Full => (What::PictureFull, "the full picture"),
            Feed::Small => (What::PictureSmall, "a small picture"),
            Feed::Sound => (What::PictureNone, "sound alone"),
        };
        if let Some(address) = told.filter(|_| self.tongue.takes_objects()) {
            let mut notice = Outgoing::notice_to(&address, what);
            if feed != Feed::Full && self.policy.others_are_well(id, now) {
                notice.is_on_their_side();
            }
            self.send(notice);
        }
        let why = match carries {
            Some(kbit) => format!("the way to this viewer carries about {kbit} kbit/s of picture"),
            None if before.is_none() => "another attempt".to_owned(),
            None if !has_small => "no small picture can be made".to_owned(),
            None => "the way to this viewer is good".to_owned(),
        };
        self.note(level, Some(id), viewer, format!("{why}: it gets {gets}"));
    }
}
