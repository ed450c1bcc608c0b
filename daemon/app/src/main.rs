//! The process: reads the command line and does what is asked. Must not know how any of it is done.

use std::path::Path;
use std::process::ExitCode;

use porthole::cli::{Args, Command};
use porthole::exit::Exit;
use porthole::{configuration, logging};

fn main() -> ExitCode {
    porthole::memory::tune();
    match Args::take() {
        Ok(Args { command: Command::CheckConfig { file } }) => check_config(&file).into(),
        Ok(Args { command: Command::Run { config } }) => run(config.as_deref()).into(),
        Err(exit) => exit.into(),
    }
}

/// Waits in the room until it is told to stop.
fn run(config: Option<&Path>) -> Exit {
    logging::start();
    let settings = match configuration::read(config) {
        Ok(settings) => settings,
        Err(unusable) => {
            for finding in unusable.to_string().lines() {
                log::error!("{finding}");
            }
            return unusable.exit();
        }
    };
    logging::set_level(settings.log);
    match porthole::run::until_stopped(settings) {
        Ok(()) => Exit::Well,
        Err(error) => {
            log::error!("{error}");
            Exit::Unavailable
        }
    }
}

/// Says what is wrong with a configuration, or what it comes to.
fn check_config(file: &Path) -> Exit {
    match configuration::read(Some(file)) {
        Ok(settings) => {
            println!("{}: ok\n{settings}", file.display());
            Exit::Well
        }
        Err(unusable) => {
            eprintln!("{unusable}");
            unusable.exit()
        }
    }
}
