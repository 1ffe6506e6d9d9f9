//! The seam between the statements and a database engine: values, rows, transactions, and the engine itself.
//! Types of an engine's client library stop here, so that every statement is written once.

mod dialect;

use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

pub(in crate::store) use self::dialect::{Dialect, Many, SearchIndex, Step};
use crate::auth::prune::Pace;
use crate::auth::storage::{BrokenKey, Depth, KeyFault, SchemaDifference, Server, Storage, StoreError};

/// A value to bind.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// A value of a row. Text is bytes, because SQLite does not check that it is UTF-8.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::store) enum ValueRef<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl ValueRef<'_> {
    /// Copies the value; text that is not UTF-8 becomes a blob.
    pub(in crate::store) fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Real(number) => Value::Real(number),
            Self::Text(bytes) => std::str::from_utf8(bytes).map_or_else(|_| Value::Blob(bytes.to_owned()), Value::from),
            Self::Blob(bytes) => Value::Blob(bytes.to_owned()),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The text; `None` for all else.
    pub(in crate::store) fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The bytes of a text or blob; `None` for all else.
    pub(in crate::store) fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(*number),
            Value::Real(number) => Self::Real(*number),
            Value::Text(text) => Self::Text(text.as_bytes()),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        text.as_ref().map_or(Self::Null, Into::into)
    }
}

/// The columns of a row as an engine holds them.
pub(in crate::store) trait Columns {
    /// The value of a column; `None` when the row has fewer columns.
    fn column(&self, index: usize) -> Option<ValueRef<'_>>;
}

/// A row that a statement found. It lives until the next one is read.
pub(in crate::store) struct Row<'r>(&'r dyn Columns);

impl<'r> Row<'r> {
    pub(in crate::store) fn new(columns: &'r dyn Columns) -> Self {
        Self(columns)
    }

    pub(in crate::store) fn value(&self, index: usize) -> Result<ValueRef<'r>, StoreError> {
        self.0.column(index).ok_or_else(|| unexpected(index, "is missing"))
    }

    pub(in crate::store) fn integer(&self, index: usize) -> Result<i64, StoreError> {
        match self.value(index)? {
            ValueRef::Integer(number) => Ok(number),
            _ => Err(unexpected(index, "is not a number")),
        }
    }

    /// A condition that the statement computed.
    pub(in crate::store) fn truth(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.integer(index)? != 0)
    }

    pub(in crate::store) fn text(&self, index: usize) -> Result<String, StoreError> {
        self.optional_text(index)?.ok_or_else(|| unexpected(index, "is null"))
    }

    pub(in crate::store) fn optional_text(&self, index: usize) -> Result<Option<String>, StoreError> {
        match self.value(index)? {
            ValueRef::Null => Ok(None),
            other => other.as_text().map(|text| Some(text.to_owned())).ok_or_else(|| unexpected(index, "is not text")),
        }
    }
}

fn unexpected(index: usize, problem: &str) -> StoreError {
    StoreError::Engine(format!("column {index} of a row {problem}"))
}

/// What a query does after each row: continue or stop.
pub(in crate::store) type EachRow<'f> = dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError> + 'f;

/// The rows that a statement adds: the values of each, or the error for which there are no more.
pub(in crate::store) type NewRows<'r> = dyn Iterator<Item = Result<Vec<Value>, StoreError>> + 'r;

/// The statement that adds a number of rows. `target` is a table with the columns that each row has a value for.
pub(in crate::store) fn insertion(target: &str, columns: usize, rows: usize) -> String {
    let places: Vec<String> = (1..=columns * rows).map(|number| format!("?{number}")).collect();
    let tuples: Vec<String> = places.chunks(columns.max(1)).map(|row| format!("({})", row.join(", "))).collect();
    format!("INSERT INTO {target} VALUES {}", tuples.join(", "))
}

/// Adds rows by statements, each with as many as the engine takes at once.
pub(in crate::store) fn insert_by_statements(
    tx: &mut dyn Tx,
    target: &str,
    rows: &mut NewRows<'_>,
) -> Result<u64, StoreError> {
    let mut written = 0;
    let many = tx.dialect().rows_per_statement();
    let (mut sql, mut of) = (String::new(), [0, 0]);
    loop {
        let (mut values, mut count) = (Vec::new(), 0);
        for row in rows.take(many) {
            values.extend(row?);
            count += 1;
        }
        if count == 0 {
            return Ok(written);
        }
        if of != [values.len() / count, count] {
            of = [values.len() / count, count];
            sql = insertion(target, of[0], of[1]);
        }
        written += tx.execute(&sql, &values)?;
    }
}

/// A table as the database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct CatalogTable {
    pub(in crate::store) name: String,
    pub(in crate::store) columns: Vec<CatalogColumn>,
    pub(in crate::store) foreign_keys: Vec<ForeignKey>,
    pub(in crate::store) checks: Vec<CatalogCheck>,
}

/// A condition that every row of a table meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct CatalogCheck {
    /// The name in errors about it.
    pub(in crate::store) label: String,
    pub(in crate::store) condition: String,
    /// The names and texts in the condition.
    pub(in crate::store) names: Vec<String>,
    /// Those of them that have quotes, without these. A text may have the quotes of a name.
    pub(in crate::store) quoted: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct CatalogColumn {
    pub(in crate::store) name: String,
    pub(in crate::store) is_nullable: bool,
    /// Whether the database computes the values from other columns, so that no program writes them.
    pub(in crate::store) is_computed: bool,
    /// Whether it is a part of the primary key. SQLite takes NULL there too.
    pub(in crate::store) is_key: bool,
    /// The type, if the engine compares a value only with those of the same type; empty on SQLite.
    pub(in crate::store) kind: String,
    /// The words of an enum; a column of any other type takes more.
    pub(in crate::store) words: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct ForeignKey {
    /// The table that the key refers to, as the schema spells it.
    pub(in crate::store) parent: String,
    /// Each column with the one of the parent that it refers to; an empty name if the parent has no such column.
    pub(in crate::store) columns: Vec<(String, String)>,
    pub(in crate::store) on_delete: OnDelete,
    /// Why it cannot work.
    pub(in crate::store) fault: Option<KeyFault>,
}

impl ForeignKey {
    /// Whether the key leads to rows. A statement that needs one that does not is refused as a whole.
    pub(in crate::store) fn leads_to_rows(&self) -> bool {
        !matches!(self.fault, Some(KeyFault::NoTable | KeyFault::NotUnique))
    }
}

impl CatalogTable {
    /// The foreign keys that lead to rows.
    pub(in crate::store) fn working_keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.foreign_keys.iter().filter(|key| key.leads_to_rows())
    }

    /// The foreign keys that cannot work.
    pub(in crate::store) fn broken_keys(&self) -> impl Iterator<Item = BrokenKey> {
        self.foreign_keys.iter().filter_map(|key| {
            let (columns, mut referred): (Vec<String>, Vec<String>) = key.columns.iter().cloned().unzip();
            if referred.iter().any(String::is_empty) {
                referred.clear();
            }
            let (table, parent) = (self.name.clone(), key.parent.clone());
            Some(BrokenKey { table, columns, parent, referred, fault: key.fault? })
        })
    }
}

/// What the database does with rows whose parent is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum OnDelete {
    /// It deletes them.
    Cascade,
    /// It writes NULL or the default of the column.
    Clear,
    /// It refuses the deletion.
    Refuse,
    /// It refuses the deletion if they are still there at the end of the statement.
    RefuseAtEnd,
}

/// The tables of a database, shared by all who read them in a transaction.
pub(in crate::store) type Catalog = Rc<[CatalogTable]>;

/// An open connection to one database.
pub(in crate::store) trait Engine: fmt::Debug {
    /// How long to wait for other processes.
    fn wait(&self) -> Duration;

    /// Runs queries that change nothing.
    fn read(&mut self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Reads the catalog before a transaction that needs it, where others would wait for it meanwhile.
    fn expect_catalog(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Begins a transaction that writes. In SQLite it is the only one from here to its end. On a server it may begin with its
    /// first statement, whose error is then that of the beginning.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process still writes after the wait.
    fn begin(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError>;

    /// Begins a transaction that a crash of the machine may take back after its commit. It costs no sync of the disk
    /// where the engine can do without; the next transaction of [`Self::begin`] makes both durable.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn begin_unsynced(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.begin()
    }

    /// Finds damage in the storage of the database and describes it, at most ten lines.
    fn check(&mut self, depth: Depth) -> Result<Vec<String>, StoreError>;

    /// The tables that use a function or collation that only the app has, each with the engine's words.
    fn tables_only_the_app_checks(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(Vec::new())
    }

    /// Compares the schema of a database that authctl made with the one that its migrations make.
    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError>;

    /// The number of the newest migration that was applied.
    fn schema_version(&mut self) -> Result<u32, StoreError>;

    /// Describes the server of the database; `None` for a file.
    fn server(&mut self) -> Result<Option<Server>, StoreError> {
        Ok(None)
    }

    /// Prepares for transactions with many new rows, in the order of their ids.
    fn expect_rows(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Describes the storage of the database.
    fn info(&mut self) -> Result<EngineInfo, StoreError>;

    /// The pace of deletions in parts.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Reclaims what many transactions in a row leave behind, without making another process wait. Is called after each of
    /// them, and reclaims everything after the last one.
    fn tidy(&mut self, is_last: bool) -> Result<(), StoreError>;

    /// Leaves the end of a connection to that of the process, which comes next.
    fn end_with_process(&mut self) {}
}

impl dyn Engine + '_ {
    /// Runs queries that change nothing and returns what they found.
    pub(in crate::store) fn query<T>(
        &mut self,
        mut queries: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut found = None;
        self.read(&mut |tx| {
            found = Some(queries(tx)?);
            Ok(())
        })?;
        found.ok_or_else(|| StoreError::Engine("the engine ran no query".into()))
    }
}

/// The storage of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct EngineInfo {
    pub(in crate::store) storage: Storage,
    /// The size of the database in bytes.
    pub(in crate::store) bytes: u64,
}

/// A transaction that writes. It is rolled back when it is dropped without a commit.
pub(in crate::store) trait WriteTx: Tx {
    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`StoreError::Uncertain`] when the engine cannot tell whether they are.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Keeps the transaction while nothing is sent in it for a long time. An engine may end one of a writer who has
    /// vanished.
    fn hold(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A query and its parameters.
pub(in crate::store) type Query = (String, Vec<Value>);

/// Runs statements in a transaction. Parameters are spelled `?1`, `?2` and so on.
pub(in crate::store) trait Tx {
    fn dialect(&self) -> &'static Dialect;

    /// Describes every table that holds rows of its own, in the order of their creation. It is read once.
    fn catalog(&mut self) -> Result<Catalog, StoreError>;

    /// Asks queries together with the next statement, and after it, where each answer is waited for. Each answer is kept
    /// until its query runs or until the transaction may have changed it.
    fn ask_along(&mut self, _queries: &[Query]) {}

    /// Runs a statement that writes to authctl's own tables. On a server it is sent together with the next one or with the
    /// commit, whose error may then be that of this statement.
    fn execute_later(&mut self, sql: &str, values: &[Value]) -> Result<(), StoreError> {
        self.execute(sql, values).map(drop)
    }

    /// What the act leaves as it was, and why. The store reports it after the commit.
    fn left(&mut self) -> &mut Vec<String>;

    /// Runs a statement and returns how many rows it wrote.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// A number that changes when another process has written to the database; `None` if the engine does not know.
    fn changes_of_others(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// Adds rows, and returns how many the database took. `target` is a table with its columns, such as
    /// `"user" ("id", "email")`, and each row has a value for each of them.
    fn insert_rows(&mut self, target: &str, rows: &mut NewRows<'_>) -> Result<u64, StoreError>;
    /// Runs a statement that writes or deletes rows as a whole, however large they are. The transaction goes on after its
    /// failure.
    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// Runs a statement and hands out its rows one at a time.
    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError>;

    /// Runs a query with many rows, of which the first may be enough. An engine that would send all of them reads them in
    /// parts.
    fn scan(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        self.query(sql, values, each)
    }
}

impl dyn Tx + '_ {
    /// Reads the first row, if there is one.
    pub(in crate::store) fn query_one<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.query(sql, values, &mut |row| {
            found = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Reads every row.
    pub(in crate::store) fn query_all<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Goes through every row.
    pub(in crate::store) fn each(
        &mut self,
        sql: &str,
        values: &[Value],
        mut found: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.query(sql, values, &mut |row| found(row).map(ControlFlow::Continue))
    }

    /// Runs a `DELETE` statement and checks that none of its rows is left. Returns the number of deleted rows.
    ///
    /// # Errors
    /// [`StoreError::Trigger`] when a trigger keeps a row or adds it again.
    pub(in crate::store) fn delete(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let left = sql.replacen("DELETE", "SELECT count(*)", 1);
        self.ask_along(&[(left.clone(), values.to_vec())]);
        let deleted = self.change(sql, values)?;
        if self.count(&left, values)? > 0 {
            return Err(ignored("keeps a row that was deleted"));
        }
        Ok(deleted)
    }

    /// Changes the rows that a condition selects, and checks that it no longer selects one. The parameters of the
    /// changes follow those of the condition. Returns the number of changed rows.
    ///
    /// # Errors
    /// [`StoreError::Trigger`] when a trigger skips the change of a row or undoes it.
    pub(in crate::store) fn update_until_none(
        &mut self,
        table: &str,
        changes: &str,
        condition: &str,
        selecting: &[Value],
        written: &[Value],
    ) -> Result<u64, StoreError> {
        let values = [selecting, written].concat();
        let left = format!("SELECT count(*) FROM {table} WHERE {condition}");
        self.ask_along(&[(left.clone(), selecting.to_vec())]);
        let rows = self.change(&format!("UPDATE {table} SET {changes} WHERE {condition}"), &values)?;
        if self.count(&left, selecting)? > 0 {
            return Err(ignored("undoes the change"));
        }
        Ok(rows)
    }

    /// Runs statements and takes back what they wrote, also when one fails.
    pub(in crate::store) fn rehearse<T>(
        &mut self,
        part: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.in_savepoint(part, |_| false)
    }

    /// Runs statements and takes back what they wrote when one fails. The transaction goes on then.
    pub(in crate::store) fn attempt<T>(
        &mut self,
        part: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.in_savepoint(part, Result::is_ok)
    }

    fn in_savepoint<T>(
        &mut self,
        part: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>,
        is_kept: fn(&Result<T, StoreError>) -> bool,
    ) -> Result<T, StoreError> {
        self.execute("SAVEPOINT part", &[])?;
        let done = part(self);
        let mut end = || {
            if !is_kept(&done) {
                self.execute("ROLLBACK TO SAVEPOINT part", &[])?;
            }
            self.execute("RELEASE SAVEPOINT part", &[])
        };
        // A trigger may have ended the transaction, and with it the savepoint.
        let ended = end();
        done.and_then(|done| ended.map(|_| done))
    }

    /// The number that a `count(*)` finds.
    pub(in crate::store) fn count(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        Ok(self.query_one(sql, values, |row| row.integer(0))?.unwrap_or(0).unsigned_abs())
    }
}

/// The error about a trigger of the app that undoes a change without an error.
pub(in crate::store) fn ignored(how: &str) -> StoreError {
    StoreError::Trigger(format!("a trigger of the app {how}"))
}
