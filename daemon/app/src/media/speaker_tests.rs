//! The speaker with real GStreamer and talkers that never stop: what is heard, what is not, and what becomes of echo.

use std::sync::mpsc::channel;
use std::time::Duration;

use gst::prelude::*;
use porthole_core::config::settings::{self, Talkers};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::element::{caps_filter, chain, make};
use super::super::source;
use super::super::timeline::{Stops, play};
use super::*;

/// Only bounds a hang.
const LIMIT: Duration = Duration::from_secs(30);
/// What is louder than this is heard, in dB.
const HEARD: i32 = -40;

#[tokio::test]
async fn what_an_open_ear_hears_is_played_and_nothing_of_one_that_is_closed() {
    let mut house = House::new("test");
    assert_eq!(house.word().await, Word::Found(true));
    let (anna, bert) = (house.talker(1), house.talker(2));
    // Both talk all the time. Of one that nobody has opened nothing is even reported.
    house.open(&anna);
    assert_eq!(house.until(|word| matches!(word, Word::Runs)).await, Word::Runs);
    house.until(|word| matches!(word, Word::Level(level) if *level > HEARD)).await;
    house.close(&anna);
    house.until(|word| matches!(word, Word::Level(level) if *level < -90)).await;
    let quiet = house.said.len();
    house.until(|word| matches!(word, Word::Released)).await;
    let loud = |word: &Word| matches!(word, Word::Level(level) if *level > HEARD);
    assert!(!house.said[quiet..].iter().any(loud), "{:?}", house.said);
    assert!(!house.said.contains(&Word::Spoke(CallId(2))), "{:?}", house.said);
    drop(bert);
    house.end().await;
}

#[tokio::test]
async fn an_ear_that_is_shut_before_the_speaker_comes_round_to_it_stays_shut() {
    let mut house = House::new("test");
    let anna = house.talker(1);
    // As the desk does it: it is decided at once, and the speaker hears of it later.
    anna.ear.allow(true);
    house.asks.send(Ask::OpenEar(CallId(1), anna.ear.clone())).unwrap();
    anna.ear.allow(false);
    house.until(|word| matches!(word, Word::Level(_))).await;
    house.asks.send(Ask::CloseEar(CallId(1))).unwrap();
    house.until(|word| matches!(word, Word::Released)).await;
    let heard = |word: &Word| matches!(word, Word::Level(level) if *level > -90);
    assert!(!house.said.iter().any(heard), "{:?}", house.said);
    house.end().await;
}

#[tokio::test]
async fn several_are_mixed_and_one_that_sends_rubbish_ends_nothing() {
    let mut house = House::new("test");
    let (anna, rubbish) = (
        house.talker(1),
        house.talker_of(2, |packet| {
            // A header that is right and a body that no decoder knows.
            let mut map = packet.map_writable().unwrap();
            for (at, byte) in map.iter_mut().enumerate().skip(12) {
                *byte = (at as u8).wrapping_mul(97) | 0x80;
            }
        }),
    );
    house.open(&rubbish);
    house.until(|word| matches!(word, Word::Runs)).await;
    house.until(|word| *word == Word::Spoke(CallId(2))).await;
    house.open(&anna);
    house.until(|word| matches!(word, Word::Level(level) if *level > HEARD)).await;
    house.until(|word| *word == Word::Spoke(CallId(2))).await;
    assert!(!house.said.iter().any(|word| matches!(word, Word::Failed { .. })), "{:?}", house.said);
    house.end().await;
}

#[tokio::test]
async fn a_speaker_that_cannot_be_opened_says_why_and_what_to_do_and_shuts_every_ear() {
    let mut house = House::new("plughw:CARD=NoSuchCard,DEV=0");
    let anna = house.talker(1);
    house.open(&anna);
    let failed = house.until(|word| matches!(word, Word::Failed { .. } | Word::Runs)).await;
    let Word::Failed { reason } = failed else { panic!("{failed:?}") };
    assert!(reason.contains("[speaker]"), "{reason}");
    house.end().await;
}

#[tokio::test]
async fn a_file_is_played_to_its_end_and_one_that_is_none_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (chime, letter) = (folder.path().join("chime.wav"), folder.path().join("letter.wav"));
    record(&chime);
    std::fs::write(&letter, "Dear all, this is no music.\n".repeat(99)).unwrap();
    let mut house = House::new("test");
    house.play(1, &chime);
    house.until(|word| played(word, 1) == Some(&PlayState::Playing)).await;
    house.until(|word| matches!(word, Word::Level(level) if *level > HEARD)).await;
    house.until(|word| played(word, 1) == Some(&PlayState::Ended)).await;
    for (number, file) in [(2, letter.as_path()), (3, folder.path()), (4, &folder.path().join("nothing.wav"))]
    {
        house.play(number, file);
        let ended = house.until(|word| played(word, number).is_some()).await;
        let Some(PlayState::Failed(why)) = played(&ended, number) else { panic!("{ended:?}") };
        assert!(why.len() > 10, "{why}");
    }
    // A file that cannot be played is no fault of the speaker's.
    assert!(!house.said.iter().any(|word| matches!(word, Word::Failed { .. })), "{:?}", house.said);
    house.play(5, &chime);
    house.until(|word| played(word, 5) == Some(&PlayState::Playing)).await;
    house.asks.send(Ask::StopPlaying).unwrap();
    house.until(|word| played(word, 5) == Some(&PlayState::Ended)).await;
    house.end().await;
}

#[test]
fn whoever_stops_at_any_moment_ends_nothing_for_the_others() {
    gst::init().unwrap();
    let (settings, (tell, told)) = (wanted("test"), channel());
    let (echo, lost) = (Echo::new(&settings).unwrap(), move |why| drop(tell.send(why)));
    let mut mixer = Mixer::open(&settings, &mixer::Output::Test, &echo, &Timeline::new(), lost).unwrap();
    for _ in 0..50 {
        let entry = mixer.play(1).unwrap();
        entry.set_caps(Some(&mixer_sound()));
        let flows = entry.static_pad("src").unwrap();
        let talks =
            std::thread::spawn(
                move || {
                    while entry.push_buffer(gst::Buffer::from_slice([0_u8; 960])).is_ok() {}
                },
            );
        while flows.current_caps().is_none() {
            std::thread::yield_now();
        }
        mixer.remove(&1);
        talks.join().unwrap();
    }
    mixer.close(&echo);
    assert_eq!(told.try_recv().ok(), None);
}

#[test]
fn what_the_speaker_plays_is_taken_out_of_what_the_microphone_hears() {
    gst::init().unwrap();
    let settings = SpeakerSettings { echo: settings::Echo::Cancel, ..wanted("test") };
    let (echo, timeline) = (Echo::new(&settings).unwrap(), Timeline::new());
    // A room in which the microphone hears the speaker half as loud, and nothing else.
    let microphone = timeline.pipeline("microphone", |said| panic!("{said:?}"));
    let hears = source::entry(&microphone).unwrap();
    let half = make("volume").unwrap();
    half.set_property("volume", 0.5_f64);
    chain(&microphone, &[&half]).unwrap();
    hears.link(&half).unwrap();
    let fits = source::fit_sound(&microphone, &half, 0).unwrap();
    let before = energy(&fits);
    let clean = echo.guard(&microphone, fits).unwrap();
    let after = energy(&clean);
    let end = make("fakesink").unwrap();
    // Nothing comes before the speaker plays.
    end.set_property("async", false);
    chain(&microphone, &[&end]).unwrap();
    clean.link(&end).unwrap();

    let speaker = timeline.pipeline("speaker", |said| panic!("{said:?}"));
    let noise = source::test_sound(&speaker).unwrap();
    noise.set_property_from_str("wave", "pink-noise");
    noise.set_property("volume", 0.3_f64);
    let plain = caps_filter(&mixer_sound()).unwrap();
    let probe = echo.probe().unwrap();
    let played = gst_app::AppSink::builder().sync(true).caps(&mixer_sound()).build();
    source::feed(&played, &hears, || {});
    chain(&speaker, &[&plain, &probe, played.upcast_ref()]).unwrap();
    noise.link(&plain).unwrap();
    let (microphone, speaker) = (Stops(microphone), Stops(speaker));
    play(&microphone.0).unwrap();
    play(&speaker.0).unwrap();

    // It learns what the room is like for a few seconds; how soon is measured elsewhere.
    let better = (0..300).find_map(|_| {
        let heard: f64 = before.recv_timeout(LIMIT).unwrap();
        let left: f64 = after.recv_timeout(LIMIT).unwrap();
        (heard > 1e-4 && left < heard / 50.0).then_some(())
    });
    assert!(better.is_some(), "never 17 dB quieter");
    drop(speaker);
    echo.let_go(&gst::Pipeline::new());
    drop(microphone);
}

#[test]
fn where_echo_cannot_be_cancelled_the_microphone_is_all_but_off_while_somebody_talks() {
    gst::init().unwrap();
    let settings = SpeakerSettings { echo: settings::Echo::Half, ..wanted("test") };
    let echo = Echo::new(&settings).unwrap();
    assert!(echo.probe().is_none());
    let microphone = gst::Pipeline::new();
    let tone = source::test_sound(&microphone).unwrap();
    let guarded = echo.guard(&microphone, tone).unwrap();
    let volume = || guarded.property::<f64>("volume");
    assert_eq!(volume(), 1.0);
    echo.talked(true);
    assert!(volume() < 0.1);
    // One that is opened meanwhile is no louder.
    let other = echo.guard(&microphone, source::test_sound(&microphone).unwrap()).unwrap();
    assert!(other.property::<f64>("volume") < 0.1);
    echo.talked(false);
    assert_eq!((volume(), other.property::<f64>("volume")), (1.0, 1.0));
}

#[test]
fn a_speaker_that_nobody_wants_touches_no_microphone() {
    gst::init().unwrap();
    for settings in [
        SpeakerSettings { sink: SpeakerSink::None, ..wanted("test") },
        SpeakerSettings { echo: settings::Echo::Off, ..wanted("test") },
    ] {
        let (echo, bin) = (Echo::new(&settings).unwrap(), gst::Pipeline::new());
        let tone = source::test_sound(&bin).unwrap();
        assert_eq!(echo.guard(&bin, tone.clone()).unwrap(), tone);
    }
}

// ---- the small language of these tests -------------------------------------------------------------------------

/// A speaker's thread, and everything that it has said.
struct House {
    asks: Sender<Ask>,
    ended: oneshot::Receiver<()>,
    events: Events,
    heard: UnboundedReceiver<MediaEvent>,
    said: Vec<Word>,
}

/// Somebody who talks all the time, whether or not anybody listens.
struct Talker {
    call: CallId,
    ear: Ear,
    _voice: Stops,
}

impl House {
    fn new(sink: &str) -> Self {
        gst::init().unwrap();
        let (events, heard) = Events::channel();
        let settings = wanted(sink);
        let echo = Echo::new(&settings).unwrap();
        let (asks, ended) = open(settings, Timeline::new(), events.clone(), echo).unwrap();
        Self { asks, ended, events, heard, said: Vec::new() }
    }

    fn talker(&self, call: u64) -> Talker {
        self.talker_of(call, |_| {})
    }

    fn talker_of(&self, call: u64, change: impl Fn(&mut gst::BufferRef) + Send + Sync + 'static) -> Talker {
        let call = CallId(call);
        let ear = Ear::new(call, self.events.clone());
        let pipeline = gst::Pipeline::new();
        let voice = source::test_sound(&pipeline).unwrap();
        voice.set_property("volume", 0.5_f64);
        let [convert, encoder, payloader, end] =
            ["audioconvert", "opusenc", "rtpopuspay", "fakesink"].map(|factory| make(factory).unwrap());
        chain(&pipeline, &[&convert, &encoder, &payloader, &end]).unwrap();
        voice.link(&convert).unwrap();
        let pad = payloader.static_pad("src").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(packet) = info.buffer_mut() {
                change(packet.make_mut());
            }
            gst::PadProbeReturn::Ok
        });
        ear.attach(&pad);
        pipeline.set_state(gst::State::Playing).unwrap();
        Talker { call, ear, _voice: Stops(pipeline) }
    }

    fn open(&self, talker: &Talker) {
        talker.ear.allow(true);
        self.asks.send(Ask::OpenEar(talker.call, talker.ear.clone())).unwrap();
    }

    fn close(&self, talker: &Talker) {
        talker.ear.allow(false);
        self.asks.send(Ask::CloseEar(talker.call)).unwrap();
    }

    fn play(&self, number: u64, file: &std::path::Path) {
        let file = file.to_str().unwrap().to_owned();
        self.asks.send(Ask::Play { number, file, volume: 100 }).unwrap();
    }

    async fn word(&mut self) -> Word {
        let event = tokio::time::timeout(LIMIT, self.heard.recv()).await;
        let Ok(Some(MediaEvent::Speaker(word))) = event else { panic!("{event:?} after {:?}", self.said) };
        self.said.push(word.clone());
        word
    }

    async fn until(&mut self, wanted: impl Fn(&Word) -> bool) -> Word {
        loop {
            let word = self.word().await;
            if wanted(&word) {
                return word;
            }
        }
    }

    async fn end(self) {
        self.asks.send(Ask::Close).unwrap();
        assert!(tokio::time::timeout(LIMIT, self.ended).await.is_ok(), "the speaker does not end");
    }
}

fn wanted(sink: &str) -> SpeakerSettings {
    let sink = if sink == "test" { SpeakerSink::Test } else { SpeakerSink::Alsa(sink.to_owned()) };
    SpeakerSettings { sink, volume: 100, talkers: Talkers::One, echo: settings::Echo::Off }
}

fn played(word: &Word, wanted: u64) -> Option<&PlayState> {
    match word {
        Word::Played { number, state } if *number == wanted => Some(state),
        _ => None,
    }
}

fn mixer_sound() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", 48_000)
        .field("channels", 1)
        .build()
}

/// The mean square of each 100 ms that leave an element, of 1.
fn energy(element: &gst::Element) -> Receiver<f64> {
    let (tell, told) = channel();
    let gathered = std::sync::Mutex::new(Vec::<f64>::new());
    element.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let map = info.buffer().unwrap().map_readable().unwrap();
        let mut gathered = gathered.lock().unwrap();
        gathered.extend(
            map.chunks_exact(2).map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0),
        );
        while gathered.len() >= 4_800 {
            let mean = gathered.drain(..4_800).map(|sample| sample * sample).sum::<f64>() / 4_800.0;
            let _ = tell.send(mean);
        }
        gst::PadProbeReturn::Ok
    });
    told
}

/// Half a second of a tone.
fn record(file: &std::path::Path) {
    gst::init().unwrap();
    let pipeline = gst::Pipeline::new();
    let tone = make("audiotestsrc").unwrap();
    tone.set_property("num-buffers", 24_i32);
    tone.set_property("samplesperbuffer", 1_000_i32);
    let plain = caps_filter(&mixer_sound()).unwrap();
    let (encoder, end) = (make("wavenc").unwrap(), make("filesink").unwrap());
    end.set_property("location", file.to_str().unwrap());
    chain(&pipeline, &[&tone, &plain, &encoder, &end]).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let limit = gst::ClockTime::from_seconds(30);
    let said =
        pipeline.bus().unwrap().timed_pop_filtered(limit, &[gst::MessageType::Eos, gst::MessageType::Error]);
    assert!(said.is_some_and(|said| matches!(said.view(), gst::MessageView::Eos(_))));
    pipeline.set_state(gst::State::Null).unwrap();
}
