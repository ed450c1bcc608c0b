//! What the commands so far have come to, and what has to hold after each of them. Must not trust what the switchboard
//! says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use porthole_core::access::Stamp;
use porthole_core::command::{Command, Slate};
use porthole_core::config::settings::Access;
use porthole_core::event::{AccessEvent, Event, LinkEvent, MediaEvent};
use porthole_core::ids::{CallId, Rendition};
use porthole_core::order::Order;
use porthole_core::sdp::choose::AnswerPlan;
use porthole_core::speaker::Task;
use porthole_core::status::CaptureState;
use porthole_core::switchboard::{Switchboard, SwitchboardSettings};
use porthole_core::wire::limits;
use serde_json::{Value, json};

use super::super::{Outcome, sdp};
use super::script;
use crate::corpus::{self, ROOM};

/// Most times in a row that the switchboard may want to be woken within one pause.
const WAKES: usize = 400;

/// A switchboard with a clock of its own, and all that it has commanded.
pub struct World {
    board: Switchboard,
    now: Instant,
    most: usize,
    keyed: bool,
    offer: String,
    capture: bool,
    /// The camera failed since it was last opened.
    failed: bool,
    privacy: bool,
    slate: Option<Slate>,
    silent: bool,
    renditions: BTreeSet<Rendition>,
    /// Calls that are not hung up, with what they watch.
    calls: BTreeMap<CallId, Option<Rendition>>,
    plans: BTreeMap<CallId, AnswerPlan>,
    hung_up: BTreeSet<CallId>,
    ears: BTreeSet<CallId>,
    last: CallId,
    knocks: Vec<Value>,
    answers: usize,
    stopping: bool,
    finished: bool,
    outcome: Outcome,
}

impl World {
    /// Nothing has happened.
    pub fn new(settings: SwitchboardSettings) -> Self {
        let (most, keyed) = (settings.room.max_calls, settings.room.access == Access::Keys);
        let golden = corpus_offer();
        Self {
            board: Switchboard::new(settings),
            now: Instant::now(),
            most,
            keyed,
            offer: golden,
            capture: false,
            failed: false,
            privacy: false,
            slate: None,
            silent: false,
            renditions: BTreeSet::new(),
            calls: BTreeMap::new(),
            plans: BTreeMap::new(),
            hung_up: BTreeSet::new(),
            ears: BTreeSet::new(),
            last: CallId(0),
            knocks: Vec::new(),
            answers: 0,
            stopping: false,
            finished: false,
            outcome: Outcome::default(),
        }
    }

    /// One event, or some time.
    pub fn step(&mut self, block: &str) {
        let Some(said) = block.strip_prefix('!') else { return self.feed(script::message(block)) };
        let mut words = said.split(' ');
        let word = words.next().unwrap_or_default();
        let rest = said.get(word.len()..).unwrap_or_default().trim();
        let number = rest.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
        match word {
            "sleep" => self.sleep(Duration::from_millis(number.min(100_000))),
            "keys" => self.feed(Event::Access(script::keys(words, None))),
            "revoke" => {
                let revoked = words.next();
                let all = ["grandma", "uncle", "guest"].into_iter();
                self.feed(Event::Access(script::keys(all, revoked)));
            }
            "date" => {
                let date = script::TODAY.0.saturating_add(number).saturating_sub(1_000);
                self.feed(Event::Access(AccessEvent::Date(Stamp(date))));
            }
            "knock" => {
                let (id, who, tag) = (words.next(), words.next(), words.next());
                let (id, who, tag) = (id.unwrap_or("grandma"), who.unwrap_or("anna"), tag.unwrap_or("1"));
                if let Some(knock) = script::knock(id, who, tag, &self.offer) {
                    self.knocks.push(knock.clone());
                    self.feed(offer(who, knock));
                }
            }
            "again" => {
                let count = self.knocks.len();
                let which = usize::try_from(number).unwrap_or_default();
                if let Some(knock) = self.knocks.get(which % count.max(1)).cloned() {
                    let who = knock["from"].as_str().unwrap_or_default().to_owned();
                    self.feed(offer(&who, knock));
                }
            }
            "answered" => {
                let call = CallId(number);
                let answer = self.plans.get(&call).map_or("v=0".to_owned(), |plan| sdp::say_yes(&plan.offer));
                self.feed(Event::Media(MediaEvent::Answered { call, sdp: answer }));
            }
            _ => {
                if let Some(event) =
                    script::report(block.split(' ').next().unwrap_or_default(), CallId(number), rest)
                {
                    self.feed(event);
                }
            }
        }
    }

    /// The daemon stops, and nothing is left; tells what has come of it all.
    pub fn stop(mut self) -> u64 {
        self.feed(Event::Shutdown);
        assert!(self.calls.is_empty() && !self.capture && self.renditions.is_empty(), "left open at the end");
        self.sleep(limits::SHUTDOWN_DEADLINE);
        assert!(self.finished, "does not finish");
        assert_eq!(self.board.poll_timeout(), None);
        self.step("!up");
        self.step("!knock");
        let refusals: Vec<String> =
            self.board.status().refusals.keys().map(|word| format!("{word:?}")).collect();
        self.outcome.note(refusals);
        self.outcome.number()
    }

    fn feed(&mut self, event: Event) {
        match &event {
            Event::Media(MediaEvent::CaptureFailed { .. }) => self.failed = true,
            Event::Order(Order::Privacy { on }) if !self.stopping => self.privacy = *on,
            Event::Media(MediaEvent::Closed { call }) => _ = self.hung_up.remove(call),
            Event::Shutdown => self.stopping = true,
            _ => {}
        }
        self.board.handle(event, self.now);
        self.perform();
    }

    fn sleep(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..WAKES {
            let Some(next) = self.board.poll_timeout().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.board.handle_timeout(self.now);
            self.perform();
            let again = self.board.poll_timeout();
            assert!(again.is_none_or(|again| again > self.now), "asks for the same moment for ever");
        }
        self.now = end;
    }

    fn perform(&mut self) {
        let mut count = 0;
        while let Some(command) = self.board.poll_command() {
            count += 1;
            assert!(!self.finished, "{command:?} after the end");
            self.take(command);
        }
        assert!(count <= 8 * self.most + limits::CANDIDATES_PER_CALL + 24, "{count} commands for one event");
        self.check();
    }

    fn take(&mut self, command: Command) {
        self.outcome.note(std::mem::discriminant(&command));
        match command {
            Command::StartCapture => {
                let again = std::mem::replace(&mut self.capture, true);
                let failed = std::mem::replace(&mut self.failed, false);
                assert!(!self.stopping && !self.privacy && (failed || !again));
            }
            Command::StopCapture => assert!(std::mem::replace(&mut self.capture, false)),
            Command::StartRendition(one) => {
                assert!(!self.stopping && self.renditions.insert(one))
            }
            Command::StartSound | Command::Seek => assert!(self.capture),
            Command::ShowSlate(slate) => assert!(self.slate.replace(slate) != Some(slate)),
            Command::HideSlate => assert!(self.slate.take().is_some()),
            Command::PlaySilence => assert!(!std::mem::replace(&mut self.silent, true)),
            Command::EndSilence => assert!(std::mem::replace(&mut self.silent, false)),
            // Before a rendition is started it may be told so.
            Command::ChooseEncoder { .. } => {}
            Command::StopRendition(one) => assert!(self.renditions.remove(&one)),
            Command::Answer { call, plan, .. } => {
                self.answers += 1;
                self.opens(call, plan.rendition);
                self.plans.insert(call, *plan);
            }
            Command::Offer { call, rendition, .. } => {
                assert!(!self.keyed, "our own pages call, where keys decide");
                self.opens(call, Some(rendition));
            }
            Command::TakeAnswer { call, .. } | Command::AddCandidate { call, .. } => {
                assert!(self.calls.contains_key(&call), "{call} is not there");
            }
            Command::Speaker(Task::OpenEar(call)) => {
                assert!(self.calls.contains_key(&call) && !self.stopping, "{call} is not there to be heard");
                assert!(self.ears.insert(call) && self.ears.len() <= limits::TALKERS);
            }
            Command::Speaker(Task::CloseEar(call)) => assert!(self.ears.remove(&call)),
            Command::Speaker(Task::Play { .. } | Task::StopPlaying) => {}
            Command::HangUp { call } => {
                assert!(!self.ears.contains(&call), "{call} is heard after its end");
                assert!(self.calls.remove(&call).is_some(), "{call} is hung up twice");
                self.plans.remove(&call);
                self.hung_up.insert(call);
            }
            Command::Pad { call, kbit } => {
                assert!(self.calls.contains_key(&call) && kbit <= 100_000, "{kbit} kbit/s for nothing");
            }
            Command::SetBitrate { kbit, .. } => assert!((1..=10_000).contains(&kbit)),
            Command::Feed { call, picture } => {
                assert!(picture.is_none_or(|one| self.renditions.contains(&one)), "{picture:?} does not run");
                assert!(self.calls.insert(call, picture).is_some(), "{call} is not there");
            }
            Command::ForceKeyFrame(one) => assert!(self.renditions.contains(&one)),
            Command::Send(message) => {
                self.outcome.note(&message.event);
                let said = json!(message.args).to_string();
                assert!(said.contains(ROOM), "no room in {said}");
            }
            Command::Respond { .. } | Command::Run(_) | Command::TakeSnapshot => panic!("nobody has asked"),
            Command::Note(note) => assert!(note.text.len() < 1_000, "too much for a log: {}", note.text),
            Command::Finished => self.finished = true,
        }
    }

    fn opens(&mut self, call: CallId, rendition: Option<Rendition>) {
        assert!(
            !self.stopping && self.capture != self.privacy && call > self.last,
            "{call} after {}",
            self.last
        );
        // What it is to be fed instead follows.
        let runs = |one: Rendition| [one, one.small()].iter().any(|one| self.renditions.contains(one));
        assert!(rendition.is_none_or(runs));
        self.last = call;
        self.calls.insert(call, rendition);
    }

    fn check(&self) {
        let (status, kept) = (self.board.status(), self.board.kept());
        assert_eq!(status.calls, self.calls.len());
        assert_eq!(status.speaker.talkers, self.ears.len());
        let used: BTreeSet<_> = self.calls.values().filter_map(|rendition| *rendition).collect();
        assert!(self.renditions.is_superset(&used), "a call without a picture");
        // Whoever is to get the full picture keeps the small one until that is there.
        let kept_on = |one: &Rendition| one.is_small() && used.contains(&one.full());
        let idle = self.renditions.difference(&used).find(|one| !kept_on(one));
        assert_eq!(idle, None, "a rendition runs exactly while a call uses it");
        assert!(self.calls.is_empty() || self.capture != self.privacy, "calls without a camera");
        assert!(!self.privacy || !self.capture, "an open camera in spite of privacy");
        assert!(!self.calls.is_empty() || self.slate.is_none() && !self.silent, "a slate for nobody");
        let dark = self.privacy || status.capture == CaptureState::Lost;
        assert!(self.calls.is_empty() || !dark || self.slate.is_some(), "nothing is seen");
        assert!(self.calls.len() <= 2 * self.most, "a viewer has two calls at most");
        if self.keyed {
            let distinct: BTreeSet<_> = self.knocks.iter().map(|knock| knock["proof"].as_str()).collect();
            assert!(self.answers <= distinct.len(), "somebody is answered who has proved nothing");
        }
        assert!(kept.closing <= limits::CLOSING_AT_ONCE + 2 * self.most);
        assert!(kept.early_candidates <= limits::EARLY_CANDIDATES);
        assert!(kept.counted_peers <= limits::COUNTED_PEERS && kept.doubted_peers <= limits::COUNTED_PEERS);
        assert!(kept.taken_proofs <= self.knocks.len());
        let due = self.board.poll_timeout();
        assert!(
            self.calls.is_empty() || due.is_some_and(|due| due <= self.now + limits::ANSWER_DEADLINE),
            "every call has a deadline"
        );
    }
}

fn offer(who: &str, payload: Value) -> Event {
    let sender = porthole_core::ids::Name::new(who).ok();
    Event::Link(LinkEvent::Message { sender, name: "offer".into(), args: vec![payload] })
}

/// A short offer, as a browser made it.
fn corpus_offer() -> String {
    corpus::SHORT_OFFER.with(Clone::clone)
}
