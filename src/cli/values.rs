//! How values are written on the command line.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// The longest `--wait`: longer than this is a mistake.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Reads `--wait`: a duration of at most an hour.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration from 0s to 1h, such as 500ms, 5s or 1m".to_owned();
    let duration = duration(text).ok_or_else(wrong)?;
    if duration > WAIT_MAX { Err(wrong()) } else { Ok(duration) }
}

/// Reads a duration such as `15m`, `2h` or `7d`; a day has 24 hours.
fn duration(text: &str) -> Option<Duration> {
    // Months and years have no fixed length, signs and ISO 8601 are not what the help promises.
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(wait("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(wait("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(wait("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(wait("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("7d"), Some(Duration::from_hours(7 * 24)));
        for text in ["", "5", "s", "-5s", "+5s", "PT5S", "1mo", "1y", "never", "5 parsecs", "2h", "1e9s"] {
            assert!(wait(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_refused(text in "\\PC{0,20}") {
            let _ = wait(&text);
        }

        #[test]
        fn whole_seconds_are_read_exactly(seconds in 0_u64..=3600) {
            prop_assert_eq!(wait(&format!("{seconds}s")), Ok(Duration::from_secs(seconds)));
        }
    }
}
