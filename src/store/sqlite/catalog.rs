//! The catalog of a database: its tables with their columns and foreign keys, those of the app included.

use rusqlite::{Connection, Row};

use super::checks;
use super::keys::{self, PrimaryKeyColumn};
use crate::auth::storage::KeyFault;
use crate::store::engine::{CatalogColumn, CatalogTable, ForeignKey, OnDelete};

/// Tables that hold rows of their own. A virtual table may need a module that this program does not have, and
/// SQLite cannot describe it without.
const TABLES: &str = "SELECT name, sql, rowid AS created FROM main.sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'create virtual%'";

/// Reads the catalog of the main database.
pub(in crate::store) fn read(connection: &Connection) -> rusqlite::Result<Vec<CatalogTable>> {
    let mut tables: Vec<CatalogTable> = Vec::new();
    let mut primary: Vec<PrimaryKeyColumn> = Vec::new();
    let sql = format!(
        r#"SELECT made.name, has.name, has."notnull", has.pk, made.sql, has.hidden FROM ({TABLES}) AS made
           CROSS JOIN pragma_table_xinfo(made.name, 'main') AS has ORDER BY made.created, has.cid"#
    );
    each(connection, &sql, |row| {
        let name: String = row.get(0)?;
        let (is_computed, number): (bool, i64) = (row.get(5)?, row.get(3)?);
        let is_nullable = !is_computed && !row.get::<_, bool>(2)?;
        let column = CatalogColumn {
            name: row.get(1)?,
            is_nullable,
            is_computed,
            is_key: number > 0,
            kind: String::new(),
            words: Vec::new(),
        };
        primary.push(PrimaryKeyColumn { table: name.clone(), number, name: column.name.clone() });
        if let Some(table) = tables.last_mut().filter(|table| table.name == name) {
            table.columns.push(column);
        } else {
            let checks = checks::read(row.get_ref(4)?.as_str().unwrap_or_default());
            tables.push(CatalogTable { name, columns: vec![column], foreign_keys: Vec::new(), checks });
        }
        Ok(())
    })?;
    let sql = format!(
        r#"SELECT made.name, has.seq, has."table", has."from", has."to", has.on_delete FROM ({TABLES}) AS made
           CROSS JOIN pragma_foreign_key_list(made.name, 'main') AS has ORDER BY made.created, has.id, has.seq"#
    );
    each(connection, &sql, |row| {
        let name: String = row.get(0)?;
        let Some(table) = tables.iter_mut().find(|table| table.name == name) else { return Ok(()) };
        let (place, parent): (i64, String) = (row.get(1)?, row.get(2)?);
        // Without a name, the foreign key refers to the primary key of the parent.
        let named: Option<String> = row.get(4)?;
        let of_key = || {
            let is_part = |one: &&PrimaryKeyColumn| one.number == place + 1 && one.table.eq_ignore_ascii_case(&parent);
            primary.iter().find(is_part).map(|one| one.name.clone())
        };
        let own: String = row.get(3)?;
        let action: String = row.get(5)?;
        let is_never_null = |column: &CatalogColumn| column.name == own && !column.is_nullable;
        let writes_null = action == "SET NULL" && table.columns.iter().any(is_never_null);
        let fault = writes_null.then_some(KeyFault::NeverNull);
        let columns = (own, named.or_else(of_key).unwrap_or_default());
        match table.foreign_keys.last_mut() {
            Some(key) if place > 0 => {
                key.columns.push(columns);
                key.fault = key.fault.or(fault);
            }
            _ => {
                let on_delete = match action.as_str() {
                    "CASCADE" => OnDelete::Cascade,
                    "SET NULL" | "SET DEFAULT" => OnDelete::Clear,
                    "RESTRICT" => OnDelete::Refuse,
                    _ => OnDelete::RefuseAtEnd,
                };
                table.foreign_keys.push(ForeignKey { parent, columns: vec![columns], on_delete, fault });
            }
        }
        Ok(())
    })?;
    for key in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        key.fault = keys::fault(connection, key, &primary)?.or(key.fault);
    }
    Ok(tables)
}

fn each(
    connection: &Connection,
    sql: &str,
    mut found: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found(row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(sql: &str) -> Vec<CatalogTable> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        read(&connection).unwrap()
    }

    fn key(parent: &str, columns: &[(&str, &str)], on_delete: OnDelete) -> ForeignKey {
        let columns = columns.iter().map(|(own, referred)| ((*own).to_owned(), (*referred).to_owned())).collect();
        ForeignKey { parent: parent.to_owned(), columns, on_delete, fault: None }
    }

    #[test]
    fn foreign_keys_are_read_with_their_actions() {
        let tables = catalog(
            "CREATE TABLE user (id TEXT PRIMARY KEY NOT NULL, name TEXT);
             CREATE TABLE post (id INTEGER PRIMARY KEY, author TEXT NOT NULL REFERENCES User, editor REFERENCES user(id)
               ON DELETE SET NULL, FOREIGN KEY (author, editor) REFERENCES pair (a, b) ON DELETE CASCADE);",
        );
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["user", "post"]);
        let id = &tables[0].columns[0];
        assert_eq!((&*id.name, id.is_nullable, id.is_computed, id.is_key), ("id", false, false, true));
        assert!(tables[1].columns[2].is_nullable);
        let expected = [
            ForeignKey {
                fault: Some(KeyFault::NoTable),
                ..key("pair", &[("author", "a"), ("editor", "b")], OnDelete::Cascade)
            },
            key("user", &[("editor", "id")], OnDelete::Clear),
            key("User", &[("author", "id")], OnDelete::RefuseAtEnd),
        ];
        assert_eq!(tables[1].foreign_keys, expected);
    }

    #[test]
    fn computed_columns_are_read_with_the_others() {
        let tables = catalog("CREATE TABLE t (a TEXT, b TEXT AS (lower(a)), c TEXT AS (upper(a)) STORED)");
        let columns = tables[0].columns.iter().map(|column| (&*column.name, column.is_computed, column.is_nullable));
        let expected = [("a", false, true), ("b", true, false), ("c", true, false)];
        assert_eq!(columns.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn virtual_tables_and_tables_of_sqlite_are_left_out() {
        let tables = catalog(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW v AS SELECT 1;
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES ('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(a)');
             PRAGMA writable_schema = RESET;",
        );
        assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["t"]);
    }
}
