//! The small language of the switchboard's tests: a desk that feeds events, lets time pass, and insists on exactly
//! the commands that are named. What is noted for the log is kept aside.

#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used)]

pub mod keys;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use porthole_core::adapt::{Limits, Report};
use porthole_core::command::{Command, Level, Note, Slate};
use porthole_core::config::settings::{Access, Fallback, MediaSettings, RoomSettings};
use porthole_core::event::{Event, LinkEvent, Loss, MediaEvent};
use porthole_core::ids::{CallId, Name, Rendition};
use porthole_core::order::Order;
use porthole_core::path::Path;
use porthole_core::sdp::choose::{self, AnswerPlan, Codec, Direction};
use porthole_core::status::Shows;
use porthole_core::switchboard::{Relay, Switchboard, SwitchboardSettings};
use porthole_core::wire::{Address, Candidate, Mirror, Outgoing, Reason, Shape, Watcher, What};
use serde_json::{Value, json};

pub use Command::{
    ChooseEncoder, EndSilence, Finished, ForceKeyFrame, HideSlate, PlaySilence, Seek, ShowSlate,
    StartCapture, StartRendition, StartSound, StopCapture, StopRendition,
};
pub use Rendition::{H264, Vp8};

pub const ROOM: &str = "porthole";
pub const ME: &str = "cam-nursery";

/// A switchboard with a clock of its own.
pub struct Desk {
    pub board: Switchboard,
    pub now: Instant,
    pub notes: Vec<Note>,
    pub plans: BTreeMap<CallId, AnswerPlan>,
    /// The camera opens as soon as it is asked for. Else the test says what it does.
    pub camera_works: bool,
    /// When the camera was lost, where [`Desk::lost`] has made it so.
    pub lost_at: Instant,
}

impl Desk {
    /// Our own pages on this machine are let in.
    pub fn local() -> Self {
        Self::with(|_| {})
    }

    /// Tutorial pages are let in too.
    pub fn open() -> Self {
        Self::with(|settings| settings.room.access = Access::Open)
    }

    pub fn with(change: impl FnOnce(&mut SwitchboardSettings)) -> Self {
        let mut settings = SwitchboardSettings {
            room: RoomSettings {
                room: name(ROOM),
                camera: "Nursery".into(),
                access: Access::Local,
                keys: None,
                max_calls: 20,
                idle_after: secs(10),
                privacy: false,
            },
            me: name(ME),
            fallback: Fallback::Vp8,
            sound: true,
            talk: None,
            limits: Limits::of(&MediaSettings::default()),
            keep_warm: false,
            relay: Relay::Own,
        };
        change(&mut settings);
        let board = Switchboard::new(settings);
        Self {
            board,
            now: Instant::now(),
            notes: Vec::new(),
            plans: BTreeMap::new(),
            camera_works: true,
            lost_at: Instant::now(),
        }
    }

    /// The same, and the test says what the camera does.
    pub fn with_a_camera() -> Self {
        Self { camera_works: false, ..Self::local() }
    }

    /// One viewer watches, and the camera has just been lost; it is being opened again.
    pub fn lost() -> Self {
        let mut desk = Self::with_a_camera();
        desk.live("anna", "1");
        desk.on(capture_runs());
        desk.lost_at = desk.now;
        let lost = no_camera(desk.now);
        desk.expect(capture_failed(), [lost, StartCapture, noticed(What::CameraLost)]);
        desk
    }

    /// Feeds one event and tells what is commanded.
    pub fn on(&mut self, event: Event) -> Vec<Command> {
        self.board.handle(event, self.now);
        let mut commands = self.drain();
        if self.camera_works && commands.contains(&StartCapture) {
            self.board.handle(capture_runs(), self.now);
            commands.extend(self.drain());
        }
        commands
    }

    /// Exactly these commands and nothing else.
    #[track_caller]
    pub fn expect(&mut self, event: Event, commands: impl IntoIterator<Item = Command>) {
        let commands: Vec<_> = commands.into_iter().collect();
        let what = match &event {
            Event::Link(LinkEvent::Message { sender, name, .. }) => format!("{name} of {sender:?}"),
            event => format!("{event:?}"),
        };
        assert_eq!(self.on(event), commands, "after {what}");
    }

    /// Nothing at all.
    #[track_caller]
    pub fn ignores(&mut self, event: Event) {
        self.expect(event, []);
    }

    /// Time passes, with a stop at every moment the switchboard asked for; tells what was commanded on the way.
    pub fn sleep(&mut self, time: Duration) -> Vec<Command> {
        let end = self.now + time;
        let mut commands = Vec::new();
        while let Some(next) = self.board.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.board.handle_timeout(self.now);
            commands.extend(self.drain());
            let again = self.board.poll_timeout();
            assert!(again.is_none_or(|again| again > self.now), "asks for the same moment for ever");
        }
        self.now = end;
        commands
    }

    /// While time passes, exactly these commands and nothing else.
    #[track_caller]
    pub fn passes(&mut self, time: Duration, commands: impl IntoIterator<Item = Command>) {
        let commands: Vec<_> = commands.into_iter().collect();
        assert_eq!(self.sleep(time), commands, "while {time:?} pass");
    }

    /// The same while every live viewer is heard and its picture flows.
    #[track_caller]
    pub fn listens(&mut self, time: Duration, commands: impl IntoIterator<Item = Command>) {
        let (end, mut seen) = (self.now + time, Vec::new());
        while self.now < end {
            for id in self.plans.keys().map(|id| id.0).collect::<Vec<_>>() {
                self.ignores(heard(id));
            }
            self.ignores(frames_flow());
            seen.extend(self.sleep((end - self.now).min(secs(1))));
        }
        assert_eq!(seen, commands.into_iter().collect::<Vec<_>>(), "while {time:?} pass");
    }

    /// A viewer's call, brought as far as being answered by the camera. Tells its number.
    pub fn ringing(&mut self, who: &str, tag: &str) -> u64 {
        let commands = self.on(offer(who, tag));
        commands
            .iter()
            .find_map(|command| if let Command::Answer { call, .. } = command { Some(call.0) } else { None })
            .unwrap_or_else(|| panic!("not answered: {commands:?}"))
    }

    /// A viewer's call whose answer is out.
    pub fn connecting(&mut self, who: &str, tag: &str) -> u64 {
        let id = self.ringing(who, tag);
        let answered = self.answered(id);
        assert_eq!(self.on(answered).len(), 1);
        id
    }

    /// A viewer's call with picture and sound.
    pub fn live(&mut self, who: &str, tag: &str) -> u64 {
        let id = self.connecting(who, tag);
        self.on(connected(id));
        id
    }

    /// webrtcbin's answer to the offer of this call.
    pub fn answered(&self, id: u64) -> Event {
        answered_with(id, &webrtcbin_answer(&self.plans[&CallId(id)]))
    }

    /// The message with the camera's answer to this call.
    pub fn answer_message(&self, id: u64, address: &Address, shape: Shape) -> Command {
        let plan = &self.plans[&CallId(id)];
        Command::Send(Outgoing::answer(address, shape, &plan.finish(&webrtcbin_answer(plan)).unwrap()))
    }

    pub fn refusals(&self, reason: Reason) -> u64 {
        self.board.status().refusals.get(reason.word()).copied().unwrap_or_default()
    }

    /// What was noted since this was last asked.
    pub fn noted(&mut self) -> Vec<(Level, String)> {
        self.notes.drain(..).map(|note| (note.level, note.text)).collect()
    }

    fn drain(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        while let Some(command) = self.board.poll_command() {
            match command {
                Command::Note(note) => self.notes.push(note),
                command => {
                    if let Command::Answer { call, plan, .. } = &command {
                        self.plans.insert(*call, (**plan).clone());
                    }
                    commands.push(command);
                }
            }
        }
        commands
    }
}

// ---- events ----------------------------------------------------------------------------------------------------

pub fn up() -> Event {
    Event::Link(LinkEvent::Up)
}

pub fn down() -> Event {
    Event::Link(LinkEvent::Down { why: Loss::Unreachable, reason: "no route".into() })
}

pub fn says(sender: Option<&str>, event: &str, payload: Value) -> Event {
    Event::Link(LinkEvent::Message { sender: sender.map(name), name: event.into(), args: vec![payload] })
}

/// An event with all its arguments, through a relay that vouches for nobody.
pub fn says_all(event: &str, args: Vec<Value>) -> Event {
    Event::Link(LinkEvent::Message { sender: None, name: event.into(), args })
}

/// An offer of our own page in Chromium.
pub fn offer(who: &str, tag: &str) -> Event {
    offer_of(who, tag, &chromium(&ufrag(who, tag)))
}

pub fn offer_of(who: &str, tag: &str, sdp: &str) -> Event {
    says(
        Some(who),
        "offer",
        json!({ "room": ROOM, "from": who, "call": tag, "sdp": { "type": "offer", "sdp": sdp } }),
    )
}

/// An offer of a tutorial's page. `sender`: as the relay vouches.
pub fn tutorial_offer(sender: Option<&str>, sdp: &str) -> Event {
    says(sender, "offer", json!({ "room": ROOM, "offer": { "type": "offer", "sdp": sdp } }))
}

pub fn candidate(who: &str, tag: &str, number: usize) -> Event {
    says(Some(who), "candidate", json!({ "from": who, "call": tag, "candidate": line(number) }))
}

pub fn candidates_end(who: &str, tag: &str) -> Event {
    says(Some(who), "candidate", json!({ "from": who, "call": tag, "candidate": null }))
}

pub fn bye(who: &str, tag: &str) -> Event {
    says(Some(who), "bye", json!({ "from": who, "call": tag, "reason": "hang-up" }))
}

pub fn joined(who: &str) -> Event {
    says(None, "joined", json!({ "room": ROOM, "from": who }))
}

pub fn left(who: &str) -> Event {
    says(None, "left", json!({ "room": ROOM, "from": who }))
}

pub fn answered_with(id: u64, sdp: &str) -> Event {
    Event::Media(MediaEvent::Answered { call: CallId(id), sdp: sdp.into() })
}

/// webrtcbin's offer for this call.
pub fn offered(id: u64, rendition: Rendition) -> Event {
    Event::Media(MediaEvent::Offered { call: CallId(id), sdp: our_offer(rendition) })
}

pub fn privacy(on: bool) -> Event {
    Event::Order(Order::Privacy { on })
}

pub fn shutdown() -> Event {
    Event::Shutdown
}

pub fn connected(id: u64) -> Event {
    Event::Media(MediaEvent::Connected { call: CallId(id), waits: true })
}

/// The same with a key frame in what it is sent first.
pub fn connected_with_picture(id: u64) -> Event {
    Event::Media(MediaEvent::Connected { call: CallId(id), waits: false })
}

pub fn reached(id: u64, path: Path) -> Event {
    Event::Media(MediaEvent::Reached { call: CallId(id), path })
}

pub fn heard(id: u64) -> Event {
    Event::Media(MediaEvent::Heard { call: CallId(id) })
}

pub fn call_failed(id: u64) -> Event {
    Event::Media(MediaEvent::CallFailed { call: CallId(id), reason: "DTLS alert".into() })
}

pub fn overflowed(id: u64) -> Event {
    Event::Media(MediaEvent::Overflowed { call: CallId(id) })
}

pub fn feed_began(id: u64) -> Event {
    Event::Media(MediaEvent::FeedBegan { call: CallId(id) })
}

pub fn closed(id: u64) -> Event {
    Event::Media(MediaEvent::Closed { call: CallId(id) })
}

pub fn found(id: u64, number: usize) -> Event {
    Event::Media(MediaEvent::Candidate { call: CallId(id), candidate: Some(line(number)) })
}

pub fn found_all(id: u64) -> Event {
    Event::Media(MediaEvent::Candidate { call: CallId(id), candidate: None })
}

pub fn wanted(rendition: Rendition) -> Event {
    Event::Media(MediaEvent::KeyFrameWanted { rendition })
}

pub fn capture_runs() -> Event {
    Event::Media(MediaEvent::CaptureRunning { shows: Shows::Camera })
}

/// The test picture, because there is no camera.
pub fn stand_in_runs() -> Event {
    Event::Media(MediaEvent::CaptureRunning { shows: Shows::StandIn })
}

pub fn sought(found: bool) -> Event {
    Event::Media(MediaEvent::Sought { found })
}

pub fn capture_failed() -> Event {
    Event::Media(MediaEvent::CaptureFailed { reason: "/dev/video0 is busy: close the other program".into() })
}

pub fn sound_runs() -> Event {
    Event::Media(MediaEvent::SoundRunning)
}

/// The tone, because there is no microphone.
pub fn tone_stands_in() -> Event {
    Event::Media(MediaEvent::SoundStandsIn)
}

pub fn sound_is_absent() -> Event {
    Event::Media(MediaEvent::SoundAbsent)
}

pub fn sound_failed() -> Event {
    Event::Media(MediaEvent::SoundFailed { reason: "hw:1 is gone: plug the microphone in".into() })
}

pub fn sound_is_mute() -> Event {
    Event::Media(MediaEvent::SoundMute { reason: "only silence: raise Capture in alsamixer".into() })
}

pub fn sound_is_heard() -> Event {
    Event::Media(MediaEvent::SoundHeard)
}

pub fn device_came() -> Event {
    Event::Media(MediaEvent::DeviceCame)
}

pub fn frames_flow() -> Event {
    Event::Media(MediaEvent::FramesFlow)
}

pub fn rendition_runs(rendition: Rendition) -> Event {
    Event::Media(MediaEvent::RenditionRunning { rendition })
}

pub fn rate_is_fixed(rendition: Rendition) -> Event {
    Event::Media(MediaEvent::RateFixed { rendition, fixed: true })
}

pub fn rendition_failed(rendition: Rendition) -> Event {
    Event::Media(MediaEvent::RenditionFailed {
        rendition,
        reason: "no encoder: install gstreamer1.0-plugins-ugly".into(),
    })
}

// ---- commands --------------------------------------------------------------------------------------------------

/// The answer to [`offer`].
pub fn answer(id: u64, who: &str, tag: &str) -> Command {
    answer_to(id, &chromium(&ufrag(who, tag)), true)
}

pub fn answer_to(id: u64, sdp: &str, trickle: bool) -> Command {
    Command::Answer { call: CallId(id), plan: Box::new(choose::plan(sdp, Fallback::Vp8).unwrap()), trickle }
}

pub fn add(id: u64, number: usize) -> Command {
    Command::AddCandidate { call: CallId(id), candidate: Some(line(number)) }
}

pub fn add_end(id: u64) -> Command {
    Command::AddCandidate { call: CallId(id), candidate: None }
}

pub fn hang_up(id: u64) -> Command {
    Command::HangUp { call: CallId(id) }
}

pub fn refused(who: &str, tag: &str, reason: Reason) -> Command {
    Command::Send(Outgoing::refused(&address(Some(who), Some(tag)), reason))
}

pub fn said_bye(who: &str, tag: &str, reason: Reason) -> Command {
    Command::Send(Outgoing::bye(&address(Some(who), Some(tag)), reason))
}

pub fn sent_candidate(who: &str, tag: &str, number: Option<usize>) -> Command {
    let candidate = number.map(line);
    Command::Send(Outgoing::candidate(&address(Some(who), Some(tag)), candidate.as_ref()))
}

/// A slate that says that there is no picture since then.
pub fn no_camera(since: Instant) -> Command {
    ShowSlate(Slate::NoCamera { since })
}

pub fn privacy_slate() -> Command {
    ShowSlate(Slate::Privacy)
}

pub fn choose(rendition: Rendition, attempt: u32) -> Command {
    ChooseEncoder { rendition, attempt }
}

/// What one viewer alone is told.
pub fn noticed_by(who: &str, tag: &str, what: What) -> Command {
    Command::Send(Outgoing::notice_to(&address(Some(who), Some(tag)), what))
}

pub fn noticed(what: What) -> Command {
    Command::Send(Outgoing::notice(&name(ROOM), &name(ME), what))
}

// ---- parts -----------------------------------------------------------------------------------------------------

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub fn address(to: Option<&str>, call: Option<&str>) -> Address {
    Address { room: name(ROOM), from: name(ME), to: to.map(name), call: call.map(name) }
}

pub fn text_shape() -> Shape {
    Shape::Tutorial(Mirror::Text)
}

pub fn line(number: usize) -> Candidate {
    Candidate {
        candidate: format!("candidate:{number} 1 udp 2113937151 192.0.2.{} 50000 typ host", number % 250),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    }
}

pub fn ufrag(who: &str, tag: &str) -> String {
    format!("{who}{tag}0000").chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Chromium's offer to see and hear.
pub fn chromium(ufrag: &str) -> String {
    include_str!("../offers/chromium-156-recvonly.sdp")
        .replace("a=ice-ufrag:MWKB", &format!("a=ice-ufrag:{ufrag}"))
}

/// Chromium's offer to hear.
pub fn chromium_audio_only() -> &'static str {
    include_str!("../offers/chromium-156-audio-only.sdp")
}

/// Firefox ESR on Debian: no H.264 that could be used.
pub fn firefox(ufrag: &str) -> String {
    include_str!("../offers/firefox-esr-153-recvonly.sdp")
        .replace("a=ice-ufrag:69f523aa", &format!("a=ice-ufrag:{ufrag}"))
}

/// The offer of the golden message: short, so that thousands of them are read quickly.
pub fn short_offer(ufrag: &str, rendition: Rendition) -> String {
    let golden: Value = serde_json::from_str(include_str!("../wire/offer.json")).unwrap();
    let sdp = golden["payload"]["sdp"]["sdp"]
        .as_str()
        .unwrap()
        .replace("a=ice-ufrag:Zq3v", &format!("a=ice-ufrag:{ufrag}"));
    if rendition == H264 { sdp } else { sdp.replace("H264/90000", "H265/90000") }
}

/// What webrtcbin writes, in the lines that matter.
pub fn webrtcbin_answer(plan: &AnswerPlan) -> String {
    let mids: Vec<_> = plan.media.iter().map(|media| media.mid.as_str()).collect();
    let mut text = format!(
        "v=0\r\no=- 1795420111 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\na=group:BUNDLE {}\r\n",
        mids.join(" ")
    );
    for media in &plan.media {
        let (kind, encoding) = match media.codec {
            Codec::Video(rendition) if rendition.full() == H264 => ("video", "H264/90000"),
            Codec::Video(_) => ("video", "VP8/90000"),
            Codec::Opus => ("audio", "OPUS/48000/2"),
        };
        let way = match media.direction {
            Direction::SendOnly => "sendonly",
            Direction::SendRecv => "sendrecv",
        };
        let pt = media.payload_type;
        text += &format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {pt}\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:cAm1\r\n\
             a=ice-pwd:Wd8bYt5RkQz2LxNf7HsPg0Vj\r\na=mid:{}\r\na=rtcp-mux\r\na=setup:active\r\n\
             a=rtpmap:{pt} {encoding}\r\na={way}\r\na=fingerprint:sha-256 {}\r\n",
            media.mid,
            ["7A"; 32].join(":"),
        );
    }
    text
}

/// What webrtcbin offers, in the lines that matter.
pub fn our_offer(rendition: Rendition) -> String {
    let (encoding, fmtp) = match rendition {
        H264 | Rendition::SmallH264 => (
            "H264/90000",
            "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1\r\n",
        ),
        Vp8 | Rendition::SmallVp8 => ("VP8/90000", ""),
    };
    let identity = format!(
        "a=ice-ufrag:cAm1\r\na=ice-pwd:Wd8bYt5RkQz2LxNf7HsPg0Vj\r\na=setup:actpass\r\na=fingerprint:sha-256 {}\r\n",
        ["7A"; 32].join(":")
    );
    format!(
        "v=0\r\no=- 1795420111 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n\
         a=group:BUNDLE video0 audio1\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:video0\r\na=rtcp-mux\r\na=sendonly\r\n\
         a=rtpmap:96 {encoding}\r\n{fmtp}a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\n\
         a=fmtp:97 apt=96\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n{identity}\
         a=candidate:1 1 UDP 2015363327 192.0.2.2 42583 typ host\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=mid:audio1\r\na=rtcp-mux\r\na=sendrecv\r\n\
         a=rtpmap:98 OPUS/48000/2\r\na=fmtp:98 minptime=10;useinbandfec=1\r\n{identity}"
    )
}

/// What a browser answers to it.
pub fn their_answer(rendition: Rendition) -> String {
    our_offer(rendition)
        .replace("a=ice-ufrag:cAm1", "a=ice-ufrag:Zq3v")
        .replace("a=setup:actpass", "a=setup:active")
        .replace("a=sendonly", "a=recvonly")
        .replace("OPUS", "opus")
        .replace("7A:7A", "3C:3C")
        .replace("192.0.2.2 42583", "192.0.2.7 50000")
}

/// The same from a browser that cannot show the picture.
pub fn refusing_picture(answer: &str) -> String {
    answer
        .replace("m=video 9", "m=video 0")
        .replace("a=group:BUNDLE video0 audio1", "a=group:BUNDLE audio1")
        .replace("a=recvonly", "a=inactive")
}
