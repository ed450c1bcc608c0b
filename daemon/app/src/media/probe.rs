//! Finds the H.264 encoder of this board by pushing real frames through the candidates: an encoder that exists does not
//! have to work, nor to be fast enough. Must not know captures or viewers.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use porthole_core::config::settings::VideoSettings;
use porthole_core::plan::encoder::{self, Outcome, Trial, keeps_up};

use super::apart::{self, Asker};
use super::element::{MediaError, chain, failed, make};
use super::encoder::{Encoder, candidates};
use super::timeline::{Said, listen, stop};

/// Frames pushed through an encoder.
const FRAMES: u32 = 30;
/// How long they may take. What has come until then says how fast it is; where nothing has, nobody knows.
const DEADLINE: Duration = Duration::from_secs(8);
/// How much longer that thread may take to say so.
const GRACE: Duration = Duration::from_secs(2);

/// The first candidate that encodes real frames of the asked size as fast as they are asked for, else the fastest; and those
/// that may take its place where it fails in service: the ones that worked, then the ones that were not tried, then the ones
/// that were too late. A board that is too busy to try any of them is no error: the first one that is asked for a picture shows
/// what it can. They are tried in a process of `program`, or in this one. Blocks, up to [`DEADLINE`] and [`GRACE`] for each.
pub fn find(video: &VideoSettings, program: Option<&Path>) -> Result<Vec<Encoder>, MediaError> {
    let candidates = candidates(&video.encoder)?;
    let apart = program.and_then(|program| {
        let told = apart::ask(program, &candidates, video, Asker::Daemon);
        told.inspect_err(|error| {
            log::warn!("encoders are tried in this process, {}: {error}", program.display())
        })
        .ok()
    });
    let trials = apart.unwrap_or_else(|| here(&candidates, video));
    for trial in &trials {
        if matches!(trial.outcome, Outcome::Missing(_)) {
            log::debug!("encoder {trial}");
        } else {
            log::info!("encoder {trial}, {}x{}", video.width, video.height);
        }
    }
    take(&candidates, &trials, video)
}

/// Tries them in this process, up to the first that keeps up.
fn here(candidates: &[Encoder], video: &VideoSettings) -> Vec<Trial> {
    let mut trials = Vec::new();
    for encoder in candidates {
        let trial = try_out(encoder, video, DEADLINE);
        let enough = trial.speed().is_some_and(|speed| keeps_up(speed, video.framerate));
        trials.push(trial);
        if enough {
            break;
        }
    }
    trials
}

/// Tries those with these names for the process that asks. Blocks.
///
/// # Errors
/// GStreamer does not start, or nobody listens any more.
pub fn answer(video: &VideoSettings, names: &[String], out: &mut impl Write) -> Result<(), MediaError> {
    apart::answer(video, names, out, |encoder, video| try_out(encoder, video, DEADLINE))
}

/// Which of those that were tried is taken, and which may take its place.
fn take(candidates: &[Encoder], trials: &[Trial], video: &VideoSettings) -> Result<Vec<Encoder>, MediaError> {
    let works = encoder::choose(trials, video.framerate);
    let Some(chosen) = works.or_else(|| encoder::stand_by(trials)) else {
        let tried: Vec<String> = trials.iter().map(Trial::to_string).collect();
        return Err(MediaError::Failed(format!(
            "no H.264 encoder works ({}); install one with: apt-get install gstreamer1.0-plugins-ugly",
            tried.join("; ")
        )));
    };
    if works.is_none() {
        log::warn!(
            "no encoder has made a picture in time, as where something else keeps this board busy (`top` shows it); \
             going on with {}, which is not known to work",
            trials[chosen].encoder
        );
    }
    if let Some(speed) = trials[chosen].speed()
        && !keeps_up(speed, video.framerate)
    {
        log::warn!(
            "no encoder keeps up with {} frames/s of {}x{}: {} makes {speed:.0}; lower width, height or framerate below \
             [video]",
            video.framerate,
            video.width,
            video.height,
            trials[chosen].encoder
        );
    }
    let works = |place: &usize| trials.get(*place).is_some_and(|trial| trial.speed().is_some());
    let untried = |place: &usize| *place >= trials.len() && candidates[*place].missing().is_none();
    let late =
        |place: &usize| trials.get(*place).is_some_and(|trial| matches!(trial.outcome, Outcome::Late(_)));
    let places = || (0..candidates.len()).filter(|place| *place != chosen);
    let order = [chosen].into_iter().chain(places().filter(works));
    let order = order.chain(places().filter(untried)).chain(places().filter(late));
    Ok(order.map(|place| candidates[place]).collect())
}

/// Every candidate with how it did, each in a process of `program`, or in this one: whoever asks what is wrong with a board
/// gets an answer although an encoder crashes. Blocks, as [`find`].
pub fn all(video: &VideoSettings, program: Option<&Path>) -> Result<Vec<Trial>, MediaError> {
    let apart = |encoder: &Encoder| {
        let program = program.filter(|_| encoder.missing().is_none())?;
        let told = apart::ask(program, std::slice::from_ref(encoder), video, Asker::Reader);
        let told = told.inspect_err(|error| log::debug!("{}: {error}", program.display()));
        told.ok()?.into_iter().next()
    };
    let trial = |encoder| apart(encoder).unwrap_or_else(|| try_out(encoder, video, DEADLINE));
    Ok(candidates(&video.encoder)?.iter().map(trial).collect())
}

/// Pushes frames through one encoder, on a thread of its own: one that hangs keeps that thread, and nobody waits for it.
fn try_out(encoder: &Encoder, video: &VideoSettings, limit: Duration) -> Trial {
    let outcome = match encoder.missing() {
        Some(fix) => Outcome::Missing(fix.to_owned()),
        None => {
            let (tell, told) = mpsc::sync_channel(1);
            let (of_thread, video) = (*encoder, video.clone());
            std::thread::spawn(move || {
                let _ = tell.send(encode(&of_thread, &video, limit));
            });
            match told.recv_timeout(limit + GRACE) {
                Ok(Ok(Some(speed))) => Outcome::Frames(speed),
                Ok(Err(error)) => Outcome::Fails(error.to_string()),
                Ok(Ok(None)) | Err(_) => Outcome::Late(limit.as_secs()),
            }
        }
    };
    Trial { encoder: encoder.element, hardware: encoder.hardware, outcome }
}

/// Pushes frames through one encoder; how many it makes in a second. `None`: none came in time.
fn encode(encoder: &Encoder, video: &VideoSettings, limit: Duration) -> Result<Option<f64>, MediaError> {
    let pipeline = gst::Pipeline::with_name("probe");
    let (word, words) = mpsc::sync_channel(4);
    listen(&pipeline, move |said| {
        let _ = word.try_send(said);
    });
    let result = (|| {
        let info = picture(video)?;
        // Whole caps: encoders of V4L2 take no picture whose colours are not described.
        let caps = info.to_caps().map_err(|e| failed(&e))?;
        let entry = gst_app::AppSrc::builder().caps(&caps).format(gst::Format::Time).build();
        let convert = make("videoconvert")?;
        let [element, output] = encoder.build(video, false)?;
        let sink = gst_app::AppSink::builder().sync(false).build();
        chain(&pipeline, &[entry.upcast_ref(), &convert, &element, &output, sink.upcast_ref()])?;
        let (encoded, first) = count(&sink);
        let frames = pictures(&info, video.framerate)?;
        pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
        let began = Instant::now();
        for frame in frames {
            entry.push_buffer(frame).map_err(|e| failed(&e))?;
        }
        entry.end_of_stream().map_err(|e| failed(&e))?;
        let done = match words.recv_timeout(limit) {
            Ok(Said::EndOfStream) => true,
            Ok(Said::Error(words)) => return Err(MediaError::Failed(words)),
            Err(_) => false,
        };
        let ended = Instant::now();
        match (encoded.load(Ordering::Relaxed), first.try_recv()) {
            (frames @ 1.., Ok(first)) => Ok(Some(speed(frames, began, first, ended))),
            _ if !done => Ok(None),
            _ => Err(MediaError::Failed(format!("it took {FRAMES} frames and gave none"))),
        }
    })();
    stop(&pipeline);
    result
}

/// Frames a second, of so many that were pushed at `began`. What an encoder needs to start is left out, unless most of the
/// time went by before its first frame: then it keeps frames back.
fn speed(frames: u32, began: Instant, first: Instant, ended: Instant) -> f64 {
    let (whole, since_first) = (ended - began, ended - first);
    let (frames, took) =
        if frames > 1 && since_first * 2 > whole { (frames - 1, since_first) } else { (frames, whole) };
    f64::from(frames) / took.as_secs_f64().max(0.001)
}

/// Counts what reaches a sink, and tells when the first of it did.
fn count(sink: &gst_app::AppSink) -> (Arc<AtomicU32>, mpsc::Receiver<Instant>) {
    let (tell, first) = mpsc::sync_channel(1);
    let frames = Arc::new(AtomicU32::new(0));
    let counted = frames.clone();
    sink.set_callbacks(
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                if sample.buffer().is_some_and(|b| b.size() > 0) {
                    counted.fetch_add(1, Ordering::Relaxed);
                    // Only the first one finds room.
                    let _ = tell.try_send(Instant::now());
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    (frames, first)
}

/// The picture that is asked for.
fn picture(video: &VideoSettings) -> Result<gst_video::VideoInfo, MediaError> {
    let rate = i32::try_from(video.framerate).unwrap_or(30);
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, video.width, video.height);
    info.fps(gst::Fraction::new(rate, 1)).build().map_err(|e| failed(&e))
}

/// Frames of the asked size in which something moves, made before the clock runs: two pictures in turn, so that they take
/// little memory.
fn pictures(info: &gst_video::VideoInfo, framerate: u32) -> Result<Vec<gst::Buffer>, MediaError> {
    let (luma, row) = (info.offset()[1], info.stride()[0].unsigned_abs() as usize);
    let picture = |shift: usize| {
        let bright = (0..luma).map(|at| ((at % row + at / row * 3 + shift) / 2 % 220 + 16) as u8);
        let grey = std::iter::repeat_n(128_u8, info.size() - luma);
        bright.chain(grey).collect::<Vec<u8>>()
    };
    let pictures = [picture(0), picture(7)].map(gst::Buffer::from_slice);
    let rate = u64::from(framerate.max(1));
    let time = |frame: u32| gst::ClockTime::from_nseconds(u64::from(frame) * 1_000_000_000 / rate);
    (0..FRAMES)
        .map(|number| {
            let mut frame = pictures[number as usize % pictures.len()].copy();
            let buffer =
                frame.get_mut().ok_or_else(|| MediaError::Failed("a copied buffer is shared".to_owned()))?;
            buffer.set_pts(time(number));
            buffer.set_duration(time(1));
            Ok(frame)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use porthole_core::config::settings::{EncoderChoice, Settings};

    use super::super::encoder::stand_in;
    use super::*;

    #[test]
    fn an_encoder_of_this_machine_is_found_with_its_speed() {
        gst::init().unwrap();
        let trials = all(&small(), None).unwrap();
        let x264 = trials.iter().find(|trial| trial.encoder == "x264enc").unwrap();
        assert!(x264.speed().unwrap() > 0.0, "{trials:?}");
        assert!(trials.iter().any(|trial| matches!(trial.outcome, Outcome::Missing(_))), "{trials:?}");
        assert!(find(&small(), None).is_ok());
    }

    #[test]
    fn an_encoder_that_hangs_is_too_late() {
        gst::init().unwrap();
        // It holds its first frame for an hour.
        let hangs = stand_in("identity", "sleep-time", "3600000000");
        let trial = try_out(&hangs, &small(), Duration::from_secs(1));
        assert_eq!(trial.outcome, Outcome::Late(1));
    }

    #[test]
    fn an_encoder_that_is_not_done_in_time_is_as_fast_as_it_was_until_then() {
        gst::init().unwrap();
        // A second for each frame, and there are thirty.
        let slow = stand_in("identity", "sleep-time", "1000000");
        let speed = try_out(&slow, &small(), DEADLINE).speed().expect("some frames came");
        assert!(speed > 0.0 && speed < 2.0, "{speed}");
    }

    #[test]
    fn an_encoder_that_takes_frames_and_gives_none_has_failed() {
        gst::init().unwrap();
        let swallows = stand_in("identity", "drop-probability", "1");
        let trial = try_out(&swallows, &small(), DEADLINE);
        assert_eq!(trial.outcome, Outcome::Fails("it took 30 frames and gave none".to_owned()));
    }

    #[test]
    fn an_encoder_that_stops_with_an_error_has_failed_with_its_words() {
        gst::init().unwrap();
        let breaks = stand_in("identity", "error-after", "3");
        let Outcome::Fails(why) = try_out(&breaks, &small(), DEADLINE).outcome else { panic!("it works") };
        assert!(why.contains("identity"), "{why}");
    }

    #[test]
    fn a_named_encoder_that_is_not_here_says_what_to_do() {
        gst::init().unwrap();
        let encoder = EncoderChoice::Named("mpph264enc".to_owned());
        let why = find(&VideoSettings { encoder, ..small() }, None).unwrap_err().to_string();
        assert!(why.contains("mpph264enc (hardware): not here; needs a Rockchip board"), "{why}");
    }

    #[test]
    fn what_an_encoder_needs_to_start_does_not_count_unless_it_keeps_frames_back() {
        let began = Instant::now();
        let after = |milliseconds| began + Duration::from_millis(milliseconds);
        assert_eq!(speed(31, began, after(400), after(1400)), 30.0);
        assert_eq!(speed(31, began, after(1540), after(1550)), 20.0);
        assert_eq!(speed(1, began, after(500), after(500)), 2.0);
    }

    fn small() -> VideoSettings {
        VideoSettings { width: 320, height: 240, ..Settings::default().media.video }
    }
}
