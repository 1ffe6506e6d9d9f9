//! The database of a Better Auth app. authctl is a guest: it recognises the schema and never changes it, and
//! keeps its own tables (audit log, attempts, settings) in another file, or in a schema of their own on a server.

mod convert;
mod create;
mod description;
mod detect;
mod encodings;
mod ids;
mod local_times;
mod near;
mod overrides;
mod state;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::auth::storage::{GuestSchema, NoState, UnsafePlace, WriteBlocker, WriteScope};
use crate::store::OpenError;
use crate::store::engine::Engine;
use crate::store::mapping::{Evidence, SchemaMapping};
use crate::store::sql::{OwnTables, SqlStore, State};
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::connect::Connected;
use crate::store::sqlite::description::{Described, add_absent};
use crate::store::sqlite::error::SqliteResult as _;
pub(in crate::store) use convert::Target;
pub use convert::{Conversion, Converted};
pub use create::{Adapter, ColumnNames, TimeUnit, create_for_app};
pub(in crate::store) use description::{ColumnType, Description, FoundColumn, FoundTable, Signs};
pub(in crate::store) use detect::{Recognised, name_of_absent, read, require_readable};
pub(in crate::store) use ids::sample;
pub(in crate::store) use near::renamed_app;
pub use overrides::SchemaOverrides;
pub(in crate::store) use overrides::{file_entry, file_text};

/// A recognised database. It becomes a store with a file for authctl's own tables.
#[derive(Debug)]
pub struct GuestDatabase {
    engine: Box<dyn Engine>,
    mapping: SchemaMapping,
    schema: GuestSchema,
    evidence: Evidence,
    key: OsString,
    state_schema: Option<&'static str>,
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
    if let Some(key) = overrides.key_for_servers() {
        return Err(OpenError::Misfit {
            path: path.into(),
            problem: format!("\"{key}\" is about a PostgreSQL database"),
            remedy: format!("remove \"{key}\" from the --schema file"),
        });
    }
    let Recognised { mapping, mut schema, evidence, absent } = detect::read(&Described(&connection), path, overrides)?;
    let failed = |source| OpenError::Store { path: path.into(), source };
    add_absent(&connection, &absent).map_err(failed)?;
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
    connection.run_triggers().engine().map_err(failed)?;
    schema.unsafe_place = unsafe_place;
    Ok(GuestDatabase::new(Sqlite::new(connection, wait), mapping, schema, evidence, path))
}

impl GuestDatabase {
    pub(in crate::store) fn new(
        engine: impl Engine + 'static,
        mapping: SchemaMapping,
        schema: GuestSchema,
        evidence: Evidence,
        key: impl Into<OsString>,
    ) -> Self {
        Self { engine: Box::new(engine), mapping, schema, evidence, key: key.into(), state_schema: None }
    }

    /// The database, with authctl's own tables in a schema of it.
    pub(in crate::store) fn with_state_in(self, schema: &'static str) -> Self {
        Self { state_schema: Some(schema), ..self }
    }

    /// The schema of the database with authctl's own tables; `None` if they are elsewhere.
    pub fn state_schema(&self) -> Option<&'static str> {
        self.state_schema
    }

    /// What tells the database from others: the path of a file, or a text about a database on a server.
    pub fn key(&self) -> &OsStr {
        &self.key
    }

    /// The directory of the file, if others can write there.
    pub fn unsafe_place(&self) -> Option<&UnsafePlace> {
        self.schema.unsafe_place.as_ref()
    }

    /// The schema, as far as it was recognised.
    #[cfg(test)]
    pub(in crate::store) fn schema(&self) -> &GuestSchema {
        &self.schema
    }

    /// Returns the store for the completion of a shell, without authctl's own tables.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn to_complete(self, wait: Duration) -> Result<SqlStore, OpenError> {
        let problem = "completion reads none".to_owned();
        self.with(|_| State::without_file(NoState { path: None, problem }, wait))
    }

    /// Returns the store. Opens authctl's own tables by their key if they are not in the database.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn with<E>(self, open: impl FnOnce(&OsStr) -> Result<State, E>) -> Result<SqlStore, E> {
        let state = match self.state_schema {
            Some(schema) => OwnTables::Inside(schema),
            None => OwnTables::Beside(open(&self.key)?),
        };
        Ok(SqlStore::guest(self.engine, self.mapping, (self.schema, self.evidence), state))
    }
}
