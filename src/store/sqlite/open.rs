//! Opens a database: looked at first, then connected to, then brought to the newest schema if need be.

use std::path::Path;
use std::time::Duration;

use super::connect::{connect, schema_version};
use super::engine_error::Engine as _;
use super::{Sqlite, file, migrate};
use crate::auth::audit::Actor;
use crate::store::OpenError;
use crate::store::dialect::NATIVE;

/// Opens an existing database; `path` is absolute. An older schema is migrated.
///
/// `wait` is how long to wait for other processes, here and in every later act.
///
/// # Errors
/// [`OpenError`], each reason its own variant. The file is unchanged then.
pub fn open(path: &Path, wait: Duration) -> Result<Sqlite, OpenError> {
    file::inspect(path)?;
    let connection = connect(path, wait).map_err(|source| OpenError::Store { path: path.into(), source })?;
    let found =
        schema_version(&connection).engine().map_err(|source| OpenError::Store { path: path.into(), source })?;
    if found > migrate::LATEST {
        return Err(OpenError::Newer { path: path.into(), found, known: migrate::LATEST });
    }
    let mut store = Sqlite {
        connection,
        dialect: NATIVE,
        path: path.into(),
        wait,
        acting: Actor::default().into(),
        prepared_to_write: false,
    };
    if found < migrate::LATEST {
        migrate::bring_up_to_date(&mut store.connection, path, wait)?;
    }
    Ok(store)
}
