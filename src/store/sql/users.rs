//! Users and their credential accounts.

use jiff::Timestamp;

use super::tx::Tx;
use super::{rows, write};
use crate::auth::password::{HashFormat, Scheme};
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, NewPassword, NewUserRow, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::mapping::SchemaMapping;

pub(in crate::store) fn find(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    who: &UserRef,
) -> Result<Option<User>, StoreError> {
    let (column, key) = match who {
        UserRef::Email(email) => ("email", email.as_str()),
        UserRef::Id(id) => ("id", id.as_str()),
    };
    let sql = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, rows::USER);
    tx.query_one(&mapping.sql(sql), &[key.into()], |row| rows::user(row, 0, mapping))
}

/// The hash of an account. What is larger than any hash is none.
pub(in crate::store) const PASSWORD: &str = r#"CASE WHEN octet_length("password") <= 100000 THEN "password" END"#;

/// The hash of the credential account whose `accountId` is the user's id: the one that Better Auth
/// signs in with.
pub(in crate::store) fn password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Option<StoredHash>, StoreError> {
    let sql =
        format!(r#"SELECT {PASSWORD} FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?2"#);
    let values = [Account::CREDENTIAL.into(), user_id.into()];
    let text = tx.query_one(&mapping.sql(sql), &values, |row| row.optional_text(0))?;
    // Bytes that cannot be a hash (empty, endless) are no hash: nobody signs in with them.
    Ok(text.flatten().and_then(|text| StoredHash::from_bytes(text.as_bytes()).ok()))
}

/// How many hashes are looked at from either end of the table.
const HASH_SAMPLE: u32 = 50;

/// How an app keeps passwords, as its rows show it.
pub(in crate::store) fn scheme(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Scheme, StoreError> {
    let mut kinds = Vec::new();
    let stored = tx.dialect().stored;
    for order in ["ASC", "DESC"] {
        let sql = format!(
            r#"SELECT {PASSWORD} FROM "account" WHERE "password" IS NOT NULL AND "providerId" = ?1
               ORDER BY {stored} {order} LIMIT {HASH_SAMPLE}"#
        );
        tx.each(&mapping.sql(sql), &[Account::CREDENTIAL.into()], |row| {
            let hash = row.value(0)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
            kinds.push(hash.map_or(HashFormat::Unknown, |hash| HashFormat::of(&hash)));
            Ok(())
        })?;
    }
    Ok(Scheme::of_hashes(kinds))
}

pub(in crate::store) fn set_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.change(
        &mapping.sql(
            r#"UPDATE "account" SET "password" = ?3, "updatedAt" = ?4
               WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?2"#,
        ),
        &[Account::CREDENTIAL.into(), user_id.into(), hash.expose().into(), mapping.time(now)],
    )
}

pub(in crate::store) fn insert(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user: &NewUserRow,
    hash: Option<&StoredHash>,
) -> Result<User, StoreError> {
    let now = mapping.time(user.now);
    // The app's admin plugin gives a role to everybody, and an app without it has no place for one.
    let nobody = mapping.is_guest() && mapping.has("user", "role");
    let role = user.role.clone().or_else(|| nobody.then(|| "user".to_owned()));
    let values = vec![
        ("name", user.name.clone().into()),
        ("email", user.email.as_str().to_owned().into()),
        ("emailVerified", SchemaMapping::truth(user.email_verified)),
        ("image", user.image.clone().into()),
        ("createdAt", now.clone()),
        ("updatedAt", now),
        ("role", role.into()),
        ("banned", SchemaMapping::truth(false)),
    ];
    let id = write::insert(tx, mapping, "user", &user.id, values)?;
    if let Some(hash) = hash {
        insert_credential(tx, mapping, &user.account_id, &id, hash, user.now)?;
    }
    read_back(tx, mapping, &id)
}

fn insert_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = mapping.time(now);
    let values = vec![
        ("accountId", user_id.to_owned().into()),
        ("providerId", Account::CREDENTIAL.to_owned().into()),
        ("userId", user_id.to_owned().into()),
        ("password", hash.expose().to_owned().into()),
        ("createdAt", now.clone()),
        ("updatedAt", now),
    ];
    write::insert(tx, mapping, "account", id, values).map(drop)
}

/// Sets the hash of the credential account and makes one that is missing; `false` without a user.
pub(in crate::store) fn upsert_password_hash(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    new: &NewPassword<'_>,
) -> Result<bool, StoreError> {
    if find(tx, mapping, &UserRef::Id(new.user_id.to_owned()))?.is_none() {
        return Ok(false);
    }
    if set_password_hash(tx, mapping, new.user_id, new.hash, new.now)? == 0 {
        insert_credential(tx, mapping, &new.account_id, new.user_id, new.hash, new.now)?;
    }
    Ok(true)
}

pub(in crate::store) fn accounts(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    user_id: &str,
) -> Result<Vec<Account>, StoreError> {
    let sql = r#"SELECT "providerId", "accountId", octet_length("password") IS NOT NULL FROM "account"
                 WHERE "userId" = ?1 ORDER BY "providerId", "accountId""#;
    tx.query_all(&mapping.sql(sql), &[user_id.into()], |row| {
        Ok(Account { provider_id: row.text(0)?, account_id: row.text(1)?, has_password: row.truth(2)? })
    })
}

pub(in crate::store) fn read_back(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str) -> Result<User, StoreError> {
    find(tx, mapping, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}
