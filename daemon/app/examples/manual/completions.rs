//! What shells complete: what clap_complete writes, without what is hidden and with what it leaves out. Must not know what any
//! command does.

use std::io;

use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;

/// The completions of `command` for a shell.
///
/// # Errors
/// Those of a text that is none, or is not as it is known here: another version of clap_complete.
pub fn text(shell: Shell, command: &Command) -> io::Result<String> {
    let mut shown = shown(command);
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut shown, env!("CARGO_PKG_NAME"), &mut written);
    let text = String::from_utf8(written).map_err(|_| unknown("the whole text"))?;
    match shell {
        Shell::Bash => with_files(text, &shown),
        Shell::Fish => Ok(text + &words_for_fish(&shown)),
        _ => Ok(text),
    }
}

/// The command without those below it that are hidden: clap_complete shows them, too.
fn shown(command: &Command) -> Command {
    let visible = command.get_subcommands().filter(|below| !below.is_hide_set()).cloned();
    let about = command.get_about().cloned().unwrap_or_default();
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .disable_help_subcommand(true)
        .args(command.get_arguments().cloned())
        .subcommands(visible)
}

/// Lets bash offer files as the word of a command that wants one. It is offered options alone otherwise, until a letter is
/// typed; with nothing to offer, bash completes files by itself (`-o default`), whatever their names are made of.
fn with_files(mut text: String, command: &Command) -> io::Result<String> {
    for (path, command) in lowest(command) {
        if !word(command).is_some_and(is_file) {
            continue;
        }
        let name = [&[env!("CARGO_PKG_NAME")], &path[..]].concat().join(" ");
        let label = format!("\n        {})\n", name.replace([' ', '-'], "__subcmd__"));
        let begin = text.find(&label).ok_or_else(|| unknown(&name))?;
        let end = text[begin..].find("\n            ;;").ok_or_else(|| unknown(&name))? + begin;
        let first = format!("[[ ${{cur}} == -* || ${{COMP_CWORD}} -eq {} ]]", path.len() + 1);
        let last = "esac\n            COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )\n";
        let part = &text[begin..end];
        if !part.contains(&first) || !part.contains(last) {
            return Err(unknown(&name));
        }
        let part = part.replace(&first, "[[ ${cur} == -* ]]").replace(last, "esac\n");
        text.replace_range(begin..end, &part);
    }
    Ok(text)
}

/// What fish is not told: the words that a command knows, and that there are no files where none is wanted.
fn words_for_fish(command: &Command) -> String {
    let mut text = String::new();
    for (path, command) in lowest(command) {
        let also = path[1..].iter().map(|name| format!("; and __fish_seen_subcommand_from {name}"));
        let when = format!("__fish_porthole_using_subcommand {}{}", path[0], also.collect::<String>());
        let word = word(command);
        let known: Vec<String> = word
            .map(Arg::get_possible_values)
            .unwrap_or_default()
            .iter()
            .map(|value| {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                format!("{}\\t'{}'", value.get_name(), escaped(&help))
            })
            .collect();
        let what = match word {
            Some(word) if is_file(word) => "-F".to_owned(),
            _ if known.is_empty() => "-f".to_owned(),
            _ => format!("-f -a \"{}\"", known.join("\n")),
        };
        text += &format!("complete -c {} -n \"{when}\" {what}\n", env!("CARGO_PKG_NAME"));
    }
    text
}

/// For fish, within single quotes within double ones.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |all, c| match c {
        '\\' => all + r"\\\\",
        '\'' | '"' | '$' => all + "\\" + &c.to_string(),
        _ => all + &c.to_string(),
    })
}

/// The commands with none below them, each with the words that lead to it.
fn lowest(command: &Command) -> Vec<(Vec<&str>, &Command)> {
    command
        .get_subcommands()
        .flat_map(|below| {
            let deeper = lowest(below);
            let all = if deeper.is_empty() { vec![(Vec::new(), below)] } else { deeper };
            all.into_iter().map(|(path, last)| ([&[below.get_name()], &path[..]].concat(), last))
        })
        .collect()
}

/// The first word that a command wants.
fn word(command: &Command) -> Option<&Arg> {
    command.get_positionals().next()
}

fn is_file(arg: &Arg) -> bool {
    arg.get_value_hint() == ValueHint::FilePath
}

fn unknown(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("clap_complete writes otherwise than is known: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use std::process;

    use clap::CommandFactory;
    use porthole::cli::Args;

    use super::*;

    #[test]
    fn bash_offers_the_words_that_there_are() {
        assert_eq!(offered(&["access", "add", "ann", "--role", ""]), ["watch", "talk", "manage"]);
        assert_eq!(offered(&["access", "add", "--role", "t"]), ["talk"]);
        let privacy = offered(&["privacy", ""]);
        assert!(["on", "off"].iter().all(|word| privacy.iter().any(|one| one == word)), "{privacy:?}");
        assert_eq!(offered(&["che"]), ["check-config"]);
    }

    #[test]
    fn bash_is_left_to_offer_files_where_one_is_wanted_and_options_where_they_begin() {
        for line in [&["check-config", ""][..], &["play", ""], &["play", "--config", "a.toml", ""]] {
            assert_eq!(offered(line), [""; 0], "{line:?}");
        }
        assert!(
            written(Shell::Bash)
                .contains("complete -F _porthole -o nosort -o bashdefault -o default porthole")
        );
        assert_eq!(offered(&["play", "--s"]), ["--stop"]);
        assert_eq!(offered(&["check-config", "-"]), ["-h", "--help"]);
        assert!(offered(&["run", ""]).contains(&"--config".to_owned()));
    }

    #[test]
    fn fish_is_told_the_words_of_the_switch_and_where_files_are_wanted() {
        let text = written(Shell::Fish);
        let told = |when: &str| -> Vec<&str> {
            let when = format!("complete -c porthole -n \"__fish_porthole_using_subcommand {when}\" ");
            text.split("\ncomplete ")
                .filter_map(|one| when.strip_prefix("complete ").and_then(|w| one.strip_prefix(w)))
                .collect()
        };
        let switch = told("privacy").pop().unwrap().to_owned();
        assert!(switch.starts_with("-f -a \"on\\t'") && switch.contains("\noff\\t'"), "{switch}");
        assert_eq!(told("play").pop().unwrap().trim(), "-F");
        assert_eq!(told("access; and __fish_seen_subcommand_from revoke").pop().unwrap().trim(), "-f");
        let role = told("access; and __fish_seen_subcommand_from add");
        assert!(
            role.iter().any(|one| one.contains("-l role") && one.contains("-r -f -a \"watch\\t'")),
            "{role:?}"
        );
    }

    #[test]
    fn no_shell_is_told_what_is_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = written(shell);
            assert!(text.contains("check-config") && !text.contains("try-encoders"), "{shell}");
        }
    }

    /// What bash offers for the last of these words.
    fn offered(words: &[&str]) -> Vec<String> {
        let ask = r#"
            eval "$1"; shift
            COMP_WORDS=(porthole "$@"); COMP_CWORD=$#
            _porthole porthole "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done"#;
        let asked = process::Command::new("bash")
            .args(["--norc", "-c", ask, "bash", &written(Shell::Bash)])
            .args(words)
            .output()
            .unwrap();
        assert!(asked.status.success() && asked.stderr.is_empty(), "{words:?}: {asked:?}");
        String::from_utf8(asked.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn written(shell: Shell) -> String {
        text(shell, &Args::command()).unwrap()
    }
}
