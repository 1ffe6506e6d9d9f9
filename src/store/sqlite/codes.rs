//! Codes, in the `verification` table: `identifier` is the purpose and the digest of the code, `value`
//! the user's id and the address, a line each.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::engine_error::Engine as _;
use crate::auth::code::{Purpose, StoredCode};
use crate::auth::secret::Code;
use crate::auth::store::{NewCode, StoreError};
use crate::auth::token::digest;
use crate::store::dialect::Dialect;

fn identifier(purpose: Purpose, code: &Code) -> String {
    format!("{}:{}", purpose.word(), digest(code.expose()))
}

pub(super) fn find(
    connection: &Connection,
    dialect: Dialect,
    purpose: Purpose,
    code: &Code,
) -> Result<Option<StoredCode>, StoreError> {
    let row = connection
        .query_row(
            r#"SELECT "value", "expiresAt" FROM "verification" WHERE "identifier" = ?1"#,
            [identifier(purpose, code)],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
        )
        .optional()
        .engine()?;
    // A row that makes no sense is no code.
    Ok(row.and_then(|(value, expires_at)| {
        let (user_id, email) = value.split_once('\n')?;
        let expires_at = dialect.read_time(expires_at)?;
        Some(StoredCode { user_id: user_id.to_owned(), email: email.to_owned(), expires_at })
    }))
}

/// Adds a code and removes those for the same purpose and user.
pub(super) fn insert(tx: &Transaction<'_>, dialect: Dialect, new: &NewCode<'_>) -> Result<(), StoreError> {
    delete_all(tx, new.purpose, &new.stored.user_id)?;
    tx.execute(
        r#"INSERT INTO "verification" ("id", "identifier", "value", "expiresAt", "createdAt", "updatedAt")
           VALUES (?1, ?2, ?3, ?4, ?5, ?5)"#,
        (
            &new.id,
            identifier(new.purpose, new.code),
            format!("{}\n{}", new.stored.user_id, new.stored.email),
            dialect.time(new.stored.expires_at),
            dialect.time(new.now),
        ),
    )
    .engine()?;
    Ok(())
}

/// Removes a code and tells whether it was there and had not expired.
pub(super) fn take(
    tx: &Transaction<'_>,
    dialect: Dialect,
    purpose: Purpose,
    code: &Code,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let counts = find(tx, dialect, purpose, code)?.is_some_and(|stored| now < stored.expires_at);
    tx.execute(r#"DELETE FROM "verification" WHERE "identifier" = ?1"#, [identifier(purpose, code)]).engine()?;
    Ok(counts)
}

/// Removes everything that is pending for a user: codes of ours, and rows that name nobody else, as
/// Better Auth writes them.
pub(super) fn delete_of_user(tx: &Transaction<'_>, user_id: &str) -> Result<(), StoreError> {
    tx.execute(
        r#"DELETE FROM "verification" WHERE "value" = ?1 OR substr("value", 1, ?2) = ?3"#,
        (user_id, i64::try_from(user_id.chars().count() + 1).unwrap_or(i64::MAX), format!("{user_id}\n")),
    )
    .engine()?;
    Ok(())
}

/// Removes all codes for a purpose and user: whoever has set a password needs no older code.
pub(super) fn delete_all(tx: &Transaction<'_>, purpose: Purpose, user_id: &str) -> Result<(), StoreError> {
    tx.execute(
        r#"DELETE FROM "verification" WHERE "identifier" >= ?1 AND "identifier" < ?2 AND substr("value", 1, ?3) = ?4"#,
        (
            format!("{}:", purpose.word()),
            // The character after the colon: the end of all identifiers of the purpose.
            format!("{};", purpose.word()),
            i64::try_from(user_id.chars().count() + 1).unwrap_or(i64::MAX),
            format!("{user_id}\n"),
        ),
    )
    .engine()?;
    Ok(())
}

pub(super) fn count_over(connection: &Connection, dialect: Dialect, now: Timestamp) -> Result<u64, StoreError> {
    let mut count = 0;
    each_over(connection, dialect, now, |_| count += 1)?;
    Ok(count)
}

pub(super) fn delete_over(tx: &Transaction<'_>, dialect: Dialect, now: Timestamp) -> Result<u64, StoreError> {
    let mut ids = Vec::new();
    each_over(tx, dialect, now, |id| ids.push(id))?;
    let mut statement = tx.prepare(r#"DELETE FROM "verification" WHERE "id" = ?1"#).engine()?;
    for id in &ids {
        statement.execute([id]).engine()?;
    }
    Ok(ids.len() as u64)
}

/// Goes through codes that have expired: chosen by the index on `expiresAt`, judged as a code is when
/// somebody comes with it. A time that no calendar knows is none to wait for.
fn each_over(
    connection: &Connection,
    dialect: Dialect,
    now: Timestamp,
    mut found: impl FnMut(String),
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare(r#"SELECT "id", "expiresAt" FROM "verification" WHERE "expiresAt" <= ?1"#).engine()?;
    let mut candidates = statement.query([dialect.time(now)]).engine()?;
    while let Some(row) = candidates.next().engine()? {
        if dialect.read_time(row.get(1).engine()?).is_none_or(|end| now >= end) {
            found(row.get(0).engine()?);
        }
    }
    Ok(())
}
