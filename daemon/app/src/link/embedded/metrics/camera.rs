//! Figures of the camera, from what the switchboard says. Must not know the process.

use porthole_core::ids::Rendition;
use porthole_core::speaker::SpeakerState;
use porthole_core::status::{CaptureState, FrameState, RoomState, SoundState, Status};
use serde::Serialize;

use super::page::{Page, from_the_start};

const ROOM: [RoomState; 8] = [
    RoomState::Out,
    RoomState::Asked,
    RoomState::Unconfirmed,
    RoomState::In,
    RoomState::Full,
    RoomState::Kicked,
    RoomState::NoSuchRoom,
    RoomState::NotAllowed,
];
const CAPTURE: [CaptureState; 4] =
    [CaptureState::Idle, CaptureState::Starting, CaptureState::Running, CaptureState::Lost];

const SOUND: [SoundState; 4] = [SoundState::Idle, SoundState::Running, SoundState::Mute, SoundState::Lost];

const FRAMES: [FrameState; 3] = [FrameState::Unwanted, FrameState::Flowing, FrameState::Still];

const SPEAKER: [SpeakerState; 5] = [
    SpeakerState::None,
    SpeakerState::Idle,
    SpeakerState::Starting,
    SpeakerState::Running,
    SpeakerState::Lost,
];

/// Writes them down.
pub fn write(status: &Status, desk_lives: bool, page: &mut Page) {
    let flag = |holds: bool| f64::from(u8::from(holds));
    let healthy = desk_lives && status.healthy();
    page.gauge("healthy", "Whether a person need not act", None, flag(healthy));
    page.gauge("relay_up", "Whether the relay is reached", None, flag(status.link));
    state(page, "room", "Whether the camera is in its room", &ROOM, status.room);
    state(page, "capture", "What the camera does", &CAPTURE, status.capture);
    state(page, "sound", "What the microphone does", &SOUND, status.sound);
    state(page, "frames", "Whether encoded frames flow", &FRAMES, status.frames);
    let privacy = "Whether camera and microphone are closed because somebody wants it so";
    page.gauge("privacy", privacy, None, flag(status.privacy));
    state(page, "speaker", "What the speaker does", &SPEAKER, status.speaker.state);
    page.gauge("talkers", "How many are heard on the speaker", None, status.speaker.talkers as f64);
    if let Some(level) = status.speaker.level {
        page.gauge(
            "speaker_level_db",
            "How loud the speaker is, below the loudest there is",
            None,
            f64::from(level),
        );
    }
    let connecting = status.calls.saturating_sub(status.live);
    let calls = [("connecting", connecting), ("live", status.live)];
    let calls = calls.map(|(word, count)| (word.to_owned(), count as f64));
    page.gauges("calls", "Calls that have not ended", ("state", None), calls);
    let made = Rendition::ALL.map(|rendition| {
        let name = rendition.to_string();
        let made = flag(status.renditions.contains(&name));
        (name, made)
    });
    page.gauges(
        "rendition_running",
        "Whether the picture is being encoded as this",
        ("rendition", None),
        made,
    );
    let bitrates = status.encodings.iter();
    let bitrates = bitrates.map(|made| (made.rendition.to_string(), f64::from(made.kbit) * 1000.0));
    page.gauges(
        "rendition_bits_per_second",
        "Bits a second that the picture is encoded at",
        ("rendition", None),
        bitrates,
    );
    let live = || status.viewers.iter().filter(|viewer| viewer.live);
    let fed = Rendition::ALL
        .map(|one| (one.to_string(), live().filter(|viewer| viewer.rendition == Some(one)).count()));
    let without = ("none".to_owned(), live().filter(|viewer| viewer.rendition.is_none()).count());
    let fed = fed.into_iter().chain([without]).map(|(name, count)| (name, count as f64));
    page.gauges(
        "viewers",
        "Viewers with picture or sound, by the picture they get",
        ("rendition", None),
        fed,
    );
    let counts = &status.counts;
    page.counter("calls_begun", "Calls that were begun", None, counts.begun as f64);
    page.counter(
        "calls_connected",
        "Calls over which picture or sound came under way",
        None,
        counts.live as f64,
    );
    let (ended, refused) = (from_the_start(&counts.ended), from_the_start(&status.refusals));
    page.counters("calls_ended", "Calls that have ended, by the word of why", "reason", &ended);
    page.counters("refusals", "What the camera has refused, by the word of why", "reason", &refused);
    page.counters("frames", "Frames that were encoded", "rendition", &counts.frames);
    page.counter("camera_failures", "How often the camera has failed", None, counts.failed as f64);
}

fn state<S: Serialize + Copy>(page: &mut Page, name: &str, help: &str, all: &[S], is: S) {
    let words: Vec<String> = all.iter().map(word).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    page.state(&format!("{name}_state"), help, &words, &word(&is));
}

/// As `/healthz` has it.
fn word<S: Serialize>(state: &S) -> String {
    let word = serde_json::to_value(state).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned()
}
