//! The files that a daemon needs for a start: its keys, the authority of its https, its configuration, and what that
//! names. Must not read any of them.

use super::Finding;

/// What became of reading such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// There is none, so the next start makes it.
    None,
    /// It is as it should be, and holds so many.
    Good(usize),
    /// It cannot be read, or is no such file; in words.
    Broken(String),
    /// It is good, and this user, as whom the daemon runs, may not read it.
    Closed(String),
    /// Who asks may not look.
    Hidden,
}

/// What to make of the access keys in `file`, without which a daemon that asks for them does not start.
pub fn keys(file: &str, kept: &Kept) -> Finding {
    let about = "keys";
    match kept {
        Kept::None => Finding::ok(about, "none yet: the first start makes the owner's"),
        Kept::Good(count) => Finding::ok(about, format!("{file} can be read, and holds {count}")),
        Kept::Broken(why) => {
            let fix = format!(
                "mend it, put back a copy, or have a new owner's key made at the next start: sudo mv {file} {file}.broken"
            );
            Finding::failed(about, format!("no daemon starts with them: {why}"), fix)
        }
        Kept::Closed(user) => {
            let says = format!("no daemon starts with them: {user}, as whom it runs, may not read {file}");
            Finding::failed(about, says, handed_to(user, file))
        }
        Kept::Hidden => hidden(about),
    }
}

/// What to make of the authority of our own in `file`; without it a daemon starts with another, which no browser knows.
pub fn authority(file: &str, kept: &Kept) -> Finding {
    let about = "authority";
    let lost = "each start makes another, and browsers warn of https again";
    match kept {
        Kept::None => Finding::ok(about, "none yet: the first start makes it"),
        Kept::Good(_) => Finding::ok(about, format!("{file} can be read")),
        Kept::Broken(why) => {
            let fix = format!(
                "put the right one back, or have one made that stays and is installed anew: sudo mv {file} {file}.broken"
            );
            Finding::warning(about, format!("{lost}: {why}"), fix)
        }
        Kept::Closed(user) => {
            let says = format!("{lost}: {user}, as whom the daemon runs, may not read {file}");
            Finding::warning(about, says, handed_to(user, file))
        }
        Kept::Hidden => hidden(about),
    }
}

/// What to make of a `file` that the configuration names as `key` (empty: the configuration itself), and that `user`, as whom
/// the daemon runs, may not read because of `closed`, the file itself or a folder above it.
pub fn closed(key: &str, file: &str, closed: &str, user: &str) -> Finding {
    let named = if key.is_empty() { String::new() } else { format!(" ({key})") };
    let because = if closed == file { String::new() } else { format!(", because of the folder {closed}") };
    let fix = match (key.is_empty(), because.is_empty()) {
        // It has no secrets that would have to be there: those have files of their own.
        (true, true) => format!("sudo chmod 644 {file}"),
        (true, false) => format!("sudo chmod 755 {closed}"),
        (false, true) => format!("sudo chgrp {user} {file} && sudo chmod 640 {file}"),
        (false, false) => {
            format!("put a copy where {user} may read it, such as below /etc/porthole, and name that")
        }
    };
    let says = format!("{user}, as whom the service runs, may not read {file}{named}{because}");
    Finding::failed("config", says, fix)
}

fn handed_to(user: &str, file: &str) -> String {
    format!("sudo chown {user}: {file} && sudo chmod 600 {file}")
}

fn hidden(about: &str) -> Finding {
    Finding::ok(about, "not looked at: those of the service are for root (sudo porthole doctor)")
}
