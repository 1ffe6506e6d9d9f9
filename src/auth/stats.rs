//! Numbers about a database: how many users and sessions it has, and who signed up and in over a period.

use std::iter::successors;

use jiff::{SignedDuration, Timestamp};

use super::duration;

/// The most parts of a period.
const PARTS_MAX: i64 = 62;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The lengths of parts, in seconds. Longer ones are multiples of the last by ten.
const STEPS: [i64; 8] = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY];

/// A period of time up to now, in parts of equal length. The last part may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub since: Timestamp,
    /// Inclusive.
    pub until: Timestamp,
    /// The length of a part in seconds.
    step: i64,
}

impl Period {
    /// The period from an instant until now. The length of its parts depends on its own.
    pub fn new(since: Timestamp, now: Timestamp) -> Self {
        let (since, until) = (duration::whole_second(since), duration::whole_second(now));
        let length = duration::seconds(until) - duration::seconds(since);
        let longer = successors(STEPS.last().copied(), |step| step.checked_mul(10)).skip(1);
        let mut steps = STEPS.into_iter().chain(longer);
        let step = steps.find(|step| length <= step * PARTS_MAX).unwrap_or(i64::MAX);
        Self { since, until, step }
    }

    pub fn step(&self) -> SignedDuration {
        SignedDuration::from_secs(self.step)
    }

    /// How many parts there are, at least one.
    pub fn parts(&self) -> usize {
        let length = duration::seconds(self.until) - duration::seconds(self.since);
        // A whole number of parts includes its end.
        usize::try_from((length + self.step - 1) / self.step).unwrap_or_default().max(1)
    }

    /// When each part begins.
    pub fn starts(&self) -> impl Iterator<Item = Timestamp> {
        let start = |part| duration::seconds(self.since).saturating_add(self.step.saturating_mul(part));
        (0..).map(start).map(|start| Timestamp::from_second(start).unwrap_or(Timestamp::MAX)).take(self.parts())
    }

    /// The part of an instant; `None` for one outside of the period.
    pub fn part(&self, instant: Timestamp) -> Option<usize> {
        let instant = duration::whole_second(instant);
        let is_inside = self.since <= instant && instant <= self.until;
        let after = duration::seconds(instant) - duration::seconds(self.since);
        is_inside.then(|| self.clamped(after / self.step))
    }

    /// The part with a number, or the last one: the end of the period belongs to its last part.
    pub fn clamped(&self, part: i64) -> usize {
        usize::try_from(part).unwrap_or_default().min(self.parts() - 1)
    }
}

/// How often something happened in each part of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// `None` where the database cannot tell.
    pub parts: Vec<Option<u64>>,
    /// `None` unless the database can tell for the whole period.
    pub total: Option<u64>,
}

impl Series {
    /// Takes the count of each part, and since when the database can tell; `None` if it always could.
    pub fn known_since(known: Option<Timestamp>, counts: &[u64], period: &Period) -> Self {
        let ends = period.starts().skip(1).chain([Timestamp::MAX]);
        let parts = counts.iter().zip(ends).map(|(count, end)| known.is_none_or(|known| known < end).then_some(*count));
        let is_whole = known.is_none_or(|known| known <= period.since);
        Self { parts: parts.collect(), total: is_whole.then(|| counts.iter().sum()) }
    }

    /// What a database shows that cannot tell at all.
    pub fn unknown(period: &Period) -> Self {
        Self { parts: vec![None; period.parts()], total: None }
    }

    /// The sum of the known parts; `None` if no part is known.
    pub fn known(&self) -> Option<u64> {
        self.parts.iter().flatten().copied().reduce(|sum, count| sum + count)
    }
}

/// Numbers about a database and a period. `None` is what the database cannot tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    pub users: u64,
    /// The users whose address is verified.
    pub verified: Option<u64>,
    /// The users with a second factor.
    pub second_factor: Option<u64>,
    pub live_sessions: Option<u64>,
    /// The users of the database who were created in the period.
    pub sign_ups: Series,
    /// The sessions that began with a sign-in or a sign-up, as the audit log has them.
    pub sign_ins: Series,
    /// The sign-ins that were refused, as the audit log has them.
    pub failures: Series,
    /// The time of the first entry of the audit log; `None` if it has none.
    pub log_begins: Option<Timestamp>,
    /// Whether the database belongs to an app. The log has only the sign-ins through authctl then.
    pub is_guest: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    fn days(count: i64) -> Period {
        Period::new(at(-count * DAY), at(0))
    }

    #[test]
    fn period_has_parts_of_a_length_that_people_know() {
        for (seconds, parts, step) in [
            (0, 1, "1m"),
            (HOUR, 60, "1m"),
            (2 * HOUR, 12, "10m"),
            (DAY, 24, "1h"),
            (7 * DAY, 28, "6h"),
            (30 * DAY, 30, "1d"),
            (30 * DAY + 1, 31, "1d"),
            (365 * DAY, 53, "7d"),
            (1000 * DAY, 34, "30d"),
        ] {
            let period = Period::new(at(-seconds), at(0));
            assert_eq!((period.parts(), duration::show(period.step()).as_str()), (parts, step), "{seconds}");
            assert_eq!(period.starts().count(), parts);
        }
        for since in [Timestamp::MIN, Timestamp::MAX] {
            assert!((1..=62).contains(&Period::new(since, at(0)).parts()), "{since}");
        }
    }

    #[test]
    fn every_second_of_a_period_is_in_one_part() {
        let period = days(30);
        for (instant, part) in [
            (at(-30 * DAY - 1), None),
            (at(-30 * DAY), Some(0)),
            (at(-29 * DAY - 1), Some(0)),
            (at(-29 * DAY), Some(1)),
            (at(0), Some(29)),
            (at(1), None),
        ] {
            assert_eq!(period.part(instant), part, "{instant}");
        }
        assert!(period.starts().enumerate().all(|(number, start)| period.part(start) == Some(number)));
    }

    #[test]
    fn part_before_the_log_begins_is_unknown_and_so_is_the_total() {
        let period = days(30);
        let counts = vec![1; 30];
        let always = Series::known_since(None, &counts, &period);
        assert_eq!((always.total, always.known(), always.parts[0]), (Some(30), Some(30), Some(1)));
        assert_eq!(Series::known_since(Some(at(-30 * DAY)), &counts, &period), always);
        let late = Series::known_since(Some(at(-28 * DAY)), &counts, &period);
        assert_eq!((late.total, late.known()), (None, Some(28)));
        assert_eq!(late.parts[..3], [None, None, Some(1)]);
        let inside = Series::known_since(Some(at(-29 * DAY - 1)), &counts, &period);
        assert_eq!((inside.total, inside.parts[0]), (None, Some(1)));
        let never = Series::unknown(&period);
        assert_eq!((never.total, never.known(), never.parts.len()), (None, None, 30));
    }
}
