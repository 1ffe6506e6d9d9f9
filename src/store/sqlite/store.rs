//! The store that the rules ask for, each fact in one act.

use std::time::Duration;

use jiff::Timestamp;

use super::engine_error::Engine as _;
use super::{Sqlite, attempts, connect, pages, policy, sessions, users};
use crate::auth::policy::{Key, Policy, PolicyError, ThrottleRules};
use crate::auth::secret::{StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::store::{
    Account, AdminGuard, Census, Deleted, Ended, NewPassword, NewSession, NewUser, PasswordChange, Store, StoreError,
    Updated, UserChange, UserPage, UserQuery, Which,
};
use crate::auth::throttle::{AttemptKey, Attempts, Decision};
use crate::auth::user::{User, UserRef};

/// How often attempts of other processes are looked at again that may be about to succeed, and for
/// how long.
const UNDECIDED_POLL: Duration = Duration::from_millis(25);
const UNDECIDED_WAIT: Duration = Duration::from_secs(3);

impl Store for Sqlite {
    fn policy(&mut self) -> Result<Policy, StoreError> {
        policy::read(&self.connection)
    }

    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<Policy, PolicyError>, StoreError> {
        self.act(|tx, dialect| policy::write(tx, dialect, key, value, now))
    }

    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError> {
        users::find(&self.connection, self.dialect, who)
    }

    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError> {
        users::password_hash(&self.connection, user_id)
    }

    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError> {
        sessions::find(&self.connection, self.dialect, token)
    }

    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError> {
        sessions::of_user(&self.connection, self.dialect, user_id)
    }

    fn each_session(&mut self, found: &mut dyn FnMut(String, Session)) -> Result<(), StoreError> {
        sessions::each(&self.connection, self.dialect, found)
    }

    fn end_sessions_by_id(&mut self, ids: &[String]) -> Result<Vec<Session>, StoreError> {
        self.act(|tx, dialect| sessions::delete_by_ids(tx, dialect, ids))
    }

    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            let (decision, undecided) = self.act(|tx, dialect| attempts::count(tx, dialect, key, now, rules))?;
            // Others are at it: as with a lock of theirs, wait until they are done.
            if matches!(decision, Decision::Proceed(_)) || !undecided || waited >= self.wait.min(UNDECIDED_WAIT) {
                return Ok(decision);
            }
            std::thread::sleep(UNDECIDED_POLL);
            waited += UNDECIDED_POLL;
        }
    }

    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.act(|tx, _| attempts::clear(tx, key))
    }

    fn create_user(
        &mut self,
        user: &NewUser,
        hash: Option<&StoredHash>,
        session: Option<&NewSession>,
    ) -> Result<(User, Option<Session>), StoreError> {
        self.act(|tx, dialect| {
            let made = users::insert(tx, dialect, user, hash)?;
            let session = session.map(|session| sessions::insert(tx, dialect, session)).transpose()?;
            Ok((made, session))
        })
    }

    fn begin_session(
        &mut self,
        session: &NewSession,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError> {
        self.act(|tx, dialect| {
            let in_force = users::password_hash(tx, &session.user_id)?;
            if in_force.is_none_or(|hash| hash.expose() != verified.expose()) {
                return Ok(None);
            }
            if let Some(upgraded) = upgraded {
                users::set_password_hash(tx, dialect, &session.user_id, upgraded, session.now)?;
            }
            attempts::clear(tx, attempts)?;
            sessions::insert(tx, dialect, session).map(Some)
        })
    }

    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError> {
        self.act(|tx, dialect| sessions::set_end(tx, dialect, id, now, expires_at))
    }

    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError> {
        self.act(|tx, dialect| sessions::delete_by_token(tx, dialect, token))
    }

    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Ended, StoreError> {
        self.act(|tx, dialect| sessions::delete(tx, dialect, user_id, which))
    }

    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.act(|tx, dialect| {
            let in_force = users::password_hash(tx, change.user_id)?;
            if in_force.is_none_or(|hash| hash.expose() != change.verified.expose()) {
                return Ok(None);
            }
            // Sessions first: should one of them not be there, nothing has been written yet.
            let ended = match &change.end {
                None => Vec::new(),
                Some(which) => match sessions::delete(tx, dialect, change.user_id, which)? {
                    Ended::Sessions(ended) => ended,
                    Ended::Missing(_) => return Ok(None),
                },
            };
            users::set_password_hash(tx, dialect, change.user_id, change.hash, change.now)?;
            attempts::clear(tx, change.attempts)?;
            Ok(Some(ended))
        })
    }

    fn set_password(&mut self, new: &NewPassword<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.act(|tx, dialect| {
            if !users::upsert_password_hash(tx, dialect, new)? {
                return Ok(None);
            }
            attempts::clear(tx, new.attempts)?;
            sessions::end(tx, dialect, new.user_id, new.end.as_ref()).map(Some)
        })
    }

    fn update_user(
        &mut self,
        id: &str,
        change: &UserChange,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        self.act(|tx, dialect| match users::update(tx, dialect, id, change, guard, now) {
            Ok(Some(user)) => {
                let ended = sessions::end(tx, dialect, id, change.end.as_ref())?;
                Ok(Updated::User { user, ended })
            }
            Ok(None) => Ok(Updated::Missing),
            Err(users::Refused::LastAdmin) => Ok(Updated::LastAdmin),
            Err(users::Refused::Store(error)) => Err(error),
        })
    }

    fn delete_user(&mut self, id: &str, guard: AdminGuard, now: Timestamp) -> Result<Deleted, StoreError> {
        self.act(|tx, dialect| users::delete(tx, dialect, id, guard, now))
    }

    fn users(&mut self, query: &UserQuery) -> Result<UserPage, StoreError> {
        pages::users(&self.connection, self.dialect, query)
    }

    fn accounts(&mut self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        users::accounts(&self.connection, user_id)
    }

    fn attempts(&mut self, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
        attempts::read(&self.connection, self.dialect, key)
    }

    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        sessions::count_over(&self.connection, self.dialect, now)
    }

    fn prune(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let pruned = self.act(|tx, dialect| sessions::delete_over(tx, dialect, now, limit))?;
        // Between two batches the log is folded into the file as far as no reader needs it, so that
        // a long prune does not grow it without end. A passive checkpoint makes nobody wait.
        self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).engine()?;
        Ok(pruned)
    }

    fn census(&mut self, now: Timestamp) -> Result<Census, StoreError> {
        let expired_sessions = sessions::count_over(&self.connection, self.dialect, now)?;
        let number =
            |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).engine();
        let journal_mode = self.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).engine()?;
        let metadata = std::fs::metadata(&self.path).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(Census {
            schema_version: connect::schema_version(&self.connection).engine()?,
            users: number(r#"SELECT count(*) FROM "user""#)?,
            live_sessions: number(r#"SELECT count(*) FROM "session""#)?.saturating_sub(expired_sessions),
            expired_sessions,
            sqlite_version: rusqlite::version().to_owned(),
            journal_mode,
            bytes: metadata.len(),
        })
    }
}
