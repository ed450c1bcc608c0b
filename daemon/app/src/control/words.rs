//! How things are, in words. Must not know where a report comes from.

use std::collections::BTreeMap;

use porthole_core::doctor::Finding;
use porthole_core::path::Path;
use porthole_core::wire::Reason;

use super::report::{Report, Watches};
use crate::keys::dates;

/// Bytes in a MiB.
const MIB: f64 = 1024.0 * 1024.0;

/// A report as lines for a person.
pub fn words(report: &Report) -> Vec<String> {
    let Report { status, process, .. } = report;
    let whose = match &report.relay {
        None => "in this daemon's own relay".to_owned(),
        Some(url) => format!("on {url}"),
    };
    let mut lines = vec![format!(
        "\"{}\" is the camera of room {}, {whose}. Its page: {}",
        report.camera, report.name, report.page
    )];
    lines.push(format!("The camera {}.", status.room.sentence()));
    if let Some(lost) = status.lost.filter(|_| !status.link) {
        lines.push(format!("The relay {}.", lost.sentence()));
    }
    if status.privacy {
        lines.push(
            "Privacy is on: camera and microphone are closed. Off again: porthole privacy off".to_owned(),
        );
    } else {
        lines.push(format!("The camera {}.", status.capture.sentence(status.shows)));
        lines.extend(status.sound.sentence().map(|sound| format!("The microphone {sound}.")));
    }
    if let Some(why) = &report.unkept {
        lines.push(format!("A restart would forget how privacy was switched: {why}"));
    }
    lines.extend(status.speaker.state.sentence().map(|speaker| format!("The speaker {speaker}.")));
    match status.speaker.talkers {
        0 => {}
        1 => lines.push("Somebody talks on the speaker.".to_owned()),
        more => lines.push(format!("{more} talk on the speaker.")),
    }
    if status.speaker.playing {
        lines.push("A file is played on the speaker. It stops with: porthole play --stop".to_owned());
    }
    lines.extend(status.frames.sentence().map(|frames| format!("The picture {frames}.")));
    if !status.encodings.is_empty() {
        let made = status.encodings.iter().map(|made| {
            let rate = if made.rate > 0 { format!(" and {} frames/s", made.rate) } else { String::new() };
            format!("{} at {} kbit/s{rate}", made.rendition, made.kbit)
        });
        let made: Vec<_> = made.collect();
        lines.push(format!("It is encoded as {}.", made.join(", ")));
    }
    lines.extend(viewers(&report.viewers));
    let refused =
        [("Refused", &report.status.refusals), ("Turned away before it reached the camera", &report.door)];
    let refused = refused.into_iter().filter(|(_, counts)| !counts.is_empty());
    lines.extend(refused.map(|(what, counts)| format!("{what} since it was started: {}.", counted(counts))));
    let memory = [(process.heap, "allocated"), (process.resident, "of memory")];
    let memory = memory.iter().filter_map(|(bytes, what)| Some(format!(", {} {what}", mib((*bytes)?))));
    let memory: String = memory.collect();
    lines.push(format!(
        "Porthole {} has run for {} (process {}{memory}).",
        report.version,
        lasted(report.uptime),
        process.pid
    ));
    lines.extend(report.board.iter().map(board));
    lines.push(match &report.config {
        Some(file) => format!("Its configuration is {}.", file.display()),
        None => "It has no configuration: every key has its default.".to_owned(),
    });
    lines
}

/// A while, as people say it: `42 s`, `3 min`, `2 h 5 min`, `4 d 3 h`.
pub fn lasted(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn viewers(viewers: &[Watches]) -> Vec<String> {
    let count = match viewers.len() {
        0 => return vec!["Nobody watches.".to_owned()],
        1 => "One viewer:".to_owned(),
        more => format!("{more} viewers:"),
    };
    let rows: Vec<[String; 5]> = viewers.iter().map(row).collect();
    let widths: [usize; 5] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    [count].into_iter().chain(lines).collect()
}

fn row(viewer: &Watches) -> [String; 5] {
    let name = match (&viewer.name, &viewer.peer) {
        (Some(name), _) => name.to_string(),
        (None, Some(peer)) => format!("somebody ({peer})"),
        (None, None) => "somebody".to_owned(),
    };
    let picture = viewer.picture.clone().unwrap_or_else(|| "sound only".to_owned());
    let picture = match viewer.carries {
        Some(kbit) => format!("{picture}, its way carries about {kbit} kbit/s"),
        None => picture,
    };
    let since = if viewer.live {
        format!("since {} ({})", dates::minute(viewer.since), lasted(viewer.seconds))
    } else {
        format!("being connected for {}", lasted(viewer.seconds))
    };
    let role = viewer.role.map(|role| role.to_string()).unwrap_or_default();
    [name, role, picture, since, viewer.path.map(Path::sentence).unwrap_or_default().to_owned()]
}

/// How many of each, with the sentence to the word where it has one.
fn counted(counts: &BTreeMap<&'static str, u64>) -> String {
    let told = counts.iter().map(|(word, count)| {
        let reason = Reason::ALL.iter().find(|reason| reason.word() == *word);
        let sentence = reason.map(|reason| format!(" ({})", reason.sentence())).unwrap_or_default();
        format!("{count} × {word}{sentence}")
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The board's heat or power, and what to do where it is not well.
fn board(finding: &Finding) -> String {
    let fix = finding.fix.iter().map(|fix| format!(" ({fix})")).collect::<String>();
    format!("The board's {}: {}{fix}.", finding.about, finding.says)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use porthole_core::access::{KeyId, Label, Role, Stamp};
    use porthole_core::doctor::machine::Throttled;
    use porthole_core::event::Loss;
    use porthole_core::ids::{CallId, PeerId, Rendition, RoomName};
    use porthole_core::status::{
        CaptureState, Encoding, FrameState, Holder, RoomState, Shows, SoundState, Status, Viewer,
    };

    use super::super::report::{Board, Facts, Moment, Process};
    use super::*;

    const DATE: Stamp = Stamp(1_700_000_000);

    #[test]
    fn a_camera_that_waits_says_so_in_five_lines() {
        let said = said(|_, _| {}, |_| {});
        assert_eq!(
            said,
            [
                "\"Nursery\" is the camera of room yard, in this daemon's own relay. Its page: http://localhost:8080",
                "The camera is in its room.",
                "The camera is closed, because nobody watches.",
                "Nobody watches.",
                concat!(
                    "Porthole ",
                    env!("CARGO_PKG_VERSION"),
                    " has run for 1 h 2 min (process 7, 2.0 MiB allocated)."
                ),
                "It has no configuration: every key has its default.",
            ]
        );
    }

    #[test]
    fn who_watches_is_named_with_role_picture_and_since_when() {
        let said = said(
            |status, now| {
                status.capture = CaptureState::Running;
                let made = |rendition, kbit, rate| Encoding { rendition, kbit, rate, frames: 7 };
                status.encodings = vec![made(Rendition::H264, 2000, 30), made(Rendition::Vp8, 1500, 0)];
                let ann = Holder {
                    name: Label::new("grandma's phone").unwrap(),
                    role: Role::Watch,
                    key: KeyId::new("k1").unwrap(),
                };
                let viewer = |call, holder, peer, live: bool, ago| Viewer {
                    call: CallId(call),
                    peer,
                    holder,
                    rendition: (call == 1).then_some(Rendition::H264),
                    path: live.then_some(Path::Nat),
                    carries: (call == 1).then_some(900),
                    began: now - Duration::from_secs(ago),
                    live,
                };
                let bert = PeerId::new("bert").ok();
                status.viewers = vec![viewer(1, Some(ann), None, true, 185), viewer(2, None, bert, false, 2)];
            },
            |_| {},
        );
        let since = dates::minute(Stamp(DATE.0 - 185));
        assert_eq!(said[2], "The camera is open, and pictures flow.");
        assert_eq!(said[3], "It is encoded as H.264 at 2000 kbit/s and 30 frames/s, VP8 at 1500 kbit/s.");
        assert_eq!(
            said[4..7],
            [
                "2 viewers:".to_owned(),
                format!(
                    "  grandma's phone  watch  H.264, its way carries about 900 kbit/s  since {since} (3 min)  through a router (NAT)"
                ),
                "  somebody (bert)         sound only                               being connected for 2 s"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn a_relay_that_is_lost_and_whoever_was_refused_are_told_in_sentences() {
        let said = said(
            |status, _| {
                (status.link, status.room, status.lost) = (false, RoomState::Out, Some(Loss::NobodyListens));
                status.refusals = [("busy", 2), ("not-allowed", 1)].into();
            },
            |facts| {
                facts.relay = Some("https://relay.example".into());
                facts.config = Some("/etc/cam.toml".into());
            },
        );
        assert!(said[0].contains("on https://relay.example."), "{said:?}");
        assert_eq!(said[1], "The camera is not in its room: the relay is not reached.");
        assert_eq!(said[2], "The relay is not there: nobody listens on that port.");
        assert_eq!(
            said[5],
            "Refused since it was started: 2 × busy (the camera already serves as many viewers as it may), \
             1 × not-allowed (this viewer is not let in)."
        );
        assert_eq!(said[7], "Its configuration is /etc/cam.toml.");
    }

    #[test]
    fn whoever_is_turned_away_at_the_door_is_counted_there() {
        let mut report = report(Board::default(), |_, _| {}, |_| {});
        report.door = [("binary", 1), ("not-allowed", 3)].into();
        assert_eq!(
            words(&report)[4],
            "Turned away before it reached the camera since it was started: 1 × binary, \
             3 × not-allowed (this viewer is not let in)."
        );
    }

    #[test]
    fn privacy_and_what_fails_are_said_and_what_to_do() {
        let private = said(|status, _| status.privacy = true, |_| {});
        assert!(private[2].starts_with("Privacy is on") && private[2].ends_with("porthole privacy off"));
        let broken = said(
            |status, _| {
                status.capture = CaptureState::Lost;
                status.sound = SoundState::Mute;
                status.frames = FrameState::Still;
            },
            |_| {},
        );
        assert_eq!(
            broken[2],
            "The camera gave no picture when it was last opened, and is tried again while somebody watches; the log says why."
        );
        assert!(broken[3].contains("alsamixer"), "{}", broken[3]);
        assert!(broken[4].contains("restart"), "{}", broken[4]);
    }

    #[test]
    fn what_stands_in_for_a_camera_is_not_called_one() {
        let shown =
            |shows| said(|status, _| (status.capture, status.shows) = (CaptureState::Running, shows), |_| {});
        assert_eq!(shown(Shows::Test)[2], "The camera is the test picture, as [video] source says.");
        assert_eq!(
            shown(Shows::StandIn)[2],
            "The camera is the test picture, because no camera was found; one that is plugged in takes its place."
        );
        assert_eq!(shown(Shows::File)[2], "The camera is a file, as [video] source says.");
    }

    #[test]
    fn a_while_is_said_in_its_two_largest_parts() {
        let said = [59, 60, 3599, 3600, 86_399, 86_400, 1_000_000].map(lasted);
        assert_eq!(said, ["59 s", "1 min", "59 min", "1 h 0 min", "23 h 59 min", "1 d 0 h", "11 d 13 h"]);
    }

    #[test]
    fn a_board_that_is_hot_or_starved_says_so_and_what_to_do() {
        let board = Board {
            temperatures: vec![("cpu-thermal".into(), 83.2), ("acpitz".into(), 40.0)],
            throttled: Some(Throttled(1 << 16)),
        };
        let said = said_on(board, |_, _| {}, |_| {});
        assert_eq!(
            said[5],
            concat!(
                "The board's temperature: 83 °C (cpu-thermal): the board slows itself down (give the board air or a heat ",
                "sink, or lower width, height or framerate below [video])."
            )
        );
        assert!(
            said[6].starts_with("The board's power: the voltage was too low at some time"),
            "{}",
            said[6]
        );
        let cool = Board { temperatures: vec![("cpu-thermal".into(), 48.3)], throttled: None };
        assert_eq!(said_on(cool, |_, _| {}, |_| {})[5], "The board's temperature: 48 °C (cpu-thermal).");
    }

    fn said(change: impl Fn(&mut Status, Instant), more: impl Fn(&mut Facts)) -> Vec<String> {
        said_on(Board::default(), change, more)
    }

    fn said_on(
        board: Board,
        change: impl Fn(&mut Status, Instant),
        more: impl Fn(&mut Facts),
    ) -> Vec<String> {
        words(&report(board, change, more))
    }

    fn report(board: Board, change: impl Fn(&mut Status, Instant), more: impl Fn(&mut Facts)) -> Report {
        let now = Instant::now() + Duration::from_secs(10_000);
        let mut status = Status { link: true, room: RoomState::In, ..Status::default() };
        change(&mut status, now);
        let mut facts = Facts {
            room: RoomName::new("yard").unwrap(),
            camera: "Nursery".into(),
            page: "http://localhost:8080".into(),
            relay: None,
            config: None,
            started: now - Duration::from_secs(3723),
        };
        more(&mut facts);
        let process = Process { pid: 7, heap: Some(2 * 1024 * 1024), resident: None };
        Report::new(&facts, status, BTreeMap::new(), process, &board, Moment { now, date: DATE })
    }
}
