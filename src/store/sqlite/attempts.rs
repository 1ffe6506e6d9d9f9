//! The count of attempts to sign in.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::Sqlite;
use super::engine_error::Engine as _;
use crate::auth::policy::ThrottleRules;
use crate::auth::store::StoreError;
use crate::auth::throttle::{AttemptKey, Attempts, Decision, decide};
use crate::store::dialect::OWN_TIME;

/// How often attempts of other processes are looked at again that may be about to succeed, and for
/// how long.
const UNDECIDED_POLL: Duration = Duration::from_millis(25);
const UNDECIDED_WAIT: Duration = Duration::from_secs(3);

/// Counts an attempt. While others are undecided, waits until they are done, as with a lock of theirs.
pub(super) fn wait_and_count(
    store: &mut Sqlite,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<Decision, StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        let (decision, undecided) = store.act_aside(|tx, _, _| count(tx, key, now, rules))?;
        if matches!(decision, Decision::Proceed(_)) || !undecided || waited >= store.wait.min(UNDECIDED_WAIT) {
            return Ok(decision);
        }
        std::thread::sleep(UNDECIDED_POLL);
        waited += UNDECIDED_POLL;
    }
}

/// Reads the count, lets the rule decide and writes the new count, all in the caller's transaction.
/// Also tells whether the decision may soon be another, because attempts are still undecided.
fn count(
    tx: &Transaction<'_>,
    key: &AttemptKey,
    now: Timestamp,
    rules: &ThrottleRules,
) -> Result<(Decision, bool), StoreError> {
    let before = read(tx, key)?;
    let decision = decide(before, now, rules);
    if let Decision::Proceed(after) = &decision {
        tx.execute(
            r#"INSERT INTO "authctl_throttle" ("key", "count", "notBefore", "lastAt") VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT ("key") DO UPDATE SET "count" = ?2, "notBefore" = ?3, "lastAt" = ?4"#,
            (key.as_str(), after.count, OWN_TIME.write(after.not_before), OWN_TIME.write(after.last_at)),
        )
        .engine()?;
    }
    Ok((decision, before.is_some_and(|attempts| attempts.are_undecided(now))))
}

/// Reads the count.
pub(super) fn read(connection: &Connection, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
    let row = connection
        .query_row(
            r#"SELECT "count", "notBefore", "lastAt" FROM "authctl_throttle" WHERE "key" = ?1"#,
            [key.as_str()],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Value>(1)?, row.get::<_, Value>(2)?)),
        )
        .optional()
        .engine()?;
    // A count that makes no sense is treated as the highest: it must not let anybody guess freely.
    Ok(row.map(|(count, not_before, last_at)| Attempts {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        not_before: OWN_TIME.read((&not_before).into()).unwrap_or(Timestamp::MAX),
        last_at: OWN_TIME.read((&last_at).into()).unwrap_or(Timestamp::MAX),
    }))
}

/// Forgets the attempts for a key.
pub(super) fn clear(tx: &Transaction<'_>, key: &AttemptKey) -> Result<(), StoreError> {
    tx.execute(r#"DELETE FROM "authctl_throttle" WHERE "key" = ?1"#, [key.as_str()]).engine()?;
    Ok(())
}
