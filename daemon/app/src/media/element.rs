//! Making elements, with an error that names the package to install. Must not know what they are for.

use gst::prelude::*;

/// Why the media side could not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MediaError {
    /// An element is not installed.
    #[error("the GStreamer element `{element}` is missing; install it with: apt-get install {package}")]
    Missing {
        /// Element factory name.
        element: String,
        /// Debian package.
        package: &'static str,
    },
    /// The configuration names what there is not.
    #[error("{0}")]
    NotAllowed(String),
    /// Elements do not fit each other.
    #[error("cannot link {what}: {why}")]
    Link {
        /// Which elements.
        what: String,
        /// GStreamer's words.
        why: String,
    },
    /// A state change, a promise or a first frame did not come in time.
    #[error("{what} did not happen within {limit:?}")]
    TooLate {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        limit: std::time::Duration,
    },
    /// GStreamer reported an error.
    #[error("{0}")]
    Failed(String),
}

/// Which Debian package holds an element (both Debian 12 and 13).
fn package_of(element: &str) -> &'static str {
    match element {
        "webrtcbin" | "webrtcdsp" | "webrtcechoprobe" | "openh264enc" | "openh264dec" | "h264parse"
        | "vah264enc" | "vah264lpenc" => "gstreamer1.0-plugins-bad",
        "nicesrc" | "nicesink" => "gstreamer1.0-nice",
        "x264enc" => "gstreamer1.0-plugins-ugly",
        "alsasrc" | "alsasink" => "gstreamer1.0-alsa",
        "textoverlay" => "gstreamer1.0-x",
        "v4l2src" | "vp8enc" | "jpegdec" | "jpegenc" | "rtph264pay" | "rtpvp8pay" | "rtpopuspay"
        | "v4l2h264enc" => "gstreamer1.0-plugins-good",
        _ => "gstreamer1.0-plugins-base",
    }
}

/// Makes an element.
pub fn make(factory: &str) -> Result<gst::Element, MediaError> {
    gst::ElementFactory::make(factory)
        .build()
        .map_err(|_| MediaError::Missing { element: factory.to_owned(), package: package_of(factory) })
}

/// Whether an element can be made at all.
pub fn exists(factory: &str) -> bool {
    gst::ElementFactory::find(factory).is_some()
}

/// Adds `elements` to `bin` and links them in the order given.
pub fn chain(bin: &impl IsA<gst::Bin>, elements: &[&gst::Element]) -> Result<(), MediaError> {
    for element in elements {
        bin.as_ref().add(*element).map_err(|e| failed(&e))?;
    }
    elements.windows(2).try_for_each(|pair| link(pair[0], pair[1]))
}

/// Links two elements. Where each has the one pad for it, nobody asks now which formats fit: that is found out when the first
/// picture comes, and asking costs seconds on a slow board where something converts, as from GStreamer 1.26 on each of its
/// formats is compared with each.
pub fn link(from: &impl IsA<gst::Element>, to: &impl IsA<gst::Element>) -> Result<(), MediaError> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let done = match (from.static_pad("src"), to.static_pad("sink")) {
        (Some(source), Some(sink)) => {
            source.link_full(&sink, gst::PadLinkCheck::HIERARCHY).map(|_| ()).map_err(|why| why.to_string())
        }
        _ => from.link(to).map_err(|why| why.to_string()),
    };
    done.map_err(|why| MediaError::Link { what: format!("{} to {}", from.name(), to.name()), why })
}

/// Makes a capsfilter for `caps`.
pub fn caps_filter(caps: &gst::Caps) -> Result<gst::Element, MediaError> {
    let filter = make("capsfilter")?;
    filter.set_property("caps", caps);
    Ok(filter)
}

/// Any GLib error as ours.
pub fn failed(error: &impl std::fmt::Display) -> MediaError {
    MediaError::Failed(error.to_string())
}
