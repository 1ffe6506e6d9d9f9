//! Second factors of apps, read and written as the app does. Rows are compared and swapped: a row that changed since it was
//! read makes the transaction run again.

use jiff::Timestamp;

use super::inventory::Inventory;
use super::native_factor::{recovery_event, turn};
use super::plugins::{instant, quoted, quoted_to_write, time_encoding, truth_encoding};
use super::{audit, constraints, users};
use crate::auth::AuthError;
use crate::auth::audit::Event;
use crate::auth::session::Session;
use crate::auth::storage::{AppFactor, FactorAct, FactorUse, NewFactor, OtpKind, RightOtp, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Tx, Value, ignored, insertion};
use crate::store::mapping::{FoundPlugin, IdStrategy, SchemaMapping, identifier, spells_false};

/// How many stored backup codes show their form.
const SAMPLE: usize = 20;

/// The table of second factors, with its columns as SQL spells them.
struct Factors<'i> {
    found: &'i FoundPlugin,
    table: String,
    owner: String,
    secret: String,
    codes: String,
    verified: Option<String>,
    failures: Option<String>,
    locked: Option<String>,
}

impl<'i> Factors<'i> {
    /// `None` if the database has no table of second factors.
    fn of(inventory: &'i Inventory) -> Option<Self> {
        let found = inventory.plugin("twoFactor")?;
        Some(Self {
            found,
            table: identifier(&found.table),
            owner: quoted(found, "userId")?,
            secret: quoted(found, "secret")?,
            codes: quoted(found, "backupCodes")?,
            verified: quoted_to_write(found, "verified"),
            failures: quoted_to_write(found, "failedVerificationCount"),
            locked: quoted_to_write(found, "lockedUntil"),
        })
    }

    /// The first row of a user, as the app reads it.
    fn find(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str) -> Result<Option<AppFactor>, StoreError> {
        let column = |name| quoted(self.found, name).unwrap_or_else(|| "NULL".to_owned());
        let sql = format!(
            "SELECT {secret}, {codes}, NOT {is_unverified}, {failures}, {locked} FROM {table} WHERE {owner} = ?1",
            secret = self.secret,
            codes = self.codes,
            is_unverified = spells_false(&column("verified"), tx.dialect()),
            failures = column("failedVerificationCount"),
            locked = column("lockedUntil"),
            table = self.table,
            owner = self.owner,
        );
        tx.query_one(&sql, &[mapping.key("user", user_id)], |row| {
            let failures = row.value(3)?.to_value();
            Ok(AppFactor {
                secret: row.text(0)?,
                codes: row.text(1)?,
                is_confirmed: row.truth(2)?,
                failures: match failures {
                    Value::Integer(count) => u32::try_from(count).unwrap_or(u32::MAX),
                    _ => 0,
                },
                locked_until: instant(row.value(4)?, self.found.time_encoding("lockedUntil", &mapping.times)),
            })
        })
    }

    /// Changes the row that is still as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not. The transaction then runs again.
    fn swap(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        user_id: &str,
        before: &AppFactor,
        after: &AppFactor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut changes: Vec<(&str, Value)> = vec![(&self.secret, after.secret.as_str().into())];
        changes.push((&self.codes, after.codes.as_str().into()));
        if let Some(failures) = self.failures.as_deref().filter(|_| before.failures != after.failures) {
            changes.push((failures, after.failures.into()));
        }
        if let Some(locked) = self.locked.as_deref().filter(|_| before.locked_until != after.locked_until) {
            let value = match after.locked_until {
                Some(until) => time_encoding(tx, mapping, &self.table, &[locked])?.write(until),
                None => Value::Null,
            };
            changes.push((locked, value));
        }
        if let Some(verified) = self.verified.as_deref().filter(|_| before.is_confirmed != after.is_confirmed) {
            let truth = truth_encoding(tx, &self.table, verified)?.write(after.is_confirmed, now);
            changes.push((verified, truth));
        }
        let set: Vec<String> = (4..).zip(&changes).map(|(place, (column, _))| format!("{column} = ?{place}")).collect();
        let mut values =
            vec![mapping.key("user", user_id), before.secret.as_str().into(), before.codes.as_str().into()];
        values.extend(changes.into_iter().map(|(_, value)| value));
        let Self { table, owner, secret, codes, .. } = self;
        let condition = format!("{owner} = ?1 AND {secret} = ?2 AND {codes} = ?3");
        let sql = format!("UPDATE {table} SET {} WHERE {condition}", set.join(", "));
        let rows = tx.change(&sql, &values)?;
        let is_now = self.find(tx, mapping, user_id)?;
        match is_now {
            Some(is_now) if rows > 0 && is_now == *after => Ok(()),
            Some(_) if rows > 0 => Err(ignored("undoes the change")),
            _ => Err(StoreError::Conflict),
        }
    }

    fn insert(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, new: &NewFactor<'_>) -> Result<(), StoreError> {
        let mut row: Vec<(&str, Value)> = Vec::new();
        let (id, strategy) = (quoted_to_write(self.found, "id"), self.ids(mapping));
        if let Some(id) = id.as_deref().filter(|_| !strategy.is_chosen_by_database()) {
            row.push((id, strategy.write(&strategy.make(&new.id))));
        }
        row.push((&self.secret, new.secret.0.as_str().into()));
        row.push((&self.codes, new.recovery.into()));
        row.push((&self.owner, mapping.key("user", new.user_id)));
        if let Some(verified) = &self.verified {
            row.push((verified, truth_encoding(tx, &self.table, verified)?.write(false, new.now)));
        }
        if let Some(failures) = &self.failures {
            row.push((failures, 0_u32.into()));
        }
        let (columns, values): (Vec<&str>, Vec<Value>) = row.into_iter().unzip();
        let sql = insertion(&format!("{} ({})", self.table, columns.join(", ")), values.len(), 1);
        tx.execute(&sql, &values).map_err(|error| constraints::explain(tx, mapping, "twoFactor", error))?;
        if self.find(tx, mapping, new.user_id)?.is_none() {
            return Err(ignored("skips a new row"));
        }
        Ok(())
    }

    /// The ids of the table: those that the type of its column tells, else those of sessions.
    fn ids(&self, mapping: &SchemaMapping) -> IdStrategy {
        let of_sessions = mapping.ids.of("session");
        self.found.kind("id").and_then(|kind| IdStrategy::of_type(kind, of_sessions)).unwrap_or(of_sessions)
    }
}

pub(super) fn find(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str) -> Result<Option<AppFactor>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    Factors::of(&inventory).map_or(Ok(None), |factors| factors.find(tx, mapping, user_id))
}

pub(super) fn has_table(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<bool, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    Ok(mapping.has("user", "twoFactorEnabled") && Factors::of(&inventory).is_some())
}

pub(super) fn sample_of_codes(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(Factors { table, codes, .. }) = Factors::of(&inventory) else { return Ok(Vec::new()) };
    let sql = format!("SELECT {codes} FROM {table} WHERE {codes} IS NOT NULL LIMIT {SAMPLE}");
    tx.query_all(&sql, &[], |row| row.text(0))
}

/// Stores a factor that is to be confirmed, in place of another such one.
pub(super) fn begin(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewFactor<'_>,
) -> Result<Result<(), AuthError>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(factors) = Factors::of(&inventory) else { return Ok(Err(AuthError::FactorOfApp)) };
    let user = users::find(tx, mapping, &UserRef::Id(new.user_id.to_owned()))?;
    let is_asked = user.is_some_and(|user| user.two_factor_enabled);
    match factors.find(tx, mapping, new.user_id)? {
        Some(before) if before.is_confirmed && is_asked => return Ok(Err(AuthError::FactorIsOn)),
        // The app asks for no factor, so that a confirmed one is what a half reset left.
        Some(before) => {
            let after = AppFactor {
                secret: new.secret.0.clone(),
                codes: new.recovery.to_owned(),
                is_confirmed: false,
                failures: 0,
                locked_until: None,
            };
            factors.swap(tx, mapping, new.user_id, &before, &after, new.now)?;
        }
        None => factors.insert(tx, mapping, new)?,
    }
    log.push(Event::user("second-factor.begun", audit::subject(tx, mapping, new.user_id)?));
    Ok(Ok(()))
}

/// Uses a code up, and may change the factor at the same time. Returns `false`, with nothing changed, if the code is not to
/// be accepted.
fn use_up(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user: &User,
    (code, needs_confirmed, now): (&RightOtp, bool, Timestamp),
    changed: impl FnOnce(AppFactor) -> AppFactor,
) -> Result<bool, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(factors) = Factors::of(&inventory) else { return Ok(false) };
    let before = factors.find(tx, mapping, &user.id)?.filter(|before| {
        before.secret == code.factor_id && before.is_confirmed == needs_confirmed && !before.is_locked(now)
    });
    let Some(before) = before else { return Ok(false) };
    let mut after = AppFactor { failures: 0, locked_until: None, ..before.clone() };
    match &code.kind {
        OtpKind::AppSteps(_) => {}
        OtpKind::AppCode { before: read, left } if *read == before.codes => after.codes.clone_from(left),
        _ => return Ok(false),
    }
    log.extend(recovery_event(user, code, None));
    let after = changed(after);
    if after != before {
        factors.swap(tx, mapping, &user.id, &before, &after, now)?;
    }
    Ok(true)
}

/// As [`super::native_factor::is_proved`].
pub(super) fn is_proved(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    user: &User,
    code: &RightOtp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    use_up(tx, mapping, log, user, (code, true, now), |after| after)
}

/// Uses a code up and performs an act with it.
pub(super) fn act(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &FactorUse<'_>,
) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
    let FactorUse { user_id, code, now, .. } = *request;
    let Some(user) = users::find(tx, mapping, &UserRef::Id(user_id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(user_id.to_owned())));
    };
    let changed = |after: AppFactor| match &request.act {
        FactorAct::Check | FactorAct::Remove { .. } => after,
        FactorAct::NewRecoveryCodes(codes) => AppFactor { codes: codes.concat(), ..after },
        FactorAct::Confirm { recovery, .. } => AppFactor { codes: recovery.concat(), is_confirmed: true, ..after },
    };
    if !use_up(tx, mapping, log, &user, (code, request.act.needs_confirmed(), now), changed)? {
        return Ok(Err(AuthError::InvalidOtp));
    }
    match &request.act {
        FactorAct::Check => Ok(Ok(Vec::new())),
        FactorAct::NewRecoveryCodes(_) => {
            log.push(Event::user("second-factor.recovery-codes-made", &user));
            Ok(Ok(Vec::new()))
        }
        FactorAct::Confirm { end, .. } => turn(tx, mapping, log, (&user, true), end, now).map(Ok),
        FactorAct::Remove { end } => {
            let inventory = Inventory::read(tx, mapping)?;
            if let Some(Factors { table, owner, .. }) = Factors::of(&inventory) {
                let sql = format!("DELETE FROM {table} WHERE {owner} = ?1");
                tx.delete(&sql, &[mapping.key("user", user_id)])?;
            }
            turn(tx, mapping, log, (&user, false), end, now).map(Ok)
        }
    }
}

/// Counts a wrong code. Returns whether the factor is locked now.
pub(super) fn fail(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let Some(factors) = Factors::of(&inventory) else { return Ok(false) };
    let Some(before) = factors.find(tx, mapping, user_id)? else { return Ok(false) };
    let (failures, locked_until) = before.after_failure(now);
    let counts = factors.failures.is_some();
    let after = AppFactor {
        failures: if counts { failures } else { before.failures },
        locked_until: if factors.locked.is_some() { locked_until } else { before.locked_until },
        ..before.clone()
    };
    if after != before {
        factors.swap(tx, mapping, user_id, &before, &after, now)?;
    }
    Ok(after.is_locked(now) && !before.is_locked(now))
}
