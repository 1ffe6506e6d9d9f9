//! Expired rows of plugins, most of which an app never deletes.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::inventory::{Inventory, make_way};
use super::plugins::{is_over, quoted};
use crate::auth::audit::{Event, counted};
use crate::auth::prune::Expiring;
use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, Value, ValueRef};
use crate::store::mapping::{FoundPlugin, SchemaMapping, identifier};

/// The ids of expired rows of a plugin's table, at most `limit`. SQL cannot compare instants without the encoding of
/// each value, so the rule reads every row.
fn expired(
    tx: &mut dyn Tx,
    inventory: &Inventory,
    found: &FoundPlugin,
    kind: Expiring,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Value>, StoreError> {
    let Some(id) = quoted(found, "id") else { return Ok(Vec::new()) };
    // Older tables hold both tokens of OAuth in one row, which is of use until the later one ends.
    let ends: Vec<String> = ["expiresAt", "accessTokenExpiresAt", "refreshTokenExpiresAt"]
        .iter()
        .filter_map(|column| quoted(found, column))
        .collect();
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let table = identifier(&found.table);
    let unused = match kind {
        Expiring::RefreshToken => without_tokens(inventory, &table, &id),
        _ => "TRUE".to_owned(),
    };
    let sql = format!("SELECT {id}, {} FROM {table} WHERE {unused}", ends.join(", "));
    let mut ids = Vec::new();
    tx.query(&sql, &[], &mut |row| {
        if ids.len() >= limit {
            return Ok(ControlFlow::Break(()));
        }
        let mut has_end = false;
        for index in 1..=ends.len() {
            let end = row.value(index)?;
            if end == ValueRef::Null {
                continue;
            }
            has_end = true;
            if !is_over(end, now) {
                return Ok(ControlFlow::Continue(()));
            }
        }
        if has_end {
            ids.push(row.value(0)?.to_value());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(ids)
}

/// The condition for refresh tokens to which no access token refers: deleting one would delete the others.
fn without_tokens(inventory: &Inventory, table: &str, id: &str) -> String {
    let tokens = inventory.plugin("oauthAccessToken");
    match tokens.and_then(|found| Some((identifier(&found.table), quoted(found, "refreshId")?))) {
        Some((tokens, refers)) => {
            format!("NOT EXISTS (SELECT 1 FROM {tokens} WHERE {tokens}.{refers} IN ({table}.{id}))")
        }
        None => "TRUE".to_owned(),
    }
}

pub(super) fn count(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    kind: Expiring,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin(kind.table()) else { return Ok(0) };
    Ok(expired(tx, &inventory, found, kind, now, usize::MAX)?.len() as u64)
}

/// Deletes expired rows, after the rows that refer to them. Rows that the app keeps stay.
///
/// # Errors
/// [`StoreError::Held`] if only such rows are left.
pub(super) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    kind: Expiring,
    now: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin(kind.table()) else { return Ok(0) };
    let ids = expired(tx, &inventory, found, kind, now, limit)?;
    let (Some(id), false) = (quoted(found, "id"), ids.is_empty()) else { return Ok(0) };
    let condition = format!("{id} = ?1");
    let steps = inventory.steps(&found.table, &condition)?;
    let delete = format!("DELETE FROM {} WHERE {condition}", identifier(&found.table));
    let (mut count, mut held) = (0, None);
    for id in &ids {
        let id = std::slice::from_ref(id);
        match make_way(tx, &inventory, &steps, id) {
            Ok(()) => {
                tx.delete(&delete, id)?;
                count += 1;
            }
            // Nothing was written for this row, and the others go.
            Err(StoreError::Held(holders)) => held = Some(holders),
            Err(error) => return Err(error),
        }
    }
    if let (Some(holders), 0) = (held, count) {
        return Err(StoreError::Held(holders));
    }
    log.push(Event::new("rows.pruned").with(counted(count, &format!("expired {}", kind.noun()))));
    Ok(count)
}
