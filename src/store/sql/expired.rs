//! Sessions that are over, and their deletion.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::access::{self, Tokens};
use super::inventory::Inventory;
use super::prune::{Part, delete_free};
use super::rows::{self, RowKey};
use crate::auth::audit::Event;
use crate::auth::prune::Pruning;
use crate::auth::session::{last_end, latest};
use crate::auth::storage::StoreError;
use crate::store::engine::Tx;
use crate::store::mapping::SchemaMapping;

/// Counts sessions that are not live, also those whose end cannot be read, by the index on `expiresAt`. A session that a
/// clock made in the future counts as live if its end is not beyond every policy: only a look at each row finds it.
pub(in crate::store) fn count_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let times = mapping.times.of("session", "expiresAt");
    let mut count = tx.count(&mapping.sql(r#"SELECT count(*) FROM "session" WHERE "expiresAt" IS NULL"#), &[])?;
    let (until, end) = (times.write(now), times.write(Timestamp::MAX));
    let until = if times.is_ordered() {
        count += tx.count(&mapping.sql(r#"SELECT count(*) FROM "session" WHERE "expiresAt" <= ?1"#), &[until])?;
        None
    } else {
        Some((r#""expiresAt" <= ?1"#, until))
    };
    // A value of another type than the column's is after all instants.
    for (condition, bound) in until.into_iter().chain([(r#""expiresAt" > ?1"#, end)]) {
        let sql = format!(r#"SELECT "expiresAt" FROM "session" WHERE {condition}"#);
        tx.each(&mapping.sql(sql), &[bound], |row| {
            count += u64::from(times.read(row.value(0)?).is_none_or(|expires_at| expires_at <= now));
            Ok(())
        })?;
    }
    let sql = format!(
        r#"SELECT {} FROM "session" WHERE "expiresAt" > ?1 AND ("createdAt" > ?2 OR "updatedAt" > ?3)"#,
        rows::SESSION
    );
    let bounds = [("expiresAt", last_end(now)), ("createdAt", latest(now)), ("updatedAt", latest(now))]
        .map(|(column, instant)| mapping.time("session", column, instant));
    tx.each(&mapping.sql(sql), &bounds, |row| {
        let session = rows::session(row, 0, mapping)?;
        count += u64::from(now < session.expires_at && !session.is_live(now));
        Ok(())
    })?;
    Ok(count)
}

/// Counts the sessions that [`delete_over`] deletes.
pub(in crate::store) fn count_prunable(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<u64, StoreError> {
    let mut count = 0;
    each_expired(tx, mapping, now, usize::MAX, |_| count += 1)?;
    if is_clock_sane {
        count += from_future(tx, mapping, now, usize::MAX)?.len() as u64;
    }
    Ok(count)
}

/// Deletes the next part of the sessions that are not live. Sessions from the future are deleted only if the clock is
/// sane; otherwise they are live again as soon as the clock is right.
pub(in crate::store) fn delete_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
    pruning: &Pruning,
    is_clock_sane: bool,
) -> Result<Part, StoreError> {
    let limit = pruning.kept.saturating_add(pruning.limit);
    let mut keys = Vec::new();
    each_expired(tx, mapping, now, limit, |key| keys.push(key))?;
    if is_clock_sane && keys.len() < limit {
        keys.extend(from_future(tx, mapping, now, limit - keys.len())?);
    }
    let keys = keys.get(pruning.kept..).unwrap_or_default();
    let inventory = Inventory::read(tx, mapping)?;
    let deletion = rows::deletion(tx, &inventory, mapping, "session")?;
    // An app may have tokens of a session, which end with it.
    let is_one_statement = !mapping.is_guest() && deletion.is_one_statement();
    let part = delete_free(tx, mapping.table("session"), keys, is_one_statement, |tx, key| {
        access::end_tokens(tx, mapping, &inventory, std::slice::from_ref(key), Tokens::Online, now)?;
        deletion.run(tx, key)
    })?;
    log.extend(part.event("sessions.pruned", "expired session"));
    Ok(part)
}

/// The sessions that are not live although their end is in the future. No index finds them, so it
/// reads every row.
fn from_future(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<RowKey>, StoreError> {
    let order = tx.dialect().order(mapping, "session");
    let sql = format!(
        r#"SELECT "session".{order}, "session"."id", {} FROM "session" WHERE "createdAt" > ?1 OR "updatedAt" > ?2"#,
        rows::SESSION
    );
    let after = ["createdAt", "updatedAt"].map(|column| mapping.time("session", column, now));
    let mut keys = Vec::new();
    tx.scan(&mapping.sql(sql), &after, &mut |row| {
        if keys.len() >= limit {
            return Ok(ControlFlow::Break(()));
        }
        let session = rows::session(row, 2, mapping)?;
        if now < session.expires_at && !session.is_live(now) {
            keys.push(rows::row_key(row, 0, mapping, "session")?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(keys)
}

/// Goes through expired sessions. The index on `expiresAt` finds them, and the rule decides.
fn each_expired(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    limit: usize,
    mut found: impl FnMut(RowKey),
) -> Result<(), StoreError> {
    let order = tx.dialect().order(mapping, "session");
    let mut left = limit;
    // Values of another form than that of the column are before or after all instants, so SQL counts none.
    for (over, bound) in [(r#""expiresAt" <= ?1"#, now), (r#""expiresAt" > ?1"#, Timestamp::MAX)] {
        let sql = format!(
            r#"SELECT "session".{order}, "session"."id", {} FROM "session" WHERE {over} ORDER BY "expiresAt""#,
            rows::SESSION
        );
        tx.scan(&mapping.sql(sql), &[mapping.time("session", "expiresAt", bound)], &mut |row| {
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            if !rows::session(row, 2, mapping)?.may_be_live(now) {
                left -= 1;
                found(rows::row_key(row, 0, mapping, "session")?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}
