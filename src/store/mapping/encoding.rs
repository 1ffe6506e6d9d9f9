//! The encodings of instants and booleans, which belong to a column. A number in another unit than the column's is refused: read in
//! the wrong unit, a session would be expired, or live until the year 58884.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::schema::identifier;
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

    /// Why a column is not written.
    pub(in crate::store) fn read_only(&self, table: &str, column: &str) -> Option<&WriteBlocker> {
        let listed = self.read_only.iter().find(|(of_table, name, _)| *of_table == table && *name == column);
        listed.map(|(_, _, blocker)| blocker)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the recognition of apps on PostgreSQL makes it")]
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
    pub(in crate::store) fn is_between(self, column: &str, after: Timestamp, until: Timestamp) -> Option<String> {
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
        Some(format!("(typeof({column}) = 'integer' AND {column} > {after} AND {column} <= {until})"))
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
        !self.is_text() && !matches!(self, Self::LocalTime(_))
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

/// The encoding of booleans: 0 and 1, words, or a date where Better Auth has a boolean, as in a database that Auth.js made
/// (`emailVerified` holds when the address was verified).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the recognition of apps on PostgreSQL makes it")]
pub(in crate::store) enum TruthEncoding {
    /// 0 and 1.
    Number,
    /// 0.0 and 1.0: a driver of JavaScript that stores each number so, in a column without a type.
    Real,
    /// `false` and `true`.
    Word,
    /// `FALSE` and `TRUE`.
    UpperWord,
    /// 0 and 1 as text.
    Digit,
    /// A column of PostgreSQL's type for booleans. The engine reads and writes it as 0 and 1.
    Boolean,
    /// NULL, and when it became true.
    Time(TimeEncoding),
    /// 0, and when it became true.
    TimeOrZero(TimeEncoding),
}

/// Numbers that may be an instant and are no boolean.
const INSTANTS_FROM: i32 = 1_000_000_000;

impl TruthEncoding {
    pub(in crate::store) fn write(self, truth: bool, now: Timestamp) -> Value {
        match self {
            Self::Number | Self::Boolean => Value::Integer(truth.into()),
            Self::Real => Value::Real(truth.into()),
            Self::Word => Value::Text(truth.to_string()),
            Self::UpperWord => Value::Text(truth.to_string().to_ascii_uppercase()),
            Self::Digit => Value::Text(u8::from(truth).to_string()),
            Self::Time(encoding) | Self::TimeOrZero(encoding) if truth => encoding.write(now),
            Self::Time(_) => Value::Null,
            Self::TimeOrZero(TimeEncoding::FractionalSeconds | TimeEncoding::RealMilliseconds) => Value::Real(0.0),
            Self::TimeOrZero(_) => Value::Integer(0),
        }
    }

    /// Reads a boolean in any encoding in which it is clear; `None` for any other value. A date is true, and NULL false.
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<bool> {
        match (Self::shown_by(value), value) {
            (_, ValueRef::Null) => Some(false),
            (Some(Self::Number), value) => Some(value == ValueRef::Integer(1)),
            (Some(Self::Real), value) => Some(value == ValueRef::Real(1.0)),
            (Some(Self::Time(_)), ValueRef::Text(_)) => Some(true),
            (Some(Self::Time(_)), _) => matches!(self, Self::Time(_) | Self::TimeOrZero(_)).then_some(true),
            (Some(_), value) => Some(matches!(value.as_text()?.to_ascii_lowercase().as_str(), "true" | "1")),
            (None, _) => None,
        }
    }

    /// Describes values in this encoding, for messages.
    pub(in crate::store) fn plural(self) -> &'static str {
        match self {
            Self::Number | Self::Real => "0 and 1",
            Self::Word => "'true' and 'false'",
            Self::UpperWord => "'TRUE' and 'FALSE'",
            Self::Digit => "0 and 1 as text",
            Self::Boolean => "booleans",
            Self::Time(_) | Self::TimeOrZero(_) => "dates",
        }
    }

    /// The encoding of a value; `None` when no encoding fits.
    pub(in crate::store) fn shown_by(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(0 | 1) => Some(Self::Number),
            ValueRef::Real(0.0 | 1.0) => Some(Self::Real),
            ValueRef::Integer(number) if number < INSTANTS_FROM.into() => None,
            ValueRef::Real(number) if number < INSTANTS_FROM.into() => None,
            ValueRef::Text(_) => match value.as_text()? {
                "true" | "false" => Some(Self::Word),
                "0" | "1" => Some(Self::Digit),
                word if ["true", "false"].contains(&word.to_ascii_lowercase().as_str()) => Some(Self::UpperWord),
                _ => TimeEncoding::shown_by(value).map(Self::Time),
            },
            value => TimeEncoding::shown_by(value).map(Self::Time),
        }
    }
}

/// A condition for rows in which a column is clearly true, in a database of an app or a native one.
pub(in crate::store) fn is_true(column: &str, is_guest: bool, dialect: &Dialect) -> String {
    if !is_guest {
        return format!(r#"coalesce("{column}" = {}, FALSE)"#, dialect.truths[1]);
    }
    // No boolean is below the instants but 0 and 1, and no word is like a date.
    format!(
        r#"coalesce("{column}" IN (1, '1') OR lower("{column}") = 'true' OR "{column}" LIKE '____-__-__%'
           OR (typeof("{column}") IN ('integer', 'real') AND "{column}" >= {INSTANTS_FROM}), FALSE)"#
    )
}

/// A condition for rows in which a column is clearly false, likewise.
pub(in crate::store) fn is_false(column: &str, is_guest: bool, dialect: &Dialect) -> String {
    let is_no = || format!(r#""{column}" = {}"#, dialect.truths[0]);
    let spells = if is_guest { spells_false(&identifier(column)) } else { is_no() };
    format!(r#"("{column}" IS NULL OR {spells})"#)
}

/// A condition for rows in which a column has a value that is false, in the database of an app. Takes the column as SQL
/// spells it.
pub(in crate::store) fn spells_false(column: &str) -> String {
    format!("coalesce({column} IN (0, '0') OR lower({column}) = 'false', FALSE)")
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
            let is_between = encoding.is_between("at", Timestamp::MIN, instant);
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

    const TRUTHS: [TruthEncoding; 11] = [
        TruthEncoding::Number,
        TruthEncoding::Real,
        TruthEncoding::Word,
        TruthEncoding::UpperWord,
        TruthEncoding::Digit,
        TruthEncoding::Boolean,
        TruthEncoding::Time(TimeEncoding::Milliseconds),
        TruthEncoding::Time(TimeEncoding::FractionalSeconds),
        TruthEncoding::Time(ZULU),
        TruthEncoding::TimeOrZero(TimeEncoding::Seconds),
        TruthEncoding::TimeOrZero(TimeEncoding::RealMilliseconds),
    ];

    #[test]
    fn every_boolean_encoding_reads_back_and_is_recognised() {
        let now = Timestamp::from_second(1_763_904_520).unwrap();
        for encoding in TRUTHS {
            for truth in [true, false] {
                let value = encoding.write(truth, now);
                assert_eq!(encoding.read(ValueRef::from(&value)), Some(truth), "{encoding:?}");
                // False is NULL or 0 beside dates, and only the type of a column shows booleans.
                let is_shown = encoding != TruthEncoding::Boolean
                    && !matches!(encoding, TruthEncoding::Time(_) | TruthEncoding::TimeOrZero(_));
                if truth && encoding != TruthEncoding::Boolean || is_shown {
                    let shown = TruthEncoding::shown_by(ValueRef::from(&value));
                    assert_eq!(shown.map(TruthEncoding::plural), Some(encoding.plural()));
                }
            }
        }
    }

    #[test]
    fn conditions_in_sql_agree_with_what_is_read() {
        let sql = rusqlite::Connection::open_in_memory().unwrap();
        let holds = |condition: &str, value: &str| -> bool {
            let select = ["SELECT ", condition, " FROM (SELECT ", value, " AS flag)"].concat();
            sql.query_row(&select, [], |row| row.get(0)).unwrap()
        };
        for (value, truth) in [
            ("0", Some(false)),
            ("1", Some(true)),
            ("0.0", Some(false)),
            ("1.0", Some(true)),
            ("'0'", Some(false)),
            ("'TRUE'", Some(true)),
            ("'FALSE'", Some(false)),
            ("'False'", Some(false)),
            ("'2025-11-23T13:28:40.302Z'", Some(true)),
            ("NULL", Some(false)),
            ("2", None),
            ("0.5", None),
            ("-1.0", None),
            ("'maybe'", None),
        ] {
            let read = sql
                .query_row(&["SELECT ", value].concat(), [], |row| {
                    Ok(TruthEncoding::Number.read(crate::store::sqlite::engine::value_ref(row.get_ref(0)?)))
                })
                .unwrap();
            assert_eq!(read, truth, "{value}");
            assert_eq!(holds(&is_true("flag", true, &DIALECT), value), truth == Some(true), "{value}");
            assert_eq!(holds(&is_false("flag", true, &DIALECT), value), truth == Some(false), "{value}");
            let spells = truth == Some(false) && value != "NULL";
            assert_eq!(holds(&spells_false("flag"), value), spells, "{value}");
        }
    }

    #[test]
    fn value_that_is_no_boolean_is_not_read() {
        let text = |text: &str| Value::Text(text.to_owned());
        let numbers = [Value::Integer(2), Value::Integer(-1), Value::Real(0.5), Value::Real(2.0), Value::Real(-1.0)];
        let others = [text("maybe"), text(""), text("2"), Value::Blob(vec![1])];
        for value in numbers.into_iter().chain(others) {
            for encoding in TRUTHS {
                assert_eq!(encoding.read(ValueRef::from(&value)), None, "{encoding:?} {value:?}");
            }
        }
        // A large number is a date only where the others are.
        let instant = Value::Integer(1_763_904_520_000);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&instant)), None);
        assert_eq!(TruthEncoding::Number.read(ValueRef::from(&text("2025-11-23T13:28:40.302Z"))), Some(true));
    }
}
