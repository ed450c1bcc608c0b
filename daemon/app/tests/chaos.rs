//! The whole daemon in a room of a Node Socket.IO server, while everything happens to that server and to the way there
//! that can happen: a call that runs all the time must not lose a frame, and after each fault a new call must be
//! answered.
//!
//! Five faults, always the same, unless told otherwise:
//!
//!     PORTHOLE_CHAOS_FAULTS=100 PORTHOLE_CHAOS_SEED=7 cargo test -p porthole --test chaos -- --nocapture
//!
//! With PORTHOLE_CHAOS_STRICT=1 (`make chaos`) a recovery that takes longer than promised fails the run too.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod node;
mod wire;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use node::{HANG, Node};
use porthole_peer::room::{Room, Said};
use porthole_peer::{Options, Stand, Viewer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::Wire;

/// Promised: a new call is answered this soon after the fault's end, always and in half of all cases.
const ALWAYS: Duration = Duration::from_secs(5);
const MEDIAN: Duration = Duration::from_millis(2500);
/// How long the link is left alone between two faults: a connection that is shorter counts as none.
const PEACE: std::ops::Range<u64> = 3000..5000;
/// How often a viewer offers again, as a page does that hears nothing.
const OFFER_AGAIN: Duration = Duration::from_millis(500);

#[tokio::test]
async fn calls_outlive_the_relay_and_new_ones_are_answered_after_every_fault() {
    let plan = Plan::from_environment();
    let mut rng = Rng::with_seed(plan.seed);
    println!("chaos: {} faults, seed {}", plan.faults, plan.seed);
    let mut stage = Stage::set(&plan).await;
    let running = stage.call(Instant::now()).await.viewer;
    let before = stage.daemon.cost_with_calls(1).await;
    let (mut recoveries, mut seen) = (Vec::new(), running.facts());
    for number in 1..=plan.faults {
        let fault = plan.choose(number, &mut rng);
        tokio::time::sleep(Duration::from_millis(rng.u64(PEACE))).await;
        let ended = stage.suffer(fault, &plan, &mut rng).await;
        let call = stage.call(ended).await;
        let facts =
            running.wait(HANG, |facts| facts.frames > seen.frames).await.expect("the running call goes on");
        println!("{number:>3} {fault:?}: new call answered after {:.2} s", call.answered_after.as_secs_f64());
        assert_eq!((facts.gaps, facts.ended.as_deref()), (0, None), "the running call suffers: {facts:?}");
        seen = facts;
        recoveries.push(call.answered_after);
        call.hang_up().await;
    }
    recoveries.sort();
    let (median, most) = (recoveries[recoveries.len() / 2], recoveries[recoveries.len() - 1]);
    let after = stage.daemon.cost_with_calls(1).await;
    println!(
        "chaos: {} of {} faults survived, new call answered after {:.2} s (median), {:.2} s (at most)",
        recoveries.len(),
        plan.faults,
        median.as_secs_f64(),
        most.as_secs_f64()
    );
    println!("chaos: running call: {} frames, {} gaps, {} packets lost", seen.frames, seen.gaps, seen.lost);
    println!("chaos: threads, files, kB resident: {before:?} before, {after:?} after");
    stage.daemon.judge_log(plan.faults);
    assert!(after.threads <= before.threads + 8 && after.files <= before.files + 16, "{before:?} {after:?}");
    if plan.strict {
        assert!(median <= MEDIAN && most <= ALWAYS, "recoveries: {recoveries:?}");
    }
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// kill -9, and started again after a while.
    Killed,
    /// The same with SIGTERM.
    Terminated,
    /// SIGSTOP, and SIGCONT after a while.
    Stopped,
    /// Nothing passes for a while, and nobody is told.
    Dropped,
    /// The same, and the server is another one afterwards.
    DroppedAndKilled,
    /// The connection is dead, nobody is told, and new ones work.
    HalfOpen,
    /// Both ends are told that the connection is over.
    Cut,
    /// The server ends every connection in good order.
    Closed,
    /// The server sends everybody out of Socket.IO and keeps the connections.
    Kicked,
}

const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::Stopped,
    Fault::HalfOpen,
    Fault::Kicked,
    Fault::DroppedAndKilled,
    Fault::Terminated,
    Fault::Dropped,
    Fault::Cut,
    Fault::Closed,
];

/// What is to happen.
struct Plan {
    faults: usize,
    seed: u64,
    strict: bool,
    /// How long a fault lasts, in milliseconds.
    lasting: std::ops::Range<u64>,
    /// Socket.IO's heartbeat, in milliseconds: interval and timeout each.
    ping: u64,
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
        let strict = number("PORTHOLE_CHAOS_STRICT") == Some(1);
        match number("PORTHOLE_CHAOS_FAULTS") {
            None => Self { faults: 5, seed: 1, strict, lasting: 2500..3500, ping: 1000 },
            Some(faults) => {
                let seed = number("PORTHOLE_CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
                let faults = usize::try_from(faults).unwrap();
                Self { faults, seed, strict, lasting: 8000..17_000, ping: 3000 }
            }
        }
    }

    /// Each kind once to begin with, as far as they go; then by chance.
    fn choose(&self, number: usize, rng: &mut Rng) -> Fault {
        FAULTS.get(number - 1).copied().unwrap_or_else(|| FAULTS[rng.usize(..FAULTS.len())])
    }
}

/// Server, wire and daemon.
struct Stage {
    node: Option<Node>,
    /// Where the server listens, also while it does not.
    address: SocketAddr,
    ping: u64,
    wire: Wire,
    daemon: Daemon,
    stand: Stand,
    calls: usize,
}

/// A call that was answered.
struct Call {
    room: Room,
    viewer: Viewer,
    tag: String,
    answered_after: Duration,
}

impl Stage {
    async fn set(plan: &Plan) -> Self {
        let node = server(0, plan.ping).await;
        let address = node.address;
        let wire = Wire::to(address).await;
        let daemon = Daemon::start(wire.address).await;
        Self {
            node: Some(node),
            address,
            ping: plan.ping,
            wire,
            daemon,
            stand: Stand::new().unwrap(),
            calls: 0,
        }
    }

    /// Lets a fault happen; when it was over.
    async fn suffer(&mut self, fault: Fault, plan: &Plan, rng: &mut Rng) -> Instant {
        // Here time itself is what happens to the relay; nothing is waited for.
        let lasting = Duration::from_millis(rng.u64(plan.lasting.clone()));
        match fault {
            Fault::Killed => {
                self.node.take().unwrap().kill();
                tokio::time::sleep(lasting).await;
                self.restart().await;
            }
            Fault::Terminated => {
                self.node.take().unwrap().terminate();
                tokio::time::sleep(lasting).await;
                self.restart().await;
            }
            Fault::Stopped => {
                let node = self.node.as_ref().unwrap();
                node.signal("STOP");
                tokio::time::sleep(lasting).await;
                node.signal("CONT");
            }
            Fault::Dropped => {
                self.wire.freeze(true);
                tokio::time::sleep(lasting).await;
                self.wire.freeze(false);
            }
            Fault::DroppedAndKilled => {
                self.wire.freeze(true);
                tokio::time::sleep(lasting / 2).await;
                self.node.take().unwrap().kill();
                self.wire.leave_hanging();
                self.restart().await;
                tokio::time::sleep(lasting / 2).await;
                self.wire.freeze(false);
            }
            Fault::HalfOpen => {
                self.wire.leave_hanging();
                tokio::time::sleep(lasting).await;
                self.wire.bury();
            }
            Fault::Cut => self.wire.cut(),
            Fault::Closed => self.node.as_mut().unwrap().order(json!(["drop"])),
            Fault::Kicked => self.node.as_mut().unwrap().order(json!(["kick"])),
        }
        Instant::now()
    }

    async fn restart(&mut self) {
        self.node = Some(server(self.address.port(), self.ping).await);
    }

    /// Enters the room and calls until the camera answers and a picture is there.
    async fn call(&mut self, since: Instant) -> Call {
        self.calls += 1;
        let tag = format!("call-{}", self.calls);
        let place = async {
            loop {
                // The server may still be sending everybody away.
                if let Ok(call) = self.place(&tag, since).await {
                    return call;
                }
            }
        };
        let call = tokio::time::timeout(HANG, place).await.unwrap_or_else(|_| {
            panic!("nobody answers; the daemon said:\n{}", self.daemon.log());
        });
        call.viewer.wait(HANG, |facts| facts.first_key_frame.is_some()).await.expect("a picture");
        call
    }

    async fn place(&self, tag: &str, since: Instant) -> Result<Call, Box<dyn std::error::Error>> {
        let name = format!("viewer-{tag}");
        let mut room = Room::enter(self.address, "nursery", &name).await?;
        let (viewer, offer) = Viewer::offer(&self.stand, &Options::default())?;
        let mut again = tokio::time::interval(OFFER_AGAIN);
        loop {
            let said = tokio::select! {
                said = room.next() => said?,
                _ = again.tick() => {
                    room.offer(tag, &offer).await?;
                    continue;
                }
            };
            match said {
                Said::Answer { call, sdp, .. } if call == tag => {
                    let answered_after = since.elapsed();
                    viewer.accept(&sdp)?;
                    return Ok(Call { room, viewer, tag: tag.to_owned(), answered_after });
                }
                Said::Refused { call, reason } if call == tag => panic!("the camera refuses: {reason}"),
                // The camera has come back into the room: what was said before is lost.
                Said::Other { event, .. } if event == "joined" => room.offer(tag, &offer).await?,
                _ => {}
            }
        }
    }
}

impl Call {
    async fn hang_up(mut self) {
        // This server does not pass it on; the camera hears of the end from the call itself.
        let _ = self.room.bye(&self.tag).await;
        let _ = self.room.leave().await;
        self.viewer.close();
    }
}

async fn server(port: u16, ping: u64) -> Node {
    Node::with(json!({"port": port, "pingInterval": ping, "pingTimeout": ping})).await
}

/// The real binary. Killed when dropped.
struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

/// What the daemon takes of the machine.
#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
struct Cost {
    threads: usize,
    files: usize,
    resident_kb: usize,
}

impl Daemon {
    /// Starts it with its relay at `relay`, and waits until it is in the room.
    async fn start(relay: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let file = folder.path().join("porthole.toml");
        let config = format!(
            r#"
            [room]
            name = "nursery"
            access = "open"
            max_calls = 20
            [relay]
            listen = "127.0.0.1:{port}"
            mode = "external"
            url = "http://{relay}"
            dialect = "porthole"
            [video]
            source = "test"
            width = 320
            height = 240
            framerate = 15
            [audio]
            source = "none"
            "#
        );
        fs::write(&file, config).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_porthole"))
            .args(["run", "--config"])
            .arg(&file)
            .env("STATE_DIRECTORY", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut daemon = Self { child, folder, port };
        let up = async { while health(port).await.is_none_or(|health| health["link"] != true) {} };
        if tokio::time::timeout(HANG, up).await.is_err() {
            panic!("the daemon does not come up ({:?}):\n{}", daemon.child.try_wait(), daemon.log());
        }
        daemon
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// What it takes when there are so many calls, and no more.
    async fn cost_with_calls(&self, calls: u64) -> Cost {
        let settled =
            async { while health(self.port).await.is_none_or(|health| health["calls"] != calls) {} };
        tokio::time::timeout(HANG, settled).await.unwrap_or_else(|_| panic!("{}", self.log()));
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let files = fs::read_dir(format!("{folder}/fd")).unwrap().count();
        Cost { threads: number("Threads:"), files, resident_kb: number("VmRSS:") }
    }

    /// One line when the relay is reached first, one when it goes and one when it is back. Between them, once each: what
    /// else keeps the camera from it while it is away, and that it is silent about the room when it is there.
    fn judge_log(&self, faults: usize) {
        let log = self.log();
        let (mut lost, mut back, mut there) = (0, 0, false);
        let mut said = Vec::new();
        for line in log.lines().filter(|line| line.contains("relay")) {
            let words = line.split_once("] ").map_or(line, |(_, words)| words);
            if words.starts_with("the relay is reached room=") {
                assert!(!there, "reached twice: {log}");
                (back, there) = (back + 1, true);
                said.clear();
            } else if words.starts_with("the relay is lost") {
                assert!(there, "lost twice: {log}");
                (lost, there) = (lost + 1, false);
                said.clear();
            } else {
                let fits = match there {
                    true => {
                        words.contains("nobody has said anything")
                            || words.contains("has not said that the camera")
                    }
                    false => words.starts_with("the relay is not reached: "),
                };
                assert!(fits && !said.contains(&words), "{line}: {log}");
                said.push(words);
            }
        }
        println!("chaos: log: {lost} times lost, {back} times reached, in {faults} faults");
        assert!(lost <= faults && back == lost + 1, "{log}");
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already ended is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn health(port: u16) -> Option<Value> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let request = format!("GET /healthz HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}
