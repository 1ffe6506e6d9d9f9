//! Codes, in the `verification` table. `identifier` is the purpose and the digest of the code. `value` has a
//! line each for the user's id, the address and, for a change of address, the new one. In a guest database a
//! code to reset a password is one of the app: with the user's id alone, and in clear or hashed as the app stores
//! it, so that the app and authctl take each other's codes.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::prune::{Part, delete_over_rows};
use super::rows::RowKey;
use super::{accounts, audit, native_factor, rows, sessions, users};
use crate::auth::audit::Event;
use crate::auth::codes::{Purpose, StoredCode, can_end_at};
use crate::auth::email::Email;
use crate::auth::secret::{Code, HASHED_BYTES, digest, hashed_identifier};
use crate::auth::session::{Session, latest};
use crate::auth::storage::{AdminGuard, CodeEffect, CodeProof, CodeUse, NewCodeRow, StoreError};
use crate::auth::user::{User, UserRef};
use crate::auth::{AuthError, Caller};
use crate::store::engine::{Row, Tx, Value, ValueRef};
use crate::store::mapping::{SchemaMapping, TokenStorage};

/// The value of a code. An app stores other values in the same table; a code is never this large.
pub(in crate::store) const VALUE: &str = r#"CASE WHEN octet_length("value") <= 100000 THEN "value" END"#;

/// The identifier of a row; one of Better Auth is never this large.
pub(in crate::store) const IDENTIFIER: &str = r#"CASE WHEN octet_length("identifier") <= 100000 THEN "identifier" END"#;

/// Whether the app makes and uses codes for this purpose too.
fn is_the_apps(mapping: &SchemaMapping, purpose: Purpose) -> bool {
    purpose.is_of_app(mapping.tokens == TokenStorage::Plain)
}

fn identifier(mapping: &SchemaMapping, purpose: Purpose, code: &Code) -> String {
    if is_the_apps(mapping, purpose) {
        format!("{}:{}", purpose.word(), code.expose())
    } else {
        format!("{}:{}", purpose.word(), digest(&*code.canonical()))
    }
}

/// The identifiers that a row of the code may have: an app may hash its own.
fn identifiers(mapping: &SchemaMapping, purpose: Purpose, code: &Code) -> [Value; 2] {
    let plain = identifier(mapping, purpose, code);
    let hashed = if is_the_apps(mapping, purpose) { hashed_identifier(&plain) } else { plain.clone() };
    [plain.into(), hashed.into()]
}

/// How many rows show whether an app hashes identifiers.
const SAMPLE: u32 = 50;

/// Whether the app hashes the identifiers of its rows (`verification.storeIdentifier`), as most of the newest show. An
/// app that does so takes plain ones too.
fn hashes_identifiers(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<bool, StoreError> {
    let order = tx.dialect().order(mapping, "verification");
    let sql = format!(
        r#"SELECT octet_length("identifier"), {IDENTIFIER} FROM "verification" ORDER BY {order} DESC LIMIT {SAMPLE}"#
    );
    let (mut hashed, mut plain) = (0, 0);
    tx.each(&mapping.sql(sql), &[], |row| {
        let text = row.value(1)?.as_text().map(str::to_owned);
        let is_of_app = !is_ours(mapping, text.as_deref());
        let is_hash = row.value(0)? == ValueRef::Integer(HASHED_BYTES.into());
        *(if is_hash { &mut hashed } else { &mut plain }) += u32::from(is_of_app);
        Ok(())
    })?;
    Ok(hashed > plain)
}

fn value(mapping: &SchemaMapping, purpose: Purpose, stored: &StoredCode) -> String {
    if is_the_apps(mapping, purpose) {
        return stored.user_id.clone();
    }
    let new_email = stored.new_email.as_ref().map(|email| format!("\n{email}")).unwrap_or_default();
    format!("{}\n{}{new_email}", stored.user_id, stored.email)
}

pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    purpose: Purpose,
    code: &Code,
) -> Result<Option<StoredCode>, StoreError> {
    rows::require_found_by(mapping, "verification", &["identifier", "value", "expiresAt"])?;
    let sql = format!(r#"SELECT {VALUE}, "expiresAt", "createdAt" FROM "verification" WHERE "identifier" IN (?1, ?2)"#);
    let row = tx.query_one(&mapping.sql(sql), &identifiers(mapping, purpose, code), |row| {
        let time = |index, column| Ok::<_, StoreError>(mapping.read_time("verification", column, row.value(index)?));
        let (expires_at, made_at) = (time(1, "expiresAt")?, time(2, "createdAt")?);
        Ok((row.value(0)?.as_text().map(str::to_owned), expires_at, made_at))
    })?;
    // A row that makes no sense is not a code.
    let Some((Some(value), Some(expires_at), made_at)) = row else { return Ok(None) };
    if is_the_apps(mapping, purpose) {
        let user = users::find(tx, mapping, &UserRef::Id(value))?;
        let new_email = None;
        return Ok(user.map(|User { id: user_id, email, .. }| StoredCode {
            user_id,
            email,
            new_email,
            expires_at,
            made_at,
        }));
    }
    let mut lines = value.split('\n');
    let (Some(user_id), Some(email)) = (lines.next(), lines.next()) else { return Ok(None) };
    let Ok(new_email) = lines.next().map(Email::parse).transpose() else { return Ok(None) };
    let (user_id, email) = (user_id.to_owned(), email.to_owned());
    Ok(Some(StoredCode { user_id, email, new_email, expires_at, made_at: None }))
}

/// Adds a code and deletes those for the same purpose and user.
///
/// # Errors
/// [`StoreError::NotOurs`] for a code with which no password could be set.
pub(in crate::store) fn create(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewCodeRow<'_>,
) -> Result<(), StoreError> {
    if new.purpose == Purpose::ResetPassword {
        accounts::require_credentials(mapping)?;
    }
    delete_all(tx, mapping, new.purpose, &new.stored.user_id)?;
    let time = |column, instant| mapping.time("verification", column, instant);
    let [plain, hashed] = identifiers(mapping, new.purpose, new.code);
    let is_hashed = is_the_apps(mapping, new.purpose) && hashes_identifiers(tx, mapping)?;
    let values = vec![
        ("identifier", if is_hashed { hashed } else { plain }),
        ("value", value(mapping, new.purpose, &new.stored).into()),
        ("expiresAt", time("expiresAt", new.stored.expires_at)),
        ("createdAt", time("createdAt", new.now)),
        ("updatedAt", time("updatedAt", new.now)),
    ];
    rows::insert(tx, mapping, "verification", &new.id, values)?;
    let user = audit::subject(tx, mapping, &new.stored.user_id)?;
    log.push(Event::user("code.created", user).with(new.purpose.word()));
    Ok(())
}

/// Deletes a code and performs its effect, if it is valid and its proof still holds. Address, password and
/// session are checked in the transaction, because they may have changed since they were read. A refusal
/// rolls back what was written.
pub(in crate::store) fn use_up(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &CodeUse<'_>,
) -> Result<Result<(User, Vec<Session>), AuthError>, StoreError> {
    let owner = match owner(tx, mapping, log, request)? {
        Ok(owner) => owner,
        Err(refused) => return Ok(Err(refused)),
    };
    let delete = mapping.sql(r#"DELETE FROM "verification" WHERE "identifier" IN (?1, ?2)"#);
    tx.delete(&delete, &identifiers(mapping, request.purpose, request.code))?;
    log.push(Event::user("code.used", &owner).with(request.purpose.word()));
    Ok(match request.effect {
        CodeEffect::Password(new) => {
            accounts::set_password(tx, mapping, log, new)?.map(|ended| (owner, ended)).ok_or(AuthError::InvalidCode)
        }
        CodeEffect::User(change) => {
            let updated = users::update(tx, mapping, log, &owner.id, change, AdminGuard::Off, request.now)?;
            updated.map(|updated| (updated.user, updated.ended))
        }
    })
}

/// The user of a valid code, unless its proof no longer holds.
fn owner(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &CodeUse<'_>,
) -> Result<Result<User, AuthError>, StoreError> {
    let Some(stored) = find(tx, mapping, request.purpose, request.code)? else {
        return Ok(Err(AuthError::InvalidCode));
    };
    let user = users::find(tx, mapping, &UserRef::Id(stored.user_id.clone()))?;
    let Some(user) = user.filter(|user| stored.counts_for(user, request.now)) else {
        return Ok(Err(AuthError::InvalidCode));
    };
    match request.proof {
        CodeProof::Nothing => return Ok(Ok(user)),
        CodeProof::Password { hash, .. } if !accounts::is_hash_in_force(tx, mapping, &user.id, hash)? => {
            return Ok(Err(AuthError::PasswordOfAnother));
        }
        CodeProof::Password { code, .. } => {
            if !native_factor::is_proved(tx, mapping, log, &user, code, request.now)? {
                return Ok(Err(AuthError::InvalidOtp));
            }
        }
        CodeProof::Session(id) => {
            let caller =
                Caller { user_id: user.id.clone(), session_id: id.to_owned(), impersonated_by: None, now: request.now };
            return Ok(sessions::check_caller(tx, mapping, &caller)?.map(|()| user));
        }
    }
    Ok(user.require_not_banned(request.now).map(|()| user))
}

/// Deletes everything that is pending for a user of a native database: authctl's codes, and rows that name this user
/// alone, as Better Auth writes them. Returns their number.
pub(in crate::store) fn delete_of_user(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<u64, StoreError> {
    tx.delete(
        &mapping.sql(format!(r#"DELETE FROM "verification" WHERE {VALUE} = ?1 OR substr({VALUE}, 1, ?2) = ?3"#)),
        &[
            user_id.into(),
            i64::try_from(user_id.chars().count() + 1).unwrap_or(i64::MAX).into(),
            format!("{user_id}\n").into(),
        ],
    )
}

/// Deletes all codes for a purpose and user.
pub(in crate::store) fn delete_all(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    purpose: Purpose,
    user_id: &str,
) -> Result<(), StoreError> {
    let named = (tx.dialect().bytewise)(r#""identifier""#);
    tx.delete(
        &mapping.sql(format!(
            r#"DELETE FROM "verification" WHERE {named} >= ?1 AND {named} < ?2
               AND ({VALUE} = ?3 OR substr({VALUE}, 1, ?4) = ?5)"#
        )),
        &[
            format!("{}:", purpose.word()).into(),
            // The character after the colon ends the range of all identifiers of the purpose.
            format!("{};", purpose.word()).into(),
            user_id.into(),
            i64::try_from(user_id.chars().count() + 1).unwrap_or(i64::MAX).into(),
            format!("{user_id}\n").into(),
        ],
    )?;
    Ok(())
}

/// Deletes the codes that reset a user's password. An app that hashes identifiers does not show which rows of the user
/// they are, so its other rows go too: they delete the account, or spare the second factor.
pub(in crate::store) fn delete_resets(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<(), StoreError> {
    delete_all(tx, mapping, Purpose::ResetPassword, user_id)?;
    if is_the_apps(mapping, Purpose::ResetPassword) {
        let sql = format!(r#"DELETE FROM "verification" WHERE octet_length("identifier") = ?2 AND {VALUE} = ?1"#);
        tx.delete(&mapping.sql(sql), &[user_id.into(), HASHED_BYTES.into()])?;
    }
    Ok(())
}

/// Counts the codes that [`find_over`] finds.
pub(in crate::store) fn count_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<u64, StoreError> {
    let mut count = 0;
    each_over(tx, mapping, now, is_clock_sane, usize::MAX, |_| count += 1)?;
    Ok(count)
}

/// The first codes that have expired. If the clock is sane, it also finds codes that end later than any lifetime allows.
pub(in crate::store) fn find_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
    limit: usize,
) -> Result<Vec<RowKey>, StoreError> {
    let mut keys = Vec::new();
    each_over(tx, mapping, now, is_clock_sane, limit, |key| keys.push(key))?;
    Ok(keys)
}

/// Deletes those of the codes that are still to be deleted.
pub(in crate::store) fn delete_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    keys: &[RowKey],
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<Part, StoreError> {
    let columns = r#""expiresAt", "identifier""#;
    let part = delete_over_rows(tx, mapping, ("verification", columns), keys, None, |row, first| {
        is_over(row, first, mapping, now, is_clock_sane)
    })?;
    log.extend(part.event("codes.pruned", "expired code"));
    Ok(part)
}

/// Whether a code is to be deleted, by the columns `expiresAt` and `identifier` of its row. The rule that accepts codes
/// decides. A time outside the calendar counts as expired. An app's rows may have any lifetime.
fn is_over(
    row: &Row<'_>,
    first: usize,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
) -> Result<bool, StoreError> {
    Ok(match mapping.read_time("verification", "expiresAt", row.value(first)?) {
        None => true,
        Some(end) if now >= end => true,
        Some(end) => is_clock_sane && !can_end_at(end, now) && is_ours(mapping, row.value(first + 1)?.as_text()),
    })
}

/// Goes through the codes that are to be deleted, which the index on `expiresAt` finds.
fn each_over(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    is_clock_sane: bool,
    limit: usize,
    mut found: impl FnMut(RowKey),
) -> Result<(), StoreError> {
    let order = tx.dialect().order(mapping, "verification");
    let sql = format!(
        r#"SELECT {order}, "id", "expiresAt", "identifier" FROM "verification" WHERE "expiresAt" <= ?1 OR "expiresAt" > ?2"#
    );
    let bounds = [now, latest(now)].map(|bound| mapping.time("verification", "expiresAt", bound));
    let mut left = limit;
    tx.scan(&mapping.sql(sql), &bounds, &mut |row| {
        if left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        if is_over(row, 2, mapping, now, is_clock_sane)? {
            found(rows::row_key(row, 0, mapping, "verification")?);
            left -= 1;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Whether authctl made the code with this identifier.
fn is_ours(mapping: &SchemaMapping, identifier: Option<&str>) -> bool {
    let purpose = identifier.and_then(|identifier| identifier.split_once(':')).map(|(purpose, _)| purpose);
    Purpose::ALL.iter().any(|known| purpose == Some(known.word()) && !is_the_apps(mapping, *known))
}
