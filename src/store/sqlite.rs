//! The SQLite engine: makes, opens, checks, locks, migrates, backs up and restores database files.

mod backup;
pub(in crate::store) mod catalog;
mod checks;
mod claims;
pub(in crate::store) mod connect;
mod convert;
pub(in crate::store) mod definition;
pub(in crate::store) mod description;
mod descriptors;
pub(in crate::store) mod engine;
pub(in crate::store) mod error;
mod import;
mod integrity;
mod keys;
mod migrate;
mod permissions;
mod preflight;
mod repair;
mod search;
mod staging;
pub(in crate::store) mod unwritable_state;

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;
use super::better_auth::{self, AppFile, SchemaOverrides};
use super::engine::{Tx, WriteTx as _};
use super::mapping::NATIVE;
use super::sql::SqlStore;
use crate::auth::storage::StoreError;
use connect::{connect, connect_to_read, schema_version};
use engine::{SqliteTx, WRITER_SETTINGS};
use error::SqliteResult as _;
use preflight::{Checked, Kind};
use staging::{Lock, StagedFile};

pub use super::Opened;
pub use super::better_auth::{Adapter, ColumnNames, Conversion, Converted, TimeUnit, create_for_app};
pub use backup::{Additions, Ended, Examined, RestoreOptions, Restored, contents, examine, restore};
pub use convert::{ConvertOptions, convert, open_to_convert, plan_conversion, remove_log};
pub use engine::Sqlite;
pub use import::SqliteStage;
pub use migrate::{LATEST, MIGRATIONS, migrate};
pub use permissions::{InsecurePath, insecure, is_open_to_all, tighten, unreliable_file_system};
pub use preflight::require_own;
pub use search::FILL_SEARCH;
#[cfg(test)]
pub(in crate::store) use {engine::DIALECT, migrate::plan, search::fill as fill_search};

impl Sqlite {
    /// The store of a database that authctl made.
    pub fn into_store(self) -> SqlStore {
        SqlStore::native(self, NATIVE)
    }
}

/// Opens an existing database at an absolute path. An older schema of authctl is migrated. An app's database
/// is recognised with the help of overrides, and stays as it is.
///
/// `wait` is how long to wait for other processes, here and in every later act.
///
/// # Errors
/// [`OpenError`]. The file is unchanged.
pub fn open(path: &Path, wait: Duration, overrides: &SchemaOverrides) -> Result<Opened, OpenError> {
    let file = preflight::inspect(path)?;
    if file.kind() == Kind::Other {
        return open_app(file, path, wait, overrides);
    }
    match open_checked(file, wait) {
        // A conversion is in the log still.
        Err(OpenError::NotOwn(_)) => open_app(preflight::inspect(path)?, path, wait, overrides),
        opened => Ok(Opened::Own(opened?.into_store())),
    }
}

fn open_app(file: Checked, path: &Path, wait: Duration, overrides: &SchemaOverrides) -> Result<Opened, OpenError> {
    let failed = |source| OpenError::Store { path: path.into(), source };
    let owner = file.owner();
    let unsafe_place = preflight::unsafe_directory(path, owner)?;
    // To read, SQLite replays no journal that another user may have planted.
    let may_write = rustix::process::geteuid().as_raw() == owner && unsafe_place.is_none();
    // Of an app that was killed. SQLite makes an empty one to read, and removes it at the end.
    let has_log = preflight::has_log(path);
    let connection = if may_write { connect(file, wait) } else { connect_to_read(file, wait) }.map_err(failed)?;
    if connect::is_own(&connection).engine().map_err(failed)? && may_write {
        // SQLite has just undone a conversion that was interrupted.
        drop(connection);
        return open_own(path, wait).map(|engine| Opened::Own(engine.into_store()));
    }
    if has_log {
        connection.keep_log(true).engine().map_err(failed)?;
    }
    better_auth::recognise(connection, path, AppFile { owner, unsafe_place }, wait, overrides).map(Opened::Guest)
}

/// Opens a database to read a few rows for the completion of a shell. It migrates nothing, and makes no state about an app.
///
/// # Errors
/// [`OpenError`], also for a database of authctl's own with a newer schema.
pub fn open_to_complete(path: &Path, wait: Duration, overrides: &SchemaOverrides) -> Result<SqlStore, OpenError> {
    let file = preflight::inspect(path)?;
    let failed = |source| OpenError::Store { path: path.into(), source };
    if file.kind() == Kind::Own {
        let connection = connect_to_read(file, wait).map_err(failed)?;
        let found = schema_version(&connection).engine().map_err(failed)?;
        // Every older schema has the columns that are completed.
        return if found <= migrate::LATEST {
            Ok(Sqlite::own(connection, wait).into_store())
        } else {
            Err(OpenError::Newer { path: path.into(), found, known: migrate::LATEST })
        };
    }
    match open_app(file, path, wait, overrides)? {
        Opened::Own(store) => Ok(store),
        Opened::Guest(app) => app.to_complete(wait),
    }
}

/// Opens a database that authctl made.
///
/// # Errors
/// As for [`open`]; [`OpenError::NotOwn`] if authctl did not make the database.
pub fn open_own(path: &Path, wait: Duration) -> Result<Sqlite, OpenError> {
    open_checked(preflight::inspect_own(path)?, wait)
}

fn open_checked(file: Checked, wait: Duration) -> Result<Sqlite, OpenError> {
    let path = &file.path().to_owned();
    let failed = |source| OpenError::Store { path: path.into(), source };
    let connection = connect(file, wait).map_err(failed)?;
    if !connect::is_own(&connection).engine().map_err(failed)? {
        return Err(OpenError::NotOwn(path.into()));
    }
    let found = schema_version(&connection).engine().map_err(failed)?;
    if found > migrate::LATEST {
        return Err(OpenError::Newer { path: path.into(), found, known: migrate::LATEST });
    }
    let mut engine = Sqlite::own(connection, wait);
    if found < migrate::LATEST {
        migrate::bring_up_to_date(engine.connection(), path, wait)?;
    }
    Ok(engine)
}

/// Makes a database at an absolute path whose directory exists.
///
/// # Errors
/// [`OpenError::Exists`] when the file exists, also if another process made it during the wait.
pub fn create(path: &Path, wait: Duration) -> Result<(), OpenError> {
    build(path, wait, |connection| {
        migrate::run(connection)?;
        // The mode is stored in the file. In WAL mode readers and a writer do not wait for each other.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()
    })
}

/// Makes a database as [`create`] does, with the rows that `fill` writes. It has the file name when it is complete.
///
/// # Errors
/// As for [`create`], and those of `fill`. There is no database then.
pub(in crate::store) fn create_with<T, E: From<OpenError> + From<StoreError>>(
    path: &Path,
    wait: Duration,
    fill: impl FnOnce(&mut dyn Tx) -> Result<T, E>,
) -> Result<T, E> {
    let fill = |connection: &mut Connection| {
        migrate::run(connection)?;
        connection.execute_batch(WRITER_SETTINGS).engine()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).engine()?;
        let mut tx = SqliteTx::new(transaction);
        let filled = fill(&mut tx)?;
        Box::new(tx).commit().map_err(|error| match error {
            // The file has no name yet.
            StoreError::Uncertain(problem) => StoreError::Io(problem),
            error => error,
        })?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()?;
        Ok(filled)
    };
    build_as(path, wait, fill, E::from)
}

/// Requires that nothing has the name of a new database, in a safe directory.
///
/// # Errors
/// As for [`create`].
pub(in crate::store) fn require_vacant(path: &Path) -> Result<(), OpenError> {
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    refuse_unsafe_place(path)
}

/// Builds a complete database under a temporary name and renames it.
pub(in crate::store) fn build(
    path: &Path,
    wait: Duration,
    make_tables: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Store { path: path.into(), source };
    build_as(path, wait, |connection| make_tables(connection).map_err(failed), failed)
}

/// As [`build`], with the errors of another act.
fn build_as<T, E: From<OpenError>>(
    path: &Path,
    wait: Duration,
    write: impl FnOnce(&mut Connection) -> Result<T, E>,
    failed: impl Fn(StoreError) -> E,
) -> Result<T, E> {
    let _lock = claim(path, wait)?;
    let (building, file) = StagedFile::begin(path).map_err(|source| cannot_create(path, source))?;
    let mut connection = connect(file, wait).map_err(&failed)?;
    // An interrupted build is deleted, so its journal need not survive.
    connection.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine().map_err(&failed)?;
    let written = write(&mut connection)?;
    let file = connection.close().map_err(&failed)?;
    building.finish(&file).map_err(|source| cannot_create(path, source))?;
    Ok(written)
}

/// Takes the lock to make a database in a safe directory where it does not exist.
fn claim(path: &Path, wait: Duration) -> Result<Lock, OpenError> {
    require_vacant(path)?;
    let lock = Lock::take(path, wait)?;
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    Ok(lock)
}

/// Refuses a directory that is missing or writable for others.
fn refuse_unsafe_place(path: &Path) -> Result<(), OpenError> {
    let me = rustix::process::geteuid().as_raw();
    match preflight::refuse_unsafe_directory(path, me) {
        Err(OpenError::Unreadable { path: directory, source }) if source.kind() == io::ErrorKind::NotFound => {
            let reason = format!("the directory {} does not exist", directory.display());
            Err(cannot_create(path, io::Error::new(io::ErrorKind::NotFound, reason)))
        }
        checked => checked,
    }
}

/// Converts an error of the operating system. Another program may have created the file.
fn cannot_create(path: &Path, source: io::Error) -> OpenError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists(path.into()),
        _ => OpenError::CannotCreate { path: path.into(), source },
    }
}
