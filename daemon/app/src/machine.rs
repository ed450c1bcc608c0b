//! What the machine says of itself and of this process, read whenever somebody asks. Must not know who does, nor what is too
//! much.

use std::fs;
use std::path::Path;

use porthole_core::doctor::machine::Throttled;

/// Where the kernel keeps its thermometers.
const THERMAL: &str = "/sys/class/thermal";
/// Where the firmware of a Raspberry Pi says what `vcgencmd get_throttled` does.
const THROTTLED: &str = "/sys/devices/platform/soc/soc:firmware/get_throttled";
/// Where the kernel lists what measures voltages, among it that of a Pi whose firmware says nothing there.
const HWMON: &str = "/sys/class/hwmon";
/// Most thermometers that are read.
const ZONES: usize = 16;

/// Seconds of processor time that this process has used (proc_pid_stat(5)).
pub fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // SAFETY: sysconf(3) only reads a number.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    (ticks > 0).then(|| cpu_of(&stat))?.map(|used| used as f64 / ticks as f64)
}

/// Every temperature the machine shows, in degrees Celsius, by the kernel's name for the place ("cpu-thermal").
pub fn temperatures() -> Vec<(String, f64)> {
    temperatures_in(Path::new(THERMAL))
}

/// What a Raspberry Pi says of its power and heat; `None` on other boards.
pub fn throttled() -> Option<Throttled> {
    let bits = fs::read_to_string(THROTTLED)
        .ok()
        .and_then(|text| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok());
    bits.or_else(|| alarm_in(Path::new(HWMON))).map(Throttled)
}

/// The one bit of it that the kernel's own driver knows: the voltage is too low now. What was before it forgets.
fn alarm_in(hwmon: &Path) -> Option<u32> {
    let entries = fs::read_dir(hwmon).ok()?.filter_map(Result::ok);
    entries.map(|entry| entry.path()).find_map(|folder| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let ours = read("name")?.trim() == "rpi_volt";
        ours.then(|| read("in0_lcrit_alarm"))?
            .map(|alarm| Throttled::ONLY_NOW | u32::from(alarm.trim() == "1"))
    })
}

/// Ticks in user and kernel mode. The name before them is anything at all, brackets included.
fn cpu_of(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    // `state` is the first field behind the name; utime and stime are the 12th and 13th.
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
}

fn temperatures_in(folder: &Path) -> Vec<(String, f64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut zones: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("thermal_zone"))
        })
        .collect();
    zones.sort();
    zones.truncate(ZONES);
    let read = |path: &Path, what: &str| fs::read_to_string(path.join(what)).ok();
    let mut found: Vec<(String, f64)> = Vec::new();
    for zone in zones {
        let millidegrees = read(&zone, "temp").and_then(|text| text.trim().parse::<f64>().ok());
        let (Some(millidegrees), Some(kind)) = (millidegrees, read(&zone, "type")) else { continue };
        let same = found.iter().filter(|(name, _)| name.split('/').next() == Some(kind.trim())).count();
        let name = if same == 0 { kind.trim().to_owned() } else { format!("{}/{same}", kind.trim()) };
        found.push((name, millidegrees / 1000.0));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu_of(stat), Some(42));
        assert_eq!(cpu_of("7 (a) S 1"), None);
        let before = cpu_seconds().expect("this process has used some");
        let mut spin = 0_u64;
        while cpu_seconds().is_some_and(|now| now <= before) {
            spin = spin.wrapping_add(1);
        }
        assert!(cpu_seconds().expect("still") > before);
    }

    #[test]
    fn every_thermometer_that_can_be_read_has_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let zone = |name: &str, kind: &str, temp: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("type"), kind).unwrap();
            fs::write(folder.path().join(name).join("temp"), temp).unwrap();
        };
        zone("thermal_zone0", "cpu-thermal\n", "48312\n");
        zone("thermal_zone1", "acpitz\n", "-1000\n");
        zone("thermal_zone2", "acpitz\n", "27800\n");
        zone("thermal_zone3", "broken\n", "\n");
        zone("cooling_device0", "fan\n", "1\n");
        let read = temperatures_in(folder.path());
        let expected = [("cpu-thermal", 48.312), ("acpitz", -1.0), ("acpitz/1", 27.8)];
        assert_eq!(read, expected.map(|(name, degrees)| (name.to_owned(), degrees)));
        assert_eq!(temperatures_in(&folder.path().join("none")), []);
    }

    #[test]
    fn the_voltage_of_a_pi_is_found_among_other_sensors() {
        let hwmon = tempfile::tempdir().unwrap();
        let sensor = |folder: &str, name: &str, alarm: &str| {
            fs::create_dir(hwmon.path().join(folder)).unwrap();
            fs::write(hwmon.path().join(folder).join("name"), name).unwrap();
            fs::write(hwmon.path().join(folder).join("in0_lcrit_alarm"), alarm).unwrap();
        };
        sensor("hwmon0", "cpu_thermal\n", "0\n");
        assert_eq!(alarm_in(hwmon.path()), None);
        sensor("hwmon1", "rpi_volt\n", "1\n");
        assert_eq!(alarm_in(hwmon.path()), Some(Throttled::ONLY_NOW | 1));
        fs::write(hwmon.path().join("hwmon1/in0_lcrit_alarm"), "0\n").unwrap();
        assert_eq!(alarm_in(hwmon.path()), Some(Throttled::ONLY_NOW));
    }
}
