//! Durations as people write them: `15m`, `2h`, `7d`.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The longest duration that has a form in days: all of the calendar, from the year -9999 to 9999.
const LONGEST: SignedDuration = SignedDuration::from_hours(7_304_484 * 24);

/// Reads a duration such as `500ms`, `15m`, `2h` or `7d`; a day has 24 hours. Months and years have
/// no fixed length and are refused, and so are signs.
pub fn parse(text: &str) -> Option<SignedDuration> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    // "5s ago" is a span as well.
    (SignedDuration::ZERO..=LONGEST).contains(&duration).then_some(duration)
}

/// Writes a duration as [`parse`] reads it, in the largest units that lose nothing: `7d`, `1h30m`.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
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
    fn durations_are_shown_in_units_that_lose_nothing() {
        for text in ["7d", "1h30m", "15m", "1d1s", "250ms", "0s", "7304484d"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(milliseconds in 0_i64..10_000_000_000) {
            let duration = SignedDuration::from_millis(milliseconds);
            prop_assert_eq!(parse(&show(duration)), Some(duration));
        }

        #[test]
        fn any_text_is_a_duration_or_refused(text in "\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
