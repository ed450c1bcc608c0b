//! The log: the journal with fields under systemd, readable lines on stderr elsewhere. Must not know who logs.
//!
//! [`start`] comes before anything else, so that whatever is wrong with the configuration is already logged in the
//! right place; [`set_level`] and [`belongs_to`] follow when the configuration is known. Everything goes through the crate
//! `log`; fields are its key-values `call`, `peer` and `room`, which the journal keeps as `CALL=`, `PEER=` and `ROOM=`, and
//! adds `CAMERA=`. However often one place in the program logs, so many lines a second get through (`bounded`).

mod bounded;
mod journal;

use env_logger::{Builder, Logger, Target, TimestampPrecision};
use log::kv::Value;
use log::{Level, LevelFilter, Log, Record};
use porthole_core::command::{Level as Loudness, Note};
use porthole_core::config::settings::LogLevel;
use porthole_core::ids::RoomName;

use bounded::Bounded;
use journal::Journal;
pub use journal::belongs_to;

/// The level until the configuration is read.
const FIRST_LEVEL: LevelFilter = LevelFilter::Info;

/// Starts the log. A second start changes nothing.
pub fn start() {
    let started = match Journal::find() {
        Some(journal) => log::set_boxed_logger(Box::new(Bounded::new(journal))),
        None => log::set_boxed_logger(Box::new(Bounded::new(terminal(Target::Stderr)))),
    };
    if started.is_ok() {
        log::set_max_level(FIRST_LEVEL);
    }
}

/// Sets the least level that is logged from now on.
pub fn set_level(level: LogLevel) {
    log::set_max_level(match level {
        LogLevel::Warn => LevelFilter::Warn,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
    });
}

/// Logs what the switchboard has to say, with the fields that find it again.
pub fn say(note: &Note, room: &RoomName) {
    let level = level_of(note);
    if level <= log::max_level() {
        say_to(log::logger(), note, level, room);
    }
}

/// Readable lines, in colour on a terminal. Levels are sorted out by `log`'s own limit, which may change.
fn terminal(target: Target) -> Logger {
    Builder::new()
        .target(target)
        .filter_level(LevelFilter::Trace)
        .format_timestamp(Some(TimestampPrecision::Seconds))
        .format_target(false)
        .build()
}

fn say_to(log: &dyn Log, note: &Note, level: Level, room: &RoomName) {
    let mut fields = Vec::with_capacity(3);
    if let Some(call) = &note.call {
        fields.push(("call", Value::from(call.0)));
    }
    if let Some(peer) = &note.peer {
        fields.push(("peer", Value::from(peer.as_str())));
    }
    fields.push(("room", Value::from(room.as_str())));
    log.log(
        &Record::builder()
            .level(level)
            .target(env!("CARGO_PKG_NAME"))
            .key_values(&fields.as_slice())
            .args(format_args!("{note}"))
            .build(),
    );
}

fn level_of(note: &Note) -> Level {
    match note.level {
        Loudness::Debug => Level::Debug,
        Loudness::Info => Level::Info,
        Loudness::Warn => Level::Warn,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use porthole_core::ids::{CallId, Name};

    use super::*;

    #[test]
    fn a_note_is_one_readable_line_with_its_fields() {
        let note = note(Loudness::Warn, Some(3), Some("tablet"));
        let line = line_of(&note);
        assert!(line.ends_with("Z WARN ] the camera is lost call=3 peer=tablet room=nursery\n"), "{line:?}");
    }

    #[test]
    fn fields_that_a_note_does_not_have_are_not_there() {
        let line = line_of(&note(Loudness::Info, None, None));
        assert!(line.ends_with("Z INFO ] the camera is lost room=nursery\n"), "{line:?}");
        let line = line_of(&note(Loudness::Debug, None, Some("tablet")));
        assert!(line.ends_with("Z DEBUG] the camera is lost peer=tablet room=nursery\n"), "{line:?}");
    }

    #[test]
    fn what_is_no_terminal_gets_no_colour() {
        let line = line_of(&note(Loudness::Warn, Some(3), Some("tablet")));
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }

    #[test]
    fn the_level_can_change_after_the_start() {
        start();
        assert_eq!(log::max_level(), FIRST_LEVEL);
        for (level, filter) in [
            (LogLevel::Warn, LevelFilter::Warn),
            (LogLevel::Debug, LevelFilter::Debug),
            (LogLevel::Info, LevelFilter::Info),
        ] {
            set_level(level);
            assert_eq!(log::max_level(), filter);
        }
        set_level(LogLevel::Debug);
        start();
        assert_eq!(log::max_level(), LevelFilter::Debug, "a second start changes nothing");
    }

    fn note(level: Loudness, call: Option<u64>, peer: Option<&str>) -> Note {
        let peer = peer.map(|peer| Name::new(peer).unwrap());
        Note { level, call: call.map(CallId), peer, text: "the camera is lost".to_owned() }
    }

    fn line_of(note: &Note) -> String {
        let paper = Paper::default();
        let logger = terminal(Target::Pipe(Box::new(paper.clone())));
        say_to(&logger, note, level_of(note), &Name::new("nursery").unwrap());
        String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
    }

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
