//! What `[ice]` makes of the real ICE agent: which candidates it has, on which ports, under which addresses.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use camera::{Camera, LIMIT};
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_peer::{Options, Stand, host_address};

#[tokio::test(flavor = "multi_thread")]
async fn calls_use_the_ports_they_are_given_and_a_viewer_gets_through() {
    let mut camera = Camera::open("[ice]\nports = '52000-52039'\ntcp = true\n").await;
    let stand = Stand::new().unwrap();
    let viewer = camera.answer(1, &stand, &Options::default()).await;
    viewer.wait(LIMIT, |facts| facts.frames >= 3).await.unwrap();
    let found = candidates(&camera.answers[0]);
    let listening: Vec<&Candidate> = found.iter().filter(|one| one.port != 9).collect();
    assert!(listening.iter().all(|one| (52_000..=52_039).contains(&one.port)), "{found:?}");
    for protocol in ["UDP", "TCP"] {
        assert!(listening.iter().any(|one| one.protocol == protocol), "{protocol}: {found:?}");
    }
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tcp_there_is_none() {
    let found = gathered("").await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|one| one.protocol == "UDP"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_addresses_that_the_filter_leaves_are_used() {
    let here = host_address().to_string();
    let found = gathered(&format!("[ice]\naddresses = ['{here}']\n")).await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|one| one.address == here), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_leaves_nothing_is_said_and_nothing_else_is_used() {
    let refused = gathered("[ice]\ninterfaces = ['nowhere*']\n").await.unwrap_err();
    assert!(refused.contains("none of this machine's addresses is left by interfaces"), "{refused}");
    assert!(refused.contains(&host_address().to_string()), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_address_stands_in_the_answer_beside_the_camera_s_own() {
    let found = gathered("[ice]\nannounce = ['203.0.113.7']\n").await.unwrap();
    let own: Vec<&Candidate> =
        found.iter().filter(|one| one.kind == "host" && one.address.contains('.')).collect();
    let announced: Vec<&Candidate> = found.iter().filter(|one| one.address == "203.0.113.7").collect();
    assert!(!own.is_empty() && own.len() == announced.len(), "{found:?}");
    assert!(announced.iter().all(|one| one.kind == "srflx"), "{found:?}");
    assert_eq!(
        own.iter().map(|one| one.port).collect::<Vec<_>>(),
        announced.iter().map(|one| one.port).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_address_is_trickled_like_the_camera_s_own() {
    let mut camera = Camera::open("[ice]\nannounce = ['203.0.113.7']\n").await;
    offer(&mut camera, true);
    let of_router = |event: &MediaEvent| {
        matches!(event, MediaEvent::Candidate { candidate: Some(one), .. }
            if one.candidate.contains(" 203.0.113.7 ") && one.candidate.contains(" typ srflx raddr "))
    };
    camera.until(of_router).await;
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_relays_only_the_camera_s_own_addresses_are_told_to_nobody() {
    let nobody = "[ice]\npolicy = 'relay'\nturn = [{ url = 'turn:127.0.0.1:9', secret = 'north' }]\n";
    assert_eq!(gathered(nobody).await.unwrap(), []);
}

#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    protocol: String,
    address: String,
    port: u16,
    kind: String,
}

/// The candidates in the camera's answer to a viewer that takes them all at once, or why there is none.
async fn gathered(toml: &str) -> Result<Vec<Candidate>, String> {
    let mut camera = Camera::open(toml).await;
    offer(&mut camera, false);
    let answer = camera.answered(CallId(1)).await;
    camera.close([1]).await;
    answer.map(|sdp| candidates(&sdp))
}

fn offer(camera: &mut Camera, trickle: bool) {
    let stand = Stand::new().unwrap();
    let _called = camera.call(CallId(1), &stand, &Options::default(), trickle);
}

/// Those of the first m-line; the others share them.
fn candidates(sdp: &str) -> Vec<Candidate> {
    let section = sdp.split("\r\nm=").nth(1).unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    let read = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        Candidate {
            protocol: words[2].to_uppercase(),
            address: words[4].to_owned(),
            port: words[5].parse().unwrap(),
            kind: words[7].to_owned(),
        }
    };
    lines.map(read).collect()
}
