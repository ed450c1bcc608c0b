//! Observes the board and who asks. Must not judge.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use porthole_core::doctor::machine::{Device, Room, Service};

use crate::state;

/// Whether the kernel knows that somebody keeps its clock right; `None`: it does not say.
pub fn synchronised() -> Option<bool> {
    // SAFETY: all zeroes is a `timex` that asks for nothing to be changed, and adjtimex(2) only fills it.
    let state = unsafe {
        let mut asked: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut asked)
    };
    (state >= 0).then_some(state != libc::TIME_ERROR)
}

/// Bytes that programs may still take (MemAvailable, proc_meminfo(5)).
pub fn memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The room for keys and certificate: where they are, or would be made.
pub fn room() -> Option<Room> {
    let wanted = state::directory()?;
    let folder: PathBuf = wanted.ancestors().find(|folder| folder.exists())?.to_owned();
    let name = CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: all zeroes is a `statvfs`, which statvfs(3) only fills, from a name that ends where C expects it.
    let (asked, room) = unsafe {
        let mut room: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(name.as_ptr(), &raw mut room), room)
    };
    // Types differ by machine.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    let free = u64::from(room.f_bavail).saturating_mul(room.f_frsize as u64);
    (asked == 0).then(|| Room {
        folder: wanted.display().to_string(),
        free,
        writable: may(&folder, libc::W_OK),
    })
}

/// The name of the user who asks.
pub fn user() -> String {
    // SAFETY: geteuid(2) touches no memory and cannot fail.
    let id = unsafe { libc::geteuid() };
    named("/etc/passwd", id).unwrap_or_else(|| format!("user {id}"))
}

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// The numbers of its groups.
    pub groups: Vec<u32>,
}

/// The user with this name, as `passwd(5)` has it.
pub fn user_called(name: &str) -> Option<User> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let mut fields = line.split(':').skip(1);
    let (id, own) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let groups = [own].into_iter().chain(groups_with(name, &text)).collect();
    Some(User { name: name.to_owned(), id, groups })
}

/// The groups among those of `group(5)` that have this member.
fn groups_with(member: &str, text: &str) -> Vec<u32> {
    let group = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let (id, members) = (fields.next()?.parse().ok()?, fields.next()?);
        members.split(',').any(|name| name == member).then_some(id)
    };
    text.lines().filter_map(group).collect()
}

/// Every file that picture or sound goes through.
pub fn devices() -> Vec<Device> {
    devices_in(Path::new("/dev"))
}

fn devices_in(dev: &Path) -> Vec<Device> {
    let folders = [(dev.to_owned(), "video"), (dev.join("snd"), "pcm"), (dev.join("dri"), "renderD")];
    let mut found = Vec::new();
    for (folder, start) in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
        for path in named.map(|entry| entry.path()) {
            let Ok(about) = fs::metadata(&path) else { continue };
            let group = named_group(about.gid());
            let usable = may(&path, libc::R_OK | libc::W_OK);
            found.push(Device { path: path.display().to_string(), group, usable });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// What a service does not see without homes, and with temporary files of its own (systemd.exec(5)).
const HOMES: &[&str] = &["home", "root", "run/user"];
const TEMPORARY: &[&str] = &["tmp", "var/tmp"];

/// What the service manager says; `None` where there is none.
pub fn service() -> Option<Service> {
    let wanted = "--property=LoadState,ActiveState,UnitFileState,NRestarts,User,ProtectHome,PrivateTmp,\
                  SupplementaryGroups,BindPaths,BindReadOnlyPaths";
    let mut asked = Command::new("systemctl");
    asked.args(["show", "porthole.service", wanted]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = asked.output().ok().filter(|output| output.status.success())?;
    Some(service_of(&String::from_utf8_lossy(&output.stdout)))
}

fn service_of(text: &str) -> Service {
    let value = |key: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    Service {
        load: value("LoadState"),
        active: value("ActiveState"),
        enabled: value("UnitFileState"),
        restarts: value("NRestarts").parse().unwrap_or(0),
        user: value("User"),
        hidden: [("ProtectHome", HOMES), ("PrivateTmp", TEMPORARY)]
            .into_iter()
            .filter(|(key, _)| value(key) == "yes")
            .flat_map(|(_, folders)| folders.iter().copied())
            .collect(),
        furnished: ["SupplementaryGroups", "BindPaths", "BindReadOnlyPaths"]
            .iter()
            .any(|key| !value(key).is_empty()),
    }
}

/// Whether this user may do that with a file.
fn may(path: &Path, what: libc::c_int) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: faccessat(2) only reads a name, which ends where C expects it.
    unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), what, libc::AT_EACCESS) == 0 }
}

fn named_group(id: u32) -> String {
    named("/etc/group", id).unwrap_or_else(|| id.to_string())
}

/// The name with this number in `passwd(5)` or `group(5)`, which both have it third.
fn named(file: &str, id: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_in_every_group_that_has_it_as_a_member() {
        let text = "root:x:0:\nvideo:x:44:pi,cam\naudio:x:29:pi\nrender:x:105:cam,pi\nbroken\ncam:x:990:\n";
        assert_eq!(groups_with("cam", text), [44, 105]);
        assert_eq!(groups_with("ca", text), [0; 0]);
    }

    #[test]
    fn this_machine_can_be_observed() {
        assert!(memory().is_some_and(|bytes| bytes > 0));
        assert!(room().is_some_and(|room| room.free > 0 && !room.folder.is_empty()));
        assert!(!user().is_empty());
        assert_eq!(named("/etc/passwd", 0).as_deref(), Some("root"));
        assert_eq!(named("/etc/group", u32::MAX - 1), None);
        let root = user_called("root").unwrap();
        assert_eq!((root.name.as_str(), root.id, root.groups[0]), ("root", 0, 0));
        assert_eq!(user_called(""), None);
    }

    #[test]
    fn devices_are_found_in_their_folders_and_nothing_else() {
        let dev = tempfile::tempdir().unwrap();
        for folder in ["snd", "dri"] {
            fs::create_dir(dev.path().join(folder)).unwrap();
        }
        for file in ["video0", "snd/pcmC0D0c", "snd/timer", "dri/renderD128", "dri/card0", "null"] {
            fs::write(dev.path().join(file), "").unwrap();
        }
        let found = devices_in(dev.path());
        let names: Vec<_> = found.iter().map(|device| device.path.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["renderD128", "pcmC0D0c", "video0"]);
        assert!(found.iter().all(|device| device.usable && !device.group.is_empty()), "{found:?}");
        assert_eq!(devices_in(&dev.path().join("none")), []);
    }

    #[test]
    fn what_systemctl_shows_is_read_in_any_order_and_its_absence_too() {
        let apart = service_of("ProtectHome=yes\nPrivateTmp=yes\nBindReadOnlyPaths=/srv/cam:/srv/cam\n");
        assert_eq!(apart.hidden, ["home", "root", "run/user", "tmp", "var/tmp"]);
        assert!(apart.furnished && service_of("SupplementaryGroups=ssl-cert\n").furnished);
        let service = service_of(
            "NRestarts=3\nUser=cam\nLoadState=loaded\nUnitFileState=enabled\nActiveState=active\n",
        );
        let said =
            (service.load.as_str(), service.active.as_str(), service.enabled.as_str(), service.restarts);
        assert_eq!((said, service.user.as_str()), (("loaded", "active", "enabled", 3), "cam"));
        assert_eq!(
            service_of("LoadState=not-found\nProtectHome=no\nSupplementaryGroups=\nBindPaths=\n"),
            Service { load: "not-found".into(), ..Service::default() }
        );
    }
}
