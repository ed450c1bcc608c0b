//! Cameras as `v4l2-ctl --info --list-formats-ext --list-ctrls-menus` prints them. What stands in the listings was put
//! together from those that owners of these cameras have published.

use porthole_core::plan::camera::{Camera, Nature};
use porthole_core::plan::controls::{Control, Range};
use porthole_core::plan::mode::{self, Offer, Rate, Rates, Sizes};

/// The camera in `<name>.txt`, as `/dev/video0`.
pub fn camera(name: &str) -> Camera {
    let path = format!("{}/tests/cameras/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
        line.unwrap().trim_start_matches([' ', ':']).to_owned()
    };
    Camera {
        node: "/dev/video0".to_owned(),
        stable: Vec::new(),
        card: field("Card type"),
        driver: field("Driver name"),
        bus: field("Bus info"),
        nature: Nature::Camera,
        offers: offers(&text),
        controls: controls(&text),
        open_in: Vec::new(),
        trouble: None,
    }
}

fn offers(text: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    let mut letters = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            letters = line.split('\'').nth(1).unwrap();
        } else if let Some(size) = line.strip_prefix("Size: Discrete ") {
            offers.push(offer(letters, Sizes::One { size: pair(size) }));
        } else if let Some(steps) = line.strip_prefix("Size: Stepwise ") {
            let mut words = steps.split(' ');
            let (smallest, largest) = (pair(words.next().unwrap()), pair(words.nth(1).unwrap()));
            let step = pair(&words.nth(2).unwrap().replace('/', "x"));
            let mut offer = offer(letters, Sizes::Steps { smallest, largest, step });
            // v4l2-ctl prints no rates beside such sizes; this driver's are from its source.
            let second = |frames| Rate { frames, seconds: 1 };
            offer.rates = Rates::Between { slowest: second(1), fastest: second(90) };
            offers.push(offer);
        } else if line.starts_with("Interval: Discrete ") {
            let frames: f64 = line.split(['(', ' ']).rev().nth(1).unwrap().parse().unwrap();
            let rate = Rate { frames: (frames * 1000.0).round() as u32, seconds: 1000 };
            match &mut offers.last_mut().unwrap().rates {
                Rates::These(rates) => rates.push(rate),
                Rates::Between { .. } => panic!("{line}"),
            }
        }
    }
    offers
}

fn offer(letters: &str, sizes: Sizes) -> Offer {
    let (format, pixels) = mode::meaning(letters);
    Offer { format, pixels: pixels.to_owned(), sizes, rates: Rates::These(Vec::new()) }
}

fn pair(text: &str) -> [u32; 2] {
    let (one, other) = text.split_once('x').unwrap();
    [one.parse().unwrap(), other.parse().unwrap()]
}

fn controls(text: &str) -> Vec<Control> {
    let mut controls: Vec<Control> = Vec::new();
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [name, id, kind, ":", facts @ ..] = words.as_slice()
            && let Some(id) = id.strip_prefix("0x")
        {
            let fact = |key: &str| {
                facts.iter().find_map(|fact| fact.strip_prefix(key)?.strip_prefix('=')?.parse::<i64>().ok())
            };
            let range = match *kind {
                "(int)" => Range::Number {
                    least: fact("min").unwrap(),
                    most: fact("max").unwrap(),
                    step: fact("step").unwrap(),
                },
                "(bool)" => Range::Switch,
                "(menu)" => Range::Menu { words: Vec::new() },
                other => panic!("{other}"),
            };
            controls.push(Control {
                id: u32::from_str_radix(id, 16).unwrap(),
                name: (*name).to_owned(),
                range,
                default: fact("default").unwrap() as f64,
                value: fact("value").map(|value| value as f64),
                writable: !line.contains("read-only"),
            });
        } else if let Some((number, word)) = line.split_once(": ")
            && let Ok(number) = number.parse::<i64>()
            && let Some(Control { range: Range::Menu { words }, .. }) = controls.last_mut()
        {
            words.push((number, word.to_owned()));
        }
    }
    controls
}
