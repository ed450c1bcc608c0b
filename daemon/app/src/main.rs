//! The process: reads the command line and does what is asked. Must not know how any of it is done.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use porthole::access::Failed;
use porthole::cli::{Args, Command, Keys, Switch};
use porthole::configuration::{Unusable, meant};
use porthole::exit::Exit;
use porthole::run::CannotRun;
use porthole::{configuration, logging};
use porthole_core::config::settings::Settings;

fn main() -> ExitCode {
    porthole::memory::tune();
    porthole::media::prepare();
    match Args::take() {
        Ok(Args { command: Command::CheckConfig { file } }) => check_config(&file).into(),
        Ok(Args { command: Command::Run { config } }) => {
            live(configuration::read, meant(config).as_deref(), porthole::run::until_stopped).at_once()
        }
        // The service is a camera and no relay alone: its file is not meant.
        Ok(Args { command: Command::Relay { config } }) => {
            live(configuration::read_for_relay, config.as_deref(), porthole::run::relay_until_stopped)
                .at_once()
        }
        Ok(Args { command: Command::Status { config, json } }) => status(config.as_deref(), json).into(),
        Ok(Args { command: Command::Devices { config, json } }) => {
            devices(meant(config).as_deref(), json).into()
        }
        Ok(Args { command: Command::Privacy { config, switch } }) => {
            privacy(config.as_deref(), switch == Switch::On).into()
        }
        Ok(Args { command: Command::Reload { config } }) => reload(config.as_deref()).into(),
        Ok(Args { command: Command::Play { config, file, volume, .. } }) => {
            play(config.as_deref(), file.as_deref(), volume).into()
        }
        Ok(Args { command: Command::TryEncoders { width, height, framerate, bitrate, encoders } }) => {
            try_encoders([width, height, framerate, bitrate], &encoders).into()
        }
        Ok(Args { command: Command::Doctor { config, json, tone } }) => {
            porthole::doctor::perform(meant(config).as_deref(), json, tone).into()
        }
        Ok(Args { command: Command::Access { config, keys } }) => {
            access(meant(config).as_deref(), keys).into()
        }
        Err(exit) => exit.into(),
    }
}

/// Lives by what is read from `config` until it is told to stop.
fn live(
    read: fn(Option<&Path>) -> Result<Settings, Unusable>,
    config: Option<&Path>,
    until_stopped: fn(Settings, Option<&Path>) -> Result<(), CannotRun>,
) -> Exit {
    logging::start();
    let settings = match read(config) {
        Ok(settings) => settings,
        Err(unusable) => {
            for finding in unusable.to_string().lines() {
                log::error!("{finding}");
            }
            return unusable.exit();
        }
    };
    logging::set_level(settings.log);
    logging::belongs_to(&settings.room);
    let stopped = until_stopped(settings, config);
    log::logger().flush();
    match stopped {
        Ok(()) => Exit::Well,
        Err(error) => {
            log::error!("{error}");
            error.exit()
        }
    }
}

/// Says how the daemon is.
fn status(config: Option<&Path>, json: bool) -> Exit {
    let printed = porthole::status::print(&mut std::io::stdout().lock(), config, json);
    if printed.is_ok() {
        warn_of(config);
    }
    match printed {
        Ok(Ok(())) => Exit::Well,
        Ok(Err(_)) => Exit::Unkept,
        Err(unanswered) => {
            eprintln!("{unanswered}");
            unanswered.exit()
        }
    }
}

/// Says what is wrong in the configuration of a daemon that was asked all the same.
fn warn_of(config: Option<&Path>) {
    let found = config.and_then(|file| configuration::read_in_part(Some(file)).ok()?.1);
    found.iter().for_each(configuration::warn);
}

/// Switches privacy on or off.
fn privacy(config: Option<&Path>, on: bool) -> Exit {
    match porthole::privacy::switch(config, on) {
        Ok(switched) => {
            let said = say(switched.said);
            warn_of(config);
            switched.unkept.map_or(said, |why| {
                eprintln!("but a restart of the daemon would forget it: {why}");
                Exit::Unkept
            })
        }
        Err(unanswered) => {
            eprintln!("{unanswered}");
            unanswered.exit()
        }
    }
}

/// Plays a file, or nothing more.
fn play(config: Option<&Path>, file: Option<&Path>, volume: Option<u32>) -> Exit {
    let done = match file {
        Some(file) => porthole::play::play(config, file, volume),
        None => porthole::play::stop(config),
    };
    match done {
        Ok(()) => Exit::Well,
        Err(failed) => {
            eprintln!("{failed}");
            failed.exit()
        }
    }
}

/// Does something with the keys.
fn access(config: Option<&Path>, asked: Keys) -> Exit {
    match porthole::access::perform(config, asked) {
        Ok(()) => Exit::Well,
        Err(failed) => {
            eprintln!("{failed}");
            if matches!(failed, Failed::Unknown(_) | Failed::Empty { .. })
                && let Some(hint) = porthole::access::elsewhere(config)
            {
                eprintln!("{hint}");
            }
            failed.exit()
        }
    }
}

/// Tries encoders for the daemon.
fn try_encoders(picture: [u32; 4], encoders: &[String]) -> Exit {
    match porthole::media::try_encoders(picture, encoders) {
        Ok(()) => Exit::Well,
        Err(failed) => {
            eprintln!("{failed}");
            Exit::Unavailable
        }
    }
}

/// Says what cameras, microphones and encoders there are.
fn devices(config: Option<&Path>, json: bool) -> Exit {
    match porthole::devices::print(config, json) {
        Ok(()) => Exit::Well,
        Err(failed) => {
            eprintln!("{failed}");
            failed.exit()
        }
    }
}

/// Prints a line, where that can be done.
fn say(line: &str) -> Exit {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Exit::Well,
        Err(error) => {
            eprintln!("cannot be printed: {error}");
            Exit::Unkept
        }
    }
}

/// Has the daemon that runs read its configuration again.
fn reload(config: Option<&Path>) -> Exit {
    match porthole::reload::ask(config) {
        Ok(said) => say(&said),
        Err(failed) => {
            eprintln!("{failed}");
            failed.exit()
        }
    }
}

/// Says what is wrong with a configuration, or what it comes to.
fn check_config(file: &Path) -> Exit {
    match configuration::check(file) {
        Ok(settings) => say(&format!("{}: ok\n{settings}", file.display())),
        Err(unusable) => {
            eprintln!("{unusable}");
            unusable.exit()
        }
    }
}
