//! The systemd journal, where each line also says whose it is: `ROOM=` and `CAMERA=`. Must not know what is logged.

use std::sync::OnceLock;

use log::kv::{Error, Key, Source, Value, VisitSource};
use log::{Log, Metadata, Record};
use porthole_core::config::settings::RoomSettings;
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Whose lines they are, once that is known.
static PLACE: OnceLock<Place> = OnceLock::new();

struct Place {
    room: String,
    camera: String,
}

/// From now on lines are those of this room and camera. Said once.
pub fn belongs_to(settings: &RoomSettings) {
    let _ = PLACE.set(Place { room: settings.room.to_string(), camera: settings.camera.clone() });
}

/// The journal.
pub struct Journal(JournalLog);

impl Journal {
    /// The journal, if stderr leads there and it can be reached.
    pub fn find() -> Option<Self> {
        if !connected_to_journal() {
            return None;
        }
        let journal = JournalLog::new().ok()?;
        Some(Self(journal.with_syslog_identifier(env!("CARGO_PKG_NAME").to_owned())))
    }
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        match PLACE.get() {
            None => self.0.log(record),
            Some(place) => {
                let fields = Placed { own: record.key_values(), place };
                let mut placed = record.to_builder();
                self.0.log(&placed.key_values(&fields).build());
            }
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// The fields of a line, and those of its place that it does not have itself.
struct Placed<'a> {
    own: &'a dyn Source,
    place: &'a Place,
}

impl Source for Placed<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        self.own.visit(visitor)?;
        for (key, value) in [("room", &self.place.room), ("camera", &self.place.camera)] {
            let key = Key::from_str(key);
            if self.own.get(key.clone()).is_none() {
                visitor.visit_pair(key, Value::from(value.as_str()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_own_fields_and_gets_those_of_its_place() {
        let place = Place { room: "nursery".to_owned(), camera: "Crib".to_owned() };
        let own = [("call", Value::from(3_u64)), ("room", Value::from("yard"))];
        assert_eq!(fields(&own.as_slice(), &place), "call=3 room=yard camera=Crib ");
        let none: [(&str, Value<'_>); 0] = [];
        assert_eq!(fields(&none.as_slice(), &place), "room=nursery camera=Crib ");
    }

    fn fields(own: &dyn Source, place: &Place) -> String {
        struct Written(String);
        impl<'kvs> VisitSource<'kvs> for Written {
            fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
                self.0 += &format!("{key}={value} ");
                Ok(())
            }
        }
        let mut written = Written(String::new());
        Placed { own, place }.visit(&mut written).unwrap();
        written.0
    }
}
