//! Sessions: what one is, and the one place that says whether it is live, fresh or due to move.

use jiff::{SignedDuration, Timestamp};

use super::policy::{LONGEST_LIFE, SessionRules};

/// A session as stored, without its token: whoever holds a `Session` cannot act as its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Row id: what `sessions list` shows and `sessions revoke` takes.
    pub id: String,
    /// Whose session it is.
    pub user_id: String,
    /// From this instant on the session is over.
    pub expires_at: Timestamp,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When the session was made or last moved forward.
    pub updated_at: Timestamp,
    /// Address the sign-in came from, if it came from elsewhere.
    pub ip_address: Option<String>,
    /// Which program, user and host signed in. Text from outside, to be escaped.
    pub user_agent: Option<String>,
    /// Who acts as this user in this session, when it is somebody else: an administrator's user id,
    /// or the operator as [`super::audit::Actor::name`] tells it.
    pub impersonated_by: Option<String>,
}

/// How far a clock may be behind another without a session looking unborn: clocks that are kept by NTP
/// differ by far less.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How far in the future a row may have been written and still count. What is written later than that has
/// its times from a wrong clock. A day is more than clocks of several machines differ, and more than the
/// offset of any time zone, for apps that write local time as UTC.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// The latest instant at which something that counts now can have been written.
pub fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX)
}

impl Session {
    /// Whether the session is live. **Every** question about expiry in the program ends here;
    /// `expiresAt` equal to now is over. A session that a wrong clock made years ahead is over too: its
    /// end says nothing about how long it was meant to live.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_from_the_future(now)
    }

    /// Whether a clock that was ahead made the session, or moved its end beyond what any policy allows. The
    /// end alone shows nothing: an app may give its sessions any life.
    pub fn is_from_the_future(&self, now: Timestamp) -> bool {
        let latest = latest(now);
        let last_end = latest.saturating_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX);
        self.created_at > latest || (self.updated_at > latest && self.expires_at > last_end)
    }

    /// Whether the sign-in is recent enough for acts that cannot be undone. A session from the
    /// future (the clock was set back) is not, nor is one in which nobody has signed in.
    pub fn is_fresh(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let age = now.duration_since(self.created_at);
        !self.is_impersonated() && age < rules.fresh_for && age >= -CLOCK_SKEW
    }

    /// Whether somebody else acts as the user. Such a session has its time and no more, and does
    /// nothing that cannot be undone.
    pub fn is_impersonated(&self) -> bool {
        self.impersonated_by.is_some()
    }

    /// The id of whoever acts in the session: its user, unless somebody acts as the user.
    pub fn actor(&self) -> &str {
        self.impersonated_by.as_deref().unwrap_or(&self.user_id)
    }

    /// Whether using the session now moves its end forward.
    ///
    /// A session given for one day (`--no-remember`) never moves. Its row does not say so; the
    /// time it was granted does, because that is written together with `updatedAt`.
    pub fn is_due_to_move(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let granted = self.expires_at.duration_since(self.updated_at);
        !self.is_impersonated() && granted > rules.short_for && now.duration_since(self.updated_at) >= rules.move_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, session};

    const DAY: i64 = 86_400;

    #[test]
    fn a_session_that_expires_at_this_very_instant_is_over() {
        let session = session(0, 7 * DAY);
        assert!(session.is_live(at(7 * DAY - 1)));
        assert!(!session.is_live(at(7 * DAY)));
        assert!(!session.is_live(at(7 * DAY + 1)));
    }

    #[test]
    fn session_made_by_a_clock_that_was_ahead_is_over_when_the_clock_is_right() {
        const YEAR: i64 = 365 * DAY;
        let ahead = session(10 * YEAR, 10 * YEAR + 7 * DAY);
        for (now, is_live) in [
            (0, false),
            (10 * YEAR - DAY - 1, false),
            (10 * YEAR - DAY, true),
            (10 * YEAR, true),
            (10 * YEAR + 7 * DAY - 1, true),
            (10 * YEAR + 7 * DAY, false),
        ] {
            assert_eq!(ahead.is_live(at(now)), is_live, "{now}");
        }
    }

    #[test]
    fn session_that_a_clock_moved_beyond_every_policy_is_over() {
        let moved = |updated: i64, expires| Session { updated_at: at(updated), ..session(0, expires) };
        assert!(!moved(399 * DAY, 799 * DAY).is_live(at(DAY)));
        assert!(moved(DAY, 401 * DAY).is_live(at(DAY)));
        // What a policy can allow stays: the user may have signed in before the clock jumped.
        assert!(moved(5 * DAY, 12 * DAY).is_live(at(DAY)));
        // An app gives its sessions any life.
        assert!(moved(0, 3_650 * DAY).is_live(at(DAY)));
    }

    #[test]
    fn a_session_is_fresh_for_a_day_and_not_when_it_comes_from_the_future() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(session.is_fresh(at(0), &rules));
        assert!(session.is_fresh(at(DAY - 1), &rules));
        assert!(!session.is_fresh(at(DAY), &rules));
        assert!(session.is_fresh(at(-200), &rules));
        assert!(!session.is_fresh(at(-DAY), &rules));
    }

    #[test]
    fn a_session_moves_a_day_after_it_last_moved() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(!session.is_due_to_move(at(DAY - 1), &rules));
        assert!(session.is_due_to_move(at(DAY), &rules));
    }

    #[test]
    fn a_short_session_never_moves() {
        let rules = SessionRules::default();
        let session = session(0, DAY);
        for now in [0, DAY / 2, DAY - 1, DAY, 3 * DAY] {
            assert!(!session.is_due_to_move(at(now), &rules), "{now}");
        }
    }

    #[test]
    fn a_session_of_somebody_else_is_never_fresh_and_never_moves_however_long_it_lives() {
        let rules = SessionRules { short_for: SignedDuration::from_mins(1), ..SessionRules::default() };
        let own = session(0, 7 * DAY);
        let other = Session { impersonated_by: Some("root".into()), ..own.clone() };
        assert!(own.is_fresh(at(0), &rules) && own.is_due_to_move(at(DAY), &rules));
        for now in [0, 1, DAY - 1, DAY, 6 * DAY] {
            assert!(!other.is_fresh(at(now), &rules), "{now}");
            assert!(!other.is_due_to_move(at(now), &rules), "{now}");
            assert!(other.is_live(at(now)));
        }
    }
}
