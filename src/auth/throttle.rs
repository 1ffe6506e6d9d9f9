//! Slowing down guesses: the decision about one attempt, taken before any hash is computed.
//!
//! The store runs [`decide`] inside the transaction that counts the attempt, so that many processes
//! at once cannot each believe to be the first. A success takes the count away again.

use jiff::{SignedDuration, Timestamp};

use super::email::Email;
use super::policy::ThrottleRules;
use super::token::digest;

/// Under what failures are counted: a digest of the canonical address, because addresses that
/// belong to nobody here (or a password typed in the wrong field) have no place in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptKey(String);

impl AttemptKey {
    /// The key of sign-in attempts for an address.
    pub fn sign_in(email: &Email) -> Self {
        Self(digest(format!("sign-in:{email}")))
    }

    /// The key of codes that are sent to an address: nobody's mailbox is filled by a stranger.
    pub fn mail(email: &Email) -> Self {
        Self(digest(format!("mail:{email}")))
    }

    /// The key of codes that a user has sent to addresses that are not theirs yet.
    pub fn mail_of(user_id: &str) -> Self {
        Self(digest(format!("mail-of:{user_id}")))
    }

    /// The key of codes: they are not asked for by address, so all wrong ones count together.
    pub fn codes() -> Self {
        Self("codes".into())
    }

    /// A key under which nothing is ever counted.
    pub fn of_nobody() -> Self {
        Self("nobody".into())
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is remembered about the attempts for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Attempts since the last success, the running one included.
    pub count: u32,
    /// No attempt is let through before this instant.
    pub not_before: Timestamp,
    /// When the last attempt was let through.
    pub last_at: Timestamp,
}

/// The answer to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on; remember this.
    Proceed(Attempts),
    /// Not now; try again after this time. Nothing is counted, so that asking does not lengthen
    /// the wait.
    Wait(SignedDuration),
}

/// How long after it was let through an attempt may still be about to succeed: a hash takes tens of
/// milliseconds, and seconds on a machine where many run at once.
const UNDECIDED_FOR: SignedDuration = SignedDuration::from_secs(3);

impl Attempts {
    /// Whether attempts may still be running whose success would end the wait. Ten jobs that sign
    /// in at once with the right password are no guesses.
    pub fn are_undecided(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_at).abs() < UNDECIDED_FOR
    }
}

/// Decides about one attempt and counts it.
pub fn decide(before: Option<Attempts>, now: Timestamp, rules: &ThrottleRules) -> Decision {
    let remembered = before.filter(|attempts| now.duration_since(attempts.last_at) < rules.forget_after);
    if let Some(attempts) = remembered {
        // A clock that was set back must not turn a short wait into years.
        let wait = attempts.not_before.duration_since(now).min(rules.longest_wait);
        if wait.is_positive() {
            return Decision::Wait(wait);
        }
    }
    let count = remembered.map_or(0, |attempts| attempts.count).saturating_add(1);
    let not_before = now.saturating_add(wait_after(count, rules)).unwrap_or(Timestamp::MAX);
    Decision::Proceed(Attempts { count, not_before, last_at: now })
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
            match decide(state, at(now), &rules) {
                Decision::Proceed(attempts) => {
                    state = Some(attempts);
                    now = now.max(attempts.not_before.as_second() - at(0).as_second());
                }
                Decision::Wait(wait) => unreachable!("waited until allowed, still {wait}"),
            }
        }
        state.unwrap()
    }

    #[test]
    fn five_attempts_are_free_and_the_sixth_waits() {
        let fifth = run(5);
        let rules = ThrottleRules::default();
        assert_eq!(decide(Some(fifth), at(0), &rules), Decision::Wait(SignedDuration::from_secs(15)));
        assert_eq!(decide(Some(fifth), at(14), &rules), Decision::Wait(SignedDuration::from_secs(1)));
        assert!(matches!(decide(Some(fifth), at(15), &rules), Decision::Proceed(a) if a.count == 6));
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
        let Decision::Proceed(next) = decide(Some(worst), at(1), &rules) else { unreachable!() };
        assert_eq!(next.count, u32::MAX);
        assert_eq!(next.not_before, at(901));
    }

    #[test]
    fn a_clock_set_back_shortens_the_wait_to_the_longest_one() {
        let rules = ThrottleRules::default();
        let state = Attempts { count: 9, not_before: at(10_000_000), last_at: at(9_999_000) };
        assert_eq!(decide(Some(state), at(0), &rules), Decision::Wait(rules.longest_wait));
    }

    #[test]
    fn failures_of_yesterday_are_forgotten() {
        let rules = ThrottleRules::default();
        let state = run(5);
        let decision = decide(Some(state), at(86_400), &rules);
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
