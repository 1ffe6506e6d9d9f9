//! Connections, held to strict settings.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{self, SqliteResult as _};
use super::limits;
use super::preflight::Checked;
use crate::auth::storage::StoreError;

/// A connection with the file it was made to. Fields are dropped in this order, so that SQLite closes
/// its files before the descriptor that was checked is closed; see [`super::descriptors`].
#[derive(Debug)]
pub(in crate::store) struct Connected {
    connection: Connection,
    file: Checked,
}

/// Connects with settings under which a hostile file can run nothing: no triggers, no views, no
/// functions from its schema. Never creates a file and never reads the path as a URI.
///
/// The only way to a connection: the file is handed over checked, and stays open.
pub(super) fn connect(file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_WRITE, file, wait)
}

/// Connects as [`connect`] does, and writes nothing.
pub(super) fn connect_to_read(file: Checked, wait: Duration) -> Result<Connected, StoreError> {
    connect_as(OpenFlags::SQLITE_OPEN_READ_ONLY, file, wait)
}

/// Connects as [`connect`] does, to a database whose pages will all be replaced: a schema that cannot be read
/// is no error. SQLite reads the schema before it sets the mode of the journal.
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
    limits::apply(&mut connection, file.path()).engine()?;
    Ok(Connected { connection, file })
}

impl Connected {
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Closes the connection and gives the file back.
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
    Ok(())
}

/// The number of the newest migration applied: one read of the file's first page.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
