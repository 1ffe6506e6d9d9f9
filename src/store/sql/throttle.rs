//! Counts of attempts: a row for each key, and a row for each attempt that is not decided yet.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::auth::policy::ThrottleRules;
use crate::auth::second_factor::totp::{is_unused, step_at, time_of};
use crate::auth::storage::StoreError;
use crate::auth::throttle::{AttemptKey, Attempts, Decision, decide, failed, is_abandoned, remembered};
use crate::store::engine::{Query, Row, Tx, Value, ValueRef};
use crate::store::mapping::OWN_TIME;

/// Whether an attempt that waits would get another decision now.
pub(in crate::store) fn is_turn(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<bool, StoreError> {
    let undecided = undecided(tx, key)?;
    let has_abandoned = undecided.iter().any(|(_, at)| is_abandoned(*at, now));
    let running = u32::try_from(undecided.len()).unwrap_or(u32::MAX);
    Ok(has_abandoned || decide(read(tx, key)?, running, now, rules) != Decision::Undecided)
}

pub(in crate::store) fn later(now: Timestamp, waited: Duration) -> Timestamp {
    let waited = SignedDuration::try_from(waited).unwrap_or(SignedDuration::MAX);
    now.saturating_add(waited).unwrap_or(Timestamp::MAX)
}

/// Reads the count, lets the rule decide, and reserves the attempt.
pub(in crate::store) fn reserve(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<Decision, StoreError> {
    tx.ask_along(&[of_reservations(key)]);
    let before = read(tx, key)?;
    let mut stored = before;
    let mut running = 0;
    for (reservation, reserved_at) in undecided(tx, key)? {
        if is_abandoned(reserved_at, now) {
            stored = Some(failed(remembered(stored, now, rules), reserved_at.min(now), rules));
            delete(tx, &reservation)?;
        } else {
            running += 1;
        }
    }
    let decision = decide(stored, running, now, rules);
    heal(tx, key, before, stored, now, rules)?;
    if let (Decision::Proceed(_), Some(reservation)) = (&decision, key.reservation()) {
        write(tx, &reservation, Attempts { count: 0, not_before: now, last_at: now })?;
    }
    Ok(decision)
}

/// Counts an attempt that is a failure from the start.
pub(in crate::store) fn count(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<Decision, StoreError> {
    let stored = read(tx, key)?;
    let decision = decide(stored, 0, now, rules);
    match &decision {
        Decision::Proceed(after) => write(tx, key.as_str(), *after)?,
        Decision::Wait(_) | Decision::Undecided => heal(tx, key, stored, stored, now, rules)?,
    }
    Ok(decision)
}

/// Stores the count that the rule corrected. A wait that a wrong clock set years ahead ends after the longest
/// wait.
fn heal(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    before: Option<Attempts>,
    stored: Option<Attempts>,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<(), StoreError> {
    match remembered(stored, now, rules) {
        Some(healed) if before != Some(healed) => write(tx, key.as_str(), healed),
        _ => Ok(()),
    }
}

/// Turns a reservation into a failure.
pub(in crate::store) fn fail(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<(), StoreError> {
    let Some(reservation) = key.reservation() else { return Ok(()) };
    // If the reservation is gone, it was counted, or an operator cleared it.
    let Some(reserved) = read_row(tx, &reservation)? else { return Ok(()) };
    delete(tx, &reservation)?;
    let before = remembered(read(tx, key)?, now.max(reserved.last_at), rules);
    write(tx, key.as_str(), failed(before, reserved.last_at, rules))
}

/// Notes the first step of time whose code was not used yet. The row of the key has the time of the last one.
pub(in crate::store) fn claim_step(
    tx: &mut dyn Tx,
    key: &AttemptKey,
    steps: &[i64],
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let last = read(tx, key)?.map(|used| step_at(used.not_before));
    let unused = steps.iter().copied().find(|step| is_unused(*step, last));
    if let Some(step) = unused {
        write(tx, key.as_str(), Attempts { count: 0, not_before: time_of(step), last_at: now })?;
    }
    Ok(unused)
}

/// Writes all counts of another database in place of those that are there.
pub(in crate::store) fn take_over(tx: &mut dyn Tx, other: &mut dyn Tx) -> Result<(), StoreError> {
    tx.execute(r#"DELETE FROM "authctl_throttle" WHERE TRUE"#, &[])?;
    other.each(r#"SELECT "key", "count", "notBefore", "lastAt" FROM "authctl_throttle" WHERE TRUE"#, &[], |row| {
        // A key that is not text is of no attempt.
        row.value(0)?.as_text().map_or(Ok(()), |key| write(tx, key, attempts(row, 1)?))
    })
}

/// Deletes a reservation without counting a failure.
pub(in crate::store) fn release(tx: &mut dyn Tx, key: &AttemptKey) -> Result<(), StoreError> {
    key.reservation().map_or(Ok(()), |reservation| delete(tx, &reservation).map(drop))
}

/// Deletes the failures for a key and its reservation, or all reservations if the key has none. Returns
/// whether a row was deleted.
pub(in crate::store) fn clear(tx: &mut dyn Tx, key: &AttemptKey) -> Result<bool, StoreError> {
    let (sql, values) = clearing(key);
    Ok(tx.execute(sql, &values)? > 0)
}

/// As [`clear`], for an act that needs no answer.
pub(in crate::store) fn clear_later(tx: &mut dyn Tx, key: &AttemptKey) -> Result<(), StoreError> {
    let (sql, values) = clearing(key);
    tx.execute_later(sql, &values)
}

fn clearing(key: &AttemptKey) -> (&'static str, Vec<Value>) {
    let attempts = Value::from(key.as_str());
    if let Some(reservation) = key.reservation() {
        return (r#"DELETE FROM "authctl_throttle" WHERE "key" IN (?1, ?2)"#, vec![attempts, reservation.into()]);
    }
    let [first, end] = key.reservations().map(Value::from);
    (r#"DELETE FROM "authctl_throttle" WHERE "key" = ?1 OR "key" >= ?2 AND "key" < ?3"#, vec![attempts, first, end])
}

pub(in crate::store) fn read(tx: &mut dyn Tx, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
    read_row(tx, key.as_str())
}

fn read_row(tx: &mut dyn Tx, key: &str) -> Result<Option<Attempts>, StoreError> {
    let sql = r#"SELECT "count", "notBefore", "lastAt" FROM "authctl_throttle" WHERE "key" = ?1"#;
    tx.query_one(sql, &[key.into()], |row| attempts(row, 0))
}

/// Reads a count from three columns of a row, from `first` on. A count that makes no sense is read as the highest one, so
/// that it never allows free guesses.
fn attempts(row: &Row<'_>, first: usize) -> Result<Attempts, StoreError> {
    Ok(Attempts {
        count: u32::try_from(row.integer(first)?).unwrap_or(u32::MAX),
        not_before: instant(row.value(first + 1)?),
        last_at: instant(row.value(first + 2)?),
    })
}

fn instant(value: ValueRef<'_>) -> Timestamp {
    OWN_TIME.read(value).unwrap_or(Timestamp::MAX)
}

/// The reservations for a key with their instants, oldest first.
fn undecided(tx: &mut dyn Tx, key: &AttemptKey) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let (sql, values) = of_reservations(key);
    tx.query_all(&sql, &values, |row| Ok((row.text(0)?, instant(row.value(1)?))))
}

/// The query by which [`undecided`] finds them.
fn of_reservations(key: &AttemptKey) -> Query {
    let sql = r#"SELECT "key", "lastAt" FROM "authctl_throttle" WHERE "key" >= ?1 AND "key" < ?2 ORDER BY "lastAt""#;
    (sql.to_owned(), key.reservations().map(Value::from).to_vec())
}

fn write(tx: &mut dyn Tx, key: &str, attempts: Attempts) -> Result<(), StoreError> {
    tx.execute_later(
        r#"INSERT INTO "authctl_throttle" ("key", "count", "notBefore", "lastAt") VALUES (?1, ?2, ?3, ?4)
           ON CONFLICT ("key") DO UPDATE SET "count" = ?2, "notBefore" = ?3, "lastAt" = ?4"#,
        &[key.into(), attempts.count.into(), OWN_TIME.write(attempts.not_before), OWN_TIME.write(attempts.last_at)],
    )
}

fn delete(tx: &mut dyn Tx, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(r#"DELETE FROM "authctl_throttle" WHERE "key" = ?1"#, &[key.into()])? > 0)
}
