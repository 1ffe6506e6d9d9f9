//! Sessions that are over, and their deletion.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::access::Tokens;
use super::prune::{Part, delete_over_rows};
use super::read;
use super::rows::{self, RowKey};
use crate::auth::audit::Event;
use crate::auth::session::{Session, last_end, latest};
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
        read::SESSION
    );
    let bounds = [("expiresAt", last_end(now)), ("createdAt", latest(now)), ("updatedAt", latest(now))]
        .map(|(column, instant)| mapping.time("session", column, instant));
    tx.each(&mapping.sql(sql), &bounds, |row| {
        let session = read::session(row, 0, mapping)?;
        count += u64::from(now < session.expires_at && !session.is_live(now));
        Ok(())
    })?;
    Ok(count)
}

/// Counts the sessions that [`find`] finds.
pub(in crate::store) fn count_prunable(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<u64, StoreError> {
    let mut count = 0;
    each_prunable(tx, mapping, now, is_clock_sane, usize::MAX, |_| count += 1)?;
    Ok(count)
}

/// The first sessions that are to be deleted. Sessions from the future are only if the clock is sane; otherwise they are
/// live again as soon as the clock is right.
pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
    limit: usize,
) -> Result<Vec<RowKey>, StoreError> {
    let mut keys = Vec::new();
    each_prunable(tx, mapping, now, is_clock_sane, limit, |key| keys.push(key))?;
    Ok(keys)
}

/// Deletes those of the sessions that are still to be deleted.
pub(in crate::store) fn delete_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    keys: &[RowKey],
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<Part, StoreError> {
    // An app may have tokens of a session, which end with it.
    let tokens = mapping.is_guest().then_some((Tokens::Online, now));
    let part = delete_over_rows(tx, mapping, ("session", read::SESSION), keys, tokens, |row, first| {
        Ok(is_prunable(&read::session(row, first, mapping)?, now, is_clock_sane))
    })?;
    log.extend(part.event("sessions.pruned", "expired session"));
    Ok(part)
}

/// Whether the row of a session is to be deleted.
fn is_prunable(session: &Session, now: Timestamp, is_clock_sane: bool) -> bool {
    if now < session.expires_at { is_clock_sane && !session.is_live(now) } else { !session.may_be_live(now) }
}

/// Goes through the sessions that are to be deleted. The index on `expiresAt` finds those that have expired, and the rule
/// decides. No index finds those that are not live although their end is in the future, so every row is read after them.
fn each_prunable(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
    limit: usize,
    mut found: impl FnMut(RowKey),
) -> Result<(), StoreError> {
    let order = tx.dialect().order(mapping, "session");
    let time = |column, instant| mapping.time("session", column, instant);
    // Values of another form than that of the column are before or after all instants, so SQL counts none.
    let mut parts = vec![
        (r#""expiresAt" <= ?1 ORDER BY "expiresAt""#, vec![time("expiresAt", now)], false),
        (r#""expiresAt" > ?1 ORDER BY "expiresAt""#, vec![time("expiresAt", Timestamp::MAX)], false),
    ];
    if is_clock_sane {
        let after = ["createdAt", "updatedAt"].map(|column| time(column, now));
        parts.push((r#""createdAt" > ?1 OR "updatedAt" > ?2"#, after.into(), true));
    }
    let mut left = limit;
    for (over, values, is_ahead) in parts {
        if left == 0 {
            break;
        }
        let sql = format!(r#"SELECT "session".{order}, "session"."id", {} FROM "session" WHERE {over}"#, read::SESSION);
        tx.scan(&mapping.sql(sql), &values, &mut |row| {
            let session = read::session(row, 2, mapping)?;
            if (now < session.expires_at) == is_ahead && is_prunable(&session, now, is_clock_sane) {
                found(rows::row_key(row, 0, mapping, "session")?);
                left -= 1;
            }
            Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::auth::fixtures::at;
    use crate::store::mapping::NATIVE;
    use crate::store::sqlite::engine::SqliteTx;

    #[test]
    fn session_extended_since_it_was_found_stays() {
        let connection = Connection::open_in_memory().unwrap();
        let [end, later] = [10, 30].map(|second| at(second).as_second());
        let tables = "CREATE TABLE user (id TEXT PRIMARY KEY);
             CREATE TABLE session (id TEXT PRIMARY KEY, expiresAt INTEGER, token TEXT, createdAt INTEGER,
               updatedAt INTEGER, ipAddress TEXT, userAgent TEXT, userId TEXT, impersonatedBy TEXT);";
        let rows = format!(
            "INSERT INTO session SELECT column1, {end}, column1, 0, 0, NULL, NULL, 'ada', NULL
             FROM (VALUES ('over'), ('extended'), ('gone'))"
        );
        connection.execute_batch(&[tables, &rows].concat()).unwrap();
        let mut tx = SqliteTx::new(&connection);
        let keys = find(&mut tx, &NATIVE, at(20), true, 9).unwrap();
        assert_eq!(keys.len(), 3);
        connection.execute(r#"UPDATE "session" SET "expiresAt" = ?1 WHERE "id" = 'extended'"#, [later]).unwrap();
        connection.execute(r#"DELETE FROM "session" WHERE "id" = 'gone'"#, []).unwrap();
        let mut log = Vec::new();
        delete_over(&mut tx, &NATIVE, &mut log, &keys, at(20), true).unwrap();
        let left = find(&mut tx, &NATIVE, at(30), true, 9).unwrap();
        assert_eq!(left.iter().map(|[_, id]| id.clone()).collect::<Vec<_>>(), ["extended".into()]);
        assert_eq!(log.len(), 1);
    }
}
