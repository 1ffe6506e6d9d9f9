//! Makes a database.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::connect::connect;
use super::error::SqliteResult as _;
use super::lock::Lock;
use super::migrate;
use super::preflight::{self, Checked};
use super::staging::Unfinished;
use crate::auth::storage::StoreError;
use crate::store::OpenError;

/// Makes a database at an absolute path whose directory exists.
///
/// # Errors
/// [`OpenError::Exists`] when there is one already, also when another process made it while this
/// one waited.
pub fn create(path: &Path, wait: Duration) -> Result<(), OpenError> {
    build(path, wait, |connection| {
        migrate::run(connection)?;
        // Persistent: with a log, readers and a writer do not wait for each other.
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()
    })
}

/// Builds a database whole under another name, then gives it its own.
pub(in crate::store) fn build(
    path: &Path,
    wait: Duration,
    make_tables: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), OpenError> {
    let _lock = claim(path, wait)?;
    let (building, file) = Unfinished::begin(path).map_err(|source| cannot_create(path, source))?;
    let file = write(file, wait, make_tables).map_err(|source| OpenError::Store { path: path.into(), source })?;
    building.finish(&file).map_err(|source| cannot_create(path, source))
}

/// Takes the right to make a database at a place that is safe and where there is none.
pub(super) fn claim(path: &Path, wait: Duration) -> Result<Lock, OpenError> {
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    refuse_unsafe_place(path)?;
    let lock = Lock::take(path, wait)?;
    if path.symlink_metadata().is_ok() {
        return Err(OpenError::Exists(path.into()));
    }
    Ok(lock)
}

/// Refuses a directory that is missing or where others may write.
pub(super) fn refuse_unsafe_place(path: &Path) -> Result<(), OpenError> {
    let me = rustix::process::geteuid().as_raw();
    match preflight::refuse_unsafe_directory(path, me) {
        Err(OpenError::Unreadable { path: directory, source }) if source.kind() == io::ErrorKind::NotFound => {
            let reason = format!("the directory {} does not exist", directory.display());
            Err(cannot_create(path, io::Error::new(io::ErrorKind::NotFound, reason)))
        }
        checked => checked,
    }
}

/// Something of that name may have come by another hand than authctl's.
pub(super) fn cannot_create(path: &Path, source: io::Error) -> OpenError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists(path.into()),
        _ => OpenError::CannotCreate { path: path.into(), source },
    }
}

fn write(
    file: Checked,
    wait: Duration,
    make_tables: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<Checked, StoreError> {
    let mut connection = connect(file, wait)?;
    // A build that is interrupted is thrown away, so its journal need not survive.
    connection.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine()?;
    make_tables(&mut connection)?;
    connection.close()
}
