//! Tells the service manager how the daemon is (`sd_notify(3)`): systemd, or whoever else set `NOTIFY_SOCKET`. Must not
//! decide what there is to tell.

use std::time::{Duration, Instant};

use porthole_core::service::{Service, Told};
use porthole_core::status::Status;
use sd_notify::NotifyState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::desk::{Question, sleep_until};

/// How much oftener than it has to the watchdog is fed: a loaded machine may be late.
const FEEDS_IN_TIME: u32 = 3;

/// How long one step on the way to being ready may take on the slowest and busiest board.
const STEP: Duration = Duration::from_secs(180);

/// Whether a service manager listens.
pub fn listens() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Tells it until nobody has any more news.
///
/// The watchdog is fed with answers of the desk and with nothing else: a desk that does not turn gives none.
pub async fn report(mut service: Service, mut status: watch::Receiver<Status>, desk: mpsc::Sender<Question>) {
    let watchdog = sd_notify::watchdog_enabled();
    let mut feeding = watchdog.map(|within| {
        let mut feeding = interval((within / FEEDS_IN_TIME).max(Duration::from_millis(10)));
        feeding.set_missed_tick_behavior(MissedTickBehavior::Delay);
        feeding
    });
    let mut asked: Option<oneshot::Receiver<Status>> = None;
    tell(service.is(&status.borrow_and_update().clone(), Instant::now()));
    loop {
        let late = service.timeout().map(tokio::time::Instant::from_std);
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tick(&mut feeding), if asked.is_none() => {
                let (answer, answered) = oneshot::channel();
                asked = desk.try_send(answer).is_ok().then_some(answered);
            }
            answer = answered(&mut asked) => {
                asked = None;
                if let Some(status) = answer {
                    tell(service.answered(&status, Instant::now()));
                }
            }
            () = sleep_until(late) => {}
        }
        tell(service.is(&status.borrow_and_update().clone(), Instant::now()));
    }
}

/// What it does before it is ready. That may take [`STEP`] from now on, however long it took to come here.
pub fn prepares(words: &str) {
    let step = u32::try_from(STEP.as_micros()).unwrap_or(u32::MAX);
    say(&[NotifyState::Status(words), NotifyState::ExtendTimeoutUsec(step)]);
}

/// A relay without a camera answers from now on.
pub fn relay_is_ready(words: &str) {
    say(&[NotifyState::Status(words), NotifyState::Ready]);
}

/// The configuration is being read anew; [`reloaded`] has to follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => log::debug!("the monotonic clock cannot be read: {error}"),
    }
}

/// It was read, whatever came of it.
pub fn reloaded() {
    say(&[NotifyState::Ready]);
}

/// The daemon stops.
pub fn stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

fn tell(told: Vec<Told>) {
    for told in told {
        match told {
            Told::Ready => say(&[NotifyState::Ready]),
            Told::Words(words) => say(&[NotifyState::Status(&words)]),
            Told::Alive => say(&[NotifyState::Watchdog]),
        }
    }
}

/// Without a service manager this does nothing.
fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::debug!("the service manager cannot be told: {error}");
    }
}

async fn tick(feeding: &mut Option<tokio::time::Interval>) {
    match feeding {
        Some(feeding) => {
            feeding.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// What the desk answered; `None`: it is gone.
async fn answered(asked: &mut Option<oneshot::Receiver<Status>>) -> Option<Status> {
    match asked {
        Some(answer) => answer.await.ok(),
        None => std::future::pending().await,
    }
}
