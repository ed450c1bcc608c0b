//! Camera, encoders, microphone and speaker. Must not open one.

use super::Finding;
use crate::plan::encoder::{Outcome, Trial, choose, keeps_up, stand_by};

/// Frames that came in some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frames {
    /// How many.
    pub count: u32,
    /// In how many seconds, from the first to the last.
    pub seconds: f64,
    /// How many seconds the first took to come.
    pub first: f64,
    /// Pixels.
    pub size: (u32, u32),
}

/// What became of the camera.
#[derive(Debug, Clone, PartialEq)]
pub enum Camera {
    /// It was opened, and gave frames.
    Gave {
        /// What it is called.
        name: String,
        /// The frames.
        frames: Frames,
    },
    /// It could not be opened, or gave nothing; in words with the fix.
    Trouble(String),
    /// The daemon that runs has it: whether frames flow there.
    OfDaemon {
        /// They do.
        flows: bool,
        /// The daemon's word for it.
        says: String,
    },
    /// The daemon that runs keeps it closed, because somebody wants it so.
    Private,
    /// There is none, and the test picture stands in.
    TestPicture,
    /// A clip, or the test picture, as the configuration wants it.
    NotWanted(String),
}

/// What a microphone gave, or a loop from the speaker to it. Levels in dB below the loudest there is.
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// It was opened, and gave sound.
    Heard {
        /// ALSA's name for it.
        name: String,
        /// The loudest moment.
        peak: f64,
    },
    /// It could not be opened, or gave nothing.
    Trouble {
        /// ALSA's name for it.
        name: String,
        /// In words.
        why: String,
    },
    /// The daemon that runs has it.
    OfDaemon,
    /// There is none.
    Nothing,
    /// The configuration wants none of a device.
    NotWanted,
}

/// What was heard of a tone that the speaker played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loop {
    /// How loud that tone was before.
    pub before: f64,
    /// How loud it was meanwhile.
    pub meanwhile: f64,
}

/// Least share of the asked rate that is no reason to look.
const ENOUGH: f64 = 0.8;
/// A microphone that never gets louder than this is switched off, or not plugged in.
const SILENT: f64 = -80.0;
/// A microphone that reaches this is cut off at its loudest.
const CLIPPED: f64 = -0.1;
/// A tone that got louder by this was heard.
const HEARD: f64 = 10.0;

/// What to make of the camera, of which so many frames a second were asked.
pub fn camera(camera: &Camera, asked: u32) -> Finding {
    let about = "camera";
    match camera {
        Camera::Gave { name, frames } => {
            let Frames { count, seconds, first, size: (width, height) } = *frames;
            let rate = if seconds > 0.0 { f64::from(count.saturating_sub(1)) / seconds } else { 0.0 };
            let says =
                format!("{name}: {rate:.1} frames/s of {width}x{height}, the first after {first:.1} s");
            if rate >= f64::from(asked) * ENOUGH {
                Finding::ok(about, says)
            } else {
                let fix = "more light helps cameras that expose longer in the dark; else lower width, height or framerate \
                           below [video]: `porthole devices` lists what the camera offers";
                Finding::warning(about, format!("{says}; {asked} were asked"), fix)
            }
        }
        Camera::Trouble(why) => Finding::failed(
            about,
            why,
            "`porthole devices` lists cameras, and what keeps them from being used",
        ),
        Camera::OfDaemon { flows: true, says } => {
            Finding::ok(about, format!("the daemon that runs has it: {says}"))
        }
        Camera::OfDaemon { flows: false, says } => {
            let fix = "the daemon's log says why: journalctl -u porthole -e, or where it was started";
            Finding::failed(about, format!("the daemon that runs gets no picture of it: {says}"), fix)
        }
        Camera::Private => Finding::ok(about, "not tried: privacy is on (`porthole privacy off` ends it)"),
        Camera::TestPicture => Finding::warning(
            about,
            "there is none, so the test picture is shown",
            "plug one in, or name it with `device` below [video]: `porthole devices` lists what is there",
        ),
        Camera::NotWanted(what) => Finding::ok(about, format!("the configuration wants {what}")),
    }
}

/// What to make of the encoders of H.264.
pub fn encoders(trials: &[Trial], framerate: u32) -> Vec<Finding> {
    let about = "encoder";
    let Some(chosen) = choose(trials, framerate) else {
        let tried: Vec<String> = trials.iter().map(ToString::to_string).collect();
        let says = format!("none works: {}", tried.join("; "));
        let fix = match stand_by(trials) {
            Some(_) => {
                "stop what else keeps the board busy (`top` shows it), or restart the board if it is not busy"
            }
            None => "sudo apt-get install gstreamer1.0-plugins-ugly",
        };
        return vec![Finding::failed(about, says, fix)];
    };
    let mut found = Vec::new();
    for (at, trial) in trials.iter().enumerate() {
        let broken = matches!(trial.outcome, Outcome::Fails(_) | Outcome::Late(_));
        match trial.speed() {
            Some(speed) if at == chosen && keeps_up(speed, framerate) => {
                found.push(Finding::ok(about, format!("{trial}, for {framerate} asked; it is used")));
            }
            Some(_) if at == chosen => found.push(Finding::warning(
                about,
                format!("{trial}, for {framerate} asked: the fastest there is does not keep up"),
                "lower width, height or framerate below [video]",
            )),
            // A board is not ill because something it would not use does not work.
            Some(_) => found.push(Finding::ok(about, format!("{trial}; not used"))),
            None if broken && at < chosen => found.push(Finding::warning(
                about,
                format!("{trial}; another one is used"),
                "a newer kernel or Raspberry Pi OS may mend it; until then nothing needs to be done",
            )),
            None => {}
        }
    }
    found
}

/// What to make of the microphone.
pub fn microphone(sound: &Sound) -> Finding {
    let about = "microphone";
    match sound {
        Sound::Heard { name, peak } if *peak <= SILENT => Finding::warning(
            about,
            format!("{name} gives silence and nothing else"),
            "is it switched on, and turned up? `alsamixer` (F4) shows; `porthole devices` lists the others",
        ),
        Sound::Heard { name, peak } if *peak >= CLIPPED => Finding::warning(
            about,
            format!("{name} is as loud as can be, and cut off"),
            "turn it down: `alsamixer` (F4), or `gain` below [audio]",
        ),
        Sound::Heard { name, peak } => {
            Finding::ok(about, format!("{name}: the loudest moment had {peak:.0} dB"))
        }
        Sound::Trouble { name, why } => Finding::failed(
            about,
            format!("{name}: {why}"),
            "does another program have it (`fuser -v /dev/snd/*`)? `porthole devices` lists microphones for `device` below \
             [audio]",
        ),
        Sound::OfDaemon => Finding::ok(about, "not tried: the daemon that runs has it"),
        Sound::Nothing => {
            Finding::warning(about, "there is none", "plug one in, or write source = \"none\" below [audio]")
        }
        Sound::NotWanted => Finding::ok(about, "the configuration wants none"),
    }
}

/// What to make of the speaker, which played a tone if that was wanted.
pub fn speaker(sound: &Sound, tone: Option<Loop>) -> Finding {
    let about = "speaker";
    match (sound, tone) {
        (Sound::Heard { name, .. }, None) => Finding::ok(
            about,
            format!("{name} takes sound; `porthole doctor --tone` plays a tone and listens for it"),
        ),
        (Sound::Heard { name, .. }, Some(Loop { before, meanwhile })) if meanwhile - before >= HEARD => {
            Finding::ok(
                about,
                format!("{name}: the microphone hears it, {:.0} dB above the room", meanwhile - before),
            )
        }
        (Sound::Heard { name, .. }, Some(_)) => Finding::warning(
            about,
            format!("{name} played a tone, and the microphone did not hear it"),
            "is it turned up (`alsamixer`), and near the microphone?",
        ),
        (Sound::Trouble { name, why }, _) => Finding::failed(
            about,
            format!("{name}: {why}"),
            "does another program have it (`fuser -v /dev/snd/*`)? `porthole devices` lists speakers",
        ),
        (Sound::OfDaemon, _) => Finding::ok(about, "not tried: the daemon that runs may have it"),
        (Sound::Nothing, _) => Finding::ok(about, "there is none; one is only needed to talk back"),
        (Sound::NotWanted, _) => Finding::ok(about, "the configuration wants none"),
    }
}
