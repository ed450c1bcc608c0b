//! The state of all calls: what comes in as an [`Event`] goes out as [`Command`]s.
//!
//! [`Switchboard`] is the whole of it. `admit` judges offers, `offering` makes them, `talk` does what peers and relays
//! say, `talking` who is heard on the speaker, `media` what the media side reports, `orders` what it is ordered,
//! `players` what is asked for over HTTP, `publishing` calls the server of a crowd, `holders` has what keys have to do
//! with calls, `status` says how all that is, `terms` what changes meanwhile, `adapting` who gets how much of the
//! picture, `upkeep` what follows from all that; `call`, `capture`, `sound`, `floor`, `encoders`, `flow`, `troubles`,
//! `door`, `doubts`, `keyframes`, `early`, `rate` and `refusals` each keep one part of the state.
//! Must not know clocks, sockets, GStreamer or the log.

mod adapting;
mod admit;
mod call;
mod capture;
mod door;
mod doubts;
mod early;
mod encoders;
mod entry;
mod floor;
mod flow;
mod holders;
mod kept;
mod keyframes;
mod media;
mod offering;
mod orders;
mod players;
mod publishing;
mod rate;
mod refusals;
mod snapshots;
mod sound;
mod status;
mod talk;
mod talking;
mod terms;
mod troubles;
mod upkeep;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use call::Call;
use capture::Capture;
use door::Door;
use early::EarlyCandidates;
use encoders::Encoders;
use entry::{Entry, Visitor};
use flow::Flow;
use holders::Told;
pub use kept::Kept;
use keyframes::KeyFrames;
use players::refused;
use publishing::Publisher;
use rate::OfferRate;
use refusals::Refusals;
use snapshots::Snapshots;
use sound::Sound;
use talking::Talking;
pub use terms::Terms;
use troubles::Troubles;

use crate::adapt::{Limits, Policy};
use crate::command::{Command, Level, Note, Slate};
use crate::config::settings::{
    Access, AudioSource, Fallback, RelayMode, RoomSettings, Settings, SpeakerSink, Talkers,
};
use crate::event::Event;
use crate::ids::{CallId, Name, PeerId, Rendition};
use crate::status::Counts;
use crate::whep::Refusal;
use crate::wire::dialect::{Choice, Known, Tongue};
use crate::wire::limits::SHUTDOWN_DEADLINE;
use crate::wire::{Outgoing, Reason, Shape};

/// What the switchboard has to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchboardSettings {
    /// The room, and who may call.
    pub room: RoomSettings,
    /// The camera's own peer id.
    pub me: PeerId,
    /// What a browser without usable H.264 gets.
    pub fallback: Fallback,
    /// Whether there may be sound to offer.
    pub sound: bool,
    /// How many may be heard on the speaker at once; `None`: nobody, whoever asks.
    pub talk: Option<Talkers>,
    /// What the picture may take.
    pub limits: Limits,
    /// Whether the camera stays open while nobody watches.
    pub keep_warm: bool,
    /// Whose relay it is.
    pub relay: Relay,
}

/// Whose relay the room is in.
#[derive(Debug, Clone, PartialEq)]
pub enum Relay {
    /// Our own, in this process: it vouches for peers, and the camera is in the room as soon as the link is up.
    Own,
    /// Somebody else's.
    Foreign {
        /// How it is spoken to.
        dialect: Choice,
        /// Most calls at once with pages that are not our own; the newest wins.
        calls: usize,
    },
}

impl SwitchboardSettings {
    /// What of the configuration the switchboard needs. `me` is the camera's own peer id.
    pub fn new(settings: &Settings, me: PeerId) -> Self {
        let relay = match &settings.relay.mode {
            RelayMode::Embedded => Relay::Own,
            RelayMode::External(external) => {
                Relay::Foreign { dialect: external.dialect.clone(), calls: external.calls }
            }
        };
        Self {
            room: settings.room.clone(),
            me,
            fallback: settings.media.video.fallback,
            sound: settings.media.audio.source != AudioSource::None,
            talk: (settings.media.speaker.sink != SpeakerSink::None)
                .then_some(settings.media.speaker.talkers),
            limits: Limits::of(&settings.media),
            keep_warm: settings.media.video.keep_warm,
            relay,
        }
    }
}

/// Every call, the camera they share, and what is to be done about them. See the crate's contract.
#[derive(Debug)]
pub struct Switchboard {
    settings: SwitchboardSettings,
    phase: Phase,
    tongue: Tongue,
    entry: Entry,
    last_call: u64,
    calls: BTreeMap<CallId, Call>,
    capture: Capture,
    sound: Sound,
    /// Nobody is to see or hear anything.
    privacy: bool,
    /// What stands in for the camera's picture.
    slate: Option<Slate>,
    /// Silence stands in for the microphone.
    silent: bool,
    /// What of that viewers were told.
    troubles: Troubles,
    renditions: BTreeMap<Rendition, KeyFrames>,
    encoders: BTreeMap<Rendition, Encoders>,
    policy: Policy,
    flow: Flow,
    early: EarlyCandidates,
    /// Where no key tells whose an offer is. Peers without a name share one count.
    rate: OfferRate<Option<PeerId>>,
    door: Door,
    /// The same for players, by where they are.
    player_rate: OfferRate<Name>,
    publisher: Publisher,
    /// Who watches with a key, as those were last told.
    told: Vec<Told>,
    snapshots: Snapshots,
    talking: Talking,
    refusals: Refusals,
    counts: Counts,
    commands: VecDeque<Command>,
}

/// The life of the switchboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Stopping { until: Instant },
    Finished,
}

/// Whether the viewer is told that its call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Said,
    Unsaid,
}

impl Switchboard {
    /// An idle switchboard: no call, camera closed, link down.
    pub fn new(settings: SwitchboardSettings) -> Self {
        let (dialect, own) = match &settings.relay {
            Relay::Own => (&Choice::Known(Known::Porthole), true),
            Relay::Foreign { dialect, .. } => (dialect, false),
        };
        let tongue = match settings.room.access {
            Access::Keys => Tongue::new(dialect).for_our_pages(),
            Access::Local | Access::Open => Tongue::new(dialect),
        };
        let policy = Policy::new(settings.limits);
        let RoomSettings { room, camera, .. } = &settings.room;
        let visitor = Visitor { room: room.clone(), me: settings.me.clone(), name: camera.clone() };
        Self {
            tongue,
            entry: Entry::new(visitor, own),
            privacy: settings.room.privacy,
            troubles: Troubles { privacy: settings.room.privacy, ..Troubles::default() },
            settings,
            phase: Phase::Open,
            last_call: 0,
            calls: BTreeMap::new(),
            capture: Capture::new(),
            sound: Sound::new(),
            slate: None,
            silent: false,
            renditions: BTreeMap::new(),
            encoders: BTreeMap::new(),
            policy,
            flow: Flow::Unwanted,
            early: EarlyCandidates::default(),
            rate: OfferRate::default(),
            door: Door::default(),
            player_rate: OfferRate::default(),
            publisher: Publisher::default(),
            told: Vec::new(),
            snapshots: Snapshots::default(),
            talking: Talking::default(),
            refusals: Refusals::default(),
            counts: Counts::default(),
            commands: VecDeque::new(),
        }
    }

    /// Exactly one thing happened.
    pub fn handle(&mut self, event: Event, now: Instant) {
        if self.phase == Phase::Finished {
            return;
        }
        match event {
            Event::Link(event) => self.handle_link(event, now),
            Event::Media(event) => self.handle_media(event, now),
            Event::Access(event) => self.handle_access(event, now),
            Event::Order(order) => self.obey(order, now),
            Event::Terms(terms) => self.take_over(terms),
            Event::Shutdown => self.shut_down(now),
        }
        self.settle(now);
    }

    /// The moment [`Self::poll_timeout`] named has come. Called early or late, it does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.phase == Phase::Finished {
            return;
        }
        let due: Vec<_> = self.calls.iter().map(|(id, call)| (*id, call.deadline())).collect();
        for (id, (_, reason)) in due.into_iter().filter(|(_, (until, _))| *until <= now) {
            self.out_of_time(id, reason, now);
        }
        self.end_expired(now);
        let wished =
            self.renditions.iter_mut().filter_map(|(r, keys)| keys.handle_timeout(now).then_some(*r));
        self.commands.extend(wished.map(Command::ForceKeyFrame));
        self.early.handle_timeout(now);
        self.media_timeout(now);
        self.talking_timeout(now);
        if !self.is_stopping() {
            let join = self.entry.handle_timeout(&mut self.tongue, now);
            self.commands.extend(join.map(Command::Send));
            self.tell_news(now);
            self.publish_when_due(now);
        }
        self.tell_untold_refusals(now);
        if matches!(self.phase, Phase::Stopping { until } if until <= now) {
            let left = self.calls.len();
            self.note(Level::Warn, None, None, format!("{left} calls did not close in time"));
            self.calls.clear();
        }
        self.settle(now);
    }

    /// The next thing to be done, in order; `None`: everything is done for now.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called, where nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stopping = match self.phase {
            Phase::Open => None,
            Phase::Stopping { until } => Some(until),
            Phase::Finished => return None,
        };
        let calls = self.calls.values().map(|call| call.deadline().0);
        let calls = calls.chain(self.calls.values().filter_map(|call| self.expiry(call)));
        let keys = self.renditions.values().filter_map(KeyFrames::timeout);
        let entry = if stopping.is_none() { self.entry.timeout() } else { None };
        let others = [stopping, entry, self.publish_due(), self.early.timeout(), self.refusals.timeout()];
        calls.chain(keys).chain(others.into_iter().flatten()).chain(self.media_timeouts()).min()
    }

    /// Calls that have not ended.
    fn going(&self) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls.iter().filter(|(_, call)| !call.is_closing()).map(|(id, call)| (*id, call))
    }

    /// Ids of the calls that have not ended and fit.
    fn find(&self, fits: impl Fn(&Call) -> bool) -> Vec<CallId> {
        self.going().filter(|(_, call)| fits(call)).map(|(id, _)| id).collect()
    }

    fn is_stopping(&self) -> bool {
        self.phase != Phase::Open
    }

    fn shut_down(&mut self, now: Instant) {
        if self.is_stopping() {
            return;
        }
        self.phase = Phase::Stopping { until: now + SHUTDOWN_DEADLINE };
        for id in self.find(|_| true) {
            self.end(id, Reason::ShuttingDown, Farewell::Said, now);
        }
    }

    /// A deadline of a call has passed.
    fn out_of_time(&mut self, id: CallId, reason: Reason, now: Instant) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.is_closing() {
            let viewer = call.viewer().cloned();
            self.calls.remove(&id);
            self.note(Level::Warn, Some(id), viewer, "the call did not close; giving it up".into());
        } else {
            self.end(id, reason, Farewell::Said, now);
        }
    }

    /// Hangs up a call that has not ended yet, and says so to its viewer.
    fn end(&mut self, id: CallId, reason: Reason, farewell: Farewell, now: Instant) {
        self.leave_floor(id, now);
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.is_closing()) else { return };
        let (age, viewer, answering) = (call.age(now), call.viewer().cloned(), call.is_answering());
        let (shape, published) = (call.shape, call.is_published());
        let waiting = call.visit.as_mut().and_then(|visit| visit.waiting.take());
        *self.counts.ended.entry(reason.word()).or_default() += 1;
        self.commands.extend(waiting.map(|request| refused(request, Refusal::Call(reason))));
        // Whoever has been replaced knows: it called again itself, and may not tell its two calls apart.
        if farewell == Farewell::Said && reason != Reason::Replaced && shape != Shape::Http {
            let message = if answering {
                self.tongue.refused(&call.address, reason)
            } else {
                call.bye(&self.tongue, reason)
            };
            self.commands.extend(message.map(Command::Send));
        }
        call.close(now);
        self.policy.leaves(id);
        if answering && farewell == Farewell::Said {
            self.refusals.count(reason);
        }
        let level = if published { self.publish_ended(id, reason, now) } else { Level::Info };
        self.commands.push_back(Command::HangUp { call: id });
        let text = format!("call ended after {:.1} s: {}", age.as_secs_f64(), reason.sentence());
        self.note(level, Some(id), viewer, text);
    }

    fn send(&mut self, message: Outgoing) {
        self.commands.push_back(Command::Send(message));
    }

    fn note(&mut self, level: Level, call: Option<CallId>, peer: Option<PeerId>, text: String) {
        self.commands.push_back(Command::Note(Note { level, call, peer, text }));
    }
}
