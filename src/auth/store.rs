//! What the rules need of a memory: a trait, owned by the rules, made elsewhere.
//!
//! Look-ups return `Option`: that something is absent is an answer, not an error. Every method that
//! changes something is one act in one transaction, and returns what was stored as read back from
//! the database.

use std::fmt;

use jiff::Timestamp;

use super::policy::ThrottleRules;
use super::secret::{StoredHash, Token};
use super::session::Session;
use super::throttle::{AttemptKey, Decision};
use super::user::{User, UserRef};

/// A store that holds one database's users, accounts and sessions.
pub trait Store: fmt::Debug {
    /// Finds a user.
    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError>;

    /// Finds the password hash of a user's credential account; `None` without one.
    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError>;

    /// Finds a session by its token, live or not, with its user.
    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError>;

    /// Lists a user's sessions, live or not, newest first.
    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError>;

    /// Counts an attempt, or says how long to wait, as [`super::throttle::decide`] decides.
    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError>;

    /// Forgets the attempts for a key.
    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Makes a user with a credential account and, if given, a session.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`] when another user has the address.
    fn create_user(
        &mut self,
        user: &NewUser,
        hash: &StoredHash,
        session: Option<&NewSession>,
    ) -> Result<(User, Option<Session>), StoreError>;

    /// Makes a session for a user who has shown the right password: clears the count of attempts
    /// and, if given, replaces the hash that was found outdated.
    ///
    /// Returns `None` when the user or the hash that was verified is no longer there.
    fn begin_session(
        &mut self,
        session: &NewSession,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError>;

    /// Moves a session's end; `None` when the session has been ended meanwhile.
    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Ends the session with this token and returns it; `None` when there is none.
    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError>;

    /// Ends a user's sessions and returns them as they were. Ending sessions by id is all or
    /// nothing: with an id that is not the user's, nothing ends.
    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Ended, StoreError>;

    /// Replaces a password hash if the verified one is still in force, clears the count of
    /// attempts and ends the sessions that `which` names, if given.
    ///
    /// Returns `None`, with nothing changed, when the hash is no longer the verified one.
    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError>;

    /// Changes a user's name or picture; `None` when the user is gone.
    fn update_profile(&mut self, id: &str, change: &ProfileChange, now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Deletes a user with accounts, sessions and pending codes.
    fn delete_user(&mut self, id: &str, guard: AdminGuard) -> Result<Deleted, StoreError>;

    /// Counts the session rows that `prune` would delete.
    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError>;

    /// Deletes up to `limit` sessions that are over and returns how many.
    fn prune(&mut self, now: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Describes the database.
    fn census(&mut self, now: Timestamp) -> Result<Census, StoreError>;
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Row id.
    pub id: String,
    /// Row id of the credential account.
    pub account_id: String,
    /// Canonical address.
    pub email: super::email::Email,
    /// Display name.
    pub name: String,
    /// Address of a picture.
    pub image: Option<String>,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Row id.
    pub id: String,
    /// Token in clear; the store keeps what its database is used to.
    pub token: Token,
    /// Whose session it is.
    pub user_id: String,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Address of the remote client.
    pub ip_address: Option<String>,
    /// Program, user and host.
    pub user_agent: Option<String>,
}

/// Which of a user's sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// Every one but the one with this id.
    Others(String),
    /// These ids.
    Ids(Vec<String>),
}

impl Which {
    /// Whether the session with this id is meant.
    pub fn means(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Others(current) => id != current,
            Self::Ids(ids) => ids.iter().any(|one| one == id),
        }
    }

    /// The first id asked for by name that is not among the given sessions.
    pub fn missing_from(&self, sessions: &[Session]) -> Option<&str> {
        match self {
            Self::All | Self::Others(_) => None,
            Self::Ids(ids) => {
                ids.iter().map(String::as_str).find(|id| !sessions.iter().any(|session| session.id == **id))
            }
        }
    }
}

/// What became of the wish to end sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// These sessions have ended, those included that were over already.
    Sessions(Vec<Session>),
    /// The user has no session with this id; nothing has ended.
    Missing(String),
}

/// A password to be replaced.
#[derive(Debug)]
pub struct PasswordChange<'a> {
    /// Whose.
    pub user_id: &'a str,
    /// The hash that the current password was compared with.
    pub verified: &'a StoredHash,
    /// The new hash.
    pub hash: &'a StoredHash,
    /// Sessions that end with it.
    pub end: Option<Which>,
    /// Count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// What of a profile changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// New display name.
    pub name: Option<String>,
    /// New picture, or `Some(None)` for none.
    pub image: Option<Option<String>>,
}

/// Whether the last administrator may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminGuard {
    /// Refuse to delete the only user who has the role `admin` and is not banned.
    KeepLastAdmin,
    /// Delete anyway.
    Off,
}

/// What a deletion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The user is gone, with this many sessions.
    User {
        /// Session rows deleted with the user.
        sessions: u64,
    },
    /// Refused: no other administrator would be left.
    LastAdmin,
    /// There was no such user.
    Missing,
}

/// A description of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// Number of the newest migration applied.
    pub schema_version: u32,
    /// Users.
    pub users: u64,
    /// Sessions that are live.
    pub live_sessions: u64,
    /// Session rows that are over.
    pub expired_sessions: u64,
    /// Version of the SQLite library inside.
    pub sqlite_version: String,
    /// How the database is journalled.
    pub journal_mode: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Why the memory failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has the address.
    #[error("the email address is taken")]
    EmailTaken,
    /// Another process kept the database locked for longer than the wait.
    #[error("the database is busy: another process is writing to it")]
    Busy,
    /// The file or its file system does not take writes.
    #[error("the database is read-only")]
    ReadOnly,
    /// No room on the file system, or over a size limit.
    #[error("the file system of the database is full")]
    Full,
    /// The operating system could not read or write the file.
    #[error("the database file could not be read or written: {0}")]
    Io(String),
    /// SQLite found damage.
    #[error("the database file is damaged: {0}")]
    Corrupt(String),
    /// A row that makes no sense.
    #[error("row {row} of table {table} makes no sense: column {column} {problem}")]
    Inconsistent {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Its id, as far as it could be read.
        row: String,
        /// What is wrong with the value, without the value.
        problem: String,
    },
    /// Anything else the engine said.
    #[error("the database engine failed: {0}")]
    Engine(String),
}
