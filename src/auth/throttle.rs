//! Slowing down guesses: the decision about one attempt, taken before any hash is computed.
//!
//! An attempt is reserved in a committed transaction before the hash runs. A wrong password turns its
//! reservation into a failure, a right one clears the count. Reservations are limited like failures, so
//! that many processes at once get no more guesses than one; but an attempt that only reservations stand
//! in the way of waits for its turn and is not refused.

use jiff::{SignedDuration, Timestamp};

use super::email::Email;
use super::policy::ThrottleRules;
use super::secret::digest;

/// Under what attempts are counted: a digest of the canonical address, because addresses that belong to
/// no user (or a password typed in the wrong field) have no place in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptKey {
    key: String,
    reservation: Option<String>,
}

impl AttemptKey {
    fn new(key: String) -> Self {
        Self { key, reservation: None }
    }

    /// The key of sign-in attempts for an address.
    pub fn sign_in(email: &Email) -> Self {
        Self::new(digest(format!("sign-in:{email}")))
    }

    /// The key of codes that are sent to an address: nobody's mailbox is filled by a stranger.
    pub fn mail(email: &Email) -> Self {
        Self::new(digest(format!("mail:{email}")))
    }

    /// The key of codes that a user has sent to addresses that are not theirs yet.
    pub fn mail_of(user_id: &str) -> Self {
        Self::new(digest(format!("mail-of:{user_id}")))
    }

    /// The key of codes that name no user, of all together: see [`ThrottleRules::of_unknown_codes`].
    pub fn unknown_codes() -> Self {
        Self::new("codes".into())
    }

    /// The key of wrong uses of codes that name a user.
    pub fn codes_of(user_id: &str) -> Self {
        Self::new(digest(format!("codes-of:{user_id}")))
    }

    /// A key under which nothing is ever counted.
    pub fn of_nobody() -> Self {
        Self::new("nobody".into())
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// The same key, for one attempt that is not decided yet. The id must be unique.
    #[must_use]
    pub fn reserved(self, id: String) -> Self {
        Self { reservation: Some(id), ..self }
    }

    /// The key of the reservation as stored, if the attempt has one.
    pub fn reservation(&self) -> Option<String> {
        self.reservation.as_ref().map(|id| format!("{}/{id}", self.key))
    }

    /// Every reservation for the key is stored under a text from the first of these on and before the
    /// second.
    pub fn reservations(&self) -> [String; 2] {
        // The character after the slash.
        [format!("{}/", self.key), format!("{}0", self.key)]
    }
}

/// What is remembered about the attempts for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Failures since the last success.
    pub count: u32,
    /// No attempt is let through before this instant.
    pub not_before: Timestamp,
    /// When the last failure was let through.
    pub last_at: Timestamp,
}

/// The answer to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on; this is remembered if the attempt fails.
    Proceed(Attempts),
    /// Not now; try again after this time. Nothing is counted, so that asking does not lengthen
    /// the wait.
    Wait(SignedDuration),
    /// Not now; attempts are running that may succeed.
    Undecided,
}

/// How long a reservation is respected. A hash takes tens of milliseconds, and many seconds on a machine
/// where many run at once; a process that was killed before its attempt was decided counts as a failure
/// after this time.
const UNDECIDED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Whether an attempt that was reserved at an instant counts as failed, its process having died. One from
/// the future (the clock was set back) does too.
pub fn is_abandoned(reserved_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(reserved_at).abs() >= UNDECIDED_FOR
}

/// What of the failures counts now: nothing when they are old enough. A clock that was wrong when they
/// were written does not make the wait longer than the longest one.
pub fn remembered(stored: Option<Attempts>, now: Timestamp, rules: &ThrottleRules) -> Option<Attempts> {
    let stored = stored?;
    let last_at = stored.last_at.min(now);
    // Counted from the failure, wherever its clock was.
    let wait = stored.not_before.duration_since(stored.last_at.max(now)).min(rules.longest_wait);
    let not_before = if stored.last_at > now || wait == rules.longest_wait {
        now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    } else {
        stored.not_before
    };
    let healed = Attempts { count: stored.count, not_before, last_at };
    (now.duration_since(healed.last_at) < rules.forget_after).then_some(healed)
}

/// Adds a failure, let through at an instant, to those that are remembered.
pub fn failed(remembered: Option<Attempts>, at: Timestamp, rules: &ThrottleRules) -> Attempts {
    let count = remembered.map_or(0, |attempts| attempts.count).saturating_add(1);
    let not_before = at.saturating_add(wait_after(count, rules)).unwrap_or(Timestamp::MAX);
    match remembered {
        None => Attempts { count, not_before, last_at: at },
        // One that was let through earlier may be decided later.
        Some(before) => {
            Attempts { count, not_before: not_before.max(before.not_before), last_at: at.max(before.last_at) }
        }
    }
}

/// Decides about one attempt, beside others that are not decided yet.
pub fn decide(stored: Option<Attempts>, undecided: u32, now: Timestamp, rules: &ThrottleRules) -> Decision {
    let remembered = remembered(stored, now, rules);
    let wait = remembered.map_or(SignedDuration::ZERO, |attempts| attempts.not_before.duration_since(now));
    let failures = remembered.map_or(0, |attempts| attempts.count);
    if wait.is_positive() {
        Decision::Wait(wait)
    } else if undecided > 0 && failures.saturating_add(undecided) >= rules.free_attempts {
        Decision::Undecided
    } else {
        Decision::Proceed(failed(remembered, now, rules))
    }
}

/// The wait that follows the given number of failures.
fn wait_after(count: u32, rules: &ThrottleRules) -> SignedDuration {
    match count.checked_sub(rules.free_attempts) {
        None => SignedDuration::ZERO,
        Some(doublings) => {
            let factor = 2_i32.saturating_pow(doublings.min(30));
            rules.first_wait.saturating_mul(factor).min(rules.longest_wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    fn run(times: u32) -> Attempts {
        let rules = ThrottleRules::default();
        let mut state = None;
        let mut now = 0;
        for _ in 0..times {
            match decide(state, 0, at(now), &rules) {
                Decision::Proceed(attempts) => {
                    state = Some(attempts);
                    now = now.max(attempts.not_before.as_second() - at(0).as_second());
                }
                other => unreachable!("waited until allowed, still {other:?}"),
            }
        }
        state.unwrap()
    }

    #[test]
    fn five_attempts_are_free_and_the_sixth_waits() {
        let fifth = run(5);
        let rules = ThrottleRules::default();
        assert_eq!(decide(Some(fifth), 0, at(0), &rules), Decision::Wait(SignedDuration::from_secs(15)));
        assert_eq!(decide(Some(fifth), 0, at(14), &rules), Decision::Wait(SignedDuration::from_secs(1)));
        assert!(matches!(decide(Some(fifth), 0, at(15), &rules), Decision::Proceed(a) if a.count == 6));
    }

    #[test]
    fn the_wait_doubles_and_never_passes_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (5..=13)
            .map(|times| {
                let state = run(times);
                state.not_before.duration_since(state.last_at).as_secs()
            })
            .collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn thousands_of_failures_neither_overflow_nor_lock_for_good() {
        let rules = ThrottleRules::default();
        let worst = Attempts { count: u32::MAX, not_before: at(0), last_at: at(0) };
        let Decision::Proceed(next) = decide(Some(worst), 0, at(1), &rules) else { unreachable!() };
        assert_eq!(next.count, u32::MAX);
        assert_eq!(next.not_before, at(901));
    }

    #[test]
    fn a_clock_set_back_shortens_the_wait_to_the_longest_one() {
        let rules = ThrottleRules::default();
        let state = Attempts { count: 9, not_before: at(10_000_000), last_at: at(9_999_000) };
        assert_eq!(decide(Some(state), 0, at(0), &rules), Decision::Wait(rules.longest_wait));
    }

    #[test]
    fn wait_pushed_ahead_by_a_wrong_clock_is_cut_and_forgotten_like_any_other() {
        let rules = ThrottleRules::default();
        let (ahead, wait) = (at(10 * 365 * 86_400), SignedDuration::from_secs(240));
        let healed = remembered(Some(Attempts { count: 9, not_before: ahead, last_at: ahead - wait }), at(0), &rules);
        assert_eq!(healed, Some(Attempts { count: 9, not_before: at(240), last_at: at(0) }));
        assert_eq!(decide(healed, 0, at(0), &rules), Decision::Wait(wait));
        assert!(matches!(decide(healed, 0, at(240), &rules), Decision::Proceed(a) if a.count == 10));
        assert_eq!(remembered(healed, at(86_400), &rules), None);
    }

    #[test]
    fn undecided_attempts_take_the_place_of_free_ones_and_make_others_wait_for_a_turn() {
        let rules = ThrottleRules::default();
        for failures in 0..=4_u32 {
            let stored = (failures > 0).then(|| Attempts { count: failures, not_before: at(0), last_at: at(0) });
            for undecided in 0..=6 {
                let decision = decide(stored, undecided, at(0), &rules);
                let is_free = failures + undecided < 5;
                assert_eq!(matches!(decision, Decision::Proceed(_)), is_free, "{failures} {undecided}");
                assert_eq!(decision == Decision::Undecided, !is_free, "{failures} {undecided}");
            }
        }
        let fifth = Some(run(5));
        assert!(matches!(decide(fifth, 1, at(0), &rules), Decision::Wait(_)), "decided failures count first");
        assert!(matches!(decide(fifth, 0, at(15), &rules), Decision::Proceed(_)));
        assert_eq!(decide(fifth, 1, at(15), &rules), Decision::Undecided, "one at a time");
    }

    #[test]
    fn attempt_is_abandoned_after_a_minute_on_either_side_of_now() {
        for (seconds, is) in [(0, false), (59, false), (60, true), (-59, false), (-60, true)] {
            assert_eq!(is_abandoned(at(100), at(100 + seconds)), is, "{seconds}");
        }
    }

    #[test]
    fn failure_that_is_decided_late_shortens_no_wait() {
        let rules = ThrottleRules::default();
        let fifth = run(5);
        let late = failed(Some(fifth), at(-20), &rules);
        assert_eq!((late.count, late.not_before, late.last_at), (6, at(15), at(0)));
    }

    #[test]
    fn failures_of_yesterday_are_forgotten() {
        let rules = ThrottleRules::default();
        let state = run(5);
        let decision = decide(Some(state), 0, at(86_400), &rules);
        assert!(matches!(decision, Decision::Proceed(a) if a.count == 1));
    }

    #[test]
    fn the_key_is_the_canonical_address_in_disguise() {
        let key = |text: &str| AttemptKey::sign_in(&Email::parse(text).unwrap());
        assert_eq!(key("Bob@X.org"), key("bob@x.ORG"));
        assert_ne!(key("bob@x.org"), key("bob+1@x.org"));
        assert!(!key("bob@x.org").as_str().contains("bob"));
    }
}
