//! Instants in words: RFC 3339 for programs, ages for people.

use jiff::Timestamp;

pub use crate::auth::duration::rfc3339;

/// An instant as a person at a terminal reads it: "in 6 days", "3 hours ago", "now".
pub fn relative(instant: Timestamp, now: Timestamp) -> String {
    // In whole seconds, as databases keep them: a session made this second ends "in 7 days".
    let seconds = instant.as_second() - now.as_second();
    let amount = amount(seconds.unsigned_abs());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {amount}"),
        _ => format!("{amount} ago"),
    }
}

/// A length of time in its largest unit, rounded down: "1 day", "59 minutes".
pub fn amount(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    #[test]
    fn year_before_0_has_a_sign_and_six_digits() {
        for text in ["-000001-01-01T00:00:00.000Z", "-009999-01-02T01:59:59.000Z", "0000-01-01T00:00:00.000Z"] {
            assert_eq!(rfc3339(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn programs_get_milliseconds_in_utc() {
        assert_eq!(rfc3339(Timestamp::from_millisecond(1_790_000_000_005).unwrap()), "2026-09-21T14:13:20.005Z");
        assert_eq!(rfc3339(Timestamp::from_second(0).unwrap()), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn people_get_the_largest_unit() {
        let told = |seconds| relative(at(seconds), at(0));
        assert_eq!(told(0), "now");
        assert_eq!(told(1), "in 1 second");
        assert_eq!(told(-59), "59 seconds ago");
        assert_eq!(told(3_599), "in 59 minutes");
        assert_eq!(told(-7_200), "2 hours ago");
        assert_eq!(told(7 * 86_400 - 1), "in 6 days");
        assert_eq!(told(-86_400), "1 day ago");
    }
}
