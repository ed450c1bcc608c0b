//! The process: reads the command line and does what is asked. Must not know how any of it is done.

use std::path::Path;
use std::process::ExitCode;

use porthole::cli::{Args, Command};
use porthole::configuration;
use porthole::exit::Exit;

fn main() -> ExitCode {
    match Args::take() {
        Ok(Args { command: Command::CheckConfig { file } }) => check_config(&file).into(),
        Ok(Args { command: Command::Run { .. } }) => Exit::Software.into(),
        Err(exit) => exit.into(),
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
