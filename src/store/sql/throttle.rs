//! The counts of attempts: a row for each key, and one for each attempt that is not decided yet.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::auth::policy::ThrottleRules;
use crate::auth::storage::StoreError;
use crate::auth::throttle::{AttemptKey, Attempts, Decision, decide, failed, is_abandoned, remembered};
use crate::store::mapping::OWN_TIME;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::engine_error::Engine as _;

/// How often a process whose turn has not come looks again.
const UNDECIDED_POLL: Duration = Duration::from_millis(50);

/// Reserves an attempt. While others are undecided, waits for a turn as long as for a lock.
#[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
pub(in crate::store) fn reserve(
    store: &mut Sqlite,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<Decision, StoreError> {
    let start = Instant::now();
    let mut waited = Duration::ZERO;
    loop {
        // An attempt is reserved when its turn has come, and not when it began to wait.
        let present = later(now, waited);
        let decision = store.act_aside(|tx, _, _| reserve_now(tx, key, present, rules))?;
        if decision != Decision::Undecided {
            return Ok(decision);
        }
        // Looked at without the lock that the others need to be decided.
        loop {
            if waited >= store.wait {
                return Ok(Decision::Undecided);
            }
            std::thread::sleep(UNDECIDED_POLL);
            waited = start.elapsed();
            let connection = store.aside.as_ref().map_or(&store.connection, |aside| &aside.connection);
            if is_turn(connection, key, later(now, waited), rules)? {
                break;
            }
        }
    }
}

/// Whether an attempt that had to wait for its turn would get another answer now.
fn is_turn(
    connection: &Connection,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<bool, StoreError> {
    let undecided = undecided(connection, key)?;
    let has_abandoned = undecided.iter().any(|(_, at)| is_abandoned(*at, now));
    let running = u32::try_from(undecided.len()).unwrap_or(u32::MAX);
    Ok(has_abandoned || decide(read(connection, key)?, running, now, rules) != Decision::Undecided)
}

fn later(now: Timestamp, waited: Duration) -> Timestamp {
    let waited = SignedDuration::try_from(waited).unwrap_or(SignedDuration::MAX);
    now.saturating_add(waited).unwrap_or(Timestamp::MAX)
}

/// Reads the count, lets the rule decide and reserves the attempt, all in the caller's transaction.
fn reserve_now(
    tx: &Transaction<'_>,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<Decision, StoreError> {
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

/// Counts an attempt that is a failure from the start, in the caller's transaction.
pub(in crate::store) fn count(
    tx: &Transaction<'_>,
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

/// Writes down what is remembered when that is not what the row says: a wait that a wrong clock pushed
/// years ahead is over after the longest wait, and not when the clock gets there.
fn heal(
    tx: &Transaction<'_>,
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
    tx: &Transaction<'_>,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<(), StoreError> {
    let Some(reservation) = key.reservation() else { return Ok(()) };
    // One that is gone has been counted, or was forgiven by an operator.
    let Some(reserved) = read_row(tx, &reservation)? else { return Ok(()) };
    delete(tx, &reservation)?;
    let before = remembered(read(tx, key)?, now.max(reserved.last_at), rules);
    write(tx, key.as_str(), failed(before, reserved.last_at, rules))
}

/// Takes a reservation back: the attempt was none.
pub(in crate::store) fn release(tx: &Transaction<'_>, key: &AttemptKey) -> Result<(), StoreError> {
    key.reservation().map_or(Ok(()), |reservation| delete(tx, &reservation).map(drop))
}

/// Forgets the failures for a key, and the reservation of the attempt that succeeded. Without one, the
/// reservations of all. Tells whether there was anything to forget.
pub(in crate::store) fn clear(tx: &Transaction<'_>, key: &AttemptKey) -> Result<bool, StoreError> {
    let forgotten = delete(tx, key.as_str())?;
    let also = if let Some(reservation) = key.reservation() {
        delete(tx, &reservation)?
    } else {
        let sql = r#"DELETE FROM "authctl_throttle" WHERE "key" >= ?1 AND "key" < ?2"#;
        tx.execute(sql, key.reservations()).engine()? > 0
    };
    Ok(forgotten || also)
}

/// Reads the count.
pub(in crate::store) fn read(connection: &Connection, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
    read_row(connection, key.as_str())
}

fn read_row(connection: &Connection, key: &str) -> Result<Option<Attempts>, StoreError> {
    let row = connection
        .query_row(r#"SELECT "count", "notBefore", "lastAt" FROM "authctl_throttle" WHERE "key" = ?1"#, [key], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Value>(1)?, row.get::<_, Value>(2)?))
        })
        .optional()
        .engine()?;
    // A count that makes no sense is treated as the highest: it must not let anybody guess freely.
    Ok(row.map(|(count, not_before, last_at)| Attempts {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        not_before: instant((&not_before).into()),
        last_at: instant((&last_at).into()),
    }))
}

fn instant(value: ValueRef<'_>) -> Timestamp {
    OWN_TIME.read(value).unwrap_or(Timestamp::MAX)
}

/// The reservations for a key, each with its instant, the oldest first.
fn undecided(connection: &Connection, key: &AttemptKey) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            r#"SELECT "key", "lastAt" FROM "authctl_throttle" WHERE "key" >= ?1 AND "key" < ?2 ORDER BY "lastAt""#,
        )
        .engine()?;
    let found = statement.query_map(key.reservations(), |row| Ok((row.get(0)?, instant(row.get_ref(1)?)))).engine()?;
    found.collect::<rusqlite::Result<_>>().engine()
}

fn write(tx: &Transaction<'_>, key: &str, attempts: Attempts) -> Result<(), StoreError> {
    tx.execute(
        r#"INSERT INTO "authctl_throttle" ("key", "count", "notBefore", "lastAt") VALUES (?1, ?2, ?3, ?4)
           ON CONFLICT ("key") DO UPDATE SET "count" = ?2, "notBefore" = ?3, "lastAt" = ?4"#,
        (key, attempts.count, OWN_TIME.write(attempts.not_before), OWN_TIME.write(attempts.last_at)),
    )
    .engine()?;
    Ok(())
}

fn delete(tx: &Transaction<'_>, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(r#"DELETE FROM "authctl_throttle" WHERE "key" = ?1"#, [key]).engine()? > 0)
}
