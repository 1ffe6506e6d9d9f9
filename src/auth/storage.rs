//! What the rules need of a memory: a trait, owned by the rules, made elsewhere.
//!
//! Look-ups return `Option`: that something is absent is an answer, not an error. Every method that
//! changes something is one act in one transaction, and returns what was stored as read back from
//! the database.

mod types;

use std::fmt;

use jiff::Timestamp;

use super::audit::{Acting, Entry, Event};
use super::codes::{Purpose, StoredCode};
use super::password::Scheme;
use super::policy::{Key, Policy, PolicyError, ThrottleRules};
use super::secret::{Code, StoredHash, Token};
use super::session::Session;
use super::throttle::{AttemptKey, Attempts, Decision};
use super::user::{User, UserRef};
use super::{ActAs, AuthError, Caller};

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

/// What setting a rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet {
    /// The policy as read back.
    pub policy: Policy,
    /// Whether the value is another one than before. If not, nothing was written.
    pub changed: bool,
}

/// The part of a store that looks after its database.
pub trait Maintenance {
    /// Goes through the audit log in its order until `found` says that it is enough.
    fn each_entry(&mut self, after: u64, found: &mut dyn FnMut(Entry) -> bool) -> Result<(), StoreError>;

    /// Reads what this database sets for itself.
    fn policy(&mut self) -> Result<Policy, StoreError>;

    /// Writes a setting, or sets it back to its default with `None`; or tells why it cannot be set beside
    /// the other settings, with nothing changed.
    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<PolicySet, PolicyError>, StoreError>;

    /// Counts the session rows that `prune` would delete.
    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes up to `limit` sessions that are over and returns how many.
    fn prune(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Hands over what the acts of this process left to be told besides their results.
    fn take_loose_ends(&mut self) -> LooseEnds;

    /// What was found in the database, when it belongs to an app and we are a guest in it.
    fn app(&self) -> Option<&GuestSchema>;

    /// Describes the database.
    fn info(&mut self, now: Timestamp) -> Result<DatabaseInfo, StoreError>;
}

/// The part of a store that tells what is wrong with its database. Nothing here is changed by looking.
pub trait DoctorStore {
    /// Damage that the engine finds in the file, in its words; the first pieces of it.
    fn damage(&mut self) -> Result<Vec<String>, StoreError>;

    /// What of the schema is not what the migrations make.
    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError>;

    /// Counts rows whose user is gone.
    fn orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Deletes them and returns what was deleted.
    fn delete_orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Counts users and sessions that make no sense, and tells what is wrong with the first.
    fn nonsense(&mut self) -> Result<(u64, Option<StoreError>), StoreError>;

    /// Goes through all users who make sense.
    fn each_user(&mut self, found: &mut dyn FnMut(User)) -> Result<(), StoreError>;

    /// Goes through all accounts that sign in with a password.
    fn each_credential(&mut self, found: &mut dyn FnMut(Credential)) -> Result<(), StoreError>;

    /// Counts credential accounts that are not under their user's id, where no sign-in looks.
    fn stray_accounts(&mut self) -> Result<StrayAccounts, StoreError>;

    /// Puts those under their user's id for whom nothing else is there, and returns how many.
    fn correct_stray_accounts(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Addresses that several users have, but for the case; in lower case.
    fn twins(&mut self) -> Result<Vec<String>, StoreError>;

    /// Writes addresses in lower case, where [`crate::auth::doctor::lowered`] says so, and returns how
    /// many.
    fn lower_addresses(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// The newest act that an earlier process intended, if the audit log does not say how it ended.
    fn interrupted(&mut self) -> Result<Option<Entry>, StoreError>;

    /// Adds an entry that says so; returns how many were added.
    fn close_interrupted(&mut self) -> Result<u64, StoreError>;

    /// Counts what was written after an instant.
    fn written_after(&mut self, instant: Timestamp) -> Result<WrittenAfter, StoreError>;

    /// Counts codes that have expired.
    fn count_expired_codes(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes them and returns how many.
    fn prune_codes(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Reads the settings as they stand, whether they make sense or not.
    fn settings(&mut self) -> Result<Vec<(String, String)>, StoreError>;

    /// Removes settings by key.
    fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError>;
}

/// One piece of a schema that is not what the migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What it is and its name, such as `trigger x`.
    pub object: String,
    /// How it differs.
    pub how: Differs,
}

/// How a piece of a schema differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// It is not there.
    Missing,
    /// No migration makes it.
    Unexpected,
    /// It is spelled in another way.
    Changed,
}

/// Rows whose user is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Sessions.
    pub sessions: u64,
    /// Accounts.
    pub accounts: u64,
    /// Codes.
    pub codes: u64,
}

impl Orphans {
    /// All of them.
    pub fn count(self) -> u64 {
        self.sessions + self.accounts + self.codes
    }
}

/// An account that signs in with a password.
#[derive(Debug)]
pub struct Credential {
    pub user_id: String,
    /// The hash; `None` too for bytes that cannot be one.
    pub hash: Option<StoredHash>,
}

/// Credential accounts that are not under their user's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StrayAccounts {
    /// All of them.
    pub all: u64,
    /// Those that are the only one of their user, with nobody in their right place.
    pub correctable: u64,
}

/// What was written after an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenAfter {
    /// Users, accounts, sessions and codes.
    pub rows: u64,
    /// Entries of the audit log.
    pub entries: u64,
    /// Whether the newest entry of the audit log was written before, so that the clock came back.
    pub is_newest_before: bool,
}
