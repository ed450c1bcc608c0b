//! Which encoders there are, in the order in which they are preferred, with what each one wants to be told. It is a
//! table: a new encoder is a new row. Must not know who watches.

use gst::prelude::*;

use super::element::{MediaError, caps_filter, exists, make};
use porthole_core::config::settings::{EncoderChoice, VideoSettings};
use porthole_core::plan::level::level;

/// What to set on an encoder, by GStreamer property name.
#[derive(Debug, Clone, Copy)]
enum Setting {
    /// An enumeration, flag set or number, written as GStreamer reads it.
    Text(&'static str, &'static str),
    /// The same, for a small picture alone.
    Small(&'static str, &'static str),
    /// The number of frames from one key frame to the next.
    KeyFrameDistance(&'static str),
    /// V4L2 controls; the key frame distance is filled in.
    Controls(&'static [(&'static str, Control)]),
    /// It is not told how long a frame lasts, only when it was taken.
    WithoutDurations,
}

/// The value of a V4L2 control.
#[derive(Debug, Clone, Copy)]
enum Control {
    Number(i32),
    KeyFrameDistance,
}

/// How an encoder is told its bitrate, before it runs and while it does.
#[derive(Debug, Clone, Copy)]
enum Bitrate {
    /// By a property, in this many bits a second for each unit.
    Property(&'static str, u32),
    /// By a V4L2 control, in bits a second.
    Control(&'static str),
}

/// What the caps of an encoder's output say.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// These words.
    Text(&'static str),
    /// The H.264 level that the picture needs: this encoder has to be told.
    Level,
}

/// One encoder: the element, its properties and the caps it has to be held to.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    /// GStreamer element factory.
    pub element: &'static str,
    settings: &'static [Setting],
    bitrate: Bitrate,
    /// The least and most kbit/s that it takes.
    range: [u32; 2],
    /// Extra fields of its output caps.
    output: &'static [(&'static str, Output)],
    /// Media type of its output.
    media_type: &'static str,
    /// Whether it runs on hardware made for it.
    pub hardware: bool,
    /// What to do where it is wanted and not there.
    missing: &'static str,
}

/// The profile that every browser decodes.
const PROFILE: (&str, Output) = ("profile", Output::Text("constrained-baseline"));
/// Where Intel's and AMD's encoders come from.
const VA_PACKAGES: &str = "needs a graphics processor that encodes, and: apt-get install gstreamer1.0-plugins-bad \
    mesa-va-drivers intel-media-va-driver";

/// What both VA encoders want: the one of the low-power engine and the other.
const VA: &[Setting] = &[
    Setting::KeyFrameDistance("key-int-max"),
    Setting::Text("b-frames", "0"),
    Setting::Text("rate-control", "cbr"),
];

/// H.264 encoders, the preferred one first: hardware, then the cheapest software with the lowest delay.
pub const H264: &[Encoder] = &[
    Encoder {
        element: "v4l2h264enc",
        settings: &[Setting::Controls(&[
            ("repeat_sequence_header", Control::Number(1)),
            ("h264_i_frame_period", Control::KeyFrameDistance),
        ])],
        bitrate: Bitrate::Control("video_bitrate"),
        range: [25, 25_000],
        output: &[("level", Output::Level), PROFILE],
        media_type: "video/x-h264",
        hardware: true,
        missing: "needs a board with an encoder of its own, such as a Raspberry Pi up to the 4, and the board maker's kernel",
    },
    Encoder {
        element: "vah264lpenc",
        settings: VA,
        bitrate: Bitrate::Property("bitrate", 1000),
        range: [1, 2_000_000],
        output: &[PROFILE],
        media_type: "video/x-h264",
        hardware: true,
        missing: VA_PACKAGES,
    },
    Encoder {
        element: "vah264enc",
        settings: VA,
        bitrate: Bitrate::Property("bitrate", 1000),
        range: [1, 2_000_000],
        output: &[PROFILE],
        media_type: "video/x-h264",
        hardware: true,
        missing: VA_PACKAGES,
    },
    Encoder {
        element: "mpph264enc",
        settings: &[
            Setting::KeyFrameDistance("gop"),
            Setting::Text("rc-mode", "cbr"),
            Setting::Text("header-mode", "each-idr"),
        ],
        bitrate: Bitrate::Property("bps", 1),
        range: [10, 200_000],
        output: &[],
        media_type: "video/x-h264",
        hardware: true,
        missing: "needs a Rockchip board, with its maker's GStreamer plugin",
    },
    Encoder {
        element: "x264enc",
        settings: &[
            Setting::Text("tune", "zerolatency"),
            Setting::Text("speed-preset", "ultrafast"),
            Setting::Text("bframes", "0"),
            Setting::Text("byte-stream", "true"),
            // Milliseconds that a key frame may take at most: on a narrow way the picture stands still meanwhile.
            Setting::Small("vbv-buf-capacity", "160"),
            Setting::KeyFrameDistance("key-int-max"),
        ],
        bitrate: Bitrate::Property("bitrate", 1000),
        range: [1, 2_000_000],
        output: &[PROFILE],
        media_type: "video/x-h264",
        hardware: false,
        missing: "apt-get install gstreamer1.0-plugins-ugly",
    },
    Encoder {
        element: "openh264enc",
        settings: &[
            Setting::Text("complexity", "low"),
            Setting::Text("usage-type", "camera"),
            Setting::Text("rate-control", "bitrate"),
            Setting::KeyFrameDistance("gop-size"),
        ],
        bitrate: Bitrate::Property("bitrate", 1),
        range: [10, 100_000],
        output: &[PROFILE],
        media_type: "video/x-h264",
        hardware: false,
        missing: "apt-get install gstreamer1.0-plugins-bad",
    },
];

/// The VP8 encoder for browsers without H.264.
pub const VP8: Encoder = Encoder {
    element: "vp8enc",
    settings: &[
        Setting::Text("deadline", "1"),
        Setting::Text("cpu-used", "16"),
        Setting::Text("end-usage", "cbr"),
        Setting::Text("lag-in-frames", "0"),
        Setting::Text("error-resilient", "default"),
        Setting::Text("buffer-initial-size", "300"),
        Setting::Text("buffer-optimal-size", "400"),
        Setting::Text("buffer-size", "600"),
        // Noise, as of a camera in the dark, cannot be made as little as it may be: frames are left out then.
        Setting::Text("dropframe-threshold", "30"),
        Setting::Text("threads", "2"),
        // It divides its bitrate by frames a second that it reckons from the time since the last frame and from how long that
        // lasted. Where a frame is missing, as on a board that cannot keep up, it takes the rate for half of what it is, and
        // makes up to a third more than it was told.
        Setting::Text("timebase", "1/90000"),
        Setting::WithoutDurations,
        Setting::KeyFrameDistance("keyframe-max-dist"),
    ],
    bitrate: Bitrate::Property("target-bitrate", 1),
    range: [10, 1_000_000],
    output: &[],
    media_type: "video/x-vp8",
    hardware: false,
    missing: "apt-get install gstreamer1.0-plugins-good",
};

/// The H.264 encoders that a choice leaves, in order, those that are not here included.
///
/// Errors when an encoder named in the configuration is not in the table: the message lists those that are.
pub fn candidates(choice: &EncoderChoice) -> Result<Vec<Encoder>, MediaError> {
    let EncoderChoice::Named(name) = choice else { return Ok(H264.to_vec()) };
    match H264.iter().find(|encoder| encoder.element == name) {
        Some(encoder) => Ok(vec![*encoder]),
        None => {
            let known: Vec<_> = H264.iter().map(|e| e.element).collect();
            Err(MediaError::NotAllowed(format!(
                "video.encoder = \"{name}\" is not known; allowed are \"auto\", {}",
                known.join(", ")
            )))
        }
    }
}

impl Encoder {
    /// What to do to have it, if it is not here.
    pub fn missing(&self) -> Option<&'static str> {
        (!exists(self.element)).then_some(self.missing)
    }

    /// The encoder element with its settings, and the filter that holds its output to what browsers decode. `small`: for
    /// viewers behind a narrow way.
    pub fn build(&self, video: &VideoSettings, small: bool) -> Result<[gst::Element; 2], MediaError> {
        let element = make(self.element)?;
        let distance = key_frame_distance(video.framerate) * if small { SMALL_DISTANCE } else { 1 };
        for setting in self.settings {
            match setting {
                Setting::Text(name, text) => set(&element, name, text),
                Setting::Small(name, text) if small => set(&element, name, text),
                Setting::Small(..) => {}
                Setting::KeyFrameDistance(name) => set(&element, name, &distance.to_string()),
                Setting::WithoutDurations => without_durations(&element),
                Setting::Controls(controls) => {
                    let mut fields = gst::Structure::new_empty("controls");
                    for (name, control) in *controls {
                        let value = match control {
                            Control::Number(number) => *number,
                            Control::KeyFrameDistance => i32::try_from(distance).unwrap_or(i32::MAX),
                        };
                        fields.set(*name, value);
                    }
                    element.set_property("extra-controls", fields);
                }
            }
        }
        self.set_bitrate(&element, video.bitrate);
        let mut caps = gst::Structure::builder(self.media_type);
        for (name, output) in self.output {
            caps = caps.field(
                *name,
                match output {
                    Output::Text(text) => *text,
                    Output::Level => level(video.width, video.height, video.framerate, video.bitrate),
                },
            );
        }
        let filter = caps_filter(&gst::Caps::builder_full().structure(caps.build()).build())?;
        Ok([element, filter])
    }

    /// Tells an element that [`Encoder::build`] has made its bitrate in kbit/s, also while it runs; answers what it was
    /// told, which is within what this encoder takes.
    pub fn set_bitrate(&self, element: &gst::Element, kbit: u32) -> u32 {
        let [least, most] = self.range;
        let kbit = kbit.clamp(least, most);
        let bits = kbit.saturating_mul(1000);
        match self.bitrate {
            Bitrate::Property(name, unit) => set(element, name, &(bits / unit).to_string()),
            Bitrate::Control(name) => {
                // The element keeps them all for the next time it opens its device, and sets them at once if it is open.
                let kept = element.property::<Option<gst::Structure>>("extra-controls");
                let mut controls = kept.unwrap_or_else(|| gst::Structure::new_empty("controls"));
                controls.set(name, i32::try_from(bits).unwrap_or(i32::MAX));
                element.set_property("extra-controls", controls);
            }
        }
        kbit
    }
}

/// Takes from what an element is given how long it lasts.
fn without_durations(element: &gst::Element) {
    let Some(pad) = element.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        if let Some(buffer) = info.buffer_mut()
            && buffer.duration().is_some()
        {
            buffer.make_mut().set_duration(None);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Sets a property that this version of the element may not have.
fn set(element: &gst::Element, name: &str, text: &str) {
    if element.find_property(name).is_some() {
        element.set_property_from_str(name, text);
    } else {
        log::debug!("{} has no property {name}; left alone", element.name());
    }
}

/// A small picture has so many times fewer key frames: each takes a narrow way for as long as several frames.
const SMALL_DISTANCE: u32 = 8;

/// Frames from one key frame to the next when nobody asks: viewers that need one ask, so it is long (4 s).
pub fn key_frame_distance(framerate: u32) -> u32 {
    framerate.saturating_mul(4).max(1)
}

/// The same for a camera that encodes by itself, which nobody can ask: who comes waits for the next one.
pub fn own_key_frame_distance(framerate: u32) -> u32 {
    framerate.max(1)
}

/// An element that is no encoder in the place of one, with one property set.
#[cfg(test)]
pub fn stand_in(element: &'static str, property: &'static str, text: &'static str) -> Encoder {
    let settings: &'static [Setting] = Box::leak(Box::new([Setting::Text(property, text)]));
    Encoder { element, settings, output: &[], media_type: "video/x-raw", ..VP8 }
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
