//! Sessions: when one is live, fresh or due to be extended, and how an operator selects and ends sessions.

mod count;
mod filter;

use jiff::{SignedDuration, Timestamp};

use super::id_prefix::session_among;
use super::odd::{OddValue, UNREADABLE, is_id};
use super::policy::{LONGEST_LIFE, SessionRules};
use super::storage::{SessionQuery, Which};
use super::{Auth, AuthError, InPerson, Person};
pub use count::ChosenCount;
pub use filter::{Network, Pattern, SessionFilter};

/// A stored session, without its token: a `Session` gives no access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The row id, which `sessions list` shows and `sessions revoke` takes.
    pub id: String,
    pub user_id: String,
    /// The session is over at this time, and if the time cannot be read.
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    /// When the session began or was last extended.
    pub updated_at: Timestamp,
    /// The address of the client, if the client is remote.
    pub ip_address: Option<String>,
    /// The program, user and host of the client. Text from outside; escape it.
    pub user_agent: Option<String>,
    /// The impersonator: the user id of an administrator, or a name of [`super::audit::Actor::os_name`].
    pub impersonated_by: Option<String>,
    /// The values that cannot be read. Their fields have values that grant nothing.
    pub odd: Vec<OddValue>,
}

/// How far a clock may be behind another before a session seems to begin in the future. Clocks kept by NTP differ
/// by far less.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How far in the future the times of a valid row may be. Later times are from a wrong clock. A day is more than
/// the clocks of machines differ, and more than the offset of a time zone, for apps that write local time as UTC.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// The latest time at which a row that is valid now can have been written.
pub fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX)
}

/// The latest end that any policy gives to a session that is extended now.
pub fn last_end(now: Timestamp) -> Timestamp {
    latest(now).saturating_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX)
}

impl Session {
    /// Whether acts find the row by its id.
    pub fn has_id(&self) -> bool {
        is_id(&self.id)
    }

    /// Whether the session is live. **Every** check of expiry in the program calls this. A session is over at
    /// `expiresAt`. A session that a wrong clock made years ahead is over too, because its end does not show how
    /// long it was meant to live.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_from_the_future(now)
    }

    /// Whether an operator sees and ends the session: it is live, or the app may take it for live, because its end
    /// cannot be read here.
    pub fn may_be_live(&self, now: Timestamp) -> bool {
        self.expires_at == UNREADABLE || self.is_live(now)
    }

    /// Whether a clock that was ahead made the session, or extended it beyond every policy. The end alone does not
    /// show it, because an app may give its sessions any life.
    pub fn is_from_the_future(&self, now: Timestamp) -> bool {
        let latest = latest(now);
        self.created_at > latest || (self.updated_at > latest && self.expires_at > last_end(now))
    }

    /// Whether the sign-in is recent enough for acts that cannot be undone. A session from the future (the clock
    /// was set back) is not fresh, and neither is an impersonated one.
    pub fn is_fresh(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let age = now.duration_since(self.created_at);
        !self.is_impersonated() && age < rules.fresh_for && age >= -CLOCK_SKEW
    }

    /// Whether an operator acts as the user. Use does not extend such a session.
    pub fn is_impersonated(&self) -> bool {
        self.impersonated_by.is_some()
    }

    /// The id of the impersonator, or of the user if the session is not impersonated.
    pub fn actor(&self) -> &str {
        self.impersonated_by.as_deref().unwrap_or(&self.user_id)
    }

    /// Whether use extends the session now.
    ///
    /// A short session (`--no-remember`) is never extended. It is known by the time from `updatedAt` to
    /// `expiresAt`, because both are written together.
    pub fn is_due_to_move(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let granted = self.expires_at.duration_since(self.updated_at);
        !self.is_impersonated() && granted > rules.short_for && now.duration_since(self.updated_at) >= rules.move_after
    }
}

/// The users whose sessions are meant.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The caller.
    Own(Person),
    /// The user with this id, for an operator.
    User(String),
    /// All users, for an operator.
    AllUsers,
}

impl Scope {
    /// The id of the user; `None` for all users.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Own(me) => Some(me.user_id()),
            Self::User(id) => Some(id),
            Self::AllUsers => None,
        }
    }
}

/// Live sessions to list or to end.
#[derive(Debug)]
pub struct Selection {
    pub scope: Scope,
    pub filter: SessionFilter,
    /// The place where the page before ended.
    pub after: Option<String>,
}

impl Selection {
    /// Whether every session is chosen that has no id. One alone cannot be ended, so that a selection that has
    /// conditions, or the caller's own session, leaves them.
    pub fn chooses_without_id(&self) -> bool {
        let SessionFilter { older_than, idle, network, user_agent, except: _ } = &self.filter;
        let is_own = matches!(self.scope, Scope::Own(_));
        !is_own && older_than.is_none() && idle.is_none() && network.is_none() && user_agent.is_none()
    }
}

/// A page of sessions, the newest first.
#[derive(Debug, Default)]
pub struct SessionPage {
    /// Each with the address of its user.
    pub sessions: Vec<(String, Session)>,
    pub has_more: bool,
}

impl Auth<'_> {
    /// Lists a user's live sessions, newest first.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn live_sessions(&mut self, user_id: &str) -> Result<Vec<Session>, AuthError> {
        let sessions = self.store.sessions(user_id)?;
        Ok(self.only_live(sessions))
    }

    /// Ends sessions of the caller and returns those that were live. The first characters of an id stand for it.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] if one of the ids is not a live session of the user, and
    /// [`AuthError::AmbiguousId`]; then no session ends.
    /// As for [`super::Caller::check`].
    pub fn end_sessions(&mut self, me: InPerson<'_>, which: &Which) -> Result<Vec<Session>, AuthError> {
        let which = match which {
            Which::Ids(_) => &Which::Ids(self.choose_sessions(me, which)?.into_iter().map(|one| one.id).collect()),
            which => which,
        };
        let ended = self.act_for(&me, |auth| auth.store.end_sessions(&me.user.id, which)?)?;
        Ok(self.only_live(ended))
    }

    /// Lists the live sessions that [`Auth::end_sessions`] would end.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] and [`AuthError::AmbiguousId`] as for [`Auth::end_sessions`].
    pub fn choose_sessions(&mut self, me: InPerson<'_>, which: &Which) -> Result<Vec<Session>, AuthError> {
        let live = self.live_sessions(&me.user.id)?;
        let which = match which {
            Which::Ids(ids) => &Which::Ids(ids.iter().map(|id| session_among(id, &live)).collect::<Result<_, _>>()?),
            which => which,
        };
        Ok(live.into_iter().filter(|session| which.means(&session.id)).collect())
    }

    /// Reads a page of the live sessions that a selection has, at most `limit`, and continues the selection after it.
    /// A page is larger only if no later session has a place.
    ///
    /// # Errors
    /// [`AuthError::Store`]; [`StoreError::NoSuchPlace`] if [`Selection::after`] is no place.
    ///
    /// [`StoreError::NoSuchPlace`]: super::storage::StoreError::NoSuchPlace
    pub fn sessions_page(&mut self, selection: &mut Selection, limit: usize) -> Result<SessionPage, AuthError> {
        let Selection { scope, filter, after } = selection;
        let query = SessionQuery { user_id: scope.user_id(), filter, after: after.as_deref(), now: self.now };
        let (mut page, mut place) = (SessionPage::default(), None);
        self.store.each_session(&query, &mut |found| {
            if !found.session.may_be_live(query.now) || !filter.matches(&found.session, query.now) {
                return true;
            }
            page.has_more = page.sessions.len() >= limit && place.is_some();
            if !page.has_more {
                place = found.place;
                page.sessions.push((found.email, found.session));
            }
            !page.has_more
        })?;
        *after = place.or(after.take());
        Ok(page)
    }

    /// Finds the live sessions with these ids, or with ids that begin with them, that are in a scope and meet every
    /// condition.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] if one of the ids has no such session; [`AuthError::AmbiguousId`].
    pub fn sessions_with_ids(
        &mut self,
        ids: &[String],
        scope: &Scope,
        filter: &SessionFilter,
    ) -> Result<Vec<Session>, AuthError> {
        let mut chosen: Vec<Session> = Vec::new();
        for id in ids {
            let now = self.now;
            let is_meant = |session: &Session| {
                scope.user_id().is_none_or(|user_id| user_id == session.user_id)
                    && session.may_be_live(now)
                    && filter.matches(session, now)
            };
            let session = self.session_with_id(id, is_meant)?;
            let session = session.ok_or_else(|| AuthError::NoSuchSession(id.clone()))?;
            if !chosen.iter().any(|known| known.id == session.id) {
                chosen.push(session);
            }
        }
        Ok(chosen)
    }

    /// Ends sessions that were chosen in this scope, in one transaction. Returns those that still existed. A session
    /// without an id ends with all others without one of the same user: see [`Selection::chooses_without_id`].
    ///
    /// # Errors
    /// For sessions of the caller, as for [`super::Caller::check`].
    pub fn end_chosen(&mut self, scope: &Scope, chosen: &[Session]) -> Result<Vec<Session>, AuthError> {
        let (named, nameless): (Vec<&Session>, Vec<&Session>) = chosen.iter().partition(|session| session.has_id());
        let ids: Vec<String> = named.into_iter().map(|session| session.id.clone()).collect();
        let mut users: Vec<String> = nameless.into_iter().map(|session| session.user_id.clone()).collect();
        users.sort();
        users.dedup();
        let ended = match scope {
            Scope::Own(me) => {
                self.act_for(&me.in_person(), |auth| Ok(auth.store.end_sessions_by_id(&ids, &users)?))?
            }
            Scope::User(_) | Scope::AllUsers => self.store.end_sessions_by_id(&ids, &users)?,
        };
        Ok(self.only_live(ended))
    }

    pub(super) fn only_live(&self, sessions: Vec<Session>) -> Vec<Session> {
        sessions.into_iter().filter(|session| session.may_be_live(self.now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, session};

    const DAY: i64 = 86_400;

    #[test]
    fn session_is_over_at_its_end() {
        let session = session(0, 7 * DAY);
        assert!(session.is_live(at(7 * DAY - 1)));
        assert!(!session.is_live(at(7 * DAY)));
        assert!(!session.is_live(at(7 * DAY + 1)));
    }

    #[test]
    fn session_made_by_a_clock_that_was_ahead_is_over() {
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
    fn session_extended_beyond_every_policy_is_over() {
        let moved = |updated: i64, expires| Session { updated_at: at(updated), ..session(0, expires) };
        assert!(!moved(399 * DAY, 799 * DAY).is_live(at(DAY)));
        assert!(moved(DAY, 401 * DAY).is_live(at(DAY)));
        // A life that a policy can allow is valid, because the user may have signed in before the clock jumped.
        assert!(moved(5 * DAY, 12 * DAY).is_live(at(DAY)));
        // An app may give its sessions any life.
        assert!(moved(0, 3_650 * DAY).is_live(at(DAY)));
    }

    #[test]
    fn session_is_fresh_for_a_day_and_not_in_the_future() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(session.is_fresh(at(0), &rules));
        assert!(session.is_fresh(at(DAY - 1), &rules));
        assert!(!session.is_fresh(at(DAY), &rules));
        assert!(session.is_fresh(at(-200), &rules));
        assert!(!session.is_fresh(at(-DAY), &rules));
    }

    #[test]
    fn session_is_extended_a_day_after_the_last_extension() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(!session.is_due_to_move(at(DAY - 1), &rules));
        assert!(session.is_due_to_move(at(DAY), &rules));
    }

    #[test]
    fn short_session_is_never_extended() {
        let rules = SessionRules::default();
        let session = session(0, DAY);
        for now in [0, DAY / 2, DAY - 1, DAY, 3 * DAY] {
            assert!(!session.is_due_to_move(at(now), &rules), "{now}");
        }
    }

    #[test]
    fn impersonated_session_is_never_fresh_or_extended() {
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
