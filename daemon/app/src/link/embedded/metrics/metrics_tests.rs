//! What is read at `/metrics`, by whom, and whether the dashboard fits it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use axum::body::Body;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::speaker::{SpeakerState, SpeakerStatus};
use porthole_core::status::{CaptureState, Counts, Encoding, FrameState, RoomState, SoundState, Viewer};
use tower::ServiceExt;

use super::super::figures;
use super::*;

#[tokio::test]
async fn a_program_on_this_machine_reads_the_figures_of_camera_relay_and_process() {
    let (code, kind, text) = ask(Metrics::Local, "127.0.0.1", None).await;
    assert_eq!((code, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "porthole_healthy 1.0",
        "porthole_relay_up 1.0",
        "porthole_room_state{state=\"in\"} 1.0",
        "porthole_room_state{state=\"no-such-room\"} 0.0",
        "porthole_capture_state{state=\"running\"} 1.0",
        "porthole_sound_state{state=\"running\"} 1.0",
        "porthole_sound_state{state=\"mute\"} 0.0",
        "porthole_frames_state{state=\"flowing\"} 1.0",
        "porthole_frames_state{state=\"still\"} 0.0",
        "porthole_privacy 0.0",
        "porthole_speaker_state{state=\"running\"} 1.0",
        "porthole_talkers 1.0",
        "porthole_speaker_level_db -20.0",
        "porthole_calls{state=\"live\"} 2.0",
        "porthole_calls{state=\"connecting\"} 1.0",
        "porthole_rendition_running{rendition=\"H.264\"} 1.0",
        "porthole_rendition_running{rendition=\"VP8\"} 0.0",
        "porthole_rendition_bits_per_second{rendition=\"H.264\"} 1500000.0",
        "porthole_frames_total{rendition=\"H.264\"} 900.0",
        "porthole_viewers{rendition=\"small H.264\"} 1.0",
        "porthole_viewers{rendition=\"none\"} 0.0",
        "porthole_calls_begun_total 9.0",
        "porthole_calls_connected_total 7.0",
        "porthole_calls_ended_total{reason=\"hang-up\"} 5.0",
        "porthole_refusals_total{reason=\"busy\"} 3.0",
        // Those that have not been, too.
        "porthole_calls_ended_total{reason=\"silent\"} 0.0",
        "porthole_refusals_total{reason=\"not-allowed\"} 0.0",
        "porthole_relay_refusals_total{reason=\"not-allowed\"} 0.0",
        "porthole_camera_failures_total 1.0",
        "porthole_relay_peers 4.0",
        "porthole_relay_refusals_total{reason=\"too-often\"} 6.0",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is missing:\n{text}");
    }
    assert!(
        text.contains(&format!("porthole_build_info{{version=\"{}\"}} 1.0\n", env!("CARGO_PKG_VERSION")))
    );
}

#[tokio::test]
async fn what_makes_the_camera_unwell_or_dark_is_a_figure_of_its_own() {
    for (change, is, healthy) in [
        ((|status| status.link = false) as fn(&mut Status), "porthole_relay_up 0.0", false),
        (|status| status.room = RoomState::Full, "porthole_room_state{state=\"full\"} 1.0", false),
        (|status| status.capture = CaptureState::Lost, "porthole_capture_state{state=\"lost\"} 1.0", false),
        (|status| status.sound = SoundState::Mute, "porthole_sound_state{state=\"mute\"} 1.0", false),
        (|status| status.sound = SoundState::Lost, "porthole_sound_state{state=\"lost\"} 1.0", false),
        (|status| status.frames = FrameState::Still, "porthole_frames_state{state=\"still\"} 1.0", false),
        (|status| status.privacy = true, "porthole_privacy 1.0", true),
    ] {
        let mut unwell = status();
        change(&mut unwell);
        let (_status, health) = watch::channel(unwell);
        let (_, _, text) = read(Metrics::Local, "127.0.0.1", None, Some(health)).await;
        let well = format!("porthole_healthy {}.0", u8::from(healthy));
        for line in [is, &well] {
            assert!(text.lines().any(|there| there == line), "{line} is missing:\n{text}");
        }
    }
}

#[tokio::test]
async fn every_figure_has_its_help_its_type_and_a_name_by_the_rules_of_the_text_that_is_asked_for() {
    let accept = Some(("accept", "text/plain;version=0.0.4"));
    let (_, kind, text) = ask(Metrics::Local, "::1", accept).await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(!text.contains("# UNIT") && !text.contains("# EOF") && text.ends_with('\n'), "{text}");
    assert!(
        text.contains("\n# TYPE porthole_cpu_seconds_total counter\nporthole_cpu_seconds_total "),
        "{text}"
    );
    let classic = samples(&text, false);

    let accept =
        Some(("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"));
    let (_, kind, text) = ask(Metrics::Local, "::1", accept).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(
        text.contains("\n# UNIT porthole_cpu_seconds seconds\n") && text.ends_with("\n# EOF\n"),
        "{text}"
    );
    assert_eq!(samples(&text, true), classic);
}

#[tokio::test]
async fn others_read_nothing_unless_the_configuration_says_so() {
    for (who, from, forwarded, code) in [
        (Metrics::Local, "192.168.1.9", None, 403),
        (Metrics::Local, "127.0.0.1", Some(("x-forwarded-for", "10.0.0.1")), 403),
        (Metrics::Local, "127.0.0.1", Some(("forwarded", "for=10.0.0.1")), 403),
        (Metrics::Local, "::ffff:127.0.0.1", None, 200),
        (Metrics::All, "192.168.1.9", None, 200),
        (Metrics::All, "127.0.0.1", Some(("x-real-ip", "10.0.0.1")), 200),
    ] {
        let (is, _, text) = ask(who, from, forwarded).await;
        assert_eq!(is, code, "{who:?} from {from} with {forwarded:?}");
        assert_eq!(text.contains("porthole_"), code == 200);
    }
    assert!(routes(Metrics::Off, watch::channel(figures::Figures::default()).1, None).is_none());
}

#[tokio::test]
async fn a_desk_that_is_gone_is_not_healthy_and_a_relay_alone_has_no_camera() {
    let (status, health) = watch::channel(status());
    drop(status);
    let (_, _, text) = read(Metrics::All, "127.0.0.1", None, Some(health)).await;
    assert!(text.contains("porthole_healthy 0.0\n"), "{text}");
    let (_, _, text) = read(Metrics::All, "127.0.0.1", None, None).await;
    assert!(!text.contains("porthole_healthy") && text.contains("porthole_relay_peers 4.0\n"), "{text}");
}

#[tokio::test]
async fn the_dashboard_shows_figures_that_there_are() {
    let dashboard = include_str!("../../../../../../docs/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let (_, _, text) = ask(Metrics::Local, "127.0.0.1", None).await;
    let there = |name: &str| text.lines().any(|line| line.split(['{', ' ']).next() == Some(name));
    let mut shown = BTreeSet::new();
    for target in
        dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap())
    {
        let expression = target["expr"].as_str().unwrap();
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for name in words.filter(|word| word.starts_with("porthole_")) {
            // Not every machine has a thermometer.
            assert!(there(name) || name == "porthole_temperature_celsius", "{name} is not a figure of ours");
            shown.insert(name.to_owned());
        }
    }
    assert!(shown.len() > 10);
    for name in ["relay_up", "room_state", "capture_state", "sound_state", "frames_state", "privacy"] {
        assert!(shown.contains(&format!("porthole_{name}")), "{name} is not shown, and people look for it");
    }
}

/// The names of the samples and what they are labelled with, each of which has what its text wants of it.
fn samples(text: &str, modern: bool) -> BTreeSet<String> {
    let about = |word: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(&format!("# {word} ")));
        lines.map(|line| line.split_once(' ').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    let (help, kind, unit) = (about("HELP"), about("TYPE"), about("UNIT"));
    assert_eq!(help.keys().collect::<Vec<_>>(), kind.keys().collect::<Vec<_>>());
    for (name, unit) in &unit {
        assert!(name.ends_with(&format!("_{unit}")), "{name} is in {unit}");
        assert!(["bytes", "seconds", "celsius"].contains(&unit.as_str()), "{unit} is no base unit");
    }
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    for sample in samples.clone() {
        let name = sample.split(['{', ' ']).next().unwrap();
        let counts = name.strip_suffix("_total");
        let family = counts.filter(|_| modern).unwrap_or(name);
        assert!(family.starts_with("porthole_"), "{sample}");
        let expected = if counts.is_some() { "counter" } else { "gauge" };
        assert_eq!(kind.get(family).map(String::as_str), Some(expected), "{sample}");
    }
    assert!(help.len() > 12, "{text}");
    samples.map(|sample| sample.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn ask(who: Metrics, from: &str, header: Option<(&str, &str)>) -> (u16, String, String) {
    let (_status, health) = watch::channel(status());
    read(who, from, header, Some(health)).await
}

async fn read(
    who: Metrics,
    from: &str,
    header: Option<(&str, &str)>,
    health: Option<watch::Receiver<Status>>,
) -> (u16, String, String) {
    let figures = figures::Figures { peers: 4, cameras: 1, refusals: [("too-often", 6)].into(), lost: 0 };
    let (_figures, figures) = watch::channel(figures);
    let mut request = Request::builder().uri(PATH);
    if let Some((name, says)) = header {
        request = request.header(name, says);
    }
    let from: IpAddr = from.parse().unwrap();
    let request = request.extension(RemoteAddress(from)).body(Body::empty()).unwrap();
    let response = routes(who, figures, health).unwrap().oneshot(request).await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let code = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (code, kind, String::from_utf8(body.to_vec()).unwrap())
}

fn status() -> Status {
    Status {
        link: true,
        room: RoomState::In,
        capture: CaptureState::Running,
        sound: SoundState::Running,
        frames: FrameState::Flowing,
        speaker: SpeakerStatus { state: SpeakerState::Running, talkers: 1, playing: false, level: Some(-20) },
        calls: 3,
        live: 2,
        renditions: vec!["H.264".into()],
        encodings: vec![Encoding { rendition: Rendition::H264, kbit: 1500, rate: 30, frames: 900 }],
        refusals: [("busy", 3)].into(),
        counts: Counts {
            begun: 9,
            live: 7,
            ended: [("hang-up", 5)].into(),
            failed: 1,
            frames: [(Rendition::H264, 900)].into(),
        },
        viewers: vec![Viewer {
            call: CallId(1),
            peer: None,
            holder: None,
            rendition: Some(Rendition::SmallH264),
            path: None,
            carries: Some(400),
            began: std::time::Instant::now(),
            live: true,
        }],
        ..Status::default()
    }
}
