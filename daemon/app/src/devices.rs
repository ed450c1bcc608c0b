//! `porthole devices`: says in words, or as JSON, what this machine could take pictures and sound with. Must not look
//! itself.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use porthole_core::config::settings::{MediaSettings, VideoSource};
use porthole_core::plan::camera::Camera;
use porthole_core::plan::encoder::{Trial, keeps_up};
use porthole_core::plan::mode::{Format, Offer, Rate, Rates, Sizes};
use porthole_core::plan::sound::{Direction, Pcm};
use serde_json::{Value, json};

use crate::configuration::{self, Unusable};
use crate::exit::Exit;
use crate::media::MediaError;
use crate::media::survey::{self, Survey, Taken};

/// Why nothing could be said.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// There is no configuration to go by.
    #[error(transparent)]
    Configuration(#[from] Unusable),
    /// GStreamer is not there.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// It cannot be printed.
    #[error("cannot be printed: {0}")]
    Unsaid(#[from] io::Error),
}

impl Failed {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Configuration(unusable) => unusable.exit(),
            Self::Media(_) => Exit::Unavailable,
            Self::Unsaid(_) => Exit::Unkept,
        }
    }
}

/// Looks around by what the configuration at `config` asks for, and prints what there is.
///
/// # Errors
/// [`Failed`]. A machine without any device is none.
pub fn print(config: Option<&Path>, as_json: bool) -> Result<(), Failed> {
    let settings = configuration::read(config)?.media;
    let survey = survey::look(&settings, env::current_exe().ok().as_deref())?;
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, &json(&survey)).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        out.write_all(words(&survey, &settings).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// What a program is told; config/README.md describes it.
fn json(survey: &Survey) -> Value {
    let camera = |camera: &Camera| {
        let mut told = json!(camera);
        told["unusable"] = json!(camera.unusable());
        told
    };
    let of = |wanted| survey.pcms.iter().filter(|pcm| pcm.direction == wanted).collect::<Vec<_>>();
    let taken = match &survey.camera {
        None => Value::Null,
        Some(Ok(Taken { node, mode, complaints })) => {
            json!({ "node": node, "mode": mode, "complaints": complaints })
        }
        Some(Err(why)) => json!({ "trouble": why }),
    };
    json!({
        "cameras": survey.cameras.iter().map(camera).collect::<Vec<_>>(),
        "microphones": of(Direction::Capture),
        "speakers": of(Direction::Playback),
        "alsa_names": survey.own_names,
        "encoders": survey.trials,
        "used": {
            "camera": taken,
            "microphone": survey.microphone,
            "speaker": survey.speaker,
            "encoder": survey.encoder.map(|at| survey.trials[at].encoder),
        },
    })
}

/// What a person is told.
fn words(survey: &Survey, settings: &MediaSettings) -> String {
    let mut said = String::new();
    // Writing to a text does not fail.
    let _ = write_words(&mut said, survey, settings);
    said
}

fn write_words(out: &mut String, survey: &Survey, settings: &MediaSettings) -> Result<(), std::fmt::Error> {
    let video = &settings.video;
    writeln!(out, "Cameras")?;
    let (usable, rest): (Vec<_>, Vec<_>) =
        survey.cameras.iter().partition(|camera| camera.unusable().is_none());
    if usable.is_empty() {
        writeln!(out, "  none that can be used")?;
    }
    for camera in usable {
        write_camera(out, camera, survey)?;
    }
    if !rest.is_empty() {
        writeln!(out, "  Not usable:")?;
    }
    for camera in rest {
        let card = if camera.card.is_empty() { "?" } else { &camera.card };
        writeln!(out, "    {}  {card}: {}", camera.node, camera.unusable().unwrap_or_default())?;
    }
    match &survey.camera {
        Some(Err(why)) => writeln!(out, "  The camera of the configuration: {why}")?,
        None if matches!(video.source, VideoSource::Auto(_)) => {
            writeln!(out, "  Without a camera the test picture is shown.")?;
        }
        _ => {}
    }
    if let Some(fix) = survey.without_libcamera {
        writeln!(out, "  For camera modules of a Raspberry Pi: {fix}")?;
    }
    let directions = [
        ("Microphones", Direction::Capture, &survey.microphone),
        ("Speakers", Direction::Playback, &survey.speaker),
    ];
    for (title, wanted, used) in directions {
        writeln!(out, "\n{title}")?;
        let pcms: Vec<&Pcm> = survey.pcms.iter().filter(|pcm| pcm.direction == wanted).collect();
        if pcms.is_empty() {
            writeln!(out, "  none")?;
        }
        for pcm in pcms {
            let used = used.as_ref() == Some(&pcm.name);
            writeln!(out, "  {}  {}: {}{}", pcm.name, pcm.card, pcm.device, mark(used))?;
        }
        if let Some(name) = used
            && !survey.pcms.iter().any(|pcm| pcm.name == *name)
        {
            let what = if name == "default" {
                "the first card's, unless ALSA's configuration says otherwise"
            } else {
                "as it is written"
            };
            writeln!(out, "  {name}  {what}{}", mark(true))?;
        }
    }
    if !survey.own_names.is_empty() {
        writeln!(out, "  ALSA's configuration also names: {}", survey.own_names.join(", "))?;
    }
    writeln!(out, "\nH.264 encoders, tried with {}x{}", video.width, video.height)?;
    for (at, trial) in survey.trials.iter().enumerate() {
        writeln!(out, "  {trial}{}", standing(survey, at, trial, video.framerate))?;
    }
    if survey.encoder.is_none() {
        writeln!(out, "  None works: apt-get install gstreamer1.0-plugins-ugly")?;
    }
    Ok(())
}

/// Why an encoder would be used, or not.
fn standing(survey: &Survey, at: usize, trial: &Trial, framerate: u32) -> String {
    let enough = trial.speed().map(|speed| keeps_up(speed, framerate));
    match (survey.encoder, enough) {
        (Some(used), Some(true)) if used == at => mark(true).to_owned(),
        (Some(used), Some(false)) if used == at => {
            format!(
                "{}, though too slow for {framerate} frames/s: lower width, height or framerate",
                mark(true)
            )
        }
        (_, Some(false)) => format!(", too slow for {framerate} frames/s"),
        (Some(used), Some(true)) => format!(", would do; {} comes before it", survey.trials[used].encoder),
        _ => String::new(),
    }
}

fn write_camera(out: &mut String, camera: &Camera, survey: &Survey) -> Result<(), std::fmt::Error> {
    let Camera { node, card, driver, bus, .. } = camera;
    let taken = match &survey.camera {
        Some(Ok(taken)) if taken.node == *node => Some(taken),
        _ => None,
    };
    let at = if bus.is_empty() { driver.clone() } else { format!("{driver}, {bus}") };
    writeln!(out, "  {node}  {card} ({at}){}", mark(taken.is_some()))?;
    if let Some(Taken { mode, complaints, .. }) = taken {
        if let Some(mode) = mode {
            writeln!(out, "      taken as {mode}")?;
        }
        for complaint in complaints {
            writeln!(out, "      {complaint}")?;
        }
    }
    for name in &camera.stable {
        writeln!(out, "      also {name}")?;
    }
    for holder in &camera.open_in {
        writeln!(out, "      open in {} (process {})", holder.program, holder.pid)?;
    }
    let mut formats: Vec<(&str, Vec<String>)> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for offer in &camera.offers {
        if offer.format == Format::Other {
            if !others.contains(&offer.pixels.as_str()) {
                others.push(&offer.pixels);
            }
            continue;
        }
        let name = match offer.format {
            Format::H264 => "H.264",
            Format::Mjpeg => "MJPEG",
            Format::Raw | Format::Other => &offer.pixels,
        };
        match formats.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sizes)) => sizes.push(size(offer)),
            None => formats.push((name, vec![size(offer)])),
        }
    }
    for (name, sizes) in formats {
        writeln!(out, "      {name}: {}", sizes.join(", "))?;
    }
    if !others.is_empty() {
        writeln!(out, "      and formats that are not used: {}", others.join(", "))?;
    }
    for control in camera.controls.iter().filter(|control| control.writable) {
        let now = control.value.map(|value| format!(", now {value}")).unwrap_or_default();
        writeln!(out, "      control {}: {}{now}", control.name, control.range)?;
    }
    Ok(())
}

/// A size with the fastest of its rates, as in `1280x720 (30)`.
fn size(offer: &Offer) -> String {
    let size = match offer.sizes {
        Sizes::One { size: [width, height] } => format!("{width}x{height}"),
        Sizes::Steps { smallest: [w, h], largest: [most_w, most_h], .. } => {
            format!("{w}x{h} to {most_w}x{most_h}")
        }
    };
    let fastest = match &offer.rates {
        Rates::These(rates) => rates.iter().copied().max_by_key(|rate: &Rate| rate.thousandths()),
        Rates::Between { fastest, .. } => Some(*fastest),
    };
    fastest.map_or_else(|| size.clone(), |rate| format!("{size} ({rate})"))
}

fn mark(used: bool) -> &'static str {
    if used { "  <- used" } else { "" }
}

#[cfg(test)]
#[path = "devices_tests.rs"]
mod tests;
