//! The schema of a file, as it says of itself.

use rusqlite::{Connection, OptionalExtension as _, Row};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub name: String,
    /// The declared type, as written.
    pub declared: String,
    /// It takes no NULL.
    pub not_null: bool,
    /// The expression that fills it, as written.
    pub default: Option<String>,
    /// It is a part of the primary key.
    pub key: bool,
}

/// A table of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundTable {
    /// The name as the file spells it; SQLite ignores the case of letters.
    pub(super) name: String,
    /// Whether the table is `WITHOUT ROWID`.
    pub(super) is_without_rowid: bool,
}

/// Finds a table by its name.
pub(super) fn table(connection: &Connection, name: &str) -> rusqlite::Result<Option<FoundTable>> {
    connection
        .query_row(
            "SELECT found.name, list.wr FROM main.sqlite_schema AS found, pragma_table_list(found.name) AS list
             WHERE found.type = 'table' AND found.name = ?1 COLLATE NOCASE AND list.schema = 'main'",
            [name],
            |row| Ok(FoundTable { name: row.get(0)?, is_without_rowid: row.get(1)? }),
        )
        .optional()
}

/// The columns of a table.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut statement =
        connection.prepare(r#"SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?1, 'main')"#)?;
    let column = |row: &Row<'_>| {
        Ok(Column {
            name: row.get(0)?,
            declared: row.get(1)?,
            not_null: row.get(2)?,
            default: row.get(3)?,
            key: row.get::<_, i64>(4)? > 0,
        })
    };
    statement.query_map([table], column)?.collect()
}

/// The name of a trigger on a table, if there is one.
pub(super) fn trigger(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE",
            [table],
            |row| row.get(0),
        )
        .optional()
}
