//! Which camera, which of its controls, which microphone and which encoder.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cameras;

use std::path::PathBuf;

use cameras::camera;
use porthole_core::config::settings::{CameraName, ControlValue, DayNight, Flip, Look};
use porthole_core::plan::camera::{Camera, Nature, pick, stable_name};
use porthole_core::plan::controls::{self, Judgement, judge, plain};
use porthole_core::plan::encoder::{self, Outcome, Trial};
use porthole_core::plan::sound::{self, Direction};

#[test]
fn the_first_camera_that_can_be_used_is_taken_wherever_it_stands() {
    let all = [part("unicam"), isp(), codec(), metadata(), at(camera("logitech-c270"), "/dev/video8")];
    assert_eq!(pick(&all, &CameraName::Any, None).unwrap().node, "/dev/video8");
    assert_eq!(pick(&all, &CameraName::V4l2(None), None).unwrap().node, "/dev/video8");
}

#[test]
fn a_raspberry_pi_with_a_camera_module_has_no_v4l2_camera_but_one_of_libcamera() {
    let all = [part("unicam"), part("rp1-cfe"), isp(), codec(), imx219()];
    assert_eq!(pick(&all, &CameraName::Any, None).unwrap().card, "imx219");
    assert!(pick(&all, &CameraName::V4l2(None), None).unwrap_err().contains("no V4L2 camera"));
    assert_eq!(pick(&all, &CameraName::Libcamera(None), None).unwrap().card, "imx219");
    for part in &all[..3] {
        let why = part.unusable().unwrap();
        assert!(why.contains("source = \"libcamera\""), "{why}");
    }
}

#[test]
fn v4l2_comes_before_libcamera_unless_it_is_asked_for() {
    let all = [imx219(), camera("logitech-c920")];
    assert_eq!(pick(&all, &CameraName::Any, None).unwrap().card, "HD Pro Webcam C920");
    assert_eq!(pick(&all, &CameraName::Libcamera(Some("imx219".into())), None).unwrap().card, "imx219");
    let why = pick(&all, &CameraName::Libcamera(Some("ov5647".into())), None).unwrap_err();
    assert!(why.contains("ov5647") && why.contains("/base/soc/i2c0mux/i2c@1/imx219@10"), "{why}");
}

#[test]
fn an_hdmi_bridge_behind_the_pi_s_camera_port_is_a_camera() {
    let mut bridge = at(camera("hdmi-grabber-ms2109"), "/dev/video0");
    bridge.driver = "unicam".to_owned();
    assert_eq!(bridge.unusable(), None);
}

#[test]
fn a_camera_is_found_by_its_stable_name_under_whatever_number() {
    let id = "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1234-video-index0";
    let mut c920 = at(camera("logitech-c920"), "/dev/video2");
    c920.stable = vec![id.to_owned()];
    let all = [at(camera("logitech-c270"), "/dev/video0"), c920];
    let named = |path: &str| CameraName::V4l2(Some(PathBuf::from(path)));
    assert_eq!(pick(&all, &named(id), None).unwrap().node, "/dev/video2");
    assert_eq!(pick(&all, &named("/dev/front"), Some("/dev/video2")).unwrap().node, "/dev/video2");
    let why = pick(&all, &named("/dev/video7"), None).unwrap_err();
    assert!(why.contains("/dev/video7 is not there") && why.contains("/dev/video0, /dev/video2"), "{why}");
}

#[test]
fn a_camera_that_is_named_but_cannot_be_used_says_why() {
    let mut busy = camera("logitech-c920");
    busy.trouble = Some("this user may not open it: add it to the group `video`".to_owned());
    let name = CameraName::V4l2(Some(PathBuf::from("/dev/video0")));
    let why = pick(&[busy], &name, None).unwrap_err();
    assert_eq!(
        why,
        "the camera /dev/video0 cannot be used: this user may not open it: add it to the group `video`"
    );
    let why = pick(&[at(metadata(), "/dev/video0")], &name, None).unwrap_err();
    assert!(why.ends_with("it gives no pictures"), "{why}");
}

#[test]
fn without_any_camera_it_is_said() {
    for name in [CameraName::Any, CameraName::V4l2(None), CameraName::Libcamera(None)] {
        assert!(pick(&[], &name, None).unwrap_err().contains("porthole devices"));
    }
}

#[test]
fn a_camera_is_followed_by_what_it_is() {
    let c920 = with_names(camera("logitech-c920"), "usb-C920", "usb-0:1.2");
    assert_eq!(stable_name(&c920, std::slice::from_ref(&c920)), Some("/dev/v4l/by-id/usb-C920"));
}

#[test]
fn two_cameras_that_call_themselves_the_same_are_followed_by_their_ports() {
    let one = with_names(camera("logitech-c270"), "usb-C270", "usb-0:1.2");
    let mut other = with_names(camera("logitech-c270"), "usb-C270", "usb-0:1.3");
    other.bus = "usb-0000:00:14.0-2".to_owned();
    let all = [one, other];
    assert_eq!(stable_name(&all[0], &all), Some("/dev/v4l/by-path/usb-0:1.2"));
    assert_eq!(stable_name(&all[1], &all), Some("/dev/v4l/by-path/usb-0:1.3"));
}

#[test]
fn a_camera_without_names_that_stay_has_none() {
    let vivid = camera("vivid-6.1");
    assert_eq!(stable_name(&vivid, std::slice::from_ref(&vivid)), None);
}

#[test]
fn controls_are_set_by_name_and_what_rules_a_number_comes_first() {
    let wanted = [
        ("exposure_time_absolute", ControlValue::Number(300)),
        ("brightness", ControlValue::Number(140)),
        ("auto_exposure", ControlValue::Word("manual".to_owned())),
        ("white_balance_automatic", ControlValue::Switch(false)),
    ];
    let judgement = judged("logitech-c920", &wanted);
    assert_eq!(judgement.complaints, Vec::<String>::new());
    assert_eq!(
        set(&judgement),
        [
            ("auto_exposure", 1.0),
            ("white_balance_automatic", 0.0),
            ("exposure_time_absolute", 300.0),
            ("brightness", 140.0)
        ]
    );
}

#[test]
fn a_control_that_a_camera_does_not_have_is_complained_of_with_those_it_has() {
    let judgement = judged("hdmi-grabber-ms2109", &[("zoom", ControlValue::Number(1))]);
    assert_eq!(
        judgement.complaints,
        ["video.controls.zoom = 1: the camera UVC Camera (534d:2109): USB Vid has no such control; it has: \
             brightness (-128 to 127), contrast (0 to 255), saturation (0 to 255), hue (-128 to 127)"]
    );
    assert_eq!(set(&judgement), []);
}

#[test]
fn a_value_that_a_camera_does_not_allow_is_complained_of_with_what_it_allows_and_stops_nothing_else() {
    let wanted = [
        ("brightness", ControlValue::Number(256)),
        ("focus_absolute", ControlValue::Number(7)),
        ("auto_exposure", ControlValue::Word("off".to_owned())),
        ("white_balance_automatic", ControlValue::Number(2)),
        ("contrast", ControlValue::Decimal(0.5)),
        ("sharpness", ControlValue::Number(100)),
    ];
    let judgement = judged("logitech-c920", &wanted);
    assert_eq!(
        judgement.complaints,
        [
            "video.controls.brightness = 256: the camera HD Pro Webcam C920 allows 0 to 255",
            "video.controls.focus_absolute = 7: the camera HD Pro Webcam C920 allows 0 to 250 in steps of 5",
            "video.controls.auto_exposure = \"off\": the camera HD Pro Webcam C920 allows \"manual_mode\", \
             \"aperture_priority_mode\"",
            "video.controls.white_balance_automatic = 2: the camera HD Pro Webcam C920 allows true or false",
            "video.controls.contrast = 0.5: the camera HD Pro Webcam C920 allows 0 to 255",
        ]
    );
    assert_eq!(set(&judgement), [("sharpness", 100.0)]);
}

#[test]
fn a_word_of_a_menu_is_known_by_its_beginning_unless_two_begin_alike() {
    let menu = |word: &str| {
        let judgement =
            judged("logitech-c920", &[("power_line_frequency", ControlValue::Word(word.to_owned()))]);
        judgement.settings.first().map(|setting| setting.value)
    };
    assert_eq!((menu("50 Hz"), menu("50hz"), menu("DISABLED")), (Some(1.0), None, Some(0.0)));
    assert_eq!((menu("6"), menu(""), menu("auto")), (Some(2.0), None, None));
}

#[test]
fn a_menu_without_end_is_not_written_out_whole() {
    let words = (0..119).map(|number| (number, format!("{number}p"))).collect();
    let written = controls::Range::Menu { words }.to_string();
    assert!(written.starts_with("\"0p\", \"1p\"") && written.ends_with("\"23p\" … of 119"), "{written}");
}

#[test]
fn formats_have_the_letters_that_v4l2_ctl_prints() {
    let letters = |bytes: &[u8; 4]| porthole_core::plan::mode::letters(*bytes);
    assert_eq!(
        (letters(b"YUYV"), letters(b"Y16 "), letters(b"Y16\xa0")),
        ("YUYV".into(), "Y16".into(), "Y16-BE".into())
    );
}

#[test]
fn names_are_those_that_v4l2_ctl_prints() {
    assert_eq!(plain("White Balance, Automatic"), "white_balance_automatic");
    assert_eq!(plain("Exposure Time, Absolute"), "exposure_time_absolute");
    assert_eq!(plain(" 50 Hz "), "50_hz");
}

#[test]
fn a_picture_is_turned_by_the_camera_where_it_can_and_here_where_it_cannot() {
    let upside_down = Flip { horizontal: true, vertical: true };
    let look = Look { flip: upside_down, ..Look::default() };
    let pi = of("raspberry-pi-camera-v1-bcm2835-v4l2", &look);
    assert_eq!(set(&pi), [("horizontal_flip", 1.0), ("vertical_flip", 1.0)]);
    assert_eq!(pi.turn, Flip::default());
    let c270 = of("logitech-c270", &look);
    assert_eq!((set(&c270), c270.turn), (vec![], upside_down));
}

#[test]
fn a_camera_that_was_turned_before_is_turned_back() {
    let judgement = of("vivid-6.1", &Look::default());
    assert_eq!(set(&judgement), [("horizontal_flip", 0.0), ("vertical_flip", 0.0)]);
}

#[test]
fn by_night_frames_may_take_longer_and_have_no_colour_as_far_as_the_camera_can() {
    let by = |name: &str, day_night| of(name, &Look { day_night, ..Look::default() });
    assert_eq!(
        set(&by("logitech-c270", DayNight::Night)),
        [("exposure_dynamic_framerate", 1.0), ("saturation", 0.0)]
    );
    assert_eq!(set(&by("logitech-c270", DayNight::Day)), [("exposure_dynamic_framerate", 0.0)]);
    assert_eq!(set(&by("logitech-c270", DayNight::Camera)), []);
    let pi = by("raspberry-pi-camera-v1-bcm2835-v4l2", DayNight::Night);
    assert!(set(&pi).contains(&("scene_mode", 8.0)) && set(&pi).contains(&("saturation", -100.0)));
    let grabber = by("hdmi-grabber-ms2109", DayNight::Day);
    assert!(grabber.complaints[0].contains("has nothing to set for it"), "{grabber:?}");
}

#[test]
fn what_is_written_by_name_comes_before_what_a_plain_word_means() {
    let controls = vec![("saturation".to_owned(), ControlValue::Number(50))];
    let look = Look { day_night: DayNight::Night, controls, ..Look::default() };
    let judgement = of("logitech-c270", &look);
    let saturation: Vec<_> = set(&judgement).into_iter().filter(|(name, _)| *name == "saturation").collect();
    assert_eq!(saturation, [("saturation", 50.0)]);
}

#[test]
fn a_camera_that_encodes_is_told_the_bitrate_in_its_own_steps() {
    let pi = camera("raspberry-pi-camera-v1-bcm2835-v4l2");
    let settings = controls::own_encoder(&pi.controls, 1510, 120);
    let named: Vec<_> = settings.iter().map(|setting| (setting.name.as_str(), setting.value)).collect();
    assert_eq!(
        named,
        [("repeat_sequence_header", 1.0), ("video_bitrate", 1_500_000.0), ("h264_i_frame_period", 120.0)]
    );
    assert_eq!(controls::own_encoder(&camera("logitech-c920").controls, 1510, 120), []);
}

/// A Raspberry Pi with a USB camera and headphones, as its kernel writes it.
const CARDS: &str = " 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [C920           ]: USB-Audio - HD Pro Webcam C920
                      HD Pro Webcam C920 at usb-0000:01:00.0-1.2, high speed
";
const PCMS: &str = "00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
01-00: USB Audio : USB Audio : capture 1
";

#[test]
fn microphones_and_speakers_have_names_that_do_not_change_with_their_numbers() {
    let found = sound::read(CARDS, PCMS);
    let named: Vec<_> = found.iter().map(|pcm| (pcm.name.as_str(), pcm.direction)).collect();
    assert_eq!(
        named,
        [
            ("plughw:CARD=C920,DEV=0", Direction::Capture),
            ("plughw:CARD=Headphones,DEV=0", Direction::Playback)
        ]
    );
    assert_eq!(found[0].card, "HD Pro Webcam C920");
}

#[test]
fn a_microphone_that_is_not_on_the_first_card_is_found_all_the_same() {
    let found = sound::read(CARDS, PCMS);
    assert_eq!(sound::microphone(&found, false), Some("plughw:CARD=C920,DEV=0"));
    assert_eq!(sound::microphone(&found, true), Some("default"));
    let laptop = sound::read(
        " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n",
        "00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1\n00-03: HDMI 0 : HDMI 0 : playback 1\n",
    );
    assert_eq!(sound::microphone(&laptop, false), Some("default"));
    assert_eq!(laptop.len(), 3);
    assert_eq!(sound::microphone(&sound::read("--- no soundcards ---\n", ""), true), None);
}

#[test]
fn names_of_somebody_s_own_alsa_configuration_are_known() {
    let text =
        "pcm.!default { type plug }\npcm.mic {\n}\n# pcm.not\n pcm.mic.slave.pcm \"hw:1\"\nctl.!default x\n";
    assert_eq!(sound::own_names(text), ["default", "mic"]);
}

#[test]
fn the_first_encoder_that_keeps_up_is_taken() {
    let trials = [
        trial("v4l2h264enc", Outcome::Fails("no frame within 8s".into())),
        trial("x264enc", Outcome::Frames(20.0)),
        trial("openh264enc", Outcome::Frames(60.0)),
    ];
    assert_eq!(encoder::choose(&trials, 30), Some(2));
    assert_eq!(encoder::choose(&trials, 15), Some(1));
}

#[test]
fn where_no_encoder_keeps_up_the_fastest_one_is_taken() {
    let trials = [
        trial("x264enc", Outcome::Frames(12.0)),
        trial("openh264enc", Outcome::Frames(25.0)),
        trial("vah264enc", Outcome::Missing("apt-get install …".into())),
    ];
    assert_eq!(encoder::choose(&trials, 60), Some(1));
    assert_eq!(encoder::choose(&trials[2..], 60), None);
}

#[test]
fn where_none_gave_a_picture_in_time_software_goes_on_before_hardware_that_may_hang() {
    let hardware = Trial { hardware: true, ..trial("v4l2h264enc", Outcome::Late(8)) };
    let trials = [
        trial("mpph264enc", Outcome::Missing("needs a Rockchip board".into())),
        hardware.clone(),
        trial("openh264enc", Outcome::Fails("no memory".into())),
        trial("x264enc", Outcome::Late(8)),
    ];
    assert_eq!(encoder::choose(&trials, 30), None, "nobody knows that it works");
    assert_eq!(encoder::stand_by(&trials), Some(3));
    assert_eq!(encoder::stand_by(&trials[..3]), Some(1));
    assert_eq!(encoder::stand_by(&[trials[0].clone(), trials[2].clone()]), None);
    assert_eq!(hardware.to_string(), "v4l2h264enc (hardware): no picture within 8 s");
}

fn trial(encoder: &'static str, outcome: Outcome) -> Trial {
    Trial { encoder, hardware: false, outcome }
}

fn judged(name: &str, wanted: &[(&str, ControlValue)]) -> Judgement {
    let controls = wanted.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    of(name, &Look { controls, ..Look::default() })
}

fn of(name: &str, look: &Look) -> Judgement {
    let camera = camera(name);
    judge(&camera.card, &camera.controls, look)
}

fn set(judgement: &Judgement) -> Vec<(&str, f64)> {
    judgement.settings.iter().map(|setting| (setting.name.as_str(), setting.value)).collect()
}

fn at(camera: Camera, node: &str) -> Camera {
    Camera { node: node.to_owned(), ..camera }
}

fn with_names(camera: Camera, id: &str, path: &str) -> Camera {
    Camera { stable: vec![format!("/dev/v4l/by-id/{id}"), format!("/dev/v4l/by-path/{path}")], ..camera }
}

/// A node in front of the picture processor: it advertises everything, and gives it when libcamera has set it up.
fn part(driver: &str) -> Camera {
    Camera { driver: driver.to_owned(), nature: Nature::Part, ..at(camera("vivid-6.1"), "/dev/video0") }
}

fn isp() -> Camera {
    Camera { driver: "bcm2835-isp".to_owned(), ..at(camera("vivid-6.1"), "/dev/video14") }
}

fn codec() -> Camera {
    Camera { nature: Nature::Converter, ..at(camera("vivid-6.1"), "/dev/video11") }
}

fn metadata() -> Camera {
    Camera { nature: Nature::NoPicture, offers: Vec::new(), ..at(camera("logitech-c270"), "/dev/video1") }
}

fn imx219() -> Camera {
    Camera {
        card: "imx219".to_owned(),
        driver: "libcamera".to_owned(),
        nature: Nature::Libcamera,
        offers: Vec::new(),
        controls: Vec::new(),
        ..at(camera("vivid-6.1"), "/base/soc/i2c0mux/i2c@1/imx219@10")
    }
}
