//! `porthole play`: has the daemon that runs here play a file on its speaker, and waits until it is heard. Must not play
//! anything itself.

use std::path::Path;
use std::time::{Duration, Instant};

use porthole_core::order::Order;
use serde_json::Value;

use crate::control::{self, NoAnswer, Request};
use crate::exit::Exit;

/// How long it may take until a file is heard.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the daemon is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Why nothing is heard. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NotPlayed {
    /// Nobody could be asked.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// A name that cannot be told.
    #[error("{0}: only files whose names are UTF-8 can be played")]
    Name(String),
    /// The daemon says why.
    #[error("{0}")]
    Failed(String),
    /// Nothing comes of it.
    #[error("nothing was heard of it within {PATIENCE:?}; the daemon's log may say why")]
    Late,
}

impl NotPlayed {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoAnswer(why) => why.exit(),
            Self::Name(_) => Exit::Usage,
            Self::Failed(_) | Self::Late => Exit::Unavailable,
        }
    }
}

/// Plays `file` on the daemon with this configuration, or the only one there is; `volume` in percent.
///
/// # Errors
/// [`NotPlayed`].
pub fn play(config: Option<&Path>, file: &Path, volume: Option<u32>) -> Result<(), NotPlayed> {
    let name = || NotPlayed::Name(file.display().to_string());
    let file = std::path::absolute(file).map_err(|_| name())?.to_str().ok_or_else(name)?.to_owned();
    let socket = control::find(config)?;
    let mut reply = control::ask(&socket, &Request::Order(Order::Play { file, volume }))?;
    let number = reply["status"]["played"]["number"].clone();
    let end = Instant::now() + PATIENCE;
    loop {
        let played = &reply["status"]["played"];
        match outcome(played).filter(|_| played["number"] == number) {
            Some(outcome) => return outcome,
            // Somebody else has another one played meanwhile.
            None if played["number"] != number => return Ok(()),
            None if Instant::now() >= end => return Err(NotPlayed::Late),
            None => std::thread::sleep(ASK_EVERY),
        }
        reply = control::ask(&socket, &Request::Status)?;
    }
}

/// Has nothing more played.
///
/// # Errors
/// [`NotPlayed`].
pub fn stop(config: Option<&Path>) -> Result<(), NotPlayed> {
    control::ask(&control::find(config)?, &Request::Order(Order::StopPlaying {}))?;
    Ok(())
}

/// What has come of it, if anything has.
fn outcome(played: &Value) -> Option<Result<(), NotPlayed>> {
    match (&played["state"], played["state"]["failed"].as_str()) {
        (_, Some(why)) => Some(Err(NotPlayed::Failed(why.to_owned()))),
        (Value::String(state), _) if state == "starting" => None,
        _ => Some(Ok(())),
    }
}

#[cfg(test)]
mod tests {
    use porthole_core::speaker::{PlayState, Played};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_state_of_the_daemon_is_understood() {
        let came = |state| outcome(&json!(Played { number: 1, state }));
        assert!(came(PlayState::Starting).is_none());
        assert!(matches!(came(PlayState::Playing), Some(Ok(()))));
        assert!(matches!(came(PlayState::Ended), Some(Ok(()))));
        let Some(Err(NotPlayed::Failed(why))) = came(PlayState::Failed("no sound in it".into())) else {
            panic!()
        };
        assert_eq!(why, "no sound in it");
    }
}
