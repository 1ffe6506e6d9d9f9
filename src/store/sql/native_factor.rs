//! Second factors of native databases. Rows are compared and swapped: a row that changed since it was read makes the
//! transaction run again, so that no code is accepted twice.

use jiff::Timestamp;

use super::{SqlStore, accounts, app_factor, audit, rows, sessions, throttle, users};
use crate::auth::AuthError;
use crate::auth::audit::{Event, counted};
use crate::auth::second_factor::SealedSecret;
use crate::auth::session::Session;
use crate::auth::storage::{
    AppFactor, FactorAct, FactorStore, FactorUse, ImportedFactor, NewFactor, OtpKind, Reseal, RightOtp, StoreError,
    StoredFactor, Which,
};
use crate::auth::throttle::AttemptKey;
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Row, Tx, Value};
use crate::store::mapping::SchemaMapping;

/// The table, which only a native database has.
pub(super) const TABLE: &str = "authctl_twoFactor";

impl FactorStore for SqlStore {
    fn factor(&mut self, user_id: &str) -> Result<Option<StoredFactor>, StoreError> {
        self.read(|tx, mapping| find(tx, mapping, user_id))
    }

    fn app_factor(&mut self, user_id: &str) -> Result<Option<AppFactor>, StoreError> {
        self.read(|tx, mapping| app_factor::find(tx, mapping, user_id))
    }

    fn has_app_factors(&mut self) -> Result<bool, StoreError> {
        self.read(app_factor::has_table)
    }

    fn sample_of_app_codes(&mut self) -> Result<Vec<String>, StoreError> {
        self.read(app_factor::sample_of_codes)
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

    fn factor_key_names(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|tx, mapping| {
            if mapping.is_guest() {
                return Ok(Vec::new());
            }
            // A name has 16 characters.
            let sql = r#"SELECT substr("secret", 1, 16), count(*) FROM "authctl_twoFactor" GROUP BY 1 ORDER BY 1"#;
            tx.query_all(sql, &[], |row| Ok((row.text(0)?, u64::try_from(row.integer(1)?).unwrap_or_default())))
        })
    }

    fn reseal_factors(&mut self, key: &str, reseal: &mut Reseal<'_>) -> Result<Result<u64, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            if mapping.is_guest() {
                return Ok(Ok(0));
            }
            let done = resealed(tx, key, reseal)?;
            if let Ok(count) = &done
                && *count > 0
            {
                log.push(Event::new("second-factor.key-changed").with(counted(*count, "secret")));
            }
            Ok(done)
        })
    }

    fn claim_step(&mut self, user_id: &str, steps: &[i64], now: Timestamp) -> Result<Option<i64>, StoreError> {
        let key = AttemptKey::step_of(user_id);
        self.state_tx(|tx, _, _| throttle::claim_step(tx, &key, steps, now))
    }

    fn fail_factor(&mut self, user_id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write_tx(|tx, mapping, log| {
            let is_locked = if mapping.is_guest() {
                app_factor::fail(tx, mapping, user_id, now)?
            } else {
                let Some(before) = find(tx, mapping, user_id)? else { return Ok(()) };
                let after = before.after_failure(now);
                swap(tx, mapping, &before, &after)?;
                after.is_locked(now) && !before.is_locked(now)
            };
            if is_locked {
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
    if !accounts::is_hash_in_force(tx, mapping, new.user_id, new.verified)? {
        return Ok(Err(AuthError::ChangedMeanwhile));
    }
    if mapping.is_guest() {
        return app_factor::begin(tx, mapping, log, new);
    }
    if find(tx, mapping, new.user_id)?.is_some_and(|factor| factor.is_confirmed) {
        return Ok(Err(AuthError::FactorIsOn));
    }
    remove(tx, new.user_id)?;
    insert(tx, mapping, (&new.id, new.user_id, new.secret), false)?;
    log.push(Event::user("second-factor.begun", audit::subject(tx, mapping, new.user_id)?));
    Ok(Ok(()))
}

/// Adds a factor that another system has confirmed.
pub(super) fn import(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user_id: &str,
    factor: &ImportedFactor,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, mapping, (&factor.id, user_id, &factor.secret), true)?;
    set_flag(tx, mapping, user_id, true, now)?;
    log.push(Event::user("second-factor.imported", audit::subject(tx, mapping, user_id)?));
    Ok(())
}

/// Adds the row of a factor without recovery codes: its id, its user and its secret.
fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    (id, user_id, secret): (&str, &str, &SealedSecret),
    is_confirmed: bool,
) -> Result<(), StoreError> {
    let is_confirmed = mapping.truth(TABLE, "verified", is_confirmed, Timestamp::UNIX_EPOCH);
    let sql = r#"INSERT INTO "authctl_twoFactor"
                 ("id", "secret", "backupCodes", "userId", "verified", "failedVerificationCount")
                 VALUES (?1, ?2, '', ?3, ?4, 0)"#;
    tx.execute(sql, &[id.into(), secret.0.as_str().into(), user_id.into(), is_confirmed])?;
    Ok(())
}

/// How many secrets are read at once.
const PAGE: u32 = 1_000;

/// Encrypts the secrets again that have another key than the one of this name.
fn resealed(tx: &mut dyn Tx, key: &str, reseal: &mut Reseal<'_>) -> Result<Result<u64, AuthError>, StoreError> {
    let (mut count, mut last) = (0, String::new());
    loop {
        let sql = r#"SELECT "id", "userId", "secret" FROM "authctl_twoFactor" WHERE "id" > ?1 ORDER BY "id" LIMIT ?2"#;
        let page = tx.query_all(sql, &[last.as_str().into(), PAGE.into()], |row| {
            Ok((row.text(0)?, row.text(1)?, SealedSecret(row.text(2)?)))
        })?;
        for (id, user_id, before) in page.iter().filter(|(_, _, before)| before.key_name() != key) {
            let after = match reseal(user_id, before) {
                Ok(after) => after,
                Err(error) => return Ok(Err(error)),
            };
            let sql = r#"UPDATE "authctl_twoFactor" SET "secret" = ?2 WHERE "id" = ?1"#;
            count += tx.execute(sql, &[id.as_str().into(), after.0.as_str().into()])?;
        }
        match page.into_iter().next_back() {
            Some((id, _, _)) => last = id,
            None => return Ok(Ok(count)),
        }
    }
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
    if mapping.is_guest() {
        return app_factor::is_proved(tx, mapping, log, user, code, now);
    }
    let before = find(tx, mapping, &user.id)?.filter(|factor| factor.is_confirmed);
    let Some((before, after)) = before.and_then(|before| before.after(code, now).map(|after| (before, after))) else {
        return Ok(false);
    };
    swap(tx, mapping, &before, &after)?;
    log.extend(recovery_event(user, code, Some(&after)));
    Ok(true)
}

/// The entry about a recovery code that was used.
pub(super) fn recovery_event(user: &User, code: &RightOtp, after: Option<&StoredFactor>) -> Option<Event> {
    let event = || {
        let event = Event::user("second-factor.recovery-code-used", user);
        match after {
            Some(after) => event.with(format!("{} left", counted(after.recovery.len() as u64, "recovery code"))),
            None => event,
        }
    };
    matches!(code.kind, OtpKind::Recovery(_) | OtpKind::AppCode { .. }).then(event)
}

fn act(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &FactorUse<'_>,
) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
    let FactorUse { user_id, code, now, .. } = *request;
    if let Some((hash, _)) = request.verified
        && !accounts::is_hash_in_force(tx, mapping, user_id, hash)?
    {
        return Ok(Err(AuthError::ChangedMeanwhile));
    }
    if mapping.is_guest() {
        return app_factor::act(tx, mapping, log, request);
    }
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(user_id.to_owned())));
    };
    let is_meant = |factor: &StoredFactor| factor.is_confirmed == request.act.needs_confirmed();
    let before = find(tx, mapping, user_id)?.filter(is_meant);
    let Some((before, after)) = before.and_then(|before| before.after(code, now).map(|after| (before, after))) else {
        return Ok(Err(AuthError::InvalidOtp));
    };
    log.extend(recovery_event(&user, code, Some(&after)));
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
            turn(tx, mapping, log, (&user, true), end, now).map(Ok)
        }
        FactorAct::Remove { end } => {
            swap(tx, mapping, &before, &after)?;
            remove(tx, user_id)?;
            turn(tx, mapping, log, (&user, false), end, now).map(Ok)
        }
    }
}

pub(super) fn set_flag(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    is_on: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut values = vec![("twoFactorEnabled", mapping.truth("user", "twoFactorEnabled", is_on, now))];
    values.extend(rows::update_time(tx, mapping, "user", now)?.map(|now| ("updatedAt", now)));
    rows::update(tx, mapping, "user", user_id, values, rows::Spelling::Exact)
}

/// Marks a user as having a second factor or not, and ends sessions that began before. The row of the factor is written
/// already.
pub(super) fn turn(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    (user, is_on): (&User, bool),
    end: &Which,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    set_flag(tx, mapping, &user.id, is_on, now)?;
    log.push(Event::user(if is_on { "second-factor.enabled" } else { "second-factor.disabled" }, user));
    let ended = sessions::end(tx, mapping, &user.id, Some(end), now)?;
    log.extend(ended.iter().map(|session| audit::ended_of(&user.into(), session)));
    Ok(ended)
}
