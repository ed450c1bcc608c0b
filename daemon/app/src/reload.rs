//! Takes a changed configuration over while calls go on (`porthole reload`, SIGHUP), as far as that goes, and says key by
//! key what has to wait for a restart. Must not know what is allowed in it.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use log::{info, warn};
use porthole_core::config::Change;
use porthole_core::config::settings::{IceSettings, Settings};
use porthole_core::switchboard::Terms;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use crate::configuration::{self, Unusable};
use crate::control::{self, NoAnswer, Request};
use crate::{logging, systemd};

/// Whoever asks at the daemon's socket waits here: what has changed, or why nothing of it is taken over, a line for each reason.
pub type Waits = oneshot::Sender<Result<Vec<Change>, String>>;

/// Has the daemon with this configuration, or the only one there is, read it again, and says what it took over. Only the
/// daemon can judge: its secrets are nobody else's to read.
///
/// # Errors
/// [`NoAnswer`]: nobody could be asked, or it is not allowed.
pub fn ask(config: Option<&Path>) -> Result<String, NoAnswer> {
    let reply = control::ask(&control::find(config)?, &Request::Reload)?;
    let keys = |of: &str| reply[of].as_array().into_iter().flatten().filter_map(|key| key.as_str());
    let lines: Vec<_> = keys("taken").map(taken).chain(keys("waits").map(waits)).collect();
    Ok(if lines.is_empty() {
        "nothing has changed in the configuration".to_owned()
    } else {
        lines.join("\n")
    })
}

fn taken(key: &str) -> String {
    format!("{key} is taken over")
}

fn waits(key: &str) -> String {
    format!("{key} has changed and needs a restart, which ends all calls")
}

/// Hears of SIGHUP from now on, which then no longer ends the process. `None` in a terminal: there it says that the
/// terminal is gone, and whoever sat at it expects that what was started there goes with it.
///
/// # Errors
/// The machine allows no such thing.
pub fn listen() -> std::io::Result<Option<Signal>> {
    if stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal() {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// Reads the configuration again whenever it is asked to, by a signal or at the socket, until the desk is gone. `now` is
/// what the daemon lives by; what it takes over goes to the desk, and to whoever uses ICE servers.
pub async fn follow(
    (mut signal, mut asked): (Option<Signal>, mpsc::Receiver<Waits>),
    config: Option<PathBuf>,
    mut now: Settings,
    (desk, ice): (mpsc::Sender<Terms>, watch::Sender<IceSettings>),
) {
    loop {
        let waits = tokio::select! {
            Some(()) = heard(&mut signal) => None,
            Some(waits) = asked.recv() => Some(waits),
            else => return,
        };
        systemd::reloading();
        // Not the files that it names: one that hangs would stop all calls here.
        let changes = take_over(&mut now, configuration::read(config.as_deref()), config.as_deref());
        if changes.iter().flatten().any(|change| change.live) {
            ice.send_replace(now.ice.clone());
            if desk.send(Terms::new(&now)).await.is_err() {
                return;
            }
        }
        systemd::reloaded();
        // Who has asked may be gone.
        waits.map(|waits| waits.send(changes.map_err(|unusable| unusable.to_string())));
    }
}

async fn heard(signal: &mut Option<Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}

/// Makes `now` like what was read, as far as that goes, and says what has changed, or why nothing is taken over.
fn take_over(
    now: &mut Settings,
    new: Result<Settings, Unusable>,
    config: Option<&Path>,
) -> Result<Vec<Change>, Unusable> {
    let new = new.inspect_err(|unusable| {
        for finding in unusable.to_string().lines() {
            warn!("{finding}");
        }
        warn!("the configuration is not taken over; everything stays as it was");
    })?;
    let changes = now.changes(&new);
    if changes.is_empty() {
        let file = config.map_or("that of all defaults".to_owned(), |file| file.display().to_string());
        info!("nothing has changed in the configuration ({file})");
        return Ok(changes);
    }
    now.take_over(&new);
    logging::set_level(now.log);
    for change in &changes {
        if change.live {
            info!("{}", taken(change.key));
        } else {
            warn!("{}", waits(change.key));
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use porthole_core::config;

    use super::*;

    #[test]
    fn what_can_change_does_and_the_rest_is_said_again_the_next_time() {
        let mut now = Settings::default();
        let text = "[room]\nmax_calls = 3\n[relay]\nlisten = \"127.0.0.1:9\"\n";
        let new = || Ok(config::load("my.toml", text, &|_| None).unwrap());
        let mut live =
            || take_over(&mut now, new(), None).unwrap().iter().map(|change| change.live).collect::<Vec<_>>();
        assert_eq!(live(), [true, false]);
        assert_eq!(live(), [false], "nothing that could be taken over is left");
        assert_eq!(now.room.max_calls, 3);
        assert_eq!(now.relay.listen, Settings::default().relay.listen);
        assert_eq!(now.changes(&new().unwrap()).len(), 1);
    }

    #[test]
    fn a_file_that_is_not_allowed_changes_nothing() {
        let mut now = Settings::default();
        let broken = config::load("my.toml", "[room]\nmax_calls = 3\nidle = 4\n", &|_| None).unwrap_err();
        take_over(&mut now, Err(broken.into()), None).unwrap_err();
        assert_eq!(now, Settings::default());
    }
}
