//! What the storage port says of an app's database: its schema, why it is not written, and what acts on it leave open.

use std::fmt;
use std::path::Path;

use super::StoreError;
use crate::auth::audit::Entry;

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
        let is_all = |blocker: &&WriteBlocker| matches!(blocker.scope, WriteScope::Everything | WriteScope::Times);
        self.write_blockers.iter().find(is_all)
    }

    /// Why no time can be read, if that is so.
    pub fn unclear_times(&self) -> Option<&WriteBlocker> {
        self.write_blockers.iter().find(|blocker| blocker.is_about_times())
    }

    /// Whether a column is not written because its encoding is not clear. Takes the database's name, as in
    /// `user.created_at`.
    pub fn is_read_only(&self, place: &str) -> bool {
        self.write_blockers.iter().any(|blocker| match &blocker.scope {
            WriteScope::Column(column) | WriteScope::Silent { column, .. } => column == place,
            WriteScope::Everything | WriteScope::Times | WriteScope::NewRows(_) | WriteScope::Elsewhere(_) => false,
        })
    }

    /// Why the rows of a table are not reached; `None` if they are. Takes Better Auth's name.
    pub fn unreached(&self, table: &str) -> Option<&WriteBlocker> {
        self.tables.iter().find(|one| one.name == table)?.unreached.as_ref()
    }

    /// Whether the rows of a user in a table can be counted: it is reached, and has the columns that name the user and that
    /// tell a live session. Takes Better Auth's name.
    pub fn counts(&self, table: &str) -> bool {
        if table == "session" && self.unclear_times().is_some() {
            return false;
        }
        let columns = match table {
            "session" => &["userId", "expiresAt"][..],
            "verification" => &["value"],
            _ => &["userId"],
        };
        columns.iter().all(|column| self.has(table, column))
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
    /// The name in the database; `None` if its rows are not reached.
    pub physical: Option<String>,
    pub columns: Vec<GuestColumn>,
    /// Why its rows are not reached.
    pub unreached: Option<WriteBlocker>,
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

/// A reason why authctl does not write to an app's database, or to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBlocker {
    pub problem: String,
    /// How to fix it.
    pub remedy: String,
    pub scope: WriteScope,
}

impl WriteBlocker {
    /// Whether no time is read either.
    pub fn is_about_times(&self) -> bool {
        self.scope == WriteScope::Times
    }
}

/// What is not written. Tables and columns have the names of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteScope {
    Everything,
    /// Everything, because the encoding of times is not clear. No time is read either.
    Times,
    /// New rows of a table. The others are written.
    NewRows(String),
    /// All rows of a table that the app keeps outside of the database.
    Elsewhere(String),
    /// A column, such as `user.created_at`. Acts that need not write it go on.
    Column(String),
    /// A column likewise, of whose encoding nothing is known: the `--schema` file can name any. `key` is Better Auth's
    /// name of it, such as `user.createdAt`.
    Silent {
        column: String,
        key: String,
    },
}

impl fmt::Display for WriteBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            WriteScope::Everything => write!(f, "nothing is written to this app's database: {}", self.problem),
            WriteScope::Times => write!(f, "the database can be read in two ways: {}", self.problem),
            WriteScope::NewRows(_) | WriteScope::Elsewhere(_) | WriteScope::Column(_) | WriteScope::Silent { .. } => {
                f.write_str(&self.problem)
            }
        }
    }
}

/// What acts report besides their results, if the audit log is in another file than their effect.
#[derive(Debug, Default)]
pub struct LooseEnds {
    /// The intentions of earlier processes that died before the log could say whether the acts were done.
    pub interrupted: Vec<Entry>,
    /// Why the log does not say that an act of this process was done. The act was done.
    pub unlogged: Option<StoreError>,
    /// What acts left as it was, and why.
    pub left: Vec<String>,
}

impl LooseEnds {
    /// Adds those of another store.
    pub fn add(&mut self, other: Self) {
        self.interrupted.extend(other.interrupted);
        self.unlogged = self.unlogged.take().or(other.unlogged);
        self.leave(other.left);
    }

    /// Adds what an act left as it was. Each thing is reported once.
    pub fn leave(&mut self, left: Vec<String>) {
        for one in left {
            if !self.left.contains(&one) {
                self.left.push(one);
            }
        }
    }
}

/// Where authctl's own tables about an app's database are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatePlace {
    /// A file of this machine, by its path.
    File(String),
    /// No file, because there is no home directory.
    Nowhere,
    /// A schema of the app's database, by its name.
    Schema(&'static str),
}

impl fmt::Display for StatePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "local file {path}"),
            Self::Nowhere => f.write_str("nowhere: there is no home directory"),
            Self::Schema(name) => write!(f, "schema {name}"),
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
