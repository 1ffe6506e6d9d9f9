//! Second factors in an app's database: their rows, their lock and the flag of the user.

use jiff::Timestamp;

use super::access::pending_of;
use super::audit::{ended_of, subject};
use super::inventory::Inventory;
use super::plugins::{instant, quoted, quoted_to_write};
use super::rows::RowKey;
use super::{native_factor, rows, sessions, users};
use crate::auth::access::AccessKind;
use crate::auth::audit::{Event, counted};
use crate::auth::second_factor::{FactorReset, FactorRows};
use crate::auth::storage::{StoreError, Which};
use crate::auth::user::{User, UserRef};
use crate::store::engine::Tx;
use crate::store::mapping::{SchemaMapping, identifier, spells_false};

/// Reads the rows of a user; `None` if the database has no table of second factors.
pub(super) fn factor_rows(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<FactorRows>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(found) = inventory.plugin("twoFactor") else { return Ok(None) };
    let Some(owner) = quoted(found, "userId") else { return Ok(None) };
    let column = |name| quoted(found, name).unwrap_or_else(|| "NULL".to_owned());
    // The app takes every value but false for verified, and older versions have no column.
    let sql = format!(
        "SELECT NOT {is_unverified}, {locked} FROM {table} WHERE {owner} = ?1",
        is_unverified = spells_false(&column("verified"), tx.dialect()),
        locked = column("lockedUntil"),
        table = identifier(&found.table),
    );
    let mut factor = FactorRows::default();
    tx.each(&sql, &[mapping.key("user", user_id)], |row| {
        factor.rows += 1;
        if factor.rows == 1 {
            factor.is_verified = row.truth(0)?;
            factor.locked_until = instant(row.value(1)?, found.time_encoding("lockedUntil", &mapping.times));
        }
        Ok(())
    })?;
    Ok(Some(factor))
}

/// The statement parts that clear a lock: the table, the changes, and the condition for a locked row of the user `?1`.
fn lock(inventory: &Inventory) -> Option<(String, String, String)> {
    let found = inventory.plugin("twoFactor")?;
    let owner = quoted(found, "userId")?;
    let failures = quoted_to_write(found, "failedVerificationCount");
    let locked = quoted_to_write(found, "lockedUntil");
    let changes = [
        failures.as_ref().map(|column| format!("{column} = 0")),
        locked.as_ref().map(|column| format!("{column} = NULL")),
    ];
    let set = [failures.map(|column| format!("{column} > 0")), locked.map(|column| format!("{column} IS NOT NULL"))];
    let [changes, set] =
        [(changes, ", "), (set, " OR ")].map(|(parts, by)| parts.into_iter().flatten().collect::<Vec<_>>().join(by));
    (!set.is_empty()).then(|| (identifier(&found.table), changes, format!("{owner} = ?1 AND ({set})")))
}

/// Whether the app counts wrong codes of a user, or refuses codes because of them.
pub(super) fn is_locked(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str) -> Result<bool, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some((table, _, condition)) = lock(&inventory) else { return Ok(false) };
    Ok(tx.count(&format!("SELECT count(*) FROM {table} WHERE {condition}"), &[mapping.key("user", user_id)])? > 0)
}

/// Clears the lock of a user's second factor and its count of wrong codes. Returns the number of changed rows.
pub(super) fn unlock(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user_id: &str,
) -> Result<u64, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some((table, changes, condition)) = lock(&inventory) else { return Ok(0) };
    let cleared = tx.update_until_none(&table, &changes, &condition, &[mapping.key("user", user_id)], &[])?;
    if cleared > 0 {
        log.push(Event::user("second-factor.unlocked", subject(tx, mapping, user_id)?));
    }
    Ok(cleared)
}

/// What a reset removes, and the rows of `verification` among it.
fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user: &User,
    now: Timestamp,
) -> Result<(FactorReset, Vec<RowKey>), StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let mut reset = FactorReset { was_on: user.two_factor_enabled, ..FactorReset::default() };
    reset.rows = factor_rows(tx, mapping, &user.id)?.map_or(0, |factor| factor.rows);
    let mut rows = Vec::new();
    for row in pending_of(tx, mapping, &inventory, user, now)? {
        match row.kind {
            AccessKind::TrustedDevice => reset.trusted_devices += u64::from(!row.is_over),
            AccessKind::Challenge => reset.pending_sign_ins += u64::from(!row.is_over),
            _ if row.hides_kind => {}
            _ => continue,
        }
        rows.push(row.key);
    }
    let sessions = sessions::of_user(tx, mapping, &user.id)?;
    reset.sessions = sessions.iter().filter(|session| session.is_live(now)).count() as u64;
    Ok((reset, rows))
}

/// Counts what [`reset`] removes; `None` if the user does not exist.
pub(super) fn to_reset(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    now: Timestamp,
) -> Result<Option<FactorReset>, StoreError> {
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else { return Ok(None) };
    Ok(Some(find(tx, mapping, &user, now)?.0))
}

/// Removes a user's second factor. The app lets the user sign in with the password alone and set up another.
pub(super) fn reset(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user_id: &str,
    now: Timestamp,
) -> Result<Option<FactorReset>, StoreError> {
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else { return Ok(None) };
    let (reset, pending) = find(tx, mapping, &user, now)?;
    if reset.is_empty() {
        return Ok(Some(reset));
    }
    let inventory = Inventory::read(tx, mapping)?;
    if let Some(found) = inventory.plugin("twoFactor")
        && let Some(owner) = quoted(found, "userId")
    {
        let sql = format!("DELETE FROM {} WHERE {owner} = ?1", identifier(&found.table));
        tx.delete(&sql, &[mapping.key("user", user_id)])?;
    }
    // One half alone locks the user out, or refuses another factor.
    if reset.was_on {
        native_factor::set_flag(tx, mapping, user_id, false, now)?;
    }
    rows::delete_rows(tx, mapping, "verification", &pending)?;
    let detail = [
        (reset.trusted_devices, AccessKind::TrustedDevice.noun()),
        (reset.pending_sign_ins, AccessKind::Challenge.noun()),
    ];
    let detail: Vec<String> =
        detail.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect();
    let event = Event::user("second-factor.reset", &user);
    log.push(if detail.is_empty() { event } else { event.with(detail.join(", ")) });
    let ended = sessions::end(tx, mapping, user_id, Some(&Which::All), now)?;
    log.extend(ended.iter().map(|session| ended_of(&(&user).into(), session)));
    Ok(Some(reset))
}
