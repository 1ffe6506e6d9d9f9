//! Checks of a database as a whole: damage in the file, differences of the schema, the list of migrations.

use std::collections::BTreeMap;

use refinery::Migration;
use rusqlite::{Connection, Row};

use super::definition::Definition;
use super::error::SqliteResult as _;
use super::migrate::{HISTORY, MIGRATIONS};
use super::{connect, migrate};
use crate::auth::storage::{Depth, Differs, SchemaDifference, StoreError};

/// Finds damage in the file and its indexes and describes it as SQLite does.
pub(super) fn damage(connection: &Connection, depth: Depth) -> Result<Vec<String>, StoreError> {
    match connect::with_large_rows(connection, || integrity(connection, depth).engine()) {
        Ok(lines) if lines == ["ok"] => Ok(Vec::new()),
        Ok(lines) => Ok(lines),
        // SQLite stops at damage that keeps it from reading on.
        Err(StoreError::Corrupt(what)) => Ok(vec![what]),
        Err(error) => Err(error),
    }
}

fn integrity(connection: &Connection, depth: Depth) -> rusqlite::Result<Vec<String>> {
    // Ten lines show that there is damage; a longer list says no more.
    let pragma = match depth {
        Depth::Quick => "PRAGMA quick_check(10)",
        Depth::Full => "PRAGMA integrity_check(10)",
    };
    connection.prepare(pragma)?.query_map([], |row| row.get(0))?.collect()
}

/// Compares the schema with the one that the migrations up to `version` make.
pub(super) fn differences(connection: &Connection, version: u32) -> Result<Vec<SchemaDifference>, StoreError> {
    let (wanted, mut found) = (objects(&migrate::empty(version)?)?, objects(connection)?);
    let mut differences = Vec::new();
    for (object, text) in wanted {
        let how = match found.remove(&object) {
            None => Differs::Missing,
            Some(other) if other == text => continue,
            Some(other) => match added_columns(text.as_deref(), other.as_deref()) {
                None => Differs::Changed,
                Some(added) => {
                    let table = object.trim_start_matches("table ");
                    differences.extend(added.into_iter().map(|column| SchemaDifference {
                        object: format!("column {table}.{column}"),
                        how: Differs::Unexpected,
                    }));
                    continue;
                }
            },
        };
        differences.push(SchemaDifference { object, how });
    }
    differences.extend(found.into_keys().map(|object| SchemaDifference { object, how: Differs::Unexpected }));
    Ok(differences)
}

/// The columns that a table has besides its own, if nothing else of it was changed.
fn added_columns(own: Option<&str>, found: Option<&str>) -> Option<Vec<String>> {
    Definition::of(found?)?.columns_added_to(&Definition::of(own?)?)
}

/// The objects of a schema by kind and name, each with the SQL that made it. The statistics of `ANALYZE` do
/// not belong to a schema.
fn objects(connection: &Connection) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    let sql = r#"SELECT "type" || ' ' || "name", "sql" FROM "sqlite_schema" WHERE "name" NOT GLOB 'sqlite_stat[0-9]'"#;
    let mut statement = connection.prepare(sql).engine()?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).engine()?.collect::<rusqlite::Result<_>>().engine()
}

/// Compares the list of applied migrations with those that lead to schema version `found`, and returns what
/// is wrong. It runs before refinery reads the list, because refinery panics on a row that it did not write.
pub(super) fn history_problem(connection: &Connection, found: u32) -> Option<String> {
    check_history(connection, found).err()
}

fn check_history(connection: &Connection, found: u32) -> Result<(), String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let sql = format!(r#"SELECT "version", "name", "applied_on", "checksum" FROM "{HISTORY}" ORDER BY "version""#);
    let mut statement = connection.prepare(&sql).map_err(|_| "the table is missing".to_owned())?;
    let mut rows = statement.query([]).map_err(failed)?;
    for (name, sql) in MIGRATIONS.iter().take(found as usize) {
        let expected = Migration::unapplied(name, sql).map_err(|error| error.to_string())?;
        if !rows.next().map_err(failed)?.is_some_and(|row| is_row_of(row, &expected)) {
            return Err(format!("{name} has no sound row"));
        }
    }
    match rows.next().map_err(failed)? {
        None => Ok(()),
        Some(_) => Err("it names more migrations than were applied".into()),
    }
}

/// Whether refinery wrote this row for this migration.
fn is_row_of(row: &Row<'_>, migration: &Migration) -> bool {
    let text = |column| row.get::<_, String>(column);
    row.get::<_, i64>(0).is_ok_and(|version| version == i64::from(migration.version()))
        && text(1).is_ok_and(|name| name == migration.name())
        && text(2).is_ok_and(|time| is_instant(&time))
        && text(3).is_ok_and(|sum| sum == migration.checksum().to_string())
}

/// Whether a text is an instant as refinery writes it, RFC 3339 in UTC. Refinery panics on some forms that
/// jiff reads: a blank for the `T`, a zone in brackets, a leap second.
fn is_instant(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-T:.Z".contains(&byte));
    let seconds = text.get(16..19).unwrap_or_default();
    is_plain
        && text.get(10..11) == Some("T")
        && seconds.starts_with(':')
        && seconds != ":60"
        && text.ends_with('Z')
        && text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instants_that_refinery_reads_are_sound() {
        for sound in ["2026-11-25T18:35:28.123456789Z", "2026-11-25T18:35:28Z", "1969-12-31T23:59:59.5Z"] {
            assert!(is_instant(sound), "{sound}");
        }
        for hostile in [
            "",
            "x",
            "2026-11-25 18:35:28Z",
            "2026-11-25t18:35:28z",
            "2026-11-25T18:35Z",
            "2026-11-25T18Z",
            "2026-11-25T18:35:60Z",
            "2026-11-25T18:35:28Z[UTC]",
            "2026-11-25T18:35:28,5Z",
            "2026-11-25T183528Z",
            "20261125T183528Z",
            "-002026-11-25T18:35:28Z",
            "+002026-11-25T18:35:28Z",
            "2026-11-25T18:35:28+00:00:01",
            "2026-11-25T18:35:28.Z",
        ] {
            assert!(!is_instant(hostile), "{hostile}");
        }
    }
}
