//! Thousands of events in any order whatever, and after each of them everything the contract promises.

#![allow(clippy::unwrap_used)]

mod desk;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::time::Instant;

use desk::keys::{Knock, TODAY, key};
use desk::*;
use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, KeyRing, Label, Stamp};
use porthole_core::adapt::Report;
use porthole_core::command::{Command, Slate};
use porthole_core::config::settings::{Access, Talkers};
use porthole_core::event::{AccessEvent, Event, LinkEvent, MediaEvent};
use porthole_core::ids::{CallId, Rendition};
use porthole_core::order::Order;
use porthole_core::path::Path;
use porthole_core::rtcp::Reception;
use porthole_core::speaker::{PlayState, SpeakerState, Task, Word};
use porthole_core::status::{CaptureState, RoomState};
use porthole_core::switchboard::Relay;
use porthole_core::whep::{
    Ask, Bearer, Credentials, Jpeg, Matches, Place, Request, RequestId, Response, Signed,
};
use porthole_core::wire::dialect::{Choice, Custom, Known};
use porthole_core::wire::{Outgoing, limits};
use serde_json::{Value, json};

const RUNS: u64 = 340;
const STEPS: usize = 300;
const MAX_CALLS: usize = 5;

/// `ANYTHING_SEED=7` repeats one run, `ANYTHING_RUNS=100000` makes a long night of it.
#[test]
fn whatever_happens_in_whatever_order_the_contract_holds() {
    let number = |key| env::var(key).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("ANYTHING_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ANYTHING_RUNS").unwrap_or(RUNS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let mut world = World::new(seed);
        world.open();
        for step in 0..STEPS {
            world.at = format!("seed {seed} step {step}");
            world.step();
        }
        world.at = format!("seed {seed} at the end");
        world.stop();
        seen.add(&world.seen);
    }
    if seeds.end - seeds.start >= RUNS {
        seen.insist();
    }
}

/// What the commands so far have come to, and nothing that the switchboard says of itself.
struct World {
    /// Where we are, for who reads a failure.
    at: String,
    chance: Chance,
    desk: Desk,
    capture: bool,
    /// The camera failed since it was last opened.
    failed: bool,
    privacy: bool,
    slate: Option<Slate>,
    silent: bool,
    renditions: BTreeSet<Rendition>,
    calls: BTreeMap<CallId, Seat>,
    hung_up: Vec<CallId>,
    stopping: bool,
    finished: bool,
    /// Most viewers at once that are not our own pages, through somebody else's relay.
    foreign_calls: Option<usize>,
    known: Option<Known>,
    link_up: bool,
    /// Where keys decide.
    keyed: Option<Keyed>,
    /// Requests of players so far; each makes a place of its own.
    requests: u64,
    /// Those that have no response yet.
    waiting: BTreeSet<u64>,
    /// How many may talk at once, and who does.
    talk: Option<Talkers>,
    ears: BTreeSet<CallId>,
    /// What viewers called their last calls.
    tags: BTreeMap<String, String>,
    /// The player that asks to watch, and its key, where it has one that is good.
    playing: Option<Option<String>>,
    seen: Seen,
}

/// What is known about keys outside the switchboard.
#[derive(Default)]
struct Keyed {
    ring: Option<KeyRing>,
    date: Option<(Instant, Stamp)>,
    /// Every offer that was made, as it was sent.
    sent: Vec<Knock>,
    /// The proofs that were answered.
    answered: BTreeSet<String>,
    /// The offer that is fed, where nobody has changed it and its key is good.
    knocking: Option<Knock>,
}

impl Keyed {
    fn today(&self, now: Instant) -> Option<Stamp> {
        self.date.map(|(then, date)| Stamp(date.0 + now.duration_since(then).as_secs()))
    }

    fn is_good(&self, key: &str, now: Instant) -> bool {
        let held = self.ring.iter().flat_map(KeyRing::keys).find(|held| held.id.as_str() == key);
        held.is_some_and(|held| self.today(now).is_some_and(|today| !held.has_expired(today)))
    }
}

/// A call that has not been hung up.
struct Seat {
    viewer: Option<String>,
    key: Option<String>,
    rendition: Option<Rendition>,
    candidates: usize,
    /// Our own page.
    ours: bool,
    /// The camera makes the offer.
    offering: bool,
    answered: bool,
    live: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let keyed = (seed % 4 == 3).then(Keyed::default);
        let open = chance.one_in(2);
        let idle_after = secs(chance.below(12));
        let relay = if chance.one_in(3) {
            Relay::Own
        } else {
            let known = Known::ALL.map(Choice::Known);
            let other =
                [Choice::Auto, Choice::Custom(Box::new(Custom { offers: true, ..Custom::default() }))];
            let proves = [Choice::Auto, Choice::Known(Known::Porthole)];
            let all = [&known[..], &other[..]].concat();
            let dialect = chance.of(if keyed.is_some() { &proves } else { &all }).clone();
            Relay::Foreign { dialect, calls: usize::try_from(1 + chance.below(3)).unwrap() }
        };
        let known = match &relay {
            Relay::Foreign { dialect: Choice::Known(known), .. } => Some(*known),
            _ => None,
        };
        // Nobody waits in somebody else's room and lets nobody in.
        let open = open || (known.is_some() && !chance.one_in(4));
        let foreign_calls = if let Relay::Foreign { calls, .. } = &relay { Some(*calls) } else { None };
        let talk = *chance.of(&[None, Some(Talkers::One), Some(Talkers::Mix)]);
        let desk = Desk::with(|settings| {
            settings.talk = talk;
            settings.room.access = match (&keyed, open) {
                (Some(_), _) => Access::Keys,
                (None, true) => Access::Open,
                (None, false) => Access::Local,
            };
            settings.room.max_calls = MAX_CALLS;
            settings.room.idle_after = idle_after;
            settings.relay = relay;
        });
        Self {
            at: format!("seed {seed}"),
            chance,
            desk: Desk { camera_works: false, ..desk },
            capture: false,
            failed: false,
            privacy: false,
            slate: None,
            silent: false,
            renditions: BTreeSet::new(),
            calls: BTreeMap::new(),
            hung_up: Vec::new(),
            stopping: false,
            finished: false,
            foreign_calls,
            known,
            link_up: false,
            keyed,
            requests: 0,
            waiting: BTreeSet::new(),
            talk,
            ears: BTreeSet::new(),
            tags: BTreeMap::new(),
            playing: None,
            seen: Seen::default(),
        }
    }

    /// Where keys decide, they are mostly known from the beginning, and so is the speaker.
    fn open(&mut self) {
        if !self.chance.one_in(4) {
            self.feed(Event::Media(MediaEvent::Speaker(Word::Found(true))), None);
        }
        for _ in 0..6 {
            if self.keyed.is_some() {
                let event = self.keys_or_date();
                self.feed(event, None);
            }
        }
    }

    /// One event, or some time.
    fn step(&mut self) {
        if self.chance.one_in(5) {
            let time = match self.chance.below(4) {
                0 => millis(self.chance.below(200)),
                1 | 2 => millis(self.chance.below(3_000)),
                _ => secs(self.chance.below(25)),
            };
            let end = self.desk.now + time;
            while let Some(next) = self.desk.board.poll_timeout().filter(|next| *next <= end) {
                self.desk.now = self.desk.now.max(next);
                let commands = self.desk.sleep(millis(0));
                self.perform(commands, None);
            }
            self.desk.now = end;
        } else {
            let (event, viewer) = self.event();
            self.feed(event, viewer);
        }
        if self.chance.one_in(6) {
            let event = self.speech();
            self.feed(event, None);
        }
    }

    fn feed(&mut self, event: Event, viewer: Option<String>) {
        match &event {
            Event::Media(MediaEvent::CaptureFailed { .. }) => self.failed = true,
            Event::Order(Order::Privacy { on }) => self.privacy = *on,
            Event::Media(MediaEvent::Closed { call }) => self.hung_up.retain(|id| id != call),
            Event::Shutdown => self.stopping = true,
            Event::Link(LinkEvent::Up) => self.link_up = true,
            Event::Link(LinkEvent::Down { .. }) => self.link_up = false,
            Event::Access(event) => {
                let now = self.desk.now;
                self.keyed.iter_mut().for_each(|keyed| match event {
                    AccessEvent::Keys(ring) => keyed.ring = Some(ring.clone()),
                    AccessEvent::Date(date) => keyed.date = Some((now, *date)),
                });
            }
            _ => {}
        }
        let commands = self.desk.on(event.clone());
        if let Event::Link(LinkEvent::Message { args, .. }) = &event
            && let Some(tag) = args.first().and_then(|said| said.get("call")?.as_str())
            && commands.iter().any(|command| matches!(command, Command::Answer { .. }))
        {
            self.tags.extend(viewer.clone().map(|viewer| (viewer, tag.to_owned())));
        }
        match event {
            Event::Media(MediaEvent::Answered { call, .. }) => {
                let sent = |command: &Command| match command {
                    Command::Send(message) => is_answer(message),
                    Command::Respond { response, .. } => matches!(response, Response::Watching { .. }),
                    _ => false,
                };
                let answers = commands.iter().filter(|command| sent(command)).count();
                let seat = self.calls.get_mut(&call).filter(|_| answers > 0);
                assert!(
                    answers == 0 || seat.as_ref().is_some_and(|seat| !seat.answered),
                    "{}: answered once",
                    self.at
                );
                seat.into_iter().for_each(|seat| seat.answered = true);
            }
            Event::Media(MediaEvent::Connected { call, .. }) => {
                self.calls.get_mut(&call).into_iter().for_each(|seat| seat.live |= seat.answered);
            }
            _ => {}
        }
        self.perform(commands, viewer);
    }

    /// The daemon stops, and every call is closed but perhaps one.
    fn stop(&mut self) {
        self.feed(Event::Shutdown, None);
        assert!(self.calls.is_empty() && !self.capture && self.renditions.is_empty(), "{}", self.at);
        for _ in 0..20 {
            let (event, viewer) = self.event();
            self.feed(event, viewer);
        }
        while self.hung_up.len() > 1 {
            self.feed(closed(self.hung_up[0].0), None);
        }
        let commands = self.desk.sleep(secs(5));
        self.perform(commands, None);
        assert!(self.finished, "{}", self.at);
        assert_eq!(self.desk.board.poll_timeout(), None, "{}", self.at);
        for _ in 0..20 {
            let (event, viewer) = self.event();
            self.feed(event, viewer);
        }
    }

    /// Performs what is commanded and checks that it makes sense, then that everything promised holds.
    fn perform(&mut self, commands: Vec<Command>, viewer: Option<String>) {
        assert!(
            commands.len() <= 5 * MAX_CALLS + limits::CANDIDATES_PER_CALL + 10,
            "{}: {commands:?}",
            self.at
        );
        let mut last_hung_up = None;
        for command in commands {
            let at = self.at.clone();
            assert!(!self.finished, "{at}: {command:?} after the end");
            self.seen.count(&command);
            match command {
                Command::StartCapture => {
                    let again = std::mem::replace(&mut self.capture, true);
                    assert!(!self.stopping && !self.privacy && (self.failed || !again), "{at}");
                    self.failed = false;
                }
                Command::StopCapture => assert!(std::mem::replace(&mut self.capture, false), "{at}"),
                Command::StartSound | Command::Seek => assert!(self.capture, "{at}"),
                Command::ShowSlate(slate) => {
                    assert_eq!(self.privacy, slate == Slate::Privacy, "{at}");
                    assert!(!self.calls.is_empty() && self.slate.replace(slate) != Some(slate), "{at}");
                }
                Command::HideSlate => assert!(self.slate.take().is_some(), "{at}"),
                Command::PlaySilence => assert!(!std::mem::replace(&mut self.silent, true), "{at}"),
                Command::EndSilence => assert!(std::mem::replace(&mut self.silent, false), "{at}"),
                Command::StartRendition(rendition) => {
                    assert!(!self.stopping && self.renditions.insert(rendition), "{at}");
                }
                // Before a rendition is started it may be told so.
                Command::ChooseEncoder { attempt, .. } => assert!(attempt < 1000, "{at}"),
                Command::StopRendition(rendition) => assert!(self.renditions.remove(&rendition), "{at}"),
                Command::Answer { call, plan, trickle } => {
                    assert!(!self.stopping && (self.capture || self.privacy), "{at}");
                    assert!(
                        plan.rendition.is_none_or(|rendition| self.renditions.contains(&rendition)),
                        "{at}"
                    );
                    assert!(
                        self.calls.keys().chain(&self.hung_up).all(|id| *id < call),
                        "{at}: {call} came before"
                    );
                    assert_eq!(call.0, self.seen.answers, "{at}: numbers are counted up");
                    let playing = self.playing.take();
                    let plays = playing.is_some();
                    let key = self.keyed.as_mut().map(|keyed| {
                        if let Some(key) = playing {
                            return key.unwrap_or_else(|| panic!("{at}: no key was shown"));
                        }
                        let Some(knock) = keyed.knocking.take() else { panic!("{at}: nothing was proved") };
                        let text = |member: &str| knock.payload[member].as_str().unwrap().to_owned();
                        assert!(keyed.answered.insert(text("proof")), "{at}: answered before");
                        text("key")
                    });
                    let seat = Seat {
                        viewer: viewer.clone(),
                        key,
                        rendition: plan.rendition,
                        candidates: 0,
                        ours: trickle || plays,
                        offering: false,
                        answered: false,
                        live: false,
                    };
                    *self.seen.kinds.entry("call with a key".to_owned()).or_default() +=
                        u64::from(seat.key.is_some());
                    self.calls.insert(call, seat);
                }
                Command::Offer { call, rendition, .. } => {
                    assert!(!self.stopping && (self.capture || self.privacy), "{at}");
                    assert!(self.renditions.contains(&rendition), "{at}");
                    assert!(self.foreign_calls.is_some() && self.keyed.is_none(), "{at}: our own pages call");
                    assert_eq!(call.0, self.seen.answers, "{at}: numbers are counted up");
                    // VP8 is only offered to a viewer that has not taken H.264.
                    let again = (rendition == Vp8).then(|| last_hung_up.take().unwrap());
                    let seat = Seat {
                        viewer: again.unwrap_or_else(|| viewer.clone()),
                        key: None,
                        rendition: Some(rendition),
                        candidates: 0,
                        ours: false,
                        offering: true,
                        answered: false,
                        live: false,
                    };
                    self.calls.insert(call, seat);
                }
                Command::TakeAnswer { call, answer } => {
                    let seat =
                        self.calls.get_mut(&call).unwrap_or_else(|| panic!("{at}: an answer for {call}"));
                    assert!(seat.offering && !seat.answered, "{at}: one answer for {call}");
                    assert_eq!(seat.rendition, answer.rendition(), "{at}");
                    seat.answered = true;
                }
                Command::AddCandidate { call, .. } => {
                    let seat =
                        self.calls.get_mut(&call).unwrap_or_else(|| panic!("{at}: a candidate for {call}"));
                    assert!(!seat.offering || seat.answered, "{at}: a candidate before the answer");
                    seat.candidates += 1;
                    assert!(seat.candidates <= limits::CANDIDATES_PER_CALL, "{at}");
                }
                Command::Speaker(Task::OpenEar(call)) => {
                    let seat = self.calls.get(&call).unwrap_or_else(|| panic!("{at}: {call} is not there"));
                    assert!(seat.live && seat.ours, "{at}: heard though {call} is none of ours, or not live");
                    assert!(self.talk.is_some() && !self.stopping && self.ears.insert(call), "{at}");
                    let most = if self.talk == Some(Talkers::One) { 1 } else { limits::TALKERS };
                    assert!(self.ears.len() <= most, "{at}: {} are heard", self.ears.len());
                }
                Command::Speaker(Task::CloseEar(call)) => {
                    assert!(self.ears.remove(&call), "{at}: {call} was not heard");
                }
                Command::Speaker(Task::Play { .. }) => assert!(self.talk.is_some() && !self.stopping, "{at}"),
                Command::Speaker(Task::StopPlaying) => {}
                Command::HangUp { call } => {
                    assert!(!self.ears.contains(&call), "{at}: heard after the end");
                    let seat = self.calls.remove(&call);
                    last_hung_up =
                        Some(seat.unwrap_or_else(|| panic!("{at}: {call} is hung up twice")).viewer);
                    self.hung_up.push(call);
                }
                Command::SetBitrate { kbit, .. } => {
                    assert!((1..=2000).contains(&kbit), "{at}: {kbit} kbit/s")
                }
                Command::Pad { call, kbit } => {
                    assert!(self.calls.contains_key(&call) && kbit <= 2000, "{at}: {kbit} kbit/s for {call}");
                }
                Command::Feed { call, picture } => {
                    assert!(picture.is_none_or(|picture| self.renditions.contains(&picture)), "{at}");
                    let seat =
                        self.calls.get_mut(&call).unwrap_or_else(|| panic!("{at}: a picture for {call}"));
                    seat.rendition = picture;
                }
                Command::ForceKeyFrame(rendition) => assert!(self.renditions.contains(&rendition), "{at}"),
                Command::Send(message) => {
                    assert!(!message.enters || self.link_up, "{at}: asks to be let in where nobody hears it");
                    assert!(json!(message.args).to_string().contains(ROOM), "{at}: {message:?}");
                }
                Command::Run(_) => panic!("{at}: nothing is published"),
                Command::TakeSnapshot => assert!(self.capture && !self.privacy && !self.stopping, "{at}"),
                Command::Respond { request, .. } => {
                    assert!(self.waiting.remove(&request.0), "{at}: {request:?} has its response");
                }
                Command::Note(_) => {}
                Command::Finished => self.finished = true,
            }
        }
        self.playing = None;
        self.check();
    }

    fn check(&self) {
        let (board, now, at) = (&self.desk.board, self.desk.now, &self.at);
        let (status, kept) = (board.status(), board.kept());
        assert!(self.calls.is_empty() || self.capture != self.privacy, "{at}: calls without a camera");
        assert!(!(self.privacy && self.capture), "{at}: an open camera in spite of privacy");
        assert!(!self.calls.is_empty() || self.slate.is_none() && !self.silent, "{at}: a slate for nobody");
        let dark = self.privacy || status.capture == CaptureState::Lost;
        assert!(self.calls.is_empty() || !dark || self.slate.is_some(), "{at}: nothing is seen");
        let used: BTreeSet<_> = self.calls.values().filter_map(|seat| seat.rendition).collect();
        assert!(self.renditions.is_superset(&used), "{at}: a call without a picture");
        // Whoever is to get the full picture keeps the small one until that is there.
        let kept_on = |one: &Rendition| one.is_small() && used.contains(&one.full());
        let idle = self.renditions.difference(&used).find(|one| !kept_on(one));
        assert_eq!(idle, None, "{at}: a rendition runs exactly while a call uses it");
        assert_eq!(status.calls, self.calls.len(), "{at}");
        assert_eq!(status.live, self.calls.values().filter(|seat| seat.live).count(), "{at}");
        assert_eq!(status.speaker.talkers, self.ears.len(), "{at}");
        let none = status.speaker.state == SpeakerState::None;
        assert!(!none || self.ears.is_empty(), "{at}: somebody is heard where there is no speaker");
        let mut viewers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for seat in self.calls.values() {
            viewers.entry((&seat.viewer, &seat.key)).or_default().push(seat);
        }
        for (viewer, seats) in &viewers {
            assert!(seats.len() <= 2, "{at}: {viewer:?} has {} calls", seats.len());
            assert!(seats.len() < 2 || seats[0].live, "{at}: only a live call may be replaced in peace");
        }
        assert!(viewers.len() <= MAX_CALLS, "{at}");
        if let Some(most) = self.foreign_calls {
            let foreign = self.calls.values().filter(|seat| !seat.ours).map(|seat| &seat.viewer);
            assert!(foreign.collect::<BTreeSet<_>>().len() <= most, "{at}: the newest wins");
        }
        if self.link_up && !self.stopping {
            assert!(status.room != RoomState::Out, "{at}");
            assert!(status.link || status.lost.is_some(), "{at}: a link that does not stay says why");
        }
        let answering = self.calls.values().filter(|seat| !seat.answered).count();
        let pictures = self.waiting.len().saturating_sub(answering);
        assert!(self.finished || pictures <= limits::SNAPSHOTS_WAITING, "{at}: only who is called waits");
        assert!(self.finished || pictures == 0 || self.capture, "{at}: nobody waits for a closed camera");
        let due = board.poll_timeout();
        if !self.calls.is_empty() && !self.finished {
            assert!(
                due.is_some_and(|due| due <= now + limits::ANSWER_DEADLINE),
                "{at}: every call has a deadline"
            );
        }
        if self.capture && self.calls.is_empty() {
            assert!(due.is_some_and(|due| due <= now + secs(12)), "{at}: a camera nobody watches is closed");
        }
        assert!(kept.closing <= self.hung_up.len(), "{at}");
        assert!(kept.closing <= limits::CLOSING_AT_ONCE + 2 * MAX_CALLS, "{at}");
        assert!(kept.early_candidates <= limits::EARLY_CANDIDATES, "{at}");
        assert!(kept.counted_peers <= limits::COUNTED_PEERS, "{at}");
        let keyed = self.keyed.as_ref();
        assert!(kept.doubted_peers <= if keyed.is_some() { limits::COUNTED_PEERS } else { 0 }, "{at}");
        assert!(kept.taken_proofs <= keyed.map_or(0, |keyed| keyed.sent.len()), "{at}");
        let held = self.calls.values().filter_map(|seat| seat.key.as_ref());
        for key in held {
            assert!(keyed.is_some_and(|keyed| keyed.is_good(key, now)), "{at}: the key {key} is over");
        }
        let named = self.calls.values().filter(|seat| seat.key.is_some()).count();
        assert_eq!(status.viewers.len(), self.calls.len(), "{at}");
        assert_eq!(status.viewers.iter().filter(|viewer| viewer.holder.is_some()).count(), named, "{at}");
    }

    /// Anything that can happen, and whose offer it is.
    fn event(&mut self) -> (Event, Option<String>) {
        let who = *self.chance.of(&["anna", "bert", "carl", "dora", "emil", "fred", "gina"]);
        let tag = *self.chance.of(&["1", "2", "3", "4", "5", "6"]);
        let number = usize::try_from(self.chance.below(80)).unwrap();
        let id = self.some_call();
        let rendition = *self.chance.of(&Rendition::FULL);
        let calls_out = matches!(self.known, Some(Known::C | Known::C2 | Known::D | Known::F | Known::G));
        let what = if calls_out && self.chance.one_in(2) {
            43 + self.chance.below(15)
        } else {
            self.chance.below(63)
        };
        let event = match what {
            0..10 if self.keyed.is_some() => {
                let knock = self.knock(who, tag);
                return (knock.event(), Some(knock.payload["from"].as_str().unwrap().to_owned()));
            }
            42 | 57 if self.keyed.is_some() => self.keys_or_date(),
            0..10 => {
                let round = self.chance.below(3);
                let sdp = self.sdp(&format!("{who}{tag}v{round}"));
                return (offer_of(who, tag, &sdp), Some(who.into()));
            }
            10 | 11 => {
                let anonymous = *self.chance.of(&[None, Some("anon-1"), Some("anon-2")]);
                let sdp = self.sdp(&format!("tutorial{tag}"));
                return (tutorial_offer(anonymous, &sdp), anonymous.map(Into::into));
            }
            12..15 => candidate(who, tag, number),
            15 => candidates_end(who, tag),
            16 => {
                let mut line = line(number);
                line.username_fragment = Some(format!("tutorial{tag}"));
                says(None, "ice-candidate", json!(line))
            }
            17 => bye(who, tag),
            18 => left(who),
            19 => return (joined(who), Some(who.into())),
            20 => return self.rubbish(who),
            21 => up(),
            22 => down(),
            23..27 if self.desk.plans.contains_key(&CallId(id)) => self.desk.answered(id),
            23 => answered_with(id, "v=0"),
            24..30 => connected(id),
            30 => reached(id, Path::Relayed),
            31..34 if self.chance.one_in(2) => heard(id),
            31..34 => {
                let estimate = Some(*self.chance.of(&[40, 90, 400, 1300, 2600, u32::MAX]));
                let (again, sent, packets) =
                    *self.chance.of(&[(0, 0, 0), (300, 100, 40), (u32::MAX, 300, u32::MAX), (20, 2000, 250)]);
                let reception = Reception { estimate, again, ..Reception::default() };
                let waiting = self
                    .chance
                    .of(&[None, Some(0), Some(300), Some(u64::MAX)])
                    .map(std::time::Duration::from_millis);
                let report = Report { reception, sent, packets, waiting };
                let live = self.calls.iter().find(|(_, seat)| seat.live).map(|(call, _)| *call);
                Event::Media(MediaEvent::Reported { call: live.unwrap_or(CallId(id)), report })
            }
            34 => call_failed(id),
            35 => overflowed(id),
            36 if self.chance.one_in(3) => feed_began(id),
            36 => found(id, number),
            37 => wanted(rendition),
            38 if self.chance.one_in(3) => Event::Order(Order::Look {}),
            38 if self.chance.one_in(3) => {
                let made = if self.chance.one_in(4) { Err("no".into()) } else { Ok(Jpeg([7; 9].into())) };
                Event::Media(MediaEvent::Snapshot(made))
            }
            38 if self.chance.one_in(4) => stand_in_runs(),
            38 => capture_runs(),
            39 if self.chance.one_in(4) => capture_failed(),
            42 => match self.chance.below(15) {
                0 => privacy(true),
                1..4 => privacy(false),
                4 => sound_failed(),
                5 => sound_runs(),
                6 => sound_is_mute(),
                7 => device_came(),
                8 => frames_flow(),
                9 => sought(self.chance.one_in(2)),
                10 => sound_is_absent(),
                11 => sound_is_heard(),
                12 => tone_stands_in(),
                _ => rendition_runs(rendition),
            },
            40 if self.chance.one_in(4) => {
                rendition_failed(if self.chance.one_in(3) { rendition.small() } else { rendition })
            }
            41 if self.chance.one_in(60) => shutdown(),
            43..47 => {
                let (event, args) = self.arrival();
                return (says_all(event, args), None);
            }
            47..51 => match self.offering().last() {
                Some((call, rendition)) => offered(call.0, *rendition),
                None => offered(id, rendition),
            },
            51..55 => self.answer_of_theirs(rendition),
            55 => self.relay_speaks(),
            60..63 => return self.player(number),
            56 => {
                let mut line = line(number);
                line.username_fragment = self.chance.one_in(2).then(|| "Zq3v".to_owned());
                says_all("ice", vec![json!(line)])
            }
            _ => match self.hung_up.first() {
                Some(id) => closed(id.0),
                None => closed(id),
            },
        };
        (event, None)
    }

    /// An offer with a key: an honest one, one that somebody has changed, or one that was made before.
    fn knock(&mut self, who: &str, tag: &str) -> Knock {
        let round = self.chance.below(3);
        let sdp = self.sdp(&format!("{who}{tag}v{round}"));
        let id = *self.chance.of(&["grandma", "uncle", "guest", "nobody"]);
        let mut knock = Knock::with_sdp(&key(id), who, tag, &sdp);
        let vouches = self.foreign_calls.is_none();
        if !vouches {
            knock = knock.unvouched();
        }
        let Some(keyed) = &mut self.keyed else { return knock };
        // Our own relay vouches for the name, and nobody else can say what this one has said.
        let before: Vec<_> =
            keyed.sent.iter().filter(|sent| !vouches || sent.payload["from"] == who).collect();
        if self.chance.one_in(4) && !before.is_empty() {
            knock = (*self.chance.of(&before)).clone();
        } else {
            keyed.sent.push(knock.clone());
        }
        let good = keyed.is_good(knock.payload["key"].as_str().unwrap(), self.desk.now);
        let changed = match self.chance.below(12) {
            0 => knock.clone().strip("proof"),
            1 => knock.clone().change("key", json!("grandma")),
            2 => knock.clone().describe(|sdp| sdp.replace("v=0", "v=0\r\nx=")),
            3 => knock.clone().change("call", json!("changed")),
            _ => knock.clone(),
        };
        keyed.knocking = (good && changed.payload == knock.payload).then_some(knock);
        changed
    }

    /// Somebody wants to talk, or the speaker says something of itself.
    fn speech(&mut self) -> Event {
        let live: Vec<_> = self.calls.iter().filter(|(_, seat)| seat.live).map(|(id, _)| *id).collect();
        let id = if live.is_empty() { CallId(self.some_call()) } else { *self.chance.of(&live) };
        let number = self.chance.below(4);
        let word = match self.chance.below(16) {
            0..3 => Word::Found(!self.chance.one_in(6)),
            3 => Word::Runs,
            4 => Word::Released,
            5 if self.chance.one_in(3) => Word::Failed { reason: "unplugged".into() },
            6 => Word::Level(-20),
            7 => Word::Spoke(id),
            8 => Word::Played { number, state: PlayState::Ended },
            9 => return Event::Order(Order::Play { file: "/chime.wav".into(), volume: None }),
            _ => {
                let viewer = self.calls.get(&id).and_then(|seat| seat.viewer.clone());
                let who = viewer.unwrap_or_else(|| "anna".into());
                let tag = self.tags.get(&who).cloned().unwrap_or_else(|| "1".into());
                let want = *self.chance.of(&["ask", "ask", "take", "give", "sing"]);
                let turn = self.chance.below(50);
                let holder = *self.chance.of(&["grandma", "uncle", "guest"]);
                let around = Around { room: ROOM, from: &who, to: ME, call: &tag };
                let proof = proof::of_talk(&key(holder).secret, around, want, turn);
                let wish = json!({ "room": ROOM, "from": who, "to": ME, "call": tag, "want": want,
                                   "turn": turn, "proof": proof });
                return says(self.foreign_calls.is_none().then_some(&*who), "talk", wish);
            }
        };
        Event::Media(MediaEvent::Speaker(word))
    }

    /// A player asks for something.
    fn player(&mut self, number: usize) -> (Event, Option<String>) {
        self.requests += 1;
        let at = |number: u64| Place::new(name(&format!("{number:08}{}", "x".repeat(35))));
        let before = at(self.requests.saturating_sub(self.chance.below(8)));
        let (ask, viewer) = match self.chance.below(7) {
            6 => (Ask::Snapshot, None),
            0 => (Ask::HangUp { place: before }, None),
            1 => {
                let fragment = format!("a={}", line(number).candidate);
                (Ask::Trickle { place: before, matches: Matches::Any, fragment }, None)
            }
            _ => {
                let (place, offer) = (at(self.requests), self.sdp(&format!("player{number}")));
                let viewer = Some(place.peer().as_str().to_owned());
                (Ask::Watch { place, offer }, viewer)
            }
        };
        let holder = *self.chance.of(&["grandma", "uncle", "guest", "nobody"]);
        let shown = key(holder);
        let private = !self.chance.one_in(8);
        let credentials = match self.chance.below(8) {
            0 => Credentials::None,
            1 => Credentials::Wrong,
            2 => {
                let until = Stamp(
                    self.keyed.as_ref().and_then(|keyed| keyed.date).map_or(0, |(_, date)| date.0 + 60),
                );
                let proof = proof::of_snapshot(&shown.secret, ROOM, &shown.id, until);
                Credentials::Signed(Signed { key: shown.id.clone(), until, proof })
            }
            _ => Credentials::Bearer(Bearer { key: shown.id.clone(), secret: shown.secret }),
        };
        let good = self.keyed.as_ref().is_some_and(|keyed| keyed.is_good(shown.id.as_str(), self.desk.now));
        let shows = good && private && matches!(credentials, Credentials::Bearer(_));
        if viewer.is_some() {
            self.playing = Some(shows.then(|| shown.id.as_str().to_owned()));
        }
        if !self.finished {
            self.waiting.insert(self.requests);
        }
        let id = RequestId(self.requests);
        let request = Request { id, from: name("192.0.2.9"), private, credentials, ask };
        (Event::Link(LinkEvent::Request(request)), viewer)
    }

    /// Keys come and go, are called otherwise or last longer, and the clock moves.
    fn keys_or_date(&mut self) -> Event {
        let now = self.desk.now;
        let today = self.keyed.as_ref().and_then(|keyed| keyed.today(now)).unwrap_or(TODAY);
        if self.chance.one_in(3) {
            let moved = today.0 + self.chance.below(20) - self.chance.below(10);
            return Event::Access(AccessEvent::Date(Stamp(moved)));
        }
        let mut ring = KeyRing::default();
        for id in ["grandma", "uncle", "guest"] {
            let until = (id == "guest").then(|| Stamp(today.0 + self.chance.below(60)));
            let name = Label::new(&format!("{id} {}", self.chance.below(3))).unwrap();
            ring.add(Key { until, name, ..key(id) }).unwrap();
        }
        if self.chance.one_in(6) {
            let id = self.chance.of(ring.keys()).id.clone();
            ring.revoke(&id, today);
        }
        Event::Access(AccessEvent::Keys(ring))
    }

    /// Somebody comes, in the words of some dialect.
    fn arrival(&mut self) -> (&'static str, Vec<Value>) {
        let arrivals = [
            ("welcome", json!([])),
            ("ready", json!([ROOM])),
            ("message", json!(["got user media"])),
            ("start_call", json!([])),
            ("otherjoin", json!([ROOM, "socket-1"])),
            ("joined", json!([])),
        ];
        let fitting = [Known::C, Known::C2, Known::D, Known::F, Known::G]
            .into_iter()
            .position(|k| Some(k) == self.known);
        let (event, args) = match fitting {
            Some(index) if !self.chance.one_in(4) => arrivals[index].clone(),
            _ => self.chance.of(&arrivals).clone(),
        };
        (event, args.as_array().unwrap().clone())
    }

    /// Calls whose offer is ours and not answered.
    fn offering(&self) -> Vec<(CallId, Rendition)> {
        let waiting = self.calls.iter().filter(|(_, seat)| seat.offering && !seat.answered);
        waiting.filter_map(|(id, seat)| Some((*id, seat.rendition?))).collect()
    }

    fn answer_of_theirs(&mut self, rendition: Rendition) -> Event {
        let offered = self.offering().last().map_or(rendition, |(_, rendition)| *rendition);
        let answer = their_answer(offered);
        let sdp = match self.chance.below(8) {
            0 => "v=0".to_owned(),
            1 => their_answer(rendition),
            2 | 3 => refusing_picture(&answer),
            _ => answer,
        };
        let description = json!({ "type": "answer", "sdp": sdp });
        let way = match self.known {
            Some(Known::F) => 0,
            Some(Known::D) => 1,
            Some(Known::G) => 2,
            Some(_) => 3,
            None => self.chance.below(4),
        };
        match way {
            0 => says_all("webrtc_answer", vec![description]),
            1 => says_all("message", vec![description]),
            2 => says_all("message", vec![json!(ROOM), description]),
            _ => says_all("answer", vec![description]),
        }
    }

    fn relay_speaks(&mut self) -> Event {
        let event = *self.chance.of(&[
            "created",
            "joined",
            "room_joined",
            "full",
            "kicked",
            "room-not-found",
            "user-joined",
            "leave",
        ]);
        says_all(event, vec![json!(ROOM)])
    }

    fn sdp(&mut self, ufrag: &str) -> String {
        match self.chance.below(8) {
            0 => "rubbish".into(),
            1 => chromium_audio_only().into(),
            2 | 3 => short_offer(ufrag, Vp8),
            4 | 5 => short_offer(ufrag, H264),
            // Whoever may talk.
            _ => short_offer(ufrag, H264).replacen("a=recvonly", "a=sendrecv", 1),
        }
    }

    fn rubbish(&mut self, who: &str) -> (Event, Option<String>) {
        let event = *self.chance.of(&["offer", "candidate", "bye", "joined", "left", "room", "answer", "?"]);
        let strange =
            [json!(null), json!(7), json!([[]]), json!({ "from": {} }), json!({ "call": who, "sdp": [] })];
        let payload: Value = self.chance.of(&strange).clone();
        let sender = self.chance.one_in(2).then_some(who);
        (says(sender, event, payload), sender.map(Into::into))
    }

    /// A call that is, one that was, or one that will be.
    fn some_call(&mut self) -> u64 {
        if self.chance.one_in(6) {
            return self.chance.below(self.seen.answers + 3);
        }
        let ids: Vec<_> = self.calls.keys().map(|id| id.0).collect();
        if ids.is_empty() { 0 } else { *self.chance.of(&ids) }
    }
}

/// Whether this is the answer to a viewer, in any dialect.
fn is_answer(message: &Outgoing) -> bool {
    json!(message.args).to_string().contains(r#""type":"answer""#)
}

/// How often each kind of command was seen: a run in which nothing happens would prove nothing.
#[derive(Default)]
struct Seen {
    answers: u64,
    kinds: BTreeMap<String, u64>,
}

impl Seen {
    fn count(&mut self, command: &Command) {
        let kind = match command {
            Command::StartCapture => "start capture",
            Command::StopCapture => "stop capture",
            Command::StartSound => "start sound",
            Command::Seek => "seek",
            Command::ShowSlate(_) => "show slate",
            Command::HideSlate => "hide slate",
            Command::PlaySilence => "play silence",
            Command::EndSilence => "end silence",
            Command::ChooseEncoder { .. } => "choose encoder",
            Command::StartRendition(_) => "start rendition",
            Command::StopRendition(_) => "stop rendition",
            Command::Answer { .. } => "call",
            Command::Offer { .. } => "our offer",
            Command::TakeAnswer { .. } => "take answer",
            Command::AddCandidate { .. } => "candidate",
            Command::HangUp { .. } => "hang up",
            Command::ForceKeyFrame(_) => "key frame",
            Command::Speaker(Task::OpenEar(_)) => "heard",
            Command::Speaker(Task::CloseEar(_)) => "heard no more",
            Command::Speaker(_) => "file",
            Command::SetBitrate { .. } => "bitrate",
            Command::Pad { .. } => "padding",
            Command::Feed { .. } => "feed",
            Command::Send(message) => &message.event,
            Command::Run(_) => "errand",
            Command::Respond { response, .. } => match response {
                Response::Watching { .. } => "player watches",
                Response::Taken => "player trickles",
                Response::Ended => "player hangs up",
                Response::Picture(_) => "picture",
                Response::Refused(_) => "player refused",
            },
            Command::Note(_) => "note",
            Command::TakeSnapshot => "take snapshot",
            Command::Finished => "finished",
        };
        self.answers += u64::from(kind == "call" || kind == "our offer");
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
    }

    fn add(&mut self, other: &Self) {
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }

    fn insist(&self) {
        let least = [
            ("take snapshot", 20),
            ("picture", 10),
            ("start capture", 100),
            ("stop capture", 100),
            ("show slate", 100),
            ("hide slate", 100),
            ("play silence", 100),
            ("end silence", 100),
            ("choose encoder", 50),
            ("start sound", 10),
            ("start rendition", 500),
            ("stop rendition", 500),
            ("call", 2000),
            ("answer", 1000),
            ("candidate", 400),
            ("hang up", 2000),
            ("key frame", 300),
            ("bye", 500),
            ("refused", 1000),
            ("notice", 100),
            ("join", 300),
            ("finished", 250),
            ("our offer", 800),
            ("take answer", 150),
            ("message", 200),
            ("webrtc_offer", 50),
            ("call with a key", 400),
            ("watching", 3),
            ("player watches", 200),
            ("player trickles", 10),
            ("player hangs up", 10),
            ("player refused", 1000),
            ("heard", 10),
            ("heard no more", 10),
            ("floor", 100),
            ("file", 100),
        ];
        for (kind, least) in least {
            let count = self.kinds.get(kind).copied().unwrap_or_default();
            assert!(count >= least, "only {count} times {kind}: {:?}", self.kinds);
        }
    }
}

/// Chance that can be repeated (SplitMix64; Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}
