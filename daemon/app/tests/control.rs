//! The local socket of the real program: what it says to whoever asks, what it refuses, who may open it, and what becomes
//! of it when daemons die or meet.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use porthole_peer::{Caller, Options, Stand};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Only bounds a hang.
const HANG: Duration = Duration::from_secs(60);
const CONFIG: &str = "[room]\naccess = \"local\"\nidle_after = 1\n[relay]\nlisten = \"127.0.0.1:0\"\n[video]\nsource = \"test\"\n\
                      width = 320\nheight = 240\nframerate = 15\n[audio]\nsource = \"none\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_runs_and_who_watches_in_words_and_as_json() {
    let house = House::new();
    let camera = house.start("cam.toml");
    let said = house.says(&["status"]);
    assert!(
        said.starts_with("\"Camera\" is the camera of room porthole, in this daemon's own relay."),
        "{said}"
    );
    assert!(
        said.contains("\nThe camera is in its room.\nThe camera is closed, because nobody watches.\n"),
        "{said}"
    );
    assert!(said.contains("\nNobody watches.\n"), "{said}");
    assert!(said.contains(&format!("Its configuration is {}.", house.path("cam.toml").display())), "{said}");

    let stand = Stand::new().unwrap();
    let caller = Caller::place(&stand, camera.address, "porthole", "ann", &Options::default()).await.unwrap();
    caller.viewer().wait(HANG, |facts| facts.frames >= 5).await.unwrap();
    let until = std::time::Instant::now() + HANG;
    let status = loop {
        let status: Value = serde_json::from_str(&house.says(&["status", "--json"])).unwrap();
        // They are counted once a second.
        if status["encodings"][0]["frames"].as_u64() > Some(0) {
            break status;
        }
        assert!(std::time::Instant::now() < until, "{status}");
    };
    assert_eq!(
        (&status["encodings"][0]["rendition"], &status["encodings"][0]["kbit"]),
        (&json!("H.264"), &json!(2000))
    );
    assert_eq!((&status["pid"], &status["healthy"]), (&json!(camera.child.id()), &json!(true)));
    assert_eq!((&status["capture"], &status["live"]), (&json!("running"), &json!(1)));
    let viewer = &status["viewers"][0];
    assert_eq!(
        (&viewer["peer"], &viewer["name"], &viewer["live"]),
        (&json!("ann"), &Value::Null, &json!(true))
    );
    assert_eq!(json!([viewer["picture"]]), status["renditions"]);
    let now = porthole::keys::now().0;
    assert!((1..=now).contains(&viewer["since"].as_u64().unwrap()), "{viewer}");
    assert_eq!(viewer["path"], "direct");
    let said = house.says(&["status"]);
    assert!(
        said.contains("\nOne viewer:\n  somebody (ann)")
            && said.contains("  since ")
            && said.contains(")  directly\n"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_not_needed_now_is_not_in_memory_and_is_there_for_the_next_viewer() {
    let house = House::new();
    let camera = house.start("cam.toml");
    let kilobytes = |line: &str| -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", camera.child.id())).unwrap();
        let found = status.lines().find_map(|found| found.strip_prefix(line)).expect(line).trim().to_owned();
        found.strip_suffix(" kB").unwrap().parse().unwrap()
    };
    let falls_below = async |limit: u64| {
        let wait = async {
            while kilobytes("RssFile:") > limit {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(HANG, wait).await.expect("the code stays in memory");
    };
    // Most that ever was in memory is that of the rehearsal at start, or of the call.
    falls_below(kilobytes("VmHWM:") / 3).await;
    let stand = Stand::new().unwrap();
    let caller = Caller::place(&stand, camera.address, "porthole", "ann", &Options::default()).await.unwrap();
    caller.viewer().wait(HANG, |facts| facts.frames >= 5).await.unwrap();
    // What only the beginning of a call needs is not kept for the rest of it.
    falls_below(kilobytes("RssFile:") * 4 / 5).await;
    let seen = caller.viewer().facts().frames;
    caller.viewer().wait(HANG, |facts| facts.frames >= seen + 5).await.unwrap();
    caller.hang_up();
    falls_below(kilobytes("VmHWM:") / 3).await;
}

#[test]
fn an_order_is_answered_with_the_status_after_it() {
    let house = House::new();
    let _camera = house.start("cam.toml");
    let mut asker = Asker::to(&house.socket());
    assert_eq!(asker.asks(r#"{"porthole":1,"ask":"status"}"#)["status"]["capture"], "idle");
    let after = asker.asks(r#"{"porthole":1,"order":"look"}"#);
    assert!(["starting", "running"].contains(&after["status"]["capture"].as_str().unwrap()), "{after}");
}

#[test]
fn what_is_not_understood_is_refused_and_what_is_too_long_is_not_read() {
    let house = House::new();
    let _camera = house.start("cam.toml");
    let mut asker = Asker::to(&house.socket());
    for (line, word) in [
        ("hello", "unreadable"),
        (r#"{"porthole":9,"ask":"status"}"#, "version"),
        (r#"{"porthole":1,"order":"dance"}"#, "unknown"),
    ] {
        let reply = asker.asks(line);
        assert_eq!((&reply["error"], &reply["porthole"]), (&json!(word), &json!(1)), "{reply}");
    }
    assert_eq!(
        asker.asks(r#"{"porthole":1,"ask":"status"}"#)["status"]["capture"],
        "idle",
        "it is still heard"
    );
    let mut long = Asker::to(&house.socket());
    // More than is read may find the door shut.
    let _ = long.stream.write_all(&vec![b'x'; 8 * 1024]);
    assert_eq!(long.hears().unwrap()["error"], "too-long");
    assert_eq!(long.hears(), None, "and then it is shown the door");
    let cut = UnixStream::connect(house.socket()).unwrap();
    let mut cut = Asker { stream: cut.try_clone().unwrap(), lines: BufReader::new(cut) };
    cut.stream.write_all(br#"{"porthole":1,"#).unwrap();
    cut.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(cut.hears().unwrap()["error"], "unreadable");
}

#[test]
fn who_asks_nothing_keeps_nobody_else_from_asking_for_long() {
    let house = House::new();
    let _camera = house.start("cam.toml");
    let idle: Vec<_> = (0..8)
        .map(|_| {
            let mut asker = Asker::to(&house.socket());
            asker.asks(r#"{"porthole":1,"ask":"status"}"#);
            asker
        })
        .collect();
    assert_eq!(Asker::to(&house.socket()).hears().unwrap()["error"], "busy");
    drop(idle);
    let asked = || Asker::to(&house.socket()).tries(r#"{"porthole":1,"ask":"status"}"#);
    let until = std::time::Instant::now() + HANG;
    while asked().is_none_or(|reply| reply["error"] == "busy") {
        assert!(std::time::Instant::now() < until, "still busy");
    }
}

#[test]
fn only_owner_and_group_may_open_it_and_it_goes_with_the_daemon() {
    let house = House::new();
    let mut camera = house.start("cam.toml");
    let socket = house.socket();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    camera.ends();
    assert_eq!(fs::read_dir(house.path("run")).unwrap().count(), 0, "socket and lock are gone");
    let asked = house.asks(&["status"]);
    let why = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(69), "{why}");
    assert!(why.starts_with("no daemon of Porthole runs here: looked in "), "{why}");
    assert!(why.contains(house.path("run").to_str().unwrap()), "{why}");
}

#[test]
fn the_socket_of_a_daemon_that_was_killed_is_replaced() {
    let house = House::new();
    let mut camera = house.start("cam.toml");
    camera.child.kill().unwrap();
    camera.child.wait().unwrap();
    let socket = house.socket();
    assert!(UnixStream::connect(&socket).is_err(), "it is there and dead");
    let again = house.start("cam.toml");
    let status: Value = serde_json::from_str(&house.says(&["status", "--json"])).unwrap();
    assert_eq!(status["pid"], json!(again.child.id()));
}

#[test]
fn a_daemon_that_lives_keeps_its_socket_and_the_second_does_without() {
    let house = House::new();
    let first = house.start("cam.toml");
    let mut second = house.start("cam.toml");
    let pid = || serde_json::from_str::<Value>(&house.says(&["status", "--json"])).unwrap()["pid"].clone();
    assert_eq!(pid(), json!(first.child.id()));
    second.ends();
    assert!(second.log().contains("nobody can ask this daemon for its status: another daemon listens on "));
    assert_eq!(pid(), json!(first.child.id()));
}

#[test]
fn of_two_daemons_the_one_whose_configuration_is_named_is_asked() {
    let house = House::new();
    let (one, two) = (house.start("one.toml"), house.start("two.toml"));
    for (camera, config) in [(&one, "one.toml"), (&two, "two.toml")] {
        let said = house.says(&["status", "--json", "--config", house.path(config).to_str().unwrap()]);
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["pid"], json!(camera.child.id()));
    }
    let asked = house.asks(&["status"]);
    let why = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(64), "{why}");
    assert!(why.contains("name the configuration of one with --config"), "{why}");
    assert!(why.contains("one.toml") && why.contains("two.toml"), "{why}");
}

#[test]
fn a_daemon_whose_configuration_was_spoilt_meanwhile_is_found_by_it_all_the_same() {
    let house = House::new();
    let one = house.start("one.toml");
    let _two = house.start("two.toml");
    for (file, spoilt) in [("one.toml", "[video]\nwidht = 1\n"), ("cam.toml", "[relay]\nlisten = \"here\"\n")]
    {
        fs::write(house.path(file), spoilt).unwrap();
    }
    let config = house.path("one.toml").display().to_string();
    let told = house.asks(&["privacy", "on", "--config", &config]);
    assert!(told.status.success(), "{told:?}");
    let said = String::from_utf8(told.stderr).unwrap();
    assert!(said.starts_with(&format!("warning: {config}:2: video.widht: ")), "{said}");
    let told = house.asks(&["status", "--json", "--config", &config]);
    let status: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&status["pid"], &status["privacy"]), (&json!(one.child.id()), &json!(true)));
    assert!(String::from_utf8(told.stderr).unwrap().starts_with("warning: "));
    let other = house.path("two.toml").display().to_string();
    assert!(house.says(&["status", "--config", &other]).contains("The camera is closed, because nobody"));
    let nobody = house.asks(&["status", "--config", &house.path("cam.toml").display().to_string()]);
    assert_eq!(nobody.status.code(), Some(78), "{nobody:?}");
}

#[test]
fn a_changed_configuration_is_taken_over_by_the_daemon_which_alone_knows_its_secrets() {
    let house = House::new();
    let (file, secrets) = (house.path("one.toml"), house.path("secrets"));
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("PORTHOLE_ICE_TURN_SECRET"), "hush").unwrap();
    let _camera = house.start_with("one.toml", &[("CREDENTIALS_DIRECTORY", &secrets)]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fs::write(house.path("two.toml"), CONFIG.replace("127.0.0.1:0", &port)).unwrap();
    let _other = house.start("two.toml");
    let asks = |text: &str| {
        fs::write(&file, text).unwrap();
        let mut program = house.program();
        program.args(["reload", "--config", file.to_str().unwrap()]);
        // What systemd leaves of them to whoever tells the daemon to reload.
        let asked = program.env("CREDENTIALS_DIRECTORY", "/nowhere").output().unwrap();
        (
            asked.status.code(),
            String::from_utf8(asked.stdout).unwrap(),
            String::from_utf8(asked.stderr).unwrap(),
        )
    };
    let turn = "[ice]\nturn = [{ url = \"turn:192.0.2.1\", secret = \"\" }]\n";
    // Its port is no longer that of the socket, but another daemon's.
    let changed = format!("{}{turn}", CONFIG.replace("127.0.0.1:0", &port));
    let said = "ice.turn is taken over\nrelay.listen has changed and needs a restart, which ends all calls\n";
    assert_eq!(asks(&changed), (Some(0), said.to_owned(), String::new()));
    let (status, said, why) = asks(&format!("{changed}udp = 1\n"));
    assert_eq!((status, said.as_str()), (Some(78), ""), "{why}");
    assert!(why.contains("one.toml:") && why.contains("ice.udp"), "{why}");
    let same = "nothing has changed in the configuration\n";
    assert_eq!(asks(&format!("{CONFIG}{turn}")), (Some(0), same.to_owned(), String::new()));
    // Nobody writes into it, so whoever opened it would wait for ever.
    assert!(Command::new("mkfifo").arg(house.path("clip")).status().unwrap().success());
    let (status, said, why) =
        asks(&CONFIG.replace("source = \"test\"", "source = \"file\"\nfile = \"clip\""));
    assert_eq!((status, why.as_str()), (Some(0), ""));
    assert!(said.contains("video.source has changed and needs a restart"), "{said}");
    fs::remove_file(secrets.join("PORTHOLE_ICE_TURN_SECRET")).unwrap();
    assert!(asks(&changed).2.contains("ice.turn[0].secret: missing"), "it is the daemon's that count");
}

#[test]
fn a_switch_of_privacy_that_a_restart_would_forget_is_one_now_and_says_so_with_the_reason() {
    let house = House::new();
    let _camera = house.start("cam.toml");
    assert_eq!(house.says(&["privacy", "on"]).lines().count(), 1);
    let file = house.path("state").join("privacy-porthole");
    assert_eq!(fs::read_to_string(&file).unwrap(), "on\n");
    // Nothing can be put in the place of a folder that holds something.
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(file.join("in the way")).unwrap();
    let asked = house.asks(&["privacy", "off"]);
    let (said, why) = (String::from_utf8(asked.stdout).unwrap(), String::from_utf8(asked.stderr).unwrap());
    assert_eq!(asked.status.code(), Some(74), "{said}{why}");
    assert!(said.starts_with("privacy is off: "), "{said}");
    assert!(why.starts_with("but a restart of the daemon would forget it: "), "{why}");
    assert!(why.contains("privacy-porthole: ") && why.contains("daemon's user may write there"), "{why}");
    let said = house.says(&["status"]);
    assert!(said.contains("\nA restart would forget how privacy was switched: "), "{said}");
}

#[test]
fn of_two_daemons_with_one_room_and_state_the_second_does_not_change_the_privacy_of_the_first() {
    let house = House::new();
    let (_first, mut second) = (house.start("one.toml"), house.start("two.toml"));
    let log = second.log();
    assert!(log.contains("another daemon (process ") && log.contains("(STATE_DIRECTORY)"), "{log}");
    let two = house.path("two.toml");
    let asked = house.asks(&["privacy", "on", "--config", two.to_str().unwrap()]);
    let why = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(74), "{why}");
    assert!(why.contains("(STATE_DIRECTORY)"), "{why}");
    assert!(!house.path("state").join("privacy-porthole").exists());
    let one = house.path("one.toml");
    let said = house.says(&["privacy", "on", "--config", one.to_str().unwrap()]);
    assert!(said.starts_with("privacy is on: "), "{said}");
    assert!(house.path("state").join("privacy-porthole").exists());
    // Closed by the first one's choice, which is none of its own.
    second.ends();
    let _second = house.start("two.toml");
    for _ in 0..2 {
        let asked = house.asks(&["privacy", "on", "--config", two.to_str().unwrap()]);
        let why = String::from_utf8(asked.stderr).unwrap();
        assert_eq!(asked.status.code(), Some(74), "{why}");
    }
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let house = House::new();
    let mut camera = house.start("cam.toml");
    let socket = house.socket();
    camera.ends();
    fs::write(&socket, "mine").unwrap();
    let mut camera = house.start("cam.toml");
    camera.ends();
    assert!(camera.log().contains("is no socket, so it is left alone"), "{}", camera.log());
    assert_eq!(fs::read_to_string(&socket).unwrap(), "mine");
}

#[test]
fn a_socket_that_nobody_answers_on_is_said_to_be_silent() {
    let house = House::new();
    let listener = UnixListener::bind(house.path("run/control-1")).unwrap();
    let answering = std::thread::spawn(move || {
        // The first is only looked at.
        let _ = listener.accept();
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(b"what?\n").unwrap();
    });
    let asked = house.asks(&["status"]);
    answering.join().unwrap();
    assert_eq!(asked.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&asked.stderr).contains("does not answer: "), "{asked:?}");
}

/// A place of its own for daemons and whoever asks them.
struct House(TempDir);

impl House {
    fn new() -> Self {
        let house = Self(TempDir::new().unwrap());
        fs::create_dir(house.path("run")).unwrap();
        for name in ["cam.toml", "one.toml", "two.toml"] {
            fs::write(house.path(name), CONFIG).unwrap();
        }
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_porthole"));
        program.env("RUNTIME_DIRECTORY", self.path("run")).env("STATE_DIRECTORY", self.path("state"));
        program.env("XDG_RUNTIME_DIR", self.path("run")).env_remove("JOURNAL_STREAM");
        program
    }

    /// A daemon that has said its link.
    fn start(&self, config: &str) -> Camera {
        self.start_with(config, &[])
    }

    fn start_with(&self, config: &str, variables: &[(&str, &Path)]) -> Camera {
        let log = tempfile::NamedTempFile::new_in(self.0.path()).unwrap();
        let mut program = self.program();
        program.envs(variables.iter().copied());
        program.arg("run").arg("--config").arg(self.path(config)).stdout(Stdio::piped());
        let mut child = program.stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://localhost:")?;
            rest.split_once('/')?.0.parse::<u16>().ok()
        });
        // The rest is read too, so that it can be written.
        std::thread::spawn(move || lines.for_each(drop));
        let address = SocketAddr::from(([127, 0, 0, 1], port.expect("a link")));
        Camera { child, address, log }
    }

    fn asks(&self, words: &[&str]) -> Output {
        self.program().args(words).output().unwrap()
    }

    fn says(&self, words: &[&str]) -> String {
        let output = self.asks(words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The only socket there is.
    fn socket(&self) -> PathBuf {
        let entries = fs::read_dir(self.path("run")).unwrap().map(|entry| entry.unwrap().path());
        let sockets: Vec<_> = entries.filter(|path| path.extension().is_none()).collect();
        let [socket] = &sockets[..] else { panic!("{sockets:?}") };
        socket.clone()
    }
}

struct Camera {
    child: Child,
    address: SocketAddr,
    log: tempfile::NamedTempFile,
}

impl Camera {
    /// Ends it as a service is ended.
    fn ends(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let told = Command::new("kill").arg(pid.to_string()).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success());
    }

    fn log(&self) -> String {
        let mut log = String::new();
        self.log.reopen().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // Already ended is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Asker {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Asker {
    fn to(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        Self { lines: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn asks(&mut self, line: &str) -> Value {
        self.tries(line).expect("a reply")
    }

    /// The same where the door may be shut.
    fn tries(&mut self, line: &str) -> Option<Value> {
        let _ = self.stream.write_all(format!("{line}\n").as_bytes());
        self.hears()
    }

    /// The next reply; `None`: there are no more.
    fn hears(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(serde_json::from_str(&line).unwrap())
    }
}
