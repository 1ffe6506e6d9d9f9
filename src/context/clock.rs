//! The clock: read once when the process starts, and again after every question, because an answer may
//! take minutes.

use std::cell::Cell;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::auth::duration::whole_second;
use crate::auth::policy::LONGEST_LIFE;

/// The clock is outside the range in which authctl works. What would be written now could not be read
/// later, or would be over before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// An instant that the calendar has.
    #[error("the clock of this machine is wrong: it says {0}")]
    At(Timestamp),
    /// One before the calendar begins.
    #[error("the clock of this machine is wrong: it says a time before {}", Timestamp::MIN)]
    Before,
    /// One after the calendar ends.
    #[error("the clock of this machine is wrong: it says a time after {}", whole_second(Timestamp::MAX))]
    After,
}

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
    reading(SystemTime::now())
}

/// What a time of the system is in the calendar. `Timestamp::now` panics at an instant that it does not have.
fn reading(time: SystemTime) -> Reading {
    let outside = |_| if time < SystemTime::UNIX_EPOCH { ClockError::Before } else { ClockError::After };
    let now = Timestamp::try_from(time).map_err(outside)?;
    if is_in_range(now) { Ok(now) } else { Err(ClockError::At(now)) }
}

/// From 1970 on, and so long before the end of the calendar that every life ends within it.
fn is_in_range(now: Timestamp) -> bool {
    now >= Timestamp::UNIX_EPOCH && now.checked_add(LONGEST_LIFE).is_ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::auth::policy::{KEYS, Range};

    #[test]
    fn clock_is_accepted_from_1970_until_a_life_before_the_end_of_9999() {
        let is_accepted = |text: &str| is_in_range(text.parse().unwrap());
        for valid in ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "9998-01-01T00:00:00Z"] {
            assert!(is_accepted(valid), "{valid}");
        }
        for bad in ["-000001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-01-01T00:00:00Z"] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }

    #[test]
    fn error_names_the_time_or_the_end_of_the_calendar_that_it_passed() {
        let says = |seconds: i64| {
            let distance = std::time::Duration::from_secs(seconds.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            let time = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
            let error = reading(time.unwrap()).unwrap_err().to_string();
            error.strip_prefix("the clock of this machine is wrong: it says ").unwrap().to_owned()
        };
        assert_eq!(says(-1), "1969-12-31T23:59:59Z");
        assert_eq!(says(-377_705_023_201), "-009999-01-02T01:59:59Z");
        for before in [-377_705_023_202, i64::MIN] {
            assert_eq!(says(before), "a time before -009999-01-02T01:59:59Z");
        }
        assert_eq!(says(253_402_207_200), "9999-12-30T22:00:00Z");
        // The end of 9999-12-30 in the westernmost zone, 9999-12-31 and the end of the range.
        for after in [253_402_207_201, 253_402_214_400, 253_402_300_799, i64::MAX] {
            assert_eq!(says(after), "a time after 9999-12-30T22:00:00Z");
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
