//! Users and their credential accounts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::engine_error::Engine as _;
use super::rows;
use crate::auth::secret::StoredHash;
use crate::auth::store::{Account, NewPassword, NewUser, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::dialect::Dialect;

pub(super) fn find(connection: &Connection, dialect: Dialect, who: &UserRef) -> Result<Option<User>, StoreError> {
    let (column, key) = match who {
        UserRef::Email(email) => ("email", email.as_str()),
        UserRef::Id(id) => ("id", id.as_str()),
    };
    let sql = format!(r#"SELECT {} FROM "user" WHERE "{column}" = ?1"#, rows::USER);
    connection.query_row(&sql, [key], |row| Ok(rows::user(row, 0, dialect))).optional().engine()?.transpose()
}

/// The hash of the credential account whose `accountId` is the user's id: the one that Better Auth
/// signs in with.
pub(super) fn password_hash(connection: &Connection, user_id: &str) -> Result<Option<StoredHash>, StoreError> {
    let text: Option<Option<String>> = connection
        .query_row(
            r#"SELECT "password" FROM "account" WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?2"#,
            [Account::CREDENTIAL, user_id],
            |row| row.get(0),
        )
        .optional()
        .engine()?;
    // Bytes that cannot be a hash (empty, endless) are no hash: nobody signs in with them.
    Ok(text.flatten().and_then(|text| StoredHash::from_bytes(text.as_bytes()).ok()))
}

pub(super) fn set_password_hash(
    tx: &Transaction<'_>,
    dialect: Dialect,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<usize, StoreError> {
    tx.execute(
        r#"UPDATE "account" SET "password" = ?3, "updatedAt" = ?4
           WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?2"#,
        (Account::CREDENTIAL, user_id, hash.expose(), dialect.time(now)),
    )
    .engine()
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    dialect: Dialect,
    user: &NewUser,
    hash: Option<&StoredHash>,
) -> Result<User, StoreError> {
    let now = dialect.time(user.now);
    tx.execute(
        r#"INSERT INTO "user"
           ("id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt", "role", "banned")
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 0)"#,
        (&user.id, &user.name, user.email.as_str(), user.email_verified, &user.image, now, &user.role),
    )
    .engine()?;
    if let Some(hash) = hash {
        insert_credential(tx, dialect, &user.account_id, &user.id, hash, user.now)?;
    }
    read_back(tx, dialect, &user.id)
}

fn insert_credential(
    tx: &Transaction<'_>,
    dialect: Dialect,
    id: &str,
    user_id: &str,
    hash: &StoredHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
           VALUES (?1, ?2, ?3, ?2, ?4, ?5, ?5)"#,
        (id, user_id, Account::CREDENTIAL, hash.expose(), dialect.time(now)),
    )
    .engine()?;
    Ok(())
}

/// Sets the hash of the credential account and makes one that is missing; `false` without a user.
pub(super) fn upsert_password_hash(
    tx: &Transaction<'_>,
    dialect: Dialect,
    new: &NewPassword<'_>,
) -> Result<bool, StoreError> {
    if find(tx, dialect, &UserRef::Id(new.user_id.to_owned()))?.is_none() {
        return Ok(false);
    }
    if set_password_hash(tx, dialect, new.user_id, new.hash, new.now)? == 0 {
        insert_credential(tx, dialect, &new.account_id, new.user_id, new.hash, new.now)?;
    }
    Ok(true)
}

pub(super) fn accounts(connection: &Connection, user_id: &str) -> Result<Vec<Account>, StoreError> {
    let mut statement = connection
        .prepare(
            r#"SELECT "providerId", "accountId", "password" IS NOT NULL FROM "account" WHERE "userId" = ?1
               ORDER BY "providerId", "accountId""#,
        )
        .engine()?;
    let account =
        |row: &Row<'_>| Ok(Account { provider_id: row.get(0)?, account_id: row.get(1)?, has_password: row.get(2)? });
    statement.query_map([user_id], account).engine()?.collect::<rusqlite::Result<_>>().engine()
}

pub(super) fn read_back(tx: &Transaction<'_>, dialect: Dialect, id: &str) -> Result<User, StoreError> {
    find(tx, dialect, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}
