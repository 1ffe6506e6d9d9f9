//! The engines and dialects that the checks run on, each on real files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::WAIT;
use crate::store::sqlite::{self, Opened};
use crate::store::{SchemaOverrides, SqlStore};

/// An engine in a mapping: all that the checks need to know of it.
pub(super) struct Engine {
    /// The app whose schema the database has, as the real library made it, and overrides about it;
    /// `None` for databases that authctl makes for itself.
    pub(super) app: Option<(&'static str, &'static str)>,
    /// Whether the app's tables are `WITHOUT ROWID`.
    pub(super) is_without_rowid: bool,
    /// How it is journalled.
    pub(super) journal_mode: &'static str,
    /// What a time is in it, in the words of an error.
    pub(super) time: &'static str,
    /// The role of somebody who was given none.
    pub(super) role: Option<&'static str>,
}

pub(super) const SQLITE_NATIVE: Engine =
    Engine { app: None, is_without_rowid: false, journal_mode: "wal", time: "a number of seconds", role: None };
/// What the databases of apps have in common: their admin plugin gives a role to everybody.
const GUEST: Engine =
    Engine { app: None, is_without_rowid: false, journal_mode: "delete", time: "", role: Some("user") };
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
        let schema = match self.is_without_rowid {
            true => Cow::Owned(schema.replace("\n);", "\n) WITHOUT ROWID;")),
            false => Cow::Borrowed(schema),
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

fn state_of(path: &Path) -> PathBuf {
    path.with_file_name("state.db")
}
