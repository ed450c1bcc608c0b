//! Writes the man pages and the shell completions of the command line into a folder, for packages:
//! `cargo run -p porthole --example manual FOLDER`. Must not know anything that the command line and `porthole.toml` do not
//! say themselves, but for files, environment and exit statuses.

mod commands;
mod completions;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{Generator, Shell};
use clap_mangen::roff::{Roff, bold, roman};
use porthole::cli::Args;
use porthole::exit::Exit;
use porthole_core::config::keys::{Key, SECTIONS};

/// Every key with its default and what it is for.
const CONFIGURATION: &str = include_str!("../../../../config/porthole.toml");

const FILES: [(&str, &str); 4] = [
    (
        "/etc/porthole/porthole.toml",
        "The configuration of the service, every key with its default and what it is for. Root's `porthole` takes it unless \
         told otherwise.",
    ),
    (
        "/etc/porthole/secrets/",
        "Secrets for the service, for root alone. A file ICE_TURN_PASSWORD there, say, is what the variable \
         PORTHOLE_ICE_TURN_PASSWORD would be. Read when the service starts.",
    ),
    (
        "/var/lib/porthole/",
        "What the service has to remember: access keys, and the authority of its certificate.",
    ),
    ("~/.local/state/porthole/", "The same where somebody else than root runs `porthole` by hand."),
];

const VARIABLES: [(&str, &str); 3] = [
    (
        "PORTHOLE_ICE_TURN_PASSWORD",
        "The password of the TURN servers below [ice]; with _1, _2 and so on that of the first, the second ...",
    ),
    (
        "PORTHOLE_RELAY_AUTH_KEY",
        "What KEY is in `auth` below [relay], such as PORTHOLE_RELAY_AUTH_TOKEN for `token`.",
    ),
    ("STATE_DIRECTORY", "Where keys and authority are kept, in place of the folders below."),
];

/// What a status says.
fn status(exit: Exit) -> &'static str {
    match exit {
        Exit::Well => "all went as asked",
        Exit::Unwell => "`porthole doctor` has found something that does not work",
        Exit::Usage => {
            "the command line is not understood, or names something that there is not, such as a key"
        }
        Exit::Broken => "a file of Porthole's own is broken",
        Exit::NoInput => "a file named on the command line cannot be read",
        Exit::Unavailable => {
            "something is not there that is needed, such as the port, a part of GStreamer or a daemon that runs"
        }
        Exit::Software => "a fault in Porthole itself",
        Exit::Unkept => "something cannot be read or written, such as a file of Porthole's own",
        Exit::NotPermitted => {
            "not allowed for this user, such as reading the keys of the service, or asking the daemon of another one"
        }
        Exit::Config => "the configuration is not allowed; every finding is printed, with its line",
    }
}

fn statuses(of: &[Exit]) -> Vec<(String, &'static str)> {
    of.iter().map(|exit| ((*exit as u8).to_string(), status(*exit))).collect()
}

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "name the folder in which to write man pages and completions",
        )
    })?;
    let (pages, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&completions)?;
    let mut command = Args::command();
    command.build();
    for page in command.get_subcommands() {
        commands::pages(page, &pages)?;
    }
    first_page(&command, &pages)?;
    what_the_doctor_ends_with(&pages)?;
    page_of_the_configuration(&pages)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let text = completions::text(shell, &Args::command())?;
        fs::write(completions.join(shell.file_name(env!("CARGO_PKG_NAME"))), text)?;
    }
    Ok(())
}

/// The page of the whole, with what belongs to no single command.
fn first_page(command: &Command, pages: &Path) -> io::Result<()> {
    let mut out = File::create(pages.join("porthole.1"))?;
    let man = commands::begin(command, &mut out)?;
    man.render_subcommands_section(&mut out)?;
    let mut more = Roff::new();
    section(&mut more, "FILES", &FILES);
    section(&mut more, "ENVIRONMENT", &VARIABLES);
    section(&mut more, "EXIT STATUS", &statuses(&Exit::ALL));
    more.control("SH", ["EXAMPLES"]);
    for (words, what) in [
        ("sudo porthole access show owner", "prints the link that opens the camera of this machine"),
        ("sudo porthole access add \"grandma's phone\"", "makes a key for somebody else"),
        ("sudo systemctl reload porthole", "takes a changed configuration over without ending a call"),
        (
            "journalctl CALL=3 _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID porthole)",
            "prints what was logged about one call since the service was started: each start begins with CALL=1 again",
        ),
    ] {
        more.control("TP", []).text([bold(words)]).text([roman(what)]);
    }
    more.control("SH", ["SEE ALSO"]).text([bold("porthole.toml"), roman("(5), /usr/share/doc/porthole/")]);
    more.to_writer(&mut out)
}

/// Adds to the page of the one command whose status says more than whether it could be done.
fn what_the_doctor_ends_with(pages: &Path) -> io::Result<()> {
    let mut more = Roff::new();
    section(
        &mut more,
        "EXIT STATUS",
        &[("0", "nothing has failed; there may be warnings"), ("1", status(Exit::Unwell))],
    );
    more.control("PP", []).text([roman("Others are those of "), bold("porthole"), roman("(1).")]);
    more.to_writer(&mut File::options().append(true).open(pages.join("porthole-doctor.1"))?)
}

/// The page of the configuration, made from the file with every key.
fn page_of_the_configuration(pages: &Path) -> io::Result<()> {
    let mut page = Roff::new();
    page.control("TH", ["porthole.toml", "5", "", commands::SOURCE]);
    page.control("SH", ["NAME"]).text([roman("porthole.toml - the configuration of porthole")]);
    page.control("SH", ["SYNOPSIS"]).text([bold("/etc/porthole/porthole.toml")]);
    page.control("SH", ["DESCRIPTION"]);
    let mut known: Vec<(&str, &Key)> =
        SECTIONS.iter().flat_map(|section| section.keys.iter().map(|key| (section.name, key))).collect();
    let mut section = "";
    let mut said: Vec<&str> = Vec::new();
    for line in CONFIGURATION.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            page.control("SH", [format!("[{name}]").as_str()]);
        } else if let Some(words) = line.strip_prefix("# ") {
            said.push(words);
        } else if line == "#" {
            said.push("");
        } else if let Some((name, default)) = line.strip_prefix('#').and_then(|rest| rest.split_once(" = ")) {
            let place = known.iter().position(|(of, key)| (*of, key.name) == (section, name));
            let (_, key) = known.remove(place.ok_or_else(|| wrong(line, "is no key of that section"))?);
            page.control("TP", []).text([bold(name), roman(format!(" = {default}"))]);
            paragraphs(&mut page, &said);
            page.control("IP", []).text([roman(format!("Allowed: {}.", key.allowed))]);
            said.clear();
        } else if line.is_empty() {
            paragraphs(&mut page, &said);
            said.clear();
        } else {
            return Err(wrong(line, "is neither a section nor a key nor about one"));
        }
    }
    if let Some((section, key)) = known.first() {
        return Err(wrong(key.name, &format!("of [{section}] is not in the file")));
    }
    page.control("SH", ["SEE ALSO"]).text([
        bold("porthole"),
        roman("(1), "),
        bold("porthole-check-config"),
        roman("(1), /usr/share/doc/porthole/configuration.md"),
    ]);
    page.to_writer(&mut File::create(pages.join("porthole.toml.5"))?)
}

/// Lines of a comment. Those that are set in stay as they are: lists and examples.
fn paragraphs(page: &mut Roff, lines: &[&str]) {
    for (set_in, lines) in runs(lines) {
        if set_in {
            page.control("nf", []);
            lines.iter().for_each(|line| _ = page.text([roman(*line)]));
            page.control("fi", []);
        } else {
            for words in lines.split(|line| line.is_empty()).filter(|words| !words.is_empty()) {
                page.text([roman(words.join(" "))]);
            }
        }
    }
}

/// Lines that follow one another and are alike in being set in.
fn runs<'a, 'b>(lines: &'a [&'b str]) -> impl Iterator<Item = (bool, &'a [&'b str])> {
    let set_in = |line: &str| line.starts_with(' ');
    lines.chunk_by(move |one, next| set_in(one) == set_in(next)).map(move |run| (set_in(run[0]), run))
}

fn wrong(what: &str, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("config/porthole.toml: {what}: {why}"))
}

fn section(roff: &mut Roff, title: &str, rows: &[(impl AsRef<str>, &str)]) {
    roff.control("SH", [title]);
    for (word, what) in rows {
        roff.control("TP", []).text([bold(word.as_ref())]).text([roman(*what)]);
    }
}
