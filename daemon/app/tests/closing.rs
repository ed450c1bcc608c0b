//! What closed calls leave behind. In a program of its own, because it counts what the whole process holds open.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod camera;

use std::time::Duration;

use camera::Camera;
use porthole_core::ids::{CallId, Rendition};
use porthole_peer::{Options, Stand};

#[tokio::test(flavor = "multi_thread")]
async fn calls_closed_in_the_middle_of_their_negotiation_leave_nothing_open() {
    let mut camera = Camera::open("").await;
    let stand = Stand::new().unwrap();
    camera.run_rendition(Rendition::H264);
    for warm in 1..=3 {
        interrupt(&mut camera, CallId(warm), &stand).await;
    }
    until_threads_settle().await;
    let before = open_files();
    for number in 4..=30 {
        interrupt(&mut camera, CallId(number), &stand).await;
    }
    until_threads_settle().await;
    assert!(open_files() <= before + 4, "file descriptors went from {before} to {}", open_files());
    camera.close([]).await;
}

/// Asks for an answer and hangs up before it can have come.
async fn interrupt(camera: &mut Camera, call: CallId, stand: &Stand) {
    let _called = camera.call(call, stand, &Options::default(), true);
    camera.hang_up(call).await;
}

/// GStreamer's and tokio's idle threads end by themselves: waits until their number stands still.
async fn until_threads_settle() {
    let mut last = (0, 0);
    let mut same = 0;
    while same < 10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = (threads(), open_files());
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
