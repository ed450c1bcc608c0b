//! What one viewer does to the others, whatever becomes of it: nothing. Real GStreamer against WebRTC viewers of another
//! make.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use std::net::SocketAddr;
use std::sync::Arc;

use camera::Camera;
use porthole_core::event::MediaEvent;
use porthole_core::ids::CallId;
use porthole_peer::{Options, Stand, Viewer, host_address};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UdpSocket};
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_vanishes_does_not_disturb_the_other() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let gone = camera.answer(1, &stand, &Options::default()).await;
    let stays = camera.answer(2, &stand, &Options::default()).await;
    gone.vanish().unwrap();
    goes_on(&mut camera, &stays).await;
    camera.close([1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_never_connects_does_not_disturb_the_other() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let stays = camera.answer(1, &stand, &Options::default()).await;
    // Its answer is never taken, so webrtcbin takes nothing for it.
    let _never = camera.call(CallId(2), &stand, &Options::default(), false);
    camera.answered(CallId(2)).await.unwrap();
    goes_on(&mut camera, &stays).await;
    camera.close([2, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_end_at_any_moment_do_not_disturb_one_that_goes_on() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    let stays = camera.answer(1, &stand, &Options::default()).await;
    for round in 0..12 {
        let call = 2 + round;
        let _viewer = match round % 4 {
            moment @ 0..2 => {
                let (viewer, _) = camera.call(CallId(call), &stand, &Options::default(), true);
                if moment == 1 {
                    camera.answered(CallId(call)).await.unwrap();
                }
                viewer
            }
            2 => camera.connect(call, &stand, &Options::default()).await,
            _ => camera.answer(call, &stand, &Options::default()).await,
        };
        camera.hang_up(CallId(call)).await;
    }
    goes_on(&mut camera, &stays).await;
    camera.close([1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_on_tcp_that_reads_no_more_does_not_disturb_the_other_and_goes_on_later() {
    let mut camera = Camera::open("[ice]\ntcp = true\n").await;
    let stand = Stand::new().unwrap();
    let stays = camera.answer(1, &stand, &Options::default()).await;

    let options = Options { candidate_in_offer: false, ..Options::default() };
    let call = CallId(2);
    let (stuck, plan) = camera.call(call, &stand, &options, false);
    let answer = plan.finish(&camera.answered(call).await.unwrap()).unwrap();
    let pipe = Pipe::lay(listens_at(&answer)).await;
    let without: String =
        answer.split_inclusive('\n').filter(|line| !line.starts_with("a=candidate:")).collect();
    stuck.accept(&without).unwrap();
    stuck.add_remote_candidate(&pipe.candidate()).unwrap();
    camera.until(|e| matches!(e, MediaEvent::Connected { call: c, .. } if *c == call)).await;
    let before = camera.sees(&stuck, |f| f.frames >= 3).await;

    pipe.held.send(true).unwrap();
    // Its end of the connection is full when no more waits there than a while ago.
    let (mut before_that, mut waits) = (0, 0);
    while waits == 0 || waits != before_that {
        goes_on(&mut camera, &stays).await;
        (before_that, waits) = (waits, pipe.waits());
    }
    goes_on(&mut camera, &stays).await;

    pipe.held.send(false).unwrap();
    camera.sees(&stuck, |f| f.key_frames > before.key_frames && f.frames >= before.frames + 60).await;
    pipe.held.send(true).unwrap();
    camera.close([2, 1]).await;
}

/// A viewer sees more, and has missed nothing.
async fn goes_on(camera: &mut Camera, viewer: &Viewer) {
    let seen = viewer.facts();
    let later = camera.sees(viewer, |f| f.frames >= seen.frames + 30).await;
    assert_eq!((later.gaps, later.lost), (0, 0), "{later:?}");
}

/// Where the camera takes TCP connections of this answer.
fn listens_at(answer: &str) -> SocketAddr {
    let mut all = answer.lines().filter(|line| line.starts_with("a=candidate:") && line.contains("passive"));
    let words = all.find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let here = words.get(4).is_some_and(|address| *address == host_address().to_string());
        (here && words[1] == "1").then(|| format!("{}:{}", words[4], words[5]))
    });
    words.expect(answer).parse().unwrap()
}

/// A way over TCP for a viewer that has only UDP (RFC 4571: two bytes of length in front of each datagram).
struct Pipe {
    /// The viewer's end.
    here: SocketAddr,
    /// The address that the camera sees.
    near: SocketAddr,
    /// Whether nothing of what the camera sends is read.
    held: watch::Sender<bool>,
}

impl Pipe {
    async fn lay(camera: SocketAddr) -> Self {
        let udp = Arc::new(UdpSocket::bind((host_address(), 0)).await.unwrap());
        let here = udp.local_addr().unwrap();
        let tcp = TcpSocket::new_v4().unwrap();
        // So that it is soon full.
        tcp.set_recv_buffer_size(65_536).unwrap();
        let tcp = tcp.connect(camera).await.unwrap();
        let near = tcp.local_addr().unwrap();
        let (mut from_camera, mut to_camera) = tcp.into_split();
        let ((held, mut holds), (found, mut viewer)) = (watch::channel(false), watch::channel(None));
        let socket = udp.clone();
        tokio::spawn(async move {
            let mut datagram = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
                found.send_replace(Some(from));
                let head = u16::try_from(length).unwrap().to_be_bytes();
                let whole = [&head, &datagram[..length]].concat();
                if to_camera.write_all(&whole).await.is_err() {
                    break;
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let Ok(_) = holds.wait_for(|held| !held).await else { break };
                let Ok(length) = from_camera.read_u16().await else { break };
                let mut datagram = vec![0; usize::from(length)];
                let Ok(_) = from_camera.read_exact(&mut datagram).await else { break };
                let Ok(to) = viewer.wait_for(Option::is_some).await.map(|to| *to) else { break };
                let _ = udp.send_to(&datagram, to.unwrap()).await;
            }
        });
        Self { here, near, held }
    }

    fn candidate(&self) -> String {
        format!("candidate:1 1 udp 2130706431 {} {} typ host", self.here.ip(), self.here.port())
    }

    /// Bytes that wait to be sent at the camera's end, as the kernel counts them (proc_net_tcp(5)).
    fn waits(&self) -> u64 {
        let SocketAddr::V4(near) = self.near else { panic!("{}", self.near) };
        let address = u32::from_ne_bytes(near.ip().octets());
        let wanted = format!("{address:08X}:{:04X}", near.port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[2] == wanted).expect("the camera's end of the connection");
        u64::from_str_radix(row[4].split(':').next().unwrap(), 16).unwrap()
    }
}
