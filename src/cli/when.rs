//! Times as users type them: an instant, a date, or a length of time before now.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::auth::duration;

/// A time, before the context says what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    At(Timestamp),
    /// This long before now.
    Before(SignedDuration),
    /// The start of the day in UTC that was this many days ago.
    DaysAgo(u32),
}

impl When {
    /// The instant; the start of the calendar for a time before it.
    pub(crate) fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Before(length) => now.checked_sub(length).unwrap_or(Timestamp::MIN),
            Self::DaysAgo(days) => {
                let ago = SignedDuration::from_hours(24 * i64::from(days));
                let then = now.checked_sub(ago).unwrap_or(Timestamp::MIN);
                midnight(TimeZone::UTC.to_datetime(then).date()).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// An instant as RFC 3339, or a date, which is its start in UTC.
fn absolute(text: &str) -> Option<Timestamp> {
    // A date is read first and alone: the parser of dates also takes a date with a time, and drops the time.
    const DATE_BYTES: usize = "2026-11-25".len();
    if text.len() == DATE_BYTES { text.parse().ok().and_then(midnight) } else { text.parse().ok() }
}

/// Reads a time in the past: `2h`, `today`, `yesterday`, a date or an instant.
pub(crate) fn past(text: &str) -> Result<When, String> {
    match text {
        "now" => Some(When::Before(SignedDuration::ZERO)),
        "today" => Some(When::DaysAgo(0)),
        "yesterday" => Some(When::DaysAgo(1)),
        _ => duration::parse(text).map(When::Before).or_else(|| absolute(text).map(When::At)),
    }
    .ok_or_else(|| "give a time such as 2h, yesterday, 2026-11-25 or 2026-11-25T12:00:00Z".to_owned())
}

/// Reads a time of the past or the future: a date or an instant.
pub(crate) fn fixed(text: &str) -> Result<Timestamp, String> {
    absolute(text).ok_or_else(|| "give a time such as 2026-11-25 or 2026-11-25T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> String {
        past(text).unwrap().instant("2026-11-25T10:30:00Z".parse().unwrap()).to_string()
    }

    #[test]
    fn times_are_read_as_people_type_them() {
        for (text, expected) in [
            ("2h", "2026-11-25T08:30:00Z"),
            ("1d", "2026-11-24T10:30:00Z"),
            ("now", "2026-11-25T10:30:00Z"),
            ("today", "2026-11-25T00:00:00Z"),
            ("yesterday", "2026-11-24T00:00:00Z"),
            ("2026-01-02", "2026-01-02T00:00:00Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_examples() {
        for text in ["", "soon", "-2h", "2026", "2026-13-01", "2026-02-30", "2026-01-02T03:04:05"] {
            assert!(past(text).unwrap_err().contains("yesterday"), "{text:?}");
            assert!(fixed(text).is_err(), "{text:?}");
        }
        assert!(fixed("2h").is_err());
    }
}
