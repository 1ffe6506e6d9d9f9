//! The files of databases on SQLite: each kind is made once and copied for every test.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::path::Path;
use std::sync::Mutex;

use super::{Database, TestEngine};

pub(super) fn create_guest(engine: &TestEngine, path: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/better-auth");
    let made = std::fs::read_to_string(fixtures.join(engine.fixture).with_extension("sql")).unwrap();
    let (schema, _) = made.split_once("INSERT INTO").unwrap();
    let end_of_table = if engine.is_without_rowid { "\n) WITHOUT ROWID;" } else { "\n);" };
    let schema = schema.replace("\n);", end_of_table);
    rusqlite::Connection::open(path).unwrap().execute_batch(&format!("{schema} COMMIT;")).unwrap();
}

impl Database {
    /// Copies the file that the engine creates first, because a copy is cheaper than the statements.
    pub(super) fn copy_file(&self) {
        static FILES: Mutex<BTreeMap<usize, (Permissions, Vec<u8>)>> = Mutex::new(BTreeMap::new());
        let key = std::ptr::from_ref(self.engine).addr();
        let known = FILES.lock().unwrap().get(&key).cloned();
        if let Some((permissions, bytes)) = known {
            std::fs::write(&self.path, bytes).unwrap();
            std::fs::set_permissions(&self.path, permissions).unwrap();
        } else {
            (self.engine.create)(self.engine, &self.path);
            let made = (self.path.metadata().unwrap().permissions(), std::fs::read(&self.path).unwrap());
            FILES.lock().unwrap().insert(key, made);
        }
    }
}
