//! How long an encoded frame takes from the encoder to the socket, read from GStreamer's own log of the daemon: when a
//! frame came out of the encoding and when its packets went into the socket's element. Writing that log costs time of
//! its own, so the figures are upper bounds.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::Bench;
use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::{Daemon, Start};
use crate::figure::Figures;

/// How long one viewer watches.
const WATCH: Duration = Duration::from_secs(8);
/// The encoder that is measured, x264enc, adds this to the time of every frame; what is sent to a viewer has it no more.
const ENCODED_FROM_HOURS: u64 = 1000;

pub async fn measure(bench: &Bench<'_>, figures: &mut Figures) -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("gstreamer.log");
    let path = log.display().to_string();
    let told =
        [("GST_DEBUG", "GST_SCHEDULING:5"), ("GST_DEBUG_NO_COLOR", "1"), ("GST_DEBUG_FILE", path.as_str())];
    let daemon = Daemon::start_as(bench.daemon, Start { environment: &told, ..Start::default() }).await?;
    let crowd = Crowd::new(&daemon)?;
    let caller = crowd.call().await?;
    crowd.see(&caller).await?;
    tokio::time::sleep(WATCH).await;
    drop(caller);
    daemon.stop().await?;
    let (first, whole) = delays(&log)?;
    figures.add("send_first", "encoder → socket, first packet of a frame", "ms", first);
    figures.add("send_whole", "encoder → socket, last packet of a frame", "ms", whole);
    Ok(())
}

/// Milliseconds from the end of the encoding to the first and to the last packet of each frame.
fn delays(log: &Path) -> Result<(Vec<f64>, Vec<f64>), Fault> {
    let text = std::fs::read_to_string(log)?;
    let mut frames: HashMap<String, Frame> = HashMap::new();
    for step in text.lines().filter_map(Step::read) {
        let frame = frames.entry(step.frame).or_default();
        if step.pad.starts_with("rtph264pay") {
            frame.encoded.get_or_insert(step.at);
        } else if step.pad.starts_with("nicesink") {
            frame.first.get_or_insert(step.at);
            // What comes a second later is a retransmission.
            if frame.encoded.is_some_and(|encoded| step.at - encoded < 1000.0) {
                frame.last = Some(step.at);
            }
        }
    }
    let spans = |end: fn(&Frame) -> Option<f64>| -> Vec<f64> {
        frames.values().filter_map(|frame| Some(end(frame)? - frame.encoded?)).collect()
    };
    let found = (spans(|frame| frame.first), spans(|frame| frame.last));
    if found.0.is_empty() {
        Err("GStreamer's log shows no frame on its way to the socket".into())
    } else {
        Ok(found)
    }
}

/// When a frame was where, in milliseconds since the daemon's start.
#[derive(Default)]
struct Frame {
    encoded: Option<f64>,
    first: Option<f64>,
    last: Option<f64>,
}

/// One line of the log: `TIME … <ELEMENT:PAD> calling chainfunction … pts TIME, …`.
struct Step<'a> {
    at: f64,
    pad: &'a str,
    /// When the frame is from.
    frame: String,
}

impl<'a> Step<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once("> calling chainfunction")?;
        let pts = after.split_once(" pts ")?.1.split(',').next()?;
        let (hours, rest) = pts.split_once(':')?;
        let hours = hours.parse::<u64>().ok()? % ENCODED_FROM_HOURS;
        let (at, pad) = (milliseconds(line.split_whitespace().next()?)?, before.rsplit_once('<')?.1);
        Some(Self { at, pad, frame: format!("{hours}:{rest}") })
    }
}

/// `h:mm:ss.nnnnnnnnn` in milliseconds.
fn milliseconds(clock: &str) -> Option<f64> {
    let mut parts = clock.splitn(3, ':');
    let (hours, minutes) = (parts.next()?.parse::<f64>().ok()?, parts.next()?.parse::<f64>().ok()?);
    Some((hours * 3600.0 + minutes * 60.0 + parts.next()?.parse::<f64>().ok()?) * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_followed_from_the_encoder_to_its_last_packet() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let line = |at: &str, pad: &str, pts: &str| {
            format!(
                "{at} 7 0x1 DEBUG GST_SCHEDULING gstpad.c:1:f:<{pad}> calling chainfunction &f with buffer buffer: 0x2, pts {pts}, dts 1\n"
            )
        };
        let text = [
            line("0:00:01.000000000", "appsink1:sink", "0:00:00.900000000"),
            line("0:00:01.010000000", "rtph264pay0:sink", "1000:00:00.900000000"),
            line("0:00:01.011000000", "nicesink0:sink", "0:00:00.900000000"),
            line("0:00:01.013000000", "nicesink0:sink", "0:00:00.900000000"),
            line("0:00:03.000000000", "nicesink0:sink", "0:00:00.900000000"),
        ];
        std::fs::write(&log, text.concat()).unwrap();
        let (first, whole) = delays(&log).unwrap();
        assert!((first[0] - 1.0).abs() < 0.01 && (whole[0] - 3.0).abs() < 0.01, "{first:?} {whole:?}");
        assert_eq!((first.len(), whole.len()), (1, 1));
    }

    #[test]
    fn a_log_without_frames_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "nothing").unwrap();
        assert!(delays(&log).is_err());
    }
}
