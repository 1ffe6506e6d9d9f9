//! A consistent copy of a database in use. It copies the pages of one read transaction, and not the bytes of
//! the file, which lack what is in the log.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension as _};

use super::connect::{Connected, connect, schema_version};
use super::engine::{Sqlite, SqliteTx};
use super::error::SqliteResult as _;
use super::integrity;
use super::lock::Lock;
use super::open::refuse_unsafe_place;
use super::preflight::{self, Checked};
use super::staging::StagedFile;
use crate::auth::storage::{BackupSummary, StoreError};
use crate::store::engine::Engine as _;
use crate::store::mapping::NATIVE;
use crate::store::sql::rows::count;
use crate::store::{CopyError, OpenError};

/// Copies every page in one step: one state of the database, without making a writer wait.
pub(super) const ALL_PAGES: i32 = -1;

impl Sqlite {
    /// Copies the database to a new private file and reads the copy back.
    ///
    /// # Errors
    /// [`CopyError`]. There is no file at `to`.
    pub fn backup(&mut self, to: &Path) -> Result<BackupSummary, CopyError> {
        let path = &self.path().to_owned();
        let wait = self.wait();
        let failed = |source| failed(path, source);
        // One copy at a time, and none while the database is migrated or restored.
        let _lock = Lock::take(path, wait)?;
        // The snapshot that is counted is the one that is copied.
        let snapshot = self.connection().unchecked_transaction().engine().map_err(failed)?;
        let wanted = read(&snapshot).map_err(failed)?;
        copy(&snapshot, to, wait, |copied| {
            if let Some(problem) = integrity::damage(copied).map_err(failed)?.into_iter().next() {
                return Err(CopyError::Damaged { path: path.into(), problem });
            }
            let found = read(copied).map_err(failed)?;
            if found == wanted { Ok(()) } else { Err(CopyError::Differs(to.into())) }
        })?;
        Ok(wanted)
    }
}

/// Summarises a database that may be damaged; `None` when it cannot be read.
pub fn contents(path: &Path, wait: Duration) -> Option<BackupSummary> {
    let file = preflight::inspect_own(path).ok()?;
    connect(file, wait).and_then(|connection| read(&connection)).ok()
}

/// Copies a database, damaged or not, to a new file.
pub(super) fn copy(
    source: &Connection,
    to: &Path,
    wait: Duration,
    check: impl FnOnce(&Connection) -> Result<(), CopyError>,
) -> Result<(), CopyError> {
    if to.symlink_metadata().is_ok() {
        return Err(CopyError::Exists(to.into()));
    }
    refuse_unsafe_place(to).map_err(|error| match error {
        OpenError::CannotCreate { path, source } => CopyError::CannotWrite { path, source },
        error => error.into(),
    })?;
    let cannot_write = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(to.into()),
        _ => CopyError::CannotWrite { path: to.into(), source },
    };
    let failed = |source| failed(to, source);
    let (building, file) = StagedFile::begin(to).map_err(cannot_write)?;
    let copied = fill(file, source, wait).map_err(failed)?;
    check(&copied)?;
    let file = copied.close().map_err(failed)?;
    building.finish(&file).map_err(cannot_write)
}

fn fill(file: Checked, source: &Connection, wait: Duration) -> Result<Connected, StoreError> {
    let mut copied = connect(file, wait)?;
    transfer(source, &mut copied)?;
    // Without WAL mode the copy is a single file, which SQLite can open on a read-only medium.
    match copied.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).engine() {
        // SQLite reads the schema first. The copy of a damaged database keeps its journal mode.
        Ok(()) | Err(StoreError::Corrupt(_)) => Ok(copied),
        Err(error) => Err(error),
    }
}

/// Copies all pages to a new database. An interrupted copy is deleted, so its journal need not survive.
pub(super) fn transfer(source: &Connection, target: &mut Connection) -> Result<(), StoreError> {
    target.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine()?;
    step(&Backup::new(source, target).engine()?, ALL_PAGES)
}

/// Copies the next pages. If another process blocks it for longer than the wait, the database is busy.
pub(super) fn step(copying: &Backup<'_, '_>, pages: i32) -> Result<(), StoreError> {
    match copying.step(pages).engine()? {
        StepResult::Done => Ok(()),
        StepResult::More if pages == 0 => Ok(()),
        _ => Err(StoreError::Busy),
    }
}

pub(super) fn failed(path: &Path, source: StoreError) -> CopyError {
    match source {
        StoreError::Corrupt(problem) => CopyError::Damaged { path: path.into(), problem },
        source => CopyError::Store { path: path.into(), source },
    }
}

/// Counts users, sessions and log entries. A database of a first release has no audit log.
pub(super) fn read(connection: &Connection) -> Result<BackupSummary, StoreError> {
    let has_log = connection.table_exists(None, "authctl_audit").engine()?;
    let newest = if has_log {
        connection
            .query_row(r#"SELECT "seq", "hash" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1"#, [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?))
            })
            .optional()
            .engine()?
    } else {
        None
    };
    let (entries, head) = newest.unwrap_or_default();
    Ok(BackupSummary {
        schema_version: schema_version(connection).engine()?,
        users: count(&mut SqliteTx::new(connection), &NATIVE, "user")?,
        sessions: count(&mut SqliteTx::new(connection), &NATIVE, "session")?,
        entries: entries.unsigned_abs(),
        head,
    })
}
