//! What a database sets for itself.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::engine_error::Engine as _;
use crate::auth::policy::{Key, Policy, PolicyError};
use crate::auth::store::StoreError;
use crate::store::dialect::OWN_TIME;

/// Reads the settings over the defaults. A key that is not known here is one of a later authctl and
/// says nothing to this one; a value that a key does not take makes no sense.
pub(super) fn read(connection: &Connection) -> Result<Policy, StoreError> {
    let mut statement = connection.prepare(r#"SELECT "key", "value" FROM "authctl_policy""#).engine()?;
    let mut rows = statement.query([]).engine()?;
    let mut settings = Vec::new();
    while let Some(row) = rows.next().engine()? {
        settings.push((row.get::<_, String>(0).engine()?, row.get::<_, String>(1).engine()?));
    }
    Policy::with(settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))).map_err(|(row, error)| {
        StoreError::Inconsistent {
            table: "authctl_policy",
            column: "value",
            row: row.to_owned(),
            problem: error.to_string(),
        }
    })
}

/// Writes a setting if it makes sense beside those that are there now. A value that says the same as
/// the default has no row.
pub(super) fn write(
    tx: &Transaction<'_>,
    key: &Key,
    value: Option<&str>,
    now: Timestamp,
) -> Result<Result<Policy, PolicyError>, StoreError> {
    let default = key.value(&Policy::default());
    let mut policy = read(tx)?;
    if let Err(error) = key.set(&mut policy, value.unwrap_or(&default)) {
        return Ok(Err(error));
    }
    let value = key.value(&policy);
    if value == default {
        tx.execute(r#"DELETE FROM "authctl_policy" WHERE "key" = ?1"#, [key.name])
    } else {
        tx.execute(
            r#"INSERT INTO "authctl_policy" ("key", "value", "updatedAt") VALUES (?1, ?2, ?3)
               ON CONFLICT ("key") DO UPDATE SET "value" = ?2, "updatedAt" = ?3"#,
            (key.name, value, OWN_TIME.write(now)),
        )
    }
    .engine()?;
    read(tx).map(Ok)
}
