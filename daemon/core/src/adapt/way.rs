//! The way to one viewer: what it gets over it, and whether that is too much, by what it reports. Must not know other
//! viewers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::probe::Probe;
use super::trips::Trips;
use super::{Feed, PATIENCE, PATIENCE_MOST, PROOF, Report, SOUND_PATIENCE, part};
use crate::ids::Rendition;
use crate::rtcp::{Losses, Reception};

/// Loss beyond this, in percent, is no bad radio any more: something on the way throws away what is too much.
const FLOODED: u32 = 25;
/// The same where it stays so for a second look.
const LOSSY: u32 = 15;
/// So many packets show a flood.
const FLOOD_PACKETS: u32 = 40;
/// What is lost is looked at after so long, and so many packets.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_PACKETS: u32 = 15;
/// Over so long it is counted what is asked for again, which is told at once and not, as losses are, about once a second.
const ASKED: Duration = Duration::from_millis(300);
/// Most entries of that.
const ASKED_MOST: usize = 16;
/// A way is flooded where so much of what is sent is asked for again, in percent, for so long after it was asked the first
/// time: a hole in the air is asked for once. Where the estimate fell, too, and where it says nothing.
const DROWNED: (u32, Duration) = (40, Duration::from_millis(100));
const DROWNED_ALONE: (u32, Duration) = (60, Duration::from_millis(250));
/// So many packets asked for show it.
const DROWNED_PACKETS: u32 = 16;
/// And so many, and so much in percent, that what is sent beyond need is too much.
const DROWNED_PADDED: (u32, u32) = (4, 25);
/// For how long an estimate that fell is of that.
const FELL: Duration = Duration::from_millis(600);
/// What is asked for again sooner after a change is of what was before, and at the beginning of a call of its first key frame.
const STALE: Duration = Duration::from_millis(400);
/// A viewer goes on to ask for the rest of a full picture until it has a key frame of the small one.
const STALE_SMALL: Duration = Duration::from_millis(1500);
const STALE_IN: Duration = Duration::from_secs(1);
/// What waits for so long does so in a queue that is too long; and where more is sent than it needs.
const QUEUE: Duration = Duration::from_millis(250);
/// For how long everything that is sent of a small picture waits before it is made less.
const QUEUED: Duration = Duration::from_millis(400);
const QUEUE_PADDED: Duration = Duration::from_millis(100);
/// The same of what was sent and has not come, which is known at once, and only to within a frame.
const LINE_PADDED: Duration = Duration::from_millis(150);
/// More is not sent where something waits for so long.
const QUEUE_SHORT: Duration = Duration::from_millis(60);
/// An estimate that has not grown for so long is meant.
const STANDS: Duration = Duration::from_millis(2500);
/// Less than this was sent: nothing follows from what is reported of it, in kbit/s.
const TOO_LITTLE: u32 = 40;

/// A step on the way to the full picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// All of it is to come to so many kbit/s.
    More(u32),
    /// The full picture would come through.
    Enough,
}

/// What is sent is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What the way carries, in kbit/s.
    pub(super) carries: u32,
    /// Most of what was sent of late is lost.
    pub(super) flooded: bool,
    /// What comes through waits for long.
    pub(super) waits: bool,
}

#[derive(Debug)]
pub(super) struct Way {
    /// What the full picture is encoded with.
    pub(super) format: Rendition,
    /// The most it wants.
    pub(super) wanted: Feed,
    /// The most that its picture may take, in kbit/s.
    pub(super) takes: u32,
    /// What it gets.
    pub(super) feed: Feed,
    /// Since when.
    pub(super) since: Instant,
    /// When the call began.
    pub(super) joined: Instant,
    /// Whether there is sound to be had.
    sound: bool,
    /// What the viewer's end believed last that the way carries, in kbit/s.
    pub(super) estimate: Option<u32>,
    /// When it last fell.
    fell: Option<Instant>,
    /// What was asked for again of late, and when.
    asked: VecDeque<(Instant, u32)>,
    /// Since when more is sent than that, and it does not grow.
    stands: Option<Instant>,
    /// What was lost when that was last looked at.
    looked: Option<(Instant, Losses)>,
    /// Reports in a row with much loss, or a long trip.
    in_a_row: u32,
    /// What waits on it, by how long a trip takes, and by what was sent and has not come.
    trips: Trips,
    line: Trips,
    /// When it was last too much, and what the estimate was then.
    pub(super) tight: Option<Instant>,
    tight_estimate: Option<u32>,
    /// What was sent last, in kbit/s, and what it was before there was less.
    sent: u32,
    needs: u32,
    /// What is added to find out whether there is more.
    pub(super) probe: Probe,
    /// How long it has to be good before more is tried.
    pub(super) patience: Duration,
    /// The same while there is no picture.
    mute_patience: Duration,
}

impl Way {
    pub(super) fn new(
        format: Rendition,
        (wanted, takes): (Feed, u32),
        feed: Feed,
        sound: bool,
        now: Instant,
    ) -> Self {
        Self {
            format,
            wanted,
            takes,
            feed,
            since: now,
            joined: now,
            sound,
            estimate: None,
            fell: None,
            asked: VecDeque::new(),
            stands: None,
            looked: None,
            in_a_row: 0,
            trips: Trips::default(),
            line: Trips::default(),
            tight: None,
            tight_estimate: None,
            sent: 0,
            needs: 0,
            probe: Probe::new(now),
            patience: PATIENCE,
            mute_patience: SOUND_PATIENCE[0],
        }
    }

    /// The encoding it gets.
    pub(super) fn rendition(&self) -> Option<Rendition> {
        self.feed.of(self.format)
    }

    /// For how long what it gets has been bearable.
    pub(super) fn good_for(&self, now: Instant) -> Duration {
        let since = self.tight.map_or(self.since, |tight| tight.max(self.since));
        now.saturating_duration_since(since)
    }

    /// Whether something waits on it, or, where that is not known, the viewer's end thinks less of it than what is sent.
    pub(super) fn is_doubtful(&self) -> bool {
        self.waits_for(QUEUE_SHORT).unwrap_or(!self.probe.runs() && self.stands.is_some())
    }

    /// Whether something waits on it for so long, where that is known.
    fn waits_for(&self, time: Duration) -> Option<bool> {
        Some(self.trips.waits()? >= time)
    }

    /// Whether it has less than it wants because more would not come through, and there is sound in the place of a picture.
    pub(super) fn is_narrow(&self) -> bool {
        self.feed < self.wanted && self.sound
    }

    /// When it is to have a picture again.
    pub(super) fn retry(&self) -> Option<Instant> {
        (self.feed == Feed::Sound && self.wanted > Feed::Sound).then(|| self.since + self.mute_patience)
    }

    /// Gives it something else. What it gets then, where that is a change.
    pub(super) fn give(&mut self, feed: Feed, now: Instant) -> Option<Feed> {
        if feed == self.feed || feed == Feed::Sound && !self.sound {
            return None;
        }
        let mistake = now < self.since + PROOF && self.tight.is_some();
        match feed {
            Feed::Small if self.feed == Feed::Full => {
                self.patience = if mistake { (self.patience * 2).min(PATIENCE_MOST) } else { PATIENCE };
            }
            Feed::Sound => {
                let [first, most] = SOUND_PATIENCE;
                self.mute_patience = if mistake { (self.mute_patience * 2).min(most) } else { first };
            }
            Feed::Small | Feed::Full => {}
        }
        if self.feed == Feed::Full {
            // Of a full picture that was gone at once nothing is known yet.
            let known = now >= self.since + PROOF;
            self.needs = if known { self.sent } else { self.sent.max(self.needs) };
        }
        (self.feed, self.since, self.in_a_row) = (feed, now, 0);
        self.probe.stop(feed == Feed::Full);
        Some(feed)
    }

    /// What comes next of finding out whether the full picture, which may take so many kbit/s, would come through.
    pub(super) fn next_padding(&mut self, full: u32, now: Instant) -> Option<Padding> {
        let waits = self.is_doubtful() || self.line.waits().is_some_and(|waits| waits >= QUEUE_PADDED);
        if waits || !self.probe.is_due(now) {
            return None;
        }
        let enough = part(self.needs.min(full), 95).max(TOO_LITTLE);
        match self.probe.step(self.sent, enough, now) {
            Some(kbit) => Some(Padding::More(kbit)),
            None => (self.good_for(now) >= self.patience).then_some(Padding::Enough),
        }
    }

    /// What the way carries, sound included, if what is sent is too much for it.
    pub(super) fn judge(&mut self, report: &Report, settled: bool, now: Instant) -> Option<Verdict> {
        let slowly = self.too_much(report, settled, now);
        let drowned = self.drowned(report, settled, now);
        let carries = drowned.or(slowly)?;
        (self.tight, self.tight_estimate) = (Some(now), self.estimate);
        let (flooded, waits) = (drowned.is_some(), self.waits_for(QUEUE) == Some(true));
        Some(Verdict { carries, flooded, waits })
    }

    /// It gets the same once more, from a new beginning.
    pub(super) fn begins_again(&mut self, now: Instant) {
        (self.since, self.in_a_row) = (now, 0);
    }

    fn too_much(&mut self, report: &Report, settled: bool, now: Instant) -> Option<u32> {
        let (said, sent) = (&report.reception, report.sent);
        let before = self.estimate;
        self.estimate = said.estimate.or(before);
        if before.zip(said.estimate).is_some_and(|(before, estimate)| estimate < part(before, 97)) {
            self.fell = Some(now);
        }
        if let Some(trip) = said.round_trip {
            self.trips.hear(trip, now);
        }
        if let Some(wait) = report.waiting {
            self.line.hear(wait, now);
        }
        self.sent = sent;
        // What goes on falling is not what was before the change any more.
        let falls = match (said.estimate, self.tight_estimate) {
            (Some(estimate), Some(last)) => {
                self.feed == Feed::Full
                    && self.tight.is_some_and(|tight| tight >= self.since)
                    && estimate < part(last, 90)
            }
            _ => false,
        };
        if sent < TOO_LITTLE || !(settled || falls) {
            (self.looked, self.stands) = (None, None);
            return None;
        }
        if let Some(estimate) = said.estimate {
            // Where little was sent of late the estimate is little, too; only one below that means anything.
            let below = estimate < part(sent, 90);
            // One that was less all along, while everything came through, is none: browsers raise it by little.
            let counts = |before: u32| {
                before >= part(sent, 90) || falls || self.waits_for(QUEUE_SHORT).unwrap_or(true)
            };
            let fell = before.is_some_and(|before| estimate < part(before, 97) && counts(before));
            if !below || before.is_none_or(|before| estimate > before) {
                self.stands = None;
            }
            let stands = below && now >= *self.stands.get_or_insert(now) + STANDS;
            // Nor does it grow by what came before and comes again.
            let stood = stands && !self.probe.runs() && self.waits_for(QUEUE_SHORT).unwrap_or(true);
            if below && (fell || stood) {
                self.stands = None;
                return Some(estimate);
            }
        }
        let queues = || self.line.waits().is_some_and(|waits| waits >= LINE_PADDED);
        let padded = self.probe.runs() && (self.waits_for(QUEUE_PADDED) == Some(true) || queues());
        let long = self.trips.are_long_for(QUEUED, now) || self.waits_for(QUEUE) == Some(true);
        if padded || self.feed == Feed::Small && long {
            return Some(part(sent, 80).min(self.estimate.unwrap_or(u32::MAX)));
        }
        self.flooded(said, sent, now)
    }

    /// What comes through where most of what is sent is asked for again. That is known a few packets after it began, and
    /// every tenth of a second counts: what is sent meanwhile only fills the queue that the next picture waits in.
    fn drowned(&mut self, report: &Report, settled: bool, now: Instant) -> Option<u32> {
        let again = report.reception.again;
        if again > 0 {
            self.asked.push_back((now, again));
        }
        while self.asked.len() > ASKED_MOST || self.asked.front().is_some_and(|(then, _)| now > *then + ASKED)
        {
            self.asked.pop_front();
        }
        let settling = if self.feed == Feed::Small { STALE_SMALL } else { STALE };
        let stale = now < self.since + settling || now < self.joined + STALE_IN;
        // What was sent of the small picture before it was made less still fills the queue.
        if stale || self.feed == Feed::Sound || self.feed == Feed::Small && !settled {
            return None;
        }
        let first = self.asked.front()?.0;
        if self.probe.runs() {
            let asked = self.asked.iter().fold(0_u32, |sum, (_, again)| sum.saturating_add(*again));
            let sent = u128::from(report.packets) * ASKED.as_millis() / 1000;
            let (least, percent) = DROWNED_PADDED;
            let drowned = asked >= least && u128::from(asked) * 100 >= sent * u128::from(percent);
            return drowned.then(|| part(report.sent, 50));
        }
        let span = now.saturating_duration_since(first);
        let asked = self.asked.iter().skip(1).fold(0_u32, |sum, (_, again)| sum.saturating_add(*again));
        let sent = u128::from(report.packets) * span.as_millis() / 1000;
        let percent = u32::try_from(u128::from(asked) * 100 / sent.max(1)).unwrap_or(u32::MAX);
        let fell = self.fell.is_some_and(|then| now < then + FELL);
        let (most, time) = if fell && self.feed == Feed::Full { DROWNED } else { DROWNED_ALONE };
        let drowned = span >= time && asked >= DROWNED_PACKETS && percent >= most;
        if !drowned {
            return None;
        }
        self.asked.clear();
        let least = if self.feed == Feed::Small { self.estimate.unwrap_or_default() / 2 } else { 0 };
        Some(part(report.sent, 100 - percent.min(80)).max(least.min(report.sent)))
    }

    /// What comes through where much is lost, or waits long.
    fn flooded(&mut self, said: &Reception, sent: u32, now: Instant) -> Option<u32> {
        let losses = said.losses?;
        let (then, past) = *self.looked.get_or_insert((now, losses));
        let packets = losses.highest.wrapping_sub(past.highest);
        let lost = 100 * losses.lost.saturating_sub(past.lost).min(packets) / packets.max(1);
        let arrives = part(sent, 100 - lost);
        if packets >= FLOOD_PACKETS && lost >= FLOODED {
            (self.looked, self.in_a_row) = (None, 0);
            return Some(arrives);
        }
        if now < then + LOOK || packets < LOOK_PACKETS {
            return None;
        }
        self.looked = Some((now, losses));
        let longer = self.waits_for(QUEUE).unwrap_or(false);
        self.in_a_row = if lost >= LOSSY || longer { self.in_a_row + 1 } else { 0 };
        // Their estimate is what comes out of the queue, a little less so that it empties.
        let plausible = part(arrives, 60)..arrives;
        let believed = self.estimate.filter(|kbit| plausible.contains(kbit)).unwrap_or(part(arrives, 75));
        (self.in_a_row >= 2).then_some(if longer { believed } else { arrives })
    }
}
