//! Who gets how much of the picture: a table of cases, each played through with ways that have a queue, lose what does not
//! fit into it, and end in a browser that estimates as browsers do.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use porthole_core::adapt::{Change, Feed, Limits, Policy, Report, small};
use porthole_core::config::settings::{MediaSettings, VideoSettings};
use porthole_core::ids::{CallId, Rendition};
use porthole_core::rtcp::{Losses, Reception};

use Feed::{Full, Small, Sound};

/// What one way is like.
#[derive(Clone, Copy)]
struct Road {
    /// kbit/s that it carries, by the second.
    carries: fn(f64) -> f64,
    /// Of a thousand packets, those that are lost by chance.
    lost: f64,
    /// The browser tells what it estimates.
    tells: bool,
    /// The most that the viewer wants.
    wants: Feed,
    /// How long a trip takes where nothing waits, in seconds.
    trip: f64,
}

const fn road(carries: fn(f64) -> f64) -> Road {
    Road { carries, lost: 0.0, tells: true, wants: Full, trip: 0.02 }
}

const PLENTY: Road = road(|_| 20_000.0);
const WIFI_WITH_LOSS: Road = Road { lost: 50.0, ..PLENTY };
const MUTE: Road = Road { tells: false, ..PLENTY };

/// One row of the table: the ways, and what everybody gets after a minute.
struct Case {
    name: &'static str,
    roads: &'static [Road],
    /// What each gets at the end.
    gets: &'static [Feed],
    /// kbit/s of the full picture at the end, from and to.
    full: [u32; 2],
    /// The least that it ever was.
    least: u32,
}

const CASES: &[Case] = &[
    Case { name: "nobody is in the way", roads: &[PLENTY], gets: &[Full], full: [2000, 2000], least: 2000 },
    Case {
        name: "loss by chance is no reason to send less",
        roads: &[WIFI_WITH_LOSS, WIFI_WITH_LOSS],
        gets: &[Full, Full],
        full: [2000, 2000],
        least: 2000,
    },
    Case {
        name: "a viewer alone gets what its way carries, as long as that is worth the size",
        roads: &[road(|_| 1400.0)],
        gets: &[Full],
        full: [1000, 1500],
        least: 829,
    },
    Case {
        name: "what is not worth the size becomes a small picture",
        roads: &[road(|_| 500.0)],
        gets: &[Small],
        full: [2000, 2000],
        least: 829,
    },
    Case {
        name: "who cannot even get that hears",
        roads: &[road(|_| 90.0)],
        gets: &[Sound],
        full: [2000, 2000],
        least: 829,
    },
    Case {
        name: "one bad way costs the others nothing",
        roads: &[PLENTY, PLENTY, road(|_| 500.0)],
        gets: &[Full, Full, Small],
        full: [2000, 2000],
        least: 1500,
    },
    Case {
        name: "one way that is a little too narrow costs the others a little, and not more than a quarter",
        roads: &[PLENTY, PLENTY, road(|_| 1750.0)],
        gets: &[Full, Full, Full],
        full: [1500, 1900],
        least: 1500,
    },
    Case {
        name: "two bad ways share the small picture",
        roads: &[PLENTY, road(|_| 500.0), road(|_| 400.0)],
        gets: &[Full, Small, Small],
        full: [2000, 2000],
        least: 1500,
    },
    Case {
        name: "a browser that tells no estimate is judged by what is lost",
        roads: &[PLENTY, Road { tells: false, ..road(|_| 500.0) }],
        gets: &[Full, Small],
        full: [2000, 2000],
        least: 1500,
    },
    Case {
        name: "a browser that tells nothing and loses nothing gets everything",
        roads: &[MUTE, MUTE],
        gets: &[Full, Full],
        full: [2000, 2000],
        least: 2000,
    },
    Case {
        name: "who wants little gets little, whatever its way carries",
        roads: &[Road { wants: Small, ..PLENTY }, PLENTY],
        gets: &[Small, Full],
        full: [2000, 2000],
        least: 2000,
    },
];

#[test]
fn each_case_of_the_table_ends_as_it_says() {
    for case in CASES {
        let mut world = World::new(case.roads);
        world.run(60.0);
        assert_eq!(world.feeds(), case.gets, "{}", case.name);
        let [from, to] = case.full;
        let full = world.policy.bitrate(Rendition::H264);
        assert!((from..=to).contains(&full), "{}: {full} kbit/s at the end", case.name);
        assert!(world.least >= case.least, "{}: {} kbit/s meanwhile", case.name, world.least);
    }
}

#[test]
fn a_link_that_falls_to_an_eighth_and_comes_back_is_followed_down_and_up() {
    let link = |at: f64| if (20.0..50.0).contains(&at) { 500.0 } else { 4000.0 };
    let mut world = World::new(&[PLENTY, PLENTY, road(link)]);
    world.run(19.9);
    assert_eq!(world.feeds(), [Full, Full, Full]);
    world.run(0.6);
    assert_eq!(world.feeds(), [Full, Full, Small], "half a second after it fell");
    world.run(29.5);
    assert_eq!(world.feeds(), [Full, Full, Small]);
    assert!(world.changes <= 1, "no attempt at the full picture on a link that cannot carry it");
    let drowned = world.ways[&CallId(2)].drowned;
    assert!(drowned < 1.0, "{drowned} packets too many while it is found out what the link carries");
    world.run(15.0);
    assert_eq!(world.feeds(), [Full, Full, Full], "15 seconds after it came back");
    assert!(world.least >= 1500, "the others have lost a quarter at most");
    world.run(60.0);
    assert_eq!(world.changes, 2, "and that was all");
}

#[test]
fn a_way_that_is_good_again_gets_the_full_picture_whatever_becomes_of_another_one_that_has_the_small_one() {
    let dip = |at: f64| if (20.0..50.0).contains(&at) { 500.0 } else { 4000.0 };
    // It falls while more is tried on the other.
    let falls: [fn(f64) -> f64; 4] = [
        |at| if at > 51.0 { 450.0 } else { 4000.0 },
        |at| if at > 54.0 { 450.0 } else { 4000.0 },
        |at| if at > 57.0 { 450.0 } else { 4000.0 },
        // It has always been poor, and holds the small picture down.
        |_| 300.0,
    ];
    for (place, other) in falls.into_iter().enumerate() {
        let mut world = World::new(&[PLENTY, road(dip), road(other)]);
        world.run(120.0);
        assert_eq!(world.feeds(), [Full, Full, Small], "{place}");
        let small = world.policy.bitrate(Rendition::SmallH264);
        assert!(small > 150, "{place}: {small} kbit/s of the small picture");
    }
}

#[test]
fn a_long_way_is_not_taken_for_a_narrow_one() {
    let dip = |at: f64| if (20.0..50.0).contains(&at) { 500.0 } else { 4000.0 };
    let mut world = World::new(&[PLENTY, Road { trip: 0.3, ..road(dip) }]);
    world.run(49.9);
    assert_eq!(world.feeds(), [Full, Small]);
    world.run(20.0);
    assert_eq!(world.feeds(), [Full, Full], "20 seconds after it came back");
}

#[test]
fn a_viewer_alone_behind_a_link_that_falls_is_not_led_down_in_steps_while_its_queue_overflows() {
    let mut world = World::new(&[road(|at| if at >= 20.0 { 500.0 } else { 4000.0 })]);
    world.run(20.6);
    assert_eq!(world.feeds(), [Small]);
}

#[test]
fn a_hole_in_the_air_is_no_narrow_way_and_a_flood_is_one_that_is_noticed_without_an_estimate() {
    let began = Instant::now();
    let mut policy = Policy::new(limits());
    let (hole, flood) = (CallId(1), CallId(2));
    for call in [hole, flood] {
        policy.joins(call, Rendition::H264, (Full, None), true, began);
    }
    let at = |millis| began + Duration::from_millis(millis);
    let asks = |again| Report {
        reception: Reception { again, ..Reception::default() },
        sent: 2000,
        packets: 250,
        waiting: None,
    };
    // All that was in the air for a fifth of a second, and a tenth of that once more.
    assert_eq!(policy.heard(hole, asks(50), at(5000)), []);
    assert_eq!(policy.heard(hole, asks(5), at(5120)), []);
    assert_eq!(policy.heard(hole, asks(1), at(5280)), []);
    let mut seen = Vec::new();
    for step in 0..6 {
        seen = policy.heard(flood, asks(10), at(6000 + 50 * step));
        assert_eq!(seen.is_empty(), step < 5, "{step}: {seen:?}");
    }
    let given = Change::Feed(CallId(2), Small, Some(358));
    assert_eq!(seen, [Change::Bitrate(Rendition::SmallH264, 250), given]);
}

#[test]
fn what_was_asked_for_of_one_picture_says_nothing_of_the_next() {
    let began = Instant::now();
    let mut policy = Policy::new(limits());
    policy.joins(CallId(1), Rendition::H264, (Full, None), true, began);
    let asks = Report {
        reception: Reception { again: 10, ..Reception::default() },
        sent: 2000,
        packets: 250,
        waiting: None,
    };
    // The first key frame of a call is many packets at once, and some of them may be lost.
    for step in 0..18 {
        assert_eq!(policy.heard(CallId(1), asks, began + Duration::from_millis(50 * step)), []);
    }
}

#[test]
fn whoever_lies_about_a_way_costs_the_others_a_quarter_and_no_more() {
    let mut now = Instant::now();
    let mut policy = Policy::new(limits());
    let (good, liars) = (CallId(0), [CallId(1), CallId(2)]);
    for call in [good, liars[0], liars[1]] {
        policy.joins(call, Rendition::H264, (Full, None), true, now);
    }
    for step in 0..20_000_u32 {
        now += Duration::from_millis(50);
        policy.handle_timeout(now);
        // Anything, and mostly what hurts.
        let word = step.wrapping_mul(2_654_435_761) >> 16;
        let losses = Some(Losses { highest: step * 10, lost: step * (word % 11) });
        let estimate = Some([1, 1200, 1900, u32::MAX][word as usize % 4]);
        let reception = Reception { losses, estimate, again: word % 64, round_trip: None };
        policy.heard(
            liars[step as usize % 2],
            Report { reception, sent: 2000, packets: 250, waiting: None },
            now,
        );
        assert!(policy.bitrate(Rendition::H264) >= 1500, "step {step}");
        assert_eq!(policy.feed(good), Some(Full));
    }
}

#[test]
fn a_way_that_only_just_carries_the_small_picture_is_not_tried_with_the_full_one_all_the_time() {
    let mut world = World::new(&[PLENTY, road(|_| 1100.0)]);
    world.run(300.0);
    // 4, 8, 16, 32 and then 60 seconds between attempts, and each has a way back.
    assert!(world.changes <= 2 * 9 + 1, "{} changes in five minutes", world.changes);
    assert_eq!(world.least, 2000);
}

#[test]
fn a_dark_room_that_needs_little_is_not_mistaken_for_a_narrow_way() {
    let mut world = World::new(&[PLENTY]);
    world.needs = 0.12;
    world.run(60.0);
    world.needs = 1.0;
    world.run(60.0);
    assert_eq!((world.feeds(), world.least), (vec![Full], 2000));
}

#[test]
fn a_format_without_a_small_picture_goes_down_to_what_it_carries_and_then_to_sound() {
    let now = Instant::now();
    let mut policy = Policy::new(limits());
    policy.small_failed(Rendition::Vp8, now);
    policy.joins(CallId(1), Rendition::Vp8, (Full, None), true, now);
    let report = |estimate| Report {
        reception: Reception { estimate: Some(estimate), ..Reception::default() },
        sent: 2000,
        packets: 250,
        waiting: None,
    };
    let at = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(policy.heard(CallId(1), report(2500), at(2)), []);
    let lowered = policy.heard(CallId(1), report(900), at(4));
    assert!(matches!(lowered[..], [Change::Bitrate(Rendition::Vp8, 943)]), "{lowered:?}");
    // When nobody has watched it meanwhile it is tried again.
    policy.leaves(CallId(1));
    policy.ends(Rendition::Vp8);
    policy.joins(CallId(2), Rendition::Vp8, (Full, None), true, at(5));
    policy.heard(CallId(2), report(2500), at(7));
    let given = policy.heard(CallId(2), report(300), at(9));
    assert!(matches!(given[..], [.., Change::Feed(CallId(2), Small, Some(_))]), "{given:?}");
}

#[test]
fn who_takes_little_where_no_small_picture_can_be_made_costs_the_others_a_quarter_and_no_more() {
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    let mut policy = Policy::new(limits());
    let (rich, low, next) = (CallId(1), CallId(2), CallId(3));
    let full = |kbit| Change::Bitrate(Rendition::H264, kbit);
    let given = |call| Change::Feed(call, Full, None);
    policy.joins(rich, Rendition::H264, (Full, None), true, now);
    policy.small_failed(Rendition::SmallH264, now);
    let seen = policy.joins(low, Rendition::H264, (Small, Some(150)), true, at(5));
    assert_eq!(seen, [full(1500), given(low)]);
    for second in 6..60 {
        for call in [rich, low] {
            assert_eq!(policy.heard(call, carried(9000, 1500), at(second)), [], "at {second}");
        }
    }
    // Alone it gets no more than it takes, and beside somebody who takes little, too, no more than that one does.
    policy.leaves(rich);
    assert_eq!(policy.heard(low, carried(9000, 1500), at(60)), [full(150)]);
    let seen = policy.joins(next, Rendition::H264, (Small, Some(400)), true, at(61));
    assert_eq!(seen, [full(400), given(next)]);
    // Whoever comes then does not wait for its picture to grow.
    assert_eq!(policy.joins(rich, Rendition::H264, (Full, None), true, at(62)), [full(1500)]);
    policy.leaves(low);
    policy.leaves(next);
    for second in 63..80 {
        policy.heard(rich, carried(9000, 1500), at(second));
    }
    assert_eq!(policy.bitrate(Rendition::H264), 2000);
}

#[test]
fn who_wanted_little_sees_the_full_picture_once_no_small_one_can_be_made_and_the_small_one_once_it_can() {
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    let mut policy = Policy::new(limits());
    let (rich, low) = (CallId(1), CallId(2));
    policy.joins(rich, Rendition::H264, (Full, None), true, now);
    policy.joins(low, Rendition::H264, (Small, Some(150)), true, now);
    let seen = policy.small_failed(Rendition::SmallH264, at(10));
    assert_eq!(seen, [Change::Bitrate(Rendition::H264, 1500), Change::Feed(low, Full, None)]);
    assert_eq!(policy.poll_timeout(), None, "nothing is tried again");
    // What its way does not carry it has to wait for longer and longer.
    let mut waits = Vec::new();
    let mut then = at(10);
    for _ in 0..4 {
        for call in [rich, low] {
            policy.heard(call, carried(9000, 1500), then + Duration::from_secs(1));
        }
        let flooded = then + Duration::from_secs(3);
        let seen = policy.heard(low, carried(300, 1500), flooded);
        assert!(matches!(seen[..], [Change::Feed(CallId(2), Sound, Some(_))]), "{seen:?}");
        then = policy.poll_timeout().unwrap();
        waits.push((then - flooded).as_secs());
        assert_eq!(policy.handle_timeout(then), [Change::Feed(low, Full, None)]);
    }
    assert_eq!(waits, [10, 20, 40, 40]);
    policy.heard(low, carried(9000, 1500), then + Duration::from_secs(1));
    policy.heard(low, carried(300, 1500), then + Duration::from_secs(3));
    assert_eq!(policy.feed(low), Some(Sound));
    // With the full picture goes what is known of the small one, and what was wanted is still known.
    policy.leaves(rich);
    policy.ends(Rendition::H264);
    let then = policy.poll_timeout().unwrap();
    let least = Change::Bitrate(Rendition::SmallH264, 100);
    assert_eq!(policy.handle_timeout(then), [least, Change::Feed(low, Small, None)]);
    for second in 1..60 {
        policy.heard(low, carried(9000, 150), then + Duration::from_secs(second));
    }
    assert_eq!((policy.feed(low), policy.bitrate(Rendition::SmallH264)), (Some(Small), 150));
}

#[test]
fn who_has_no_sound_gets_the_full_picture_once_no_small_one_can_be_made() {
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    let mut policy = Policy::new(limits());
    let (deaf, other) = (CallId(1), CallId(2));
    for (call, sound) in [(deaf, false), (other, true)] {
        policy.joins(call, Rendition::H264, (Full, None), sound, now);
        policy.heard(call, carried(2600, 2000), at(4));
        policy.heard(call, carried(500, 2000), at(5));
        assert_eq!(policy.feed(call), Some(Small));
    }
    let seen = policy.small_failed(Rendition::SmallH264, at(6));
    assert_eq!(seen, [Change::Feed(deaf, Full, None), Change::Feed(other, Sound, None)]);
}

#[test]
fn a_bitrate_that_is_the_camera_s_own_is_not_lowered_but_left_for_the_small_picture() {
    let mut world = World::new(&[PLENTY, road(|_| 1750.0)]);
    world.policy.fix(Rendition::H264, true, world.now);
    world.run(60.0);
    // Without that everybody would get a little less; see the table.
    assert_eq!((world.feeds(), world.least), (vec![Full, Small], 2000));
    let mut alone = World::new(&[road(|_| 1400.0)]);
    alone.policy.fix(Rendition::H264, true, alone.now);
    alone.run(60.0);
    assert_eq!((alone.feeds(), alone.least), (vec![Small], 2000));
    // A slate in its place is encoded here.
    let mut slate = World::new(&[road(|_| 1400.0)]);
    slate.policy.fix(Rendition::H264, true, slate.now);
    slate.policy.fix(Rendition::H264, false, slate.now);
    slate.run(60.0);
    assert_eq!(slate.feeds(), [Full]);
}

#[test]
fn a_bitrate_that_turns_out_to_be_the_camera_s_own_is_what_it_was_all_along() {
    let mut world = World::new(&[road(|_| 1400.0)]);
    world.run(20.0);
    assert!(world.policy.bitrate(Rendition::H264) < 2000);
    let changes = world.policy.fix(Rendition::H264, true, world.now);
    assert!(
        changes.iter().any(|change| matches!(change, Change::Feed(CallId(0), Small, Some(_)))),
        "{changes:?}"
    );
    assert_eq!(world.policy.bitrate(Rendition::H264), 2000);
    // Nobody had to find out a second time.
    assert_eq!(world.feeds(), [Small]);
}

#[test]
fn who_has_no_sound_keeps_the_small_picture() {
    let mut world = World::new(&[road(|_| 90.0)]);
    let now = world.now;
    world.policy = Policy::new(limits());
    world.policy.joins(CallId(0), Rendition::H264, (Full, None), false, now);
    world.run(60.0);
    assert_eq!(world.feeds(), [Small]);
}

#[test]
fn each_format_has_bitrates_of_its_own() {
    let now = Instant::now();
    let mut policy = Policy::new(limits());
    policy.joins(CallId(1), Rendition::H264, (Full, None), true, now);
    policy.joins(CallId(2), Rendition::Vp8, (Full, None), true, now);
    let narrow = Report {
        reception: Reception { losses: Some(Losses { highest: 1200, lost: 80 }), ..Reception::default() },
        sent: 2000,
        packets: 250,
        waiting: None,
    };
    let later = now + Duration::from_secs(5);
    let before = Report {
        reception: Reception { losses: Some(Losses { highest: 1000, lost: 0 }), ..Reception::default() },
        sent: 2000,
        packets: 250,
        waiting: None,
    };
    assert_eq!(policy.heard(CallId(2), before, later), []);
    let later = later + Duration::from_secs(1);
    assert_eq!(policy.heard(CallId(2), narrow, later), [Change::Bitrate(Rendition::Vp8, 1273)]);
    assert_eq!(policy.bitrate(Rendition::H264), 2000);
    policy.leaves(CallId(2));
    assert_eq!(
        policy.ends(Rendition::Vp8),
        Some(Change::Bitrate(Rendition::Vp8, 2000)),
        "the next begins anew"
    );
    assert_eq!(policy.ends(Rendition::H264), None);
}

#[test]
fn the_small_picture_has_a_quarter_of_the_pixels_or_less_and_half_the_frames_but_ten() {
    let of = |width, height, framerate| {
        let video = VideoSettings { width, height, framerate, ..MediaSettings::default().video };
        let small = small(&video);
        (small.width, small.height, small.framerate)
    };
    assert_eq!(of(1280, 720, 30), (640, 360, 15));
    assert_eq!(of(1920, 1080, 25), (640, 360, 12));
    assert_eq!(of(640, 480, 15), (320, 240, 10));
    assert_eq!(of(4096, 4096, 8), (454, 454, 8));
    assert_eq!(of(16, 16, 1), (16, 16, 1));
}

/// A viewer that estimates so many kbit/s, and loses nothing of what was sent.
fn carried(estimate: u32, sent: u32) -> Report {
    Report {
        reception: Reception { estimate: Some(estimate), ..Reception::default() },
        sent,
        packets: sent / 8,
        waiting: None,
    }
}

fn limits() -> Limits {
    Limits::of(&MediaSettings::default())
}

/// Steps of the play, in seconds.
const STEP: f64 = 0.1;
/// What fits into the queue in front of a narrow place, in seconds of what it carries.
const QUEUE: f64 = 0.4;

/// A policy, and ways.
struct World {
    policy: Policy,
    now: Instant,
    at: f64,
    ways: BTreeMap<CallId, Traffic>,
    /// How much of its bitrate the picture needs.
    needs: f64,
    /// The least that the full picture ever had.
    least: u32,
    /// How often somebody got something else.
    changes: usize,
}

/// What is on one way.
struct Traffic {
    road: Road,
    queue: f64,
    /// What came out of it in each step of the last second.
    arrived: Vec<f64>,
    sent: Vec<f64>,
    estimate: f64,
    told: f64,
    lost: f64,
    /// What was lost and not asked for yet, in packets.
    asks: f64,
    of: f64,
    steps: u32,
    padded: f64,
    /// What a trip takes from now on, once the last report of ours has come through the queue: [when, how long], in seconds.
    asked: Option<[f64; 2]>,
    trip: f64,
    /// Packets that found no room since it gets what it gets.
    drowned: f64,
}

impl World {
    fn new(roads: &[Road]) -> Self {
        let now = Instant::now();
        let mut policy = Policy::new(limits());
        let mut ways = BTreeMap::new();
        for (call, road) in (0..).map(CallId).zip(roads) {
            policy.joins(call, Rendition::H264, (road.wants, None), true, now);
            ways.insert(
                call,
                Traffic {
                    road: *road,
                    queue: 0.0,
                    arrived: Vec::new(),
                    sent: Vec::new(),
                    estimate: f64::INFINITY,
                    told: f64::INFINITY,
                    lost: 0.0,
                    asks: 0.0,
                    of: 0.0,
                    steps: 0,
                    padded: 0.0,
                    asked: None,
                    trip: road.trip,
                    drowned: 0.0,
                },
            );
        }
        Self { policy, now, at: 0.0, ways, needs: 1.0, least: u32::MAX, changes: 0 }
    }

    fn feeds(&self) -> Vec<Feed> {
        self.ways.keys().map(|call| self.policy.feed(*call).unwrap()).collect()
    }

    fn run(&mut self, seconds: f64) {
        let end = self.at + seconds;
        while self.at < end - STEP / 2.0 {
            self.at += STEP;
            self.now += Duration::from_secs_f64(STEP);
            let mut changes = self.policy.handle_timeout(self.now);
            for (call, way) in &mut self.ways {
                let picture =
                    self.policy.rendition(*call).map_or(0, |rendition| self.policy.bitrate(rendition));
                if let Some(report) = way.step(f64::from(picture) * self.needs, self.at) {
                    changes.extend(self.policy.heard(*call, report, self.now));
                }
            }
            for change in &changes {
                match change {
                    Change::Pad(call, kbit) => self.ways.get_mut(call).unwrap().padded = f64::from(*kbit),
                    Change::Feed(call, ..) => {
                        let way = self.ways.get_mut(call).unwrap();
                        (way.padded, way.drowned) = (0.0, 0.0);
                    }
                    Change::Bitrate(..) => {}
                }
            }
            if std::env::var_os("TRACE").is_some() && !changes.is_empty() {
                eprintln!("{:.1} {changes:?}", self.at);
            }
            self.changes += changes.iter().filter(|change| matches!(change, Change::Feed(..))).count();
            self.least = self.least.min(self.policy.bitrate(Rendition::H264));
        }
    }
}

impl Traffic {
    /// A tenth of a second passes; a report, where the browser makes one.
    fn step(&mut self, picture: f64, at: f64) -> Option<Report> {
        let carries = (self.road.carries)(at);
        let by_chance = picture * STEP * self.road.lost / 1000.0;
        let before = self.queue;
        let useful = picture;
        let picture = picture.max(self.padded);
        self.queue += (picture + 42.0) * STEP - by_chance;
        let out = self.queue.min(carries * STEP);
        self.queue -= out;
        let flooded = (self.queue - carries * QUEUE).max(0.0);
        self.queue -= flooded;
        self.lost += by_chance + flooded;
        self.drowned += flooded / 8.0;
        self.asks += (by_chance + flooded) / 8.0;
        self.of += picture * STEP;
        remember(&mut self.arrived, out);
        remember(&mut self.sent, picture * STEP);
        // What has come before and comes again is not counted.
        let share = (useful + 42.0) / (picture + 42.0);
        let incoming = share * self.arrived.iter().sum::<f64>() / (STEP * self.arrived.len() as f64);
        let waits = self.queue / carries;
        if let Some([_, trip]) = self.asked.filter(|[when, _]| at >= *when) {
            (self.trip, self.asked) = (trip, None);
        }
        // A report of ours leaves every now and then, and waits like everything.
        if self.steps.is_multiple_of(6) && self.asked.is_none() {
            self.asked = Some([at + waits, self.road.trip + waits]);
        }
        if waits > 0.05 && self.queue >= before {
            self.estimate = self.estimate.min(incoming * 0.85);
        } else if waits < 0.02 {
            self.estimate = (self.estimate * 1.08_f64.powf(STEP)).min(incoming * 1.5 + 10.0);
        }
        self.steps += 1;
        let fell = self.estimate < self.told * 0.97;
        if !(fell && self.road.tells || self.asks >= 1.0 || self.steps.is_multiple_of(2)) {
            return None;
        }
        let again = self.asks as u32;
        self.asks -= f64::from(again);
        self.told = self.estimate;
        let reception = Reception {
            losses: Some(Losses { highest: self.of as u32 / 8, lost: self.lost as u32 / 8 }),
            round_trip: Some(Duration::from_secs_f64(self.trip)),
            estimate: self.road.tells.then_some(self.estimate as u32),
            again,
        };
        let sent = self.sent.iter().rev().take(5).sum::<f64>() / (STEP * 5.0);
        // Between two frames nothing is on its way.
        let frame = f64::from(self.steps * 7 % 10) / 150.0;
        let waiting = Some(Duration::from_secs_f64(self.road.trip + waits + frame));
        Some(Report { reception, sent: sent as u32, packets: useful as u32 / 8, waiting })
    }
}

/// Keeps the last second.
fn remember(steps: &mut Vec<f64>, step: f64) {
    if steps.len() == 10 {
        steps.remove(0);
    }
    steps.push(step);
}
