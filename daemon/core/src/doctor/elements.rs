//! GStreamer: its version, and the elements without which something does not work. Must not look for them.

use std::collections::BTreeSet;

use super::Finding;

/// The oldest GStreamer that works.
const OLDEST: (u32, u32) = (1, 22);

/// What an element is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every call.
    Calls,
    /// Some of what can be configured.
    Some(&'static str),
}

/// An element, the Debian package that has it, and what it is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: &'static str,
    /// The package.
    pub package: &'static str,
    /// What for.
    pub need: Need,
}

const fn element(name: &'static str, package: &'static str, need: Need) -> Element {
    Element { name, package, need }
}

const BASE: &str = "gstreamer1.0-plugins-base";
const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";

/// Every element that is used, encoders of H.264 apart: those are tried.
pub const ELEMENTS: &[Element] = &[
    element("webrtcbin", BAD, Need::Calls),
    element("dtlsenc", BAD, Need::Calls),
    element("srtpenc", BAD, Need::Calls),
    element("nicesrc", "gstreamer1.0-nice", Need::Calls),
    element("rtph264pay", GOOD, Need::Calls),
    element("rtpopuspay", GOOD, Need::Calls),
    element("rtpbin", GOOD, Need::Calls),
    element("h264parse", BAD, Need::Calls),
    element("watchdog", BAD, Need::Calls),
    element("videoconvert", BASE, Need::Calls),
    element("videoscale", BASE, Need::Calls),
    element("audioconvert", BASE, Need::Calls),
    element("audioresample", BASE, Need::Calls),
    element("opusenc", BASE, Need::Calls),
    element("v4l2src", GOOD, Need::Some("cameras")),
    element("jpegdec", GOOD, Need::Some("cameras that give MJPEG")),
    element("jpegenc", GOOD, Need::Some("/snapshot.jpg")),
    element("alsasrc", "gstreamer1.0-alsa", Need::Some("microphones")),
    element("alsasink", "gstreamer1.0-alsa", Need::Some("speakers")),
    element("rtpopusdepay", GOOD, Need::Some("talking back")),
    element("opusdec", BASE, Need::Some("talking back")),
    element("audiomixer", BASE, Need::Some("talking back")),
    element("volume", BASE, Need::Some("talking back")),
    element("webrtcdsp", BAD, Need::Some("cancelling the echo of who talks back")),
    element("videotestsrc", BASE, Need::Some("the test picture")),
    element("textoverlay", "gstreamer1.0-x", Need::Some("words where a camera is away")),
    element("vp8enc", GOOD, Need::Some("browsers without H.264")),
    element("rtpvp8pay", GOOD, Need::Some("browsers without H.264")),
    element("openh264dec", BAD, Need::Some("cameras that give H.264, for browsers without it")),
];

/// What to make of the version, and of the names in [`ELEMENTS`] that are `missing`.
pub fn judge(version: (u32, u32, u32), missing: &[&str]) -> Vec<Finding> {
    let about = "GStreamer";
    let (major, minor, micro) = version;
    if (major, minor) < OLDEST {
        let says = format!("version {major}.{minor}.{micro} is older than {}.{}", OLDEST.0, OLDEST.1);
        return vec![Finding::failed(
            about,
            says,
            "install Debian 12 or newer, or Raspberry Pi OS made from it",
        )];
    }
    let gone: Vec<&Element> = ELEMENTS.iter().filter(|element| missing.contains(&element.name)).collect();
    let apt = |of: &[&&Element]| {
        let packages: BTreeSet<&str> = of.iter().map(|element| element.package).collect();
        format!("sudo apt-get install {}", packages.into_iter().collect::<Vec<_>>().join(" "))
    };
    let (calls, some): (Vec<&&Element>, Vec<&&Element>) =
        gone.iter().partition(|element| element.need == Need::Calls);
    let mut found = Vec::new();
    if !calls.is_empty() {
        let names: Vec<&str> = calls.iter().map(|element| element.name).collect();
        let says = format!("no call works without what is missing: {}", names.join(", "));
        found.push(Finding::failed(about, says, apt(&calls)));
    }
    if !some.is_empty() {
        let what = some.iter().map(|element| match element.need {
            Need::Some(what) => format!("{} (for {what})", element.name),
            Need::Calls => element.name.to_owned(),
        });
        let says = format!("missing: {}", what.collect::<Vec<_>>().join(", "));
        found.push(Finding::warning(about, says, apt(&some)));
    }
    if found.is_empty() {
        found.push(Finding::ok(about, format!("{major}.{minor}.{micro}, with every element that is used")));
    }
    found
}
