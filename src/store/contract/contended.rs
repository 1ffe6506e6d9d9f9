//! An engine on which every act runs twice.

use super::*;
use crate::auth::storage::{Depth, SchemaDifference};
use crate::store::engine::{self, Dialect, EachRow, EngineInfo, Tx, WriteTx};

pub(super) fn open(_: &TestEngine, path: &Path, wait: Duration) -> SqlStore {
    let engine = sqlite::open_own(path, wait).unwrap();
    SqlStore::native(Contended { engine, refuses: false }, NATIVE)
}

/// SQLite whose every other commit fails with a conflict, so that each act runs twice.
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
        // A store that does not wait does not retry.
        self.refuses = !self.refuses && !self.wait().is_zero();
        Ok(Box::new(ContendedTx { tx: self.engine.begin()?, refuses: self.refuses }))
    }

    fn check(&mut self, depth: Depth) -> Result<Vec<String>, StoreError> {
        self.engine.check(depth)
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

    fn tidy(&mut self, is_last: bool) -> Result<(), StoreError> {
        self.engine.tidy(is_last)
    }
}

impl Tx for ContendedTx<'_> {
    fn dialect(&self) -> &'static Dialect {
        self.tx.dialect()
    }

    fn catalog(&mut self) -> Result<engine::Catalog, StoreError> {
        self.tx.catalog()
    }

    fn left(&mut self) -> &mut Vec<String> {
        self.tx.left()
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.tx.execute(sql, values)
    }

    fn insert_rows(&mut self, target: &str, rows: &mut engine::NewRows<'_>) -> Result<u64, StoreError> {
        self.tx.insert_rows(target, rows)
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
