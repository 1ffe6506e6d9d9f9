//! The storage port: the traits that the rules need and that `store` implements.
//!
//! A look-up returns `None` if nothing is found. Every method that changes something is an act in one transaction,
//! and returns the stored values as read back. An act that can be refused returns a nested `Result`: the outer
//! error is a failure of the database, the inner one a refusal, which changes nothing.

mod access;
mod api_tokens;
mod error;
mod export;
mod guest;
mod import;
mod info;
mod lists;
mod organizations;
mod refusals;
mod second_factor;
mod secrets;
mod types;

use std::fmt;

use jiff::Timestamp;

use super::audit::{Acting, AuditUsers, Entry, Event, counted};
use super::codes::{Purpose, StoredCode};
use super::odd::OddRows;
use super::password::Scheme;
use super::policy::{Key, Policy, PolicyError, ThrottleRules};
use super::prune::Pruning;
use super::secret::{Code, StoredHash, Token};
use super::session::Session;
use super::stats::{Period, Stats};
use super::throttle::{AttemptKey, Attempts, Decision};
use super::user::{User, UserRef};
use super::{ActAs, AuthError, Caller};

pub use access::{AccessStore, BrokenReference, Lockdown, OddFactors, PluginStore};
pub use api_tokens::{ApiTokenStore, NewApiToken, TokenRotation};
pub use error::{FOLLOWED_MAX, StoreError};
pub use export::{ExportStore, ExportedAccount, ExportedUser, Sink};
pub use guest::{
    GuestColumn, GuestSchema, GuestTable, GuestTrigger, LooseEnds, NoState, StatePlace, UnsafePlace, WriteBlocker,
    WriteScope,
};
pub use import::{
    ImportBatch, ImportProgress, ImportResult, ImportStore, ImportedAccount, ImportedFactor, ImportedUser, OnConflict,
};
pub use info::{DatabaseInfo, Product, Server, Storage};
pub use lists::{FoundSession, PAGE_MAX, SessionQuery, SortKey, UserPage, UserPlace, UserQuery, UserSort};
pub use organizations::{NewInvitation, NewMember, OrganizationStore};
pub use refusals::{BrokenKey, Constraint, Holder, KeyFault, Release};
pub use second_factor::{
    AppFactor, FAILURES_MAX, FactorAct, FactorStore, FactorUse, NewFactor, OtpKind, Reseal, RightOtp, StoredFactor,
};
pub use secrets::{DecideSecret, SecretChange, SecretChanges, SecretColumn, SecretStore, SecretValue};
pub(in crate::auth) use types::needed;
pub use types::{
    Account, AdminGuard, BackupSummary, Ban, ClientInfo, CodeEffect, CodeProof, CodeUse, Completed, Deletion,
    DeletionRequest, EndSessions, NewBan, NewCodeRow, NewOwner, NewPassword, NewSessionRow, NewUserRow, Organization,
    PasswordChange, SharedRow, TableRows, UserChange, UserUpdated, Which,
};

/// The users, accounts and sessions of a database.
pub trait Store:
    Maintenance
    + DoctorStore
    + AccessStore
    + FactorStore
    + SecretStore
    + ApiTokenStore
    + PluginStore
    + OrganizationStore
    + ImportStore
    + ExportStore
    + fmt::Debug
{
    /// Sets the actor of the following acts. Every act that changes something writes entries with this name to the
    /// audit log, in its own transaction. If the log is in another file, an entry before the act says what is
    /// intended, and the others follow after it.
    fn act_as(&mut self, acting: Acting);

    /// Says that the process ends after what it still reads. What the system closes then need not be closed before.
    fn end_with_process(&mut self);

    /// Requires a signed-in caller for the following acts; `None` requires no caller. Each act first checks the
    /// caller with [`Caller::check`] in its own transaction.
    ///
    /// # Errors
    /// The acts fail with [`StoreError::Caller`] and change nothing.
    fn require_caller(&mut self, caller: Option<Caller>);

    /// Adds an entry without another change, such as for a failed sign-in.
    fn record(&mut self, event: Event) -> Result<(), StoreError>;

    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError>;

    /// Finds the user whose stored address is exactly this text, valid or not; else all users whose address differs
    /// from it in the case of ASCII letters only.
    fn users_with_address(&mut self, address: &str) -> Result<Vec<User>, StoreError>;

    /// The password hash of a user's credential account.
    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError>;

    /// The format of passwords in the database.
    fn scheme(&mut self) -> Result<Scheme, StoreError>;

    /// Finds a session, live or not, and its user.
    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError>;

    /// Finds a session, live or not.
    fn session_by_id(&mut self, id: &str) -> Result<Option<Session>, StoreError>;

    /// Lists a user's sessions, live or not, newest first.
    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError>;

    /// Reads sessions, the newest first, until `found` returns `false`. Leaves out only sessions that the rules would
    /// leave out, and not all of these.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPlace`].
    fn each_session(
        &mut self,
        query: &SessionQuery<'_>,
        found: &mut dyn FnMut(FoundSession) -> bool,
    ) -> Result<(), StoreError>;

    /// Ends sessions of any users, and all sessions without an id of some users. Returns those that existed.
    ///
    /// # Errors
    /// [`StoreError::NoId`] if a session of such a user has an id that is not NULL and cannot be read.
    fn end_sessions_by_id(&mut self, ids: &[String], without_id_of: &[String]) -> Result<Vec<Session>, StoreError>;

    /// Counts an attempt as failed before its result is known, if [`super::throttle::decide`] allows it.
    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError>;

    /// Reserves an attempt under a key with a reservation. While only reservations block it, it waits for its
    /// turn, as long as for a lock.
    fn reserve_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError>;

    /// Turns a reservation into a failure, and adds the entry about it.
    fn fail_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
        event: Option<Event>,
    ) -> Result<(), StoreError>;

    /// Removes a reservation without a change of the count.
    fn release_attempt(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Clears the failures of a key and its reservation; every reservation, if the key has none.
    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Creates a user, with a credential account if a hash is given, and a session.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] if another user has the address.
    fn create_user(
        &mut self,
        user: &NewUserRow,
        hash: Option<&StoredHash>,
        session: Option<&NewSessionRow>,
    ) -> Result<(User, Option<Session>), StoreError>;

    /// Creates a session for a user with the right password: clears the count of attempts and replaces the hash
    /// with `upgraded`. Uses the code of the second factor up.
    ///
    /// Returns `None` if the user or the verified hash no longer exists, the code was used meanwhile, or a user of a native
    /// database has a second factor and gave no code.
    fn begin_session(
        &mut self,
        session: &NewSessionRow,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        code: Option<&RightOtp>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError>;

    /// Creates a session without a sign-in, unless [`ActAs::check`] refuses the user in the transaction.
    fn issue_session(
        &mut self,
        session: &NewSessionRow,
        whom: ActAs,
    ) -> Result<Result<(User, Session), AuthError>, StoreError>;

    /// Extends a session; `None` if it has ended.
    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Ends the session with this token and returns it; `None` if it does not exist.
    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError>;

    /// Ends a user's sessions and returns them as they were, expired ones included. If the user has no session
    /// with one of the ids, refuses with [`AuthError::NoSuchSession`], and no session ends.
    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Result<Vec<Session>, AuthError>, StoreError>;

    /// Replaces the verified password hash, clears the count of attempts and ends sessions.
    ///
    /// Returns `None`, with nothing changed, if the stored hash is no longer the verified one.
    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError>;

    /// Sets a password hash, with a credential account if the user has none, clears the count of attempts and ends
    /// sessions. Returns the ended sessions; `None` if the user does not exist.
    fn set_password(&mut self, new: &NewPassword<'_>) -> Result<Option<Vec<Session>>, StoreError>;

    /// Stores a code. Older codes of the user for the same purpose become invalid.
    fn create_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError>;

    /// As [`Self::create_code`], with as many reads, writes and syncs, but takes everything back in the same
    /// transaction. Neither the code nor an entry of the log remains.
    fn rehearse_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError>;

    /// Finds a code, expired or not.
    fn code(&mut self, purpose: Purpose, code: &Code) -> Result<Option<StoredCode>, StoreError>;

    /// Uses a code up and performs its effect. Returns the user after it and the ended sessions. Refuses, and
    /// leaves the code valid, with [`AuthError::InvalidCode`] as [`StoredCode::counts_for`] decides, and for the
    /// proof with [`AuthError::PasswordOfAnother`], [`AuthError::NotSignedIn`] or [`AuthError::Banned`].
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] if another user has the new address; the code stays valid.
    fn use_code(&mut self, request: &CodeUse<'_>) -> Result<Result<(User, Vec<Session>), AuthError>, StoreError>;

    /// Changes a user and ends the sessions that the change names. Refuses with [`AuthError::NoSuchUser`], and
    /// with [`AuthError::LastAdmin`] as the guard asks.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] if another user has the new address.
    fn update_user(
        &mut self,
        id: &str,
        change: &UserChange,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Result<UserUpdated, AuthError>, StoreError>;

    /// Deletes a user with every row that names the user, after the handing over that the request asks for. Refuses
    /// as [`Self::update_user`] does, and with [`AuthError::SharedWithOthers`].
    ///
    /// # Errors
    /// [`StoreError::Held`] if rows of the app keep the user.
    fn delete_user(&mut self, request: &DeletionRequest<'_>) -> Result<Result<Deletion, AuthError>, StoreError>;

    /// Does the work of [`Self::delete_user`] and takes it back.
    fn rehearse_deletion(&mut self, request: &DeletionRequest<'_>) -> Result<Result<Deletion, AuthError>, StoreError>;

    /// Clears the attempts of the keys that `keys` returns for the user in the transaction. Returns the user, and
    /// whether anything was cleared; `None` if the user does not exist.
    fn unlock(&mut self, id: &str, keys: &dyn Fn(&User) -> Vec<AttemptKey>)
    -> Result<Option<(User, bool)>, StoreError>;

    fn users(&mut self, query: &UserQuery) -> Result<UserPage, StoreError>;

    /// Lists the accounts with which a user can sign in.
    fn accounts(&mut self, user_id: &str) -> Result<Vec<Account>, StoreError>;

    /// Reads the count of attempts without a change.
    fn attempts(&mut self, key: &AttemptKey) -> Result<Option<Attempts>, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet {
    /// As read back.
    pub policy: Policy,
    /// Whether the value differs from before. If not, nothing was written.
    pub changed: bool,
}

/// The settings, the log and the condition of a database.
pub trait Maintenance {
    /// Reads the audit log in its order until `found` returns `false`.
    fn each_entry(&mut self, after: u64, found: &mut dyn FnMut(Entry) -> bool) -> Result<(), StoreError>;

    /// As [`Self::each_entry`], of the entries that are about users or by them.
    fn each_entry_of(
        &mut self,
        users: &AuditUsers,
        after: u64,
        found: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), StoreError>;

    /// Reads the audit log backwards from before an entry, or from its end, until `found` returns `false`; of users only the
    /// entries that are about them or by them.
    fn each_entry_back(
        &mut self,
        users: Option<&AuditUsers>,
        before: Option<u64>,
        found: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), StoreError>;

    /// Reads the newest entries of the audit log, the oldest of them first.
    fn newest_entries(&mut self, count: usize) -> Result<Vec<Entry>, StoreError>;

    /// Values that begin with a prefix, at most some dozens.
    fn with_prefix(&mut self, what: Completed, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Ids of users that entries of the log are about and that begin with a prefix, also of users who were deleted.
    fn logged_users_with_prefix(&mut self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Roles that begin with a prefix, as users of a native database have them, apart from `user`.
    fn roles_with_prefix(&mut self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// The roles of users as they are stored, several in one text, each text with the number of its users.
    fn role_texts(&mut self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Reads the settings of the database.
    fn policy(&mut self) -> Result<Policy, StoreError>;

    /// Writes a setting; `None` restores its default. Refuses a value that is invalid beside the other settings.
    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<PolicySet, PolicyError>, StoreError>;

    /// Counts the session rows that `prune` would delete.
    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes the next part of the sessions that are over and returns their number. Those that the app keeps stay.
    fn prune(&mut self, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError>;

    /// The error about an act on a row that has no id. `row` says what else is known of it.
    fn without_id(&self, table: &'static str, row: &str) -> StoreError;

    /// Takes what the acts of this process must report besides their results.
    fn take_loose_ends(&mut self) -> LooseEnds;

    /// The schema of a guest database; `None` for a native one.
    fn guest(&self) -> Option<&GuestSchema>;

    /// Where authctl's own tables are; `None` if they are beside the users in a native database.
    fn state_place(&self) -> Option<StatePlace>;

    /// Reads all values of the columns of an app's database whose encoding a sample does not decide. Acts that write such
    /// a column do so by themselves.
    fn settle(&mut self) -> Result<(), StoreError>;

    fn info(&mut self, now: Timestamp) -> Result<DatabaseInfo, StoreError>;

    /// Counts users, sessions, and what happened in a period.
    fn stats(&mut self, period: &Period, now: Timestamp) -> Result<Stats, StoreError>;
}

/// What the checks of `doctor` read, and what their fixes change.
pub trait DoctorStore {
    /// The first errors that the engine finds in the file, in its words.
    fn damage(&mut self, depth: Depth) -> Result<Vec<String>, StoreError>;

    /// The tables that the engine cannot check, because they use a function or collation that only the app has, each
    /// with the engine's words.
    fn tables_only_the_app_checks(&mut self) -> Result<Vec<(String, String)>, StoreError>;

    /// The server of the database; `None` for a file.
    fn server(&mut self) -> Result<Option<Server>, StoreError>;

    /// Compares the schema with that of the migrations.
    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError>;

    /// Finds what an app left in a native database.
    fn app_traces(&mut self) -> Result<AppTraces, StoreError>;

    /// Deletes the sessions and codes that an app made in a native database, and returns what there was.
    fn delete_app_rows(&mut self) -> Result<AppTraces, StoreError>;

    /// Counts rows whose user does not exist.
    fn orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Deletes the orphans and returns their numbers.
    fn delete_orphans(&mut self) -> Result<Orphans, StoreError>;

    /// Counts users and sessions with values that cannot be read, and lists the first `limit` of the values.
    fn odd_rows(&mut self, limit: usize) -> Result<OddRows, StoreError>;

    /// Reads all users.
    fn each_user(&mut self, found: &mut dyn FnMut(User)) -> Result<(), StoreError>;

    /// Reads all accounts with a password.
    fn each_credential(&mut self, found: &mut dyn FnMut(Credential)) -> Result<(), StoreError>;

    /// Counts credential accounts whose `accountId` is not their user's id, so that no sign-in finds them.
    fn stray_accounts(&mut self) -> Result<StrayAccounts, StoreError>;

    /// Sets the `accountId` of the correctable accounts, deletes the surplus ones, and returns their number.
    fn fix_stray_accounts(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Addresses that several users have in different case, in lower case.
    fn twins(&mut self) -> Result<Vec<String>, StoreError>;

    /// Writes addresses in lower case as [`crate::auth::doctor::lowered`] decides, and returns their number.
    fn lower_addresses(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// The newest act that an earlier process intended, if the audit log does not say how it ended.
    fn interrupted(&mut self) -> Result<Option<Entry>, StoreError>;

    /// Adds an entry that says that the act was interrupted. Returns the number of entries.
    fn close_interrupted(&mut self) -> Result<u64, StoreError>;

    /// Counts rows and entries that were written after a time.
    fn written_after(&mut self, instant: Timestamp) -> Result<WrittenAfter, StoreError>;

    fn count_expired_codes(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes expired codes, however many they are, and returns their number. Those that the app keeps stay.
    fn prune_codes(&mut self, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError>;

    /// Counts passwords of a native database as [`super::password::HashFormat::is_legacy`] decides.
    fn count_legacy_passwords(&mut self) -> Result<u64, StoreError>;

    /// Deletes the next part of these passwords with their accounts, and returns their number.
    fn prune_legacy_passwords(&mut self, pruning: &mut Pruning) -> Result<u64, StoreError>;

    /// Reads all settings, valid or not.
    fn settings(&mut self) -> Result<Vec<(String, String)>, StoreError>;

    fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError>;
}

/// How closely the engine looks for damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Reads every page once.
    Quick,
    /// Also looks up every row in every index. Of large tables that takes twenty times as long.
    Full,
}

/// A difference from the schema of the migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// The kind and the name, such as `trigger x`.
    pub object: String,
    pub how: Differs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    Missing,
    /// As [`Self::Missing`], and its rows are gone with it.
    Lost,
    /// No migration creates it.
    Unexpected,
    /// Its SQL differs.
    Changed,
    /// An index that authctl keeps itself lacks rows.
    Stale,
}

/// What an app that took a native database for its own left in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppTraces {
    /// Tables of Better Auth's plugins and of the migrations of ORMs, and tables that refer to one of authctl's.
    pub tables: Vec<String>,
    /// Sessions whose token is stored as the app has it. No token of authctl finds them.
    pub sessions: u64,
    /// Codes that authctl did not make.
    pub codes: u64,
}

impl AppTraces {
    pub fn rows(&self) -> u64 {
        self.sessions + self.codes
    }

    /// The traces in words, such as `tables twoFactor, __drizzle_migrations; 2 sessions`; `None` without any.
    pub fn in_words(&self) -> Option<String> {
        let tables = (!self.tables.is_empty()).then(|| format!("tables {}", self.tables.join(", ")));
        let rows = [(self.sessions, "session"), (self.codes, "code")];
        let rows = rows.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun));
        let words: Vec<String> = tables.into_iter().chain(rows).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// Rows whose user does not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orphans {
    pub sessions: u64,
    pub accounts: u64,
    pub codes: u64,
}

impl Orphans {
    pub fn count(self) -> u64 {
        self.sessions + self.accounts + self.codes
    }
}

#[derive(Debug)]
pub struct Credential {
    pub user_id: String,
    /// `None` without a hash, and for bytes that cannot be one.
    pub hash: Option<StoredHash>,
    /// When the account was written last; `None` if the table does not say.
    pub updated_at: Option<Timestamp>,
}

/// Numbers of credential accounts whose `accountId` is not their user's id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StrayAccounts {
    pub all: u64,
    /// The accounts that are the only one of their user, and whose right `accountId` is free.
    pub correctable: u64,
    /// The accounts whose user has another one with a password under the right `accountId`.
    pub surplus: u64,
    /// The ids of the first users with an account that is neither.
    pub unclear: Vec<String>,
}

/// Numbers of rows and entries that were written after a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenAfter {
    /// Users, accounts, sessions and codes.
    pub rows: u64,
    pub entries: u64,
    /// Whether the newest entry of the audit log was written before, so that the clock is right again.
    pub is_newest_before: bool,
}
