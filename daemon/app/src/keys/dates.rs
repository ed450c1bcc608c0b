//! Dates as people write and read them, in this machine's time zone. Must not know what ends then.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use porthole_core::access::Stamp;

/// Why a text is no date to come. For the person who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDate {
    /// It cannot be read as a date.
    #[error("a date is written like 2026-12-31 (that day included) or \"2026-12-31 18:00\"")]
    Date,
    /// It cannot be read as a while.
    #[error("a while is written like 3d, 2w or 12h")]
    While,
    /// It is over already.
    #[error("that is not in the future")]
    Past,
}

/// The moment at which `text` is over: a date with that day included, or a date and a time.
///
/// # Errors
/// [`BadDate`].
pub fn until(text: &str, now: Stamp) -> Result<Stamp, BadDate> {
    until_in(text, &zoned(now, TimeZone::system()).ok_or(BadDate::Past)?)
}

/// The moment `text` from now.
///
/// # Errors
/// [`BadDate`].
pub fn after(text: &str, now: Stamp) -> Result<Stamp, BadDate> {
    after_in(text, &zoned(now, TimeZone::system()).ok_or(BadDate::Past)?)
}

/// As it is read: `2026-12-31 18:00`, or `the end of 2026-12-31` for the midnight after it.
pub fn shown(moment: Stamp) -> String {
    shown_in(moment, TimeZone::system())
}

/// To the minute, wherever it lies: `2026-12-31 18:00`.
pub fn minute(moment: Stamp) -> String {
    let shown = zoned(moment, TimeZone::system()).map(|moment| moment.strftime("%Y-%m-%d %H:%M").to_string());
    shown.unwrap_or_else(|| "the end of time".to_owned())
}

fn until_in(text: &str, now: &Zoned) -> Result<Stamp, BadDate> {
    let text = text.trim();
    let civil = match Date::strptime("%Y-%m-%d", text) {
        Ok(day) => day.tomorrow().map_err(|_| BadDate::Date)?.to_datetime(Time::midnight()),
        Err(_) => ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
            .into_iter()
            .find_map(|form| DateTime::strptime(form, text).ok())
            .ok_or(BadDate::Date)?,
    };
    let moment = civil.to_zoned(now.time_zone().clone()).map_err(|_| BadDate::Date)?;
    to_come(&moment, now)
}

fn after_in(text: &str, now: &Zoned) -> Result<Stamp, BadDate> {
    let span: Span = text.trim().parse().map_err(|_| BadDate::While)?;
    to_come(&now.checked_add(span).map_err(|_| BadDate::While)?, now)
}

fn to_come(moment: &Zoned, now: &Zoned) -> Result<Stamp, BadDate> {
    let seconds = moment.timestamp().as_second();
    if seconds <= now.timestamp().as_second() {
        return Err(BadDate::Past);
    }
    u64::try_from(seconds).map(Stamp).map_err(|_| BadDate::Past)
}

fn shown_in(moment: Stamp, zone: TimeZone) -> String {
    let Some(moment) = zoned(moment, zone) else { return "the end of time".to_owned() };
    match moment.date().yesterday() {
        Ok(day) if moment.time() == Time::midnight() => format!("the end of {day}"),
        _ => moment.strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

/// `None` where no calendar reaches.
fn zoned(moment: Stamp, zone: TimeZone) -> Option<Zoned> {
    let seconds = i64::try_from(moment.0).ok()?;
    Timestamp::from_second(seconds).ok().map(|moment| moment.to_zoned(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_includes_that_day_where_the_camera_is() {
        assert_eq!(until_in("2026-12-31", &berlin()), Ok(at("2027-01-01T00:00+01:00")));
        assert_eq!(until_in(" 2026-07-01 ", &berlin()), Ok(at("2026-07-02T00:00+02:00")));
        assert_eq!(until_in("2026-06-15", &berlin()), Ok(at("2026-06-16T00:00+02:00")), "today is not over");
    }

    #[test]
    fn a_date_and_a_time_are_that_moment() {
        assert_eq!(until_in("2026-12-31 18:00", &berlin()), Ok(at("2026-12-31T18:00+01:00")));
        assert_eq!(until_in("2026-12-31T18:00", &berlin()), Ok(at("2026-12-31T18:00+01:00")));
    }

    #[test]
    fn a_while_is_counted_as_calendars_do() {
        assert_eq!(after_in("3d", &berlin()), Ok(at("2026-06-18T12:00+02:00")));
        assert_eq!(after_in("2w", &berlin()), Ok(at("2026-06-29T12:00+02:00")));
        assert_eq!(after_in("12h", &berlin()), Ok(at("2026-06-16T00:00+02:00")));
        assert_eq!(after_in("6mo", &berlin()), Ok(at("2026-12-15T12:00+01:00")), "noon stays noon");
    }

    #[test]
    fn what_is_over_or_no_date_is_said_to_be() {
        for past in ["2026-06-14", "2026-06-15 12:00", "1960-01-01"] {
            assert_eq!(until_in(past, &berlin()), Err(BadDate::Past), "{past}");
        }
        for text in
            ["", "tomorrow", "31.12.2026", "2026-13-01", "2026-02-30", "2026-12-31 25:00", "9999-12-31"]
        {
            assert_eq!(until_in(text, &berlin()), Err(BadDate::Date), "{text}");
        }
        for text in ["", "3", "3 bananas", "99999999y"] {
            assert_eq!(after_in(text, &berlin()), Err(BadDate::While), "{text}");
        }
        for text in ["0d", "-3d"] {
            assert_eq!(after_in(text, &berlin()), Err(BadDate::Past), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_what_was_written() {
        let zone = || berlin().time_zone().clone();
        for text in ["2026-12-31 18:00", "2026-07-01 00:01"] {
            assert_eq!(shown_in(until_in(text, &berlin()).unwrap(), zone()), text);
        }
        assert_eq!(shown_in(until_in("2026-12-31", &berlin()).unwrap(), zone()), "the end of 2026-12-31");
        assert_eq!(shown_in(Stamp(u64::MAX), zone()), "the end of time");
    }

    /// Noon of a summer's day.
    fn berlin() -> Zoned {
        zoned(at("2026-06-15T12:00+02:00"), TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()).unwrap()
    }

    fn at(text: &str) -> Stamp {
        Stamp(text.parse::<Timestamp>().unwrap().as_second().try_into().unwrap())
    }
}
