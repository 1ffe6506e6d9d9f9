//! Checks of a database as a whole: damage in the file, differences of the schema, the list of migrations.

use std::collections::BTreeMap;

use refinery::Migration;
use rusqlite::{Connection, Row};

use super::definition::Definition;
use super::error::SqliteResult as _;
use super::migrate::{HISTORY, MIGRATIONS};
use super::{catalog, connect, migrate, search};
use crate::auth::storage::{Depth, Differs, SchemaDifference, StoreError};
use crate::store::mapping::identifier;

/// Finds damage in the file and its indexes and describes it as SQLite does. Of a schema with functions that only the
/// app has, it checks the tables that do without them.
pub(super) fn damage(connection: &Connection, depth: Depth) -> Result<Vec<String>, StoreError> {
    match integrity(connection, depth, None) {
        Err(StoreError::OnlyTheApps(_)) => {
            let mut lines = Vec::new();
            for table in tables(connection)? {
                match integrity(connection, depth, Some(&table)) {
                    Err(StoreError::OnlyTheApps(_)) => {}
                    found => lines.extend(found?),
                }
            }
            lines.truncate(LINES_MAX);
            Ok(lines)
        }
        found => found,
    }
}

/// Ten lines show that there is damage; a longer list says no more.
const LINES_MAX: usize = 10;

/// The statement that checks a table, or the whole file.
fn check_sql(depth: Depth, table: Option<&str>) -> String {
    let pragma = match depth {
        Depth::Quick => "quick_check",
        Depth::Full => "integrity_check",
    };
    let argument = table.map_or_else(|| LINES_MAX.to_string(), identifier);
    format!("PRAGMA {pragma}({argument})")
}

fn integrity(connection: &Connection, depth: Depth, table: Option<&str>) -> Result<Vec<String>, StoreError> {
    let read = || connection.prepare(&check_sql(depth, table))?.query_map([], |row| row.get(0))?.collect();
    match connect::with_large_rows(connection, |_| rusqlite::Result::<Vec<String>>::engine(read())) {
        Ok(lines) if lines == ["ok"] => Ok(Vec::new()),
        // SQLite stops at damage that keeps it from reading on.
        Err(StoreError::Corrupt(what)) => Ok(vec![what]),
        // An index that does not fit is made anew, and nothing is lost.
        found => found.map(|lines| lines.into_iter().filter(|line| !search::is_about(line)).collect()),
    }
}

/// The tables whose indexes, constraints or columns use a function or collation that only the app has, each with
/// SQLite's words. Statements are prepared, and not run.
pub(super) fn tables_only_the_app_checks(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for table in tables(connection)? {
        if let Err(StoreError::OnlyTheApps(words)) =
            connection.prepare(&check_sql(Depth::Full, Some(&table))).map(drop).engine()
        {
            found.push((table, words));
        }
    }
    Ok(found)
}

fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(catalog::read(connection).engine()?.into_iter().map(|table| table.name).collect())
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
    let is_whole = differences.iter().all(|difference| !difference.object.contains(search::TABLE));
    if version >= search::SINCE && is_whole && search::is_stale(connection)? {
        differences.push(SchemaDifference { object: format!("table {}", search::TABLE), how: Differs::Stale });
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
    use rusqlite::MAIN_DB;

    use super::*;

    /// A table `person` whose definition has words that only the app understands, beside a table without. The words are
    /// replaced in the bytes of the database by others of the same length.
    fn with_words_of_the_app(words: &[(&str, &str)]) -> Connection {
        let mut made = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE person (name TEXT CHECK (instr(name, 'x') = 0));
            CREATE INDEX sorted ON person (name COLLATE NOCASE); CREATE INDEX plain ON person (lower(name));
            CREATE TABLE post (title TEXT         ); INSERT INTO person VALUES ('Ada'); INSERT INTO post VALUES (NULL)";
        made.execute_batch(tables).unwrap();
        let mut bytes = made.serialize(MAIN_DB).unwrap().to_vec();
        for (known, unknown) in words {
            let at = bytes.windows(known.len()).position(|part| part == known.as_bytes()).unwrap();
            bytes[at..at + known.len()].copy_from_slice(unknown.as_bytes());
        }
        let mut connection = Connection::open_in_memory().unwrap();
        connection.deserialize_read_exact(MAIN_DB, &*bytes, bytes.len(), false).unwrap();
        connection
    }

    const WORDS_OF_THE_APP: [(&str, &str, &str); 3] = [
        ("NOCASE", "GERMAN", "no such collation sequence: GERMAN"),
        ("lower(", "ascii(", "unknown function: ascii()"),
        ("instr(", "regex(", "unknown function: regex()"),
    ];

    #[test]
    fn function_that_only_the_app_has_is_no_damage() {
        for (known, unknown, words) in WORDS_OF_THE_APP {
            let connection = with_words_of_the_app(&[(known, unknown)]);
            for depth in [Depth::Quick, Depth::Full] {
                assert_eq!(damage(&connection, depth).unwrap(), [""; 0], "{unknown} {depth:?}");
            }
            let tables = tables_only_the_app_checks(&connection).unwrap();
            assert_eq!(tables, [("person".to_owned(), words.to_owned())]);
            let refused = connection.execute("INSERT INTO person VALUES ('Bob')", []).engine().unwrap_err();
            assert!(matches!(&refused, StoreError::OnlyTheApps(said) if said == words), "{refused:?}");
        }
    }

    #[test]
    fn damage_beside_a_function_of_the_app_is_found() {
        let (known, unknown, _) = WORDS_OF_THE_APP[2];
        let connection = with_words_of_the_app(&[(known, unknown), ("title TEXT         ", "title TEXT NOT NULL")]);
        assert_eq!(damage(&connection, Depth::Quick).unwrap(), ["NULL value in post.title"]);
    }

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
