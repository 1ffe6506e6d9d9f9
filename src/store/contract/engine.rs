//! The engines and dialects that the checks run on, each on real files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::WAIT;
use crate::auth::storage::{SchemaDifference, StoreError};
use crate::store::engine::{self, Dialect, EachRow, EngineInfo, Tx, Value, WriteTx};
use crate::store::sqlite::{self, Opened, Sqlite};
use crate::store::{SchemaOverrides, SqlStore};

/// An engine in a mapping: all that the checks need to know of it.
pub(super) struct Engine {
    /// The app whose schema the database has, as the real library made it, and overrides about it;
    /// `None` for databases that authctl makes for itself.
    pub(super) app: Option<(&'static str, &'static str)>,
    /// Whether the app's tables are `WITHOUT ROWID`.
    pub(super) is_without_rowid: bool,
    /// Whether each act meets a conflict with another process once, so that it runs again.
    pub(super) is_contended: bool,
    /// How it is journalled.
    pub(super) journal_mode: &'static str,
    /// What a time is in it, in the words of an error.
    pub(super) time: &'static str,
    /// The role of somebody who was given none.
    pub(super) role: Option<&'static str>,
}

pub(super) const SQLITE_NATIVE: Engine = Engine {
    app: None,
    is_without_rowid: false,
    is_contended: false,
    journal_mode: "wal",
    time: "a number of seconds",
    role: None,
};
pub(super) const SQLITE_CONTENDED: Engine = Engine { is_contended: true, ..SQLITE_NATIVE };
/// What the databases of apps have in common: their admin plugin gives a role to everybody.
const GUEST: Engine = Engine {
    app: None,
    is_without_rowid: false,
    is_contended: false,
    journal_mode: "delete",
    time: "",
    role: Some("user"),
};
/// Drizzle's of old: other names, seconds.
pub(super) const SQLITE_DRIZZLE: Engine =
    Engine { app: Some(("drizzle-s", r#"{"time": "seconds"}"#)), time: "a number of seconds", ..GUEST };
/// Drizzle's of today, with tables in the plural: other names, milliseconds.
pub(super) const SQLITE_PLURAL: Engine =
    Engine { app: Some(("plural", "{}")), time: "a number of milliseconds", ..GUEST };
/// Drizzle's, whose tables another tool made `WITHOUT ROWID`.
pub(super) const SQLITE_WITHOUT_ROWID: Engine = Engine { is_without_rowid: true, ..SQLITE_DRIZZLE };
/// Kysely's: times as text.
pub(super) const SQLITE_KYSELY: Engine =
    Engine { app: Some(("kysely", "{}")), time: "a time such as 2026-11-23T13:28:40.302Z", ..GUEST };

impl Engine {
    /// Makes an empty database.
    pub(super) fn make(&self, path: &Path) {
        let Some((name, _)) = self.app else { return sqlite::create(path, WAIT).unwrap() };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/better-auth");
        let made = std::fs::read_to_string(fixtures.join(name).with_extension("sql")).unwrap();
        let (schema, _) = made.split_once("INSERT INTO").unwrap();
        let schema = if self.is_without_rowid {
            Cow::Owned(schema.replace("\n);", "\n) WITHOUT ROWID;"))
        } else {
            Cow::Borrowed(schema)
        };
        rusqlite::Connection::open(path).unwrap().execute_batch(&format!("{schema} COMMIT;")).unwrap();
    }

    /// Opens it, as another process would.
    pub(super) fn open(&self, path: &Path) -> SqlStore {
        self.open_waiting(path, WAIT)
    }

    /// Opens it with another time to wait.
    pub(super) fn open_waiting(&self, path: &Path, wait: Duration) -> SqlStore {
        let overrides = SchemaOverrides::parse(self.app.map_or("{}", |(_, overrides)| overrides)).unwrap();
        match sqlite::open(path, wait, &overrides).unwrap() {
            Opened::Own(_) if self.is_contended => {
                let engine = sqlite::open_own(path, wait).unwrap();
                SqlStore::native(Contended { engine, refuses: false })
            }
            Opened::Own(store) => store,
            Opened::App(app) => app.with_state(&state_of(path)).unwrap(),
        }
    }

    /// A connection of the tester's own, and the statement in the names of the database.
    pub(super) fn behind(&self, path: &Path, sql: &str) -> (rusqlite::Connection, String) {
        let store = self.open(path);
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(WAIT).unwrap();
        if self.app.is_some() {
            connection.execute("ATTACH DATABASE ?1 AS authctl", [state_of(path).to_str()]).unwrap();
        }
        (connection, sql.split(';').map(|one| store.in_names(one)).collect::<Vec<_>>().join(";"))
    }
}

/// SQLite, whose every other commit fails because of another process.
#[derive(Debug)]
struct Contended {
    engine: Sqlite,
    refuses: bool,
}

struct ContendedTx<'e> {
    tx: Box<dyn WriteTx + 'e>,
    refuses: bool,
}

impl engine::Engine for Contended {
    fn wait(&self) -> Duration {
        self.engine.wait()
    }

    fn read(&mut self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.engine.read(queries)
    }

    fn begin(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        // A store that does not wait does not try again.
        self.refuses = !self.refuses && !self.wait().is_zero();
        Ok(Box::new(ContendedTx { tx: self.engine.begin()?, refuses: self.refuses }))
    }

    fn check(&mut self) -> Result<Vec<String>, StoreError> {
        self.engine.check()
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        self.engine.schema_differences()
    }

    fn schema_version(&mut self) -> Result<u32, StoreError> {
        self.engine.schema_version()
    }

    fn info(&mut self) -> Result<EngineInfo, StoreError> {
        self.engine.info()
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        self.engine.tidy()
    }
}

impl Tx for ContendedTx<'_> {
    fn dialect(&self) -> &'static Dialect {
        self.tx.dialect()
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.tx.execute(sql, values)
    }

    fn change(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.tx.change(sql, values)
    }

    fn query(&mut self, sql: &str, values: &[Value], each: &mut EachRow<'_>) -> Result<(), StoreError> {
        self.tx.query(sql, values, each)
    }
}

impl WriteTx for ContendedTx<'_> {
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        if self.refuses { Err(StoreError::Conflict) } else { self.tx.commit() }
    }
}

fn state_of(path: &Path) -> PathBuf {
    path.with_file_name("state.db")
}
