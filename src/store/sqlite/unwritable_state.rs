//! authctl's own tables about an app's database where their file cannot be written, such as in a container with a
//! read-only home: in memory, empty or a copy of the file. Reading goes on, and an act that would write there fails.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB};

use super::connect::{configure, schema_version};
use super::engine::SqliteTx;
use super::error::SqliteResult as _;
use super::{integrity, migrate, preflight};
use crate::auth::storage::{Depth, NoState, SchemaDifference, Storage, StoreError};
use crate::store::OpenError;
use crate::store::engine::{Engine, EngineInfo, Tx, WriteTx};

/// The largest file that is copied into memory.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The bytes of the header that say whether a database has a write-ahead log, and their value without one (SQLite
/// file format, section 1.3).
const WITHOUT_LOG: [(usize, u8); 2] = [(18, 1), (19, 1)];

#[derive(Debug)]
pub(in crate::store) struct UnwritableState {
    connection: Connection,
    why: NoState,
    wait: Duration,
}

impl UnwritableState {
    /// The tables of a file that does not exist.
    pub(in crate::store) fn empty(why: NoState, wait: Duration) -> Result<Self, StoreError> {
        let mut connection = in_memory(wait)?;
        migrate::run(&mut connection)?;
        Ok(Self { connection, why, wait })
    }

    /// A copy of a file beside which SQLite cannot keep its log. `None` if there is a log, or too much to copy.
    pub(in crate::store) fn copy(path: &Path, wait: Duration) -> Result<Option<Self>, OpenError> {
        let failed = |source| OpenError::Store { path: path.into(), source };
        let file = preflight::inspect_own(path)?;
        let bytes = file.held().read(BYTES_MAX).map_err(|error| failed(StoreError::Io(error.to_string())))?;
        let Some(mut bytes) = bytes.filter(|_| !preflight::has_log(path)) else { return Ok(None) };
        for (at, value) in WITHOUT_LOG {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let mut connection = in_memory(wait).map_err(failed)?;
        connection.deserialize_read_exact(MAIN_DB, &*bytes, bytes.len(), false).engine().map_err(failed)?;
        match schema_version(&connection).engine().map_err(failed)? {
            found if found > migrate::LATEST => {
                return Err(OpenError::Newer { path: path.into(), found, known: migrate::LATEST });
            }
            found if found < migrate::LATEST => migrate::run_after(&mut connection, path, found)?,
            _ => {}
        }
        let why = NoState::unwritable(path, StoreError::ReadOnly);
        Ok(Some(Self { connection, why, wait }))
    }
}

fn in_memory(wait: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().engine()?;
    configure(&connection, wait).engine()?;
    Ok(connection)
}

impl Engine for UnwritableState {
    fn wait(&self) -> Duration {
        self.wait
    }

    fn read(&mut self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        queries(&mut SqliteTx::new(&self.connection))
    }

    fn begin(&mut self) -> Result<Box<dyn WriteTx + '_>, StoreError> {
        Err(StoreError::NoState(self.why.clone()))
    }

    fn check(&mut self, depth: Depth) -> Result<Vec<String>, StoreError> {
        integrity::damage(&self.connection, depth)
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        integrity::differences(&self.connection, migrate::LATEST)
    }

    fn schema_version(&mut self) -> Result<u32, StoreError> {
        schema_version(&self.connection).engine()
    }

    fn info(&mut self) -> Result<EngineInfo, StoreError> {
        let storage =
            Storage::File { sqlite_version: rusqlite::version().to_owned(), journal_mode: "memory".to_owned() };
        Ok(EngineInfo { storage, bytes: 0 })
    }

    fn tidy(&mut self, _: bool) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;
    use crate::auth::policy::KEYS;
    use crate::auth::storage::Maintenance as _;
    use crate::store::mapping::NATIVE;
    use crate::store::sql::SqlStore;
    use crate::store::sqlite;

    const WAIT: Duration = Duration::ZERO;

    fn key() -> &'static crate::auth::policy::Key {
        KEYS.iter().find(|key| key.name == "password.min-length").unwrap()
    }

    fn state(set: bool) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir_in(crate::scratch::directory()).unwrap();
        let path = directory.path().canonicalize().unwrap().join("state.db");
        sqlite::create(&path, WAIT).unwrap();
        if set {
            let mut store = sqlite::open_own(&path, WAIT).unwrap().into_store();
            store.set_policy(key(), Some("11"), at(0)).unwrap().unwrap();
        }
        (directory, path)
    }

    #[test]
    fn copy_is_read_and_not_written() {
        let (_directory, path) = state(true);
        let before = std::fs::read(&path).unwrap();
        let mut store = SqlStore::native(UnwritableState::copy(&path, WAIT).unwrap().unwrap(), NATIVE);
        assert_eq!(store.policy().unwrap().password.length_min, 11);
        let refused = store.set_policy(key(), Some("12"), at(1)).unwrap_err();
        assert!(matches!(refused, StoreError::NoState(NoState { path: Some(_), .. })), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn old_copy_with_a_damaged_history_is_refused() {
        let (_directory, path) = state(false);
        let sql = format!("PRAGMA user_version = 6; UPDATE {} SET applied_on = 'x'", migrate::HISTORY);
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "delete").unwrap();
        let refused = UnwritableState::copy(&path, WAIT).unwrap_err();
        assert!(matches!(refused, OpenError::History { .. }), "{refused}");
    }

    #[test]
    fn file_with_a_log_is_not_copied() {
        let (_directory, path) = state(false);
        std::fs::write(path.with_file_name("state.db-wal"), "pages that the file lacks").unwrap();
        assert!(UnwritableState::copy(&path, WAIT).unwrap().is_none());
    }
}
