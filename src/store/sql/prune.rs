//! Expired rows of plugins, most of which an app never deletes.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::inventory::Inventory;
use super::plugins::{is_over, quoted};
use super::rows;
use crate::auth::audit::{Event, counted};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{Holder, StoreError};
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
    let (mut ids, mut without_id) = (Vec::new(), 0);
    tx.scan(&sql, &[], &mut |row| {
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
        match row.value(0)? {
            _ if !has_end => {}
            ValueRef::Null => without_id += 1,
            id => ids.push(id.to_value()),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if without_id > 0 {
        let (rows, id) =
            (counted(without_id, "expired row"), format!("{}.{}", found.table, found.column("id").unwrap_or("id")));
        tx.left().push(format!("{rows} without an id stayed: {id} is null there"));
    }
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

/// Deletes the next part of expired rows, after the rows that refer to them. Rows that the app keeps stay.
pub(super) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    kind: Expiring,
    now: Timestamp,
    pruning: &Pruning,
) -> Result<Part, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin(kind.table()) else { return Ok(Part::default()) };
    let ids = expired(tx, &inventory, found, kind, now, pruning.kept.saturating_add(pruning.limit))?;
    let Some(id) = found.column("id") else { return Ok(Part::default()) };
    let deletion = inventory.deletion(&found.table, &format!("{} = ?1", identifier(id)))?;
    let ids = ids.get(pruning.kept..).unwrap_or_default();
    let part = delete_free(tx, &found.table, ids, deletion.is_one_statement(), |tx, id| {
        deletion.run(tx, std::slice::from_ref(id))
    })?;
    log.extend(part.event("rows.pruned", &format!("expired {}", kind.noun())));
    Ok(part)
}

/// What became of some expired rows.
#[derive(Debug, Default)]
pub(in crate::store) struct Part {
    rows: usize,
    deleted: u64,
    /// What keeps those that stay.
    kept: Vec<Vec<Holder>>,
}

impl Part {
    /// The entry of the log; `None` if no row was deleted.
    pub(super) fn event(&self, name: &'static str, noun: &str) -> Option<Event> {
        (self.deleted > 0).then(|| Event::new(name).with(counted(self.deleted, noun)))
    }

    /// Adds the part to a deletion. Returns the number of deleted rows.
    pub(super) fn add_to(self, pruning: &mut Pruning) -> u64 {
        pruning.add(self.rows, self.kept);
        self.deleted
    }
}

/// Deletes rows of a table (in the name of the database) but for those that the app keeps. `delete` returns the number
/// of deleted rows. Unless it `is_one_statement`, a savepoint takes back what it did for a row that stays. The savepoint
/// is for all rows while none stays, because each one costs a copy of every page that changes.
///
/// # Errors
/// [`StoreError::Engine`] when no row is deleted or kept.
pub(super) fn delete_free<I>(
    tx: &mut dyn Tx,
    table: &str,
    ids: &[I],
    is_one_statement: bool,
    mut delete: impl FnMut(&mut dyn Tx, &I) -> Result<u64, StoreError>,
) -> Result<Part, StoreError> {
    let mut part = Part { rows: ids.len(), ..Part::default() };
    let all = if is_one_statement { None } else { delete_all(tx, ids, &mut delete)? };
    match all {
        Some(deleted) => part.deleted = deleted,
        None => {
            for id in ids {
                let deleted = if is_one_statement { delete(tx, id) } else { tx.attempt(|tx| delete(tx, id)) };
                match deleted {
                    Err(StoreError::Held(holders)) => part.kept.push(holders),
                    deleted => part.deleted += deleted?,
                }
            }
        }
    }
    rows::require_some(table, ids.len() - part.kept.len(), part.deleted)?;
    Ok(part)
}

/// Deletes all rows, or none and returns `None` if the app keeps one of them.
fn delete_all<I>(
    tx: &mut dyn Tx,
    ids: &[I],
    delete: &mut impl FnMut(&mut dyn Tx, &I) -> Result<u64, StoreError>,
) -> Result<Option<u64>, StoreError> {
    match tx.attempt(|tx| ids.iter().try_fold(0, |deleted, id| Ok(deleted + delete(tx, id)?))) {
        Err(StoreError::Held(_)) => Ok(None),
        deleted => deleted.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::auth::storage::Release;
    use crate::store::sqlite::engine::SqliteTx;

    #[test]
    fn part_counts_the_rows_that_were_deleted() {
        let connection = Connection::open_in_memory().unwrap();
        let mut tx = SqliteTx::new(&connection);
        let held = || {
            let release = Release::Rows;
            StoreError::Held(vec![Holder { table: "post".into(), column: "user".into(), rows: 1, release }])
        };
        // Each id stands for what becomes of its row: it is deleted, it is not found, or the app keeps it.
        let mut delete = |ids: &[&str], is_one_statement| {
            delete_free(&mut tx, "session", ids, is_one_statement, |_, id| match *id {
                "deleted" => Ok(1),
                "missing" => Ok(0),
                _ => Err(held()),
            })
        };
        for (ids, deleted, kept) in [
            (&["deleted", "deleted"][..], 2, 0),
            (&["deleted", "missing"], 1, 0),
            (&["missing", "kept", "deleted"], 1, 1),
            (&["kept"], 0, 1),
            (&[], 0, 0),
        ] {
            for is_one_statement in [false, true] {
                let part = delete(ids, is_one_statement).unwrap();
                assert_eq!((part.deleted, part.kept.len()), (deleted, kept), "{ids:?}");
            }
        }
        for ids in [&["missing", "missing"][..], &["missing", "kept"]] {
            assert!(delete(ids, false).unwrap_err().to_string().contains("of the table session"), "{ids:?}");
        }
    }
}
