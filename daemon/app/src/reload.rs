//! Takes a changed configuration over while calls go on (SIGHUP, `systemctl reload`), as far as that goes, and says key by
//! key what has to wait for a restart. Must not know what is allowed in it.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use log::{info, warn};
use porthole_core::config::settings::{IceSettings, Settings};
use porthole_core::switchboard::Terms;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::configuration::{self, Unusable};
use crate::{logging, systemd};

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

/// Reads the configuration again whenever it is asked to, until the desk is gone. `now` is what the daemon lives by; what
/// it takes over goes to the desk, and to whoever uses ICE servers.
pub async fn follow(
    mut asked: Signal,
    config: Option<PathBuf>,
    mut now: Settings,
    (desk, ice): (mpsc::Sender<Terms>, watch::Sender<IceSettings>),
) {
    while asked.recv().await.is_some() {
        systemd::reloading();
        let new = configuration::read(config.as_deref());
        if take_over(&mut now, new, config.as_deref()) {
            ice.send_replace(now.ice.clone());
            if desk.send(Terms::new(&now)).await.is_err() {
                return;
            }
        }
        systemd::reloaded();
    }
}

/// Makes `now` like what was read, as far as that goes, and says what became of it. Whether anything did.
fn take_over(now: &mut Settings, new: Result<Settings, Unusable>, config: Option<&Path>) -> bool {
    let new = match new {
        Ok(new) => new,
        Err(unusable) => {
            for finding in unusable.to_string().lines() {
                warn!("{finding}");
            }
            warn!("the configuration is not taken over; everything stays as it was");
            return false;
        }
    };
    let changes = now.changes(&new);
    if changes.is_empty() {
        let file = config.map_or("that of all defaults".to_owned(), |file| file.display().to_string());
        info!("nothing has changed in the configuration ({file})");
        return false;
    }
    now.take_over(&new);
    logging::set_level(now.log);
    for change in &changes {
        if change.live {
            info!("{} is taken over", change.key);
        } else {
            warn!("{} has changed and needs a restart, which ends all calls", change.key);
        }
    }
    changes.iter().any(|change| change.live)
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
        assert!(take_over(&mut now, new(), None));
        assert_eq!(now.room.max_calls, 3);
        assert_eq!(now.relay.listen, Settings::default().relay.listen);
        assert!(!take_over(&mut now, new(), None), "nothing that could be taken over is left");
        assert_eq!(now.changes(&new().unwrap()).len(), 1);
    }

    #[test]
    fn a_file_that_is_not_allowed_changes_nothing() {
        let mut now = Settings::default();
        let broken = config::load("my.toml", "[room]\nmax_calls = 3\nidle = 4\n", &|_| None).unwrap_err();
        assert!(!take_over(&mut now, Err(broken.into()), None));
        assert_eq!(now, Settings::default());
    }
}
