//! Connections, held to strict settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::engine_error::{self, Engine as _};
use crate::auth::store::StoreError;

/// The longest text, blob or row in bytes. A hostile file could otherwise make one row fill the
/// memory; the longest honest row is some kilobytes.
const ROW_BYTES_MAX: i32 = 1_000_000;

/// Connects with settings under which a hostile file can run nothing: no triggers, no views, no
/// functions from its schema. Never creates a file and never reads the path as a URI.
pub(super) fn connect(path: &Path, wait: Duration) -> Result<Connection, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_WRITE, path, wait)
}

/// Connects as [`connect`] does, and writes nothing.
pub(super) fn connect_to_read(path: &Path, wait: Duration) -> Result<Connection, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_ONLY, path, wait)
}

fn connect_as(access: OpenFlags, path: &Path, wait: Duration) -> Result<Connection, StoreError> {
    let flags =
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| engine_error::translate(&error))?;
    configure(&connection, wait).engine()?;
    Ok(connection)
}

fn configure(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
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
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    Ok(())
}

/// The number of the newest migration applied: one read of the file's first page.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
