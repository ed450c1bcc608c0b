//! The command line. Must not do what is asked on it, except for help, version and mistakes.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// Turns a board with a camera and a microphone into a doorbell or baby monitor that any browser can watch.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Wait in the room and answer calls until stopped (Ctrl-C or SIGTERM)
    Run {
        /// Configuration; without it every key has its default
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Be a relay alone, without a camera, for cameras and viewers elsewhere, until stopped
    Relay {
        /// Configuration; without it every key has its default
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Check a configuration without starting anything (exit status 78 if it is not allowed)
    CheckConfig {
        /// Configuration
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl Args {
    /// Takes the process's command line.
    ///
    /// # Errors
    /// The status to end with: help or version were asked for and are printed ([`Exit::Well`]), or the command
    /// line is not understood and what would be is printed ([`Exit::Usage`]).
    pub fn take() -> Result<Self, Exit> {
        Self::try_parse().map_err(|said| {
            // Nothing is left to do if even that cannot be printed.
            let _ = said.print();
            if said.use_stderr() { Exit::Usage } else { Exit::Well }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn run_takes_a_configuration_or_none() {
        assert_eq!(command(["run"]), Ok(Command::Run { config: None }));
        assert_eq!(
            command(["run", "--config", "a.toml"]),
            Ok(Command::Run { config: Some("a.toml".into()) })
        );
    }

    #[test]
    fn relay_takes_a_configuration_or_none() {
        assert_eq!(command(["relay"]), Ok(Command::Relay { config: None }));
        assert_eq!(
            command(["relay", "--config", "a.toml"]),
            Ok(Command::Relay { config: Some("a.toml".into()) })
        );
        assert!(command(["relay", "a.toml"]).is_err());
    }

    #[test]
    fn check_config_takes_exactly_one_file() {
        assert_eq!(command(["check-config", "a.toml"]), Ok(Command::CheckConfig { file: "a.toml".into() }));
        assert!(command(["check-config"]).is_err());
        assert!(command(["check-config", "a.toml", "b.toml"]).is_err());
    }

    #[test]
    fn anything_else_is_not_understood() {
        assert!(command([]).is_err());
        assert!(command(["walk"]).is_err());
        assert!(command(["run", "a.toml"]).is_err());
    }

    fn command<const N: usize>(words: [&str; N]) -> Result<Command, String> {
        let line = ["porthole"].into_iter().chain(words);
        Args::try_parse_from(line).map(|args| args.command).map_err(|said| said.to_string())
    }
}
