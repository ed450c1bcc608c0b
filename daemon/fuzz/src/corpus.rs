//! Inputs to begin with: real messages and offers from the core's tests, and files of our own. Must not know what is
//! done with them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The room in every golden message, whatever it was called there.
pub const ROOM: &str = "porthole";
/// The camera, likewise.
pub const ME: &str = "cam-nursery";

/// The files in `daemon/core/tests/<folder>` (and below) with this ending, by name.
///
/// # Panics
/// Where the sources are not there any more.
pub fn of_core(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests").join(folder), ending, &mut found);
    found.sort();
    assert!(!found.is_empty(), "no {ending} in {folder}: the corpus is read from the sources");
    found.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect()
}

/// What is in `<kind>/<target>/`: `seeds`, written by hand, or `found`, which once did harm.
pub fn of_target(kind: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target), "", &mut found);
    found.sort();
    found
}

/// The configurations that come with Porthole, each as it is and with every key in it written out.
pub fn configurations() -> Vec<String> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"), "toml", &mut found);
    let texts = found.into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    texts.flat_map(|text| [written_out(&text), text]).collect()
}

fn written_out(text: &str) -> String {
    let key = |line: &str| line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains(" = ");
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if key(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Every golden message as text: event, `-` (nobody vouches for the sender), then one argument a line.
pub fn messages() -> Vec<String> {
    of_core("wire", "json").into_iter().filter_map(|(_, text)| message(&text)).collect()
}

/// Every SDP there is.
pub fn descriptions() -> Vec<String> {
    let folders = ["offers", "answers", "accepts"];
    folders.into_iter().flat_map(|folder| of_core(folder, "sdp")).map(|(_, text)| text).collect()
}

fn message(golden: &str) -> Option<String> {
    let golden = golden.replace("cam-lobby", ME).replace("\"lobby\"", &format!("\"{ROOM}\""));
    let golden: Value = serde_json::from_str(&golden).ok()?;
    let args = match (golden.get("args"), golden.get("payload")) {
        (Some(Value::Array(args)), _) => args.clone(),
        (_, Some(payload)) => vec![payload.clone()],
        _ => Vec::new(),
    };
    let lines = [golden.get("event")?.as_str()?.to_owned(), "-".to_owned()];
    let lines = lines.into_iter().chain(args.iter().map(Value::to_string));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(String, Vec<u8>)>) {
    let entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    for path in entries {
        if path.is_dir() {
            collect(&path, ending, found);
        } else if ending.is_empty() || path.extension().is_some_and(|its| its == ending) {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
}

thread_local! {
    /// The offer of the golden message, which is short and has everything in it.
    pub static SHORT_OFFER: String = {
        let golden = of_core("wire", "json").into_iter().find(|(name, _)| name.ends_with("wire/offer.json"));
        let golden = golden.and_then(|(_, text)| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
        golden["payload"]["sdp"]["sdp"].as_str().unwrap_or_default().to_owned()
    };
}
