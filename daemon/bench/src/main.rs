//! `porthole-bench`: starts the real release binary with the test source and measures it from outside, as any
//! viewer and any `/proc` reader would. Prints tables, writes JSON. Must not know the daemon's inside.

mod crowd;
mod daemon;
mod elsewhere;
mod figure;
mod machine;
mod node;
mod process;
mod report;
mod rows;
mod spread;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::figure::Figures;
use crate::rows::Bench;

/// Measures a porthole binary on this machine: no other work should run meanwhile.
#[derive(Debug, Parser)]
#[command(name = "porthole-bench")]
struct Flags {
    /// Fewer runs: a first impression in about two minutes.
    #[arg(long)]
    quick: bool,
    /// Only this row; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Row>,
    /// Also with 50 viewers.
    #[arg(long)]
    fifty: bool,
    /// The binary to measure.
    #[arg(long, default_value = "target/release/porthole")]
    daemon: PathBuf,
    /// Nothing but calls that come and go, for so many minutes.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u32>,
    /// Where the JSON is written.
    #[arg(long, default_value = "bench-results")]
    out: PathBuf,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Row {
    /// CPU, memory, threads and file descriptors with 0, 1, 10, 20 viewers.
    Growth,
    /// What each stage takes of the processor, from the camera to the sockets.
    Stages,
    /// What the 2nd viewer costs, and what the 20th.
    Steps,
    /// Offer to answer, connection, first key frame.
    Join,
    /// What a Node.js relay adds to the answer of the camera.
    Relay,
    /// From the encoder to the socket
    Send,
    /// Start of the process to ready, and to its room
    Start,
    /// How soon a viewer that vanished is dropped.
    Vanish,
    /// 500 calls opened and closed.
    Churn,
    /// A camera lost and found 100 times within one call.
    Replug,
    /// 10,000 connections that never speak, or speak rubbish.
    Strangers,
    /// Memory of 1,000 sockets that say nothing, at the daemon's relay and at a Node.js server.
    Idle,
    /// Offer to first picture in Chromium.
    Chromium,
    /// From the camera to the screen of Chromium
    Glass,
    /// Button to first sound at the speaker.
    Talk,
    /// Offer to connection through NAT of each kind, and through coturn.
    Paths,
    /// A link that falls from 4 to 0.5 Mbit/s and comes back, with good viewers beside it.
    Weak,
    /// Frames and freezes where 1, 5 and 10 % of the packets are lost.
    Loss,
    /// What a viewer costs that asks for a key frame 100 times a second.
    Storm,
}

/// Anything that stops a measurement; the chain is printed.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let flags = Flags::parse();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            // Whatever ends it, what it started ends with it.
            tokio::select! {
                code = run(&flags) => code,
                () = told_to_stop() => ExitCode::FAILURE,
            }
        }),
        Err(error) => {
            eprintln!("no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for Ctrl-C or for what `kill` sends.
async fn told_to_stop() {
    let Ok(mut ended) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = ended.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn run(flags: &Flags) -> ExitCode {
    let mut figures = Figures::default();
    let rows = if flags.only.is_empty() { Row::value_variants() } else { &flags.only };
    let bench = Bench { daemon: &flags.daemon, quick: flags.quick, fifty: flags.fifty };
    if let Some(minutes) = flags.soak {
        let lasts = Duration::from_secs(u64::from(minutes) * 60);
        let soaked = rows::soak::run(&bench, &machine::describe(), lasts).await;
        return soaked.map_or_else(
            |fault| {
                eprintln!("the soak failed: {fault}");
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let mut complete = true;
    for row in rows {
        eprintln!("measuring {row:?} ...");
        // What was measured before a row failed is still shown.
        if let Err(fault) = bench.measure(*row, &mut figures).await {
            eprintln!("{row:?} failed: {fault}");
            complete = false;
        }
    }
    let machine = machine::describe();
    print!("{}", report::text(&machine, &figures));
    match report::write_json(&flags.out, &machine, &figures) {
        Ok(path) => println!("\n{}", path.display()),
        Err(error) => {
            eprintln!("{}: {error}", flags.out.display());
            complete = false;
        }
    }
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
