//! The board: clock, temperature, power, memory, disk, rights, the service and the daemon. Must not read any of it.

use super::{Finding, mib};
use crate::access::Stamp;

/// Nobody runs this program before it was written: 2026-01-01.
const WRITTEN: Stamp = Stamp(1_767_225_600);

/// Degrees from which a board slows down soon.
const HOT: f64 = 75.0;
/// Degrees at which it does.
const TOO_HOT: f64 = 82.0;

/// Least memory that is left without a word, and without which it does not work.
const MEMORY: (u64, u64) = (96 * 1024 * 1024, 32 * 1024 * 1024);
/// The same for the disk.
const DISK: (u64, u64) = (64 * 1024 * 1024, 2 * 1024 * 1024);

/// What the firmware of a Raspberry Pi says of its power and heat (`vcgencmd get_throttled`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled(pub u32);

impl Throttled {
    /// What the firmware never says: that of all this only is known whether the voltage is too low now.
    pub const ONLY_NOW: u32 = 1 << 31;
}

/// The room on a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Of which folder.
    pub folder: String,
    /// Bytes that are left for us.
    pub free: u64,
    /// Whether it can be written to.
    pub writable: bool,
}

/// A device file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Where it is.
    pub path: String,
    /// The group that may use it.
    pub group: String,
    /// Whether this user may.
    pub usable: bool,
}

/// What the service manager says (`systemctl show porthole`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// `loaded` where there is such a service.
    pub load: String,
    /// `active`, `failed` and so on.
    pub active: String,
    /// `enabled` where it starts by itself.
    pub enabled: String,
    /// How often it was started again.
    pub restarts: u64,
    /// As whom it runs; empty for root.
    pub user: String,
    /// What of the file system it does not see.
    pub hidden: Vec<&'static str>,
    /// It has groups or files of its own that its user has not, so what it may read cannot be told from outside.
    pub furnished: bool,
}

/// A daemon that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Its version.
    pub version: String,
    /// Whether it says that nobody need act.
    pub healthy: bool,
    /// Why not, in its words.
    pub why: String,
}

/// What to make of the wall clock. `synchronised`: the kernel says that somebody keeps it right; `None`: it does not say.
pub fn clock(date: Stamp, synchronised: Option<bool>) -> Finding {
    let about = "clock";
    let fix = "let the network set it: sudo timedatectl set-ntp true (if that is \"not supported\": \
               sudo apt-get install systemd-timesyncd)";
    if date < WRITTEN {
        let says =
            "it stands in the past: certificates are not valid yet, and keys that have ended open the door";
        return Finding::failed(about, says, fix);
    }
    match synchronised {
        Some(false) => {
            Finding::warning(about, "nobody keeps it right, so end dates of keys may come late", fix)
        }
        Some(true) => Finding::ok(about, "kept right by the network"),
        None => Finding::ok(about, "plausible"),
    }
}

/// What to make of the thermometers.
pub fn temperature(zones: &[(String, f64)]) -> Option<Finding> {
    let about = "temperature";
    let (zone, degrees) = zones.iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let says = format!("{degrees:.0} °C ({zone})");
    let fix = "give the board air or a heat sink, or lower width, height or framerate below [video]";
    Some(if *degrees >= TOO_HOT {
        Finding::failed(about, format!("{says}: the board slows itself down"), fix)
    } else if *degrees >= HOT {
        Finding::warning(about, says, fix)
    } else {
        Finding::ok(about, says)
    })
}

/// What to make of what a Raspberry Pi says of its power.
pub fn power(throttled: Option<Throttled>) -> Option<Finding> {
    const UNDER: u32 = 1;
    const SLOWED: u32 = 1 << 1 | 1 << 2 | 1 << 3;
    const EVER: u32 = 16;
    let Throttled(bits) = throttled?;
    let about = "power";
    let supply = "use a stronger power supply and a shorter, thicker cable";
    Some(if bits & UNDER != 0 {
        Finding::failed(about, "the voltage is too low now: cameras drop out and cards break", supply)
    } else if bits & SLOWED != 0 {
        Finding::warning(
            about,
            "the board is slowed down now, by heat or by its supply",
            "give it air, and see the temperature",
        )
    } else if bits & UNDER << EVER != 0 {
        Finding::warning(about, "the voltage was too low at some time since the board was started", supply)
    } else if bits & SLOWED << EVER != 0 {
        Finding::warning(
            about,
            "the board was slowed down at some time since it was started",
            "give it air, and see the temperature",
        )
    } else if bits & Throttled::ONLY_NOW != 0 {
        Finding::ok(about, "the voltage is not too low now; whether it was is not known here")
    } else {
        Finding::ok(about, "the voltage was never too low, and the board never slowed down")
    })
}

/// What to make of the memory that is left (MemAvailable).
pub fn memory(available: u64) -> Finding {
    let (about, says) = ("memory", format!("{} are free", mib(available)));
    let fix =
        "stop what else runs here (`ps aux --sort=-rss | head`), or lower width and height below [video]";
    match available {
        less if less < MEMORY.1 => Finding::failed(about, says, fix),
        less if less < MEMORY.0 => Finding::warning(about, says, fix),
        _ => Finding::ok(about, says),
    }
}

/// What to make of the disk under the state directory.
pub fn disk(room: &Room) -> Finding {
    let about = "disk";
    let Room { folder, free, writable } = room;
    if !writable {
        let fix = format!(
            "make it writable for the user that the daemon runs as: ls -ld {folder}, and `mount` where all is read-only"
        );
        return Finding::failed(
            about,
            format!("{folder} cannot be written to, so keys and certificate cannot be kept"),
            fix,
        );
    }
    let says = format!("{} are free in {folder}", mib(*free));
    let fix = "make room: sudo apt-get clean; sudo journalctl --vacuum-size=50M";
    match *free {
        less if less < DISK.1 => Finding::failed(about, says, fix),
        less if less < DISK.0 => Finding::warning(about, says, fix),
        _ => Finding::ok(about, says),
    }
}

/// What to make of the device files, for the user that this is asked as.
pub fn rights(user: &str, devices: &[Device]) -> Finding {
    let about = "rights";
    let closed: Vec<&Device> = devices.iter().filter(|device| !device.usable).collect();
    let Some(first) = closed.first() else {
        return Finding::ok(
            about,
            match devices.len() {
                0 => format!("there are no cameras or sound cards that {user} could be kept from"),
                count => format!("{user} may use all {count} devices for picture and sound"),
            },
        );
    };
    let mut groups: Vec<&str> = closed.iter().map(|device| device.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let more = if closed.len() > 1 { format!(" and {} more", closed.len() - 1) } else { String::new() };
    let fix = format!(
        "sudo usermod -aG {} {user}, and log in again (the service has these groups by itself)",
        groups.join(",")
    );
    Finding::failed(about, format!("{user} may not use {}{more}", first.path), fix)
}

/// What to make of the service. `answers`: there is some daemon on this machine that could be asked.
pub fn service(service: Option<&Service>, answers: bool) -> Finding {
    let about = "service";
    let Some(Service { active, enabled, restarts, .. }) = service.filter(|service| service.load == "loaded")
    else {
        return Finding::ok(about, "not installed as one");
    };
    let look = "journalctl -u porthole -e says why";
    let again = || match restarts {
        0 => String::new(),
        1 => ", and it had to be started again once".to_owned(),
        many => format!(", and it had to be started again {many} times"),
    };
    match active.as_str() {
        "failed" => {
            Finding::failed(about, "it has failed", format!("{look}; then sudo systemctl restart porthole"))
        }
        "activating" if *restarts > 0 => {
            Finding::failed(about, format!("it does not stay up: {active}{}", again()), look)
        }
        "active" | "reloading" if !answers => {
            let fix = format!("{look}; then sudo systemctl restart porthole");
            Finding::failed(about, format!("{active}, and no daemon answers{}", again()), fix)
        }
        "activating" if !answers => Finding::warning(
            about,
            "it is being started, and no daemon answers yet",
            format!("look again in a minute; if that stays so: {look}"),
        ),
        "active" | "reloading" if *restarts > 0 => {
            Finding::warning(about, format!("{active}{}", again()), look)
        }
        "active" | "activating" | "reloading" if enabled != "enabled" => Finding::warning(
            about,
            format!("{active}, and it does not start by itself"),
            "sudo systemctl enable porthole",
        ),
        "active" | "activating" | "reloading" => {
            Finding::ok(about, format!("{active}, and it starts by itself"))
        }
        other => {
            Finding::warning(about, format!("installed, and {other}"), "sudo systemctl enable --now porthole")
        }
    }
}

/// What to make of the daemon, where one runs; `ours` is the version of who asks, who tries the devices where none does.
pub fn daemon(daemon: Option<&Daemon>, ours: &str, tries: bool) -> Finding {
    let about = "daemon";
    match daemon {
        None if !tries => Finding::ok(about, "none runs"),
        None => Finding::ok(about, "none runs, so devices were tried here"),
        Some(daemon) if !daemon.healthy => {
            let fix = "`porthole status` says more, and so does the log: journalctl -u porthole -e";
            Finding::failed(about, format!("it runs and is not well: {}", daemon.why), fix)
        }
        Some(daemon) if daemon.version != ours => Finding::warning(
            about,
            format!("version {} runs, and {ours} is installed", daemon.version),
            "sudo systemctl restart porthole",
        ),
        Some(daemon) => Finding::ok(about, format!("version {} runs, and is well", daemon.version)),
    }
}
