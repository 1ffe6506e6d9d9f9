//! The database of a Better Auth app. authctl is a guest: it recognises the schema and never changes it, and
//! keeps its own tables (audit log, attempts, settings) in another file.

mod create;
mod detect;
mod encodings;
mod ids;
mod overrides;

use std::path::Path;
use std::time::Duration;

use crate::auth::storage::{GuestSchema, WriteBlocker};
use crate::store::OpenError;
use crate::store::engine::Engine as _;
use crate::store::mapping::SchemaMapping;
use crate::store::sql::SqlStore;
use crate::store::sqlite::connect::Connected;
use crate::store::sqlite::error::translate;
use crate::store::sqlite::{self, Sqlite, open_own};
pub use create::{Adapter, ColumnNames, TimeUnit, create_for_app};
use detect::{NotRead, Recognised};
pub use overrides::SchemaOverrides;

/// A recognised database. It becomes a store with a file for authctl's own tables.
#[derive(Debug)]
pub struct GuestDatabase {
    engine: Sqlite,
    mapping: SchemaMapping,
    schema: GuestSchema,
}

/// Recognises the database behind a connection.
///
/// # Errors
/// [`OpenError::Foreign`] or [`OpenError::Lacking`] when the database is not one of Better Auth,
/// [`OpenError::Ambiguous`] when its schema fits in two ways.
pub(in crate::store) fn recognise(
    connection: Connected,
    path: &Path,
    owner: u32,
    wait: Duration,
    overrides: &SchemaOverrides,
) -> Result<GuestDatabase, OpenError> {
    let Recognised { mapping, mut schema } =
        detect::recognise(&connection, overrides).map_err(|not_read| match not_read {
            NotRead::Foreign => OpenError::Foreign(path.into()),
            NotRead::Lacking(problem) => OpenError::Lacking { path: path.into(), problem },
            NotRead::Ambiguous(problem) => OpenError::Ambiguous { path: path.into(), problem },
            NotRead::Sqlite(error) => OpenError::Store { path: path.into(), source: translate(&error) },
        })?;
    if owner != rustix::process::geteuid().as_raw() {
        // SQLite creates files beside the database. They would belong to this user, and lock the app out.
        schema.write_blockers.insert(
            0,
            WriteBlocker {
                problem: "the file belongs to another user".to_owned(),
                remedy: format!("run as that user: sudo -u '#{owner}' authctl ..."),
                only_new_rows_of: None,
            },
        );
    }
    connection.run_triggers().map_err(|error| OpenError::Store { path: path.into(), source: translate(&error) })?;
    Ok(GuestDatabase { engine: Sqlite::new(connection, wait), mapping, schema })
}

impl GuestDatabase {
    /// Returns the store, with authctl's own tables in the file at `state`: a native database whose tables of
    /// users stay empty. Creates the file if it is missing.
    ///
    /// # Errors
    /// [`OpenError`] about that file.
    pub fn with_state(self, state: &Path) -> Result<SqlStore, OpenError> {
        let wait = self.engine.wait();
        match sqlite::create(state, wait) {
            Ok(()) | Err(OpenError::Exists(_)) => {}
            Err(error) => return Err(error),
        }
        let own = open_own(state, wait)?;
        Ok(SqlStore::guest(self.engine, self.mapping, self.schema, own, state))
    }
}
