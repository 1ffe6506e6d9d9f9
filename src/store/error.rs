//! Why a database cannot be opened or made: each reason its own, because each wants another remedy.

use std::path::PathBuf;

use crate::auth::storage::StoreError;

/// Why a database cannot be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// There is a file already, and it was asked to be made.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A directory, pipe or device.
    #[error("{} is {kind}, not a file", path.display())]
    NotAFile {
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// A file of no bytes: perhaps one that another program is about to fill.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// Something else than SQLite.
    #[error("{} is not an SQLite database", .0.display())]
    NotSqlite(PathBuf),
    /// A database on a server of a kind that authctl has no engine for. Names it without its password.
    #[error("{0} cannot be opened: this authctl opens SQLite files only")]
    NoEngine(String),
    /// Another program's database.
    #[error("{} belongs to another program", .0.display())]
    Foreign(PathBuf),
    /// Another program's database, where only one of our own will do.
    #[error("{} was not made by authctl", .0.display())]
    NotOwn(PathBuf),
    /// Something like a Better Auth database, without a column that everything rests on.
    #[error("{} is no Better Auth database that can be used: {problem}", path.display())]
    Lacking {
        path: PathBuf,
        /// What it lacks.
        problem: String,
    },
    /// A Better Auth database that can be read in two ways.
    #[error("{} can be read in two ways: {problem}", path.display())]
    Ambiguous { path: PathBuf, problem: String },
    /// Made by a later authctl.
    #[error("{} has schema version {found}; this authctl knows versions up to {known}", path.display())]
    Newer {
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Pages are missing at the end.
    #[error("{} is cut off: {bytes} bytes of {expected} are there", path.display())]
    Truncated {
        path: PathBuf,
        /// Size of the file.
        bytes: u64,
        /// Size that its header names.
        expected: u64,
    },
    /// Somebody else can change or read the file.
    #[error("{} is not safe to use: {problem}", path.display())]
    Unsafe {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// The list of migrations in the database is not one that authctl wrote.
    #[error("{} has a damaged list of migrations: {problem}", path.display())]
    History {
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The operating system said no while reading.
    #[error("{} cannot be opened", path.display())]
    Unreadable {
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The operating system said no while making the file.
    #[error("{} cannot be made", path.display())]
    CannotCreate {
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Another process is making or migrating the database and did not finish within the wait.
    #[error("{} is being made or migrated by another process", .0.display())]
    Locked(PathBuf),
    /// The engine failed.
    #[error("{} cannot be opened", path.display())]
    Store {
        path: PathBuf,
        /// How.
        source: StoreError,
    },
}

/// Why a database cannot be backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database or the backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is a file already where the copy would be.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The operating system said no while writing the copy.
    #[error("{} cannot be written", path.display())]
    CannotWrite {
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// What would be copied is damaged.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The copy is not what was copied.
    #[error("the copy {} does not hold what it must", .0.display())]
    Differs(PathBuf),
    /// The backup is in place; what is there now could not be read.
    #[error("the backup is restored, but {} could not be read back", path.display())]
    NotReadBack {
        /// The database.
        path: PathBuf,
        /// Why not.
        source: Box<CopyError>,
    },
    /// A database cannot be replaced by itself.
    #[error("{} is the database itself", .0.display())]
    Same(PathBuf),
    /// The pages of the backup do not fit the database that is there.
    #[error("{} was made with another page size than the database has", .0.display())]
    PageSize(PathBuf),
    /// The engine failed.
    #[error("{} cannot be copied", path.display())]
    Store {
        /// From or to where.
        path: PathBuf,
        /// How.
        source: StoreError,
    },
}
