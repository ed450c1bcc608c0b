//! The life of the link over a transport that does as it is told, in time that only passes when nothing else happens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use porthole_core::event::LinkEvent;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::link::Link;
use crate::link::external::transport::Emit;

#[tokio::test(start_paused = true)]
async fn the_room_is_entered_first_and_then_comes_what_was_said_before() {
    let mut desk = Desk::open();
    desk.say("answer");
    let mut relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    desk.say("candidate");
    desk.link.send(Outgoing::entering("join", [json!("porthole")]));
    desk.say("bye");
    assert_eq!(relay.next().await, "join");
    assert_eq!(relay.next().await, "answer");
    assert_eq!(relay.next().await, "candidate");
    assert_eq!(relay.next().await, "bye");
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_enters_no_room_is_not_waited_for_for_ever() {
    let desk = Desk::open();
    desk.say("answer");
    let mut relay = desk.relay_opens();
    assert_eq!(relay.next().await, "answer");
}

#[tokio::test(start_paused = true)]
async fn what_the_connection_did_not_take_goes_out_after_the_next_entry_and_the_old_entry_does_not() {
    let mut desk = Desk::open();
    let mut relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    desk.link.send(Outgoing::entering("join", []));
    assert_eq!(relay.next().await, "join");
    desk.say("answer");
    relay.refuses_next(Failure::Broken).await;
    assert_eq!(desk.hears().await, down(&Failure::Broken));
    // Asked for too late: there is nobody to be asked.
    desk.link.send(Outgoing::entering("join", [json!("late")]));
    let mut relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    desk.link.send(Outgoing::entering("join", []));
    assert_eq!(relay.next().await, "join");
    assert_eq!(relay.next().await, "answer");
    assert!(relay.silent());
}

#[tokio::test(start_paused = true)]
async fn a_loss_is_told_once_and_again_only_when_its_reason_changes() {
    let mut desk = Desk::open();
    let relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    relay.ends(Failure::Closed).await;
    assert_eq!(desk.hears().await, down(&Failure::Closed));
    assert_eq!(desk.hears().await, down(&refused()), "nobody listens from now on");
    desk.waits_for_attempts(50).await;
    assert!(desk.events.try_recv().is_err());
    let token = Failure::NotLetIn("\"bad token\"".into());
    desk.relay_fails(token.clone());
    assert_eq!(desk.hears().await, down(&token));
    let _relay = desk.relay_opens();
    loop {
        match desk.hears().await {
            LinkEvent::Up => break,
            again => assert_eq!(again, down(&refused())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_refusals_costs_an_attempt_every_few_seconds_and_nothing_grows() {
    let mut desk = Desk::open();
    for number in 0..200 {
        desk.link.send(Outgoing::new(None, format!("message {number}"), []));
    }
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(started.elapsed(), Duration::from_secs(3600));
    let attempts = desk.attempts.load(Ordering::Relaxed);
    assert!((880..1200).contains(&attempts), "{attempts} attempts");
    assert_eq!(desk.hears().await, down(&refused()));
    assert!(desk.events.try_recv().is_err());
    let mut relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    desk.link.send(Outgoing::entering("join", []));
    assert_eq!(relay.next().await, "join");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(relay.silent(), "what waited for an hour is worth nothing");
    let figures = desk.figures.borrow().clone();
    assert_eq!((figures.waiting, figures.lost, figures.connections), (0, 200, 1));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_keeps_us_only_for_a_moment_is_asked_ever_more_rarely() {
    let mut desk = Desk::open();
    let mut last = Instant::now();
    let mut waits = Vec::new();
    for _ in 0..6 {
        let relay = desk.relay_opens();
        while desk.hears().await != LinkEvent::Up {}
        waits.push(last.elapsed());
        last = Instant::now();
        relay.ends(Failure::SentAway).await;
    }
    assert!(waits.is_sorted_by(|a, b| a < b) || waits[5] >= Duration::from_millis(3200), "{waits:?}");
    assert!(waits[5] >= Duration::from_millis(3200), "{waits:?}");

    let relay = desk.relay_opens();
    while desk.hears().await != LinkEvent::Up {}
    let (why, reason) = (Loss::SentAway, Failure::SentAway.to_string());
    assert_eq!(
        desk.figures.borrow().state,
        State::Unsteady { why, reason },
        "why it was lost is still worth knowing"
    );
    tokio::time::sleep(2 * limits::LINK_STEADY).await;
    assert_eq!(desk.figures.borrow().state, State::Up);
    let last = Instant::now();
    relay.ends(Failure::Closed).await;
    let _relay = desk.relay_opens();
    while desk.hears().await != LinkEvent::Up {}
    assert!(last.elapsed() < Duration::from_secs(1), "a good connection makes the waits short again");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_does_not_keep_the_next_one_from_being_made() {
    let mut desk = Desk::open();
    let started = Instant::now();
    desk.relay_hangs();
    let relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(desk.attempts.load(Ordering::Relaxed), 2, "none is made beside a connection");
    for _ in 0..100 {
        desk.relay_hangs();
    }
    relay.ends(Failure::Closed).await;
    assert_eq!(desk.hears().await, down(&Failure::Closed));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(desk.attempts.load(Ordering::Relaxed), 2 + AT_ONCE as u64, "and never too many at a time");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_or_too_much_is_counted_and_goes_no_further() {
    let mut desk = Desk::open();
    let relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    let said = |name: &str, args: Vec<Value>| Heard::Said { name: name.into(), args };
    relay.says(Heard::Refused("too-large")).await;
    relay.says(Heard::Refused("binary")).await;
    relay.says(said("offer", vec![json!(7), json!(null)])).await;
    let message =
        LinkEvent::Message { sender: None, name: "offer".into(), args: vec![json!(7), json!(null)] };
    assert_eq!(desk.hears().await, message);
    for _ in 0..1000 {
        relay.says(said("candidate", vec![])).await;
    }
    while relay.told.capacity() < relay.told.max_capacity() {
        tokio::task::yield_now().await;
    }
    let refusals = desk.figures.borrow().refusals.clone();
    assert_eq!((refusals["too-large"], refusals["binary"]), (1, 1));
    let heard = std::iter::from_fn(|| desk.events.try_recv().ok()).count();
    assert!((590..=600).contains(&heard), "{heard}");
    assert_eq!(refusals["too-often"] as usize + heard, 1000);
    tokio::time::sleep(Duration::from_secs(1)).await;
    relay.says(said("offer", vec![])).await;
    assert!(matches!(desk.hears().await, LinkEvent::Message { .. }), "a flood that is over is forgiven");
}

#[tokio::test(start_paused = true)]
async fn the_last_words_are_said_before_the_link_is_closed() {
    let mut desk = Desk::open();
    let mut relay = desk.relay_opens();
    assert_eq!(desk.hears().await, LinkEvent::Up);
    desk.link.send(Outgoing::entering("join", []));
    assert_eq!(relay.next().await, "join");
    desk.say("bye");
    let words = tokio::spawn(async move { (relay.next().await, relay.to_send.recv().await.is_none()) });
    desk.link.close().await;
    assert_eq!(words.await.unwrap(), ("bye".into(), true));
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_a_relay_that_is_not_there() {
    let desk = Desk::open();
    desk.waits_for_attempts(3).await;
    let started = Instant::now();
    desk.link.close().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

fn refused() -> Failure {
    Failure::Refused("relay.example:80".into())
}

fn down(failure: &Failure) -> LinkEvent {
    LinkEvent::Down { why: failure.loss(), reason: failure.to_string() }
}

/// The near end: a link as the desk has it, and what the transport is told.
struct Desk {
    link: Link,
    events: mpsc::Receiver<LinkEvent>,
    figures: watch::Receiver<Figures>,
    outcomes: mpsc::UnboundedSender<Outcome>,
    attempts: Arc<AtomicU64>,
}

impl Desk {
    fn open() -> Self {
        let (desk, events) = mpsc::channel(crate::link::EVENTS);
        let (outcomes, told) = mpsc::unbounded_channel();
        let attempts = Arc::<AtomicU64>::default();
        let transport = Told { outcomes: Arc::new(Mutex::new(told)), attempts: attempts.clone() };
        let life = Life::new(transport, "http://relay.example:80".into(), Events { desk });
        let figures = life.figures();
        let link = Link::start(None, |ends| life.run(ends));
        Self { link, events, figures, outcomes, attempts }
    }

    fn say(&self, event: &'static str) {
        self.link.send(Outgoing::new(None, event, []));
    }

    async fn hears(&mut self) -> LinkEvent {
        self.events.recv().await.unwrap()
    }

    /// The next attempt succeeds.
    fn relay_opens(&self) -> Relay {
        let (emits, to_send) = mpsc::channel(16);
        let (told, heard) = mpsc::channel(16);
        self.outcomes.send(Some(Ok(Epoch { emits, heard }))).unwrap();
        Relay { to_send, told }
    }

    fn relay_fails(&self, failure: Failure) {
        self.outcomes.send(Some(Err(failure))).unwrap();
    }

    /// The next attempt neither succeeds nor fails.
    fn relay_hangs(&self) {
        self.outcomes.send(None).unwrap();
    }

    async fn waits_for_attempts(&self, more: u64) {
        let until = self.attempts.load(Ordering::Relaxed) + more;
        while self.attempts.load(Ordering::Relaxed) < until {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The far end of one connection.
struct Relay {
    to_send: mpsc::Receiver<Emit>,
    told: mpsc::Sender<Heard>,
}

impl Relay {
    async fn next(&mut self) -> String {
        let Emit { event, done, .. } = self.to_send.recv().await.unwrap();
        done.send(Ok(())).unwrap();
        event
    }

    async fn refuses_next(mut self, failure: Failure) {
        let Emit { done, .. } = self.to_send.recv().await.unwrap();
        done.send(Err(failure)).unwrap();
    }

    fn silent(&mut self) -> bool {
        self.to_send.try_recv().is_err()
    }

    async fn says(&self, heard: Heard) {
        self.told.send(heard).await.unwrap();
    }

    async fn ends(self, failure: Failure) {
        self.says(Heard::Ended(failure)).await;
    }
}

/// A transport whose attempts end as they are told to, and otherwise find nobody.
struct Told {
    outcomes: Arc<Mutex<mpsc::UnboundedReceiver<Outcome>>>,
    attempts: Arc<AtomicU64>,
}

/// How an attempt ends; never, where it hangs.
type Outcome = Option<Result<Epoch, Failure>>;

impl Transport for Told {
    fn connect(&self) -> impl Future<Output = Result<Epoch, Failure>> + Send + 'static {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let outcome = self.outcomes.lock().unwrap().try_recv().unwrap_or_else(|_| Some(Err(refused())));
        async {
            // The desk has a moment to say something while an attempt is under way.
            tokio::time::sleep(Duration::from_millis(1)).await;
            match outcome {
                Some(outcome) => outcome,
                None => std::future::pending().await,
            }
        }
    }
}
