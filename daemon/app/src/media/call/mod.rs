//! One call: a webrtcbin in a pipeline of its own, from the offer to the last thread's end. A task performs what is
//! asked of it in order, so a call is never closed while its negotiation is under way. Must not know other calls, nor
//! decide when a call ends.

mod again;
mod agent;
mod build;
mod gates;
mod line;
mod negotiate;
mod outbox;
mod padding;
mod reports;
mod signals;
mod tweaks;
mod way;

use std::time::Duration;

use line::Line;
use padding::Padding;
use porthole_core::event::MediaEvent;
use porthole_core::ice::IceSettings;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::sdp::accept::Accepted;
use porthole_core::sdp::choose::AnswerPlan;
use porthole_core::wire::Candidate;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::element::MediaError;
use super::fan::Crew;
use super::servers::Ways;
use super::speaker::Ear;
use super::timeline::Timeline;
use super::{Events, Producers};

/// How long the close of a call may take before it is counted as stuck. Its thread is then left behind.
const CLOSE: Duration = Duration::from_secs(10);

/// How long a small picture waits after a full one that was too much: so long what that left behind takes to pass a narrow
/// place, and a key frame behind it would be lost in part.
const DRAIN: Duration = Duration::from_millis(250);

/// Before that nothing can be on its way.
const FILLS: Duration = Duration::from_secs(1);

/// What a call can be asked for.
#[derive(Debug)]
pub enum Ask {
    /// Take the viewer's answer to our offer.
    Answer(Box<Accepted>),
    /// Take one of the viewer's candidates.
    Candidate(Option<Candidate>),
    /// From now on send this picture, or none.
    Feed(Option<Rendition>),
    /// From now on make it so many kbit/s with packets that are sent again; 0: none.
    Pad(u32),
    /// End.
    HangUp,
}

/// Which end makes the offer.
#[derive(Debug)]
pub enum Part {
    /// The viewer: its offer is answered.
    Answer {
        /// What to answer with.
        plan: AnswerPlan,
        /// Whether candidates are reported as they come.
        trickle: bool,
    },
    /// The camera.
    Offer {
        /// What the picture is encoded with.
        rendition: Rendition,
        /// Whether to offer sound too.
        sound: bool,
    },
}

/// Everything a call needs to be opened.
pub struct Order {
    /// Its number.
    pub call: CallId,
    /// Which end makes the offer.
    pub part: Part,
    /// Servers, and what is used of this machine.
    pub ice: IceSettings,
    /// Where those servers are.
    pub ways: Ways,
    /// The clock it runs on.
    pub timeline: Timeline,
    /// Who sends to it.
    pub crew: Crew,
    /// What its viewer says, for whoever is to hear it.
    pub ear: Ear,
    /// For how long the viewer is to hold frames back.
    pub delay: Duration,
}

/// Lives one call. Ends when it was asked to hang up and everything is released.
pub async fn live(
    order: Order,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    mut producers: watch::Receiver<Producers>,
    events: Events,
) {
    let call = order.call;
    let reports = events.clone();
    let mut line = blocking(call, &events, move || Line::open(order, &reports)).await;
    line = attached(call, &events, line, &mut producers).await;
    if let Some(line) = &line {
        // The answer goes out when frames can follow it.
        line.announce(&events);
    }
    let mut padding = Padding::new(line.as_ref().map(Line::again));
    // What it is fed, and when, where what was too much has to pass first.
    let (mut fed, mut sends, mut drained, began) = (None, true, None, Instant::now());
    loop {
        tokio::select! {
            () = padding.tick() => {}
            () = until(drained) => {
                drained = None;
                let (now, picture) = (producers.borrow_and_update().clone(), fed);
                line = with(call, &events, line, move |line| line.feed(picture, &now)).await;
            }
            ask = asks.recv() => match ask {
                Some(Ask::Candidate(candidate)) => {
                    if let Some(candidate) = candidate {
                        line = with(call, &events, line, move |line| line.add_candidate(&candidate)).await;
                    }
                }
                Some(Ask::Answer(answer)) => {
                    if let Some(open) = line.take() {
                        line = blocking(call, &events, move || open.take_answer(*answer)).await;
                    }
                    line = attached(call, &events, line, &mut producers).await;
                }
                Some(Ask::Feed(picture)) => {
                    padding.set(0);
                    let small = picture.is_some_and(Rendition::is_small);
                    // With what a camera encodes the small one is waited for, and that for longer.
                    let goes_on = line.as_ref().is_some_and(Line::shows_what_the_camera_encodes);
                    let drains = small && sends && !goes_on && began.elapsed() >= FILLS;
                    (fed, sends) = (picture, picture.is_some());
                    drained = drains.then(|| Instant::now() + DRAIN);
                    let now = producers.borrow_and_update().clone();
                    let feed = move |line: &mut Line| line.feed(picture.filter(|_| !drains), &now);
                    line = with(call, &events, line, feed).await;
                }
                Some(Ask::Pad(kbit)) => padding.set(kbit),
                Some(Ask::HangUp) | None => break,
            },
            changed = producers.changed() => {
                if changed.is_err() {
                    break;
                }
                line = attached(call, &events, line, &mut producers).await;
            }
        }
    }
    if let Some(line) = line {
        let close = tokio::task::spawn_blocking(move || line.close());
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            log::warn!(call = call.0; "the call did not close within {CLOSE:?}; its threads are left behind");
        }
    }
    events.send(MediaEvent::Closed { call });
}

/// Waits until then; for ever where there is no such time.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Makes a call and ends it. Blocks.
pub fn rehearse(order: Order, events: &Events) -> Result<(), MediaError> {
    Line::open(order, events).map(Line::close)
}

/// Draws from the producers of this moment.
async fn attached(
    call: CallId,
    events: &Events,
    line: Option<Line>,
    producers: &mut watch::Receiver<Producers>,
) -> Option<Line> {
    // A copy: whoever publishes must not wait for this call.
    let now = producers.borrow_and_update().clone();
    with(call, events, line, move |line| line.attach(&now)).await
}

/// Does something that may block with a call, where it is open.
async fn with(
    call: CallId,
    events: &Events,
    line: Option<Line>,
    work: impl FnOnce(&mut Line) + Send + 'static,
) -> Option<Line> {
    let mut line = line?;
    let step = move || {
        work(&mut line);
        Ok(line)
    };
    blocking(call, events, step).await
}

/// Runs a step that blocks; its failure is the call's.
async fn blocking(
    call: CallId,
    events: &Events,
    step: impl FnOnce() -> Result<Line, MediaError> + Send + 'static,
) -> Option<Line> {
    let reason = match tokio::task::spawn_blocking(step).await {
        Ok(Ok(line)) => return Some(line),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the negotiation panicked".to_owned(),
    };
    events.send(MediaEvent::CallFailed { call, reason });
    None
}
