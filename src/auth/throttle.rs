//! Limits guesses: decides about an attempt before a hash is computed.
//!
//! An attempt is reserved in a committed transaction before the hash runs. A wrong password turns the reservation
//! into a failure, a right one clears the count. Reservations are limited like failures, so that many processes at
//! once get no more guesses than one. But if only reservations block an attempt, it waits for its turn and is not
//! refused.

use jiff::{SignedDuration, Timestamp};

use super::AuthError;
use super::email::Email;
use super::policy::ThrottleRules;
use super::secret::digest;
use super::user::User;

/// The key of a count of attempts. It holds a digest of the address, so that the database never stores an unknown
/// address, which may be a mistyped password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptKey {
    key: String,
    reservation: Option<String>,
}

impl AttemptKey {
    fn new(key: String) -> Self {
        Self { key, reservation: None }
    }

    /// Counts sign-ins with an address.
    pub fn sign_in(email: &Email) -> Self {
        Self::new(digest(format!("sign-in:{email}")))
    }

    /// Counts codes mailed to an address, so that a stranger cannot fill a mailbox.
    pub fn mail(email: &Email) -> Self {
        Self::new(digest(format!("mail:{email}")))
    }

    /// Counts codes that a user has mailed to new addresses.
    pub fn mail_of(user_id: &str) -> Self {
        Self::new(digest(format!("mail-of:{user_id}")))
    }

    /// Counts all unknown codes together: see [`ThrottleRules::of_unknown_codes`].
    pub fn unknown_codes() -> Self {
        Self::new("codes".into())
    }

    /// Counts invalid uses of a user's codes.
    pub fn codes_of(user_id: &str) -> Self {
        Self::new(digest(format!("codes-of:{user_id}")))
    }

    /// Has the last code of an app's second factor that a user used. It counts no attempts.
    pub fn step_of(user_id: &str) -> Self {
        Self::new(digest(format!("second-factor-step:{user_id}")))
    }

    /// Counts sign-ins of a user. A user with an invalid address cannot sign in, so the key counts nothing.
    pub fn of_user(user: &User) -> Self {
        Email::parse(&user.email).map_or_else(|_| Self::new("unused".into()), |email| Self::sign_in(&email))
    }

    /// Every key that counts attempts of a user.
    pub fn all_of(user: &User) -> Vec<Self> {
        let mailed = Email::parse(&user.email).ok().map(|email| Self::mail(&email));
        let own = [Self::of_user(user), Self::codes_of(&user.id), Self::mail_of(&user.id)];
        own.into_iter().chain(mailed).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// The key of one reserved attempt. The id must be unique.
    #[must_use]
    pub fn reserved(self, id: String) -> Self {
        Self { reservation: Some(id), ..self }
    }

    /// The stored key of the reservation, if the attempt has one.
    pub fn reservation(&self) -> Option<String> {
        self.reservation.as_ref().map(|id| format!("{}/{id}", self.key))
    }

    /// The range of the stored keys of all reservations: from the first text, before the second.
    pub fn reservations(&self) -> [String; 2] {
        // `0` follows `/`.
        [format!("{}/", self.key), format!("{}0", self.key)]
    }
}

/// The failures of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Failures since the last success.
    pub count: u32,
    /// No attempt is allowed before this time.
    pub not_before: Timestamp,
    /// When the last failed attempt was allowed.
    pub last_at: Timestamp,
}

/// The decision about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allowed. Holds what is stored if the attempt fails.
    Proceed(Attempts),
    /// Refused for this time. A refused attempt is not counted, so it does not lengthen the wait.
    Wait(SignedDuration),
    /// Refused while other attempts are running that may succeed.
    Undecided,
}

impl Decision {
    /// # Errors
    /// [`AuthError::Throttled`] and [`AuthError::AttemptsUndecided`] unless the attempt is allowed.
    pub(super) fn require(self) -> Result<(), AuthError> {
        match self {
            Self::Proceed(_) => Ok(()),
            Self::Wait(retry_after) => Err(AuthError::Throttled { retry_after }),
            Self::Undecided => Err(AuthError::AttemptsUndecided),
        }
    }
}

/// The longest life of a reservation; then its process has died, and the attempt counts as a failure. A hash takes
/// tens of milliseconds, and many seconds on a machine that runs many at once.
const UNDECIDED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Whether a reservation counts as a failure because its process died. A reservation from the future (the clock
/// was set back) counts too.
pub fn is_abandoned(reserved_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(reserved_at).abs() >= UNDECIDED_FOR
}

/// The failures that still count. If a wrong clock wrote them, the wait is cut to the longest wait.
pub fn remembered(stored: Option<Attempts>, now: Timestamp, rules: &ThrottleRules) -> Option<Attempts> {
    let stored = stored?;
    let last_at = stored.last_at.min(now);
    // From the failure on, by the clock of the failure.
    let wait = stored.not_before.duration_since(stored.last_at.max(now)).min(rules.longest_wait);
    let not_before = if stored.last_at > now || wait == rules.longest_wait {
        now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    } else {
        stored.not_before
    };
    let healed = Attempts { count: stored.count, not_before, last_at };
    (now.duration_since(healed.last_at) < rules.forget_after).then_some(healed)
}

/// Adds a failed attempt, which was allowed at the time `at`.
pub fn failed(remembered: Option<Attempts>, at: Timestamp, rules: &ThrottleRules) -> Attempts {
    let count = remembered.map_or(0, |attempts| attempts.count).saturating_add(1);
    let not_before = at.saturating_add(wait_after(count, rules)).unwrap_or(Timestamp::MAX);
    match remembered {
        None => Attempts { count, not_before, last_at: at },
        // An attempt that was allowed earlier may fail later.
        Some(before) => {
            Attempts { count, not_before: not_before.max(before.not_before), last_at: at.max(before.last_at) }
        }
    }
}

/// Decides about an attempt, beside `undecided` reservations.
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
    fn sixth_attempt_waits() {
        let fifth = run(5);
        let rules = ThrottleRules::default();
        assert_eq!(decide(Some(fifth), 0, at(0), &rules), Decision::Wait(SignedDuration::from_secs(15)));
        assert_eq!(decide(Some(fifth), 0, at(14), &rules), Decision::Wait(SignedDuration::from_secs(1)));
        assert!(matches!(decide(Some(fifth), 0, at(15), &rules), Decision::Proceed(a) if a.count == 6));
    }

    #[test]
    fn wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (5..=13)
            .map(|times| {
                let state = run(times);
                state.not_before.duration_since(state.last_at).as_secs()
            })
            .collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn maximum_count_waits_the_longest_wait() {
        let rules = ThrottleRules::default();
        let worst = Attempts { count: u32::MAX, not_before: at(0), last_at: at(0) };
        let Decision::Proceed(next) = decide(Some(worst), 0, at(1), &rules) else { unreachable!() };
        assert_eq!(next.count, u32::MAX);
        assert_eq!(next.not_before, at(901));
    }

    #[test]
    fn clock_set_back_shortens_the_wait_to_the_longest() {
        let rules = ThrottleRules::default();
        let state = Attempts { count: 9, not_before: at(10_000_000), last_at: at(9_999_000) };
        assert_eq!(decide(Some(state), 0, at(0), &rules), Decision::Wait(rules.longest_wait));
    }

    #[test]
    fn wait_of_a_wrong_clock_is_cut_and_forgotten() {
        let rules = ThrottleRules::default();
        let (ahead, wait) = (at(10 * 365 * 86_400), SignedDuration::from_secs(240));
        let healed = remembered(Some(Attempts { count: 9, not_before: ahead, last_at: ahead - wait }), at(0), &rules);
        assert_eq!(healed, Some(Attempts { count: 9, not_before: at(240), last_at: at(0) }));
        assert_eq!(decide(healed, 0, at(0), &rules), Decision::Wait(wait));
        assert!(matches!(decide(healed, 0, at(240), &rules), Decision::Proceed(a) if a.count == 10));
        assert_eq!(remembered(healed, at(86_400), &rules), None);
    }

    #[test]
    fn undecided_attempts_count_like_failures() {
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
    fn attempt_is_abandoned_after_a_minute() {
        for (seconds, is) in [(0, false), (59, false), (60, true), (-59, false), (-60, true)] {
            assert_eq!(is_abandoned(at(100), at(100 + seconds)), is, "{seconds}");
        }
    }

    #[test]
    fn late_failure_does_not_shorten_the_wait() {
        let rules = ThrottleRules::default();
        let fifth = run(5);
        let late = failed(Some(fifth), at(-20), &rules);
        assert_eq!((late.count, late.not_before, late.last_at), (6, at(15), at(0)));
    }

    #[test]
    fn failures_are_forgotten_after_a_day() {
        let rules = ThrottleRules::default();
        let state = run(5);
        let decision = decide(Some(state), 0, at(86_400), &rules);
        assert!(matches!(decision, Decision::Proceed(a) if a.count == 1));
    }

    #[test]
    fn key_is_a_digest_of_the_canonical_address() {
        let key = |text: &str| AttemptKey::sign_in(&Email::parse(text).unwrap());
        assert_eq!(key("Bob@X.org"), key("bob@x.ORG"));
        assert_ne!(key("bob@x.org"), key("bob+1@x.org"));
        assert!(!key("bob@x.org").as_str().contains("bob"));
    }
}
