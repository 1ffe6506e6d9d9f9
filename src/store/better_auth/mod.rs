//! A database that belongs to a Better Auth app. We are a guest in it: its schema is recognised and
//! never changed, and what authctl keeps for itself (log, attempts, rules) lies in a file of its own.

mod create;
mod detect;
mod encodings;
mod overrides;
mod schema;

use std::path::Path;
use std::time::Duration;

use crate::auth::storage::{GuestSchema, WriteBlocker};
use crate::store::OpenError;
use crate::store::engine::Engine as _;
use crate::store::mapping::SchemaMapping;
use crate::store::sql::SqlStore;
use crate::store::sqlite::connect::Connected;
use crate::store::sqlite::error::SqliteResult as _;
use crate::store::sqlite::{self, Sqlite, open_own};
pub use create::{Adapter, create_for_app};
use detect::{NotRead, Recognised};
pub use overrides::SchemaOverrides;

/// An app's database, recognised; not yet a store, because it has no place for authctl's own tables.
#[derive(Debug)]
pub struct App {
    engine: Sqlite,
    mapping: SchemaMapping,
    schema: GuestSchema,
}

/// Recognises the database behind a connection.
///
/// # Errors
/// [`OpenError::Foreign`] when it is no Better Auth database, [`OpenError::Ambiguous`] when it can be
/// read in two ways.
pub(in crate::store) fn recognise(
    connection: Connected,
    path: &Path,
    owner: u32,
    wait: Duration,
    overrides: &SchemaOverrides,
) -> Result<App, OpenError> {
    let failed = |source| OpenError::Store { path: path.into(), source };
    let Recognised { mapping, mut schema } =
        detect::recognise(&connection, overrides).engine().map_err(failed)?.map_err(|not_read| match not_read {
            NotRead::Foreign => OpenError::Foreign(path.into()),
            NotRead::Lacking(problem) => OpenError::Lacking { path: path.into(), problem },
            NotRead::Ambiguous(problem) => OpenError::Ambiguous { path: path.into(), problem },
        })?;
    if owner != rustix::process::geteuid().as_raw() {
        // Files that SQLite makes beside the database would be another user's, and lock the app out.
        schema.write_blockers.insert(
            0,
            WriteBlocker {
                problem: "the file belongs to another user".to_owned(),
                remedy: format!("run as that user: sudo -u '#{owner}' authctl ..."),
            },
        );
    }
    Ok(App { engine: Sqlite::new(connection, wait), mapping, schema })
}

impl App {
    /// Makes a store of it, with authctl's own tables in the file at `state`: an ordinary database of
    /// authctl, whose tables of users stay empty.
    ///
    /// # Errors
    /// [`OpenError`], about that file.
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
