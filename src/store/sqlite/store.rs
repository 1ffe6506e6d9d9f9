//! The store that the rules ask for, each fact in one act.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Sqlite;
use crate::auth::audit::{Acting, Changes, Event, Subject};
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::password::Scheme;
use crate::auth::policy::ThrottleRules;
use crate::auth::secret::{Code, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::storage::{
    Account, AdminGuard, CodeEffect, CodeUse, Deleted, Ended, NewCodeRow, NewPassword, NewSessionRow, NewUserRow,
    PasswordChange, Store, StoreError, Updated, UserChange, UserPage, UserQuery, Which,
};
use crate::auth::throttle::{AttemptKey, Attempts, Decision};
use crate::auth::user::{User, UserRef};
use crate::auth::{ActAs, AuthError, Caller};
use crate::store::sql::events::{LIFE, begun_of, ended_of, subject};
use crate::store::sql::passwords::{self, Verified};
use crate::store::sql::tx::Tx;
use crate::store::sql::{changes, codes, pages, sessions, throttle, users};

/// How often a process whose turn has not come looks again.
const UNDECIDED_POLL: Duration = Duration::from_millis(50);

impl Store for Sqlite {
    fn act_as(&mut self, acting: Acting) {
        if let Some(aside) = &mut self.aside {
            aside.act_as(acting.clone());
        }
        self.acting = acting;
    }

    fn require_caller(&mut self, caller: Option<Caller>) {
        self.caller = caller.map(Box::new);
    }

    fn record(&mut self, event: Event) -> Result<(), StoreError> {
        self.act_aside(|_, _, log| {
            log.push(event);
            Ok(())
        })
    }

    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError> {
        users::find(&mut self.reader(), &self.mapping, who)
    }

    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError> {
        users::password_hash(&mut self.reader(), &self.mapping, user_id)
    }

    fn scheme(&mut self) -> Result<Scheme, StoreError> {
        if self.mapping.is_guest() { users::scheme(&mut self.reader(), &self.mapping) } else { Ok(Scheme::Native) }
    }

    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError> {
        sessions::find(&mut self.reader(), &self.mapping, token)
    }

    fn session_by_id(&mut self, id: &str) -> Result<Option<Session>, StoreError> {
        sessions::by_id(&mut self.reader(), &self.mapping, id)
    }

    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError> {
        sessions::of_user(&mut self.reader(), &self.mapping, user_id)
    }

    fn each_session(&mut self, found: &mut dyn FnMut(String, Session)) -> Result<(), StoreError> {
        sessions::each(&mut self.reader(), &self.mapping, found)
    }

    fn end_sessions_by_id(&mut self, ids: &[String]) -> Result<Vec<Session>, StoreError> {
        self.act(|tx, mapping, log| {
            let ended = sessions::delete_by_ids(tx, mapping, ids)?;
            for session in &ended {
                log.push(ended_of(&subject(tx, mapping, &session.user_id)?, session));
            }
            Ok(ended)
        })
    }

    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError> {
        self.act_aside(|tx, _, _| throttle::count(tx, key, now, rules))
    }

    /// While others are undecided, waits for a turn as long as for a lock.
    #[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
    fn reserve_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError> {
        let start = Instant::now();
        let mut waited = Duration::ZERO;
        loop {
            // An attempt is reserved when its turn has come, and not when it began to wait.
            let present = throttle::later(now, waited);
            let decision = self.act_aside(|tx, _, _| throttle::reserve(tx, key, present, rules))?;
            if decision != Decision::Undecided {
                return Ok(decision);
            }
            // Looked at without the lock that the others need to be decided.
            loop {
                if waited >= self.wait {
                    return Ok(Decision::Undecided);
                }
                std::thread::sleep(UNDECIDED_POLL);
                waited = start.elapsed();
                if throttle::is_turn(&mut self.own_reader(), key, throttle::later(now, waited), rules)? {
                    break;
                }
            }
        }
    }

    fn fail_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
        event: Option<Event>,
    ) -> Result<(), StoreError> {
        self.act_aside(|tx, _, log| {
            log.extend(event);
            throttle::fail(tx, key, now, rules)
        })
    }

    fn release_attempt(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.act_aside(|tx, _, _| throttle::release(tx, key))
    }

    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.act_aside(|tx, _, _| throttle::clear(tx, key).map(drop))
    }

    fn create_user(
        &mut self,
        user: &NewUserRow,
        hash: Option<&StoredHash>,
        session: Option<&NewSessionRow>,
    ) -> Result<(User, Option<Session>), StoreError> {
        self.act(|tx, mapping, log| {
            let made = users::insert(tx, mapping, user, hash)?;
            // The database may have chosen another id.
            let of_made = |session: &NewSessionRow| NewSessionRow { user_id: made.id.clone(), ..session.clone() };
            let session = session.map(|session| sessions::insert(tx, mapping, &of_made(session))).transpose()?;
            let event = Event::user("user.created", &made).with(format!("roles: {}", made.roles()));
            log.push(event.changing(Changes::between(None, Some(&made)).only(LIFE)));
            log.extend(session.as_ref().map(|session| begun_of(&Subject::from(&made), session)));
            Ok((made, session))
        })
    }

    fn begin_session(
        &mut self,
        session: &NewSessionRow,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError> {
        self.act_clearing(attempts, |tx, mapping, log| {
            passwords::begin_session(tx, mapping, log, session, &Verified { hash: verified, upgraded })
        })
    }

    fn issue_session(
        &mut self,
        session: &NewSessionRow,
        whom: ActAs,
    ) -> Result<Result<(User, Session), AuthError>, StoreError> {
        self.act(|tx, mapping, log| sessions::issue(tx, mapping, log, session, whom))
    }

    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError> {
        self.act(|tx, mapping, log| {
            let Some(before) = sessions::by_id(tx, mapping, id)? else { return Ok(None) };
            let moved = sessions::set_end(tx, mapping, id, now, expires_at)?;
            if let Some(session) = &moved {
                let event = Event::session("session.moved", subject(tx, mapping, &session.user_id)?, &session.id);
                let ends = [before.expires_at, session.expires_at].map(Some);
                log.push(event.changing(Changes::default().time("expiresAt", ends[0], ends[1])));
            }
            Ok(moved)
        })
    }

    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError> {
        self.act(|tx, mapping, log| {
            let ended = sessions::delete_by_token(tx, mapping, token)?;
            if let Some(session) = &ended {
                log.push(ended_of(&subject(tx, mapping, &session.user_id)?, session));
            }
            Ok(ended)
        })
    }

    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Ended, StoreError> {
        self.act(|tx, mapping, log| {
            let ended = sessions::delete(tx, mapping, user_id, which)?;
            if let Ended::Sessions(sessions) = &ended {
                let user = subject(tx, mapping, user_id)?;
                log.extend(sessions.iter().map(|session| ended_of(&user, session)));
            }
            Ok(ended)
        })
    }

    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.act_clearing(change.attempts, |tx, mapping, log| passwords::replace(tx, mapping, log, change))
    }

    fn set_password(&mut self, new: &NewPassword<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.act_clearing(new.attempts, |tx, mapping, log| passwords::set(tx, mapping, log, new))
    }

    fn create_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError> {
        self.act(|tx, mapping, log| codes::create(tx, mapping, log, new))
    }

    fn rehearse_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError> {
        self.rehearse(|tx, mapping, log| codes::create(tx, mapping, log, new))
    }

    fn code(&mut self, purpose: Purpose, code: &Code) -> Result<Option<StoredCode>, StoreError> {
        codes::find(&mut self.reader(), &self.mapping, purpose, code)
    }

    fn use_code(&mut self, request: &CodeUse<'_>) -> Result<Result<(User, Vec<Session>), AuthError>, StoreError> {
        let key = match request.effect {
            CodeEffect::Password(new) => Some(new.attempts),
            CodeEffect::User(_) => None,
        };
        self.act_and_clear(
            |tx, mapping, log| codes::use_up(tx, mapping, log, request),
            |used| used.as_ref().ok().and(key),
        )
    }

    fn update_user(
        &mut self,
        id: &str,
        change: &UserChange,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        self.act(|tx, mapping, log| changes::update(tx, mapping, log, id, change, guard, now))
    }

    fn delete_user(&mut self, id: &str, guard: AdminGuard, now: Timestamp) -> Result<Deleted, StoreError> {
        self.act(|tx, mapping, log| changes::delete(tx, mapping, log, id, guard, now))
    }

    fn unlock(
        &mut self,
        id: &str,
        keys: &dyn Fn(&User) -> Vec<AttemptKey>,
    ) -> Result<Option<(User, bool)>, StoreError> {
        let clear = |tx: &mut dyn Tx, log: &mut Vec<Event>, user: User| {
            let mut changed = false;
            for key in keys(&user) {
                changed |= throttle::clear(tx, &key)?;
            }
            if changed {
                log.push(Event::user("user.unlocked", &user));
            }
            Ok(Some((user, changed)))
        };
        let who = UserRef::Id(id.to_owned());
        if self.aside.is_none() {
            return self.act(|tx, mapping, log| match users::find(tx, mapping, &who)? {
                Some(user) => clear(tx, log, user),
                None => Ok(None),
            });
        }
        // The attempts are beside the database of the app, which is not locked for them.
        match users::find(&mut self.reader(), &self.mapping, &who)? {
            Some(user) => self.act_aside(|tx, _, log| clear(tx, log, user)),
            None => Ok(None),
        }
    }

    fn users(&mut self, query: &UserQuery) -> Result<UserPage, StoreError> {
        pages::users(&mut self.reader(), &self.mapping, query)
    }

    fn accounts(&mut self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        users::accounts(&mut self.reader(), &self.mapping, user_id)
    }

    fn attempts(&mut self, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
        throttle::read(&mut self.own_reader(), key)
    }
}
