//! What a camera offers, as GStreamer writes it (caps), from and to what the core chooses by. Must not open anything.

use porthole_core::plan::mode::{self, Format, Mode, Offer, Rate, Rates, Sizes};

/// The caps that hold a source to exactly this mode.
pub fn caps(mode: &Mode) -> gst::Caps {
    let builder = match mode.format {
        Format::H264 => gst::Caps::builder("video/x-h264"),
        Format::Mjpeg => gst::Caps::builder("image/jpeg"),
        Format::Raw | Format::Other => gst::Caps::builder("video/x-raw").field("format", &mode.pixels),
    };
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let builder = builder.field("width", number(mode.width)).field("height", number(mode.height));
    match mode.rate {
        Some(rate) => {
            let rate = gst::Fraction::new(number(rate.frames), number(rate.seconds.max(1)));
            builder.field("framerate", rate).build()
        }
        None => builder.build(),
    }
}

/// Every offer inside a camera's caps.
pub fn read(caps: &gst::Caps) -> Vec<Offer> {
    let mut offers = Vec::new();
    for structure in caps.iter() {
        let formats = match structure.name().as_str() {
            "video/x-h264" => vec![(Format::H264, "H264".to_owned())],
            "image/jpeg" => vec![(Format::Mjpeg, "MJPG".to_owned())],
            "video/x-raw" => {
                texts(structure, "format").into_iter().map(|name| (mode::raw(&name), name)).collect()
            }
            _ => continue,
        };
        for sizes in sizes(structure) {
            for (format, pixels) in &formats {
                let (format, pixels) = (*format, pixels.clone());
                offers.push(Offer { format, pixels, sizes, rates: rates(structure) });
            }
        }
    }
    offers
}

/// A field that is one number, a list of numbers, or least, most and step.
enum Numbers {
    These(Vec<u32>),
    Steps([u32; 3]),
}

fn sizes(structure: &gst::StructureRef) -> Vec<Sizes> {
    match (numbers(structure, "width"), numbers(structure, "height")) {
        (Numbers::These(widths), Numbers::These(heights)) => {
            let beside = |width| heights.iter().map(move |height| Sizes::One { size: [width, *height] });
            widths.iter().flat_map(|width| beside(*width)).collect()
        }
        (width, height) => {
            let steps = |numbers: Numbers| match numbers {
                Numbers::Steps(steps) => vec![steps],
                Numbers::These(these) => these.into_iter().map(|one| [one, one, 1]).collect(),
            };
            let heights = steps(height);
            let of = |[w, most_w, step_w]: [u32; 3], [h, most_h, step_h]: [u32; 3]| Sizes::Steps {
                smallest: [w, h],
                largest: [most_w, most_h],
                step: [step_w, step_h],
            };
            steps(width)
                .into_iter()
                .flat_map(|width| heights.iter().map(move |height| of(width, *height)))
                .collect()
        }
    }
}

fn numbers(structure: &gst::StructureRef, field: &str) -> Numbers {
    let positive = |number: i32| u32::try_from(number).unwrap_or(0);
    if let Ok(one) = structure.get::<i32>(field) {
        return Numbers::These(vec![positive(one)]);
    }
    if let Ok(range) = structure.get::<gst::IntRange<i32>>(field) {
        return Numbers::Steps([range.min(), range.max(), range.step()].map(positive));
    }
    let list = structure.get::<gst::List>(field);
    let list = list.map(|list| list.iter().filter_map(|v| v.get::<i32>().ok()).map(positive).collect());
    Numbers::These(list.unwrap_or_default())
}

fn rates(structure: &gst::StructureRef) -> Rates {
    let rate = |fraction: gst::Fraction| Rate {
        frames: u32::try_from(fraction.numer()).unwrap_or(0),
        seconds: u32::try_from(fraction.denom()).unwrap_or(0),
    };
    if let Ok(one) = structure.get::<gst::Fraction>("framerate") {
        return Rates::These(vec![rate(one)]);
    }
    if let Ok(range) = structure.get::<gst::FractionRange>("framerate") {
        return Rates::Between { slowest: rate(range.min()), fastest: rate(range.max()) };
    }
    let list = structure.get::<gst::List>("framerate");
    let list = list.map(|list| list.iter().filter_map(|v| v.get::<gst::Fraction>().ok()).map(rate).collect());
    Rates::These(list.unwrap_or_default())
}

fn texts(structure: &gst::StructureRef, field: &str) -> Vec<String> {
    if let Ok(one) = structure.get::<String>(field) {
        return vec![one];
    }
    structure
        .get::<gst::List>(field)
        .map(|list| list.iter().filter_map(|v| v.get::<String>().ok()).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use porthole_core::plan::mode::{Wish, choose};

    use super::*;

    /// A common USB camera: raw is slow at 720p, MJPEG is not.
    const USB2: &str = "video/x-raw,format=YUY2,width=1280,height=720,framerate={(fraction)10/1,(fraction)5/1};\
        video/x-raw,format=YUY2,width=640,height=480,framerate=(fraction)30/1;\
        image/jpeg,width=1280,height=720,framerate={(fraction)30/1,(fraction)15/1}";

    #[test]
    fn modes_that_v4l2src_reads_out_of_a_camera_are_chosen_and_become_caps_again() {
        assert_eq!(
            taken(USB2, 1280, 720, 30),
            "image/jpeg, width=(int)1280, height=(int)720, framerate=(fraction)30/1"
        );
        assert_eq!(
            taken(USB2, 640, 480, 25),
            "video/x-raw, format=(string)YUY2, width=(int)640, height=(int)480, framerate=(fraction)30/1"
        );
    }

    #[test]
    fn ranges_are_read_as_ranges() {
        let scaler = "video/x-raw,format={I420,NV12},width=[32,2592,2],height=[32,1944,2],framerate=[1/1,90/1];\
            video/x-h264,stream-format=byte-stream,alignment=au,width=[32,1920,2],height=[32,1080,2],framerate=[1/1,90/1]";
        assert_eq!(
            taken(scaler, 1920, 1080, 25),
            "video/x-h264, width=(int)1920, height=(int)1080, framerate=(fraction)25/1"
        );
        assert_eq!(
            taken(scaler, 2000, 1500, 25),
            "video/x-raw, format=(string)I420, width=(int)2000, height=(int)1500, framerate=(fraction)25/1"
        );
    }

    #[test]
    fn a_picture_without_a_rate_keeps_its_own() {
        assert_eq!(
            taken("video/x-raw,format=UYVY,width=1920,height=1080", 1280, 720, 30),
            "video/x-raw, format=(string)UYVY, width=(int)1920, height=(int)1080"
        );
    }

    #[test]
    fn what_cannot_be_used_is_no_mode() {
        gst::init().unwrap();
        let offers = |caps: &str| read(&gst::Caps::from_str(caps).unwrap());
        assert_eq!(offers("video/x-bayer,format=rggb,width=640,height=480,framerate=(fraction)30/1"), []);
        let exotic = offers("video/x-raw,format=P010_10LE,width=640,height=480,framerate=(fraction)30/1");
        assert_eq!(exotic[0].format, Format::Other);
    }

    fn taken(caps: &str, width: u32, height: u32, framerate: u32) -> String {
        gst::init().unwrap();
        let offers = read(&gst::Caps::from_str(caps).unwrap());
        let mode = choose(&offers, Wish { width, height, framerate, turned_here: false }).unwrap();
        super::caps(&mode).to_string()
    }
}
