//! Which encoders there are, in the order in which they are preferred, with what each one wants to be told. It is a
//! table: a new encoder is a new row. Must not know who watches.

use gst::prelude::*;

use super::element::{MediaError, caps_filter, exists, make};
use porthole_core::config::settings::{EncoderChoice, VideoSettings};

/// What to set on an encoder, by GStreamer property name.
#[derive(Debug, Clone, Copy)]
enum Setting {
    /// An enumeration, flag set or number, written as GStreamer reads it.
    Text(&'static str, &'static str),
    /// The bitrate, in this many bits a second for each unit.
    Bitrate(&'static str, u32),
    /// The number of frames from one key frame to the next.
    KeyFrameDistance(&'static str),
    /// V4L2 controls; the bitrate (bits a second) and key frame distance are filled in by name.
    Controls(&'static [(&'static str, Control)]),
}

/// The value of a V4L2 control.
#[derive(Debug, Clone, Copy)]
enum Control {
    Number(i32),
    Bitrate,
    KeyFrameDistance,
}

/// One encoder: the element, its properties and the caps it has to be held to.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    /// GStreamer element factory.
    pub element: &'static str,
    settings: &'static [Setting],
    /// Extra fields of its output caps: name and text.
    output: &'static [(&'static str, &'static str)],
    /// Media type of its output.
    media_type: &'static str,
    /// Whether it runs on hardware made for it.
    pub hardware: bool,
}

/// What both VA encoders want: the one of the low-power engine and the other.
const VA: &[Setting] = &[
    Setting::Bitrate("bitrate", 1000),
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
            ("video_bitrate", Control::Bitrate),
            ("h264_i_frame_period", Control::KeyFrameDistance),
        ])],
        output: &[("level", "4"), ("profile", "constrained-baseline")],
        media_type: "video/x-h264",
        hardware: true,
    },
    Encoder {
        element: "vah264lpenc",
        settings: VA,
        output: &[("profile", "constrained-baseline")],
        media_type: "video/x-h264",
        hardware: true,
    },
    Encoder {
        element: "vah264enc",
        settings: VA,
        output: &[("profile", "constrained-baseline")],
        media_type: "video/x-h264",
        hardware: true,
    },
    Encoder {
        element: "mpph264enc",
        settings: &[
            Setting::Bitrate("bps", 1),
            Setting::KeyFrameDistance("gop"),
            Setting::Text("rc-mode", "cbr"),
            Setting::Text("header-mode", "each-idr"),
        ],
        output: &[],
        media_type: "video/x-h264",
        hardware: true,
    },
    Encoder {
        element: "x264enc",
        settings: &[
            Setting::Text("tune", "zerolatency"),
            Setting::Text("speed-preset", "ultrafast"),
            Setting::Text("bframes", "0"),
            Setting::Text("byte-stream", "true"),
            Setting::Bitrate("bitrate", 1000),
            Setting::KeyFrameDistance("key-int-max"),
        ],
        output: &[("profile", "constrained-baseline")],
        media_type: "video/x-h264",
        hardware: false,
    },
    Encoder {
        element: "openh264enc",
        settings: &[
            Setting::Text("complexity", "low"),
            Setting::Text("usage-type", "camera"),
            Setting::Text("rate-control", "bitrate"),
            Setting::Bitrate("bitrate", 1),
            Setting::KeyFrameDistance("gop-size"),
        ],
        output: &[("profile", "constrained-baseline")],
        media_type: "video/x-h264",
        hardware: false,
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
        Setting::Text("threads", "2"),
        Setting::Bitrate("target-bitrate", 1),
        Setting::KeyFrameDistance("keyframe-max-dist"),
    ],
    output: &[],
    media_type: "video/x-vp8",
    hardware: false,
};

/// The H.264 encoders to try, in order.
///
/// Errors when an encoder named in the configuration is not in the table: the message lists those that are.
pub fn candidates(choice: &EncoderChoice) -> Result<Vec<Encoder>, MediaError> {
    match choice {
        EncoderChoice::Auto => Ok(H264.iter().copied().filter(|e| exists(e.element)).collect()),
        EncoderChoice::Named(name) => {
            let named: Vec<_> = H264.iter().copied().filter(|e| e.element == name).collect();
            if named.is_empty() {
                let known: Vec<_> = H264.iter().map(|e| e.element).collect();
                return Err(MediaError::Failed(format!(
                    "video.encoder = \"{name}\" is not known; allowed are \"auto\", {}",
                    known.join(", ")
                )));
            }
            Ok(named)
        }
    }
}

impl Encoder {
    /// The encoder element with its settings, and the filter that holds its output to what browsers decode.
    pub fn build(&self, video: &VideoSettings) -> Result<[gst::Element; 2], MediaError> {
        let element = make(self.element)?;
        let bits = video.bitrate.saturating_mul(1000);
        let distance = key_frame_distance(video.framerate);
        for setting in self.settings {
            match setting {
                Setting::Text(name, text) => set(&element, name, text),
                Setting::Bitrate(name, unit) => set(&element, name, &(bits / unit).to_string()),
                Setting::KeyFrameDistance(name) => set(&element, name, &distance.to_string()),
                Setting::Controls(controls) => {
                    let mut fields = gst::Structure::new_empty("controls");
                    for (name, control) in *controls {
                        let value = match control {
                            Control::Number(number) => *number,
                            Control::Bitrate => i32::try_from(bits).unwrap_or(i32::MAX),
                            Control::KeyFrameDistance => i32::try_from(distance).unwrap_or(i32::MAX),
                        };
                        fields.set(*name, value);
                    }
                    element.set_property("extra-controls", fields);
                }
            }
        }
        let mut caps = gst::Structure::builder(self.media_type);
        for (name, text) in self.output {
            caps = caps.field(*name, *text);
        }
        let filter = caps_filter(&gst::Caps::builder_full().structure(caps.build()).build())?;
        Ok([element, filter])
    }
}

/// Sets a property that this version of the element may not have.
fn set(element: &gst::Element, name: &str, text: &str) {
    if element.find_property(name).is_some() {
        element.set_property_from_str(name, text);
    } else {
        log::debug!("{} has no property {name}; left alone", element.name());
    }
}

/// Frames from one key frame to the next when nobody asks: viewers that need one ask, so it is long (4 s).
fn key_frame_distance(framerate: u32) -> u32 {
    framerate.saturating_mul(4).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_encoder_is_refused_with_the_known_ones_named() {
        let refused = candidates(&EncoderChoice::Named("h264magic".to_owned())).unwrap_err().to_string();
        assert!(refused.contains("h264magic") && refused.contains("x264enc"), "{refused}");
    }

    #[test]
    fn hardware_comes_before_software() {
        let first_software = H264.iter().position(|e| !e.hardware).unwrap();
        assert!(H264[first_software..].iter().all(|e| !e.hardware));
    }
}
