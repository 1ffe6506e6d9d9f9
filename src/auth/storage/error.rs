//! Errors of storage.

use super::guest::{NoState, UnsafePlace, WriteBlocker};
use super::refusals::{BrokenKey, Constraint, Holder, broken, correction, held, release};
use crate::auth::AuthError;

/// The most foreign keys that an act follows from one table in one query. Keys of tables that no other table refers to
/// do not count.
pub const FOLLOWED_MAX: usize = 300;

/// Storage errors.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has the address.
    #[error("the email address is taken")]
    EmailTaken,
    /// A list cannot begin after this place: the user of [`super::UserQuery::after`] no longer exists, or the text of
    /// [`super::SessionQuery::after`] is no place. Holds what is listed.
    #[error("the {0} after which the page begins does not exist")]
    NoSuchPlace(&'static str),
    /// Another process locked the database for longer than the wait.
    #[error("the database is busy: another process is writing to it")]
    Busy,
    /// Other processes changed what the transaction had read, in every retry.
    #[error("the database is busy: other processes change the same rows")]
    Conflict,
    #[error("the database is read-only")]
    ReadOnly,
    /// A replica, or a server or role whose transactions are read-only. Nothing was changed.
    #[error("the database can only be read on this server")]
    ReadOnlyServer,
    #[error("the file system of the database is full")]
    Full,
    /// The limit of the process or of the file system.
    #[error("a file of the database would be larger than the limit of file sizes")]
    TooLarge,
    #[error("the disk quota on the file system of the database is used up")]
    Quota,
    #[error("the file system of the database cannot lock files")]
    NoLocks,
    #[error("the database file could not be read or written: {0}")]
    Io(String),
    /// The limit of open files of this process or of the machine is reached.
    #[error("too many files are open")]
    TooManyFiles,
    /// The limits of memory and time of a process of authctl.
    #[error("the database takes more than authctl allows: {0}")]
    TooMuch(&'static str),
    /// A server ended a statement.
    #[error("the server ended a statement that took longer than statement_timeout allows, or that was canceled")]
    Canceled,
    /// A commit failed in the middle.
    #[error("the database could not be written to the end, and it is not known whether the change was made: {0}")]
    Uncertain(String),
    /// The connection to a server ended in the middle of a commit.
    #[error(
        "the connection to the database broke during the commit, and it is not known whether the change was made: {0}"
    )]
    Unanswered(String),
    /// The connection to a server ended before a commit, so that nothing was changed.
    #[error("the connection to the database broke: {0}")]
    Disconnected(String),
    /// A pooler before the server gives each statement another session. Nothing was changed.
    #[error("the pooler of the server allows no transactions, because it pools statements")]
    NoTransactions,
    /// The role of the connection lacks a right. Holds the words of the server.
    #[error("the role may not do this in the database: {0}")]
    Denied(String),
    /// The engine found damage.
    #[error("the database file is damaged: {0}")]
    Corrupt(String),
    /// A table of authctl's own, which another program removed.
    #[error("another program removed authctl's table {0} from the database")]
    Incomplete(String),
    /// The tables on a server are not those that authctl made, or that it found when it opened the database.
    #[error("the tables of the database are not as authctl knows them: {0}")]
    SchemaChanged(String),
    /// A conversion that ended while this process waited for its turn.
    #[error("another process has just turned the database into one of a Better Auth app")]
    Converted,
    /// A row has an invalid value.
    #[error("row {row} of table {table} makes no sense: column {column} {problem}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        /// The id, as far as it could be read.
        row: String,
        /// Does not quote the value.
        problem: String,
    },
    /// An act about a row that has no id. Holds the column with its table, in the names of the database.
    #[error(
        "nothing can be done about {row}: {place} of the row is null or not valid UTF-8, and acts find a row by its id"
    )]
    NoId {
        place: String,
        /// What else is known of the row.
        row: String,
    },
    /// The newest entry of the audit log has the highest possible number.
    #[error("the audit log is damaged: no entry can follow entry {0}, which authctl did not write")]
    LogFull(u64),
    /// What the act must write to the app's database is not written.
    #[error("{0}")]
    NotOurs(WriteBlocker),
    /// A table with a column whose encoding is to be decided by all of its values before it is written. The store decides
    /// it and runs the act again, so that no caller meets this.
    #[error("the encoding of a column of the table {0} is not decided")]
    Unsettled(&'static str),
    /// Others can replace the app's database. The message is that of a native database in such a directory.
    #[error("{0}")]
    Unsafe(UnsafePlace),
    /// Nothing is written to an app's database without an entry of the audit log.
    #[error("nothing is written to this app's database: {0}")]
    NoState(NoState),
    /// The app's database cannot store the value.
    #[error("the database has no column {column} in its table {table}: its app knows no such thing")]
    NoColumn { table: String, column: String, remedy: String },
    /// Rows of the app refer to the row to delete, and its foreign keys keep them.
    #[error("{}", held(.0))]
    Held(Vec<Holder>),
    /// So many tables refer to each other that authctl does not find all rows that go with one of the table.
    #[error("more than {FOLLOWED_MAX} foreign keys lead to the table {0} through others, and authctl follows no more")]
    TooManyKeys(String),
    /// Foreign keys of the app that cannot work keep the database from running the statement.
    #[error("the database refuses this: {}", broken(.0))]
    BrokenKeys(Vec<BrokenKey>),
    /// A trigger of the app refuses the change. Holds its words.
    #[error("the database refuses this: {0}")]
    Trigger(String),
    /// An index, constraint or column needs a function or collation that the app registers. Holds the engine's words.
    #[error("the app's schema uses a function or collation that only the app has: {0}")]
    OnlyTheApps(String),
    /// The caller of [`super::Store::require_caller`] is not signed in.
    #[error(transparent)]
    Caller(Box<AuthError>),
    /// Another row has the same value in a unique column. Holds the names of the columns in the database.
    #[error("the database refuses this: another row has the same value in {0}")]
    NotUnique(String),
    /// A constraint of the schema refuses the change: authctl's own tables have none that its acts meet.
    #[error("the database refuses this: {0}")]
    Constraint(Constraint),
    /// Another error of the engine.
    #[error("the database engine failed: {0}")]
    Engine(String),
}

impl StoreError {
    /// What the caller can do about rows and foreign keys of the app that are in the way; empty for other errors.
    pub fn way_out(&self) -> String {
        match self {
            Self::Held(holders) => release(holders),
            Self::BrokenKeys(keys) => correction(keys),
            _ => String::new(),
        }
    }

    /// Whether the act that failed may have been committed all the same. An error of the operating system in the middle
    /// of a commit does not tell.
    pub fn may_be_committed(&self) -> bool {
        match self {
            Self::Uncertain(_)
            | Self::Unanswered(_)
            | Self::Io(_)
            | Self::Full
            | Self::TooLarge
            | Self::Quota
            | Self::TooManyFiles
            | Self::NoLocks
            | Self::ReadOnly
            | Self::Corrupt(_)
            | Self::Engine(_) => true,
            Self::EmailTaken
            | Self::NoSuchPlace(_)
            | Self::Busy
            | Self::Conflict
            | Self::Disconnected(_)
            | Self::ReadOnlyServer
            | Self::NoTransactions
            | Self::Denied(_)
            | Self::TooMuch(_)
            | Self::Canceled
            | Self::SchemaChanged(_)
            | Self::Inconsistent { .. }
            | Self::NoId { .. }
            | Self::LogFull(_)
            | Self::NotOurs(_)
            | Self::Unsettled(_)
            | Self::NoState(_)
            | Self::Unsafe(_)
            | Self::NoColumn { .. }
            | Self::Incomplete(_)
            | Self::Converted
            | Self::Held(_)
            | Self::TooManyKeys(_)
            | Self::BrokenKeys(_)
            | Self::Trigger(_)
            | Self::OnlyTheApps(_)
            | Self::Caller(_)
            | Self::NotUnique(_)
            | Self::Constraint(_) => false,
        }
    }
}
