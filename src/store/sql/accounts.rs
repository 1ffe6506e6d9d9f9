//! The accounts of users, and the password of the one that Better Auth signs in with.
//!
//! An act that follows the verification of a password checks that the verified hash is still stored.

use jiff::Timestamp;

use super::audit::{ended_of, subject};
use super::rows::Values;
use super::users::find;
use super::{codes, native_factor, rows, sessions};
use crate::auth::audit::{Changes, Event, Subject};
use crate::auth::password::{HashFormat, Scheme};
use crate::auth::secret::StoredHash;
use crate::auth::session::Session;
use crate::auth::storage::{Account, NewPassword, PasswordChange, StoreError};
use crate::auth::user::UserRef;
use crate::store::engine::{Query, Tx, Value, ignored};
use crate::store::mapping::{IdStrategy, SchemaMapping};

/// The hash of an account. A larger value cannot be a hash.
pub(in crate::store) const PASSWORD: &str = r#"CASE WHEN octet_length("password") <= 100000 THEN "password" END"#;

/// Requires that passwords of the app's users are found and written.
///
/// # Errors
/// [`StoreError::NotOurs`] with the column that is missing or not written.
pub(in crate::store) fn require_credentials(mapping: &SchemaMapping) -> Result<(), StoreError> {
    let not_found = mapping.not_found_by("account", &["accountId", "providerId", "password"]);
    match not_found.or_else(|| mapping.read_only("account", "password")) {
        Some(blocker) => Err(StoreError::NotOurs(blocker.clone())),
        None => Ok(()),
    }
}

/// The hash of the credential account whose `accountId` is the user's id, which Better Auth signs in with.
///
/// # Errors
/// [`StoreError::NotOurs`] if the app's database has no such accounts to find.
pub(in crate::store) fn password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<StoredHash>, StoreError> {
    rows::require_found_by(mapping, "account", &["accountId", "providerId", "password"])?;
    let (sql, values) = of_password(mapping, user_id);
    let text = tx.query_one(&sql, &values, |row| Ok(row.value(0)?.as_text().map(str::to_owned)))?;
    // An empty or endless value cannot be a hash, and does not sign in.
    Ok(text.flatten().and_then(|text| StoredHash::from_bytes(text.as_bytes()).ok()))
}

/// The query by which [`password_hash`] finds the hash.
pub(super) fn of_password(mapping: &SchemaMapping, user_id: &str) -> Query {
    let sql =
        format!(r#"SELECT {PASSWORD} FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#);
    let values = vec![Account::CREDENTIAL.into(), user_id.into(), mapping.reference("account", "userId", user_id)];
    (mapping.sql(sql).into_owned(), values)
}

/// How many hashes are read from each end of the table.
const HASH_SAMPLE: u32 = 50;

/// The password scheme of an app, as its rows show it.
pub(in crate::store) fn scheme(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Scheme, StoreError> {
    let mut kinds = Vec::new();
    let order = tx.dialect().order(mapping, "account");
    for direction in ["ASC", "DESC"] {
        let sql = format!(
            r#"SELECT {PASSWORD} FROM "account" WHERE octet_length("password") > 0 AND "providerId" = ?1
               ORDER BY {order} {direction} LIMIT {HASH_SAMPLE}"#
        );
        tx.each(&mapping.sql(sql), &[Account::CREDENTIAL.into()], |row| {
            let hash = row.value(0)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
            kinds.push(hash.map_or(HashFormat::Unknown, |hash| HashFormat::of(&hash)));
            Ok(())
        })?;
    }
    Ok(Scheme::of_hashes(kinds, mapping.passwords))
}

/// Sets the hash of the credential account. Returns `false` if the user has none.
pub(in crate::store) fn set_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<bool, StoreError> {
    require_credentials(mapping)?;
    let account = [Account::CREDENTIAL.into(), user_id.into(), mapping.reference("account", "userId", user_id)];
    let find = r#"SELECT count(*) FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#;
    if tx.count(&mapping.sql(find), &account)? == 0 {
        return Ok(false);
    }
    tell_other_hashes(tx, mapping)?;
    let updated_at = rows::update_time(tx, mapping, "account", now)?;
    let stamp = if updated_at.is_some() { r#", "updatedAt" = ?5"# } else { "" };
    let sql = format!(
        r#"UPDATE "account" SET "password" = ?4{stamp}
           WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?3"#
    );
    let values: Vec<Value> = account.into_iter().chain([hash.expose().into()]).chain(updated_at).collect();
    tx.change(&mapping.sql(sql), &values)?;
    require_hash(tx, mapping, user_id, hash).map(|()| true)
}

/// Reports on a new hash that the app may not verify, because most of its hashes have other formats.
fn tell_other_hashes(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<(), StoreError> {
    if mapping.passwords.is_some() {
        let warning = scheme(tx, mapping)?.warning();
        tx.left().extend(warning);
    }
    Ok(())
}

/// Checks that a hash was stored as it was written.
fn require_hash(tx: &mut dyn Tx, mapping: &SchemaMapping, user_id: &str, hash: &StoredHash) -> Result<(), StoreError> {
    if is_hash_in_force(tx, mapping, user_id, hash)? { Ok(()) } else { Err(ignored("undoes the change")) }
}

/// The values of a new credential account.
pub(super) fn credential_values(mapping: &SchemaMapping, user_id: &str, hash: &StoredHash, now: Timestamp) -> Values {
    let time = |column| mapping.time("account", column, now);
    vec![
        ("accountId", user_id.to_owned().into()),
        ("providerId", Account::CREDENTIAL.to_owned().into()),
        ("userId", mapping.reference("account", "userId", user_id)),
        ("password", hash.expose().to_owned().into()),
        ("createdAt", time("createdAt")),
        ("updatedAt", time("updatedAt")),
    ]
}

pub(super) fn insert_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    tell_other_hashes(tx, mapping)?;
    rows::insert(tx, mapping, "account", id, credential_values(mapping, user_id, hash, now))?;
    // No trigger runs in a database that authctl made.
    if mapping.is_guest() { require_hash(tx, mapping, user_id, hash) } else { Ok(()) }
}

/// Sets the hash of the credential account, or adds the account. Returns `false` if the user does not exist.
pub(in crate::store) fn upsert_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewPassword<'_>,
) -> Result<bool, StoreError> {
    if find(tx, mapping, &UserRef::Id(new.user_id.to_owned()))?.is_none() {
        return Ok(false);
    }
    if set_password_hash(tx, mapping, new.user_id, new.hash, new.now)? {
        return Ok(true);
    }
    match only_credential(tx, mapping, new.user_id)? {
        Some((id, account_id)) => {
            correct_account_id(tx, mapping, log, (&id, new.user_id, &account_id), new.now)?;
            set_password_hash(tx, mapping, new.user_id, new.hash, new.now)?;
        }
        None => insert_credential(tx, mapping, &new.account_id, new.user_id, new.hash, new.now)?,
    }
    Ok(true)
}

/// The id and the `accountId` of the user's credential account; `None` if there are none or several.
fn only_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let sql = r#"SELECT "id", "accountId" FROM "account" WHERE "userId" = ?1 AND "providerId" = ?2"#;
    let values = [mapping.reference("account", "userId", user_id), Account::CREDENTIAL.into()];
    let mut found = tx.query_all(&mapping.sql(sql), &values, |row| {
        let account_id = IdStrategy::Text.read(row.value(1)?).unwrap_or_default();
        Ok((rows::key(row, 0, mapping, "account")?, account_id))
    })?;
    Ok(found.pop().filter(|_| found.is_empty()))
}

/// Sets the `accountId` of a credential account to its user's id. Takes the ids of the account and of the user, and the
/// `accountId` before.
pub(in crate::store) fn correct_account_id(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    (id, user_id, before): (&str, &str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let updated_at = rows::update_time(tx, mapping, "account", now)?.map(|now| ("updatedAt", now));
    let account_id = ("accountId", user_id.into());
    let values = [account_id].into_iter().chain(updated_at).collect();
    rows::update(tx, mapping, "account", id, values, rows::Spelling::Exact)?;
    log.push(corrected_of(subject(tx, mapping, user_id)?, before, user_id));
    Ok(())
}

/// The event about an account whose `accountId` is the user's id now. Takes the one before.
pub(in crate::store) fn corrected_of(user: Subject, before: &str, user_id: &str) -> Event {
    let change = Changes::default().field("accountId", before, user_id);
    Event::user("account.corrected", user).with("the account is under its user's id now").changing(change)
}

pub(in crate::store) fn accounts(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Vec<Account>, StoreError> {
    let sql = r#"SELECT "providerId", "accountId", octet_length("password") IS NOT NULL FROM "account"
                 WHERE "userId" = ?1 ORDER BY "providerId", "accountId""#;
    tx.query_all(&mapping.sql(sql), &[mapping.reference("account", "userId", user_id)], |row| {
        let text = |index| Ok::<_, StoreError>(IdStrategy::Text.read(row.value(index)?).unwrap_or_default());
        Ok(Account { provider_id: text(0)?, account_id: text(1)?, has_password: row.truth(2)? })
    })
}

/// Whether the verified hash is still stored.
pub(in crate::store) fn is_hash_in_force(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
) -> Result<bool, StoreError> {
    Ok(password_hash(tx, mapping, user_id)?.is_some_and(|in_force| in_force.expose() == hash.expose()))
}

pub(in crate::store) fn replace_password(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    change: &PasswordChange<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !is_hash_in_force(tx, mapping, change.user_id, change.verified)? {
        return Ok(None);
    }
    let Some(user) = find(tx, mapping, &UserRef::Id(change.user_id.to_owned()))? else { return Ok(None) };
    if !native_factor::is_proved(tx, mapping, log, &user, change.code, change.now)? {
        return Ok(None);
    }
    // If a session does not exist, nothing is written.
    let ended = match &change.end {
        None => Vec::new(),
        Some(which) => match sessions::delete(tx, mapping, change.user_id, which, change.now)? {
            Ok(ended) => ended,
            Err(_) => return Ok(None),
        },
    };
    set_password_hash(tx, mapping, change.user_id, change.hash, change.now)?;
    codes::delete_resets(tx, mapping, change.user_id)?;
    log.push(Event::user("password.changed", &user));
    log.extend(ended.iter().map(|session| ended_of(&Subject::from(&user), session)));
    Ok(Some(ended))
}

/// Sets a password. Codes that reset the old one become invalid.
pub(in crate::store) fn set_password(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    new: &NewPassword<'_>,
) -> Result<Option<Vec<Session>>, StoreError> {
    if !upsert_password_hash(tx, mapping, log, new)? {
        return Ok(None);
    }
    codes::delete_resets(tx, mapping, new.user_id)?;
    let ended = sessions::end(tx, mapping, new.user_id, new.end.as_ref(), new.now)?;
    let user = subject(tx, mapping, new.user_id)?;
    log.push(Event::user("password.set", &user));
    log.extend(ended.iter().map(|session| ended_of(&user, session)));
    Ok(Some(ended))
}
