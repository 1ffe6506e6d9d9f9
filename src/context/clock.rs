//! The clock: read once when the process starts, and again after every question, because an answer may
//! take minutes.

use std::cell::Cell;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};

/// The longest life that a policy can give to a session (`session.lifetime`). Its end must be an instant
/// that a calendar has.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// The clock is outside the range in which authctl works. What would be written now could not be read
/// later, or would be over before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock of this machine is wrong: it says {}", .0.map_or_else(|| "a year after 9999".into(), |at| at.to_string()))]
pub struct ClockError(Option<Timestamp>);

/// A reading of the clock that lasts until a question is asked.
#[derive(Debug)]
pub(super) struct Clock(Cell<Option<Reading>>);

type Reading = Result<Timestamp, ClockError>;

impl Clock {
    /// Reads the clock.
    pub(super) fn start() -> Self {
        Self(Cell::new(Some(read())))
    }

    /// The reading; a new one if a question was asked since the last.
    pub(super) fn now(&self) -> Result<Timestamp, ClockError> {
        let reading = self.0.get().unwrap_or_else(read);
        self.0.set(Some(reading));
        reading
    }

    /// Forgets the reading.
    pub(super) fn forget(&self) {
        self.0.set(None);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn read() -> Reading {
    // `Timestamp::now` panics at an instant that no calendar has.
    let now = Timestamp::try_from(SystemTime::now()).map_err(|_| ClockError(None))?;
    if is_in_range(now) { Ok(now) } else { Err(ClockError(Some(now))) }
}

/// From 1970 on, and so long before the end of the calendar that every life ends within it.
fn is_in_range(now: Timestamp) -> bool {
    now >= Timestamp::UNIX_EPOCH && now.checked_add(LONGEST_LIFE).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy::{KEYS, Range};

    #[test]
    fn clock_is_accepted_from_1970_until_a_life_before_the_end_of_9999() {
        let is_accepted = |text: &str| is_in_range(text.parse().unwrap());
        for good in ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "9998-01-01T00:00:00Z"] {
            assert!(is_accepted(good), "{good}");
        }
        for bad in ["-000001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-01-01T00:00:00Z"] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }

    #[test]
    fn no_policy_gives_a_longer_life() {
        for key in KEYS {
            if let Range::Seconds(_, most) = key.range {
                assert!(SignedDuration::from_secs(most) <= LONGEST_LIFE, "{}", key.name);
            }
        }
    }

    #[test]
    fn clock_is_read_again_only_after_it_was_forgotten() {
        let clock = Clock::start();
        let first = clock.now().unwrap();
        assert_eq!(clock.now().unwrap(), first);
        clock.forget();
        assert!(clock.now().unwrap() > first);
    }
}
