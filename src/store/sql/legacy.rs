//! Passwords of a native database whose hashes are not argon2id, and their deletion.

use std::ops::ControlFlow;

use super::accounts::PASSWORD;
use super::audit::subject;
use super::prune::Part;
use super::rows::{self, RowKey};
use crate::auth::audit::Event;
use crate::auth::password::HashFormat;
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, StoreError};
use crate::store::engine::{Row, Tx};
use crate::store::mapping::SchemaMapping;

/// Finds the accounts of such passwords, at most `limit`.
pub(super) fn find(tx: &mut dyn Tx, mapping: &SchemaMapping, limit: usize) -> Result<Vec<RowKey>, StoreError> {
    let order = tx.dialect().order(mapping, "account");
    let sql = format!(r#"SELECT {order}, "id", {PASSWORD} FROM "account" WHERE "providerId" = ?1"#);
    let mut keys = Vec::new();
    tx.scan(&mapping.sql(sql), &[Account::CREDENTIAL.into()], &mut |row| {
        if keys.len() >= limit {
            return Ok(ControlFlow::Break(()));
        }
        if format_of(row, 2)?.is_legacy() {
            keys.push(rows::row_key(row, 0, mapping, "account")?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(keys)
}

/// Deletes those of the accounts whose passwords are still such ones.
pub(super) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    keys: &[RowKey],
) -> Result<Part, StoreError> {
    let columns = format!(r#"{PASSWORD}, "userId""#);
    let mut found = Vec::with_capacity(keys.len());
    rows::each_row(tx, mapping, ("account", &columns), keys, |row| {
        let format = format_of(row, 2)?;
        if format.is_legacy() {
            found.push((rows::row_key(row, 0, mapping, "account")?, rows::key(row, 3, mapping, "user")?, format));
        }
        Ok(())
    })?;
    let keys: Vec<RowKey> = found.iter().map(|(key, ..)| key.clone()).collect();
    let deleted = rows::delete_rows(tx, mapping, "account", &keys)?;
    for (_, user_id, format) in found {
        log.push(Event::user("password.pruned", subject(tx, mapping, &user_id)?).with(format.name()));
    }
    Ok(Part::of(deleted))
}

fn format_of(row: &Row<'_>, column: usize) -> Result<HashFormat, StoreError> {
    let hash = row.value(column)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
    Ok(hash.map_or(HashFormat::Unknown, |hash| HashFormat::of(&hash)))
}
