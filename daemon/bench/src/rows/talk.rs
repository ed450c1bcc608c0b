//! From the button to the first sound at the speaker: the button is pressed in Chromium (`talk.mjs`), with a recording for
//! its microphone, and the speaker is one that only measures, which hears a sound when it is due. Needs what the row of
//! Chromium needs.

use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Bench;
use crate::Fault;
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/talk.mjs");
/// Bounds a press that is never heard.
const LIMIT: Duration = Duration::from_secs(20);
/// For how long the button is held at least: what is shorter is a tap.
const HELD: Duration = Duration::from_millis(600);

/// What the script says.
#[derive(Debug, Default, Deserialize)]
struct Line {
    version: Option<String>,
    /// Milliseconds since 1970.
    pressed: Option<f64>,
}

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let (told, mut sounds) = unbounded_channel();
    let daemon = Daemon::start_as(bench.daemon, Start { sound: Some(told), ..Start::default() }).await?;
    let script = Command::new("node")
        .arg(SCRIPT)
        .arg(&daemon.link)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut script = match script {
        Ok(script) => script,
        Err(error) => {
            figures.note(format!("talk: not measured: node: {error}"));
            return Ok(());
        }
    };
    let (Some(orders), Some(said)) = (script.stdin.take(), script.stdout.take()) else {
        return Err("no pipes to the script".into());
    };
    let mut page = Page { orders, said: BufReader::new(said).lines() };
    let Some(Line { version: Some(version), .. }) = page.next().await? else {
        figures.note("talk: not measured: Chromium or the viewer's npm packages are missing");
        return Ok(());
    };
    // The first press loads what browser and daemon need for it.
    press(&mut page, &mut sounds).await?;
    let (mut closed, mut open) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs(20, 5) {
        daemon.wait(LIMIT, |status| status.speaker.state == "idle").await?;
        closed.push(press(&mut page, &mut sounds).await?);
        open.push(press(&mut page, &mut sounds).await?);
    }
    drop(script);
    daemon.stop().await?;
    figures.note(format!("talk: Chromium {version}, the speaker measures and plays nothing"));
    figures.add("talk_closed", "button → first sound, speaker closed before", "ms", closed);
    figures.add("talk_open", "button → first sound, speaker still open", "ms", open);
    Ok(())
}

/// One press: milliseconds until it is heard.
async fn press(page: &mut Page, sounds: &mut UnboundedReceiver<Instant>) -> Result<f64, Fault> {
    while sounds.try_recv().is_ok() {}
    page.order("press").await?;
    let pressed = page.next().await?.and_then(|line| line.pressed).ok_or("the script has ended")?;
    let sound = tokio::time::timeout(LIMIT, sounds.recv()).await.map_err(|_| "nothing was heard")?;
    let sound = sound.ok_or("the daemon has ended")?;
    // Both by the clock on the wall, which the page knows too.
    let heard = SystemTime::now() - sound.elapsed();
    let heard = heard.duration_since(UNIX_EPOCH)?.as_secs_f64() * 1000.0;
    tokio::time::sleep(HELD).await;
    page.order("release").await?;
    page.next().await?;
    Ok(heard - pressed)
}

struct Page {
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Page {
    async fn order(&mut self, word: &str) -> Result<(), Fault> {
        self.orders.write_all(format!("{word}\n").as_bytes()).await?;
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Line>, Fault> {
        let line = tokio::time::timeout(3 * LIMIT, self.said.next_line()).await??;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }
}
