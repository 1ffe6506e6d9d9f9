//! Describes an app's file to the recognition.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::engine::SqliteTx;
use super::error::SqliteResult as _;
use crate::auth::storage::{GuestTrigger, StoreError};
use crate::store::better_auth::{ColumnType, Description, FoundColumn, FoundTable, name_of_absent};
use crate::store::engine::Tx;
use crate::store::mapping::{IdStrategy, Table, identifier};

/// The main database of a connection.
pub(in crate::store) struct Described<'c>(pub(in crate::store) &'c Connection);

impl Described<'_> {
    fn names(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let sql = r"SELECT name FROM main.sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name";
        let mut statement = self.0.prepare(sql).engine()?;
        statement.query_map([kind], |row| row.get(0)).and_then(Iterator::collect).engine()
    }
}

impl Description for Described<'_> {
    fn table(&self, name: &str) -> Result<Option<FoundTable>, StoreError> {
        let sql = "SELECT found.name, list.wr FROM main.sqlite_schema AS found, pragma_table_list(found.name) AS list
             WHERE found.type = 'table' AND found.name = ?1 COLLATE NOCASE AND list.schema = 'main'";
        let table = |row: &Row<'_>| Ok(FoundTable { name: row.get(0)?, has_insertion_order: !row.get(1)? });
        self.0.query_row(sql, [name], table).optional().engine()
    }

    fn columns(&self, table: &str) -> Result<Vec<FoundColumn>, StoreError> {
        let sql = r#"SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main')"#;
        let mut statement = self.0.prepare(sql).engine()?;
        let column = |row: &Row<'_>| {
            Ok(FoundColumn {
                name: row.get(0)?,
                declared: row.get(1)?,
                not_null: row.get(2)?,
                default: row.get(3)?,
                key: row.get::<_, i64>(4)? > 0,
                is_computed: row.get(5)?,
                holds: ColumnType::ShownByValues,
            })
        };
        statement.query_map([table], column).and_then(Iterator::collect).engine()
    }

    fn triggers(&self, table: &str) -> Result<Vec<GuestTrigger>, StoreError> {
        let sql = "SELECT name FROM main.sqlite_schema
            WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name";
        let mut statement = self.0.prepare(sql).engine()?;
        let trigger = |row: &Row<'_>| Ok(GuestTrigger { name: row.get(0)?, table: table.to_owned() });
        statement.query_map([table], trigger).and_then(Iterator::collect).engine()
    }

    fn table_names(&self) -> Result<Vec<String>, StoreError> {
        self.names("table")
    }

    fn view_names(&self) -> Result<Vec<String>, StoreError> {
        self.names("view")
    }

    fn place(&self, table: &str) -> String {
        ["main.", &identifier(table)].concat()
    }

    /// SQLite numbers the rows of a table whose key has exactly the type `integer`.
    fn ids_of_type(&self, column: &FoundColumn, table: &FoundTable, columns: &[FoundColumn]) -> Option<IdStrategy> {
        let is_alone = || columns.iter().filter(|column| column.key).count() == 1;
        let is_number = column.key && table.has_insertion_order && column.declared.eq_ignore_ascii_case("integer");
        (is_number && is_alone()).then_some(IdStrategy::Serial)
    }

    fn read(&self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        queries(&mut SqliteTx::new(self.0))
    }
}

/// Makes empty tables for this connection alone, in memory.
pub(in crate::store) fn add_absent(connection: &Connection, tables: &[&Table]) -> Result<(), StoreError> {
    for table in tables {
        let columns: Vec<String> = table.columns.iter().map(|column| identifier(column.name)).collect();
        let sql = format!(
            "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE {} ({})",
            identifier(&name_of_absent(table)),
            columns.join(", ")
        );
        connection.execute_batch(&sql).engine()?;
    }
    Ok(())
}
