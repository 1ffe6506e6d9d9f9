//! The encodings of instants, which belong to a column. A number in another unit than the column's is refused: read in the wrong
//! unit, a session would be expired, or live until the year 58884.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::text_time::TextForm;
use super::zone::Zone;
use crate::auth::duration;
use crate::auth::storage::WriteBlocker;
use crate::store::engine::{Dialect, Value, ValueRef};

/// The encodings of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct TimeEncodings {
    /// The encoding of the columns that are not listed.
    pub(in crate::store) default: TimeEncoding,
    /// Table, column and encoding.
    pub(in crate::store) columns: Vec<(&'static str, &'static str, TimeEncoding)>,
    /// Columns whose encoding is not clear, also of booleans, by table and name, each with the reason. They are not written.
    pub(in crate::store) read_only: Vec<(&'static str, &'static str, WriteBlocker)>,
}

impl TimeEncodings {
    pub(in crate::store) fn of(&self, table: &str, column: &str) -> TimeEncoding {
        let listed = self.columns.iter().find(|(of_table, name, _)| *of_table == table && *name == column);
        listed.map_or(self.default, |(_, _, encoding)| *encoding)
    }

    /// The encoding of a column that no mapping lists, by its type; `None` where values decide.
    pub(in crate::store) fn of_type(&self, kind: &str) -> Option<TimeEncoding> {
        let is_with = |zone: &str| kind.starts_with("timestamp") && kind.ends_with(zone);
        if is_with(" with time zone") {
            return Some(TimeEncoding::Calendar);
        }
        let known = self.columns.iter().map(|(_, _, encoding)| *encoding).chain([self.default]);
        let local = || known.into_iter().find(|encoding| encoding.is_local());
        is_with(" without time zone").then(|| local().unwrap_or(TimeEncoding::Calendar))
    }

    /// The encoding of a column without values, by its type.
    pub(in crate::store) fn of_empty(&self, kind: &str) -> TimeEncoding {
        match kind {
            "bigint" => TimeEncoding::Milliseconds,
            "integer" => TimeEncoding::Seconds,
            "text" => TimeEncoding::Text(TextForm::ZULU),
            _ => self.default,
        }
    }

    /// Why a column is not written.
    pub(in crate::store) fn read_only(&self, table: &str, column: &str) -> Option<&WriteBlocker> {
        let listed = self.read_only.iter().find(|(of_table, name, _)| *of_table == table && *name == column);
        listed.map(|(_, _, blocker)| blocker)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TimeEncoding {
    /// Whole seconds since 1970, rounded down: native databases, and Drizzle's `timestamp`.
    Seconds,
    /// Milliseconds since 1970: Drizzle's `timestamp_ms`, and Prisma's `unixepoch-ms`.
    Milliseconds,
    /// Milliseconds as a real number: a driver of JavaScript that stores each number so, or a column of type REAL.
    RealMilliseconds,
    /// Seconds since 1970 with a fraction: SQLite's `unixepoch('subsec')`.
    FractionalSeconds,
    Text(TextForm),
    /// PostgreSQL's `timestamptz`, and its `timestamp` if that holds the time in UTC, to the millisecond: apps. The engine
    /// reads both as text such as `2026-11-23T13:28:40.302Z`, and the server ignores the `Z` where a column has no zone.
    Calendar,
    /// As [`Self::Calendar`], in whole seconds, rounded down: native databases.
    CalendarSeconds,
    /// PostgreSQL's `timestamp` that holds the local time of the app, to the millisecond: Better Auth's own adapter, before
    /// version 1.3.14. The engine reads it as if it were in UTC.
    LocalTime(Zone),
}

/// Seconds of the years 2001 to 2286. As milliseconds, they would be instants of the first months of 1970.
const LIKE_SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;

/// Larger numbers are not seconds, because the calendar ends in the year 9999. As milliseconds, this one is an
/// instant of 1978.
const MILLISECONDS_FROM: i64 = 253_402_207_201;

/// In seconds since 1970.
const YEAR_2000: i64 = 946_684_800;

impl TimeEncoding {
    pub(in crate::store) fn write(self, instant: Timestamp) -> Value {
        match self {
            Self::Seconds => Value::Integer(duration::seconds(instant)),
            Self::Milliseconds => Value::Integer(duration::milliseconds(instant)),
            Self::RealMilliseconds => Value::Real(real_milliseconds(instant)),
            Self::FractionalSeconds => Value::Real(real_milliseconds(instant) / 1000.0),
            Self::Text(form) => Value::Text(form.write(instant)),
            Self::Calendar => Value::Text(calendar(instant)),
            Self::CalendarSeconds => Value::Text(calendar(whole(instant))),
            Self::LocalTime(zone) => Value::Text(local_time(zone, instant)),
        }
    }

    /// Reads an instant. A value that another program wrote in another encoding is read if that is the only way to
    /// read it; `None` for any other.
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<Timestamp> {
        match (self, value) {
            (Self::Milliseconds | Self::RealMilliseconds, ValueRef::Integer(milliseconds))
                if !LIKE_SECONDS.contains(&milliseconds) =>
            {
                Timestamp::from_millisecond(milliseconds).ok()
            }
            (Self::Seconds | Self::FractionalSeconds, ValueRef::Integer(seconds)) if seconds < MILLISECONDS_FROM => {
                Timestamp::from_second(seconds).ok()
            }
            (Self::Seconds | Self::FractionalSeconds, ValueRef::Real(seconds)) => read_fraction(seconds),
            (Self::Text(_), ValueRef::Integer(number)) => {
                (number >= MILLISECONDS_FROM).then(|| Timestamp::from_millisecond(number).ok()).flatten()
            }
            // All that is left are milliseconds.
            (_, ValueRef::Real(number)) => self.read(ValueRef::Integer(rounded(number)?)),
            (Self::LocalTime(zone), ValueRef::Text(_)) => {
                let (_, as_utc) = TextForm::read(value.as_text()?)?;
                zone.instant(Offset::UTC.to_datetime(as_utc))
            }
            (_, ValueRef::Text(_)) => TextForm::read(value.as_text()?).map(|(_, instant)| instant),
            _ => None,
        }
    }

    /// A condition for values that surely are instants after one and until another; `None` for encodings whose values
    /// SQL cannot compare. A number in another unit, or of another type, never meets it. Local times go back by an hour when
    /// summer time ends.
    pub(in crate::store) fn is_between(
        self,
        column: &str,
        after: Timestamp,
        until: Timestamp,
        dialect: &Dialect,
    ) -> Option<String> {
        if self.is_calendar() {
            let texts = [after, until].map(|instant| self.write(instant));
            let [Value::Text(after), Value::Text(until)] = texts else { return None };
            return Some(format!("({column} > '{after}' AND {column} <= '{until}')"));
        }
        let number = |instant| match self.write(instant) {
            Value::Integer(number) => Some(number),
            _ => None,
        };
        // Below, a number of milliseconds may be one of seconds.
        let clear = Timestamp::from_second(YEAR_2000).ok()?;
        let (after, until) = (number(after.max(clear))?, number(until)?);
        Some(format!("({} AND {column} > {after} AND {column} <= {until})", (dialect.is_integer)(column)))
    }

    /// The SQL expression that encodes a column of whole seconds. A value that is no instant stays as it is.
    pub(in crate::store) fn of_seconds(self, column: &str) -> String {
        let encoded = match self {
            Self::Seconds | Self::FractionalSeconds => return column.to_owned(),
            Self::Milliseconds => [column, " * 1000"].concat(),
            Self::RealMilliseconds => [column, " * 1000.0"].concat(),
            Self::Text(form) => form.of_seconds(column),
            // The time zone of every transaction is UTC.
            Self::Calendar | Self::CalendarSeconds => return format!("to_timestamp({column})"),
            Self::LocalTime(zone) => return format!("to_timestamp({column}) AT TIME ZONE '{}'", zone.name()),
        };
        format!("CASE WHEN {column} BETWEEN 0 AND {} THEN {encoded} ELSE {column} END", MILLISECONDS_FROM - 1)
    }

    /// Whether a value that SQL finds to be at most that of an instant is never one of a later instant. Texts are of many
    /// forms, which SQL does not order by time, and numbers among them are milliseconds. Local times are not in the order
    /// of their instants when summer time ends.
    pub(in crate::store) fn is_ordered(self) -> bool {
        !self.is_text() && !self.is_local()
    }

    /// Whether a value alone, which looks like one in UTC, does not show the instant.
    pub(in crate::store) fn is_local(self) -> bool {
        matches!(self, Self::LocalTime(_))
    }

    /// Whether a column has PostgreSQL's types for instants, and holds them in the order of time.
    fn is_calendar(self) -> bool {
        matches!(self, Self::Calendar | Self::CalendarSeconds)
    }

    pub(in crate::store) fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Describes a value in this encoding, for messages.
    pub(in crate::store) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Seconds => "a number of seconds",
            Self::Milliseconds | Self::RealMilliseconds => "a number of milliseconds",
            Self::FractionalSeconds => "a number of seconds with a fraction",
            Self::Calendar | Self::CalendarSeconds => "an instant of the calendar",
            Self::LocalTime(zone) => return Cow::Owned(format!("a local time of {}", zone.name())),
            Self::Text(form) => return Cow::Owned(format!("a time such as {}", form.example())),
        })
    }

    /// Describes values in this encoding, for messages.
    pub(in crate::store) fn plural(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Seconds => "seconds",
            Self::Milliseconds | Self::RealMilliseconds => "milliseconds",
            Self::FractionalSeconds => "seconds with a fraction",
            Self::Calendar | Self::CalendarSeconds => "instants of the calendar",
            Self::LocalTime(zone) => return Cow::Owned(format!("local times of {}", zone.name())),
            Self::Text(form) => return Cow::Owned(format!("text such as {}", form.example())),
        })
    }

    /// The encoding of a value; `None` when no encoding or more than one fits.
    pub(in crate::store) fn shown_by(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(number) if number >= MILLISECONDS_FROM => Some(Self::Milliseconds),
            ValueRef::Integer(number) if number > 0 => Some(Self::Seconds),
            ValueRef::Real(number) if number > 0.0 => {
                [Self::FractionalSeconds, Self::RealMilliseconds].into_iter().find(|one| one.read(value).is_some())
            }
            ValueRef::Text(_) => TextForm::read(value.as_text()?).map(|(form, _)| Self::Text(form)),
            _ => None,
        }
    }
}

/// The first instant of the year 1, in seconds since 1970.
const YEAR_1: i64 = -62_135_596_800;

/// An instant as PostgreSQL reads it under any setting, rounded down to a millisecond. It writes the years before the first
/// in another way, and `-infinity` is as good a bound.
fn calendar(instant: Timestamp) -> String {
    if instant.as_second() < YEAR_1 {
        return "-infinity".to_owned();
    }
    TextForm::ZULU.write(instant)
}

/// The local time of an instant, as [`calendar`] writes it.
fn local_time(zone: Zone, instant: Timestamp) -> String {
    // Beyond the end of the calendar of a zone east of UTC, the instant itself is a bound.
    calendar(Offset::UTC.to_timestamp(zone.local(instant)).unwrap_or(instant))
}

/// An instant rounded down to a second.
fn whole(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(duration::seconds(instant)).unwrap_or(instant)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of the calendar have 49 bits")]
fn real_milliseconds(instant: Timestamp) -> f64 {
    duration::milliseconds(instant) as f64
}

/// The nearest whole number, or the last one that there is.
#[expect(clippy::cast_possible_truncation, reason = "the last number is no instant")]
fn rounded(number: f64) -> Option<i64> {
    (!number.is_nan()).then(|| number.round() as i64)
}

/// Reads seconds with a fraction, to the millisecond.
fn read_fraction(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond(rounded(seconds * 1000.0)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::DIALECT;

    const ZULU: TimeEncoding = TimeEncoding::Text(TextForm::ZULU);
    const ENCODINGS: [TimeEncoding; 7] = [
        TimeEncoding::Seconds,
        TimeEncoding::Milliseconds,
        TimeEncoding::RealMilliseconds,
        TimeEncoding::FractionalSeconds,
        ZULU,
        TimeEncoding::Text(TextForm::SPACED),
        TimeEncoding::Text(TextForm::SPACED_MILLISECONDS),
    ];

    /// The encoding of a text.
    fn shown_by(text: &str) -> TimeEncoding {
        TimeEncoding::shown_by(ValueRef::Text(text.as_bytes())).unwrap()
    }

    fn read(encoding: TimeEncoding, value: &Value) -> Option<i64> {
        encoding.read(ValueRef::from(value)).map(Timestamp::as_millisecond)
    }

    #[test]
    fn seconds_are_encoded_in_sql_as_by_write() {
        let sql = rusqlite::Connection::open_in_memory().unwrap();
        let offsets = ["2026-11-23T13:28:40.302001+05:30", "2026-11-23 13:28:40 -0800"].map(shown_by);
        for encoding in ENCODINGS.into_iter().chain(offsets) {
            let selected = |seconds: i64| {
                let expression = encoding.of_seconds("?1");
                sql.query_row(&["SELECT ", &expression].concat(), [seconds], |row| {
                    Ok(crate::store::sqlite::engine::value_ref(row.get_ref(0)?).to_value())
                })
                .unwrap()
            };
            for seconds in [0, 1_763_904_520, MILLISECONDS_FROM - 7201] {
                let instant = Timestamp::from_second(seconds).unwrap();
                let read = encoding.read(ValueRef::from(&selected(seconds)));
                // Milliseconds of the first year may be seconds.
                if (encoding, seconds) != (TimeEncoding::Milliseconds, 0) {
                    assert_eq!(read, Some(instant), "{encoding:?}");
                }
                if encoding != TimeEncoding::FractionalSeconds {
                    assert_eq!(selected(seconds), encoding.write(instant), "{encoding:?}");
                }
            }
            assert_eq!(selected(1_763_904_520_302), Value::Integer(1_763_904_520_302), "{encoding:?}");
            assert_eq!(selected(-5), Value::Integer(-5), "{encoding:?}");
        }
    }

    #[test]
    fn every_encoding_reads_back_and_is_recognised() {
        for milliseconds in [1_763_904_520_302, 1_763_904_520_000, 300_000_000_000] {
            let instant = Timestamp::from_millisecond(milliseconds).unwrap();
            for encoding in ENCODINGS {
                let value = encoding.write(instant);
                let is_whole = [TimeEncoding::Seconds, TimeEncoding::Text(TextForm::SPACED)].contains(&encoding);
                let kept = if is_whole { milliseconds / 1000 * 1000 } else { milliseconds };
                assert_eq!(read(encoding, &value), Some(kept), "{encoding:?}");
                assert_eq!(TimeEncoding::shown_by(ValueRef::from(&value)), Some(encoding));
            }
        }
    }

    #[test]
    fn seconds_are_rounded_down_before_1970() {
        let written = |milliseconds| TimeEncoding::Seconds.write(Timestamp::from_millisecond(milliseconds).unwrap());
        assert_eq!([1_999, 2_000, -1, -1_000].map(written), [1, 2, -1, -1].map(Value::Integer));
    }

    #[test]
    fn seconds_are_read_back_until_the_year_9999() {
        for second in [0, 99_999_999_999, 100_000_000_000, Timestamp::MAX.as_second()] {
            let value = TimeEncoding::Seconds.write(Timestamp::from_second(second).unwrap());
            assert_eq!(read(TimeEncoding::Seconds, &value), Some(second * 1000), "{second}");
        }
    }

    #[test]
    fn milliseconds_that_look_like_seconds_are_refused() {
        for encoding in [TimeEncoding::Milliseconds, TimeEncoding::RealMilliseconds] {
            for (milliseconds, is_read) in
                [(-1, true), (0, true), (999_999_999, true), (1_763_904_520, false), (10_000_000_000, true)]
            {
                let value = encoding.write(Timestamp::from_millisecond(milliseconds).unwrap());
                assert_eq!(read(encoding, &value), is_read.then_some(milliseconds), "{milliseconds}");
            }
        }
    }

    #[test]
    fn value_in_another_unit_is_refused() {
        let (seconds, milliseconds) = (Value::Integer(1_763_904_520), Value::Integer(1_763_904_520_302));
        for encoding in [TimeEncoding::Seconds, TimeEncoding::FractionalSeconds] {
            assert_eq!(read(encoding, &milliseconds), None);
            assert_eq!(read(encoding, &Value::Real(1_763_904_520_302.0)), None);
        }
        assert_eq!(read(TimeEncoding::RealMilliseconds, &Value::Real(1_763_904_520.302)), None);
        assert_eq!(read(TimeEncoding::Milliseconds, &seconds), None);
        assert_eq!(read(TimeEncoding::Seconds, &Value::Integer(i64::MAX)), None);
        assert_eq!(read(ZULU, &seconds), None);
        assert_eq!(read(ZULU, &Value::Text("soon".into())), None);
    }

    #[test]
    fn stray_value_of_another_type_is_read() {
        let instant = Some(1_763_904_520_000);
        for encoding in [TimeEncoding::Seconds, TimeEncoding::Milliseconds] {
            assert_eq!(read(encoding, &Value::Text("2025-11-23 13:28:40".into())), instant, "{encoding:?}");
        }
        assert_eq!(read(TimeEncoding::Seconds, &Value::Real(1_763_904_520.302)), Some(1_763_904_520_302));
        for number in [Value::Integer(1_763_904_520_000), Value::Real(1_763_904_520_000.0)] {
            for encoding in [ZULU, TimeEncoding::Milliseconds, TimeEncoding::RealMilliseconds] {
                assert_eq!(read(encoding, &number), instant, "{encoding:?}");
            }
        }
        for odd in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            for encoding in ENCODINGS {
                assert_eq!(read(encoding, &Value::Real(odd)), None, "{odd}");
            }
            assert_eq!(TimeEncoding::shown_by(ValueRef::Real(odd)), None, "{odd}");
        }
        assert_eq!(TimeEncoding::shown_by(ValueRef::Real(0.0)), None);
    }

    #[test]
    fn instants_of_a_calendar_are_read_back() {
        let instant: Timestamp = "2026-07-23T13:28:40.302999Z".parse().unwrap();
        let new_york = Zone::named("America/New_York").unwrap();
        for (encoding, written, read_back) in [
            (TimeEncoding::Calendar, "2026-07-23T13:28:40.302Z", "2026-07-23T13:28:40.302Z"),
            (TimeEncoding::CalendarSeconds, "2026-07-23T13:28:40.000Z", "2026-07-23T13:28:40Z"),
            (TimeEncoding::LocalTime(new_york), "2026-07-23T09:28:40.302Z", "2026-07-23T13:28:40.302Z"),
        ] {
            assert_eq!(encoding.write(instant), Value::from(written), "{encoding:?}");
            let value = Value::from(written);
            assert_eq!(encoding.read(ValueRef::from(&value)), Some(read_back.parse().unwrap()), "{encoding:?}");
            assert_eq!(encoding.write(Timestamp::MIN), Value::from("-infinity"), "{encoding:?}");
            assert_eq!(read(encoding, &Value::from("infinity")), None);
            assert_eq!(read(encoding, &Value::Integer(1_763_904_520_302)), None);
            let is_between = encoding.is_between("at", Timestamp::MIN, instant, &DIALECT);
            let until = format!("(at > '-infinity' AND at <= '{written}')");
            assert_eq!(is_between, encoding.is_ordered().then_some(until), "{encoding:?}");
        }
        let far_east = TimeEncoding::LocalTime(Zone::named("Asia/Tokyo").unwrap());
        assert_eq!(far_east.write(Timestamp::MAX), Value::from("9999-12-30T22:00:00.999Z"));
    }

    #[test]
    fn other_spellings_of_an_instant_are_read() {
        for text in ["2025-11-23T13:28:40Z", "2025-11-23T13:28:40+00:00", "2025-11-23 13:28:40"] {
            assert_eq!(read(ZULU, &Value::Text(text.into())), Some(1_763_904_520_000), "{text}");
        }
    }
}
