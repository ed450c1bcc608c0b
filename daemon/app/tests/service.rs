//! The real binary as a service, with a test in the place of systemd; and the unit as systemd's own tools see it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Only bounds a hang: the first start of a machine reads all of GStreamer's plugins.
const LIMIT: Duration = Duration::from_secs(120);
const CONFIG: &str = "[room]\nmax_calls = 3\n[relay]\nlisten = \"127.0.0.1:0\"\n[video]\nsource = \"test\"\n[audio]\nsource = \"none\"\n";
const UNIT: &str = include_str!("../../../systemd/porthole.service");
/// Ten times the exposure that `systemd-analyze security` may find at most.
const EXPOSURE: &str = "20";

#[test]
fn it_is_ready_then_alive_takes_a_changed_configuration_over_and_says_that_it_stops() {
    let mut service = Service::start(CONFIG);
    service.hears("STATUS=the encoders of this board are being tried");
    service.hears("EXTEND_TIMEOUT_USEC=");
    service.hears("STATUS=waits in room porthole");
    service.hears("READY=1");
    for _ in 0..3 {
        service.hears("WATCHDOG=1");
    }

    service.reloads(&CONFIG.replace("max_calls = 3", "max_calls = 5").replace("127.0.0.1:0", "127.0.0.1:1"));
    service.reloads("[room]\nmax_calls = 5\nidle = 4\n");
    service.hears("WATCHDOG=1");

    service.signal("TERM");
    service.hears("STOPPING=1");
    assert!(service.child.wait().unwrap().success());
    let log = service.log();
    for said in [
        "room.max_calls is taken over",
        "relay.listen has changed and needs a restart",
        "porthole.toml:3: room.idle: not a key of [room]",
        "everything stays as it was",
        "stopping",
    ] {
        assert!(log.contains(said), "no \"{said}\" in\n{log}");
    }
    assert_eq!(log.matches("is taken over").count(), 1, "{log}");
}

#[test]
fn a_configuration_that_is_not_allowed_ends_it_in_the_way_after_which_nobody_starts_it_again() {
    let mut service = Service::start("[room]\nmax_calls = 0\n");
    let status = service.child.wait().unwrap().code();
    assert_eq!(status, Some(78), "{}", service.log());
    assert!(UNIT.contains("\nRestartPreventExitStatus=78\n"));
}

#[test]
fn systemd_has_nothing_to_say_against_the_unit() {
    let folder = TempDir::new().unwrap();
    // The program and its man pages are not installed here.
    let unit = UNIT.replace("/usr/bin/porthole", "/bin/true");
    let unit = unit.replace("man:porthole(1) man:porthole.toml(5) ", "");
    assert!(unit.contains("ExecStart=/bin/true run --config /etc/porthole/porthole.toml"));
    let file = folder.path().join("porthole.service");
    fs::write(&file, unit).unwrap();

    let said = analyze(&["verify"], &file);
    assert_eq!(said, (Some(0), String::new()), "unknown keys are only warned of");
    let threshold = format!("--threshold={EXPOSURE}");
    let (status, said) = analyze(&["security", "--offline=yes", "--no-pager", &threshold], &file);
    assert_eq!(status, Some(0), "more than {EXPOSURE} tenths: {said}");
}

#[test]
fn every_line_that_takes_something_away_has_a_reason_above_it() {
    let mut reasoned = false;
    let service =
        UNIT.lines().skip_while(|line| *line != "[Service]").take_while(|line| *line != "[Install]");
    for line in service {
        // Lines of one kind share a reason, and so do those that follow one another.
        assert!(reasoned || line.is_empty() || line.starts_with(['#', '[']), "{line} has no reason above it");
        reasoned = !line.is_empty() && !line.starts_with('[');
    }
}

fn analyze(what: &[&str], unit: &Path) -> (Option<i32>, String) {
    let done = Command::new("systemd-analyze").args(what).arg(unit).output().expect("systemd is installed");
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

/// The daemon, and the test's end of what it tells.
struct Service {
    child: Child,
    socket: UnixDatagram,
    /// What was told and not looked for yet, a line each.
    told: Vec<String>,
    folder: TempDir,
}

impl Service {
    fn start(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("porthole.toml"), config).unwrap();
        let socket = UnixDatagram::bind(path("notify")).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_porthole"))
            .args(["run", "--config"])
            .arg(path("porthole.toml"))
            .env("STATE_DIRECTORY", folder.path())
            .env("RUNTIME_DIRECTORY", folder.path())
            .env("NOTIFY_SOCKET", path("notify"))
            .env("WATCHDOG_USEC", "300000")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, socket, told: Vec::new(), folder }
    }

    /// Waits until it tells this.
    #[track_caller]
    fn hears(&mut self, wanted: &str) {
        loop {
            if let Some(at) = self.told.iter().position(|line| line.starts_with(wanted)) {
                self.told.drain(..=at);
                return;
            }
            let mut buffer = [0; 4096];
            let Ok(length) = self.socket.recv(&mut buffer) else {
                panic!("no {wanted} in {LIMIT:?}; the log:\n{}", self.log())
            };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.told.extend(text.lines().map(str::to_owned));
        }
    }

    /// Reads another configuration, which is done when it says so.
    #[track_caller]
    fn reloads(&mut self, config: &str) {
        fs::write(self.folder.path().join("porthole.toml"), config).unwrap();
        self.signal("HUP");
        self.hears("RELOADING=1");
        self.hears("MONOTONIC_USEC=");
        self.hears("READY=1");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
