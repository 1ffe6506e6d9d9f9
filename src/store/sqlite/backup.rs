//! Backups of a database in use, and their restoration.
//!
//! A backup copies the pages of one read transaction, and not the bytes of the file, which lack what is in the log.
//! A restoration prepares the new state in a file beside the database, then SQLite copies all its pages in one
//! transaction: a reader sees the old state or the new one, also after a kill. The old state is copied first under
//! the same lock, so that no commit is lost.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension as _};

use super::connect::{Connected, connect, connect_to_replace, schema_version};
use super::engine::{Sqlite, SqliteTx, WRITER_SETTINGS};
use super::error::SqliteResult as _;
use super::preflight::{self, Checked};
use super::staging::{self, Lock, StagedFile};
use super::{cannot_create, claim, integrity, migrate, refuse_unsafe_place, search};
use crate::auth::audit::{Acting, Event, counted};
use crate::auth::storage::{BackupSummary, Depth, Differs, StoreError};
use crate::store::engine::Engine as _;
use crate::store::mapping::{NATIVE, identifier};
use crate::store::sql::rows::count;
use crate::store::sql::{audit, expired};
use crate::store::{CopyError, OpenError};

/// Copies every page in one step: one state of the database, without making a writer wait.
pub(super) const ALL_PAGES: i32 = -1;

impl Sqlite {
    /// Copies the database to a new private file and reads the copy back.
    ///
    /// # Errors
    /// [`CopyError`]. There is no file at `to`.
    pub fn backup(&mut self, to: &Path) -> Result<BackupSummary, CopyError> {
        let (summary, ()) = self.copy_checked(to, |snapshot, wait, check| copy(snapshot, to, wait, check))?;
        Ok(summary)
    }

    /// Copies the database to a file without a name, and reads the copy back. The file is at its first byte and is gone
    /// when it is closed. It takes the space of the database on the same disk, in a directory that is safe.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn backup_nameless(&mut self) -> Result<(BackupSummary, File), CopyError> {
        let path = &self.path().to_owned();
        self.copy_checked(path, |snapshot, wait, check| {
            let (building, file) = stage(snapshot, path, wait, check)?;
            let duplicate =
                file.held().duplicate().map_err(|source| CopyError::CannotWrite { path: path.into(), source });
            // Removes the name.
            drop(building);
            duplicate
        })
    }

    /// Copies one state of the database with `write`, which checks its copy with the function that it gets.
    fn copy_checked<T>(
        &mut self,
        to: &Path,
        write: impl FnOnce(&Connection, Duration, &dyn Fn(&Connection) -> Result<(), CopyError>) -> Result<T, CopyError>,
    ) -> Result<(BackupSummary, T), CopyError> {
        let path = &self.path().to_owned();
        let wait = self.wait();
        let failed = |source| failed(path, source);
        // One copy at a time, and none while the database is migrated or restored.
        let _lock = Lock::take(path, wait)?;
        // The snapshot that is counted is the one that is copied.
        let snapshot = self.connection().unchecked_transaction().engine().map_err(failed)?;
        let wanted = read(&snapshot).map_err(failed)?;
        let written = write(&snapshot, wait, &|copied| {
            if let Some(problem) = integrity::damage(copied, Depth::Quick).map_err(failed)?.into_iter().next() {
                return Err(CopyError::Damaged { path: path.into(), problem });
            }
            let found = read(copied).map_err(failed)?;
            if found == wanted { Ok(()) } else { Err(CopyError::Differs(to.into())) }
        })?;
        Ok((wanted, written))
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
    let (building, file) = stage(source, to, wait, check)?;
    building.finish(&file).map_err(|source| cannot_write(to, source))
}

/// Copies a database to a file with a temporary name beside another one.
fn stage(
    source: &Connection,
    beside: &Path,
    wait: Duration,
    check: impl FnOnce(&Connection) -> Result<(), CopyError>,
) -> Result<(StagedFile, Checked), CopyError> {
    let failed = |source| failed(beside, source);
    let (building, file) = StagedFile::begin(beside).map_err(|source| cannot_write(beside, source))?;
    let copied = fill(file, source, wait).map_err(failed)?;
    check(&copied)?;
    Ok((building, copied.close().map_err(failed)?))
}

fn cannot_write(to: &Path, source: io::Error) -> CopyError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(to.into()),
        _ => CopyError::CannotWrite { path: to.into(), source },
    }
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

/// Counts users, sessions and log entries at one moment, because others may write between two statements. A database of a
/// first release has no audit log.
pub(super) fn read(connection: &Connection) -> Result<BackupSummary, StoreError> {
    let is_alone = connection.is_autocommit();
    let _moment = is_alone.then(|| connection.unchecked_transaction()).transpose().engine()?;
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

#[derive(Debug)]
pub struct RestoreOptions<'a> {
    pub path: &'a Path,
    pub from: &'a Path,
    /// The path of the copy of the old state.
    pub kept: &'a Path,
    /// Whether sessions of the backup stay live. Codes never do.
    pub keep_sessions: bool,
    pub now: Timestamp,
    pub acting: &'a Acting,
    /// How long to wait for other processes.
    pub wait: Duration,
}

#[derive(Debug)]
pub struct Restored {
    /// The contents of the database now.
    pub contents: BackupSummary,
    pub ended: Ended,
    /// Whether there was a database before.
    pub replaced: bool,
    pub additions: Additions,
}

/// What a restoration ended of the backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Live sessions.
    pub sessions: u64,
    /// API tokens.
    pub tokens: u64,
}

impl Ended {
    /// In words, such as `1 session and 2 API tokens`. `session` is the word for a session.
    pub fn in_words(self, session: &str) -> String {
        let sessions = counted(self.sessions, session);
        match self.tokens {
            0 => sessions,
            tokens => format!("{sessions} and {}", counted(tokens, "API token")),
        }
    }
}

/// A backup that can be restored.
#[derive(Debug)]
pub struct Examined {
    pub contents: BackupSummary,
    pub additions: Additions,
}

/// Objects that other programs added to the schema of a backup, each as kind and name: `trigger audit_copy`.
#[derive(Debug, Default)]
pub struct Additions {
    /// Triggers and views, which are not restored.
    pub left_out: Vec<String>,
    /// Tables and indexes, which are restored.
    pub kept: Vec<String>,
}

/// Checks whether a backup can be restored. It changes nothing.
///
/// # Errors
/// [`CopyError`], the reason.
pub fn examine(from: &Path, wait: Duration) -> Result<Examined, CopyError> {
    let connection = connect(preflight::inspect_own(from)?, wait).map_err(|source| failed(from, source))?;
    // All checks read one state of the file.
    let snapshot = connection.unchecked_transaction().engine().map_err(|source| failed(from, source))?;
    check(&snapshot, from)
}

/// Refuses a backup with damage, or whose schema lacks an object. Additions of other programs are no reason
/// to refuse it.
fn check(backup: &Connection, from: &Path) -> Result<Examined, CopyError> {
    let failed = |source| failed(from, source);
    let found = schema_version(backup).engine().map_err(failed)?;
    if found > migrate::LATEST {
        return Err(OpenError::Newer { path: from.into(), found, known: migrate::LATEST }.into());
    }
    let damaged = |problem| CopyError::Damaged { path: from.into(), problem };
    if let Some(problem) = integrity::damage(backup, Depth::Full).map_err(failed)?.into_iter().next() {
        return Err(damaged(problem));
    }
    let mut additions = Additions::default();
    for difference in integrity::differences(backup, found).map_err(failed)? {
        match difference.how {
            // SQLite makes and removes its own indexes with their tables.
            Differs::Unexpected if difference.object.starts_with("index sqlite_autoindex_") => {}
            Differs::Unexpected => match difference.object.split_once(' ') {
                Some(("trigger" | "view", _)) => additions.left_out.push(difference.object),
                _ => additions.kept.push(difference.object),
            },
            // It is made anew in the copy.
            Differs::Stale => {}
            Differs::Missing | Differs::Lost => return Err(damaged(format!("{} is missing", difference.object))),
            Differs::Changed => return Err(damaged(format!("{} is not as authctl made it", difference.object))),
        }
    }
    if let Some(problem) = integrity::history_problem(backup, found) {
        return Err(damaged(format!("its list of migrations is not one that authctl wrote: {problem}")));
    }
    Ok(Examined { contents: read(backup).map_err(failed)?, additions })
}

/// Removes triggers and views: other programs that open the restored database would run them.
fn leave_out(connection: &Connection, additions: &Additions) -> Result<(), StoreError> {
    for object in &additions.left_out {
        let Some((kind, name)) = object.split_once(' ') else { continue };
        // Dropping a view drops its triggers.
        connection.execute_batch(&format!("DROP {kind} IF EXISTS {}", identifier(name))).engine()?;
    }
    Ok(())
}

/// Restores a backup.
///
/// # Errors
/// [`CopyError`]. The database is unchanged, except after [`CopyError::NotReadBack`].
pub fn restore(options: &RestoreOptions<'_>) -> Result<Restored, CopyError> {
    let from = preflight::inspect_own(options.from)?;
    let there = match options.path.symlink_metadata() {
        Ok(_) => Some(preflight::inspect_own(options.path)?),
        Err(_) => None,
    };
    let replaced = there.is_some();
    let _lock = match &there {
        Some(database) if database.held().is_same(from.held()) => return Err(CopyError::Same(options.from.into())),
        Some(_) => Lock::take(options.path, options.wait)?,
        None => claim(options.path, options.wait)?,
    };
    let (building, file) = StagedFile::begin(options.path).map_err(|source| cannot_create(options.path, source))?;
    let (prepared, ended, additions) = prepare(file, from, options)?;
    let wanted = match there {
        Some(database) => replace(&prepared, database, ended, options),
        None => put(prepared, building, ended, options),
    }?;
    let contents = read_back(&wanted, options)?;
    Ok(Restored { contents, ended, replaced, additions })
}

/// Reads the restored database. Other processes may have written to it since.
fn read_back(wanted: &BackupSummary, options: &RestoreOptions<'_>) -> Result<BackupSummary, CopyError> {
    let unread = |source: CopyError| CopyError::NotReadBack { path: options.path.into(), source: Box::new(source) };
    let file = preflight::inspect_own(options.path).map_err(|error| unread(error.into()))?;
    let connection = connect(file, options.wait).map_err(|source| unread(failed(options.path, source)))?;
    let found = read(&connection).map_err(|source| unread(failed(options.path, source)))?;
    if found.entries < wanted.entries || found.head == wanted.head && found != *wanted {
        return Err(unread(CopyError::Differs(options.path.into())));
    }
    // Removes the old state from the log, unless a reader needs it: waiting for readers would block every
    // writer.
    let _ = connection.busy_timeout(Duration::ZERO);
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(found)
}

/// Copies the backup, checks the copy, migrates it and ends its sessions and codes. It checks the copy,
/// because the backup may change after a check.
fn prepare(
    file: Checked,
    from: Checked,
    options: &RestoreOptions<'_>,
) -> Result<(Connected, Ended, Additions), CopyError> {
    let mut prepared = connect(file, options.wait).map_err(|source| failed(options.path, source))?;
    let source = connect(from, options.wait).map_err(|source| failed(options.from, source))?;
    transfer(&source, &mut prepared).map_err(|source| failed(options.from, source))?;
    let additions = check(&prepared, options.from)?.additions;
    let mut bring_forward = || {
        prepared.execute_batch(WRITER_SETTINGS).engine()?;
        leave_out(&prepared, &additions)?;
        migrate::run(&mut prepared)?;
        if search::is_stale(&prepared)? {
            search::fill(&prepared)?;
        }
        end(&prepared, options)
    };
    let ended = bring_forward().map_err(|source| failed(options.path, source))?;
    Ok((prepared, ended, additions))
}

/// Ends sessions, API tokens and codes: the database may have ended or used them since the backup.
fn end(connection: &Connection, options: &RestoreOptions<'_>) -> Result<Ended, StoreError> {
    connection.execute(r#"DELETE FROM "verification" WHERE TRUE"#, []).engine()?;
    if options.keep_sessions {
        return Ok(Ended::default());
    }
    let over = expired::count_over(&mut SqliteTx::new(connection), &NATIVE, options.now)?;
    let all = connection.execute(r#"DELETE FROM "session" WHERE TRUE"#, []).engine()? as u64;
    let tokens = connection.execute(r#"DELETE FROM "authctl_apikey" WHERE TRUE"#, []).engine()? as u64;
    Ok(Ended { sessions: all.saturating_sub(over), tokens })
}

/// Logs the restoration, and which log it replaced.
fn record(
    connection: &Connection,
    ended: Ended,
    before: Option<&BackupSummary>,
    options: &RestoreOptions<'_>,
) -> Result<(), StoreError> {
    let before = match before {
        Some(BackupSummary { entries, head, .. }) => {
            format!("replaced a log of {entries} entries that ended in {head}")
        }
        None => "replaced no log that could be read".to_owned(),
    };
    let detail = format!("from {}; ended {}; {before}", options.from.display(), ended.in_words("session"));
    let events = vec![Event::new("database.restored").with(detail)];
    let transaction = connection.unchecked_transaction().engine()?;
    let tx = &mut SqliteTx::new(&*transaction);
    let actor = audit::signed(tx, &NATIVE, options.acting.actor(), &events)?;
    audit::append(tx, &actor, events)?;
    transaction.commit().engine()
}

/// Renames the prepared database to the missing one.
fn put(
    prepared: Connected,
    building: StagedFile,
    ended: Ended,
    options: &RestoreOptions<'_>,
) -> Result<BackupSummary, CopyError> {
    let close = || {
        record(&prepared, ended, None, options)?;
        let wanted = read(&prepared)?;
        prepared.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()?;
        Ok((wanted, prepared.close()?))
    };
    let (wanted, file) = close().map_err(|source| failed(options.path, source))?;
    building.finish(&file).map_err(|source| cannot_create(options.path, source))?;
    Ok(wanted)
}

/// Replaces the pages of the database. Writers are locked out from before the copy of the old state until the
/// end.
fn replace(
    prepared: &Connection,
    file: Checked,
    ended: Ended,
    options: &RestoreOptions<'_>,
) -> Result<BackupSummary, CopyError> {
    let failed = |source| failed(options.path, source);
    let reader = file.again();
    // Any page but the header may be damaged.
    let mut database = connect_to_replace(file, options.wait).map_err(failed)?;
    database.execute_batch(WRITER_SETTINGS).engine().map_err(failed)?;
    // In WAL mode the old state can be copied while the lock is held.
    database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine().map_err(failed)?;
    if page_size(prepared).map_err(failed)? != page_size(&database).map_err(failed)? {
        return Err(CopyError::PageSize(options.from.into()));
    }
    let replacing = Backup::new(prepared, &mut database).engine().map_err(failed)?;
    // A step of zero pages takes the writer's lock.
    step(&replacing, 0).map_err(failed)?;
    let reader = connect(reader, options.wait).map_err(failed)?;
    copy(&reader, options.kept, options.wait, |_| Ok(()))?;
    let before = read(&reader).ok();
    let replace = || {
        record(prepared, ended, before.as_ref(), options)?;
        let wanted = read(prepared)?;
        step(&replacing, ALL_PAGES)?;
        Ok(wanted)
    };
    replace().map_err(failed).inspect_err(|_| {
        // The copy stays if the database may have changed, because it may be the last one.
        if before.is_some() && read(&reader).ok() == before {
            staging::remove(options.kept);
        }
    })
}

fn page_size(connection: &Connection) -> Result<u32, StoreError> {
    connection.query_row("PRAGMA page_size", [], |row| row.get(0)).engine()
}
