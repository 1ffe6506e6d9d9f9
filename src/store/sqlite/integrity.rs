//! Whether a file is whole, and whether its schema is the one that the migrations make.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::error::SqliteResult as _;
use super::{connect, migrate};
use crate::auth::storage::{Differs, SchemaDifference, StoreError};

/// What SQLite finds in the file and its indexes; empty when it is sound.
pub(super) fn damage(connection: &Connection) -> Result<Vec<String>, StoreError> {
    match connect::with_large_rows(connection, || integrity(connection).engine()) {
        Ok(lines) if lines == ["ok"] => Ok(Vec::new()),
        Ok(lines) => Ok(lines),
        // Too much of it is damaged for SQLite to go on looking.
        Err(StoreError::Corrupt(what)) => Ok(vec![what]),
        Err(error) => Err(error),
    }
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    // The first of them say that there is damage; a list without end says no more.
    connection.prepare("PRAGMA integrity_check(10)")?.query_map([], |row| row.get(0))?.collect()
}

/// Compares the schema with the one of a version.
pub(super) fn differences(connection: &Connection, version: u32) -> Result<Vec<SchemaDifference>, StoreError> {
    let mut pattern = Connection::open_in_memory().engine()?;
    migrate::run_up_to(&mut pattern, version)?;
    let (wanted, mut found) = (objects(&pattern)?, objects(connection)?);
    let mut differences = Vec::new();
    for (object, text) in wanted {
        let how = match found.remove(&object) {
            None => Differs::Missing,
            Some(other) if other != text => Differs::Changed,
            Some(_) => continue,
        };
        differences.push(SchemaDifference { object, how });
    }
    differences.extend(found.into_keys().map(|object| SchemaDifference { object, how: Differs::Unexpected }));
    Ok(differences)
}

/// What a schema is made of, by kind and name, as it was spelled when it was made. The statistics of
/// `ANALYZE` change no meaning.
fn objects(connection: &Connection) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    let sql = r#"SELECT "type" || ' ' || "name", "sql" FROM "sqlite_schema" WHERE "name" NOT GLOB 'sqlite_stat[0-9]'"#;
    let mut statement = connection.prepare(sql).engine()?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).engine()?.collect::<rusqlite::Result<_>>().engine()
}
