//! The picture that stands in for the camera's: dark, with words. A small live source of its own, a few frames a second,
//! that feeds the same encodings. Must not know when it is shown.

use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_utils::StreamProducer;
use porthole_core::command::Slate;
use porthole_core::config::settings::VideoSettings;

use super::capture::producer;
use super::doors::Closes;
use super::element::{MediaError, caps_filter, chain, failed, link, make};
use super::pulse::Pulse;
use super::source::raw_picture;
use super::timeline::{Said, Stops, Timeline, play};

/// Frames a second: enough for somebody who has just come not to wait for the next.
const FRAMES: i32 = 5;
/// As ARGB: nearly black, so that it does not light up a nursery.
const DARK: u32 = 0xff10_1418;

/// Makes one that nobody sees, in the background: the first words take the time that finding a font takes.
pub fn warm_up(video: &VideoSettings, timeline: &Timeline) {
    let (video, timeline) = (video.clone(), timeline.clone());
    tokio::task::spawn_blocking(move || rehearse(&video, &timeline));
}

/// Makes one that nobody sees. Blocks.
pub fn rehearse(video: &VideoSettings, timeline: &Timeline) {
    match Show::start(Slate::Privacy, video, timeline) {
        Ok(show) => show.close(),
        Err(error) => log::warn!("where the camera is lost no picture will say so: {error}"),
    }
}

/// A slate on show.
pub struct Show {
    pipeline: Stops,
    text: Option<gst::Element>,
    said: String,
    slate: Slate,
    since: gst::glib::DateTime,
    /// The picture.
    pub picture: StreamProducer,
    /// Its frames.
    pub pulse: Pulse,
}

impl Show {
    /// Starts it. Takes no device, so it is quick.
    pub fn start(slate: Slate, video: &VideoSettings, timeline: &Timeline) -> Result<Self, MediaError> {
        let pipeline = timeline.pipeline("slate", |said| {
            if let Said::Error(words) = said {
                log::warn!("the slate stopped: {words}");
            }
        });
        let built = (|| {
            let source = make("videotestsrc")?;
            source.set_property("is-live", true);
            source.set_property_from_str("pattern", "solid-color");
            source.set_property("foreground-color", DARK);
            let mut caps = raw_picture(video);
            if let Some(structure) = caps.make_mut().structure_mut(0) {
                structure.set("framerate", gst::Fraction::new(FRAMES, 1));
            }
            let size = caps_filter(&caps)?;
            chain(&pipeline, &[&source, &size])?;
            let mut last = size;
            // Without words it is a slate all the same.
            let text =
                make("textoverlay").inspect_err(|error| log::warn!("no words on the slate: {error}")).ok();
            if let Some(text) = &text {
                text.set_property_from_str("valignment", "center");
                text.set_property_from_str("halignment", "center");
                text.set_property_from_str("line-alignment", "center");
                text.set_property("font-desc", "Sans, 20");
                chain(&pipeline, &[text])?;
                link(&last, text)?;
                last = text.clone();
            }
            let (picture, sink) = producer(&pipeline, &last)?;
            Ok::<_, MediaError>((text, picture, Pulse::of(&sink)))
        })();
        let pipeline = Stops(pipeline);
        let (text, picture, pulse) = built?;
        let since = began(slate)?;
        let mut show = Self { pipeline, text, said: String::new(), slate, since, picture, pulse };
        show.tick();
        play(&show.pipeline.0)?;
        Ok(show)
    }

    /// Brings the words up to date.
    pub fn tick(&mut self) {
        let said = words(self.slate, &self.since, Instant::now());
        if said != self.said {
            if let Some(text) = &self.text {
                text.set_property("text", &said);
            }
            self.said = said;
        }
    }
}

impl Closes for Show {
    fn close(self) {
        drop(self.pipeline);
    }
}

/// The wall clock's time at which it began to be so.
fn began(slate: Slate) -> Result<gst::glib::DateTime, MediaError> {
    let now = gst::glib::DateTime::now_local().map_err(|e| failed(&e))?;
    let gone = match slate {
        Slate::NoCamera { since } => since.elapsed(),
        Slate::Privacy => Duration::ZERO,
    };
    now.add_seconds(-gone.as_secs_f64()).map_err(|e| failed(&e))
}

/// What stands on it.
fn words(slate: Slate, began: &gst::glib::DateTime, now: Instant) -> String {
    match slate {
        Slate::Privacy => "Privacy".to_owned(),
        Slate::NoCamera { since } => {
            let clock = began.format("%H:%M:%S").map(|text| text.to_string()).unwrap_or_default();
            let gone = now.saturating_duration_since(since);
            format!("No camera since {clock}\n({})", lasted(gone))
        }
    }
}

/// "12 s", "2 min", "3 h 5 min", "2 days".
fn lasted(gone: Duration) -> String {
    let seconds = gone.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("for {seconds} s"),
        60..3600 => format!("for {minutes} min"),
        3600..172_800 => format!("for {hours} h {} min", minutes % 60),
        _ => format!("for {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slate_says_since_when_and_for_how_long() {
        let began = gst::glib::DateTime::from_local(2026, 3, 1, 3, 12, 40.0).unwrap();
        let since = Instant::now();
        let after = |seconds| words(Slate::NoCamera { since }, &began, since + Duration::from_secs(seconds));
        assert_eq!(after(0), "No camera since 03:12:40\n(for 0 s)");
        assert_eq!(after(125), "No camera since 03:12:40\n(for 2 min)");
        assert_eq!(after(3 * 3600 + 300), "No camera since 03:12:40\n(for 3 h 5 min)");
        assert_eq!(after(200_000), "No camera since 03:12:40\n(for 2 days)");
        assert_eq!(words(Slate::Privacy, &began, since), "Privacy");
    }
}
