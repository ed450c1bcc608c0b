//! A driver that is made up, asked as the kernel's are.

use std::io;

use porthole_core::plan::camera::{Camera, Nature};
use porthole_core::plan::controls::Range;
use porthole_core::plan::mode::{Format, Rate, Rates, Sizes};

use super::super::v4l2::{
    Capability, ControlEntry, Driver, FormatEntry, IntervalEntry, MenuEntry, SizeEntry, control, is,
};
use super::ask;

/// A driver with two formats, two sizes of the first and steps of the second, and four controls.
struct Made {
    bits: u32,
    steps: bool,
}

const USUAL: u32 = is::CAPTURE | is::STREAMING;

impl Made {
    fn webcam() -> Self {
        Self { bits: USUAL, steps: false }
    }
}

fn end<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(libc::EINVAL))
}

fn field<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}

impl Driver for Made {
    fn capability(&self) -> io::Result<Capability> {
        Ok(Capability {
            driver: field("uvcvideo"),
            card: field("Webcam"),
            bus: field("usb-1.2"),
            // The device as a whole can do more than this node.
            capabilities: is::NODE_KNOWN | is::CAPTURE | is::CONVERTER,
            of_this_node: self.bits,
            ..Capability::default()
        })
    }

    fn format(&self, entry: &mut FormatEntry) -> io::Result<()> {
        let Some(letters) = [b"YUYV", b"Y16\xa0"].get(entry.index as usize) else { return end() };
        entry.four_letters = **letters;
        Ok(())
    }

    fn size(&self, entry: &mut SizeEntry) -> io::Result<()> {
        if self.steps {
            (entry.kind, entry.numbers) = (3, [32, 1920, 2, 16, 1080, 4]);
            return Ok(());
        }
        let Some([width, height]) = [[640, 480], [1280, 720]].get(entry.index as usize) else { return end() };
        (entry.kind, entry.numbers) = (1, [*width, *height, 0, 0, 0, 0]);
        Ok(())
    }

    fn interval(&self, entry: &mut IntervalEntry) -> io::Result<()> {
        if self.steps {
            (entry.kind, entry.numbers) = (3, [1, 90, 1, 1, 1, 1]);
            return Ok(());
        }
        let slow: &[[u32; 2]] = &[[2, 15]];
        let fast: &[[u32; 2]] = &[[1, 30], [1001, 30_000]];
        let list = if entry.width == 640 { fast } else { slow };
        let Some([seconds, frames]) = list.get(entry.index as usize) else { return end() };
        (entry.kind, entry.numbers) = (1, [*seconds, *frames, 0, 0, 0, 0]);
        Ok(())
    }

    fn control(&self, entry: &mut ControlEntry) -> io::Result<()> {
        let (least, most, step) = (0, 255, 1);
        let number = ControlEntry { kind: control::NUMBER, least, most, step, ..ControlEntry::default() };
        let all = [
            // A heading.
            ControlEntry { id: 0x98_0001, kind: 6, name: field("User Controls"), ..number },
            ControlEntry { id: 0x98_0900, name: field("Brightness"), default: 128, ..number },
            ControlEntry { id: 0x98_0913, name: field("Gone"), flags: control::DISABLED, ..number },
            ControlEntry {
                id: 0x9a_0901,
                kind: control::MENU,
                name: field("Auto Exposure"),
                most: 3,
                ..number
            },
            ControlEntry {
                id: 0x9a_0913,
                kind: control::NUMBER_MENU,
                name: field("ISO, Rate"),
                most: 1,
                ..number
            },
            ControlEntry {
                id: 0x9a_0914,
                flags: control::READ_ONLY,
                name: field("Lens Temperature"),
                ..number
            },
        ];
        let after = entry.id & !control::NEXT;
        let Some(next) = all.iter().find(|known| known.id > after) else { return end() };
        *entry = *next;
        Ok(())
    }

    fn menu(&self, entry: &mut MenuEntry) -> io::Result<()> {
        entry.word = match (entry.id, entry.index) {
            (0x9a_0901, 1) => field("Manual Mode"),
            (0x9a_0901, 3) => field("Aperture Priority Mode"),
            (0x9a_0913, index) => {
                let mut word = [0xff; 32];
                word[..8].copy_from_slice(&(i64::from(index + 1) * 100_000).to_ne_bytes());
                word
            }
            _ => return end(),
        };
        Ok(())
    }

    fn value(&self, id: u32) -> io::Result<i32> {
        if id == 0x98_0900 { Ok(200) } else { end() }
    }

    fn set(&self, _: u32, _: i32) -> io::Result<()> {
        end()
    }
}

fn asked(driver: &impl Driver) -> Camera {
    ask("/dev/video3", driver).unwrap()
}

#[test]
fn a_camera_says_what_it_is_and_gives() {
    let camera = asked(&Made::webcam());
    assert_eq!((camera.node.as_str(), camera.card.as_str()), ("/dev/video3", "Webcam"));
    assert_eq!((camera.driver.as_str(), camera.bus.as_str()), ("uvcvideo", "usb-1.2"));
    assert_eq!(camera.nature, Nature::Camera);
    let rate = |frames, seconds| Rate { frames, seconds };
    let told: Vec<_> = camera.offers.iter().map(|o| (o.format, o.pixels.as_str(), o.sizes)).collect();
    let one = |width, height| Sizes::One { size: [width, height] };
    assert_eq!(
        told,
        [
            (Format::Raw, "YUY2", one(640, 480)),
            (Format::Raw, "YUY2", one(1280, 720)),
            (Format::Other, "Y16-BE", one(640, 480)),
            (Format::Other, "Y16-BE", one(1280, 720))
        ]
    );
    assert_eq!(camera.offers[0].rates, Rates::These(vec![rate(30, 1), rate(30_000, 1001)]));
    assert_eq!(camera.offers[1].rates, Rates::These(vec![rate(15, 2)]));
}

#[test]
fn sizes_and_rates_may_come_in_steps() {
    let camera = asked(&Made { steps: true, ..Made::webcam() });
    assert_eq!(camera.offers.len(), 2);
    assert_eq!(
        camera.offers[0].sizes,
        Sizes::Steps { smallest: [32, 16], largest: [1920, 1080], step: [2, 4] }
    );
    let (slowest, fastest) = (Rate { frames: 1, seconds: 1 }, Rate { frames: 90, seconds: 1 });
    assert_eq!(camera.offers[0].rates, Rates::Between { slowest, fastest });
}

#[test]
fn controls_come_with_their_ranges_words_and_values() {
    let controls = asked(&Made::webcam()).controls;
    let told: Vec<_> =
        controls.iter().map(|c| (c.name.as_str(), c.range.to_string(), c.value, c.writable)).collect();
    let menu = "\"manual_mode\", \"aperture_priority_mode\"".to_owned();
    assert_eq!(
        told,
        [
            ("brightness", "0 to 255".to_owned(), Some(200.0), true),
            ("auto_exposure", menu, None, true),
            ("iso_rate", "\"100000\", \"200000\"".to_owned(), None, true),
            ("lens_temperature", "0 to 255".to_owned(), None, false)
        ]
    );
    assert!(matches!(&controls[1].range, Range::Menu { words } if words[1].0 == 3));
}

#[test]
fn a_node_is_what_its_own_bits_say_and_not_what_the_device_is() {
    let nature = |bits| asked(&Made { bits, ..Made::webcam() }).nature;
    assert_eq!(nature(USUAL | is::PART), Nature::Part);
    assert_eq!(nature(is::CONVERTER_PLANES | is::STREAMING), Nature::Converter);
    assert_eq!(nature(is::STREAMING | 0x0080_0000), Nature::NoPicture);
    assert_eq!(nature(is::CAPTURE_PLANES | is::STREAMING), Nature::Camera);
    assert!(asked(&Made { bits: USUAL | is::PART, ..Made::webcam() }).offers.is_empty());
}

#[test]
fn a_driver_that_never_ends_a_list_is_not_asked_for_ever() {
    /// Answers every question with the same.
    struct Endless;
    impl Driver for Endless {
        fn capability(&self) -> io::Result<Capability> {
            Made::webcam().capability()
        }
        fn format(&self, _: &mut FormatEntry) -> io::Result<()> {
            Ok(())
        }
        fn size(&self, entry: &mut SizeEntry) -> io::Result<()> {
            entry.kind = 1;
            if entry.index < 2 { Ok(()) } else { end() }
        }
        fn interval(&self, entry: &mut IntervalEntry) -> io::Result<()> {
            entry.kind = 1;
            Ok(())
        }
        fn control(&self, _: &mut ControlEntry) -> io::Result<()> {
            Ok(())
        }
        fn menu(&self, _: &mut MenuEntry) -> io::Result<()> {
            Ok(())
        }
        fn value(&self, _: u32) -> io::Result<i32> {
            end()
        }
        fn set(&self, _: u32, _: i32) -> io::Result<()> {
            end()
        }
    }
    let camera = asked(&Endless);
    assert_eq!((camera.offers.len(), camera.controls.len()), (512, 0));
}
