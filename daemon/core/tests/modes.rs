//! Which mode of a camera is taken, told with the listings of real cameras.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cameras;

use cameras::camera;
use porthole_core::plan::level::level;
use porthole_core::plan::mode::{Format, Mode, Offer, Rate, Rates, Sizes, Wish, choose};

#[test]
fn a_logitech_c270_gives_720p_as_mjpeg_because_its_raw_picture_is_too_slow() {
    assert_eq!(taken("logitech-c270", 1280, 720, 30), "MJPEG 1280x720 at 30 frames/s");
    assert_eq!(taken("logitech-c270", 1280, 720, 7), "YUY2 1280x720 at 7.5 frames/s");
}

#[test]
fn a_logitech_c270_gives_a_small_picture_raw() {
    assert_eq!(taken("logitech-c270", 640, 480, 30), "YUY2 640x480 at 30 frames/s");
    assert_eq!(taken("logitech-c270", 640, 480, 15), "YUY2 640x480 at 15 frames/s");
}

#[test]
fn a_logitech_c920_encodes_by_itself_in_every_size_that_it_has() {
    assert_eq!(taken("logitech-c920", 1920, 1080, 30), "H.264 1920x1080 at 30 frames/s");
    assert_eq!(taken("logitech-c920", 1280, 720, 15), "H.264 1280x720 at 15 frames/s");
}

#[test]
fn a_logitech_c920_is_not_passed_through_in_another_size_than_the_asked_one() {
    assert_eq!(taken("logitech-c920", 1280, 800, 30), "MJPEG 1600x896 at 30 frames/s");
    assert_eq!(taken("logitech-c920", 2304, 1536, 2), "YUY2 2304x1536 at 2 frames/s");
}

#[test]
fn a_picture_that_is_turned_here_does_not_come_encoded() {
    let wish = Wish { turned_here: true, ..wish(1280, 720, 30) };
    let mode = choose(&camera("logitech-c920").offers, wish).unwrap();
    assert_eq!(mode.to_string(), "MJPEG 1280x720 at 30 frames/s");
}

#[test]
fn a_raspberry_pi_camera_takes_any_size_and_rate_within_its_steps() {
    let pi = "raspberry-pi-camera-v1-bcm2835-v4l2";
    assert_eq!(taken(pi, 1280, 720, 30), "H.264 1280x720 at 30 frames/s");
    assert_eq!(taken(pi, 1234, 568, 17), "H.264 1234x568 at 17 frames/s");
    assert_eq!(taken(pi, 640, 480, 120), "H.264 640x480 at 90 frames/s");
    assert_eq!(taken(pi, 4056, 3040, 10), "I420 2592x1944 at 10 frames/s");
}

#[test]
fn vivid_is_slow_in_large_sizes_and_the_rate_comes_before_the_size() {
    assert_eq!(taken("vivid-6.1", 640, 480, 25), "I420 640x480 at 25 frames/s");
    assert_eq!(taken("vivid-6.1", 1280, 720, 30), "I420 640x360 at 30 frames/s");
    assert_eq!(taken("vivid-6.1", 1280, 720, 12), "I420 1280x720 at 12.5 frames/s");
}

#[test]
fn an_hdmi_grabber_gives_full_hd_as_mjpeg_and_a_small_picture_raw() {
    assert_eq!(taken("hdmi-grabber-ms2109", 1920, 1080, 30), "MJPEG 1920x1080 at 30 frames/s");
    assert_eq!(taken("hdmi-grabber-ms2109", 720, 480, 30), "YUY2 720x480 at 30 frames/s");
    assert_eq!(taken("hdmi-grabber-ms2109", 1280, 720, 60), "MJPEG 1280x720 at 60 frames/s");
}

#[test]
fn a_rate_that_is_not_advertised_is_never_asked_for() {
    for name in [
        "logitech-c270",
        "logitech-c920",
        "hdmi-grabber-ms2109",
        "raspberry-pi-camera-v1-bcm2835-v4l2",
        "vivid-6.1",
    ] {
        let offers = camera(name).offers;
        assert!(!offers.is_empty(), "{name}");
        for framerate in 1..=120 {
            for (width, height) in [(160, 120), (640, 480), (1280, 720), (1920, 1080), (4096, 4096)] {
                let mode = choose(&offers, wish(width, height, framerate)).unwrap();
                assert!(offers.iter().any(|offer| advertises(offer, &mode)), "{name}: {mode}");
            }
        }
    }
}

#[test]
fn a_camera_that_names_no_rate_keeps_its_own() {
    let offer = Offer {
        format: Format::Raw,
        pixels: "UYVY".to_owned(),
        sizes: Sizes::One { size: [1920, 1080] },
        rates: Rates::These(Vec::new()),
    };
    let mode = choose(&[offer], wish(1280, 720, 30)).unwrap();
    assert_eq!(mode.rate, None);
    assert_eq!(mode.to_string(), "UYVY 1920x1080 at the camera's own rate");
}

#[test]
fn the_mosaic_of_a_sensor_is_no_picture() {
    let offers: Vec<_> =
        camera("vivid-6.1").offers.into_iter().filter(|offer| offer.format == Format::Other).collect();
    assert_eq!(offers.len(), 6);
    assert_eq!(choose(&offers, wish(640, 480, 25)), None);
}

#[test]
fn nonsense_from_a_driver_gives_no_mode_and_no_panic() {
    let rate = |frames, seconds| Rate { frames, seconds };
    let sizes = [
        Sizes::One { size: [0, 480] },
        Sizes::Steps { smallest: [64, 64], largest: [32, 32], step: [0, 0] },
        Sizes::Steps { smallest: [0, 0], largest: [u32::MAX, u32::MAX], step: [u32::MAX, 7] },
    ];
    let rates = [
        Rates::These(vec![rate(0, 1), rate(30, 0)]),
        Rates::These(vec![rate(0, 0)]),
        Rates::Between { slowest: rate(90, 1), fastest: rate(0, 1) },
        Rates::Between { slowest: rate(u32::MAX, 0), fastest: rate(u32::MAX, 0) },
    ];
    for sizes in sizes {
        for rates in &rates {
            let offer = Offer { format: Format::Raw, pixels: "I420".to_owned(), sizes, rates: rates.clone() };
            if let Some(mode) = choose(&[offer], wish(640, 480, 30)) {
                assert!(mode.width > 0 && mode.height > 0);
                assert!(mode.rate.is_some_and(|rate| rate.thousandths() > 0));
            }
        }
    }
}

#[test]
fn the_level_is_the_lowest_that_holds_size_rate_and_bitrate() {
    assert_eq!(level(1280, 720, 30, 2000), "3.1");
    assert_eq!(level(1280, 720, 60, 2000), "3.2");
    assert_eq!(level(1920, 1080, 30, 4000), "4");
    assert_eq!(level(1920, 1080, 30, 30_000), "4.1");
    assert_eq!(level(1920, 1080, 60, 4000), "4.2");
    assert_eq!(level(640, 480, 30, 1000), "3");
    assert_eq!(level(320, 240, 15, 300), "1.2");
    assert_eq!(level(16, 16, 1, 50), "1");
    assert_eq!(level(4096, 4096, 120, 50_000), "6");
}

fn wish(width: u32, height: u32, framerate: u32) -> Wish {
    Wish { width, height, framerate, turned_here: false }
}

fn taken(name: &str, width: u32, height: u32, framerate: u32) -> String {
    choose(&camera(name).offers, wish(width, height, framerate)).unwrap().to_string()
}

fn advertises(offer: &Offer, mode: &Mode) -> bool {
    let size = match offer.sizes {
        Sizes::One { size } => size == [mode.width, mode.height],
        Sizes::Steps { smallest, largest, step } => {
            [mode.width, mode.height].iter().enumerate().all(|(at, side)| {
                (smallest[at]..=largest[at]).contains(side) && (side - smallest[at]) % step[at] == 0
            })
        }
    };
    let rate = mode.rate.unwrap();
    let rate = match &offer.rates {
        Rates::These(rates) => rates.contains(&rate),
        Rates::Between { slowest, fastest } => {
            (slowest.thousandths()..=fastest.thousandths()).contains(&rate.thousandths())
        }
    };
    offer.format == mode.format && offer.pixels == mode.pixels && size && rate
}
