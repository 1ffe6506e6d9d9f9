//! The database of a Better Auth app. authctl is a guest: it recognises the schema and never changes it, and
//! keeps its own tables (audit log, attempts, settings) in another file.

mod convert;
mod create;
mod detect;
mod encodings;
mod ids;
mod near;
mod overrides;
mod truths;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::auth::storage::{GuestSchema, NoState, StoreError, UnsafePlace, WriteBlocker, WriteScope};
use crate::store::OpenError;
use crate::store::engine::Engine as _;
use crate::store::mapping::{NATIVE, SchemaMapping};
use crate::store::sql::SqlStore;
use crate::store::sqlite::connect::Connected;
use crate::store::sqlite::error::translate;
use crate::store::sqlite::unwritable_state::UnwritableState;
use crate::store::sqlite::{self, Sqlite, open_own};
pub use convert::Converted;
pub(in crate::store) use convert::Target;
pub use create::{Adapter, ColumnNames, TimeUnit, create_for_app};
use detect::Recognised;
pub(in crate::store) use detect::require_readable;
pub use overrides::SchemaOverrides;

/// A recognised database. It becomes a store with a file for authctl's own tables.
#[derive(Debug)]
pub struct GuestDatabase {
    engine: Sqlite,
    mapping: SchemaMapping,
    schema: GuestSchema,
}

/// The file of an app, as far as its access matters.
#[derive(Debug)]
pub(in crate::store) struct AppFile {
    /// The user id of the owner.
    pub(in crate::store) owner: u32,
    pub(in crate::store) unsafe_place: Option<UnsafePlace>,
}

/// Recognises the database behind a connection.
///
/// # Errors
/// [`OpenError::Foreign`] or [`OpenError::Lacking`] when the database is not one of Better Auth,
/// [`OpenError::Ambiguous`] when its schema fits in two ways.
pub(in crate::store) fn recognise(
    connection: Connected,
    path: &Path,
    origin: AppFile,
    wait: Duration,
    overrides: &SchemaOverrides,
) -> Result<GuestDatabase, OpenError> {
    let AppFile { owner, unsafe_place } = origin;
    let Recognised { mapping, mut schema } = detect::read(&connection, path, overrides)?;
    if owner != rustix::process::geteuid().as_raw() {
        // SQLite creates files beside the database. They would belong to this user, and lock the app out.
        schema.write_blockers.insert(
            0,
            WriteBlocker {
                problem: "the file belongs to another user".to_owned(),
                remedy: format!("run as that user: sudo -u '#{owner}' authctl ..."),
                scope: WriteScope::Everything,
            },
        );
    }
    connection.run_triggers().map_err(|error| OpenError::Store { path: path.into(), source: translate(&error) })?;
    schema.unsafe_place = unsafe_place;
    Ok(GuestDatabase { engine: Sqlite::new(connection, wait), mapping, schema })
}

impl GuestDatabase {
    /// A native database that becomes an app's. Its log is in the state of the latter from then on.
    pub(in crate::store) fn to_be(engine: Sqlite) -> Self {
        let schema = GuestSchema {
            tables: Vec::new(),
            time: String::new(),
            time_evidence: String::new(),
            ids: String::new(),
            triggers: Vec::new(),
            write_blockers: Vec::new(),
            unsafe_place: None,
        };
        Self { engine, mapping: NATIVE, schema }
    }

    /// The directory of the file, if others can write there.
    pub fn unsafe_place(&self) -> Option<&UnsafePlace> {
        self.schema.unsafe_place.as_ref()
    }

    /// Returns the store, with authctl's own tables in the file at `state`: a native database whose tables of
    /// users stay empty. Creates the file if it is missing.
    ///
    /// A file that does not exist and cannot be made holds nothing, so the store can be read without it.
    ///
    /// # Errors
    /// [`OpenError`] about that file.
    pub fn with_state(self, state: &Path) -> Result<SqlStore, OpenError> {
        let wait = self.engine.wait();
        match sqlite::create(state, wait) {
            Ok(()) | Err(OpenError::Exists(_)) => {}
            Err(OpenError::CannotCreate { source, .. }) if is_unwritable(&source) => {
                return self.without_state(NoState::unwritable(state, source));
            }
            Err(OpenError::Store { source, .. })
                if matches!(source, StoreError::ReadOnly | StoreError::Full | StoreError::Quota) =>
            {
                return self.without_state(NoState::unwritable(state, source));
            }
            Err(error) => return Err(error),
        }
        let Self { engine, mapping, schema } = self;
        match open_own(state, wait) {
            Ok(own) => Ok(SqlStore::guest(engine, mapping, schema, own, state)),
            Err(error @ OpenError::Store { source: StoreError::ReadOnly, .. }) => {
                let copy = UnwritableState::copy(state, wait)?.ok_or(error)?;
                Ok(SqlStore::guest(engine, mapping, schema, copy, state))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the store without a file for authctl's own tables. It can only be read.
    ///
    /// # Errors
    /// [`OpenError::Store`].
    pub fn without_state(self, why: NoState) -> Result<SqlStore, OpenError> {
        let path = PathBuf::from(why.path.clone().unwrap_or_default());
        let empty = UnwritableState::empty(why, self.engine.wait())
            .map_err(|source| OpenError::Store { path: path.clone(), source })?;
        Ok(SqlStore::guest(self.engine, self.mapping, self.schema, empty, &path))
    }
}

/// Whether the place of a new file is read-only, full or of another user.
fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kinds = [NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
    kinds.contains(&error.kind())
}
