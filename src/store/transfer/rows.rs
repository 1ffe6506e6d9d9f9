//! The rows of a native database in a form that no engine has a part in: text, whole numbers and NULL. Times are seconds
//! since 1970.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use jiff::Timestamp;

use super::TransferError;
use crate::auth::duration;
use crate::auth::secret::digest;
use crate::auth::storage::StoreError;
use crate::store::engine::{Row, Tx, Value, ValueRef, insertion};
use crate::store::mapping::{Holds, SchemaMapping, TABLES};

/// A table that is copied.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: Vec<(&'static str, Kind)>,
    /// The column by which the rows are ordered; `None` for the order of their insertion.
    key: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    Time,
}

/// The tables, each after those that its foreign keys refer to.
pub(super) static COPIED: LazyLock<Vec<Table>> = LazyLock::new(|| {
    use Kind::{Number, Text};
    let of_users = TABLES.iter().map(|table| Table {
        name: table.name,
        // Native databases lack it.
        columns: table
            .columns
            .iter()
            .filter(|column| column.name != "issuer")
            .map(|column| (column.name, column.holds.into()))
            .collect(),
        key: None,
    });
    let own = |name, columns: &[(&'static str, Kind)]| Table {
        name,
        columns: columns.to_vec(),
        key: columns.first().map(|first| first.0),
    };
    let factors = own(
        "authctl_twoFactor",
        &[
            ("id", Text),
            ("secret", Text),
            ("backupCodes", Text),
            ("userId", Text),
            ("verified", Kind::Truth),
            ("failedVerificationCount", Number),
            ("lockedUntil", Kind::Time),
            ("lastStep", Number),
        ],
    );
    let tokens = own(
        "authctl_apikey",
        &[
            ("id", Text),
            ("name", Text),
            ("start", Text),
            ("key", Text),
            ("userId", Text),
            ("scopes", Text),
            ("createdAt", Kind::Time),
            ("expiresAt", Kind::Time),
            ("lastRequest", Kind::Time),
        ],
    );
    let policy = own("authctl_policy", &[("key", Text), ("value", Text), ("updatedAt", Number)]);
    let throttle =
        own("authctl_throttle", &[("key", Text), ("count", Number), ("notBefore", Number), ("lastAt", Number)]);
    let audit = own(
        "authctl_audit",
        &[
            ("seq", Number),
            ("form", Number),
            ("at", Number),
            ("event", Text),
            ("osUser", Text),
            ("host", Text),
            ("actorId", Text),
            ("actorEmail", Text),
            ("userId", Text),
            ("userEmail", Text),
            ("sessionId", Text),
            ("reason", Text),
            ("detail", Text),
            ("changes", Text),
            ("hash", Text),
        ],
    );
    of_users.chain([factors, tokens, policy, throttle, audit]).collect()
});

impl From<Holds> for Kind {
    fn from(holds: Holds) -> Self {
        match holds {
            Holds::Text => Self::Text,
            Holds::Truth => Self::Truth,
            Holds::Time => Self::Time,
        }
    }
}

/// How many rows are read at once, and the bytes of text after which no more are.
const ROWS_READ: usize = 500;
const BYTES_READ: usize = 1 << 20;
/// How many values one statement writes at most. SQLite takes 32,766 and PostgreSQL 65,535; more than these are no faster.
const VALUES_WRITTEN: usize = 1_000;

/// The first instant that every engine has in its calendar, in seconds since 1970: the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;

/// Some rows of a table, one after the other in the order in which they are copied.
#[derive(Debug, Default)]
pub(super) struct Part {
    rows: Vec<Vec<Value>>,
    /// The place of the last row in that order; `None` before the first one.
    last: Option<Value>,
    bytes: usize,
}

impl Part {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of the rows.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Reads the rows that follow these.
    pub(super) fn next(self, tx: &mut dyn Tx, mapping: &SchemaMapping, table: &Table) -> Result<Self, StoreError> {
        let order = table.key.map_or_else(|| tx.dialect().insertion.to_owned(), |key| format!("\"{key}\""));
        let after = if self.last.is_some() { format!("WHERE {order} > ?1") } else { String::new() };
        let sql = format!(
            r#"SELECT {order}, {} FROM "{}" {after} ORDER BY {order} LIMIT {ROWS_READ}"#,
            table.names(),
            table.name
        );
        let values: Vec<Value> = self.last.into_iter().collect();
        let mut part = Self::default();
        tx.query(&sql, &values, &mut |row| {
            part.read(row, mapping, table)?;
            Ok(if part.bytes < BYTES_READ { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(part)
    }

    fn read(&mut self, row: &Row<'_>, mapping: &SchemaMapping, table: &Table) -> Result<(), StoreError> {
        self.last = Some(row.value(0)?.to_value());
        let mut values = Vec::with_capacity(table.columns.len());
        for (index, (column, kind)) in table.columns.iter().enumerate() {
            let value = row.value(index + 1)?;
            let plain = kind.plain(value, mapping, table.name, column);
            let plain = plain.map_err(|problem| {
                let id = row.value(1).map_or(Value::Null, ValueRef::to_value);
                odd(table, column, &id, problem)
            })?;
            if let Value::Text(text) = &plain {
                self.bytes += text.len();
            }
            values.push(plain);
        }
        self.rows.push(values);
        Ok(())
    }

    /// Writes the rows to another database. If it refuses one, the error names it.
    pub(super) fn write(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, table: &Table) -> Result<(), TransferError> {
        let written = tx.attempt(|tx| table.insert(tx, mapping, &self.rows));
        let Err(of_all) = written else { return Ok(()) };
        if refusal(&of_all).is_some() {
            for row in &self.rows {
                let alone = tx.attempt(|tx| table.insert(tx, mapping, std::slice::from_ref(row)));
                let Err(error) = alone else { continue };
                let Some(problem) = refusal(&error) else { return Err(error.into()) };
                let row = name_of(row.first().unwrap_or(&Value::Null));
                return Err(TransferError::Refused { table: table.name, row, problem });
            }
        }
        Err(of_all.into())
    }

    /// Adds the rows to a digest of those before them.
    pub(super) fn add_to(&self, sum: &mut Sum) {
        for row in &self.rows {
            let mut text = std::mem::take(&mut sum.digest).into_bytes();
            for value in row {
                // The length of each text is there, so that no two rows have one form.
                match value {
                    Value::Text(written) => {
                        text.extend_from_slice(format!("t{}:", written.len()).as_bytes());
                        text.extend_from_slice(written.as_bytes());
                    }
                    Value::Integer(number) => text.extend_from_slice(format!("n{number};").as_bytes()),
                    _ => text.push(b'-'),
                }
            }
            sum.digest = digest(text);
            sum.rows += 1;
        }
    }
}

/// How many rows a table has, and a digest of all in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) digest: String,
}

/// The words of an engine that does not take a row; `None` for an error that is about no row.
fn refusal(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Constraint(constraint) => Some(constraint.to_string()),
        StoreError::NotUnique(columns) => Some(format!("another row has the same value in {columns}")),
        StoreError::Trigger(problem) | StoreError::Engine(problem) => Some(problem.clone()),
        StoreError::TooMuch(problem) => Some((*problem).to_owned()),
        _ => None,
    }
}

impl Table {
    fn insert(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let width = self.columns.len();
        for rows in rows.chunks(VALUES_WRITTEN / width) {
            let mut values = Vec::with_capacity(rows.len() * width);
            for row in rows {
                for (value, (column, kind)) in row.iter().zip(&self.columns) {
                    if !tx.dialect().has_nul && matches!(value, Value::Text(text) if text.contains('\0')) {
                        let problem = "has the character NUL, which the new database cannot store";
                        return Err(odd(self, column, row.first().unwrap_or(&Value::Null), problem));
                    }
                    values.push(kind.encoded(value, mapping, self.name, column));
                }
            }
            let target = format!(r#""{}" ({})"#, self.name, self.names());
            tx.change(&insertion(&target, width, rows.len()), &values)?;
        }
        Ok(())
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        names.join(", ")
    }
}

impl Kind {
    /// A value without the encoding of its database, or what is wrong with it.
    fn plain(
        self,
        value: ValueRef<'_>,
        mapping: &SchemaMapping,
        table: &str,
        column: &str,
    ) -> Result<Value, &'static str> {
        if value == ValueRef::Null {
            return Ok(Value::Null);
        }
        match self {
            Self::Text => value.as_text().map(Value::from).ok_or("is not text"),
            Self::Number => match value {
                ValueRef::Integer(number) => Ok(Value::Integer(number)),
                _ => Err("is not a whole number"),
            },
            Self::Truth => {
                let truth = mapping.read_truth(table, column, value).ok_or("is neither true nor false")?;
                Ok(Value::Integer(truth.into()))
            }
            Self::Time => {
                let instant = mapping.read_time(table, column, value).map(duration::seconds);
                let second = instant.filter(|second| *second >= FIRST_SECOND);
                second.map(Value::Integer).ok_or("is no time that a calendar knows")
            }
        }
    }

    /// A plain value in the encoding of a database.
    fn encoded(self, plain: &Value, mapping: &SchemaMapping, table: &str, column: &str) -> Value {
        match (self, plain) {
            (Self::Time, Value::Integer(second)) => {
                Timestamp::from_second(*second).map_or(Value::Null, |instant| mapping.time(table, column, instant))
            }
            (Self::Truth, Value::Integer(number)) => mapping.truth(table, column, *number != 0, Timestamp::UNIX_EPOCH),
            (_, plain) => plain.clone(),
        }
    }
}

/// The error about a value that cannot be copied.
fn odd(table: &Table, column: &'static str, id: &Value, problem: &str) -> StoreError {
    StoreError::Inconsistent { table: table.name, column, row: name_of(id), problem: problem.to_owned() }
}

/// How errors name a row.
fn name_of(id: &Value) -> String {
    match id {
        Value::Text(id) => id.clone(),
        Value::Integer(number) => number.to_string(),
        _ => "without an id".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[Vec<Value>]) -> Sum {
        let mut sum = Sum::default();
        Part { rows: rows.to_vec(), ..Part::default() }.add_to(&mut sum);
        sum
    }

    #[test]
    fn rows_that_differ_have_other_sums() {
        let texts = |row: &[&str]| row.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
        let different = [
            vec![],
            vec![texts(&["a", "b"])],
            vec![texts(&["b", "a"])],
            vec![texts(&["ab", ""])],
            vec![texts(&["", "ab"])],
            vec![texts(&["a"]), texts(&["b"])],
            vec![texts(&["b"]), texts(&["a"])],
            vec![vec!["a".into(), Value::Null]],
            vec![texts(&["a", ""])],
            vec![texts(&["1"])],
            vec![vec![Value::Integer(1)]],
            vec![vec![Value::Integer(-1)]],
        ];
        for (place, one) in different.iter().enumerate() {
            assert!(different[..place].iter().all(|other| sum(other) != sum(one)), "{one:?}");
        }
        assert_eq!(sum(&different[5]).rows, 2);
    }

    /// Whatever a migration adds to a native database is copied.
    #[test]
    fn every_column_of_a_native_database_is_copied() {
        let columns = include_str!("../../../migrations/postgres/schema.txt").lines().filter_map(|line| {
            let (table, column) = line.strip_prefix("column ")?.split_once('\t')?.0.split_once('.')?;
            let is_copied = column != "seq" || table == "authctl_audit";
            (is_copied && !["authctl_head", "authctl_schema_history"].contains(&table)).then_some((table, column))
        });
        let mut expected: Vec<_> = columns.collect();
        let copied = COPIED.iter().flat_map(|table| table.columns.iter().map(|(column, _)| (table.name, *column)));
        let mut copied: Vec<_> = copied.collect();
        expected.sort_unstable();
        copied.sort_unstable();
        assert_eq!(copied, expected);
    }
}
