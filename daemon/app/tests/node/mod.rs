//! A real Node Socket.IO server (`web-viewer/e2e/fixtures/relays/plain.mjs`) under the control of a test: started and
//! killed, stopped and continued, and ordered to do what servers do to those who are connected.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Only bounds a hang.
pub const HANG: Duration = Duration::from_secs(60);

/// A running server. Killed when dropped.
pub struct Node {
    child: Child,
    orders: ChildStdin,
    tells: mpsc::UnboundedReceiver<Value>,
    passed_over: VecDeque<Value>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Node {
    #[allow(dead_code, reason = "not every test starts it this way")]
    /// Starts a server that notices within a second that somebody is gone.
    pub async fn start() -> Self {
        Self::with(json!({"pingInterval": 300, "pingTimeout": 300})).await
    }

    /// Starts a server with these options, and waits until it listens.
    pub async fn with(options: Value) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web-viewer");
        let child = Command::new("node")
            .arg("e2e/fixtures/relays/plain.mjs")
            .arg(options.to_string())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("Node.js is needed: scripts/setup test");
        let (orders, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (told, tells) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if told.send(serde_json::from_str(&line).unwrap_or(json!(line))).is_err() {
                    return;
                }
            }
        });
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut node = Self { child, orders, tells, passed_over: VecDeque::new(), address: nowhere };
        let port = node.tells("listening").await[1].as_u64().unwrap();
        node.address.set_port(u16::try_from(port).unwrap());
        node
    }

    /// The next of what it tells under this name; the rest is kept for others who ask.
    pub async fn tells(&mut self, name: &str) -> Value {
        if let Some(place) = self.passed_over.iter().position(|told| told[0] == name) {
            return self.passed_over.remove(place).unwrap();
        }
        loop {
            let told = tokio::time::timeout(HANG, self.tells.recv()).await.expect(name);
            let told =
                told.unwrap_or_else(|| panic!("the server ended before it told `{name}`; is `npm ci` done?"));
            if told[0] == name {
                return told;
            }
            self.passed_over.push_back(told);
        }
    }

    /// The next event that somebody says to it, with its arguments; heartbeats are passed over.
    #[allow(dead_code, reason = "not every test listens")]
    pub async fn hears(&mut self) -> Value {
        loop {
            let mut said = self.tells("said").await;
            let event = said.as_array_mut().unwrap().split_off(2);
            if event[0] != "heartbeat" {
                return Value::Array(event);
            }
        }
    }

    /// Orders it to do something, as its own comment lists it.
    #[allow(dead_code, reason = "not every test gives orders")]
    pub fn order(&mut self, order: Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to end, and waits until it has.
    #[allow(dead_code, reason = "not every test asks")]
    pub fn terminate(mut self) {
        self.signal("TERM");
        self.child.wait().unwrap();
    }

    /// Takes it away without a word. Its address is free afterwards.
    pub fn kill(mut self) -> SocketAddr {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.address
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already killed is killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
