//! A camera that goes and comes back again and again while one viewer stays in its call: how soon the slate is seen, how
//! soon the picture after the return, and what all of that leaves behind. The camera is a clip, taken away and put back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use porthole_peer::Caller;

use super::Bench;
use super::churn::{allocated, settled};
use crate::Fault;
use crate::crowd::{CALL_LIMIT, Crowd};
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;

/// Frames of the clip: whether it is still there is seen when it begins anew.
const FRAMES: u32 = 10;
/// Losses before what is left behind is looked at for the first time.
const BEFORE: usize = 5;
/// Bounds a loss or a return that never comes.
const LIMIT: Duration = Duration::from_secs(20);
/// For so many frames there is a picture before it is taken away again.
const WATCHED: u64 = 20;

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let clip = record(folder.path())?;
    let start = Start { clip: Some(&clip), ..Start::default() };
    let daemon = Daemon::start_as(bench.daemon, start).await?;
    let crowd = Crowd::new(&daemon)?;
    let caller = crowd.call().await?;
    crowd.see(&caller).await?;
    let camera = Camera { clip, daemon: &daemon, caller: &caller };
    for _ in 0..BEFORE {
        camera.goes().await?;
        camera.returns().await?;
    }
    let (usage, heap) = (settled(&daemon, 1).await?, allocated(&daemon).await?);
    let losses = bench.runs(100, 10);
    let (mut said, mut slates, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..losses {
        let (lost, slate) = camera.goes().await?;
        said.push(lost);
        slates.push(slate);
        pictures.push(camera.returns().await?);
    }
    let (usage_after, heap_after) = (settled(&daemon, 1).await?, allocated(&daemon).await?);
    let facts = caller.facts();
    if let Some(why) = &facts.ended {
        return Err(format!("the call has ended: {why}").into());
    }
    figures.add("replug_losses", "losses and returns within one call", "", vec![losses as f64]);
    figures.add("replug_said", "camera taken away → said in /healthz", "ms", said);
    figures.add("replug_slate", "said → key frame of the slate at the viewer", "ms", slates);
    figures.add("replug_picture", "camera put back → key frame of its picture at the viewer", "ms", pictures);
    let each = |before: f64, after: f64| vec![(after - before) / losses as f64];
    figures.add("replug_heap", "allocated and not freed per loss", "KiB", each(heap, heap_after));
    figures.add("replug_rss", "RSS left behind per loss", "KiB", each(usage.rss, usage_after.rss));
    figures.add(
        "replug_threads",
        "threads left behind by all",
        "",
        vec![usage_after.threads - usage.threads],
    );
    let descriptors = usage_after.descriptors - usage.descriptors;
    figures.add("replug_fds", "file descriptors left behind by all", "", vec![descriptors]);
    daemon.stop().await
}

struct Camera<'a> {
    clip: PathBuf,
    daemon: &'a Daemon,
    caller: &'a Caller,
}

impl Camera<'_> {
    /// Takes it away; milliseconds until that is said, and from then until the slate is seen.
    async fn goes(&self) -> Result<(f64, f64), Fault> {
        let gone = Instant::now();
        std::fs::rename(&self.clip, self.away())?;
        let before = self.caller.facts().key_frames;
        self.daemon.wait(LIMIT, |status| status.capture == "lost").await?;
        let said = Instant::now();
        self.sees(before).await?;
        Ok((milliseconds(said - gone), milliseconds(said.elapsed())))
    }

    /// Puts it back; milliseconds until its picture is seen.
    async fn returns(&self) -> Result<f64, Fault> {
        let before = self.caller.facts();
        let back = Instant::now();
        std::fs::rename(self.away(), &self.clip)?;
        self.sees(before.key_frames).await?;
        let took = milliseconds(back.elapsed());
        let more = self.caller.facts().frames + WATCHED;
        self.daemon.wait(LIMIT, |status| status.capture == "running" && status.live == 1).await?;
        self.caller.viewer().wait(CALL_LIMIT, |facts| facts.frames >= more).await?;
        Ok(took)
    }

    /// Waits for a key frame beyond these: the first of another picture is one.
    async fn sees(&self, key_frames: u64) -> Result<(), Fault> {
        let seen = self.caller.viewer().wait(LIMIT, |facts| facts.key_frames > key_frames).await;
        seen.map(|_| ()).map_err(|error| format!("{error}; log:\n{}", self.daemon.log_tail()).into())
    }

    fn away(&self) -> PathBuf {
        self.clip.with_extension("away")
    }
}

/// A short clip of the size and rate that all rows measure with.
fn record(folder: &Path) -> Result<PathBuf, Fault> {
    let clip = folder.join("clip.mkv");
    let status = std::process::Command::new("gst-launch-1.0")
        .args(["-q", "videotestsrc", &format!("num-buffers={FRAMES}"), "pattern=ball", "!"])
        .args(["video/x-raw,width=1280,height=720,framerate=30/1", "!", "jpegenc", "!", "matroskamux", "!"])
        .args(["filesink", &format!("location={}", clip.display())])
        .status()?;
    if status.success() { Ok(clip) } else { Err("gst-launch-1.0 made no clip".into()) }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
