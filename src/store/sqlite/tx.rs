//! A connection as the statements see it.

use rusqlite::types::{self, ToSql, ToSqlOutput};
use rusqlite::{Connection, params_from_iter};

use super::engine_error::Engine as _;
use super::limits;
use crate::auth::storage::StoreError;
use crate::store::sql::tx::{Columns, Dialect, EachRow, Row, Tx, Value, ValueRef};

/// Runs statements on a connection: in its transaction, or each for itself when it only reads. Changes stay
/// prepared, so that one that runs for many rows is compiled once; a query is compiled when it runs.
pub(in crate::store) struct SqliteTx<'c>(&'c Connection);

impl<'c> SqliteTx<'c> {
    pub(in crate::store) fn new(connection: &'c Connection) -> Self {
        Self(connection)
    }
}

const DIALECT: Dialect = Dialect { position: "instr", stored: "rowid" };

impl Tx for SqliteTx<'_> {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql).engine()?;
        statement.execute(params_from_iter(values)).engine().map(|rows| rows as u64)
    }

    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql).engine()?;
        limits::with_large_rows(self.0, || statement.execute(params_from_iter(values)).engine()).map(|rows| rows as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let mut statement = self.0.prepare(sql).engine()?;
        let mut rows = statement.query(params_from_iter(values)).engine()?;
        while let Some(row) = rows.next().engine()? {
            if each(&Row::new(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Columns for rusqlite::Row<'_> {
    fn column(&self, index: usize) -> Option<ValueRef<'_>> {
        self.get_ref(index).ok().map(value_ref)
    }
}

/// A value that SQLite found.
pub(in crate::store) fn value_ref(value: types::ValueRef<'_>) -> ValueRef<'_> {
    match value {
        types::ValueRef::Null => ValueRef::Null,
        types::ValueRef::Integer(number) => ValueRef::Integer(number),
        types::ValueRef::Real(number) => ValueRef::Real(number),
        types::ValueRef::Text(bytes) => ValueRef::Text(bytes),
        types::ValueRef::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => types::ValueRef::Null,
            Self::Integer(number) => types::ValueRef::Integer(*number),
            Self::Real(number) => types::ValueRef::Real(*number),
            Self::Text(text) => types::ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => types::ValueRef::Blob(bytes),
        }))
    }
}
