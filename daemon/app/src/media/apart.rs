//! Encoders are tried in a process of their own: what they load and leave behind goes with it, and one that crashes takes
//! nothing of the daemon along. Both ends of that, and what they say to each other: a line of JSON for each trial. Must not
//! know how an encoder is tried, nor which one is taken.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use porthole_core::config::settings::{EncoderChoice, VideoSettings};
use porthole_core::plan::encoder::{Outcome, Trial, keeps_up};
use serde_json::{Value, json};

use super::element::MediaError;
use super::encoder::{Encoder, H264};
use super::slate;
use super::timeline::Timeline;

/// What the program is asked with.
const WORD: &str = "try-encoders";
/// How long the other process may say nothing. It bounds each trial itself, so this is for one that hangs as a whole.
const PATIENCE: Duration = Duration::from_secs(60);

/// For whom encoders are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A daemon that starts: what libraries print is logged with the rest, and the process may go on to fill the caches.
    Daemon,
    /// Somebody who reads how they did: libraries print nothing in between, and the next trial has the board to itself.
    Reader,
}

/// How each of `candidates` did in processes of `program`, up to the first that keeps up. Blocks.
///
/// # Errors
/// The program cannot be run, or is not ours.
pub fn ask(
    program: &Path,
    candidates: &[Encoder],
    video: &VideoSettings,
    asker: Asker,
) -> io::Result<Vec<Trial>> {
    let mut trials: Vec<Trial> = Vec::new();
    loop {
        let rest = &candidates[trials.len()..];
        let Some(first) = rest.first() else { return Ok(trials) };
        let (heard, end) = round(program, rest, video, asker)?;
        // The one that was under way when it ended.
        let victim = rest.get(heard.len()).unwrap_or(first);
        trials.extend(heard);
        let outcome = match end {
            End::Done => return Ok(trials),
            End::Died(how) => Outcome::Fails(format!("it has ended its process ({how})")),
            End::Silent => Outcome::Late(PATIENCE.as_secs()),
        };
        if trials.len() < candidates.len() {
            trials.push(Trial { encoder: victim.element, hardware: victim.hardware, outcome });
        }
    }
}

/// Tries the encoders with these names, up to the first that keeps up, and says how each one did. Then, for the daemon to
/// find it in the caches, once what takes long where it was never done on this machine. Blocks.
///
/// # Errors
/// GStreamer does not start, or nobody listens any more.
pub fn answer(
    video: &VideoSettings,
    names: &[String],
    out: &mut impl Write,
    try_out: impl Fn(&Encoder, &VideoSettings) -> Trial,
) -> Result<(), MediaError> {
    let mut say = |what: Value| {
        writeln!(out, "{what}").and_then(|()| out.flush()).map_err(|e| MediaError::Failed(e.to_string()))
    };
    gst::init().map_err(|e| MediaError::Failed(format!("GStreamer does not start: {e}")))?;
    say(json!({ "ready": true }))?;
    for encoder in names.iter().filter_map(|name| H264.iter().find(|encoder| encoder.element == name)) {
        let trial = try_out(encoder, video);
        say(json!(trial))?;
        if trial.speed().is_some_and(|speed| keeps_up(speed, video.framerate)) {
            break;
        }
    }
    say(json!({ "done": true }))?;
    slate::rehearse(video, &Timeline::new());
    Ok(())
}

/// How a process ended, for us.
enum End {
    Done,
    Died(String),
    Silent,
}

/// One process, until it has said all or says nothing more.
fn round(
    program: &Path,
    candidates: &[Encoder],
    video: &VideoSettings,
    asker: Asker,
) -> io::Result<(Vec<Trial>, End)> {
    let errors = match asker {
        Asker::Daemon => Stdio::inherit(),
        Asker::Reader => Stdio::null(),
    };
    let mut child = Command::new(program)
        .arg(WORD)
        .args(numbers(video).map(|number| number.to_string()))
        .args(candidates.iter().map(|encoder| encoder.element))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()?;
    let lines = lines(&mut child)?;
    let mut ready = false;
    let mut heard = Vec::new();
    let end = loop {
        let line = match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => break End::Silent,
            Err(RecvTimeoutError::Disconnected) => break End::Died(child.wait()?.to_string()),
        };
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        if said.get("done").is_some() {
            break End::Done;
        }
        ready |= said.get("ready").is_some();
        heard.extend(trial(&said, candidates.get(heard.len())));
    };
    reap(child, asker == Asker::Reader || matches!(end, End::Silent));
    if ready { Ok((heard, end)) } else { Err(io::Error::other("it does not begin to try encoders")) }
}

/// What it writes, a line each, as it comes.
fn lines(child: &mut Child) -> io::Result<Receiver<String>> {
    let out = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
    let (tell, lines) = sync_channel(1);
    std::thread::Builder::new().name("trials".to_owned()).spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

/// Waits for its end where nobody has to: one that hangs in a driver cannot be ended at all.
fn reap(mut child: Child, kill: bool) {
    let waits = std::thread::Builder::new().name("reaper".to_owned()).spawn(move || {
        if kill {
            let _ = child.kill();
        }
        let _ = child.wait();
    });
    if let Err(error) = waits {
        log::debug!("a process that has tried encoders is not waited for: {error}");
    }
}

/// The trial that a line tells of, which has to be that of the encoder whose turn it is.
fn trial(said: &Value, turn: Option<&Encoder>) -> Option<Trial> {
    let encoder = turn.filter(|encoder| said.get("encoder").is_some_and(|name| name == encoder.element))?;
    let word = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    let outcome = (said.get("frames").and_then(Value::as_f64).map(Outcome::Frames))
        .or_else(|| word("fails").map(Outcome::Fails))
        .or_else(|| said.get("late").and_then(Value::as_u64).map(Outcome::Late))
        .or_else(|| word("missing").map(Outcome::Missing))?;
    Some(Trial { encoder: encoder.element, hardware: encoder.hardware, outcome })
}

/// What an encoder has to know of the picture.
fn numbers(video: &VideoSettings) -> [u32; 4] {
    [video.width, video.height, video.framerate, video.bitrate]
}

/// The picture with these [`numbers`].
pub fn picture(video: VideoSettings, [width, height, framerate, bitrate]: [u32; 4]) -> VideoSettings {
    VideoSettings { width, height, framerate, bitrate, encoder: EncoderChoice::Auto, ..video }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use porthole_core::config::settings::Settings;

    use super::*;

    #[test]
    fn what_is_said_of_a_trial_is_understood() {
        let fps = Outcome::Frames(17.5);
        for outcome in [fps, Outcome::Fails("no".into()), Outcome::Late(8), Outcome::Missing("buy".into())] {
            let said = Trial { encoder: H264[0].element, hardware: H264[0].hardware, outcome };
            assert_eq!(trial(&json!(said), Some(&H264[0])), Some(said.clone()));
            assert_eq!(trial(&json!(said), Some(&H264[1])), None, "it is not its turn");
        }
        for said in [json!({ "ready": true }), json!({}), json!(null), json!({ "encoder": H264[0].element })]
        {
            assert_eq!(trial(&said, Some(&H264[0])), None);
        }
    }

    #[test]
    fn an_encoder_that_crashes_has_failed_and_those_behind_it_are_tried_by_another_process() {
        let said = ask_of(
            r#"echo '{"ready":true}'
            case $6 in
                v4l2h264enc) kill -SEGV $$ ;;
                vah264lpenc) echo '{"encoder":"vah264lpenc","frames":99.0}'; echo '{"done":true}' ;;
                *) exit 1 ;;
            esac"#,
        )
        .unwrap();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(matches!(&said[0].outcome, Outcome::Fails(why) if why.contains("signal: 11")), "{said:?}");
        assert_eq!(said[1].outcome, Outcome::Frames(99.0));
    }

    #[test]
    fn a_program_that_is_not_ours_is_not_taken_at_its_word() {
        assert!(ask_of("echo '{\"done\":true}'").is_err());
        assert!(ask_of("exit 64").is_err());
        let nowhere =
            ask(Path::new("/nowhere/porthole"), H264, &Settings::default().media.video, Asker::Daemon);
        assert!(nowhere.is_err());
    }

    fn ask_of(script: &str) -> io::Result<Vec<Trial>> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        ask(&program, H264, &Settings::default().media.video, Asker::Daemon)
    }
}
