//! Storage: the port [`crate::auth::storage::Store`] in SQL, on a database *engine* and a *mapping*, which says what
//! tables and columns are called and how values are encoded. It decides nothing: rules that must run inside a
//! transaction are functions of `auth` that the acts call.

mod better_auth;
#[cfg(test)]
mod contract;
mod engine;
mod mapping;
pub mod postgres;
mod sql;
pub mod sqlite;
pub mod transfer;

pub use better_auth::{GuestDatabase, SchemaOverrides};
pub use sql::{SqlStore, State};

use crate::auth::storage::StoreError;
use std::path::PathBuf;

/// An open database.
#[derive(Debug)]
pub enum Opened {
    /// Made by authctl.
    Own(SqlStore),
    /// Made by a Better Auth app.
    Guest(GuestDatabase),
}

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The schema versions before and after.
    pub from: u32,
    pub to: u32,
    /// Tables, columns, indexes, constraints and triggers that another program had removed, by kind and name.
    pub restored: Vec<String>,
}

/// Reasons why a database cannot be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The database was to be created.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The path is a directory, pipe or device.
    #[error("{} is {kind}, not a file", path.display())]
    NotAFile {
        path: PathBuf,
        /// Its type with an article, such as `a directory`.
        kind: &'static str,
    },
    /// The file has no bytes. Another program may be about to fill it.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    #[error("{} is not an SQLite database", .0.display())]
    NotSqlite(PathBuf),
    /// A database on a server, shown without its password.
    #[error("{0} cannot be opened: authctl opens SQLite files and PostgreSQL databases")]
    NoEngine(String),
    #[error(transparent)]
    Server(Box<postgres::ServerError>),
    #[error("{} belongs to another program", .0.display())]
    Foreign(PathBuf),
    /// A database of another program, where only a native one is accepted.
    #[error("{} was not made by authctl", .0.display())]
    NotOwn(PathBuf),
    /// The tables are those of Better Auth, but an essential column is missing.
    #[error("{} is no Better Auth database that can be used: {problem}", path.display())]
    Lacking { path: PathBuf, problem: String, remedy: String },
    /// Tables of Better Auth have other names.
    #[error("{} cannot be used as it is: {problem}", path.display())]
    Renamed { path: PathBuf, problem: String, remedy: String },
    #[error("{} can be read in two ways: {problem}", path.display())]
    Ambiguous { path: PathBuf, problem: String, remedy: String },
    /// The `--schema` file is about another database, or contradicts itself or the address.
    #[error("the --schema file does not fit {}: {problem}", path.display())]
    Misfit { path: PathBuf, problem: String, remedy: String },
    /// A later version of authctl has migrated the database.
    #[error("{} has schema version {found}; this authctl knows versions up to {known}", path.display())]
    Newer {
        path: PathBuf,
        found: u32,
        /// The newest version that this authctl knows.
        known: u32,
    },
    /// The file is shorter than its header says.
    #[error("{} is cut off: {bytes} bytes of {expected} are there", path.display())]
    Truncated {
        path: PathBuf,
        bytes: u64,
        /// The size in the header.
        expected: u64,
    },
    /// Other users can change or read the file.
    #[error("{} is not safe to use: {problem}", path.display())]
    Unsafe { path: PathBuf, problem: String, remedy: String },
    /// The list of migrations in the database is not one that authctl wrote.
    #[error("{} has a damaged list of migrations: {problem}", path.display())]
    History { path: PathBuf, problem: String },
    #[error("{} cannot be opened", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be made", path.display())]
    CannotCreate { path: PathBuf, source: std::io::Error },
    /// Another process creates or migrates the database and did not finish within the wait.
    #[error("{} is being made or migrated by another process", .0.display())]
    Locked(PathBuf),
    #[error("{} cannot be opened", path.display())]
    Store { path: PathBuf, source: StoreError },
}

impl From<postgres::ServerError> for OpenError {
    fn from(error: postgres::ServerError) -> Self {
        Self::Server(error.into())
    }
}

/// Reasons why a database cannot be backed up, restored or converted.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("{} cannot be written", path.display())]
    CannotWrite { path: PathBuf, source: std::io::Error },
    #[error("{} is damaged: {problem}", path.display())]
    Damaged { path: PathBuf, problem: String },
    /// The copy was read back and differs from the original.
    #[error("the copy {} does not hold what it must", .0.display())]
    Differs(PathBuf),
    /// The backup is restored, but the database cannot be read to verify it.
    #[error("the backup is restored, but {} could not be read back", path.display())]
    NotReadBack { path: PathBuf, source: Box<CopyError> },
    #[error("{} is the database itself", .0.display())]
    Same(PathBuf),
    /// SQLite restores only a backup with the page size of the database.
    #[error("{} was made with another page size than the database has", .0.display())]
    PageSize(PathBuf),
    #[error("{} cannot be copied", path.display())]
    Store { path: PathBuf, source: StoreError },
    /// The copy is made, and the act for which it was made failed.
    #[error(transparent)]
    Act(StoreError),
}
