//! The studio's sound: the microphone, and the silence that stands in for it.

use std::time::Duration;

use porthole_core::config::settings::{AudioSource, MediaSettings};
use porthole_core::event::MediaEvent;

use super::{Life, Open, SILENCE, Studio, Word};
use crate::media::cameras::Nodes;
use crate::media::doors::{Held, Patience};
use crate::media::element::MediaError;
use crate::media::pulse::{Pulse, Rhythm};
use crate::media::sound::{From, Sound};
use crate::media::source;

/// How long opening a microphone may take.
const MICROPHONE: Patience = Patience { door: Duration::from_secs(3), open: Duration::from_secs(10) };
/// How long it may give nothing but zeros before that is said.
const MUTE: Duration = Duration::from_millis(2500);
/// The same once one such silence has ended. Some microphones give zeros between two sounds, so each that ends makes it longer,
/// up to an hour: a quiet night is no row of warnings.
const MUTE_AGAIN: Duration = Duration::from_secs(10);
const MUTE_LONGEST: Duration = Duration::from_secs(3600);

/// Whether the microphone that is open gives more than silence. What was learned of one is kept until another is opened: it is
/// closed and opened with each call, and the night would be a row of warnings all the same.
#[derive(Debug, Default)]
pub(super) struct Mutes {
    open: Option<Mute>,
    /// The last microphone, and how long that may give nothing.
    last: Option<(String, Duration)>,
}

impl Mutes {
    fn opens(&mut self, microphone: &str, noise: Pulse) {
        let limit = match &self.last {
            Some((last, limit)) if last == microphone => *limit,
            _ => MUTE,
        };
        self.last = Some((microphone.to_owned(), limit));
        self.open = Some(Mute { noise: Rhythm::of(noise), said: false, limit });
    }

    fn closes(&mut self) {
        self.open = None;
    }

    /// What there is to say after `elapsed`.
    fn look(&mut self, elapsed: Duration) -> Option<MediaEvent> {
        let mute = self.open.as_mut()?;
        let word = mute.look(elapsed);
        if let Some((_, limit)) = &mut self.last {
            *limit = mute.limit;
        }
        word
    }
}

/// Whether a microphone gives more than silence.
#[derive(Debug)]
struct Mute {
    noise: Rhythm,
    said: bool,
    /// How long it may give nothing.
    limit: Duration,
}

impl Mute {
    /// What there is to say after `elapsed`.
    fn look(&mut self, elapsed: Duration) -> Option<MediaEvent> {
        self.noise.look(elapsed);
        let quiet = self.noise.quiet();
        if !self.said && quiet >= self.limit {
            self.said = true;
            let reason = "the microphone gives nothing but silence; check that it is not muted: choose its card in \
                          alsamixer with F6, press F4, and raise Capture";
            return Some(MediaEvent::SoundMute { reason: reason.to_owned() });
        }
        if self.said && quiet.is_zero() {
            self.said = false;
            self.limit = (self.limit * 4).clamp(MUTE_AGAIN, MUTE_LONGEST);
            return Some(MediaEvent::SoundHeard);
        }
        None
    }
}

impl Studio {
    /// Opens the sound, or looks whether the tone that stands in for it has to give way.
    pub(super) fn start_sound(&mut self) {
        if let Life::Open(Open { number, held, .. }) = &self.sound
            && held.it.stands_in
        {
            return self.look_behind_tone(*number);
        }
        // A clip's sound comes with its picture.
        if self.sound.number().is_some() || (self.sound_is_the_clip_s() && self.clip().is_none()) {
            return;
        }
        let number = self.next();
        self.sound = Life::Opening(number);
        let (settings, timeline) = (self.settings.clone(), self.timeline.clone());
        let (echo, clip, nodes) = (self.echo.clone(), self.clip(), self.nodes.clone());
        let known = self.microphone.clone();
        let (ear, door) = (self.ear(number), self.sound_door.clone());
        let lost = {
            let ear = ear.clone();
            move |reason| ear(Word::SoundLost(reason))
        };
        tokio::spawn(async move {
            let open = move || {
                // Devices are asked for that, which may take a while.
                let source = sound_source(&settings, known, &nodes);
                Sound::start(&settings.audio, &From::Source(source, clip), &echo, &timeline, lost)
            };
            let opened = door.open("the microphone", MICROPHONE, open).await;
            ear(Word::Sound(opened.map(Held::transpose)));
        });
    }

    /// On a thread that may block: devices are asked for that. The tone goes on meanwhile.
    fn look_behind_tone(&self, number: u64) {
        let (settings, nodes, known) = (self.settings.clone(), self.nodes.clone(), self.microphone.clone());
        let ear = self.ear(number);
        tokio::spawn(async move {
            let source = move || sound_source(&settings, known, &nodes);
            let source = tokio::task::spawn_blocking(source).await;
            ear(Word::ToneOver(source.is_ok_and(|source| source != AudioSource::Test)));
        });
    }

    pub(super) fn tone_over(&mut self, number: u64, over: bool) {
        if self.sound.number() != Some(number) {
            return;
        }
        if over {
            self.stop_sound();
            self.start_sound();
        } else {
            self.events.send(MediaEvent::SoundStandsIn);
        }
    }

    pub(super) fn sound_opened(&mut self, number: u64, result: Result<Option<Held<Sound>>, MediaError>) {
        if self.sound.number() != Some(number) {
            if let Ok(Some(late)) = result {
                self.porter.close("the microphone", late);
            }
            return;
        }
        match result {
            Ok(Some(held)) => {
                self.microphone = held.it.device.clone().or(self.microphone.take());
                // The silence of a clip or of nothing is meant.
                if let (Some(microphone), Some(noise)) = (&held.it.device, &held.it.noise) {
                    self.mutes.opens(microphone, noise.clone());
                }
                let rhythm = Rhythm::of(held.it.pulse.clone());
                let stands_in = held.it.stands_in;
                self.sound = Life::Open(Open { number, held, rhythm });
                self.events.send(if stands_in {
                    MediaEvent::SoundStandsIn
                } else {
                    MediaEvent::SoundRunning
                });
                self.publish_sound();
            }
            Ok(None) => {
                self.sound = Life::Closed;
                self.events.send(MediaEvent::SoundAbsent);
            }
            Err(error) => self.lose_sound(error.to_string()),
        }
    }

    pub(super) fn stop_sound(&mut self) {
        self.mutes.closes();
        if let Some(held) = self.sound.take() {
            self.porter.close("the microphone", held);
            self.publish_sound();
        }
    }

    pub(super) fn lose_sound(&mut self, reason: String) {
        self.stop_sound();
        let reason = format!("{reason}; see audio.source and audio.device in the configuration");
        self.events.send(MediaEvent::SoundFailed { reason });
    }

    pub(super) fn play_silence(&mut self) {
        match Sound::start(&self.settings.audio, &From::Silence, &self.echo, &self.timeline, |words| {
            log::warn!("the silence stopped: {words}");
        }) {
            Ok(silence) => {
                if let Some(old) = std::mem::replace(&mut self.silence, silence) {
                    self.porter.close("the silence", old);
                }
                self.publish_sound();
            }
            Err(error) => log::warn!("no silence can be played: {error}"),
        }
    }

    pub(super) fn end_silence(&mut self) {
        if let Some(old) = self.silence.take() {
            self.porter.close("the silence", old);
            self.publish_sound();
        }
    }

    pub(super) fn look_at_sound(&mut self, elapsed: Duration) {
        let Life::Open(open) = &mut self.sound else { return };
        open.rhythm.look(elapsed);
        if open.rhythm.quiet() >= SILENCE {
            let clip = self.sound_is_the_clip_s();
            // A clip's sound may be shorter than its picture.
            if !clip {
                self.lose_sound(format!(
                    "nothing from the microphone for {SILENCE:?}; if it stays so, unplug it and plug it in again"
                ));
            }
            return;
        }
        if let Some(word) = self.mutes.look(elapsed) {
            self.events.send(word);
        }
    }

    /// Whether the sound is part of the clip that is the camera.
    pub(super) fn sound_is_the_clip_s(&self) -> bool {
        source::sound_is_the_clip_s(&self.settings.audio, &self.settings.video)
    }

    fn publish_sound(&mut self) {
        let sound = match (&self.silence, &self.sound) {
            (Some(silence), _) => Some(silence.packets.clone()),
            (None, Life::Open(open)) => Some(open.held.it.packets.clone()),
            (None, _) => None,
        };
        self.published.send_modify(|producers| producers.sound = sound);
    }
}

/// What the settings mean here. A microphone that was open once is waited for, and nothing takes its place.
fn sound_source(settings: &MediaSettings, known: Option<String>, nodes: &Nodes) -> AudioSource {
    match (source::sound(&settings.audio, &settings.video, nodes), known) {
        (AudioSource::None | AudioSource::Test, Some(known))
            if settings.audio.source == AudioSource::Auto =>
        {
            AudioSource::Alsa(known)
        }
        (source, _) => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_millis(500);

    #[test]
    fn a_silence_is_said_once_and_its_end_once_and_the_next_one_again() {
        let noise = Pulse::default();
        let mut mute = Mutes::default();
        mute.opens("hw:1", noise.clone());
        let silent = |mute: &mut Mutes, looks: u32| {
            let said: Vec<_> = (0..looks).map(|_| mute.look(LOOK)).collect();
            said.into_iter().flatten().collect::<Vec<_>>()
        };
        noise.beat();
        assert_eq!(silent(&mut mute, 5), []);
        let [MediaEvent::SoundMute { reason }] = &silent(&mut mute, 600)[..] else { panic!("it is mute") };
        assert!(reason.contains("alsamixer"), "{reason}");
        // Between two sounds there may be nothing for a while, and for longer each time; 20 looks are ten seconds.
        for looks in [20, 80, 320, 1280, 5120, 7200, 7200] {
            noise.beat();
            assert_eq!(silent(&mut mute, 1), [MediaEvent::SoundHeard]);
            noise.beat();
            assert_eq!(silent(&mut mute, looks), [], "{looks}");
            assert!(matches!(&silent(&mut mute, 1)[..], [MediaEvent::SoundMute { .. }]), "{looks}");
        }
    }

    #[test]
    fn how_long_a_microphone_may_be_silent_stays_known_until_another_one_is_opened() {
        let mut mutes = Mutes::default();
        let mut opened_says_after = |microphone: &str| {
            let noise = Pulse::default();
            mutes.closes();
            assert_eq!(mutes.look(LOOK), None);
            mutes.opens(microphone, noise.clone());
            noise.beat();
            assert_eq!(mutes.look(LOOK), None);
            let said = (1..).find(|_| mutes.look(LOOK).is_some()).unwrap();
            noise.beat();
            assert_eq!(mutes.look(LOOK), Some(MediaEvent::SoundHeard));
            said
        };
        // Half seconds.
        assert_eq!(["hw:1"; 4].map(&mut opened_says_after), [5, 20, 80, 320]);
        assert_eq!(["hw:2", "hw:2", "hw:1"].map(opened_says_after), [5, 20, 5]);
    }

    #[test]
    fn a_microphone_that_is_heard_all_the_time_has_nothing_to_say() {
        let noise = Pulse::default();
        let mut mute = Mutes::default();
        mute.opens("hw:1", noise.clone());
        for _ in 0..100 {
            noise.beat();
            assert_eq!(mute.look(LOOK), None);
        }
    }
}
