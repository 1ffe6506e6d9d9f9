//! Users and their credential accounts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::engine_error::Engine as _;
use super::rows;
use crate::auth::secret::StoredHash;
use crate::auth::store::{Account, AdminGuard, Ban, Deleted, NewPassword, NewUser, StoreError, UserChange};
use crate::auth::user::{User, UserRef};
use crate::store::dialect::Dialect;

/// The provider of accounts that sign in with a password, as Better Auth names it.
const CREDENTIAL: &str = "credential";

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
            [CREDENTIAL, user_id],
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
        (CREDENTIAL, user_id, hash.expose(), dialect.time(now)),
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
        (id, user_id, CREDENTIAL, hash.expose(), dialect.time(now)),
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

/// Changes a user; the guard looks at what would be left.
pub(super) fn update(
    tx: &Transaction<'_>,
    dialect: Dialect,
    id: &str,
    change: &UserChange,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Option<User>, Refused> {
    let Some(before) = find(tx, dialect, &UserRef::Id(id.to_owned()))? else {
        return Ok(None);
    };
    let mut user = before.clone();
    user.name = change.name.clone().unwrap_or(user.name);
    user.image = change.image.clone().unwrap_or(user.image);
    user.email = change.email.as_ref().map_or(user.email, |email| email.as_str().to_owned());
    user.email_verified = change.email_verified.unwrap_or(user.email_verified);
    user.role = change.role.clone().unwrap_or(user.role);
    match &change.ban {
        None => {}
        Some(Ban::Lifted) => (user.banned, user.ban_reason, user.ban_expires) = (false, None, None),
        Some(Ban::Imposed { reason, until }) => {
            (user.banned, user.ban_reason, user.ban_expires) = (true, reason.clone(), *until);
        }
    }
    if guard == AdminGuard::KeepLastAdmin
        && is_admin(&before, now)
        && !is_admin(&user, now)
        && !has_other_admin(tx, dialect, id, now)?
    {
        return Err(Refused::LastAdmin);
    }
    tx.execute(
        r#"UPDATE "user" SET "name" = ?2, "image" = ?3, "email" = ?4, "emailVerified" = ?5, "role" = ?6, "banned" = ?7,
           "banReason" = ?8, "banExpires" = ?9, "updatedAt" = ?10 WHERE "id" = ?1"#,
        (
            id,
            &user.name,
            &user.image,
            &user.email,
            user.email_verified,
            &user.role,
            user.banned,
            &user.ban_reason,
            user.ban_expires.map(|until| dialect.time(until)),
            dialect.time(now),
        ),
    )
    .engine()?;
    Ok(Some(read_back(tx, dialect, id)?))
}

/// Why a change was not made.
pub(super) enum Refused {
    /// No other administrator would be left.
    LastAdmin,
    /// The engine failed.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn delete(
    tx: &Transaction<'_>,
    dialect: Dialect,
    id: &str,
    guard: AdminGuard,
    now: Timestamp,
) -> Result<Deleted, StoreError> {
    let Some(user) = find(tx, dialect, &UserRef::Id(id.to_owned()))? else {
        return Ok(Deleted::Missing);
    };
    if guard == AdminGuard::KeepLastAdmin && is_admin(&user, now) && !has_other_admin(tx, dialect, id, now)? {
        return Ok(Deleted::LastAdmin);
    }
    // Children first, as the foreign keys ask.
    let sessions = tx.execute(r#"DELETE FROM "session" WHERE "userId" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "account" WHERE "userId" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "verification" WHERE "value" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "user" WHERE "id" = ?1"#, [id]).engine()?;
    Ok(Deleted::User { sessions: sessions as u64 })
}

/// Whether the user is an administrator who may sign in.
fn is_admin(user: &User, now: Timestamp) -> bool {
    user.has_role("admin") && !user.is_banned(now)
}

/// Whether there is another such administrator. SQL looks for the word; the rule reads the roles.
fn has_other_admin(tx: &Transaction<'_>, dialect: Dialect, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE "role" LIKE '%admin%' AND "id" <> ?1"#, rows::USER);
    let mut statement = tx.prepare(&sql).engine()?;
    let mut found = statement.query([id]).engine()?;
    while let Some(row) = found.next().engine()? {
        if is_admin(&rows::user(row, 0, dialect)?, now) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_back(tx: &Transaction<'_>, dialect: Dialect, id: &str) -> Result<User, StoreError> {
    find(tx, dialect, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}
