//! The deletion of expired rows in parts, and the expired rows of plugins, most of which an app never deletes.
//!
//! The rows of a part are found before the database is locked, because that may read every row of a table, and are
//! read again in the transaction that deletes them.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::access::{self, Tokens};
use super::inventory::Inventory;
use super::plugins::{is_over, quoted};
use super::rows::{self, RowKey};
use super::steps::RowDeletion;
use super::write_tx::SqlStore;
use crate::auth::audit::{Event, counted};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{Holder, StoreError};
use crate::store::engine::{Row, Tx, Value, ValueRef};
use crate::store::mapping::{FoundPlugin, SchemaMapping, TimeEncodings, identifier};

/// How long the next part waits after one. SQLite has a process that finds the database locked try again after at most as
/// long, until it has waited for a tenth of a second. So a sign-in comes between two parts.
const PAUSE: Duration = Duration::from_millis(25);

impl Expired {
    /// Says for an act which rows stay.
    pub(super) fn tell(&self, tx: &mut dyn Tx) {
        tx.left().extend(self.without_id.clone());
    }
}

impl SqlStore {
    /// Deletes the next part of some rows, which were found together with the rows in front of it that stay, and returns
    /// the number of deleted rows.
    #[expect(clippy::disallowed_methods, reason = "measures the transaction; the time of day stays an argument")]
    pub(super) fn prune_part<K>(
        &mut self,
        pruning: &mut Pruning,
        found: &[K],
        mut delete: impl FnMut(&mut dyn Tx, &SchemaMapping, &mut Vec<Event>, &[K]) -> Result<Part, StoreError>,
    ) -> Result<u64, StoreError> {
        let keys = found.get(pruning.kept..).unwrap_or_default();
        let mut start = None;
        let part = self.write_tx_by_catalog(|tx, mapping, log| {
            start = Some(Instant::now());
            delete(tx, mapping, log, keys)
        })?;
        let locked = start.map_or(Duration::ZERO, |start| start.elapsed());
        pruning.add(keys.len(), part.kept, locked, self.engine.pace());
        self.engine.tidy(pruning.is_over)?;
        if !pruning.is_over {
            std::thread::sleep(PAUSE);
        }
        Ok(part.deleted)
    }
}

/// Expired rows of a plugin's table.
#[derive(Debug, Default)]
pub(super) struct Expired {
    pub(super) ids: Vec<[Value; 1]>,
    /// How many have no id, with the words for it.
    without_id: Option<String>,
}

/// Finds expired rows of a plugin's table, at most `limit`, or looks only at the rows with ids that a parameter lists. SQL cannot compare
/// instants without the encoding of each value, so the rule reads every row.
fn expired(
    tx: &mut dyn Tx,
    inventory: &Inventory,
    (found, kind, times): (&FoundPlugin, Expiring, &TimeEncodings),
    now: Timestamp,
    limit: usize,
    only: Option<&[Value]>,
) -> Result<Expired, StoreError> {
    let Some(id) = quoted(found, "id") else { return Ok(Expired::default()) };
    // Older tables hold both tokens of OAuth in one row, which is of use until the later one ends.
    let (ends, encodings): (Vec<String>, Vec<_>) = ["expiresAt", "accessTokenExpiresAt", "refreshTokenExpiresAt"]
        .iter()
        .filter_map(|column| Some((quoted(found, column)?, found.time_encoding(column, times))))
        .unzip();
    if ends.is_empty() {
        return Ok(Expired::default());
    }
    let table = identifier(&found.table);
    let unused = match kind {
        Expiring::RefreshToken => without_tokens(inventory, &table, &id),
        _ => "TRUE".to_owned(),
    };
    let is_row = if only.is_some() { tx.dialect().is_listed(&id, "?1") } else { "TRUE".to_owned() };
    let sql = format!("SELECT {id}, {} FROM {table} WHERE {is_row} AND {unused}", ends.join(", "));
    let (mut ids, mut without_id) = (Vec::new(), 0);
    let mut each = |row: &Row<'_>| {
        if ids.len() >= limit {
            return Ok(ControlFlow::Break(()));
        }
        let mut has_end = false;
        for (index, encoding) in (1..).zip(&encodings) {
            let end = row.value(index)?;
            if end == ValueRef::Null {
                continue;
            }
            has_end = true;
            if !is_over(end, *encoding, now) {
                return Ok(ControlFlow::Continue(()));
            }
        }
        match row.value(0)? {
            _ if !has_end => {}
            ValueRef::Null => without_id += 1,
            id => ids.push([id.to_value()]),
        }
        Ok(ControlFlow::Continue(()))
    };
    match only {
        Some(ids) => tx.query(&sql, ids, &mut each)?,
        None => tx.scan(&sql, &[], &mut each)?,
    }
    let without_id = (without_id > 0).then(|| {
        let (rows, id) =
            (counted(without_id, "expired row"), format!("{}.{}", found.table, found.column("id").unwrap_or("id")));
        format!("{rows} without an id stayed: {id} is null there")
    });
    Ok(Expired { ids, without_id })
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
    Ok(expired(tx, &inventory, (found, kind, &mapping.times), now, usize::MAX, None)?.ids.len() as u64)
}

/// Finds the first expired rows of a plugin's table.
pub(super) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    kind: Expiring,
    now: Timestamp,
    limit: usize,
) -> Result<Expired, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin(kind.table()) else { return Ok(Expired::default()) };
    expired(tx, &inventory, (found, kind, &mapping.times), now, limit, None)
}

/// Deletes those of some rows that are still expired, after the rows that refer to them. Rows that the app keeps stay.
pub(super) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    ids: &[[Value; 1]],
    kind: Expiring,
    now: Timestamp,
) -> Result<Part, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin(kind.table()) else { return Ok(Part::default()) };
    let Some(id) = found.column("id") else { return Ok(Part::default()) };
    let sought = (found, kind, &mapping.times);
    let mut over = Vec::with_capacity(ids.len());
    for lists in tx.dialect().lists(ids) {
        over.extend(expired(tx, &inventory, sought, now, usize::MAX, Some(&lists))?.ids);
    }
    let deletion = inventory.deletion(&found.table, &tx.dialect().is_listed(&identifier(id), "?1"))?;
    let part = delete_by(tx, &found.table, &deletion, &over)?;
    log.extend(part.event("rows.pruned", &format!("expired {}", kind.noun())));
    Ok(part)
}

/// Deletes those rows of a table of Better Auth that are still to be deleted but for those that the app keeps. `is_over`
/// decides by the columns, the first of which has the number that it is given. The tokens of a session end before it.
pub(super) fn delete_over_rows(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    (table, columns): (&str, &str),
    keys: &[RowKey],
    tokens: Option<(Tokens, Timestamp)>,
    mut is_over: impl FnMut(&Row<'_>, usize) -> Result<bool, StoreError>,
) -> Result<Part, StoreError> {
    let mut over = Vec::with_capacity(keys.len());
    rows::each_row(tx, mapping, (table, columns), keys, |row| {
        if is_over(row, 2)? {
            over.push(rows::row_key(row, 0, mapping, table)?);
        }
        Ok(())
    })?;
    let inventory = Inventory::read(tx, mapping)?;
    let deletion = rows::deletion(tx, &inventory, mapping, table)?;
    let Some((tokens, now)) = tokens else { return delete_by(tx, mapping.table(table), &deletion, &over) };
    delete_free(tx, mapping.table(table), &over, false, |tx, keys| {
        access::end_tokens(tx, mapping, &inventory, keys, tokens, now)?;
        deletion.run_for(tx, keys)
    })
}

/// Deletes rows of a table (in the name of the database) but for those that the app keeps.
fn delete_by<K: AsRef<[Value]>>(
    tx: &mut dyn Tx,
    table: &str,
    deletion: &RowDeletion<'_>,
    keys: &[K],
) -> Result<Part, StoreError> {
    delete_free(tx, table, keys, deletion.is_one_statement(), |tx, keys| deletion.run_for(tx, keys))
}

/// What became of some expired rows.
#[derive(Debug, Default)]
pub(in crate::store) struct Part {
    deleted: u64,
    /// What keeps those that stay.
    kept: Vec<Vec<Holder>>,
}

impl Part {
    /// Deleted rows, when no app keeps any.
    pub(super) fn of(deleted: u64) -> Self {
        Self { deleted, kept: Vec::new() }
    }

    /// The entry of the log; `None` if no row was deleted.
    pub(super) fn event(&self, name: &'static str, noun: &str) -> Option<Event> {
        (self.deleted > 0).then(|| Event::new(name).with(counted(self.deleted, noun)))
    }
}

/// Deletes rows of a table (in the name of the database) but for those that the app keeps. `delete` returns the number
/// of deleted rows. If the app keeps one of some rows, each of them is deleted alone. Unless it `is_one_statement`, a
/// savepoint takes back what was done for a row that stays. Where rows have statements of their own, the savepoint is for
/// all of them while none stays, because each one costs a copy of every page that changes.
///
/// # Errors
/// [`StoreError::Engine`] when no row is deleted or kept.
fn delete_free<K>(
    tx: &mut dyn Tx,
    table: &str,
    keys: &[K],
    is_one_statement: bool,
    mut delete: impl FnMut(&mut dyn Tx, &[K]) -> Result<u64, StoreError>,
) -> Result<Part, StoreError> {
    let together = match tx.dialect().rows_per_statement() {
        1 if !is_one_statement => keys.len().max(1),
        rows => rows,
    };
    let mut part = Part::default();
    for keys in keys.chunks(together) {
        match if keys.len() == 1 { None } else { delete_all(tx, keys, &mut delete)? } {
            Some(deleted) => part.deleted += deleted,
            None => delete_each(tx, keys, is_one_statement, &mut part, &mut delete)?,
        }
    }
    rows::require_some(table, keys.len() - part.kept.len(), part.deleted)?;
    Ok(part)
}

/// Deletes all rows, or none and returns `None` if the app keeps one of them.
fn delete_all<K>(
    tx: &mut dyn Tx,
    keys: &[K],
    delete: &mut impl FnMut(&mut dyn Tx, &[K]) -> Result<u64, StoreError>,
) -> Result<Option<u64>, StoreError> {
    match tx.attempt(|tx| delete(tx, keys)) {
        Err(StoreError::Held(_)) => Ok(None),
        deleted => deleted.map(Some),
    }
}

/// Deletes the rows that the app does not keep, one after the other.
fn delete_each<K>(
    tx: &mut dyn Tx,
    keys: &[K],
    is_one_statement: bool,
    part: &mut Part,
    delete: &mut impl FnMut(&mut dyn Tx, &[K]) -> Result<u64, StoreError>,
) -> Result<(), StoreError> {
    for key in keys.chunks(1) {
        let deleted = if is_one_statement { delete(tx, key) } else { tx.attempt(|tx| delete(tx, key)) };
        match deleted {
            Err(StoreError::Held(holders)) => part.kept.push(holders),
            deleted => part.deleted += deleted?,
        }
    }
    Ok(())
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
            delete_free(&mut tx, "session", ids, is_one_statement, |_, ids| {
                ids.iter().try_fold(0, |deleted, id| match *id {
                    "deleted" => Ok(deleted + 1),
                    "missing" => Ok(deleted),
                    _ => Err(held()),
                })
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
