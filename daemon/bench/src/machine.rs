//! The machine the figures belong to. Must not know the figures.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// What makes figures comparable, or not.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub architecture: &'static str,
    pub kernel: String,
    pub system: String,
    pub gstreamer: String,
    /// Seconds since 1970.
    pub when: u64,
}

/// This machine, now. What cannot be found out is called "unknown".
pub fn describe() -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // x86 says "model name", a Raspberry Pi says "Model" of the board.
    let cpu = value(&cpuinfo, "model name", ':').or_else(|| value(&cpuinfo, "Model", ':'));
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned());
    let gstreamer = output("gst-inspect-1.0", "--version").or_else(|| output("gst-launch-1.0", "--version"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Machine {
        cpu: cpu.unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        architecture: std::env::consts::ARCH,
        kernel: kernel.unwrap_or_else(unknown),
        system: value(&release, "PRETTY_NAME", '=').unwrap_or_else(unknown),
        gstreamer: gstreamer
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix("GStreamer ").map(str::to_owned)))
            .unwrap_or_else(unknown),
        when: now.map_or(0, |since| since.as_secs()),
    }
}

fn value(text: &str, key: &str, separator: char) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once(separator))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

fn output(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

fn unknown() -> String {
    "unknown".into()
}
