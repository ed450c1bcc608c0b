//! Talking back: who asks for the floor is judged, who has it is heard, and everybody is told. Also files that are played.
//! Must not know how a message is spelt, nor how anything sounds.

use std::time::Instant;

use super::Switchboard;
use super::call::Call;
use super::floor::{Floor, Grant, Speaker, Talker};
use super::rate::OfferRate;
use crate::access::Role;
use crate::command::{Command, Level};
use crate::ids::CallId;
use crate::order::Order;
use crate::speaker::{PlayState, Played, SpeakerState, SpeakerStatus, Task, Word};
use crate::wire::limits::{SPEAKER_PATIENCE, TALKS_PER_WINDOW};
use crate::wire::{self, May, Outgoing, Reason, Shape, Talk, Want};

/// What there is to know of talking.
#[derive(Debug)]
pub(super) struct Talking {
    floor: Floor,
    speaker: Speaker,
    played: Option<Played>,
    /// Wishes to talk, by call.
    wishes: OfferRate<CallId>,
}

impl Default for Talking {
    fn default() -> Self {
        Self {
            floor: Floor::default(),
            speaker: Speaker::default(),
            played: None,
            wishes: OfferRate::at_most(TALKS_PER_WINDOW),
        }
    }
}

impl Talking {
    /// When something is due.
    pub(super) fn timeout(&self) -> Option<Instant> {
        [self.floor.timeout(), self.speaker.timeout()].into_iter().flatten().min()
    }

    /// How the speaker is.
    pub(super) fn status(&self) -> SpeakerStatus {
        let playing = matches!(self.played, Some(Played { state: PlayState::Playing, .. }));
        let (state, level) = (self.speaker.state(), self.speaker.level());
        SpeakerStatus { state, talkers: self.floor.talkers().len(), playing, level }
    }

    /// The last file that was to be played.
    pub(super) fn played(&self) -> Option<Played> {
        self.played.clone()
    }
}

impl Switchboard {
    /// A viewer wants to talk, or no longer.
    pub(super) fn talk(&mut self, talk: Talk, now: Instant) {
        let Talk { from, tag, want, .. } = &talk;
        let theirs = |call: &Call| call.viewer() == Some(from) && call.mark.tag.as_ref() == Some(tag);
        let Some(id) = self.find(|call| call.is_live() && theirs(call)).pop() else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.believes_talk(&talk) {
            return self.count_refusal(Some(from.clone()), Reason::NotAllowed, now);
        }
        if !self.talking.wishes.admits(&id, now) {
            return self.count_refusal(Some(from.clone()), Reason::TooOften, now);
        }
        if *want == Want::Give {
            return self.leave_floor(id, now);
        }
        // Whoever asks has an answer, also where nothing has changed.
        call.told_floor = None;
        let may = self.may(id);
        if !may.talks() {
            return self.count_refusal(Some(from.clone()), Reason::NotAllowed, now);
        }
        let Some(rule) = self.settings.talk else { return };
        let take = *want == Want::Take && may == May::Manage;
        let Grant::Given(gone) = self.talking.floor.ask(id, take, rule, now) else { return };
        for talker in gone {
            self.unheard(talker, now);
        }
        self.talking.speaker.is_needed(now);
        self.commands.push_back(Command::Speaker(Task::OpenEar(id)));
        self.note(Level::Info, Some(id), Some(from.clone()), "talks".into());
    }

    /// A call talks no more, whether it has ended or not.
    pub(super) fn leave_floor(&mut self, id: CallId, now: Instant) {
        if let Some(talker) = self.talking.floor.give(id) {
            self.unheard(talker, now);
        }
    }

    pub(super) fn hear_of_speaker(&mut self, word: Word, now: Instant) {
        match word {
            Word::Found(there) => {
                if self.talking.speaker.found(there) {
                    self.clear_floor(now);
                }
            }
            Word::Runs => self.talking.speaker.runs(),
            Word::Released => self.talking.speaker.released(),
            Word::Level(level) => self.talking.speaker.is_as_loud_as(level),
            Word::Failed { reason } => self.lose_speaker(&reason, now),
            Word::Spoke(call) => self.talking.floor.spoke(call, now),
            Word::Played { number, state } => self.played(number, state),
        }
    }

    /// What has to be done by `now` about who talks.
    pub(super) fn talking_timeout(&mut self, now: Instant) {
        for talker in self.talking.floor.handle_timeout(now) {
            self.unheard(talker, now);
        }
        if self.talking.speaker.is_late(now) {
            let reason = format!(
                "the speaker did not open within {SPEAKER_PATIENCE:?}; unplug it and plug it in again, or restart Porthole"
            );
            self.lose_speaker(&reason, now);
        }
    }

    /// Tells every viewer what has changed for it about the floor.
    pub(super) fn tell_floor(&mut self) {
        let told = self.settings.talk.is_some() && self.talking.speaker.is_known();
        if !told || self.is_stopping() || !self.tongue.takes_objects() {
            return;
        }
        let live = self.find(|call| call.is_live() && call.shape == Shape::Porthole);
        for id in live {
            let floor = self.floor_for(id);
            let Some(call) = self.calls.get_mut(&id) else { continue };
            if call.told_floor.as_ref() != Some(&floor) {
                let message = Outgoing::floor(&call.address, &floor);
                call.told_floor = Some(floor);
                self.commands.push_back(Command::Send(message));
            }
        }
    }

    /// Somebody who may order wants a file to be heard.
    pub(super) fn play(&mut self, file: String, volume: Option<u32>, now: Instant) {
        let number = self.talking.played.as_ref().map_or(1, |played| played.number + 1);
        let volume = volume.unwrap_or(100).clamp(1, Order::LOUDEST);
        let none = self.settings.talk.is_none() || self.talking.speaker.state() == SpeakerState::None;
        let state = if none {
            PlayState::Failed(
                "there is no speaker; `porthole devices` lists them, and [speaker] in the configuration says which is used"
                    .into(),
            )
        } else if !file.starts_with('/') {
            PlayState::Failed("a file is named by its full path".into())
        } else {
            self.talking.speaker.is_needed(now);
            self.commands.push_back(Command::Speaker(Task::Play { number, file, volume }));
            PlayState::Starting
        };
        self.talking.played = Some(Played { number, state });
    }

    /// Nothing is to be played any more.
    pub(super) fn stop_playing(&mut self) {
        self.commands.push_back(Command::Speaker(Task::StopPlaying));
    }

    fn played(&mut self, number: u64, state: PlayState) {
        let Some(played) = self.talking.played.as_mut().filter(|played| played.number == number) else {
            return;
        };
        if let PlayState::Failed(why) = &state {
            let text = format!("the file cannot be played: {why}");
            played.state = state.clone();
            return self.note(Level::Warn, None, None, text);
        }
        played.state = state;
    }

    fn floor_for(&self, id: CallId) -> wire::Floor {
        let named = self.settings.relay == super::Relay::Own;
        let others = self.talking.floor.talkers().iter().filter(|talker| talker.call != id);
        let name = |talker: &Talker| {
            let key = self.calls.get(&talker.call)?.key.as_ref().filter(|_| named)?;
            Some(key.name.clone())
        };
        wire::Floor {
            may: self.may(id),
            yours: self.talking.floor.has(id),
            talkers: others.map(name).collect(),
            turn: self.calls.get(&id).map_or(0, |call| call.turn),
        }
    }

    /// Whether the viewer of this call may talk.
    fn may(&self, id: CallId) -> May {
        let state = self.talking.speaker.state();
        let Some(call) = self.calls.get(&id).filter(|_| state != SpeakerState::None) else {
            return May::NoSpeaker;
        };
        let role = call.key.as_ref().map(|key| key.role);
        if !call.talks || role.is_some_and(|role| role < Role::Talk) {
            May::NotAllowed
        } else if state == SpeakerState::Lost {
            May::SpeakerLost
        } else if role == Some(Role::Manage) {
            May::Manage
        } else {
            May::Talk
        }
    }

    fn lose_speaker(&mut self, reason: &str, now: Instant) {
        let level = if self.talking.speaker.failed() { Level::Warn } else { Level::Debug };
        self.note(level, None, None, format!("the speaker failed: {reason}"));
        self.clear_floor(now);
    }

    fn clear_floor(&mut self, now: Instant) {
        for talker in self.talking.floor.clear() {
            self.unheard(talker, now);
        }
    }

    /// Somebody has the floor no more.
    fn unheard(&mut self, talker: Talker, now: Instant) {
        let Talker { call, since, .. } = talker;
        self.commands.push_back(Command::Speaker(Task::CloseEar(call)));
        let viewer = self.calls.get(&call).and_then(|call| call.viewer().cloned());
        let lasted = now.saturating_duration_since(since).as_secs_f64();
        self.note(Level::Info, Some(call), viewer, format!("has talked for {lasted:.1} s"));
    }
}
