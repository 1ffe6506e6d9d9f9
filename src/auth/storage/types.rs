//! What the rules tell the storage, and what it answers.

use jiff::Timestamp;

use crate::auth::AuthError;
use crate::auth::audit::Entry;
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::email::Email;
use crate::auth::secret::{Code, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::throttle::AttemptKey;
use crate::auth::user::User;

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUserRow {
    pub id: String,
    /// Row id of the credential account, if there will be one.
    pub account_id: String,
    /// Canonical address.
    pub email: Email,
    /// Display name.
    pub name: String,
    /// Address of a picture.
    pub image: Option<String>,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// Roles, separated by commas.
    pub role: Option<String>,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSessionRow {
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
    pub client_info: ClientInfo,
    /// Who acts as the user in it, when it is somebody else.
    pub impersonated_by: Option<String>,
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
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

/// A password to be replaced.
#[derive(Debug)]
pub struct PasswordChange<'a> {
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

/// A password to be set by somebody who need not know the current one.
#[derive(Debug)]
pub struct NewPassword<'a> {
    pub user_id: &'a str,
    /// Row id of the credential account, should there be none yet.
    pub account_id: String,
    pub hash: &'a StoredHash,
    /// Sessions that end with it.
    pub end: Option<Which>,
    /// Count of attempts to clear.
    pub attempts: &'a AttemptKey,
    /// Written as `updatedAt`.
    pub now: Timestamp,
}

/// How a user can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who vouches: `credential` for a password, else the name of a provider.
    pub provider_id: String,
    /// The user's id there.
    pub account_id: String,
    /// Whether it holds a password hash.
    pub has_password: bool,
}

impl Account {
    /// The provider of accounts that sign in with a password, as Better Auth names it.
    pub const CREDENTIAL: &str = "credential";

    /// Whether it is meant to hold a password.
    pub fn is_credential(&self) -> bool {
        self.provider_id == Self::CREDENTIAL
    }
}

/// Whether the last administrator may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminGuard {
    /// Refuse to delete the only user who has the role `admin` and is not banned.
    KeepLastAdmin,
    /// Delete anyway.
    Off,
}

/// What acts left to be told besides their results, where the audit log is in another file than their
/// effect.
#[derive(Debug, Default)]
pub struct LooseEnds {
    /// Acts of earlier processes that died before the log could say whether they were done.
    pub interrupted: Vec<Entry>,
    /// Why the log does not say that an act of this process was done, which was.
    pub unlogged: Option<StoreError>,
}

impl LooseEnds {
    /// Takes over those of another store.
    pub fn add(&mut self, other: Self) {
        self.interrupted.extend(other.interrupted);
        self.unlogged = self.unlogged.take().or(other.unlogged);
    }
}

/// A description of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Number of the newest migration applied; an app's database has none of ours.
    pub schema_version: Option<u32>,
    /// What was recognised, when the database is an app's.
    pub app: Option<GuestSchema>,
    /// Users.
    pub users: u64,
    /// Sessions that are live; `None` when the times in an app's database cannot be read.
    pub live_sessions: Option<u64>,
    /// Session rows that are over; `None` likewise.
    pub expired_sessions: Option<u64>,
    /// Version of the SQLite library inside.
    pub sqlite_version: String,
    /// How the database is journalled.
    pub journal_mode: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// What of a user changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// New display name.
    pub name: Option<String>,
    /// New picture, or `Some(None)` for none.
    pub image: Option<Option<String>>,
    /// New address.
    pub email: Option<Email>,
    /// Whether the address is verified; [`UserChange::is_verified_after`] says what follows from `None`.
    pub email_verified: Option<bool>,
    /// New roles, separated by commas, or `Some(None)` for none.
    pub role: Option<Option<String>>,
    /// New ban.
    pub ban: Option<Ban>,
    /// Whether the user's sessions end with it.
    pub end: EndSessions,
}

impl UserChange {
    /// Whether the address is verified after the change: one that really changes is not, unless the
    /// change says so. Decided in the transaction of the change: who had which address before, the row
    /// knows.
    pub fn is_verified_after(&self, before: &User) -> bool {
        let moves = self.email.as_ref().is_some_and(|email| email.as_str() != before.email);
        self.email_verified.unwrap_or(before.email_verified && !moves)
    }
}

/// Whether a change of a user ends sessions of the user. Decided in the transaction of the change:
/// what was read before may be another's past by then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EndSessions {
    /// They go on.
    #[default]
    Never,
    /// All of them end.
    Always,
    /// All but the one with this id end.
    Others(String),
    /// All of them end if the user had a role that is gone with the change.
    IfRoleIsLost,
}

impl EndSessions {
    /// Decides which end, from the user before and after the change.
    pub fn which(&self, before: &User, after: &User) -> Option<Which> {
        match self {
            Self::Never => None,
            Self::Always => Some(Which::All),
            Self::Others(current) => Some(Which::Others(current.clone())),
            Self::IfRoleIsLost => after.has_lost_a_role(before).then_some(Which::All),
        }
    }
}

/// Whether a user is banned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ban {
    /// Not.
    Lifted,
    /// For a reason, until an instant or permanently.
    Imposed { reason: Option<String>, until: Option<Timestamp> },
}

/// A user after a change that was made or had nothing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUpdated {
    /// The user as it is now.
    pub user: User,
    /// Sessions that ended with it.
    pub ended: Vec<Session>,
    /// Whether a field has another value than before. If not, neither the row nor an entry about it was
    /// written.
    pub changed: bool,
}

/// A code to be stored.
#[derive(Debug)]
pub struct NewCodeRow<'a> {
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// In clear; the store keeps its digest.
    pub code: &'a Code,
    /// Whose, for which address, until when.
    pub stored: StoredCode,
    /// Written as `createdAt` and `updatedAt`.
    pub now: Timestamp,
}

/// A code about to be used up.
#[derive(Debug)]
pub struct CodeUse<'a> {
    /// What it must be for.
    pub purpose: Purpose,
    pub code: &'a Code,
    /// What was shown besides the code.
    pub proof: CodeProof<'a>,
    /// What it does.
    pub effect: CodeEffect<'a>,
    /// The moment.
    pub now: Timestamp,
}

/// What was shown besides a code, outside the transaction that uses it. The transaction looks whether
/// it is still so.
#[derive(Debug, Clone, Copy)]
pub enum CodeProof<'a> {
    /// Nothing: the code alone does it.
    Nothing,
    /// The password of the user, by the hash with which it was compared.
    Password(&'a StoredHash),
    /// A session of the user, by its id.
    Session(&'a str),
}

/// What happens when a code is used up, in the same act.
#[derive(Debug, Clone, Copy)]
pub enum CodeEffect<'a> {
    /// A password is set, as [`super::Store::set_password`] does.
    Password(&'a NewPassword<'a>),
    /// The user changes, as with [`super::Store::update_user`].
    User(&'a UserChange),
}

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// Number of the newest migration applied.
    pub schema_version: u32,
    /// Users.
    pub users: u64,
    /// Session rows, live or not.
    pub sessions: u64,
    /// Entries of the audit log.
    pub entries: u64,
    /// The hash of the newest entry; empty without one.
    pub head: String,
}

/// The most users of one page.
pub const PAGE_MAX: u32 = 1_000;

/// Which users, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// A part of the address or of the name, in any case of ASCII letters.
    pub search: Option<String>,
    /// One of the user's roles.
    pub role: Option<String>,
    /// Only users whose ban is in force at this instant.
    pub banned_at: Option<Timestamp>,
    /// Only users whose address is not verified.
    pub unverified: bool,
    /// The order.
    pub sort: UserSort,
    /// How many at most.
    pub limit: u32,
    /// The user after whom the page begins, by id.
    pub after: Option<String>,
}

/// The order of users; those that are alike in it are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// By address.
    Email,
    /// By name.
    Name,
    /// The oldest first.
    Created,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users of this page.
    pub users: Vec<User>,
    /// How many there are on all pages.
    pub total: u64,
    /// What to ask for the next page with; `None` on the last one.
    pub next: Option<String>,
}

/// The schema of an app's database, as it was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSchema {
    /// The tables that matter, with the names they have there.
    pub tables: Vec<GuestTable>,
    /// How instants are written, in words.
    pub time: String,
    /// What shows it.
    pub time_evidence: String,
    /// How rows get their ids, in words.
    pub ids: &'static str,
    /// Why nothing is written there, each with what settles it. Empty when writing is safe.
    pub write_blockers: Vec<WriteBlocker>,
}

impl GuestSchema {
    /// Whether the app has a column, by Better Auth's names.
    pub fn has(&self, table: &str, column: &str) -> bool {
        let table = self.tables.iter().find(|one| one.name == table);
        table.is_some_and(|table| table.columns.iter().any(|one| one.name == column && one.physical.is_some()))
    }
}

/// A table of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestTable {
    /// Better Auth's name.
    pub name: &'static str,
    /// The app's.
    pub physical: String,
    /// Its columns.
    pub columns: Vec<GuestColumn>,
}

/// A column of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestColumn {
    /// Better Auth's name.
    pub name: &'static str,
    /// The app's; `None` when it has no such column.
    pub physical: Option<String>,
    /// The type that the schema declares.
    pub declared: String,
}

/// Why nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBlocker {
    /// What is in the way.
    pub problem: String,
    /// What settles it.
    pub remedy: String,
}

/// Why the memory failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has the address.
    #[error("the email address is taken")]
    EmailTaken,
    /// A page was to begin after a user who is no longer there.
    #[error("the user after whom the page begins is gone")]
    NoSuchPlace,
    /// Another process kept the database locked for longer than the wait.
    #[error("the database is busy: another process is writing to it")]
    Busy,
    /// Another process changed what a transaction had read, again and again for the wait.
    #[error("the database is busy: other processes change the same rows")]
    Conflict,
    /// The file or its file system does not take writes.
    #[error("the database is read-only")]
    ReadOnly,
    /// No room on the file system.
    #[error("the file system of the database is full")]
    Full,
    /// A file would be larger than the process or the file system allows.
    #[error("a file of the database would be larger than the limit of file sizes")]
    TooLarge,
    /// The files of the user take all the room that they may on the file system.
    #[error("the disk quota on the file system of the database is used up")]
    Quota,
    /// The file system cannot lock files.
    #[error("the file system of the database cannot lock files")]
    NoLocks,
    /// The operating system could not read or write the file.
    #[error("the database file could not be read or written: {0}")]
    Io(String),
    /// The limit of open files of this process or of the machine is reached.
    #[error("too many files are open")]
    TooManyFiles,
    /// The database needs more memory or time than a process of authctl takes.
    #[error("the database takes more than authctl allows: {0}")]
    TooMuch(&'static str),
    /// The operating system failed in the middle of a commit.
    #[error("the database could not be written to the end, and it is not known whether the change was made: {0}")]
    Uncertain(String),
    /// SQLite found damage.
    #[error("the database file is damaged: {0}")]
    Corrupt(String),
    /// A row that makes no sense.
    #[error("row {row} of table {table} makes no sense: column {column} {problem}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        /// Its id, as far as it could be read.
        row: String,
        /// What is wrong with the value, without the value.
        problem: String,
    },
    /// An entry of the audit log has the highest number that there is.
    #[error("the audit log is damaged: no entry can follow entry {0}, which authctl did not write")]
    LogFull(u64),
    /// The database is an app's, and something in it makes writing there unsafe.
    #[error("nothing is written to this app's database: {}", .0.problem)]
    NotOurs(WriteBlocker),
    /// The app of a database does not know what was to be written.
    #[error("the database has no column {column} in its table {table}: its app knows no such thing")]
    NoColumn { table: &'static str, column: &'static str },
    /// The caller whom [`super::Store::require_caller`] names is not signed in.
    #[error(transparent)]
    Caller(Box<AuthError>),
    /// Another row has the same value in a unique column. Names the columns as the database does.
    #[error("the database engine failed: UNIQUE constraint failed: {0}")]
    NotUnique(String),
    /// Anything else the engine said.
    #[error("the database engine failed: {0}")]
    Engine(String),
}
