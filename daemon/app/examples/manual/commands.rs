//! The pages of the commands, one each. Must not know what any of them does.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

/// What is at the foot of every page.
pub const SOURCE: &str = concat!("porthole ", env!("CARGO_PKG_VERSION"));

/// Writes the pages of a command and of those below it into `folder`. The command has been built, and those that are hidden
/// have no page.
pub fn pages(command: &Command, folder: &Path) -> io::Result<()> {
    if command.is_hide_set() {
        return Ok(());
    }
    for below in command.get_subcommands() {
        pages(below, folder)?;
    }
    let mut out = File::create(folder.join(format!("{}.1", name(command))))?;
    let man = begin(command, &mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    Ok(())
}

/// Writes what every page begins with: the title, what the command is for, and how it is typed.
pub fn begin(command: &Command, out: &mut impl Write) -> io::Result<Man> {
    let man = Man::new(command.clone()).title(name(command)).source(SOURCE);
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text(synopsis(command));
    roff.to_writer(out)?;
    man.render_description_section(out)?;
    Ok(man)
}

/// `porthole-access-add`
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// How it is typed. That of clap_mangen leaves out what an option wants to be told.
fn synopsis(command: &Command) -> Vec<Inline> {
    let mut line = vec![bold(command.get_bin_name().unwrap_or_else(|| command.get_name()))];
    let (words, options): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(|arg| !arg.is_hide_set()).partition(|arg| arg.is_positional());
    for arg in options.into_iter().chain(words) {
        let (begin, end) = if arg.is_required_set() { (" ", "") } else { (" [", "]") };
        line.push(roman(begin));
        let short = arg.get_short().map(|short| format!("-{short}"));
        let long = arg.get_long().map(|long| format!("--{long}"));
        let named: Vec<String> = short.into_iter().chain(long).collect();
        if !named.is_empty() {
            line.push(bold(named.join("|")));
        }
        if arg.get_action().takes_values() {
            let values = arg.get_value_names().unwrap_or_default().join(" ");
            line.push(italic(if named.is_empty() { values } else { format!(" {values}") }));
        }
        line.push(roman(end));
    }
    if command.has_subcommands() {
        line.extend([roman(" "), italic("COMMAND")]);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::CommandFactory;
    use porthole::cli::Args;

    use super::*;

    #[test]
    fn a_page_says_whose_it_is_and_what_its_options_want_to_be_told() {
        for (name, typed) in [
            ("porthole-doctor", "porthole doctor [--config FILE] [--json] [--tone] [-h|--help]"),
            ("porthole-play", "porthole play [--config FILE] [--volume PERCENT] [--stop] [-h|--help] [FILE]"),
            ("porthole-check-config", "porthole check-config [-h|--help] FILE"),
            ("porthole-access", "porthole access [--config FILE] [-h|--help] COMMAND"),
            (
                "porthole-access-add",
                "porthole access add [--role ROLE] [--until DATE] [--for WHILE] [--config FILE] [-h|--help] NAME",
            ),
        ] {
            let page = page(name);
            let title = format!(".TH {name} 1  \"{SOURCE}\"");
            assert!(page.lines().any(|line| line.trim_end() == title), "{title}: {page}");
            let line = page.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap();
            let plain =
                ["\\fB", "\\fI", "\\fR"].iter().fold(line.to_owned(), |text, font| text.replace(font, ""));
            assert_eq!(plain.replace("\\-", "-"), typed);
        }
    }

    #[test]
    fn what_is_hidden_has_no_page() {
        let folder = tempfile::tempdir().unwrap();
        pages(&built(), folder.path()).unwrap();
        assert!(folder.path().join("porthole-run.1").exists());
        assert!(!folder.path().join("porthole-try-encoders.1").exists());
        let first = fs::read_to_string(folder.path().join("porthole.1")).unwrap();
        assert!(first.contains("check\\-config") && !first.contains("try\\-encoders"), "{first}");
    }

    fn page(name: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        pages(&built(), folder.path()).unwrap();
        fs::read_to_string(folder.path().join(format!("{name}.1"))).unwrap()
    }

    fn built() -> Command {
        let mut command = Args::command();
        command.build();
        command
    }
}
