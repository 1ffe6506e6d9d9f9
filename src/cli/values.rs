//! Parsers for values on the command line.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;

use crate::auth::duration;

/// The longest `--wait`: longer than this is a mistake.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// The words of `--time`. `db init` and `db convert` have a flag of this name for the unit of an app's times, and clap
/// gives the value of one to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeWord {
    Local,
    Utc,
    Relative,
    Seconds,
    Milliseconds,
}

impl TimeWord {
    fn named(word: &str) -> Self {
        match word {
            "local" => Self::Local,
            "utc" => Self::Utc,
            "relative" => Self::Relative,
            "seconds" => Self::Seconds,
            _ => Self::Milliseconds,
        }
    }
}

/// Reads how text shows times.
pub(crate) fn times() -> impl TypedValueParser<Value = TimeWord> {
    PossibleValuesParser::new(["local", "utc", "relative"]).map(|word| TimeWord::named(&word))
}

/// Reads the unit of an app's times.
pub(crate) fn unit() -> impl TypedValueParser<Value = TimeWord> {
    let seconds = PossibleValue::new("seconds").help("`mode: \"timestamp\"`");
    let milliseconds = PossibleValue::new("milliseconds").help("`mode: \"timestamp_ms\"`");
    PossibleValuesParser::new([seconds, milliseconds]).map(|word| TimeWord::named(&word))
}

/// Reads `--wait`: a duration of at most an hour.
pub(crate) fn wait(text: &str) -> Result<Duration, String> {
    let parsed = duration::parse(text).and_then(|duration| Duration::try_from(duration).ok());
    parsed
        .filter(|duration| *duration <= WAIT_MAX)
        .ok_or_else(|| "expected a duration from 0s to 1h, such as 500ms, 5s or 1m".to_owned())
}

/// Reads the length of a ban: from a second to ten years.
pub(crate) fn ban(text: &str) -> Result<SignedDuration, String> {
    let bounds = SignedDuration::from_secs(1)..=SignedDuration::from_hours(10 * 365 * 24);
    duration::parse(text)
        .filter(|length| bounds.contains(length))
        .ok_or_else(|| "expected a duration from 1s to 3650d, such as 12h or 7d".to_owned())
}

/// Reads the lifetime of a code or an impersonation: from a minute to a day.
pub(crate) fn ttl(text: &str) -> Result<SignedDuration, String> {
    let bounds = SignedDuration::from_mins(1)..=SignedDuration::from_hours(24);
    duration::parse(text)
        .filter(|ttl| bounds.contains(ttl))
        .ok_or_else(|| "expected a duration from 1m to 24h, such as 1h".to_owned())
}

/// Reads the lifetime of a session: from a minute to the maximum of the policy.
pub(crate) fn life(text: &str) -> Result<SignedDuration, String> {
    let bounds = SignedDuration::from_mins(1)..=SignedDuration::from_hours(400 * 24);
    duration::parse(text)
        .filter(|life| bounds.contains(life))
        .ok_or_else(|| "expected a duration from 1m to 400d, such as 10m or 30d".to_owned())
}

/// Reads an age: any duration.
pub(crate) fn age(text: &str) -> Result<SignedDuration, String> {
    duration::parse(text).ok_or_else(|| "expected a duration such as 12h or 30d".to_owned())
}

/// Reads `--target`: how long one hash may take, from 10 ms to 10 s.
pub(crate) fn target(text: &str) -> Result<SignedDuration, String> {
    let bounds = SignedDuration::from_millis(10)..=SignedDuration::from_secs(10);
    duration::parse(text)
        .filter(|target| bounds.contains(target))
        .ok_or_else(|| "expected a duration from 10ms to 10s, such as 250ms".to_owned())
}

/// Reads `--max-memory` and returns KiB: within the limits of the policy.
pub(crate) fn memory_kib(text: &str) -> Result<u32, String> {
    let in_units = |suffix: &str, kib: u32| text.strip_suffix(suffix)?.trim().parse::<u32>().ok()?.checked_mul(kib);
    in_units("KiB", 1)
        .or_else(|| in_units("MiB", 1 << 10))
        .or_else(|| in_units("GiB", 1 << 20))
        .filter(|kib| (19_456..=262_144).contains(kib))
        .ok_or_else(|| "expected a size from 19MiB to 256MiB, such as 64MiB or 65536KiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_needs_a_binary_unit_within_the_policy() {
        assert_eq!(memory_kib("19456KiB"), Ok(19_456));
        assert_eq!(memory_kib("19MiB"), Ok(19_456));
        assert_eq!(memory_kib("256 MiB"), Ok(262_144));
        for text in ["64", "64MB", "-1MiB", "1GiB", "18MiB", "4294967295GiB", "MiB"] {
            assert!(memory_kib(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn wait_is_at_most_an_hour() {
        assert_eq!(wait("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(wait("60m"), Ok(Duration::from_hours(1)));
        for text in ["61m", "2h", "-1s", "soon", ""] {
            assert!(wait(text).is_err(), "{text:?}");
        }
    }
}
