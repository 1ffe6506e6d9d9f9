//! Second factors of native databases. Rows are compared and swapped: a row that changed since it was read makes the
//! transaction run again, so that no code is accepted twice.

use jiff::Timestamp;

use super::{SqlStore, audit, rows, sessions, users};
use crate::auth::AuthError;
use crate::auth::audit::{Event, counted};
use crate::auth::second_factor::SealedSecret;
use crate::auth::session::Session;
use crate::auth::storage::{
    FactorAct, FactorStore, FactorUse, NewFactor, OtpKind, RightOtp, StoreError, StoredFactor, Which,
};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Row, Tx, Value};
use crate::store::mapping::SchemaMapping;

/// The table, which only a native database has.
pub(super) const TABLE: &str = "authctl_twoFactor";

impl FactorStore for SqlStore {
    fn factor(&mut self, user_id: &str) -> Result<Option<StoredFactor>, StoreError> {
        self.read(|tx, mapping| find(tx, mapping, user_id))
    }

    fn begin_factor(&mut self, new: &NewFactor<'_>) -> Result<Result<(), AuthError>, StoreError> {
        self.write_tx_and_clear(
            |tx, mapping, log| begin(tx, mapping, log, new),
            |begun| begun.is_ok().then_some(new.attempts),
        )
    }

    fn use_factor(&mut self, request: &FactorUse<'_>) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
        self.write_tx_and_clear(
            |tx, mapping, log| act(tx, mapping, log, request),
            |used| request.verified.filter(|_| used.is_ok()).map(|(_, attempts)| attempts),
        )
    }

    fn fail_factor(&mut self, user_id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write_tx(|tx, mapping, log| {
            let Some(before) = find(tx, mapping, user_id)? else { return Ok(()) };
            let after = before.after_failure(now);
            swap(tx, mapping, &before, &after)?;
            if after.is_locked(now) && !before.is_locked(now) {
                log.push(Event::user("second-factor.locked", audit::subject(tx, mapping, user_id)?));
            }
            Ok(())
        })
    }
}

/// Finds the factor of a user. An app checks those of its database itself.
pub(super) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<StoredFactor>, StoreError> {
    if mapping.is_guest() {
        return Ok(None);
    }
    let sql = r#"SELECT "id", "secret", "backupCodes", "verified", "failedVerificationCount", "lockedUntil", "lastStep"
                 FROM "authctl_twoFactor" WHERE "userId" = ?1"#;
    tx.query_one(sql, &[user_id.into()], |row| stored(row, mapping))
}

/// Reads a row. A count that makes no sense is read as the highest one, and a lock as one without end.
fn stored(row: &Row<'_>, mapping: &SchemaMapping) -> Result<StoredFactor, StoreError> {
    let lock = row.value(5)?;
    let locked_until = mapping.read_time(TABLE, "lockedUntil", lock);
    Ok(StoredFactor {
        id: row.text(0)?,
        secret: SealedSecret(row.text(1)?),
        recovery: row.text(2)?.lines().map(str::to_owned).collect(),
        is_confirmed: row.truth(3)?,
        failures: u32::try_from(row.integer(4)?).unwrap_or(u32::MAX),
        locked_until: locked_until.or_else(|| (lock.to_value() != Value::Null).then_some(Timestamp::MAX)),
        last_step: if row.value(6)?.to_value() == Value::Null { None } else { Some(row.integer(6)?) },
    })
}

/// Changes a row that is still as it was read.
///
/// # Errors
/// [`StoreError::Conflict`] if it is not. The transaction then runs again.
fn swap(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    before: &StoredFactor,
    after: &StoredFactor,
) -> Result<(), StoreError> {
    let sql = r#"UPDATE "authctl_twoFactor" SET "backupCodes" = ?2, "verified" = ?3, "failedVerificationCount" = ?4,
                 "lockedUntil" = ?5, "lastStep" = ?6
                 WHERE "id" = ?1 AND "secret" = ?7 AND "backupCodes" = ?8 AND "failedVerificationCount" = ?9
                 AND "lastStep" IS NOT DISTINCT FROM ?10"#;
    let step = |factor: &StoredFactor| factor.last_step.map_or(Value::Null, Value::Integer);
    let changed = tx.execute(
        sql,
        &[
            before.id.as_str().into(),
            joined(&after.recovery).into(),
            mapping.truth(TABLE, "verified", after.is_confirmed, Timestamp::UNIX_EPOCH),
            after.failures.into(),
            after.locked_until.map_or(Value::Null, |until| mapping.time(TABLE, "lockedUntil", until)),
            step(after),
            before.secret.0.as_str().into(),
            joined(&before.recovery).into(),
            before.failures.into(),
            step(before),
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Recovery codes as stored: a line for each digest.
fn joined(recovery: &[String]) -> String {
    recovery.join("\n")
}

fn begin(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewFactor<'_>,
) -> Result<Result<(), AuthError>, StoreError> {
    if !users::is_hash_in_force(tx, mapping, new.user_id, new.verified)? {
        return Ok(Err(AuthError::ChangedMeanwhile));
    }
    if find(tx, mapping, new.user_id)?.is_some_and(|factor| factor.is_confirmed) {
        return Ok(Err(AuthError::FactorIsOn));
    }
    remove(tx, new.user_id)?;
    let no = mapping.truth(TABLE, "verified", false, Timestamp::UNIX_EPOCH);
    let sql = r#"INSERT INTO "authctl_twoFactor"
                 ("id", "secret", "backupCodes", "userId", "verified", "failedVerificationCount")
                 VALUES (?1, ?2, '', ?3, ?4, 0)"#;
    tx.execute(sql, &[new.id.as_str().into(), new.secret.0.as_str().into(), new.user_id.into(), no])?;
    log.push(Event::user("second-factor.begun", audit::subject(tx, mapping, new.user_id)?));
    Ok(Ok(()))
}

fn remove(tx: &mut dyn Tx, user_id: &str) -> Result<u64, StoreError> {
    tx.delete(r#"DELETE FROM "authctl_twoFactor" WHERE "userId" = ?1"#, &[user_id.into()])
}

/// Uses the code of a user's second factor up. Returns `false`, with nothing changed, if the user has a factor and gave no
/// code that is to be accepted.
pub(super) fn is_proved(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user: &User,
    code: Option<&RightOtp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(code) = code else { return Ok(mapping.is_guest() || !user.two_factor_enabled) };
    let before = find(tx, mapping, &user.id)?.filter(|factor| factor.is_confirmed);
    let Some((before, after)) = before.and_then(|before| before.after(code, now).map(|after| (before, after))) else {
        return Ok(false);
    };
    swap(tx, mapping, &before, &after)?;
    log.extend(recovery_event(user, code, &after));
    Ok(true)
}

/// The entry about a recovery code that was used.
fn recovery_event(user: &User, code: &RightOtp, after: &StoredFactor) -> Option<Event> {
    let event = || {
        let left = counted(after.recovery.len() as u64, "recovery code");
        Event::user("second-factor.recovery-code-used", user).with(format!("{left} left"))
    };
    matches!(code.kind, OtpKind::Recovery(_)).then(event)
}

fn act(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &FactorUse<'_>,
) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
    let FactorUse { user_id, code, now, .. } = *request;
    if let Some((hash, _)) = request.verified
        && !users::is_hash_in_force(tx, mapping, user_id, hash)?
    {
        return Ok(Err(AuthError::ChangedMeanwhile));
    }
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(user_id.to_owned())));
    };
    let is_meant = |factor: &StoredFactor| factor.is_confirmed == request.act.needs_confirmed();
    let before = find(tx, mapping, user_id)?.filter(is_meant);
    let Some((before, after)) = before.and_then(|before| before.after(code, now).map(|after| (before, after))) else {
        return Ok(Err(AuthError::InvalidOtp));
    };
    log.extend(recovery_event(&user, code, &after));
    match &request.act {
        FactorAct::Check => {
            swap(tx, mapping, &before, &after)?;
            Ok(Ok(Vec::new()))
        }
        FactorAct::NewRecoveryCodes(recovery) => {
            swap(tx, mapping, &before, &StoredFactor { recovery: recovery.to_vec(), ..after })?;
            log.push(Event::user("second-factor.recovery-codes-made", &user));
            Ok(Ok(Vec::new()))
        }
        FactorAct::Confirm { recovery, end } => {
            swap(tx, mapping, &before, &StoredFactor { recovery: recovery.to_vec(), is_confirmed: true, ..after })?;
            set_flag(tx, mapping, user_id, true, now)?;
            log.push(Event::user("second-factor.enabled", &user));
            end_sessions(tx, mapping, log, &user, end, now).map(Ok)
        }
        FactorAct::Remove { end } => {
            swap(tx, mapping, &before, &after)?;
            remove(tx, user_id)?;
            set_flag(tx, mapping, user_id, false, now)?;
            log.push(Event::user("second-factor.disabled", &user));
            end_sessions(tx, mapping, log, &user, end, now).map(Ok)
        }
    }
}

fn set_flag(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    is_on: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = vec![
        ("twoFactorEnabled", mapping.truth("user", "twoFactorEnabled", is_on, now)),
        ("updatedAt", mapping.time("user", "updatedAt", now)),
    ];
    rows::update(tx, mapping, "user", user_id, values, rows::Spelling::Exact)
}

fn end_sessions(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user: &User,
    end: &Which,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let ended = sessions::end(tx, mapping, &user.id, Some(end), now)?;
    log.extend(ended.iter().map(|session| audit::ended_of(&user.into(), session)));
    Ok(ended)
}
