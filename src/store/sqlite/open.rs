//! Opens a database: looked at first, then connected to, then brought to the newest schema if need be.

use std::path::Path;
use std::time::Duration;

use super::connect::{connect, connect_to_read, schema_version};
use super::engine::Sqlite;
use super::error::SqliteResult as _;
use super::preflight::{Checked, Kind};
use super::{migrate, preflight};
use crate::store::OpenError;
use crate::store::better_auth::{self, App, SchemaOverrides};
use crate::store::sql::SqlStore;

impl Sqlite {
    /// The store of a database that authctl made.
    pub fn into_store(self) -> SqlStore {
        SqlStore::native(self)
    }
}

/// An opened database.
#[derive(Debug)]
pub enum Opened {
    /// Made by authctl.
    Own(SqlStore),
    /// A Better Auth app's.
    App(App),
}

/// Opens an existing database; `path` is absolute. An older schema of our own is migrated; an app's
/// database is recognised, with the help of overrides, and stays as it is.
///
/// `wait` is how long to wait for other processes, here and in every later act.
///
/// # Errors
/// [`OpenError`], each reason its own variant. The file is unchanged then.
pub fn open(path: &Path, wait: Duration, overrides: &SchemaOverrides) -> Result<Opened, OpenError> {
    let file = preflight::look(path)?;
    match file.kind() {
        Kind::Own => Ok(Opened::Own(open_checked(file, wait)?.into_store())),
        Kind::Other { owner } => {
            let may_write = rustix::process::geteuid().as_raw() == owner;
            let connection = if may_write { connect(file, wait) } else { connect_to_read(file, wait) };
            let connection = connection.map_err(|source| OpenError::Store { path: path.into(), source })?;
            better_auth::recognise(connection, path, owner, wait, overrides).map(Opened::App)
        }
    }
}

/// Opens a database that authctl made.
///
/// # Errors
/// As for [`open`]; [`OpenError::NotOwn`] for any other.
pub fn open_own(path: &Path, wait: Duration) -> Result<Sqlite, OpenError> {
    open_checked(preflight::look_own(path)?, wait)
}

fn open_checked(file: Checked, wait: Duration) -> Result<Sqlite, OpenError> {
    let path = &file.path().to_owned();
    let connection = connect(file, wait).map_err(|source| OpenError::Store { path: path.into(), source })?;
    let found =
        schema_version(&connection).engine().map_err(|source| OpenError::Store { path: path.into(), source })?;
    if found > migrate::LATEST {
        return Err(OpenError::Newer { path: path.into(), found, known: migrate::LATEST });
    }
    let mut engine = Sqlite::new(connection, wait);
    if found < migrate::LATEST {
        migrate::bring_up_to_date(engine.connection(), path, wait)?;
    }
    Ok(engine)
}
