//! Figures of the process and its machine. Must not know cameras or relays.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::registry::Unit;

use super::Page;
use crate::{machine, memory};

/// Writes them down.
pub fn write(page: &mut Page) {
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.info("build_info", "The version that runs", version);
    page.gauge("start_time", "When the daemon was started, since 1970", Some(Unit::Seconds), started());
    let bytes = || Some(Unit::Bytes);
    if let Some(heap) = memory::in_use() {
        page.gauge("heap", "Memory that is allocated and not freed", bytes(), heap as f64);
    }
    if let Some(resident) = memory::resident() {
        page.gauge("resident_memory", "Memory that the process takes up", bytes(), resident as f64);
    }
    if let Some(cpu) = machine::cpu_seconds() {
        page.counter("cpu", "Processor time that the process has used", Some(Unit::Seconds), cpu);
    }
    let degrees = machine::temperatures();
    page.gauges("temperature", "Thermometers of the machine", ("zone", Some(Unit::Celsius)), degrees);
}

/// When somebody first asked. [`super::routes`] does, before there is anybody else.
pub fn started() -> f64 {
    static STARTED: OnceLock<f64> = OnceLock::new();
    *STARTED
        .get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()))
}
