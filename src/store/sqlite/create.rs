//! Makes a database.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::connect::connect;
use super::engine_error::Engine as _;
use super::lock::{Lock, beside};
use super::{file, migrate, unfinished};
use crate::auth::store::StoreError;
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
pub(super) fn build(
    path: &Path,
    wait: Duration,
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), OpenError> {
    let _lock = claim(path, wait)?;
    let building = beside(path, ".", ".new");
    let made = unfinished::begin(&building)
        .map_err(|source| cannot_create(path, source))
        .and_then(|()| write(&building, wait, fill).map_err(|source| OpenError::Store { path: path.into(), source }))
        .and_then(|()| unfinished::finish(&building, path).map_err(|source| cannot_create(path, source)));
    made.inspect_err(|_| {
        // Whatever stands there is of no use to anybody; the next attempt would remove it as well.
        unfinished::remove(&building);
    })
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
    match file::refuse_unsafe_directory(path, me) {
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
    building: &Path,
    wait: Duration,
    fill: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut connection = connect(building, wait)?;
    // A build that is interrupted is thrown away, so its journal need not survive.
    connection.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine()?;
    fill(&mut connection)?;
    connection.close().map_err(|(_, error)| error).engine()
}
