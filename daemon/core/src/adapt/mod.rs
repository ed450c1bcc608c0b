//! Who gets how much of the picture, when a way to a viewer carries less than the camera makes.
//!
//! There is one encoder for everybody, so one bad way must not make everybody's picture bad, and a viewer behind it must
//! still see something. [`Policy`] hears what viewers report ([`Report`]) and answers with what changes ([`Change`]): the
//! bitrate of an encoding, and which picture a viewer gets. `way` judges one viewer's reports, `trips` sees what waits on
//! it, `probe` finds out whether it carries more, `rate` keeps the bitrate of one encoding, `bounds` how far that may go,
//! `limits` is what follows from the configuration.
//!
//! A viewer whose way is too narrow gets a second, small picture. Leaving out whole frames of the large one up to its
//! next key frame would cost nothing, but show a second of movement and then none for seconds; a quarter of the pixels
//! at half the rate costs an eighth of the work of encoding, is made once for all who need it, and moves.
//! Must not know how a report travels, nor what an encoder is.

mod bounds;
mod limits;
mod probe;
mod rate;
mod trips;
mod way;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use limits::{FAIR, part};
pub use limits::{Limits, small};
use rate::Rate;
use way::{Padding, Verdict, Way};

use crate::ids::{CallId, Rendition};
use crate::rtcp::Reception;

/// What a viewer gets, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feed {
    /// No picture.
    Sound,
    /// The small picture.
    Small,
    /// The full picture.
    Full,
}

impl Feed {
    /// The encoding that this is of a picture in the format of `rendition`.
    pub fn of(self, rendition: Rendition) -> Option<Rendition> {
        match self {
            Self::Full => Some(rendition.full()),
            Self::Small => Some(rendition.small()),
            Self::Sound => None,
        }
    }
}

/// What a viewer reports of the way to it, with what was sent over it meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Its own words.
    pub reception: Reception,
    /// What was sent of the picture of late, in kbit/s of RTP payload, with all that was sent again.
    pub sent: u32,
    /// In how many packets a second, without what was sent again.
    pub packets: u32,
    /// How long ago the first of those was sent that had not come when it was made; nothing where all had. What it tells of
    /// round trips is of up to a second ago, and this is of now, to within a frame.
    pub waiting: Option<Duration>,
}

/// What is to be different from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This encoding has this bitrate, in kbit/s.
    Bitrate(Rendition, u32),
    /// What is sent to this viewer is made up to so many kbit/s with packets that it has got already; 0: no longer.
    Pad(CallId, u32),
    /// This viewer gets this, and is not padded any more, because its way carries about so many kbit/s, where that is the reason.
    Feed(CallId, Feed, Option<u32>),
}

/// What is reported sooner after a change is still of what was before.
const SETTLE: Duration = Duration::from_millis(900);
/// The same at the beginning of a call, when everything comes at once.
const SETTLE_IN: Duration = Duration::from_millis(2500);
/// For how long nothing is raised after it was too much.
const HOLD: Duration = Duration::from_secs(3);
/// By how much the small picture is raised at most, and beyond what browsers believe that a way carries, in percent.
const STRIDES: [u32; 2] = [40, 15];
/// So much of what the small picture may take at most, in percent, comes through before more than it needs is tried.
const GROWN: u32 = 50;
/// For how long a way has to be good before the full picture is tried on it, at first; doubled whenever that was a
/// mistake, up to [`PATIENCE_MOST`].
const PATIENCE: Duration = Duration::from_secs(4);
/// See [`PATIENCE`].
const PATIENCE_MOST: Duration = Duration::from_secs(60);
/// A picture that was too much sooner than this after it was tried was a mistake.
const PROOF: Duration = Duration::from_secs(10);
/// For how long the least of the small picture has to be too much before there is none.
const PROOF_OF_NOTHING: Duration = Duration::from_secs(3);
/// How long a viewer without a picture waits for the next attempt, at first and at most.
const SOUND_PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(40)];

/// See the module's first lines.
#[derive(Debug)]
pub struct Policy {
    limits: Limits,
    ways: BTreeMap<CallId, Way>,
    rates: BTreeMap<Rendition, Rate>,
    /// Formats in which no small picture can be made.
    without_small: Vec<Rendition>,
    /// Encodings whose bitrate nobody can change.
    fixed: Vec<Rendition>,
}

impl Policy {
    /// Nobody watches.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ways: BTreeMap::new(),
            rates: BTreeMap::new(),
            without_small: Vec::new(),
            fixed: Vec::new(),
        }
    }

    /// A viewer begins to watch. `wanted`: the most it wants, and what that may take in kbit/s where it says so; `sound`:
    /// whether there is any for it. Where it gets something else than it wants, that is among the changes.
    pub fn joins(
        &mut self,
        call: CallId,
        format: Rendition,
        wanted: (Feed, Option<u32>),
        sound: bool,
        now: Instant,
    ) -> Vec<Change> {
        let (wanted, takes) = wanted;
        let feed = self.at_most(wanted, format);
        let takes = takes.unwrap_or(u32::MAX).max(self.limits.small[0]);
        let rendition = feed.of(format);
        let before = rendition.map(|rendition| self.bound(rendition));
        self.ways.insert(call, Way::new(format.full(), (wanted, takes), feed, sound, now));
        let mut changes = Vec::from_iter(self.bind(call, now));
        if let Some((rendition, before)) = rendition.zip(before) {
            let bound = self.bound(rendition);
            // Somebody took little as long as nobody else watched. That is not made up for in steps.
            if before < bound && self.bitrate(rendition) == before {
                changes.extend(self.set(rendition, bound, now));
            }
        }
        changes.extend((feed != wanted).then_some(Change::Feed(call, feed, None)));
        changes
    }

    /// A viewer is gone.
    pub fn leaves(&mut self, call: CallId) {
        self.ways.remove(&call);
    }

    /// What a viewer gets; `None` where it watches nothing.
    pub fn feed(&self, call: CallId) -> Option<Feed> {
        self.ways.get(&call).map(|way| way.feed)
    }

    /// The encoding that a viewer gets.
    pub fn rendition(&self, call: CallId) -> Option<Rendition> {
        self.ways.get(&call)?.rendition()
    }

    /// What the way of a viewer that gets less than the full picture carries of late, in kbit/s, as far as its browser tells.
    /// Of others it says nothing: browsers believe in what has come through, and that is no more than was sent.
    pub fn estimate(&self, call: CallId) -> Option<u32> {
        self.ways.get(&call).filter(|way| way.feed < Feed::Full)?.estimate
    }

    /// Whether others get the full picture well: then what is wrong with the way to this viewer is on its side.
    pub fn others_are_well(&self, call: CallId, now: Instant) -> bool {
        self.ways.iter().any(|(id, way)| *id != call && way.feed == Feed::Full && way.good_for(now) >= HOLD)
    }

    /// Whether a small picture can be made in this format, as far as is known.
    pub fn has_small(&self, format: Rendition) -> bool {
        !self.without_small.contains(&format.full())
    }

    /// A viewer has reported.
    pub fn heard(&mut self, call: CallId, report: Report, now: Instant) -> Vec<Change> {
        let Some(way) = self.ways.get_mut(&call) else { return Vec::new() };
        let lowered = way.rendition().and_then(|rendition| self.rates.get(&rendition)?.lowered);
        let settled = [Some(way.since), lowered, way.probe.ended]
            .into_iter()
            .flatten()
            .all(|then| now >= then + SETTLE)
            && now >= way.joined + SETTLE_IN;
        let verdict = way.judge(&report, settled, now);
        match verdict {
            Some(verdict) => {
                let carries = verdict.carries.saturating_sub(self.limits.sound);
                self.tighten(call, Verdict { carries, ..verdict }, now)
            }
            None if settled => self.loosen(call, now),
            None => Vec::new(),
        }
    }

    /// What a viewer was given has only now begun.
    pub fn begins(&mut self, call: CallId, now: Instant) {
        if let Some(way) = self.ways.get_mut(&call) {
            way.begins_again(now);
        }
    }

    /// Whether nobody can change the bitrate of an encoding.
    pub fn is_fixed(&self, rendition: Rendition) -> bool {
        self.fixed.contains(&rendition)
    }

    /// No small picture can be made in this format. Who only wanted no more gets the full one, and so does who has no sound.
    pub fn small_failed(&mut self, format: Rendition, now: Instant) -> Vec<Change> {
        if self.has_small(format) {
            self.without_small.push(format.full());
        }
        let instead = |way: &Way| if way.is_narrow() { Feed::Sound } else { Feed::Full };
        let ways = self.ways.iter().filter(|(_, way)| way.rendition() == Some(format.small()));
        let on_it: Vec<_> = ways.map(|(call, way)| (*call, instead(way))).collect();
        on_it.into_iter().flat_map(|(call, feed)| self.give(call, feed, None, now)).collect()
    }

    /// Whether an encoding has a bitrate that nobody can change, as that of many cameras that encode by themselves. Where
    /// that turns out when it is lowered, those for whom it was get something else.
    pub fn fix(&mut self, rendition: Rendition, fixed: bool, now: Instant) -> Vec<Change> {
        self.fixed.retain(|it| *it != rendition);
        if !fixed {
            return Vec::new();
        }
        self.fixed.push(rendition);
        let Some(Rate { kbit, lowered: Some(lowered), .. }) = self.rates.remove(&rendition) else {
            return Vec::new();
        };
        let tight = |call: &CallId| self.ways.get(call).is_some_and(|way| way.tight >= Some(lowered));
        let for_whom: Vec<CallId> = self.on(rendition).filter(tight).collect();
        let verdict = Verdict { carries: kbit, flooded: false, waits: false };
        for_whom.into_iter().flat_map(|call| self.tighten(call, verdict, now)).collect()
    }

    /// What is due by `now`: viewers without a picture are given another chance.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Change> {
        let due: Vec<_> = self
            .ways
            .iter()
            .filter(|(_, way)| way.retry().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        let mut changes = Vec::new();
        for call in due {
            let Some(format) = self.ways.get(&call).map(|way| way.format) else { continue };
            let small = format.small();
            let feed = if self.has_small(format) { Feed::Small } else { Feed::Full };
            if feed == Feed::Small && self.on(small).next().is_none() {
                changes.extend(self.set(small, self.limits.small[0], now));
            }
            changes.extend(self.give(call, feed, None, now));
        }
        changes
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.ways.values().filter_map(Way::retry).min()
    }

    /// An encoding ends: it begins again as usual, and with the full picture of a format the small one may be made again.
    pub fn ends(&mut self, rendition: Rendition) -> Option<Change> {
        self.without_small.retain(|format| *format != rendition);
        let usual = self.usual(rendition);
        let rate = self.rates.remove(&rendition)?;
        (rate.kbit != usual).then_some(Change::Bitrate(rendition, usual))
    }

    /// What somebody who wants this gets of it: where no small picture can be made, that is the full one.
    fn at_most(&self, wanted: Feed, format: Rendition) -> Feed {
        if wanted == Feed::Small && !self.has_small(format) { Feed::Full } else { wanted }
    }

    /// Calls that get this encoding.
    fn on(&self, rendition: Rendition) -> impl Iterator<Item = CallId> + '_ {
        let on = move |(_, way): &(&CallId, &Way)| way.rendition() == Some(rendition);
        self.ways.iter().filter(on).map(|(id, _)| *id)
    }

    /// What is sent to a viewer is more than its way carries, which is about so many kbit/s beside the sound.
    fn tighten(&mut self, call: CallId, verdict: Verdict, now: Instant) -> Vec<Change> {
        let Verdict { carries, flooded, waits } = verdict;
        let Some(way) = self.ways.get(&call) else { return Vec::new() };
        let (format, feed) = (way.format, way.feed);
        let [least, _] = self.limits.small;
        // Browsers estimate less than what comes through when it is too much, so that the queue in front of it empties.
        let bearable = part(carries, 110);
        match feed {
            Feed::Sound => Vec::new(),
            Feed::Full => {
                let alone = self.on(format).nth(1).is_none();
                let floor = if alone { self.limits.carries } else { part(self.limits.most, FAIR) };
                let current = self.bitrate(format);
                let lowers = bearable >= floor && current > floor || !self.has_small(format) && alone;
                if lowers && !self.is_fixed(format) {
                    return self.set(format, bearable.max(floor).min(current), now).into_iter().collect();
                }
                let small = format.small();
                let begin = part(carries, 70).clamp(least, self.limits.begin);
                let begin =
                    if self.on(small).next().is_some() { begin.min(self.bitrate(small)) } else { begin };
                let bitrate = if self.has_small(format) { self.set(small, begin, now) } else { None };
                let less = if self.has_small(format) { Feed::Small } else { Feed::Sound };
                bitrate.into_iter().chain(self.give(call, less, Some(carries), now)).collect()
            }
            Feed::Small => {
                let small = format.small();
                let current = self.bitrate(small);
                // What was added to find out whether there is more is the first that goes. What came through without it does
                // so again, once what waits has gone.
                if let Some(before) = self.ways.get_mut(&call).and_then(|way| way.probe.give_up(now)) {
                    let kbit = before.clamp(least, current.max(least));
                    let less = if waits { self.set(small, kbit, now) } else { None };
                    return [Change::Pad(call, 0)].into_iter().chain(less).collect();
                }
                if current > least + least / 10 {
                    // Not too little at once: it is raised slowly.
                    let gentle = if flooded || waits { least } else { part(current, 60).max(least) };
                    let kbit = part(carries, 85).clamp(gentle, part(current, 90).max(gentle));
                    let mut changes = Vec::from_iter(self.set(small, kbit, now));
                    if flooded && let Some(way) = self.ways.get_mut(&call) {
                        // What was lost would be waited for, for seconds: a new beginning is sooner there.
                        way.begins_again(now);
                        changes.push(Change::Feed(call, Feed::Small, Some(carries)));
                    }
                    return changes;
                }
                let lowered = self.rates.get(&small).and_then(|rate| rate.lowered);
                if lowered.is_some_and(|then| now < then + PROOF_OF_NOTHING) {
                    return Vec::new();
                }
                self.give(call, Feed::Sound, Some(carries), now)
            }
        }
    }

    /// What is sent to a viewer arrives.
    fn loosen(&mut self, call: CallId, now: Instant) -> Vec<Change> {
        let Some(way) = self.ways.get(&call) else { return Vec::new() };
        let Some(rendition) = way.rendition() else { return Vec::new() };
        let (good_for, wanted) = (way.good_for(now), way.wanted);
        let small = rendition.is_small();
        let most = self.bound(rendition);
        let current = self.bitrate(rendition);
        // Those for whom it was more may be gone.
        let mut changes = Vec::from_iter(self.bind(call, now));
        // A small picture that is given more takes what is free by itself; only then is there anything to find out.
        let held = self.rates.get(&rendition).is_some_and(|rate| rate.holds(now));
        let has_grown = held && (current >= part(most, GROWN) || good_for >= PROOF);
        if small && wanted == Feed::Full && good_for >= HOLD && has_grown {
            let full = self.limits.most;
            match self.ways.get_mut(&call).and_then(|way| way.next_padding(full, now)) {
                Some(Padding::More(kbit)) => changes.push(Change::Pad(call, kbit)),
                Some(Padding::Enough) => return self.give(call, Feed::Full, None, now),
                None => {}
            }
        }
        // What is added to one of the ways would hide which of the two was too much.
        let may_grow = |way: &Way| way.good_for(now) >= HOLD && !way.is_doubtful() && !way.probe.climbs(now);
        let all_good = self.ways_of(rendition).all(may_grow);
        if current < most && all_good {
            let next =
                if small { self.stride(rendition, current) } else { current + part(current, 8).max(1) };
            changes.extend(self.raise(rendition, next.min(most), now));
        }
        changes
    }

    fn give(&mut self, call: CallId, feed: Feed, carries: Option<u32>, now: Instant) -> Vec<Change> {
        let Some((wanted, format)) = self.ways.get(&call).map(|way| (way.wanted, way.format)) else {
            return Vec::new();
        };
        let feed = feed.min(self.at_most(wanted, format));
        let given = self.ways.get_mut(&call).and_then(|way| way.give(feed, now));
        let Some(given) = given else { return Vec::new() };
        self.bind(call, now).into_iter().chain([Change::Feed(call, given, carries)]).collect()
    }
}
