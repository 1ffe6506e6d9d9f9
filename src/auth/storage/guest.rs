//! What the storage port says of an app's database: its schema, and why it is not written.

use std::fmt;
use std::path::Path;

/// The schema of an app's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSchema {
    /// The tables that authctl uses.
    pub tables: Vec<GuestTable>,
    /// Describes the encoding of times.
    pub time: String,
    /// What shows the encoding of times.
    pub time_evidence: String,
    /// Describes the ids of rows.
    pub ids: String,
    /// The triggers on those tables. They run in the acts of authctl as in those of the app.
    pub triggers: Vec<GuestTrigger>,
    /// Why authctl does not write to the database. Empty if writing is safe.
    pub write_blockers: Vec<WriteBlocker>,
    /// Set if others can replace the file. It is read and not written, and admits no user.
    pub unsafe_place: Option<UnsafePlace>,
}

/// A directory in which others can replace the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsafePlace {
    pub directory: String,
    pub problem: String,
    /// How to fix it.
    pub remedy: String,
}

impl fmt::Display for UnsafePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not safe to use: {}", self.directory, self.problem)
    }
}

impl GuestSchema {
    /// The first reason why nothing at all is written.
    pub fn blocks_everything(&self) -> Option<&WriteBlocker> {
        self.write_blockers.iter().find(|blocker| blocker.only_new_rows_of.is_none())
    }

    /// Whether the app keeps a table outside of the database. Takes Better Auth's name.
    pub fn keeps_elsewhere(&self, table: &str) -> bool {
        let found = self.tables.iter().find(|one| one.name == table);
        found.is_some_and(|table| table.columns.iter().all(|column| column.physical.is_none()))
    }

    /// Whether the app has a column. Takes Better Auth's names.
    pub fn has(&self, table: &str, column: &str) -> bool {
        let table = self.tables.iter().find(|one| one.name == table);
        table.is_some_and(|table| table.columns.iter().any(|one| one.name == column && one.physical.is_some()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestTrigger {
    pub name: String,
    /// The table, as the database names it.
    pub table: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestTable {
    /// The name in Better Auth.
    pub name: &'static str,
    /// The name in the database.
    pub physical: String,
    pub columns: Vec<GuestColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestColumn {
    /// The name in Better Auth.
    pub name: &'static str,
    /// The name in the database; `None` if the column does not exist.
    pub physical: Option<String>,
    /// The type that the schema declares.
    pub declared: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBlocker {
    pub problem: String,
    /// How to fix it.
    pub remedy: String,
    /// The table that gets no new rows, as the database names it; `None` if nothing is written.
    pub only_new_rows_of: Option<String>,
}

impl WriteBlocker {
    /// What to do about times whose encoding is not known.
    pub const NAME_THE_ENCODING: &str =
        r#"name it in the --schema file: {"time": "seconds"}, "milliseconds" or "text""#;

    /// A time cannot be written to a column whose encoding is not known.
    pub fn unknown_encoding(column: &str) -> Self {
        Self {
            problem: format!("no value shows how {column} encodes instants, and other columns differ"),
            remedy: Self::NAME_THE_ENCODING.to_owned(),
            only_new_rows_of: None,
        }
    }
}

/// Why authctl's own file about an app's database cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoState {
    /// The path of the file; `None` without a home directory.
    pub path: Option<String>,
    pub problem: String,
}

impl NoState {
    pub fn unwritable(path: &Path, problem: impl fmt::Display) -> Self {
        Self { path: Some(path.display().to_string()), problem: problem.to_string() }
    }
}

impl fmt::Display for NoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "the file {path} for its audit log cannot be written: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}
