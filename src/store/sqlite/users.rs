//! Users and their credential accounts.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::engine_error::Engine as _;
use super::rows;
use crate::auth::secret::StoredHash;
use crate::auth::store::{AdminGuard, Deleted, NewUser, ProfileChange, StoreError};
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
) -> Result<(), StoreError> {
    tx.execute(
        r#"UPDATE "account" SET "password" = ?3, "updatedAt" = ?4
           WHERE "providerId" = ?1 AND "accountId" = ?2 AND "userId" = ?2"#,
        (CREDENTIAL, user_id, hash.expose(), dialect.time(now)),
    )
    .engine()?;
    Ok(())
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    dialect: Dialect,
    user: &NewUser,
    hash: &StoredHash,
) -> Result<User, StoreError> {
    let now = dialect.time(user.now);
    tx.execute(
        r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt", "banned")
           VALUES (?1, ?2, ?3, 0, ?4, ?5, ?5, 0)"#,
        (&user.id, &user.name, user.email.as_str(), &user.image, now),
    )
    .engine()?;
    tx.execute(
        r#"INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
           VALUES (?1, ?2, ?3, ?2, ?4, ?5, ?5)"#,
        (&user.account_id, &user.id, CREDENTIAL, hash.expose(), now),
    )
    .engine()?;
    read_back(tx, dialect, &user.id)
}

pub(super) fn update_profile(
    tx: &Transaction<'_>,
    dialect: Dialect,
    id: &str,
    change: &ProfileChange,
    now: Timestamp,
) -> Result<Option<User>, StoreError> {
    let Some(user) = find(tx, dialect, &UserRef::Id(id.to_owned()))? else {
        return Ok(None);
    };
    let name = change.name.as_ref().unwrap_or(&user.name);
    let image = change.image.as_ref().unwrap_or(&user.image);
    tx.execute(
        r#"UPDATE "user" SET "name" = ?2, "image" = ?3, "updatedAt" = ?4 WHERE "id" = ?1"#,
        (id, name, image, dialect.time(now)),
    )
    .engine()?;
    read_back(tx, dialect, id).map(Some)
}

pub(super) fn delete(
    tx: &Transaction<'_>,
    dialect: Dialect,
    id: &str,
    guard: AdminGuard,
) -> Result<Deleted, StoreError> {
    let Some(user) = find(tx, dialect, &UserRef::Id(id.to_owned()))? else {
        return Ok(Deleted::Missing);
    };
    if guard == AdminGuard::KeepLastAdmin && user.has_role("admin") && !has_other_admin(tx, dialect, id)? {
        return Ok(Deleted::LastAdmin);
    }
    // Children first, as the foreign keys ask.
    let sessions = tx.execute(r#"DELETE FROM "session" WHERE "userId" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "account" WHERE "userId" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "verification" WHERE "value" = ?1"#, [id]).engine()?;
    tx.execute(r#"DELETE FROM "user" WHERE "id" = ?1"#, [id]).engine()?;
    Ok(Deleted::User { sessions: sessions as u64 })
}

/// Whether somebody else has the role `admin` and is not banned for good.
fn has_other_admin(tx: &Transaction<'_>, dialect: Dialect, id: &str) -> Result<bool, StoreError> {
    let sql = format!(
        r#"SELECT {} FROM "user" WHERE "role" LIKE '%admin%' AND coalesce("banned", 0) = 0 AND "id" <> ?1"#,
        rows::USER
    );
    let mut statement = tx.prepare(&sql).engine()?;
    let mut found = statement.query([id]).engine()?;
    while let Some(row) = found.next().engine()? {
        if rows::user(row, 0, dialect)?.has_role("admin") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_back(tx: &Transaction<'_>, dialect: Dialect, id: &str) -> Result<User, StoreError> {
    find(tx, dialect, &UserRef::Id(id.to_owned()))?
        .ok_or_else(|| StoreError::Engine("a user that was just written could not be read back".into()))
}
