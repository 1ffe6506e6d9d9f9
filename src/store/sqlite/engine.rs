//! SQLite behind the seam: one connection, and a transaction of it.

use std::ops::{Deref, Range};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{self, ToSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement, Transaction, TransactionBehavior, params_from_iter};

use super::connect::{Connected, schema_version};
use super::error::{SqliteResult as _, translate};
use super::{catalog, connect, integrity, keys, search};
use crate::auth::storage::{Constraint, Depth, SchemaDifference, Storage, StoreError};
use crate::store::engine::{
    Catalog, Columns, Dialect, EachRow, Engine, EngineInfo, NewRows, Row, Step, Tx, Value, ValueRef, WriteTx, insertion,
};
use crate::store::mapping::INSTANTS_FROM;

/// Makes a commit durable, also on macOS, where a plain sync stops at the drive's cache. Deleted content is
/// overwritten, so that an old hash does not stay readable in free pages. A cache of 32 MiB holds every page that a
/// part of a long deletion changes; SQLite writes a page that it has no room for, and reads it again.
pub(super) const WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -32768;";
/// New rows in the order of their ids change a page of each index and then the next one, and need no larger cache.
const FOR_NEW_ROWS: &str = "PRAGMA cache_size = -16384";
/// Commits without a sync. With a write-ahead log that can lose the commit, and never harms the database; with a
/// rollback journal it could.
const UNSYNCED: &str = "PRAGMA synchronous = NORMAL";
const SYNCED: &str = "PRAGMA synchronous = FULL";

/// How many pages a write-ahead log has when a commit moves them into the database. No act but a long one writes more pages
/// than the range is long. Such an act moves the pages itself ([`Engine::tidy`]), and an act beside it does not wait for that.
const LOG_PAGES: Range<i32> = 1_000..1_200;
/// How many pages it has when every commit moves them.
const LOG_PAGES_MAX: i32 = 16_000;
/// How many pages of it many transactions in a row leave before they are moved together, which costs less than after
/// each transaction.
const UNMOVED_PAGES_MAX: i64 = 2_048;

/// An open SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connected,
    wait: Duration,
    /// Whether [`WRITER_SETTINGS`] were applied. Only a writer pays for them.
    is_writer: bool,
    /// Whether a commit is durable. A transaction of [`Engine::begin`] makes it so again.
    is_synced: bool,
    /// Whether authctl made the database.
    is_own: bool,
}

impl Sqlite {
    pub(in crate::store) fn new(connection: Connected, wait: Duration) -> Self {
        Self { connection, wait, is_writer: false, is_synced: true, is_own: false }
    }

    /// As [`Self::new`], for a database that authctl made. It writes nothing once another process has converted it.
    pub(super) fn own(connection: Connected, wait: Duration) -> Self {
        Self { is_own: true, ..Self::new(connection, wait) }
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(super) fn path(&self) -> &Path {
        self.connection.path()
    }

    fn journal_mode(&self) -> Result<String, StoreError> {
        self.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).engine()
    }

    fn become_writer(&mut self) -> Result<(), StoreError> {
        if !self.is_writer {
            self.connection.execute_batch(WRITER_SETTINGS).engine()?;
            self.connection.keep_log(false).engine()?;
            self.connection
                .wal_hook(Some(|log: &mut Wal, pages| {
                    if is_to_move(pages) {
                        // The transaction is committed, and the next one tries again.
                        log.checkpoint().ok();
                    }
                    Ok(())
                }))
                .engine()?;
            self.is_writer = true;
        }
        Ok(())
    }

    /// How many pages of the write-ahead log are not in the database.
    fn unmoved_pages(&self) -> Result<i64, StoreError> {
        let pages = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        self.connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], pages).engine()
    }

    fn begin_writing(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        let transaction = self.transaction_in_turn()?;
        if self.is_own && !connect::is_own(&transaction).engine()? {
            return Err(StoreError::Converted);
        }
        Ok(Box::new(SqliteTx::new(transaction)))
    }

    /// Begins a transaction that no other writer is in. SQLite itself would look ever less often whether the database is
    /// free, so that a crowd of others goes before one who has waited long. Here, who has waited longer looks more often.
    #[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
    fn transaction_in_turn(&self) -> Result<Transaction<'_>, StoreError> {
        let start = Instant::now();
        let mut looks = 0;
        self.connection.busy_timeout(Duration::ZERO).engine()?;
        let begun = loop {
            let begun = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).engine();
            let waited = start.elapsed();
            if !matches!(begun, Err(StoreError::Busy)) || waited >= self.wait {
                break begun;
            }
            looks += 1;
            thread::sleep(pause(looks, waited).min(self.wait.saturating_sub(waited)));
        };
        self.connection.busy_timeout(self.wait).engine()?;
        begun
    }
}

/// How long a writer who has waited so long pauses before it looks again whether the database is free: ten milliseconds at
/// most, and one after a second of waiting. The first pause is short, because most transactions are.
fn pause(looks: u32, waited: Duration) -> Duration {
    let most = if looks == 1 { 2 } else { 10 };
    let waited = waited.as_millis().max(1).try_into().unwrap_or(u64::MAX);
    Duration::from_millis((1_000 / waited).clamp(1, most))
}

/// Whether a commit moves the pages of the log, of which there are so many.
fn is_to_move(pages: i32) -> bool {
    LOG_PAGES.contains(&pages) || pages >= LOG_PAGES_MAX
}

impl Engine for Sqlite {
    fn wait(&self) -> Duration {
        self.wait
    }

    fn read(&mut self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        queries(&mut SqliteTx::new(&*self.connection))
    }

    fn begin(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.become_writer()?;
        if !self.is_synced {
            self.connection.execute_batch(SYNCED).engine()?;
            self.is_synced = true;
        }
        self.begin_writing()
    }

    fn begin_unsynced(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        self.become_writer()?;
        if self.is_synced && self.journal_mode()? == "wal" {
            self.connection.execute_batch(UNSYNCED).engine()?;
            self.is_synced = false;
        }
        self.begin_writing()
    }

    fn check(&mut self, depth: Depth) -> Result<Vec<String>, StoreError> {
        integrity::damage(&self.connection, depth)
    }

    fn tables_only_the_app_checks(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        integrity::tables_only_the_app_checks(&self.connection)
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        let version = self.schema_version()?;
        integrity::differences(&self.connection, version)
    }

    fn schema_version(&mut self) -> Result<u32, StoreError> {
        schema_version(&self.connection).engine()
    }

    fn expect_rows(&mut self) -> Result<(), StoreError> {
        self.become_writer()?;
        self.connection.execute_batch(FOR_NEW_ROWS).engine()
    }

    fn info(&mut self) -> Result<EngineInfo, StoreError> {
        let journal_mode = self.journal_mode()?;
        let file = std::fs::metadata(self.path()).map_err(|error| StoreError::Io(error.to_string()))?;
        let storage = Storage::File { sqlite_version: rusqlite::version().to_owned(), journal_mode };
        Ok(EngineInfo { storage, bytes: file.len() })
    }

    /// Moves the write-ahead log into the database as far as no reader needs it, so that it does not grow
    /// without end.
    fn tidy(&mut self, is_last: bool) -> Result<(), StoreError> {
        // From here on no commit does it.
        self.connection.wal_hook(None::<fn(&mut Wal, i32) -> rusqlite::Result<()>>).engine()?;
        if is_last || self.unmoved_pages()? >= UNMOVED_PAGES_MAX {
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).engine()?;
        }
        Ok(())
    }
}

/// Runs statements on a connection: in its transaction, or each for itself when it only reads. Changes, and queries that run
/// again, stay prepared, so that one that runs for many rows is compiled a few times. One that runs once does not: SQLite
/// takes the memory of a statement that stays from the system.
pub(in crate::store) struct SqliteTx<C> {
    connection: C,
    /// Those that have run.
    queries: Vec<String>,
    catalog: Option<Catalog>,
    left: Vec<String>,
}

impl<C: Deref<Target = Connection>> SqliteTx<C> {
    pub(in crate::store) fn new(connection: C) -> Self {
        Self { connection, queries: Vec::new(), catalog: None, left: Vec::new() }
    }

    /// Prepares a statement that writes.
    ///
    /// # Errors
    /// [`StoreError::Trigger`] if only the triggers that it runs do not fit the schema, and [`StoreError::BrokenKeys`] if
    /// it needs a foreign key that leads nowhere.
    fn prepare_change(&self, sql: &str) -> Result<CachedStatement<'_>, StoreError> {
        self.connection.prepare_cached(sql).map_err(|error| {
            let is_of_schema = error.sqlite_error_code() == Some(ErrorCode::Unknown);
            match translate(&error) {
                StoreError::Corrupt(words) | StoreError::Engine(words) | StoreError::Trigger(words)
                    if is_of_schema && self.is_right_without_triggers(sql) =>
                {
                    StoreError::Trigger(format!("a trigger of the app fails: {words}"))
                }
                StoreError::Trigger(words) => {
                    keys::explain(&self.connection, &words).unwrap_or(StoreError::Trigger(words))
                }
                other => other,
            }
        })
    }

    /// Whether a statement is right, and a trigger that it runs is not.
    fn is_right_without_triggers(&self, sql: &str) -> bool {
        const TRIGGERS: DbConfig = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
        if !self.connection.db_config(TRIGGERS).unwrap_or(false) {
            return false;
        }
        let is_right = self.connection.set_db_config(TRIGGERS, false).is_ok() && self.connection.prepare(sql).is_ok();
        self.connection.set_db_config(TRIGGERS, true).is_ok() && is_right
    }
}

pub(in crate::store) const DIALECT: Dialect = Dialect {
    position: "instr",
    insertion: "rowid",
    like: "LIKE",
    unindexed: "+",
    // A value that is too large to be read is not searched.
    searched: |column| format!("CASE WHEN octet_length({column}) <= 100000 THEN {column} END"),
    truths: ["0", "1"],
    is_text: |column| format!("typeof({column}) = 'text'"),
    text: str::to_owned,
    bytewise: str::to_owned,
    is_integer: |column| format!("typeof({column}) = 'integer'"),
    is_digit: |column, digit| format!("{column} IN ({digit}, '{digit}')"),
    is_late: |column| format!("(typeof({column}) IN ('integer', 'real') AND {column} >= {INSTANTS_FROM})"),
    // The sign takes the type of a column away, and the words its collation.
    key: |column| format!("+{column} COLLATE BINARY"),
    beside_keys: str::to_owned,
    recursion: |found, steps| {
        let select = |Step { select, from }: &Step| format!("{select} FROM {found}, {from}");
        steps.iter().map(select).collect::<Vec<_>>().join(" UNION ")
    },
    is_spelled: |column, text| format!("{column} = {text} COLLATE NOCASE"),
    has_nul: true,
    many: None,
    search: Some(&search::INDEX),
};

impl<C: Deref<Target = Connection>> Tx for SqliteTx<C> {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn catalog(&mut self) -> Result<Catalog, StoreError> {
        if let Some(known) = &self.catalog {
            return Ok(known.clone());
        }
        let read = Catalog::from(catalog::read(&self.connection).engine()?);
        Ok(self.catalog.insert(read).clone())
    }

    fn left(&mut self) -> &mut Vec<String> {
        &mut self.left
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.prepare_change(sql)?;
        statement.execute(params_from_iter(values)).engine().map(|rows| rows as u64)
    }

    fn changes_of_others(&mut self) -> Result<Option<i64>, StoreError> {
        self.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).map(Some).engine()
    }

    /// A statement for each row costs no more than one for many, once it is prepared.
    fn insert_rows(&mut self, target: &str, rows: &mut NewRows<'_>) -> Result<u64, StoreError> {
        let mut written = 0;
        let mut prepared: Option<(usize, CachedStatement<'_>)> = None;
        for row in rows {
            let row = row?;
            let statement = match &mut prepared {
                Some((columns, statement)) if *columns == row.len() => statement,
                _ => &mut prepared.insert((row.len(), self.prepare_change(&insertion(target, row.len(), 1))?)).1,
            };
            written += statement.execute(params_from_iter(row)).engine()? as u64;
        }
        Ok(written)
    }

    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.prepare_change(sql)?;
        connect::with_large_rows(&*self.connection, |_| statement.execute(params_from_iter(values)).engine())
            .map(|rows| rows as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let runs_again = self.queries.iter().any(|known| known == sql);
        let (mut once, mut kept);
        let statement: &mut Statement<'_> = if runs_again {
            kept = self.connection.prepare_cached(sql).engine()?;
            &mut kept
        } else {
            self.queries.push(sql.to_owned());
            once = self.connection.prepare(sql).engine()?;
            &mut once
        };
        let mut rows = statement.query(params_from_iter(values)).engine()?;
        while let Some(row) = rows.next().engine()? {
            if each(&Row::new(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A transaction begun with `BEGIN IMMEDIATE`.
impl WriteTx for SqliteTx<Transaction<'_>> {
    /// When the operating system fails in the middle of a commit, the changes may be durable or not.
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").engine().map_err(|error| match error {
            StoreError::Io(problem) => StoreError::Uncertain(problem),
            StoreError::Constraint(Constraint::ForeignKey { keys }) => {
                let unmet = keys::unmet(&self.connection).unwrap_or_default();
                StoreError::Constraint(if unmet.is_empty() {
                    Constraint::ForeignKey { keys }
                } else {
                    Constraint::Deferred(unmet)
                })
            }
            other => other,
        })
    }
}

impl Columns for rusqlite::Row<'_> {
    fn column(&self, index: usize) -> Option<ValueRef<'_>> {
        self.get_ref(index).ok().map(value_ref)
    }
}

/// Converts a value of SQLite.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writer_who_has_waited_longer_looks_more_often() {
        let pauses = [(1, 0), (2, 3), (9, 80), (30, 250), (90, 1_000), (2_000, 4_000)]
            .map(|(looks, waited)| pause(looks, Duration::from_millis(waited)).as_millis());
        assert_eq!(pauses, [2, 10, 10, 4, 1, 1]);
    }

    #[test]
    fn catalog_is_read_once_in_a_transaction() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (id TEXT PRIMARY KEY)").unwrap();
        let mut tx = SqliteTx::new(connection.transaction().unwrap());
        let first = tx.catalog().unwrap();
        assert_eq!(first[0].name, "t");
        assert!(Catalog::ptr_eq(&first, &tx.catalog().unwrap()));
    }

    fn in_a_new_database<T>(test: impl FnOnce(Sqlite) -> T) -> T {
        let directory = tempfile::tempdir_in(crate::scratch::directory()).unwrap();
        let path = directory.path().canonicalize().unwrap().join("one.db");
        super::super::create(&path, Duration::ZERO).unwrap();
        let file = super::super::preflight::inspect_own(&path).unwrap();
        test(Sqlite::new(connect::connect(file, Duration::ZERO).unwrap(), Duration::ZERO))
    }

    /// `PRAGMA synchronous` in a transaction begun without a sync, and in the next one begun with it.
    fn synchronous(mut engine: Sqlite, journal_mode: &str) -> [i64; 2] {
        engine.connection.pragma_update(None, "journal_mode", journal_mode).unwrap();
        let now = |engine: &Sqlite| engine.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        drop(engine.begin_unsynced().unwrap());
        let unsynced = now(&engine);
        drop(engine.begin().unwrap());
        [unsynced, now(&engine)]
    }

    #[test]
    fn commit_goes_without_a_sync_only_beside_a_write_ahead_log() {
        assert_eq!(in_a_new_database(|engine| synchronous(engine, "wal")), [1, 2]);
        assert_eq!(in_a_new_database(|engine| synchronous(engine, "delete")), [2, 2]);
    }

    #[test]
    fn commit_moves_a_log_that_no_long_act_writes() {
        let moved = [999, 1_000, 1_199, 1_200, 15_999, 16_000].map(is_to_move);
        assert_eq!(moved, [false, true, true, false, false, true]);
    }

    /// Writes pages of random bytes in one transaction, and returns how many pages of the log are not in the database.
    fn unmoved_after(engine: &mut Sqlite, pages: u32, tidy: impl FnOnce(&mut Sqlite)) -> i64 {
        let mut tx = engine.begin().unwrap();
        tx.execute("INSERT INTO t SELECT randomblob(4000) FROM n LIMIT ?1", &[i64::from(pages).into()]).unwrap();
        tx.commit().unwrap();
        tidy(engine);
        engine.unmoved_pages().unwrap()
    }

    #[test]
    fn log_of_a_long_act_moves_in_large_parts() {
        in_a_new_database(|mut engine| {
            let tables = "CREATE TABLE n (i); CREATE TABLE t (b); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL
                SELECT i + 1 FROM n WHERE i < 7000) INSERT INTO n SELECT i FROM n; PRAGMA wal_checkpoint(TRUNCATE);";
            engine.connection.execute_batch(tables).unwrap();
            assert_eq!(unmoved_after(&mut engine, 1_050, |_| {}), 0, "the commit moves them");
            let tidy = |engine: &mut Sqlite| engine.tidy(false).unwrap();
            assert!(unmoved_after(&mut engine, 10, tidy) > 10, "few pages stay");
            assert!(unmoved_after(&mut engine, 1_500, tidy) > 1_500);
            assert_eq!(unmoved_after(&mut engine, 7_000, tidy), 0);
            assert!(unmoved_after(&mut engine, 10, tidy) > 10);
            assert_eq!(unmoved_after(&mut engine, 10, |engine| engine.tidy(true).unwrap()), 0);
        });
    }
}
