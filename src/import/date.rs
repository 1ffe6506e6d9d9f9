//! Dates in the forms of all systems.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Numbers from here on are milliseconds: as seconds they are dates after the year 5000.
const MILLISECONDS_FROM: f64 = 100_000_000_000.0;

/// A bound for files that name more and more tables.
const COLUMNS_KNOWN_MAX: usize = 64;

/// The unit of a column of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    /// The unit in which the number is a date of our time.
    fn of(number: f64) -> Self {
        if number.abs() >= MILLISECONDS_FROM { Self::Milliseconds } else { Self::Seconds }
    }
}

/// The number of a value, also of one that is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-') => {
            text.parse().ok()
        }
        _ => None,
    }
}

/// The date of a value, whose unit is only asked for when it is a number.
pub(super) fn date(value: &Value, unit: impl FnOnce() -> Unit) -> Option<Timestamp> {
    if let Some(number) = number(value) {
        return of_number(number, unit());
    }
    of_text(value.as_str()?.trim())
}

pub(super) fn of_number(number: f64, unit: Unit) -> Option<Timestamp> {
    let milliseconds = match unit {
        Unit::Seconds => number * 1000.0,
        Unit::Milliseconds => number,
    };
    // Behind the check the number is far smaller than the largest that is exact.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let whole = (milliseconds.abs() < 1e15).then(|| milliseconds.round() as i64)?;
    Timestamp::from_millisecond(whole).ok()
}

/// `2024-01-02T03:04:05.678Z` with any offset or none (UTC), a blank for the `T`, a day alone, or LDAP's form.
pub(super) fn of_text(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Some(instant) = of_generalized_time(text) {
        return Some(instant);
    }
    if text.as_bytes().get(4).is_none_or(|byte| *byte != b'-') {
        return None;
    }
    // A date with an offset that jiff does not read is no date without one.
    let day_end = text.get(..10)?;
    let local = match text.get(10..) {
        Some("") => day_end.parse::<Date>().ok()?.to_datetime(Time::midnight()),
        Some(time) if !time.contains(['+', 'Z', 'z', '[']) && !time.contains('-') => text.parse::<DateTime>().ok()?,
        _ => return None,
    };
    TimeZone::UTC.to_timestamp(local).ok()
}

/// `20240102030405Z`, with or without a fraction (RFC 4517, 3.3.13).
fn of_generalized_time(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let (digits, _) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    let local = DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// The units of columns of numbers: one for a whole column, as its largest number says.
#[derive(Debug, Default)]
pub(super) struct Units {
    known: Vec<(String, &'static str, Unit)>,
}

impl Units {
    /// Takes a number of the column into account.
    pub(super) fn learn(&mut self, table: &str, column: &'static str, number: f64) {
        let unit = Unit::of(number);
        let has_room = self.known.len() < COLUMNS_KNOWN_MAX;
        match self.known.iter_mut().find(|(of, name, _)| of == table && *name == column) {
            Some(known) if unit == Unit::Milliseconds => known.2 = unit,
            None if has_room => self.known.push((table.to_owned(), column, unit)),
            Some(_) | None => {}
        }
    }

    /// The unit of the column, which the first number decides if none was learnt.
    pub(super) fn of(&mut self, table: &str, column: &'static str, number: f64) -> Unit {
        let known = self.known.iter().find(|(of, name, _)| of == table && *name == column).map(|known| known.2);
        known.unwrap_or_else(|| {
            self.learn(table, column, number);
            Unit::of(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_dates_are_read_in_every_form() {
        let at = |text: &str| of_text(text).map(|instant| instant.to_string());
        for text in [
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05",
            "2024-01-02 03:04:05+00",
            "2024-01-02 05:04:05+02:00",
            "2024-01-02T03:04:05.000000+00:00",
            "20240102030405Z",
            "20240102030405.0Z",
        ] {
            assert_eq!(at(text).as_deref(), Some("2024-01-02T03:04:05Z"), "{text}");
        }
        assert_eq!(at("2024-01-02 03:04:05.67+00").as_deref(), Some("2024-01-02T03:04:05.67Z"));
        assert_eq!(at("2024-01-02 03:04:05.678Z").as_deref(), Some("2024-01-02T03:04:05.678Z"));
        assert_eq!(at("2024-01-02").as_deref(), Some("2024-01-02T00:00:00Z"));
        for text in ["", "02/01/2024", "2.1.2024 03:04", "yesterday", "0000-00-00 00:00:00", "2024-13-01", "é024-01-02"]
        {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn a_column_of_numbers_has_one_unit() {
        let mut units = Units::default();
        units.learn("user", "createdat", 5000.0);
        units.learn("user", "createdat", 1_614_834_367_890.0);
        assert_eq!(units.of("user", "createdat", 5000.0), Unit::Milliseconds);
        assert_eq!(units.of("account", "createdat", 1_614_834_367.0), Unit::Seconds);
        assert_eq!(units.of("account", "createdat", 1_614_834_367_890.0), Unit::Seconds);
    }
}
