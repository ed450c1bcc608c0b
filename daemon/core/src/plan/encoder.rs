//! Which encoder of those that were tried. Must not know what was tried on them, nor how.

use std::fmt;

use serde::Serialize;

/// The H.264 encoders that there are settings for, by GStreamer's names, in the order in which they are tried.
pub const H264: [&str; 6] =
    ["v4l2h264enc", "vah264lpenc", "vah264enc", "mpph264enc", "x264enc", "openh264enc"];

/// How an encoder did with real frames.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The element's name.
    pub encoder: &'static str,
    /// Whether it runs on hardware made for it.
    pub hardware: bool,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It encoded this many frames of the asked size in a second.
    Frames(f64),
    /// It did not, for this reason.
    Fails(String),
    /// It gave nothing within so many seconds: it hangs, or the board is too busy to tell.
    Late(u64),
    /// It is not on this machine; this is what to do where one wants it.
    Missing(String),
}

/// The place in `trials` (in the order of preference) of the encoder to use: the first one that keeps up with
/// `framerate`, else the fastest one that works. `None`: none works.
pub fn choose(trials: &[Trial], framerate: u32) -> Option<usize> {
    let speeds = || trials.iter().enumerate().filter_map(|(at, trial)| Some((at, trial.speed()?)));
    let enough = speeds().find(|(_, speed)| keeps_up(*speed, framerate));
    // The first of equals.
    let fastest = || speeds().rev().max_by(|one, other| one.1.total_cmp(&other.1));
    enough.or_else(fastest).map(|(at, _)| at)
}

/// The place in `trials` of the encoder to go on with where [`choose`] knows none: one that may only have been kept from
/// its work by others on the board, rather software, which does not hang. `None`: all have failed by themselves.
pub fn stand_by(trials: &[Trial]) -> Option<usize> {
    let late = |hardware: bool| {
        trials
            .iter()
            .position(|trial| trial.hardware == hardware && matches!(trial.outcome, Outcome::Late(_)))
    };
    late(false).or_else(|| late(true))
}

/// Whether an encoder of this speed is fast enough. It shares the board with everything else, so some is left over.
pub fn keeps_up(speed: f64, framerate: u32) -> bool {
    speed >= f64::from(framerate) * 1.1
}

impl Trial {
    /// Frames a second, if it works.
    pub fn speed(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Frames(speed) => Some(speed),
            Outcome::Fails(_) | Outcome::Late(_) | Outcome::Missing(_) => None,
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.hardware { "hardware" } else { "software" };
        write!(f, "{} ({kind}): ", self.encoder)?;
        match &self.outcome {
            Outcome::Frames(speed) => write!(f, "{speed:.0} frames/s"),
            Outcome::Fails(why) => write!(f, "does not work: {why}"),
            Outcome::Late(seconds) => write!(f, "no picture within {seconds} s"),
            Outcome::Missing(fix) => write!(f, "not here; {fix}"),
        }
    }
}
