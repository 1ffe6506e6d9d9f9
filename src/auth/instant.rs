//! How instants are rounded where a column holds whole units: down, before 1970 too, and the same for what
//! is written and what is hashed.

use jiff::Timestamp;

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

/// The instant at which the second began.
pub fn whole_second(instant: Timestamp) -> Timestamp {
    // The first second of the calendar has no beginning within it.
    Timestamp::from_second(seconds(instant)).unwrap_or(instant)
}

/// An instant as JSON, pipes and columns of text carry it: RFC 3339, UTC, milliseconds. A year before 0, for which RFC 3339
/// has no form, has a sign and six digits, as in ISO 8601 and in JavaScript.
pub fn rfc3339(instant: Timestamp) -> String {
    let text = instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    match text.strip_prefix('-').and_then(|rest| rest.split_once('-')) {
        Some((year, rest)) => format!("-{year:0>6}-{rest}"),
        None => text,
    }
}

fn units(instant: Timestamp, nanoseconds: i128) -> i64 {
    // A calendar of 20,000 years fits.
    i64::try_from(instant.as_nanosecond().div_euclid(nanoseconds)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rounded_down_on_both_sides_of_1970() {
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
