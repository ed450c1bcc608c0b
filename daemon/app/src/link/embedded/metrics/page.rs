//! A page of figures in either text that Prometheus reads. Must not know what is counted.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;

use porthole_core::wire::Reason;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::format::Format;

/// What the name of every figure begins with.
const PREFIX: &str = "porthole";

/// A label, and what it says.
type Labels = Vec<(&'static str, String)>;
type Number = Gauge<f64, AtomicU64>;
type Count = Counter<f64, AtomicU64>;

/// Counts by reason, with 0 for every one that has not been: what was never there has not grown when it comes.
pub fn from_the_start(counts: &BTreeMap<&'static str, u64>) -> BTreeMap<&'static str, u64> {
    let mut all: BTreeMap<_, _> = Reason::ALL.iter().map(|reason| (reason.word(), 0)).collect();
    all.extend(counts);
    all
}

/// Figures, in the order in which they were added. Names get their prefix, unit and `_total` here.
#[derive(Debug)]
pub struct Page(Registry);

impl Page {
    /// An empty page.
    pub fn new() -> Self {
        Self(Registry::with_prefix(PREFIX))
    }

    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) {
        let gauge = Number::default();
        gauge.set(value);
        match unit {
            Some(unit) => self.0.register_with_unit(name, help, unit, gauge),
            None => self.0.register(name, help, gauge),
        }
    }

    /// Such numbers, told apart by what `label` says. Not there where there are none.
    pub fn gauges(
        &mut self,
        name: &str,
        help: &str,
        (label, unit): (&'static str, Option<Unit>),
        values: impl IntoIterator<Item = (String, f64)>,
    ) {
        let family = Family::<Labels, Number>::default();
        for (says, value) in values {
            family.get_or_create(&vec![(label, says)]).set(value);
        }
        match unit {
            Some(unit) => self.0.register_with_unit(name, help, unit, family),
            None => self.0.register(name, help, family),
        }
    }

    /// A number that only grows.
    pub fn counter(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) {
        let counter = Count::default();
        counter.inc_by(value);
        match unit {
            Some(unit) => self.0.register_with_unit(name, help, unit, counter),
            None => self.0.register(name, help, counter),
        }
    }

    /// Such numbers, told apart by what `label` says. Not there where there are none.
    pub fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (impl ToString, &'v u64)>,
    ) {
        let family = Family::<Labels, Count>::default();
        for (says, value) in values {
            family.get_or_create(&vec![(label, says.to_string())]).inc_by(*value as f64);
        }
        self.0.register(name, help, family);
    }

    /// One of `all` words, as Prometheus likes it: each a number of its own, 1 where it is the one.
    pub fn state(&mut self, name: &str, help: &str, all: &[&str], is: &str) {
        let values = all.iter().map(|word| ((*word).to_owned(), f64::from(u8::from(*word == is))));
        self.gauges(name, help, ("state", None), values);
    }

    /// Text about the daemon, beside a 1.
    pub fn info(&mut self, name: &str, help: &str, says: Labels) {
        let family = Family::<Labels, Number>::default();
        family.get_or_create(&says).set(1.0);
        self.0.register(name, help, family);
    }

    /// The text.
    pub fn text(&self, format: Format) -> Option<String> {
        let mut text = String::new();
        encode(&mut text, &self.0).ok()?;
        Some(match format {
            Format::OpenMetrics => text,
            Format::Classic => classic(&text),
        })
    }
}

/// OpenMetrics as text 0.0.4, which knows neither units nor an end, and has no name for a counter but that of its sample:
/// under another one it is of no type. What a label says cannot begin a line, since line feeds in it are escaped.
fn classic(text: &str) -> String {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let counters: HashSet<&str> = types.filter_map(|line| line.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("UNIT" | "EOF"), ..) => continue,
            (Some("#"), Some(word), Some(name), Some(says)) if counters.contains(name) => {
                classic.push_str(&format!("# {word} {name}_total {says}"));
            }
            _ => classic.push_str(line),
        }
        classic.push('\n');
    }
    classic
}
