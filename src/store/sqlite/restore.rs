//! Puts a backup in the place of a database that others may have open.
//!
//! What will be is prepared beside the database, then all its pages are copied over those that are there
//! in one transaction of `SQLite`'s own: a reader sees the old state or the new one, and so does whoever
//! comes after a kill. The state that is replaced is copied first, under the same lock, so that nothing
//! that was ever committed is lost.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::backup::{self, failed, read};
use super::connect::{connect, schema_version};
use super::engine_error::Engine as _;
use super::lock::{Lock, beside};
use super::{WRITER_SETTINGS, audit, create, events, file, migrate, sessions, structure, unfinished};
use crate::auth::audit::{Acting, Event};
use crate::auth::store::{Contents, Differs, StoreError};
use crate::store::dialect::NATIVE;
use crate::store::{CopyError, OpenError};

/// What shall be restored, and how.
#[derive(Debug)]
pub struct RestoreWish<'a> {
    /// The database.
    pub path: &'a Path,
    /// The backup.
    pub from: &'a Path,
    /// Where the state that is replaced is kept.
    pub kept: &'a Path,
    /// Sessions of the backup live on; codes never do.
    pub keep_sessions: bool,
    /// Now.
    pub now: Timestamp,
    /// Who does it.
    pub acting: &'a Acting,
    /// How long to wait for other processes.
    pub wait: Duration,
}

/// What a restoration did.
#[derive(Debug)]
pub struct Restored {
    /// What is in the database now.
    pub contents: Contents,
    /// Live sessions of the backup that ended.
    pub sessions_ended: u64,
    /// There was a database before.
    pub replaced: bool,
}

/// Looks whether a file is a backup that can be restored, and changes nothing.
///
/// # Errors
/// [`CopyError`], why not.
pub fn examine(from: &Path, wait: Duration) -> Result<Contents, CopyError> {
    examined(from, wait).map(|(_, contents)| contents)
}

/// What is missing or changed would not work; what other programs added does no harm and is told by the
/// check of the schema.
fn examined(from: &Path, wait: Duration) -> Result<(Connection, Contents), CopyError> {
    file::inspect(from)?;
    let failed = |source| failed(from, source);
    let connection = connect(from, wait).map_err(failed)?;
    let found = schema_version(&connection).engine().map_err(failed)?;
    if found > migrate::LATEST {
        return Err(OpenError::Newer { path: from.into(), found, known: migrate::LATEST }.into());
    }
    let damaged = |problem| CopyError::Damaged { path: from.into(), problem };
    if let Some(problem) = structure::damage(&connection).map_err(failed)?.into_iter().next() {
        return Err(damaged(problem));
    }
    for difference in structure::differences(&connection, found).map_err(failed)? {
        match difference.how {
            Differs::Unexpected => {}
            Differs::Missing => return Err(damaged(format!("{} is missing", difference.object))),
            Differs::Changed => return Err(damaged(format!("{} is not as authctl made it", difference.object))),
        }
    }
    let contents = read(&connection).map_err(failed)?;
    Ok((connection, contents))
}

/// Restores a backup.
///
/// # Errors
/// [`CopyError`]; the database is as it was then.
pub fn restore(wish: &RestoreWish<'_>) -> Result<Restored, CopyError> {
    let replaced = wish.path.symlink_metadata().is_ok();
    let lock = if replaced {
        file::inspect(wish.path)?;
        refuse_itself(wish)?;
        Lock::take(wish.path, wish.wait)?
    } else {
        create::claim(wish.path, wish.wait)?
    };
    let prepared = beside(wish.path, ".", ".new");
    let restored = prepare(&prepared, wish).and_then(|(connection, sessions_ended)| {
        let wanted = if replaced {
            replace(&connection, sessions_ended, wish)
        } else {
            put(connection, &prepared, sessions_ended, wish)
        }?;
        let contents = read_back(&wanted, wish)?;
        Ok(Restored { contents, sessions_ended, replaced })
    });
    unfinished::remove(&prepared);
    drop(lock);
    restored
}

/// Looks at what is in the database now; others may have written to it since.
fn read_back(wanted: &Contents, wish: &RestoreWish<'_>) -> Result<Contents, CopyError> {
    let connection = connect(wish.path, wish.wait).map_err(|source| failed(wish.path, source))?;
    let found = read(&connection).map_err(|source| failed(wish.path, source))?;
    if found.entries < wanted.entries || found.head == wanted.head && found != *wanted {
        return Err(CopyError::Differs(wish.path.into()));
    }
    // What was replaced is not left lying in the log, unless somebody still reads it: to wait for them
    // would keep every writer waiting too.
    let _ = connection.busy_timeout(Duration::ZERO);
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(found)
}

fn refuse_itself(wish: &RestoreWish<'_>) -> Result<(), CopyError> {
    let id = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    if id(wish.path) == id(wish.from) { Err(CopyError::Same(wish.from.into())) } else { Ok(()) }
}

/// Copies the backup, brings it to the newest schema and ends what must not come alive again.
fn prepare(prepared: &Path, wish: &RestoreWish<'_>) -> Result<(Connection, u64), CopyError> {
    let (source, _) = examined(wish.from, wish.wait)?;
    unfinished::begin(prepared).map_err(|error| create::cannot_create(wish.path, error))?;
    let fill = || {
        let mut connection = connect(prepared, wish.wait)?;
        backup::transfer(&source, &mut connection)?;
        connection.execute_batch(WRITER_SETTINGS).engine()?;
        migrate::run(&mut connection)?;
        let ended = end(&connection, wish)?;
        Ok((connection, ended))
    };
    fill().map_err(|source| failed(wish.path, source))
}

/// Whatever has been ended or used since the backup was made would be alive again.
fn end(connection: &Connection, wish: &RestoreWish<'_>) -> Result<u64, StoreError> {
    connection.execute(r#"DELETE FROM "verification" WHERE TRUE"#, []).engine()?;
    if wish.keep_sessions {
        return Ok(0);
    }
    let over = sessions::count_over(connection, &NATIVE, wish.now)?;
    let all = connection.execute(r#"DELETE FROM "session" WHERE TRUE"#, []).engine()? as u64;
    Ok(all.saturating_sub(over))
}

/// Writes to the restored log what was done, and what log it replaced.
fn record(
    connection: &Connection,
    ended: u64,
    before: Option<&Contents>,
    wish: &RestoreWish<'_>,
) -> Result<(), StoreError> {
    let before = match before {
        Some(Contents { entries, head, .. }) => format!("replaced a log of {entries} entries that ended in {head}"),
        None => "replaced no log that could be read".to_owned(),
    };
    let detail = format!("from {}; ended {ended} session(s); {before}", wish.from.display());
    let events = vec![Event::new("database.restored").with(detail)];
    let transaction = connection.unchecked_transaction().engine()?;
    let actor = events::signed(&transaction, &NATIVE, wish.acting.actor(), &events)?;
    audit::append(&transaction, &actor, events)?;
    transaction.commit().engine()
}

/// Where there is no database, the prepared one becomes it.
fn put(connection: Connection, prepared: &Path, ended: u64, wish: &RestoreWish<'_>) -> Result<Contents, CopyError> {
    let close = || {
        record(&connection, ended, None, wish)?;
        let wanted = read(&connection)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine()?;
        connection.close().map_err(|(_, error)| error).engine()?;
        Ok(wanted)
    };
    let wanted = close().map_err(|source| failed(wish.path, source))?;
    unfinished::finish(prepared, wish.path).map_err(|source| create::cannot_create(wish.path, source))?;
    Ok(wanted)
}

/// Where there is one, its pages are replaced, with the writers kept out from before the copy of what was
/// until the end.
fn replace(prepared: &Connection, ended: u64, wish: &RestoreWish<'_>) -> Result<Contents, CopyError> {
    let failed = |source| failed(wish.path, source);
    let mut database = connect(wish.path, wish.wait).map_err(failed)?;
    database.execute_batch(WRITER_SETTINGS).engine().map_err(failed)?;
    // With a log, the copy of what was can be read while the lock is held.
    database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).engine().map_err(failed)?;
    if page_size(prepared).map_err(failed)? != page_size(&database).map_err(failed)? {
        return Err(CopyError::PageSize(wish.from.into()));
    }
    let replacing = Backup::new(prepared, &mut database).engine().map_err(failed)?;
    // A step of no pages takes the lock of writers.
    backup::step(&replacing, 0).map_err(failed)?;
    let reader = connect(wish.path, wish.wait).map_err(failed)?;
    backup::copy(&reader, wish.kept, wish.wait, |_| Ok(()))?;
    record(prepared, ended, read(&reader).ok().as_ref(), wish).map_err(failed)?;
    drop(reader);
    let wanted = read(prepared).map_err(failed)?;
    backup::step(&replacing, backup::ALL_PAGES).map_err(failed)?;
    Ok(wanted)
}

fn page_size(connection: &Connection) -> Result<u32, StoreError> {
    connection.query_row("PRAGMA page_size", [], |row| row.get(0)).engine()
}
