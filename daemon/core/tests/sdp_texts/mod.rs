//! The offers that browsers made, and small ways of changing them. Must not know what is expected of them.

use std::fs;
use std::path::Path;

/// The offer of this name, as recorded.
pub fn offer(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/offers").join(name).with_added_extension("sdp");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of all recorded offers.
pub fn every_offer() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/offers");
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("the offers are there")
        .map(|entry| {
            entry.expect("readable").path().file_stem().expect("named").to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    assert!(names.len() > 25, "offers are missing: {names:?}");
    names
}

/// The session's lines, then each m-line with what belongs to it.
pub fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("m=") {
            sections.push(String::new());
        }
        let section = sections.last_mut().expect("there is always one");
        section.push_str(line);
        section.push_str("\r\n");
    }
    sections
}

/// An answer as plain as can be, that says yes to everything in `narrow`.
pub fn say_yes(narrow: &str) -> String {
    let lines = narrow.lines().filter(|line| !line.starts_with("a=candidate") && !line.starts_with("a=ssrc"));
    lines.fold(String::new(), |answer, line| {
        let line = match line {
            "a=recvonly" => "a=sendonly",
            "a=setup:actpass" | "a=setup:passive" => "a=setup:active",
            "a=setup:active" => "a=setup:passive",
            other => other,
        };
        answer + line + "\r\n"
    })
}
