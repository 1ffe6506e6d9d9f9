//! Foreign keys: whether they lead to rows, by SQLite's own rule, and what SQLite's errors about them do not name.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::catalog;
use super::error::SqliteResult as _;
use crate::auth::storage::{BrokenKey, BrokenReference, KeyFault, StoreError};
use crate::store::engine::{CatalogTable, ForeignKey};
use crate::store::mapping::identifier;

/// A column of a table and its number in the primary key, which is 0 outside of it.
pub(super) struct PrimaryKeyColumn {
    pub(super) table: String,
    pub(super) number: i64,
    pub(super) name: String,
}

/// Why a foreign key leads to no rows. SQLite finds the row of a key by the primary key of the parent, or by a unique
/// index of the same columns. `columns` are those of all tables that hold rows of their own.
pub(super) fn fault(
    connection: &Connection,
    key: &ForeignKey,
    columns: &[PrimaryKeyColumn],
) -> rusqlite::Result<Option<KeyFault>> {
    let is_referred = |name: &str| key.columns.iter().any(|(_, referred)| referred.eq_ignore_ascii_case(name));
    let of_parent = || columns.iter().filter(|column| column.table.eq_ignore_ascii_case(&key.parent));
    let primary = || of_parent().filter(|column| column.number > 0);
    if primary().count() == key.columns.len() && primary().all(|column| is_referred(&column.name)) {
        return Ok(None);
    }
    // Views and virtual tables exist too, and have no index.
    let named = "SELECT 1 FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
    if of_parent().next().is_none() && !connection.prepare(named)?.exists([&key.parent])? {
        return Ok(Some(KeyFault::NoTable));
    }
    let is_key = |index: &[IndexColumn]| {
        index.len() == key.columns.len()
            && index.iter().all(|column| column.has_own_collation && is_referred(&column.name))
    };
    let is_unique = unique_indexes(connection, &key.parent)?.values().any(|index| is_key(index));
    Ok((!is_unique).then_some(KeyFault::NotUnique))
}

/// A column of an index; an expression has no name.
struct IndexColumn {
    name: String,
    /// Whether the index compares the values as the table does.
    has_own_collation: bool,
}

/// The unique indexes of a table that have all its rows, each with its columns.
fn unique_indexes(connection: &Connection, table: &str) -> rusqlite::Result<BTreeMap<String, Vec<IndexColumn>>> {
    let sql = r#"SELECT made.name, part.name, part.coll FROM pragma_index_list(?1, 'main') AS made
                 CROSS JOIN pragma_index_xinfo(made.name, 'main') AS part
                 WHERE made."unique" AND NOT made.partial AND part.key"#;
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let mut indexes: BTreeMap<String, Vec<IndexColumn>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get::<_, Option<_>>(1)?.unwrap_or_default();
        let collation: String = row.get(2)?;
        let has_own_collation = !name.is_empty() && {
            let (_, own, ..) = connection.column_metadata(Some("main"), table, &name)?;
            own.is_none_or(|own| own.to_bytes().eq_ignore_ascii_case(collation.as_bytes()))
        };
        indexes.entry(row.get(0)?).or_default().push(IndexColumn { name, has_own_collation });
    }
    Ok(indexes)
}

/// Names the foreign keys because of which SQLite cannot compile a statement; `None` if its words are not about one.
pub(super) fn explain(connection: &Connection, words: &str) -> Option<StoreError> {
    let is_meant = |key: &BrokenKey| {
        let (table, parent) = (identifier(&key.table), identifier(&key.parent));
        words == format!("foreign key mismatch - {table} referencing {parent}")
            || words == format!("no such table: main.{}", key.parent)
    };
    let tables = catalog::read(connection).ok()?;
    let keys: Vec<BrokenKey> = tables.iter().flat_map(CatalogTable::broken_keys).filter(is_meant).collect();
    (!keys.is_empty()).then_some(StoreError::BrokenKeys(keys))
}

/// Counts the rows because of which a commit failed: SQLite says only that there are some. Rolls the transaction back,
/// because rows that lead nowhere since before are not among them.
pub(super) fn unmet(connection: &Connection) -> Result<Vec<BrokenReference>, StoreError> {
    let found = violations(connection).engine();
    connection.execute_batch("ROLLBACK").engine()?;
    let (mut found, before) = (found?, violations(connection).engine()?);
    for (key, rows) in before {
        found.entry(key).and_modify(|found| *found = found.saturating_sub(rows));
    }
    let references = found.into_iter().filter(|(_, rows)| *rows > 0);
    Ok(references
        .map(|(Violated { table, columns, parent }, rows)| BrokenReference {
            table,
            column: columns,
            parents: vec![parent],
            rows,
        })
        .collect())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Violated {
    table: String,
    /// Separated by commas.
    columns: String,
    parent: String,
}

/// Counts the rows that lead nowhere, by foreign key.
fn violations(connection: &Connection) -> rusqlite::Result<BTreeMap<Violated, u64>> {
    let sql = r#"SELECT made.parent, (SELECT group_concat("from", ', ') FROM
                   (SELECT "from" FROM pragma_foreign_key_list(?1, 'main') AS key WHERE key.id = made.fkid ORDER BY seq)),
                   count(*) FROM pragma_foreign_key_check(?1, 'main') AS made GROUP BY made.parent, made.fkid"#;
    let mut found = BTreeMap::new();
    let mut statement = connection.prepare(sql)?;
    // SQLite checks no key of a table with one that leads nowhere.
    let is_checked = |table: &&CatalogTable| table.foreign_keys.iter().all(ForeignKey::leads_to_rows);
    for CatalogTable { name, .. } in catalog::read(connection)?.iter().filter(is_checked) {
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let key = Violated { table: name.clone(), parent: row.get(0)?, columns: row.get(1)? };
            *found.entry(key).or_default() += row.get::<_, i64>(2)?.unsigned_abs();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(sql: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = ON; {sql}")).unwrap();
        connection
    }

    /// What is wrong with the foreign key of the table `child`.
    fn fault_of_child(connection: &Connection) -> Option<KeyFault> {
        let tables = catalog::read(connection).unwrap();
        tables.iter().find(|table| table.name == "child").unwrap().foreign_keys[0].fault
    }

    #[test]
    fn key_leads_nowhere_exactly_where_sqlite_compiles_no_deletion() {
        let (no_table, not_unique) = (Some(KeyFault::NoTable), Some(KeyFault::NotUnique));
        for (parent, key, fault) in [
            ("TABLE parent (id TEXT PRIMARY KEY)", "a REFERENCES Parent (ID)", None),
            ("TABLE parent (id INTEGER PRIMARY KEY)", "a REFERENCES parent", None),
            ("TABLE parent (id INTEGER PRIMARY KEY)", "a REFERENCES parent (rowid)", not_unique),
            ("TABLE parent (id TEXT PRIMARY KEY)", "a REFERENCES parents", no_table),
            ("VIEW parent AS SELECT 1 AS id", "a REFERENCES parent (id)", not_unique),
            ("TABLE parent (id TEXT)", "a REFERENCES parent", not_unique),
            ("TABLE parent (id TEXT)", "a REFERENCES parent (id)", not_unique),
            ("TABLE parent (id TEXT PRIMARY KEY)", "a REFERENCES parent (uuid)", not_unique),
            ("TABLE parent (id TEXT PRIMARY KEY, b TEXT UNIQUE)", "a REFERENCES parent (B)", None),
            ("TABLE parent (id TEXT PRIMARY KEY, b TEXT, UNIQUE (id, b))", "a REFERENCES parent (b)", not_unique),
            ("TABLE parent (b TEXT); CREATE INDEX i ON parent (b)", "a REFERENCES parent (b)", not_unique),
            ("TABLE parent (b TEXT); CREATE UNIQUE INDEX i ON parent (b)", "a REFERENCES parent (b)", None),
            (
                "TABLE parent (b TEXT); CREATE UNIQUE INDEX i ON parent (b) WHERE b > 0",
                "a REFERENCES parent (b)",
                not_unique,
            ),
            (
                "TABLE parent (b TEXT); CREATE UNIQUE INDEX i ON parent (lower(b))",
                "a REFERENCES parent (b)",
                not_unique,
            ),
            (
                "TABLE parent (b TEXT); CREATE UNIQUE INDEX i ON parent (b COLLATE NOCASE)",
                "a REFERENCES parent (b)",
                not_unique,
            ),
            ("TABLE parent (b TEXT COLLATE NOCASE UNIQUE)", "a REFERENCES parent (b)", None),
            ("TABLE parent (b, c, PRIMARY KEY (b, c))", "a, d, FOREIGN KEY (a, d) REFERENCES parent", None),
            (
                "TABLE parent (b, c, PRIMARY KEY (b, c)) WITHOUT ROWID",
                "a, d, FOREIGN KEY (a, d) REFERENCES parent (c, b)",
                None,
            ),
            ("TABLE parent (b, c, UNIQUE (c, b))", "a, d, FOREIGN KEY (a, d) REFERENCES parent (b, c)", None),
            ("TABLE parent (b, c, PRIMARY KEY (b, c))", "a REFERENCES parent", not_unique),
            ("TABLE parent (b, c, PRIMARY KEY (b, c))", "a REFERENCES parent (b)", not_unique),
            ("TABLE parent (b PRIMARY KEY, c)", "a, d, FOREIGN KEY (a, d) REFERENCES parent", not_unique),
            ("TABLE parent (b PRIMARY KEY, c UNIQUE)", "a, d, FOREIGN KEY (a, d) REFERENCES parent (b, c)", not_unique),
            ("TABLE child2 (id)", "id TEXT PRIMARY KEY, a REFERENCES child", None),
        ] {
            let db = database(&format!("CREATE {parent}; CREATE TABLE child ({key});"));
            assert_eq!(fault_of_child(&db), fault, "{parent}: {key}");
            let refused = db.prepare("DELETE FROM child WHERE FALSE").err();
            assert_eq!(refused.is_some(), fault.is_some(), "SQLite says {refused:?}: {parent}: {key}");
            let Some(refused) = refused else { continue };
            let StoreError::Trigger(words) = Err::<(), _>(refused).engine().unwrap_err() else { panic!("{parent}") };
            let Some(StoreError::BrokenKeys(keys)) = explain(&db, &words) else { panic!("{words}") };
            assert_eq!((keys.len(), &*keys[0].table, Some(keys[0].fault)), (1, "child", fault), "{words}");
        }
    }

    #[test]
    fn key_that_would_clear_a_required_column_is_found() {
        let parent = "CREATE TABLE parent (a TEXT, b TEXT, PRIMARY KEY (a, b), UNIQUE (a))";
        let never_null = Some(KeyFault::NeverNull);
        for (key, fault) in [
            ("a TEXT NOT NULL REFERENCES parent (a) ON DELETE SET NULL", never_null),
            ("a TEXT REFERENCES parent (a) ON DELETE SET NULL", None),
            ("a TEXT NOT NULL REFERENCES parent (a) ON DELETE CASCADE", None),
            ("a TEXT NOT NULL DEFAULT '' REFERENCES parent (a) ON DELETE SET DEFAULT", None),
            ("a TEXT NOT NULL REFERENCES parent (b) ON DELETE SET NULL", Some(KeyFault::NotUnique)),
            ("a TEXT, b TEXT NOT NULL, FOREIGN KEY (a, b) REFERENCES parent ON DELETE SET NULL", never_null),
            ("a TEXT NOT NULL, b TEXT, FOREIGN KEY (a, b) REFERENCES parent ON DELETE SET NULL", never_null),
        ] {
            let db = database(&format!("{parent}; CREATE TABLE child ({key});"));
            assert_eq!(fault_of_child(&db), fault, "{key}");
        }
    }

    #[test]
    fn words_about_no_key_are_not_explained() {
        let db = database("CREATE TABLE a (x REFERENCES ghost); CREATE TABLE b (x REFERENCES a (x))");
        let keys = |words| match explain(&db, words) {
            Some(StoreError::BrokenKeys(keys)) => keys.into_iter().map(|key| key.table).collect(),
            _ => Vec::new(),
        };
        assert_eq!(keys("no such table: main.ghost"), ["a"]);
        assert_eq!(keys(r#"foreign key mismatch - "b" referencing "a""#), ["b"]);
        assert_eq!(keys("no such table: main.other"), [""; 0]);
        assert_eq!(keys("no such table: ghost"), [""; 0]);
    }

    #[test]
    fn rows_that_fail_a_commit_are_counted_without_those_of_before() {
        let db = database(
            "CREATE TABLE parent (a, b, UNIQUE (a, b)); CREATE TABLE broken (x REFERENCES parent (a));
             CREATE TABLE child (x, y, FOREIGN KEY (x, y) REFERENCES parent (a, b) DEFERRABLE INITIALLY DEFERRED);",
        );
        db.execute_batch(
            "PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (0, 0), (0, 1); PRAGMA foreign_keys = ON;
             BEGIN IMMEDIATE; INSERT INTO child VALUES (1, 2), (3, 4), (5, NULL)",
        )
        .unwrap();
        assert!(db.execute_batch("COMMIT").is_err());
        let unmet = unmet(&db).unwrap();
        let expected = BrokenReference {
            table: "child".to_owned(),
            column: "x, y".to_owned(),
            parents: vec!["parent".to_owned()],
            rows: 2,
        };
        assert_eq!(unmet, [expected]);
        assert!(db.is_autocommit());
        assert_eq!(db.query_row("SELECT count(*) FROM child WHERE TRUE", [], |row| row.get(0)), Ok(2));
    }
}
