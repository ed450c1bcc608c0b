//! Figures of the process and its machine. Must not know cameras or relays.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus_client::registry::Unit;

use super::Page;
use crate::{machine, memory};

/// Writes them down.
pub fn write(page: &mut Page) {
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.info("build_info", "The version that runs", version);
    page.gauge(
        "start_time",
        "When the daemon was started, since 1970",
        Some(Unit::Seconds),
        started(clock(), up()),
    );
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

/// For how long there has been somebody to ask: [`super::routes`] does at the start.
pub fn up() -> Duration {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    STARTED.get_or_init(Instant::now).elapsed()
}

/// When that began, by the clock as it stands now. A board without a battery starts in the past, and its network sets it
/// right minutes later. In whole seconds, so that it does not change from one look to the next.
fn started(clock: Duration, up: Duration) -> f64 {
    clock.saturating_sub(up).as_secs_f64().round()
}

fn clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_moved_along_when_the_clock_is_set_right() {
        let at = Duration::from_secs_f64;
        assert_eq!(started(at(1_000.2), at(0.0)), 1_000.0);
        assert_eq!(started(at(1_060.3), at(60.0)), 1_000.0);
        assert_eq!(started(at(1_800_000_120.3), at(120.0)), 1_800_000_000.0);
        assert_eq!(started(at(5.0), at(9.0)), 0.0);
    }
}
