//! A consistent copy of a database while others use it: pages as they stand in one read transaction,
//! never the bytes of the file, which lack what is still in the log.

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

/// Every page at once: one state of the database, without making a writer wait.
pub(super) const ALL_PAGES: i32 = -1;

impl Sqlite {
    /// Copies the database to a new file, private and in one piece, and reads the copy back.
    ///
    /// # Errors
    /// [`CopyError`]; there is no new file at `to` then.
    pub fn backup(&mut self, to: &Path) -> Result<BackupSummary, CopyError> {
        let path = &self.path().to_owned();
        let wait = self.wait();
        let failed = |source| failed(path, source);
        // One copy of a database at a time, and none while it is migrated or restored.
        let _lock = Lock::take(path, wait)?;
        // What is counted is what is copied, whatever is written meanwhile.
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

/// What a database holds that perhaps cannot be used; `None` when that cannot be read.
pub fn contents(path: &Path, wait: Duration) -> Option<BackupSummary> {
    let file = preflight::inspect_own(path).ok()?;
    connect(file, wait).and_then(|connection| read(&connection)).ok()
}

/// Copies what is there, sound or not, to a new file that is whole or not there.
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
    // One file that needs no log beside it: it can lie on a medium that nobody can write.
    match copied.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).engine() {
        // SQLite reads the schema first. A copy with the damage of its source keeps the mode of it too.
        Ok(()) | Err(StoreError::Corrupt(_)) => Ok(copied),
        Err(error) => Err(error),
    }
}

/// Copies all pages to a database that nobody else knows yet. An interrupted copy is thrown away, so its
/// journal need not survive.
pub(super) fn transfer(source: &Connection, target: &mut Connection) -> Result<(), StoreError> {
    target.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).engine()?;
    step(&Backup::new(source, target).engine()?, ALL_PAGES)
}

/// Goes on with a copy as far as told; whoever is in the way after the wait makes the database busy.
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

/// Counts what is there. A database of a first release has no audit log.
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
