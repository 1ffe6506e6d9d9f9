//! What a database may cost. A hostile file can hold little and ask for much: `hex(zeroblob(300000000))`
//! in a constraint, or pages that refer to each other in a tree that grows with every level.

use std::path::Path;

use rusqlite::limits::Limit;
use rusqlite::types::ToSql;
use rusqlite::{Connection, ErrorCode, Transaction};

use super::engine_error::Engine as _;
use crate::auth::store::StoreError;

/// The longest text, blob or row that a statement makes, in bytes: a user with the longest values that
/// are read ([`super::rows`]) fits in.
const VALUE_BYTES_MAX: i32 = 1_500_000;
/// The largest row that is changed, in bytes. Apps keep pictures in a column.
const ROW_BYTES_MAX: i64 = 50_000_000;
/// What SQLite may allocate in this process, in bytes: room for a row of that size as it was and as it
/// will be.
const HEAP_BYTES_MAX: u32 = 180_000_000;

/// How many steps of SQLite's virtual machine pass between two looks at their number.
const STEPS_COUNTED: i32 = 100_000;
/// How many steps one process may take in a database of no size, and for every block of its files.
/// 40 looks at every row of a database take a third of it.
const STEPS_MIN: u64 = 100_000_000;
const STEPS_PER_BLOCK: u64 = 1_000_000;
const BLOCK_BYTES: u64 = 4096;

/// Limits a connection to the database at a path.
pub(super) fn apply(connection: &mut Connection, path: &Path) -> rusqlite::Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    // Of the whole process; a lower one stays.
    connection.query_row(&format!("PRAGMA hard_heap_limit = {HEAP_BYTES_MAX}"), [], |_| Ok(()))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let blocks = (bytes(path) + bytes(Path::new(&log))) / BLOCK_BYTES;
    let allowed = STEPS_MIN.saturating_add(blocks.saturating_mul(STEPS_PER_BLOCK));
    let mut steps: u64 = 0;
    let spent = move || {
        steps += u64::from(STEPS_COUNTED.unsigned_abs());
        steps > allowed
    };
    connection.progress_handler(STEPS_COUNTED, Some(spent))
}

/// Runs a statement that changes rows. SQLite writes a row anew as a whole, so a row that holds more than
/// is read needs a higher limit for this one statement; a row cannot be larger than its file.
pub(super) fn change(tx: &Transaction<'_>, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
    let mut statement = tx.prepare(sql).engine()?;
    match statement.execute(values) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
            let number = |pragma| tx.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).engine();
            let bytes = number("page_count")?.saturating_mul(number("page_size")?);
            let limit = i32::try_from(bytes.min(ROW_BYTES_MAX)).unwrap_or(i32::MAX).max(VALUE_BYTES_MAX);
            tx.set_limit(Limit::SQLITE_LIMIT_LENGTH, limit).engine()?;
            let changed = statement.execute(values).engine();
            tx.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX).engine()?;
            changed
        }
        changed => changed.engine(),
    }
}
