//! A camera that goes and comes back within one call: the real switchboard, the real media side, and a viewer of another
//! make that only sees packets. A clip is the camera here: it can be taken away, put back and emptied like no test device.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use camera::{LIMIT, make_clip, settings};
use porthole::desk::{self, Board, Inbox, Ordered, Post};
use porthole::media::{Events, Media};
use porthole_core::access::KeyRing;
use porthole_core::config::settings::{CameraName, Settings, VideoSource};
use porthole_core::event::{AccessEvent, LinkEvent};
use porthole_core::ids::PeerId;
use porthole_core::order::Order;
use porthole_core::status::{CaptureState, FrameState, SoundState, Status};
use porthole_core::switchboard::{Switchboard, SwitchboardSettings};
use porthole_core::whep::{RequestId, Response};
use porthole_core::wire::Outgoing;
use porthole_peer::{Facts, Options, Stand, Viewer};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_a_camera_that_is_taken_away_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, away) = (folder.path().join("clip.mkv"), folder.path().join("away.mkv"));
    make_clip(&clip, 10);
    let mut house =
        House::open(|settings| settings.media.video.source = VideoSource::File(clip.clone())).await;
    let stand = Stand::new().unwrap();
    let viewer = house.watches(&stand).await;
    viewer.wait(LIMIT, |f| f.frames >= 10).await.unwrap();
    for _ in 0..3 {
        std::fs::rename(&clip, &away).unwrap();
        house.until(|s| s.capture == CaptureState::Lost).await;
        assert_eq!(house.notice().await, "camera-lost");
        sees_more(&viewer, 3).await;
        std::fs::rename(&away, &clip).unwrap();
        house.until(|s| s.capture == CaptureState::Running).await;
        assert_eq!(house.notice().await, "camera-back");
        sees_more(&viewer, 10).await;
    }
    let status = house.status.borrow().clone();
    assert_eq!((status.calls, status.live, status.frames), (1, 1, FrameState::Flowing));
    assert_eq!(viewer.facts().ended, None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_stands_still_is_lost_and_its_return_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mkv");
    make_clip(&clip, 10);
    let recorded = std::fs::read(&clip).unwrap();
    let mut house =
        House::open(|settings| settings.media.video.source = VideoSource::File(clip.clone())).await;
    let stand = Stand::new().unwrap();
    let viewer = house.watches(&stand).await;
    viewer.wait(LIMIT, |f| f.frames >= 10).await.unwrap();
    // What is read from now on holds no frame.
    std::fs::File::options().write(true).open(&clip).unwrap().set_len(0).unwrap();
    house.until(|s| s.capture == CaptureState::Lost).await;
    sees_more(&viewer, 3).await;
    std::fs::write(&clip, recorded).unwrap();
    house.until(|s| s.capture == CaptureState::Running).await;
    sees_more(&viewer, 10).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_without_any_camera_is_answered_sees_a_slate_and_hears() {
    let nowhere = CameraName::V4l2(Some("/dev/video-that-is-not-there".into()));
    let mut house = House::open(|settings| settings.media.video.source = VideoSource::Camera(nowhere)).await;
    let stand = Stand::new().unwrap();
    let viewer = house.watches(&stand).await;
    viewer.wait(LIMIT, |f| f.key_frames >= 1 && f.frames >= 5 && f.sounds >= 5).await.unwrap();
    house.until(|s| s.capture == CaptureState::Lost && s.live == 1).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microphone_that_is_not_there_is_silence_and_said() {
    let mut house = House::open(|settings| {
        settings.media.audio.source =
            porthole_core::config::settings::AudioSource::Alsa("nobody-made-this-device".to_owned());
    })
    .await;
    let stand = Stand::new().unwrap();
    let viewer = house.watches(&stand).await;
    house.until(|s| s.sound == SoundState::Lost).await;
    assert_eq!(house.notice().await, "sound-lost");
    viewer.wait(LIMIT, |f| f.frames >= 10 && f.sounds >= 10).await.unwrap();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn privacy_closes_the_camera_and_the_call_goes_on_with_black_and_silence() {
    let mut house = House::open(|_| {}).await;
    let stand = Stand::new().unwrap();
    let viewer = house.watches(&stand).await;
    viewer.wait(LIMIT, |f| f.frames >= 10 && f.sounds >= 10).await.unwrap();
    for (on, capture, word) in
        [(true, CaptureState::Idle, "privacy-on"), (false, CaptureState::Running, "privacy-off")]
    {
        house.order(Order::Privacy { on }).await;
        house.until(|s| s.privacy == on && s.capture == capture).await;
        assert_eq!(house.notice().await, word);
        sees_more(&viewer, 5).await;
    }
    assert_eq!(house.status.borrow().live, 1);
    house.close().await;
}

/// Another key frame, and more after it: a decoder has a picture of what came now. And sound goes on.
async fn sees_more(viewer: &Viewer, frames: u64) -> Facts {
    let before = viewer.facts();
    let more = |facts: &Facts| facts.frames >= before.frames + frames && facts.sounds > before.sounds;
    let seen = viewer.wait(LIMIT, more).await.unwrap();
    assert_eq!(seen.ended, None);
    seen
}

/// Everything but a link, which is the test's.
struct House {
    link: mpsc::Sender<LinkEvent>,
    posted: mpsc::UnboundedReceiver<Outgoing>,
    orders: mpsc::Sender<Ordered>,
    status: watch::Receiver<Status>,
    notices: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    life: JoinHandle<()>,
    _access: mpsc::Sender<AccessEvent>,
}

impl House {
    async fn open(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings("[room]\naccess = \"local\"\n");
        change(&mut settings);
        let me = PeerId::new("camera").unwrap();
        let room = settings.room.room.clone();
        let switchboard = Switchboard::new(SwitchboardSettings::new(&settings, me));
        let (status, seen) = watch::channel(switchboard.status());
        let (link, link_inbox) = mpsc::channel(16);
        let (_access, access_inbox) = mpsc::channel(4);
        let (orders, orders_inbox) = mpsc::channel(4);
        let (ring, _) = watch::channel(KeyRing::default());
        let (events, media_inbox) = Events::channel();
        let (post, posted) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut media = Media::open(settings.media, watch::channel(settings.ice).1, events).await.unwrap();
        let life = tokio::spawn(async move {
            let inbox = Inbox {
                link: link_inbox,
                media: media_inbox,
                access: access_inbox,
                terms: mpsc::channel(1).1,
                orders: orders_inbox,
                questions: mpsc::channel(1).1,
            };
            let board = Board { status, ring };
            let stop = async {
                let _ = stopped.await;
            };
            desk::run(switchboard, &room, &mut media, &Wire(post), inbox, &board, stop).await;
            media.close().await;
        });
        link.send(LinkEvent::Up).await.unwrap();
        let notices = Vec::new();
        Self { link, posted, orders, status: seen, notices, stop: Some(stop), life, _access }
    }

    /// Somebody calls and is connected.
    async fn watches(&mut self, stand: &Stand) -> Viewer {
        let (viewer, sdp) = Viewer::offer(stand, &Options::default()).unwrap();
        let payload = json!({"room": "porthole", "from": "anna", "to": "camera", "call": "1",
            "sdp": {"type": "offer", "sdp": sdp}});
        let sender = Some(PeerId::new("anna").unwrap());
        let offer = LinkEvent::Message { sender, name: "offer".to_owned(), args: vec![payload] };
        self.link.send(offer).await.unwrap();
        loop {
            tokio::select! {
                message = self.posted.recv() => self.hear(message.unwrap(), &viewer),
                up = viewer.wait(LIMIT, |facts| facts.connected.is_some()) => {
                    up.unwrap();
                    break;
                }
            }
        }
        viewer
    }

    fn hear(&mut self, message: Outgoing, viewer: &Viewer) {
        let payload = message.payload();
        match &*message.event {
            "answer" => viewer.accept(payload["sdp"]["sdp"].as_str().unwrap()).unwrap(),
            "candidate" => {
                let line = payload["candidate"]["candidate"].as_str().unwrap_or_default();
                viewer.add_remote_candidate(line).unwrap();
            }
            "notice" => self.notices.push(payload["what"].as_str().unwrap().to_owned()),
            // Who may talk is another test's.
            "join" | "floor" => {}
            other => panic!("{other}: {payload}"),
        }
    }

    /// The next notice to everybody.
    async fn notice(&mut self) -> String {
        if !self.notices.is_empty() {
            return self.notices.remove(0);
        }
        let next = async {
            loop {
                let message = self.posted.recv().await.unwrap();
                match (&*message.event, message.payload()) {
                    ("notice", payload) => return payload["what"].as_str().unwrap().to_owned(),
                    ("candidate" | "floor", Value::Object(_)) => {}
                    (other, payload) => panic!("{other}: {payload}"),
                }
            }
        };
        tokio::time::timeout(LIMIT, next).await.expect("no notice came")
    }

    async fn order(&self, order: Order) {
        let (obeyed, done) = oneshot::channel();
        self.orders.send(Ordered { order, obeyed }).await.unwrap();
        done.await.unwrap();
    }

    async fn until(&mut self, wanted: impl Fn(&Status) -> bool) {
        let seen = tokio::time::timeout(LIMIT, self.status.wait_for(|s| wanted(s))).await.map(|_| ());
        seen.unwrap_or_else(|_| panic!("never so: {:?}", self.status.borrow()));
    }

    async fn close(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(LIMIT, self.life).await.expect("it does not end").unwrap();
    }
}

struct Wire(mpsc::UnboundedSender<Outgoing>);

impl Post for Wire {
    fn post(&self, message: Outgoing) {
        let _ = self.0.send(message);
    }

    fn run(&self, errand: porthole_core::publish::Errand) {
        panic!("nothing is published: {errand:?}");
    }

    fn respond(&self, request: RequestId, response: Response) {
        panic!("nobody has asked: {request:?} {response:?}");
    }
}
