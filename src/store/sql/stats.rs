//! Numbers about users, sessions and the audit log, for `stats`.

use jiff::Timestamp;

use super::{expired, rows};
use crate::auth::duration;
use crate::auth::stats::{Period, Series};
use crate::auth::storage::StoreError;
use crate::store::engine::{Tx, Value};
use crate::store::mapping::{OWN_TIME, SchemaMapping, is_true};

/// Counts all users, and those whose address is verified and who have a second factor; `None` where the app lacks the
/// column. The flags have no index, and one pass over the table counts both.
pub(super) fn users(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<(u64, [Option<u64>; 2]), StoreError> {
    let columns =
        ["emailVerified", "twoFactorEnabled"].map(|column| Some(column).filter(|_| mapping.has("user", column)));
    if columns == [None, None] {
        return Ok((rows::count(tx, mapping, "user")?, [None; 2]));
    }
    let dialect = tx.dialect();
    let [verified, factor] = columns.map(|column| {
        column.map_or("0".to_owned(), |column| {
            format!("count(CASE WHEN {} THEN 1 END)", is_true(column, mapping.is_guest(), dialect))
        })
    });
    let sql = format!(r#"SELECT count(*), {verified}, {factor} FROM "user" WHERE TRUE"#);
    let counts = tx.query_one(&mapping.sql(sql), &[], |row| Ok([row.integer(0)?, row.integer(1)?, row.integer(2)?]))?;
    let [users, verified, factor] = counts.unwrap_or_default().map(i64::unsigned_abs);
    Ok((users, [columns[0].map(|_| verified), columns[1].map(|_| factor)]))
}

/// Counts sessions that are live.
pub(super) fn live_sessions(tx: &mut dyn Tx, mapping: &SchemaMapping, now: Timestamp) -> Result<u64, StoreError> {
    let sessions = rows::count(tx, mapping, "session")?;
    Ok(sessions.saturating_sub(expired::count_over(tx, mapping, now)?))
}

/// Counts the users who were created in each part of a period.
pub(super) fn sign_ups(tx: &mut dyn Tx, mapping: &SchemaMapping, period: &Period) -> Result<Series, StoreError> {
    let times = mapping.times.of("user", "createdAt");
    if !mapping.has("user", "createdAt") || mapping.times.read_only("user", "createdAt").is_some() {
        return Ok(Series::unknown(period));
    }
    let mut counts = vec![0; period.parts()];
    if times.is_ordered() {
        let values: Vec<Value> = [period.until].into_iter().chain(period.starts()).map(|at| times.write(at)).collect();
        let part = part_of(0..period.parts());
        let sql =
            format!(r#"SELECT {part}, count(*) FROM "user" WHERE "createdAt" >= ?2 AND "createdAt" <= ?1 GROUP BY 1"#);
        tx.each(&mapping.sql(sql), &values, |row| {
            counts[period.clamped(row.integer(0)?)] += row.integer(1)?.unsigned_abs();
            Ok(())
        })?;
    } else {
        // The order of the texts is not that of the times.
        tx.each(&mapping.sql(r#"SELECT "createdAt" FROM "user" WHERE TRUE"#), &[], |row| {
            if let Some(part) = times.read(row.value(0)?).and_then(|at| period.part(at)) {
                counts[part] += 1;
            }
            Ok(())
        })?;
    }
    Ok(Series::known_since(None, &counts, period))
}

/// The number of the part in which a user was created, as SQL: halves the parts until one is left. The start of the
/// first part is the second parameter.
fn part_of(parts: std::ops::Range<usize>) -> String {
    if parts.len() < 2 {
        return parts.start.to_string();
    }
    let middle = parts.start + parts.len() / 2;
    let [before, after] = [parts.start..middle, middle..parts.end].map(part_of);
    format!(r#"CASE WHEN "createdAt" < ?{} THEN {before} ELSE {after} END"#, middle + 2)
}

/// What the audit log says of a period.
pub(super) struct Logged {
    /// The time of its first entry.
    pub(super) begins: Option<Timestamp>,
    pub(super) sign_ins: Vec<u64>,
    pub(super) failures: Vec<u64>,
}

/// Counts sign-ins and failures in each part of a period.
pub(super) fn logged(tx: &mut dyn Tx, period: &Period) -> Result<Logged, StoreError> {
    let oldest = r#"SELECT "at" FROM "authctl_audit" ORDER BY "seq" ASC LIMIT 1"#;
    let begins = tx.query_one(oldest, &[], |row| Ok(OWN_TIME.read(row.value(0)?)))?.flatten();
    let [mut sign_ins, mut failures] = [0, 0].map(|none| vec![none; period.parts()]);
    let sql = r#"SELECT ("at" - ?2) / ?3, count(CASE WHEN "event" = 'session.begun' THEN 1 END),
                   count(CASE WHEN "event" = 'signin.failed' THEN 1 END)
                 FROM "authctl_audit" WHERE "seq" >= ?1 AND "at" >= ?2 AND "at" <= ?4 GROUP BY 1"#;
    let first = first_since(tx, period.since)?;
    let [since, until] = [period.since, period.until].map(|at| OWN_TIME.write(at));
    tx.each(sql, &[first.into(), since, period.step().as_secs().into(), until], |row| {
        let part = period.clamped(row.integer(0)?);
        sign_ins[part] += row.integer(1)?.unsigned_abs();
        failures[part] += row.integer(2)?.unsigned_abs();
        Ok(())
    })?;
    Ok(Logged { begins, sign_ins, failures })
}

/// The number of the first entry from an instant on. The log is in the order of time, as far as the clock was right, so
/// that a few look-ups by number take the place of an index.
fn first_since(tx: &mut dyn Tx, instant: Timestamp) -> Result<i64, StoreError> {
    let newest = r#"SELECT "seq" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1"#;
    let newest = tx.query_one(newest, &[], |row| row.integer(0))?.unwrap_or_default();
    let (mut first, mut beyond) = (1, newest.saturating_add(1));
    while first < beyond {
        let middle = first + (beyond - first) / 2;
        let at = r#"SELECT "at" FROM "authctl_audit" WHERE "seq" >= ?1 ORDER BY "seq" LIMIT 1"#;
        let at = tx.query_one(at, &[middle.into()], |row| row.integer(0))?;
        if at.is_some_and(|at| at < duration::seconds(instant)) {
            first = middle + 1;
        } else {
            beyond = middle;
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_is_found_by_halves() {
        assert_eq!(part_of(0..1), "0");
        let sql = r#"CASE WHEN "createdAt" < ?3 THEN 0 ELSE CASE WHEN "createdAt" < ?4 THEN 1 ELSE 2 END END"#;
        assert_eq!(part_of(0..3), sql);
    }
}
