//! What the rules need of a memory: a trait, owned by the rules, made elsewhere.
//!
//! Look-ups return `Option`: that something is absent is an answer, not an error. Every method that
//! changes something is one act in one transaction, and returns what was stored as read back from
//! the database.

mod maintenance;
mod types;

use std::fmt;

use jiff::Timestamp;

use super::audit::{Acting, Event};
use super::codes::{Purpose, StoredCode};
use super::password::Scheme;
use super::policy::ThrottleRules;
use super::secret::{Code, StoredHash, Token};
use super::session::Session;
use super::throttle::{AttemptKey, Attempts, Decision};
use super::user::{User, UserRef};
use super::{ActAs, AuthError, Caller};

pub use maintenance::{
    Credential, Differs, DoctorStore, Maintenance, Orphans, PolicySet, SchemaDifference, StrayAccounts, WrittenAfter,
};
pub use types::{
    Account, AdminGuard, BackupSummary, Ban, ClientInfo, CodeEffect, CodeProof, CodeUse, DatabaseInfo, EndSessions,
    GuestColumn, GuestSchema, GuestTable, LooseEnds, NewCodeRow, NewPassword, NewSessionRow, NewUserRow, PAGE_MAX,
    PasswordChange, StoreError, UserChange, UserPage, UserQuery, UserSort, UserUpdated, Which, WriteBlocker,
};

/// A store that holds one database's users, accounts and sessions.
pub trait Store: Maintenance + DoctorStore + fmt::Debug {
    /// Says who acts from now on. Every act that changes something writes entries to the audit log
    /// under this name: in its own transaction, or, where the log is in another file, one that says what
    /// is intended before and those that say what was done after.
    fn act_as(&mut self, acting: Acting);

    /// Requires a signed-in caller for every act from now on; `None` requires none. Each act checks the
    /// caller with [`Caller::check`] in its own transaction, before anything else.
    ///
    /// # Errors
    /// The acts fail with [`StoreError::Caller`] and change nothing.
    fn require_caller(&mut self, caller: Option<Caller>);

    /// Adds an entry about something that changed nothing else, such as a failed sign-in.
    fn record(&mut self, event: Event) -> Result<(), StoreError>;

    /// Finds a user.
    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError>;

    /// Finds the password hash of a user's credential account; `None` without one.
    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError>;

    /// Tells how passwords are kept here.
    fn scheme(&mut self) -> Result<Scheme, StoreError>;

    /// Finds a session by its token, live or not, with its user.
    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError>;

    /// Finds a session by its id, live or not.
    fn session_by_id(&mut self, id: &str) -> Result<Option<Session>, StoreError>;

    /// Lists a user's sessions, live or not, newest first.
    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError>;

    /// Goes through the sessions of all users, live or not, each with its user's address.
    fn each_session(&mut self, found: &mut dyn FnMut(String, Session)) -> Result<(), StoreError>;

    /// Ends sessions by id, whoever's they are, and returns those that were there.
    fn end_sessions_by_id(&mut self, ids: &[String]) -> Result<Vec<Session>, StoreError>;

    /// Counts an attempt that is a failure from the start, or says how long to wait, as
    /// [`super::throttle::decide`] decides.
    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError>;

    /// Reserves an attempt that will be decided soon, under a key with a reservation. While only
    /// undecided attempts stand in the way it waits for a turn, as long as for a lock.
    fn reserve_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError>;

    /// Decides a reserved attempt: it failed. Adds the entry about it, if there is one.
    fn fail_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
        event: Option<Event>,
    ) -> Result<(), StoreError>;

    /// Decides a reserved attempt: it was no guess, and changes no count.
    fn release_attempt(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Forgets the failures for a key, and the reservation that the key has; without one, every
    /// reservation.
    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Makes a user with a credential account, if a hash is given, and a session, if one is.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] when another user has the address.
    fn create_user(
        &mut self,
        user: &NewUserRow,
        hash: Option<&StoredHash>,
        session: Option<&NewSessionRow>,
    ) -> Result<(User, Option<Session>), StoreError>;

    /// Makes a session for a user who has shown the right password: clears the count of attempts
    /// and, if given, replaces the hash that was found outdated.
    ///
    /// Returns `None` when the user or the hash that was verified is no longer there.
    fn begin_session(
        &mut self,
        session: &NewSessionRow,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError>;

    /// Makes a session without a sign-in, unless [`ActAs::check`] says no to the user as the row is then.
    fn issue_session(
        &mut self,
        session: &NewSessionRow,
        whom: ActAs,
    ) -> Result<Result<(User, Session), AuthError>, StoreError>;

    /// Moves a session's end; `None` when the session has been ended meanwhile.
    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Ends the session with this token and returns it; `None` when there is none.
    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError>;

    /// Ends a user's sessions and returns them as they were, expired ones included. If the user has no session
    /// with one of the ids, refuses with [`AuthError::NoSuchSession`], and no session ends.
    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Result<Vec<Session>, AuthError>, StoreError>;

    /// Replaces a password hash if the verified one is still in force, clears the count of
    /// attempts and ends the sessions that `which` names, if given.
    ///
    /// Returns `None`, with nothing changed, when the hash is no longer the verified one.
    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError>;

    /// Sets a password hash, with a credential account if there was none, clears the count of
    /// attempts and ends the sessions that `end` names. Returns the ended sessions; `None` when there
    /// is no such user.
    fn set_password(&mut self, new: &NewPassword<'_>) -> Result<Option<Vec<Session>>, StoreError>;

    /// Stores a code; older ones for the same purpose and user are dead then.
    fn create_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError>;

    /// Does all that [`Self::create_code`] does, with as many reads, writes and syncs, and takes it back
    /// in the same transaction: neither the code nor an entry of the log is left.
    fn rehearse_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError>;

    /// Finds a code, expired or not.
    fn code(&mut self, purpose: Purpose, code: &Code) -> Result<Option<StoredCode>, StoreError>;

    /// Uses up a code for what it does to its user; returns the user as it is then, and the sessions that
    /// ended. Refuses, with nothing done and the code as it was, with [`AuthError::InvalidCode`] when the
    /// code does not count ([`StoredCode::counts_for`]), and as the proof asks: with
    /// [`AuthError::PasswordOfAnother`], [`AuthError::NotSignedIn`] or [`AuthError::Banned`].
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] when another user has the new address; the code still counts then.
    fn use_code(&mut self, request: &CodeUse<'_>) -> Result<Result<(User, Vec<Session>), AuthError>, StoreError>;

    /// Changes a user and ends the sessions that the change names. Refuses with [`AuthError::NoSuchUser`], and
    /// with [`AuthError::LastAdmin`] as the guard asks.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] when another user has the new address.
    fn update_user(
        &mut self,
        id: &str,
        change: &UserChange,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Result<UserUpdated, AuthError>, StoreError>;

    /// Deletes a user with accounts, sessions and pending codes, and returns the number of session rows. Refuses
    /// as [`Self::update_user`] does.
    fn delete_user(
        &mut self,
        id: &str,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Result<u64, AuthError>, StoreError>;

    /// Forgets the attempts under the keys that `keys` names for the user as the row is then. Returns the
    /// user, and whether there was anything to forget; `None` when there is no such user.
    fn unlock(&mut self, id: &str, keys: &dyn Fn(&User) -> Vec<AttemptKey>)
    -> Result<Option<(User, bool)>, StoreError>;

    /// Lists a page of users.
    fn users(&mut self, query: &UserQuery) -> Result<UserPage, StoreError>;

    /// Lists how a user can sign in.
    fn accounts(&mut self, user_id: &str) -> Result<Vec<Account>, StoreError>;

    /// Reads the count of attempts, without counting one.
    fn attempts(&mut self, key: &AttemptKey) -> Result<Option<Attempts>, StoreError>;
}
