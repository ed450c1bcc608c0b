//! `porthole doctor`: looks at everything that has to work, and says what to do where it does not. Must not judge: the core
//! does.

mod board;
mod kept;
mod ways;

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use porthole_core::config::settings::{RelayMode, Settings};
use porthole_core::doctor::machine::{self, Daemon};
use porthole_core::doctor::media::{self, Camera, Sound};
use porthole_core::doctor::network::{self, Port};
use porthole_core::doctor::{Finding, Verdict, elements, worst};
use porthole_core::order::Order;
use serde_json::{Value, json};

use crate::control::{self, NoAnswer, Request};
use crate::exit::Exit;
use crate::link::{embedded, external, publish};
use crate::media::{exam, survey};
use crate::{addresses, configuration, keys};

/// How long the camera of a daemon that runs may take to open.
const OPENING: Duration = Duration::from_secs(15);
/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(200);

/// Looks at everything, and prints each finding as soon as it is there.
pub fn perform(config: Option<&Path>, as_json: bool, tone: bool) -> Exit {
    let mut told = Told { out: io::stdout().lock(), as_json, findings: Vec::new(), unsaid: false };
    look(config, tone, &mut told);
    told.end()
}

/// What was found so far.
struct Told<W> {
    out: W,
    as_json: bool,
    findings: Vec<Finding>,
    unsaid: bool,
}

impl<W: Write> Told<W> {
    fn tell(&mut self, finding: Finding) {
        if !self.as_json {
            self.unsaid |= self.write(&finding).is_err();
        }
        self.findings.push(finding);
    }

    fn write(&mut self, finding: &Finding) -> io::Result<()> {
        let Finding { about, verdict, says, fix } = finding;
        // What devices and relays are called comes from elsewhere.
        let plain = |text: &str| text.replace(|c: char| c.is_control(), " ");
        writeln!(self.out, "{verdict:8} {about:12} {}", plain(says))?;
        if let Some(fix) = fix {
            writeln!(self.out, "{:21} -> {}", "", plain(fix))?;
        }
        self.out.flush()
    }

    fn end(mut self) -> Exit {
        let verdict = worst(&self.findings);
        let said = if self.as_json {
            let all = json!({ "verdict": verdict, "findings": self.findings });
            serde_json::to_writer_pretty(&mut self.out, &all)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(self.out))
        } else {
            writeln!(self.out, "\n{}", summary(&self.findings))
        };
        match verdict {
            _ if self.unsaid || said.is_err() => Exit::Unkept,
            Verdict::Failed => Exit::Unwell,
            Verdict::Ok | Verdict::Warning => Exit::Well,
        }
    }
}

fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    match (count(Verdict::Failed), count(Verdict::Warning)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("It works. Worth a look: {warnings}."),
        (failed, warnings) => format!("Does not work: {failed}. Worth a look: {warnings}."),
    }
}

fn look(config: Option<&Path>, tone: bool, told: &mut Told<impl Write>) {
    let (daemon, unasked) = daemon(config);
    // The daemon that runs goes by its own.
    let config = config.map(Path::to_owned).or_else(|| daemon.as_ref()?.config.clone());
    let read = configuration::read(config.as_deref());
    if let Some(unasked) = unasked {
        let hidden = unasked.verdict == Verdict::Failed;
        told.tell(unasked);
        if hidden {
            // What follows would be about a camera that nobody runs, whose port and devices the daemon has.
            return;
        }
    } else {
        let known = daemon.as_ref().map(|daemon| daemon.known.clone());
        told.tell(machine::daemon(known.as_ref(), env!("CARGO_PKG_VERSION"), read.is_ok()));
    }
    let service = board::service();
    told.tell(machine::service(service.as_ref(), control::is_anybody_there()));
    let settings = match read {
        Ok(settings) => {
            told.tell(allowed(config.as_deref()));
            kept::look(&settings, config.as_deref(), service.as_ref())
                .into_iter()
                .for_each(|finding| told.tell(finding));
            Some(settings)
        }
        Err(unusable) => {
            let fix = match &daemon {
                None => "mend it: `porthole check-config FILE` says when it is allowed",
                Some(_) => {
                    "mend it: the daemon goes by what it read before, and would not start again; \
                     `porthole check-config FILE` says when it is allowed"
                }
            };
            unusable.to_string().lines().for_each(|line| told.tell(Finding::failed("config", line, fix)));
            let says = "camera, sound, encoders, keys, port, relay and ways were not looked at: which are meant is not known";
            told.tell(Finding::warning("the rest", says, "mend that first, and ask again"));
            None
        }
    };
    kept::files(settings.as_ref(), config.as_deref(), service.as_ref())
        .into_iter()
        .for_each(|finding| told.tell(finding));
    machine_of(told);
    match exam::gstreamer() {
        Ok((version, missing)) => {
            elements::judge(version, &missing).into_iter().for_each(|finding| told.tell(finding));
            settings.iter().for_each(|settings| devices(settings, daemon.as_ref(), tone, told));
        }
        Err(error) => {
            let fix = "sudo apt-get install --reinstall libgstreamer1.0-0";
            told.tell(Finding::failed("GStreamer", error.to_string(), fix));
        }
    }
    // Which devices and which servers are meant is not known without one.
    let Some(settings) = settings else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(network_of(&settings, daemon.as_ref(), told));
            // A name server that does not answer keeps a thread; it is not waited for.
            runtime.shutdown_background();
        }
        Err(error) => told.tell(Finding::failed("network", error.to_string(), "restart the machine")),
    }
}

fn allowed(config: Option<&Path>) -> Finding {
    Finding::ok(
        "config",
        match config {
            Some(file) => format!("{} is allowed", file.display()),
            None => "none: every key has its default".to_owned(),
        },
    )
}

fn machine_of(told: &mut Told<impl Write>) {
    told.tell(machine::clock(keys::now(), board::synchronised()));
    machine::temperature(&crate::machine::temperatures()).into_iter().for_each(|finding| told.tell(finding));
    machine::power(crate::machine::throttled()).into_iter().for_each(|finding| told.tell(finding));
    board::memory().map(machine::memory).into_iter().for_each(|finding| told.tell(finding));
    board::room().as_ref().map(machine::disk).into_iter().for_each(|finding| told.tell(finding));
    told.tell(machine::rights(&board::user(), &board::devices()));
}

fn devices(settings: &Settings, daemon: Option<&Running>, tone: bool, told: &mut Told<impl Write>) {
    let media = &settings.media;
    let camera = match daemon {
        // Who may not open every device does not see what the daemon has.
        Some(daemon) => match daemon.camera() {
            Camera::OfDaemon { flows: true, .. }
                if exam::stands_in(&media.video) && board::devices().iter().all(|device| device.usable) =>
            {
                Camera::TestPicture
            }
            said => said,
        },
        None => exam::camera(&media.video),
    };
    told.tell(media::camera(&camera, media.video.framerate));
    // Encoders of hardware are few, and whoever watches has one of them.
    if daemon.is_some_and(|daemon| daemon.calls > 0) {
        told.tell(Finding::ok("encoder", "not tried: somebody watches, and sees what it makes"));
    } else {
        match survey::encoders(&media.video, env::current_exe().ok().as_deref()) {
            Ok(trials) => {
                media::encoders(&trials, media.video.framerate)
                    .into_iter()
                    .for_each(|finding| told.tell(finding));
            }
            Err(error) => {
                let fix = "correct `encoder` below [video], or leave it out";
                told.tell(Finding::failed("encoder", error.to_string(), fix));
            }
        }
    }
    let (microphone, (speaker, heard)) = match daemon {
        Some(_) => {
            let not_opened = |wanted: Result<_, Sound>| wanted.map_or_else(|none| none, |_| Sound::OfDaemon);
            let ear = exam::ear(&media.audio, &media.video);
            (not_opened(ear), (not_opened(exam::mouth(&media.speaker)), None))
        }
        None => {
            (exam::microphone(&media.audio, &media.video), exam::speaker(tone, &media.speaker, &media.audio))
        }
    };
    told.tell(media::microphone(&microphone));
    told.tell(media::speaker(&speaker, heard));
}

async fn network_of(settings: &Settings, daemon: Option<&Running>, told: &mut Told<impl Write>) {
    let listen = settings.relay.listen;
    let port = match daemon {
        Some(_) => Port::Ours,
        None => match embedded::try_port(listen, settings.room.access).await {
            Ok(()) => Port::Free,
            Err(why) => Port::Taken(why.to_string()),
        },
    };
    told.tell(network::port(listen, &port));
    network::certificate(&embedded::look_at_tls(&settings.relay.tls))
        .into_iter()
        .for_each(|found| told.tell(found));
    // A daemon that runs has said how it stands with its relay.
    if let (RelayMode::External(relay), None) = (&settings.relay.mode, daemon) {
        told.tell(network::relay(&relay.url, &external::attempt(relay).await));
    }
    // Of this one a daemon says nothing, and to ask it twice does no harm.
    if let Some(server) = &settings.publish {
        told.tell(network::publish(server.origin(), &publish::attempt(server).await));
    }
    let asked = ways::ask(&settings.ice).await;
    let own = addresses::own().unwrap_or_default();
    network::ways(&asked, !settings.ice.turn.is_empty(), &own).into_iter().for_each(|found| told.tell(found));
}

/// A daemon that runs, and may be asked.
struct Running {
    socket: PathBuf,
    known: Daemon,
    config: Option<PathBuf>,
    calls: u64,
}

/// The daemon with this configuration, or the only one there is; and what there is to say where it cannot be asked.
fn daemon(config: Option<&Path>) -> (Option<Running>, Option<Finding>) {
    let asked = control::find(config)
        .and_then(|socket| control::ask(&socket, &Request::Status).map(|reply| (socket, reply)));
    match asked {
        Ok((socket, reply)) => (Some(Running::new(socket, &reply)), None),
        // What is wrong with the configuration is told with it; no daemon says that it runs with it.
        Err(NoAnswer::Nobody { .. } | NoAnswer::Configuration(_)) => (None, None),
        Err(why) => (None, Some(unasked(&why))),
    }
}

/// What there is to say of a daemon that runs and is not asked.
fn unasked(why: &NoAnswer) -> Finding {
    let about = "daemon";
    match why {
        NoAnswer::Several(_) => {
            Finding::warning(about, "several run here", "name the configuration of one with --config")
        }
        NoAnswer::Denied { .. } => {
            let fix = "ask as root (sudo porthole doctor), or as the user who runs it";
            Finding::failed(about, "one runs, and does not answer to you, so nothing else was looked at", fix)
        }
        why => {
            let fix = "start it again (the service: sudo systemctl restart porthole); journalctl -u porthole -e says more";
            Finding::failed(about, format!("one runs, and nothing else was looked at: {why}"), fix)
        }
    }
}

impl Running {
    fn new(socket: PathBuf, reply: &Value) -> Self {
        let status = &reply["status"];
        let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
        let words = reply["words"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let about = words.filter(|line| line.starts_with("The camera") || line.starts_with("The relay"));
        let known = Daemon {
            version: text("version"),
            healthy: status["healthy"] == true,
            why: about.collect::<Vec<_>>().join(" "),
        };
        let config = status["config"].as_str().map(PathBuf::from);
        Self { socket, known, config, calls: status["calls"].as_u64().unwrap_or(0) }
    }

    /// Has the daemon open its camera, and says what came of it.
    fn camera(&self) -> Camera {
        let until = Instant::now() + OPENING;
        let mut request = Request::Order(Order::Look {});
        loop {
            let capture = match control::ask(&self.socket, &request) {
                Ok(reply) if reply["status"]["privacy"] == true => return Camera::Private,
                Ok(reply) => reply["status"]["capture"].as_str().unwrap_or("unknown").to_owned(),
                Err(why) => return Camera::OfDaemon { flows: false, says: why.to_string() },
            };
            request = Request::Status;
            match capture.as_str() {
                "running" => return Camera::OfDaemon { flows: true, says: "frames flow".to_owned() },
                "starting" if Instant::now() < until => thread::sleep(AGAIN),
                "starting" => {
                    let says = format!("it is still being opened after {} s", OPENING.as_secs());
                    return Camera::OfDaemon { flows: false, says };
                }
                other => return Camera::OfDaemon { flows: false, says: format!("it is {other}") },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_its_fix_another() {
        let mut told = Told { out: Vec::new(), as_json: false, findings: vec![], unsaid: false };
        told.tell(Finding::ok("port", "free"));
        told.tell(Finding::warning("camera", "a \u{1b}[31mred\nname", "plug it in"));
        let said = String::from_utf8(told.out.clone()).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "ok       port         free");
        assert_eq!(lines[1], "warning  camera       a  [31mred name");
        assert_eq!(lines[2], "                      -> plug it in");
        assert_eq!((lines.len(), told.end()), (3, Exit::Well));
    }

    #[test]
    fn what_failed_is_in_the_status_of_the_program_and_in_its_last_words() {
        let mut told = Told { out: Vec::new(), as_json: true, findings: vec![], unsaid: false };
        told.tell(Finding::ok("port", "free"));
        assert_eq!(summary(&told.findings), "All is well.");
        told.tell(Finding::warning("camera", "slow", "light"));
        assert_eq!(summary(&told.findings), "It works. Worth a look: 1.");
        told.tell(Finding::failed("clock", "past", "set it"));
        assert_eq!(summary(&told.findings), "Does not work: 1. Worth a look: 1.");
        assert!(told.out.is_empty(), "JSON is one text");
        assert_eq!(told.end(), Exit::Unwell);
    }

    #[test]
    fn a_daemon_that_does_not_answer_is_what_is_wrong_and_who_may_ask_is_said() {
        let (socket, error) = (PathBuf::from("/run/s"), || io::Error::other("no"));
        let denied = unasked(&NoAnswer::Denied { socket: socket.clone(), error: error() });
        assert_eq!(denied.verdict, Verdict::Failed);
        assert!(denied.fix.unwrap().contains("sudo porthole doctor"));
        let silent = unasked(&NoAnswer::Silent { socket, error: error() });
        assert_eq!(silent.verdict, Verdict::Failed);
        assert!(silent.says.contains("/run/s does not answer: no"), "{}", silent.says);
        assert!(silent.fix.unwrap().contains("systemctl restart porthole"));
        assert_eq!(unasked(&NoAnswer::Several(vec![])).verdict, Verdict::Warning);
    }

    #[test]
    fn a_daemon_that_is_not_well_says_why_in_its_own_words() {
        let reply = json!({
            "status": { "version": "9.9", "healthy": false, "config": "/etc/cam.toml", "calls": 2 },
            "words": ["\"Cam\" is the camera of room yard.", "The camera is lost.", "Nobody watches.", "The relay is away."],
        });
        let running = Running::new("/run/s".into(), &reply);
        let known = Daemon {
            version: "9.9".into(),
            healthy: false,
            why: "The camera is lost. The relay is away.".into(),
        };
        assert_eq!((running.known, running.calls), (known, 2));
        assert_eq!(running.config, Some("/etc/cam.toml".into()));
    }
}
