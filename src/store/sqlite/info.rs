//! A database, described.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::engine_error::Engine as _;
use super::tx::SqliteTx;
use super::{connect, limits};
use crate::auth::storage::{DatabaseInfo, GuestSchema, StoreError};
use crate::store::mapping::SchemaMapping;
use crate::store::sql::sessions;

pub(super) fn take(
    connection: &Connection,
    mapping: &SchemaMapping,
    path: &Path,
    app: Option<&GuestSchema>,
    now: Timestamp,
) -> Result<DatabaseInfo, StoreError> {
    let expired_sessions = match sessions::count_over(&mut SqliteTx::new(connection), mapping, now) {
        // An app's file with times of two kinds is described all the same.
        Err(StoreError::Inconsistent { .. }) if app.is_some() => None,
        counted => Some(counted?),
    };
    let journal_mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).engine()?;
    let metadata = std::fs::metadata(path).map_err(|error| StoreError::Io(error.to_string()))?;
    Ok(DatabaseInfo {
        schema_version: if app.is_some() { None } else { Some(connect::schema_version(connection).engine()?) },
        app: app.cloned(),
        users: limits::count(connection, mapping, "user")?,
        live_sessions: match expired_sessions {
            Some(expired) => Some(limits::count(connection, mapping, "session")?.saturating_sub(expired)),
            None => None,
        },
        expired_sessions,
        sqlite_version: rusqlite::version().to_owned(),
        journal_mode,
        bytes: metadata.len(),
    })
}
