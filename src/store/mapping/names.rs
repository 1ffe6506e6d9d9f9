//! What a database calls the tables and columns.

use super::schema::TABLES;

/// The names of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Names {
    tables: Vec<TableNames>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TableNames {
    schema: &'static str,
    physical: String,
    /// In the order of the schema columns; `None` for one that is not there.
    columns: Vec<(&'static str, Option<String>)>,
}

impl Names {
    /// Every name as the statements spell it.
    pub(in crate::store) fn as_spelled() -> Self {
        let tables = TABLES.iter().map(|table| TableNames {
            schema: table.name,
            physical: table.name.to_owned(),
            columns: table.columns.iter().map(|column| (column.name, Some(column.name.to_owned()))).collect(),
        });
        Self { tables: tables.collect() }
    }

    /// Gives a table its name.
    pub(in crate::store) fn set_table(&mut self, table: &str, name: &str) {
        if let Some(found) = self.tables.iter_mut().find(|one| one.schema == table) {
            name.clone_into(&mut found.physical);
        }
    }

    /// Gives a column its name; `None` when there is no such column.
    pub(in crate::store) fn set_column(&mut self, table: &str, column: &str, name: Option<&str>) {
        let table = self.tables.iter_mut().find(|one| one.schema == table);
        if let Some(found) = table.and_then(|table| table.columns.iter_mut().find(|(known, _)| *known == column)) {
            found.1 = name.map(str::to_owned);
        }
    }

    /// The name of a table.
    pub(in crate::store) fn table<'a>(&'a self, table: &'a str) -> &'a str {
        self.tables.iter().find(|one| one.schema == table).map_or(table, |found| &found.physical)
    }

    /// The name of a column; `None` when it is not there.
    pub(in crate::store) fn column(&self, table: &str, column: &str) -> Option<&str> {
        let table = self.tables.iter().find(|one| one.schema == table)?;
        table.columns.iter().find(|(known, _)| *known == column)?.1.as_deref()
    }
}
