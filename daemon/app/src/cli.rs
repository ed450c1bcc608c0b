//! The command line. Must not do what is asked on it, except for help, version and mistakes.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueHint};
use porthole_core::access::{Label, Role};
use porthole_core::order::Order;

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
        /// Configuration; without it every key has its default [root: /etc/porthole/porthole.toml if it is there]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
    /// Be a relay alone, without a camera, for cameras and viewers elsewhere, until stopped
    Relay {
        /// Configuration; without it every key has its default
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
    /// Say what the daemon that runs here does, and who watches
    Status {
        /// Configuration of the daemon; not needed where only one runs
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look whether camera, sound, encoders, network, board, service and keys are well, and say what to do where they are not
    Doctor {
        /// Configuration of the camera; not needed where the daemon runs, or every key has its default [root: /etc/porthole/porthole.toml if it is there]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Play a tone on the speaker, and listen for it
        #[arg(long)]
        tone: bool,
    },
    /// Make, list, show and take back the keys that the camera opens to
    Access {
        /// Configuration of the camera; without it every key has its default [root: /etc/porthole/porthole.toml if it is there]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
        config: Option<PathBuf>,
        /// What to do with them.
        #[command(subcommand)]
        keys: Keys,
    },
    /// List cameras, microphones, speakers and encoders, and say which would be used
    Devices {
        /// Configuration of the camera; without it every key of it has its default [root: /etc/porthole/porthole.toml if it is there]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Close camera and microphone, so that nobody sees or hears anything, or open them again
    Privacy {
        /// Configuration of the daemon; without it the only one that runs is meant
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
        /// Whether nobody is to see or hear anything
        #[arg(value_name = "on|off")]
        switch: Switch,
    },
    /// Have the daemon take a changed configuration over while calls go on (exit status 78 if it is not allowed)
    Reload {
        /// Configuration of the daemon; without it the only one that runs is meant
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
    /// Play a file on the camera's speaker, a chime or a lullaby, or stop that
    Play {
        /// Configuration of the daemon; without it the only one that runs is meant
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
        /// What to play: anything GStreamer can, readable by the user that the daemon runs as
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "stop")]
        file: Option<PathBuf>,
        /// How loud, in percent (1 to 400)
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=i64::from(Order::LOUDEST)))]
        volume: Option<u32>,
        /// Stop what is played
        #[arg(long, conflicts_with_all = ["file", "volume"])]
        stop: bool,
    },
    /// Try encoders for the daemon, which asks
    #[command(hide = true)]
    TryEncoders {
        /// Pixels
        width: u32,
        /// Pixels
        height: u32,
        /// Frames a second
        framerate: u32,
        /// kbit/s
        bitrate: u32,
        /// Which
        encoders: Vec<String>,
    },
    /// Check a configuration without starting anything (exit status 78 if it is not allowed)
    CheckConfig {
        /// Configuration
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// The two places of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Nobody sees or hears anything
    On,
    /// Who is let in sees and hears the camera
    Off,
}

/// What to do with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Keys {
    /// Make a key for somebody, and print the link that carries it
    Add {
        /// Whose it is, such as "grandma's phone"
        #[arg(value_parser = Label::new)]
        name: Label,
        /// What it allows
        #[arg(long, default_value = "watch", value_parser = role())]
        role: Role,
        /// From when on it is worth nothing: 2026-12-31 (that day included) or "2026-12-31 18:00"
        #[arg(long, value_name = "DATE", conflicts_with = "lasts")]
        until: Option<String>,
        /// For how long it is worth something: 3d, 2w, 12h
        #[arg(long = "for", value_name = "WHILE")]
        lasts: Option<String>,
    },
    /// List all keys, without their secrets
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the link that carries a key again
    Show {
        /// Its name or id
        #[arg(value_name = "NAME|ID")]
        key: String,
    },
    /// Take a key back: whoever watches with it is hung up at once
    Revoke {
        /// Its name or id
        #[arg(value_name = "NAME|ID")]
        key: String,
    },
}

/// Takes the word for a role, so that help, mistakes and completions name all there are.
fn role() -> impl TypedValueParser<Value = Role> {
    let known = Role::ALL.map(|role| {
        PossibleValue::new(role.word()).help(match role {
            Role::Watch => "See and hear the camera",
            Role::Talk => "Be heard, too",
            Role::Manage => "Change what the camera does, too",
        })
    });
    PossibleValuesParser::new(known).try_map(|word| word.parse::<Role>())
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
    fn whatever_takes_a_file_says_so_to_shells() {
        fn all(command: &clap::Command) -> Vec<&clap::Command> {
            [command].into_iter().chain(command.get_subcommands().flat_map(all)).collect()
        }
        let args = Args::command();
        let files = all(&args).into_iter().flat_map(clap::Command::get_arguments);
        let files: Vec<_> =
            files.filter(|arg| arg.get_value_names().is_some_and(|names| names == ["FILE"])).collect();
        assert!(files.len() > 10, "{files:?}");
        assert!(files.iter().all(|arg| arg.get_value_hint() == ValueHint::FilePath), "{files:?}");
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
    fn the_status_is_asked_of_the_only_daemon_or_of_that_with_a_configuration() {
        assert_eq!(command(["status"]), Ok(Command::Status { config: None, json: false }));
        assert_eq!(
            command(["status", "--json", "--config", "a.toml"]),
            Ok(Command::Status { config: Some("a.toml".into()), json: true })
        );
    }

    #[test]
    fn devices_are_listed_in_words_or_as_json() {
        assert_eq!(command(["devices"]), Ok(Command::Devices { config: None, json: false }));
        assert_eq!(
            command(["devices", "--json", "--config", "a.toml"]),
            Ok(Command::Devices { config: Some("a.toml".into()), json: true })
        );
        assert!(command(["devices", "a.toml"]).is_err());
    }

    #[test]
    fn the_doctor_plays_a_tone_only_when_asked() {
        let doctor = |json, tone| Ok(Command::Doctor { config: None, json, tone });
        assert_eq!(
            (command(["doctor"]), command(["doctor", "--json"])),
            (doctor(false, false), doctor(true, false))
        );
        assert_eq!(command(["doctor", "--tone"]), doctor(false, true));
    }

    #[test]
    fn check_config_takes_exactly_one_file() {
        assert_eq!(command(["check-config", "a.toml"]), Ok(Command::CheckConfig { file: "a.toml".into() }));
        assert!(command(["check-config"]).is_err());
        assert!(command(["check-config", "a.toml", "b.toml"]).is_err());
    }

    #[test]
    fn a_key_is_made_for_watching_unless_more_is_said() {
        let add = |role, until: Option<&str>, lasts: Option<&str>| {
            let (until, lasts) = (until.map(str::to_owned), lasts.map(str::to_owned));
            let name = Label::new("grandma's phone").unwrap();
            Ok(Command::Access { config: None, keys: Keys::Add { name, role, until, lasts } })
        };
        let said = |more: &[&str]| command_of([&["access", "add", "grandma's phone"], more].concat());
        assert_eq!(said(&[]), add(Role::Watch, None, None));
        assert_eq!(
            said(&["--role", "talk", "--until", "2026-12-31"]),
            add(Role::Talk, Some("2026-12-31"), None)
        );
        assert_eq!(said(&["--for", "3d"]), add(Role::Watch, None, Some("3d")));
        let why = said(&["--until", "2026-12-31", "--for", "3d"]).unwrap_err();
        assert!(why.contains("cannot be used with"), "{why}");
        let why = said(&["--role", "king"]).unwrap_err();
        assert!(why.contains("'king' for '--role <ROLE>'"), "{why}");
        assert!(why.contains("[possible values: watch, talk, manage]"), "{why}");
        assert!(command(["access", "add", " "]).unwrap_err().contains("1 to 40 characters"));
    }

    #[test]
    fn keys_are_listed_shown_and_taken_back_by_any_configuration() {
        let config = Some(PathBuf::from("a.toml"));
        let listed = Ok(Command::Access { config: config.clone(), keys: Keys::List { json: true } });
        assert_eq!(command(["access", "--config", "a.toml", "list", "--json"]), listed);
        assert_eq!(command(["access", "list", "--json", "--config", "a.toml"]), listed);
        let key = || "owner".to_owned();
        assert_eq!(
            command(["access", "show", "owner", "--config", "a.toml"]),
            Ok(Command::Access { config, keys: Keys::Show { key: key() } })
        );
        assert_eq!(
            command(["access", "revoke", "owner"]),
            Ok(Command::Access { config: None, keys: Keys::Revoke { key: key() } })
        );
        assert!(command(["access"]).is_err());
    }

    #[test]
    fn privacy_is_on_or_off() {
        let privacy =
            |config: Option<&str>, switch| Ok(Command::Privacy { config: config.map(PathBuf::from), switch });
        assert_eq!(command(["privacy", "on"]), privacy(None, Switch::On));
        assert_eq!(command(["privacy", "off", "--config", "a.toml"]), privacy(Some("a.toml"), Switch::Off));
        assert!(command(["privacy"]).is_err());
        assert!(command(["privacy", "yes"]).unwrap_err().contains("[possible values: on, off]"));
    }

    #[test]
    fn a_file_is_played_as_loud_as_it_is_or_as_is_said_and_stopped() {
        let play = |file: Option<&str>, volume, stop| {
            Ok(Command::Play { config: None, file: file.map(PathBuf::from), volume, stop })
        };
        assert_eq!(command(["play", "chime.wav"]), play(Some("chime.wav"), None, false));
        assert_eq!(command(["play", "a.ogg", "--volume", "50"]), play(Some("a.ogg"), Some(50), false));
        assert_eq!(command(["play", "--stop"]), play(None, None, true));
        assert!(command(["play"]).is_err());
        assert!(command(["play", "a.ogg", "--stop"]).is_err());
        for volume in ["0", "401", "loud"] {
            assert!(command(["play", "a.ogg", "--volume", volume]).is_err(), "{volume}");
        }
    }

    #[test]
    fn anything_else_is_not_understood() {
        assert!(command([]).is_err());
        assert!(command(["walk"]).is_err());
        assert!(command(["run", "a.toml"]).is_err());
    }

    fn command<const N: usize>(words: [&str; N]) -> Result<Command, String> {
        command_of(words.to_vec())
    }

    fn command_of(words: Vec<&str>) -> Result<Command, String> {
        let line = ["porthole"].into_iter().chain(words);
        Args::try_parse_from(line).map(|args| args.command).map_err(|said| said.to_string())
    }
}
