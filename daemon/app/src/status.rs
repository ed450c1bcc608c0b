//! `porthole status`: asks the daemon how things are, and says so. Must not know how it knows.

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use crate::control::{self, NoAnswer, Request};

/// Prints what the daemon with this configuration, or the only one there is, says of itself.
///
/// # Errors
/// [`NoAnswer`]: nobody could be asked.
pub fn print(out: &mut impl Write, config: Option<&Path>, json: bool) -> Result<io::Result<()>, NoAnswer> {
    let reply = control::ask(&control::find(config)?, &Request::Status)?;
    Ok(write(out, &reply, json))
}

fn write(out: &mut impl Write, reply: &Value, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, &reply["status"])?;
        writeln!(out)?;
    } else {
        for line in reply["words"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // Names in it come from strangers and keys; a terminal is told nothing but text.
            let plain: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            writeln!(out, "{plain}")?;
        }
    }
    out.flush()
}
