//! Connections with strict settings and limits. A hostile file can be small and cost much:
//! `hex(zeroblob(300000000))` in a constraint, or pages that refer to each other.

use std::borrow::Borrow;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::error::{self, SqliteResult as _};
use super::preflight::{APPLICATION_ID, Checked};
use crate::auth::storage::StoreError;

/// A connection and the checked file. Fields are dropped in this order, so that SQLite closes the file before
/// the descriptor is closed; see [`super::descriptors`].
#[derive(Debug)]
pub(in crate::store) struct Connected {
    connection: Connection,
    file: Checked,
}

/// Connects with settings under which a file cannot run code: no triggers, no views, no functions from its
/// schema. It never makes a file and never reads the path as a URI.
///
/// This is the only way to a connection, so every file is checked and its descriptor stays open.
pub(super) fn connect(file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_WRITE, file, wait)
}

/// Connects to a new private database on the disk of temporary files. No other process can open it, and SQLite deletes its
/// file as soon as it is open.
pub(super) fn nameless() -> rusqlite::Result<Connection> {
    Connection::open("")
}

/// Connects as [`connect`] does, for reading only.
pub(super) fn connect_to_read(file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_ONLY, file, wait)
}

/// Connects as [`connect`] does, to a database whose pages will all be replaced. A schema that cannot be read
/// is not an error, although SQLite reads it before it sets the journal mode.
pub(super) fn connect_to_replace(file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    let connected = connect(file, wait)?;
    connected.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).engine()?;
    connected.execute_batch("PRAGMA writable_schema = ON").engine()?;
    Ok(connected)
}

fn connect_as(access: OpenFlags, file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    let flags =
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(file.path(), flags).map_err(|error| error::translate(&error))?;
    configure(&connection, wait).engine()?;
    apply_limits(&mut connection, file.path()).engine()?;
    Ok(Connected { connection, file })
}

impl Connected {
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Lets the triggers and views of an app run, as they do for the app. Functions and virtual tables that reach
    /// beyond the database stay closed to them.
    pub(in crate::store) fn run_triggers(&self) -> rusqlite::Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, true)?;
        Ok(())
    }

    /// Sets whether the end of the connection leaves the write-ahead log as it is, also if no other program has the
    /// database open.
    pub(super) fn keep_log(&self, keep: bool) -> rusqlite::Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
    }

    /// Closes the connection and returns the file.
    pub(super) fn close(self) -> Result<Checked, StoreError> {
        let Self { connection, file } = self;
        connection.close().map_err(|(_, error)| error).engine().map(|()| file)
    }
}

impl Deref for Connected {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Connected {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

pub(super) fn configure(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(wait)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    Ok(())
}

/// Whether authctl made the database, with a conversion that is still in SQLite's log, or whose journal is left.
pub(super) fn is_own(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA application_id", [], |row| Ok(row.get::<_, u32>(0)? == APPLICATION_ID))
}

/// The number of the newest applied migration. It reads the first page of the file only.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The longest text, blob or row of a statement, in bytes. A user with the longest values that are read
/// ([`crate::store::sql::rows`]) fits in.
const VALUE_BYTES_MAX: i32 = 1_500_000;
/// The largest row that is changed, in bytes. Apps store pictures in a column.
const ROW_BYTES_MAX: i32 = 50_000_000;
/// The most memory that SQLite may allocate in this process, in bytes: a row of that size before and after
/// its change.
const HEAP_BYTES_MAX: u32 = 180_000_000;

/// How many steps of SQLite's virtual machine pass between two checks of the limit.
const STEPS_COUNTED: i32 = 100_000;
/// How many steps one process may take, at least and for each block of the database's files. Reading every
/// row of a database 40 times takes a third of it.
const STEPS_MIN: u64 = 100_000_000;
const STEPS_PER_BLOCK: u64 = 1_000_000;
const BLOCK_BYTES: u64 = 4096;

fn apply_limits(connection: &mut Connection, path: &Path) -> rusqlite::Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    // The limit holds for the process; a lower one stays.
    connection.query_row(&format!("PRAGMA hard_heap_limit = {HEAP_BYTES_MAX}"), [], |_| Ok(()))?;
    connection.progress_handler(STEPS_COUNTED, Some(limit(path.to_owned())))
}

/// Counts the steps of a process, and returns whether they are more than the files of the database allow.
fn limit(path: PathBuf) -> impl FnMut() -> bool {
    let (mut steps, mut allowed) = (0, STEPS_MIN);
    move || {
        steps += u64::from(STEPS_COUNTED.unsigned_abs());
        if steps > allowed {
            // The database may have grown since the last look, and a copy begins as an empty file.
            allowed = steps_allowed(&path);
        }
        steps > allowed
    }
}

/// How many steps the files of a database allow one process.
fn steps_allowed(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let blocks = (bytes(path) + bytes(Path::new(&log))) / BLOCK_BYTES;
    STEPS_MIN.saturating_add(blocks.saturating_mul(STEPS_PER_BLOCK))
}

/// Runs a statement that needs whole rows, however large they are. SQLite writes a row as a whole and reads a
/// value to delete its entry in an index, so a row with more than authctl reads needs a higher limit. The
/// limit is raised before the statement and not after a failure: a deletion that fails half-way has deleted
/// entries of the index, and the rest of the transaction finds the database malformed.
pub(in crate::store) fn with_large_rows<C: Borrow<Connection>, T>(
    mut connection: C,
    act: impl FnOnce(&mut C) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    limit_rows(connection.borrow(), ROW_BYTES_MAX)?;
    let result = act(&mut connection);
    limit_rows(connection.borrow(), VALUE_BYTES_MAX)?;
    result
}

fn limit_rows(connection: &Connection, bytes: i32) -> Result<(), StoreError> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes).engine().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mapping::NATIVE;
    use crate::store::sql::rows::count;
    use crate::store::sqlite::engine::SqliteTx;

    #[test]
    fn database_that_grows_allows_more_steps() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut is_spent = limit(file.path().to_owned());
        let looks = STEPS_MIN / u64::from(STEPS_COUNTED.unsigned_abs());
        assert!((0..looks).all(|_| !is_spent()));
        assert!(is_spent());
        file.as_file().set_len(BLOCK_BYTES).unwrap();
        assert!(!is_spent());
    }

    /// Counting takes steps, so the limit of steps interrupts it.
    #[test]
    fn count_takes_a_step_for_every_row() {
        let mut connection = Connection::open_in_memory().unwrap();
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                    INSERT INTO user SELECT i FROM n";
        connection.execute_batch(&format!("CREATE TABLE user (id PRIMARY KEY) WITHOUT ROWID; {fill}")).unwrap();
        assert_eq!(count(&mut SqliteTx::new(&connection), &NATIVE, "user").unwrap(), 10_000);
        let mut looks = 0;
        connection
            .progress_handler(
                100,
                Some(move || {
                    looks += 1;
                    looks > 50
                }),
            )
            .unwrap();
        assert!(matches!(count(&mut SqliteTx::new(&connection), &NATIVE, "user"), Err(StoreError::TooMuch(_))));
    }
}
