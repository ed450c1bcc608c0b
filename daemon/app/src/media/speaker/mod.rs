//! The speaker: open as long as somebody talks or a file is played, and a moment longer. All of it lives on one thread
//! that may block; whoever waits for a device that hangs is the core. Must not know who may talk.

mod ear;
mod echo;
mod loudness;
mod mixer;
mod player;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use porthole_core::config::settings::{SpeakerSettings, SpeakerSink};
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_core::plan::sound::{self, Direction};
use porthole_core::speaker::{PlayState, Word};
use tokio::sync::oneshot;

pub use ear::Ear;
pub use echo::Echo;
use mixer::{Mixer, Output};
use player::Player;

use super::element::{MediaError, failed};
use super::timeline::Timeline;
use super::{Events, microphones};

/// How long the speaker stays open for whoever talks next, and for what is still to be heard.
const LINGER: Duration = Duration::from_secs(2);
/// How often it is said how loud it is.
const REPORT: Duration = Duration::from_millis(250);
/// How long the microphone stays all but off after somebody has talked: until the last of it is heard.
const HOLD: Duration = Duration::from_millis(400);

/// What the speaker can be asked for, and what it hears of its own work.
pub enum Ask {
    /// Play what this ear hears.
    OpenEar(CallId, Ear),
    /// No longer.
    CloseEar(CallId),
    /// Play a file.
    Play {
        /// Its number.
        number: u64,
        /// Its full path.
        file: String,
        /// In percent.
        volume: u32,
    },
    /// No longer.
    StopPlaying,
    /// See whether there is a speaker.
    Look,
    /// The one that was opened with this number has failed.
    Lost(u64, String),
    /// What became of a file.
    Played(u64, PlayState),
    /// End.
    Close,
}

/// Whatever has a way into the mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Call(CallId),
    File,
}

/// See the module's first lines.
struct Speaker {
    settings: SpeakerSettings,
    timeline: Timeline,
    events: Events,
    echo: Echo,
    asks: Sender<Ask>,
    /// Whether there was one when that was looked at last.
    found: Option<bool>,
    mixer: Option<Mixer<Who>>,
    /// How often one was opened.
    opened: u64,
    ears: HashMap<CallId, Ear>,
    player: Option<(u64, Player)>,
    /// Since when nobody needs it.
    idle: Option<Instant>,
    /// Since when nobody talks, until that was acted upon.
    quiet: Option<Instant>,
    level: Option<i32>,
}

/// Starts the speaker's thread. What is received at the end is that it has ended.
///
/// # Errors
/// The machine gives no thread.
pub fn open(
    settings: SpeakerSettings,
    timeline: Timeline,
    events: Events,
    echo: Echo,
) -> Result<(Sender<Ask>, oneshot::Receiver<()>), MediaError> {
    let (asks, heard) = channel();
    let (ended, end) = oneshot::channel();
    let speaker = Speaker {
        settings,
        timeline,
        events,
        echo,
        asks: asks.clone(),
        found: None,
        mixer: None,
        opened: 0,
        ears: HashMap::new(),
        player: None,
        idle: None,
        quiet: None,
        level: None,
    };
    let live = move || {
        speaker.live(&heard);
        drop(ended);
    };
    thread::Builder::new().name("speaker".into()).spawn(live).map_err(|e| failed(&e))?;
    Ok((asks, end))
}

impl Speaker {
    fn live(mut self, asks: &Receiver<Ask>) {
        self.look();
        loop {
            let ask = match self.mixer {
                Some(_) => asks.recv_timeout(REPORT),
                None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match ask {
                Ok(Ask::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(ask) => self.perform(ask),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.settle();
        }
        self.release();
    }

    fn perform(&mut self, ask: Ask) {
        match ask {
            Ask::OpenEar(call, ear) => {
                self.echo.talked(true);
                self.ears.insert(call, ear);
                if let Err(error) = self.hear(call) {
                    self.fail(&error.to_string());
                }
            }
            Ask::CloseEar(call) => self.shut(call),
            Ask::Play { number, file, volume } => {
                self.end_player(PlayState::Ended);
                if let Err(why) = self.play(number, &file, volume) {
                    self.played(number, PlayState::Failed(why.to_string()));
                }
            }
            Ask::StopPlaying => self.end_player(PlayState::Ended),
            Ask::Look => self.look(),
            Ask::Lost(number, reason) => {
                if number == self.opened && self.mixer.is_some() {
                    self.fail(&reason);
                }
            }
            Ask::Played(number, state) => {
                if self.player.as_ref().is_some_and(|(playing, _)| *playing == number) {
                    match state {
                        PlayState::Ended | PlayState::Failed(_) => self.end_player(state),
                        PlayState::Starting | PlayState::Playing => self.played(number, state),
                    }
                }
            }
            Ask::Close => {}
        }
    }

    /// What follows from everything else, and from time.
    fn settle(&mut self) {
        let now = Instant::now();
        if self.ears.is_empty() {
            if self.quiet.is_some_and(|since| since + HOLD <= now) {
                self.quiet = None;
                self.echo.talked(false);
            }
        } else {
            self.quiet = Some(now);
        }
        if !self.ears.is_empty() || self.player.is_some() {
            self.idle = None;
        } else if self.mixer.is_some() && *self.idle.get_or_insert(now) + LINGER <= now {
            self.release();
        }
        if let Some(mixer) = &self.mixer
            && let Some(level) = mixer.loudness.take()
            && self.level != Some(level)
        {
            self.level = Some(level);
            self.say(Word::Level(level));
        }
    }

    fn hear(&mut self, call: CallId) -> Result<(), MediaError> {
        let entry = self.mixer()?.hear(Who::Call(call))?;
        if let Some(ear) = self.ears.get(&call) {
            ear.open(entry);
        }
        Ok(())
    }

    fn play(&mut self, number: u64, file: &str, volume: u32) -> Result<(), MediaError> {
        let entry = match self.mixer().and_then(|mixer| mixer.play(Who::File)) {
            Ok(entry) => entry,
            Err(error) => {
                self.fail(&error.to_string());
                return Err(error);
            }
        };
        let asks = self.asks.clone();
        let player = Player::open(file, volume, &entry, move |state| {
            // Whoever is ending hears nothing more.
            let _ = asks.send(Ask::Played(number, state));
        })?;
        self.player = Some((number, player));
        Ok(())
    }

    /// The open speaker.
    fn mixer(&mut self) -> Result<&mut Mixer<Who>, MediaError> {
        if self.mixer.is_none() {
            let output = self.output().ok_or_else(|| {
                failed(&"there is no speaker; `porthole devices` lists them, and sink below [speaker] says which is used")
            })?;
            self.opened += 1;
            let (number, asks) = (self.opened, self.asks.clone());
            let lost = move |words| {
                let _ = asks.send(Ask::Lost(number, words));
            };
            let opened = Mixer::open(&self.settings, &output, &self.echo, &self.timeline, lost);
            self.mixer = Some(opened.map_err(|error| {
                failed(&format!(
                    "{error}; is another program using it (`fuser -v /dev/snd/*`)? See sink and device below [speaker]"
                ))
            })?);
            self.say(Word::Runs);
        }
        self.mixer.as_mut().ok_or_else(|| failed(&"the speaker is closed"))
    }

    fn shut(&mut self, call: CallId) {
        if let Some(ear) = self.ears.remove(&call) {
            ear.close();
        }
        if let Some(mixer) = &mut self.mixer {
            mixer.remove(&Who::Call(call));
        }
    }

    fn end_player(&mut self, state: PlayState) {
        let Some((number, player)) = self.player.take() else { return };
        drop(player);
        self.played(number, state);
    }

    /// It does not work: nobody is heard any more.
    fn fail(&mut self, reason: &str) {
        self.close_all();
        self.say(Word::Failed { reason: reason.to_owned() });
    }

    fn release(&mut self) {
        let open = self.mixer.is_some();
        self.close_all();
        if open {
            self.say(Word::Released);
        }
    }

    fn close_all(&mut self) {
        self.ears.drain().for_each(|(_, ear)| ear.close());
        self.end_player(PlayState::Ended);
        if let Some(mixer) = self.mixer.take() {
            mixer.close(&self.echo);
        }
        self.echo.talked(false);
        (self.idle, self.quiet, self.level) = (None, None, None);
    }

    fn look(&mut self) {
        let there = self.output().is_some();
        if self.found != Some(there) {
            self.found = Some(there);
            self.say(Word::Found(there));
        }
    }

    /// What is played on now; `None`: there is nothing.
    fn output(&self) -> Option<Output> {
        match &self.settings.sink {
            SpeakerSink::Auto => first().map(Output::Alsa),
            SpeakerSink::Alsa(device) => Some(Output::Alsa(device.clone())),
            SpeakerSink::Test => Some(Output::Test),
            SpeakerSink::None => None,
        }
    }

    fn played(&self, number: u64, state: PlayState) {
        self.say(Word::Played { number, state });
    }

    fn say(&self, word: Word) {
        self.events.send(MediaEvent::Speaker(word));
    }
}

/// The speaker that `"auto"` means here, if there is one.
pub fn first() -> Option<String> {
    let pcms = microphones::all();
    if pcms.iter().all(|pcm| pcm.direction != Direction::Playback) {
        return None;
    }
    let own_default = microphones::own_names().iter().any(|name| name == "default");
    sound::speaker(&pcms, own_default).map(str::to_owned)
}

#[cfg(test)]
#[path = "../speaker_tests.rs"]
mod tests;
