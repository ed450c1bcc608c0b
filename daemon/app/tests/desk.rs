//! The desk between a media side and a link that only write down what they are asked for.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use porthole::desk::{self, Board, Inbox, Ordered, Perform, Post, Question};
use porthole::keys;
use porthole_core::access::{KeyRing, Label, Role, Stamp};
use porthole_core::command::Command;
use porthole_core::config;
use porthole_core::event::{AccessEvent, LinkEvent, MediaEvent};
use porthole_core::ids::{CallId, PeerId, Rendition};
use porthole_core::order::Order;
use porthole_core::publish::Errand;
use porthole_core::status::{CaptureState, Shows, Status};
use porthole_core::switchboard::{Switchboard, SwitchboardSettings, Terms};
use porthole_core::whep::{RequestId, Response};
use porthole_core::wire::Outgoing;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(10);
const CALL: CallId = CallId(1);
const OFFER: &str = include_str!("../../core/tests/offers/chromium-156-recvonly.sdp");

#[tokio::test]
async fn an_offer_from_the_link_becomes_commands_for_the_media_side_in_their_order() {
    let mut desk = Seat::taken();
    desk.offers().await;
    assert_eq!(desk.performed().await, Command::StartCapture);
    assert_eq!(desk.performed().await, Command::StartRendition(Rendition::H264));
    let Command::Answer { call, plan, trickle } = desk.performed().await else { panic!("no answer") };
    assert_eq!((call, plan.rendition, trickle), (CALL, Some(Rendition::H264), true));
    desk.media.send(MediaEvent::CaptureRunning { shows: Shows::Camera }).unwrap();
    desk.until(|s| s.calls == 1 && s.capture == CaptureState::Running).await;
}

#[tokio::test]
async fn what_the_media_side_says_becomes_messages_on_the_link() {
    let mut desk = Seat::taken();
    desk.offers().await;
    desk.until(|s| s.calls == 1).await;
    desk.media.send(MediaEvent::CallFailed { call: CALL, reason: "out of threads".to_owned() }).unwrap();
    let message = desk.posted().await;
    assert_eq!(message.to, Some(PeerId::new("anna").unwrap()));
    assert!(["refused", "bye"].contains(&&*message.event), "{message:?}");
    desk.until(|s| s.calls == 0).await;
}

#[tokio::test]
async fn a_camera_that_fails_is_said_in_the_status_and_the_call_goes_on() {
    let mut desk = Seat::taken();
    desk.offers().await;
    assert_eq!(desk.performed().await, Command::StartCapture);
    desk.media.send(MediaEvent::CaptureFailed { reason: "unplugged".to_owned() }).unwrap();
    desk.until(|s| s.capture == CaptureState::Lost && s.calls == 1).await;
    while !matches!(desk.performed().await, Command::ShowSlate(_)) {}
    assert_eq!(desk.performed().await, Command::StartCapture, "it is tried again");
    desk.media.send(MediaEvent::CaptureRunning { shows: Shows::Camera }).unwrap();
    assert_eq!(desk.performed().await, Command::HideSlate);
    desk.until(|s| s.capture == CaptureState::Running && s.calls == 1).await;
}

#[tokio::test]
async fn stopping_hangs_up_and_ends_when_the_media_side_has_let_go() {
    let mut desk = Seat::taken();
    desk.offers().await;
    desk.until(|s| s.calls == 1).await;
    desk.stop.take().unwrap().send(()).unwrap();
    while desk.performed().await != (Command::HangUp { call: CALL }) {}
    desk.media.send(MediaEvent::Closed { call: CALL }).unwrap();
    tokio::time::timeout(LIMIT, desk.life).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_media_side_that_never_lets_go_does_not_keep_the_desk() {
    let mut desk = Seat::taken();
    desk.offers().await;
    desk.until(|s| s.calls == 1).await;
    desk.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(LIMIT, desk.life).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_desk_with_a_silent_world_sleeps_and_still_stops() {
    let mut desk = Seat::taken();
    desk.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(LIMIT, &mut desk.life).await.unwrap().unwrap();
    assert!(desk.performed.try_recv().is_err(), "nothing was running, so nothing is to be stopped");
}

#[tokio::test]
async fn a_ring_that_was_heard_of_is_on_the_board_for_others() {
    let mut desk = Seat::taken();
    let mut revoked = KeyRing::default();
    let key = keys::key(Label::new("ann").unwrap(), Role::Watch, Stamp(1), None).unwrap();
    revoked.add(key.clone()).unwrap();
    revoked.revoke(&key.id, Stamp(2));
    desk.access.send(AccessEvent::Date(Stamp(3))).await.unwrap();
    desk.access.send(AccessEvent::Keys(revoked.clone())).await.unwrap();
    let seen = tokio::time::timeout(LIMIT, desk.ring.wait_for(|ring| *ring == revoked)).await;
    assert!(seen.expect("a ring on the board").is_ok());
}

#[tokio::test]
async fn who_orders_hears_of_it_when_the_status_tells_what_came_of_it() {
    let mut desk = Seat::taken();
    let (obeyed, done) = oneshot::channel();
    desk.orders.send(Ordered { order: Order::Look {}, obeyed }).await.unwrap();
    tokio::time::timeout(LIMIT, done).await.expect("an order that is obeyed").unwrap();
    assert_eq!(desk.status.borrow().capture, CaptureState::Starting);
    assert_eq!(desk.performed().await, Command::StartCapture);
    desk.stop.take().unwrap().send(()).unwrap();
    assert_eq!(desk.performed().await, Command::StopCapture);
    tokio::time::timeout(LIMIT, &mut desk.life).await.unwrap().unwrap();
    let (obeyed, _) = oneshot::channel();
    let late = desk.orders.send(Ordered { order: Order::Look {}, obeyed }).await;
    assert!(late.is_err(), "nobody obeys any more");
}

#[tokio::test]
async fn terms_that_have_changed_hold_for_who_calls_next() {
    let mut desk = Seat::taken();
    let full = config::load("test.toml", "[room]\nmax_calls = 1\n", &|_| None).unwrap();
    desk.terms.send(Terms { max_calls: 0, ..Terms::new(&full) }).await.unwrap();
    // There is room for a second one as soon as the first has been taken.
    desk.terms.send(Terms { max_calls: 0, ..Terms::new(&full) }).await.unwrap();
    desk.offers().await;
    assert_eq!(desk.posted().await.event, "refused");
}

#[tokio::test]
async fn a_desk_that_is_asked_answers_how_it_is_after_all_that_came_before() {
    let desk = Seat::taken();
    desk.offers().await;
    let mut calls = 0;
    while calls == 0 {
        let (answer, answered) = oneshot::channel();
        desk.questions.send(answer).await.unwrap();
        calls = tokio::time::timeout(LIMIT, answered).await.expect("a desk that turns").unwrap().calls;
    }
    assert_eq!(calls, 1);
}

/// A desk at work, and the test's end of everything around it.
struct Seat {
    link: mpsc::Sender<LinkEvent>,
    media: mpsc::UnboundedSender<MediaEvent>,
    access: mpsc::Sender<AccessEvent>,
    orders: mpsc::Sender<Ordered>,
    terms: mpsc::Sender<Terms>,
    questions: mpsc::Sender<Question>,
    ring: watch::Receiver<KeyRing>,
    performed: mpsc::UnboundedReceiver<Command>,
    posted: mpsc::UnboundedReceiver<Outgoing>,
    status: watch::Receiver<Status>,
    stop: Option<oneshot::Sender<()>>,
    life: JoinHandle<()>,
}

impl Seat {
    fn taken() -> Self {
        let settings = config::load("test.toml", "[room]\naccess = \"local\"\n", &|_| None).unwrap();
        let room = settings.room.room.clone();
        let me = PeerId::new("camera").unwrap();
        let switchboard = Switchboard::new(SwitchboardSettings::new(&settings, me));
        let (status, seen) = watch::channel(switchboard.status());
        let (link, link_inbox) = mpsc::channel(16);
        let (media, media_inbox) = mpsc::unbounded_channel();
        let (access, access_inbox) = mpsc::channel(4);
        let (orders, orders_inbox) = mpsc::channel(4);
        let (terms, terms_inbox) = mpsc::channel(1);
        let (questions, asked) = mpsc::channel(1);
        let (known, ring) = watch::channel(KeyRing::default());
        let (perform, performed) = mpsc::unbounded_channel();
        let (post, posted) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let life = tokio::spawn(async move {
            let inbox = Inbox {
                link: link_inbox,
                media: media_inbox,
                access: access_inbox,
                orders: orders_inbox,
                terms: terms_inbox,
                questions: asked,
            };
            let board = Board { status, ring: known };
            let stop = async {
                let _ = stopped.await;
            };
            let (mut media, link) = (FakeMedia(perform), FakeLink(post));
            desk::run(switchboard, &room, &mut media, &link, inbox, &board, stop).await;
        });
        Self {
            link,
            media,
            access,
            orders,
            terms,
            questions,
            ring,
            performed,
            posted,
            status: seen,
            stop: Some(stop),
            life,
        }
    }

    async fn offers(&self) {
        let payload = json!({"room": "porthole", "from": "anna", "to": "camera", "call": "1",
            "sdp": {"type": "offer", "sdp": OFFER}});
        let sender = Some(PeerId::new("anna").unwrap());
        self.link
            .send(LinkEvent::Message { sender, name: "offer".to_owned(), args: vec![payload] })
            .await
            .unwrap();
    }

    async fn performed(&mut self) -> Command {
        tokio::time::timeout(LIMIT, self.performed.recv()).await.expect("no command came").unwrap()
    }

    async fn posted(&mut self) -> Outgoing {
        tokio::time::timeout(LIMIT, self.posted.recv()).await.expect("no message came").unwrap()
    }

    async fn until(&mut self, wanted: impl Fn(&Status) -> bool) {
        tokio::time::timeout(LIMIT, self.status.wait_for(|s| wanted(s))).await.expect("status").unwrap();
    }
}

struct FakeMedia(mpsc::UnboundedSender<Command>);

impl Perform for FakeMedia {
    fn perform(&mut self, command: &Command) {
        let _ = self.0.send(command.clone());
    }
}

struct FakeLink(mpsc::UnboundedSender<Outgoing>);

impl Post for FakeLink {
    fn post(&self, message: Outgoing) {
        let _ = self.0.send(message);
    }

    fn run(&self, errand: Errand) {
        panic!("nothing is published: {errand:?}");
    }

    fn respond(&self, request: RequestId, response: Response) {
        panic!("nobody has asked: {request:?} {response:?}");
    }
}
