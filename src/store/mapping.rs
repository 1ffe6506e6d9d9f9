//! The mapping of a database: the names of its tables and columns, and the encoding of their values.
//! A mapping is data, so that every statement and every rule is written once.

mod encoding;
mod evidence;
mod ids;
mod plugins;
mod schema;
mod text_time;
mod truth;
mod votes;
mod zone;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::auth::password::HashParams;
use crate::auth::secret::{Token, digest};
use crate::auth::storage::{StoreError, WriteBlocker, WriteScope};
use crate::store::better_auth::file_text;
use crate::store::engine::{Value, ValueRef};

pub(in crate::store) use encoding::{TimeEncoding, TimeEncodings};
pub(in crate::store) use evidence::{
    DeclaredTruth, Evidence, NAMED, Observed, Place, TimeEvidence, TruthEvidence, TruthValues, Verdict, files_with_unit,
};
pub(in crate::store) use ids::{IdStrategy, Ids, Range, is_uuid};
pub(in crate::store) use plugins::{FoundPlugin, ORM_TABLES, find as find_plugins, is_same};
pub(in crate::store) use schema::{
    Column, Holds, Names, Reading, TABLES, Table, identifier, is_called, missing_name, table,
};
pub(in crate::store) use text_time::TextForm;
pub(in crate::store) use truth::{INSTANTS_FROM, TruthEncoding, is_false, is_true, spells_false};
pub(in crate::store) use votes::{Elected, Votes};
pub(in crate::store) use {ids::IntegerType, zone::Zone};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemaMapping {
    /// `None` when the names are those of the statements.
    pub names: Option<Names>,
    pub times: TimeEncodings,
    /// The columns whose booleans are not 0 and 1, by table and name.
    pub truths: Vec<(&'static str, &'static str, TruthEncoding)>,
    /// Columns whose values are all read before they are written, because a sample does not decide their encoding.
    pub unsettled: Vec<(&'static str, &'static str)>,
    /// The storage of session tokens and codes.
    pub tokens: TokenStorage,
    pub ids: Ids,
    /// Columns of the app that must not be null: table, column and the value to write.
    pub fixed: Vec<(&'static str, String, String)>,
    /// Tables that do not keep the order of insertion, such as `WITHOUT ROWID` tables of SQLite.
    pub without_insertion_order: Vec<&'static str>,
    /// The hash function of the app, as the `--schema` file names it.
    pub passwords: Option<HashParams>,
    /// Whether the database gives new users a role.
    pub has_default_role: bool,
    /// Tables that get no new rows, each with the reason.
    pub without_new_rows: Vec<(&'static str, WriteBlocker)>,
    /// Tables whose rows are not reached, each with the reason.
    pub unreached: Vec<(&'static str, WriteBlocker)>,
    /// Columns of the app that need a value in a new row, which the `--schema` file does not name.
    pub needed: Vec<NeededColumn>,
    /// Columns that are not written although their encoding is clear, by table and name, each with the reason.
    pub read_only: Vec<(&'static str, &'static str, WriteBlocker)>,
    /// Missing columns for which another one may stand: table, column and the text of a `--schema` file.
    pub near: Vec<(&'static str, &'static str, String)>,
}

/// A column of the app without which a table gets no new rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NeededColumn {
    /// Better Auth's name of the table.
    pub table: &'static str,
    /// The database's name of the table.
    pub physical: String,
    pub column: String,
}

impl NeededColumn {
    /// The reason why the tables of columns get no new rows; `None` without a column.
    pub(super) fn blocker(needed: &[&Self]) -> Option<WriteBlocker> {
        let first = needed.first()?;
        let list = |of: fn(&Self) -> String| needed.iter().map(|column| of(column)).collect::<Vec<_>>().join(", ");
        let places = list(|needed| format!("{}.{}", needed.physical, needed.column));
        let values = needed.iter().map(|one| (format!("{}.{}", one.table, one.column), Some("..."))).collect();
        let (subject, value, them) = match needed {
            [_] => ("the column", "needs a value", "one"),
            _ => ("the columns", "need values", "them"),
        };
        Some(WriteBlocker {
            problem: format!("{subject} {places} {value} in a new row, and authctl does not know which"),
            remedy: format!("name {them} in the --schema file: {}", file_text(&[("values", values)])),
            scope: WriteScope::NewRows(first.physical.clone()),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenStorage {
    /// SHA-256 in hex, so that a copy of the database has no token that signs in.
    Sha256,
    /// Plain text, as Better Auth stores them.
    Plain,
}

/// The encoding in authctl's own tables, in every database.
pub(super) const OWN_TIME: TimeEncoding = TimeEncoding::Seconds;

/// The mapping of a native database on SQLite.
pub(super) const NATIVE: SchemaMapping = native(TimeEncoding::Seconds);

/// The mapping of a native database on PostgreSQL.
pub(super) const NATIVE_POSTGRES: SchemaMapping = native(TimeEncoding::CalendarSeconds);

const fn native(times: TimeEncoding) -> SchemaMapping {
    SchemaMapping {
        names: None,
        times: TimeEncodings { default: times, columns: Vec::new(), read_only: Vec::new() },
        truths: Vec::new(),
        unsettled: Vec::new(),
        tokens: TokenStorage::Sha256,
        ids: Ids { default: IdStrategy::Text, tables: Vec::new(), impersonator_is_reference: false },
        fixed: Vec::new(),
        without_insertion_order: Vec::new(),
        passwords: None,
        has_default_role: false,
        without_new_rows: Vec::new(),
        unreached: Vec::new(),
        needed: Vec::new(),
        read_only: Vec::new(),
        near: Vec::new(),
    }
}

impl SchemaMapping {
    /// Puts the names of the database into a statement.
    pub(super) fn sql<'s>(&self, statement: impl Into<Cow<'s, str>>) -> Cow<'s, str> {
        let statement = statement.into();
        match &self.names {
            None => statement,
            Some(names) => Cow::Owned(schema::render(&statement, names)),
        }
    }

    /// Whether the database belongs to an app.
    pub(super) fn is_guest(&self) -> bool {
        self.names.is_some()
    }

    /// The error about a column that the database lacks.
    pub(super) fn no_column(&self, table: &'static str, column: &'static str) -> StoreError {
        let near = self.near.iter().find(|(of, name, _)| (*of, *name) == (table, column));
        let plugin = if column == "twoFactorEnabled" { "two-factor" } else { "admin" };
        let remedy = near.map_or_else(
            || format!("the {plugin} plugin of Better Auth has this column: add it to the app and run its migration"),
            |(_, _, line)| format!("name it in a file for --schema, if it has another name: {line}"),
        );
        let known = TABLES.iter().find(|one| one.name == table).map_or(&[][..], |table| table.columns);
        let others = known.iter().filter_map(|other| self.column(table, other.name));
        StoreError::NoColumn { column: missing_name(others, column), table: self.table(table).to_owned(), remedy }
    }

    /// Why one of some tables gets no new rows; all columns that need a value at once.
    pub(super) fn blocks_new_rows(&self, tables: &[&str]) -> Option<WriteBlocker> {
        let blocked = self.without_new_rows.iter().find(|(table, _)| tables.contains(table));
        let needed: Vec<_> = self.needed.iter().filter(|column| tables.contains(&column.table)).collect();
        blocked.map(|(_, blocker)| blocker.clone()).or_else(|| NeededColumn::blocker(&needed))
    }

    /// Why no row of a table is found by one of its columns.
    pub(super) fn not_found_by(&self, table: &str, columns: &[&str]) -> Option<&WriteBlocker> {
        let unreached = self.unreached.iter().find(|(of, _)| *of == table).map(|(_, blocker)| blocker);
        let missing = || columns.iter().find(|column| !self.has(table, column));
        unreached.or_else(|| self.read_only(table, missing()?))
    }

    /// Takes over what the values and the schema of an app's database show.
    pub(super) fn decide(&mut self, verdict: Verdict) {
        self.times = verdict.times;
        self.truths = verdict.truths;
        self.unsettled = verdict.unsettled;
    }

    /// Why a column is not written.
    pub(super) fn read_only(&self, table: &str, column: &str) -> Option<&WriteBlocker> {
        let listed = self.read_only.iter().find(|(of, name, _)| (*of, *name) == (table, column));
        listed.map(|(_, _, blocker)| blocker).or_else(|| self.times.read_only(table, column))
    }

    /// Why a column is not written that the database computes; `None` for any other.
    pub(super) fn computed(&self, table: &str, column: &str) -> Option<&WriteBlocker> {
        let listed = self.read_only.iter().find(|(of, name, _)| (*of, *name) == (table, column));
        listed.map(|(_, _, blocker)| blocker).filter(|_| self.has(table, column))
    }

    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.column(table, column).is_some())
    }

    /// The database's name of a table of Better Auth.
    pub(super) fn table<'a>(&'a self, table: &'a str) -> &'a str {
        self.names.as_ref().map_or(table, |names| names.table(table))
    }

    /// The database's name of a column; `None` when it lacks the column.
    pub(super) fn column<'a>(&'a self, table: &str, column: &'a str) -> Option<&'a str> {
        match &self.names {
            None => Some(column),
            Some(names) => names.column(table, column),
        }
    }

    /// A column as the error about a constraint names it.
    pub(super) fn place(&self, table: &str, column: &str) -> String {
        format!("{}.{}", self.table(table), self.column(table, column).unwrap_or(column))
    }

    fn truth_encoding(&self, table: &str, column: &str) -> TruthEncoding {
        let listed = self.truths.iter().find(|(of_table, name, _)| *of_table == table && *name == column);
        listed.map_or(TruthEncoding::Number, |(_, _, encoding)| *encoding)
    }

    /// Encodes a boolean for a column. A column of dates gets `now` for true.
    pub(super) fn truth(&self, table: &str, column: &str, truth: bool, now: Timestamp) -> Value {
        self.truth_encoding(table, column).write(truth, now)
    }

    /// Reads a boolean of a column; `None` when the value is not one.
    pub(super) fn read_truth(&self, table: &str, column: &str, value: ValueRef<'_>) -> Option<bool> {
        self.truth_encoding(table, column).read(value)
    }

    /// Encodes an instant for a column.
    pub(super) fn time(&self, table: &str, column: &str, instant: Timestamp) -> Value {
        self.times.of(table, column).write(instant)
    }

    /// Reads an instant of a column; `None` when the value is not one.
    pub(super) fn read_time(&self, table: &str, column: &str, value: ValueRef<'_>) -> Option<Timestamp> {
        self.times.of(table, column).read(value)
    }

    /// Encodes a token for the `token` column.
    pub(super) fn token<'t>(&self, token: &'t Token) -> Cow<'t, str> {
        match self.tokens {
            TokenStorage::Sha256 => Cow::Owned(digest(token.expose())),
            TokenStorage::Plain => Cow::Borrowed(token.expose()),
        }
    }

    /// The value of an id of a table.
    pub(super) fn key(&self, table: &str, id: &str) -> Value {
        self.ids.of(table).write(id)
    }

    /// The value of a user's id in a column that names a user.
    pub(super) fn reference(&self, table: &str, column: &str, user_id: &str) -> Value {
        self.ids.of_column(table, column).write(user_id)
    }

    fn is_read_as_text(&self, table: &str, column: &str) -> bool {
        self.names.as_ref().is_some_and(|names| names.reading(table, column) == Reading::Text)
    }

    /// Encodes text of a session that may be absent: Better Auth writes empty text for an unknown address, which columns of
    /// other types, such as `inet`, refuse.
    pub(super) fn unknown(&self, column: &str, text: Option<&str>) -> Option<String> {
        match text {
            None if self.is_guest() && !self.is_read_as_text("session", column) => Some(String::new()),
            text => text.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_stored_as_a_digest_only_in_native_databases() {
        let token = Token::from_bytes(b"abc").unwrap();
        assert_eq!(NATIVE.token(&token), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let app = SchemaMapping { tokens: TokenStorage::Plain, ..NATIVE };
        assert_eq!(app.token(&token), "abc");
    }
}
