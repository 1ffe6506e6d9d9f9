//! The encoding of instants. A value in another unit than the database's is refused: read in the wrong unit,
//! a session would be expired, or live until the year 58884.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::auth::duration;
use crate::store::engine::{Value, ValueRef};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TimeEncoding {
    /// Whole seconds since 1970, rounded down: native databases, and Drizzle's `timestamp`.
    Seconds,
    /// Milliseconds since 1970: Drizzle's `timestamp_ms`, and Prisma's `unixepoch-ms`.
    Milliseconds,
    /// `2026-11-23T13:28:40.302Z`: Kysely's.
    Zulu,
    /// `2026-11-23T13:28:40.302+00:00`: Prisma's.
    Offset,
}

/// Seconds of the years 2001 to 2286. As milliseconds, they would be instants of the first months of 1970.
const LIKE_SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;

/// Larger numbers are not seconds, because the calendar ends in the year 9999. As milliseconds, this one is an
/// instant of 1978.
const MILLISECONDS_FROM: i64 = 253_402_207_201;

impl TimeEncoding {
    pub(in crate::store) fn write(self, instant: Timestamp) -> Value {
        match self {
            Self::Seconds => Value::Integer(duration::seconds(instant)),
            Self::Milliseconds => Value::Integer(duration::milliseconds(instant)),
            Self::Zulu => Value::Text(duration::rfc3339(instant)),
            Self::Offset => Value::Text(duration::rfc3339(instant).replace('Z', "+00:00")),
        }
    }

    /// `None` when the value is not an instant in this encoding.
    pub(in crate::store) fn read(self, value: ValueRef<'_>) -> Option<Timestamp> {
        match (self, value) {
            (Self::Seconds, ValueRef::Integer(seconds)) if seconds < MILLISECONDS_FROM => {
                Timestamp::from_second(seconds).ok()
            }
            (Self::Milliseconds, ValueRef::Integer(milliseconds)) if !LIKE_SECONDS.contains(&milliseconds) => {
                Timestamp::from_millisecond(milliseconds).ok()
            }
            (Self::Zulu | Self::Offset, ValueRef::Text(bytes)) => read_text(std::str::from_utf8(bytes).ok()?),
            _ => None,
        }
    }

    /// Describes a value in this encoding, for messages.
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "a number of seconds",
            Self::Milliseconds => "a number of milliseconds",
            Self::Zulu => "a time such as 2026-11-23T13:28:40.302Z",
            Self::Offset => "a time such as 2026-11-23T13:28:40.302+00:00",
        }
    }

    /// The encoding of a value; `None` when no encoding or more than one fits.
    pub(in crate::store) fn shown_by(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(number) if number >= MILLISECONDS_FROM => Some(Self::Milliseconds),
            ValueRef::Integer(number) if number > 0 => Some(Self::Seconds),
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes).ok()?;
                read_text(text)?;
                // SQLite's CURRENT_TIMESTAMP, the default in Prisma's schemas, has no offset.
                Some(if text.ends_with('Z') { Self::Zulu } else { Self::Offset })
            }
            _ => None,
        }
    }
}

fn read_text(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    // SQLite's CURRENT_TIMESTAMP, which is in UTC.
    let civil: DateTime = text.parse().ok()?;
    (text.len() == 19).then(|| TimeZone::UTC.to_timestamp(civil).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODINGS: [TimeEncoding; 4] =
        [TimeEncoding::Seconds, TimeEncoding::Milliseconds, TimeEncoding::Zulu, TimeEncoding::Offset];

    fn read(encoding: TimeEncoding, value: &Value) -> Option<i64> {
        encoding.read(ValueRef::from(value)).map(Timestamp::as_millisecond)
    }

    #[test]
    fn every_encoding_reads_back_and_is_recognised() {
        for milliseconds in [1_763_904_520_302, 1_763_904_520_000, 300_000_000_000] {
            let instant = Timestamp::from_millisecond(milliseconds).unwrap();
            for encoding in ENCODINGS {
                let value = encoding.write(instant);
                let kept = if encoding == TimeEncoding::Seconds { milliseconds / 1000 * 1000 } else { milliseconds };
                assert_eq!(read(encoding, &value), Some(kept), "{encoding:?}");
                assert_eq!(TimeEncoding::shown_by(ValueRef::from(&value)), Some(encoding));
            }
        }
    }

    #[test]
    fn text_is_written_like_in_javascript() {
        let instant = Timestamp::from_millisecond(1_763_904_520_002).unwrap();
        assert_eq!(TimeEncoding::Zulu.write(instant), Value::Text("2025-11-23T13:28:40.002Z".into()));
        assert_eq!(TimeEncoding::Offset.write(instant), Value::Text("2025-11-23T13:28:40.002+00:00".into()));
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
        for (milliseconds, is_read) in
            [(-1, true), (0, true), (999_999_999, true), (1_763_904_520, false), (10_000_000_000, true)]
        {
            let value = TimeEncoding::Milliseconds.write(Timestamp::from_millisecond(milliseconds).unwrap());
            assert_eq!(read(TimeEncoding::Milliseconds, &value), is_read.then_some(milliseconds), "{milliseconds}");
        }
    }

    #[test]
    fn value_in_another_unit_is_refused() {
        let (seconds, milliseconds) = (Value::Integer(1_763_904_520), Value::Integer(1_763_904_520_302));
        assert_eq!(read(TimeEncoding::Seconds, &milliseconds), None);
        assert_eq!(read(TimeEncoding::Milliseconds, &seconds), None);
        assert_eq!(read(TimeEncoding::Seconds, &Value::Integer(i64::MAX)), None);
        for encoding in [TimeEncoding::Zulu, TimeEncoding::Offset] {
            assert_eq!(read(encoding, &seconds), None);
            assert_eq!(read(encoding, &Value::Text("soon".into())), None);
            assert_eq!(read(encoding, &Value::Text("2025-11-23".into())), None);
        }
    }

    #[test]
    fn other_spellings_of_an_instant_are_read() {
        for text in ["2025-11-23T13:28:40Z", "2025-11-23T13:28:40+00:00", "2025-11-23 13:28:40"] {
            assert_eq!(read(TimeEncoding::Offset, &Value::Text(text.into())), Some(1_763_904_520_000), "{text}");
        }
    }
}
