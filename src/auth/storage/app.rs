//! What was found in the database of a Better Auth app.

/// The schema of an app's database, as it was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSchema {
    /// The tables that matter, with the names they have there.
    pub tables: Vec<GuestTable>,
    /// How instants are written, in words.
    pub time: String,
    /// What shows it.
    pub time_evidence: String,
    /// How rows get their ids, in words.
    pub ids: &'static str,
    /// Why nothing is written there, each with what settles it. Empty when writing is safe.
    pub write_blockers: Vec<WriteBlocker>,
}

impl GuestSchema {
    /// Whether the app has a column, by Better Auth's names.
    pub fn has(&self, table: &str, column: &str) -> bool {
        let table = self.tables.iter().find(|one| one.name == table);
        table.is_some_and(|table| table.columns.iter().any(|one| one.name == column && one.physical.is_some()))
    }
}

/// A table of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestTable {
    /// Better Auth's name.
    pub name: &'static str,
    /// The app's.
    pub physical: String,
    /// Its columns.
    pub columns: Vec<GuestColumn>,
}

/// A column of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestColumn {
    /// Better Auth's name.
    pub name: &'static str,
    /// The app's; `None` when it has no such column.
    pub physical: Option<String>,
    /// The type that the schema declares.
    pub declared: String,
}

/// Why nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBlocker {
    /// What is in the way.
    pub problem: String,
    /// What settles it.
    pub remedy: String,
}
