//! What people and programs are told of a board with a webcam and a camera module.

use porthole_core::config::settings::Settings;
use porthole_core::plan::camera::{Holder, Nature};
use porthole_core::plan::controls::{Control, Range};
use porthole_core::plan::encoder::Outcome;
use porthole_core::plan::mode::Mode;

use super::*;

#[test]
fn a_person_reads_what_there_is_what_is_used_and_why_the_rest_is_not() {
    let said = words(&board(), &Settings::default().media);
    let expected = "\
Cameras
  /dev/video2  HD Pro Webcam C920 (uvcvideo, usb-1.2)  <- used
      taken as H.264 1280x720 at 30 frames/s
      video.controls.zoom = 1: the camera HD Pro Webcam C920 has no such control; it has: brightness (0 to 255)
      also /dev/v4l/by-id/usb-C920-video-index0
      open in motion (process 812)
      H.264: 1280x720 (30)
      YUY2: 1280x720 (10), 32x32 to 640x480 (90)
      and formats that are not used: RGGB
      control brightness: 0 to 255, now 128
  Not usable:
    /dev/video0  unicam: it is a part of the board's camera processor: use the camera by libcamera (source = \
\"libcamera\")
    /dev/video3  ?: this user may not open it
  For camera modules of a Raspberry Pi: apt-get install it

Microphones
  plughw:CARD=C920,DEV=0  C920: USB Audio  <- used

Speakers
  none
  ALSA's configuration also names: mic

H.264 encoders, tried with 1280x720
  v4l2h264enc (hardware): does not work: it hung
  mpph264enc (hardware): not here; needs a Rockchip board
  x264enc (software): 20 frames/s, too slow for 30 frames/s
  openh264enc (software): 60 frames/s  <- used
";
    assert_eq!(said, expected);
}

#[test]
fn a_person_without_any_device_reads_that_there_is_none() {
    let nothing = Survey {
        cameras: Vec::new(),
        camera: None,
        pcms: Vec::new(),
        own_names: Vec::new(),
        microphone: None,
        speaker: None,
        trials: Vec::new(),
        encoder: None,
        ..board()
    };
    let said = words(&nothing, &Settings::default().media);
    assert!(
        said.starts_with("Cameras\n  none that can be used\n  Without a camera the test picture is shown.\n"),
        "{said}"
    );
    assert!(said.contains("Microphones\n  none\n") && said.contains("None works: apt-get install"), "{said}");
}

#[test]
fn where_no_encoder_is_fast_enough_the_used_one_says_what_to_do() {
    let slow =
        Survey { trials: vec![trial("x264enc", false, Outcome::Frames(20.0))], encoder: Some(0), ..board() };
    let said = words(&slow, &Settings::default().media);
    assert!(said.contains("20 frames/s  <- used, though too slow for 30 frames/s: lower width"), "{said}");
}

#[test]
fn a_program_reads_the_same() {
    let told = json(&board());
    assert_eq!(told["cameras"][1]["node"], "/dev/video2");
    assert_eq!(told["cameras"][1]["unusable"], Value::Null);
    assert!(told["cameras"][0]["unusable"].as_str().unwrap().contains("libcamera"));
    assert_eq!(
        told["cameras"][1]["offers"][0],
        json!({ "format": "h264", "pixels": "H264", "sizes": { "size": [1280, 720] },
            "rates": [{ "frames": 30, "seconds": 1 }] })
    );
    assert_eq!(
        told["cameras"][1]["offers"][2]["rates"],
        json!({ "slowest": { "frames": 1, "seconds": 1 }, "fastest": { "frames": 90, "seconds": 1 } })
    );
    assert_eq!(
        told["cameras"][1]["controls"][0],
        json!({ "id": 9_963_776, "name": "brightness", "kind": "number", "least": 0, "most": 255, "step": 1,
            "default": 128.0, "value": 128.0, "writable": true })
    );
    assert_eq!(told["cameras"][1]["open_in"], json!([{ "pid": 812, "program": "motion" }]));
    assert_eq!(told["microphones"][0]["name"], "plughw:CARD=C920,DEV=0");
    assert_eq!(told["speakers"], json!([]));
    assert_eq!(
        told["encoders"][0],
        json!({ "encoder": "v4l2h264enc", "hardware": true, "fails": "it hung" })
    );
    assert_eq!(told["encoders"][3]["frames"], 60.0);
    assert_eq!(
        told["used"],
        json!({
            "camera": {
                "node": "/dev/video2",
                "mode": { "format": "h264", "pixels": "H264", "width": 1280, "height": 720,
                    "rate": { "frames": 30, "seconds": 1 } },
                "complaints": ["video.controls.zoom = 1: the camera HD Pro Webcam C920 has no such control; it has: brightness (0 to 255)"],
            },
            "microphone": "plughw:CARD=C920,DEV=0",
            "speaker": null,
            "encoder": "openh264enc",
        })
    );
}

fn board() -> Survey {
    let rate = |frames| Rate { frames, seconds: 1 };
    let offer =
        |format, pixels: &str, sizes, rates| Offer { format, pixels: pixels.to_owned(), sizes, rates };
    let hd = Sizes::One { size: [1280, 720] };
    let steps = Sizes::Steps { smallest: [32, 32], largest: [640, 480], step: [2, 2] };
    let camera = |node: &str, card: &str, driver: &str| Camera {
        node: node.to_owned(),
        stable: Vec::new(),
        card: card.to_owned(),
        driver: driver.to_owned(),
        bus: "usb-1.2".to_owned(),
        nature: Nature::Camera,
        offers: Vec::new(),
        controls: Vec::new(),
        open_in: Vec::new(),
        trouble: None,
    };
    let c920 = Camera {
        stable: vec!["/dev/v4l/by-id/usb-C920-video-index0".to_owned()],
        offers: vec![
            offer(Format::H264, "H264", hd, Rates::These(vec![rate(30)])),
            offer(Format::Raw, "YUY2", hd, Rates::These(vec![rate(5), rate(10)])),
            offer(Format::Raw, "YUY2", steps, Rates::Between { slowest: rate(1), fastest: rate(90) }),
            offer(Format::Other, "RGGB", hd, Rates::These(vec![rate(30)])),
            offer(Format::Other, "RGGB", steps, Rates::These(Vec::new())),
        ],
        controls: vec![Control {
            id: 0x98_0900,
            name: "brightness".to_owned(),
            range: Range::Number { least: 0, most: 255, step: 1 },
            default: 128.0,
            value: Some(128.0),
            writable: true,
        }],
        open_in: vec![Holder { pid: 812, program: "motion".to_owned() }],
        ..camera("/dev/video2", "HD Pro Webcam C920", "uvcvideo")
    };
    let part = Camera { nature: Nature::Part, ..camera("/dev/video0", "unicam", "unicam") };
    let closed =
        Camera { trouble: Some("this user may not open it".to_owned()), ..camera("/dev/video3", "", "") };
    let mode = Mode {
        format: Format::H264,
        pixels: "H264".to_owned(),
        width: 1280,
        height: 720,
        rate: Some(rate(30)),
    };
    let complaint = "video.controls.zoom = 1: the camera HD Pro Webcam C920 has no such control; it has: brightness (0 to 255)";
    Survey {
        cameras: vec![part, c920, closed],
        camera: Some(Ok(Taken {
            node: "/dev/video2".to_owned(),
            mode: Some(mode),
            complaints: vec![complaint.to_owned()],
        })),
        without_libcamera: Some("apt-get install it"),
        pcms: vec![Pcm {
            name: "plughw:CARD=C920,DEV=0".to_owned(),
            card: "C920".to_owned(),
            device: "USB Audio".to_owned(),
            number: 1,
            direction: Direction::Capture,
        }],
        own_names: vec!["mic".to_owned()],
        microphone: Some("plughw:CARD=C920,DEV=0".to_owned()),
        speaker: None,
        trials: vec![
            trial("v4l2h264enc", true, Outcome::Fails("it hung".to_owned())),
            trial("mpph264enc", true, Outcome::Missing("needs a Rockchip board".to_owned())),
            trial("x264enc", false, Outcome::Frames(20.0)),
            trial("openh264enc", false, Outcome::Frames(60.0)),
        ],
        encoder: Some(3),
    }
}

fn trial(encoder: &'static str, hardware: bool, outcome: Outcome) -> Trial {
    Trial { encoder, hardware, outcome }
}
