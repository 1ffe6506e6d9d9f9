//! Durations as users type them (`15m`, `2h`, `7d`), and times as numbers and text.

use jiff::Timestamp;
use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The longest duration: the whole calendar, from the year -9999 to 9999.
const LONGEST: SignedDuration = SignedDuration::from_hours(7_304_484 * 24);

/// Reads a duration such as `500ms`, `15m`, `2h` or `7d`. A day has 24 hours. Signs are refused, and so are months
/// and years, which have no fixed length.
pub fn parse(text: &str) -> Option<SignedDuration> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    // "5s ago" is a span as well.
    (SignedDuration::ZERO..=LONGEST).contains(&duration).then_some(duration)
}

/// Writes a duration as [`parse`] reads it, in the largest exact units: `7d`, `1h30m`.
pub fn show(duration: SignedDuration) -> String {
    let mut rest = duration.as_millis().unsigned_abs();
    let mut text = String::new();
    for (unit, milliseconds) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        let count = rest / milliseconds;
        rest %= milliseconds;
        if count > 0 {
            text = format!("{text}{count}{unit}");
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

const NANOSECONDS_A_SECOND: i128 = 1_000_000_000;
const NANOSECONDS_A_MILLISECOND: i128 = 1_000_000;

/// Whole seconds since 1970.
pub fn seconds(instant: Timestamp) -> i64 {
    units(instant, NANOSECONDS_A_SECOND)
}

/// Whole milliseconds since 1970.
pub fn milliseconds(instant: Timestamp) -> i64 {
    units(instant, NANOSECONDS_A_MILLISECOND)
}

/// Rounds down to the second.
pub fn whole_second(instant: Timestamp) -> Timestamp {
    // The first second of the calendar begins before the calendar.
    Timestamp::from_second(seconds(instant)).unwrap_or(instant)
}

/// Writes a time as RFC 3339 in UTC with milliseconds, the form of JSON, pipes and text columns. RFC 3339 has no
/// years before 0; they have a sign and six digits, as in JavaScript.
pub fn rfc3339(instant: Timestamp) -> String {
    let text = instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    match text.strip_prefix('-').and_then(|rest| rest.split_once('-')) {
        Some((year, rest)) => format!("-{year:0>6}-{rest}"),
        None => text,
    }
}

fn units(instant: Timestamp, nanoseconds: i128) -> i64 {
    // The calendar of 20,000 years fits.
    i64::try_from(instant.as_nanosecond().div_euclid(nanoseconds)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn duration_is_numbers_and_units() {
        assert_eq!(parse("15m"), Some(SignedDuration::from_mins(15)));
        assert_eq!(parse("1m30s"), Some(SignedDuration::from_secs(90)));
        assert_eq!(parse("7d"), Some(SignedDuration::from_hours(7 * 24)));
        assert_eq!(parse("0s"), Some(SignedDuration::ZERO));
        for text in
            ["", "5", "s", "-5s", "+5s", "PT5S", "1mo", "1y", "never", "5 parsecs", "1e9s", "5s ago", "175307617h"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn duration_is_shown_in_exact_units() {
        for text in ["7d", "1h30m", "15m", "1d1s", "250ms", "0s", "7304484d"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

    proptest! {
        #[test]
        fn shown_duration_is_read_back(milliseconds in 0_i64..10_000_000_000) {
            let duration = SignedDuration::from_millis(milliseconds);
            prop_assert_eq!(parse(&show(duration)), Some(duration));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC{0,20}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn times_are_rounded_down_on_both_sides_of_1970() {
        let at = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).unwrap();
        let of = |nanoseconds| (seconds(at(nanoseconds)), milliseconds(at(nanoseconds)));
        assert_eq!(of(1_999_999_999), (1, 1_999));
        assert_eq!(of(0), (0, 0));
        assert_eq!(of(-1), (-1, -1));
        assert_eq!(of(-1_000_000_000), (-1, -1_000));
        assert_eq!(of(-1_000_000_001), (-2, -1_001));
        assert_eq!(whole_second(at(-1)), at(-1_000_000_000));
        assert_eq!((seconds(Timestamp::MAX), seconds(Timestamp::MIN)), (253_402_207_200, -377_705_023_201));
    }
}
