//! How the memory fails, in the rules' words; the engine's own words are told only where nothing
//! better is known.

use super::app::WriteBlocker;
use crate::auth::AuthError;

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
        /// Table.
        table: &'static str,
        /// Column.
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
    NoColumn {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// The caller whom [`super::Store::require_caller`] names is not signed in.
    #[error(transparent)]
    Caller(Box<AuthError>),
    /// Anything else the engine said.
    #[error("the database engine failed: {0}")]
    Engine(String),
}
