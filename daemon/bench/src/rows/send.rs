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
/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;

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
    let steps: Vec<Step> = text.lines().filter_map(Step::read).collect();
    let shift = shift(&steps).unwrap_or_default();
    let mut frames: HashMap<i64, Frame> = HashMap::new();
    for step in steps {
        match step.place {
            Place::Encoded => {
                frames.entry(step.from + shift).or_default().encoded.get_or_insert(step.at);
            }
            Place::Socket => {
                let frame = frames.entry(step.from).or_default();
                frame.first.get_or_insert(step.at);
                // What comes a second later is a retransmission.
                if frame.encoded.is_some_and(|encoded| step.at - encoded < SECOND) {
                    frame.last = Some(step.at);
                }
            }
        }
    }
    let spans = |end: fn(&Frame) -> Option<i64>| -> Vec<f64> {
        let all = frames.values().filter_map(|frame| Some(end(frame)? - frame.encoded?));
        all.map(|nanoseconds| nanoseconds as f64 / 1e6).collect()
    };
    let found = (spans(|frame| frame.first), spans(|frame| frame.last));
    if found.0.is_empty() {
        Err("GStreamer's log shows no frame on its way to the socket".into())
    } else {
        Ok(found)
    }
}

/// What a frame's time is shifted by on its way: encoders count their own, and calls from when the daemon began. It is the
/// same for all packets of the picture, and for no two in a row of anything else.
fn shift(steps: &[Step]) -> Option<i64> {
    let (mut encoded, mut counts) = (None, HashMap::<i64, usize>::new());
    for step in steps {
        match (&step.place, encoded) {
            (Place::Encoded, _) => encoded = Some(step.from),
            (Place::Socket, Some(encoded)) => *counts.entry(step.from - encoded).or_default() += 1,
            (Place::Socket, None) => {}
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(shift, _)| shift)
}

/// When a frame was where, in nanoseconds since the daemon's start.
#[derive(Default)]
struct Frame {
    encoded: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
}

enum Place {
    /// Where it becomes packets.
    Encoded,
    /// Where they leave.
    Socket,
}

/// One line of the log: `TIME … <ELEMENT:PAD> calling chainfunction … pts TIME, …`. Times in nanoseconds.
struct Step {
    at: i64,
    place: Place,
    /// When the frame is from.
    from: i64,
}

impl Step {
    fn read(line: &str) -> Option<Self> {
        let (before, after) = line.split_once("> calling chainfunction")?;
        let place = match before.rsplit_once('<')?.1 {
            pad if pad.starts_with("rtph264pay") => Place::Encoded,
            pad if pad.starts_with("nicesink") => Place::Socket,
            _ => return None,
        };
        let from = nanoseconds(after.split_once(" pts ")?.1.split(',').next()?)?;
        Some(Self { at: nanoseconds(line.split_whitespace().next()?)?, place, from })
    }
}

/// `h:mm:ss.nnnnnnnnn` in nanoseconds.
fn nanoseconds(clock: &str) -> Option<i64> {
    let (whole, rest) = clock.split_once('.')?;
    let seconds =
        whole.splitn(3, ':').try_fold(0, |sum: i64, part| Some(sum * 60 + part.parse::<i64>().ok()?))?;
    Some(seconds * SECOND + rest.parse::<i64>().ok()?)
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
            line("0:00:01.010500000", "nicesink0:sink", "0:00:01.000000000"),
            line("0:00:01.011000000", "nicesink0:sink", "0:00:01.200000000"),
            line("0:00:01.013000000", "nicesink0:sink", "0:00:01.200000000"),
            line("0:00:03.000000000", "nicesink0:sink", "0:00:01.200000000"),
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
