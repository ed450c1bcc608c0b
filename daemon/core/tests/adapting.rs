//! What the switchboard does about a way that carries less than the camera makes. Who gets how much is in `adapt`.

#![allow(clippy::unwrap_used)]

mod desk;

use Rendition::SmallH264;
use desk::*;
use porthole_core::adapt::Report;
use porthole_core::command::{Command, Level};
use porthole_core::event::{Event, MediaEvent};
use porthole_core::ids::{CallId, Rendition};
use porthole_core::rtcp::Reception;
use porthole_core::wire::{Reason, What};

#[test]
fn a_narrow_way_gets_a_small_picture_made_for_it_and_its_viewer_is_told() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let bert = desk.live("bert", "1");
    desk.settles();
    desk.ignores(reports(bert, 2600));
    desk.noted();
    desk.expect(
        reports(bert, 500),
        [
            StartRendition(SmallH264),
            feed(bert, Some(SmallH264)),
            // Anna gets everything well.
            on_their_side(noticed_by("bert", "1", What::PictureSmall)),
        ],
    );
    let said = desk.noted();
    let told = (
        Level::Info,
        "the way to this viewer carries about 458 kbit/s of picture: it gets a small picture".into(),
    );
    assert_eq!(said, [told]);
    let status = desk.board.status();
    assert_eq!(status.renditions, ["H.264", "small H.264"]);
    let encodings: Vec<_> = status.encodings.iter().map(|made| (made.rendition, made.kbit)).collect();
    assert_eq!(encodings, [(H264, 2000), (SmallH264, 300)]);
    let watched: Vec<_> = status.viewers.iter().map(|viewer| (viewer.rendition, viewer.carries)).collect();
    assert_eq!(watched, [(Some(H264), None), (Some(SmallH264), Some(500))]);
    desk.expect(bye("anna", "1"), [hang_up(anna), StopRendition(H264)]);
    desk.expect(bye("bert", "1"), [hang_up(bert), StopRendition(SmallH264)]);
}

#[test]
fn the_full_picture_stops_with_the_last_that_gets_it_and_starts_again_with_the_first() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    desk.settles();
    desk.ignores(reports(anna, 2600));
    let down = [
        StartRendition(SmallH264),
        feed(anna, Some(SmallH264)),
        noticed_by("anna", "1", What::PictureSmall),
        StopRendition(H264),
    ];
    desk.expect(reports(anna, 500), down);
    let (seen, padded) = desk.climbs(anna);
    assert_eq!(padded, 1900, "nearly what it was");
    let up = [StartRendition(H264), feed(anna, Some(H264)), noticed_by("anna", "1", What::PictureFull)];
    assert_eq!(seen, up);
    // The small one is watched until the full one is there, and the next small one begins as usual.
    let small = Command::SetBitrate { rendition: SmallH264, kbit: 300 };
    desk.expect(rendition_runs(H264), []);
    desk.expect(feed_began(anna), [StopRendition(SmallH264), small]);
}

#[test]
fn the_small_picture_goes_on_until_a_key_frame_of_a_full_one_that_others_have_is_there() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let bert = desk.live("bert", "1");
    desk.settles();
    desk.ignores(reports(anna, 2600));
    desk.on(reports(anna, 500));
    desk.ignores(feed_began(anna));
    let (seen, _) = desk.climbs(anna);
    // As far as this encoder makes one when it is asked for.
    let up = [feed(anna, Some(H264)), ForceKeyFrame(H264), noticed_by("anna", "1", What::PictureFull)];
    assert_eq!(seen, up);
    let small = Command::SetBitrate { rendition: SmallH264, kbit: 300 };
    desk.ignores(feed_began(bert));
    desk.expect(feed_began(anna), [StopRendition(SmallH264), small]);
    desk.ignores(feed_began(anna));
}

#[test]
fn what_a_camera_encodes_by_itself_is_not_asked_for_with_another_bitrate() {
    let narrow = |fixed: bool| {
        let mut desk = Desk::local();
        let anna = desk.live("anna", "1");
        if fixed {
            desk.expect(rate_is_fixed(H264), []);
        }
        desk.settles();
        desk.ignores(reports(anna, 2600));
        desk.on(reports(anna, 1500))
    };
    assert!(matches!(narrow(false)[..], [Command::SetBitrate { rendition: H264, .. }]));
    let seen = narrow(true);
    assert!(seen.contains(&StartRendition(SmallH264)), "{seen:?}");
    let asked = |command: &Command| matches!(command, Command::SetBitrate { rendition: H264, .. });
    assert!(!seen.iter().any(asked), "{seen:?}");
}

#[test]
fn the_small_picture_of_what_a_camera_encodes_is_waited_for_with_the_full_one() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    desk.expect(rate_is_fixed(H264), []);
    desk.settles();
    desk.ignores(reports(anna, 2600));
    let down =
        [StartRendition(SmallH264), feed(anna, Some(SmallH264)), noticed_by("anna", "1", What::PictureSmall)];
    desk.expect(reports(anna, 500), down);
    // What is heard meanwhile is not of the small one.
    for _ in 0..4 {
        desk.listens(secs(1), []);
        desk.ignores(reports(anna, 100));
    }
    desk.expect(feed_began(anna), [StopRendition(H264)]);
    desk.listens(secs(3), []);
    assert!(!desk.on(sends(anna, 2600, 300)).is_empty(), "and then it is");
}

#[test]
fn a_viewer_that_waits_for_a_picture_for_long_is_heard_all_the_same_and_keeps_what_it_has() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    desk.expect(rate_is_fixed(H264), []);
    desk.settles();
    desk.ignores(reports(anna, 2600));
    desk.on(reports(anna, 500));
    for _ in 0..14 {
        desk.listens(secs(1), []);
        desk.ignores(reports(anna, 100));
    }
    desk.listens(secs(1), []);
    let seen = desk.on(sends(anna, 2600, 300));
    assert!(!seen.is_empty() && !seen.contains(&StopRendition(H264)), "{seen:?}");
    desk.expect(feed_began(anna), [StopRendition(H264)]);
}

#[test]
fn a_second_viewer_of_the_small_picture_gets_a_key_frame_of_it() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    let bert = desk.live("bert", "1");
    desk.live("carl", "1");
    desk.settles();
    for id in [anna, bert] {
        desk.ignores(reports(id, 2600));
    }
    desk.on(reports(anna, 500));
    desk.listens(secs(1), []);
    desk.expect(
        reports(bert, 500),
        [
            feed(bert, Some(SmallH264)),
            ForceKeyFrame(SmallH264),
            on_their_side(noticed_by("bert", "1", What::PictureSmall)),
        ],
    );
}

#[test]
fn where_no_small_picture_can_be_made_there_is_sound_and_the_call_goes_on() {
    let mut desk = Desk::local();
    let anna = desk.live("anna", "1");
    desk.live("bert", "1");
    desk.settles();
    desk.ignores(reports(anna, 2600));
    desk.on(reports(anna, 500));
    desk.no_small_works();
    desk.expect(
        rendition_failed(SmallH264),
        [
            feed(anna, None),
            on_their_side(noticed_by("anna", "1", What::PictureNone)),
            StopRendition(SmallH264),
        ],
    );
    assert_eq!((desk.board.status().live, desk.refusals(Reason::Failed)), (2, 0));
    assert_eq!(desk.board.status().viewers[0].rendition, None);
}

#[test]
fn who_says_that_it_takes_little_gets_the_small_picture_from_the_start() {
    let mut desk = Desk::local();
    let sdp = chromium("dora").replacen("a=mid:0\r\n", "b=AS:400\r\na=mid:0\r\n", 1);
    let commands = desk.on(offer_of("dora", "1", &sdp));
    assert_eq!(
        commands[1..],
        [StartRendition(SmallH264), answer_to(1, &sdp, true), feed(1, Some(SmallH264))]
    );
    let answered = desk.answered(1);
    desk.on(answered);
    desk.expect(connected(1), [ForceKeyFrame(SmallH264)]);
    let mut kbit = 300;
    for _ in 0..20 {
        desk.listens(secs(1), []);
        for command in desk.on(sends(1, 9000, kbit)) {
            let Command::SetBitrate { rendition: SmallH264, kbit: more } = command else {
                panic!("{command:?}")
            };
            kbit = more;
        }
    }
    assert_eq!(kbit, 400, "and never more than it said");
}

#[test]
fn who_takes_little_keeps_a_picture_where_no_small_one_can_be_made_and_so_does_the_next() {
    let mut desk = Desk::local();
    let dora = desk.low("dora");
    desk.on(connected(dora));
    desk.settles();
    desk.no_small_works();
    desk.noted();
    let at = |kbit| Command::SetBitrate { rendition: H264, kbit };
    // Nobody else watches.
    let instead = [
        at(150),
        StartRendition(H264),
        feed(dora, Some(H264)),
        noticed_by("dora", "1", What::PictureFull),
        StopRendition(SmallH264),
        Command::SetBitrate { rendition: SmallH264, kbit: 300 },
    ];
    desk.expect(rendition_failed(SmallH264), instead);
    let told = (Level::Info, "no small picture can be made: it gets the full picture".to_owned());
    assert!(desk.noted().contains(&told));
    desk.ignores(rendition_runs(H264));
    for _ in 0..60 {
        desk.listens(secs(1), []);
        desk.ignores(sends(dora, 9000, 150));
    }
    let watched = |desk: &Desk| {
        let viewers = desk.board.status().viewers;
        viewers.iter().map(|viewer| viewer.rendition).collect::<Vec<_>>()
    };
    assert_eq!(watched(&desk), [Some(H264)]);
    // It hears what it gets instead of what it asked for, and is not sent it twice.
    let emil = desk.low("emil");
    desk.expect(connected(emil), [noticed_by("emil", "1", What::PictureFull), ForceKeyFrame(H264)]);
    assert_eq!(watched(&desk), [Some(H264), Some(H264)]);
    let anna = desk.connecting("anna", "1");
    desk.expect(connected(anna), [at(1500)]);
}

#[test]
fn who_takes_little_is_not_left_with_a_small_picture_that_failed_before_its_call_was_connected() {
    let mut desk = Desk::local();
    desk.live("anna", "1");
    let emil = desk.low("emil");
    desk.no_small_works();
    desk.ignores(rendition_failed(SmallH264));
    let instead = [
        Command::SetBitrate { rendition: H264, kbit: 1500 },
        feed(emil, Some(H264)),
        ForceKeyFrame(H264),
        noticed_by("emil", "1", What::PictureFull),
        StopRendition(SmallH264),
    ];
    desk.expect(connected(emil), instead);
    desk.ignores(rendition_failed(SmallH264));
}

#[test]
fn what_a_call_that_is_over_reports_is_ignored() {
    let mut desk = Desk::local();
    let id = desk.live("anna", "1");
    desk.on(bye("anna", "1"));
    desk.ignores(reports(id, 100));
    desk.ignores(reports(99, 100));
}

impl Desk {
    /// Everybody has watched for a while.
    fn settles(&mut self) {
        for _ in 0..5 {
            self.sleep(secs(1));
            for id in self.plans.keys().map(|id| id.0).collect::<Vec<_>>() {
                self.on(heard(id));
            }
        }
    }

    /// What comes through to who has the small picture is made more and more, until it is what the full picture needs. What is
    /// done then, and how much that was.
    fn climbs(&mut self, id: u64) -> (Vec<Command>, u32) {
        let mut padded = 300;
        for _ in 0..18 {
            self.listens(secs(1), []);
            let seen = self.on(sends(id, 3000, padded));
            if seen.contains(&feed(id, Some(H264))) {
                return (seen, padded);
            }
            for command in seen {
                if let Command::Pad { kbit, .. } = command {
                    assert!(kbit > padded, "{kbit} after {padded}");
                    padded = kbit;
                }
            }
        }
        panic!("it never gets the full picture");
    }

    /// A call of somebody who takes 150 kbit/s, before it is connected.
    fn low(&mut self, who: &str) -> u64 {
        let sdp = chromium(who).replacen("a=mid:0\r\n", "b=AS:150\r\na=mid:0\r\n", 1);
        self.on(offer_of(who, "1", &sdp));
        let id = self.plans.keys().last().unwrap().0;
        let answered = self.answered(id);
        self.on(answered);
        id
    }

    /// Each encoder of the small picture but the last has failed.
    fn no_small_works(&mut self) {
        for attempt in 1..=4 {
            let seen = self.on(rendition_failed(SmallH264)).into_iter().chain(self.sleep(millis(500)));
            assert_eq!(seen.collect::<Vec<_>>(), [choose(SmallH264, attempt)]);
        }
        for id in self.plans.keys().map(|id| id.0).collect::<Vec<_>>() {
            self.on(heard(id));
        }
    }
}

/// A viewer to which 2 Mbit/s are sent estimates this many kbit/s.
fn reports(id: u64, estimate: u32) -> Event {
    sends(id, estimate, 2000)
}

fn sends(id: u64, estimate: u32, sent: u32) -> Event {
    let reception = Reception { estimate: Some(estimate), ..Reception::default() };
    Event::Media(MediaEvent::Reported {
        call: CallId(id),
        report: Report { reception, sent, packets: sent / 8, waiting: None },
    })
}

fn on_their_side(command: Command) -> Command {
    let Command::Send(mut notice) = command else { panic!("{command:?}") };
    notice.is_on_their_side();
    Command::Send(notice)
}

fn feed(id: u64, picture: Option<Rendition>) -> Command {
    Command::Feed { call: CallId(id), picture }
}
